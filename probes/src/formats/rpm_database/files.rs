//! Which packages brought files. A header lists them as folders, names, and the position of each name's folder.

use evidence::facts::Outcome;

use super::super::file_owners::Wanted;
use super::super::rpm_header::{Header, tag};
use super::blobs::blobs;
use super::package::name_of;
use super::{ATTEMPTS, Location};
use crate::probe::ProbeError;
use crate::reading::Reading;

/// States in which a file lies there as its package brought it: normal, and shared by network (`rpmfileState` of rpm). In the
/// others it was replaced, not installed, or of the wrong colour; `rpm -qf` names such a package if there is no better.
const LIES_THERE: [u8; 2] = [0, 3];

/// Looks for the packages of files.
pub fn owners(reading: &Reading<'_>, location: &Location, wanted: &mut Wanted<'_>) -> Result<(), ProbeError> {
    let mut attempt = 1;
    loop {
        wanted.forget();
        let mut unparsed = None;
        let unchanged = blobs(reading, location, &mut |blob| {
            let taken = blob.and_then(|(number, blob)| {
                let taken = Header::parse(blob).and_then(|header| take(&header, wanted));
                taken.map_err(|why| location.says(format_args!("package {number}: {why}")))
            });
            unparsed = taken.err();
            unparsed.is_none()
        })?;
        if !unchanged && attempt < ATTEMPTS {
            attempt += 1;
            continue;
        }
        if !unchanged {
            return Err(ProbeError::malformed(&location.path, "it changed while it was read"));
        }
        // The package that could not be understood may be the one.
        return unparsed.map_or(Ok(()), |detail| {
            Err(ProbeError {
                outcome: Outcome::Malformed,
                detail,
            })
        });
    }
}

fn take(header: &Header<'_>, wanted: &mut Wanted<'_>) -> Result<(), &'static str> {
    let Some(names) = header.texts(tag::BASENAMES) else {
        return Ok(());
    };
    let package = name_of(header)?;
    let mut folders: Option<Vec<&[u8]>> = None;
    let states = header.bytes(tag::FILESTATES).unwrap_or_default();
    for (at, name) in names.enumerate() {
        if !wanted.has_name(name) {
            continue;
        }
        let folders = folders.get_or_insert_with(|| header.texts(tag::DIRNAMES).into_iter().flatten().collect());
        let index = header.numbers(tag::DIRINDEXES).and_then(|mut indexes| indexes.nth(at));
        let folder = index.and_then(|index| folders.get(index as usize));
        let folder = folder.ok_or("a file has no folder")?;
        let lies_there = states.get(at).is_none_or(|state| LIES_THERE.contains(state));
        wanted.take(&package, folder, name, lies_there);
    }
    Ok(())
}

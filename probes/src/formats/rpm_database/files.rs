//! Files of packages. A header lists them as folders, names, and the position of each name's folder.

use evidence::facts::Outcome;

use super::super::file_owners::Wanted;
use super::super::rpm_header::{Header, hash, tag};
use super::blobs::blobs;
use super::package::name_of;
use super::{ATTEMPTS, Location};
use crate::probe::ProbeError;
use crate::reading::Reading;

/// `rpmfileState` of rpm: as its package brought it.
const NORMAL: u8 = 0;
/// States in which a file lies there as its package brought it: normal, and shared by network. In the others it was
/// replaced, not installed, or of the wrong colour; `rpm -qf` names such a package if there is no better.
const LIES_THERE: [u8; 2] = [NORMAL, 3];

/// `rpmfileAttrs` of rpm: configuration; may be missing; belongs to the package and is not in it.
const CONFIG: u32 = 1 << 0;
const MISSING_OK: u32 = 1 << 3;
const GHOST: u32 = 1 << 6;
/// `rpmVerifyAttrs` of rpm: the checksum.
const FILE_DIGEST: u32 = 1 << 0;

/// Looks for the packages of files.
pub fn owners(reading: &Reading<'_>, location: &Location, wanted: &mut Wanted<'_>) -> Result<(), ProbeError> {
    headers(reading, location, &mut |entry| match entry {
        Entry::Begin => {
            wanted.forget();
            Ok(())
        }
        Entry::Header(header) => take(&header, wanted),
    })
}

/// A regular file that lies on the host as its package brought it, if nobody changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it lies.
    pub path: String,
    /// Whether the package marks it as configuration.
    pub is_configuration: bool,
    /// Whether the package says that it may be missing.
    pub may_be_missing: bool,
    /// Its checksum, hexadecimal; empty if the package has none.
    pub digest: String,
    /// Of which kind: one of [`hash`], or another of RFC 9580, section 9.5.
    pub algorithm: u32,
}

/// The regular files of all packages that `wanted` says of (package, path, whether it is configuration), and whose content
/// rpm -V would compare (rpm(8)). Those of a package come together.
pub fn files(
    reading: &Reading<'_>,
    location: &Location,
    wanted: &dyn Fn(&str, &[u8], bool) -> bool,
) -> Result<Vec<(String, Vec<File>)>, ProbeError> {
    let mut packages = vec![];
    headers(reading, location, &mut |entry| {
        match entry {
            Entry::Begin => packages.clear(),
            Entry::Header(header) => {
                let package = name_of(&header)?;
                let files = files_of(&header, &package, wanted)?;
                if !files.is_empty() {
                    packages.push((package, files));
                }
            }
        }
        Ok(())
    })?;
    Ok(packages)
}

/// What `headers` meets.
enum Entry<'b> {
    /// The beginning; again if the database changed meanwhile.
    Begin,
    /// A package.
    Header(Header<'b>),
}

/// Goes through all headers. One that `each` does not understand ends it: it may be the one that matters.
fn headers(
    reading: &Reading<'_>,
    location: &Location,
    each: &mut dyn FnMut(Entry<'_>) -> Result<(), &'static str>,
) -> Result<(), ProbeError> {
    let mut attempt = 1;
    loop {
        let malformed = |detail| ProbeError {
            outcome: Outcome::Malformed,
            detail,
        };
        each(Entry::Begin).map_err(|why| malformed(location.says(why)))?;
        let mut unparsed = None;
        let unchanged = blobs(reading, location, &mut |blob| {
            let taken = blob.and_then(|(number, blob)| {
                let taken = Header::parse(blob).and_then(|header| each(Entry::Header(header)));
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
        return unparsed.map_or(Ok(()), |detail| Err(malformed(detail)));
    }
}

const NO_FOLDER: &str = "a file has no folder";

fn folders_of<'b>(header: &Header<'b>) -> Vec<&'b [u8]> {
    header.texts(tag::DIRNAMES).into_iter().flatten().collect()
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
        let folders = folders.get_or_insert_with(|| folders_of(header));
        let index = header.numbers(tag::DIRINDEXES).and_then(|mut indexes| indexes.nth(at));
        let folder = index.and_then(|index| folders.get(index as usize));
        let folder = folder.ok_or(NO_FOLDER)?;
        let lies_there = states.get(at).is_none_or(|state| LIES_THERE.contains(state));
        wanted.take(&package, folder, name, lies_there);
    }
    Ok(())
}

fn files_of(
    header: &Header<'_>,
    package: &str,
    wanted: &dyn Fn(&str, &[u8], bool) -> bool,
) -> Result<Vec<File>, &'static str> {
    let (Some(names), Some(mut indexes)) = (header.texts(tag::BASENAMES), header.numbers(tag::DIRINDEXES)) else {
        return Ok(vec![]);
    };
    let folders = folders_of(header);
    let states = header.bytes(tag::FILESTATES).unwrap_or_default();
    let algorithm = header.number(tag::FILEDIGESTALGO).unwrap_or(hash::MD5);
    let mut modes = header.short_numbers(tag::FILEMODES).ok_or("its files have no modes")?;
    let mut flags = header.numbers(tag::FILEFLAGS).ok_or("its files have no flags")?;
    let mut verified = header.numbers(tag::FILEVERIFYFLAGS).into_iter().flatten();
    let mut digests = header.texts(tag::FILEDIGESTS).into_iter().flatten();
    let mut files = vec![];
    let mut path = vec![];
    for (at, name) in names.enumerate() {
        let folder = indexes.next().and_then(|index| folders.get(index as usize));
        let mode = modes.next().ok_or("a file has no mode")?;
        let flags = flags.next().ok_or("a file has no flags")?;
        let verified = verified.next().unwrap_or(u32::MAX);
        let digest = digests.next().unwrap_or_default();
        path.clear();
        path.extend_from_slice(folder.ok_or(NO_FOLDER)?);
        path.extend_from_slice(name);
        let is_configuration = flags & CONFIG != 0;
        let is_regular = mode & 0o170_000 == 0o100_000;
        let is_compared = is_regular && flags & GHOST == 0 && verified & FILE_DIGEST != 0;
        let lies_there = states.get(at).is_none_or(|state| *state == NORMAL);
        if !is_compared || !lies_there || !wanted(package, &path, is_configuration) {
            continue;
        }
        // Paths and checksums are told: what is not text is no file that could be told.
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned);
        let path = text(&path).map_err(|_| "the path of a file is not UTF-8")?;
        files.push(File {
            path,
            is_configuration,
            may_be_missing: flags & MISSING_OK != 0,
            digest: text(digest).map_err(|_| "the checksum of a file is not hexadecimal")?,
            algorithm,
        });
    }
    Ok(files)
}

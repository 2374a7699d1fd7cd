//! Which package brought a file, by the lists of files of the host's package manager: dpkg's `/var/lib/dpkg/info/PACKAGE.list`,
//! rpm's headers, apk's database, pacman's `files`.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::PackageDatabase;
use crate::formats::file_owners::Wanted;
use crate::formats::os_release::OsRelease;
use crate::formats::package_family::Family;
use crate::formats::{apk, pacman, rpm_database};
use crate::order::IntoMap as _;
use crate::probe::{Known, NotKnown, ProbeError};
use crate::reading::Reading;

const INFO: &str = "/var/lib/dpkg/info";
const OVERRIDES: &str = "/var/lib/dpkg/statoverride";
/// Folders that are links into `/usr` on a host with merged folders, under whose old names packages list files.
const MERGED: [&str; 4] = ["/bin/", "/lib", "/sbin/", "/libx32/"];

/// Where files come from.
pub(super) struct Packages {
    pub(super) database: Known<PackageDatabase>,
    owners: BTreeMap<String, String>,
    overrides: BTreeMap<String, String>,
}

impl Packages {
    /// Looks `paths` up.
    pub(super) fn read<'a>(reading: &Reading<'_>, paths: impl Iterator<Item = &'a str>) -> Self {
        let (database, owners) = match look_up(reading, paths.collect()) {
            Ok((database, owners)) => (Known::Observed(database), owners),
            Err(ProbeError { outcome, detail }) => (Known::Not(NotKnown { outcome, detail }), BTreeMap::new()),
        };
        let overrides = reading.file(OVERRIDES).ok().flatten().unwrap_or_default();
        Self {
            database,
            owners,
            overrides: overrides_of(&String::from_utf8_lossy(&overrides)),
        }
    }

    /// The package that brought the file at `path`.
    pub(super) fn of(&self, path: &str) -> Option<String> {
        self.owners.get(path).cloned()
    }

    /// The mode that dpkg-statoverride(1) orders for the file at `path`.
    pub(super) fn override_of(&self, path: &str) -> Option<String> {
        let old = path.strip_prefix("/usr").filter(|rest| is_merged(rest));
        [Some(path), old]
            .into_iter()
            .flatten()
            .find_map(|path| self.overrides.get(path).cloned())
    }
}

fn is_merged(path: &str) -> bool {
    MERGED.iter().any(|folder| path.starts_with(folder))
}

type Owners = BTreeMap<String, String>;

fn look_up(reading: &Reading<'_>, paths: BTreeSet<&str>) -> Result<(PackageDatabase, Owners), ProbeError> {
    let release = OsRelease::read(reading)?.unwrap_or_default();
    let family = Family::of_host(reading, &release)?;
    if family == Family::Dpkg {
        return Ok((PackageDatabase::Dpkg, of_dpkg(reading, &paths)?));
    }
    let mut wanted = Wanted::new(reading, paths)?;
    let database = match family {
        Family::Dpkg => PackageDatabase::Dpkg,
        Family::Rpm(location) => {
            rpm_database::owners(reading, &location, &mut wanted)?;
            PackageDatabase::Rpm
        }
        Family::Apk(path) => {
            let bytes = reading.private(path, path)?.ok_or_else(|| ProbeError::absent(path))?;
            apk::owners(path, &bytes, &mut wanted)?;
            PackageDatabase::Apk
        }
        Family::Pacman => {
            pacman::owners(reading, &mut wanted)?;
            PackageDatabase::Pacman
        }
    };
    Ok((database, wanted.owners()))
}

fn of_dpkg(reading: &Reading<'_>, paths: &BTreeSet<&str>) -> Result<Owners, ProbeError> {
    let Some(entries) = reading.list(INFO)? else {
        return Err(ProbeError::unsupported(format!(
            "{INFO} is not there: the packages of this host are in no form that is known here"
        )));
    };
    let mut owners: BTreeMap<&str, Option<String>> = paths.iter().map(|path| (*path, None)).into_map();
    let shown = format!("{INFO}/*.list");
    for entry in entries {
        let Some(package) = entry.name.strip_suffix(".list") else {
            continue;
        };
        // Not one by one: there are thousands, and they say nothing that the database of packages does not.
        let Some(bytes) = reading.private(&format!("{INFO}/{}", entry.name), &shown)? else {
            continue;
        };
        let package = package.split(':').next().unwrap_or(package);
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(path) = std::str::from_utf8(line) else {
                continue;
            };
            if let Some(owner) = owners.get_mut(path) {
                owner.get_or_insert_with(|| package.to_owned());
            }
            if is_merged(path)
                && let Some(owner) = owners.get_mut(format!("/usr{path}").as_str())
            {
                owner.get_or_insert_with(|| package.to_owned());
            }
        }
    }
    let found = owners.into_iter();
    Ok(found
        .filter_map(|(path, package)| Some((path.to_owned(), package?)))
        .into_map())
}

/// `root adm 4750 /usr/bin/x`: the mode by path, four octal digits.
fn overrides_of(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let mut fields = line.splitn(4, ' ');
        let mode = fields.nth(2)?;
        let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777)?;
        Some((fields.next()?.to_owned(), format!("{mode:04o}")))
    };
    text.lines().filter_map(line).into_map()
}

//! Which package brought a file: dpkg's lists of files, `/var/lib/dpkg/info/PACKAGE.list`.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::PackageDatabase;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

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
        let mut owners: BTreeMap<String, Option<String>> = BTreeMap::new();
        for path in paths {
            owners.insert(path.to_owned(), None);
        }
        let database = match lists(reading, &mut owners) {
            Ok(true) => Known::Observed(PackageDatabase::Dpkg),
            Ok(false) => Known::Not(NotKnown {
                outcome: Outcome::Unsupported,
                detail: format!("{INFO} is not there: the packages of this host are not dpkg's"),
            }),
            Err(unread) => Known::unread(&unread),
        };
        let owners = if database.value().is_some() {
            owners
                .into_iter()
                .filter_map(|(path, package)| Some((path, package?)))
                .collect()
        } else {
            BTreeMap::new()
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

/// Fills in the packages of `owners`; false if there is no such database.
fn lists(reading: &Reading<'_>, owners: &mut BTreeMap<String, Option<String>>) -> Result<bool, Unread> {
    let Some(entries) = reading.list(INFO)? else {
        return Ok(false);
    };
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
                && let Some(owner) = owners.get_mut(&format!("/usr{path}"))
            {
                owner.get_or_insert_with(|| package.to_owned());
            }
        }
    }
    Ok(true)
}

/// `root adm 4750 /usr/bin/x`: the mode by path, four octal digits.
fn overrides_of(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let mut fields = line.splitn(4, ' ');
        let mode = fields.nth(2)?;
        let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777)?;
        Some((fields.next()?.to_owned(), format!("{mode:04o}")))
    };
    text.lines().filter_map(line).collect()
}

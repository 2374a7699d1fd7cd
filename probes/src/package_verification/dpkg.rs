//! Files of packages of dpkg.

use std::collections::BTreeMap;

use super::checksum::{Checksum, Kind};
use super::facts::{Compared, PackageVerification};
use super::tally::{Recorded, Tally};
use super::{MORE, is_program};
use crate::formats::dpkg::{STATUS, is_name};
use crate::formats::stanza::{Stanza, stanzas};
use crate::probe::{Known, ProbeError};
use crate::reading::{Reading, Unread};

const INFO: &str = "/var/lib/dpkg/info";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
/// More packages are not looked at.
const MAX_PACKAGES: usize = 100_000;

pub(super) fn compared(reading: &Reading<'_>) -> Result<PackageVerification, ProbeError> {
    let Some(status) = reading.file(STATUS)? else {
        return Err(ProbeError::unsupported(format!(
            "{STATUS} is not there, and no database of rpm: this probe compares files of packages of dpkg and rpm alone"
        )));
    };
    let packages = Packages::of(&status);
    let diversions = Diversions::read(reading)?;
    Ok(PackageVerification {
        programs: Known::read(programs(reading, &packages, &diversions)),
        configuration: configuration(reading, &packages, &diversions),
    })
}

fn programs(reading: &Reading<'_>, packages: &Packages<'_>, diversions: &Diversions) -> Result<Compared, Unread> {
    let mut tally = Tally::of_programs();
    for package in packages.base() {
        let Some(recorded) = package.checksums(reading)? else {
            tally.compared.without_checksums.push(package.name.to_owned());
            continue;
        };
        tally.compared.packages += 1;
        for file in recorded {
            tally.compare(reading, diversions.placed(file), false);
        }
    }
    Ok(tally.ended())
}

fn configuration(reading: &Reading<'_>, packages: &Packages<'_>, diversions: &Diversions) -> Compared {
    let mut tally = Tally::of_configuration();
    for package in packages.all() {
        let conffiles = package.conffiles();
        tally.compared.packages += u64::from(!conffiles.is_empty());
        for file in conffiles {
            tally.compare(reading, diversions.placed(file), false);
        }
    }
    tally.ended()
}

/// Packages that are installed.
struct Packages<'a> {
    packages: Vec<Package<'a>>,
}

/// A package.
struct Package<'a> {
    name: &'a str,
    stanza: Stanza<'a>,
}

impl<'a> Packages<'a> {
    fn of(status: &'a [u8]) -> Self {
        let installed = stanzas(status).filter_map(|stanza| {
            let state = stanza.get("Status")?;
            let name = std::str::from_utf8(stanza.get("Package")?)
                .ok()
                .filter(|name| is_name(name))?;
            state.ends_with(b" installed").then_some(Package { name, stanza })
        });
        Self {
            packages: installed.take(MAX_PACKAGES).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Package<'a>> {
        self.packages.iter()
    }

    /// Those without which a host is none, and those by which people come in.
    fn base(&self) -> impl Iterator<Item = &Package<'a>> {
        self.packages.iter().filter(|package| {
            package.stanza.get("Essential") == Some(b"yes")
                || matches!(package.stanza.get("Priority"), Some(b"required" | b"important"))
                || MORE.contains(&package.name)
        })
    }
}

impl Package<'_> {
    /// The checksums of its programs. `Ok(None)`: it has no file of checksums.
    fn checksums(&self, reading: &Reading<'_>) -> Result<Option<Vec<Recorded>>, Unread> {
        let architecture = self
            .stanza
            .get("Architecture")
            .and_then(|name| std::str::from_utf8(name).ok());
        let several = self.stanza.get("Multi-Arch") == Some(b"same");
        let path = match architecture.filter(|architecture| several && is_name(architecture)) {
            Some(architecture) => format!("{INFO}/{}:{architecture}.md5sums", self.name),
            None => format!("{INFO}/{}.md5sums", self.name),
        };
        let Some(bytes) = reading.private(&path, INFO)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter_map(|line| {
            let (md5, path) = line.split_once("  ")?;
            let path = format!("/{path}");
            is_program(path.as_bytes()).then(|| self.recorded(&path, md5))?
        });
        Ok(Some(lines.collect()))
    }

    /// Its configuration files: ` /path md5`, and ` obsolete` or ` remove-on-upgrade` after it for those that the package
    /// no longer has.
    fn conffiles(&self) -> Vec<Recorded> {
        let field = self.stanza.get("Conffiles").unwrap_or_default();
        let text = String::from_utf8_lossy(field);
        let lines = text.lines().filter_map(|line| {
            let (path, md5) = line.trim().rsplit_once(' ')?;
            self.recorded(path, md5)
        });
        lines.collect()
    }

    fn recorded(&self, path: &str, md5: &str) -> Option<Recorded> {
        let hexadecimal = md5.len() == 32 && md5.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hexadecimal && path.starts_with('/') && path.len() <= 4_096).then(|| Recorded {
            path: path.to_owned(),
            checksum: Checksum {
                kind: Kind::Md5,
                digits: md5.to_owned(),
            },
            package: self.name.to_owned(),
        })
    }
}

/// Files that were put elsewhere for another package's sake.
#[derive(Default)]
struct Diversions {
    by_path: BTreeMap<String, (String, String)>,
}

impl Diversions {
    /// Three lines each: the path, where it goes, and the package that it does not go there for (`:` for none).
    fn read(reading: &Reading<'_>) -> Result<Self, Unread> {
        let text = reading.text(DIVERSIONS)?.unwrap_or_default();
        let mut lines = text.lines();
        let mut by_path = BTreeMap::new();
        while let (Some(from), Some(to), Some(by)) = (lines.next(), lines.next(), lines.next()) {
            by_path.insert(from.to_owned(), (to.to_owned(), by.to_owned()));
        }
        Ok(Self { by_path })
    }

    /// The file where its package's own is.
    fn placed(&self, mut file: Recorded) -> Recorded {
        match self.by_path.get(&file.path) {
            Some((to, by)) if *by != file.package => file.path.clone_from(to),
            _ => {}
        }
        file
    }
}

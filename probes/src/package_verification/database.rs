//! What dpkg recorded of files.

use std::collections::BTreeMap;

use crate::formats::dpkg::is_name;
use crate::formats::stanza::{Stanza, stanzas};
use crate::reading::{Reading, Unread};

const INFO: &str = "/var/lib/dpkg/info";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
/// Packages beside the base system whose programs are compared.
const MORE: [&str; 5] = [
    "openssh-client",
    "openssh-server",
    "openssh-sftp-server",
    "sudo",
    "sudo-ldap",
];
/// Where programs lie.
const FOLDERS: [&str; 6] = [
    "bin/",
    "sbin/",
    "usr/bin/",
    "usr/sbin/",
    "lib/systemd/",
    "usr/lib/systemd/",
];
/// More packages are not looked at.
const MAX_PACKAGES: usize = 100_000;

/// Packages that are installed.
pub(super) struct Packages<'a> {
    packages: Vec<Package<'a>>,
}

/// A package.
pub(super) struct Package<'a> {
    pub(super) name: &'a str,
    stanza: Stanza<'a>,
}

/// A file and the checksum that it ought to have.
pub(super) struct Recorded {
    pub(super) path: String,
    pub(super) md5: String,
    pub(super) package: String,
}

impl<'a> Packages<'a> {
    pub(super) fn of(status: &'a [u8]) -> Self {
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

    pub(super) fn all(&self) -> impl Iterator<Item = &Package<'a>> {
        self.packages.iter()
    }

    /// Those without which a host is none, and those by which people come in.
    pub(super) fn base(&self) -> impl Iterator<Item = &Package<'a>> {
        self.packages.iter().filter(|package| {
            package.stanza.get("Essential") == Some(b"yes")
                || matches!(package.stanza.get("Priority"), Some(b"required" | b"important"))
                || MORE.contains(&package.name)
        })
    }
}

impl Package<'_> {
    /// The checksums of its programs. `Ok(None)`: it has no file of checksums.
    pub(super) fn checksums(&self, reading: &Reading<'_>) -> Result<Option<Vec<Recorded>>, Unread> {
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
            let wanted = FOLDERS.iter().any(|folder| path.starts_with(folder)) || path.contains("/security/pam_");
            wanted.then(|| self.recorded(&format!("/{path}"), md5))?
        });
        Ok(Some(lines.collect()))
    }

    /// Its configuration files: ` /path md5`, and ` obsolete` or ` remove-on-upgrade` after it for those that the package
    /// no longer has.
    pub(super) fn conffiles(&self) -> Vec<Recorded> {
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
            md5: md5.to_owned(),
            package: self.name.to_owned(),
        })
    }
}

/// Files that were put elsewhere for another package's sake.
#[derive(Default)]
pub(super) struct Diversions {
    by_path: BTreeMap<String, (String, String)>,
}

impl Diversions {
    /// Three lines each: the path, where it goes, and the package that it does not go there for (`:` for none).
    pub(super) fn read(reading: &Reading<'_>) -> Result<Self, Unread> {
        let text = reading.text(DIVERSIONS)?.unwrap_or_default();
        let mut lines = text.lines();
        let mut by_path = BTreeMap::new();
        while let (Some(from), Some(to), Some(by)) = (lines.next(), lines.next(), lines.next()) {
            by_path.insert(from.to_owned(), (to.to_owned(), by.to_owned()));
        }
        Ok(Self { by_path })
    }

    /// Where a package's file is.
    pub(super) fn place<'a>(&'a self, path: &'a str, package: &str) -> &'a str {
        match self.by_path.get(path) {
            Some((to, by)) if by != package => to,
            _ => path,
        }
    }
}

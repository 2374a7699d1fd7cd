//! The database of rpm: `rpmdb.sqlite` (with the log beside it), `Packages.db`, the one called ndb, or `Packages`, that of
//! Berkeley DB (RHEL 8 and Amazon Linux 2, SLES 12 and older).
//!
//! Source: rpm(8), `lib/rpmdb.c` and `lib/backend/` of rpm.

mod berkeley;
mod blobs;
mod files;
mod ndb;
mod package;

use std::sync::Arc;

pub use files::{File, files, owners};
pub use package::{Package, Signature, TrustedKey};

use self::blobs::blobs;
use self::package::Found;
use super::rpm_header::Header;
use crate::probe::ProbeError;
use crate::reading::Reading;

/// Folders in which it lies: of most distributions, the older one, that of image-based systems.
pub const FOLDERS: [&str; 3] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"];
const SQLITE: &str = "rpmdb.sqlite";
const NDB: &str = "Packages.db";
const BERKELEY: &str = "Packages";

/// Packages that are looked at.
const MAX_PACKAGES: usize = 100_000;
/// Entries that could not be understood which are told one by one.
const MAX_UNPARSED: usize = 100;
/// How often the database is read if it changes meanwhile.
const ATTEMPTS: u8 = 2;

/// How rpm keeps its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// SQLite.
    Sqlite,
    /// rpm's own, of SUSE.
    Ndb,
    /// Berkeley DB, of RHEL 8, SLES 12 and older.
    Berkeley,
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: String,
    /// Its form.
    pub backend: Backend,
}

impl Location {
    fn says(&self, what: impl std::fmt::Display) -> String {
        format!("{}: {what}", self.path)
    }
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Where it is.
    pub location: Location,
    /// The packages, in order of the database.
    pub packages: Vec<Package>,
    /// Keys that rpm trusts, which it keeps among the packages.
    pub trusted_keys: Vec<TrustedKey>,
    /// What could not be understood, `path: what is wrong`; at most a hundred.
    pub unparsed: Vec<String>,
}

/// Finds the database. `Ok(None)`: this host has none.
pub fn locate(reading: &Reading<'_>) -> Result<Option<Location>, ProbeError> {
    for (file, backend) in [
        (SQLITE, Backend::Sqlite),
        (NDB, Backend::Ndb),
        (BERKELEY, Backend::Berkeley),
    ] {
        for folder in FOLDERS {
            let path = format!("{folder}/{file}");
            if reading.stat(&path)?.is_some() {
                return Ok(Some(Location { path, backend }));
            }
        }
    }
    Ok(None)
}

impl Database {
    /// The database, read once in a round for all probes that ask for it.
    pub fn of_host(reading: &Reading<'_>, location: &Location) -> Result<Arc<Self>, ProbeError> {
        let read = reading.shared("rpm database", |reading| Self::read(reading, location).map(Arc::new));
        Result::clone(&read)
    }

    /// Reads the database, by windows: it need not fit into memory.
    fn read(reading: &Reading<'_>, location: &Location) -> Result<Self, ProbeError> {
        let mut attempt = 1;
        loop {
            let mut database = Self {
                location: location.clone(),
                packages: vec![],
                trusted_keys: vec![],
                unparsed: vec![],
            };
            let unchanged = blobs(reading, location, &mut |blob| match blob {
                Ok((number, blob)) => database.add(number, blob),
                Err(why) => database.doubt(why),
            })?;
            if !unchanged && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            if !unchanged {
                database.doubt(location.says("it changed while it was read"));
            } else if database.packages.is_empty() && database.unparsed.is_empty() {
                database.doubt(location.says("there is no package in it"));
            }
            return Ok(database);
        }
    }

    /// Adds a package from its header; whether more are wanted.
    fn add(&mut self, number: u64, blob: &[u8]) -> bool {
        if self.packages.len() + self.trusted_keys.len() >= MAX_PACKAGES {
            let why = self.location.says("more packages than can be looked at");
            return self.doubt(why);
        }
        match Header::parse(blob).and_then(|header| Found::of(&header)) {
            Ok(Found::Package(package)) => self.packages.push(*package),
            Ok(Found::Key(key)) => self.trusted_keys.push(key),
            Err(why) => {
                let why = self.location.says(format_args!("package {number}: {why}"));
                return self.doubt(why);
            }
        }
        true
    }

    fn doubt(&mut self, why: String) -> bool {
        if self.unparsed.len() < MAX_UNPARSED {
            self.unparsed.push(why);
        }
        self.packages.len() + self.trusted_keys.len() < MAX_PACKAGES
    }

    /// The host's own architecture: that of rpm itself, or else of a package of which there is one on every host.
    pub fn native_architecture(&self) -> Option<&str> {
        let of = |name: &str| {
            let mut packages = self.packages.iter();
            // A host of x86_64 can have the libraries of i686 as well.
            let found = packages.find(|package| {
                package.name == name && !matches!(package.architecture.as_str(), "noarch" | "i386" | "i586" | "i686")
            });
            found.map(|package| package.architecture.as_str())
        };
        ["rpm", "glibc", "bash", "filesystem"].into_iter().find_map(of)
    }
}

#[cfg(test)]
mod tests;

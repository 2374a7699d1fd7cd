//! The database of rpm: `rpmdb.sqlite` (with the log beside it) or `Packages.db`, the one called ndb.
//!
//! Source: rpm(8), `lib/rpmdb.c`, `lib/backend/sqlite.c`, `lib/backend/ndb/rpmpkg.c` of rpm. The older form on Berkeley DB
//! (`Packages`) is known by its name and not read.

mod ndb;
mod package;

pub use package::{Package, Signature, TrustedKey};

use self::package::Found;
use super::rpm_header::Header;
use super::sqlite::{self, SqliteError};
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
    /// Berkeley DB, of RHEL 8 and older.
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
    /// Reads the database, by windows: it need not fit into memory.
    pub fn read(reading: &Reading<'_>, location: &Location) -> Result<Self, ProbeError> {
        let mut attempt = 1;
        loop {
            let mut database = Self {
                location: location.clone(),
                packages: vec![],
                trusted_keys: vec![],
                unparsed: vec![],
            };
            let unchanged = match location.backend {
                Backend::Sqlite => database.read_sqlite(reading)?,
                Backend::Ndb => ndb::read(reading, &mut database)?,
                Backend::Berkeley => {
                    return Err(ProbeError::unsupported(format!(
                        "{} is in Berkeley DB's form, which is not read here",
                        location.path
                    )));
                }
            };
            if !unchanged && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            if !unchanged {
                database.doubt("it changed while it was read");
            } else if database.packages.is_empty() && database.unparsed.is_empty() {
                database.doubt("there is no package in it");
            }
            return Ok(database);
        }
    }

    /// Whether the files stayed the same meanwhile.
    fn read_sqlite(&mut self, reading: &Reading<'_>) -> Result<bool, ProbeError> {
        let path = self.location.path.clone();
        let read = |database: &mut Self| -> Result<bool, SqliteError> {
            let Some(mut file) = sqlite::Database::open(reading, &path)? else {
                return Ok(true);
            };
            if file.has_hot_journal() {
                database.doubt("a transaction is under way or broke off");
            }
            let there = file.rows("Packages", &mut |row| match row {
                Ok(row) => database.add(row.id, row.blob(1).unwrap_or_default()),
                Err(what) => database.doubt(&what),
            })?;
            if !there {
                database.doubt("it has no table Packages");
            }
            file.unchanged()
        };
        match read(self) {
            Ok(unchanged) => Ok(unchanged),
            Err(SqliteError::Unread(unread)) => Err(unread.into()),
            Err(error @ SqliteError::Malformed { .. }) => {
                self.unparsed.push(error.to_string());
                Ok(true)
            }
        }
    }

    /// Adds a package from its header; whether more are wanted.
    fn add(&mut self, number: impl std::fmt::Display, blob: &[u8]) -> bool {
        if self.packages.len() + self.trusted_keys.len() >= MAX_PACKAGES {
            return self.doubt("more packages than can be looked at");
        }
        match Header::parse(blob).and_then(|header| Found::of(&header)) {
            Ok(Found::Package(package)) => self.packages.push(*package),
            Ok(Found::Key(key)) => self.trusted_keys.push(key),
            Err(why) => return self.doubt(&format!("package {number}: {why}")),
        }
        true
    }

    fn doubt(&mut self, why: &str) -> bool {
        if self.unparsed.len() < MAX_UNPARSED {
            self.unparsed.push(format!("{}: {why}", self.location.path));
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

//! What the probe tells.

use evidence::facts::Outcome;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Files of packages, compared with what dpkg or rpm recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageVerification {
    /// Programs (`bin`, `sbin`, systemd's, modules of PAM) of the base system (packages that are essential, required or
    /// important with dpkg, by a list of names with rpm), of OpenSSH and of sudo.
    pub programs: Known<Compared>,
    /// Configuration files of all packages that are installed, without those that a newer version of the package no longer
    /// has.
    pub configuration: Compared,
}

/// How a comparison ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Compared {
    /// Packages that were looked at.
    pub packages: u64,
    /// Files that were compared.
    pub files: u64,
    /// All files could be compared. If not, the reason: a rule must not take an empty list for proof unless this was observed.
    pub everything: Known<Everything>,
    /// Files that are not as the package brought them, sorted, at most 1,000.
    pub changed: Vec<Difference>,
    /// How many there are, those beyond the list included.
    pub changed_count: u64,
    /// Files that are not there, sorted, at most 1,000.
    pub missing: Vec<Difference>,
    /// How many there are.
    pub missing_count: u64,
    /// Files that could not be compared, sorted, at most 1,000.
    pub not_compared: Vec<NotCompared>,
    /// How many there are.
    pub not_compared_count: u64,
    /// Packages of whose files the package manager has no checksums, sorted.
    pub without_checksums: Vec<String>,
}

/// Nothing more is to be said: everything was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Everything {}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Difference {
    /// Its path; of a diverted file (dpkg-divert(1)) where it was diverted to.
    pub path: String,
    /// The package that brought it.
    pub package: String,
}

/// A file that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct NotCompared {
    /// Its path.
    pub path: String,
    /// Why: `denied`, `failed`, `skipped` and so on.
    pub outcome: String,
}

impl Default for Compared {
    fn default() -> Self {
        Self {
            packages: 0,
            files: 0,
            everything: Known::not(Outcome::Skipped, "nothing was compared yet"),
            changed: vec![],
            changed_count: 0,
            missing: vec![],
            missing_count: 0,
            not_compared: vec![],
            not_compared_count: 0,
            without_checksums: vec![],
        }
    }
}

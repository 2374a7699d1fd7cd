//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

/// The packages that the distribution's package manager has on this host.
///
/// A sampled package is found by `name` and `architecture`; what is available for it is in the document
/// `package-updates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Packages {
    /// Whose database was read.
    pub manager: Manager,
    /// The distribution, `ID` of os-release(5), for instance `debian`.
    pub distribution: String,
    /// The host's own architecture in the package manager's words, for instance `amd64`; empty if the database does not
    /// tell, and then `complete` is false.
    pub architecture: String,
    /// Every package that is on the host, wholly or in part, sorted by name and architecture. Packages of which only
    /// configuration files are left are not listed; they are counted in `config_files`.
    pub packages: Vec<Package>,
    /// How many packages are in state `installed`.
    pub installed: u64,
    /// Entries of `packages` whose state is not `installed`, or which dpkg wants to be installed again, as
    /// `name:architecture`, sorted: an interrupted installation.
    pub not_installed_fully: Vec<String>,
    /// Packages kept at their version by an administrator (selection `hold`), as `name:architecture`, sorted.
    pub held: Vec<String>,
    /// Packages that were removed and left configuration files.
    pub config_files: u64,
    /// Entries of the database that could not be understood, as `path:line: what is wrong`; at most 100 are listed.
    /// Not empty: there may be packages that are not in `packages`.
    pub unparsed: Vec<String>,
    /// Whether the whole database was understood: exactly if `unparsed` is empty.
    pub complete: bool,
}

/// A package database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// `/var/lib/dpkg/status`.
    Dpkg,
    /// `/var/lib/dpkg/status.d`, as distroless images have it.
    DpkgStatusFolder,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Package {
    /// Name of the binary package.
    pub name: String,
    /// Installed version, as the package manager writes it.
    pub version: String,
    /// Its architecture, for instance `amd64` or `all`.
    pub architecture: String,
    /// Name of the source package that it was built from; left out if the same as `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Version of that source package; left out if the same as `version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// State of the package; left out if it is `installed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PackageState>,
    /// `true` if kept at its version by an administrator; else left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub held: bool,
}

/// State of a package, in the words of dpkg(1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageState {
    /// Unpacked and configured.
    Installed,
    /// Installation was started and not completed.
    HalfInstalled,
    /// Unpacked, not configured.
    Unpacked,
    /// Unpacked, configuration was started and not completed.
    HalfConfigured,
    /// Waits for a trigger of another package.
    TriggersAwaited,
    /// Has been triggered and has not yet acted.
    TriggersPending,
}

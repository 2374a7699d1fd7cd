//! What the probe tells.

use evidence::Timestamp;
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
    /// Every package that is on the host, wholly or in part, sorted by name, architecture and version: of rpm several
    /// versions of a package can be installed side by side, as kernels are. Packages of which only configuration files
    /// are left are not listed; they are counted in `config_files`.
    pub packages: Vec<Package>,
    /// How many packages are in state `installed`.
    pub installed: u64,
    /// Entries of `packages` whose state is not `installed`, or which dpkg wants to be installed again, or whose files or
    /// scripts apk marks as failed, as `name:architecture`, sorted: an interrupted installation. rpm keeps no such mark.
    pub not_installed_fully: Vec<String>,
    /// Packages kept at their version by an administrator (selection `hold`), as `name:architecture`, sorted. Only dpkg
    /// keeps such a mark in its database; for rpm see `withheld` of `package-updates`.
    pub held: Vec<String>,
    /// Packages that were removed and left configuration files, of which only dpkg keeps a record.
    pub config_files: u64,
    /// Who distributes the packages, as these say themselves, and how many each, sorted by name; left out where the
    /// database does not tell (only rpm's does). A package signed by a key is better told by `signatures`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendors: Option<Vec<Vendor>>,
    /// By which keys the packages are signed; left out where the database does not tell (rpm's and pacman's do).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Signatures>,
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
    /// rpm's, in one of its forms.
    Rpm,
    /// apk's, of Alpine.
    Apk,
    /// pacman's, of Arch.
    Pacman,
}

/// A distributor of packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vendor {
    /// `Vendor` of the packages; empty for those that do not say.
    pub vendor: String,
    /// How many installed packages say so.
    pub packages: u64,
}

/// The signatures that packages had when they were installed, as the database kept them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Signatures {
    /// Packages without a signature, as `name:architecture`, sorted. For pacman those whose signature was not checked.
    pub unsigned: Vec<String>,
    /// Packages with a signature of which the key cannot be told, as `name:architecture`, sorted.
    pub unclear: Vec<String>,
    /// The keys that signed packages, sorted by id. pacman's database does not tell them.
    pub keys: Vec<SigningKey>,
    /// Keys that rpm's database holds as trusted, by id (8 to 64 hexadecimal digits), sorted. A signature can be that of
    /// a subkey, whose id is another.
    pub trusted_keys: Vec<String>,
}

/// A key that signed packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SigningKey {
    /// Its OpenPGP id, 16 hexadecimal digits.
    pub key_id: String,
    /// How many installed packages it signed.
    pub packages: u64,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Package {
    /// Name of the binary package.
    pub name: String,
    /// Installed version, as the package manager writes it: for rpm `[epoch:]version-release`.
    pub version: String,
    /// Its architecture, for instance `amd64` or `all`.
    pub architecture: String,
    /// Name of the source package that it was built from; left out if the same as `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Version of that source package; left out if the same as `version`, for rpm the epoch apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// State of the package; left out if it is `installed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PackageState>,
    /// `true` if kept at its version by an administrator; else left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub held: bool,
    /// When this version was installed; left out where the database does not tell (rpm's and pacman's do).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<Timestamp>,
    /// Who distributes it, as the package says itself; left out where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// OpenPGP id of the key that signed it; left out if it is not signed or the database does not tell, see
    /// `signatures`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Module stream that it was built for, `name:stream:version:context`; left out for most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
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

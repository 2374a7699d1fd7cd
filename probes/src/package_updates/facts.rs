//! What the probe tells.

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Which newer versions the host knows of and would install, and how far that knowledge can be trusted.
///
/// An empty `upgrades` means "nothing to install" only if `complete` is true and the lists are recent enough: see
/// `last_update` and, for each entry of `sources`, `release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageUpdates {
    /// The distribution, `ID` of os-release(5), for instance `debian`.
    pub distribution: String,
    /// Packages for which the package manager would install another version, sorted by name and architecture: what
    /// `apt list --upgradable` shows, held packages and updates that are still phased in included.
    pub upgrades: Vec<Upgrade>,
    /// How many entries of `upgrades` have `security` true.
    pub security_upgrades: u64,
    /// Packages for which an older version would be installed, as a pin of 1000 or more asks for; sorted likewise.
    pub downgrades: Vec<Upgrade>,
    /// Packages for which a newer version would be installed if there were no preferences and no default release,
    /// sorted likewise: a pin or the default release keeps it away; for rpm an exclude, a lock or the priority of a
    /// repository.
    pub withheld: Vec<Withheld>,
    /// How many entries of `withheld` have `security` true.
    pub security_withheld: u64,
    /// Installed packages whose version is in no list of an enabled source, sorted likewise: installed from a file, built
    /// here, from a source that is no longer configured, or a version that its archive no longer has. If `complete` is
    /// false, a list that is missing can be why.
    pub unlisted: Vec<Unlisted>,
    /// Where the installed versions come from, by the lists that have them now, sorted by origin. A version that several
    /// lists have counts for each.
    pub installed_from: Vec<InstalledFrom>,
    /// Whether `upgrades` and `withheld` are everything that the configured sources offer: every configured source has
    /// its lists here, and database, lists, sources, configuration and preferences were read and understood.
    pub complete: bool,
    /// Why `complete` is false, one sentence each, sorted, at most 100; empty if it is true.
    pub incomplete: Vec<String>,
    /// When the lists were last fetched: the newest trace that the package manager left of it; for rpm when the list of the
    /// repository that was checked least recently was. See `last_update_by`.
    pub last_update: Known<Timestamp>,
    /// The file or folder whose modification time `last_update` is; empty if not known. A folder's time moves with a
    /// failed update too; `update-success-stamp` does not.
    pub last_update_by: String,
    /// The sources of packages that are configured and enabled, in order of configuration, one entry for each suite.
    pub sources: Vec<PackageSource>,
    /// Whether at least one of `sources` is a security archive.
    pub security_source: bool,
    /// Configured entries that are disabled.
    pub disabled_sources: u64,
    /// `APT::Get::AllowUnauthenticated`: apt-get installs, without asking, packages of sources that it could not
    /// authenticate. False for rpm, where each repository has its own setting.
    pub allow_unauthenticated: bool,
    /// `APT::Default-Release`, empty if not set.
    pub default_release: String,
    /// The pins of apt_preferences(5), in the order in which they count.
    pub pins: Vec<Pin>,
    /// What only hosts with rpm have; left out on others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<RpmUpdates>,
}

/// Excludes, locks and advisories of a host with rpm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RpmUpdates {
    /// Patterns of packages that are never installed or updated (`excludepkgs`), for one repository as `id: pattern`, with
    /// `only` before those that alone may be (`includepkgs`); sorted.
    pub excludes: Vec<String>,
    /// Versions to which dnf's plugin versionlock keeps packages; with `!` before those that are never installed.
    pub version_locks: Vec<String>,
    /// Modules of which a stream was switched on, or all were switched off, sorted by name. Packages of streams that are not on,
    /// neither so nor by default, are no updates.
    pub modules: Vec<ModuleStream>,
    /// Advisories of the enabled repositories that speak of a newer version than the one installed, sorted by id: what
    /// `dnf updateinfo list` shows.
    pub advisories: Vec<PendingAdvisory>,
}

/// A module as dnf was told to have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModuleStream {
    /// Its name, for instance `nodejs`.
    pub name: String,
    /// The stream that is on; empty if the module is off.
    pub stream: String,
    /// Whether it is on.
    pub state: ModuleState,
}

/// Whether a module is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModuleState {
    /// One of its streams is on.
    Enabled,
    /// It is off.
    Disabled,
}

/// An advisory whose update is not installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PendingAdvisory {
    /// Its id, for instance `RHSA-2024:1234`.
    pub id: String,
    /// `security`, `bugfix`, `enhancement`, `newpackage`, or what the distributor calls it.
    pub kind: String,
    /// The distributor's word for its severity, for instance `Important`; empty if there is none.
    pub severity: String,
    /// When it was published, as the distributor writes it, for instance `2024-05-22 00:00:00`; empty if not told.
    pub issued: String,
    /// CVEs that it names, sorted.
    pub cves: Vec<String>,
    /// Installed packages that it updates, as `name:architecture`, sorted.
    pub packages: Vec<String>,
}

/// A package for which another version would be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Upgrade {
    /// Name of the binary package.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// Version that is installed.
    pub installed: String,
    /// Version that would be installed.
    pub candidate: String,
    /// Whether it brings a security update: the candidate, or a version between the installed one and the candidate,
    /// comes from a security archive, or for rpm is named by an advisory about security.
    pub security: bool,
    /// Where the candidate comes from: `<label> <codename or suite> <component>` of each list that has it, for rpm the id
    /// of the repository, sorted.
    pub origins: Vec<String>,
    /// Whether an administrator keeps the package at its version (selection `hold`), so that it will not be upgraded.
    pub held: bool,
    /// Percentage of hosts to which the distribution offers the update so far (`Phased-Update-Percentage` of Ubuntu);
    /// 100 for all. Below 100 the host may be among those that wait, which is not worked out.
    pub phased: u64,
    /// Advisories of versions newer than the installed one and up to the candidate, by id, sorted; left out where there is
    /// none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub advisories: Vec<String>,
}

/// An installed version that no list has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unlisted {
    /// Name of the binary package.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// Version that is installed.
    pub installed: String,
    /// Whether a list has another version of it. If none has, nothing will ever update it.
    pub offered: bool,
}

/// An origin of installed packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InstalledFrom {
    /// `<label> <codename or suite> <component>`, for rpm the id of the repository.
    pub origin: String,
    /// How many installed packages are in it in the installed version.
    pub packages: u64,
}

/// A newer version that the preferences or the default release keep away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Withheld {
    /// Name of the binary package.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// Version that is installed.
    pub installed: String,
    /// The version that would be installed without them.
    pub newest: String,
    /// Priority that they give to it (apt_preferences(5)); for rpm that of the repository.
    pub priority: i64,
    /// Whether a security update is kept away: a version up to `newest`, and newer than the one that would be installed
    /// or stay, comes from a security archive.
    pub security: bool,
    /// Where `newest` comes from, as in `upgrades`.
    pub origins: Vec<String>,
}

/// A configured source of packages: one URI and suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageSource {
    /// The file that configures it.
    pub file: String,
    /// Line in that file, from 1: of the entry, or of the first line of its stanza.
    pub line: u64,
    /// Where packages come from; a user name and password in it are left out.
    pub uri: String,
    /// Suite, for instance `bookworm-security`, or a path that ends in `/`; for rpm the id of the repository.
    pub suite: String,
    /// Components; empty for a path.
    pub components: Vec<String>,
    /// What is configured about the authenticity of this source.
    pub authentication: Authentication,
    /// Whether its lists are signed by the archive: an `InRelease`, or a `Release` with its `Release.gpg`, is kept
    /// here. apt keeps them only after it has checked them, unless `authentication` says otherwise. For rpm: whether a
    /// signature of packages or of the metadata is asked for.
    pub signed: bool,
    /// Whether it is a security archive: label `Debian-Security`, or a suite or codename that ends in `-security`; for
    /// rpm: whether it tells security updates apart, by a list of advisories that was read.
    pub security: bool,
    /// What the archive says about itself; `absent` if no release file of it is kept here.
    pub release: Known<Release>,
    /// The lists of packages, sorted by component and architecture; for rpm `primary` and, if the repository has
    /// advisories, `updateinfo`.
    pub lists: Vec<PackageList>,
    /// What only repositories of rpm have; left out for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<RpmRepository>,
}

/// A repository of rpm packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RpmRepository {
    /// Where it is, in the order of its configuration.
    pub urls: Vec<RepositoryUrl>,
    /// Whether the signature of packages is checked.
    pub gpgcheck: bool,
    /// Whether the signature of the repository's metadata is checked.
    pub repo_gpgcheck: bool,
    /// Whether the certificate of an HTTPS server is checked.
    pub sslverify: bool,
}

/// A URL of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RepositoryUrl {
    /// `baseurl`, `metalink` or `mirrorlist`.
    pub kind: String,
    /// The URL as it is configured; a user name, password and query in it are left out.
    pub url: String,
}

/// What is configured about the authenticity of a source.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own that a rule asks for by name"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Authentication {
    /// `Trusted`: `yes` accepts the source without a signature, `no` treats it as unauthenticated even with one,
    /// `default` asks for a valid signature.
    pub trusted: Trusted,
    /// `Allow-Insecure`: unsigned lists are accepted.
    pub allow_insecure: bool,
    /// `Allow-Weak`: signatures with weak hashes are accepted.
    pub allow_weak: bool,
    /// `Allow-Downgrade-To-Insecure`: a source that was signed may come unsigned.
    pub allow_downgrade_to_insecure: bool,
    /// `Check-Valid-Until`: an expired release file is refused.
    pub check_valid_until: bool,
    /// `Signed-By`: keyring files and fingerprints that may sign, sorted; `embedded key` for a key in the entry.
    /// Empty: every key that the host trusts.
    pub signed_by: Vec<String>,
    /// Whether the certificate of a server must be valid, if the source is reached by TLS: `Acquire::https::Verify-Peer` and
    /// `Verify-Host` of apt-transport-https(1), `sslverify` of dnf.conf(5).
    pub server_verified: bool,
    /// Whether lists and packages can come unauthenticated: one of the three `allow` settings, or `trusted` is `yes`.
    pub unauthenticated: bool,
}

/// The option `Trusted` of sources.list(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trusted {
    /// Not set: a valid signature is asked for.
    Default,
    /// Trusted without a signature.
    Yes,
    /// Never trusted.
    No,
}

/// What an archive says about itself in its release file. Fields that it does not give are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Release {
    /// `Origin`.
    pub origin: String,
    /// `Label`.
    pub label: String,
    /// `Suite`.
    pub suite: String,
    /// `Codename`.
    pub codename: String,
    /// `Version`.
    pub version: String,
    /// When the archive made it (`Date`); left out if it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Until when it says that its lists are valid (`Valid-Until`); left out if it does not say, as Debian's main
    /// archive does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Modification time of the file here: apt gives it the time that the server tells, else that of the download.
    pub file_time: Timestamp,
    /// `NotAutomatic`: nothing is installed from it unless asked for.
    pub not_automatic: bool,
    /// `ButAutomaticUpgrades`: what was once installed from it is upgraded from it.
    pub but_automatic_upgrades: bool,
}

/// A list of packages of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PackageList {
    /// Component, for instance `main`; empty for a source without components.
    pub component: String,
    /// Architecture, for instance `amd64`; empty for a source without components.
    pub architecture: String,
    /// Whether it is here and was read: `observed`; `empty` if the archive's release file says that there is none, or
    /// that it has no bytes; else why it was not read, and then `complete` is false.
    pub state: ListState,
    /// Priority of what it offers (apt_preferences(5)), pins for single packages apart; for rpm that of the repository, of
    /// which the lower one is preferred.
    pub priority: i64,
}

/// Whether a list of packages was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListState {
    /// Read.
    Observed,
    /// The archive has none, or an empty one.
    Empty,
    /// Not here.
    Absent,
    /// The agent may not read it.
    Denied,
    /// Reading failed.
    Failed,
    /// Not in the form of a list of packages.
    Malformed,
    /// In a compression that the probe does not know.
    Unsupported,
    /// Not read for lack of budget or time.
    Skipped,
}

/// A pin of apt_preferences(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pin {
    /// The file.
    pub file: String,
    /// Line of the stanza, from 1.
    pub line: u64,
    /// Which packages: names, patterns, `*` for all.
    pub packages: String,
    /// To what, for instance `release a=stable`, `version 5.*` or `origin "deb.example.org"`.
    pub pin: String,
    /// Priority.
    pub priority: i64,
}

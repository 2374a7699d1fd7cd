//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Software that no package manager of the distribution brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OtherSoftware {
    /// Snaps; `absent` if snapd was never there.
    pub snaps: Known<SoftwareList<Snap>>,
    /// Flatpak's installation for all users; `absent` if there is none.
    pub flatpak: Known<Flatpak>,
    /// Distributions of Python packages below `/usr/local`; `absent` if it has no folder for them.
    pub python: Known<SoftwareList<PythonDistribution>>,
    /// Modules in npm's folders for all users, a distribution's own in `/usr/lib` among them; `absent` if there is none.
    pub npm: Known<SoftwareList<NpmModule>>,
    /// Gems that Ruby's `gem` installed for all users; `absent` if it has no folder for them.
    pub gems: Known<SoftwareList<Gem>>,
}

/// Software of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SoftwareList<T> {
    /// At most 5,000, sorted.
    pub entries: Vec<T>,
    /// How many there are beyond those.
    pub more: u64,
}

/// A snap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Snap {
    /// Its name, with the key of the instance if it is installed more than once.
    pub name: String,
    /// What it is, for instance `app`, `base`, `kernel`, `snapd`.
    pub kind: String,
    /// Its revision: a number, or `x` and a number for one that was installed from a file.
    pub revision: String,
    /// The channel that it follows, for instance `latest/stable`; empty for one that follows none.
    pub channel: String,
    /// Whether it is in use.
    pub active: bool,
    /// How it is confined, as it was installed.
    pub confinement: Confinement,
    /// Whether the store vouches for it (it has an id of the store).
    pub from_store: bool,
}

/// How a snap is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// It is not: it has what its user has.
    Classic,
    /// What it may not do is only noted.
    Devmode,
    /// It has what its interfaces give.
    Strict,
}

/// Flatpak's installation for all users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flatpak {
    /// Applications and runtimes.
    pub software: SoftwareList<FlatpakSoftware>,
    /// From where it takes software, sorted by name; `absent` if it has no configuration yet.
    pub remotes: Known<Vec<FlatpakRemote>>,
}

/// An application or runtime of flatpak.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FlatpakSoftware {
    /// Its id.
    pub id: String,
    /// `app` or `runtime`.
    pub kind: String,
    /// Its architecture.
    pub architecture: String,
    /// Its branch.
    pub branch: String,
    /// The beginning of its commit, twelve characters.
    pub commit: String,
    /// The remote that it came from.
    pub origin: String,
}

/// A remote of flatpak.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FlatpakRemote {
    /// Its name.
    pub name: String,
    /// Its URL, without credentials; empty if it has none.
    pub url: String,
    /// Whether signatures of software are verified.
    pub gpg_verify: bool,
    /// Whether signatures of the list of software are verified.
    pub gpg_verify_summary: bool,
    /// Whether it is switched off.
    pub disabled: bool,
}

/// A distribution of Python packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PythonDistribution {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The folder that it is in.
    pub folder: String,
    /// What installed it, as it says, for instance `pip`, `uv`; empty if it says nothing.
    pub installer: String,
    /// Whether it came from a URL, a file or a repository of sources that was named, and not from an index.
    pub direct: bool,
}

/// A module of npm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct NpmModule {
    /// Its name, with its scope.
    pub name: String,
    /// Its version; empty if it says none.
    pub version: String,
    /// Whether it is a link to a folder elsewhere (`npm link`).
    pub linked: bool,
    /// In which folder.
    pub folder: String,
}

/// A gem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Gem {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `ruby`, or the platform that it was built for.
    pub platform: String,
    /// The folder that it is in.
    pub folder: String,
}

//! What the probe tells.

use evidence::Digest;
use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// How polkit decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Polkit {
    /// Whether `polkitd` is installed. If not, nothing of this has an effect.
    pub installed: bool,
    /// `polkit.service`; `absent` if there is no such unit or no systemd.
    pub service: Known<UnitState>,
    /// Rules files, in the order in which polkit asks them, at most 500: the first that decides counts.
    pub rules: Known<Vec<RulesFile>>,
    /// Entries of older authority files (`.pkla`), at most 1,000.
    pub authority: Known<Vec<AuthorityEntry>>,
    /// Actions that need no password by default for some session, sorted by id; at most 5,000.
    pub actions: Known<Vec<Action>>,
    /// Files of actions that could not be understood, sorted.
    pub malformed_actions: Vec<String>,
}

/// A rules file, searched for words without comments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct RulesFile {
    /// Its path.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Whether it has rules about actions (`polkit.addRule`).
    pub adds_rule: bool,
    /// Whether it says who is an administrator (`polkit.addAdminRule`).
    pub adds_admin_rule: bool,
    /// Whether it can answer that an action is allowed at once (`polkit.Result.YES`).
    pub can_allow: bool,
    /// Whether it runs programs (`polkit.spawn`).
    pub spawns: bool,
    /// Groups of administrators that it names, sorted: `admin`, `root`, `sudo`, `wheel`.
    pub admin_groups: Vec<String>,
}

/// An entry of an authority file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuthorityEntry {
    /// The file.
    pub path: String,
    /// Actions for which it is, as written, with wildcards.
    pub actions: Vec<String>,
    /// Number of users for whom it is.
    pub users: u32,
    /// Number of groups for whose members it is.
    pub groups: u32,
    /// Whether it is for everybody (`unix-user:*` and the like).
    pub everybody: bool,
    /// `ResultAny`: the answer for any session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_any: Option<String>,
    /// `ResultInactive`: for a session at the console that is in the background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_inactive: Option<String>,
    /// `ResultActive`: for the session in use at the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_active: Option<String>,
}

/// An action and what is allowed by default: `yes`, `no`, `auth_self`, `auth_admin`, `auth_self_keep` or `auth_admin_keep`.
/// What is not written is `no`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Action {
    /// Its id, for instance `org.freedesktop.udisks2.filesystem-mount`.
    pub id: String,
    /// For any session, also over the network.
    pub allow_any: String,
    /// For a session at the console that is in the background.
    pub allow_inactive: String,
    /// For the session in use at the console.
    pub allow_active: String,
    /// The file.
    pub path: String,
}

//! What the probe tells about sudo.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Who may run what as whom by sudo (sudoers(5)), in so far as the files under `/etc` decide it. If one of the files
/// cannot be read, or an entry in one cannot be understood, this as a whole is not known, for it might be any right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sudo {
    /// Whether `sudo` is installed (`/usr/bin/sudo` or `/usr/local/bin/sudo`). If not, no sudoers file is read and the
    /// lists are empty.
    pub installed: bool,
    /// Accounts with any right, sorted by uid: what the grants come to, the last match deciding as in sudo.
    pub users: Vec<SudoUser>,
    /// The rights as they are written, in the order in which sudo reads them: one for each command of a specification.
    pub grants: Vec<Grant>,
    /// `Defaults`, one entry for each setting, in order.
    pub defaults: Vec<DefaultsEntry>,
    /// Files that were read, the main one first.
    pub files: Vec<SudoersFile>,
    /// Users, groups and netgroups in grants of which these files do not tell who they are, while another source may.
    /// A rule about all accounts must not be met while there are any.
    pub unresolved_subjects: u32,
    /// Whether sudo's rights come from these files alone: false if `/etc/nsswitch.conf` names another source for
    /// `sudoers`, or `/etc/sudo.conf` another policy. A rule about all rights must not be met if it is false.
    pub files_decide: Known<bool>,
}

/// What the grants come to for one account of `/etc/passwd`. A grant is taken to hold where it is not known whether it
/// is meant for this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct SudoUser {
    /// The account.
    pub uid: u32,
    /// Whether it may run any command as root. A list with exceptions (`ALL, !/bin/su`) counts as any: sudoers(5)
    /// explains why exceptions do not hold.
    pub all_commands: bool,
    /// Whether any command may be run without a password, as whomever.
    pub nopasswd: bool,
    /// Whether any command as root may be run without a password: both at once.
    pub all_commands_nopasswd: bool,
    /// Whether a grant is taken to hold of which it is not known whether it is meant for this host.
    pub uncertain: bool,
    /// Positions in `grants`, from 0, that give it rights: those that a later `ALL` or `!ALL` hides are left out.
    pub grants: Vec<u32>,
}

/// One right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Grant {
    /// The file; the folder and `*` for one in a folder.
    pub path: String,
    /// Number of the line on which the specification begins.
    pub line: u32,
    /// To whom.
    pub subjects: Subjects,
    /// Whether it applies on this host.
    pub this_host: Applies,
    /// Whether it lets a command be run as root.
    pub as_root: bool,
    /// Whether it lets a command be run as any user.
    pub as_anyone: bool,
    /// What it is about.
    pub command: CommandKind,
    /// Whether the command is excluded (`!`) instead of granted.
    pub negated: bool,
    /// Whether it needs no password: its own tag (`NOPASSWD`, `PASSWD`) or else `Defaults !authenticate` for everybody.
    pub nopasswd: bool,
    /// Whether the command is kept from running others (`NOEXEC`).
    pub noexec: bool,
    /// Whether the user may keep his environment (`SETENV`; `ALL` implies it).
    pub setenv: bool,
    /// Whether the command is bound to its SHA-2 digest.
    pub digest: bool,
}

/// To whom a right is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Subjects {
    /// Whether it is given to everybody (`ALL`).
    pub everyone: bool,
    /// Accounts to which it is given, by whatever way (name, uid, group, alias), sorted; empty if it is `everyone`.
    pub uids: Vec<u32>,
    /// Groups by which it is given, sorted.
    pub gids: Vec<u32>,
    /// Users, groups and netgroups of which the files do not tell who they are, while another source may.
    pub unresolved: u32,
}

/// Whether something applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It depends on what the files do not tell: netgroups, or the host's name could not be read.
    Unknown,
}

/// What a right is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// Any command (`ALL`).
    All,
    /// A command, with or without arguments, wildcards or a regular expression.
    Command,
    /// Every command in a folder.
    Folder,
    /// Editing files (`sudoedit`).
    Sudoedit,
    /// `list`: showing the rights of others.
    List,
    /// An alias that is not defined; sudo never matches it.
    UndefinedAlias,
}

/// A `Defaults` setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DefaultsEntry {
    /// The file; the folder and `*` for one in a folder.
    pub path: String,
    /// Number of the line on which it begins.
    pub line: u32,
    /// Its name, for instance `authenticate`, `timestamp_timeout`, `targetpw`, `use_pty`, `env_reset`, `logfile`.
    pub setting: String,
    /// Its value: `true` or `false` for a flag, else as written; empty for settings whose value may name people
    /// (`exempt_group`, `runas_default`, `mailto` and the like).
    pub value: String,
    /// How the value is set: `=`, `+=`, `-=`.
    pub operator: String,
    /// To what it is bound.
    pub scope: Scope,
}

/// To what a `Defaults` setting is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Nothing: it holds everywhere.
    Everything,
    /// Some users (`Defaults:`).
    Users,
    /// Some hosts (`Defaults@`).
    Hosts,
    /// Some target users (`Defaults>`).
    Runas,
    /// Some commands (`Defaults!`).
    Commands,
}

/// A sudoers file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SudoersFile {
    /// Path; the folder and `*` for one in a folder.
    pub path: String,
    /// Permission bits in octal, for instance `0440`.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

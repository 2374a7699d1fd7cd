//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Who may run what as whom by sudo (sudoers(5)), in so far as the files under `/etc` decide it, and by doas. If one of
/// sudo's files cannot be read, or an entry in one cannot be understood, all of this is not known, for it might be any
/// right. Accounts and groups appear as numbers; their names are in the facts of `accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sudo {
    /// Whether any sudo is installed. If not, no sudoers file is read and the lists are empty.
    pub installed: bool,
    /// Which: sudo-rs knows a part of sudoers(5) and leaves settings that it does not know without effect.
    pub implementations: Vec<Implementation>,
    /// Accounts with any right, sorted by uid: what the grants come to, the last match deciding as in sudo.
    pub users: Vec<SudoUser>,
    /// The rights as they are written, in the order in which sudo reads them: one for each command of a specification.
    pub grants: Vec<Grant>,
    /// `Defaults`, one entry for each setting, in order.
    pub defaults: Vec<DefaultsEntry>,
    /// What they come to where nothing is bound to users, target users or commands.
    pub settings: Settings,
    /// Files that were read, the main one first.
    pub files: Vec<SudoersFile>,
    /// Users, groups and netgroups in grants of which these files do not tell who they are, while another source may.
    /// A rule about all accounts must not be met while there are any.
    pub unresolved_subjects: u32,
    /// Whether sudo's rights come from these files alone: false if `/etc/nsswitch.conf` names another source for
    /// `sudoers`, `/etc/sudo.conf` another policy, or beside sudo there is sudo-rs with rules of its own. A rule about all rights must not be met if it is false.
    pub files_decide: Known<bool>,
    /// The rules of doas. `absent` if doas is not installed.
    pub doas: Known<Doas>,
}

/// A program that goes by sudoers(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Implementation {
    /// The usual one (sudo(8)).
    Sudo,
    /// sudo-rs, under its own name or in the place of sudo: goes by `/etc/sudoers-rs` if that is there.
    SudoRs,
}

/// What `Defaults` come to on this host for a user, target user and command to which none is bound. A setting that is not
/// there is set by no file: what is built into sudo holds, which differs between versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Settings {
    /// Whether users prove who they are (`authenticate`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticate: Option<bool>,
    /// Whether commands run with an environment of their own (`env_reset`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_reset: Option<bool>,
    /// Variables that `env_keep` adds to those kept, sorted.
    pub env_keep: Vec<String>,
    /// Whether `env_keep` replaces or clears the built-in list.
    pub env_keep_replaced: bool,
    /// Whether a group is exempt from passwords and from `secure_path` (`exempt_group`).
    pub exempt_group: bool,
    /// Whether `.` in `PATH` is left out (`ignore_dot`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_dot: Option<bool>,
    /// Whether allowed commands are logged (`log_allowed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_allowed: Option<bool>,
    /// Whether refused commands are logged (`log_denied`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_denied: Option<bool>,
    /// Whether everything typed is recorded (`log_input`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_input: Option<bool>,
    /// Whether everything shown is recorded (`log_output`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_output: Option<bool>,
    /// sudo's own log file (`logfile`); not there if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logfile: Option<String>,
    /// Whether commands are kept from running others (`noexec`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noexec: Option<bool>,
    /// Seconds for which a password is waited for (`passwd_timeout`); 0 is no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passwd_timeout_seconds: Option<i64>,
    /// Passwords that may be tried (`passwd_tries`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passwd_tries: Option<u32>,
    /// Whether asterisks are shown while a password is typed (`pwfeedback`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pwfeedback: Option<bool>,
    /// Whether sudo runs on a terminal only (`requiretty`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requiretty: Option<bool>,
    /// Whether root may run sudo (`root_sudo`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_sudo: Option<bool>,
    /// Whether root's password is asked for (`rootpw`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rootpw: Option<bool>,
    /// Whether the password of `runas_default` is asked for (`runaspw`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runaspw: Option<bool>,
    /// Folders of `PATH` for commands (`secure_path`), in order; empty if a file switches it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_path: Option<Vec<String>>,
    /// Whether users may keep their whole environment (`setenv`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setenv: Option<bool>,
    /// Facility of syslog as written, `on` for the built-in one, or `off` (`syslog`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syslog: Option<String>,
    /// Whether the target user's password is asked for (`targetpw`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targetpw: Option<bool>,
    /// Seconds for which a password is remembered (`timestamp_timeout`); 0 is not at all, -1 until the next boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_timeout_seconds: Option<i64>,
    /// For what a password is remembered (`timestamp_type`): `tty`, `ppid`, `kernel` or, for all sessions of the user,
    /// `global`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_type: Option<String>,
    /// Umask of commands in octal (`umask`), `0777` for the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<String>,
    /// Whether commands run in a terminal of their own (`use_pty`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_pty: Option<bool>,
    /// Whether a password is asked for where it would be visible (`visiblepw`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visiblepw: Option<bool>,
    /// Settings that differ for some users, target users, commands, or hosts of which it is not known whether this is one,
    /// sorted: for those, what stands above need not hold.
    pub scoped: Vec<String>,
}

/// The rules of doas (doas.conf(5)): the last that matches decides, and without one nothing is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Doas {
    /// The rules in order; none if there is no `/etc/doas.conf`.
    pub rules: Vec<DoasRule>,
    /// Accounts that may run a command that no rule names, as root, sorted by uid.
    pub users: Vec<DoasUser>,
    /// Rules for a user or group that the files do not tell of. Where other sources may, a rule about all accounts must not
    /// be met while there are any.
    pub unresolved_subjects: u32,
}

/// A rule of doas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct DoasRule {
    /// Number of the line on which it begins.
    pub line: u32,
    /// Whether it allows (`permit`) or refuses (`deny`).
    pub permit: bool,
    /// The account for which it is; not there for a group, or one that the files do not tell of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The group for whose members it is; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Whether it lets a command be run as root.
    pub as_root: bool,
    /// Whether it is about any command, or one.
    pub any_command: bool,
    /// Whether no password is asked for (`nopass`).
    pub nopass: bool,
    /// Whether a password is remembered for some minutes (`persist`).
    pub persist: bool,
    /// Whether the environment is kept (`keepenv`).
    pub keepenv: bool,
    /// Whether nothing is logged (`nolog`).
    pub nolog: bool,
}

/// What doas lets an account do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DoasUser {
    /// The account.
    pub uid: u32,
    /// Whether no password is asked for.
    pub nopass: bool,
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

/// What may name people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SudoNames {
    /// The specifications behind `grants` in the facts, in the same order.
    pub sudo_grants: Vec<GrantText>,
    /// Paths of the sudoers files, in the order of `files` in the facts.
    pub sudoers_files: Vec<String>,
}

/// A sudo specification in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantText {
    /// The file.
    pub path: String,
    /// Number of the line on which the specification begins.
    pub line: u32,
    /// To whom, where, as whom and what, in the words of sudoers(5): `users hosts = (runas) TAG: command`.
    pub text: String,
}

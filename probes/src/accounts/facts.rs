//! What the probe tells.

use std::collections::BTreeMap;

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// The accounts and groups in the files under `/etc`. People and groups appear as numbers; their names are in the other
/// document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Accounts {
    /// Accounts in `/etc/passwd`, sorted by uid and line.
    pub users: Vec<User>,
    /// Groups in `/etc/group`, sorted by gid and line.
    pub groups: Known<Vec<Group>>,
    /// Uids that more than one line of `/etc/passwd` has, sorted.
    pub duplicate_uids: Vec<u32>,
    /// Gids that more than one line of `/etc/group` has, sorted.
    pub duplicate_gids: Vec<u32>,
    /// Uids of lines whose user name an earlier line has too, sorted: the system uses the first.
    pub duplicate_user_names: Vec<u32>,
    /// Gids of lines whose group name an earlier line has too, sorted.
    pub duplicate_group_names: Vec<u32>,
    /// Lines of the four files that could not be understood, at most 100 of them. A rule over all accounts must not be
    /// met while there are any.
    pub unparsed: Vec<Unparsed>,
    /// Lines of `/etc/shadow` whose user is not in `/etc/passwd`.
    pub shadow_without_user: Known<u32>,
    /// Where else the system looks for accounts: entries of nsswitch.conf(5) other than `files` and `compat`, as
    /// `database: source`, sorted, for instance `passwd: sss`; `systemd` only if it has records of people (nss-systemd(8),
    /// systemd-homed). Empty if the files are all there is.
    pub other_sources: Known<Vec<String>>,
    /// Which uids are people's by `/etc/login.defs`.
    pub uid_ranges: Known<UidRanges>,
    /// Defaults for new passwords by `/etc/login.defs`.
    pub password_defaults: Known<PasswordDefaults>,
    /// Shells in `/etc/shells`, sorted; `absent` if there is no such file.
    pub valid_shells: Known<Vec<String>>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct User {
    /// Its uid.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// Number of its line in `/etc/passwd`, from 1: tells apart accounts that share a uid.
    pub line: u32,
    /// What it is for, as far as its uid tells.
    pub class: UserClass,
    /// Groups that list it as a member in `/etc/group`, sorted; without its primary group.
    pub groups: Vec<u32>,
    /// Its shell; `/bin/sh` if the line names none (passwd(5)). Below `/home` the rest is written `*`.
    pub shell: String,
    /// Whether the shell lets somebody work: false for `nologin`, `false`, `sync`, `shutdown`, `halt` and `true`.
    pub login_shell: bool,
    /// Whether the shell is one of `valid_shells`; not there if those are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_is_valid: Option<bool>,
    /// Its password, from `/etc/shadow` or, where there is one, from `/etc/passwd`. `malformed` if it has no line in
    /// `/etc/shadow` that could be understood while one there could not.
    pub password: Known<Password>,
    /// Whether the password stands in `/etc/passwd`, which everybody can read.
    pub password_in_passwd: bool,
    /// Its ageing; `absent` if it has no line in `/etc/shadow`.
    pub ageing: Known<Ageing>,
    /// Its home folder; `absent` if there is no such folder.
    pub home: Known<Home>,
    /// Files of note directly in its home, of accounts with a `login_shell`, sorted by name: files by which others are let in
    /// or which hold secrets, where there are any; start files and histories of shells that are not as they should be. Not
    /// there if `home` is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_files: Option<Known<Vec<HomeFile>>>,
}

/// What an account is for, by its uid and `/etc/login.defs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserClass {
    /// Uid 0.
    Superuser,
    /// A person, or a service that was given a uid of the range for people: from `UID_MIN` to `UID_MAX`.
    Regular,
    /// The rest.
    System,
    /// `/etc/login.defs` could not be read.
    Unknown,
}

/// The state of a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Password {
    /// What it lets somebody do.
    pub state: PasswordState,
    /// How it is hashed (crypt(5)), also behind a lock; `none` if there is no hash.
    pub hash: HashKind,
    /// Rounds (`sha512crypt`, `sha256crypt`, `sunmd5`) or the logarithm of their number (`bcrypt`); not there for
    /// other kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
}

/// What a password lets somebody do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordState {
    /// Log in with it.
    Set,
    /// Log in without one.
    Empty,
    /// Nothing: locked by a leading `!` (usermod -L) before a hash, which unlocking would bring back.
    Locked,
    /// Nothing: no hash that any password matches (`*`, `!`, `!!` and the like).
    None,
}

/// Kind of a password hash (crypt(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashKind {
    /// `$y$`.
    Yescrypt,
    /// `$gy$`.
    GostYescrypt,
    /// `$7$`.
    Scrypt,
    /// `$2a$`, `$2b$`, `$2x$`, `$2y$`.
    Bcrypt,
    /// `$6$`.
    Sha512crypt,
    /// `$5$`.
    Sha256crypt,
    /// `$sm3$`.
    Sm3crypt,
    /// `$sm3y$`.
    Sm3Yescrypt,
    /// `$sha1$`.
    Sha1crypt,
    /// `$md5`.
    Sunmd5,
    /// `$1$`.
    Md5crypt,
    /// `_` and 19 characters.
    Bsdicrypt,
    /// 13 characters, or the longer form for passwords of more than 8 characters.
    Descrypt,
    /// `$3$`.
    Nt,
    /// No hash.
    None,
    /// Something else that is no lock: it may be a kind that is not known here.
    Unrecognised,
}

/// How a password ages (shadow(5)). A value that is not there is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ageing {
    /// Day of the last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change: Option<Timestamp>,
    /// Whether the password must be changed at the next login (a last change on day 0).
    pub change_forced: bool,
    /// Days that must pass between changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_days: Option<u32>,
    /// Days after which it must be changed; 99999 is how tools write "never".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u32>,
    /// Days of warning before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_days: Option<u32>,
    /// Days after its expiry during which the password is still taken, to be changed at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive_days: Option<u32>,
    /// Day from which the account is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A home folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Home {
    /// Permission bits in octal, for instance `0700`.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Whether the group may write.
    pub group_writable: bool,
    /// Whether everybody may write.
    pub world_writable: bool,
    /// Whether everybody may read or search it.
    pub world_accessible: bool,
}

/// A file directly in a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own that rules ask for"
)]
pub struct HomeFile {
    /// Its name, for instance `.rhosts`.
    pub name: String,
    /// Why it is told of.
    pub why: HomeFileKind,
    /// Whether it is a regular file; a history that is none (a link to `/dev/null`) keeps nothing.
    pub regular: bool,
    /// Permission bits in octal, for instance `0600`; those of the link itself for a link.
    pub mode: String,
    /// Whether the account or root owns it.
    pub owned_by_account: bool,
    /// Whether the group or everybody may write it; of a link that is not told.
    pub writable_by_others: bool,
    /// Whether the group or everybody may read it; of a link that is not told.
    pub readable_by_others: bool,
}

/// What a file in a home is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HomeFileKind {
    /// Whom it names is let in without a password: `.rhosts`, `.shosts`, `.k5login`.
    Trust,
    /// It holds passwords for other machines: `.netrc`, `.pgpass`, `.my.cnf`.
    Secret,
    /// Mail is sent on: `.forward`.
    Forward,
    /// Shells run it at the beginning or end, and somebody else owns it or may write it.
    Start,
    /// What a shell was told, in a file that is no regular one, or that others may read or write.
    History,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Group {
    /// Its gid.
    pub gid: u32,
    /// Number of its line in `/etc/group`, from 1.
    pub line: u32,
    /// Uids of its members by `/etc/group` and by the primary groups in `/etc/passwd`, sorted.
    pub members: Vec<u32>,
    /// Members in `/etc/group` that no line of `/etc/passwd` names.
    pub unknown_members: u32,
    /// Its password, from `/etc/gshadow` or `/etc/group`: with one, everybody who knows it can join by newgrp(1).
    pub password: Known<Password>,
    /// Number of its administrators (`/etc/gshadow`).
    pub administrators: Known<u32>,
}

/// A line that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Unparsed {
    /// The file.
    pub path: String,
    /// Number of the line, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub reason: String,
}

/// Ranges of uids by `/etc/login.defs`, with login's own defaults where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UidRanges {
    /// First uid for people (`UID_MIN`, else 1000).
    pub uid_min: u32,
    /// Last uid for people (`UID_MAX`, else 60000).
    pub uid_max: u32,
}

/// Defaults for new passwords by `/etc/login.defs`. A value that is not there is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PasswordDefaults {
    /// `PASS_MIN_DAYS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_days: Option<i64>,
    /// `PASS_MAX_DAYS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_days: Option<i64>,
    /// `PASS_WARN_AGE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_days: Option<i64>,
    /// `ENCRYPT_METHOD`, upper case; PAM may use another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypt_method: Option<String>,
    /// `UMASK`, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<String>,
    /// `HOME_MODE`, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_mode: Option<String>,
}

/// The names behind the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountNames {
    /// User names by uid; several where a uid has several.
    pub users: BTreeMap<u32, Vec<String>>,
    /// Group names by gid.
    pub groups: BTreeMap<u32, Vec<String>>,
    /// Home folders by uid.
    pub homes: BTreeMap<u32, Vec<String>>,
}

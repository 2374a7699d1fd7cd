//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// How services authenticate by PAM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pam {
    /// Where the rules are.
    pub source: RuleSource,
    /// Services that matter, and the files that others include (`common-auth`, `system-auth` and the like), sorted by name,
    /// each with its rules.
    pub services: Vec<Service>,
    /// Names of the other services that have rules, sorted; at most 500.
    pub other_services: Vec<String>,
    /// Rules of access.conf(5), which pam_access reads; `absent` if there are no such files.
    pub access: Known<AccessRules>,
    /// Number of rules in time.conf(5), which pam_time reads; `absent` if there is no such file.
    pub time_rules: Known<u32>,
}

/// Where the rules of PAM are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleSource {
    /// In `/etc/pam.d` and the folders behind it.
    Folders,
    /// In `/etc/pam.conf`.
    File,
    /// Nowhere: there is no PAM.
    Absent,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Service {
    /// Its name, for instance `sshd`.
    pub name: String,
    /// The file that counts for it.
    pub path: String,
    /// Its stack, or why it is not known.
    pub stack: Known<Stack>,
}

/// The rules of a service and what they come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stack {
    /// Its rules in the order in which PAM asks them, with those of included files in place.
    pub rules: Vec<Rule>,
    /// Types without a rule or substack here: for these the rules of `other` count.
    pub left_to_other: Vec<RuleType>,
    /// What is wrong in the files. PAM lets a rule fail that it does not understand; a rule about all of a stack must not be
    /// met while there is anything.
    pub problems: Vec<Problem>,
    /// Names of all modules, sorted, without `.so`.
    pub modules: Vec<String>,
    /// Names of modules that are not in the folders for modules, sorted; PAM fails or skips their rules. `absent` if no such
    /// folder was found.
    pub missing_modules: Known<Vec<String>>,
    /// Modules that ask for something else than the password of the account, in rules of type `auth`, sorted: codes, keys,
    /// cards, fingerprints.
    pub factor_modules: Vec<String>,
    /// The rules of type `auth` of these modules, in their order: that there is such a module does not mean that somebody
    /// cannot get in without it.
    pub factors: Vec<Factor>,
    /// Modules that ask a directory, sorted: `pam_sss`, `pam_ldap`, `pam_winbind`, `pam_krb5` and the like.
    pub directory_modules: Vec<String>,
    /// Whether pam_unix accepts accounts without a password (`nullok`) in rules of type `auth`.
    pub null_passwords: bool,
    /// Lockout after failures, by module; empty if there is none.
    pub lockout: Known<Vec<Lockout>>,
    /// Rules for the quality of new passwords, by rule; empty if there are none.
    pub quality: Known<Vec<Quality>>,
    /// Memory of former passwords, by rule; empty if there is none.
    pub history: Known<Vec<History>>,
    /// How pam_unix hashes new passwords, by rule; empty if it does not.
    pub password_hash: Known<Vec<PasswordHash>>,
    /// Rules of pam_wheel.
    pub wheel: Vec<Wheel>,
    /// Delay after a failure by pam_faildelay, microseconds; not there without such an argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_delay_micros: Option<u64>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rule {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: RuleType,
    /// What follows from the module's answer: `required`, `requisite`, `sufficient`, `optional`, or
    /// `[answer=action …]` sorted by answer. Brackets that say the same as a word are written as the word.
    pub control: String,
    /// The module's name without folder and `.so`, for instance `pam_unix`.
    pub module: String,
    /// Its arguments. What may name a person or be a secret is written `*`.
    pub arguments: Vec<String>,
    /// Number of substacks in which it stands: what ends one of those does not end the whole.
    pub depth: u32,
    /// Whether a module that is not there is passed over in silence (`-` before the type).
    pub skipped_if_missing: bool,
    /// The file.
    pub path: String,
    /// Number of the line on which it begins, from 1.
    pub line: u32,
}

/// What a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleType {
    /// Proving who somebody is.
    Auth,
    /// Whether the account may be used now and here.
    Account,
    /// Changing a password.
    Password,
    /// What begins and ends with a session.
    Session,
}

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// Number of the line, from 1.
    pub line: u32,
    /// What it is.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// No type that PAM knows.
    Type,
    /// No control that PAM knows: every answer of the module counts as a failure.
    Control,
    /// Too few words.
    Incomplete,
    /// An included file that is not there.
    MissingInclude,
    /// Files that include each other without end, or more than 16 substacks deep.
    TooDeep,
    /// More than 1,000 rules or 500 included files; what comes after them is not told.
    TooMany,
}

/// Lockout after failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Lockout {
    /// `pam_faillock`, `pam_tally2` or `pam_tally`.
    pub module: String,
    /// Failures after which the account is locked; 0 is never.
    pub deny: u64,
    /// Seconds after which it is unlocked; 0 is never.
    pub unlock_seconds: u64,
    /// Seconds within which failures count together; not there for modules that count them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u64>,
    /// Whether root is locked too.
    pub even_deny_root: bool,
    /// Seconds after which root is unlocked, if root is locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_unlock_seconds: Option<u64>,
    /// Whether a rule asks before the password is (`preauth`, or any rule of type `auth` for other modules): without one a
    /// locked account can go on trying.
    pub asks_before: bool,
    /// Whether a rule counts failures (`authfail`).
    pub counts_failures: bool,
    /// Whether a rule of type `account` or `authsucc` forgets them after a success.
    pub forgets_on_success: bool,
    /// Whether it is for users in `/etc/passwd` alone.
    pub local_users_only: bool,
}

/// Rules for the quality of new passwords. A setting that is not there is not set, and the module's own default, which is
/// not known here, holds; of pam_pwquality all are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Quality {
    /// `pam_pwquality`, `pam_cracklib` or `pam_passwdqc`.
    pub module: String,
    /// Its control, as in the rule.
    pub control: String,
    /// Shortest length, in so far as credits do not change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minlen: Option<i64>,
    /// Kinds of characters that are needed: digits, upper case, lower case, others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minclass: Option<i64>,
    /// Digits: a negative number is how many are needed, a positive one how many may count as length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dcredit: Option<i64>,
    /// Upper-case letters, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ucredit: Option<i64>,
    /// Lower-case letters, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lcredit: Option<i64>,
    /// Other characters, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocredit: Option<i64>,
    /// Characters that must not be in the old password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difok: Option<i64>,
    /// Longest run of one character; 0 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maxrepeat: Option<i64>,
    /// Longest sequence such as `12345`; 0 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maxsequence: Option<i64>,
    /// Longest run of one kind; 0 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maxclassrepeat: Option<i64>,
    /// How often somebody is asked before it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<i64>,
    /// Whether a dictionary is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictcheck: Option<bool>,
    /// Whether the user's name must not be in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usercheck: Option<bool>,
    /// Whether words of the comment field must not be in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gecoscheck: Option<bool>,
    /// Whether a bad password is refused; if not, it is only complained about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcing: Option<bool>,
    /// Whether root is bound by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_for_root: Option<bool>,
    /// Whether it is for users in `/etc/passwd` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_users_only: Option<bool>,
    /// `min` of pam_passwdqc: shortest lengths by number of kinds of characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passwdqc_min: Option<String>,
}

/// Memory of former passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct History {
    /// `pam_pwhistory` or `pam_unix`.
    pub module: String,
    /// Its control, as in the rule.
    pub control: String,
    /// Former passwords that are refused.
    pub remember: u64,
    /// Whether root is bound by it.
    pub enforce_for_root: bool,
}

/// How pam_unix hashes new passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PasswordHash {
    /// `yescrypt`, `gost_yescrypt`, `blowfish`, `sha512`, `sha256`, `md5`, `bigcrypt`, or `descrypt` if nothing is chosen.
    pub method: String,
    /// Who chose it.
    pub chosen_by: HashChosenBy,
    /// Rounds or cost, if they are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u64>,
}

/// Who chose a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashChosenBy {
    /// An argument in the rule.
    Argument,
    /// `ENCRYPT_METHOD` in `/etc/login.defs`.
    LoginDefs,
    /// Nobody.
    Default,
}

/// A rule for something else than the password of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Factor {
    /// The module.
    pub module: String,
    /// Its control, as in the rule: with `sufficient` it is asked for in the place of what comes after it, not besides.
    pub control: String,
    /// Whether the module lets those pass who have not set it up (`nullok`, `nouserok`).
    pub passes_without_setup: bool,
}

/// A rule of pam_wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wheel {
    /// Type of the rule.
    #[serde(rename = "type")]
    pub kind: RuleType,
    /// Its control, as in the rule.
    pub control: String,
    /// The group; without the argument `wheel`, or the group with gid 0 if there is no `wheel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether members are let in without a password (`trust`).
    pub trust: bool,
    /// Whether members are refused instead (`deny`).
    pub deny: bool,
    /// Whether it is about becoming root alone (`root_only`).
    pub root_only: bool,
}

/// Rules of access.conf(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessRules {
    /// The files, in the order of reading.
    pub files: Vec<String>,
    /// Rules that let somebody in (`+`).
    pub allowing: u32,
    /// Rules that refuse somebody (`-`).
    pub refusing: u32,
    /// Whether the last rule refuses everybody whom no other lets in (`-:ALL:ALL`).
    pub refuses_others: bool,
    /// Lines that are no rules; pam_access complains and goes on.
    pub malformed: u32,
}

//! What the probe tells.

use evidence::Digest;
use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// What holds for logins beside PAM: defaults for accounts, limits of idle sessions, file modes, banners, screen locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoginPolicy {
    /// `/etc/login.defs`, or that of the vendor in `/usr/etc` with its drop-ins; `absent` if there is none.
    pub login_defs: Known<LoginDefs>,
    /// Defaults for new accounts (`/etc/default/useradd`); `absent` if there is no such file.
    pub useradd: Known<Useradd>,
    /// What `/etc/profile` and the like set for shells.
    pub shells: Known<Shells>,
    /// Terminals on which root may log in where pam_securetty is used, sorted; `absent` if there is no `/etc/securetty`,
    /// which means any.
    pub securetty: Known<Vec<String>>,
    /// Whether `/etc/nologin` or `/run/nologin` keeps everybody but root out.
    pub nologin: bool,
    /// `/etc/issue`, shown before a login on a terminal; likewise the others. `absent` if there is no such file.
    pub issue: Known<Banner>,
    /// `/etc/issue.net`, shown before a login over the network, if the service is told so.
    pub issue_net: Known<Banner>,
    /// `/etc/motd`, shown after a login.
    pub motd: Known<Banner>,
    /// `logind.conf` with drop-ins.
    pub logind: Known<Logind>,
    /// What somebody at the console can do.
    pub console: Known<Console>,
    /// Display managers and terminals whose configuration lets somebody in without a password, sorted; at most 100. Whether
    /// they are installed and started is not asked.
    pub automatic_logins: Known<Vec<AutomaticLogin>>,
    /// Files of display managers that let other machines log in by XDMCP, which encrypts nothing, sorted.
    pub xdmcp: Known<Vec<String>>,
    /// Limits of simultaneous logins (`maxlogins`, `maxsyslogins` of limits.conf(5)) for everybody, in the order of reading;
    /// at most 100.
    pub login_limits: Known<Vec<LoginLimit>>,
    /// What the shell of root gets by its files.
    pub root_shell: Known<RootShell>,
    /// The system's settings for GNOME's screen lock, by dconf; `absent` if no profile names a database of the system.
    pub gnome: Known<Gnome>,
    /// The system's settings for KDE's screen lock; `absent` if there is no `/etc/xdg/kscreenlockerrc`.
    pub kde: Known<Kde>,
}

/// `/etc/login.defs` (login.defs(5)). A value that is not there is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoginDefs {
    /// The files, in the order of reading.
    pub files: Vec<String>,
    /// `PASS_MAX_DAYS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_max_days: Option<i64>,
    /// `PASS_MIN_DAYS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_min_days: Option<i64>,
    /// `PASS_WARN_AGE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_warn_age: Option<i64>,
    /// `PASS_MIN_LEN`, which PAM does not ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_min_len: Option<i64>,
    /// `LOGIN_RETRIES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_retries: Option<i64>,
    /// `LOGIN_TIMEOUT`, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_timeout: Option<i64>,
    /// `FAIL_DELAY`, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_delay: Option<i64>,
    /// `UID_MIN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid_min: Option<i64>,
    /// `UID_MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid_max: Option<i64>,
    /// `SYS_UID_MIN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sys_uid_min: Option<i64>,
    /// `SYS_UID_MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sys_uid_max: Option<i64>,
    /// `SHA_CRYPT_MIN_ROUNDS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha_crypt_min_rounds: Option<i64>,
    /// `SHA_CRYPT_MAX_ROUNDS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha_crypt_max_rounds: Option<i64>,
    /// `YESCRYPT_COST_FACTOR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yescrypt_cost_factor: Option<i64>,
    /// `ENCRYPT_METHOD`, upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypt_method: Option<String>,
    /// `UMASK` in octal with four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<String>,
    /// `HOME_MODE` in octal with four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_mode: Option<String>,
    /// `USERGROUPS_ENAB`: whether a group of one's own loosens the umask for the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usergroups: Option<bool>,
    /// `LOG_OK_LOGINS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_ok_logins: Option<bool>,
    /// `FAILLOG_ENAB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faillog: Option<bool>,
    /// `SYSLOG_SU_ENAB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syslog_su: Option<bool>,
    /// `DEFAULT_HOME`: whether somebody without a home may log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_home: Option<bool>,
    /// `SU_WHEEL_ONLY`, which su without PAM asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub su_wheel_only: Option<bool>,
}

/// Defaults for new accounts. A value that is not there is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Useradd {
    /// `INACTIVE`: days after the expiry of a password until the account is closed; -1 is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive_days: Option<i64>,
    /// Whether accounts expire on a day (`EXPIRE`).
    pub expires: bool,
    /// `SHELL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
}

/// What files set for shells: `/etc/profile`, `/etc/profile.d/*.sh`, `/etc/bash.bashrc` and `/etc/bashrc`, read line by
/// line. Commands are not run: what a file works out is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shells {
    /// What is about `TMOUT`, after which an idle shell ends, in the order of files and lines; at most 100.
    pub tmout: Vec<TmoutLine>,
    /// Calls of `umask`, likewise.
    pub umask: Vec<UmaskLine>,
    /// Seconds of `TMOUT` by the last line that holds without condition; not there if none does, or if it is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmout_seconds: Option<i64>,
    /// Whether a line without condition keeps users from changing it.
    pub tmout_readonly: bool,
    /// Whether a line without condition gives it to the shells that a shell starts.
    pub tmout_exported: bool,
    /// Umask by the last call without condition, in octal with four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_umask: Option<String>,
    /// Files that were read, in order.
    pub files: Vec<String>,
}

/// A line about `TMOUT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TmoutLine {
    /// The file.
    pub path: String,
    /// Number of the line, from 1.
    pub line: u32,
    /// The value, if it sets one that is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// Whether it makes it readonly.
    pub readonly: bool,
    /// Whether it exports it.
    pub exported: bool,
    /// Whether it stands within a condition, a loop or a function, or after `&&` or `||`.
    pub conditional: bool,
}

/// A call of `umask`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UmaskLine {
    /// The file.
    pub path: String,
    /// Number of the line, from 1.
    pub line: u32,
    /// The mask in octal with four digits; not there if it is written otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// As in `tmout`.
    pub conditional: bool,
}

/// A file that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Banner {
    /// Bytes.
    pub bytes: u32,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Whether it has nothing but blanks.
    pub empty: bool,
    /// Letters after a backslash, which agetty(8) replaces, sorted: `m`, `r`, `s`, `v`, `S` and others tell of the system.
    pub escapes: Vec<String>,
    /// Whether it has the name or id of the distribution (os-release(5)) in it.
    pub names_distribution: bool,
}

/// `logind.conf` (logind.conf(5)). A value that is not there is not set: the built-in default holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Logind {
    /// `IdleAction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_action: Option<String>,
    /// `IdleActionSec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_action_seconds: Option<u64>,
    /// `StopIdleSessionSec`; 0 is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_idle_session_seconds: Option<u64>,
    /// `KillUserProcesses`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_user_processes: Option<bool>,
    /// The files, in the order of reading.
    pub files: Vec<String>,
}

/// What somebody at the console can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Console {
    /// `ctrl-alt-del.target`, which reboots unless it is masked; not there without systemd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctrl_alt_del: Option<UnitState>,
    /// `debug-shell.service`, a root shell without a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug_shell: Option<UnitState>,
    /// The shells for repairs, those that there are.
    pub rescue: Vec<RescueShell>,
    /// Programs that lock a terminal: `vlock`, `physlock`, `tmux`, `screen`, sorted.
    pub lock_programs: Vec<String>,
}

/// A login without a password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct AutomaticLogin {
    /// What lets somebody in: `gdm`, `lightdm`, `sddm`, `displaymanager` (SUSE's choice of one), `getty`.
    pub program: String,
    /// The file, or the unit of a terminal.
    pub place: String,
    /// As whom.
    pub kind: LoginKind,
}

/// As whom somebody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginKind {
    /// An account, at once.
    Account,
    /// An account, if nobody logs in for some time.
    AccountAfterDelay,
    /// A guest, at once.
    Guest,
    /// Whoever chooses to be a guest.
    GuestOffered,
}

/// A limit of simultaneous logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoginLimit {
    /// `maxlogins` (of one user) or `maxsyslogins` (of all together).
    pub item: String,
    /// `soft`, `hard` or `-` for both.
    pub kind: String,
    /// Its number; not there if it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
}

/// What the shell of root gets by its files. They are read line by line and not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RootShell {
    /// Files that were read, in order: `login.defs`, `/etc/environment`, those of `shells`, those of root's home, and those that
    /// they read as parts of themselves. Below `/home` the rest of a path is written `*`.
    pub files: Vec<String>,
    /// Folders that any assignment of `PATH` in them names, sorted; at most 100.
    pub search_path: Vec<SearchFolder>,
    /// Whether all of them are known: no assignment has parts that show only when it runs, such as another variable.
    pub search_path_complete: bool,
    /// Calls of `umask` in the files of root's home, in their order; at most 100.
    pub umask: Vec<UmaskLine>,
}

/// A folder in which a shell of root looks for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SearchFolder {
    /// As written; empty for an empty part, which is the folder at hand. A folder below `/home` is written `/home/*`.
    pub folder: String,
    /// It is none from the root: whoever fills the folder at hand chooses what root runs.
    pub relative: bool,
    /// The first place that names it, `FILE:LINE`.
    pub place: String,
    /// Owner and mode; `absent` if there is no such folder, or it is relative.
    pub access: Known<FolderAccess>,
}

/// Who may put programs into a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FolderAccess {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permissions, four octal digits.
    pub mode: String,
    /// Its group or everybody may write it.
    pub writable_by_others: bool,
}

/// A shell for repairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RescueShell {
    /// `rescue.service` or `emergency.service`.
    pub unit: String,
    /// Whether it asks for the password of root (sulogin(8)).
    pub asks_for_password: bool,
    /// Whether it opens without one while root has none or is locked (`SYSTEMD_SULOGIN_FORCE`, `sulogin --force`).
    pub opens_if_root_is_locked: bool,
}

/// GNOME's screen lock by the system's dconf databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gnome {
    /// Databases of the system in the profile `user`, in order: the first that has a key counts.
    pub databases: Vec<DconfDatabase>,
    /// `org/gnome/desktop/screensaver/lock-enabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_enabled: Option<DconfFlag>,
    /// `org/gnome/desktop/screensaver/lock-delay`, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_delay: Option<DconfNumber>,
    /// `org/gnome/desktop/screensaver/idle-activation-enabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_activation_enabled: Option<DconfFlag>,
    /// `org/gnome/desktop/session/idle-delay`, seconds; 0 is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_delay: Option<DconfNumber>,
    /// `org/gnome/desktop/lockdown/disable-lock-screen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_lock_screen: Option<DconfFlag>,
    /// `org/gnome/login-screen/banner-message-enable`, of the profile `gdm` or else `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner_message_enable: Option<DconfFlag>,
    /// `org/gnome/login-screen/banner-message-text`, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner_message_text: Option<DconfText>,
    /// `org/gnome/login-screen/disable-user-list`, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_user_list: Option<DconfFlag>,
}

/// A database of dconf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DconfDatabase {
    /// Its name.
    pub name: String,
    /// Whether it was made from its files (`dconf update`): without it they have no effect.
    pub compiled: bool,
    /// Whether a file is newer than the database: then what the files say need not hold yet.
    pub stale: bool,
}

/// A setting of dconf that is a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DconfFlag {
    /// Its value; not there if a lock leaves it at its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<bool>,
    /// Whether users cannot change it.
    pub locked: bool,
}

/// A setting of dconf that is a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DconfText {
    /// SHA-256 of its value as the file has it, with its quotes; not there if a lock leaves it at its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Whether there is nothing in it but blanks.
    pub empty: bool,
    /// Whether users cannot change it.
    pub locked: bool,
}

/// A setting of dconf that is a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DconfNumber {
    /// Its value; not there if a lock leaves it at its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// Whether users cannot change it.
    pub locked: bool,
}

/// KDE's screen lock (`[Daemon]` of `/etc/xdg/kscreenlockerrc`). A value that is not there is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Kde {
    /// `Autolock`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autolock: Option<bool>,
    /// Whether users cannot change it (`[$i]`).
    pub autolock_locked: bool,
    /// `Timeout`, minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<i64>,
    /// Whether users cannot change it.
    pub timeout_locked: bool,
    /// `LockGrace`, seconds during which no password is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<i64>,
    /// `LockOnResume`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_on_resume: Option<bool>,
}

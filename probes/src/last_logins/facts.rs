//! What the probe tells.

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// When accounts were last used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastLogins {
    /// Accounts of `/etc/passwd`, sorted by uid and line. Not observed if one of the books that are there (`lastlog`,
    /// `lastlog2`, `wtmpdb`) could not be read whole, since the newest login may be in it; `absent` if there is none, or if
    /// no login of anybody is in any, so that it does not show whether logins are recorded at all.
    pub accounts: Known<Vec<LastLogin>>,
    /// Lines of `/etc/passwd` that could not be understood: their accounts are not in the list.
    pub unparsed: u32,
    /// The older book of last logins, `/var/log/lastlog`.
    pub lastlog: Known<Record>,
    /// The newer one, the database of lastlog2.
    pub lastlog2: Known<Record>,
    /// The database of wtmpdb, which takes the place of `/var/log/wtmp` on newer distributions.
    pub wtmpdb: Known<Logins>,
    /// The record of all logins, `/var/log/wtmp`.
    pub login_record: Known<Record>,
    /// The record of logins that failed, `/var/log/btmp`.
    pub failure_record: Known<Record>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastLogin {
    /// Its uid. Accounts that share one share their record in lastlog; the other books go by name.
    pub uid: u32,
    /// Number of its line in `/etc/passwd`, from 1.
    pub line: u32,
    /// Whether its shell lets somebody work.
    pub login_shell: bool,
    /// Midnight (UTC) of the day of the last login; not there if there was none since the books began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Timestamp>,
    /// The book that has this day; of several the first of `lastlog2`, `wtmpdb`, `lastlog`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_in: Option<Book>,
}

/// Where logins are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Book {
    /// `/var/log/lastlog`: the last login of each uid.
    Lastlog,
    /// `/var/lib/lastlog/lastlog2.db`: the last login of each name.
    Lastlog2,
    /// `wtmp.db`: logins since it was last rotated.
    Wtmpdb,
}

/// Something in which logins are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Record {
    /// Nothing is recorded in it.
    pub empty: bool,
}

/// The logins in the database of wtmpdb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Logins {
    /// No login is recorded in it; starts of the machine may be.
    pub empty: bool,
    /// Midnight (UTC) of the day of its first login: earlier ones were rotated out, or never recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_day: Option<Timestamp>,
}

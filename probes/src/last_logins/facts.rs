//! What the probe tells.

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// When accounts were last used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastLogins {
    /// Accounts of `/etc/passwd`, sorted by uid and line. `absent` if there is no `/var/log/lastlog`; `unsupported` if
    /// logins are recorded by lastlog2.
    pub accounts: Known<Vec<LastLogin>>,
    /// Lines of `/etc/passwd` that could not be understood: their accounts are not in the list.
    pub unparsed: u32,
    /// The record of all logins, `/var/log/wtmp`.
    pub login_record: Known<Record>,
    /// The record of logins that failed, `/var/log/btmp`.
    pub failure_record: Known<Record>,
    /// The database of wtmpdb, which takes the place of `/var/log/wtmp` on newer distributions.
    pub wtmpdb: Known<Record>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastLogin {
    /// Its uid. Accounts that share one share their record.
    pub uid: u32,
    /// Number of its line in `/etc/passwd`, from 1.
    pub line: u32,
    /// Whether its shell lets somebody work.
    pub login_shell: bool,
    /// Midnight (UTC) of the day of the last login; not there if there was none since the record began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Timestamp>,
}

/// A file in which something is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Record {
    /// Nothing is recorded in it.
    pub empty: bool,
}

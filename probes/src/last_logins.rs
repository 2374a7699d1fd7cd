//! # What
//! On which day each local account last logged in, and whether logins are recorded at all.
//!
//! # Source
//! `/var/log/lastlog` (lastlog(8), `struct lastlog` in `bits/utmp.h`), wtmp(5); passwd(5).
//!
//! # Privilege
//! None on most hosts; `CAP_DAC_READ_SEARCH` where logs are closed.
//!
//! # Bears on
//! A.5.16 (identity management), A.5.18 (access rights), A.8.15 (logging).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
pub mod lastlog;

pub use facts::*;

use evidence::facts::Outcome;

use crate::accounts::passwd;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

const PASSWD: &str = "/etc/passwd";
const LASTLOG: &str = "/var/log/lastlog";
const LASTLOG2: &str = "/var/lib/lastlog/lastlog2.db";
const WTMPDB: [&str; 2] = ["/var/lib/wtmpdb/wtmp.db", "/var/log/wtmp.db"];

/// The probe.
pub struct LastLoginsProbe;

impl Probe for LastLoginsProbe {
    const SPEC: Spec = Spec {
        id: "last-logins",
        version: 1,
        title: "The day on which each local account last logged in",
        reads: &[
            "/etc/passwd",
            "/var/log/lastlog",
            "size of /var/log/wtmp and /var/log/btmp",
            "whether /var/lib/lastlog/lastlog2.db and wtmpdb's database are there",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/passwd"],
        budget: Budget {
            millis: 1_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "The time of day, and logins before the last one.",
            "Logins that do not write the record: a program decides by itself (or by PAM) whether it does. Not sudo, su and \
             cron, as a rule; on some desktops not the greeter.",
            "Accounts of directories.",
            "That somebody with root's rights has not changed or emptied the record.",
            "Times from lastlog2, which replaces the record on newer distributions.",
        ],
    };

    type Facts = LastLogins;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<LastLogins, NoNames>, ProbeError> {
        let bytes = reading
            .private(PASSWD, PASSWD)?
            .ok_or_else(|| ProbeError::absent(PASSWD))?;
        let users = passwd::parse(&bytes).map_err(|error| ProbeError {
            outcome: Outcome::Failed,
            detail: format!("{PASSWD}: {error}"),
        })?;
        Ok(Collected::facts(LastLogins {
            accounts: accounts(reading, &users.entries),
            unparsed: u32::try_from(users.bad.len()).unwrap_or(u32::MAX),
            login_record: record(reading, "/var/log/wtmp"),
            failure_record: record(reading, "/var/log/btmp"),
            wtmpdb: WTMPDB
                .iter()
                .map(|path| record(reading, path))
                .find(|record| !is_absent(record))
                .unwrap_or_else(|| absent(format!("neither {} nor {} is there", WTMPDB[0], WTMPDB[1]))),
        }))
    }
}

fn absent<T>(detail: String) -> Known<T> {
    let outcome = Outcome::Absent;
    Known::Not(NotKnown { outcome, detail })
}

fn is_absent<T>(known: &Known<T>) -> bool {
    matches!(known, Known::Not(why) if why.outcome == Outcome::Absent)
}

fn record(reading: &Reading<'_>, path: &str) -> Known<Record> {
    match reading.stat(path) {
        Ok(Some(stat)) => Known::Observed(Record { empty: stat.size == 0 }),
        Ok(None) => absent(format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn accounts(reading: &Reading<'_>, users: &[passwd::Entry]) -> Known<Vec<LastLogin>> {
    // Where the newer record is, the older one is what an upgrade left.
    match reading.stat(LASTLOG2) {
        Ok(None) => {}
        Ok(Some(_)) => {
            return Known::Not(NotKnown {
                outcome: Outcome::Unsupported,
                detail: format!("logins are recorded in {LASTLOG2}, which is not read"),
            });
        }
        Err(unread) => return Known::unread(&unread),
    }
    match times(reading, users) {
        Ok(Some(times)) => {
            let mut accounts: Vec<_> = users
                .iter()
                .map(|user| LastLogin {
                    uid: user.uid,
                    line: user.line,
                    login_shell: user.has_login_shell(),
                    last_day: times.of(user.uid),
                })
                .collect();
            accounts.sort_by_key(|account| (account.uid, account.line));
            Known::Observed(accounts)
        }
        Ok(None) => absent(format!("{LASTLOG} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn times(reading: &Reading<'_>, users: &[passwd::Entry]) -> Result<Option<lastlog::Days>, Unread> {
    let mut days = lastlog::Days::default();
    for part in lastlog::parts(users.iter().map(|user| user.uid)) {
        let Some(bytes) = reading.bytes_at(LASTLOG, part.offset(), part.length())? else {
            return Ok(None);
        };
        days.add(&part, &bytes);
    }
    Ok(Some(days))
}

#[cfg(test)]
mod tests;

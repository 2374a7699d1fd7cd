//! # What
//! On which day each local account last logged in, and whether logins are recorded at all.
//!
//! # Source
//! `/var/log/lastlog` (lastlog(8), `struct lastlog` in `bits/utmp.h`), lastlog2(8), wtmpdb(8), wtmp(5); passwd(5). The
//! databases of the newer two are read as files, with the log that SQLite may have left beside them.
//!
//! # Privilege
//! None on most hosts; `CAP_DAC_READ_SEARCH` where logs are closed.
//!
//! # Bears on
//! A.5.16 (identity management), A.5.18 (access rights), A.8.15 (logging).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod database;
mod facts;
pub mod lastlog;

pub use facts::*;

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use self::database::Told;
use crate::accounts::passwd;
use crate::formats::sqlite;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

const PASSWD: &str = "/etc/passwd";
const LASTLOG: &str = "/var/log/lastlog";
const LASTLOG2: &str = "/var/lib/lastlog/lastlog2.db";
/// Of wtmpdb itself, and of Debian, where the first is a link to the second.
const WTMPDB: [&str; 2] = ["/var/lib/wtmpdb/wtmp.db", "/var/log/wtmp.db"];

/// The probe.
pub struct LastLoginsProbe;

impl Probe for LastLoginsProbe {
    const SPEC: Spec = Spec {
        id: "last-logins",
        version: 2,
        title: "The day on which each local account last logged in",
        reads: &[
            "/etc/passwd",
            "/var/log/lastlog",
            "/var/lib/lastlog/lastlog2.db, with -wal and -journal beside it",
            "/var/lib/wtmpdb/wtmp.db and /var/log/wtmp.db, with -wal and -journal beside them",
            "size of /var/log/wtmp and /var/log/btmp",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/passwd"],
        budget: Budget {
            millis: 5_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "The time of day, and logins before the last one.",
            "Logins that do not write the record: a program decides by itself (or by PAM) whether it does. Not sudo, su and \
             cron, as a rule; on some desktops not the greeter. An upgrade can leave a record that nothing writes any more.",
            "Accounts of directories.",
            "That somebody with root's rights has not changed or emptied the record.",
            "Logins that were rotated out of wtmpdb's database (`wtmp_DATE.db` and the like), and those in `/var/log/wtmp`.",
            "That somebody other than the account's present owner logged in: lastlog goes by uid, the databases by name, \
             and both can be given to somebody else.",
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
        let books = Books::read(reading, &users.entries);
        Ok(Collected::facts(LastLogins {
            accounts: books.accounts(&users.entries),
            unparsed: u32::try_from(users.bad.len()).unwrap_or(u32::MAX),
            lastlog: books.lastlog.map(|lastlog| Record { empty: lastlog.empty }),
            lastlog2: books.lastlog2.map(|told| Record {
                empty: told.first_day.is_none(),
            }),
            wtmpdb: books.wtmpdb.map(|told| Logins {
                empty: told.first_day.is_none(),
                first_day: told.first_day,
            }),
            login_record: record(reading, "/var/log/wtmp"),
            failure_record: record(reading, "/var/log/btmp"),
        }))
    }
}

fn record(reading: &Reading<'_>, path: &str) -> Known<Record> {
    let stat = reading.stat(path);
    Known::of(stat.map(|stat| stat.map(|stat| Record { empty: stat.size == 0 })), path)
}

/// What `/var/log/lastlog` tells.
#[derive(Default)]
struct Lastlog {
    days: lastlog::Days,
    /// Nobody ever wrote to it.
    empty: bool,
}

/// What is recorded of logins.
struct Books {
    lastlog: Known<Lastlog>,
    lastlog2: Known<Told>,
    wtmpdb: Known<Told>,
}

impl Books {
    fn read(reading: &Reading<'_>, users: &[passwd::Entry]) -> Self {
        let names: BTreeSet<&str> = users.iter().map(|user| user.name.as_str()).collect();
        Self {
            lastlog: Known::of(lastlog(reading, users), LASTLOG),
            lastlog2: database::read(reading, LASTLOG2, &database::LASTLOG2, &names),
            wtmpdb: wtmpdb(reading, &names),
        }
    }

    fn accounts(&self, users: &[passwd::Entry]) -> Known<Vec<LastLogin>> {
        let whys = [self.lastlog2.why(), self.wtmpdb.why(), self.lastlog.why()];
        let whys: Vec<_> = whys.into_iter().flatten().collect();
        if let Some(why) = whys.iter().find(|why| why.outcome != Outcome::Absent) {
            return Known::Not((*why).clone());
        }
        let databases = [&self.lastlog2, &self.wtmpdb].map(Known::value);
        let lastlog = self.lastlog.value();
        if lastlog.is_none_or(|lastlog| lastlog.empty)
            && databases.into_iter().flatten().all(|told| told.first_day.is_none())
        {
            return Known::absent(if whys.len() == 3 {
                format!("neither {LASTLOG} nor a database of lastlog2 or wtmpdb is there")
            } else {
                "no login of anybody is recorded: whether logins are recorded does not show".to_owned()
            });
        }
        let [lastlog2, wtmpdb] = databases;
        let mut accounts: Vec<_> = users
            .iter()
            .map(|user| {
                let told = |told: Option<&Told>| told.and_then(|told| told.days.get(&user.name).copied());
                let found = [
                    (Book::Lastlog2, told(lastlog2)),
                    (Book::Wtmpdb, told(wtmpdb)),
                    (Book::Lastlog, lastlog.and_then(|lastlog| lastlog.days.of(user.uid))),
                ];
                let found = found.into_iter().filter_map(|(book, day)| Some((book, day?)));
                // Of equal days the last one is taken, so the first book has to come last.
                let newest = found.rev().max_by_key(|(_, day)| *day);
                LastLogin {
                    uid: user.uid,
                    line: user.line,
                    login_shell: user.has_login_shell(),
                    last_day: newest.map(|(_, day)| day),
                    recorded_in: newest.map(|(book, _)| book),
                }
            })
            .collect();
        accounts.order_by_key(|account| (account.uid, account.line));
        Known::Observed(accounts)
    }
}

fn lastlog(reading: &Reading<'_>, users: &[passwd::Entry]) -> Result<Option<Lastlog>, Unread> {
    let Some(stat) = reading.stat(LASTLOG)? else {
        return Ok(None);
    };
    let mut lastlog = Lastlog {
        empty: stat.size == 0,
        ..Lastlog::default()
    };
    for part in lastlog::parts(users.iter().map(|user| user.uid)) {
        let Some(bytes) = reading.bytes_at(LASTLOG, part.offset(), part.length())? else {
            return Ok(None);
        };
        lastlog.days.add(&part, &bytes);
    }
    Ok(Some(lastlog))
}

/// Both places, of which the newer may be what a change of the distribution left.
fn wtmpdb(reading: &Reading<'_>, names: &BTreeSet<&str>) -> Known<Told> {
    let mut paths = vec![];
    for path in WTMPDB {
        match sqlite::resolved(reading, path) {
            Ok(path) if paths.contains(&path) => {}
            Ok(path) => paths.push(path),
            Err(unread) => return Known::unread(&unread),
        }
    }
    let mut told: Option<Told> = None;
    for path in paths {
        match database::read(reading, &path, &database::WTMPDB, names) {
            Known::Observed(other) => told = Some(told.unwrap_or_default().with(other)),
            Known::Not(why) if why.outcome == Outcome::Absent => {}
            Known::Not(why) => return Known::Not(why),
        }
    }
    told.map_or_else(
        || Known::absent(format!("neither {} nor {} is there", WTMPDB[0], WTMPDB[1])),
        Known::Observed,
    )
}

#[cfg(test)]
mod tests;

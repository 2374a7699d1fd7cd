//! The databases of lastlog2 and wtmpdb.
//!
//! Source: lastlog2(8), `liblastlog2/src/lastlog2.c` of util-linux; wtmpdb(8), `lib/sqlite.c` and `include/wtmpdb.h` of wtmpdb.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Timestamp;
use evidence::facts::Outcome;

use crate::accounts::records::printable;
use crate::formats::sqlite::{Database, Record, SqliteError, Table, Value};
use crate::probe::{Known, NotKnown};
use crate::reading::Reading;

const DAY: i64 = 24 * 60 * 60;
/// How often a database is read if it changes meanwhile.
const ATTEMPTS: u8 = 2;

/// How a program keeps logins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    table: &'static str,
    /// Column of the user's name.
    name: &'static str,
    /// Column of the time.
    time: &'static str,
    /// In how many parts of a second the time is.
    per_second: i64,
    /// Column that tells logins from other entries, and its value for them.
    kind: Option<(&'static str, i64)>,
}

/// A row for each user, replaced at the next login.
pub(super) const LASTLOG2: Form = Form {
    table: "Lastlog2",
    name: "Name",
    time: "Time",
    per_second: 1,
    kind: None,
};

/// A row for each login (`USER_PROCESS`) and for starts of the machine.
pub(super) const WTMPDB: Form = Form {
    table: "wtmp",
    name: "User",
    time: "Login",
    per_second: 1_000_000,
    kind: Some(("Type", 3)),
};

/// What a database tells, of the names that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// Days of last logins by name.
    pub(super) days: BTreeMap<String, Timestamp>,
    /// Day of the first login of anybody; `None`: no login is in it.
    pub(super) first_day: Option<Timestamp>,
}

impl Told {
    fn take(&mut self, login: &Login<'_>, names: &BTreeSet<&str>) {
        let day = Timestamp::EPOCH.plus(login.seconds - login.seconds % DAY);
        self.first_day = Some(self.first_day.map_or(day, |first| first.min(day)));
        let name = printable(login.name);
        if names.contains(name.as_str()) {
            let kept = self.days.entry(name).or_insert(day);
            *kept = day.max(*kept);
        }
    }

    /// Two databases as one.
    pub(super) fn with(mut self, other: Self) -> Self {
        for (name, day) in other.days {
            let kept = self.days.entry(name).or_insert(day);
            *kept = day.max(*kept);
        }
        self.first_day = self.first_day.into_iter().chain(other.first_day).min();
        self
    }
}

/// Reads a database whole; anything in it that is not understood may be the login that was asked for.
pub(super) fn read(reading: &Reading<'_>, path: &str, form: &Form, names: &BTreeSet<&str>) -> Known<Told> {
    let mut attempt = 1;
    loop {
        match attempt_at(reading, path, form, names) {
            Err(Trouble::Changing) if attempt < ATTEMPTS => attempt += 1,
            Ok(Some(told)) => return Known::Observed(told),
            Ok(None) => return Known::absent(format!("{path} is not there")),
            Err(trouble) => return Known::Not(trouble.told(path)),
        }
    }
}

/// Why a database is not known.
enum Trouble {
    Sqlite(SqliteError),
    /// Somebody writes to it, or broke off.
    Changing,
    /// Another version made it.
    Schema(String),
    Row(String),
}

impl From<SqliteError> for Trouble {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error)
    }
}

impl Trouble {
    fn told(self, path: &str) -> NotKnown {
        let (outcome, detail) = match self {
            Self::Sqlite(SqliteError::Unread(unread)) => (unread.outcome(), unread.to_string()),
            Self::Sqlite(error @ SqliteError::Malformed { .. }) => (Outcome::Malformed, error.to_string()),
            Self::Changing => (
                Outcome::Failed,
                format!("{path}: a transaction is under way or broke off: half of it may be what was read"),
            ),
            Self::Schema(what) => (Outcome::Unsupported, format!("{path}: {what}")),
            Self::Row(what) => (Outcome::Malformed, format!("{path}: {what}")),
        };
        NotKnown { outcome, detail }
    }
}

fn attempt_at(reading: &Reading<'_>, path: &str, form: &Form, names: &BTreeSet<&str>) -> Result<Option<Told>, Trouble> {
    let Some(mut database) = Database::open(reading, path)? else {
        // Without a byte, as a program leaves it that only looked for a table.
        let there = reading.stat(path).map_err(SqliteError::Unread)?;
        return Ok(there.map(|_| Told::default()));
    };
    if database.has_hot_journal() {
        return Err(Trouble::Changing);
    }
    let read = rows(&mut database, form, names);
    // What is wrong with a database that changes may be the change.
    if !database.unchanged()? {
        return Err(Trouble::Changing);
    }
    read.map(Some)
}

fn rows(database: &mut Database<'_, '_>, form: &Form, names: &BTreeSet<&str>) -> Result<Told, Trouble> {
    let Some(table) = database.table(form.table)? else {
        return Err(Trouble::Schema(format!("there is no table {}", form.table)));
    };
    let columns = Columns::of(&table, form)?;
    let mut told = Told::default();
    let mut wrong = None;
    database.rows_of(&table, &mut |row| {
        let login = match &row {
            Ok(row) => columns.login(row).map_err(|what| format!("row {}: {what}", row.id)),
            Err(what) => Err(what.clone()),
        };
        match login {
            Ok(Some(login)) => told.take(&login, names),
            Ok(None) => {}
            Err(what) => wrong = Some(what),
        }
        wrong.is_none()
    })?;
    wrong.map_or(Ok(told), |what| Err(Trouble::Row(what)))
}

/// Where a row has what.
struct Columns {
    name: usize,
    time: usize,
    per_second: i64,
    kind: Option<(usize, i64)>,
}

struct Login<'a> {
    name: &'a [u8],
    seconds: i64,
}

impl Columns {
    fn of(table: &Table, form: &Form) -> Result<Self, Trouble> {
        let place = |column| {
            let missing = || Trouble::Schema(format!("table {} has no column {column}", form.table));
            table.column(column).ok_or_else(missing)
        };
        let kind = match form.kind {
            Some((column, value)) => Some((place(column)?, value)),
            None => None,
        };
        Ok(Self {
            name: place(form.name)?,
            time: place(form.time)?,
            per_second: form.per_second,
            kind,
        })
    }

    /// The login that a row tells; `None` if it tells none.
    fn login<'a>(&self, row: &Record<'a>) -> Result<Option<Login<'a>>, &'static str> {
        if let Some((column, value)) = self.kind
            && row.integer(column).ok_or("its type is no number")? != value
        {
            return Ok(None);
        }
        let Value::Text(name) = row.value(self.name) else {
            return Err("its name is no text");
        };
        let seconds = row.integer(self.time).ok_or("its time is no number")? / self.per_second;
        // lastlog2(8) prints "Never logged in" for zero.
        match Timestamp::from_unix(seconds) {
            Ok(Timestamp::EPOCH) => Ok(None),
            Ok(_) => Ok(Some(Login { name, seconds })),
            Err(_) => Err("its time is before 1970 or after 9999"),
        }
    }
}

//! Reading the index: any number at a time, each a state that was committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use controls::assessment::Tenure;
use controls::timeline::{Timeline, Told};
use evidence::key::KeyId;
use evidence::manifest::Manifest;
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use rusqlite::Connection;

use super::database::{Rows, digest, signed, timestamp, unsigned};
use super::host::{State, Stretch};
use super::standing::HostStanding;
use super::told::{Table, digest_of, statement_at};
use super::{IndexError, Totals, manifests};
use crate::cache::Generations;
use crate::query::Page;
use crate::store::{Store, sqlite};

/// Idle reading connections kept.
const IDLE: usize = 8;
/// Manifests kept: 2 kB each.
const MANIFESTS: usize = 10_000;

/// The index for reading.
pub struct Index {
    path: PathBuf,
    store: Arc<dyn Store>,
    readers: Mutex<Vec<Connection>>,
    manifests: Generations<i64, Arc<Manifest>>,
}

/// How far the index has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Entries taken in.
    pub position: u64,
    /// The instant of the state at present.
    pub as_of: Timestamp,
    /// When it changes if no entry comes.
    pub next_due: Option<Timestamp>,
    /// The entry that brought the rules into force.
    pub rules: Option<u64>,
    /// Seconds for which a statement speaks at most.
    pub freshness: u64,
    /// Whether there is a list of hosts that ought to report.
    pub listed: bool,
    /// Totals.
    pub totals: Totals,
}

/// A host as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// Its number here.
    pub(crate) number: i64,
    /// Its id.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// Its key.
    pub keyid: KeyId,
    /// Index of its enrolment.
    pub enrolled_index: u64,
    /// Index of its revocation.
    pub revoked_index: Option<u64>,
    /// How long it was a member.
    pub tenure: Tenure,
}

/// One committed state, for as long as it lives.
pub struct Snapshot<'a> {
    index: &'a Index,
    rows: Rows<'a>,
    head: Head,
}

impl Index {
    /// An index file that may not be there yet.
    pub fn new(path: &Path, store: Arc<dyn Store>) -> Self {
        Self {
            path: path.to_owned(),
            store,
            readers: Mutex::new(Vec::new()),
            manifests: Generations::new(MANIFESTS),
        }
    }

    /// The store that it follows.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Asks one committed state.
    pub fn read<T, E: From<IndexError>>(&self, ask: impl FnOnce(&Snapshot<'_>) -> Result<T, E>) -> Result<T, E> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None if !self.path.exists() => return Err(IndexError::NotThere.into()),
            None => sqlite::open_reader(&self.path).map_err(IndexError::from)?,
        };
        let rows = Rows(&connection);
        // Dropped without an end if `ask` fails: then the connection is not used again.
        rows.batch("beginning to read", "BEGIN")?;
        let snapshot = Snapshot {
            index: self,
            rows,
            head: head(rows)?,
        };
        let answer = ask(&snapshot)?;
        rows.batch("ending to read", "COMMIT")?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE {
            readers.push(connection);
        }
        Ok(answer)
    }

    /// Closes idle connections: the file may be another one.
    pub fn reopen(&self) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn head(rows: Rows<'_>) -> Result<Head, IndexError> {
    let sql = "SELECT position, as_of, rules, freshness, listed, totals FROM head";
    let row = rows.one("reading the head", sql, [], |row| {
        Ok((
            (
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Option<i64>>(2)?,
            ),
            (row.get::<_, i64>(3)?, row.get::<_, bool>(4)?, row.get::<_, String>(5)?),
        ))
    })?;
    let ((position, as_of, rules), (freshness, listed, totals)) = row.ok_or(IndexError::NotThere)?;
    Ok(Head {
        position: unsigned(position)?,
        as_of: timestamp(as_of)?,
        next_due: next_due(rows)?,
        rules: rules.map(unsigned).transpose()?,
        freshness: unsigned(freshness)?,
        listed,
        totals: serde_json::from_str(&totals).map_err(IndexError::damaged)?,
    })
}

/// When the state at present changes if no entry comes.
pub(super) fn next_due(rows: Rows<'_>) -> Result<Option<Timestamp>, IndexError> {
    let hosts = "SELECT MIN(due) FROM state WHERE due IS NOT NULL";
    let facts = "SELECT MIN(due) FROM judged WHERE due IS NOT NULL";
    let mut next = None;
    for sql in [hosts, facts] {
        let due = rows
            .one("reading what is due", sql, [], |row| row.get::<_, Option<i64>>(0))?
            .flatten();
        next = [next, due.map(timestamp).transpose()?].into_iter().flatten().min();
    }
    Ok(next)
}

/// The list of hosts that ought to report, if there is one.
pub(super) fn scope(rows: Rows<'_>) -> Result<Option<BTreeSet<String>>, IndexError> {
    const DOING: &str = "reading the scope";
    let listed = rows.one(DOING, "SELECT listed FROM head", [], |row| row.get::<_, bool>(0))?;
    if listed != Some(true) {
        return Ok(None);
    }
    let names = rows.many(DOING, "SELECT name FROM scope", [], |row| row.get(0))?;
    Ok(Some(names.into_iter().collect()))
}

impl<'a> Snapshot<'a> {
    /// How far the index has come.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The rows, for questions that only one place asks.
    pub(crate) fn rows(&self) -> Rows<'a> {
        self.rows
    }

    /// The list of hosts that ought to report, if there is one.
    pub fn scope(&self) -> Result<Option<BTreeSet<String>>, IndexError> {
        scope(self.rows)
    }

    /// Since when a host has had the facts that its statement at `at`, the present, has; or, without facts, since when it
    /// has been silent.
    pub(crate) fn since(
        &self,
        host: &Enrolled,
        facts: Option<&Digest>,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, IndexError> {
        let Some(state) = self.state(host.number)? else {
            return Ok(None);
        };
        let Some(facts) = facts else {
            return Ok(state.seen.map(|seen| seen.until).filter(|until| *until <= at));
        };
        let sql = "SELECT began FROM run WHERE host = ?2 AND facts = (SELECT id FROM facts WHERE digest = ?1)";
        let run = (facts.as_bytes().as_slice(), host.number);
        let run = self.rows.one("reading runs", sql, run, |row| row.get::<_, i64>(0))?;
        let run = run.map(timestamp).transpose()?.filter(|began| *began <= at);
        let last = state.last.map(|last| last.began).filter(|began| *began <= at);
        // The last statement goes on with the run unless there is a gap before it.
        let gap = last.is_some_and(|began| state.stretch.is_some_and(|stretch| stretch.until < began));
        Ok(if gap { last } else { run.or(last) })
    }

    /// Names in scope that never enrolled.
    pub fn never_enrolled(&self, page: Page) -> Result<Vec<String>, IndexError> {
        let sql = "SELECT name FROM scope WHERE NOT EXISTS (SELECT 1 FROM host WHERE host.name = scope.name)
            ORDER BY name LIMIT ?1 OFFSET ?2";
        let page = (signed(page.limit), signed(page.offset));
        self.rows.many("reading the scope", sql, page, |row| row.get(0))
    }

    /// The newest statement of any host.
    pub fn newest_statement(&self) -> Result<Option<Timestamp>, IndexError> {
        let mut newest = None;
        for part in [
            HostStanding::IN_SCOPE,
            HostStanding::OUTSIDE_SCOPE,
            HostStanding::NEITHER,
        ] {
            let sql = "SELECT seen FROM state WHERE part = ?1 ORDER BY seen DESC LIMIT 1";
            let seen = self.rows.one("reading the state of hosts", sql, [part], |row| {
                row.get::<_, Option<i64>>(0)
            })?;
            newest = newest.max(seen.flatten().map(timestamp).transpose()?);
        }
        Ok(newest)
    }

    /// The oldest of the newest statements of the hosts in scope; `None` if one has none.
    pub fn oldest_statement(&self) -> Result<Option<Timestamp>, IndexError> {
        // A host without one comes first.
        let sql = "SELECT seen FROM state WHERE part = ?1 ORDER BY seen LIMIT 1";
        let part = [HostStanding::IN_SCOPE];
        let seen = self.rows.one("reading the state of hosts", sql, part, |row| {
            row.get::<_, Option<i64>>(0)
        })?;
        seen.flatten().map(timestamp).transpose()
    }

    const HOST: &'static str =
        "SELECT id, host, name, keyid, enrolled_idx, enrolled_at, revoked_idx, revoked_at FROM host";

    fn enrolled(row: &rusqlite::Row<'_>) -> Result<Result<Enrolled, IndexError>, rusqlite::Error> {
        let (number, host, name): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (key, enrolled_index, enrolled_at): (Vec<u8>, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let (revoked_index, revoked_at): (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
        let of = || {
            Ok(Enrolled {
                number,
                host: HostId::new(host).map_err(IndexError::damaged)?,
                name,
                keyid: KeyId(digest(&key)?),
                enrolled_index: unsigned(enrolled_index)?,
                revoked_index: revoked_index.map(unsigned).transpose()?,
                tenure: Tenure {
                    enrolled_at: timestamp(enrolled_at)?,
                    revoked_at: revoked_at.map(timestamp).transpose()?,
                },
            })
        };
        Ok(of())
    }

    /// A host by id.
    pub fn host(&self, id: &str) -> Result<Option<Enrolled>, IndexError> {
        let sql = format!("{} WHERE host = ?1", Self::HOST);
        self.rows.one("reading hosts", &sql, [id], Self::enrolled)?.transpose()
    }

    /// Hosts by name: a name may have several.
    pub fn hosts_named(&self, name: &str) -> Result<Vec<Enrolled>, IndexError> {
        let sql = format!("{} WHERE name = ?1 ORDER BY id", Self::HOST);
        self.rows
            .many("reading hosts", &sql, [name], Self::enrolled)?
            .into_iter()
            .collect()
    }

    /// All hosts, as they enrolled.
    pub fn hosts(&self) -> Result<Vec<Enrolled>, IndexError> {
        let sql = format!("{} ORDER BY id", Self::HOST);
        self.rows
            .many("reading hosts", &sql, [], Self::enrolled)?
            .into_iter()
            .collect()
    }

    /// A host's statements over `[from, to)`, as far as what was told then depends on them, and the last one before `to`.
    /// Statements between which nothing changes are left out.
    pub fn timeline(&self, host: &Enrolled, from: Timestamp, to: Timestamp) -> Result<Timeline, IndexError> {
        let mut told = Vec::new();
        for stretch in self.stretches(host.number, from, to)? {
            self.tell(host.number, &stretch, (from, to), &mut told)?;
        }
        Ok(Timeline::recalled(self.head.freshness, told))
    }

    fn stretches(&self, host: i64, from: Timestamp, to: Timestamp) -> Result<Vec<Stretch>, IndexError> {
        let sql = "SELECT began, until, first_idx, last_idx, last_began, manifest FROM stretch
            WHERE host = ?1 AND began < ?3 AND began >=
                COALESCE((SELECT MAX(began) FROM stretch WHERE host = ?1 AND began <= ?2), 0)
            ORDER BY began";
        let parameters = (host, from.unix(), to.unix());
        let ended = self.rows.many("reading stretches", sql, parameters, Stretch::read)?;
        let mut stretches = ended.into_iter().collect::<Result<Vec<_>, _>>()?;
        if let Some(state) = self.state(host)? {
            let newest = [state.stretch, state.last_stretch(self.head.freshness)];
            stretches.extend(newest.into_iter().flatten().filter(|stretch| stretch.began < to));
        }
        Ok(stretches)
    }

    fn state(&self, host: i64) -> Result<Option<State>, IndexError> {
        let sql = format!("SELECT {} FROM state WHERE host = ?1", State::COLUMNS);
        self.rows
            .one("reading the state of a host", &sql, [host], State::read)?
            .transpose()
    }

    /// The first and the last statement of a stretch, as far as it is within `[from, to)`.
    fn tell(
        &self,
        host: i64,
        stretch: &Stretch,
        (from, to): (Timestamp, Timestamp),
        told: &mut Vec<Told>,
    ) -> Result<(), IndexError> {
        let manifest = self.manifest(stretch.manifest)?;
        let cut = |at: Timestamp| -> Result<(u64, Timestamp), IndexError> {
            let found = statement_at(self.rows, host, at)?;
            let found =
                found.ok_or_else(|| IndexError::damaged(format_args!("host {host} has no statement at {at}")))?;
            Ok((found.index, found.began))
        };
        let (last_index, last_began) = if stretch.last_began < to {
            (stretch.last_index, stretch.last_began)
        } else {
            cut(to.plus(-1))?
        };
        let (first_index, first_began) = if stretch.began >= from {
            (stretch.first_index, stretch.began)
        } else if last_began <= from {
            (last_index, last_began)
        } else {
            cut(from)?
        };
        let mut push = |index, from, until| {
            told.push(Told {
                index,
                from,
                until,
                in_order: true,
                manifest: Arc::clone(&manifest),
            });
        };
        if first_index != last_index {
            push(first_index, first_began, last_began);
        }
        push(last_index, last_began, stretch.until);
        Ok(())
    }

    /// A manifest by its number.
    pub(crate) fn manifest(&self, number: i64) -> Result<Arc<Manifest>, IndexError> {
        if let Some(manifest) = self.index.manifests.get(&number) {
            return Ok(manifest);
        }
        let digest = digest_of(self.rows, Table::Manifest, number)?;
        let manifest = Arc::new(manifests::load(self.index.store.as_ref(), &digest)?);
        self.index.manifests.insert(number, Arc::clone(&manifest));
        Ok(manifest)
    }

    /// The digest of a manifest by its number.
    pub(crate) fn manifest_digest(&self, number: i64) -> Result<Digest, IndexError> {
        digest_of(self.rows, Table::Manifest, number)
    }

    /// Everything that is derived from the log, as text: what two indexes of one log have in common, however they were made.
    /// Judgements, which are made when they are needed, are not in it.
    pub fn dump(&self) -> Result<BTreeMap<&'static str, Vec<String>>, IndexError> {
        const MANIFEST: &str = "(SELECT hex(digest) FROM manifest WHERE id =";
        const FACTS: &str = "(SELECT hex(digest) FROM facts WHERE id =";
        let mut dump = BTreeMap::new();
        for (table, columns) in [
            (
                "head",
                "position, hex(last_entry), rules, evaluator, freshness, listed, totals".to_owned(),
            ),
            ("scope", "name".to_owned()),
            (
                "host",
                "id, host, name, hex(keyid), enrolled_idx, enrolled_at, revoked_idx, revoked_at".to_owned(),
            ),
            (
                "statement",
                format!("host, began, idx, sequence, {MANIFEST} manifest), observed, held, lost"),
            ),
            (
                "stretch",
                format!("host, began, until, first_idx, last_idx, last_began, {MANIFEST} manifest)"),
            ),
            (
                "state",
                format!(
                    "host, last_idx, last_began, {MANIFEST} last_manifest), stretch_began, stretch_until,
                    stretch_first_idx, stretch_last_idx, stretch_last_began, {MANIFEST} stretch_manifest), seen,
                    seen_until, {MANIFEST} seen_manifest), part, due, turned, turning"
                ),
            ),
            ("holding", format!("{FACTS} facts), host")),
            ("run", format!("{FACTS} facts), host, began, first_idx")),
            ("former", format!("{FACTS} facts), until, host, began, first_idx")),
            (
                "standing",
                "name, host, id, part, reporting, stage, worst, rank, rules, controls".to_owned(),
            ),
        ] {
            let sql = format!("SELECT json_array({columns}) AS line FROM {table} ORDER BY line");
            dump.insert(table, self.rows.many("dumping the index", &sql, [], |row| row.get(0))?);
        }
        Ok(dump)
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({})", self.path.display())
    }
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({:?})", self.head)
    }
}

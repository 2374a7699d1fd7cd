//! Brings the index up to date: entries in, state at present out.

mod file;
mod settling;
mod taking;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use evidence::key::KeyId;
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use rusqlite::Connection;

use self::file::{Prepared, follows, prepare, remove};
use super::database::{Rows, digest, signed, timestamp, unsigned};
use super::entry::Entry;
use super::host::State;
use super::judgements::Judgements;
use super::manifests::Numbers;
use super::rules::EVALUATOR;
use super::{InForce, IndexError, Places, Totals, moment};
use crate::store::Store;

/// Entries in one transaction. More are not faster; fewer are, to those who wait for the first.
const GROUP: usize = 2048;

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Entries taken in.
    pub taken: usize,
    /// Entries taken in by all steps.
    pub position: u64,
    /// When the state at present changes if no entry comes.
    pub next_due: Option<Timestamp>,
}

/// The one that writes.
pub struct Writer {
    connection: Connection,
    store: Arc<dyn Store>,
    rules: Arc<InForce>,
    places: Arc<Places>,
    head: Head,
    totals: Totals,
    states: HashMap<i64, State>,
    /// Hosts by the keys that count.
    hosts: HashMap<KeyId, (i64, HostId)>,
    numbers: Numbers,
    judgements: Judgements,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    position: u64,
    last_entry: Option<Digest>,
    as_of: Timestamp,
}

/// What a step has to settle at its end.
#[derive(Default)]
struct Touched {
    hosts: BTreeSet<i64>,
    /// Of these the verdicts may have changed though the statements have not.
    judged_anew: BTreeSet<i64>,
    names: BTreeSet<String>,
    rules: Option<u64>,
    /// The first instant about which something else is told now.
    reach: Option<Timestamp>,
}

impl Touched {
    fn reaches(&mut self, since: Timestamp) {
        self.reach = Some(self.reach.map_or(since, |reach| reach.min(since)));
    }
}

/// What an index file was made with.
struct Made {
    rules: Option<u64>,
    evaluator: String,
    freshness: u64,
}

impl Writer {
    /// Opens the index, or makes it. A file of another form, of another log, or that is damaged is made again.
    pub fn open(path: &Path, store: Arc<dyn Store>, now: Timestamp) -> Result<Self, IndexError> {
        let connection = match prepare(path)? {
            Prepared::Usable(connection) if follows(&connection, store.as_ref())? => connection,
            prepared => {
                let why = match prepared {
                    Prepared::Usable(_) => "it follows another log".to_owned(),
                    Prepared::Unusable(why) => why.to_string(),
                };
                tracing::warn!(path = %path.display(), why, "the index is made again");
                remove(path)?;
                match prepare(path)? {
                    Prepared::Usable(connection) => connection,
                    Prepared::Unusable(why) => return Err(why),
                }
            }
        };
        let rules = InForce::newest(store.as_ref())?;
        let mut writer = Self {
            places: Arc::new(Places::of(&rules.set)),
            rules,
            connection,
            store,
            head: Head {
                position: 0,
                last_entry: None,
                as_of: Timestamp::MIN,
            },
            totals: Totals::default(),
            states: HashMap::new(),
            hosts: HashMap::new(),
            numbers: Numbers::default(),
            judgements: Judgements::default(),
        };
        let made = writer.recall()?;
        writer.adopt(&made, now)?;
        Ok(writer)
    }

    /// Removes an index file: it is made again when it is opened.
    pub fn remove(path: &Path) -> Result<(), IndexError> {
        remove(path)
    }

    /// How far the index has come.
    pub fn position(&self) -> u64 {
        self.head.position
    }

    fn rows(&self) -> Rows<'_> {
        Rows(&self.connection)
    }

    /// Reads what the file has; what it does not keep in memory is forgotten.
    fn recall(&mut self) -> Result<Made, IndexError> {
        self.numbers.forget();
        self.judgements.forget();
        let sql = "SELECT position, last_entry, as_of, totals, rules, evaluator, freshness FROM head";
        let head = self.rows().one("reading the head", sql, [], |row| {
            Ok((
                (
                    row.get::<_, i64>(0)?,
                    row.get::<_, Option<Vec<u8>>>(1)?,
                    row.get::<_, i64>(2)?,
                ),
                row.get::<_, String>(3)?,
                (
                    row.get::<_, Option<i64>>(4)?,
                    row.get::<_, String>(5)?,
                    row.get::<_, i64>(6)?,
                ),
            ))
        })?;
        let no_head = || IndexError::damaged("it has no head");
        let ((position, last_entry, as_of), totals, (rules, evaluator, freshness)) = head.ok_or_else(no_head)?;
        self.head = Head {
            position: unsigned(position)?,
            last_entry: last_entry.as_deref().map(digest).transpose()?,
            as_of: timestamp(as_of)?,
        };
        self.totals = serde_json::from_str(&totals).map_err(IndexError::damaged)?;
        let sql = format!("SELECT {}, host FROM state", State::COLUMNS);
        let read = |row: &rusqlite::Row<'_>| Ok((State::read(row)?, row.get::<_, i64>(14)?));
        let states = self.rows().many("reading the states of hosts", &sql, [], read)?;
        self.states = states
            .into_iter()
            .map(|(state, host)| Ok((host, state?)))
            .collect::<Result<_, IndexError>>()?;
        let sql = "SELECT keyid, id, host FROM host WHERE revoked_idx IS NULL";
        let hosts = self.rows().many("reading hosts", sql, [], |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
            ))
        })?;
        self.hosts = hosts
            .into_iter()
            .map(|(key, id, host)| {
                let host = HostId::new(host).map_err(IndexError::damaged)?;
                Ok((KeyId(digest(&key)?), (id, host)))
            })
            .collect::<Result<_, IndexError>>()?;
        Ok(Made {
            rules: rules.map(unsigned).transpose()?,
            evaluator,
            freshness: unsigned(freshness)?,
        })
    }

    /// Makes the state at present what it is by the rules that count now.
    fn adopt(&mut self, made: &Made, now: Timestamp) -> Result<(), IndexError> {
        let other_program = made.evaluator != EVALUATOR;
        if !other_program && made.rules == self.rules.index() {
            return Ok(());
        }
        self.transact(|writer| {
            if other_program {
                let sql = "DELETE FROM judgement; DELETE FROM judged";
                writer.rows().batch("forgetting judgements", sql)?;
            }
            writer.head.as_of = writer.head.as_of.max(now);
            writer.change_rules(made.freshness)?;
            writer.write_head()
        })
    }

    /// After other rules have come into force.
    fn change_rules(&mut self, freshness_before: u64) -> Result<(), IndexError> {
        const DOING: &str = "writing the scope";
        self.places = Arc::new(Places::of(&self.rules.set));
        self.rows().batch(DOING, "DELETE FROM scope")?;
        for name in self.rules.scope.iter().flatten() {
            self.rows().run(DOING, "INSERT INTO scope (name) VALUES (?1)", [name])?;
        }
        if freshness_before != self.rules.freshness() {
            self.retell()?;
        }
        self.restate()
    }

    /// Takes in the next entries, at most a group, and whatever has become due by `now`. One transaction, or nothing.
    pub fn step(&mut self, now: Timestamp) -> Result<Step, IndexError> {
        let now = now.max(self.head.as_of);
        let entries = self.store.entries(self.head.position, GROUP)?;
        let due = self.next_due()?.is_some_and(|due| due <= now);
        let taken = entries.len();
        if taken > 0 || due {
            self.transact(|writer| {
                let mut touched = Touched::default();
                for (index, bytes) in &entries {
                    writer.take(&Entry::read(*index, bytes)?, &mut touched)?;
                    writer.head.position = index + 1;
                }
                if let Some((_, bytes)) = entries.last() {
                    writer.head.last_entry = Some(Digest::of(bytes));
                }
                if taken > 0 {
                    moment::write_reach(writer.rows(), writer.head.position, touched.reach)?;
                }
                writer.settle(touched, now)?;
                writer.write_head()
            })?;
        }
        Ok(Step {
            taken,
            position: self.head.position,
            next_due: self.next_due()?,
        })
    }

    /// Takes steps until all entries are taken in.
    pub fn catch_up(&mut self, now: Timestamp) -> Result<Step, IndexError> {
        loop {
            let step = self.step(now)?;
            if step.taken == 0 {
                return Ok(step);
            }
        }
    }

    fn next_due(&self) -> Result<Option<Timestamp>, IndexError> {
        super::snapshot::next_due(self.rows())
    }

    /// Runs `work` in a transaction. If it fails, memory is made what the file has.
    fn transact(&mut self, work: impl FnOnce(&mut Self) -> Result<(), IndexError>) -> Result<(), IndexError> {
        self.rows().batch("beginning a transaction", "BEGIN IMMEDIATE")?;
        let done = work(self).and_then(|()| self.rows().batch("committing a transaction", "COMMIT"));
        if done.is_err() {
            // A transaction that failed by itself may be over already.
            let _ = self.rows().batch("rolling back", "ROLLBACK");
            let rules = Arc::clone(&self.rules);
            let made = self.recall()?;
            self.rules = if made.rules == rules.index() {
                rules
            } else {
                InForce::at(self.store.as_ref(), made.rules)?
            };
            self.places = Arc::new(Places::of(&self.rules.set));
        }
        done
    }

    fn write_head(&self) -> Result<(), IndexError> {
        let totals = serde_json::to_string(&self.totals).map_err(IndexError::damaged)?;
        let sql =
            "UPDATE head SET position = ?1, last_entry = ?2, as_of = ?3, rules = ?4, evaluator = ?5, freshness = ?6,
            listed = ?7, totals = ?8";
        self.rows().run(
            "writing the head",
            sql,
            rusqlite::params![
                signed(self.head.position),
                self.head.last_entry.as_ref().map(|digest| digest.as_bytes().to_vec()),
                self.head.as_of.unix(),
                self.rules.index().map(signed),
                EVALUATOR,
                signed(self.rules.freshness()),
                self.rules.scope.is_some(),
                totals,
            ],
        )?;
        Ok(())
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({:?})", self.head)
    }
}

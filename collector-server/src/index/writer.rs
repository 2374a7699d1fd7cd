//! Brings the index up to date: entries in, state at present out.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use controls::assessment::Tenure;
use controls::assessment::scope::{Part, parts};
use controls::coverage::Stage;
use controls::verdict::Verdict;
use evidence::key::KeyId;
use evidence::statement::{Enrolment, HostId, Observation, Predicate, Revocation};
use evidence::{Digest, Timestamp};
use rusqlite::Connection;

use super::database::{Rows, digest, signed, timestamp, unsigned};
use super::entry::Entry;
use super::host::{State, Statement, StatementRow, Stretch};
use super::judgements::Judgements;
use super::manifests::Numbers;
use super::rules::EVALUATOR;
use super::schema::{FORM, MIGRATIONS};
use super::standing::HostStanding;
use super::totals::By;
use super::{InForce, IndexError, Places, Totals};
use crate::query::HostReporting;
use crate::store::{Store, StoreError, sqlite};

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
}

struct Member {
    id: String,
    name: String,
    tenure: Tenure,
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

    fn take(&mut self, entry: &Entry, touched: &mut Touched) -> Result<(), IndexError> {
        match &entry.statement.predicate {
            Predicate::Observation(observation) => self.state(entry, observation, touched),
            Predicate::Enrolment(enrolment) => self.enrol(entry.index, enrolment, touched),
            Predicate::Revocation(revocation) => self.revoke(entry.index, revocation, touched),
            Predicate::Rules(_) | Predicate::Log(_) | Predicate::Pack(_) => {
                if entry.brings_rules() && self.rules.index().is_none_or(|known| known < entry.index) {
                    touched.rules = Some(entry.index);
                }
                Ok(())
            }
        }
    }

    fn enrol(&mut self, index: u64, enrolment: &Enrolment, touched: &mut Touched) -> Result<(), IndexError> {
        let keyid = enrolment.statement_key.id();
        let sql = "INSERT INTO host (host, name, keyid, enrolled_idx, enrolled_at) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO NOTHING";
        let (id, key) = (enrolment.host.as_str(), keyid.0.as_bytes().as_slice());
        let row = (id, &enrolment.name, key, signed(index), enrolment.at.unix());
        if self.rows().run("writing a host", sql, row)? == 0 {
            tracing::warn!(index, host = %enrolment.host, "an enrolment of a host or key that is enrolled does not count");
            return Ok(());
        }
        let host = self.connection.last_insert_rowid();
        self.hosts.insert(keyid, (host, enrolment.host.clone()));
        let state = State {
            part: HostStanding::NEITHER,
            ..State::default()
        };
        self.states.insert(host, state);
        touched.judged_anew.insert(host);
        touched.names.insert(enrolment.name.clone());
        Ok(())
    }

    fn revoke(&mut self, index: u64, revocation: &Revocation, touched: &mut Touched) -> Result<(), IndexError> {
        let Some((host, _)) = self.hosts.remove(&revocation.keyid) else {
            return Ok(());
        };
        let sql = "UPDATE host SET revoked_idx = ?2, revoked_at = ?3 WHERE id = ?1";
        self.rows()
            .run("writing a revocation", sql, (host, signed(index), revocation.at.unix()))?;
        touched.judged_anew.insert(host);
        touched.names.insert(self.member(host)?.name);
        Ok(())
    }

    fn state(&mut self, entry: &Entry, observation: &Observation, touched: &mut Touched) -> Result<(), IndexError> {
        let index = entry.index;
        let known = self.hosts.get(&entry.keyid).filter(|(_, id)| *id == observation.host);
        let (Some((host, _)), Some(manifest)) = (known, entry.statement.manifest()) else {
            tracing::warn!(index, host = %observation.host, "a statement under a key that does not count, or without a manifest");
            return Ok(());
        };
        let host = *host;
        let statement = Statement {
            index,
            sequence: observation.sequence,
            observed_at: observation.observed_at,
            held_until: observation.held.as_ref().map(|held| held.until),
            lost: observation.lost.is_some(),
            manifest: self.numbers.manifest(Rows(&self.connection), &manifest)?,
        };
        let began = self.append(host, &statement)?;
        statement.write(host, began, self.rows())?;
        touched.hosts.insert(host);
        Ok(())
    }

    /// The statement's part in the stretches and runs of its host.
    fn append(&mut self, host: i64, statement: &Statement) -> Result<Timestamp, IndexError> {
        let mut state = self.states.get(&host).copied().unwrap_or_default();
        let taken = state.append(statement, self.rules.freshness())?;
        self.states.insert(host, state);
        if let Some(ended) = &taken.ended {
            ended.write(host, self.rows())?;
        }
        if let (true, Some(begun)) = (taken.new_stretch, state.stretch) {
            self.turn(host, taken.ended.as_ref(), &begun)?;
        }
        Ok(taken.began)
    }

    /// Ends and begins runs where one stretch follows another.
    fn turn(&mut self, host: i64, ended: Option<&Stretch>, begun: &Stretch) -> Result<(), IndexError> {
        const DOING: &str = "writing runs";
        let rows = Rows(&self.connection);
        let mut facts = |manifest| -> Result<BTreeSet<i64>, IndexError> {
            let documents = self.numbers.documents(rows, self.store.as_ref(), manifest)?;
            Ok(documents.values().copied().collect())
        };
        let after = facts(begun.manifest)?;
        let mut kept = BTreeSet::new();
        if let Some(ended) = ended {
            let before = facts(ended.manifest)?;
            if ended.until == begun.began {
                kept.extend(before.intersection(&after).copied());
            }
            for facts in before.difference(&kept) {
                let sql = "DELETE FROM run WHERE facts = ?1 AND host = ?2 RETURNING began, first_idx";
                let run: Option<(i64, i64)> =
                    rows.one(DOING, sql, (facts, host), |row| Ok((row.get(0)?, row.get(1)?)))?;
                let Some((began, first)) = run else {
                    return Err(IndexError::damaged(format_args!(
                        "host {host} has no run of facts {facts}"
                    )));
                };
                let sql = "INSERT INTO former (facts, until, host, began, first_idx) VALUES (?1, ?2, ?3, ?4, ?5)";
                rows.run(DOING, sql, (facts, ended.until.unix(), host, began, first))?;
            }
        }
        for facts in after.difference(&kept) {
            let sql = "INSERT INTO run (facts, host, began, first_idx) VALUES (?1, ?2, ?3, ?4)";
            rows.run(DOING, sql, (facts, host, begun.began.unix(), signed(begun.first_index)))?;
        }
        Ok(())
    }

    /// Tells all stretches and runs again out of the statements: after the freshness has changed.
    fn retell(&mut self) -> Result<(), IndexError> {
        self.rows().batch(
            "forgetting stretches",
            "DELETE FROM stretch; DELETE FROM run; DELETE FROM former",
        )?;
        let hosts: Vec<i64> = self.states.keys().copied().collect();
        for host in hosts {
            if let Some(state) = self.states.get_mut(&host) {
                (state.last, state.stretch) = (None, None);
            }
            let sql = format!(
                "SELECT {} FROM statement WHERE host = ?1 ORDER BY began, idx",
                StatementRow::COLUMNS
            );
            let rows = Rows(&self.connection);
            for row in rows.many("reading statements", &sql, [host], StatementRow::read)? {
                self.append(host, &row?.statement())?;
            }
        }
        Ok(())
    }

    /// Counts all hosts anew: after the rules, the scope or the freshness have changed.
    fn restate(&mut self) -> Result<(), IndexError> {
        let rows = Rows(&self.connection);
        rows.batch("forgetting where hosts stand", "DELETE FROM standing")?;
        // Other rules may end at other instants.
        let sql = "UPDATE judged SET due = (SELECT MIN(until) FROM judgement WHERE judgement.facts = judged.facts)";
        rows.run("writing judgements", sql, [])?;
        let sql = "SELECT COUNT(*) FROM scope WHERE NOT EXISTS (SELECT 1 FROM host WHERE host.name = scope.name)";
        let missing = rows.one("counting hosts", sql, [], |row| row.get::<_, i64>(0))?;
        let names = rows.many("reading hosts", "SELECT DISTINCT name FROM host", [], |row| {
            row.get::<_, String>(0)
        })?;
        self.totals = Totals::none(
            self.places.rules.len(),
            self.places.controls.len(),
            unsigned(missing.unwrap_or_default())?,
        );
        let touched = Touched {
            judged_anew: self.states.keys().copied().collect(),
            names: names.into_iter().collect(),
            ..Touched::default()
        };
        let now = self.head.as_of;
        self.judgements.forget();
        self.settle_hosts(touched, now)
    }

    fn settle(&mut self, mut touched: Touched, now: Timestamp) -> Result<(), IndexError> {
        if let Some(index) = touched.rules {
            let freshness_before = self.rules.freshness();
            self.rules = InForce::at(self.store.as_ref(), Some(index))?;
            self.head.as_of = now;
            return self.change_rules(freshness_before);
        }
        let rows = Rows(&self.connection);
        if self.rules.scope.is_some() {
            self.totals.never_enrolled = self.never_enrolled(&touched.names)?;
        }
        let sql = "SELECT host FROM state WHERE due <= ?1";
        let due = rows.many("reading what is due", sql, [now.unix()], |row| row.get::<_, i64>(0))?;
        for host in due {
            touched.names.insert(self.member(host)?.name);
            touched.hosts.insert(host);
        }
        let sql = "SELECT facts FROM judged WHERE due <= ?1";
        let due = rows.many("reading what is due", sql, [now.unix()], |row| row.get::<_, i64>(0))?;
        for facts in due {
            let sql = "SELECT host FROM holding WHERE facts = ?1";
            let holders = rows.many("reading holders", sql, [facts], |row| row.get::<_, i64>(0))?;
            touched.judged_anew.extend(holders);
            // Judged again when somebody asks; until then it is due no more.
            rows.run(
                "writing judgements",
                "UPDATE judged SET due = NULL WHERE facts = ?1",
                [facts],
            )?;
        }
        self.settle_hosts(touched, now)?;
        self.head.as_of = now;
        Ok(())
    }

    /// Names on the list without a host, after hosts of these names have enrolled.
    fn never_enrolled(&self, names: &BTreeSet<String>) -> Result<u64, IndexError> {
        let mut missing = self.totals.never_enrolled;
        for name in names
            .iter()
            .filter(|name| self.rules.scope.as_ref().is_some_and(|scope| scope.contains(*name)))
        {
            // Hosts that are not counted yet have no row there.
            let sql = "SELECT EXISTS (SELECT 1 FROM standing WHERE name = ?1)";
            let known = self
                .rows()
                .one("reading where a host stands", sql, [name], |row| row.get::<_, bool>(0))?;
            if known == Some(false) {
                missing = missing.saturating_sub(1);
            }
        }
        Ok(missing)
    }

    fn settle_hosts(&mut self, mut touched: Touched, now: Timestamp) -> Result<(), IndexError> {
        for name in &touched.names {
            for host in self.part(name, now)? {
                touched.judged_anew.insert(host);
            }
        }
        touched.hosts.extend(&touched.judged_anew);
        for host in touched.hosts {
            self.settle_host(host, now, touched.judged_anew.contains(&host))?;
        }
        Ok(())
    }

    /// What hosts of one name are to the scope; returns those for which that changed.
    fn part(&mut self, name: &str, now: Timestamp) -> Result<Vec<i64>, IndexError> {
        let sql = "SELECT id, enrolled_at, revoked_at FROM host WHERE name = ?1 ORDER BY id";
        let hosts = self.rows().many("reading hosts", sql, [name], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Option<i64>>(2)?,
            ))
        })?;
        let mut tenures = Vec::new();
        for (_, enrolled, revoked) in &hosts {
            tenures.push(Tenure {
                enrolled_at: timestamp(*enrolled)?,
                revoked_at: revoked.map(timestamp).transpose()?,
            });
        }
        let listed = self.rules.scope.as_ref().map(|scope| scope.contains(name));
        let parts = parts(&tenures, listed, (now, now.plus(1)));
        let mut changed = Vec::new();
        for ((host, ..), part) in hosts.into_iter().zip(parts) {
            let part = match part {
                Part::InScope => HostStanding::IN_SCOPE,
                Part::OutsideScope => HostStanding::OUTSIDE_SCOPE,
                Part::None => HostStanding::NEITHER,
            };
            if let Some(state) = self.states.get_mut(&host)
                && state.part != part
            {
                state.part = part;
                changed.push(host);
            }
        }
        Ok(changed)
    }

    fn member(&self, host: i64) -> Result<Member, IndexError> {
        let sql = "SELECT host, name, enrolled_at, revoked_at FROM host WHERE id = ?1";
        let row = self.rows().one("reading hosts", sql, [host], |row| {
            Ok((
                (row.get::<_, String>(0)?, row.get::<_, String>(1)?),
                (row.get::<_, i64>(2)?, row.get::<_, Option<i64>>(3)?),
            ))
        })?;
        let ((id, name), (enrolled, revoked)) =
            row.ok_or_else(|| IndexError::damaged(format_args!("there is no host {host}")))?;
        Ok(Member {
            id,
            name,
            tenure: Tenure {
                enrolled_at: timestamp(enrolled)?,
                revoked_at: revoked.map(timestamp).transpose()?,
            },
        })
    }

    /// Brings one host's state at present up to date.
    fn settle_host(&mut self, host: i64, now: Timestamp, judged_anew: bool) -> Result<(), IndexError> {
        let mut state = self.states.get(&host).copied().unwrap_or_default();
        let rows = Rows(&self.connection);
        let before = state.seen;
        let was_fresh = before.is_some_and(|seen| self.head.as_of < seen.until);
        state.seen = state.seen_at(host, now, self.rules.freshness(), rows)?;
        let fresh = state.seen.is_some_and(|seen| now < seen.until);
        let manifest = state.seen.map(|seen| seen.manifest);
        let other_manifest = before.map(|seen| seen.manifest) != manifest;
        if other_manifest {
            self.hold(host, before.map(|seen| seen.manifest), manifest)?;
        }
        let member = if judged_anew || other_manifest || was_fresh != fresh || before.is_none() != state.seen.is_none()
        {
            let member = self.member(host)?;
            let standing = self.standing(&state, &member.tenure, now)?;
            self.stand(host, &member, &standing)?;
            Some(member)
        } else {
            None
        };
        let tenure = match member {
            Some(member) => member.tenure,
            None => self.member(host)?.tenure,
        };
        let rows = self.rows();
        state.due = [
            state.next_change(host, now, rows)?,
            Some(tenure.enrolled_at).filter(|at| *at > now),
            tenure.revoked_at.filter(|at| *at > now),
        ]
        .into_iter()
        .flatten()
        .min();
        state.write(host, now, rows)?;
        self.states.insert(host, state);
        Ok(())
    }

    /// Who has which facts document.
    fn hold(&mut self, host: i64, before: Option<i64>, after: Option<i64>) -> Result<(), IndexError> {
        const DOING: &str = "writing holders";
        let rows = Rows(&self.connection);
        let mut facts = |manifest: Option<i64>| -> Result<BTreeSet<i64>, IndexError> {
            let Some(manifest) = manifest else {
                return Ok(BTreeSet::new());
            };
            let documents = self.numbers.documents(rows, self.store.as_ref(), manifest)?;
            Ok(documents.values().copied().collect())
        };
        let (before, after) = (facts(before)?, facts(after)?);
        for facts in before.difference(&after) {
            rows.run(
                DOING,
                "DELETE FROM holding WHERE facts = ?1 AND host = ?2",
                (facts, host),
            )?;
        }
        for facts in after.difference(&before) {
            rows.run(
                DOING,
                "INSERT INTO holding (facts, host) VALUES (?1, ?2)",
                (facts, host),
            )?;
        }
        Ok(())
    }

    fn standing(&mut self, state: &State, tenure: &Tenure, now: Timestamp) -> Result<HostStanding, IndexError> {
        let mut verdicts = vec![Verdict::Unknown; self.places.rules.len()];
        let mut observed = BTreeSet::new();
        let seen = state.seen.filter(|seen| now < seen.until);
        if let Some(seen) = seen {
            let rows = Rows(&self.connection);
            let documents = self.numbers.documents(rows, self.store.as_ref(), seen.manifest)?;
            for (probe, facts) in documents
                .iter()
                .filter(|(probe, _)| self.places.documents.contains(*probe))
            {
                let judged = self
                    .judgements
                    .at(rows, self.store.as_ref(), (&self.rules, &self.places), *facts, now)?;
                if judged.observed {
                    observed.insert(probe.clone());
                }
                // A document under the name of another probe: no rule that reads that name can say anything.
                for (place, verdict) in judged.verdicts.iter().filter(|_| judged.probe.as_ref() == Some(probe)) {
                    if let Some(cell) = verdicts.get_mut(*place) {
                        *cell = *verdict;
                    }
                }
            }
        }
        let measured = self.places.documents.iter().all(|document| observed.contains(document));
        let stage = match seen {
            _ if tenure.enrolled_at > now => Stage::Missing,
            None => Stage::Enrolled,
            Some(_) if measured => Stage::Measured,
            Some(_) => Stage::Fresh,
        };
        let reporting = match (tenure.revoked_at, state.seen, seen) {
            (Some(revoked), ..) if revoked <= now => HostReporting::Revoked,
            (_, None, _) => HostReporting::NeverStated,
            (_, _, Some(_)) => HostReporting::Fresh,
            _ => HostReporting::Silent,
        };
        Ok(HostStanding::of(state.part, reporting, stage, &verdicts, &self.places))
    }

    /// Writes where a host stands, and counts it.
    fn stand(&mut self, host: i64, member: &Member, standing: &HostStanding) -> Result<(), IndexError> {
        let before = HostStanding::find(self.rows(), &member.name, host)?;
        if before.as_ref() == Some(standing) {
            return Ok(());
        }
        if let Some(before) = &before {
            self.totals.count(before, By::MinusOne);
        }
        self.totals.count(standing, By::One);
        standing.write(self.rows(), &member.name, host, &member.id)
    }
}

enum Prepared {
    Usable(Connection),
    /// It is damaged, or of another form.
    Unusable(IndexError),
}

/// Opens the file, or makes it.
fn prepare(path: &Path) -> Result<Prepared, IndexError> {
    let connection = match sqlite::open_database(path, MIGRATIONS) {
        Ok(connection) => connection,
        Err(error @ (StoreError::Damaged { .. } | StoreError::Newer { .. })) => {
            return Ok(Prepared::Unusable(error.into()));
        }
        Err(error) => return Err(error.into()),
    };
    let rows = Rows(&connection);
    // What a crash of the machine takes away is made again; a kill of the process takes nothing away.
    rows.batch("setting up the file", "PRAGMA synchronous = NORMAL")?;
    let sql = "INSERT OR IGNORE INTO head (id, form, position, as_of, evaluator, freshness, listed, totals)
        VALUES (1, ?1, 0, 0, '', 0, 0, ?2)";
    let totals = serde_json::to_string(&Totals::default()).map_err(IndexError::damaged)?;
    rows.run("writing the head", sql, (FORM, totals))?;
    let form = rows.one("reading the head", "SELECT form FROM head", [], |row| {
        row.get::<_, i64>(0)
    })?;
    if form == Some(FORM) {
        return Ok(Prepared::Usable(connection));
    }
    let why = format!(
        "it has form {}, this program makes form {FORM}",
        form.unwrap_or_default()
    );
    Ok(Prepared::Unusable(IndexError::damaged(why)))
}

/// Whether the last entry that was taken in is in this log.
fn follows(connection: &Connection, store: &dyn Store) -> Result<bool, IndexError> {
    let sql = "SELECT position, last_entry FROM head";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
    let Some((position, Some(last_entry))) = Rows(connection).one("reading the head", sql, [], read)? else {
        return Ok(true);
    };
    let last = store.entry(unsigned(position)?.saturating_sub(1))?;
    Ok(last.map(|bytes| Digest::of(&bytes)) == Some(digest(&last_entry)?))
}

/// Removes an index file, with what SQLite keeps beside it.
fn remove(path: &Path) -> Result<(), IndexError> {
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(IndexError::Remove { path, source }),
        }
    }
    Ok(())
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({:?})", self.head)
    }
}

//! What single entries change.

use std::collections::BTreeSet;

use evidence::Timestamp;
use evidence::statement::{Enrolment, Observation, Predicate, Revocation};

use super::{Touched, Writer};
use crate::index::IndexError;
use crate::index::database::{Rows, signed};
use crate::index::entry::Entry;
use crate::index::host::{State, Statement, Stretch, Taken};
use crate::index::standing::HostStanding;
use crate::index::told::StatementRow;

impl Writer {
    pub(super) fn take(&mut self, entry: &Entry, touched: &mut Touched) -> Result<(), IndexError> {
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
        // A name on the list is missed at every instant before its host enrolled.
        let listed = self.rules.scope.is_some();
        touched.reaches(if listed { Timestamp::MIN } else { enrolment.at });
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
        // Answers about earlier instants tell of it too.
        touched.reaches(Timestamp::MIN);
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
        let taken = self.append(host, &statement)?;
        statement.write(host, taken.began, self.rows())?;
        touched.reaches(taken.reach);
        touched.hosts.insert(host);
        Ok(())
    }

    /// The statement's part in the stretches and runs of its host.
    fn append(&mut self, host: i64, statement: &Statement) -> Result<Taken, IndexError> {
        let mut state = self.states.get(&host).copied().unwrap_or_default();
        let taken = state.append(statement, self.rules.freshness())?;
        self.states.insert(host, state);
        if let Some(ended) = &taken.ended {
            ended.write(host, self.rows())?;
        }
        if let (true, Some(begun)) = (taken.new_stretch, state.stretch) {
            self.turn(host, taken.ended.as_ref(), &begun)?;
        }
        Ok(taken)
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
    pub(super) fn retell(&mut self) -> Result<(), IndexError> {
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
}

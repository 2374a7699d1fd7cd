//! The state at present, brought up to date at the end of a step.

use std::collections::BTreeSet;

use controls::assessment::Tenure;
use controls::assessment::scope::{Part, parts};
use controls::coverage::Stage;
use controls::verdict::Verdict;
use evidence::Timestamp;

use super::{Touched, Writer};
use crate::index::database::{Rows, timestamp, unsigned};
use crate::index::host::State;
use crate::index::moment::Said;
use crate::index::standing::HostStanding;
use crate::index::totals::By;
use crate::index::{InForce, IndexError, Totals};
use crate::query::HostReporting;

/// A host, as far as it matters where it stands.
pub(super) struct Member {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tenure: Tenure,
}

impl Writer {
    /// Counts all hosts anew: after the rules, the scope or the freshness have changed.
    pub(super) fn restate(&mut self) -> Result<(), IndexError> {
        let rows = Rows(&self.connection);
        rows.batch("forgetting where hosts stand", "DELETE FROM standing; DELETE FROM said")?;
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

    pub(super) fn settle(&mut self, mut touched: Touched, now: Timestamp) -> Result<(), IndexError> {
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

    pub(super) fn member(&self, host: i64) -> Result<Member, IndexError> {
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
            let (mut since, mut until, mut all_known) = (Timestamp::MIN, None, true);
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
                all_known &= judged.probe.is_some();
                since = since.max(judged.since);
                until = [until, judged.until].into_iter().flatten().min();
                // A document under the name of another probe: no rule that reads that name can say anything.
                for (place, verdict) in judged.verdicts.iter().filter(|_| judged.probe.as_ref() == Some(probe)) {
                    if let Some(cell) = verdicts.get_mut(*place) {
                        *cell = *verdict;
                    }
                }
            }
            // Of a document that is withheld nothing is kept: it may be there another time.
            if all_known {
                let said = Said::of(&verdicts, &self.places, |document| observed.contains(document));
                said.write(rows, seen.manifest, (since, until))?;
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

//! What rules say about facts documents: judged once, kept, and shared by every host that has the document.

use std::collections::HashMap;
use std::sync::Arc;

use controls::evaluation::Evaluation;
use controls::finding::Judge;
use controls::rule::Rule;
use controls::verdict::{Judgement, Verdict};
use evidence::facts::{FactsDocument, Outcome, ProbeId};
use evidence::{Digest, Timestamp};

use super::database::{Rows, timestamp};
use super::places::{Places, verdict_from_letter, verdict_letter};
use super::told::{Table, digest_of};
use super::{InForce, IndexError};
use crate::store::Store;

/// Documents whose verdicts are kept in memory before all are forgotten: some 30 MB.
const KEPT: usize = 100_000;

/// What the rules say about one facts document at an instant.
#[derive(Debug)]
pub(super) struct Judged {
    /// The probe that the document says it is of.
    pub(super) probe: Option<ProbeId>,
    /// Whether it was observed.
    pub(super) observed: bool,
    /// By place of the rule.
    pub(super) verdicts: Vec<(usize, Verdict)>,
    /// They hold from here,
    pub(super) since: Timestamp,
    /// until time alone may change any of them.
    pub(super) until: Option<Timestamp>,
}

impl Judged {
    fn holds(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// The judgements of one set of rules.
#[derive(Debug, Default)]
pub(super) struct Judgements(HashMap<i64, Arc<Judged>>);

/// Why a document cannot be judged: the words of `controls::assessment`.
pub(crate) fn withheld(digest: &Digest) -> String {
    format!("the facts document {digest} is withheld")
}

/// A facts document out of the store. `Err` says why it cannot be had.
pub(crate) fn load(store: &dyn Store, digest: &Digest) -> Result<Result<FactsDocument, String>, IndexError> {
    let Some(stored) = store.facts(digest)? else {
        return Ok(Err(withheld(digest)));
    };
    Ok(FactsDocument::from_bytes(&stored.bytes).map_err(|error| format!("the facts document {digest}: {error}")))
}

impl Judgements {
    /// Forgets what is in memory.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// What the rules say about a document at `at`; judges those that have not been asked yet.
    pub(super) fn at(
        &mut self,
        rows: Rows<'_>,
        store: &dyn Store,
        (rules, places): (&InForce, &Places),
        facts: i64,
        at: Timestamp,
    ) -> Result<Arc<Judged>, IndexError> {
        if let Some(judged) = self.0.get(&facts).filter(|judged| judged.holds(at)) {
            return Ok(Arc::clone(judged));
        }
        let judged = match Self::recall(rows, places, facts, at)? {
            Some(judged) => judged,
            None => Self::judge(rows, store, (rules, places), facts, at)?,
        };
        let judged = Arc::new(judged);
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        self.0.insert(facts, Arc::clone(&judged));
        Ok(judged)
    }

    /// What is kept, if it is all there.
    fn recall(rows: Rows<'_>, places: &Places, facts: i64, at: Timestamp) -> Result<Option<Judged>, IndexError> {
        let sql = "SELECT probe, observed FROM judged WHERE facts = ?1";
        let known = rows.one("reading judgements", sql, [facts], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })?;
        let Some((probe, observed)) = known else {
            return Ok(None);
        };
        let sql = "SELECT rule, verdict, until, since FROM judgement
            WHERE facts = ?1 AND since <= ?2 AND (until IS NULL OR until > ?2)";
        let kept = rows.many("reading judgements", sql, (facts, at.unix()), |row| {
            let said = (
                row.get::<_, String>(1)?,
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, i64>(3)?,
            );
            Ok((row.get::<_, Vec<u8>>(0)?, said))
        })?;
        let kept: HashMap<_, _> = kept.into_iter().collect();
        let probe = ProbeId::new(probe).ok();
        let mut verdicts = Vec::new();
        let (mut since, mut until) = (Timestamp::MIN, None);
        for (place, rule) in reading(places, probe.as_ref()) {
            let Some((verdict, ends, begins)) = kept.get(rule.key().as_bytes().as_slice()) else {
                return Ok(None);
            };
            verdicts.push((
                place,
                verdict.chars().next().map_or(Verdict::Unknown, verdict_from_letter),
            ));
            since = since.max(timestamp(*begins)?);
            until = [until, ends.map(timestamp).transpose()?].into_iter().flatten().min();
        }
        Ok(Some(Judged {
            probe,
            observed,
            verdicts,
            since,
            until,
        }))
    }

    fn judge(
        rows: Rows<'_>,
        store: &dyn Store,
        (rules, places): (&InForce, &Places),
        facts: i64,
        at: Timestamp,
    ) -> Result<Judged, IndexError> {
        let digest = digest_of(rows, Table::Facts, facts)?;
        let Ok(document) = load(store, &digest)? else {
            // Nothing is kept of it: it may be there another time.
            return Ok(Judged {
                probe: None,
                observed: false,
                verdicts: Vec::new(),
                since: at,
                until: None,
            });
        };
        let evaluation = Evaluation::new(&document, rules.set.schemas());
        let mut judged = Judged {
            probe: Some(document.probe.clone()),
            observed: document.outcome == Outcome::Observed,
            verdicts: Vec::new(),
            since: Timestamp::MIN,
            until: None,
        };
        for (place, rule) in reading(places, Some(&document.probe)) {
            let judgement = evaluation.judge(rule, at);
            judged.verdicts.push((place, judgement.verdict));
            judged.until = [judged.until, judgement.valid_until].into_iter().flatten().min();
            let since = if rule.reads_time() { at } else { Timestamp::MIN };
            judged.since = judged.since.max(since);
            keep(rows, facts, rule, since, &judgement)?;
        }
        let sql = "INSERT OR REPLACE INTO judged (facts, probe, observed, due) VALUES (?1, ?2, ?3, ?4)";
        let due = judged.until.map(Timestamp::unix);
        rows.run(
            "writing judgements",
            sql,
            (facts, document.probe.as_str(), judged.observed, due),
        )?;
        Ok(judged)
    }
}

fn reading<'p>(places: &'p Places, probe: Option<&'p ProbeId>) -> impl Iterator<Item = (usize, &'p Rule)> {
    let rules = places.rules.iter().map(AsRef::as_ref).enumerate();
    rules.filter(move |(_, rule)| Some(rule.reads()) == probe)
}

fn keep(rows: Rows<'_>, facts: i64, rule: &Rule, since: Timestamp, judgement: &Judgement) -> Result<(), IndexError> {
    let said = serde_json::to_string(judgement).map_err(IndexError::damaged)?;
    let sql = "INSERT OR REPLACE INTO judgement (facts, rule, since, until, verdict, said)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    rows.run(
        "writing judgements",
        sql,
        rusqlite::params![
            facts,
            rule.key().as_bytes().as_slice(),
            since.unix(),
            judgement.valid_until.map(Timestamp::unix),
            verdict_letter(judgement.verdict).to_string(),
            said,
        ],
    )?;
    Ok(())
}

/// Tells a judge all that is kept about a document.
pub(crate) fn remind(rows: Rows<'_>, rules: &InForce, digest: Digest, judge: &mut Judge) -> Result<(), IndexError> {
    let sql = "SELECT judgement.rule, judgement.since, judgement.said FROM judgement
        JOIN facts ON facts.id = judgement.facts WHERE facts.digest = ?1";
    let kept = rows.many("reading judgements", sql, [digest.as_bytes().as_slice()], |row| {
        Ok((
            row.get::<_, Vec<u8>>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
        ))
    })?;
    for (key, since, said) in kept {
        let rule = rules.set.rules().find(|rule| rule.key().as_bytes().as_slice() == key);
        let Some(rule) = rule else { continue };
        let judgement: Judgement = serde_json::from_str(&said).map_err(IndexError::damaged)?;
        judge.remember(rule, digest, timestamp(since)?, judgement);
    }
    Ok(())
}

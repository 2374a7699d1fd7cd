//! What `controls` makes of the statements that the index tells of: for any span, host by host.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use controls::assessment::scope::{Part, parts};
use controls::coverage::{Coverage, CoverageCounts, Enrolled as EnrolledRecord, HostCoverage, HostRecord};
use controls::finding::{FactsSource, Finding, Judge, findings_of_rule};
use controls::status::{HostCounts, Reporting, Standing};
use controls::timeline::Timeline;
use controls::verdict::Verdict;
use evidence::facts::{FactsDocument, Outcome};
use evidence::{Digest, Timestamp};

use super::asking::Asking;
use super::fleet::{Fleet, FleetHost, Judged};
use super::{HostReporting, QueryError, StandingCounts};
use crate::index::{Enrolled, Places, Said, judgements};
use crate::store::Store;

/// Judges what hosts told, and remembers it for the next host.
pub(super) struct Past<'a> {
    asking: &'a Asking<'a>,
    judge: Judge,
    reminded: HashSet<Digest>,
    observed: HashMap<Digest, Option<Outcome>>,
    source: StoredFacts<'a>,
}

/// Facts out of the store. A failure of the store is no reason to call something unknown: it is kept, and asked for later.
struct StoredFacts<'a> {
    store: &'a dyn Store,
    failure: Option<QueryError>,
    /// Documents that could not be had: they may be there another time.
    withheld: HashSet<Digest>,
}

/// From when on something holds, and until when; for ever without an end.
pub(super) type Holds = (Timestamp, Option<Timestamp>);

impl FactsSource for StoredFacts<'_> {
    fn facts(&mut self, digest: &Digest) -> Result<FactsDocument, String> {
        let loaded = judgements::load(self.store, digest).unwrap_or_else(|error| {
            let why = error.to_string();
            self.failure = Some(error.into());
            Err(why)
        });
        if loaded.is_err() {
            self.withheld.insert(*digest);
        }
        loaded
    }
}

/// One host over a span.
#[derive(Debug, Clone)]
pub(super) struct PastHost {
    host: Enrolled,
    part: Part,
    pub(super) coverage: HostCoverage,
    reporting: HostReporting,
    silent_since: Option<Timestamp>,
    /// The worst by each rule, in the order of the places.
    verdicts: Vec<Verdict>,
}

impl<'a> Past<'a> {
    pub(super) fn new(asking: &'a Asking<'a>) -> Self {
        Self {
            asking,
            judge: Judge::default(),
            reminded: HashSet::new(),
            observed: HashMap::new(),
            source: StoredFacts {
                store: asking.store,
                failure: None,
                withheld: HashSet::new(),
            },
        }
    }

    fn settled<T>(&mut self, answer: T) -> Result<T, QueryError> {
        match self.source.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }

    /// A host's statements, with what is kept about their facts at hand.
    pub(super) fn timeline(&mut self, host: &Enrolled) -> Result<Timeline, QueryError> {
        let (from, to) = self.asking.as_of.period();
        let timeline = self.asking.snapshot.timeline(host, from, to)?;
        for told in timeline.told() {
            for (probe, digest) in told.manifest.documents() {
                if self.asking.judging.places.documents.contains(probe) {
                    self.remind(digest)?;
                }
            }
        }
        Ok(timeline)
    }

    fn remind(&mut self, digest: &Digest) -> Result<(), QueryError> {
        if self.reminded.insert(*digest) {
            let rules = &self.asking.judging.rules;
            judgements::remind(self.asking.snapshot.rows(), rules, *digest, &mut self.judge)?;
        }
        Ok(())
    }

    /// What one rule, by its place, says about a host.
    pub(super) fn findings_of(
        &mut self,
        host: &Enrolled,
        timeline: &Timeline,
        place: usize,
    ) -> Result<Vec<Finding>, QueryError> {
        let judging = &self.asking.judging;
        let Some(rule) = judging.places.rules.get(place) else {
            return Ok(Vec::new());
        };
        let findings = findings_of_rule(
            &host.host,
            rule,
            judging.rules.set.schemas(),
            timeline,
            self.asking.as_of.period(),
            &mut self.judge,
            &mut self.source,
        );
        self.settled(findings)
    }

    /// What all rules say about a host.
    pub(super) fn findings(&mut self, host: &Enrolled, timeline: &Timeline) -> Result<Vec<Finding>, QueryError> {
        let mut findings = Vec::new();
        for place in 0..self.asking.judging.places.rules.len() {
            findings.extend(self.findings_of(host, timeline, place)?);
        }
        Ok(findings)
    }

    /// How the probe ended in a facts document; `None` if it is withheld.
    pub(super) fn outcome(&mut self, digest: &Digest) -> Result<Option<Outcome>, QueryError> {
        if let Some(outcome) = self.observed.get(digest) {
            return Ok(*outcome);
        }
        let outcome = self.source.facts(digest).ok().map(|document| document.outcome);
        self.observed.insert(*digest, outcome);
        self.settled(outcome)
    }

    /// Coverage of one host, or of a name in scope that never enrolled.
    fn coverage(
        &mut self,
        name: &str,
        part: Part,
        host: Option<(&Enrolled, &Timeline)>,
    ) -> Result<Coverage, QueryError> {
        let (from, to) = self.asking.as_of.period();
        // Only what is told at the end is asked for.
        let last = host.and_then(|(_, timeline)| timeline.as_of(to.plus(-1)));
        let mut observed = HashSet::new();
        let documents = last.iter().flat_map(|told| told.manifest.documents());
        for (probe, digest) in documents {
            let known = self.asking.judging.places.documents.contains(probe);
            if known && self.is_observed(digest)? {
                observed.insert(*digest);
            }
        }
        let record = HostRecord {
            name,
            in_scope: part == Part::InScope,
            enrolled: host.map(|(host, timeline)| EnrolledRecord {
                host: &host.host,
                at: host.tenure.enrolled_at,
                revoked: host.tenure.revoked_at,
                timeline,
            }),
        };
        let rules = &self.asking.judging.rules.set;
        let scope = self.asking.scope_source();
        Ok(Coverage::of([record], scope, rules, (from, to), |digest| {
            observed.contains(digest)
        }))
    }

    fn is_observed(&mut self, digest: &Digest) -> Result<bool, QueryError> {
        if let Some(outcome) = self.observed.get(digest) {
            return Ok(*outcome == Some(Outcome::Observed));
        }
        let sql = "SELECT observed FROM judged JOIN facts ON facts.id = judged.facts WHERE facts.digest = ?1";
        let rows = self.asking.snapshot.rows();
        let known = rows.one("reading judgements", sql, [digest.as_bytes().as_slice()], |row| {
            row.get::<_, bool>(0)
        })?;
        match known {
            Some(observed) => Ok(observed),
            None => Ok(self.outcome(digest)? == Some(Outcome::Observed)),
        }
    }

    /// One host over the span.
    pub(super) fn host(&mut self, host: Enrolled, part: Part) -> Result<(PastHost, Coverage), QueryError> {
        let timeline = self.timeline(&host)?;
        let coverage = self.coverage(&host.name, part, Some((&host, &timeline)))?;
        let own = match coverage.hosts.first() {
            Some(own) => own.clone(),
            // Outside the scope: the same questions, and nobody counts it.
            None => self.own_coverage(&host, &timeline)?,
        };
        let mut verdicts = Vec::new();
        for place in 0..self.asking.judging.places.rules.len() {
            let findings = self.findings_of(&host, &timeline, place)?;
            let worst = findings.iter().map(|finding| finding.verdict).reduce(Verdict::worse);
            verdicts.push(worst.unwrap_or(Verdict::Unknown));
        }
        let at = self.asking.as_of.instant();
        let speaks = timeline.as_of(at).is_some();
        let reporting = match (host.tenure.revoked_at, own.last_statement) {
            (Some(revoked), _) if revoked <= at => HostReporting::Revoked,
            (_, None) => HostReporting::NeverStated,
            _ if speaks => HostReporting::Fresh,
            _ => HostReporting::Silent,
        };
        let last = timeline.told().iter().rfind(|told| told.from <= at);
        let past = PastHost {
            silent_since: last.filter(|_| !speaks).map(|told| told.until),
            host,
            part,
            coverage: own,
            reporting,
            verdicts,
        };
        Ok((past, coverage))
    }

    fn own_coverage(&mut self, host: &Enrolled, timeline: &Timeline) -> Result<HostCoverage, QueryError> {
        let coverage = self.coverage(&host.name, Part::InScope, Some((host, timeline)))?;
        let own = coverage.hosts.into_iter().next();
        own.ok_or_else(|| QueryError::NotFound {
            what: "host",
            name: host.host.to_string(),
        })
    }

    /// What hosts of one name are to the span.
    pub(super) fn parts(&self, namesakes: &[Enrolled], listed: Option<bool>) -> Vec<Part> {
        let tenures: Vec<_> = namesakes.iter().map(|host| host.tenure).collect();
        parts(&tenures, listed, self.asking.as_of.period())
    }

    /// What the rules say about a manifest at the instant that is asked about, and how long that holds; `None` for how long
    /// if a document is withheld.
    pub(super) fn said(&mut self, manifest: i64) -> Result<(Said, Option<Holds>), QueryError> {
        let judging = &self.asking.judging;
        let (at, places) = (self.asking.as_of.instant(), &judging.places);
        let manifest = self.asking.snapshot.manifest(manifest)?;
        let mut verdicts = vec![Verdict::Unknown; places.rules.len()];
        let mut observed = BTreeSet::new();
        let mut holds = Some((Timestamp::MIN, None));
        for (probe, digest) in manifest.documents() {
            if !places.documents.contains(probe) {
                continue;
            }
            self.remind(digest)?;
            let reading = places.rules.iter().zip(&mut verdicts);
            for (rule, verdict) in reading.filter(|(rule, _)| rule.reads() == probe) {
                let schemas = judging.rules.set.schemas();
                let judgement = self.judge.judge(rule, digest, at, schemas, &mut self.source);
                *verdict = judgement.verdict;
                let begin = if rule.reads_time() { at } else { Timestamp::MIN };
                holds = holds.map(|(since, until): Holds| {
                    let until = [until, judgement.valid_until].into_iter().flatten().min();
                    (since.max(begin), until)
                });
            }
            if self.is_observed(digest)? {
                observed.insert(probe.clone());
            }
            if self.source.withheld.contains(digest) {
                holds = None;
            }
        }
        self.settled((Said::of(&verdicts, places, |probe| observed.contains(probe)), holds))
    }

    /// All hosts over the span, and their coverage.
    pub(super) fn fleet(&mut self) -> Result<(Fleet, Coverage), QueryError> {
        let scope = self.asking.snapshot.scope()?;
        let mut by_name: BTreeMap<String, Vec<Enrolled>> = BTreeMap::new();
        for name in scope.iter().flatten() {
            by_name.entry(name.clone()).or_default();
        }
        for host in self.asking.snapshot.hosts()? {
            by_name.entry(host.name.clone()).or_default().push(host);
        }
        let (from, to) = self.asking.as_of.period();
        let places = &self.asking.judging.places;
        let nothing = Said::nothing(places);
        let nothing = Arc::new(Judged::of(nothing.verdicts(), nothing.not_measured(places), places));
        let mut fleet = Fleet {
            hosts: Vec::new(),
            counts: CoverageCounts::default(),
            outside_scope: 0,
            rules: vec![HostCounts::default(); places.rules.len()],
            controls: vec![HostCounts::default(); places.controls.len()],
            reporting: Reporting {
                complete: true,
                with_gaps: 0,
                evidence_age: None,
            },
        };
        let mut all = Coverage {
            from,
            to,
            scope: self.asking.scope_source(),
            complete: true,
            counts: CoverageCounts::default(),
            hosts: Vec::new(),
            outside_scope: Vec::new(),
        };
        for (name, namesakes) in by_name {
            let listed = scope.as_ref().map(|scope| scope.contains(&name));
            if namesakes.is_empty() {
                let coverage = self.coverage(&name, Part::InScope, None)?;
                fleet.add(FleetHost::never_enrolled(&name, &nothing));
                add(&mut all, coverage);
            }
            let parts = self.parts(&namesakes, listed);
            for (host, part) in namesakes.into_iter().zip(parts) {
                let (past, coverage) = self.host(host, part)?;
                fleet.add(past.in_short(places));
                if part != Part::None {
                    add(&mut all, coverage);
                }
            }
        }
        all.hosts
            .sort_by(|left, right| (&left.name, &left.host).cmp(&(&right.name, &right.host)));
        all.outside_scope.sort();
        fleet.counts = all.counts;
        fleet.outside_scope = u64::try_from(all.outside_scope.len()).unwrap_or(u64::MAX);
        fleet.reporting = Reporting::of(&all);
        Ok((fleet, all))
    }
}

fn add(all: &mut Coverage, mut one: Coverage) {
    all.counts.scope += one.counts.scope;
    all.counts.enrolled += one.counts.enrolled;
    all.counts.reporting += one.counts.reporting;
    all.counts.fresh += one.counts.fresh;
    all.counts.measured += one.counts.measured;
    all.complete &= one.complete;
    all.hosts.append(&mut one.hosts);
    all.outside_scope.append(&mut one.outside_scope);
}

impl Fleet {
    fn add(&mut self, host: FleetHost) {
        if host.part == Part::InScope {
            for (counts, verdict) in self.rules.iter_mut().zip(&host.judged.verdicts) {
                counts.count(Standing::of(*verdict));
            }
            for (counts, standing) in self.controls.iter_mut().zip(&host.judged.controls) {
                counts.count(*standing);
            }
        }
        self.hosts.push(host);
    }
}

impl PastHost {
    /// As a list of all hosts has it.
    pub(super) fn in_short(self, places: &Places) -> FleetHost {
        FleetHost {
            name: self.host.name,
            enrolled: Some((self.host.host, self.host.tenure)),
            part: self.part,
            reporting: self.reporting,
            stage: self.coverage.stage,
            last_statement: self.coverage.last_statement,
            silent_since: self.silent_since,
            judged: Arc::new(Judged::of(self.verdicts, self.coverage.not_measured, places)),
        }
    }
}

impl StandingCounts {
    /// Counts verdicts.
    pub(super) fn of(verdicts: &[Verdict]) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Met => counts.met += 1,
                Verdict::NotMet => counts.not_met += 1,
                Verdict::Unknown => counts.unknown += 1,
                Verdict::NotApplicable => counts.not_applicable += 1,
            }
        }
        counts
    }
}

//! What `controls` makes of the statements that the index tells of: for any span, host by host.

use std::collections::{BTreeMap, HashMap, HashSet};

use controls::assessment::scope::{Part, parts};
use controls::coverage::{Coverage, CoverageCounts, Enrolled as EnrolledRecord, HostCoverage, HostRecord};
use controls::finding::{FactsSource, Finding, Judge, findings_of_rule};
use controls::status::{HostCounts, Reporting, Standing};
use controls::timeline::Timeline;
use controls::verdict::Verdict;
use evidence::facts::{FactsDocument, Outcome};
use evidence::{Digest, Timestamp};

use super::asking::Asking;
use super::{HostReporting, HostSummary, QueryError, StandingCounts};
use crate::index::{Enrolled, judgements};
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
}

impl FactsSource for StoredFacts<'_> {
    fn facts(&mut self, digest: &Digest) -> Result<FactsDocument, String> {
        judgements::load(self.store, digest).unwrap_or_else(|error| {
            let why = error.to_string();
            self.failure = Some(error.into());
            Err(why)
        })
    }
}

/// One host over a span.
#[derive(Debug, Clone)]
pub(super) struct PastHost {
    pub(super) host: Option<Enrolled>,
    pub(super) part: Part,
    pub(super) coverage: HostCoverage,
    pub(super) reporting: HostReporting,
    pub(super) silent_since: Option<Timestamp>,
    /// The worst by each rule, in the order of the places.
    pub(super) verdicts: Vec<Verdict>,
}

/// All hosts over a span, by name.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) hosts: Vec<PastHost>,
    pub(super) coverage: Coverage,
    /// Where hosts in scope stand by each rule.
    pub(super) rules: Vec<HostCounts>,
    /// Where they stand on each control that a rule bears on.
    pub(super) controls: Vec<HostCounts>,
    pub(super) reporting: Reporting,
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
                let read = self.asking.judging.places.documents.contains(probe);
                if read && self.reminded.insert(*digest) {
                    let rules = &self.asking.judging.rules;
                    judgements::remind(self.asking.snapshot.rows(), rules, *digest, &mut self.judge)?;
                }
            }
        }
        Ok(timeline)
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
            host: Some(host),
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

    /// All hosts over the span.
    pub(super) fn fleet(&mut self) -> Result<Fleet, QueryError> {
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
        let mut fleet = Fleet {
            hosts: Vec::new(),
            coverage: Coverage {
                from,
                to,
                scope: self.asking.scope_source(),
                complete: true,
                counts: CoverageCounts::default(),
                hosts: Vec::new(),
                outside_scope: Vec::new(),
            },
            rules: vec![HostCounts::default(); places.rules.len()],
            controls: vec![HostCounts::default(); places.controls.len()],
            reporting: Reporting {
                complete: true,
                with_gaps: 0,
                evidence_age: None,
            },
        };
        for (name, namesakes) in by_name {
            let listed = scope.as_ref().map(|scope| scope.contains(&name));
            if namesakes.is_empty() {
                let coverage = self.coverage(&name, Part::InScope, None)?;
                let own = coverage.hosts.first().cloned();
                let missing = own.map(|own| PastHost {
                    host: None,
                    part: Part::InScope,
                    coverage: own,
                    reporting: HostReporting::NeverStated,
                    silent_since: None,
                    verdicts: vec![Verdict::Unknown; places.rules.len()],
                });
                fleet.add(self.asking, missing, coverage);
            }
            let parts = self.parts(&namesakes, listed);
            for (host, part) in namesakes.into_iter().zip(parts) {
                let (past, coverage) = self.host(host, part)?;
                if part == Part::None {
                    fleet.hosts.push(past);
                } else {
                    fleet.add(self.asking, Some(past), coverage);
                }
            }
        }
        fleet
            .coverage
            .hosts
            .sort_by(|left, right| (&left.name, &left.host).cmp(&(&right.name, &right.host)));
        fleet.coverage.outside_scope.sort();
        fleet.reporting = Reporting::of(&fleet.coverage);
        Ok(fleet)
    }
}

impl Fleet {
    fn add(&mut self, asking: &Asking<'_>, host: Option<PastHost>, mut coverage: Coverage) {
        let counts = &mut self.coverage.counts;
        counts.scope += coverage.counts.scope;
        counts.enrolled += coverage.counts.enrolled;
        counts.reporting += coverage.counts.reporting;
        counts.fresh += coverage.counts.fresh;
        counts.measured += coverage.counts.measured;
        self.coverage.complete &= coverage.complete;
        self.coverage.hosts.append(&mut coverage.hosts);
        self.coverage.outside_scope.append(&mut coverage.outside_scope);
        let Some(host) = host else { return };
        if host.part == Part::InScope {
            for (counts, verdict) in self.rules.iter_mut().zip(&host.verdicts) {
                counts.count(Standing::of(*verdict));
            }
            for (counts, place) in self.controls.iter_mut().zip(&asking.judging.places.controls) {
                counts.count(place.standing(&host.verdicts));
            }
        }
        self.hosts.push(host);
    }
}

impl PastHost {
    /// In short; `None` if it never enrolled.
    pub(super) fn summary(&self) -> Option<HostSummary> {
        let host = self.host.as_ref()?;
        Some(HostSummary {
            host: host.host.clone(),
            name: host.name.clone(),
            in_scope: self.part == Part::InScope,
            reporting: self.reporting,
            stage: self.coverage.stage,
            enrolled_at: host.tenure.enrolled_at,
            revoked_at: host.tenure.revoked_at,
            last_statement: self.coverage.last_statement,
            silent_since: self.silent_since,
            standing: self
                .verdicts
                .iter()
                .copied()
                .reduce(Verdict::worse)
                .unwrap_or(Verdict::Unknown),
            verdicts: StandingCounts::of(&self.verdicts),
        })
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

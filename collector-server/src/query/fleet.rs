//! All hosts over a span, in short: at an instant out of rows of the index, over a period out of every host's timeline.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use controls::assessment::Tenure;
use controls::assessment::scope::{Part, parts};
use controls::coverage::{Coverage, CoverageCounts, CoverageGap, GapKind, HostCoverage, Stage};
use controls::status::{HostCounts, Reporting, Standing};
use controls::verdict::Verdict;
use evidence::Timestamp;
use evidence::facts::ProbeId;
use evidence::statement::HostId;

use super::asking::Asking;
use super::past::{Holds, Past};
use super::{HostReporting, HostSummary, QueryError, StandingCounts};
use crate::cache::Generations;
use crate::index::{HostAt, Places, Said};

/// Instants of which all hosts are kept: some 25 MB each with 100,000 hosts.
const KEPT: usize = 4;
/// Manifests of which it is kept what rules say: some 200 bytes each.
const SAID: usize = 50_000;

/// What rules say about hosts that tell the same.
#[derive(Debug)]
pub(super) struct Judged {
    /// By each rule, in the order of the places.
    pub(super) verdicts: Vec<Verdict>,
    /// On each control that a rule bears on.
    pub(super) controls: Vec<Standing>,
    /// The worst of the verdicts.
    pub(super) worst: Verdict,
    /// How many rules have which verdict.
    pub(super) counts: StandingCounts,
    /// Documents that rules read and that were not observed at the end.
    not_measured: Vec<ProbeId>,
}

/// One host over a span.
#[derive(Debug)]
pub(super) struct FleetHost {
    pub(super) name: String,
    /// Its id and how long it was a member; `None` if it never enrolled.
    pub(super) enrolled: Option<(HostId, Tenure)>,
    pub(super) part: Part,
    pub(super) reporting: HostReporting,
    pub(super) stage: Stage,
    pub(super) last_statement: Option<Timestamp>,
    pub(super) silent_since: Option<Timestamp>,
    pub(super) judged: Arc<Judged>,
}

/// All hosts over a span, by name.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) hosts: Vec<FleetHost>,
    pub(super) counts: CoverageCounts,
    pub(super) outside_scope: u64,
    /// Where hosts in scope stand by each rule.
    pub(super) rules: Vec<HostCounts>,
    /// Where they stand on each control that a rule bears on.
    pub(super) controls: Vec<HostCounts>,
    pub(super) reporting: Reporting,
}

/// All hosts at the instants that were asked about last.
#[derive(Debug)]
pub(super) struct Moments {
    kept: Mutex<Vec<(Timestamp, u64, Arc<Fleet>)>>,
    /// Held while one is made, so that those who ask for the same instant wait and do not make it again.
    making: Mutex<()>,
    /// What rules say about manifests of which the index keeps nothing, and how long that holds.
    said: Generations<i64, (Said, Holds)>,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            making: Mutex::default(),
            said: Generations::new(SAID),
        }
    }
}

impl Moments {
    fn find(&self, asking: &Asking<'_>, at: Timestamp) -> Result<Option<Arc<Fleet>>, QueryError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = kept.iter().position(|(instant, ..)| *instant == at) else {
            return Ok(None);
        };
        let (_, position, fleet) = kept.remove(place);
        if asking.snapshot.still_told(position, at)? {
            let position = asking.snapshot.head().position;
            kept.push((at, position, Arc::clone(&fleet)));
            return Ok(Some(fleet));
        }
        Ok(None)
    }

    fn keep(&self, asking: &Asking<'_>, at: Timestamp, fleet: &Arc<Fleet>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(instant, ..)| *instant != at);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((at, asking.snapshot.head().position, Arc::clone(fleet)));
    }
}

impl Judged {
    pub(super) fn of(verdicts: Vec<Verdict>, not_measured: Vec<ProbeId>, places: &Places) -> Self {
        Self {
            controls: places.controls.iter().map(|place| place.standing(&verdicts)).collect(),
            worst: verdicts
                .iter()
                .copied()
                .reduce(Verdict::worse)
                .unwrap_or(Verdict::Unknown),
            counts: StandingCounts::of(&verdicts),
            verdicts,
            not_measured,
        }
    }
}

impl Asking<'_> {
    /// All hosts over the span.
    pub(super) fn fleet(&self) -> Result<Arc<Fleet>, QueryError> {
        if !self.instant {
            return Ok(Arc::new(Past::new(self).fleet()?.0));
        }
        let (at, moments) = (self.as_of.instant(), &self.judging.moments);
        if let Some(fleet) = moments.find(self, at)? {
            return Ok(fleet);
        }
        let _making = moments.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fleet) = moments.find(self, at)? {
            return Ok(fleet);
        }
        let fleet = Arc::new(Moment::new(self, at).fleet()?);
        // The present is another instant a second later.
        if !self.present {
            moments.keep(self, at, &fleet);
        }
        Ok(fleet)
    }

    /// Coverage, host by host.
    pub(super) fn coverage(&self) -> Result<Coverage, QueryError> {
        if self.instant {
            Ok(self.fleet()?.coverage(self))
        } else {
            Ok(Past::new(self).fleet()?.1)
        }
    }
}

/// All hosts at an instant, being made.
struct Moment<'a> {
    asking: &'a Asking<'a>,
    past: Past<'a>,
    at: Timestamp,
    by_manifest: HashMap<i64, Arc<Judged>>,
    /// Hosts with the same letters share what they say.
    by_letters: HashMap<Said, Arc<Judged>>,
}

impl<'a> Moment<'a> {
    fn new(asking: &'a Asking<'a>, at: Timestamp) -> Self {
        Self {
            asking,
            past: Past::new(asking),
            at,
            by_manifest: HashMap::new(),
            by_letters: HashMap::new(),
        }
    }

    fn fleet(mut self) -> Result<Fleet, QueryError> {
        let scope = self.asking.snapshot.scope()?;
        let listed = |name: &String| scope.as_ref().map(|scope| scope.contains(name));
        let mut missing = scope.iter().flatten().peekable();
        let hosts = self.asking.snapshot.hosts_at(self.at)?;
        let mut all = Vec::with_capacity(hosts.len());
        let nothing = self.shared(Said::nothing(&self.asking.judging.places));
        for namesakes in hosts.chunk_by(|left, right| left.name == right.name) {
            let Some(first) = namesakes.first() else { continue };
            while let Some(name) = missing.next_if(|name| **name < first.name) {
                all.push(FleetHost::never_enrolled(name, &nothing));
            }
            missing.next_if(|name| **name == first.name);
            let tenures: Vec<_> = namesakes.iter().map(|host| host.tenure).collect();
            let parts = parts(&tenures, listed(&first.name), self.asking.as_of.period());
            for (host, part) in namesakes.iter().zip(parts) {
                all.push(self.host(host, part, &nothing)?);
            }
        }
        all.extend(missing.map(|name| FleetHost::never_enrolled(name, &nothing)));
        Ok(Fleet::of(all, self.asking))
    }

    fn shared(&mut self, said: Said) -> Arc<Judged> {
        let places = &self.asking.judging.places;
        let judged = self
            .by_letters
            .entry(said)
            .or_insert_with_key(|said| Arc::new(Judged::of(said.verdicts(), said.not_measured(places), places)));
        Arc::clone(judged)
    }

    /// What the rules say about a manifest.
    fn judged(&mut self, manifest: i64) -> Result<Arc<Judged>, QueryError> {
        if let Some(judged) = self.by_manifest.get(&manifest) {
            return Ok(Arc::clone(judged));
        }
        let said = match self.asking.snapshot.said(manifest, self.at)? {
            Some(said) => said,
            None => self.said_before(manifest)?,
        };
        let judged = self.shared(said);
        self.by_manifest.insert(manifest, Arc::clone(&judged));
        Ok(judged)
    }

    /// The same of a manifest that no host had since these rules came into force.
    fn said_before(&mut self, manifest: i64) -> Result<Said, QueryError> {
        let moments = &self.asking.judging.moments;
        let holds = |(since, until): Holds| since <= self.at && until.is_none_or(|until| self.at < until);
        if let Some((said, span)) = moments.said.get(&manifest)
            && holds(span)
        {
            return Ok(said);
        }
        let (said, span) = self.past.said(manifest)?;
        if let Some(span) = span {
            moments.said.insert(manifest, (said.clone(), span));
        }
        Ok(said)
    }

    fn host(&mut self, host: &HostAt, part: Part, nothing: &Arc<Judged>) -> Result<FleetHost, QueryError> {
        let (at, tenure) = (self.at, host.tenure);
        let speaking = host.told.filter(|told| at < told.until);
        let judged = match speaking {
            Some(told) => self.judged(told.manifest)?,
            None => Arc::clone(nothing),
        };
        let member = tenure.enrolled_at <= at;
        let stage = match speaking {
            _ if !member => Stage::Missing,
            None => Stage::Enrolled,
            Some(_) if judged.not_measured.is_empty() => Stage::Measured,
            Some(_) => Stage::Fresh,
        };
        let last_statement = host.told.map(|told| told.began).filter(|_| member);
        let reporting = match (tenure.revoked_at, last_statement, speaking) {
            (Some(revoked), ..) if revoked <= at => HostReporting::Revoked,
            (_, None, _) => HostReporting::NeverStated,
            (_, _, Some(_)) => HostReporting::Fresh,
            _ => HostReporting::Silent,
        };
        Ok(FleetHost {
            name: host.name.clone(),
            enrolled: Some((host.host.clone(), tenure)),
            part,
            reporting,
            stage,
            last_statement,
            silent_since: host.told.map(|told| told.until).filter(|until| *until <= at),
            judged,
        })
    }
}

impl FleetHost {
    pub(super) fn never_enrolled(name: &str, nothing: &Arc<Judged>) -> Self {
        Self {
            name: name.to_owned(),
            enrolled: None,
            part: Part::InScope,
            reporting: HostReporting::NeverStated,
            stage: Stage::Missing,
            last_statement: None,
            silent_since: None,
            judged: Arc::clone(nothing),
        }
    }

    /// In short, of a host that enrolled.
    pub(super) fn summary(&self, host: &HostId, tenure: &Tenure) -> HostSummary {
        HostSummary {
            host: host.clone(),
            name: self.name.clone(),
            in_scope: self.part == Part::InScope,
            reporting: self.reporting,
            stage: self.stage,
            enrolled_at: tenure.enrolled_at,
            revoked_at: tenure.revoked_at,
            last_statement: self.last_statement,
            silent_since: self.silent_since,
            standing: self.judged.worst,
            verdicts: self.judged.counts,
        }
    }

    /// Why no statement speaks for it at an instant; `None` if one does.
    fn gap(&self, at: Timestamp) -> Option<GapKind> {
        match &self.enrolled {
            _ if self.stage >= Stage::Reporting => None,
            Some((_, tenure)) if self.stage == Stage::Enrolled => {
                let revoked = tenure.revoked_at.is_some_and(|revoked| revoked <= at);
                Some(if revoked { GapKind::Revoked } else { GapKind::Silent })
            }
            _ => Some(GapKind::NotEnrolled),
        }
    }

    fn coverage(&self, at: Timestamp) -> HostCoverage {
        let gap = self.gap(at).map(|kind| CoverageGap {
            kind,
            from: at,
            to: at.plus(1),
        });
        let missing = self.stage == Stage::Missing;
        HostCoverage {
            name: self.name.clone(),
            host: self.enrolled.as_ref().map(|(host, _)| host.clone()),
            stage: self.stage,
            last_statement: self.last_statement,
            gaps: gap.into_iter().collect(),
            not_measured: if missing {
                Vec::new()
            } else {
                self.judged.not_measured.clone()
            },
        }
    }
}

impl Fleet {
    /// All hosts at an instant.
    fn of(hosts: Vec<FleetHost>, asking: &Asking<'_>) -> Self {
        let places = &asking.judging.places;
        let mut fleet = Self {
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
        // Many hosts share what rules say about them: each is counted once, times its hosts.
        let mut sharing: HashMap<*const Judged, (&Judged, u64)> = HashMap::new();
        let (mut oldest, mut all_stated) = (None, true);
        for host in &hosts {
            if host.part == Part::OutsideScope {
                fleet.outside_scope += 1;
            }
            if host.part != Part::InScope {
                continue;
            }
            sharing.entry(Arc::as_ptr(&host.judged)).or_insert((&host.judged, 0)).1 += 1;
            for (stage, count) in [
                (Stage::Missing, &mut fleet.counts.scope),
                (Stage::Enrolled, &mut fleet.counts.enrolled),
                (Stage::Reporting, &mut fleet.counts.reporting),
                (Stage::Fresh, &mut fleet.counts.fresh),
                (Stage::Measured, &mut fleet.counts.measured),
            ] {
                *count += u64::from(host.stage >= stage);
            }
            match host.last_statement {
                Some(last) => oldest = Some(oldest.map_or(last, |oldest| last.min(oldest))),
                None => all_stated = false,
            }
        }
        for (judged, hosts) in sharing.into_values() {
            let standings = judged.verdicts.iter().copied().map(Standing::of);
            for (counts, standing) in fleet.rules.iter_mut().zip(standings) {
                counts.count_many(standing, hosts);
            }
            for (counts, standing) in fleet.controls.iter_mut().zip(&judged.controls) {
                counts.count_many(*standing, hosts);
            }
        }
        fleet.reporting.with_gaps = fleet.counts.scope - fleet.counts.fresh;
        fleet.reporting.complete = fleet.reporting.with_gaps == 0;
        let age = |oldest: Timestamp| u64::try_from(asking.as_of.to.since(oldest)).ok();
        fleet.reporting.evidence_age = oldest.filter(|_| all_stated).and_then(age);
        fleet.hosts = hosts;
        fleet
    }

    /// Coverage at an instant.
    fn coverage(&self, asking: &Asking<'_>) -> Coverage {
        let (from, to) = asking.as_of.period();
        let of = |part| self.hosts.iter().filter(move |host| host.part == part);
        let mut hosts: Vec<_> = of(Part::InScope).map(|host| host.coverage(from)).collect();
        hosts.sort_by(|left, right| (&left.name, &left.host).cmp(&(&right.name, &right.host)));
        Coverage {
            from,
            to,
            scope: asking.scope_source(),
            complete: self.reporting.complete,
            counts: self.counts,
            hosts,
            outside_scope: of(Part::OutsideScope).map(|host| host.name.clone()).collect(),
        }
    }
}

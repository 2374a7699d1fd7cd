//! From statements of several hosts to the status of controls.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use controls::catalogue;
use controls::coverage::{Coverage, Enrolled, GapKind, HostRecord, ScopeSource, Stage};
use controls::finding::{self, FactsSource, Finding, Judge};
use controls::schema::Schemas;
use controls::status::{self, ControlStatus, Status};
use controls::timeline::{Observation, Timeline};
use controls::verdict::Verdict;
use controls::{Baseline, RuleSet};
use evidence::facts::{FactsDocument, Outcome, ProbeId};
use evidence::manifest::Manifest;
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use serde_json::json;

const RULES: [(&str, &str); 2] = [
    (
        "count-small",
        "id: count-small\ntitle: The count is small\nreads: t\nversion: 1\napplies_when: facts.count > 0\n\
         expect: facts.count < 10\nobserved: {count: facts.count}\nseverity: high\nrationale: r\nremedy: r\n\
         cannot_see: [c]\ncontrols: [{catalogue: iso27001-2022, control: A.8.24, bearing: direct, because: b}]\ncases: []\n",
    ),
    (
        "until-later",
        "id: until-later\ntitle: The end has not come\nreads: t\nversion: 1\nexpect: now < facts.until\n\
         changes_at: [facts.until]\nobserved: {until: facts.until}\nseverity: low\nrationale: r\nremedy: r\n\
         cannot_see: [c]\ncontrols: [{catalogue: iso27001-2022, control: A.8.8, bearing: direct, because: b},\n\
         {catalogue: iso27001-2022, control: A.8.24, bearing: supporting, because: b}]\ncases: []\n",
    ),
];

fn rules() -> RuleSet {
    let mut schemas = Schemas::default();
    let schema = json!({"document": "t", "version": 1, "facts": {"type": "object", "required": ["count", "until"],
        "properties": {"count": {"type": "integer"}, "until": {"type": "string", "format": "date-time"}}}});
    schemas.add("t", schema.to_string().as_bytes()).unwrap();
    RuleSet::load_with(RULES, &Baseline::default(), Arc::new(schemas)).unwrap()
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_date(2026, 11, 24).unwrap().plus(hour * 3600)
}

#[derive(Default)]
struct Facts {
    documents: BTreeMap<Digest, FactsDocument>,
    asked: usize,
}

impl Facts {
    fn add(&mut self, count: i64, until: i64) -> Arc<Manifest> {
        let document = FactsDocument {
            probe: ProbeId::new("t").unwrap(),
            version: 1,
            outcome: Outcome::Observed,
            detail: String::new(),
            sources: Vec::new(),
            facts: Some(json!({"count": count, "until": at(until).to_string()})),
        };
        let digest = Digest::of(&document.to_bytes().unwrap());
        self.documents.insert(digest, document);
        Arc::new(Manifest::new([(ProbeId::new("t").unwrap(), digest)]))
    }
}

impl FactsSource for Facts {
    fn facts(&mut self, digest: &Digest) -> Result<FactsDocument, String> {
        self.asked += 1;
        self.documents
            .get(digest)
            .cloned()
            .ok_or_else(|| "the facts were withheld".to_owned())
    }
}

fn timeline(hours: std::ops::Range<i64>, manifest: &Arc<Manifest>) -> Timeline {
    let observations = hours.map(|hour| Observation {
        index: u64::try_from(hour + 100).unwrap(),
        observed_at: at(hour),
        held_until: None,
        lost: false,
        manifest: Arc::clone(manifest),
    });
    Timeline::of(7_500, observations).unwrap()
}

struct Fleet {
    rules: RuleSet,
    facts: Facts,
    hosts: Vec<(HostId, Timeline)>,
}

impl Fleet {
    fn new(hosts: &[(std::ops::Range<i64>, i64, i64)]) -> Self {
        let mut facts = Facts::default();
        let hosts = hosts
            .iter()
            .enumerate()
            .map(|(number, (hours, count, until))| {
                let manifest = facts.add(*count, *until);
                (
                    HostId::new(format!("h{number}")).unwrap(),
                    timeline(hours.clone(), &manifest),
                )
            })
            .collect();
        Self {
            rules: rules(),
            facts,
            hosts,
        }
    }

    fn findings(&mut self, period: (Timestamp, Timestamp)) -> Vec<Finding> {
        let mut judge = Judge::default();
        self.hosts
            .iter()
            .flat_map(|(host, timeline)| {
                finding::findings(host, &self.rules, timeline, period, &mut judge, &mut self.facts)
            })
            .collect()
    }

    fn coverage(&self, (from, to): (Timestamp, Timestamp), missing: &[&str]) -> Coverage {
        let enrolled = self.hosts.iter().map(|(host, timeline)| HostRecord {
            name: host.as_str(),
            in_scope: true,
            enrolled: Some(Enrolled {
                host,
                at: at(-1000),
                revoked: None,
                timeline,
            }),
        });
        let missing = missing.iter().map(|name| HostRecord {
            name,
            in_scope: true,
            enrolled: None,
        });
        Coverage::of(
            enrolled.chain(missing),
            ScopeSource::List,
            &self.rules,
            (from, to),
            |_| true,
        )
    }

    fn status(&mut self, period: (Timestamp, Timestamp), missing: &[&str]) -> Vec<ControlStatus> {
        let findings = self.findings(period);
        let coverage = self.coverage(period, missing);
        let catalogue = catalogue::find(catalogue::DEFAULT).unwrap();
        status::fold(catalogue, &self.rules, &coverage, &findings, |_| false)
    }
}

fn of<'a>(controls: &'a [ControlStatus], id: &str) -> &'a ControlStatus {
    controls.iter().find(|control| control.id.as_str() == id).unwrap()
}

#[test]
fn everything_met_and_covered_is_supported() {
    let mut fleet = Fleet::new(&[(0..24, 5, 100), (0..24, 0, 100)]);
    let controls = fleet.status((at(1), at(20)), &[]);
    assert_eq!(controls.len(), 93);
    let control = of(&controls, "A.8.24");
    assert_eq!(
        (control.status, control.hosts.met, control.rules.len()),
        (Status::Supported, 2, 2),
        "{}",
        control.reason
    );
    assert_eq!(control.rules[0].hosts.not_applicable, 1);
    assert_eq!(control.evidence_age, Some(3600));
    assert_eq!(of(&controls, "A.5.1").status, Status::NotEvidenced);
    let json = serde_json::to_value(control).unwrap();
    assert_eq!(json["status"], "supported");
    assert_eq!(
        json["hosts"],
        json!({"met": 2, "not_met": 0, "unknown": 0, "not_applicable": 0, "excepted": 0})
    );
}

#[test]
fn one_host_contradicts_even_if_others_are_silent() {
    let mut fleet = Fleet::new(&[(0..24, 5, 100), (0..24, 50, 100), (0..3, 5, 100)]);
    let controls = fleet.status((at(1), at(20)), &["lost-laptop"]);
    let control = of(&controls, "A.8.24");
    assert_eq!(control.status, Status::Contradicted);
    assert_eq!(
        (control.hosts.not_met, control.hosts.unknown, control.hosts.total()),
        (1, 2, 4)
    );
    assert_eq!(control.reason, "not met on 1 of 4 hosts: count-small");
    assert_eq!(control.evidence_age, None);
}

#[test]
fn an_exception_takes_the_contradiction_away_and_does_not_support() {
    let mut fleet = Fleet::new(&[(0..24, 5, 100), (0..24, 50, 100)]);
    let period = (at(1), at(20));
    let findings = fleet.findings(period);
    let coverage = fleet.coverage(period, &[]);
    let catalogue = catalogue::find(catalogue::DEFAULT).unwrap();
    let controls = status::fold(catalogue, &fleet.rules, &coverage, &findings, |finding| {
        finding.host.as_str() == "h1"
    });
    let control = of(&controls, "A.8.24");
    assert_eq!((control.status, control.hosts.excepted), (Status::Unknown, 1));
}

#[test]
fn silence_and_missing_hosts_keep_a_control_from_being_supported() {
    let mut silent = Fleet::new(&[(0..24, 5, 100), (0..10, 5, 100)]);
    let controls = silent.status((at(1), at(20)), &[]);
    assert_eq!(of(&controls, "A.8.24").status, Status::Unknown);
    assert_eq!(
        of(&controls, "A.8.24").reason,
        "coverage is not complete: 1 of 2 hosts did not report all the time"
    );
    let mut missing = Fleet::new(&[(0..24, 5, 100)]);
    assert_eq!(
        of(&missing.status((at(1), at(20)), &["never-seen"]), "A.8.24").status,
        Status::Unknown
    );
    // Nothing applies: nothing is shown.
    let mut nowhere = Fleet::new(&[(0..24, 0, 100)]);
    assert_eq!(
        of(&nowhere.status((at(1), at(20)), &[]), "A.8.24").status,
        Status::Unknown
    );
    let mut nobody = Fleet::new(&[]);
    assert_eq!(
        of(&nobody.status((at(1), at(20)), &[]), "A.8.24").status,
        Status::Unknown
    );
}

#[test]
fn findings_follow_time_and_silence() {
    let mut fleet = Fleet::new(&[(0..10, 5, 6)]);
    let findings = fleet.findings((at(2), at(20)));
    let told: Vec<_> = findings
        .iter()
        .filter(|finding| finding.rule == "until-later")
        .map(|finding| (finding.from, finding.to, finding.verdict))
        .collect();
    let end = at(9).plus(7_500);
    assert_eq!(
        told,
        [
            (at(2), at(6), Verdict::Met),
            (at(6), end, Verdict::NotMet),
            (end, at(20), Verdict::Unknown),
        ]
    );
    let silent = findings.last().unwrap();
    assert_eq!(
        silent.reason,
        "no statement from 2026-11-24T11:05:00Z to 2026-11-24T20:00:00Z"
    );
    assert_eq!((silent.facts, silent.first_index), (None, None));
    let met = findings.iter().find(|finding| finding.rule == "until-later").unwrap();
    assert_eq!((met.first_index, met.last_index), (Some(102), Some(109)));
    // One document, two rules, one of them in two segments.
    assert_eq!(fleet.facts.asked, 3);
}

#[test]
fn withheld_facts_and_probes_that_do_not_run_are_unknown() {
    let mut fleet = Fleet::new(&[(0..10, 5, 6)]);
    fleet.facts.documents.clear();
    assert!(
        fleet
            .findings((at(2), at(5)))
            .iter()
            .all(|finding| finding.reason == "the facts were withheld")
    );
    fleet.hosts[0].1 = timeline(0..10, &Arc::default());
    let findings = fleet.findings((at(2), at(5)));
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Unknown));
    assert_eq!(findings[0].reason, "the agent does not run the probe t");
}

#[test]
fn coverage_counts_stages_and_names_gaps() {
    let fleet = Fleet::new(&[(0..24, 5, 100), (0..5, 5, 100), (30..31, 5, 100)]);
    let mut coverage = fleet.coverage((at(1), at(20)), &["never-seen"]);
    let counts = coverage.counts;
    assert_eq!(
        (
            counts.scope,
            counts.enrolled,
            counts.reporting,
            counts.fresh,
            counts.measured
        ),
        (4, 3, 2, 1, 1)
    );
    assert!(!coverage.complete);
    let missing = coverage.hosts.pop().unwrap();
    assert_eq!(
        (missing.stage, missing.gaps[0].kind),
        (Stage::Missing, GapKind::NotEnrolled)
    );
    let (host, timeline) = &fleet.hosts[1];
    let cut = Coverage::of(
        [HostRecord {
            name: "db",
            in_scope: true,
            enrolled: Some(Enrolled {
                host,
                at: at(-2),
                revoked: Some(at(10)),
                timeline,
            }),
        }],
        ScopeSource::Enrolled,
        &fleet.rules,
        (at(-5), at(20)),
        |_| false,
    );
    let gaps: Vec<_> = cut.hosts[0]
        .gaps
        .iter()
        .map(|gap| (gap.kind, gap.from, gap.to))
        .collect();
    assert_eq!(
        gaps,
        [
            (GapKind::NotEnrolled, at(-5), at(-2)),
            (GapKind::Silent, at(-2), at(0)),
            (GapKind::Silent, at(4).plus(7_500), at(10)),
            (GapKind::Revoked, at(10), at(20)),
        ]
    );
    assert_eq!(cut.hosts[0].not_measured.len(), 1);
}

#[test]
fn results_read_back_as_they_were_written() {
    let mut fleet = Fleet::new(&[(0..24, 5, 10), (0..5, 50, 100)]);
    let period = (at(1), at(20));
    let findings = fleet.findings(period);
    let coverage = fleet.coverage(period, &["never-seen"]);
    let controls = fleet.status(period, &["never-seen"]);
    let bytes = evidence::json::canonical(&findings).unwrap();
    assert_eq!(
        evidence::json::from_canonical::<Vec<Finding>>(&bytes).unwrap(),
        findings
    );
    let bytes = evidence::json::canonical(&controls).unwrap();
    assert_eq!(
        evidence::json::from_canonical::<Vec<ControlStatus>>(&bytes).unwrap(),
        controls
    );
    let bytes = evidence::json::canonical(&coverage).unwrap();
    assert_eq!(evidence::json::from_canonical::<Coverage>(&bytes).unwrap(), coverage);
}

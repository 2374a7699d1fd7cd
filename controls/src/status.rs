//! The status of controls: what findings of all hosts in scope, together with coverage, amount to.
//!
//! We say *supports* and *contradicts*, never *satisfies*, and there is no percentage. Over a period the worst of a
//! host's verdicts stands for it.

use std::collections::{BTreeSet, HashMap};

use evidence::statement::HostId;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, Control, ControlId, Reach};
use crate::coverage::Coverage;
use crate::finding::Finding;
use crate::rule::{Bearing, Rule, RuleSet, Severity, Weight};
use crate::verdict::Verdict;

/// What evidence from hosts amounts to for a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every rule that bears directly on it is met on every host in scope, or does not apply there; coverage is complete.
    Supported,
    /// A rule that bears on it is not met on a host in scope, without exception.
    Contradicted,
    /// Anything that is missing for either.
    Unknown,
    /// No rule bears on it.
    NotEvidenced,
}

impl Status {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Contradicted => "contradicted",
            Self::Unknown => "unknown",
            Self::NotEvidenced => "not_evidenced",
        }
    }
}

/// Where hosts stand; each host is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostCounts {
    /// Hosts on which it is met.
    pub met: u64,
    /// Hosts on which it is not met.
    pub not_met: u64,
    /// Hosts of which it is not known.
    pub unknown: u64,
    /// Hosts to which it does not apply.
    pub not_applicable: u64,
    /// Hosts on which it is not met by an accepted exception.
    pub excepted: u64,
}

impl HostCounts {
    /// Counts one more host.
    pub fn count(&mut self, standing: Standing) {
        self.count_many(standing, 1);
    }

    /// Counts more hosts that stand alike.
    pub fn count_many(&mut self, standing: Standing, hosts: u64) {
        match standing {
            Standing::NotApplicable => self.not_applicable += hosts,
            Standing::Met => self.met += hosts,
            Standing::Excepted => self.excepted += hosts,
            Standing::Unknown => self.unknown += hosts,
            Standing::NotMet => self.not_met += hosts,
        }
    }

    /// All hosts.
    pub fn total(&self) -> u64 {
        self.met + self.not_met + self.unknown + self.not_applicable + self.excepted
    }
}

/// A host's standing, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does not apply.
    NotApplicable,
    /// It is met.
    Met,
    /// It is not met, by an accepted exception.
    Excepted,
    /// It is not known.
    Unknown,
    /// It is not met.
    NotMet,
}

impl Standing {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::Met => "met",
            Self::Excepted => "excepted",
            Self::Unknown => "unknown",
            Self::NotMet => "not_met",
        }
    }

    /// What a verdict makes of a host, without an exception.
    pub const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Met => Self::Met,
            Verdict::NotApplicable => Self::NotApplicable,
            Verdict::Unknown => Self::Unknown,
            Verdict::NotMet => Self::NotMet,
        }
    }
}

/// A rule that bears on a control, with where hosts stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleStatus {
    /// The rule's id.
    pub id: String,
    /// What it finds.
    pub title: String,
    /// How much a `not_met` matters.
    pub severity: Severity,
    /// How much it says about the control.
    pub bearing: Weight,
    /// The argument.
    pub because: String,
    /// Where hosts stand.
    pub hosts: HostCounts,
}

/// The status of one control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlStatus {
    /// The control's id, such as `A.8.24`.
    pub id: ControlId,
    /// The catalogue's id, such as `iso27001-2022`.
    pub catalogue: String,
    /// The control's name.
    pub name: String,
    /// The status.
    pub status: Status,
    /// Why, one sentence.
    pub reason: String,
    /// How far evidence from hosts can reach for this control, if that has been assessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// Where hosts stand, each by the worst of its rules.
    pub hosts: HostCounts,
    /// The rules that bear on it, direct ones first.
    pub rules: Vec<RuleStatus>,
    /// Seconds between the oldest of the hosts' last statements and the end of the period; absent if a host in scope has
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_age: Option<u64>,
}

/// Folds findings into the status of every control of a catalogue, in the catalogue's order. Findings of hosts that are
/// not in scope do not count; a host in scope without a finding for a rule is `unknown`. `excepted` says whether a
/// `not_met` finding is covered by an accepted exception.
pub fn fold<'a>(
    catalogue: &Catalogue,
    rules: &RuleSet,
    coverage: &Coverage,
    findings: impl IntoIterator<Item = &'a Finding>,
    mut excepted: impl FnMut(&Finding) -> bool,
) -> Vec<ControlStatus> {
    let places: HashMap<&HostId, usize> = coverage
        .hosts
        .iter()
        .enumerate()
        .filter_map(|(place, host)| host.host.as_ref().map(|host| (host, place)))
        .collect();
    let mut standings: HashMap<&str, Vec<Option<Standing>>> = HashMap::new();
    for finding in findings {
        let Some(place) = places.get(&finding.host) else {
            continue;
        };
        let standing = match Standing::of(finding.verdict) {
            Standing::NotMet if excepted(finding) => Standing::Excepted,
            standing => standing,
        };
        let of_rule = standings
            .entry(finding.rule.as_str())
            .or_insert_with(|| vec![None; coverage.hosts.len()]);
        if let Some(worst) = of_rule.get_mut(*place) {
            *worst = (*worst).max(Some(standing));
        }
    }
    let folding = Folding {
        catalogue,
        coverage,
        standings,
        reporting: Reporting::of(coverage),
    };
    catalogue
        .controls
        .iter()
        .map(|control| folding.control(control, rules))
        .collect()
}

fn evidence_age(coverage: &Coverage) -> Option<u64> {
    let oldest = coverage
        .hosts
        .iter()
        .map(|host| host.last_statement)
        .try_fold(None, |oldest, last| {
            let last = last?;
            Some(Some(oldest.map_or(last, |oldest| last.min(oldest))))
        })??;
    u64::try_from(coverage.to.since(oldest)).ok()
}

struct Folding<'a> {
    catalogue: &'a Catalogue,
    coverage: &'a Coverage,
    /// By rule, then in the order of the coverage's hosts; the worst that was found.
    standings: HashMap<&'a str, Vec<Option<Standing>>>,
    reporting: Reporting,
}

impl Folding<'_> {
    fn control(&self, control: &Control, rules: &RuleSet) -> ControlStatus {
        let bearing = bearing_on(self.catalogue, control, rules);
        let mut hosts = HostCounts::default();
        for place in 0..self.coverage.hosts.len() {
            let worst = bearing.iter().map(|(rule, _)| self.standing(rule, place)).max();
            if let Some(worst) = worst {
                hosts.count(worst);
            }
        }
        let totals = bearing
            .into_iter()
            .map(|(rule, bearing)| (rule, bearing, self.counts(rule)));
        conclude(self.catalogue, control, totals, hosts, self.reporting)
    }

    fn standing(&self, rule: &Rule, place: usize) -> Standing {
        let found = self.standings.get(rule.id()).and_then(|hosts| *hosts.get(place)?);
        found.unwrap_or(Standing::Unknown)
    }

    fn counts(&self, rule: &Rule) -> HostCounts {
        let mut counts = HostCounts::default();
        for place in 0..self.coverage.hosts.len() {
            counts.count(self.standing(rule, place));
        }
        counts
    }
}

/// How the hosts in scope reported, as far as a status depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reporting {
    /// Whether every host in scope had a statement at every instant.
    pub complete: bool,
    /// Hosts in scope that had not.
    pub with_gaps: u64,
    /// Seconds between the oldest of the hosts' last statements and the end of the period; absent if a host in scope has
    /// none.
    pub evidence_age: Option<u64>,
}

impl Reporting {
    /// As a coverage has it.
    pub fn of(coverage: &Coverage) -> Self {
        let gaps = coverage.hosts.iter().filter(|host| !host.gaps.is_empty()).count();
        Self {
            complete: coverage.complete,
            with_gaps: u64::try_from(gaps).unwrap_or(u64::MAX),
            evidence_age: evidence_age(coverage),
        }
    }
}

/// The rules that bear on a control, direct ones first, then by id.
pub fn bearing_on<'r>(catalogue: &Catalogue, control: &Control, rules: &'r RuleSet) -> Vec<(&'r Rule, &'r Bearing)> {
    let mut bearing: Vec<_> = rules
        .rules()
        .flat_map(|rule| rule.controls().iter().map(move |bearing| (rule.as_ref(), bearing)))
        .filter(|(_, bearing)| bearing.catalogue == catalogue.id && bearing.control == control.id.as_str())
        .collect();
    bearing.sort_by_key(|(rule, bearing)| (bearing.bearing, rule.id().to_owned()));
    bearing
}

/// The status of one control out of totals: where hosts stand by each rule of [`bearing_on`], and by all of them together.
pub fn conclude<'r>(
    catalogue: &Catalogue,
    control: &Control,
    totals: impl IntoIterator<Item = (&'r Rule, &'r Bearing, HostCounts)>,
    hosts: HostCounts,
    reporting: Reporting,
) -> ControlStatus {
    let rules: Vec<_> = totals
        .into_iter()
        .map(|(rule, bearing, hosts)| RuleStatus {
            id: rule.id().to_owned(),
            title: rule.title().to_owned(),
            severity: rule.severity(),
            bearing: bearing.bearing,
            because: bearing.because.clone(),
            hosts,
        })
        .collect();
    let (status, reason) = status(&rules, &hosts, reporting);
    ControlStatus {
        id: control.id.clone(),
        catalogue: catalogue.id.clone(),
        name: control.name.clone(),
        status,
        reason,
        reach: control.host_evidence.as_ref().map(|evidence| evidence.reach),
        hosts,
        rules,
        evidence_age: if status == Status::NotEvidenced {
            None
        } else {
            reporting.evidence_age
        },
    }
}

fn status(rules: &[RuleStatus], hosts: &HostCounts, reporting: Reporting) -> (Status, String) {
    let total = hosts.total();
    let named = |which: &dyn Fn(&RuleStatus) -> bool| {
        let named: BTreeSet<_> = rules
            .iter()
            .filter(|rule| which(rule))
            .map(|rule| rule.id.as_str())
            .collect();
        named.into_iter().collect::<Vec<_>>().join(", ")
    };
    if rules.is_empty() {
        return (Status::NotEvidenced, "no rule bears on this control".to_owned());
    }
    if hosts.not_met > 0 {
        let failing = named(&|rule| rule.hosts.not_met > 0);
        return (
            Status::Contradicted,
            format!("not met on {} of {}: {failing}", hosts.not_met, count_of_hosts(total)),
        );
    }
    let direct = |rule: &RuleStatus| rule.bearing == Weight::Direct;
    if !rules.iter().any(direct) {
        return (Status::Unknown, "only supporting rules bear on this control".to_owned());
    }
    if total == 0 {
        return (Status::Unknown, "no host is in scope".to_owned());
    }
    if !reporting.complete {
        return (
            Status::Unknown,
            format!(
                "coverage is not complete: {} of {} did not report all the time",
                reporting.with_gaps,
                count_of_hosts(total)
            ),
        );
    }
    let open = |rule: &RuleStatus| direct(rule) && rule.hosts.unknown > 0;
    if rules.iter().any(open) {
        return (Status::Unknown, format!("not known on every host: {}", named(&open)));
    }
    let excepted = |rule: &RuleStatus| direct(rule) && rule.hosts.excepted > 0;
    if rules.iter().any(excepted) {
        return (
            Status::Unknown,
            format!("not met by accepted exception: {}", named(&excepted)),
        );
    }
    if !rules.iter().any(|rule| direct(rule) && rule.hosts.met > 0) {
        return (Status::Unknown, "no direct rule applies to any host".to_owned());
    }
    (
        Status::Supported,
        format!(
            "met on {} of {}, does not apply to {}",
            hosts.met,
            count_of_hosts(total),
            hosts.not_applicable
        ),
    )
}

fn count_of_hosts(hosts: u64) -> String {
    if hosts == 1 {
        "1 host".to_owned()
    } else {
        format!("{hosts} hosts")
    }
}

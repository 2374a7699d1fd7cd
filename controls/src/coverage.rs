//! Coverage: of the hosts that ought to report, which do, and since when not.

use std::collections::BTreeSet;

use evidence::facts::ProbeId;
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rule::RuleSet;
use crate::timeline::{Gap, State, Timeline};

/// Where the list of hosts that ought to report comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeSource {
    /// A list from a source other than the agents.
    List,
    /// No such list is known: the enrolled hosts stand for it, and a host that never enrolled is not missed.
    Enrolled,
}

/// A host that ought to report, or that reports without being in scope.
#[derive(Debug, Clone, Copy)]
pub struct HostRecord<'a> {
    /// Its name in the scope, or the name that it enrolled with.
    pub name: &'a str,
    /// Whether it is in scope.
    pub in_scope: bool,
    /// Its enrolment, if it has enrolled.
    pub enrolled: Option<Enrolled<'a>>,
}

/// A host that has enrolled.
#[derive(Debug, Clone, Copy)]
pub struct Enrolled<'a> {
    /// The id that it got.
    pub host: &'a HostId,
    /// When.
    pub at: Timestamp,
    /// Since when it has no key that counts.
    pub revoked: Option<Timestamp>,
    /// Its statements.
    pub timeline: &'a Timeline,
}

/// How far a host has come: each stage includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In scope, and never enrolled before the end of the period.
    Missing,
    /// Enrolled, and no statement speaks for any of the period.
    Enrolled,
    /// Some statement speaks for some of the period.
    Reporting,
    /// A statement speaks at the end of the period.
    Fresh,
    /// And every document that a rule reads was observed in it.
    Measured,
}

impl Stage {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Enrolled => "enrolled",
            Self::Reporting => "reporting",
            Self::Fresh => "fresh",
            Self::Measured => "measured",
        }
    }
}

/// Why a host has no statement over an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// It had not enrolled yet.
    NotEnrolled,
    /// Its keys were revoked.
    Revoked,
    /// It was silent.
    Silent,
}

impl GapKind {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotEnrolled => "not_enrolled",
            Self::Revoked => "revoked",
            Self::Silent => "silent",
        }
    }
}

/// An interval over which a host has no statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageGap {
    /// Why.
    pub kind: GapKind,
    /// Begin, included.
    pub from: Timestamp,
    /// End, excluded.
    pub to: Timestamp,
}

/// One host's coverage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostCoverage {
    /// Its name in the scope.
    pub name: String,
    /// Its id, if it has enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// How far it has come.
    pub stage: Stage,
    /// The last instant in the period at which it stated something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_statement: Option<Timestamp>,
    /// When it had no statement.
    pub gaps: Vec<CoverageGap>,
    /// Documents that rules read and that were not observed at the end of the period.
    pub not_measured: Vec<ProbeId>,
}

/// How many hosts have come how far; each number includes the ones after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageCounts {
    /// Hosts in scope.
    pub scope: u64,
    /// Of these, enrolled.
    pub enrolled: u64,
    /// Of these, with a statement in the period.
    pub reporting: u64,
    /// Of these, with a statement that speaks at its end.
    pub fresh: u64,
    /// Of these, with every document observed.
    pub measured: u64,
}

/// Coverage over `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Begin, included.
    pub from: Timestamp,
    /// End, excluded.
    pub to: Timestamp,
    /// Where the scope comes from.
    pub scope: ScopeSource,
    /// Whether every host in scope had a statement at every instant.
    pub complete: bool,
    /// Totals.
    pub counts: CoverageCounts,
    /// Every host in scope, sorted by name.
    pub hosts: Vec<HostCoverage>,
    /// Names of hosts that report and are not in scope.
    pub outside_scope: Vec<String>,
}

impl Coverage {
    /// Coverage over `[from, to)`; `observed` says whether the document of a digest was observed.
    pub fn of<'a>(
        records: impl IntoIterator<Item = HostRecord<'a>>,
        scope: ScopeSource,
        rules: &RuleSet,
        (from, to): (Timestamp, Timestamp),
        mut observed: impl FnMut(&Digest) -> bool,
    ) -> Self {
        let documents: BTreeSet<&ProbeId> = rules.rules().map(|rule| rule.reads()).collect();
        let (mut hosts, mut outside_scope) = (Vec::new(), Vec::new());
        for record in records {
            if record.in_scope {
                hosts.push(host_coverage(&record, &documents, (from, to), &mut observed));
            } else {
                outside_scope.push(record.name.to_owned());
            }
        }
        hosts.sort_by(|left, right| (&left.name, &left.host).cmp(&(&right.name, &right.host)));
        outside_scope.sort();
        let reached = |stage: Stage| {
            let reached = hosts.iter().filter(|host| host.stage >= stage).count();
            u64::try_from(reached).unwrap_or(u64::MAX)
        };
        Self {
            from,
            to,
            scope,
            complete: hosts.iter().all(|host| host.gaps.is_empty()),
            counts: CoverageCounts {
                scope: reached(Stage::Missing),
                enrolled: reached(Stage::Enrolled),
                reporting: reached(Stage::Reporting),
                fresh: reached(Stage::Fresh),
                measured: reached(Stage::Measured),
            },
            hosts,
            outside_scope,
        }
    }
}

fn host_coverage(
    record: &HostRecord<'_>,
    documents: &BTreeSet<&ProbeId>,
    (from, to): (Timestamp, Timestamp),
    observed: &mut impl FnMut(&Digest) -> bool,
) -> HostCoverage {
    let mut coverage = HostCoverage {
        name: record.name.to_owned(),
        host: record.enrolled.map(|enrolled| enrolled.host.clone()),
        stage: Stage::Missing,
        last_statement: None,
        gaps: Vec::new(),
        not_measured: Vec::new(),
    };
    let Some(enrolled) = record.enrolled.filter(|enrolled| enrolled.at < to) else {
        coverage.gaps.extend((from < to).then_some(CoverageGap {
            kind: GapKind::NotEnrolled,
            from,
            to,
        }));
        return coverage;
    };
    let timeline = enrolled.timeline;
    for gap in timeline.gaps(from, to) {
        coverage.gaps.extend(by_kind(gap, enrolled.at, enrolled.revoked));
    }
    let begun = timeline.told().partition_point(|told| told.from < to);
    let last = timeline.told().get(..begun).and_then(<[_]>::last);
    coverage.last_statement = last.map(|told| told.from);
    coverage.stage = match last {
        Some(told) if told.until >= to => Stage::Fresh,
        Some(told) if told.until > from => Stage::Reporting,
        _ => Stage::Enrolled,
    };
    let end = to.plus(-1);
    for document in documents {
        let state = timeline.over(document, end, to).pop().map(|interval| interval.told);
        let seen = match state {
            Some(State::Held { digest, .. }) => observed(&digest),
            _ => false,
        };
        if !seen {
            coverage.not_measured.push((*document).clone());
        }
    }
    if coverage.stage == Stage::Fresh && coverage.not_measured.is_empty() {
        coverage.stage = Stage::Measured;
    }
    coverage
}

/// Cuts a gap at enrolment and revocation.
fn by_kind(gap: Gap, enrolled: Timestamp, revoked: Option<Timestamp>) -> Vec<CoverageGap> {
    let begin = enrolled.clamp(gap.from, gap.to);
    let end = revoked.unwrap_or(Timestamp::MAX).clamp(begin, gap.to);
    [
        (GapKind::NotEnrolled, gap.from, begin),
        (GapKind::Silent, begin, end),
        (GapKind::Revoked, end, gap.to),
    ]
    .into_iter()
    .filter(|(_, from, to)| from < to)
    .map(|(kind, from, to)| CoverageGap { kind, from, to })
    .collect()
}

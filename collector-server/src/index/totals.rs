//! Totals over all hosts, kept while single hosts change.

use controls::coverage::{CoverageCounts, Stage};
use controls::status::{HostCounts, Standing};
use controls::verdict::Verdict;
use serde::{Deserialize, Serialize};

use super::places::{standing_from_letter, verdict_from_letter};
use super::standing::HostStanding;
use crate::query::HostReporting;

/// Totals over all hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Where hosts in scope stand by each rule, in the order of the places.
    pub rules: Vec<Tally>,
    /// Where hosts in scope stand on each control that a rule bears on.
    pub controls: Vec<Tally>,
    /// How far hosts in scope have come: missing, enrolled, reporting, fresh, measured.
    pub stages: [u64; 5],
    /// Names in scope that never enrolled. They are not in the other numbers.
    pub never_enrolled: u64,
    /// Enrolled hosts: fresh, silent, never stated, revoked.
    pub reporting: [u64; 4],
    /// Hosts that enrolled and are not in scope.
    pub outside_scope: u64,
}

/// Hosts by standing: not applicable, met, excepted, unknown, not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally([u64; 5]);

impl Tally {
    fn cell(&mut self, standing: Standing) -> &mut u64 {
        let [not_applicable, met, excepted, unknown, not_met] = &mut self.0;
        match standing {
            Standing::NotApplicable => not_applicable,
            Standing::Met => met,
            Standing::Excepted => excepted,
            Standing::Unknown => unknown,
            Standing::NotMet => not_met,
        }
    }

    /// As `controls` counts, with `missing` further hosts of which nothing is known.
    pub fn counts(&self, missing: u64) -> HostCounts {
        let [not_applicable, met, excepted, unknown, not_met] = self.0;
        HostCounts {
            met,
            not_met,
            unknown: unknown + missing,
            not_applicable,
            excepted,
        }
    }
}

/// One host more, or one less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    One,
    MinusOne,
}

impl By {
    fn apply(self, number: &mut u64) {
        match self {
            Self::One => *number += 1,
            Self::MinusOne => *number = number.saturating_sub(1),
        }
    }
}

const fn stage_place(stage: Stage) -> usize {
    match stage {
        Stage::Missing => 0,
        Stage::Enrolled => 1,
        Stage::Reporting => 2,
        Stage::Fresh => 3,
        Stage::Measured => 4,
    }
}

const fn reporting_place(reporting: HostReporting) -> usize {
    match reporting {
        HostReporting::Fresh => 0,
        HostReporting::Silent => 1,
        HostReporting::NeverStated => 2,
        HostReporting::Revoked => 3,
    }
}

impl Totals {
    /// No hosts.
    pub(super) fn none(rules: usize, controls: usize, never_enrolled: u64) -> Self {
        Self {
            rules: vec![Tally::default(); rules],
            controls: vec![Tally::default(); controls],
            never_enrolled,
            ..Self::default()
        }
    }

    /// Adds a host or takes it away.
    pub(super) fn count(&mut self, host: &HostStanding, by: By) {
        if let Some(number) = self.reporting.get_mut(reporting_place(host.reporting)) {
            by.apply(number);
        }
        if host.part == HostStanding::OUTSIDE_SCOPE {
            by.apply(&mut self.outside_scope);
        }
        if host.part != HostStanding::IN_SCOPE {
            return;
        }
        if let Some(number) = self.stages.get_mut(stage_place(host.stage)) {
            by.apply(number);
        }
        let verdicts = host
            .rules
            .chars()
            .map(|letter| Standing::of(verdict_from_letter(letter)));
        for (tally, standing) in self.rules.iter_mut().zip(verdicts) {
            by.apply(tally.cell(standing));
        }
        let standings = host.controls.chars().map(standing_from_letter);
        for (tally, standing) in self.controls.iter_mut().zip(standings) {
            by.apply(tally.cell(standing));
        }
    }

    /// As `controls` counts: each number includes the ones after it.
    pub fn coverage(&self) -> CoverageCounts {
        let [missing, enrolled, reporting, fresh, measured] = self.stages;
        let fresh = fresh + measured;
        let reporting = reporting + fresh;
        let enrolled = enrolled + reporting;
        CoverageCounts {
            scope: missing + enrolled + self.never_enrolled,
            enrolled,
            reporting,
            fresh,
            measured,
        }
    }

    /// Hosts in scope for which no statement speaks.
    pub fn with_gaps(&self) -> u64 {
        let coverage = self.coverage();
        coverage.scope - coverage.fresh
    }

    /// Enrolled hosts.
    pub fn enrolled(&self) -> u64 {
        self.reporting.iter().sum()
    }
}

/// The worst of verdicts; `unknown` if there are none.
pub(super) fn worst(verdicts: &[Verdict]) -> Verdict {
    verdicts
        .iter()
        .copied()
        .reduce(Verdict::worse)
        .unwrap_or(Verdict::Unknown)
}

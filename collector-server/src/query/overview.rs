//! The state of everything, in short.

use controls::catalogue::Catalogue;
use controls::coverage::{Coverage, CoverageCounts, ScopeSource};
use controls::status::{ControlStatus, HostCounts, Reporting, Status, bearing_on, conclude};
use controls::verdict::Verdict;
use evidence::Timestamp;
use evidence::statement::HostId;
use serde::Serialize;

use super::asking::Asking;
use super::fleet::{Fleet, FleetHost};
use super::{AsOf, HostReporting, Query, QueryError, Span};

/// The state of everything, in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// What it is about.
    pub as_of: AsOf,
    /// How many controls have which status.
    pub statuses: StatusCounts,
    /// Every control of the catalogue, in its order.
    pub controls: Vec<ControlStatus>,
    /// Where the scope comes from.
    pub scope: ScopeSource,
    /// Whether every host in scope has a statement that speaks.
    pub complete: bool,
    /// How many hosts in scope have come how far.
    pub coverage: CoverageCounts,
    /// Enrolled hosts, in scope or not.
    pub hosts: HostTotals,
    /// The newest statement of any host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_statement: Option<Timestamp>,
    /// Seconds since the oldest of the last statements of the hosts in scope; absent if one has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_age: Option<u64>,
}

/// How many controls have which status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StatusCounts {
    /// Evidence from hosts supports them.
    pub supported: u64,
    /// Evidence from hosts contradicts them.
    pub contradicted: u64,
    /// Something is missing for either.
    pub unknown: u64,
    /// No rule bears on them.
    pub not_evidenced: u64,
}

/// How many enrolled hosts report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HostTotals {
    /// All that ever enrolled.
    pub enrolled: u64,
    /// A statement speaks for them.
    pub fresh: u64,
    /// None does any more.
    pub silent: u64,
    /// They never stated anything.
    pub never_stated: u64,
    /// Their keys were revoked.
    pub revoked: u64,
    /// They are not in scope.
    pub outside_scope: u64,
}

/// A verdict that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Of which host.
    pub host: HostId,
    /// The host's name.
    pub name: String,
    /// By which rule.
    pub rule: String,
    /// What the rule finds.
    pub title: String,
    /// The verdict before.
    pub before: Verdict,
    /// The verdict from then on.
    pub after: Verdict,
    /// Why it is `unknown` or `not_applicable` now; else empty.
    pub reason: String,
}

impl Query {
    /// The state of everything, by one catalogue.
    pub fn overview(&self, catalogue: &str, span: Span) -> Result<Overview, QueryError> {
        self.ask(span, |asking| {
            let catalogue = Asking::catalogue(catalogue)?;
            if asking.present {
                asking.present_overview(catalogue)
            } else {
                let fleet = asking.fleet()?;
                Ok(asking.past_overview(catalogue, &fleet))
            }
        })
    }

    /// Every control of a catalogue, in its order.
    pub fn controls(&self, catalogue: &str, span: Span) -> Result<(AsOf, Vec<ControlStatus>), QueryError> {
        let overview = self.overview(catalogue, span)?;
        Ok((overview.as_of, overview.controls))
    }

    /// Coverage, host by host.
    pub fn coverage(&self, span: Span) -> Result<Coverage, QueryError> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is for one lifetime only"
        )]
        self.ask(span, |asking| asking.coverage())
    }
}

impl Asking<'_> {
    fn present_overview(&self, catalogue: &'static Catalogue) -> Result<Overview, QueryError> {
        let totals = &self.snapshot.head().totals;
        let reporting = self.reporting()?;
        let tallies = |tallies: &[crate::index::Tally]| -> Vec<HostCounts> {
            tallies
                .iter()
                .map(|tally| tally.counts(totals.never_enrolled))
                .collect()
        };
        let controls = self.statuses(
            catalogue,
            &tallies(&totals.rules),
            &tallies(&totals.controls),
            reporting,
        );
        let [fresh, silent, never_stated, revoked] = totals.reporting;
        Ok(Overview {
            as_of: self.as_of,
            statuses: StatusCounts::of(&controls),
            controls,
            scope: self.scope_source(),
            complete: reporting.complete,
            coverage: totals.coverage(),
            hosts: HostTotals {
                enrolled: totals.enrolled(),
                fresh,
                silent,
                never_stated,
                revoked,
                outside_scope: totals.outside_scope,
            },
            last_statement: self.snapshot.newest_statement()?,
            evidence_age: reporting.evidence_age,
        })
    }

    fn past_overview(&self, catalogue: &'static Catalogue, fleet: &Fleet) -> Overview {
        let controls = self.statuses(catalogue, &fleet.rules, &fleet.controls, fleet.reporting);
        let mut hosts = HostTotals::default();
        let mut last_statement = None;
        let enrolled = |host: &&FleetHost| {
            let tenure = host.enrolled.as_ref().map(|(_, tenure)| tenure);
            tenure.is_some_and(|tenure| tenure.enrolled_at < self.as_of.to)
        };
        for host in fleet.hosts.iter().filter(enrolled) {
            hosts.enrolled += 1;
            match host.reporting {
                HostReporting::Fresh => hosts.fresh += 1,
                HostReporting::Silent => hosts.silent += 1,
                HostReporting::NeverStated => hosts.never_stated += 1,
                HostReporting::Revoked => hosts.revoked += 1,
            }
            last_statement = last_statement.max(host.last_statement);
        }
        hosts.outside_scope = fleet.outside_scope;
        Overview {
            as_of: self.as_of,
            statuses: StatusCounts::of(&controls),
            controls,
            scope: self.scope_source(),
            complete: fleet.reporting.complete,
            coverage: fleet.counts,
            hosts,
            last_statement,
            evidence_age: fleet.reporting.evidence_age,
        }
    }

    /// How hosts in scope report at present.
    pub(super) fn reporting(&self) -> Result<Reporting, QueryError> {
        let totals = &self.snapshot.head().totals;
        let oldest = if totals.never_enrolled > 0 {
            None
        } else {
            self.snapshot.oldest_statement()?
        };
        Ok(Reporting {
            complete: totals.with_gaps() == 0,
            with_gaps: totals.with_gaps(),
            evidence_age: oldest.and_then(|oldest| u64::try_from(self.as_of.to.since(oldest)).ok()),
        })
    }

    /// The status of every control, out of totals by place.
    pub(super) fn statuses(
        &self,
        catalogue: &'static Catalogue,
        rules: &[HostCounts],
        controls: &[HostCounts],
        reporting: Reporting,
    ) -> Vec<ControlStatus> {
        let places = &self.judging.places;
        let status = |control| {
            let bearing = bearing_on(catalogue, control, &self.judging.rules.set);
            let totals = bearing.into_iter().map(|(rule, bearing)| {
                let counts = places.rule(rule.id()).and_then(|place| rules.get(place)).copied();
                (rule, bearing, counts.unwrap_or_default())
            });
            let place = places.control(&catalogue.id, control.id.as_str());
            let hosts = place.and_then(|place| controls.get(place)).copied();
            conclude(catalogue, control, totals, hosts.unwrap_or_default(), reporting)
        };
        catalogue.controls.iter().map(status).collect()
    }
}

impl StatusCounts {
    /// Counts controls.
    pub fn of(controls: &[ControlStatus]) -> Self {
        let mut counts = Self::default();
        for control in controls {
            match control.status {
                Status::Supported => counts.supported += 1,
                Status::Contradicted => counts.contradicted += 1,
                Status::Unknown => counts.unknown += 1,
                Status::NotEvidenced => counts.not_evidenced += 1,
            }
        }
        counts
    }
}

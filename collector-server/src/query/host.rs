//! Hosts.

use controls::assessment::scope::Part;
use controls::coverage::{CoverageGap, Stage};
use controls::finding::Finding;
use controls::status::Standing;
use controls::timeline::{State, Timeline};
use controls::verdict::Verdict;
use evidence::facts::{Outcome, ProbeId};
use evidence::key::KeyId;
use evidence::statement::{AgentBuild, HostId};
use evidence::{Digest, Timestamp};
use serde::Serialize;

use super::asking::Asking;
use super::past::Past;
use super::{AsOf, Page, Paged, Query, QueryError, Span, StatementSummary};
use crate::index::Enrolled;

/// Whether a host reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HostReporting {
    /// A statement speaks for it.
    Fresh,
    /// None does any more.
    Silent,
    /// It never stated anything.
    NeverStated,
    /// Its keys were revoked.
    Revoked,
}

impl HostReporting {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Silent => "silent",
            Self::NeverStated => "never_stated",
            Self::Revoked => "revoked",
        }
    }
}

/// By what a list of hosts is sorted; hosts that are equal in it by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostSort {
    /// By name.
    #[default]
    Name,
    /// The one that reported longest ago first; those that never did before all.
    LastStatement,
    /// The one with the most rules that are not met first, then the most that are unknown.
    Standing,
}

/// Which hosts, and how they are listed. Conditions that are `None` hold for every host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostFilter {
    /// Part of the name or id, upper and lower case alike.
    pub text: Option<String>,
    /// Whether it reports.
    pub reporting: Option<HostReporting>,
    /// Its standing by all rules.
    pub standing: Option<Verdict>,
    /// Its verdict by one rule (id).
    pub rule: Option<(String, Verdict)>,
    /// Its standing on one control (catalogue, id).
    pub control: Option<(String, String, Standing)>,
    /// Whether it is in scope.
    pub in_scope: Option<bool>,
    /// The order.
    pub sort: HostSort,
    /// The order, turned round.
    pub descending: bool,
}

/// How many rules have which verdict on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StandingCounts {
    /// Rules that are met.
    pub met: u64,
    /// Rules that are not met.
    pub not_met: u64,
    /// Rules of which it is not known.
    pub unknown: u64,
    /// Rules that do not apply.
    pub not_applicable: u64,
}

/// One host of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostSummary {
    /// Its id.
    pub host: HostId,
    /// The name that it enrolled with.
    pub name: String,
    /// Whether it is in scope.
    pub in_scope: bool,
    /// Whether it reports.
    pub reporting: HostReporting,
    /// How far it has come.
    pub stage: Stage,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// When its keys were revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The last instant at which it stated something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_statement: Option<Timestamp>,
    /// Since when no statement speaks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Timestamp>,
    /// The worst of its verdicts; `unknown` without rules.
    pub standing: Verdict,
    /// How many rules have which verdict.
    pub verdicts: StandingCounts,
}

/// A list of hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hosts {
    /// What it is about.
    pub as_of: AsOf,
    /// The hosts.
    #[serde(flatten)]
    pub hosts: Paged<HostSummary>,
}

/// All about one host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// In short. Verdicts are the worst over the period, as everywhere.
    pub summary: HostSummary,
    /// The key that signs its statements.
    pub keyid: KeyId,
    /// Index of its enrolment in the log.
    pub enrolled_index: u64,
    /// Index of its revocation in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_index: Option<u64>,
    /// The build of its agent, as its last statement says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentBuild>,
    /// What the last statement that speaks by the end of the period has, and how long it has been so.
    pub documents: Vec<HostDocument>,
    /// Every rule, by id, then by time.
    pub findings: Vec<Finding>,
    /// When it had no statement.
    pub gaps: Vec<CoverageGap>,
    /// Its newest statements up to the end of the period, the newest first.
    pub statements: Paged<StatementSummary>,
}

impl HostDetail {
    /// Statements on the page of a host.
    pub const STATEMENTS: Page = Page::first(25);
}

/// One facts document of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostDocument {
    /// Which probe's.
    pub probe: ProbeId,
    /// Which document it has at the end of the period; absent if none speaks then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// How the probe ended in that document; absent if it is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Which document it had when, over the period.
    pub intervals: Vec<DocumentInterval>,
}

/// Over `[from, to)` a host had one document of a probe, or said nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentInterval {
    /// Begin, included.
    pub from: Timestamp,
    /// End, excluded.
    pub to: Timestamp,
    /// Which document; absent if no statement speaks or none has one of this probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The first statement in the log that says so; absent if no statement speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_index: Option<u64>,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_index: Option<u64>,
}

impl Query {
    /// All about one host. A page of a host asks twice: for the present, and over the period that its pictures show.
    pub fn host(&self, host: &HostId, span: Span) -> Result<HostDetail, QueryError> {
        self.ask(span, |asking| {
            let host = asking.host(host)?;
            let mut past = Past::new(asking);
            let (summary, gaps) = asking.host_summary(&mut past, &host)?;
            let timeline = past.timeline(&host)?;
            let findings = past.findings(&host, &timeline)?;
            let statements = asking.statements(&host, HostDetail::STATEMENTS)?;
            let newest = statements.items.first();
            Ok(HostDetail {
                as_of: asking.as_of,
                summary,
                keyid: host.keyid,
                enrolled_index: host.enrolled_index,
                revoked_index: host.revoked_index,
                agent: newest.map(|newest| asking.agent(newest.index)).transpose()?.flatten(),
                documents: asking.documents(&mut past, &timeline)?,
                findings,
                gaps,
                statements,
            })
        })
    }

    /// A host's statements up to the end of the span, the newest first.
    pub fn statements(&self, host: &HostId, span: Span, page: Page) -> Result<Paged<StatementSummary>, QueryError> {
        self.ask(span, |asking| asking.statements(&asking.host(host)?, page))
    }
}

impl Asking<'_> {
    fn host_summary(
        &self,
        past: &mut Past<'_>,
        host: &Enrolled,
    ) -> Result<(HostSummary, Vec<CoverageGap>), QueryError> {
        let scope = self.snapshot.scope()?;
        let namesakes = self.snapshot.hosts_named(&host.name)?;
        let parts = past.parts(&namesakes, scope.map(|scope| scope.contains(&host.name)));
        let own = namesakes
            .iter()
            .zip(parts)
            .find(|(namesake, _)| namesake.number == host.number);
        let part = own.map_or(Part::None, |(_, part)| part);
        let (past, _) = past.host(host.clone(), part)?;
        let gaps = past.coverage.gaps.clone();
        let short = past.in_short(&self.judging.places);
        Ok((short.summary(&host.host, &host.tenure), gaps))
    }

    fn documents(&self, past: &mut Past<'_>, timeline: &Timeline) -> Result<Vec<HostDocument>, QueryError> {
        let (from, to) = self.as_of.period();
        let mut probes = self.judging.places.documents.clone();
        for told in timeline.told() {
            probes.extend(told.manifest.documents().keys().cloned());
        }
        let mut documents = Vec::new();
        for probe in probes {
            let intervals: Vec<_> = timeline
                .over(&probe, from, to)
                .into_iter()
                .map(|interval| {
                    let (digest, first_index, last_index) = match interval.told {
                        State::Held {
                            digest,
                            first_index,
                            last_index,
                        } => (Some(digest), Some(first_index), Some(last_index)),
                        State::NotInManifest {
                            first_index,
                            last_index,
                        } => (None, Some(first_index), Some(last_index)),
                        State::Silent => (None, None, None),
                    };
                    DocumentInterval {
                        from: interval.from,
                        to: interval.to,
                        digest,
                        first_index,
                        last_index,
                    }
                })
                .collect();
            let digest = intervals.last().and_then(|interval| interval.digest);
            documents.push(HostDocument {
                outcome: digest.map(|digest| past.outcome(&digest)).transpose()?.flatten(),
                probe,
                digest,
                intervals,
            });
        }
        Ok(documents)
    }
}

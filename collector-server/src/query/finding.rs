//! Findings: hosts and rules.

use std::collections::HashSet;
use std::ops::ControlFlow;

use controls::finding::Finding;
use controls::verdict::Verdict;
use evidence::Timestamp;
use evidence::statement::HostId;
use serde::Serialize;

use super::asking::Asking;
use super::fleet::FleetHost;
use super::past::Past;
use super::{AsOf, Query, QueryError, Span};
use crate::index::{Enrolled, verdict_letter};

/// Which findings. Conditions that are `None` hold for every finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingFilter {
    /// Of this host only.
    pub host: Option<HostId>,
    /// By this rule (id) only.
    pub rule: Option<String>,
    /// With one of these verdicts only; with any if empty.
    pub verdicts: Vec<Verdict>,
}

/// A finding in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedFinding {
    /// The host's name.
    pub name: String,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Since when the host has had the facts that were judged, or has been silent, if the list is about an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// All about one rule on one host. The rule's texts are in `controls::rule`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// The host's name.
    pub name: String,
    /// What the rule finds.
    pub title: String,
    /// At the end of the period.
    pub last: ListedFinding,
    /// Over the period, without holes, the oldest first.
    pub history: Vec<Finding>,
}

impl Query {
    /// What one rule says about one host.
    pub fn finding(&self, host: &HostId, rule: &str, span: Span) -> Result<FindingDetail, QueryError> {
        self.ask(span, |asking| {
            let host = asking.host(host)?;
            let place = asking.place(rule)?;
            let mut past = Past::new(asking);
            let timeline = past.timeline(&host)?;
            let history = past.findings_of(&host, &timeline, place)?;
            let last = history.last().cloned().ok_or_else(|| QueryError::NotFound {
                what: "finding",
                name: rule.to_owned(),
            })?;
            let title = asking
                .judging
                .places
                .rules
                .get(place)
                .map(|rule| rule.title().to_owned());
            Ok(FindingDetail {
                as_of: asking.as_of,
                title: title.unwrap_or_default(),
                last: asking.listed(&host, last)?,
                name: host.name,
                history,
            })
        })
    }

    /// Hands over every finding that fulfils the conditions, by host name, then rule, then time, until `take` has had enough.
    /// Returns what it is about.
    pub fn findings(
        &self,
        span: Span,
        filter: &FindingFilter,
        mut take: impl FnMut(ListedFinding) -> ControlFlow<()>,
    ) -> Result<AsOf, QueryError> {
        self.ask(span, |asking| {
            let places = match &filter.rule {
                Some(rule) => vec![asking.place(rule)?],
                None => (0..asking.judging.places.rules.len()).collect(),
            };
            let mut past = Past::new(asking);
            for host in asking.finding_hosts(filter, &places)? {
                let timeline = past.timeline(&host)?;
                for place in &places {
                    for finding in past.findings_of(&host, &timeline, *place)? {
                        let wanted = filter.verdicts.is_empty() || filter.verdicts.contains(&finding.verdict);
                        if wanted && take(asking.listed(&host, finding)?).is_break() {
                            return Ok(asking.as_of);
                        }
                    }
                }
            }
            Ok(asking.as_of)
        })
    }
}

impl Asking<'_> {
    /// Hosts that may have such findings, by name.
    fn finding_hosts(&self, filter: &FindingFilter, places: &[usize]) -> Result<Vec<Enrolled>, QueryError> {
        if let Some(host) = &filter.host {
            return Ok(vec![self.host(host)?]);
        }
        let mut hosts = self.snapshot.hosts()?;
        hosts.retain(|host| host.tenure.enrolled_at < self.as_of.to);
        if self.present && !filter.verdicts.is_empty() {
            // The letters that are kept tell who has none of these.
            let letters: Vec<char> = filter.verdicts.iter().copied().map(verdict_letter).collect();
            let sql = "SELECT host, rules FROM standing";
            let kept = self.snapshot.rows().many("listing hosts", sql, [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            let has = |rules: &str| {
                let letter = |place: &usize| rules.chars().nth(*place);
                places.iter().filter_map(letter).any(|letter| letters.contains(&letter))
            };
            let with: HashSet<i64> = kept
                .into_iter()
                .filter(|(_, rules)| has(rules))
                .map(|(host, _)| host)
                .collect();
            hosts.retain(|host| with.contains(&host.number));
        }
        if self.instant && !self.present && !filter.verdicts.is_empty() {
            let fleet = self.fleet()?;
            let has = |host: &&FleetHost| {
                let of = |place: &usize| host.judged.verdicts.get(*place);
                places
                    .iter()
                    .filter_map(of)
                    .any(|verdict| filter.verdicts.contains(verdict))
            };
            let with: HashSet<&HostId> = fleet
                .hosts
                .iter()
                .filter(has)
                .filter_map(|host| host.enrolled.as_ref().map(|(id, _)| id))
                .collect();
            hosts.retain(|host| with.contains(&host.host));
        }
        hosts.sort_by(|left, right| (&left.name, left.number).cmp(&(&right.name, right.number)));
        Ok(hosts)
    }

    /// Adds what a list shows.
    fn listed(&self, host: &Enrolled, finding: Finding) -> Result<ListedFinding, QueryError> {
        let since = if self.present {
            self.snapshot.since(host, finding.facts.as_ref(), self.as_of.from)?
        } else {
            None
        };
        Ok(ListedFinding {
            name: host.name.clone(),
            since,
            finding,
        })
    }
}

//! Rules.

use controls::rule::{Bearing, Severity};
use controls::status::HostCounts;
use evidence::facts::ProbeId;
use evidence::{Digest, Timestamp};
use serde::Serialize;

use super::asking::Asking;
use super::{AsOf, Query, QueryError, Span};

/// One rule of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleSummary {
    /// Its id.
    pub id: String,
    /// What it finds.
    pub title: String,
    /// How much a `not_met` matters.
    pub severity: Severity,
    /// The facts document that it reads.
    pub reads: ProbeId,
    /// SHA-256 of its file.
    pub digest: Digest,
    /// The controls that it bears on.
    pub controls: Vec<Bearing>,
    /// Where hosts in scope stand.
    pub hosts: HostCounts,
}

/// One rule, with its texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// In short.
    pub summary: RuleSummary,
    /// Why it matters.
    pub rationale: String,
    /// What to do about a `not_met`.
    pub remedy: String,
    /// What it cannot see.
    pub cannot_see: Vec<String>,
    /// Its expressions in the order in which they are evaluated: name and CEL.
    pub expressions: Vec<(String, String)>,
    /// The value of each parameter.
    pub values: serde_json::Value,
}

/// The rules that are in force, by the last entry of the log that says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RulesInForce {
    /// Index of the entry.
    pub index: u64,
    /// Since when.
    pub at: Timestamp,
    /// Version of the collector that brought them.
    pub collector_version: String,
    /// Seconds for which a statement speaks at most.
    pub freshness_seconds: u64,
    /// Names the rule files: SHA-256 of their manifest.
    pub digest: Digest,
}

impl Query {
    /// Every rule, by id.
    pub fn rules(&self, span: Span) -> Result<(AsOf, Vec<RuleSummary>), QueryError> {
        self.ask(span, |asking| Ok((asking.as_of, asking.rules()?)))
    }

    /// One rule.
    pub fn rule(&self, id: &str, span: Span) -> Result<RuleDetail, QueryError> {
        self.ask(span, |asking| {
            let place = asking.place(id)?;
            let not_found = || QueryError::NotFound {
                what: "rule",
                name: id.to_owned(),
            };
            let rule = asking.judging.places.rules.get(place).ok_or_else(not_found)?;
            let summary = asking.rules()?.into_iter().nth(place).ok_or_else(not_found)?;
            let expressions = rule.expressions().into_iter();
            Ok(RuleDetail {
                as_of: asking.as_of,
                summary,
                rationale: rule.rationale().to_owned(),
                remedy: rule.remedy().to_owned(),
                cannot_see: rule.cannot_see().to_vec(),
                expressions: expressions
                    .map(|(name, cel)| (name.to_owned(), cel.to_owned()))
                    .collect(),
                values: rule.values().clone(),
            })
        })
    }

    /// The rules in force; `None` in a log that has none.
    pub fn rules_in_force(&self) -> Result<Option<RulesInForce>, QueryError> {
        self.ask(Span::Now, |asking| {
            let rules = &asking.judging.rules;
            Ok(rules.entry.as_ref().map(|(index, entry)| RulesInForce {
                index: *index,
                at: entry.at,
                collector_version: entry.collector_version.clone(),
                freshness_seconds: entry.freshness_seconds,
                digest: rules.set.digest(),
            }))
        })
    }
}

impl Asking<'_> {
    fn rules(&self) -> Result<Vec<RuleSummary>, QueryError> {
        let counts: Vec<HostCounts> = if self.present {
            let totals = &self.snapshot.head().totals;
            totals
                .rules
                .iter()
                .map(|tally| tally.counts(totals.never_enrolled))
                .collect()
        } else {
            self.fleet()?.rules.clone()
        };
        let summary = |(rule, hosts): (&std::sync::Arc<controls::Rule>, HostCounts)| RuleSummary {
            id: rule.id().to_owned(),
            title: rule.title().to_owned(),
            severity: rule.severity(),
            reads: rule.reads().clone(),
            digest: rule.digest(),
            controls: rule.controls().to_vec(),
            hosts,
        };
        Ok(self.judging.places.rules.iter().zip(counts).map(summary).collect())
    }
}

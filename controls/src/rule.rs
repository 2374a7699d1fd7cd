//! A rule: one expression over one facts document, with what a person needs to know about it.

mod bounds;
mod case;
mod file;
mod load;
mod set;

use std::collections::BTreeMap;

use evidence::Digest;
use evidence::facts::ProbeId;
use serde_json::Value;

use crate::baseline::Parameter;
use crate::expression::Expression;
use crate::schema::Shape;

pub use case::{CaseResult, Failure};
pub use file::{Bearing, Severity, Weight};
pub use load::RuleError;
pub use set::{RuleSet, RuleSetError, rule_of};

pub(crate) use case::PreparedCase;

/// A rule that has loaded: its expressions are checked against the schema of what it reads, and its parameters have
/// values.
#[derive(Debug)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) reads: ProbeId,
    pub(crate) version: u32,
    pub(crate) severity: Severity,
    pub(crate) rationale: String,
    pub(crate) remedy: String,
    pub(crate) cannot_see: Vec<String>,
    pub(crate) controls: Vec<Bearing>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) values: Value,
    pub(crate) values_shape: Shape,
    pub(crate) applies_when: Option<Expression>,
    pub(crate) unknown_when: Vec<(Expression, String)>,
    pub(crate) expect: Expression,
    pub(crate) observed: Vec<(String, Expression)>,
    pub(crate) changes_at: Vec<Expression>,
    pub(crate) cases: Vec<PreparedCase>,
    pub(crate) digest: Digest,
    pub(crate) key: Digest,
}

impl Rule {
    /// Its id, which is also the name of its file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it finds, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The facts document that it reads.
    pub fn reads(&self) -> &ProbeId {
        &self.reads
    }

    /// The version of the facts that it understands.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How much a `not_met` matters.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Why it matters.
    pub fn rationale(&self) -> &str {
        &self.rationale
    }

    /// What to do about a `not_met`.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// What it cannot see, one sentence each.
    pub fn cannot_see(&self) -> &[String] {
        &self.cannot_see
    }

    /// The controls that it bears on.
    pub fn controls(&self) -> &[Bearing] {
        &self.controls
    }

    /// Its parameters as it declares them.
    pub fn parameters(&self) -> &BTreeMap<String, Parameter> {
        &self.parameters
    }

    /// The value of each parameter: the baseline's, else the default.
    pub fn values(&self) -> &Value {
        &self.values
    }

    /// Its expressions in the order in which they are evaluated: `(name, CEL)`.
    pub fn expressions(&self) -> Vec<(&str, &str)> {
        let applies = self.applies_when.iter().map(|when| ("applies_when", when.source()));
        let unknown = self
            .unknown_when
            .iter()
            .map(|(when, _)| ("unknown_when", when.source()));
        let changes = self.changes_at.iter().map(|at| ("changes_at", at.source()));
        applies
            .chain(unknown)
            .chain([("expect", self.expect.source())])
            .chain(changes)
            .collect()
    }

    /// Whether its verdict over the same facts may change with time.
    pub fn reads_time(&self) -> bool {
        !self.changes_at.is_empty()
    }

    /// The SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What a judgement depends on beside facts and time: the digest of the file's digest and the parameters' values.
    pub fn key(&self) -> Digest {
        self.key
    }
}

#[cfg(test)]
mod tests;

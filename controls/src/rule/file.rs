//! A rule as it is written: one YAML file, read strictly and within bounds.

use std::collections::BTreeMap;
use std::fmt;

use evidence::Timestamp;
use evidence::facts::{Outcome, ProbeId};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::baseline::Parameter;
use crate::verdict::Verdict;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) reads: ProbeId,
    pub(crate) version: u32,
    #[serde(default)]
    pub(crate) applies_when: Option<String>,
    #[serde(default)]
    pub(crate) unknown_when: Vec<UnknownWhen>,
    pub(crate) expect: String,
    pub(crate) observed: Labelled,
    #[serde(default)]
    pub(crate) changes_at: Vec<String>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) severity: Severity,
    pub(crate) rationale: String,
    pub(crate) remedy: String,
    pub(crate) cannot_see: Vec<String>,
    pub(crate) controls: Vec<Bearing>,
    pub(crate) cases: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnknownWhen {
    pub(crate) when: String,
    pub(crate) because: String,
}

/// How much a `not_met` of a rule matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Weakens a defence.
    Medium,
    /// Removes a defence.
    High,
    /// Leaves the host open.
    Critical,
}

impl Severity {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How much a rule says about a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It shows something that the control itself asks for.
    Direct,
    /// It shows something that helps, or that contradicts if it is missing.
    Supporting,
}

impl Weight {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Supporting => "supporting",
        }
    }
}

/// A control that a rule bears on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bearing {
    /// The catalogue's id, such as `iso27001-2022`.
    pub catalogue: String,
    /// The control's id, such as `A.8.24`.
    pub control: String,
    /// How much it says.
    pub bearing: Weight,
    /// The argument, one line.
    pub because: String,
}

/// One test case: facts, or another outcome, and the verdict that they must give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The facts, as far as the rule reads them.
    #[serde(default)]
    pub(crate) facts: Option<Value>,
    /// The name of an earlier case whose facts these are, changed by `set` and `remove`.
    #[serde(default)]
    pub(crate) like: Option<String>,
    /// JSON Pointer (RFC 6901) → value.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, Value>,
    /// JSON Pointers.
    #[serde(default)]
    pub(crate) remove: Vec<String>,
    #[serde(default)]
    pub(crate) outcome: Option<Outcome>,
    #[serde(default)]
    pub(crate) at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) verdict: Verdict,
    #[serde(default)]
    pub(crate) observed: BTreeMap<String, Value>,
}

/// Label → expression, in the order of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labelled(pub(crate) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Labelled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Labelled;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of labels to expressions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labelled, A::Error> {
                let mut labelled = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    labelled.push(entry);
                }
                Ok(Labelled(labelled))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

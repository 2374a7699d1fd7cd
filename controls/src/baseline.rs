//! An organization's own values for the parameters of rules.

use std::collections::BTreeMap;

use evidence::json::MAX_INTEGER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::schema::Shape;
use crate::yaml;

/// Elements of a parameter that is a list.
pub const MAX_ITEMS: usize = 256;

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterType {
    /// `true` or `false`.
    #[serde(rename = "bool")]
    Bool,
    /// An integer.
    #[serde(rename = "int")]
    Int,
    /// A text.
    #[serde(rename = "string")]
    Text,
    /// A list of integers.
    #[serde(rename = "list(int)")]
    Ints,
    /// A list of texts.
    #[serde(rename = "list(string)")]
    Texts,
}

impl ParameterType {
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Bool => Shape::Bool,
            Self::Int => Shape::Int,
            Self::Text => Shape::Text,
            Self::Ints => Shape::List(Shape::Int.into()),
            Self::Texts => Shape::List(Shape::Text.into()),
        }
    }

    /// As a rule writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Text => "string",
            Self::Ints => "list(int)",
            Self::Texts => "list(string)",
        }
    }

    pub(crate) fn accepts(self, value: &Value) -> bool {
        let list = |fits: fn(&Value) -> bool| match value {
            Value::Array(items) => items.len() <= MAX_ITEMS && items.iter().all(fits),
            _ => false,
        };
        match self {
            Self::Bool => value.is_boolean(),
            Self::Int => is_integer(value),
            Self::Text => value.is_string(),
            Self::Ints => list(is_integer),
            Self::Texts => list(Value::is_string),
        }
    }
}

fn is_integer(value: &Value) -> bool {
    value
        .as_i64()
        .is_some_and(|integer| (-MAX_INTEGER..=MAX_INTEGER).contains(&integer))
}

/// A parameter as a rule declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The kind of value.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// The value unless the organization sets its own.
    pub default: Value,
    /// What it means, and its unit.
    pub description: String,
    /// The smallest value of an `int`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The largest value of an `int`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
}

impl Parameter {
    /// Checks a value against type and bounds.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        if !self.kind.accepts(value) {
            return Err(format!("{value} is no {}", self.kind.as_str()));
        }
        let Some(integer) = value.as_i64() else {
            return Ok(());
        };
        match (self.minimum, self.maximum) {
            (Some(minimum), _) if integer < minimum => Err(format!("{integer} is less than {minimum}")),
            (_, Some(maximum)) if integer > maximum => Err(format!("{integer} is more than {maximum}")),
            _ => Ok(()),
        }
    }
}

/// An organization's own values, by rule and parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline {
    values: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A value that a rule does not take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaselineError {
    /// Not YAML, too large, or not of the shape of a baseline.
    #[error("baseline.yaml: {message}")]
    Form {
        /// What the YAML reader says, with line and column.
        message: String,
    },
    /// No such rule.
    #[error("the baseline sets parameters of {rule}, and there is no such rule")]
    NoSuchRule {
        /// The rule's id.
        rule: String,
    },
    /// No such parameter.
    #[error("the baseline sets {parameter} of {rule}, which has {known}")]
    NoSuchParameter {
        /// The rule's id.
        rule: String,
        /// The parameter's name.
        parameter: String,
        /// The parameters that there are.
        known: String,
    },
    /// A value of another type, out of bounds, or that nothing can ever be equal to.
    #[error("the baseline sets {parameter} of {rule}: {problem}")]
    Value {
        /// The rule's id.
        rule: String,
        /// The parameter's name.
        parameter: String,
        /// What is wrong.
        problem: String,
    },
}

impl Baseline {
    /// Reads `baseline.yaml`, `<rule>: {<parameter>: <value>}`; an empty file sets nothing. Whether the rules take the
    /// values shows when they are loaded with it.
    pub fn from_yaml(bytes: &[u8]) -> Result<Self, BaselineError> {
        let values: Option<_> = yaml::read(bytes).map_err(|message| BaselineError::Form { message })?;
        Ok(Self {
            values: values.unwrap_or_default(),
        })
    }

    /// Sets one value; it is checked when rules are loaded with this baseline.
    pub fn set(&mut self, rule: impl Into<String>, parameter: impl Into<String>, value: Value) {
        self.values
            .entry(rule.into())
            .or_default()
            .insert(parameter.into(), value);
    }

    /// The values for one rule.
    pub fn of(&self, rule: &str) -> Option<&BTreeMap<String, Value>> {
        self.values.get(rule)
    }

    /// The rules that it sets parameters of.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_baseline_is_read_strictly() {
        let baseline = Baseline::from_yaml(b"sshd-ciphers-strong:\n  allowed: [aes256-ctr]\n").unwrap();
        assert_eq!(
            baseline.of("sshd-ciphers-strong").unwrap()["allowed"],
            json!(["aes256-ctr"])
        );
        assert_eq!(Baseline::from_yaml(b"").unwrap(), Baseline::default());
        assert_eq!(Baseline::from_yaml(b"# nothing yet\n").unwrap(), Baseline::default());
        for wrong in [
            "a: 1".as_bytes(),
            b"- a",
            b"a: {b: 1, b: 2}",
            b"a: &x {b: 1}\nc: *x",
            b"a: {b: \"\xff\"}",
        ] {
            assert!(Baseline::from_yaml(wrong).is_err(), "{wrong:?}");
        }
        let long = [b"# ".as_slice(), &vec![b'a'; yaml::MAX_BYTES]].concat();
        assert!(Baseline::from_yaml(&long).is_err());
    }
}

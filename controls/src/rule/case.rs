//! The test cases in a rule file.

use std::collections::BTreeMap;

use evidence::Timestamp;
use evidence::facts::{FactsDocument, Outcome};
use serde::Serialize;
use serde_json::Value;

use super::Rule;
use super::file::RuleFile;
use super::load::RuleError;
use crate::evaluation::Evaluation;
use crate::schema::Schemas;
use crate::value::Completeness;
use crate::verdict::{Judgement, Verdict};

/// A case, ready to be run.
#[derive(Debug, Clone)]
pub(crate) struct PreparedCase {
    pub(crate) name: String,
    pub(crate) document: FactsDocument,
    pub(crate) at: Timestamp,
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) verdict: Verdict,
    observed: BTreeMap<String, Value>,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// The rule's id.
    pub rule: String,
    /// The case's name.
    pub case: String,
    /// What differs; empty if the case passed.
    pub failures: Vec<Failure>,
}

impl CaseResult {
    /// Whether nothing differs.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// What differs from what a case says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// `verdict`, `parameters` or an observed value's label.
    pub what: String,
    /// What the case says.
    pub expected: String,
    /// What came out.
    pub found: String,
}

pub(super) fn prepare(file: &RuleFile) -> Result<Vec<PreparedCase>, RuleError> {
    let mut prepared: Vec<PreparedCase> = Vec::new();
    for case in &file.cases {
        let wrong = |problem: String| RuleError::Case {
            name: case.name.clone(),
            problem,
        };
        if prepared.iter().any(|earlier| earlier.name == case.name) {
            return Err(wrong("there is a case of this name already".to_owned()));
        }
        let facts = match (&case.facts, &case.like, case.outcome) {
            (Some(facts), None, None | Some(Outcome::Observed)) => Some(facts.clone()),
            (None, Some(like), None | Some(Outcome::Observed)) => {
                let earlier = prepared.iter().find(|earlier| earlier.name == *like);
                let facts = earlier.and_then(|earlier| earlier.document.facts.clone());
                Some(facts.ok_or_else(|| wrong(format!("like: no earlier case {like:?} has facts")))?)
            }
            (None, None, Some(outcome)) if outcome != Outcome::Observed => None,
            _ => {
                let problem = "needs one of facts, like, and an outcome other than observed";
                return Err(wrong(problem.to_owned()));
            }
        };
        let facts = match facts {
            Some(facts) => Some(patched(facts, &case.set, &case.remove).map_err(wrong)?),
            None => None,
        };
        prepared.push(PreparedCase {
            name: case.name.clone(),
            document: FactsDocument {
                probe: file.reads.clone(),
                version: file.version,
                outcome: case.outcome.unwrap_or(Outcome::Observed),
                detail: String::new(),
                sources: Vec::new(),
                facts,
            },
            at: case.at.unwrap_or(Timestamp::MIN),
            parameters: case.parameters.clone(),
            verdict: case.verdict,
            observed: case.observed.clone(),
        });
    }
    Ok(prepared)
}

/// `facts` with values put at, and taken away from, JSON Pointers (RFC 6901). The last token of a pointer may name a
/// member that is not there yet, or be `-` for a new last element.
fn patched(mut facts: Value, set: &BTreeMap<String, Value>, remove: &[String]) -> Result<Value, String> {
    for (pointer, value) in set {
        let (parent, name) = split(pointer).ok_or_else(|| format!("set: {pointer:?} is no JSON Pointer"))?;
        match facts.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.insert(name, value.clone());
            }
            Some(Value::Array(items)) if name == "-" => items.push(value.clone()),
            Some(Value::Array(_)) => match facts.pointer_mut(pointer) {
                Some(item) => *item = value.clone(),
                None => return Err(format!("set: there is no {pointer}")),
            },
            _ => return Err(format!("set: there is no {parent}")),
        }
    }
    for pointer in remove {
        let (parent, name) = split(pointer).ok_or_else(|| format!("remove: {pointer:?} is no JSON Pointer"))?;
        let removed = match facts.pointer_mut(parent) {
            Some(Value::Object(members)) => members.remove(&name),
            Some(Value::Array(items)) => match name.parse::<usize>() {
                Ok(index) if index < items.len() => Some(items.remove(index)),
                _ => None,
            },
            _ => None,
        };
        if removed.is_none() {
            return Err(format!("remove: there is no {pointer}"));
        }
    }
    Ok(facts)
}

fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, name) = pointer.rsplit_once('/')?;
    Some((parent, name.replace("~1", "/").replace("~0", "~")))
}

impl Rule {
    /// Runs its cases. They say what the file means, so they are judged by its own defaults and what a case sets, whatever
    /// the baseline in force is.
    pub fn test_cases(&self, schemas: &Schemas) -> Vec<CaseResult> {
        self.cases
            .iter()
            .map(|case| {
                let failures = match self.judge_case(case, schemas) {
                    Ok(judgement) => differences(case, &judgement),
                    Err(problem) => vec![Failure {
                        what: "parameters".to_owned(),
                        expected: "values that the rule takes".to_owned(),
                        found: problem,
                    }],
                };
                CaseResult {
                    rule: self.id.clone(),
                    case: case.name.clone(),
                    failures,
                }
            })
            .collect()
    }

    pub(crate) fn judge_case(&self, case: &PreparedCase, schemas: &Schemas) -> Result<Judgement, String> {
        let mut values: serde_json::Map<_, _> = self
            .parameters
            .iter()
            .map(|(name, parameter)| (name.clone(), parameter.default.clone()))
            .collect();
        for (name, value) in &case.parameters {
            let parameter = self
                .parameters
                .get(name)
                .ok_or_else(|| format!("there is no parameter {name}"))?;
            parameter.check(value).map_err(|problem| format!("{name}: {problem}"))?;
            values.insert(name.clone(), value.clone());
        }
        let evaluation = Evaluation::of(&case.document, schemas, Completeness::Part);
        Ok(evaluation.judge_with(self, &Value::Object(values), case.at))
    }
}

fn differences(case: &PreparedCase, judgement: &Judgement) -> Vec<Failure> {
    let mut failures = Vec::new();
    if judgement.verdict != case.verdict {
        let because = if judgement.reason.is_empty() {
            String::new()
        } else {
            format!(" ({})", judgement.reason)
        };
        failures.push(Failure {
            what: "verdict".to_owned(),
            expected: case.verdict.as_str().to_owned(),
            found: format!("{}{because}", judgement.verdict.as_str()),
        });
    }
    for (label, expected) in &case.observed {
        let observed = judgement.observed.iter().find(|observed| observed.label == *label);
        let found = match observed {
            Some(observed) if observed.value.as_ref() == Some(expected) => continue,
            Some(observed) => match (&observed.value, &observed.missing) {
                (Some(value), _) => value.to_string(),
                (None, missing) => missing.clone().unwrap_or_default(),
            },
            None => "not shown".to_owned(),
        };
        failures.push(Failure {
            what: label.clone(),
            expected: expected.to_string(),
            found,
        });
    }
    failures
}

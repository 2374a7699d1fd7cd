//! From a facts document and a rule to a judgement.
//!
//! The document's outcome comes first: only what was observed is evaluated. Then, in this order: do the facts have the
//! shape of their version; is the work within bounds; `applies_when`; `unknown_when`; `expect`. Whatever cannot be
//! evaluated makes the rule `unknown`.
//!
//! A verdict is a step function of time. A rule that reads `now` names in `changes_at` the instants at which it may
//! change; between two of them it is judged once, with `now` at the beginning of the segment, so that the result does
//! not depend on when somebody asks. It is judged again at the segment's end: a rule that comes out otherwise there has
//! not named all instants, and is `unknown`.

use std::collections::BTreeSet;

use evidence::Timestamp;
use evidence::facts::{FactsDocument, Outcome};
use serde_json::Value;

use crate::expression::{self, Expression};
use crate::rule::Rule;
use crate::schema::{Schemas, Shape};
use crate::value::{Completeness, Viewed, to_json, view};
use crate::verdict::{Judgement, Observed, Verdict};

/// Steps that judging one document by one rule may take, about 0.05 s; the built-in rules need some ten thousands for a
/// host with 3,000 packages.
pub const MAX_STEPS: u64 = 1_000_000;
/// Instants at which the verdict over one document may change; a host has tens of package lists, not thousands.
pub const MAX_CHANGES: usize = 2_000;

/// One facts document, prepared once for all rules that read it.
#[derive(Debug)]
pub struct Evaluation<'a> {
    document: &'a FactsDocument,
    facts: Facts<'a>,
}

#[derive(Debug)]
enum Facts<'a> {
    Viewed(Viewed<'a>),
    /// Why no rule can say anything about them.
    Not(String),
}

impl<'a> Evaluation<'a> {
    /// Prepares a document.
    pub fn new(document: &'a FactsDocument, schemas: &'a Schemas) -> Self {
        Self::of(document, schemas, Completeness::Whole)
    }

    pub(crate) fn of(document: &'a FactsDocument, schemas: &'a Schemas, completeness: Completeness) -> Self {
        let facts = match (document.outcome, &document.facts) {
            (Outcome::Observed, Some(facts)) => match schemas.shape(&document.probe, document.version) {
                Some(shape) => match view(facts, shape, completeness) {
                    Ok(viewed) => Facts::Viewed(viewed),
                    Err(misshapen) => Facts::Not(misshapen.to_string()),
                },
                None => Facts::Not(format!(
                    "version {} of the facts of {} has no schema here",
                    document.version, document.probe
                )),
            },
            (Outcome::Observed, None) => Facts::Not("the document is observed and has no facts".to_owned()),
            (outcome, _) if document.detail.is_empty() => Facts::Not(outcome.as_str().to_owned()),
            (outcome, _) => Facts::Not(format!("{}: {}", outcome.as_str(), document.detail)),
        };
        Self { document, facts }
    }

    /// What `rule` says about the document at an instant.
    pub fn judge(&self, rule: &Rule, at: Timestamp) -> Judgement {
        self.judge_with(rule, &rule.values, at)
    }

    pub(crate) fn judge_with(&self, rule: &Rule, values: &Value, at: Timestamp) -> Judgement {
        if rule.reads != self.document.probe {
            return Judgement::unknown(format!("the rule reads {}, not {}", rule.reads, self.document.probe));
        }
        let viewed = match &self.facts {
            Facts::Viewed(viewed) => viewed,
            Facts::Not(why) => return Judgement::unknown(why.clone()),
        };
        if rule.version != self.document.version {
            return Judgement::unknown(format!(
                "the rule reads version {} of {}, and this is version {}",
                rule.version, rule.reads, self.document.version
            ));
        }
        let parameters = match view(values, &rule.values_shape, Completeness::Whole) {
            Ok(parameters) => parameters,
            Err(misshapen) => return Judgement::unknown(misshapen.to_string()),
        };
        Judging {
            rule,
            viewed,
            parameters,
            facts: self.document.facts.as_ref(),
        }
        .judge(at)
    }
}

struct Judging<'r, 'a> {
    rule: &'r Rule,
    viewed: &'r Viewed<'a>,
    parameters: Viewed<'r>,
    facts: Option<&'a Value>,
}

/// A verdict with its reason.
#[derive(PartialEq, Eq)]
struct Said {
    verdict: Verdict,
    reason: String,
}

impl Said {
    fn unknown(reason: String) -> Self {
        Self {
            verdict: Verdict::Unknown,
            reason,
        }
    }
}

/// Where an instant lies between two changes.
struct Segment {
    begin: Timestamp,
    /// `None`: nothing changes any more.
    end: Option<Timestamp>,
}

impl Judging<'_, '_> {
    fn judge(&self, at: Timestamp) -> Judgement {
        let steps = self.steps();
        if steps > MAX_STEPS {
            return Judgement::unknown(format!(
                "judging this document would take {steps} steps, at most {MAX_STEPS} are allowed"
            ));
        }
        let observed = self.observed();
        let (said, valid_until) = if self.rule.changes_at.is_empty() {
            (self.say(Err("no instant is given")), None)
        } else {
            match self.segment(at) {
                Ok(segment) => (self.say_throughout(&segment), segment.end),
                Err(why) => (self.say(Err(&why)), None),
            }
        };
        Judgement {
            verdict: said.verdict,
            observed,
            reason: said.reason,
            valid_until,
        }
    }

    fn steps(&self) -> u64 {
        let rule = self.rule;
        let unknown = rule.unknown_when.iter().map(|(when, _)| when);
        let observed = rule.observed.iter().map(|(_, shown)| shown);
        let timed = rule.applies_when.iter().chain(unknown).chain([&rule.expect]);
        // What reads the time is evaluated at the beginning and at the end of a segment.
        let twice = if rule.changes_at.is_empty() { 1 } else { 2 };
        let of = |expression: &Expression| expression::steps(&expression.cost, &self.viewed.longest);
        let timed = timed.map(of).fold(0, u64::saturating_add).saturating_mul(twice);
        observed
            .chain(&rule.changes_at)
            .map(of)
            .fold(timed, u64::saturating_add)
    }

    fn context(&self, now: Option<Timestamp>) -> cel::Context<'_, '_> {
        expression::context(self.viewed.root.clone(), self.parameters.root.clone(), now)
    }

    /// The verdict at an instant, or without one: then what reads `now` is unknown for the reason given.
    fn say(&self, now: Result<Timestamp, &str>) -> Said {
        let context = self.context(now.ok());
        let truth = |expression: &Expression| match now {
            Err(why) if expression.reads_now => Err(why.to_owned()),
            _ => expression.truth(&context).map_err(|why| self.explain(expression, &why)),
        };
        if let Some(applies) = &self.rule.applies_when {
            match truth(applies) {
                Ok(true) => {}
                Ok(false) => {
                    return Said {
                        verdict: Verdict::NotApplicable,
                        reason: format!("the rule applies when {}", one_line(applies.source())),
                    };
                }
                Err(why) => return Said::unknown(format!("whether the rule applies is unknown: {why}")),
            }
        }
        for (when, because) in &self.rule.unknown_when {
            match truth(when) {
                Ok(false) => {}
                Ok(true) => return Said::unknown(because.clone()),
                Err(why) => return Said::unknown(why),
            }
        }
        match truth(&self.rule.expect) {
            Ok(met) => Said {
                verdict: if met { Verdict::Met } else { Verdict::NotMet },
                reason: String::new(),
            },
            Err(why) => Said::unknown(why),
        }
    }

    fn say_throughout(&self, segment: &Segment) -> Said {
        let first = self.say(Ok(segment.begin));
        let last = segment.end.map_or(Timestamp::MAX, |end| end.plus(-1));
        if last <= segment.begin || self.say(Ok(last)) == first {
            return first;
        }
        Said::unknown(format!(
            "the rule changes between {} and {last} and does not name the instant in changes_at",
            segment.begin
        ))
    }

    fn segment(&self, at: Timestamp) -> Result<Segment, String> {
        let context = self.context(None);
        let mut changes = BTreeSet::new();
        for change in &self.rule.changes_at {
            let value = change.evaluate(&context).map_err(|why| self.explain(change, &why))?;
            let json = to_json(value.as_ref(), &change.shape)
                .ok_or("an instant in changes_at is outside the years 1970 to 9999")?;
            let times = match (&change.shape, json) {
                (Shape::List(_), Value::Array(items)) => items,
                (_, single) => vec![single],
            };
            for time in times {
                let time = time.as_str().and_then(|time| time.parse::<Timestamp>().ok());
                changes.insert(time.ok_or("changes_at names something that is no time")?);
            }
        }
        if changes.len() > MAX_CHANGES {
            return Err(format!(
                "changes_at names {} instants, at most {MAX_CHANGES} are allowed",
                changes.len()
            ));
        }
        let begin = changes.range(..=at).next_back().copied();
        Ok(Segment {
            begin: begin.unwrap_or(Timestamp::MIN),
            end: changes.range(at.plus(1)..).next().copied().filter(|end| *end > at),
        })
    }

    fn observed(&self) -> Vec<Observed> {
        let context = self.context(None);
        let rule = self.rule;
        rule.observed
            .iter()
            .map(|(label, shown)| match shown.evaluate(&context) {
                Ok(value) => match to_json(value.as_ref(), &shown.shape) {
                    Some(json) => Observed::value(label, json),
                    None => Observed::missing(label, "a value that JSON cannot hold".to_owned()),
                },
                Err(why) => Observed::missing(label, self.explain(shown, &why)),
            })
            .collect()
    }

    /// Why an expression could not be evaluated: the first thing that it reads and that was not observed, if there is
    /// one, for that says more than a missing key.
    fn explain(&self, expression: &Expression, why: &str) -> String {
        let unseen = self
            .facts
            .and_then(|facts| expression.reads_known.iter().find_map(|path| unseen(facts, path)));
        unseen.unwrap_or_else(|| format!("{} cannot be evaluated: {why}", one_line(expression.source())))
    }
}

/// The first value at `path` (such as `facts.volumes[].luks`) that was not observed, in words.
fn unseen(facts: &Value, path: &str) -> Option<String> {
    let steps: Vec<&str> = path.split('.').skip(1).collect();
    let found = find_unseen(facts, &steps)?;
    let outcome = found.get("outcome").and_then(Value::as_str).unwrap_or("not observed");
    let detail = found.get("detail").and_then(Value::as_str).unwrap_or_default();
    let place = path.strip_prefix("facts.").unwrap_or(path);
    Some(if detail.is_empty() {
        format!("{place}: {outcome}")
    } else {
        format!("{place}: {outcome}: {detail}")
    })
}

fn find_unseen<'a>(value: &'a Value, steps: &[&str]) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else {
        let seen = value.get("outcome").and_then(Value::as_str) == Some("observed");
        return (!seen && value.is_object()).then_some(value);
    };
    let name = step.trim_end_matches("[]");
    let depth = (step.len() - name.len()) / 2;
    descend(value.get(name)?, depth, rest)
}

fn descend<'a>(value: &'a Value, depth: usize, rest: &[&str]) -> Option<&'a Value> {
    match (depth.checked_sub(1), value) {
        (None, value) => find_unseen(value, rest),
        (Some(depth), Value::Array(items)) => items.iter().find_map(|item| descend(item, depth, rest)),
        (Some(depth), Value::Object(members)) => members.values().find_map(|member| descend(member, depth, rest)),
        _ => None,
    }
}

fn one_line(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ")
}

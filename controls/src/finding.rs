//! Findings: what a rule says about a host over an interval.

use std::collections::HashMap;

use evidence::facts::{FactsDocument, ProbeId};
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluation;
use crate::rule::{Rule, RuleSet};
use crate::schema::Schemas;
use crate::timeline::{State, Timeline};
use crate::verdict::{Judgement, Observed, Verdict};

/// A rule's verdict for one host over `[from, to)`, with what was observed and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The host.
    pub host: HostId,
    /// The rule's id.
    pub rule: String,
    /// The facts document that the rule reads.
    pub document: ProbeId,
    /// Begin, included.
    pub from: Timestamp,
    /// End, excluded.
    pub to: Timestamp,
    /// The verdict.
    pub verdict: Verdict,
    /// The values that the rule shows.
    pub observed: Vec<Observed>,
    /// Why it is `unknown` or `not_applicable`; else empty.
    pub reason: String,
    /// SHA-256 of the facts document that was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Digest>,
    /// The first statement in the log that this rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_index: Option<u64>,
    /// The last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_index: Option<u64>,
}

/// Where facts documents come from: the collector's store, or a pack.
pub trait FactsSource {
    /// The document of this digest. `Err` says why it cannot be had, in words that are the same whoever asks: it
    /// becomes the reason of an `unknown`.
    fn facts(&mut self, digest: &Digest) -> Result<FactsDocument, String>;
}

/// Judges each pair of rule and facts once, however many hosts and intervals have it.
#[derive(Debug, Default)]
pub struct Judge {
    /// By rule key and facts digest: judgements and the interval in which time leaves each as it is.
    memo: HashMap<(Digest, Digest), Vec<(Timestamp, Judgement)>>,
}

impl Judge {
    /// What `rule` says at an instant about the document of this digest.
    pub fn judge(
        &mut self,
        rule: &Rule,
        digest: &Digest,
        at: Timestamp,
        schemas: &Schemas,
        source: &mut dyn FactsSource,
    ) -> Judgement {
        let known = self.memo.entry((rule.key(), *digest)).or_default();
        let holds = |(since, judgement): &&(Timestamp, Judgement)| {
            *since <= at && judgement.valid_until.is_none_or(|until| at < until)
        };
        if let Some((_, judgement)) = known.iter().find(holds) {
            return judgement.clone();
        }
        let judgement = match source.facts(digest) {
            Ok(document) => Evaluation::new(&document, schemas).judge(rule, at),
            Err(why) => Judgement::unknown(why),
        };
        let since = if rule.reads_time() { at } else { Timestamp::MIN };
        known.push((since, judgement.clone()));
        judgement
    }

    /// Puts in what was judged elsewhere, for instance what a store remembers.
    pub fn remember(&mut self, rule: &Rule, digest: Digest, since: Timestamp, judgement: Judgement) {
        self.memo
            .entry((rule.key(), digest))
            .or_default()
            .push((since, judgement));
    }
}

/// What all rules say about one host over `[from, to)`: by rule, then by time, without holes, equal neighbours merged.
pub fn findings(
    host: &HostId,
    rules: &RuleSet,
    timeline: &Timeline,
    (from, to): (Timestamp, Timestamp),
    judge: &mut Judge,
    source: &mut dyn FactsSource,
) -> Vec<Finding> {
    let findings = rules
        .rules()
        .map(|rule| findings_of_rule(host, rule, rules.schemas(), timeline, (from, to), judge, source));
    findings.collect::<Vec<_>>().concat()
}

/// The same for one rule.
pub fn findings_of_rule(
    host: &HostId,
    rule: &Rule,
    schemas: &Schemas,
    timeline: &Timeline,
    (from, to): (Timestamp, Timestamp),
    judge: &mut Judge,
    source: &mut dyn FactsSource,
) -> Vec<Finding> {
    let mut of_rule: Vec<Finding> = Vec::new();
    for interval in timeline.over(rule.reads(), from, to) {
        let empty = Finding {
            host: host.clone(),
            rule: rule.id().to_owned(),
            document: rule.reads().clone(),
            from: interval.from,
            to: interval.to,
            verdict: Verdict::Unknown,
            observed: Vec::new(),
            reason: String::new(),
            facts: None,
            first_index: None,
            last_index: None,
        };
        match interval.told {
            State::Silent => of_rule.push(Finding {
                reason: format!("no statement from {} to {}", interval.from, interval.to),
                ..empty
            }),
            State::NotInManifest {
                first_index,
                last_index,
            } => of_rule.push(Finding {
                reason: format!("the agent does not run the probe {}", rule.reads()),
                first_index: Some(first_index),
                last_index: Some(last_index),
                ..empty
            }),
            State::Held {
                digest,
                first_index,
                last_index,
            } => {
                let mut at = interval.from;
                while at < interval.to {
                    let judgement = judge.judge(rule, &digest, at, schemas, source);
                    // `valid_until` is after `at`; if it were not, this would not end.
                    let end = judgement.valid_until.filter(|until| *until > at).unwrap_or(interval.to);
                    let end = end.min(interval.to);
                    push(
                        &mut of_rule,
                        Finding {
                            from: at,
                            to: end,
                            verdict: judgement.verdict,
                            observed: judgement.observed,
                            reason: judgement.reason,
                            facts: Some(digest),
                            first_index: Some(first_index),
                            last_index: Some(last_index),
                            ..empty.clone()
                        },
                    );
                    at = end;
                }
            }
        }
    }
    of_rule
}

fn push(findings: &mut Vec<Finding>, next: Finding) {
    if let Some(last) = findings.last_mut() {
        let same = Finding {
            from: last.from,
            to: last.to,
            ..next.clone()
        };
        if last.to == next.from && *last == same {
            last.to = next.to;
            return;
        }
    }
    findings.push(next);
}

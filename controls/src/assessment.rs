//! The assessment of a period: findings, coverage and the status of controls, out of statements and facts. The collector
//! writes it into a pack, the verifier makes it again and compares, so both call this.

use std::collections::{BTreeSet, HashMap};

use evidence::facts::{FactsDocument, Outcome};
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};

use crate::catalogue::Catalogue;
use crate::coverage::Coverage;
use crate::evaluation::Evaluation;
use crate::finding::{FactsSource, Finding, Judge, findings};
use crate::rule::RuleSet;
use crate::status::{ControlStatus, fold};
use crate::timeline::Timeline;

mod roll;
pub mod scope;
pub mod table;

pub use roll::{Member, Roll};
pub use scope::{Tenure, parse as parse_scope};

/// What one host told.
#[derive(Debug)]
pub struct Witness {
    /// Its id.
    pub host: HostId,
    /// The name that it enrolled with.
    pub name: String,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// Since when it has no key that counts.
    pub revoked_at: Option<Timestamp>,
    /// Its statements.
    pub timeline: Timeline,
}

impl Witness {
    /// How long it was a member.
    pub fn tenure(&self) -> Tenure {
        Tenure {
            enrolled_at: self.enrolled_at,
            revoked_at: self.revoked_at,
        }
    }
}

/// What the evidence of a period amounts to.
#[derive(Debug, PartialEq)]
pub struct Assessment {
    /// By host, rule and time.
    pub findings: Vec<Finding>,
    /// Every control of the catalogue, in its order.
    pub controls: Vec<ControlStatus>,
    /// Every host in scope.
    pub coverage: Coverage,
}

/// Makes an assessment. Facts are judged as they pass by, one document at a time, and not kept.
pub struct Assessor<'a> {
    rules: &'a RuleSet,
    from: Timestamp,
    to: Timestamp,
    judge: Judge,
    observed: HashMap<Digest, bool>,
}

impl<'a> Assessor<'a> {
    /// Of the period `[from, to)`.
    pub fn new(rules: &'a RuleSet, (from, to): (Timestamp, Timestamp)) -> Self {
        Self {
            rules,
            from,
            to,
            judge: Judge::default(),
            observed: HashMap::new(),
        }
    }

    /// Judges a facts document by every rule that reads it, at every instant of the period at which the verdict may change.
    pub fn take(&mut self, digest: Digest, document: &FactsDocument) {
        self.observed.insert(digest, document.outcome == Outcome::Observed);
        let evaluation = Evaluation::new(document, self.rules.schemas());
        for rule in self.rules.rules().filter(|rule| *rule.reads() == document.probe) {
            let mut at = Some(self.from);
            while let Some(since) = at.filter(|at| *at < self.to) {
                let judgement = evaluation.judge(rule, since);
                at = judgement.valid_until.filter(|until| *until > since);
                let since = if rule.reads_time() { since } else { Timestamp::MIN };
                self.judge.remember(rule, digest, since, judgement);
            }
        }
    }

    /// The assessment, once every facts document has passed by. `witnesses` are all enrolled hosts; `scope` is the list of
    /// names of the hosts that ought to report, if there is one.
    pub fn finish(
        mut self,
        catalogue: &Catalogue,
        witnesses: &[Witness],
        scope: Option<&BTreeSet<String>>,
    ) -> Assessment {
        let period = (self.from, self.to);
        let mut all = Vec::new();
        for witness in witnesses {
            all.extend(findings(
                &witness.host,
                self.rules,
                &witness.timeline,
                period,
                &mut self.judge,
                &mut NotHere,
            ));
        }
        let observed = |digest: &Digest| self.observed.get(digest).copied().unwrap_or(false);
        let coverage = Coverage::of(
            scope::records(witnesses, scope, period),
            scope::source(scope),
            self.rules,
            period,
            observed,
        );
        let controls = fold(catalogue, self.rules, &coverage, &all, |_| false);
        Assessment {
            findings: all,
            controls,
            coverage,
        }
    }
}

/// Facts that did not pass by: withheld.
struct NotHere;

impl FactsSource for NotHere {
    fn facts(&mut self, digest: &Digest) -> Result<FactsDocument, String> {
        Err(format!("the facts document {digest} is withheld"))
    }
}

//! Verdicts and the like: a word, a shape and a colour together, so that none of them is needed alone.

use askama::Template;
use askama::filters::HtmlSafe;
use controls::coverage::GapKind;
use controls::rule::Severity;
use controls::status::{Standing, Status};
use controls::verdict::Verdict;
use evidence::facts::Outcome;

use crate::query::HostReporting;

/// A word with its shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "web/parts/mark.html")]
pub(super) struct Mark {
    /// Colour: `good`, `bad`, `open`, `none`, `excepted`. There is a shape by each of these names.
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
}

impl HtmlSafe for Mark {}

const fn mark(tone: &'static str, word: &'static str) -> Mark {
    Mark { tone, word }
}

impl From<Verdict> for Mark {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Met => mark("good", "met"),
            Verdict::NotMet => mark("bad", "not met"),
            Verdict::Unknown => mark("open", "unknown"),
            Verdict::NotApplicable => mark("none", "not applicable"),
        }
    }
}

impl From<Standing> for Mark {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Met => mark("good", "met"),
            Standing::NotMet => mark("bad", "not met"),
            Standing::Unknown => mark("open", "unknown"),
            Standing::NotApplicable => mark("none", "not applicable"),
            Standing::Excepted => mark("excepted", "excepted"),
        }
    }
}

impl From<Status> for Mark {
    fn from(status: Status) -> Self {
        match status {
            Status::Supported => mark("good", "supported"),
            Status::Contradicted => mark("bad", "contradicted"),
            Status::Unknown => mark("open", "unknown"),
            Status::NotEvidenced => mark("none", "not evidenced"),
        }
    }
}

impl From<HostReporting> for Mark {
    fn from(reporting: HostReporting) -> Self {
        match reporting {
            HostReporting::Fresh => mark("good", "fresh"),
            HostReporting::Silent => mark("open", "silent"),
            HostReporting::NeverStated => mark("open", "never stated"),
            HostReporting::Revoked => mark("none", "revoked"),
        }
    }
}

impl From<Outcome> for Mark {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Observed => mark("good", "observed"),
            Outcome::Absent => mark("none", "absent"),
            Outcome::Denied => mark("open", "denied"),
            Outcome::Failed => mark("open", "failed"),
            Outcome::Malformed => mark("open", "malformed"),
            Outcome::Unsupported => mark("open", "unsupported"),
            Outcome::Timeout => mark("open", "timeout"),
            Outcome::Skipped => mark("open", "skipped"),
        }
    }
}

impl From<GapKind> for Mark {
    fn from(kind: GapKind) -> Self {
        match kind {
            GapKind::Silent => mark("open", "silent"),
            GapKind::NotEnrolled => mark("none", "not enrolled"),
            GapKind::Revoked => mark("none", "revoked"),
        }
    }
}

/// How much a `not_met` matters: a scale of its own, in ink only, so that it is not taken for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "web/parts/meter.html")]
pub(super) struct Meter {
    word: &'static str,
    /// Of four.
    level: u8,
}

impl HtmlSafe for Meter {}

impl Meter {
    /// The four bars of the picture: place, height, and whether it is above the level.
    fn bars(self) -> [(u8, u8, bool); 4] {
        [1, 2, 3, 4].map(|bar| ((bar - 1) * 4, bar * 2 + 2, bar > self.level))
    }
}

impl From<Severity> for Meter {
    fn from(severity: Severity) -> Self {
        let level = match severity {
            Severity::Low => 1,
            Severity::Medium => 2,
            Severity::High => 3,
            Severity::Critical => 4,
        };
        Self {
            word: severity.as_str(),
            level,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_never_looks_like_met() {
        assert_ne!(Mark::from(Verdict::Unknown).tone, Mark::from(Verdict::Met).tone);
        let outcomes = [
            Outcome::Denied,
            Outcome::Failed,
            Outcome::Malformed,
            Outcome::Unsupported,
            Outcome::Timeout,
        ];
        for outcome in outcomes {
            assert_eq!(Mark::from(outcome).tone, "open");
        }
        let html = Mark::from(Verdict::NotMet).to_string();
        assert!(html.contains("not met") && html.contains("#shape-bad"), "{html}");
    }
}

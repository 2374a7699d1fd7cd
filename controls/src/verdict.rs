//! What a rule says about a host.

use evidence::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a rule says. Never a boolean: not to know is neither yes nor no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What the rule expects was seen.
    Met,
    /// Something else was seen.
    NotMet,
    /// It was not seen: absent, denied, malformed, timed out, skipped, stale, or silence.
    Unknown,
    /// The rule's own condition says that it does not apply to this host.
    NotApplicable,
}

impl Verdict {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not_met",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// Of several verdicts about one host the one that stands for all: `not_met`, else `unknown`, else `met`, else
    /// `not_applicable`.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if self.weight() >= other.weight() { self } else { other }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::NotApplicable => 0,
            Self::Met => 1,
            Self::Unknown => 2,
            Self::NotMet => 3,
        }
    }
}

/// A value that is shown beside the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// What it is, in the rule's words.
    pub label: String,
    /// The value, canonical JSON; times as RFC 3339. Of a long list the first [`MAX_OBSERVED_ITEMS`] elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// How many elements the list has, if not all are in `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// Elements of a list that are shown beside a verdict; the facts have all of them.
pub const MAX_OBSERVED_ITEMS: usize = 50;

impl Observed {
    pub(crate) fn value(label: &str, value: Value) -> Self {
        let (value, total) = match value {
            Value::Array(mut items) if items.len() > MAX_OBSERVED_ITEMS => {
                let total = u64::try_from(items.len()).ok();
                items.truncate(MAX_OBSERVED_ITEMS);
                (Value::Array(items), total)
            }
            value => (value, None),
        };
        Self {
            label: label.to_owned(),
            value: Some(value),
            total,
            missing: None,
        }
    }

    pub(crate) fn missing(label: &str, why: String) -> Self {
        Self {
            label: label.to_owned(),
            value: None,
            total: None,
            missing: Some(why),
        }
    }
}

/// What a rule says about one facts document at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The values that the rule shows, in its order; empty if nothing was observed.
    pub observed: Vec<Observed>,
    /// Why it is `unknown` or `not_applicable`; empty otherwise, for then the observed values say it.
    pub reason: String,
    /// The first instant at which time alone may change this, the document being the same; `None` if it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

impl Judgement {
    /// `unknown`, without values.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Unknown,
            observed: Vec::new(),
            reason: reason.into(),
            valid_until: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_outweighs_met() {
        assert_eq!(Verdict::Met.worse(Verdict::Unknown), Verdict::Unknown);
        assert_eq!(Verdict::Unknown.worse(Verdict::NotMet), Verdict::NotMet);
        assert_eq!(Verdict::NotApplicable.worse(Verdict::Met), Verdict::Met);
    }

    #[test]
    fn long_lists_say_how_long_they_are() {
        let observed = Observed::value("packages", (0..1000).collect::<Vec<i32>>().into());
        assert_eq!(observed.total, Some(1000));
        assert_eq!(observed.value.unwrap().as_array().unwrap().len(), MAX_OBSERVED_ITEMS);
    }
}

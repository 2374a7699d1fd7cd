//! Why the answer may not be whole.

use std::collections::BTreeSet;

use crate::reading::Unread;

/// Reasons that are told; the rest is counted.
const MAX_TOLD: usize = 99;

/// Reasons why there may be more updates than were seen, each once.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    reasons: BTreeSet<String>,
    untold: u64,
}

impl Doubts {
    /// Notes a reason.
    pub(super) fn add(&mut self, reason: String) {
        if self.reasons.len() < MAX_TOLD || self.reasons.contains(&reason) {
            self.reasons.insert(reason);
        } else {
            self.untold += 1;
        }
    }

    /// Notes that something could not be read.
    pub(super) fn unread(&mut self, unread: &Unread) {
        self.add(unread.to_string());
    }

    /// The reasons, sorted.
    pub(super) fn into_reasons(self) -> Vec<String> {
        let mut reasons: Vec<_> = self.reasons.into_iter().collect();
        if self.untold > 0 {
            reasons.push(format!("{} further reasons", self.untold));
        }
        reasons
    }
}

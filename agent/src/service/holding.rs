//! How long a manifest was seen to hold.

use evidence::statement::Held;
use evidence::{Digest, Timestamp};

use crate::spool::Head;

/// The newest stated manifest, and the collections that found it unchanged since.
#[derive(Debug)]
pub(super) struct Holding {
    manifest: Digest,
    until: Timestamp,
    collections: u64,
    /// Another manifest was seen in between: what comes after does not count.
    over: bool,
}

impl Holding {
    pub(super) const fn after(head: &Head) -> Self {
        Self {
            manifest: head.manifest,
            until: head.observed_at,
            collections: 0,
            over: false,
        }
    }

    /// A collection found `manifest`; whether that is a change.
    pub(super) fn observe(&mut self, manifest: Digest, at: Timestamp) -> bool {
        let same = manifest == self.manifest;
        if same && !self.over {
            self.until = at;
            self.collections += 1;
        } else {
            self.over = true;
        }
        !same || self.over
    }

    pub(super) const fn held(&self) -> Held {
        Held {
            until: self.until,
            collections: self.collections,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_did_not_hold_in_between() {
        let at = |seconds| Timestamp::from_unix(seconds).unwrap();
        let [a, b] = [Digest::of(b"a"), Digest::of(b"b")];
        let head = Head {
            sequence: 1,
            digest: a,
            manifest: a,
            observed_at: at(100),
        };
        let mut holding = Holding::after(&head);
        assert!(!holding.observe(a, at(110)));
        assert!(!holding.observe(a, at(120)));
        assert!(holding.observe(b, at(130)));
        assert!(holding.observe(a, at(140)));
        let expected = Held {
            until: at(120),
            collections: 2,
        };
        assert_eq!(holding.held(), expected);
    }
}

//! What several probes of one round need, read once.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use evidence::Digest;
use evidence::facts::{Origin, Outcome};

/// The sources of something, as a notebook has them.
pub(super) type Sources = BTreeMap<Origin, (Outcome, Option<Digest>)>;

/// Holds what probes put there for others, until the round is over. What is taken from it comes with its sources, so that
/// a document has the same bytes whoever read first.
#[derive(Default)]
pub struct Shelf(Mutex<BTreeMap<&'static str, Kept>>);

struct Kept {
    value: Arc<dyn Any + Send + Sync>,
    sources: Sources,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf")
    }
}

impl Shelf {
    pub(super) fn get<T: Send + Sync + 'static>(&self, name: &str) -> Option<(Arc<T>, Sources)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(name)?;
        let value = Arc::clone(&found.value).downcast().ok()?;
        Some((value, found.sources.clone()))
    }

    /// Keeps a value, unless one of its sources was not read for want of time or budget: another probe may have more.
    pub(super) fn put<T: Send + Sync + 'static>(&self, name: &'static str, value: Arc<T>, sources: Sources) {
        let hasty = |(outcome, _): &(Outcome, _)| matches!(outcome, Outcome::Timeout | Outcome::Skipped);
        if sources.values().any(hasty) {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(name, Kept { value, sources });
    }
}

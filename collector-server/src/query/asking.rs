//! One question: a committed state of the index, the rules, and the instant.

use std::sync::{Arc, Mutex, PoisonError};

use controls::catalogue::{self, Catalogue};
use controls::coverage::ScopeSource;
use evidence::Timestamp;
use evidence::statement::HostId;

use super::fleet::Moments;
use super::{AsOf, QueryError, Span};
use crate::clock::Clock;
use crate::index::{Enrolled, InForce, Index, Places, Snapshot};
use crate::log::Tiles;
use crate::store::Store;

/// Answers questions.
pub struct Query {
    index: Index,
    clock: Arc<dyn Clock>,
    tiles: Tiles,
    rules: Mutex<Option<Arc<Judging>>>,
}

/// The rules that a state of the index was made with.
#[derive(Debug)]
pub(super) struct Judging {
    pub(super) rules: Arc<InForce>,
    pub(super) places: Places,
    /// All hosts, as these rules judge them, at the instants that were asked about last.
    pub(super) moments: Moments,
}

/// One question.
pub(super) struct Asking<'a> {
    pub(super) snapshot: &'a Snapshot<'a>,
    pub(super) judging: Arc<Judging>,
    pub(super) store: &'a dyn Store,
    pub(super) tiles: &'a Tiles,
    pub(super) as_of: AsOf,
    /// Whether what the index keeps ready is the answer.
    pub(super) present: bool,
    /// Whether it is about one instant by its kind, and not about a period that may be as short.
    pub(super) instant: bool,
}

impl Query {
    /// Answers out of an index.
    pub fn new(index: Index, clock: Arc<dyn Clock>) -> Self {
        Self {
            tiles: Tiles::new(Arc::clone(index.store())),
            index,
            clock,
            rules: Mutex::new(None),
        }
    }

    /// What time it is to whoever asks.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How many entries of the log the index has taken in.
    pub fn position(&self) -> Result<u64, QueryError> {
        self.index.read(|snapshot| Ok(snapshot.head().position))
    }

    /// The index that it asks.
    pub fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn ask<T>(
        &self,
        span: Span,
        answer: impl FnOnce(&Asking<'_>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        if let Span::Over { from, to } = span
            && from >= to
        {
            return Err(QueryError::Period { from, to });
        }
        let now = self.clock.now();
        self.index.read(|snapshot| {
            let (as_of, present) = as_of(span, now, snapshot);
            answer(&Asking {
                snapshot,
                judging: self.judging(snapshot)?,
                store: self.index.store().as_ref(),
                tiles: &self.tiles,
                as_of,
                present,
                instant: !matches!(span, Span::Over { .. }),
            })
        })
    }

    fn judging(&self, snapshot: &Snapshot<'_>) -> Result<Arc<Judging>, QueryError> {
        let index = snapshot.head().rules;
        let mut kept = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(judging) = kept.as_ref().filter(|judging| judging.rules.index() == index) {
            return Ok(Arc::clone(judging));
        }
        let rules = InForce::at(self.index.store().as_ref(), index)?;
        let judging = Arc::new(Judging {
            places: Places::of(&rules.set),
            rules,
            moments: Moments::default(),
        });
        *kept = Some(Arc::clone(&judging));
        Ok(judging)
    }
}

/// What an answer is about, and whether it is the present.
fn as_of(span: Span, now: Timestamp, snapshot: &Snapshot<'_>) -> (AsOf, bool) {
    let head = snapshot.head();
    // The state holds from `as_of` until something is due.
    let holds = |at: Timestamp| at >= head.as_of && head.next_due.is_none_or(|due| at < due);
    let (from, to, present) = match span {
        Span::Now => {
            let latest = head.next_due.map_or(Timestamp::MAX, |due| due.plus(-1));
            let at = now.min(latest).max(head.as_of);
            (at, at.plus(1), true)
        }
        Span::At(at) => (at, at.plus(1), holds(at)),
        Span::Over { from, to } => (from, to, false),
    };
    let entries = head.position;
    (AsOf { from, to, entries }, present)
}

impl Asking<'_> {
    pub(super) fn catalogue(id: &str) -> Result<&'static Catalogue, QueryError> {
        catalogue::find(id).ok_or_else(|| QueryError::NotFound {
            what: "catalogue",
            name: id.to_owned(),
        })
    }

    pub(super) fn host(&self, host: &HostId) -> Result<Enrolled, QueryError> {
        self.snapshot.host(host.as_str())?.ok_or_else(|| QueryError::NotFound {
            what: "host",
            name: host.to_string(),
        })
    }

    pub(super) fn place(&self, rule: &str) -> Result<usize, QueryError> {
        self.judging.places.rule(rule).ok_or_else(|| QueryError::NotFound {
            what: "rule",
            name: rule.to_owned(),
        })
    }

    pub(super) fn scope_source(&self) -> ScopeSource {
        if self.snapshot.head().listed {
            ScopeSource::List
        } else {
            ScopeSource::Enrolled
        }
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Query({:?})", self.index)
    }
}

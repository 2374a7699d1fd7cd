//! Which facts a host's statements speak for, instant by instant.
//!
//! A statement speaks from its `observed_at` until the next one, for at most [`Timeline::freshness`] seconds; what no
//! statement speaks for is silence. Three things bend that:
//! - A statement says how long the manifest before it was still seen to hold: the one before speaks until then at least.
//! - A statement says that others before it were lost: what they would have said is not known, and the one before them
//!   speaks for its own second only.
//! - Clocks go backwards. Log order decides: a statement with an earlier time than one before it in the log speaks from
//!   where that one began. So a false time in a later statement changes nothing that was told about earlier instants,
//!   and a host whose clock ran ahead is silent until the true time has caught up. Whoever accepts statements has to
//!   refuse times that are ahead.
//!
//! Intervals are half-open, `[from, to)`, and never of negative length.

use std::sync::Arc;

use evidence::facts::ProbeId;
use evidence::manifest::Manifest;
use evidence::{Digest, Timestamp, statement};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a statement speaks, seconds, if nothing else is configured: three seal intervals of an hour.
pub const DEFAULT_FRESHNESS: u64 = 3 * 3600;

/// What a timeline needs to know of an accepted statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Its place in the log.
    pub index: u64,
    /// When the manifest was complete, by the host's clock.
    pub observed_at: Timestamp,
    /// Until when the manifest before it was still seen to hold.
    pub held_until: Option<Timestamp>,
    /// Whether statements directly before it were lost.
    pub lost: bool,
    /// The documents.
    pub manifest: Arc<Manifest>,
}

impl Observation {
    /// Of the statement at `index`, whose subject is `manifest`.
    pub fn of(index: u64, stated: &statement::Observation, manifest: Arc<Manifest>) -> Self {
        Self {
            index,
            observed_at: stated.observed_at,
            held_until: stated.held.as_ref().map(|held| held.until),
            lost: stated.lost.is_some(),
            manifest,
        }
    }
}

/// One statement's part of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its place in the log.
    pub index: u64,
    /// It speaks from here,
    pub from: Timestamp,
    /// and not any more here.
    pub until: Timestamp,
    /// Whether `from` is its own time, and not that of a statement before it.
    pub in_order: bool,
    /// The documents.
    pub manifest: Arc<Manifest>,
}

/// What a host told about one document over an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Begin, included.
    pub from: Timestamp,
    /// End, excluded.
    pub to: Timestamp,
    /// What was told.
    pub told: State,
}

/// What was told about one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The document of this digest.
    Held {
        /// The document's SHA-256.
        digest: Digest,
        /// The first statement in the log that says so for this interval.
        first_index: u64,
        /// The last one.
        last_index: u64,
    },
    /// There were statements and none had the document.
    NotInManifest {
        /// The first statement in the log without it.
        first_index: u64,
        /// The last one.
        last_index: u64,
    },
    /// There was no statement.
    Silent,
}

/// An interval without a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Begin, included.
    pub from: Timestamp,
    /// End, excluded.
    pub to: Timestamp,
}

/// A statement that cannot be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("entry {index} of the log comes after entry {last} in this timeline: statements are appended in log order")]
pub struct OutOfOrder {
    /// The entry.
    pub index: u64,
    /// The last one that the timeline has.
    pub last: u64,
}

/// One host's statements over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    freshness: i64,
    told: Vec<Told>,
    /// The only period that it is asked about, if that is known.
    within: Option<(Timestamp, Timestamp)>,
}

impl Timeline {
    /// An empty timeline in which a statement speaks for `freshness` seconds at most.
    pub fn new(freshness: u64) -> Self {
        Self {
            freshness: i64::try_from(freshness).unwrap_or(i64::MAX).max(1),
            told: Vec::new(),
            within: None,
        }
    }

    /// An empty timeline that is asked about `[from, to)` only, as a whole or at its end. Of statements there that follow
    /// each other without a gap, with one and the same [`Arc`] of a manifest, it keeps the first and the last ones: so it
    /// grows with what changed, and not with how often it was stated.
    pub fn within(freshness: u64, from: Timestamp, to: Timestamp) -> Self {
        Self {
            within: Some((from, to)),
            ..Self::new(freshness)
        }
    }

    /// A timeline of many statements, in log order.
    pub fn of(freshness: u64, observations: impl IntoIterator<Item = Observation>) -> Result<Self, OutOfOrder> {
        let mut timeline = Self::new(freshness);
        for observation in observations {
            timeline.append(observation)?;
        }
        Ok(timeline)
    }

    /// Goes on from the last statement of a timeline that was put away: what is appended gets the same intervals.
    pub fn resume(freshness: u64, last: Told) -> Self {
        Self {
            told: vec![last],
            ..Self::new(freshness)
        }
    }

    /// A timeline that was put away: `told` as [`Self::told`] gave it, or a part of it. Neighbours with the same manifest
    /// and nothing between them may have been merged into one or two.
    pub fn recalled(freshness: u64, told: Vec<Told>) -> Self {
        Self {
            told,
            ..Self::new(freshness)
        }
    }

    /// Seconds for which a statement speaks at most.
    pub fn freshness(&self) -> i64 {
        self.freshness
    }

    /// Appends the next statement of the log. Changes the end of the one before it, and nothing else.
    pub fn append(&mut self, observation: Observation) -> Result<&Told, OutOfOrder> {
        let index = observation.index;
        let mut from = observation.observed_at;
        if let Some(last) = self.told.last_mut() {
            if index <= last.index {
                return Err(OutOfOrder {
                    index,
                    last: last.index,
                });
            }
            from = from.max(last.from);
            let speaks = if observation.lost {
                last.from.plus(1)
            } else {
                let seen = observation.held_until.unwrap_or(last.from);
                seen.max(last.from.plus(self.freshness))
            };
            last.until = speaks.min(from);
        }
        self.merge();
        Ok(self.told.push_mut(Told {
            index,
            from,
            until: from.plus(self.freshness),
            in_order: from == observation.observed_at,
            manifest: observation.manifest,
        }))
    }

    /// Takes the statement before the last one into the one before that, if nobody who asks about the period can tell.
    fn merge(&mut self) {
        let Some((from, to)) = self.within else { return };
        let [.., first, middle, last] = self.told.as_mut_slice() else {
            return;
        };
        let goes_on = |one: &Told, next: &Told| {
            one.from < one.until && one.until == next.from && Arc::ptr_eq(&one.manifest, &next.manifest)
        };
        // Each of the three speaks in the period, so that it is the last one's index that its end has.
        let speaks = first.until > from && last.from < to && last.from < last.until;
        if speaks && goes_on(first, middle) && goes_on(middle, last) {
            first.until = middle.until;
            self.told.swap_remove(self.told.len() - 2);
        }
    }

    /// The statements, in log order.
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// The statement that speaks at an instant.
    pub fn as_of(&self, at: Timestamp) -> Option<&Told> {
        let after = self.told.partition_point(|told| told.from <= at);
        let told = self.told.get(after.checked_sub(1)?)?;
        (at < told.until).then_some(told)
    }

    /// The statements from which the same intervals over `[from, to)` can be told without any others.
    pub fn needed(&self, from: Timestamp, to: Timestamp) -> &[Told] {
        let mut begin = self.told.partition_point(|told| told.from <= from).saturating_sub(1);
        while begin > 0 && self.told.get(begin).is_some_and(|told| !told.in_order) {
            begin -= 1;
        }
        // The one after the end may say how long the last one held, or that statements were lost.
        let end = self
            .told
            .partition_point(|told| told.from < to)
            .saturating_add(1)
            .min(self.told.len());
        self.told.get(begin..end.max(begin)).unwrap_or_default()
    }

    /// What was told about a document over `[from, to)`, without holes, equal neighbours merged.
    pub fn over(&self, document: &ProbeId, from: Timestamp, to: Timestamp) -> Vec<Interval> {
        self.intervals(from, to, |told| match told.manifest.documents().get(document) {
            Some(digest) => State::Held {
                digest: *digest,
                first_index: told.index,
                last_index: told.index,
            },
            None => State::NotInManifest {
                first_index: told.index,
                last_index: told.index,
            },
        })
    }

    /// When there was no statement in `[from, to)`.
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Vec<Gap> {
        let spoken = |told: &Told| State::NotInManifest {
            first_index: told.index,
            last_index: told.index,
        };
        self.intervals(from, to, spoken)
            .into_iter()
            .filter(|interval| interval.told == State::Silent)
            .map(|interval| Gap {
                from: interval.from,
                to: interval.to,
            })
            .collect()
    }

    fn intervals(&self, from: Timestamp, to: Timestamp, state: impl Fn(&Told) -> State) -> Vec<Interval> {
        let mut intervals: Vec<Interval> = Vec::new();
        let mut cursor = from;
        let begin = self.told.partition_point(|told| told.until <= from);
        for told in self.told.iter().skip(begin) {
            let (begin, end) = (told.from.max(from), told.until.min(to));
            if begin >= to {
                break;
            }
            if begin >= end {
                continue;
            }
            push(&mut intervals, cursor, begin, State::Silent);
            push(&mut intervals, begin, end, state(told));
            cursor = end;
        }
        push(&mut intervals, cursor, to, State::Silent);
        intervals
    }
}

fn push(intervals: &mut Vec<Interval>, from: Timestamp, to: Timestamp, told: State) {
    if from >= to {
        return;
    }
    if let Some(last) = intervals.last_mut()
        && last.to == from
        && last.told.absorb(&told)
    {
        last.to = to;
        return;
    }
    intervals.push(Interval { from, to, told });
}

impl State {
    /// Takes in the state after it, if that says the same.
    fn absorb(&mut self, next: &Self) -> bool {
        match (self, next) {
            (
                Self::Held { digest, last_index, .. },
                Self::Held {
                    digest: same,
                    last_index: later,
                    ..
                },
            ) if digest == same => *last_index = *later,
            (Self::NotInManifest { last_index, .. }, Self::NotInManifest { last_index: later, .. }) => {
                *last_index = *later;
            }
            (Self::Silent, Self::Silent) => {}
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests;

//! When to do what next. Pure: instants and random fractions come from outside.

use std::time::{Duration, Instant};

use evidence::wire::Pace;

/// How long after a change the agent waits for more changes.
pub const DEBOUNCE: Duration = Duration::from_secs(1);
/// After this time it waits no longer, however many more come.
const DEBOUNCE_AT_MOST: Duration = Duration::from_secs(5);
/// Collections that changes ask for take at most this part of the time, on average.
const DUTY: f64 = 0.05;
/// Seconds of collecting that may be spent at once when nothing happened for a while.
const CREDIT: f64 = 10.0;
/// Between two attempts to reach a collector that does not answer, at most.
const LONGEST_RETRY: Duration = Duration::from_mins(5);
/// Between two attempts to deliver what was refused.
const REFUSED_RETRY: Duration = Duration::from_mins(15);
/// No interval is shorter, whatever the collector says.
const SHORTEST: Duration = Duration::from_secs(1);

/// A fraction from 0 to 1 from random bytes.
pub fn fraction(random: [u8; 4]) -> f64 {
    f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX)
}

/// `interval`, shortened by up to a tenth, so that hosts started together drift apart and none is late.
fn jittered(interval: Duration, fraction: f64) -> Duration {
    interval.mul_f64(1.0 - fraction / 10.0).max(SHORTEST)
}

/// When to collect and when to state.
#[derive(Debug)]
pub struct Schedule {
    collect: Duration,
    seal: Duration,
    check_in: Duration,
    next_collection: Instant,
    next_seal: Instant,
    next_check_in: Instant,
    /// Seconds of collecting that changes may ask for, and when that was so; it grows by [`DUTY`].
    credit: (f64, Instant),
    change: Option<Change>,
}

/// Changes that no collection has seen yet.
#[derive(Debug, Clone, Copy)]
struct Change {
    first: Instant,
    /// When there will have been none for a while.
    quiet: Instant,
    /// When they may be collected.
    at: Instant,
}

impl Schedule {
    /// Collects, states and checks in at once, then at this pace.
    pub fn new(pace: Pace, now: Instant) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into()).max(SHORTEST);
        Self {
            collect: seconds(pace.collect_seconds),
            seal: seconds(pace.seal_seconds),
            check_in: seconds(pace.check_in_seconds),
            next_collection: now,
            next_seal: now,
            next_check_in: now,
            credit: (CREDIT, now),
            change: None,
        }
    }

    /// Another pace; what is scheduled later than it allows is brought forward.
    pub fn set_pace(&mut self, pace: Pace, now: Instant) {
        let new = Self::new(pace, now);
        (self.collect, self.seal, self.check_in) = (new.collect, new.seal, new.check_in);
        self.next_collection = self.next_collection.min(now + self.collect);
        self.next_seal = self.next_seal.min(now + self.seal);
        self.next_check_in = self.next_check_in.min(now + self.check_in);
    }

    /// Something that is watched changed.
    pub fn changed(&mut self, now: Instant) {
        let first = self.change.map_or(now, |change| change.first);
        let quiet = (now + DEBOUNCE).min(first + DEBOUNCE_AT_MOST);
        let debt = -self.credit_at(now);
        let affordable = now + Duration::from_secs_f64(debt.max(0.0) / DUTY);
        let at = if debt > 0.0 { quiet.max(affordable) } else { quiet };
        self.change = Some(Change { first, quiet, at });
    }

    fn credit_at(&self, now: Instant) -> f64 {
        let (credit, then) = self.credit;
        (credit + now.saturating_duration_since(then).as_secs_f64() * DUTY).min(CREDIT)
    }

    /// When to collect next.
    pub fn collection_at(&self) -> Instant {
        let due = self.next_collection.min(self.next_seal);
        match self.change {
            // What is due anyway is put off until the change is over.
            Some(change) => change.at.min(due.max(change.quiet)),
            None => due,
        }
    }

    /// A collection that took `took` is done; changes from its beginning on ask for another one.
    pub fn collected(&mut self, took: Duration, changed_meanwhile: bool, now: Instant, fraction: f64) {
        self.credit = (self.credit_at(now) - took.as_secs_f64(), now);
        self.next_collection = now + jittered(self.collect, fraction);
        self.change = None;
        if changed_meanwhile {
            self.changed(now);
        }
    }

    /// Whether a statement is due even if nothing changed.
    pub fn is_seal_due(&self, now: Instant) -> bool {
        now >= self.next_seal
    }

    /// A statement was made, or could not be made and was counted.
    pub fn sealed(&mut self, now: Instant, fraction: f64) {
        self.next_seal = now + jittered(self.seal, fraction);
    }

    /// A statement is due now.
    pub fn restate(&mut self, now: Instant) {
        self.next_seal = self.next_seal.min(now);
    }

    /// The machine slept, or its clock was set: `elapsed` seconds of wall clock since the last statement.
    pub fn wall_clock(&mut self, elapsed: i64, now: Instant) {
        if u64::try_from(elapsed).is_ok_and(|elapsed| elapsed > self.seal.as_secs()) {
            self.next_seal = self.next_seal.min(now);
        }
    }

    /// When to check in next.
    pub const fn check_in_at(&self) -> Instant {
        self.next_check_in
    }

    /// The collector heard from this host (in whatever way), or could not be reached.
    pub fn heard(&mut self, now: Instant, fraction: f64) {
        self.next_check_in = now + jittered(self.check_in, fraction);
    }
}

/// When to try again.
#[derive(Debug, Default)]
pub struct Retry {
    failures: u32,
}

impl Retry {
    /// It worked.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It did not: how long to wait. Doubles up to five minutes; half of it is random, so that a fleet does not come back
    /// in one instant.
    pub fn failed(&mut self, fraction: f64) -> Duration {
        let doubled = SHORTEST * 2_u32.saturating_pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        doubled.min(LONGEST_RETRY).mul_f64(0.5 + fraction / 2.0)
    }

    /// The same bytes were refused, or the log contradicts itself: no haste.
    pub fn refused(fraction: f64) -> Duration {
        REFUSED_RETRY.mul_f64(0.9 + fraction / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        seal_seconds: 3600,
        collect_seconds: 300,
        check_in_seconds: 900,
    };
    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn changes_are_gathered_and_do_not_keep_the_agent_busy() {
        let start = Instant::now();
        let mut schedule = Schedule::new(PACE, start);
        assert_eq!(schedule.collection_at(), start);
        schedule.sealed(start, 0.0);
        schedule.collected(Duration::from_millis(100), false, start, 0.5);
        assert_eq!(schedule.collection_at(), start + S(285));

        let change = start + S(10);
        schedule.changed(change);
        assert_eq!(schedule.collection_at(), change + DEBOUNCE);
        schedule.changed(change + Duration::from_millis(600));
        let put_off = change + Duration::from_millis(1600);
        assert_eq!(schedule.collection_at(), put_off, "while changes come");
        schedule.collected(Duration::ZERO, true, put_off, 0.0);
        assert_eq!(
            schedule.collection_at(),
            put_off + S(1),
            "a change during the collection"
        );
    }

    #[test]
    fn endless_changes_cost_a_twentieth_of_the_time() {
        let start = Instant::now();
        let mut schedule = Schedule::new(PACE, start);
        let took = Duration::from_millis(500);
        let (mut now, mut collections) = (start, 0);
        while now < start + S(3600) {
            schedule.sealed(now, 0.0);
            schedule.changed(now);
            now = schedule.collection_at() + took;
            schedule.collected(took, false, now, 0.0);
            collections += 1;
        }
        let spent = took * collections;
        assert!(spent < S(3600 / 20 + 11), "{collections} collections, {spent:?}");
        assert!(spent > S(3600 / 20 - 10), "{collections} collections, {spent:?}");
    }

    #[test]
    fn a_stream_of_changes_is_collected_all_the_same() {
        let start = Instant::now();
        let mut schedule = Schedule::new(PACE, start);
        schedule.sealed(start, 0.0);
        schedule.collected(Duration::ZERO, false, start, 0.0);
        for tenth in 0..100 {
            schedule.changed(start + Duration::from_millis(100 * tenth));
        }
        assert!(schedule.collection_at() <= start + DEBOUNCE_AT_MOST);
    }

    #[test]
    fn a_statement_is_due_at_least_once_per_interval() {
        let start = Instant::now();
        let mut schedule = Schedule::new(PACE, start);
        assert!(schedule.is_seal_due(start));
        schedule.sealed(start, 1.0);
        assert!(!schedule.is_seal_due(start + S(3239)) && schedule.is_seal_due(start + S(3240)));
        schedule.collected(Duration::ZERO, false, start + S(3200), 0.0);
        assert_eq!(
            schedule.collection_at(),
            start + S(3240),
            "the collection for it comes in time"
        );
        schedule.wall_clock(3601, start + S(60));
        assert!(schedule.is_seal_due(start + S(60)), "after a sleep");
        schedule.sealed(start + S(60), 0.0);
        schedule.set_pace(
            Pace {
                seal_seconds: 60,
                ..PACE
            },
            start + S(70),
        );
        assert!(schedule.is_seal_due(start + S(130)));
    }

    #[test]
    fn retries_grow_to_five_minutes() {
        let mut retry = Retry::default();
        let delays: Vec<_> = (0..12).map(|_| retry.failed(1.0).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        retry.succeeded();
        assert_eq!(retry.failed(0.0), Duration::from_millis(500));
    }
}

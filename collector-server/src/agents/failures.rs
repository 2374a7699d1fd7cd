//! Slows down who tries enrolment tokens. A token's secret cannot be guessed; this keeps the noise and the cost down.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use evidence::Timestamp;

/// Failures that an address may have within [`WINDOW`].
const ALLOWED: u32 = 20;
/// Seconds after which an address begins anew.
const WINDOW: i64 = 60;
/// Addresses remembered; when full, those whose window is over are forgotten, then all.
const ADDRESSES: usize = 10_000;

/// Failed enrolments by address.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, (Timestamp, u32)>>);

impl Failures {
    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, (Timestamp, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an address has to wait.
    pub(super) fn too_many(&self, address: IpAddr, now: Timestamp) -> bool {
        let by_address = self.by_address();
        by_address
            .get(&address)
            .is_some_and(|(since, count)| *count >= ALLOWED && now.since(*since) < WINDOW)
    }

    /// Counts a failure.
    pub(super) fn note(&self, address: IpAddr, now: Timestamp) {
        let mut by_address = self.by_address();
        if by_address.len() >= ADDRESSES {
            by_address.retain(|_, (since, _)| now.since(*since) < WINDOW);
            if by_address.len() >= ADDRESSES {
                by_address.clear();
            }
        }
        let (since, count) = by_address.entry(address).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_for_a_minute_and_others_do_not() {
        let failures = Failures::default();
        let now = Timestamp::from_unix(1_000_000).unwrap();
        let (bad, good) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..ALLOWED {
            assert!(!failures.too_many(bad, now));
            failures.note(bad, now);
        }
        assert!(failures.too_many(bad, now.plus(WINDOW - 1)));
        assert!(!failures.too_many(bad, now.plus(WINDOW)));
        assert!(!failures.too_many(good, now));
    }
}

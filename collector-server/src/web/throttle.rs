//! Slows down who tries passwords: after some failures an address waits, each time twice as long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use evidence::Timestamp;

/// Failures without a wait.
const FREE: u32 = 5;
/// The longest wait, seconds.
const LONGEST: i64 = 300;
/// Seconds after the last failure after which an address begins anew.
const FORGOTTEN: i64 = 3600;
/// Addresses remembered; when full, those that may begin anew are forgotten, then all.
const ADDRESSES: usize = 10_000;

/// Failed logins by address. An account is never locked: anybody could lock out anybody.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<IpAddr, (Timestamp, u32)>>);

impl Throttle {
    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, (Timestamp, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds that an address has to wait yet; 0 if it may try.
    pub(super) fn wait(&self, address: IpAddr, now: Timestamp) -> i64 {
        let by_address = self.by_address();
        let Some((last, failures)) = by_address.get(&address) else {
            return 0;
        };
        let Some(over) = failures.checked_sub(FREE) else {
            return 0;
        };
        let wait = 1_i64.checked_shl(over.min(16)).unwrap_or(LONGEST).min(LONGEST);
        (wait - now.since(*last)).clamp(0, LONGEST)
    }

    /// Counts a failure.
    pub(super) fn failed(&self, address: IpAddr, now: Timestamp) {
        let mut by_address = self.by_address();
        if by_address.len() >= ADDRESSES {
            by_address.retain(|_, (last, _)| now.since(*last) < FORGOTTEN);
            if by_address.len() >= ADDRESSES {
                by_address.clear();
            }
        }
        let (last, failures) = by_address.entry(address).or_insert((now, 0));
        if now.since(*last) >= FORGOTTEN {
            *failures = 0;
        }
        *last = now;
        *failures = failures.saturating_add(1);
    }

    /// A login that worked.
    pub(super) fn succeeded(&self, address: IpAddr) {
        self.by_address().remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let throttle = Throttle::default();
        let now = Timestamp::from_unix(1_795_514_922).unwrap();
        let (bad, good) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..FREE {
            assert_eq!(throttle.wait(bad, now), 0);
            throttle.failed(bad, now);
        }
        assert_eq!(throttle.wait(bad, now), 1);
        throttle.failed(bad, now);
        assert_eq!(throttle.wait(bad, now), 2);
        assert_eq!(throttle.wait(bad, now.plus(2)), 0);
        for _ in 0..50 {
            throttle.failed(bad, now);
        }
        assert_eq!(throttle.wait(bad, now), LONGEST);
        assert_eq!(throttle.wait(good, now), 0);
        throttle.succeeded(bad);
        assert_eq!(throttle.wait(bad, now), 0);
    }
}

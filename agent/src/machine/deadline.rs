//! Until when a probe may ask.

use std::time::{Duration, Instant};

use probes::reading::Unread;

/// Until when a probe may ask, and how long that was in total.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    millis: u32,
}

impl Deadline {
    /// `millis` milliseconds from now.
    pub fn within(millis: u32) -> Self {
        Self {
            at: Instant::now() + Duration::from_millis(millis.into()),
            millis,
        }
    }

    /// [`Unread::Timeout`] for `place` if the time is over.
    pub fn check(&self, place: &str) -> Result<(), Unread> {
        if self.left().is_zero() {
            Err(self.over(place))
        } else {
            Ok(())
        }
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub(crate) fn over(&self, place: &str) -> Unread {
        Unread::Timeout {
            place: place.to_owned(),
            millis: self.millis,
        }
    }
}

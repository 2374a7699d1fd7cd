//! What time a question is about, and what time an answer is about.

use evidence::Timestamp;
use serde::Serialize;

/// What time a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The present, as far as the index has come.
    Now,
    /// One instant, of which everything that the log holds by now may speak.
    At(Timestamp),
    /// A period `[from, to)`.
    Over {
        /// Begin, included.
        from: Timestamp,
        /// End, excluded.
        to: Timestamp,
    },
}

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// Begin, included.
    pub from: Timestamp,
    /// End, excluded; one second after `from` if the answer is about an instant.
    pub to: Timestamp,
    /// How many entries of the log it takes into account.
    pub entries: u64,
}

impl AsOf {
    /// The last instant that it is about.
    pub fn instant(&self) -> Timestamp {
        self.to.plus(-1).max(self.from)
    }

    /// Begin and end, as `controls` takes them.
    pub fn period(&self) -> (Timestamp, Timestamp) {
        (self.from, self.to)
    }
}

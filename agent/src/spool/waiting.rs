//! How much waits, for somebody who only looks: a service may be writing meanwhile, so nothing is repaired.

use std::io::ErrorKind;

use evidence::Timestamp;
use serde::Serialize;

use super::SpoolError;
use super::mark::Acknowledged;
use super::record::Record;
use super::segment::{self, Segment};
use crate::folder::Folder;

/// How much waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Statements without a receipt.
    pub count: u64,
    /// Number of the newest statement.
    pub newest_sequence: Option<u64>,
    /// When its manifest was complete.
    pub newest_observed_at: Option<Timestamp>,
}

impl Waiting {
    /// Counts what lies in a spool's folder behind `receipt`.
    pub fn of(folder: &Folder, receipt: Option<&Acknowledged>) -> Result<Self, SpoolError> {
        let last = receipt.map(|mark| mark.sequence);
        let mut waiting = Self {
            count: 0,
            newest_sequence: last,
            newest_observed_at: receipt.map(|mark| mark.observed_at),
        };
        for first in segment::names(folder)? {
            let count = |record: &Record, _| {
                if last.is_none_or(|last| record.sequence > last) {
                    waiting.count += 1;
                }
                if waiting.newest_sequence.is_none_or(|newest| record.sequence >= newest) {
                    waiting.newest_sequence = Some(record.sequence);
                    waiting.newest_observed_at = Some(record.observed_at);
                }
            };
            let scanned = Segment::open(folder, first).and_then(|mut segment| segment.scan(folder, None, count));
            match scanned {
                // A segment that was removed since its name was read has all its receipts.
                Err(SpoolError::Folder(error)) if error.error.kind() == ErrorKind::NotFound => {}
                other => {
                    other?;
                }
            }
        }
        Ok(waiting)
    }
}

//! Statements that wait for their receipts, and the facts that they name. Survives `kill -9` at any instant, a full disk,
//! and days offline.
//!
//! # On disk
//!
//! ```text
//! spool/
//!   <first sequence, 20 digits>.segment   statements, oldest first
//!   acknowledged                          the last statement that has a receipt
//!   lost                                  statements that could not be spooled and are not declared yet
//!   facts/<sha256>                        facts documents
//!   manifests/<sha256>                    manifests
//! ```
//!
//! A segment is the 16 bytes `affiant spool 1\n` and records. A record is the length of its body (32 bits, little endian),
//! the first 8 bytes of the body's SHA-256, and the body: sequence (64 bits), `observed_at` (64 bits), the manifest's
//! digest, and the envelope byte for byte. A segment takes no more records once it is longer than [`SEGMENT_BYTES`].
//!
//! # Invariants
//!
//! 1. A statement is sent only after its record and everything that it names are on the disk (fsync). So a sequence
//!    number that anybody else has seen is never used for another statement.
//! 2. Records are written at the end and never changed. A statement leaves by its receipt, and by nothing else: when the
//!    spool is full the *new* statement is not made, its number is counted in `lost`, and the next one that fits declares
//!    the run. (Dropping the oldest instead would break the chain of `previous` in those already signed behind it.)
//! 3. The newest record stays, receipt or not: the next statement's number and `previous` are read from it, from nowhere
//!    else. Only if it is gone, or older than `acknowledged`, the latter counts.
//! 4. `acknowledged` is written before a segment is removed, and a segment is removed only if all of it has receipts. A
//!    crash in between sends some statements twice, which the collector answers with their old places.
//!
//! # After a crash
//!
//! An incomplete record at the very end was being written, hence never sent: it is cut off and counted. Anything else that
//! does not check out is damage: the records from there on, which cannot be delivered in sequence any more, are dropped
//! and their numbers declared `spool_damaged`.

mod loss;
mod mark;
mod record;
mod segment;
mod store;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::VecDeque;

use evidence::Digest;
use thiserror::Error;

pub use loss::LossReason;
pub use mark::Acknowledged;
pub use record::{Head, Record};
pub use store::FactsStore;
pub use waiting::Waiting;

use crate::folder::{Folder, FolderError};
use loss::Loss;
use segment::{End, Segment};

/// A segment longer than this takes no more records: a compromise between few files and space that is freed early.
pub const SEGMENT_BYTES: u64 = 256 * 1024;
/// What spool and facts may take together if nothing else is said: years of hourly statements.
pub const DEFAULT_LIMIT: u64 = 64 * 1024 * 1024;

/// Why the spool did not do something.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The system refused.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The limit is reached.
    #[error("the spool is full: {used} of {limit} bytes wait for the collector")]
    Full {
        /// Bytes in use.
        used: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A record that does not check out any more.
    #[error("the spool is damaged at byte {offset} of the segment that begins with statement {first}")]
    Damaged {
        /// First sequence number of the segment.
        first: u64,
        /// Where.
        offset: u64,
    },
    /// A record out of sequence: a fault of the agent.
    #[error("statement {sequence} cannot follow statement {head}")]
    Sequence {
        /// The new one.
        sequence: u64,
        /// The newest.
        head: u64,
    },
}

impl SpoolError {
    /// Why a statement that could not be spooled because of this is lost.
    pub fn loss(&self) -> LossReason {
        match self {
            Self::Full { .. } => LossReason::SpoolFull,
            Self::Folder(error) if error.is_full() => LossReason::SpoolFull,
            Self::Folder(_) | Self::Damaged { .. } | Self::Sequence { .. } => LossReason::SpoolUnwritable,
        }
    }
}

/// What opening the spool found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repairs {
    /// An unfinished record was cut off.
    pub torn: bool,
    /// Records were dropped; the next statement declares them.
    pub damaged: bool,
}

/// The statements that wait, and where the chain stands.
#[derive(Debug)]
pub struct Spool {
    folder: Folder,
    segments: VecDeque<Segment>,
    acknowledged: Option<Acknowledged>,
    head: Option<Head>,
    loss: Loss,
    waiting: u64,
    /// Where the first waiting record begins; in the first segment.
    cursor: u64,
    repairs: Repairs,
}

impl Spool {
    /// Opens the spool and repairs what a crash left.
    pub fn open(folder: Folder) -> Result<Self, SpoolError> {
        folder.remove_unfinished()?;
        let acknowledged = Acknowledged::read(&folder)?;
        let loss = Loss::open(&folder)?;
        let mut spool = Self {
            segments: VecDeque::new(),
            head: acknowledged.as_ref().map(Acknowledged::head),
            acknowledged,
            loss,
            waiting: 0,
            cursor: segment::HEADER,
            repairs: Repairs::default(),
            folder,
        };
        spool.scan()?;
        spool.loss.forget_declared(&spool.folder, spool.head.as_ref())?;
        spool.release()?;
        Ok(spool)
    }

    fn scan(&mut self) -> Result<(), SpoolError> {
        let mut names = segment::names(&self.folder)?;
        let receipts = self.acknowledged.as_ref().map(|mark| mark.sequence);
        while let Some(first) = names.pop_front() {
            let mut segment = Segment::open(&self.folder, first)?;
            let mut waiting_from = None;
            let end = segment.scan(&self.folder, self.last_scanned(), |record, offset| {
                if receipts.is_none_or(|last| record.sequence > last) {
                    waiting_from.get_or_insert(offset);
                    self.waiting += 1;
                }
                if self.head.as_ref().is_none_or(|head| record.sequence > head.sequence) {
                    self.head = Some(record.head());
                }
            })?;
            if self.waiting > 0 && self.segments.iter().all(|earlier| earlier.is_acknowledged(receipts)) {
                self.cursor = waiting_from.unwrap_or(segment::HEADER);
            }
            self.segments.push_back(segment);
            match end {
                End::Clean => continue,
                End::Torn if names.is_empty() => self.repairs.torn = true,
                End::Torn | End::Damaged { .. } => self.drop_rest(&end, &names)?,
            }
            let last = self.segments.back_mut().map(|segment| segment.cut(&self.folder));
            last.transpose()?;
            break;
        }
        Ok(())
    }

    fn last_scanned(&self) -> Option<u64> {
        self.segments.iter().rev().find_map(|segment| segment.last)
    }

    /// Damage at the end of the newest kept segment: what follows cannot be delivered in sequence.
    fn drop_rest(&mut self, end: &End, later: &VecDeque<u64>) -> Result<(), SpoolError> {
        let mut newest = match end {
            End::Damaged { newest } => *newest,
            _ => None,
        };
        for first in later {
            let mut segment = Segment::open(&self.folder, *first)?;
            segment.scan(&self.folder, None, |_, _| {})?;
            newest = newest.max(segment.last).max(Some(*first));
        }
        let head = self.head.as_ref().map(|head| head.sequence);
        // At least one statement was there, whatever its number.
        let to = newest.max(head.map_or(Some(0), |head| head.checked_add(1)));
        if let Some(to) = to
            && head.is_none_or(|head| to > head)
        {
            self.loss.extend(&self.folder, to, LossReason::SpoolDamaged)?;
        }
        for first in later {
            self.folder.remove(&segment::name(*first))?;
        }
        self.repairs.damaged = true;
        Ok(())
    }

    /// What opening found.
    pub const fn repairs(&self) -> Repairs {
        self.repairs
    }

    /// The newest statement, or none if there never was one.
    pub const fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The last statement that has a receipt.
    pub const fn acknowledged(&self) -> Option<&Acknowledged> {
        self.acknowledged.as_ref()
    }

    /// How many statements wait.
    pub const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Bytes that segments take.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.end).sum()
    }

    /// The statements that could not be spooled and that the next one must declare.
    pub fn lost(&self) -> Option<evidence::statement::Lost> {
        self.loss.declaration(self.head.as_ref())
    }

    /// The number of the next statement.
    pub fn next_sequence(&self) -> u64 {
        let after_loss = self.lost().map(|lost| lost.to + 1);
        let after_head = self.head.as_ref().map(|head| head.sequence + 1);
        after_loss.or(after_head).unwrap_or(0)
    }

    /// Takes a statement; it is on the disk when this returns. `others` is what the facts take. On any error the spool is
    /// as it was before.
    pub fn append(&mut self, record: &Record, others: u64, limit: u64) -> Result<(), SpoolError> {
        if let Some(head) = &self.head
            && record.sequence <= head.sequence
        {
            return Err(SpoolError::Sequence {
                sequence: record.sequence,
                head: head.sequence,
            });
        }
        let used = self.bytes() + others;
        if used + record.framed_length() > limit {
            return Err(SpoolError::Full { used, limit });
        }
        if self.segments.back().is_none_or(|segment| segment.end > SEGMENT_BYTES) {
            let segment = Segment::create(&self.folder, record.sequence)?;
            self.segments.push_back(segment);
        }
        let Some(segment) = self.segments.back_mut() else {
            return Ok(());
        };
        let begin = segment.end;
        segment.append(&self.folder, record)?;
        if self.waiting == 0 {
            self.cursor = begin;
        }
        self.waiting += 1;
        self.head = Some(record.head());
        self.loss.forget_declared(&self.folder, self.head.as_ref())?;
        self.release()
    }

    /// The statement that would have been next could not be spooled: its number is used up, and the next statement
    /// declares it.
    pub fn lose(&mut self, reason: LossReason) -> Result<(), SpoolError> {
        let to = self.next_sequence();
        Ok(self.loss.extend(&self.folder, to, reason)?)
    }

    /// The oldest statements that wait, at most `count` and about `bytes` of them, and at least one if there is one.
    pub fn batch(&self, count: usize, bytes: usize) -> Result<Vec<Record>, SpoolError> {
        let mut batch = Vec::new();
        if self.waiting == 0 {
            return Ok(batch);
        }
        let (mut taken, mut offset) = (0, self.cursor);
        let first = self.first_waiting();
        for segment in self.segments.iter().skip(first) {
            while offset < segment.end {
                if batch.len() == count || (taken >= bytes && !batch.is_empty()) {
                    return Ok(batch);
                }
                let (record, next) = segment.read(&self.folder, offset)?;
                taken += record.envelope.len();
                batch.push(record);
                offset = next;
            }
            offset = segment::HEADER;
        }
        Ok(batch)
    }

    /// `mark` has a receipt, and so has everything before it. Durable when this returns.
    pub fn acknowledge(&mut self, mark: Acknowledged) -> Result<(), SpoolError> {
        mark.write(&self.folder)?;
        let mut offset = self.cursor;
        let first = self.first_waiting();
        'segments: for segment in self.segments.iter().skip(first) {
            while offset < segment.end {
                let (record, next) = segment.read(&self.folder, offset)?;
                if record.sequence > mark.sequence {
                    break 'segments;
                }
                self.waiting = self.waiting.saturating_sub(1);
                offset = next;
            }
            // Unless this is the last one, the next waiting record is in the next segment.
            if self.segments.back().is_some_and(|last| last.first != segment.first) {
                offset = segment::HEADER;
            }
        }
        self.cursor = offset;
        self.acknowledged = Some(mark);
        self.release()
    }

    /// Gives up all statements that wait, since the first of them cannot be delivered; they are declared lost.
    pub fn forfeit(&mut self, reason: LossReason) -> Result<(), SpoolError> {
        let Some(newest) = self.head.as_ref().map(|head| head.sequence) else {
            return Ok(());
        };
        // The loss is durable before anything is removed; found again after a crash it is declared all the same.
        self.head = self.acknowledged.as_ref().map(Acknowledged::head);
        self.loss.extend(&self.folder, newest, reason)?;
        for segment in std::mem::take(&mut self.segments) {
            self.folder.remove(&segment::name(segment.first))?;
        }
        self.folder.sync()?;
        self.waiting = 0;
        self.cursor = segment::HEADER;
        Ok(())
    }

    /// Digests of the manifests that waiting statements name.
    pub fn manifests(&self) -> Result<Vec<Digest>, SpoolError> {
        let mut manifests = Vec::new();
        let mut offset = self.cursor;
        if self.waiting == 0 {
            return Ok(manifests);
        }
        for segment in self.segments.iter().skip(self.first_waiting()) {
            while offset < segment.end {
                let (record, next) = segment.read(&self.folder, offset)?;
                manifests.push(record.manifest);
                offset = next;
            }
            offset = segment::HEADER;
        }
        manifests.sort_unstable();
        manifests.dedup();
        Ok(manifests)
    }

    fn first_waiting(&self) -> usize {
        let receipts = self.acknowledged.as_ref().map(|mark| mark.sequence);
        let acknowledged = |segment: &&Segment| segment.is_acknowledged(receipts);
        let done = self.segments.iter().take_while(acknowledged).count();
        // With nothing waiting the cursor stands at the end of the last segment.
        done.min(self.segments.len().saturating_sub(1))
    }

    /// Removes segments that have all their receipts, the last one excepted.
    fn release(&mut self) -> Result<(), SpoolError> {
        let receipts = self.acknowledged.as_ref().map(|mark| mark.sequence);
        while self.segments.len() > 1
            && let Some(segment) = self.segments.front()
            && segment.is_acknowledged(receipts)
        {
            self.folder.remove(&segment::name(segment.first))?;
            self.segments.pop_front();
        }
        Ok(())
    }
}

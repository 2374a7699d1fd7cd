//! One file of records.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;

use rustix::fs::OFlags;

use super::SpoolError;
use super::record::{FRAME, MAX_BODY, Record, check};
use crate::folder::{Durability, Folder, FolderError};

/// The first bytes of a segment.
pub(super) const MAGIC: &[u8; 16] = b"affiant spool 1\n";
/// Where the first record begins.
pub(super) const HEADER: u64 = MAGIC.len() as u64;

/// A segment: which numbers are in it, and where it ends.
#[derive(Debug)]
pub(super) struct Segment {
    /// The first number that was written to it; its name.
    pub first: u64,
    /// The last number in it.
    pub last: Option<u64>,
    /// Where the last good record ends.
    pub end: u64,
}

/// How a segment ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a good record.
    Clean,
    /// With bytes that may be one record that was being written.
    Torn,
    /// With something else; `newest` is the highest number that could be read behind it.
    Damaged { newest: Option<u64> },
}

/// The name of the segment that begins with `first`.
pub(super) fn name(first: u64) -> String {
    format!("{first:020}.segment")
}

/// The first numbers of the segments in the folder, ascending.
pub(super) fn names(folder: &Folder) -> Result<VecDeque<u64>, FolderError> {
    let first = |(name, _): (String, u64)| name.strip_suffix(".segment")?.parse().ok();
    Ok(folder.files()?.into_iter().filter_map(first).collect())
}

enum Step {
    Good(Record, u64),
    End,
    /// What is left is too short for the record that it announces.
    Short,
    /// The record does not check out; the next one would begin there.
    Bad(u64),
    /// The length makes no sense.
    Nonsense,
}

impl Segment {
    /// A new segment; durable.
    pub(super) fn create(folder: &Folder, first: u64) -> Result<Self, SpoolError> {
        folder.write(&name(first), MAGIC, Durability::Synced)?;
        Ok(Self {
            first,
            last: None,
            end: HEADER,
        })
    }

    /// A segment that is there, not read yet.
    pub(super) fn open(folder: &Folder, first: u64) -> Result<Self, SpoolError> {
        file(folder, first, OFlags::RDONLY)?;
        Ok(Self {
            first,
            last: None,
            end: HEADER,
        })
    }

    pub(super) fn is_acknowledged(&self, receipts: Option<u64>) -> bool {
        match (self.last, receipts) {
            (Some(last), Some(receipts)) => last <= receipts,
            // Empty: made by an append that failed, or cut.
            (None, _) => true,
            (Some(_), None) => false,
        }
    }

    /// Reads all records, whose numbers must rise from above `after`; sets where the good ones end.
    pub(super) fn scan(
        &mut self,
        folder: &Folder,
        after: Option<u64>,
        mut each: impl FnMut(&Record, u64),
    ) -> Result<End, SpoolError> {
        let wrong = |error| SpoolError::from(folder.error("read", &name(self.first), error));
        let file = file(folder, self.first, OFlags::RDONLY)?;
        let length = file.metadata().map_err(wrong)?.len();
        let mut reader = BufReader::new(file);
        let mut magic = [0; MAGIC.len()];
        if length < HEADER || reader.read_exact(&mut magic).is_err() || magic != *MAGIC {
            self.end = HEADER;
            // A segment is made whole; a wrong header was not left by a crash.
            return Ok(End::Damaged { newest: None });
        }
        let mut offset = HEADER;
        let mut last = after;
        let end = loop {
            match step(&mut reader, length - offset).map_err(wrong)? {
                Step::Good(record, size) if last.is_none_or(|last| record.sequence > last) => {
                    each(&record, offset);
                    last = Some(record.sequence);
                    self.last = last;
                    offset += size;
                }
                Step::End => break End::Clean,
                Step::Short => break End::Torn,
                Step::Nonsense if length - offset <= FRAME + MAX_BODY as u64 => break End::Torn,
                // Or a good record that cannot be there.
                Step::Nonsense | Step::Good(..) => break End::Damaged { newest: None },
                Step::Bad(size) if offset + size == length => break End::Torn,
                Step::Bad(size) => {
                    let newest = newest(&mut reader, length - offset - size).map_err(wrong)?;
                    break End::Damaged { newest };
                }
            }
        };
        self.end = offset;
        Ok(end)
    }

    /// Cuts off what is behind the good records; durable.
    pub(super) fn cut(&self, folder: &Folder) -> Result<(), SpoolError> {
        let file = file(folder, self.first, OFlags::RDWR)?;
        let cut = file
            .write_all_at(MAGIC, 0)
            .and_then(|()| file.set_len(self.end))
            .and_then(|()| file.sync_all());
        Ok(cut.map_err(|error| folder.error("cut", &name(self.first), error))?)
    }

    /// Writes a record behind the good ones; durable. On an error the segment is as before.
    pub(super) fn append(&mut self, folder: &Folder, record: &Record) -> Result<(), SpoolError> {
        let wrong = |error| folder.error("write", &name(self.first), error);
        let bytes = record
            .to_bytes()
            .ok_or_else(|| wrong(io::Error::other("the envelope is longer than the log takes")))?;
        let file = file(folder, self.first, OFlags::RDWR)?;
        // An earlier attempt may have left a part of a record.
        let written = file
            .set_len(self.end)
            .and_then(|()| file.write_all_at(&bytes, self.end))
            .and_then(|()| file.sync_data());
        if let Err(error) = written {
            // If this fails too, the next attempt or the next start cuts.
            let _ = file.set_len(self.end).and_then(|()| file.sync_data());
            return Err(wrong(error).into());
        }
        self.end += bytes.len() as u64;
        self.last = Some(record.sequence);
        Ok(())
    }

    /// The record at `offset`, and where the next one begins.
    pub(super) fn read(&self, folder: &Folder, offset: u64) -> Result<(Record, u64), SpoolError> {
        let file = file(folder, self.first, OFlags::RDONLY)?;
        let mut reader = At { file: &file, offset };
        let left = self.end.saturating_sub(offset);
        match step(&mut reader, left).map_err(|error| folder.error("read", &name(self.first), error))? {
            Step::Good(record, size) => Ok((record, offset + size)),
            _ => Err(SpoolError::Damaged {
                first: self.first,
                offset,
            }),
        }
    }
}

fn file(folder: &Folder, first: u64, flags: OFlags) -> Result<File, SpoolError> {
    let name = name(first);
    let file = folder.open_file(&name, flags)?;
    Ok(file.ok_or_else(|| folder.error("open", &name, io::ErrorKind::NotFound.into()))?)
}

struct At<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Reads one record of the `left` bytes.
fn step(reader: &mut impl Read, left: u64) -> io::Result<Step> {
    if left == 0 {
        return Ok(Step::End);
    }
    if left < FRAME {
        return Ok(Step::Short);
    }
    let (mut length, mut expected) = ([0; 4], [0; 8]);
    reader.read_exact(&mut length)?;
    reader.read_exact(&mut expected)?;
    let length = u32::from_le_bytes(length);
    let Some(length) = usize::try_from(length)
        .ok()
        .filter(|length| (1..=MAX_BODY).contains(length))
    else {
        return Ok(Step::Nonsense);
    };
    let size = FRAME + length as u64;
    if size > left {
        return Ok(Step::Short);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    match Record::from_body(&body) {
        Some(record) if check(&body) == expected => Ok(Step::Good(record, size)),
        _ => Ok(Step::Bad(size)),
    }
}

/// The highest number among the records that can still be read.
fn newest(reader: &mut impl Read, mut left: u64) -> io::Result<Option<u64>> {
    let mut newest = None;
    loop {
        match step(reader, left)? {
            Step::Good(record, size) => {
                newest = newest.max(Some(record.sequence));
                left -= size;
            }
            Step::Bad(size) => left -= size,
            _ => return Ok(newest),
        }
    }
}

//! The write-ahead log: pages that are newer than those in the database itself.

use std::collections::BTreeMap;

use super::super::windows::Windows;
use crate::reading::{Reading, Unread};

const HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;

/// The committed part of a log.
pub(super) struct Log<'r, 'h> {
    pub(super) file: Windows<'r, 'h>,
    /// Pages that the database has after the last commit.
    pub(super) pages: u32,
    /// Where the newest committed content of a page lies.
    offsets: BTreeMap<u32, u64>,
    /// What stands behind the last commit and behind the last frame, where the next transaction will write: the log can be
    /// as long as before and begin as before.
    ends: [(u64, Vec<u8>); 2],
}

impl<'r, 'h> Log<'r, 'h> {
    /// Reads the log at `path`. `Ok(None)`: not there, or nothing in it is committed; SQLite then reads the database alone.
    pub(super) fn open(reading: &'r Reading<'h>, path: &str, page_size: usize) -> Result<Option<Self>, Unread> {
        if reading.stat(path)?.is_none_or(|stat| stat.size <= HEADER) {
            return Ok(None);
        }
        let mut file = Windows::new(reading, path);
        let Some(header) = file.array::<32>(0)? else {
            return Ok(None);
        };
        let word = |at: usize| be(header.get(at..));
        let swapped = match word(0) {
            0x377f_0682 => true,
            0x377f_0683 => false,
            _ => return Ok(None),
        };
        let salts = [word(16), word(20)];
        let mut sum = Sum {
            words: [0, 0],
            little: swapped,
        };
        sum.add(header.get(..24).unwrap_or_default());
        let well = word(4) == 3_007_000 && word(8) as usize == page_size && sum.words == [word(24), word(28)];
        if !well {
            return Ok(None);
        }
        let mut log = Self {
            file,
            pages: 0,
            offsets: BTreeMap::new(),
            ends: [(HEADER, vec![]), (HEADER, vec![])],
        };
        log.scan(page_size, salts, sum)?;
        Ok(Some(log).filter(|log| log.pages > 0))
    }

    /// Every frame up to the last one that ends a transaction; a frame with other salts or another sum was left over.
    fn scan(&mut self, page_size: usize, salts: [u32; 2], mut sum: Sum) -> Result<(), Unread> {
        let mut pending = vec![];
        let mut at = HEADER;
        let mut frame = Vec::with_capacity(FRAME_HEADER + page_size);
        let mut after_commit = true;
        loop {
            frame.clear();
            let whole = self.file.append(at, FRAME_HEADER + page_size, &mut frame)?;
            let head = (at, frame.get(..FRAME_HEADER).unwrap_or(&frame).to_vec());
            let [committed, last] = &mut self.ends;
            if after_commit {
                committed.clone_from(&head);
            }
            *last = head;
            if !whole {
                return Ok(());
            }
            let word = |at: usize| be(frame.get(at..));
            sum.add(frame.get(..8).unwrap_or_default());
            sum.add(frame.get(FRAME_HEADER..).unwrap_or_default());
            let (page, committed) = (word(0), word(4));
            if page == 0 || [word(8), word(12)] != salts || [word(16), word(20)] != sum.words {
                return Ok(());
            }
            pending.push((page, at + FRAME_HEADER as u64));
            after_commit = committed > 0;
            if after_commit {
                self.pages = committed;
                self.offsets.extend(pending.drain(..));
            }
            at += (FRAME_HEADER + page_size) as u64;
        }
    }

    /// Whether nothing was written behind what was read. That the log begins as before is for the caller to see.
    pub(super) fn ends_as_before(&self, reading: &Reading<'_>) -> Result<bool, Unread> {
        for (at, head) in &self.ends {
            if reading.bytes_at(self.file.path(), *at, FRAME_HEADER)?.as_ref() != Some(head) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn offset(&self, page: u32) -> Option<u64> {
        self.offsets.get(&page).copied()
    }
}

fn be(bytes: Option<&[u8]>) -> u32 {
    let word = bytes.and_then(|bytes| bytes.first_chunk());
    word.copied().map_or(0, u32::from_be_bytes)
}

/// The running sum over a log.
struct Sum {
    words: [u32; 2],
    little: bool,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |bytes: [u8; 4]| {
            if self.little {
                u32::from_le_bytes(bytes)
            } else {
                u32::from_be_bytes(bytes)
            }
        };
        let [mut a, mut b] = self.words;
        for [p, q, r, s, t, u, v, w] in bytes.as_chunks::<8>().0 {
            a = a.wrapping_add(word([*p, *q, *r, *s])).wrapping_add(b);
            b = b.wrapping_add(word([*t, *u, *v, *w])).wrapping_add(a);
        }
        self.words = [a, b];
    }
}

//! `Packages`: a hash of Berkeley DB. A page of settings, then pages of buckets, each with the pages that follow it; on them keys
//! and values, the longer ones on pages of their own. Numbers are in the byte order of the host that made it.
//!
//! Source: `dbinc/db_page.h` and `hash/hash_page.c` of Berkeley DB 4.8 and 5.3; `lib/backend/bdb_ro.c` of rpm. Only what rpm
//! makes is read: no checksums, no encryption, no duplicates. A transaction that is under way has pages in memory that are
//! not in the file yet: until it ends, the state before it is read, or a page that does not fit, which is said.

use super::super::sqlite::MAX_ROW;
use super::super::windows::Windows;
use super::Location;
use super::blobs::Take;
use crate::probe::ProbeError;
use crate::reading::{Reading, Stat, Unread};

const MAGIC: [u8; 4] = 0x0006_1561_u32.to_be_bytes();
/// Hash databases of Berkeley DB 4.1 to 5.3.
const VERSIONS: std::ops::RangeInclusive<u32> = 8..=10;
/// The settings of the hash.
const META: usize = 512;
/// What stands before the content of a page.
const HEAD: usize = 26;
/// Kinds of pages: of a bucket, with keys in no order and in order; of a long value.
const UNSORTED: u8 = 2;
const SORTED: u8 = 13;
const OVERFLOW: u8 = 7;
/// Kinds of items: as they are, and on pages of their own.
const PLAIN: u8 = 1;
const ELSEWHERE: u8 = 3;

const DAMAGED: &str = "it is damaged";

/// Why reading stops.
enum Stop {
    Unread(Unread),
    Damaged(String),
}

impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

fn damaged(what: impl Into<String>) -> Stop {
    Stop::Damaged(what.into())
}

/// Reads the packages; whether the file stayed the same meanwhile.
pub(super) fn read(reading: &Reading<'_>, location: &Location, take: &mut Take<'_>) -> Result<bool, ProbeError> {
    let path = &location.path;
    let stamp = |stat: Option<Stat>| stat.map(|stat| (stat.size, stat.mtime));
    let before = stamp(reading.stat(path)?);
    match Hash::open(reading, path).and_then(|mut hash| hash.walk(location, take)) {
        Ok(()) => {}
        Err(Stop::Unread(unread)) => return Err(unread.into()),
        Err(Stop::Damaged(why)) => {
            take(Err(location.says(why)));
        }
    }
    Ok(stamp(reading.stat(path)?) == before)
}

/// An open database.
struct Hash<'r, 'h> {
    file: Windows<'r, 'h>,
    big_endian: bool,
    page_size: usize,
    last_page: u32,
    last_bucket: u32,
    /// By the length of a bucket's number in bits: what lies before its page beside the buckets before it.
    spares: [u32; 32],
    /// Pages of buckets and of long values that may still be read: each belongs to one place, so more are a circle.
    left: [u64; 2],
}

impl<'r, 'h> Hash<'r, 'h> {
    fn open(reading: &'r Reading<'h>, path: &str) -> Result<Self, Stop> {
        let mut file = Windows::new(reading, path);
        let meta = file.array::<META>(0)?;
        let meta = meta.ok_or_else(|| damaged("shorter than the header of a database"))?;
        let magic: [u8; 4] = part(&meta, 12);
        let mut hash = Self {
            file,
            big_endian: magic == MAGIC,
            page_size: 0,
            last_page: 0,
            last_bucket: 0,
            spares: [0; 32],
            left: [0; 2],
        };
        let word = |at| hash.word(&meta, at);
        let little = u32::from_le_bytes(magic) == u32::from_be_bytes(MAGIC);
        if !(hash.big_endian || little) || !VERSIONS.contains(&word(16)) {
            return Err(damaged("no database of the form that is known"));
        }
        if meta[24] != 0 || meta[26] != 0 {
            return Err(damaged("it has encryption, checksums or parts, which rpm does not use"));
        }
        let page_size = word(20) as usize;
        if !(META..=65_536).contains(&page_size) || !page_size.is_power_of_two() {
            return Err(damaged(format!("a page size of {page_size} bytes is none")));
        }
        let (last_page, last_bucket) = (word(32), word(72));
        let mut spares = [0; 32];
        for (at, spare) in spares.iter_mut().enumerate() {
            *spare = word(96 + 4 * at);
        }
        if last_bucket > last_page {
            return Err(damaged("it has more buckets than pages"));
        }
        hash.left = [u64::from(last_page); 2];
        (hash.page_size, hash.last_page, hash.last_bucket, hash.spares) = (page_size, last_page, last_bucket, spares);
        Ok(hash)
    }

    /// Calls `take` with each package, bucket by bucket.
    fn walk(&mut self, location: &Location, take: &mut Take<'_>) -> Result<(), Stop> {
        let mut page = vec![];
        for bucket in 0..=self.last_bucket {
            let bits = (u32::BITS - bucket.leading_zeros()) as usize;
            let spare = self.spares.get(bits).copied().unwrap_or_default();
            let mut number = bucket.checked_add(spare).ok_or_else(|| damaged(DAMAGED))?;
            let mut first = true;
            while first || number != 0 {
                self.page(0, number, &mut page)?;
                // A page that was never written is an empty bucket to Berkeley DB as well.
                let unused = first && page.iter().take(HEAD).all(|byte| *byte == 0);
                if !unused && !self.is_page(&page, number, &[UNSORTED, SORTED]) {
                    return Err(damaged(format!("page {number} is none of a bucket")));
                }
                if !self.items(&page, number, location, take)? {
                    return Ok(());
                }
                (number, first) = (self.word(&page, 16), false);
            }
        }
        Ok(())
    }

    /// Calls `take` with the packages on a page; whether more are wanted.
    fn items(&mut self, page: &[u8], number: u32, location: &Location, take: &mut Take<'_>) -> Result<bool, Stop> {
        let wrong = || damaged(format!("page {number} is damaged"));
        let count = usize::from(self.half(page, 20));
        let (slots, odd) = page.get(HEAD..HEAD + 2 * count).ok_or_else(wrong)?.as_chunks::<4>();
        if !odd.is_empty() {
            return Err(wrong());
        }
        // Items lie from the end of the page downwards, each up to where the one before begins.
        let mut end = self.page_size;
        for slot in slots {
            let (key, value) = (usize::from(self.half(slot, 0)), usize::from(self.half(slot, 2)));
            let (Some((PLAIN, name)), Some((kind, content))) =
                (page.get(key..end).and_then(split), page.get(value..key).and_then(split))
            else {
                return Err(wrong());
            };
            end = value;
            let name: [u8; 4] = name.try_into().map_err(|_| wrong())?;
            let package = self.word(&name, 0);
            // What stands under no number is the number of packages so far.
            if package == 0 {
                continue;
            }
            let goes_on = match kind {
                PLAIN => take(Ok((u64::from(package), content))),
                // The kind, three bytes of nothing, a page and a length.
                ELSEWHERE if content.len() == 11 => {
                    let (first, length) = (self.word(content, 3), self.word(content, 7));
                    if u64::from(length) > MAX_ROW {
                        take(Err(location.says(format_args!(
                            "package {package}: its header is larger than is read"
                        ))))
                    } else {
                        let blob = self.long(first, length as usize)?;
                        take(Ok((u64::from(package), &blob)))
                    }
                }
                _ => return Err(wrong()),
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A value of this length, on pages of its own.
    fn long(&mut self, first: u32, length: usize) -> Result<Vec<u8>, Stop> {
        let mut value = vec![];
        let mut page = vec![];
        let mut number = first;
        while value.len() < length {
            self.page(1, number, &mut page)?;
            let content = usize::from(self.half(&page, 22));
            let content = page
                .get(HEAD..HEAD + content)
                .filter(|_| self.is_page(&page, number, &[OVERFLOW]));
            let content = content.filter(|content| !content.is_empty() && content.len() <= length - value.len());
            value.extend_from_slice(content.ok_or_else(|| damaged(format!("page {number} is none of a long value")))?);
            number = self.word(&page, 16);
        }
        Ok(value)
    }

    /// Reads a page, which counts as one of its kind.
    fn page(&mut self, kind: usize, number: u32, into: &mut Vec<u8>) -> Result<(), Stop> {
        let left = self.left.get_mut(kind).filter(|left| **left > 0);
        *left.ok_or_else(|| damaged("its pages lead in a circle"))? -= 1;
        into.clear();
        let there = (1..=self.last_page).contains(&number)
            && self
                .file
                .append(u64::from(number) * self.page_size as u64, self.page_size, into)?;
        if there {
            Ok(())
        } else {
            Err(damaged(format!("there is no page {number}")))
        }
    }

    fn is_page(&self, page: &[u8], number: u32, kinds: &[u8]) -> bool {
        self.word(page, 8) == number && page.get(25).is_some_and(|kind| kinds.contains(kind))
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let bytes = part(bytes, at);
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    fn half(&self, bytes: &[u8], at: usize) -> u16 {
        let bytes = part(bytes, at);
        if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }
}

/// Kind and content of an item.
fn split(item: &[u8]) -> Option<(u8, &[u8])> {
    item.split_first().map(|(kind, content)| (*kind, content))
}

/// `N` bytes at `at`; zeroes where there are none, and whoever asks has looked at the length.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk());
    part.copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests;

//! `Packages.db`: pages of slots, each of which tells where the header of a package lies. Numbers are little endian.

use std::collections::BTreeSet;

use super::super::sqlite::MAX_ROW;
use super::super::windows::Windows;
use super::Location;
use super::blobs::Take;
use crate::probe::ProbeError;
use crate::reading::{Reading, Stat, Unread};

const PAGE: u64 = 4096;
const SLOT: usize = 16;
/// Everything is placed by blocks of this many bytes.
const BLOCK: u64 = 16;
/// Before and after a package's header: magic, number, generation, length; checksum, length, magic.
const HEAD: u64 = 16;
const TAIL: u64 = 12;

/// Reads the packages; whether the file stayed the same meanwhile.
pub(super) fn read(reading: &Reading<'_>, location: &Location, take: &mut Take<'_>) -> Result<bool, ProbeError> {
    let path = &location.path;
    let doubt = |take: &mut Take<'_>, why: &str| take(Err(location.says(why)));
    let stamp = |stat: Option<Stat>| stat.map(|stat| (stat.size, stat.mtime));
    let before = stamp(reading.stat(path)?);
    let mut file = Windows::new(reading, path);
    let Some(header) = file.array::<32>(0)? else {
        doubt(take, "shorter than the header of a database");
        return Ok(true);
    };
    if !header.starts_with(b"RpmP\0\0\0\0") {
        doubt(take, "no database of the form that is known");
        return Ok(true);
    }
    let slot_pages = word(header.get(12..));
    let mut seen = BTreeSet::new();
    // The header takes the room of two slots.
    let slots = (2..u64::from(slot_pages) * (PAGE / SLOT as u64)).map(|slot| slot * SLOT as u64);
    for at in slots {
        let Some(slot) = file.array::<SLOT>(at)? else {
            doubt(take, "ends within its slots");
            break;
        };
        if !slot.starts_with(b"Slot") {
            doubt(take, "a slot is none");
            break;
        }
        let (number, begin, blocks) = (word(slot.get(4..)), word(slot.get(8..)), word(slot.get(12..)));
        if begin == 0 {
            continue;
        }
        if !seen.insert(begin) {
            doubt(take, &format!("package {number} lies where another one lies"));
            break;
        }
        let goes_on = match blob(&mut file, number, u64::from(begin), u64::from(blocks))? {
            Ok(blob) => take(Ok((u64::from(number), &blob))),
            Err(why) => doubt(take, &format!("package {number}: {why}")),
        };
        if !goes_on {
            break;
        }
    }
    let after = stamp(reading.stat(path)?);
    // A package is replaced in the file without a change of its length, and the second may be the same.
    let again = reading.bytes_at(path, 0, header.len())?;
    Ok(before == after && again.as_deref() == Some(&header[..]))
}

/// The header of a package; the inner `Err` says why this one cannot be read.
fn blob(
    file: &mut Windows<'_, '_>,
    number: u32,
    begin: u64,
    blocks: u64,
) -> Result<Result<Vec<u8>, &'static str>, Unread> {
    const DAMAGED: &str = "its place in the database is damaged";
    let begin = begin * BLOCK;
    let Some(head) = file.array::<16>(begin)? else {
        return Ok(Err(DAMAGED));
    };
    let length = word(head.get(12..));
    let wanted = (HEAD + u64::from(length) + TAIL).div_ceil(BLOCK);
    if !head.starts_with(b"BlbS") || word(head.get(4..)) != number || blocks != wanted {
        return Ok(Err(DAMAGED));
    }
    if u64::from(length) > MAX_ROW {
        return Ok(Err("its header is larger than is read"));
    }
    let tail = file.array::<12>(begin + blocks * BLOCK - TAIL)?.unwrap_or_default();
    if !tail.ends_with(b"BlbE") || word(tail.get(4..)) != length {
        return Ok(Err(DAMAGED));
    }
    let mut blob = vec![];
    if file.append(begin + HEAD, length as usize, &mut blob)? {
        Ok(Ok(blob))
    } else {
        Ok(Err(DAMAGED))
    }
}

fn word(bytes: Option<&[u8]>) -> u32 {
    let word = bytes.and_then(|bytes| bytes.first_chunk());
    word.copied().map_or(0, u32::from_le_bytes)
}

//! The structure of the zip file (APPNOTE 6.3), checked before anything is unpacked.
//!
//! The central directory is read, and every byte around the content of the files is compared with what a pack has there
//! ([`super::fields`]). So programs that read the directory and programs that read from the front see the same files.

use std::collections::BTreeMap;
use std::io::{Read, SeekFrom};

use super::fields::{CENTRAL, Directory, END, END_64, Header, LARGE_SIZES, Method};
use super::{File, Role, Source};
use crate::failure::Failure;

/// Files in a pack at most: ten years of ten thousand hosts, and an end to counting.
const MAX_FILES: u64 = 4_000_000;
/// Longest central directory: so many files with the longest names.
const MAX_DIRECTORY: u64 = 1 << 30;
/// What an archive may unpack to for each of its bytes; deflate itself cannot do more than 1032.
const MAX_RATIO: u64 = 200;
/// Below this the ratio does not matter.
const SMALL: u64 = 64 << 20;

fn wrong(what: impl std::fmt::Display) -> Failure {
    Failure::wrong(what, "the archive")
}

pub(super) fn check(source: &mut dyn Source, length: u64) -> Result<BTreeMap<String, File>, Failure> {
    let directory = find_directory(source, length)?;
    let bytes = read_at(source, directory.begin, directory.length)?;
    let mut rest = bytes.as_slice();
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let (mut end, mut unpacked, mut version) = (0_u64, 0_u64, 0);
    for number in 1..=directory.files {
        let (header, name, length) = read_central(rest)
            .ok_or_else(|| wrong(format!("has no central header of file {number} where it must be")))?;
        let (found, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = after;
        let role = Role::of(name).ok_or_else(|| Failure::wrong("a pack has no such file", format!("{name:?}")))?;
        if found != header.central(name.as_bytes()) {
            return Err(Failure::wrong("its central header is not as a pack has it", name));
        }
        if header.begin != end {
            return Err(Failure::wrong(
                format!(
                    "begins at byte {} of the archive, {end} expected: something is between or overlaps",
                    header.begin
                ),
                name,
            ));
        }
        if header.unpacked > role.max_bytes() {
            let limit = role.max_bytes();
            return Err(Failure::wrong(
                format!("announces {} bytes, such a file may have {limit}", header.unpacked),
                name,
            ));
        }
        let local = header.local(name.as_bytes());
        let begin = header.begin.saturating_add(local.len() as u64);
        end = begin.saturating_add(header.packed);
        if end > directory.begin {
            return Err(Failure::wrong("reaches beyond the files' part of the archive", name));
        }
        if read_at(source, header.begin, local.len() as u64)? != local {
            return Err(Failure::wrong("its local header is not as the central one", name));
        }
        unpacked = unpacked.saturating_add(header.unpacked);
        version = Directory::version([&header]).max(version);
        let name = name.to_owned();
        let file = File { role, header, begin };
        if files.insert(name.clone(), file).is_some() {
            return Err(Failure::wrong("is in the archive twice", name));
        }
    }
    if !rest.is_empty() {
        return Err(wrong(format!(
            "has {} bytes too many in its central directory",
            rest.len()
        )));
    }
    if end != directory.begin {
        return Err(wrong(format!("has bytes that belong to no file, at {end}")));
    }
    let tail = directory.begin + directory.length;
    let expected = directory.end(version);
    if length - tail != expected.len() as u64 || read_at(source, tail, length - tail)? != expected {
        return Err(wrong("does not end as a pack does"));
    }
    if unpacked > SMALL && unpacked / length.max(1) > MAX_RATIO {
        return Err(wrong(format!(
            "{length} bytes announce {unpacked}: more than {MAX_RATIO} times as much"
        )));
    }
    Ok(files)
}

/// Reads the end records. What they say is compared byte by byte once the directory was read.
fn find_directory(source: &mut dyn Source, length: u64) -> Result<Directory, Failure> {
    let not_one = || wrong("not a zip archive, or cut off: its end record is not at its end");
    let at = length.checked_sub(END).ok_or_else(not_one)?;
    let end = read_at(source, at, END)?;
    if !end.starts_with(b"PK\x05\x06") {
        return Err(not_one());
    }
    let short = Directory {
        files: u16_at(&end, 10).map(u64::from).ok_or_else(not_one)?,
        length: u32_at(&end, 12).map(u64::from).ok_or_else(not_one)?,
        begin: u32_at(&end, 16).map(u64::from).ok_or_else(not_one)?,
    };
    let directory = match at.checked_sub(END_64) {
        Some(at) if short.length == u64::from(u32::MAX) => {
            let end = read_at(source, at, END_64)?;
            let field = |at| u64_at(&end, at).ok_or_else(not_one);
            Directory {
                files: field(32)?,
                length: field(40)?,
                begin: field(48)?,
            }
        }
        _ => short,
    };
    if directory.files > MAX_FILES {
        let files = directory.files;
        return Err(wrong(format!("has {files} files, at most {MAX_FILES} are read")));
    }
    let end = directory.begin.checked_add(directory.length);
    if directory.length > MAX_DIRECTORY || end.is_none_or(|end| end > at) {
        return Err(wrong("its central directory is not where its end record says"));
    }
    Ok(directory)
}

/// Reads a central header: what it says, the name, and its length.
fn read_central(bytes: &[u8]) -> Option<(Header, &str, usize)> {
    let name_length = u16_at(bytes, 28)?;
    let extra_length = u16_at(bytes, 30)?;
    let name_end = usize::try_from(CENTRAL).ok()? + usize::from(name_length);
    let name = bytes.get(usize::try_from(CENTRAL).ok()?..name_end)?;
    let end = name_end + usize::from(extra_length);
    let extra = bytes.get(name_end..end)?;
    let large = u32_at(bytes, 24)? == u32::MAX;
    let begin = u32_at(bytes, 42)?;
    let sizes = if large {
        (u64_at(extra, 12)?, u64_at(extra, 4)?)
    } else {
        (u32_at(bytes, 20)?.into(), u32_at(bytes, 24)?.into())
    };
    let offset = usize::try_from(LARGE_SIZES).ok().filter(|_| large).unwrap_or(4);
    let header = Header {
        method: Method::of(u16_at(bytes, 10)?)?,
        crc32: u32_at(bytes, 16)?,
        packed: sizes.0,
        unpacked: sizes.1,
        begin: if begin == u32::MAX {
            u64_at(extra, offset)?
        } else {
            begin.into()
        },
        large,
    };
    Some((header, std::str::from_utf8(name).ok()?, end))
}

/// Reads `length` bytes, all or an error. What is asked for lies within the archive, so memory is bounded by its size.
fn read_at(source: &mut dyn Source, at: u64, length: u64) -> Result<Vec<u8>, Failure> {
    source.seek(SeekFrom::Start(at)).map_err(Failure::unable)?;
    let mut bytes = Vec::new();
    let read = Read::take(source, length)
        .read_to_end(&mut bytes)
        .map_err(Failure::unable)?;
    if read as u64 == length {
        Ok(bytes)
    } else {
        Err(wrong(format!(
            "ends at byte {}, in the middle of a header",
            at + read as u64
        )))
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

//! Lists of packages: the files `…_Packages` in `/var/lib/apt/lists`, in the compressions in which apt keeps them.
//!
//! A list has up to 70 MB and a host needs a few hundred of its 60,000 stanzas, so a list is read in pieces, never held
//! whole, and a stanza is taken apart only if its package is installed.

mod chunks;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};

use memchr::memmem::Finder;

pub(super) use self::chunks::Chunks;
use super::facts::ListState;
use crate::formats::debian_version::is_version;
use crate::formats::dpkg::{Entry, is_name, source_of};
use crate::formats::stanza::Stanza;
use crate::reading::{Reading, Unread};

/// Longest stanza. Debian's longest has 60 kB.
const MAX_STANZA: usize = 2 * 1024 * 1024;
/// Most bytes that a list may have uncompressed: ten times Ubuntu's largest.
const MAX_BYTES: u64 = 700 * 1024 * 1024;
/// Bytes that are unpacked at a time: some stanzas at once, and they stay in the processor's cache.
const PIECE: usize = 256 * 1024;

/// What can be appended to the name of a list, and how it is then packed; in the order in which apt looks.
pub(super) const PACKED: [(&str, Packed); 7] = [
    ("", Packed::Plain),
    (".lz4", Packed::Lz4),
    (".gz", Packed::Gzip),
    (".zst", Packed::Unknown),
    (".xz", Packed::Unknown),
    (".bz2", Packed::Unknown),
    (".lzma", Packed::Unknown),
];

/// How a list is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    /// Not at all.
    Plain,
    /// LZ4 frames.
    Lz4,
    /// gzip.
    Gzip,
    /// In a way that this probe cannot unpack.
    Unknown,
}

/// A version of an installed package in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offered {
    /// Position of the package in [`Wanted`].
    pub(super) package: usize,
    /// Version.
    pub(super) version: String,
    /// Name of its source package.
    pub(super) source: String,
    /// `Phased-Update-Percentage`, 100 where there is none.
    pub(super) phased: u64,
}

/// A list could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListError {
    /// As the facts have it.
    pub(super) state: ListState,
    /// What is wrong, where.
    pub(super) detail: String,
}

/// The installed packages by name.
pub(super) struct Wanted<'a> {
    native: &'a str,
    by_name: HashMap<&'a [u8], Vec<(usize, &'a str)>>,
}

impl<'a> Wanted<'a> {
    /// `packages`: installed ones, whose positions are then spoken of.
    pub(super) fn new(packages: &[Entry<'a>], native: &'a str) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::with_capacity(packages.len());
        for (at, package) in packages.iter().enumerate() {
            let architectures = by_name.entry(package.name.as_bytes()).or_default();
            architectures.push((at, effective(package.architecture, native)));
        }
        Self { native, by_name }
    }

    fn find(&self, name: &[u8]) -> Option<&[(usize, &'a str)]> {
        self.by_name.get(name).map(Vec::as_slice)
    }
}

/// To apt a package for all architectures is one of the host's own.
pub(super) fn effective<'a>(architecture: &'a str, native: &'a str) -> &'a str {
    if architecture == "all" { native } else { architecture }
}

/// Reads a list and gives what it offers for the wanted packages, with the number of its bytes uncompressed.
pub(super) fn read(
    reading: &Reading<'_>,
    path: &str,
    packed: Packed,
    wanted: &Wanted<'_>,
) -> Result<(Vec<Offered>, u64), ListError> {
    if packed == Packed::Unknown {
        return Err(ListError {
            state: ListState::Unsupported,
            detail: format!("{path}: this probe cannot unpack it"),
        });
    }
    let before = stat(reading, path)?;
    if before.is_none() {
        // apt links to the lists of local archives.
        return Err(ListError {
            state: ListState::Absent,
            detail: format!("{path}: a link to a file that is not there"),
        });
    }
    let mut chunks = Chunks::new(reading, path);
    let scanned = match packed {
        Packed::Lz4 => scan(lz4_flex::frame::FrameDecoder::new(&mut chunks), path, wanted),
        Packed::Gzip => {
            let unpacked = flate2::bufread::MultiGzDecoder::new(&mut chunks);
            scan(BufReader::with_capacity(PIECE, unpacked), path, wanted)
        }
        Packed::Plain | Packed::Unknown => scan(&mut chunks, path, wanted),
    };
    if let Some(unread) = chunks.failure() {
        return Err(ListError::unread(&unread));
    }
    if stat(reading, path)? != before {
        return Err(ListError {
            state: ListState::Failed,
            detail: format!("{path}: it was replaced while it was read"),
        });
    }
    scanned
}

impl ListError {
    pub(super) fn unread(unread: &Unread) -> Self {
        Self {
            state: match unread {
                Unread::Denied { .. } => ListState::Denied,
                Unread::Skipped { .. } | Unread::Timeout { .. } => ListState::Skipped,
                Unread::Malformed { .. } => ListState::Malformed,
                Unread::Failed { .. } | Unread::TooLarge { .. } => ListState::Failed,
            },
            detail: unread.to_string(),
        }
    }

    fn malformed(path: &str, what: impl std::fmt::Display) -> Self {
        Self {
            state: ListState::Malformed,
            detail: format!("{path}: {what}"),
        }
    }
}

fn stat(reading: &Reading<'_>, path: &str) -> Result<Option<(u64, i64)>, ListError> {
    let stat = reading.stat(path).map_err(|unread| ListError::unread(&unread))?;
    Ok(stat.map(|stat| (stat.size, stat.mtime)))
}

/// Goes through the stanzas of a list where they lie in what was unpacked; only those that a piece ends in are copied.
fn scan(mut list: impl BufRead, path: &str, wanted: &Wanted<'_>) -> Result<(Vec<Offered>, u64), ListError> {
    let blank = Finder::new(b"\n\n");
    let mut offered = vec![];
    let mut begun: Vec<u8> = vec![];
    let mut total = 0;
    loop {
        let piece = match list.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ListError::malformed(path, format_args!("cannot be unpacked: {error}"))),
        };
        if piece.is_empty() {
            offer(&begun, path, wanted, &mut offered)?;
            return Ok((offered, total));
        }
        let length = piece.len();
        total += length as u64;
        if total > MAX_BYTES {
            return Err(ListError::malformed(path, format_args!("more than {MAX_BYTES} bytes")));
        }
        let mut rest = piece;
        if let Some(after) = complete(&mut begun, piece, &blank) {
            offer(&begun, path, wanted, &mut offered)?;
            begun.clear();
            rest = after;
            while let Some(length) = blank.find(rest) {
                let (stanza, after) = rest.split_at_checked(length).unwrap_or_default();
                offer(stanza, path, wanted, &mut offered)?;
                rest = after.get(2..).unwrap_or_default();
            }
        }
        begun.extend_from_slice(rest);
        if begun.len() > MAX_STANZA {
            let what = format_args!("a stanza of more than {MAX_STANZA} bytes");
            return Err(ListError::malformed(path, what));
        }
        list.consume(length);
    }
}

/// Appends to a stanza that began in earlier pieces what this one has of it, and gives what follows its end; `None` if it
/// does not end here.
fn complete<'p>(begun: &mut Vec<u8>, piece: &'p [u8], blank: &Finder<'_>) -> Option<&'p [u8]> {
    if begun.ends_with(b"\n")
        && let Some(after) = piece.strip_prefix(b"\n")
    {
        return Some(after);
    }
    let (stanza, after) = piece.split_at_checked(blank.find(piece)?)?;
    begun.extend_from_slice(stanza);
    after.get(2..)
}

/// Takes what a stanza offers for a wanted package.
fn offer(text: &[u8], path: &str, wanted: &Wanted<'_>, offered: &mut Vec<Offered>) -> Result<(), ListError> {
    let text = text.trim_ascii_end();
    let text = text
        .get(text.iter().take_while(|byte| **byte == b'\n').count()..)
        .unwrap_or_default();
    if text.is_empty() {
        return Ok(());
    }
    let stanza = Stanza { text, offset: 0 };
    let first_line = || text.split(|byte| *byte == b'\n').next();
    // All archives begin their stanzas with the name.
    let name = match text.strip_prefix(b"Package: ") {
        Some(rest) => memchr::memchr(b'\n', rest).and_then(|end| rest.get(..end)),
        None => stanza.get("Package"),
    };
    let Some(name) = name.map(<[u8]>::trim_ascii) else {
        let line = String::from_utf8_lossy(first_line().unwrap_or_default());
        let begin: String = line.chars().take(40).collect();
        return Err(ListError::malformed(
            path,
            format_args!("a stanza without a package that begins {begin:?}"),
        ));
    };
    let Some(packages) = wanted.find(name) else {
        return Ok(());
    };
    let wrong = |what: &str| {
        let name = String::from_utf8_lossy(name);
        ListError::malformed(path, format_args!("the stanza of {name}: {what}"))
    };
    let field = |name: &str| stanza.get(name).map(std::str::from_utf8);
    let (Some(Ok(version)), Some(Ok(architecture))) = (field("Version"), field("Architecture")) else {
        return Err(wrong("no Version or no Architecture"));
    };
    if !is_version(version) || !is_name(architecture) {
        return Err(wrong("no valid Version or no valid Architecture"));
    }
    let source = match stanza.get("Source") {
        None => None,
        Some(source) => source_of(source).ok_or_else(|| wrong("no valid Source"))?.0,
    };
    let phased = match field("Phased-Update-Percentage") {
        None => 100,
        Some(text) => text
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|percentage| *percentage <= 100)
            .ok_or_else(|| wrong("no valid Phased-Update-Percentage"))?,
    };
    let architecture = effective(architecture, wanted.native);
    let name = std::str::from_utf8(name).map_err(|_| wrong("not UTF-8"))?;
    offered.extend(
        packages
            .iter()
            .filter(|(_, installed)| *installed == architecture)
            .map(|(package, _)| Offered {
                package: *package,
                version: version.to_owned(),
                source: source.unwrap_or(name).to_owned(),
                phased,
            }),
    );
    Ok(())
}

#[cfg(test)]
mod tests;

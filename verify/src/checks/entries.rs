//! The files of statements: one log entry per line.

use std::io::BufRead;
use std::rc::Rc;

use evidence::envelope::{self, Unverified};
use evidence::tree;

use super::Context;
use super::log::Log;
use crate::failure::Failure;

/// Longest line: an envelope, its index, and the braces around them.
pub(super) const MAX_LINE: u64 = envelope::MAX_BYTES as u64 + 64;

/// An entry whose place in the log has been checked and whose signature has not.
pub(super) struct Entry {
    /// Its place in the log.
    pub(super) index: u64,
    /// What is there.
    pub(super) envelope: Unverified,
    /// SHA-256 of the envelope.
    pub(super) digest: evidence::Digest,
    /// File and line, for messages.
    pub(super) place: Place,
}

/// A line of a file of statements.
#[derive(Clone)]
pub(super) struct Place {
    file: Rc<str>,
    line: u64,
    index: Option<u64>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        self.index.map_or(Ok(()), |index| write!(f, " (log entry {index})"))
    }
}

/// Which entries of the log have been seen, each of them once.
pub(super) struct Seen {
    bits: Vec<u64>,
    count: u64,
}

impl Seen {
    pub(super) fn new(size: u64) -> Result<Self, Failure> {
        // 2^40 entries would need 128 GiB; tiles end long before that.
        let words = usize::try_from(size.div_ceil(64))
            .ok()
            .filter(|words| *words <= 1 << 24);
        let words =
            words.ok_or_else(|| Failure::unable(format!("a log of {size} entries is too large for this machine")))?;
        Ok(Self {
            bits: vec![0; words],
            count: 0,
        })
    }

    fn mark(&mut self, index: u64) -> bool {
        let word = usize::try_from(index / 64)
            .ok()
            .and_then(|word| self.bits.get_mut(word));
        let bit = 1 << (index % 64);
        match word {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                self.count += 1;
                true
            }
            _ => false,
        }
    }

    /// The first entry from `begin` to `end` (excluded) that was not seen.
    pub(super) fn first_unseen(&self, begin: u64, end: u64) -> Option<u64> {
        let seen = |index: &u64| {
            let word = usize::try_from(index / 64).ok().and_then(|word| self.bits.get(word));
            word.is_some_and(|word| word & (1 << (index % 64)) != 0)
        };
        (begin..end).find(|index| !seen(index))
    }

    /// How many were seen.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

/// Reads a file of statements, line by line, and checks that each is the entry of the log that it says it is.
pub(super) fn for_each(
    context: &mut Context,
    log: &Log,
    seen: &mut Seen,
    file: &str,
    mut take: impl FnMut(Entry) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name: Rc<str> = file.into();
    let ((), digest) = context.archive.stream(file, |reader| {
        let (mut line, mut number, mut last) = (Vec::new(), 0, None);
        loop {
            line.clear();
            number += 1;
            let mut place = Place {
                file: Rc::clone(&name),
                line: number,
                index: None,
            };
            let read = std::io::Read::take(&mut *reader, MAX_LINE + 1).read_until(b'\n', &mut line);
            if read.map_err(|error| Failure::wrong(error, &place))? == 0 {
                return Ok(());
            }
            if line.pop() != Some(b'\n') {
                return Err(Failure::wrong(
                    format!("the line has no end within {MAX_LINE} bytes"),
                    place,
                ));
            }
            let (envelope, index) =
                split(&line).ok_or_else(|| Failure::wrong("the line is not {\"envelope\":{…},\"index\":N}", &place))?;
            place.index = Some(index);
            if last.is_some_and(|last| last >= index) {
                return Err(Failure::wrong("statements are out of log order or repeated", place));
            }
            last = Some(index);
            let leaf = log
                .leaf(index)
                .ok_or_else(|| Failure::wrong("the pack's tiles do not show this entry", &place))?;
            if tree::leaf_hash(envelope) != leaf {
                return Err(Failure::wrong(
                    "the statement is not what the log has at this place",
                    place,
                ));
            }
            if !seen.mark(index) {
                return Err(Failure::wrong("this entry of the log is in the pack twice", place));
            }
            let digest = evidence::Digest::of(envelope);
            let envelope = Unverified::from_bytes(envelope).map_err(|error| Failure::wrong(error, &place))?;
            take(Entry {
                index,
                envelope,
                digest,
                place,
            })?;
        }
    })?;
    context.sums.check(file, digest)
}

/// Cuts a line into the envelope's bytes and the index. A line is canonical JSON, so the members stand in this order and
/// the envelope's bytes are those of the entry; that they are is shown by the leaf hash.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], u64)> {
    let rest = line.strip_prefix(b"{\"envelope\":")?.strip_suffix(b"}")?;
    let comma = rest.iter().rposition(|byte| *byte == b',')?;
    let (envelope, index) = rest.split_at_checked(comma)?;
    let digits = std::str::from_utf8(index.strip_prefix(b",\"index\":")?).ok()?;
    let number: u64 = digits.parse().ok()?;
    // One spelling: no sign, no zero in front.
    let plain = digits == "0" || digits.starts_with(|first| matches!(first, '1'..='9'));
    plain.then_some((envelope, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_one_spelling() {
        assert_eq!(
            split(b"{\"envelope\":{\"a\":1},\"index\":12}"),
            Some((&b"{\"a\":1}"[..], 12))
        );
        for wrong in [
            "",
            "{}",
            "{\"envelope\":{},\"index\":01}",
            "{\"envelope\":{},\"index\":+1}",
            "{\"envelope\":{}, \"index\":1}",
            "{\"index\":1,\"envelope\":{}}",
        ] {
            assert_eq!(split(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn each_entry_is_seen_once() {
        let mut seen = Seen::new(130).unwrap();
        assert!(seen.mark(129) && !seen.mark(129) && seen.mark(128) && !seen.mark(10_000));
        assert_eq!(seen.first_unseen(128, 130), None);
        assert_eq!(seen.first_unseen(0, 130), Some(0));
        assert_eq!(seen.count(), 2);
    }
}

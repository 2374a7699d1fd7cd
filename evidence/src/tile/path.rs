//! Names of tiles and bundles, as requests and packs have them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Tile, WIDTH};

/// What can be fetched from a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `checkpoint`
    Checkpoint,
    /// `tile/<L>/<N>[.p/<W>]`
    Hashes(Tile),
    /// `tile/entries/<N>[.p/<W>]`
    Entries {
        /// Which bundle: its first entry is `index * 256`.
        index: u64,
        /// Entries in it, 1 to 256.
        width: u16,
    },
}

/// A path that names nothing in a log.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{path:?} is not checkpoint, tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]")]
pub struct PathError {
    /// The beginning of what was found.
    pub path: String,
}

fn write_place(f: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    let digits = index.to_string();
    let digits = format!("{}{digits}", "0".repeat((3 - digits.len() % 3) % 3));
    let groups = digits.len() / 3;
    for group in 0..groups {
        let last = group + 1 == groups;
        let text = digits.get(group * 3..group * 3 + 3).unwrap_or_default();
        write!(f, "/{}{text}", if last { "" } else { "x" })?;
    }
    if u64::from(width) < WIDTH {
        write!(f, ".p/{width}")
    } else {
        Ok(())
    }
}

fn read_place(text: &str) -> Option<(u64, u16)> {
    let (place, width) = match text.split_once(".p/") {
        None => (text, 256),
        Some((place, width)) => {
            let number: u16 = width.parse().ok().filter(|number| (1..256).contains(number))?;
            (place, Some(number).filter(|number| number.to_string() == width)?)
        }
    };
    let mut groups = place.split('/').peekable();
    let mut index: u64 = 0;
    let mut first = true;
    while let Some(group) = groups.next() {
        let digits = if groups.peek().is_some() {
            group.strip_prefix('x')?
        } else {
            group
        };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // One spelling: no group of zeroes in front.
        if first && digits == "000" && groups.peek().is_some() {
            return None;
        }
        first = false;
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some((index, width))
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Hashes(tile) => {
                write!(f, "tile/{}", tile.level)?;
                write_place(f, tile.index, tile.width)
            }
            Self::Entries { index, width } => {
                f.write_str("tile/entries")?;
                write_place(f, *index, *width)
            }
        }
    }
}

impl FromStr for Resource {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        let wrong = || PathError {
            path: path.chars().take(80).collect(),
        };
        if path == "checkpoint" {
            return Ok(Self::Checkpoint);
        }
        let (kind, place) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(wrong)?;
        let (index, width) = read_place(place).ok_or_else(wrong)?;
        if kind == "entries" {
            return Ok(Self::Entries { index, width });
        }
        let level: u8 = kind
            .parse()
            .ok()
            .filter(|level: &u8| *level < 64 && level.to_string() == kind)
            .ok_or_else(wrong)?;
        Ok(Self::Hashes(Tile { level, index, width }))
    }
}

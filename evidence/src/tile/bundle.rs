//! Entry bundles: entries one after the other, each after its length as two bytes, big-endian.

use thiserror::Error;

/// Most entries that a bundle has: [`super::WIDTH`].
const MAX_ENTRIES: usize = 256;

/// Why entries do not fit a bundle, or bytes are none.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum BundleError {
    /// An entry longer than its length field can say.
    #[error("entry {position} of the bundle has {length} bytes, at most 65535 fit")]
    TooLong {
        /// Which one, from 0.
        position: usize,
        /// Its length.
        length: usize,
    },
    /// More than [`super::WIDTH`] entries.
    #[error("the bundle has more than {MAX_ENTRIES} entries")]
    TooMany,
    /// The bytes end inside an entry or a length.
    #[error("the bundle ends inside entry {position}")]
    Truncated {
        /// Which one, from 0.
        position: usize,
    },
}

/// The bytes of a bundle of at most [`super::WIDTH`] entries.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    for (position, entry) in entries.into_iter().enumerate() {
        if position == MAX_ENTRIES {
            return Err(BundleError::TooMany);
        }
        let entry = entry.as_ref();
        let too_long = |_| BundleError::TooLong {
            position,
            length: entry.len(),
        };
        bytes.extend_from_slice(&u16::try_from(entry.len()).map_err(too_long)?.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle. How many there must be is the caller's to check: the tree's size says it.
pub fn decode_bundle(mut bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        if entries.len() == MAX_ENTRIES {
            return Err(BundleError::TooMany);
        }
        let truncated = BundleError::Truncated {
            position: entries.len(),
        };
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(truncated.clone())?;
        let (entry, rest) = rest
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or(truncated)?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}

//! The archive, which is hostile until shown otherwise.
//!
//! Before anything is unpacked the whole of the zip structure is checked: names and sizes are those of a pack, local and
//! central headers agree, nothing overlaps, nothing lies between, before or after the entries. What is unpacked is
//! bounded by what its role allows, whatever its header says.

mod layout;
mod structure;
mod sums;

pub use layout::Role;
pub use sums::Sums;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek};

use evidence::Digest;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::failure::Failure;

/// What a pack is read from.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// A pack whose zip structure has been checked.
pub struct Archive {
    zip: ZipArchive<Box<dyn Source>>,
    roles: BTreeMap<String, Role>,
}

impl Archive {
    /// Checks the structure of an archive of `length` bytes.
    pub fn open(source: Box<dyn Source>, length: u64) -> Result<Self, Failure> {
        let (zip, roles) = structure::check(source, length)?;
        Ok(Self { zip, roles })
    }

    /// Every file with its role, sorted by name.
    pub fn files(&self) -> &BTreeMap<String, Role> {
        &self.roles
    }

    /// Names of the files of one role, sorted.
    pub fn of_role(&self, wanted: impl Fn(&Role) -> bool) -> Vec<String> {
        self.roles
            .iter()
            .filter(|(_, role)| wanted(role))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Unpacks a file as a stream that hashes what passes and ends, with an error, at the size that its role allows.
    pub fn stream<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn BufRead) -> Result<T, Failure>,
    ) -> Result<(T, Digest), Failure> {
        let role = self
            .roles
            .get(name)
            .ok_or_else(|| Failure::wrong("the file is missing", name))?;
        let limit = role.max_bytes();
        let file = self.zip.by_name(name).map_err(|error| Failure::wrong(error, name))?;
        // One byte more than allowed, so that too much shows.
        let mut hashing = Hashing {
            inner: file.take(limit + 1),
            hasher: Sha256::new(),
            length: 0,
        };
        let mut buffered = BufReader::with_capacity(64 * 1024, &mut hashing);
        let value = read(&mut buffered)?;
        // The digest is over the whole file, also what `read` left unread.
        std::io::copy(&mut buffered, &mut std::io::sink()).map_err(|error| Failure::wrong(error, name))?;
        drop(buffered);
        if hashing.length > limit {
            return Err(Failure::wrong(
                format!("unpacks to more than the {limit} bytes that such a file may have"),
                name,
            ));
        }
        Ok((value, Digest::from_bytes(hashing.hasher.finalize().into())))
    }

    /// Unpacks a whole file.
    pub fn bytes(&mut self, name: &str) -> Result<(Vec<u8>, Digest), Failure> {
        self.stream(name, |reader| {
            let mut bytes = Vec::new();
            reader
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::wrong(error, name))?;
            Ok(bytes)
        })
    }
}

struct Hashing<R> {
    inner: R,
    hasher: Sha256,
    length: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.length += count as u64;
        Ok(count)
    }
}

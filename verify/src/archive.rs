//! The archive, which is hostile until shown otherwise.
//!
//! Before anything is unpacked every byte of the zip structure is checked: names and sizes are those of a pack, local and
//! central headers agree, nothing overlaps, nothing lies between, before or after the files. What is unpacked is bounded by
//! what its role allows, and its packed form ends where the next file begins.

mod content;
mod fields;
mod layout;
mod structure;
mod sums;

pub use layout::Role;
pub use sums::Sums;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek};

use evidence::Digest;

use crate::failure::Failure;
use content::Content;
use fields::Header;

/// What a pack is read from.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// A file of the pack.
struct File {
    role: Role,
    header: Header,
    /// Where its content begins in the archive.
    begin: u64,
}

/// A pack whose zip structure has been checked.
pub struct Archive {
    source: Box<dyn Source>,
    files: BTreeMap<String, File>,
}

impl Archive {
    /// Checks the structure of an archive of `length` bytes.
    pub fn open(mut source: Box<dyn Source>, length: u64) -> Result<Self, Failure> {
        let files = structure::check(source.as_mut(), length)?;
        Ok(Self { source, files })
    }

    /// The role of a file; `None` if it is not in the pack.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.files.get(name).map(|file| &file.role)
    }

    /// Every file with its role, sorted by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Role)> {
        self.files.iter().map(|(name, file)| (name.as_str(), &file.role))
    }

    /// Names of the files of one role, sorted.
    pub fn of_role(&self, wanted: impl Fn(&Role) -> bool) -> Vec<String> {
        self.files()
            .filter(|(_, role)| wanted(role))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// Unpacks a file as a stream, and hashes what passes.
    pub fn stream<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn BufRead) -> Result<T, Failure>,
    ) -> Result<(T, Digest), Failure> {
        let file = self
            .files
            .get(name)
            .ok_or_else(|| Failure::wrong("the file is missing", name))?;
        let failed = |error: std::io::Error| Failure::wrong(error, name);
        let mut content = Content::open(self.source.as_mut(), &file.header, file.begin).map_err(failed)?;
        let mut buffered = BufReader::with_capacity(64 * 1024, &mut content);
        let value = read(&mut buffered)?;
        // The digest is over the whole file, also what `read` left unread.
        std::io::copy(&mut buffered, &mut std::io::sink()).map_err(failed)?;
        drop(buffered);
        Ok((value, content.finish().map_err(failed)?))
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

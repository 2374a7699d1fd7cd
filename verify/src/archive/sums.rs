//! `SHA256SUMS`: every file of the pack but those that sign it.

use std::collections::BTreeMap;

use evidence::{Digest, pack};

use super::Archive;
use crate::failure::Failure;

/// The digest that each file must have.
pub struct Sums(BTreeMap<String, Digest>);

impl Sums {
    /// Reads `SHA256SUMS`: lines `<64 hex digits>  <name>`, sorted, for exactly the files of the archive.
    pub fn read(archive: &mut Archive) -> Result<(Self, Digest), Failure> {
        let (bytes, digest) = archive.bytes(pack::SUMS)?;
        let wrong = |line: usize, what: &str| Failure::wrong(what, format!("{} line {line}", pack::SUMS));
        let text = std::str::from_utf8(&bytes).map_err(|_| Failure::wrong("not UTF-8", pack::SUMS))?;
        let mut sums = BTreeMap::new();
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| Failure::wrong("the last line has no end", pack::SUMS))?;
        for (index, entry) in body.split('\n').enumerate() {
            let line = index + 1;
            let (sum, name) = entry
                .split_once("  ")
                .ok_or_else(|| wrong(line, "not \"<sha256>  <name>\""))?;
            let sum: Digest = sum.parse().map_err(|error| wrong(line, &format!("{error}")))?;
            if sums
                .last_key_value()
                .is_some_and(|(last, _): (&String, _)| last.as_str() >= name)
            {
                return Err(wrong(line, "out of order or repeated"));
            }
            if !archive.role(name).is_some_and(super::Role::is_summed) {
                return Err(wrong(
                    line,
                    &format!("lists {name:?}, which is not in the pack or must not be listed"),
                ));
            }
            sums.insert(name.to_owned(), sum);
        }
        let unlisted = archive
            .files()
            .find(|(name, role)| role.is_summed() && !sums.contains_key(*name));
        match unlisted {
            Some((name, _)) => Err(Failure::wrong(format!("not listed in {}", pack::SUMS), name)),
            None => Ok((Self(sums), digest)),
        }
    }

    /// Compares the digest of a file that was read.
    pub fn check(&self, name: &str, found: Digest) -> Result<(), Failure> {
        match self.0.get(name) {
            Some(expected) if *expected == found => Ok(()),
            Some(expected) => Err(Failure::wrong(
                format!("its SHA-256 is {found}, {} says {expected}", pack::SUMS),
                name,
            )),
            None => Err(Failure::wrong(format!("not listed in {}", pack::SUMS), name)),
        }
    }

    /// How many files are listed.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

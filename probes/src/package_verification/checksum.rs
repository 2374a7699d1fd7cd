//! Checksums of files.

use std::fmt::Write;

use md5::{Digest, Md5};

/// Of which kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// dpkg's, and that of old packages of rpm.
    Md5,
    /// rpm's.
    Sha256,
    /// Another, which is not computed here.
    Other,
}

/// A file's.
#[derive(Debug)]
pub(super) struct Checksum {
    pub(super) kind: Kind,
    /// In hexadecimal digits, small letters.
    pub(super) digits: String,
}

impl Checksum {
    /// Whether it is that of `bytes`; `None` if it is of another kind.
    pub(super) fn is_of(&self, bytes: &[u8]) -> Option<bool> {
        let found = match self.kind {
            Kind::Md5 => hexadecimal(&Md5::digest(bytes)),
            Kind::Sha256 => evidence::Digest::of(bytes).to_string(),
            Kind::Other => return None,
        };
        Some(found == self.digits)
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

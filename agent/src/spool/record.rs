//! A statement as it lies in the spool.

use evidence::{Digest, Timestamp};

/// Length and checksum before a body.
pub(super) const FRAME: u64 = 4 + 8;
const FIXED: usize = 8 + 8 + Digest::LEN;
/// Longest body: the longest envelope that the log takes, and what stands before it.
pub(super) const MAX_BODY: usize = FIXED + evidence::envelope::MAX_BYTES;

/// A sealed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub sequence: u64,
    /// When its manifest was complete.
    pub observed_at: Timestamp,
    /// The manifest that it names.
    pub manifest: Digest,
    /// The envelope, byte for byte.
    pub envelope: Vec<u8>,
}

/// Where the chain of statements stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of the newest statement.
    pub sequence: u64,
    /// SHA-256 of its envelope.
    pub digest: Digest,
    /// The manifest that it names.
    pub manifest: Digest,
    /// When that manifest was complete.
    pub observed_at: Timestamp,
}

impl Record {
    /// What the next statement needs to know of this one.
    pub fn head(&self) -> Head {
        Head {
            sequence: self.sequence,
            digest: Digest::of(&self.envelope),
            manifest: self.manifest,
            observed_at: self.observed_at,
        }
    }

    pub(super) fn framed_length(&self) -> u64 {
        FRAME + (FIXED + self.envelope.len()) as u64
    }

    /// Frame and body; `None` if the envelope is longer than the log takes.
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut body = Vec::with_capacity(FIXED + self.envelope.len());
        body.extend_from_slice(&self.sequence.to_le_bytes());
        body.extend_from_slice(&self.observed_at.unix().to_le_bytes());
        body.extend_from_slice(self.manifest.as_bytes());
        body.extend_from_slice(&self.envelope);
        let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_BODY)?;
        Some([&length.to_le_bytes()[..], &check(&body), &body].concat())
    }

    /// Reads a body.
    pub(super) fn from_body(body: &[u8]) -> Option<Self> {
        let (sequence, rest) = body.split_first_chunk::<8>()?;
        let (observed_at, rest) = rest.split_first_chunk::<8>()?;
        let (manifest, envelope) = rest.split_first_chunk::<{ Digest::LEN }>()?;
        Some(Self {
            sequence: u64::from_le_bytes(*sequence),
            observed_at: Timestamp::from_unix(i64::from_le_bytes(*observed_at)).ok()?,
            manifest: Digest::from_bytes(*manifest),
            envelope: envelope.to_vec(),
        })
    }
}

/// The checksum of a body.
pub(super) fn check(body: &[u8]) -> [u8; 8] {
    let digest = Digest::of(body);
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}

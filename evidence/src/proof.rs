//! Receipts: proofs that an entry is in the log (C2SP tlog-proof v1), and lists of hashes as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::checkpoint::{CheckpointError, SignedCheckpoint, hash_from_base64, number};
use crate::digest::Digest;
use crate::key::SignatureCheck;
use crate::note::{self, VerifierKey};
use crate::tree::{self, ProofError};

/// First line of a receipt.
const HEADER: &str = "c2sp.org/tlog-proof@v1\n";
/// Longest receipt that is read, bytes: a note, a proof, and as much again.
pub const MAX_BYTES: usize = note::MAX_BYTES * 2;

/// A receipt that nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Data beside the proof. Nothing authenticates it.
    pub extra: Option<Vec<u8>>,
    /// The entry's place in the log.
    pub index: u64,
    /// Inclusion proof, from the leaf's sibling up.
    pub proof: Vec<Digest>,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
}

/// Why a text is no receipt, or why it does not prove what it should.
#[derive(Debug, Error)]
pub enum ReceiptError {
    /// Over [`MAX_BYTES`].
    #[error("the receipt has {length} bytes, at most {MAX_BYTES} are read")]
    TooLarge {
        /// Bytes found.
        length: usize,
    },
    /// Another first line.
    #[error("not a receipt: the first line is not c2sp.org/tlog-proof@v1")]
    Header,
    /// No `index` line with a decimal number.
    #[error("the receipt has no line \"index <number>\" where it must be")]
    Index,
    /// The `extra` line is not Base64.
    #[error("the extra data of the receipt is not Base64")]
    Extra,
    /// No empty line before the checkpoint.
    #[error("the receipt has no checkpoint")]
    NoCheckpoint,
    /// Hashes that cannot be read.
    #[error(transparent)]
    Hashes(#[from] HashesError),
    /// The checkpoint is not one of the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not prove.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// Why a list of hashes cannot be read.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum HashesError {
    /// One is not the Base64 of 32 bytes.
    #[error("hash {position} of the proof is not the Base64 of 32 bytes")]
    Hash {
        /// Which one, from 1.
        position: usize,
    },
    /// More than [`tree::MAX_PROOF`].
    #[error("the proof has more than {} hashes", tree::MAX_PROOF)]
    TooMany,
}

/// Hashes as Base64, one string each.
pub fn hashes_to_text(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash.as_bytes())).collect()
}

/// Reads what [`hashes_to_text`] writes.
pub fn hashes_from_text<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Vec<Digest>, HashesError> {
    let mut hashes = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        if index == tree::MAX_PROOF {
            return Err(HashesError::TooMany);
        }
        hashes.push(hash_from_base64(text.as_ref()).ok_or(HashesError::Hash { position: index + 1 })?);
    }
    Ok(hashes)
}

impl Receipt {
    /// Reads a receipt strictly; it proves nothing yet.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > MAX_BYTES {
            return Err(ReceiptError::TooLarge { length: text.len() });
        }
        let rest = text.strip_prefix(HEADER).ok_or(ReceiptError::Header)?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or(ReceiptError::NoCheckpoint)?;
        let mut lines = head.split('\n').peekable();
        let extra = lines
            .next_if(|line| line.starts_with("extra "))
            .and_then(|line| line.strip_prefix("extra "));
        let extra = extra
            .map(|data| STANDARD.decode(data).map_err(|_| ReceiptError::Extra))
            .transpose()?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(number);
        Ok(Self {
            extra,
            index: index.ok_or(ReceiptError::Index)?,
            proof: hashes_from_text(lines)?,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that `entry` is in the tree of the checkpoint at `index`, and that `log` signed that checkpoint, which is
    /// returned.
    pub fn verify(
        &self,
        entry: &[u8],
        log: &VerifierKey,
        check: &dyn SignatureCheck,
    ) -> Result<SignedCheckpoint, ReceiptError> {
        let signed = SignedCheckpoint::verify(&self.checkpoint, log, check)?;
        let head = signed.checkpoint();
        let computed = tree::root_from_inclusion(tree::leaf_hash(entry), self.index, head.size, &self.proof)?;
        if computed == head.root {
            Ok(signed)
        } else {
            Err(ProofError::OtherRoot {
                computed,
                expected: head.root,
            }
            .into())
        }
    }
}

/// The receipt as it is stored and sent.
impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HEADER)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        hashes_to_text(&self.proof)
            .iter()
            .try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

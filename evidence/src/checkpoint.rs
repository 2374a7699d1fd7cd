//! Checkpoints: signed tree heads (C2SP tlog-checkpoint).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::digest::Digest;
use crate::key::{SignatureCheck, Signer};
use crate::note::{Note, NoteError, VerifierKey};
use crate::tree::MAX_SIZE;

/// A tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// Merkle tree hash.
    pub root: Digest,
}

/// A tree head that its log signed; made by signing or by verification only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

/// Why a text is no checkpoint.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// Not three lines: origin, size, root.
    #[error("a checkpoint has three lines (origin, size, root), each with its end")]
    Lines,
    /// The origin line is empty.
    #[error("the checkpoint has no origin")]
    Origin,
    /// Not a decimal number without leading zeroes, or above [`MAX_SIZE`].
    #[error("the size {text:?} of the checkpoint is not a decimal number below 2^63 without leading zeroes")]
    Size {
        /// The beginning of what was found.
        text: String,
    },
    /// Not the Base64 of 32 bytes.
    #[error("the root of the checkpoint is not the Base64 of 32 bytes")]
    Root,
    /// A checkpoint of another log than the key is for.
    #[error("the checkpoint is of the log {found:?}, not of {expected:?}")]
    OtherLog {
        /// Its origin.
        found: String,
        /// Name of the key.
        expected: String,
    },
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Base64 of 32 bytes in its one spelling.
pub(crate) fn hash_from_base64(text: &str) -> Option<Digest> {
    let bytes: [u8; Digest::LEN] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

/// A decimal number in its one spelling, below 2^63.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|number| digits && *number <= MAX_SIZE)
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text of the note. Extension lines are refused: nothing of ours writes them.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: number(size).ok_or_else(|| CheckpointError::Size {
                text: size.chars().take(40).collect(),
            })?,
            root: hash_from_base64(root).ok_or(CheckpointError::Root)?,
        })
    }
}

/// The text of the note.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n{}",
            self.origin,
            self.size,
            STANDARD.encode(self.root.as_bytes())
        )
    }
}

impl SignedCheckpoint {
    /// Signs a tree head with the log's key, whose name is the origin.
    pub fn sign(checkpoint: Checkpoint, signer: &dyn Signer) -> Result<Self, CheckpointError> {
        if checkpoint.size > MAX_SIZE {
            return Err(CheckpointError::Size {
                text: checkpoint.size.to_string(),
            });
        }
        let note = Note::sign(checkpoint.to_string(), &checkpoint.origin, signer)?.to_string();
        Ok(Self { checkpoint, note })
    }

    /// Reads a signed tree head and checks that `log` signed it and that it is of that log.
    pub fn verify(note: &str, log: &VerifierKey, check: &dyn SignatureCheck) -> Result<Self, CheckpointError> {
        let read = Note::from_bytes(note.as_bytes())?;
        read.verify(log, check)?;
        let checkpoint: Checkpoint = read.text.parse()?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::OtherLog {
                found: checkpoint.origin,
                expected: log.name().to_owned(),
            });
        }
        Ok(Self {
            checkpoint,
            note: note.to_owned(),
        })
    }

    /// The tree head.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed note, as it was signed or read.
    pub fn note(&self) -> &str {
        &self.note
    }
}

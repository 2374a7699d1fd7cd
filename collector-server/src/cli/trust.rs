//! `trust`

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use evidence::envelope::Unverified;
use evidence::statement::Predicate;

use crate::data_dir::DataDir;
use crate::opening::trust_file;
use crate::store::{Sqlite, Store as _};

/// Print the two keys that an auditor needs, in the form that `affiant-verify --trust` reads
///
/// Hand them over when the log is opened, by another way than packs: whoever has them cannot be shown another log later.
#[derive(Debug, Args)]
pub(super) struct Trust {}

impl Trust {
    #[expect(clippy::print_stdout, reason = "the command's result")]
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let path = data.path().display();
        if !data.store().exists() {
            bail!("there is no collector in {path}: start `affiant-collector serve` once");
        }
        let entry = Sqlite::open(&data.store())?.entry(0)?.context("the log is empty")?;
        let Predicate::Log(opening) = Unverified::from_bytes(&entry)?.claimed()?.predicate else {
            bail!("entry 0 is not the log's opening; affiant-collector fsck says more");
        };
        print!("{}", trust_file(opening)?);
        Ok(ExitCode::SUCCESS)
    }
}

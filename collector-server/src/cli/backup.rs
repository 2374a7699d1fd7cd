//! `backup`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::data_dir::DataDir;
use crate::store::{Sqlite, Store as _};

/// Copy the data directory, keys included, while the server runs
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// A directory that does not exist yet
    destination: PathBuf,
}

/// What is copied beside the store. The index is not: it is rebuilt.
const FILES: [&str; 4] = ["ca.pem", "keys/ca.key.pem", "keys/log.seed", "keys/statement.seed"];

impl Backup {
    #[expect(clippy::print_stdout, reason = "the command's result")]
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let shown = data.path().display();
        anyhow::ensure!(data.store().exists(), "there is no collector in {shown}");
        anyhow::ensure!(
            !self.destination.exists(),
            "{} exists already",
            self.destination.display()
        );
        let copy = DataDir::new(&self.destination);
        copy.create()?;
        for file in FILES {
            let bytes = data
                .read(file)?
                .with_context(|| format!("{file} is missing in {shown}"))?;
            copy.write(file, &bytes)?;
        }
        let store = Sqlite::open(&data.store())?;
        store.copy_to(&copy.store())?;
        let size = Sqlite::open(&copy.store())?.size()?;
        let to = self.destination.display();
        println!("{to} holds the log up to {size} entries, and the private keys: keep it as safe as the collector");
        Ok(ExitCode::SUCCESS)
    }
}

//! `reindex`

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::question::{count, printing};
use crate::clock::{Clock as _, SystemClock};
use crate::data_dir::DataDir;
use crate::index::Writer;
use crate::store::{Sqlite, Store};

/// Delete the index and make it again out of the log; the server must be stopped
#[derive(Debug, Args)]
pub(super) struct Reindex {}

impl Reindex {
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let Self {} = self;
        let shown = data.path().display();
        anyhow::ensure!(
            data.store().exists(),
            "there is no collector in {shown}: give its directory with --data"
        );
        let _lock = data.lock()?;
        let now = SystemClock.now();
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&data.store())?);
        Writer::remove(&data.index())?;
        let step = Writer::open(&data.index(), store, now)?.catch_up(now)?;
        printing(|out| {
            writeln!(out, "indexed {}", count(step.position, "entry", "entries"))?;
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

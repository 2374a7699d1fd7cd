//! `affiant-agent run`.

use clap::Args;

use super::{Failure, StateDir, print, runtime};
use crate::process;
use crate::service::{Keeper, ServiceError, Worker};
use crate::spool::DEFAULT_LIMIT;
use crate::state::State;

/// The service: collect, sign, deliver, until told to stop.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Collect once, deliver everything that waits, and end; fails unless all of it has receipts.
    #[arg(long)]
    once: bool,
    /// What statements and facts that wait for the collector may take on disk, MiB.
    #[arg(long, value_name = "MIB", env = "AFFIANT_SPOOL_MIB", default_value_t = DEFAULT_LIMIT / MIB)]
    spool: u64,
    #[command(flatten)]
    state: StateDir,
}

const MIB: u64 = 1024 * 1024;

impl Run {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let state = State::open(&self.state.path)?;
        let _lock = state.lock()?;
        let build = process::build().map_err(ServiceError::Executable)?;
        let keeper = Keeper::open(state, build, process::boot_id(), self.spool.saturating_mul(MIB))?;
        let worker = Worker::new(keeper)?;
        let runtime = runtime()?;
        if !self.once {
            return Ok(runtime.block_on(worker.run())?);
        }
        let done = runtime.block_on(worker.once())?;
        print(&format!(
            "Statement {} is entry {} of the log; its receipt was verified in a tree of {} entries.\n",
            done.sequence, done.index, done.size
        ))
    }
}

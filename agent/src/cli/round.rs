//! `affiant-agent round`.

use std::io::stdout;

use clap::Args;

use super::{Failure, chosen};
use crate::collection::{Runner, write};
use crate::machine::Machine;
use crate::process;

/// What `run` starts for each collection: runs probes once and tells what they say in lines for `run` to read.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Round {
    /// Ids of the probes, in their order.
    #[arg(value_name = "PROBE", required = true)]
    probes: Vec<String>,
}

impl Round {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let probes = chosen(&self.probes)?;
        process::be_expendable();
        let mut out = stdout().lock();
        Runner::new(Machine::own(), probes)
            .run(|step| write(&step, &mut out))
            .map_err(Failure::Output)
    }
}

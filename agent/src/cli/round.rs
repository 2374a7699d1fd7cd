//! `affiant-agent round`.

use std::io::{BufWriter, Write as _, stdout};
use std::path::PathBuf;

use clap::Args;
use evidence::Digest;

use super::{Failure, chosen};
use crate::collection::{Runner, Unchanged, write};
use crate::folder::Folder;
use crate::machine::Machine;
use crate::process;

/// Holds what most probes say; a pipe takes as much at once.
const BUFFER: usize = 64 * 1024;

/// What `run` starts for each collection: runs probes once and tells what they say in lines for `run` to read.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Round {
    /// Probe the files below this folder.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Where probes that run on changes leave what they said.
    #[arg(long, value_name = "DIR", requires = "agent")]
    unchanged: Option<PathBuf>,
    /// SHA-256 of this program.
    #[arg(long, value_name = "DIGEST")]
    agent: Option<Digest>,
    /// Ids of the probes, in their order.
    #[arg(value_name = "PROBE", required = true)]
    probes: Vec<String>,
}

impl Round {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let machine = match &self.root {
            Some(root) => Machine::below(root)?,
            None => Machine::own(),
        };
        let mut runner = Runner::new(machine, chosen(&self.probes)?);
        if let Some((folder, agent)) = self.unchanged.as_deref().zip(self.agent) {
            runner = runner.on_change(Unchanged::new(Folder::open(folder)?, agent));
        }
        process::be_expendable();
        // Whoever reads wakes up once for a probe.
        let mut out = BufWriter::with_capacity(BUFFER, stdout().lock());
        let ran = runner.run(|step| write(&step, &mut out));
        ran.and_then(|()| out.flush()).map_err(Failure::Output)
    }
}

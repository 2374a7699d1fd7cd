//! `host revoke`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use evidence::statement::HostId;

use crate::control::Operator;
use crate::data_dir::DataDir;

/// Act on one host
#[derive(Debug, Args)]
pub(super) struct Host {
    #[command(subcommand)]
    command: HostCommand,
}

#[derive(Debug, Subcommand)]
enum HostCommand {
    /// Revoke a host's key: it can neither deliver nor renew its certificate any more
    Revoke {
        /// The host's id
        host: HostId,
        /// Why; it becomes part of the log
        #[arg(long)]
        reason: String,
    },
}

impl Host {
    #[expect(clippy::print_stdout, reason = "the command's result")]
    pub(super) fn run(self, data: DataDir) -> Result<ExitCode, anyhow::Error> {
        let HostCommand::Revoke { host, reason } = self.command;
        let index = Operator::open(data)?.revoke(host.clone(), reason)?;
        println!("{host} is revoked by entry {index} of the log");
        Ok(ExitCode::SUCCESS)
    }
}

//! The command line: one file per command, each with its arguments and a `run`.

mod backup;
mod controls;
mod coverage;
mod findings;
mod fsck;
mod host;
mod hosts;
mod instant;
#[cfg(test)]
mod json_output;
mod pack;
mod question;
mod reindex;
mod rules;
mod serve;
mod token;
mod trust;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::data_dir::DataDir;

/// Collects, keeps and judges the signed evidence of hosts.
#[derive(Debug, Parser)]
#[command(
    name = "affiant-collector",
    version,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 done, 1 not done (standard error says why), 64 wrong usage."
)]
pub struct Cli {
    /// The data directory
    #[arg(
        long,
        env = "AFFIANT_DATA_DIR",
        default_value = "/var/lib/affiant-collector",
        global = true,
        value_name = "DIR"
    )]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Token(token::Token),
    Trust(trust::Trust),
    User(user::User),
    Host(host::Host),
    Fsck(fsck::Fsck),
    Backup(backup::Backup),
    Pack(pack::Pack),
    Hosts(hosts::ListHosts),
    Controls(controls::Controls),
    Findings(findings::Findings),
    Coverage(coverage::ShowCoverage),
    Rules(rules::RulesCommand),
    Reindex(reindex::Reindex),
}

impl Cli {
    /// Runs the command. An error is for `main` to print.
    pub fn run(self) -> Result<ExitCode, anyhow::Error> {
        let data = DataDir::new(self.data);
        match self.command {
            Command::Serve(command) => command.run(data),
            Command::Token(command) => command.run(&data),
            Command::Trust(command) => command.run(&data),
            Command::User(command) => command.run(&data),
            Command::Host(command) => command.run(data),
            Command::Fsck(command) => command.run(&data),
            Command::Backup(command) => command.run(&data),
            Command::Pack(command) => command.run(data),
            Command::Hosts(command) => command.run(&data),
            Command::Controls(command) => command.run(&data),
            Command::Findings(command) => command.run(&data),
            Command::Coverage(command) => command.run(&data),
            Command::Rules(command) => command.run(),
            Command::Reindex(command) => command.run(&data),
        }
    }
}

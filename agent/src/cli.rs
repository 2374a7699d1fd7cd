//! The command line.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | not done; standard error says why and what to do |
//! | 64 | the command was not understood (`EX_USAGE` of sysexits.h) |
//!
//! A probe that was denied something is no failure: the outcome is in its document.

mod collect;
mod probes;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use thiserror::Error;

use crate::folder::FolderError;
use crate::machine::RootError;

/// Probes this host, signs what it saw and delivers it to a collector.
#[derive(Debug, Parser)]
#[command(name = "affiant-agent", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Probes(probes::Probes),
    Collect(collect::Collect),
}

/// Why a command was not done.
#[derive(Debug, Error)]
pub enum Failure {
    /// The command asks for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// `--root` cannot be used.
    #[error(transparent)]
    Root(#[from] RootError),
    /// A file could not be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Standard output was closed or is full.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] std::io::Error),
    /// A value that cannot be written as JSON: a fault of the agent.
    #[error("cannot write JSON: {0}")]
    Json(#[source] serde_json::Error),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            _ => 1,
        }
    }
}

/// Reads the arguments and does what they say.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(64)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let done = match arguments.command {
        Command::Probes(command) => command.run(),
        Command::Collect(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // `affiant-agent collect | head` is no failure.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("affiant-agent: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}

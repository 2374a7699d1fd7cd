//! The command line.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | not done; standard error says why and what to do |
//! | 64 | the command was not understood (`EX_USAGE` of sysexits.h) |
//! | 78 | the host is not enrolled (`EX_CONFIG`): starting again does not help |
//!
//! A probe that was denied something is no failure: the outcome is in its document.

mod collect;
mod enrol;
mod journal;
mod probes;
mod round;
mod run;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use ::probes::registry::{self, Registered};
use clap::{Args, Parser, Subcommand};
use evidence::facts::FactsError;
use thiserror::Error;
use tokio::runtime::Runtime;

use crate::enrolment::EnrolmentError;
use crate::folder::FolderError;
use crate::machine::RootError;
use crate::service::ServiceError;
use crate::spool::SpoolError;
use crate::state::StateError;

/// Probes this host, signs what it saw and delivers it to a collector.
#[derive(Debug, Parser)]
#[command(name = "affiant-agent", version, max_term_width = 100, after_help = ENVIRONMENT)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const ENVIRONMENT: &str = "AFFIANT_LOG=error|warn|info|debug|trace says how much is written to standard error.\n\
    HTTPS_PROXY and NO_PROXY are followed, except to this machine itself.";

#[derive(Debug, Subcommand)]
enum Command {
    Probes(probes::Probes),
    Collect(collect::Collect),
    #[command(visible_alias = "enroll")]
    Enrol(enrol::Enrol),
    Run(run::Run),
    Round(round::Round),
    Status(status::Status),
}

/// Where the agent keeps its state.
#[derive(Debug, Args)]
struct StateDir {
    /// Where keys, spool and receipts are kept.
    #[arg(
        long = "state-dir",
        value_name = "DIR",
        env = "AFFIANT_STATE_DIR",
        default_value = "/var/lib/affiant-agent"
    )]
    path: PathBuf,
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
    /// The host did not become a member.
    #[error(transparent)]
    Enrolment(#[from] EnrolmentError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The spool cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The service cannot go on.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No event loop.
    #[error("cannot start the event loop: {0}")]
    Runtime(#[source] std::io::Error),
    /// Standard output was closed or is full.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] std::io::Error),
    /// A document that the agent itself wrote cannot be read: a fault of the agent.
    #[error("own document: {0}")]
    Document(#[from] FactsError),
    /// A value that cannot be written as JSON: a fault of the agent.
    #[error("cannot write JSON: {0}")]
    Json(#[source] serde_json::Error),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Enrolment(EnrolmentError::Address(_) | EnrolmentError::Token(_) | EnrolmentError::Name { .. }) => {
                64
            }
            Self::State(StateError::NotEnrolled { .. })
            | Self::Service(ServiceError::State(StateError::NotEnrolled { .. })) => 78,
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
    journal::start();
    let done = match arguments.command {
        Command::Probes(command) => command.run(),
        Command::Collect(command) => command.run(),
        Command::Enrol(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Round(command) => command.run(),
        Command::Status(command) => command.run(),
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

/// All probes, or those with these ids.
fn chosen(ids: &[String]) -> Result<Vec<Registered>, Failure> {
    let mut all = registry::all();
    if let Some(id) = ids.iter().find(|id| !all.iter().any(|probe| probe.spec.id == **id)) {
        let known: Vec<_> = all.iter().map(|probe| probe.spec.id).collect();
        let known = known.join(", ");
        return Err(Failure::Usage(format!("no probe {id:?}; there are: {known}")));
    }
    if !ids.is_empty() {
        all.retain(|probe| ids.iter().any(|id| id == probe.spec.id));
    }
    Ok(all)
}

/// One thread: the agent waits nearly all the time.
fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)
}

fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}

//! The collector's program.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use affiant_collector::cli::Cli;
use clap::Parser as _;
use rustix::fs::Mode;
use tracing_subscriber::EnvFilter;

/// Exit status for a wrong command line, that of the agent and the verifier too.
const USAGE: u8 = 64;

fn asked_wrongly(error: &clap::Error) -> ExitCode {
    let shown = error.print();
    // Help and version are no errors.
    if !error.use_stderr() && shown.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(USAGE)
    }
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("AFFIANT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Whatever is written is for the owner only.
    rustix::process::umask(Mode::from_bits_truncate(0o077));
    tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return asked_wrongly(&error),
    };
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("affiant-collector: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! The collector's program.

use std::process::ExitCode;

use affiant_collector::cli::Cli;
use clap::Parser as _;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("AFFIANT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("affiant-collector: {error:#}");
            ExitCode::FAILURE
        }
    }
}

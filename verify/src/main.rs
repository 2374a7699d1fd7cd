//! `affiant-verify PACK`: checks a pack offline.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use affiant_verify::archive::Archive;
use affiant_verify::report::{Reason, Report};
use affiant_verify::trust::{self, Trust};
use affiant_verify::{Failure, Options, verify};
use clap::Parser;

/// Checks a pack offline, trusting neither the collector that wrote it nor its makers.
///
/// Exit status: 0 verified, 1 not verified (says what and where), 2 could not tell, 64 wrong usage.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The pack.
    pack: PathBuf,
    /// File with the keys that you trust, two lines: "log <vkey>" and "collector <key>". Without it the keys in the pack are
    /// used, and you are told so.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// An older pack of the same log, which this one must continue.
    #[arg(long, value_name = "PACK")]
    previous: Option<PathBuf>,
    /// Check the signature of every statement. In a pack of more than 100,000 log entries only the newest of each chain is
    /// checked otherwise: it names the others by digest and so vouches for them.
    #[arg(long)]
    every_signature: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let shown = error.print();
            let asked = !error.use_stderr() && shown.is_ok();
            return if asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(USAGE)
            };
        }
    };
    let mut report = Report::default();
    let status = match check(&arguments, &mut report) {
        Ok(()) => {
            "verified".clone_into(&mut report.verdict);
            0
        }
        Err(failure) => {
            let (verdict, what, place) = match &failure {
                Failure::NotVerified { what, place } => ("not_verified", what, Some(place.clone())),
                Failure::CouldNotTell { what } => ("could_not_tell", what, None),
            };
            verdict.clone_into(&mut report.verdict);
            report.reason = Some(Reason {
                what: what.clone(),
                place,
            });
            failure.exit_status()
        }
    };
    if arguments.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => println!("{json}"),
            Err(error) => eprintln!("the report cannot be written as JSON: {error}"),
        }
    } else {
        print!("{report}");
    }
    ExitCode::from(status)
}

fn check(arguments: &Arguments, report: &mut Report) -> Result<(), Failure> {
    let trust = arguments.trust.as_deref().map(read_trust).transpose()?;
    let previous = arguments.previous.as_deref().map(open).transpose()?;
    verify(
        &mut open(&arguments.pack)?,
        Options {
            trust,
            previous,
            every_signature: arguments.every_signature,
        },
        report,
    )
}

fn open(path: &Path) -> Result<Archive, Failure> {
    let unable = |error: std::io::Error| Failure::unable(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(unable)?;
    let metadata = file.metadata().map_err(unable)?;
    if !metadata.is_file() {
        return Err(Failure::unable(format!("{}: not a file", path.display())));
    }
    Archive::open(Box::new(std::io::BufReader::new(file)), metadata.len())
}

fn read_trust(path: &Path) -> Result<Trust, Failure> {
    let unable = |error: &dyn std::fmt::Display| Failure::unable(format!("{}: {error}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| unable(&error))?.len();
    if length > trust::MAX_BYTES as u64 {
        return Err(unable(&format!(
            "{length} bytes; a trust file has at most {}",
            trust::MAX_BYTES
        )));
    }
    std::fs::read_to_string(path)
        .map_err(|error| unable(&error))?
        .parse()
        .map_err(|error| unable(&error))
}

//! `pack create`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use controls::catalogue;
use indicatif::{ProgressBar, ProgressStyle};

use super::instant;
use crate::clock::{Clock as _, SystemClock};
use crate::control::Operator;
use crate::data_dir::DataDir;
use crate::log::Tiles;
use crate::pack::{self, PackError, Request, Written};
use crate::store::{Sqlite, Store};

/// Make evidence packs for auditors
#[derive(Debug, Args)]
pub(super) struct Pack {
    #[command(subcommand)]
    command: PackCommand,
}

#[derive(Debug, Subcommand)]
enum PackCommand {
    /// Write a pack of a period; works beside a running server
    Create(Create),
}

#[derive(Debug, Args)]
struct Create {
    /// Begin of the period, included: 2026-11-24T10:00:00Z, 2026-11-24, now, or -90d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: String,
    /// End of the period, excluded
    #[arg(long, value_name = "TIME", default_value = "now", allow_hyphen_values = true)]
    to: String,
    /// The catalogue whose controls are judged
    #[arg(long, default_value = catalogue::DEFAULT, value_name = "ID")]
    catalogue: String,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Print JSON: what was written
    #[arg(long)]
    json: bool,
}

impl Pack {
    pub(super) fn run(self, data: DataDir) -> Result<ExitCode, anyhow::Error> {
        let PackCommand::Create(create) = self.command;
        create.run(data)
    }
}

impl Create {
    #[expect(clippy::print_stdout, reason = "the command's result")]
    fn run(self, data: DataDir) -> Result<ExitCode, anyhow::Error> {
        let now = SystemClock.now();
        let request = Request {
            from: instant::parse(&self.from, now)?,
            to: instant::parse(&self.to, now)?,
            catalogue: self.catalogue,
        };
        let path = data.store();
        let operator = Operator::open(data)?;
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path)?);
        let bar = bar();
        let written = pack::write(
            store.as_ref(),
            &Tiles::new(Arc::clone(&store)),
            &request,
            &self.output,
            &mut |what, done, of| {
                bar.set_length(of);
                bar.set_position(done);
                bar.set_message(what.to_owned());
            },
            |draft| {
                operator
                    .issue_pack(draft)
                    .map_err(|error| PackError::Issue(error.to_string()))
            },
        );
        bar.finish_and_clear();
        let written = written?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&written)?);
        } else {
            let Written {
                hosts,
                statements,
                facts,
                findings,
                bytes,
                sha256,
            } = written;
            println!(
                "{}\n  {} to {}, {}\n  {hosts} hosts, {statements} statements, {facts} facts documents, {findings} findings\n  {bytes} bytes, SHA-256 {sha256}\n\nCheck it with: affiant-verify {}",
                self.output.display(),
                request.from,
                request.to,
                request.catalogue,
                self.output.display()
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Drawn on standard error, and only if that is a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:20} {bar:40} {percent:>3} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style)
}

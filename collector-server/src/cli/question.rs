//! What the commands that ask the index have in common.

use std::io::{self, Write};
use std::sync::Arc;

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use evidence::Timestamp;
use serde::Serialize;

use super::instant;
use crate::clock::{Clock as _, SystemClock};
use crate::data_dir::{DataDir, DataDirError, Lock};
use crate::index::{Index, Writer};
use crate::query::{AsOf, Query, Span};
use crate::store::{Sqlite, Store};

/// Names shown that more than one host has.
const NAMESAKES: u64 = 10;

/// What time a question is about.
#[derive(Debug, Args)]
pub(super) struct When {
    /// At this instant: 2026-11-24T10:00:00Z, 2026-11-24, now, or -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with_all = ["from", "to"])]
    at: Option<String>,
    /// Over a period: its begin, included
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Over a period: its end, excluded; now without it
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "from")]
    to: Option<String>,
}

impl When {
    pub(super) fn span(&self, now: Timestamp) -> Result<Span, anyhow::Error> {
        Ok(match (&self.at, &self.from) {
            (Some(at), _) if at != "now" => Span::At(instant::parse(at, now)?),
            (_, None) => Span::Now,
            (_, Some(from)) => Span::Over {
                from: instant::parse(from, now)?,
                to: self.to.as_ref().map_or(Ok(now), |to| instant::parse(to, now))?,
            },
        })
    }
}

/// An index to ask, and the lock if no server has it.
pub(super) struct Asked {
    pub(super) query: Query,
    pub(super) now: Timestamp,
    store: Arc<dyn Store>,
    _lock: Option<Lock>,
}

impl Asked {
    /// Beside a running server its index is asked; without one the index is brought up to date first.
    pub(super) fn open(data: &DataDir) -> Result<Self, anyhow::Error> {
        anyhow::ensure!(
            data.store().exists(),
            "there is no collector in {}: give its directory with --data",
            data.path().display()
        );
        let now = SystemClock.now();
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&data.store())?);
        let lock = match data.lock() {
            Ok(lock) => {
                Writer::open(&data.index(), Arc::clone(&store), now)?.catch_up(now)?;
                Some(lock)
            }
            Err(DataDirError::Locked(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let index = Index::new(&data.index(), Arc::clone(&store));
        Ok(Self {
            query: Query::new(index, Arc::new(SystemClock)),
            now,
            store,
            _lock: lock,
        })
    }

    /// What an answer is about, for people.
    pub(super) fn about(&self, as_of: AsOf, out: &mut dyn Write) -> Result<(), anyhow::Error> {
        if as_of.to == as_of.from.plus(1) {
            write!(out, "At {}", as_of.from)?;
        } else {
            write!(out, "From {} to {}", as_of.from, as_of.to)?;
        }
        writeln!(out, ", by {}.", count(as_of.entries, "entry", "entries"))?;
        let behind = self.store.size()?.saturating_sub(as_of.entries);
        if behind > 0 {
            writeln!(
                out,
                "{} of the log wait to be indexed.",
                count(behind, "further entry", "further entries")
            )?;
        }
        Ok(())
    }
}

impl Asked {
    /// Names that more than one host has at present, for people, with what revokes the older ones.
    pub(super) fn namesakes(&self, out: &mut dyn Write) -> Result<(), anyhow::Error> {
        for named in self.query.namesakes(NAMESAKES)? {
            writeln!(
                out,
                "\n{} has {} identities that count, and each is counted as a host:",
                named.name,
                named.hosts.len()
            )?;
            for host in &named.hosts {
                let last = instant_cell(host.last_statement);
                writeln!(
                    out,
                    "  {}  enrolled {}  last statement {last}",
                    host.host, host.enrolled_at
                )?;
            }
            writeln!(
                out,
                "If it is one host that was enrolled again, revoke what it was before:"
            )?;
            for host in named.older() {
                writeln!(
                    out,
                    "  affiant-collector host revoke {} --reason \"enrolled again\"",
                    host.host
                )?;
            }
        }
        Ok(())
    }
}

/// `1 host`, `2 hosts`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A table for people: wide cells are wrapped to the terminal.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.map(str::to_uppercase));
    table
}

/// An instant in a table.
pub(super) fn instant_cell(instant: Option<Timestamp>) -> String {
    instant.map_or_else(|| "never".to_owned(), |instant| instant.to_string())
}

/// Prints `--json`.
pub(super) fn print_json<T: Serialize>(value: &T, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Runs what prints to standard output. A reader that has seen enough (`| head`) is no failure.
pub(super) fn printing(print: impl FnOnce(&mut dyn Write) -> Result<(), anyhow::Error>) -> Result<(), anyhow::Error> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let printed = print(&mut out).and_then(|()| Ok(out.flush()?));
    let Err(error) = printed else { return Ok(()) };
    let enough = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json = cause
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(enough) { Ok(()) } else { Err(error) }
}

//! Messages go to standard error: with the journal's level marks under systemd (sd-daemon(3)), with time and colour on a
//! terminal.

use std::io::{IsTerminal as _, Stderr, Write as _, stderr};
use std::str::FromStr as _;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// `AFFIANT_LOG`: `error`, `warn`, `info` (if not set), `debug`, `trace` or `off`.
pub(super) fn start() {
    let level = std::env::var("AFFIANT_LOG").ok();
    let level = level
        .and_then(|level| LevelFilter::from_str(&level).ok())
        .unwrap_or(LevelFilter::INFO);
    let format = tracing_subscriber::fmt().with_max_level(level).with_target(false);
    // A second subscriber in one process (a test) is no reason to fail.
    let _ = if std::env::var_os("JOURNAL_STREAM").is_some() {
        let format = format.without_time().with_level(false).with_ansi(false);
        tracing::subscriber::set_global_default(format.with_writer(Journal).finish())
    } else {
        let format = format.with_ansi(stderr().is_terminal());
        tracing::subscriber::set_global_default(format.with_writer(stderr).finish())
    };
}

struct Journal;

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Stderr;

    fn make_writer(&'a self) -> Stderr {
        stderr()
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Stderr {
        let mark = match *metadata.level() {
            Level::ERROR => "<3>",
            Level::WARN => "<4>",
            Level::INFO => "<6>",
            _ => "<7>",
        };
        let mut out = stderr();
        let _ = out.write_all(mark.as_bytes());
        out
    }
}

//! How many statements a second the collector takes in, and what one costs it.
//!
//! `cargo bench -p affiant-collector --bench ingest -- [--agents N] [--statements N] [--batch N] [--data DIR]`
//!
//! The server is the real one, in a process of its own (this program once more), with real mutual TLS over loopback and
//! the real store. Agents are tasks with one connection each; statements are signed before the clock starts. The server's
//! CPU time is read from `/proc/PID/stat`.
//!
//! Beside it, in the same run on the same machine, the floor: what a statement must cost at least, which is its TLS
//! records (decrypting the request, encrypting the answer), one signature check, and its share of the group's fsync.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::too_many_lines,
    reason = "a benchmark"
)]

mod floor;
mod load;

use std::path::PathBuf;

struct Options {
    agents: usize,
    statements: usize,
    batch: usize,
    data: Option<PathBuf>,
}

fn options() -> Options {
    let mut options = Options {
        agents: 64,
        statements: 40_000,
        batch: 1,
        data: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).expect("a number");
        match argument.as_str() {
            "--agents" => options.agents = number(),
            "--statements" => options.statements = number(),
            "--batch" => options.batch = number(),
            "--data" => options.data = arguments.next().map(PathBuf::from),
            "--bench" => {}
            other => panic!("{other}?"),
        }
    }
    options
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--serve") {
        return load::serve(std::env::args().nth(2).expect("a directory").into());
    }
    let options = options();
    let folder = tempfile::tempdir().unwrap();
    let data = options.data.clone().unwrap_or_else(|| folder.path().to_owned());
    std::fs::create_dir_all(&data).unwrap();
    println!(
        "{} agents, {} statements, {} to a request, store in {}",
        options.agents,
        options.statements,
        options.batch,
        data.display()
    );
    let measured = load::run(&options, &data);
    let floor = floor::measure(&data, &measured);
    measured.print(&floor);
}

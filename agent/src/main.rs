//! `affiant-agent`: see [`affiant_agent::cli`].

use std::process::ExitCode;

#[cfg(all(no_unwind_tables, panic = "unwind"))]
compile_error!("built without tables for unwinding, and with panics that unwind: see build.rs");

fn main() -> ExitCode {
    affiant_agent::cli::main()
}

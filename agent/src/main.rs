//! `affiant-agent`: see [`affiant_agent::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    affiant_agent::cli::main()
}

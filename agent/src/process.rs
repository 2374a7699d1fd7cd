//! What the agent says about itself: which build it is, and since when the kernel runs.

use std::io;

use evidence::Digest;
use evidence::statement::AgentBuild;

/// The running build. The executable is read through `/proc/self/exe`, so that an upgrade in between does not matter.
pub fn build() -> io::Result<AgentBuild> {
    Ok(AgentBuild {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sha256: Digest::of(&std::fs::read("/proc/self/exe")?),
    })
}

/// The kernel's boot id; empty where there is none.
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

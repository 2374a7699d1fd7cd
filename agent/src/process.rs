//! The agent as a process: which build it is, since when the kernel runs, and how it uses memory.

use std::io::{self, Read as _};

use aws_lc_rs::digest::{Context, SHA256};
use evidence::Digest;
use evidence::statement::AgentBuild;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a process that runs probes may allocate, bytes: many times what a large host needs.
const MEMORY: u64 = 256 * 1024 * 1024;

/// The running build. The executable is read through `/proc/self/exe`, so that an upgrade in between does not matter.
pub fn build() -> io::Result<AgentBuild> {
    let mut executable = std::fs::File::open("/proc/self/exe")?;
    let mut context = Context::new(&SHA256);
    // In pieces: the whole would be the largest thing that the agent ever holds.
    let mut chunk = vec![0; 32 * 1024];
    loop {
        match executable.read(&mut chunk)? {
            0 => break,
            count => context.update(chunk.get(..count).unwrap_or_default()),
        }
    }
    let sha256 = context.finish().as_ref().try_into().map_err(io::Error::other)?;
    Ok(AgentBuild {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sha256: Digest::from_bytes(sha256),
    })
}

/// The kernel's boot id; empty where there is none.
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// For a process that runs probes: rather it than anything else on the host is ended if memory becomes short, and it gets
/// no more than [`MEMORY`] in the first place. What the system does not allow is left as it is.
pub fn be_expendable() {
    // proc_pid_oom_score_adj(5); raising it needs no privilege.
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", "1000") {
        tracing::debug!(%error, "memory: as expendable as the service");
    }
    let now = getrlimit(Resource::Data);
    let lower = |now: Option<u64>| Some(now.map_or(MEMORY, |now| now.min(MEMORY)));
    let limit = Rlimit {
        current: lower(now.current),
        maximum: lower(now.maximum),
    };
    if let Err(error) = setrlimit(Resource::Data, limit) {
        tracing::debug!(%error, "memory: as much as the service may have");
    }
}

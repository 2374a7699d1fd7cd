//! Runs probes in a process of their own: `affiant-agent round`.
//!
//! The memory that a collection takes goes back to the system when that process ends, and what ends it (a fault of a probe,
//! the kernel for want of memory) is stated as the outcome of the probe that ran then; the others go on in another process.

mod lines;
mod session;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use evidence::Digest;
use probes::registry::Registered;

use super::{Collection, Document, Ran, owed};
use crate::folder::Folder;
pub use lines::write;
use session::Session;

/// Starts processes that run probes.
#[derive(Debug)]
pub struct Prober {
    program: PathBuf,
    arguments: Vec<OsString>,
    left: Mutex<Vec<Left>>,
}

/// A process that was killed and does not end: a probe hangs in a system call.
#[derive(Debug)]
struct Left {
    child: Child,
    probes: Vec<&'static str>,
}

impl Prober {
    /// `program` is an `affiant-agent`.
    pub const fn new(program: PathBuf) -> Self {
        Self {
            program,
            arguments: Vec::new(),
            left: Mutex::new(Vec::new()),
        }
    }

    /// The running program itself, also after an upgrade has put another one in its place.
    pub fn own() -> Self {
        Self::new(PathBuf::from("/proc/self/exe"))
    }

    /// The files below `root` are probed, not this machine.
    #[must_use]
    pub fn below(mut self, root: &Path) -> Self {
        self.arguments.extend(["--root".into(), root.into()]);
        self
    }

    /// Probes that run on changes leave what they said in `folder`; `agent` is the digest of the program.
    #[must_use]
    pub fn on_change(mut self, folder: &Folder, agent: Digest) -> Self {
        let folder = folder.path().into();
        let agent = agent.to_string().into();
        self.arguments
            .extend(["--unchanged".into(), folder, "--agent".into(), agent]);
        self
    }

    /// Runs probes one after the other and tells `heed` what came of each. One that hangs from an earlier time is not
    /// started again before that has ended: so they do not pile up.
    pub fn run(&self, probes: &[Registered], mut heed: impl FnMut(Ran)) {
        let mut rest = VecDeque::new();
        let stuck = self.stuck();
        for probe in probes {
            if stuck.contains(&probe.spec.id) {
                heed(ran(*probe, owed::unfinished(*probe)));
            } else {
                rest.push_back(*probe);
            }
        }
        while !rest.is_empty() {
            let before = rest.len();
            let trouble = match Session::start(&self.program, &self.arguments, &rest) {
                Ok(mut session) => {
                    session.follow(&mut rest, &mut heed);
                    self.leave(session);
                    "the process that should run the probe ended before it began".to_owned()
                }
                Err(error) => format!("no process for the probe: {error}"),
            };
            // Another one would fare no better.
            if rest.len() == before {
                tracing::error!("no probe was run: {trouble}");
                rest.drain(..)
                    .for_each(|probe| heed(ran(probe, owed::failed(probe, &trouble))));
            }
        }
    }

    fn leave(&self, session: Session) {
        if let Some(left) = session.end() {
            self.left.lock().unwrap_or_else(PoisonError::into_inner).push(left);
        }
    }

    /// Runs them all.
    pub fn collect(&self, probes: &[Registered]) -> Collection {
        let mut collection = Collection::default();
        self.run(probes, |ran| collection.extend(ran.documents));
        collection
    }

    /// Probes of which an earlier run has not come back yet.
    fn stuck(&self) -> Vec<&'static str> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain_mut(|left| !matches!(left.child.try_wait(), Ok(Some(_))));
        left.iter().flat_map(|left| left.probes.iter().copied()).collect()
    }
}

const fn ran(probe: Registered, documents: Vec<Document>) -> Ran {
    Ran {
        id: probe.spec.id,
        documents,
        hangs: false,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use evidence::facts::Outcome;
    use probes::registry;

    use super::*;

    #[test]
    fn a_probe_that_hangs_is_not_started_again_before_its_process_ended() {
        let probe = registry::all()[0];
        let prober = Prober::new(PathBuf::from("/nonexistent"));
        let child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        prober.left.lock().unwrap().push(Left {
            child,
            probes: vec![probe.spec.id],
        });
        let outcomes = || {
            let mut outcomes = vec![];
            prober.run(&[probe], |ran| {
                outcomes.extend(ran.documents.iter().map(Document::outcome));
            });
            outcomes
        };
        assert!(outcomes().iter().all(|outcome| *outcome == Outcome::Timeout));

        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        while !prober.stuck().is_empty() {}
        assert!(
            outcomes().iter().all(|outcome| *outcome == Outcome::Failed),
            "it was tried"
        );
    }
}

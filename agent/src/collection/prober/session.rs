//! One process that runs probes, and what it says.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use evidence::facts;
use probes::registry::Registered;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::lines::Line;
use super::{Left, ran};
use crate::collection::runner::patience_with;
use crate::collection::{Document, Ran, owed};

/// How long a process may take to begin with its next probe.
const BEGIN: Duration = Duration::from_secs(10);
/// How much longer than the process itself its starter waits for a probe.
const GRACE: Duration = Duration::from_secs(2);
/// How long a process may take to end.
const END: Duration = Duration::from_millis(500);
/// A line holds one document at most.
const MAX_LINE: usize = facts::MAX_BYTES + 16;

/// mallopt(3), for a process of many threads that lives for a moment and takes tens of megabytes: memory in one place, from
/// the kernel in large pieces, and none of it given back and asked for again, which is half of all page faults otherwise.
/// Other C libraries do not read it.
const MALLOC: [(&str, &str); 4] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_TOP_PAD_", "1048576"),
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
    ("MALLOC_TRIM_THRESHOLD_", "268435456"),
];

/// A process while it runs probes.
pub(super) struct Session {
    child: Child,
    said: Said,
    hanging: Vec<&'static str>,
}

/// What came of waiting for a probe.
enum Next {
    /// It is done with.
    Ran(Ran),
    /// It is done with, and so is the process.
    Last(Ran),
    /// The process is done with before the probe began.
    Over,
}

impl Session {
    pub(super) fn start(program: &Path, arguments: &[OsString], probes: &VecDeque<Registered>) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg0("affiant-agent")
            .arg("round")
            .args(arguments)
            .args(probes.iter().map(|probe| probe.spec.id))
            // The service's own: only it may speak to systemd.
            .env_remove("NOTIFY_SOCKET")
            .envs(MALLOC)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipe = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            said: Said {
                pipe,
                held: Vec::new(),
                chunk: vec![0; 64 * 1024],
            },
            hanging: Vec::new(),
        })
    }

    /// Takes from `rest` what is done with, until all is or the process ended.
    pub(super) fn follow(&mut self, rest: &mut VecDeque<Registered>, heed: &mut impl FnMut(Ran)) {
        while let Some(probe) = rest.front().copied() {
            let (ran, over) = match self.next(probe) {
                Next::Ran(ran) => (ran, false),
                Next::Last(ran) => (ran, true),
                Next::Over => return,
            };
            rest.pop_front();
            if ran.hangs {
                self.hanging.push(ran.id);
            }
            heed(ran);
            if over {
                return;
            }
        }
    }

    fn next(&mut self, probe: Registered) -> Next {
        let id = probe.spec.id;
        match self.said.line(Instant::now() + BEGIN) {
            Heard::Line(Line::Begins(begun)) if begun == id => {}
            _ => return Next::Over,
        }
        let until = Instant::now() + patience_with(probe) + GRACE;
        let mut documents = Vec::new();
        let ended = |documents, hangs| Next::Ran(Ran { id, documents, hangs });
        loop {
            match self.said.line(until) {
                Heard::Line(Line::Document(document)) => documents.push(document),
                Heard::Line(Line::Ends(ended_id)) if ended_id == id => return ended(owing(probe, &documents), false),
                Heard::Line(Line::Hangs(hung_id)) if hung_id == id => return ended(owing(probe, &documents), true),
                Heard::Late => {
                    tracing::error!(
                        probe = id,
                        "a probe hangs together with its process; both were given up"
                    );
                    let documents = owed::unfinished(probe);
                    return Next::Last(Ran {
                        id,
                        documents,
                        hangs: true,
                    });
                }
                Heard::Line(_) | Heard::End => {
                    let how = self.how_it_ended();
                    tracing::error!(probe = id, "{how}");
                    return Next::Last(ran(probe, owed::failed(probe, &how)));
                }
            }
        }
    }

    fn how_it_ended(&mut self) -> String {
        let status = ended_within(&mut self.child, END);
        let how = match status.map(|status| (status.signal(), status.code())) {
            Some((Some(signal), _)) => format!("was ended by signal {signal}"),
            Some((None, Some(code))) => format!("exited with status {code}"),
            _ => "said what it should not".to_owned(),
        };
        format!("the process that ran the probe {how} before the probe ended")
    }

    /// Sees to it that the process ends. It is left if it does not.
    pub(super) fn end(mut self) -> Option<Left> {
        drop(self.said);
        if ended_within(&mut self.child, END).is_some() {
            return None;
        }
        // An error means that it has ended.
        let _ = self.child.kill();
        match ended_within(&mut self.child, END) {
            Some(_) => None,
            None => Some(Left {
                child: self.child,
                probes: self.hanging,
            }),
        }
    }
}

/// Adds what is missing of the documents that a probe owes, and drops what it does not.
fn owing(probe: Registered, brought: &[Document]) -> Vec<Document> {
    let missing = owed::failed(probe, "the probe brought no document");
    let choose = |missing: Document| {
        let found = brought.iter().find(|document| document.id() == missing.id());
        found.cloned().unwrap_or(missing)
    };
    missing.into_iter().map(choose).collect()
}

fn ended_within(child: &mut Child, time: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + time;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

struct Said {
    pipe: ChildStdout,
    held: Vec<u8>,
    chunk: Vec<u8>,
}

enum Heard {
    Line(Line),
    /// Nothing more, or nothing that makes sense.
    End,
    Late,
}

impl Said {
    /// The next line, if it is there by `until`.
    fn line(&mut self, until: Instant) -> Heard {
        let mut looked = 0;
        loop {
            let found = memchr::memchr(b'\n', self.held.get(looked..).unwrap_or_default());
            if let Some(length) = found.map(|found| looked + found) {
                let line: Vec<u8> = self.held.drain(..=length).collect();
                return line.get(..length).and_then(Line::parse).map_or(Heard::End, Heard::Line);
            }
            looked = self.held.len();
            if looked > MAX_LINE {
                return Heard::End;
            }
            let left = until.saturating_duration_since(Instant::now());
            let Ok(left) = Timespec::try_from(left) else {
                return Heard::End;
            };
            match poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&left)) {
                Ok(0) => return Heard::Late,
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return Heard::End,
            }
            match self.pipe.read(&mut self.chunk) {
                Ok(0) | Err(_) => return Heard::End,
                Ok(count) => self.held.extend_from_slice(self.chunk.get(..count).unwrap_or_default()),
            }
        }
    }
}

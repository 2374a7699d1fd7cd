//! Running a program: no shell, no environment, no input, a deadline, and an end for all that it started.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use probes::reading::{Command, Output, Stat, Unread};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

use super::deadline::Deadline;
use super::{failed, refused};

/// Where programs that a program itself starts are looked for.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// Standard error beyond this is read and thrown away.
const MAX_STDERR: u64 = 64 * 1024;
/// How long to sleep at most when the pipes are closed and the program still runs.
const PAUSE: Duration = Duration::from_millis(5);

/// Whether only root, or the agent's own user, could have put this program there. The agent's capabilities pass on to
/// what it runs.
pub(super) fn is_trustworthy(stat: &Stat) -> bool {
    let owner = stat.uid == 0 || stat.uid == rustix::process::geteuid().as_raw();
    owner && stat.mode & 0o022 == 0
}

/// Runs `command` until `deadline`; more than `limit` bytes of standard output are [`Unread::TooLarge`].
pub(super) fn run(command: &Command<'_>, deadline: &Deadline, limit: u64) -> Result<Option<Output>, Unread> {
    let place = command.to_string();
    let spawned = std::process::Command::new(command.program)
        .args(command.args)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that its end is also the end of what it started.
        .process_group(0)
        .spawn();
    let mut running = match spawned {
        Ok(child) => Running {
            child,
            waited_for: false,
        },
        Err(error) => {
            return match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(errno) => refused(&place, errno),
                None => Err(failed(&place, error.to_string())),
            };
        }
    };
    let io = |error: std::io::Error| failed(&place, error.to_string());
    let mut stdout = Pipe::new(running.child.stdout.take().map(OwnedFd::from)).map_err(io)?;
    let mut stderr = Pipe::new(running.child.stderr.take().map(OwnedFd::from)).map_err(io)?;
    while stdout.is_open() || stderr.is_open() {
        deadline.check(&place)?;
        wait_for(&stdout, &stderr, deadline.left()).map_err(|errno| io(errno.into()))?;
        stdout.drain(limit.saturating_add(1)).map_err(io)?;
        stderr.drain(MAX_STDERR).map_err(io)?;
        if stdout.bytes.len() as u64 > limit {
            return Err(Unread::TooLarge { place, limit });
        }
    }
    let status = loop {
        if let Some(status) = running.child.try_wait().map_err(io)? {
            running.waited_for = true;
            break status;
        }
        deadline.check(&place)?;
        std::thread::sleep(PAUSE.min(deadline.left()));
    };
    Ok(Some(Output {
        status: shell_status(status),
        stdout: stdout.bytes,
        stderr: stderr.bytes,
    }))
}

/// A program that is ended, with its whole group, when nobody waits for it any more.
struct Running {
    child: Child,
    waited_for: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Once it has been waited for, its number may belong to somebody else.
        if self.waited_for {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// One of the program's outputs.
struct Pipe {
    file: Option<File>,
    bytes: Vec<u8>,
}

impl Pipe {
    fn new(descriptor: Option<OwnedFd>) -> std::io::Result<Self> {
        if let Some(descriptor) = &descriptor {
            rustix::fs::fcntl_setfl(descriptor, OFlags::NONBLOCK)?;
        }
        Ok(Self {
            file: descriptor.map(File::from),
            bytes: Vec::new(),
        })
    }

    const fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Reads what is there; keeps no more than `limit` bytes.
    fn drain(&mut self, limit: u64) -> std::io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        while let Some(file) = &mut self.file {
            match file.read(&mut chunk) {
                Ok(0) => self.file = None,
                Ok(count) => {
                    let room = usize::try_from(limit)
                        .unwrap_or(usize::MAX)
                        .saturating_sub(self.bytes.len());
                    self.bytes
                        .extend_from_slice(chunk.get(..count.min(room)).unwrap_or_default());
                    if room == 0 {
                        // Back to the caller, who looks at the limit and at the clock.
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn wait_for(stdout: &Pipe, stderr: &Pipe, left: Duration) -> Result<(), Errno> {
    let files = [&stdout.file, &stderr.file];
    let mut polled: Vec<_> = files
        .into_iter()
        .flatten()
        .map(|file| PollFd::new(file, PollFlags::IN))
        .collect();
    let timeout = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    };
    match poll(&mut polled, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn shell_status(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

//! The machine that the agent runs on, or a folder that holds another one's files, as a [`probes::Host`].
//!
//! What is opened is first looked at without opening it (`O_PATH`), since opening alone has effects on devices
//! (watchdogs, tapes) and blocks on a FIFO. Only then is it opened for reading, through its own descriptor, so that
//! nobody can put something else in its place in between.
//!
//! Every question has a deadline: [`Deadline`]. A system call that hangs (a dead network filesystem) is not interrupted;
//! [`crate::collection`] gives up on the thread that is stuck in it.

mod deadline;
mod dial;
mod extended;
mod handshake;
mod host;
mod inventory;
mod listeners;
mod listing;
mod name;
mod noted;
mod old_tls;
mod root;
mod run;
mod sock_diag;
#[cfg(test)]
mod tests;
mod walk;
#[cfg(test)]
mod walk_tests;

pub use deadline::Deadline;
pub use host::MachineHost;
pub use noted::{Answered, Noted};
pub use root::{Machine, RootError};

use probes::reading::Unread;
use rustix::io::Errno;

/// What an error of the system means to a probe: not there, denied, or failed.
fn refused<T>(place: &str, errno: Errno) -> Result<Option<T>, Unread> {
    match errno {
        Errno::NOENT | Errno::NOTDIR => Ok(None),
        Errno::ACCESS | Errno::PERM => Err(Unread::Denied {
            place: place.to_owned(),
        }),
        other => Err(failed(place, reason(other))),
    }
}

fn failed(place: &str, reason: impl Into<String>) -> Unread {
    Unread::Failed {
        place: place.to_owned(),
        reason: reason.into(),
    }
}

/// The system's own sentence, without the number that Rust adds.
fn reason(errno: Errno) -> String {
    let text = std::io::Error::from(errno).to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

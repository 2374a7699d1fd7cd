//! One process at a time.

use std::fs::File;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::StateError;
use crate::folder::Folder;

/// The right to change the state. Ends with the value, or with the process, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the descriptor is the lock")] File);

impl Lock {
    pub(super) fn take(folder: &Folder) -> Result<Self, StateError> {
        let file = folder.open_file("lock", OFlags::RDWR | OFlags::CREATE)?;
        let file = file.ok_or_else(|| folder.error("open", "lock", std::io::ErrorKind::NotFound.into()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(Errno::WOULDBLOCK) => Err(StateError::Busy {
                path: folder.path().to_owned(),
            }),
            Err(errno) => Err(folder.error("lock", "lock", errno.into()).into()),
        }
    }
}

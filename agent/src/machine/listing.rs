//! The entries of a folder.

use probes::reading::{Entry, Unread};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;

use super::deadline::Deadline;
use super::host::kind_of;
use super::{failed, name, refused};

/// A folder with more entries is not listed: an attacker could make one to exhaust the agent's memory.
const MAX_ENTRIES: usize = 1_000_000;
/// Entries between two looks at the clock.
const STRIDE: usize = 1024;

/// The entries of an open folder, sorted by name.
pub(super) fn entries(folder: OwnedFd, path: &str, deadline: &Deadline) -> Result<Option<Vec<Entry>>, Unread> {
    let mut entries = Vec::new();
    let mut dir = match Dir::new(folder) {
        Ok(dir) => dir,
        Err(errno) => return refused(path, errno),
    };
    while let Some(entry) = dir.read() {
        let entry = match entry {
            Ok(entry) => entry,
            // procfs: the process whose folder this is ended.
            Err(Errno::SRCH) => return Ok(None),
            Err(errno) => return refused(path, errno),
        };
        let bytes = entry.file_name().to_bytes();
        if bytes == b"." || bytes == b".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => match dir
                .fd()
                .and_then(|folder| rustix::fs::statat(folder, bytes, AtFlags::SYMLINK_NOFOLLOW))
            {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => continue,
                Err(errno) => return refused(path, errno),
            },
            known => known,
        };
        entries.push(Entry {
            name: name::to_text(bytes),
            kind: kind_of(kind),
        });
        if entries.len() > MAX_ENTRIES {
            return Err(failed(path, format!("more than {MAX_ENTRIES} entries")));
        }
        if entries.len().is_multiple_of(STRIDE) {
            deadline.check(path)?;
        }
    }
    entries.sort_unstable();
    Ok(Some(entries))
}

//! Statements whose numbers are used up and that will never arrive.

use std::os::unix::fs::FileExt as _;

use evidence::statement::Lost;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::record::Head;
use crate::folder::{Durability, Folder, FolderError};

const NAME: &str = "lost";
/// The file always has this length and is overwritten in place: that works on a full disk too.
const LENGTH: usize = 128;

/// Why statements were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// The spool's limit was reached, or the disk was full.
    SpoolFull,
    /// The disk did not take them for another reason.
    SpoolUnwritable,
    /// Records could not be read any more, or facts that they name.
    SpoolDamaged,
    /// They were made while the host's clock was ahead, which has been set right since: the collector would not take them
    /// before that time has come.
    ClockAhead,
}

impl LossReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SpoolFull => "spool_full",
            Self::SpoolUnwritable => "spool_unwritable",
            Self::SpoolDamaged => "spool_damaged",
            Self::ClockAhead => "clock_ahead",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    to: u64,
    reason: LossReason,
}

/// The run of lost statements directly behind the newest one, if any. It begins with the number after that one.
#[derive(Debug)]
pub(super) struct Loss(Option<Run>);

impl Loss {
    pub(super) fn open(folder: &Folder) -> Result<Self, FolderError> {
        let Some(bytes) = folder.read(NAME, LENGTH as u64)? else {
            // Made while there is space, so that it can be overwritten when there is none.
            folder.write(NAME, &[b' '; LENGTH], Durability::Synced)?;
            return Ok(Self(None));
        };
        let text = bytes.trim_ascii_end();
        let run = (!text.is_empty()).then(|| serde_json::from_slice(text)).transpose();
        if let Err(error) = &run {
            tracing::warn!(%error, "the count of lost statements is damaged");
        }
        Ok(Self(run.ok().flatten()))
    }

    /// All numbers up to `to` are lost too. What was lost before keeps its reason.
    pub(super) fn extend(&mut self, folder: &Folder, to: u64, reason: LossReason) -> Result<(), FolderError> {
        let run = match self.0 {
            Some(run) => Run {
                to: run.to.max(to),
                reason: run.reason,
            },
            None => Run { to, reason },
        };
        // Remembered even if it cannot be written: it is forgotten only if the agent ends before there is space.
        self.0 = Some(run);
        self.write(folder)
    }

    /// The run, as the statement behind it declares it.
    pub(super) fn declaration(&self, head: Option<&Head>) -> Option<Lost> {
        let run = self.0?;
        let from = head.map_or(0, |head| head.sequence + 1);
        (run.to >= from).then(|| Lost {
            from,
            to: run.to,
            reason: run.reason.as_str().to_owned(),
        })
    }

    /// A statement behind the run is on the disk: it has declared it.
    pub(super) fn forget_declared(&mut self, folder: &Folder, head: Option<&Head>) -> Result<(), FolderError> {
        if self.0.is_some() && self.declaration(head).is_none() {
            self.0 = None;
            return self.write(folder);
        }
        Ok(())
    }

    fn write(&self, folder: &Folder) -> Result<(), FolderError> {
        let wrong = |error| folder.error("write", NAME, error);
        let mut bytes = match self.0 {
            Some(run) => serde_json::to_vec(&run).map_err(|error| wrong(error.into()))?,
            None => Vec::new(),
        };
        bytes.resize(LENGTH, b' ');
        let Some(file) = folder.open_file(NAME, OFlags::RDWR)? else {
            return folder.write(NAME, &bytes, Durability::Synced);
        };
        file.write_all_at(&bytes, 0)
            .and_then(|()| file.sync_data())
            .map_err(wrong)
    }
}

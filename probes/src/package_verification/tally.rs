//! Comparing files with what was recorded of them, and counting how it ended.

use evidence::facts::Outcome;

use super::checksum::Checksum;
use super::facts::{Compared, Difference, Everything, NotCompared};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// More differences are counted and not listed.
const MAX_LISTED: usize = 1_000;

/// A file as its package brought it.
pub(super) struct Recorded {
    /// Where it lies.
    pub(super) path: String,
    pub(super) checksum: Checksum,
    pub(super) package: String,
}

/// How a file compares.
enum Found {
    Same,
    Changed,
    Missing,
    /// It is there; its checksum is of a kind that is not computed here.
    OtherChecksum,
}

/// What was compared so far.
pub(super) struct Tally {
    pub(super) compared: Compared,
    left: u64,
    shown: &'static str,
}

impl Tally {
    /// For programs: at most 160 MB of them; the base system of Debian 12 has 60 MB in the folders looked at.
    pub(super) fn of_programs() -> Self {
        Self::new(160 * 1024 * 1024, "programs of packages")
    }

    /// For configuration files, of which there are few bytes.
    pub(super) fn of_configuration() -> Self {
        Self::new(32 * 1024 * 1024, "configuration files of packages")
    }

    fn new(left: u64, shown: &'static str) -> Self {
        Self {
            compared: Compared::default(),
            left,
            shown,
        }
    }

    /// Compares a file. Of one that `may_be_missing` it is nothing to tell if it is.
    pub(super) fn compare(&mut self, reading: &Reading<'_>, file: Recorded, may_be_missing: bool) {
        let same = self.same(reading, &file.path, &file.checksum);
        let difference = || Difference {
            path: file.path.clone(),
            package: file.package.clone(),
        };
        let compared = &mut self.compared;
        let outcome = match same {
            Ok(Found::Same) => {
                compared.files += 1;
                return;
            }
            Ok(Found::Changed) => {
                compared.files += 1;
                compared.changed_count += 1;
                compared.changed.push(difference());
                return;
            }
            Ok(Found::Missing) if may_be_missing => return,
            Ok(Found::Missing) => {
                compared.missing_count += 1;
                compared.missing.push(difference());
                return;
            }
            Ok(Found::OtherChecksum) => Outcome::Unsupported,
            Err(why) => why.outcome(),
        };
        compared.not_compared_count += 1;
        compared.not_compared.push(NotCompared {
            path: file.path,
            outcome: outcome.as_str().to_owned(),
        });
    }

    fn same(&mut self, reading: &Reading<'_>, path: &str, checksum: &Checksum) -> Result<Found, Unread> {
        let Some(stat) = reading.stat(path)? else {
            return Ok(Found::Missing);
        };
        if stat.kind != Kind::File {
            return Ok(Found::Changed);
        }
        let Some(left) = self.left.checked_sub(stat.size) else {
            return Err(Unread::Skipped {
                place: path.to_owned(),
                reason: "enough was compared".to_owned(),
            });
        };
        self.left = left;
        // One source for all: there are thousands.
        let Some(bytes) = reading.private(path, self.shown)? else {
            return Ok(Found::Missing);
        };
        Ok(match checksum.is_of(&bytes) {
            Some(true) => Found::Same,
            Some(false) => Found::Changed,
            None => Found::OtherChecksum,
        })
    }

    /// How it ended.
    pub(super) fn ended(mut self) -> Compared {
        let compared = &mut self.compared;
        compared.changed.order();
        compared.changed.truncate(MAX_LISTED);
        compared.missing.order();
        compared.missing.truncate(MAX_LISTED);
        compared.not_compared.order();
        compared.not_compared.truncate(MAX_LISTED);
        compared.without_checksums.order();
        compared.everything = if compared.not_compared_count > 0 {
            Known::not(
                Outcome::Failed,
                format!("{} files could not be compared", compared.not_compared_count),
            )
        } else {
            Known::Observed(Everything {})
        };
        self.compared
    }
}

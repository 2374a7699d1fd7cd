//! What the agent remembers between two starts.
//!
//! ```text
//! STATE/                 0700, everything in it 0600
//!   lock                 held by `run` and `enrol`
//!   proof/               pairs of checkpoints that contradict each other; outlives a new enrolment
//!   former-<time>/       what a renewed enrolment replaced
//!   member/
//!     identity.json      who this host is, and which log it trusts
//!     statement.seed     Base64 of the seed of its Ed25519 key
//!     client.pem         TLS key and certificate: one file, since they change together
//!     ca.pem             the collector's CA
//!     enrolment.json     the enrolment entry of the log
//!     enrolment.receipt  the proof that it is there
//!     checkpoint         the newest checkpoint that was verified, as a signed note
//!     pace.json          how often to do what, as the collector last said
//!     alarm.json         a proof of a dishonest log that is still to be stated
//!     report.json        what `status` shows about the running service
//!     daily/             what probes that run once a day said last
//!     spool/             see [`crate::spool`]
//! ```
//!
//! Every file is replaced as a whole. A membership is made as `member.new` and takes its place in one step
//! (`RENAME_EXCHANGE`), so that a host has one identity or another and never half of each.

mod identity;
mod lock;
mod member;

use std::path::{Path, PathBuf};

use evidence::Timestamp;
use rustix::fs::RenameFlags;
use rustix::io::Errno;
use thiserror::Error;

pub use identity::Identity;
pub use lock::Lock;
pub use member::{Draft, Member, StoredAlarm};

use crate::folder::{Folder, FolderError};

const MEMBER: &str = "member";
const UNFINISHED: &str = "member.new";

/// The state directory.
#[derive(Debug)]
pub struct State {
    folder: Folder,
}

/// Why the state cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// There is no membership.
    #[error(
        "this host is not enrolled: {path} has no membership. Make a token on the collector (affiant-collector token \
         create), then run: affiant-agent enrol --collector URL --token TOKEN"
    )]
    NotEnrolled {
        /// The state directory.
        path: PathBuf,
    },
    /// There is one already.
    #[error(
        "this host is enrolled already, as {host} with {collector}. To give it a new identity and a new key: enrol \
         --again"
    )]
    Enrolled {
        /// Its id.
        host: String,
        /// With whom.
        collector: String,
    },
    /// Another process works with this state.
    #[error("another affiant-agent uses {path}: stop the service first (systemctl stop affiant-agent)")]
    Busy {
        /// The state directory.
        path: PathBuf,
    },
    /// A file that is not what was written.
    #[error("{path} is damaged: {reason}. Restore it from a backup, or enrol again: affiant-agent enrol --again …")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system refused.
    #[error("{0}{hint}", hint = hint(.0))]
    Folder(#[from] FolderError),
}

fn hint(error: &FolderError) -> &'static str {
    if error.is_denied() {
        ". Run it as root or as the service's user, or name another folder with --state-dir"
    } else if error.is_full() {
        ". Free some space there"
    } else {
        ""
    }
}

impl State {
    /// Opens the state directory, making it if need be.
    pub fn create(path: &Path) -> Result<Self, StateError> {
        let folder = Folder::create(path)?;
        Ok(Self { folder })
    }

    /// Opens the state directory; without one this host is not enrolled.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        match Folder::open(path) {
            Ok(folder) => Ok(Self { folder }),
            Err(error) if error.error.kind() == std::io::ErrorKind::NotFound => {
                Err(StateError::NotEnrolled { path: path.to_owned() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps every other `run` and `enrol` out while the lock lives.
    pub fn lock(&self) -> Result<Lock, StateError> {
        Lock::take(&self.folder)
    }

    /// Whether a service is running on this state.
    pub fn is_locked(&self) -> bool {
        matches!(self.lock(), Err(StateError::Busy { .. }))
    }

    /// The membership.
    pub fn member(&self) -> Result<Member, StateError> {
        let missing = || StateError::NotEnrolled {
            path: self.folder.path().to_owned(),
        };
        match Folder::open(&self.folder.path().join(MEMBER)) {
            Ok(folder) => Member::open(folder)?.ok_or_else(missing),
            Err(error) if error.error.kind() == std::io::ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(error.into()),
        }
    }

    /// Where proofs against a log are kept.
    pub fn proofs(&self) -> Result<Folder, StateError> {
        Ok(self.folder.sub("proof")?)
    }

    /// Makes `draft` the membership. What was there is kept beside it under a name with the time `now`.
    pub fn install(&self, draft: &Draft<'_>, now: Timestamp) -> Result<(), StateError> {
        let unfinished = self.folder.path().join(UNFINISHED);
        if let Err(error) = std::fs::remove_dir_all(&unfinished)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(self.folder.error("remove", UNFINISHED, error).into());
        }
        let folder = self.folder.sub(UNFINISHED)?;
        draft.write(&folder)?;
        self.hand_over(&folder)?;
        let rename = |from: &str, to: &str, flags| {
            rustix::fs::renameat_with(self.folder.descriptor(), from, self.folder.descriptor(), to, flags)
        };
        match rename(UNFINISHED, MEMBER, RenameFlags::EXCHANGE) {
            Ok(()) => {
                let former = format!("former-{}", now.unix());
                rename(UNFINISHED, &former, RenameFlags::NOREPLACE)
                    .map_err(|errno| self.folder.error("rename", UNFINISHED, errno.into()))?;
            }
            Err(Errno::NOENT) => rename(UNFINISHED, MEMBER, RenameFlags::NOREPLACE)
                .map_err(|errno| self.folder.error("rename", UNFINISHED, errno.into()))?,
            Err(errno) => return Err(self.folder.error("rename", UNFINISHED, errno.into()).into()),
        }
        self.folder.sync()?;
        Ok(())
    }

    /// Who enrols is often root, and who runs the service is not: what was written belongs to the owner of the folder.
    fn hand_over(&self, folder: &Folder) -> Result<(), StateError> {
        let owner = |folder: &Folder| {
            rustix::fs::fstat(folder.descriptor())
                .map(|stat| (stat.st_uid, stat.st_gid))
                .map_err(|errno| folder.error("look at", "", errno.into()))
        };
        let (uid, gid) = owner(&self.folder)?;
        if owner(folder)? == (uid, gid) {
            return Ok(());
        }
        let give = |name: &str| {
            std::os::unix::fs::lchown(folder.path().join(name), Some(uid), Some(gid))
                .map_err(|error| folder.error("change the owner of", name, error))
        };
        for (name, _) in folder.files()? {
            give(&name)?;
        }
        give(".")?;
        let lock = self.folder.path().join("lock");
        std::os::unix::fs::lchown(lock, Some(uid), Some(gid))
            .map_err(|error| self.folder.error("change the owner of", "lock", error))?;
        Ok(())
    }
}

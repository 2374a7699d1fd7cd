//! The append-only log: one writer, group commit, tree hashes and checkpoint in the transaction of the entries.
//!
//! Everything that is written goes through [`Log::write`]: a piece of work that runs inside a transaction, together with
//! whatever else waits. After the last piece the new tree head is signed and stored, the transaction is committed, and
//! only then anybody is answered or told that the log grew. So a checkpoint leaves this process only if the entries
//! under it are on the disk.
//!
//! What can go wrong, and what is then true:
//!
//! | fault | entries | the sender | afterwards |
//! | --- | --- | --- | --- |
//! | a piece of work fails, or signing does | failed and not persisted | told; may send again | each piece of the group is tried alone |
//! | disk full, at any step | failed and not persisted (rolled back) | told to try later | goes on; works when there is room |
//! | commit reports another error | failed, perhaps persisted anyway | told to try later | the writer stops, the process ends: fsync tells of a failure once, so nothing more may be built on this state. Opening the store again settles it, sending again is idempotent |
//! | a piece of work panics | failed and not persisted | told to try later | the writer stops, the process ends |
//! | killed before the commit | failed and not persisted | hears nothing, sends again | appended then |
//! | killed after the commit | persisted | hears nothing, sends again | gets the same index |
//!
//! In none of them a signed checkpoint becomes visible that the store does not hold: the signature is stored in the
//! transaction that it belongs to and published after it.

mod batch;
mod edge;
mod membership;
mod sealer;
mod tiles;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::checkpoint::{CheckpointError, SignedCheckpoint};
use evidence::key::Signer as _;
use evidence::note::{NoteError, VerifierKey};
use evidence::proof::Receipt;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::store::{Head, Store, StoreError};

pub use batch::{Appended, Batch};
pub use membership::{Change, change};
pub use tiles::{At, Tiles};

/// Pieces of work that may wait before senders have to.
const QUEUE: usize = 4096;

/// Why nothing was written.
#[derive(Debug, Error, Clone)]
pub enum LogError {
    /// The store failed; see the table of faults.
    #[error("the log could not be written")]
    Store(#[source] Arc<StoreError>),
    /// The tree head could not be signed.
    #[error("the checkpoint could not be signed")]
    Sign(#[source] Arc<CheckpointError>),
    /// The origin cannot be the name of a key.
    #[error("the log's origin cannot name its key")]
    Origin(#[source] Arc<NoteError>),
    /// The stored checkpoint is not one that this log's key signed.
    #[error("the stored checkpoint is not signed with the log key of this data directory")]
    OtherLog(#[source] Arc<CheckpointError>),
    /// The writer stopped after an earlier failure, or because the program ends.
    #[error("the log is closed for writing; the collector has to be started again")]
    Stopped,
}

impl LogError {
    /// Whether the same may work later while this process lives.
    pub fn may_pass_later(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_pass_later())
    }
}

/// What a piece of work returned, durably, and the tree that it is in.
#[derive(Debug, Clone)]
pub struct Committed<T> {
    /// What the work returned.
    pub value: T,
    /// The tree head after it.
    pub head: Arc<Head>,
}

/// The log of one collector.
pub struct Log {
    key: VerifierKey,
    sender: Option<mpsc::Sender<Box<dyn writer::Job>>>,
    grown: watch::Receiver<u64>,
    tiles: Arc<Tiles>,
    commits: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Log {
    /// Starts the writer. The stored checkpoint, if there is one, must be signed by `signer` for `origin`.
    pub fn open(store: Arc<dyn Store>, origin: &str, signer: Ed25519Signer) -> Result<Self, LogError> {
        let key =
            VerifierKey::new(origin, signer.public_key().clone()).map_err(|error| LogError::Origin(error.into()))?;
        let head = store.head().map_err(|error| LogError::Store(error.into()))?;
        if let Some(head) = &head {
            SignedCheckpoint::verify(&head.checkpoint, &key, &AwsLc)
                .map_err(|error| LogError::OtherLog(error.into()))?;
        }
        let (sender, jobs) = mpsc::channel(QUEUE);
        let (growth, grown) = watch::channel(head.map_or(0, |head| head.size));
        let tiles = Arc::new(Tiles::new(Arc::clone(&store)));
        let (nudge, nudged) = std::sync::mpsc::sync_channel(1);
        let writer = writer::Writer {
            store: Arc::clone(&store),
            origin: origin.to_owned(),
            signer,
            tiles: Arc::clone(&tiles),
            growth,
            nudge,
            commits: Arc::default(),
        };
        let commits = Arc::clone(&writer.commits);
        let weak = sender.downgrade();
        let threads = vec![
            std::thread::spawn(move || writer.run(jobs)),
            std::thread::spawn(move || sealer::run(store.as_ref(), &nudged, &weak)),
        ];
        Ok(Self {
            key,
            sender: Some(sender),
            grown,
            tiles,
            commits,
            threads,
        })
    }

    /// The key that signs the checkpoints, under the log's origin.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Tree hashes, tiles and proofs.
    pub fn tiles(&self) -> &Arc<Tiles> {
        &self.tiles
    }

    /// Changes to the committed size each time the log has grown. Closed when the writer has stopped.
    pub fn grown(&self) -> watch::Receiver<u64> {
        self.grown.clone()
    }

    /// Transactions committed since the start.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Runs `work` in a transaction, commits, and returns what it returned. `work` may run more than once and must then
    /// do the same again; what it did before was rolled back.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Committed<T>, LogError> {
        let (job, answer) = writer::job(work);
        let sender = self.sender.as_ref().ok_or(LogError::Stopped)?;
        sender.send(job).await.map_err(|_| LogError::Stopped)?;
        answer.await.map_err(|_| LogError::Stopped)?
    }

    /// As [`Self::write`], for threads that may block.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Committed<T>, LogError> {
        let (job, answer) = writer::job(work);
        let sender = self.sender.as_ref().ok_or(LogError::Stopped)?;
        sender.blocking_send(job).map_err(|_| LogError::Stopped)?;
        answer.blocking_recv().map_err(|_| LogError::Stopped)?
    }

    /// The receipt of the entry at `index` under a committed tree head.
    pub fn receipt(&self, index: u64, head: &Head) -> Result<Receipt, StoreError> {
        Ok(Receipt {
            extra: None,
            index,
            proof: self.tiles.inclusion(index, head.size)?,
            checkpoint: head.checkpoint.clone(),
        })
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({})", self.key)
    }
}

/// Waits for what was handed in to be written.
impl Drop for Log {
    fn drop(&mut self) {
        drop(self.sender.take());
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the log panicked");
            }
        }
    }
}

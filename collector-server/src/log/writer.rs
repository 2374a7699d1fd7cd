//! The one thread that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use evidence::aws_lc::Ed25519Signer;
use evidence::checkpoint::{Checkpoint, SignedCheckpoint};
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::Batch;
use super::edge::Edge;
use super::{Committed, LogError, Tiles};
use crate::store::{Head, Store, StoreError, TILE_WIDTH};

/// Pieces of work in one transaction at most: beyond that an fsync is cheap beside them, and the first should not wait.
const GROUP: usize = 512;

/// A piece of work and whoever waits for it.
pub(super) trait Job: Send {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError>;
    fn finish(self: Box<Self>, outcome: Result<Arc<Head>, LogError>);
}

struct Waiting<T, W> {
    work: W,
    value: Option<T>,
    answer: oneshot::Sender<Result<Committed<T>, LogError>>,
}

impl<T, W> Job for Waiting<T, W>
where
    T: Send,
    W: FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        self.value = Some((self.work)(batch)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<Arc<Head>, LogError>) {
        let answer = match (outcome, self.value) {
            (Ok(head), Some(value)) => Ok(Committed { value, head }),
            (Ok(_), None) => Err(LogError::Stopped),
            (Err(error), _) => Err(error),
        };
        // Whoever asked may have gone: what was written stays written.
        drop(self.answer.send(answer));
    }
}

/// Where the answer to a piece of work will be.
pub(super) type Answer<T> = oneshot::Receiver<Result<Committed<T>, LogError>>;

/// Packs work up together with the place where its answer will be.
pub(super) fn job<T, W>(work: W) -> (Box<dyn Job>, Answer<T>)
where
    T: Send + 'static,
    W: FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let value = None;
    (Box::new(Waiting { work, value, answer }), answered)
}

pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) origin: String,
    pub(super) signer: Ed25519Signer,
    pub(super) tiles: Arc<Tiles>,
    pub(super) growth: watch::Sender<u64>,
    pub(super) nudge: SyncSender<()>,
    pub(super) commits: Arc<AtomicU64>,
}

impl Writer {
    /// Runs until every sender is gone, or until nothing more may be written.
    pub(super) fn run(self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut edge = None;
        // Full is as good as sent: the sealer looks at everything each time.
        let _ = self.nudge.try_send(());
        while let Some(first) = jobs.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(job) = jobs.try_recv()
            {
                group.push(job);
            }
            if let Err(error) = self.group(group, &mut edge) {
                tracing::error!(%error, "the log is closed for writing");
                return;
            }
        }
    }

    /// Writes a group; if it fails because of what is in it, each piece alone. An error ends the writer.
    fn group(&self, mut group: Vec<Box<dyn Job>>, edge: &mut Option<Edge>) -> Result<(), LogError> {
        match self.commit(&mut group, edge) {
            Ok(head) => {
                for job in group {
                    job.finish(Ok(Arc::clone(&head)));
                }
                Ok(())
            }
            Err(error) => {
                *edge = None;
                let fatal = matches!(&error, LogError::Store(cause) if matches!(**cause, StoreError::Uncertain { .. }));
                if group.len() > 1 && !fatal && !error.may_pass_later() {
                    return group.into_iter().try_for_each(|job| self.group(vec![job], edge));
                }
                for job in group {
                    job.finish(Err(error.clone()));
                }
                if fatal { Err(error) } else { Ok(()) }
            }
        }
    }

    fn commit(&self, group: &mut [Box<dyn Job>], edge: &mut Option<Edge>) -> Result<Arc<Head>, LogError> {
        let mut sign_error = None;
        let mut committed = None;
        let result = self.store.commit(&mut |transaction| {
            let before = transaction.head()?;
            let size = before.as_ref().map_or(0, |head| head.size);
            // Another process may have written since (the command line, while no server ran here).
            let mut new = match edge.take().filter(|edge| edge.frontier.size() == size) {
                Some(edge) => edge,
                None => Edge::load(size, transaction)?,
            };
            let mut batch = Batch {
                transaction,
                edge: &mut new,
            };
            for job in group.iter_mut() {
                job.run(&mut batch)?;
            }
            let head = match before {
                Some(head) if new.frontier.size() == size => head,
                _ => {
                    let head = self.sign(&new).map_err(|error| {
                        sign_error = Some(error);
                        StoreError::Misuse {
                            what: "a checkpoint without signature".to_owned(),
                        }
                    })?;
                    new.store(transaction)?;
                    transaction.put_head(&head)?;
                    head
                }
            };
            committed = Some((head, new));
            Ok(())
        });
        if let Some(error) = sign_error {
            return Err(error);
        }
        result.map_err(|error| LogError::Store(error.into()))?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        let (head, mut new) = committed.ok_or(LogError::Stopped)?;
        self.publish(&head, &mut new);
        *edge = Some(new);
        Ok(Arc::new(head))
    }

    fn sign(&self, edge: &Edge) -> Result<Head, LogError> {
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: edge.frontier.size(),
            root: edge.frontier.root(),
        };
        let signed = SignedCheckpoint::sign(checkpoint, &self.signer).map_err(|error| LogError::Sign(error.into()))?;
        Ok(Head {
            size: edge.frontier.size(),
            checkpoint: signed.note().to_owned(),
        })
    }

    /// After the commit, and only then.
    fn publish(&self, head: &Head, edge: &mut Edge) {
        let before = *self.growth.borrow();
        if before == head.size {
            return;
        }
        // The peaks are what proofs of the next entries lead through.
        let size = head.size;
        let mut at = 0;
        for (level, hash) in (0..64_u8)
            .rev()
            .filter(|level| size >> level & 1 == 1)
            .zip(edge.frontier.peaks())
        {
            edge.completed.push(((level, at >> level), *hash));
            at += 1 << level;
        }
        self.tiles.remember(edge.completed.drain(..));
        self.growth.send_replace(size);
        if before / TILE_WIDTH != size / TILE_WIDTH {
            let _ = self.nudge.try_send(());
        }
    }
}

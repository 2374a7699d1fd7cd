//! Seals bundles behind the writer's back: compressing is slow, and the writer must not wait for it.

use std::sync::mpsc::Receiver;

use tokio::sync::mpsc;

use super::LogError;
use super::writer::{self, Job};
use crate::store::{Store, StoreError, TILE_WIDTH, bundle};

/// Runs until the log is dropped. A failure is tried again when the log has grown: unsealed entries cost room, no more.
pub(super) fn run(store: &dyn Store, nudged: &Receiver<()>, jobs: &mpsc::WeakSender<Box<dyn Job>>) {
    let mut unsealed = None;
    while nudged.recv().is_ok() {
        if let Err(error) = seal_all(store, jobs, &mut unsealed)
            // The end of the program is nothing to report.
            && !matches!(error.downcast_ref(), Some(LogError::Stopped))
        {
            tracing::warn!(%error, "a bundle was not sealed; it will be tried again");
        }
    }
}

fn seal_all(
    store: &dyn Store,
    jobs: &mpsc::WeakSender<Box<dyn Job>>,
    unsealed: &mut Option<u64>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut from = match *unsealed {
        Some(from) => from,
        None => write(jobs, |batch| batch.store().unsealed())?,
    };
    while from + TILE_WIDTH <= store.size()? {
        let entries = store.entries(from, usize::try_from(TILE_WIDTH)?)?;
        let entries: Vec<_> = entries.into_iter().map(|(_, bytes)| bytes).collect();
        let sealed = bundle::seal(&entries)?;
        // Nothing is deleted that could not be read again.
        if bundle::open(&sealed)? != entries {
            return Err(StoreError::damaged(format_args!("entries from {from} do not survive sealing")).into());
        }
        write(jobs, move |batch| batch.store().seal(from, &sealed))?;
        from += TILE_WIDTH;
        *unsealed = Some(from);
    }
    Ok(())
}

fn write<T: Send + 'static>(
    jobs: &mpsc::WeakSender<Box<dyn Job>>,
    work: impl FnMut(&mut super::Batch<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, LogError> {
    let (job, answer) = writer::job(work);
    let sender = jobs.upgrade().ok_or(LogError::Stopped)?;
    sender.blocking_send(job).map_err(|_| LogError::Stopped)?;
    drop(sender);
    Ok(answer.blocking_recv().map_err(|_| LogError::Stopped)??.value)
}

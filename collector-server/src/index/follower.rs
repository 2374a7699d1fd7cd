//! Keeps the index up to date while the collector runs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::{IndexError, Writer};
use crate::clock::Clock;
use crate::store::Store;

/// Longest sleep: due instants are found by the clock, which may be set.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after a failure before the index is opened again.
const PAUSE: Duration = Duration::from_secs(5);

/// How the follower fares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FollowerStatus {
    /// Entries taken in.
    pub position: u64,
    /// Why it does not get on, if it does not.
    pub failure: Option<String>,
}

/// A thread that keeps the index up to date. Dropping it stops the thread after its transaction.
#[derive(Debug)]
pub struct Follower {
    status: Arc<Mutex<FollowerStatus>>,
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Following {
    path: PathBuf,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    grown: watch::Receiver<u64>,
    stopped: watch::Receiver<()>,
    status: Arc<Mutex<FollowerStatus>>,
}

impl Follower {
    /// Starts to follow. `grown` changes when the log has grown.
    pub fn start(
        path: PathBuf,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        grown: watch::Receiver<u64>,
    ) -> Result<Self, std::io::Error> {
        let status = Arc::new(Mutex::new(FollowerStatus::default()));
        let (stop, stopped) = watch::channel(());
        let following = Following {
            path,
            store,
            clock,
            grown,
            stopped,
            status: Arc::clone(&status),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new()
            .name("index".to_owned())
            .spawn(move || runtime.block_on(following.run()))?;
        Ok(Self {
            status,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// How it fares.
    pub fn status(&self) -> FollowerStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the index's thread panicked");
        }
    }
}

impl Following {
    async fn run(mut self) {
        loop {
            let end = self.follow().await;
            let Err(error) = end else { return };
            let why = chain(&error);
            tracing::error!(error = why, "the index does not get on");
            self.note(|status| status.failure = Some(why));
            if self.pause(PAUSE).await {
                return;
            }
        }
    }

    /// Follows until it is told to stop.
    async fn follow(&mut self) -> Result<(), IndexError> {
        let mut writer = Writer::open(&self.path, Arc::clone(&self.store), self.clock.now())?;
        loop {
            self.grown.borrow_and_update();
            let step = writer.step(self.clock.now())?;
            self.note(|status| {
                status.position = step.position;
                status.failure = None;
            });
            if step.taken > 0 {
                if self.stopped.has_changed().is_err() {
                    return Ok(());
                }
            } else if self.pause(TICK).await {
                return Ok(());
            }
        }
    }

    /// Waits for the log to grow, at most `longest`; whether it is told to stop.
    async fn pause(&mut self, longest: Duration) -> bool {
        tokio::select! {
            _ = self.stopped.changed() => true,
            grown = self.grown.changed() => {
                // The log is closed for writing: what is due is still to be done until we are told to stop.
                if grown.is_err() {
                    tokio::time::sleep(longest).await;
                    return self.stopped.has_changed().is_err();
                }
                false
            }
            () = tokio::time::sleep(longest) => false,
        }
    }

    fn note(&self, change: impl FnOnce(&mut FollowerStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

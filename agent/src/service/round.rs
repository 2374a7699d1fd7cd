//! A collection on a thread of its own, at low priority.

use std::io;
use std::time::{Duration, Instant};

use evidence::Timestamp;
use tokio::sync::oneshot::{Receiver, channel};

use crate::clock;
use crate::collection::{Collection, Patience, Runner};

/// nice(2) of collections: everything else on the host comes first. Threads that probes run on inherit it.
const NICE: i32 = 10;

/// A collection that is done.
pub(super) struct Round {
    pub runner: Runner,
    pub collection: Collection,
    pub at: Timestamp,
    pub took: Duration,
}

/// Begins a collection. The receiver fails if the thread ended without a result.
pub(super) fn start(mut runner: Runner, patience: Patience) -> io::Result<Receiver<Round>> {
    let (sender, receiver) = channel();
    std::thread::Builder::new().name("collect".to_owned()).spawn(move || {
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "collecting at normal priority");
        }
        let begin = Instant::now();
        let collection = runner.round(patience, clock::now());
        let round = Round {
            runner,
            collection,
            at: clock::now(),
            took: begin.elapsed(),
        };
        // Nobody waits when the service is ending.
        let _ = sender.send(round);
    })?;
    Ok(receiver)
}

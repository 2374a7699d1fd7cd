//! A collection beside the service: a thread that waits for the processes which run probes, all at low priority.

use std::io;
use std::time::{Duration, Instant};

use evidence::Timestamp;
use tokio::sync::oneshot::{Receiver, channel};

use crate::clock;
use crate::collection::{Collection, Patience, Rounds};

/// nice(2) of collections: everything else on the host comes first. Processes that run probes inherit it.
const NICE: i32 = 10;

/// A collection that is done.
pub(super) struct Round {
    pub rounds: Rounds,
    pub collection: Collection,
    pub at: Timestamp,
    pub took: Duration,
}

/// Begins a collection. The receiver fails if the thread ended without a result.
pub(super) fn start(mut rounds: Rounds, patience: Patience) -> io::Result<Receiver<Round>> {
    let (sender, receiver) = channel();
    std::thread::Builder::new().name("collect".to_owned()).spawn(move || {
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "collecting at normal priority");
        }
        let begin = Instant::now();
        let collection = rounds.round(patience, clock::now());
        let round = Round {
            rounds,
            collection,
            at: clock::now(),
            took: begin.elapsed(),
        };
        // Nobody waits when the service is ending.
        let _ = sender.send(round);
    })?;
    Ok(receiver)
}

//! The service's collections, one round after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use evidence::Timestamp;
use probes::Cadence;
use probes::registry::Registered;

use super::{Collection, Daily, Prober, Ran, owed};

/// Whether a round waits for probes that run once a day and are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It does.
    Wait,
    /// They run beside it and later rounds; until they end, what they said before stands.
    GoOn,
}

/// Runs probes round after round, those with [`Cadence::Daily`] once a day.
pub struct Rounds {
    prober: Arc<Prober>,
    every_round: Vec<Registered>,
    once_a_day: Vec<Registered>,
    daily: Daily,
    beside: Option<Beside>,
    tell: Arc<dyn Fn() + Send + Sync>,
}

/// Daily probes that run while rounds go on.
struct Beside {
    began_at: Timestamp,
    brought: Receiver<Ran>,
}

impl Rounds {
    /// Rounds of these probes. What the daily ones said is kept in `daily`; `tell` is called when one that ran beside the
    /// rounds has ended, so that another round can take what it brought.
    pub fn new(prober: Prober, probes: Vec<Registered>, daily: Daily, tell: impl Fn() + Send + Sync + 'static) -> Self {
        let is_daily = |probe: &Registered| probe.spec.cadence == Cadence::Daily;
        let (once_a_day, every_round) = probes.into_iter().partition(is_daily);
        Self {
            prober: Arc::new(prober),
            every_round,
            once_a_day,
            daily,
            beside: None,
            tell: Arc::new(tell),
        }
    }

    /// One round, at `now`.
    pub fn round(&mut self, patience: Patience, now: Timestamp) -> Collection {
        self.take_brought();
        if self.beside.is_none() {
            let due = self
                .once_a_day
                .iter()
                .filter(|probe| self.daily.is_due(probe.spec.id, now));
            let due: Vec<_> = due.copied().collect();
            match patience {
                _ if due.is_empty() => {}
                Patience::Wait => self.prober.run(&due, |ran| self.daily.keep(ran.id, now, ran.documents)),
                Patience::GoOn => self.start_beside(due, now),
            }
        }
        let mut collection = self.prober.collect(&self.every_round);
        for probe in &self.once_a_day {
            let said = self.daily.documents(probe.spec.id).map(<[_]>::to_vec);
            collection.extend(said.unwrap_or_else(|| owed::first_run(*probe)));
        }
        collection
    }

    fn start_beside(&mut self, due: Vec<Registered>, now: Timestamp) {
        let (sender, brought) = channel();
        let (prober, tell) = (Arc::clone(&self.prober), Arc::clone(&self.tell));
        let started = std::thread::Builder::new().name("daily".to_owned()).spawn(move || {
            prober.run(&due, |ran| {
                // If nobody waits any more, there is nobody to tell.
                let _ = sender.send(ran);
                tell();
            });
        });
        match started {
            Ok(_) => self.beside = Some(Beside { began_at: now, brought }),
            Err(error) => tracing::error!(%error, "no thread for the daily probes; the next round tries again"),
        }
    }

    /// Takes what daily probes brought that run beside the rounds.
    fn take_brought(&mut self) {
        let Some(beside) = &self.beside else { return };
        loop {
            match beside.brought.try_recv() {
                Ok(ran) => self.daily.keep(ran.id, beside.began_at, ran.documents),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => break,
            }
        }
        self.beside = None;
    }
}

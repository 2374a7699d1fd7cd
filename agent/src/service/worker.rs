//! The clockwork: what is done when, and the connection to the collector.

mod answers;
mod talk;

use std::time::{Duration, Instant};

use evidence::facts::Outcome;
use evidence::wire::CheckIn;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use super::keeper::{Keeper, Stated};
use super::report::{Collected, Noted, Report};
use super::round::{self, Round};
use super::{ServiceError, notify};
use crate::clock;
use crate::collection::{Collection, Daily, Patience, Prober, Rounds};
use crate::delivery::{Client, Validity};
use crate::schedule::{Retry, Schedule, fraction};
use crate::watch;
use talk::{Talk, client, deliver, renew, validity};

/// How often at most the same trouble is logged.
const REMIND: Duration = Duration::from_hours(1);

/// Collects, states and delivers.
pub struct Worker {
    keeper: Keeper,
    client: Client,
    validity: Validity,
    report: Report,
    retry: Retry,
    reminded: Option<Instant>,
    renew_not_before: Instant,
    /// Statements were given up: the next one must not wait for its interval.
    restate: bool,
    /// Where a probe that runs once a day says that it has ended.
    ended: mpsc::Sender<()>,
    /// Where that is heard.
    ends: mpsc::Receiver<()>,
}

/// What `run --once` did.
#[derive(Debug, Clone, Copy)]
pub struct Once {
    /// Number of the statement that it made.
    pub sequence: u64,
    /// Its place in the log.
    pub index: u64,
    /// Size of the tree in which its receipt holds.
    pub size: u64,
}

/// When to do what, beside [`Schedule`].
struct Timing {
    schedule: Schedule,
    deliver_at: Option<Instant>,
    changed_while_collecting: bool,
}

impl Worker {
    /// Prepares to serve; nothing is sent yet.
    pub fn new(keeper: Keeper) -> Result<Self, ServiceError> {
        let client = client(&keeper)?;
        let validity = validity(&keeper)?;
        let report = Report {
            started_at: Some(clock::now()),
            certificate_until: Some(validity.not_after),
            ..keeper.member().report().ok().flatten().unwrap_or_default()
        };
        let (ended, ends) = mpsc::channel(1);
        Ok(Self {
            keeper,
            client,
            validity,
            report,
            retry: Retry::default(),
            reminded: None,
            renew_not_before: Instant::now(),
            restate: false,
            ended,
            ends,
        })
    }

    fn rounds(&self) -> Rounds {
        let folder = self.keeper.member().daily();
        if let Err(error) = &folder {
            tracing::warn!(%error, "probes that run once a day run after each start");
        }
        let daily = Daily::open(folder.ok(), self.keeper.build().sha256);
        let mut prober = Prober::own();
        match self.keeper.member().unchanged() {
            Ok(folder) => prober = prober.on_change(&folder, self.keeper.build().sha256),
            Err(error) => tracing::warn!(%error, "probes that run on changes run in each round"),
        }
        let ended = self.ended.clone();
        Rounds::new(prober, probes::registry::all(), daily, move || {
            // A message that is still unread says the same.
            let _ = ended.try_send(());
        })
    }

    /// Collects once, states, delivers everything that waits.
    pub async fn once(mut self) -> Result<Once, ServiceError> {
        let round = round::start(self.rounds(), Patience::Wait).map_err(ServiceError::Setup)?;
        let round = round
            .await
            .map_err(|_| ServiceError::NotDelivered("the collection broke off".to_owned()))?;
        self.collected(&round);
        let sequence = match self.keeper.observe(&round.collection, round.at, true) {
            Stated::Statement(sequence) => sequence,
            Stated::Nothing => return Err(ServiceError::NotDelivered("no statement was made".to_owned())),
            Stated::Lost(error) => return Err(error.into()),
        };
        while self.keeper.spool().waiting() > 0 {
            let delivery = deliver(&self.keeper, &self.client)?.await;
            let problem = match &delivery.answer {
                Err(error) => Some(error.to_string()),
                Ok(_) => None,
            };
            let later = self.delivered(delivery).await?;
            self.write_report();
            if let Some(problem) = problem {
                return Err(ServiceError::NotDelivered(problem));
            }
            if !later.is_zero() {
                return Err(ServiceError::NotDelivered(self.standing_problem()));
            }
        }
        let receipt = self
            .keeper
            .spool()
            .acknowledged()
            .filter(|mark| mark.sequence == sequence);
        let receipt = receipt.ok_or_else(|| ServiceError::NotDelivered(format!("statement {sequence} was lost")))?;
        Ok(Once {
            sequence,
            index: receipt.index,
            size: receipt.size,
        })
    }

    fn standing_problem(&self) -> String {
        match (&self.report.refused, self.keeper.alarm(), &self.report.unreachable) {
            (Some(refused), ..) => format!("statement {} is refused: {}", refused.sequence, refused.detail),
            (_, Some(alarm), _) if !alarm.acknowledged => format!("{}: {}", alarm.alarm.kind, alarm.detail),
            (_, _, Some(noted)) => noted.detail.clone(),
            _ => "the collector's answer was not believed".to_owned(),
        }
    }

    /// Serves until SIGTERM or SIGINT.
    pub async fn run(mut self) -> Result<(), ServiceError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(ServiceError::Setup)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ServiceError::Setup)?;
        let specs: Vec<_> = probes::registry::all().iter().map(|probe| probe.spec).collect();
        let mut changes = watch::start(&specs);
        let mut timing = Timing {
            schedule: Schedule::new(self.keeper.member().pace()?, Instant::now()),
            deliver_at: (self.keeper.spool().waiting() > 0).then(Instant::now),
            changed_while_collecting: false,
        };
        let mut rounds = Some(self.rounds());
        let mut collecting: Option<oneshot::Receiver<Round>> = None;
        let mut talk = Talk::Nothing;
        let alive_every = notify::alive_every();
        self.greet();
        loop {
            let now = Instant::now();
            if now >= timing.schedule.collection_at()
                && let Some(free) = rounds.take()
            {
                timing.changed_while_collecting = false;
                collecting = Some(round::start(free, Patience::GoOn).map_err(ServiceError::Setup)?);
            }
            if matches!(talk, Talk::Nothing) {
                talk = self.next_talk(&timing, now)?;
            }
            let idle = matches!(talk, Talk::Nothing);
            let wake = [
                rounds.is_some().then(|| timing.schedule.collection_at()),
                (idle && self.keeper.spool().waiting() > 0)
                    .then_some(timing.deliver_at)
                    .flatten(),
                idle.then(|| timing.schedule.check_in_at()),
                alive_every.map(|every| now + every),
            ];
            let wake = wake.into_iter().flatten().min().unwrap_or(now + REMIND);
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                Some(()) = next(&mut changes) => {
                    timing.changed_while_collecting = collecting.is_some();
                    timing.schedule.changed(Instant::now());
                }
                Some(()) = self.ends.recv() => {
                    timing.changed_while_collecting = collecting.is_some();
                    timing.schedule.changed(Instant::now());
                }
                round = finished(&mut collecting) => {
                    collecting = None;
                    rounds = Some(self.take(round, &mut timing));
                }
                heard = talk.answer() => self.hear(heard, &mut timing).await?,
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            if alive_every.is_some() {
                notify::alive();
            }
        }
        notify::stopping();
        tracing::info!(
            waiting = self.keeper.spool().waiting(),
            "stopped; what waits is on the disk"
        );
        Ok(())
    }

    fn greet(&self) {
        let identity = self.keeper.member().identity();
        let (spool, repairs) = (self.keeper.spool(), self.keeper.spool().repairs());
        tracing::info!(host = %identity.host, collector = %identity.collector, waiting = spool.waiting(), "started");
        if repairs.torn {
            tracing::warn!("a statement that was being written when the agent ended was cut off; it was never sent");
        }
        if repairs.damaged {
            tracing::error!("the spool was damaged; the next statement declares what was lost");
        }
        if let Some(refused) = &self.report.refused {
            let (sequence, detail) = (refused.sequence, &refused.detail);
            tracing::error!(
                sequence,
                "the collector refused a statement: {detail}. It is sent again"
            );
        }
        notify::ready();
        notify::status(&format!("Enrolled as {} with {}", identity.host, identity.collector));
        self.write_report();
    }

    /// What to say next, if anything is due.
    fn next_talk(&self, timing: &Timing, now: Instant) -> Result<Talk, ServiceError> {
        if timing.deliver_at.is_some_and(|at| now >= at) && self.keeper.spool().waiting() > 0 {
            return Ok(Talk::Delivery(tokio::spawn(deliver(&self.keeper, &self.client)?)));
        }
        if now < timing.schedule.check_in_at() {
            return Ok(Talk::Nothing);
        }
        let client = self.client.clone();
        if clock::now() >= self.validity.renew_at() && now >= self.renew_not_before {
            return Ok(Talk::Renewal(tokio::spawn(async move { renew(&client).await })));
        }
        let check_in = CheckIn {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            spooled: self.keeper.spool().waiting(),
            clock: clock::now(),
        };
        Ok(Talk::CheckIn(tokio::spawn(
            async move { client.check_in(&check_in).await },
        )))
    }

    /// Takes a collection, or the news that it broke off.
    fn take(&mut self, round: Option<Round>, timing: &mut Timing) -> Rounds {
        let now = Instant::now();
        let Some(round) = round else {
            tracing::error!("a collection broke off; this is a fault of the agent");
            timing.schedule.collected(Duration::ZERO, false, now, 0.0);
            return self.rounds();
        };
        self.collected(&round);
        let changed = std::mem::take(&mut timing.changed_while_collecting);
        timing.schedule.collected(round.took, changed, now, some_fraction());
        let due = timing.schedule.is_seal_due(now);
        match self.keeper.observe(&round.collection, round.at, due) {
            Stated::Nothing => {}
            Stated::Statement(sequence) => {
                tracing::debug!(sequence, due, "stated");
                timing.schedule.sealed(now, some_fraction());
                // A collector that does not answer is asked again when its time has come, not at every change.
                timing.deliver_at.get_or_insert(now);
                self.report.spool = None;
            }
            Stated::Lost(error) => {
                timing.schedule.sealed(now, some_fraction());
                tracing::error!(%error, "a statement could not be spooled; the next one declares the loss");
                self.report.spool = Some(Noted::going_on(self.report.spool.take(), error.to_string(), round.at));
            }
        }
        self.write_report();
        round.rounds
    }

    fn collected(&mut self, round: &Round) {
        self.report.collected = Some(Collected {
            at: round.at,
            millis: u64::try_from(round.took.as_millis()).unwrap_or(u64::MAX),
            documents: round.collection.documents().count() as u64,
            not_observed: not_observed(&round.collection),
        });
    }

    /// The report serves `status` only; a full disk does not stop the service.
    fn write_report(&self) {
        if let Err(error) = self.keeper.member().set_report(&self.report) {
            tracing::debug!(%error, "no report");
        }
    }
}

async fn next(changes: &mut mpsc::Receiver<()>) -> Option<()> {
    match changes.recv().await {
        Some(()) => Some(()),
        // Nothing can be watched on this machine: the schedule does it.
        None => std::future::pending().await,
    }
}

async fn finished(collecting: &mut Option<oneshot::Receiver<Round>>) -> Option<Round> {
    match collecting {
        Some(receiver) => receiver.await.ok(),
        None => std::future::pending().await,
    }
}

fn not_observed(collection: &Collection) -> Vec<String> {
    let others = collection
        .documents()
        .filter(|document| document.outcome() != Outcome::Observed);
    others
        .map(|document| format!("{}: {}", document.id(), document.outcome().as_str()))
        .collect()
}

/// Without random numbers everything still works, in step with the rest of the fleet.
fn some_fraction() -> f64 {
    clock::random().map_or(0.5, fraction)
}

//! The clockwork: what is done when, and the connection to the collector.

use std::time::{Duration, Instant};

use evidence::Timestamp;
use evidence::wire::{CheckIn, CheckInResponse, DeliverResponse, MAX_BATCH, RenewRequest};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::keeper::{Keeper, Settled, Stated};
use super::report::{Collected, Noted, Report, StatementRefused};
use super::round::{self, Round};
use super::{ServiceError, notify};
use crate::clock;
use crate::collection::{Collection, Runner};
use crate::delivery::{Address, Client, ExchangeError, TlsIdentity, Trouble, Validity, exchange, member_config};
use crate::machine::Machine;
use crate::schedule::{Retry, Schedule, fraction};
use crate::spool::Record;
use crate::watch;

/// Bytes of envelopes in one request, about: bounds what is sent again after a broken connection.
const BATCH_BYTES: usize = 256 * 1024;
/// Clocks that differ by more than this spoil evidence: the collector refuses statements from more than five minutes ahead.
const CLOCK_TOLERANCE: i64 = 60;
/// How often at most the same trouble is logged.
const REMIND: Duration = Duration::from_hours(1);

/// Collects, states and delivers.
pub struct Worker {
    keeper: Keeper,
    client: Client,
    machine: Machine,
    validity: Validity,
    report: Report,
    retry: Retry,
    reminded: Option<Instant>,
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

/// What is being said to the collector: one thing at a time, so that one connection is enough.
enum Talk {
    Nothing,
    Delivery(JoinHandle<Delivery>),
    CheckIn(JoinHandle<Result<CheckInResponse, Trouble>>),
    Renewal(JoinHandle<Renewal>),
}

/// What was heard.
enum Heard {
    Delivery(Delivery),
    CheckIn(Result<CheckInResponse, Trouble>),
    Renewal(Renewal),
    /// The task panicked.
    Broken,
}

struct Delivery {
    batch: Vec<Record>,
    answer: Result<DeliverResponse, ExchangeError>,
}

type Renewal = Result<String, Trouble>;

impl Talk {
    /// Waits for the answer; for ever if nothing was asked.
    async fn answer(&mut self) -> Heard {
        let heard = match self {
            Self::Nothing => std::future::pending().await,
            Self::Delivery(task) => task.await.map(Heard::Delivery),
            Self::CheckIn(task) => task.await.map(Heard::CheckIn),
            Self::Renewal(task) => task.await.map(Heard::Renewal),
        };
        *self = Self::Nothing;
        heard.unwrap_or(Heard::Broken)
    }
}

/// When to do what, beside [`Schedule`].
struct Timing {
    schedule: Schedule,
    deliver_at: Option<Instant>,
    changed_while_collecting: bool,
}

impl Worker {
    /// Prepares to serve; nothing is sent yet.
    pub fn new(keeper: Keeper, machine: Machine) -> Result<Self, ServiceError> {
        let client = client(&keeper)?;
        let validity = validity(&keeper)?;
        let report = Report {
            started_at: Some(clock::now()),
            certificate_until: Some(validity.not_after),
            ..keeper.member().report().ok().flatten().unwrap_or_default()
        };
        Ok(Self {
            keeper,
            client,
            machine,
            validity,
            report,
            retry: Retry::default(),
            reminded: None,
        })
    }

    fn runner(&self) -> Runner {
        Runner::new(self.machine.clone(), probes::registry::all())
    }

    /// Collects once, states, delivers everything that waits.
    pub async fn once(mut self) -> Result<Once, ServiceError> {
        let round = round::start(self.runner()).map_err(ServiceError::Setup)?;
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
        let mut runner = Some(self.runner());
        let mut collecting: Option<oneshot::Receiver<Round>> = None;
        let mut talk = Talk::Nothing;
        let alive_every = notify::alive_every();
        self.greet();
        loop {
            let now = Instant::now();
            if now >= timing.schedule.collection_at()
                && let Some(free) = runner.take()
            {
                timing.changed_while_collecting = false;
                collecting = Some(round::start(free).map_err(ServiceError::Setup)?);
            }
            if matches!(talk, Talk::Nothing) {
                talk = self.next_talk(&timing, now)?;
            }
            let idle = matches!(talk, Talk::Nothing);
            let wake = [
                runner.is_some().then(|| timing.schedule.collection_at()),
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
                round = finished(&mut collecting) => {
                    collecting = None;
                    runner = Some(self.take(round, &mut timing));
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
        if clock::now() >= self.validity.renew_at() {
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
    fn take(&mut self, round: Option<Round>, timing: &mut Timing) -> Runner {
        let now = Instant::now();
        let Some(round) = round else {
            tracing::error!("a collection broke off; this is a fault of the agent");
            timing.schedule.collected(Duration::ZERO, false, now, 0.0);
            return self.runner();
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
                self.report.spool = Some(noted(self.report.spool.take(), error.to_string(), round.at));
            }
        }
        self.write_report();
        round.runner
    }

    fn collected(&mut self, round: &Round) {
        self.report.collected = Some(Collected {
            at: round.at,
            millis: u64::try_from(round.took.as_millis()).unwrap_or(u64::MAX),
            documents: round.collection.documents().count() as u64,
            not_observed: not_observed(&round.collection),
        });
    }

    async fn hear(&mut self, heard: Heard, timing: &mut Timing) -> Result<(), ServiceError> {
        let now = Instant::now();
        match heard {
            Heard::Delivery(delivery) => {
                let answered = match &delivery.answer {
                    Ok(_) => true,
                    Err(ExchangeError::Trouble(trouble)) => trouble.is_answer(),
                    Err(_) => false,
                };
                let later = self.delivered(delivery).await?;
                timing.deliver_at = (self.keeper.spool().waiting() > 0).then(|| Instant::now() + later);
                if answered {
                    timing.schedule.heard(now, some_fraction());
                }
            }
            Heard::CheckIn(Ok(answer)) => {
                self.checked_in(&answer, timing, now)?;
                self.reached(timing, now);
            }
            Heard::Renewal(Ok(client_pem)) => {
                self.renewed(&client_pem)?;
                self.reached(timing, now);
            }
            Heard::CheckIn(Err(trouble)) | Heard::Renewal(Err(trouble)) => {
                timing.schedule.heard(now, some_fraction());
                self.trouble(&trouble);
            }
            Heard::Broken => {
                tracing::error!("a request broke off; this is a fault of the agent");
                timing.schedule.heard(now, some_fraction());
                timing.deliver_at = Some(now + self.retry.failed(some_fraction()));
            }
        }
        self.write_report();
        Ok(())
    }

    /// The collector answered: whatever waits need not wait for the next retry.
    fn reached(&mut self, timing: &mut Timing, now: Instant) {
        timing.schedule.heard(now, some_fraction());
        self.heard_from();
        if self.keeper.spool().waiting() > 0 && self.report.refused.is_none() && self.keeper.alarm().is_none() {
            timing.deliver_at = Some(now);
        }
    }

    fn heard_from(&mut self) {
        self.report.heard_at = Some(clock::now());
        if self.report.unreachable.take().is_some() {
            tracing::info!("the collector can be reached again");
        }
        self.reminded = None;
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let detail = trouble.to_string();
        let known = self
            .report
            .unreachable
            .as_ref()
            .is_some_and(|noted| noted.detail == detail);
        if !known || self.reminded.is_none_or(|at| at.elapsed() > REMIND) {
            tracing::warn!(waiting = self.keeper.spool().waiting(), "{detail}");
            self.reminded = Some(Instant::now());
        }
        let now = clock::now();
        if trouble.is_answer() {
            self.report.heard_at = Some(now);
        }
        self.report.unreachable = Some(noted(self.report.unreachable.take(), detail, now));
    }

    /// Takes an answer to a delivery; returns how long to wait before the next one.
    async fn delivered(&mut self, delivery: Delivery) -> Result<Duration, ServiceError> {
        let answer = match delivery.answer {
            Ok(answer) => answer,
            Err(ExchangeError::Gone { digest, sequence }) => {
                tracing::error!(%digest, sequence, "facts are gone; the waiting statements are given up and declared lost");
                self.keeper.forfeit()?;
                return Ok(Duration::ZERO);
            }
            Err(ExchangeError::Store(error)) => return Err(error.into()),
            Err(ExchangeError::Trouble(trouble)) => {
                self.trouble(&trouble);
                return Ok(self.retry.failed(some_fraction()));
            }
        };
        self.heard_from();
        let now = clock::now();
        match self.keeper.settle(&delivery.batch, &answer, now)? {
            Settled::Accepted(count) => {
                tracing::debug!(count, waiting = self.keeper.spool().waiting(), "delivered");
                self.retry.succeeded();
                self.report.refused = None;
                Ok(Duration::ZERO)
            }
            Settled::Refused { sequence, refusal } => {
                if self.keeper.has_receipt_before(sequence, refusal.code)
                    && let Ok(shown) = self.client.checkpoint().await
                    && let Some(alarm) = self.keeper.settle_refusal(sequence, &refusal, &shown, now)?
                {
                    tracing::error!(kind = alarm.alarm.kind, "THE LOG CONTRADICTS ITSELF: {}", alarm.detail);
                }
                self.refused(sequence, &refusal, now);
                Ok(if refusal.code.may_pass_later() {
                    self.retry.failed(some_fraction())
                } else {
                    Retry::refused(some_fraction())
                })
            }
            Settled::Contradiction(alarm) => {
                tracing::error!(
                    kind = alarm.alarm.kind,
                    proof = %self.keeper.proof_place(),
                    "THE LOG CONTRADICTS ITSELF: {}. Both checkpoints are kept as proof, and no receipt of this history is \
                     accepted. Ask the collector's administrator; show the proof to your auditor",
                    alarm.detail
                );
                Ok(Retry::refused(some_fraction()))
            }
            Settled::Disbelieved(disbelief) => {
                tracing::error!("{disbelief}; the statements are kept and sent again");
                self.report.unreachable = Some(noted(self.report.unreachable.take(), disbelief.to_string(), now));
                Ok(self.retry.failed(some_fraction()))
            }
            Settled::StillMissing { sequence } => {
                tracing::error!(
                    sequence,
                    "the collector lacks facts that were just sent to it; trying again"
                );
                Ok(self.retry.failed(some_fraction()))
            }
        }
    }

    fn refused(&mut self, sequence: u64, refusal: &evidence::wire::Refusal, now: Timestamp) {
        let before = self
            .report
            .refused
            .take()
            .filter(|refused| refused.sequence == sequence);
        if before.as_ref().is_none_or(|before| before.code != refusal.code) {
            tracing::error!(
                sequence,
                code = ?refusal.code,
                "the collector refuses a statement: {}. It is kept, with all after it, and tried again",
                refusal.detail
            );
        }
        self.report.refused = Some(StatementRefused {
            sequence,
            since: before.map_or(now, |before| before.since),
            code: refusal.code,
            detail: refusal.detail.clone(),
        });
    }

    fn checked_in(&mut self, answer: &CheckInResponse, timing: &mut Timing, now: Instant) -> Result<(), ServiceError> {
        let wall = clock::now();
        let ahead = wall.since(answer.clock);
        if ahead.abs() > CLOCK_TOLERANCE
            && self
                .report
                .clock_ahead_seconds
                .is_none_or(|was| was.abs() <= CLOCK_TOLERANCE)
        {
            tracing::warn!(
                "this host's clock says {wall}, the collector's {}: check the time synchronisation (timedatectl status)",
                answer.clock
            );
        }
        self.report.clock_ahead_seconds = Some(ahead);
        if answer.pace != self.keeper.member().pace()? {
            tracing::info!(pace = ?answer.pace, "the collector sets another pace");
            self.keeper.member().set_pace(answer.pace)?;
            timing.schedule.set_pace(answer.pace, now);
        }
        if let Some(head) = self.keeper.spool().head() {
            timing.schedule.wall_clock(wall.since(head.observed_at), now);
        }
        Ok(())
    }

    fn renewed(&mut self, pem: &str) -> Result<(), ServiceError> {
        let ca = self.keeper.member().ca()?;
        // A certificate that does not fit its key, or cannot be read, must not replace the one that works.
        let usable = member_config(&ca, pem).is_ok();
        let Some(validity) = Validity::of_pem(pem).ok().filter(|_| usable) else {
            tracing::error!(
                "the renewed certificate cannot be used; the old one is kept and the next is asked for later"
            );
            return Ok(());
        };
        self.keeper.member().replace_client(pem)?;
        self.client = client(&self.keeper)?;
        self.validity = validity;
        self.report.certificate_until = Some(validity.not_after);
        tracing::info!(until = %validity.not_after, "the client certificate was renewed");
        Ok(())
    }

    /// The report serves `status` only; a full disk does not stop the service.
    fn write_report(&self) {
        if let Err(error) = self.keeper.member().set_report(&self.report) {
            tracing::debug!(%error, "no report");
        }
    }
}

fn client(keeper: &Keeper) -> Result<Client, ServiceError> {
    let member = keeper.member();
    let tls = member_config(&member.ca()?, &member.client()?)?;
    Ok(Client::new(Address::parse(&member.identity().collector)?, tls)?)
}

fn validity(keeper: &Keeper) -> Result<Validity, ServiceError> {
    let unreadable = |_| crate::delivery::TlsError::Pem {
        what: "client certificate",
        reason: "not X.509".to_owned(),
    };
    Ok(Validity::of_pem(&keeper.member().client()?).map_err(unreadable)?)
}

/// A delivery of what waits now; it can run while the keeper takes new statements.
fn deliver(keeper: &Keeper, client: &Client) -> Result<impl Future<Output = Delivery> + Send + use<>, ServiceError> {
    let batch = keeper.spool().batch(MAX_BATCH, BATCH_BYTES)?;
    let (client, store) = (client.clone(), keeper.store().clone());
    let known = keeper.known().checkpoint().size;
    Ok(async move {
        let answer = exchange(&client, &batch, known, &store).await;
        Delivery { batch, answer }
    })
}

async fn renew(client: &Client) -> Renewal {
    let identity = TlsIdentity::generate().map_err(|error| Trouble::Answer {
        authority: client.address().authority(),
        reason: error.to_string(),
    })?;
    let request = RenewRequest {
        tls_request: identity.request().to_owned(),
    };
    let answer = client.renew(&request).await?;
    Ok(identity.with_certificate(&answer.certificate))
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
    use evidence::facts::Outcome;
    let others = collection
        .documents()
        .map(crate::collection::Document::facts)
        .filter(|facts| facts.outcome != Outcome::Observed);
    others
        .map(|facts| format!("{}: {}", facts.probe, facts.outcome.as_str()))
        .collect()
}

/// Keeps the beginning of a trouble that goes on.
fn noted(before: Option<Noted>, detail: String, now: Timestamp) -> Noted {
    Noted {
        since: before.map_or(now, |before| before.since),
        detail,
    }
}

/// Without random numbers everything still works, in step with the rest of the fleet.
fn some_fraction() -> f64 {
    clock::random().map_or(0.5, fraction)
}

//! Runs probes, each on a thread of its own, one after the other: small peaks instead of a short round.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use evidence::Timestamp;
use evidence::facts::{FactsDocument, Outcome, ProbeId};
use probes::Cadence;
use probes::registry::Registered;

use super::{Collection, Daily, Document};
use crate::machine::{Deadline, Machine};

/// How much longer than its budget a probe may take to write down that its time is over, before it is given up.
const GRACE: Duration = Duration::from_millis(500);

type Ended = Result<Vec<FactsDocument>, Box<dyn Any + Send>>;

/// Whether a round waits for probes that run once a day and are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It does.
    Wait,
    /// They run beside it and later rounds; until they end, what they said before stands.
    GoOn,
}

/// Runs probes over a machine, round after round.
///
/// A probe that panics gives documents that say `failed`; one that hangs in a system call (a dead network filesystem)
/// gives documents that say `timeout`, its thread is left behind, and it is not started again before that thread has
/// come back: so threads do not pile up.
pub struct Runner {
    machine: Machine,
    probes: Vec<Registered>,
    stuck: BTreeMap<&'static str, Receiver<Ended>>,
    daily: Option<Daily>,
    beside: BTreeMap<&'static str, Beside>,
    tell: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// A probe that runs while rounds go on.
struct Beside {
    began: Instant,
    began_at: Timestamp,
    ended: Receiver<Ended>,
}

impl Runner {
    /// A runner of these probes, all of them in each round.
    pub const fn new(machine: Machine, probes: Vec<Registered>) -> Self {
        Self {
            machine,
            probes,
            stuck: BTreeMap::new(),
            daily: None,
            beside: BTreeMap::new(),
            tell: None,
        }
    }

    /// Runs [`Cadence::Daily`] probes once a day, and remembers in `daily` what they said. `tell` is called when one that
    /// ran beside the rounds has ended, so that another round can take what it brought.
    #[must_use]
    pub fn once_a_day(self, daily: Daily, tell: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            daily: Some(daily),
            tell: Some(Arc::new(tell)),
            ..self
        }
    }

    /// One round, at `now`.
    pub fn round(&mut self, patience: Patience, now: Timestamp) -> Collection {
        self.machine = self.machine.anew();
        let mut collection = Collection::default();
        for probe in self.probes.clone() {
            let documents = match (self.daily.take(), probe.spec.cadence) {
                (Some(daily), Cadence::Daily) => self.run_daily(probe, daily, patience, now),
                (daily, _) => {
                    self.daily = daily;
                    written(self.run(probe))
                }
            };
            collection.extend(documents);
        }
        collection
    }

    /// All probes, now.
    pub fn collect(&mut self) -> Collection {
        self.machine = self.machine.anew();
        let mut collection = Collection::default();
        for probe in self.probes.clone() {
            collection.extend(written(self.run(probe)));
        }
        collection
    }

    fn run_daily(&mut self, probe: Registered, mut daily: Daily, patience: Patience, now: Timestamp) -> Vec<Document> {
        let id = probe.spec.id;
        self.look_beside(probe, &mut daily);
        if daily.is_due(id, now) && !self.beside.contains_key(id) {
            if patience == Patience::Wait {
                daily.keep(id, now, written(self.run(probe)));
            } else if self.is_stuck(id) {
                daily.keep(id, now, written(unfinished(probe)));
            } else {
                match self.start(probe) {
                    Ok(ended) => {
                        let began = Instant::now();
                        let began_at = now;
                        self.beside.insert(id, Beside { began, began_at, ended });
                    }
                    Err(documents) => daily.keep(id, now, written(documents)),
                }
            }
        }
        let documents = daily.documents(id).map(<[Document]>::to_vec);
        self.daily = Some(daily);
        documents.unwrap_or_else(|| {
            let detail = "runs once a day, and its first run is not over yet";
            written(without_facts(probe, Outcome::Skipped, detail))
        })
    }

    /// Takes what a probe that runs beside the rounds brought, if it has ended, or gives it up if its time is over.
    fn look_beside(&mut self, probe: Registered, daily: &mut Daily) {
        let id = probe.spec.id;
        let Some(beside) = self.beside.remove(id) else {
            return;
        };
        let documents = match beside.ended.try_recv() {
            Ok(Ok(documents)) => documents,
            Ok(Err(_)) | Err(TryRecvError::Disconnected) => panicked(probe),
            Err(TryRecvError::Empty) if beside.began.elapsed() < patience_with(probe) => {
                self.beside.insert(id, beside);
                return;
            }
            Err(TryRecvError::Empty) => {
                self.give_up(probe, beside.ended);
                unfinished(probe)
            }
        };
        daily.keep(id, beside.began_at, written(documents));
    }

    fn run(&mut self, probe: Registered) -> Vec<FactsDocument> {
        if self.is_stuck(probe.spec.id) {
            return unfinished(probe);
        }
        let receiver = match self.start(probe) {
            Ok(receiver) => receiver,
            Err(documents) => return documents,
        };
        match receiver.recv_timeout(patience_with(probe)) {
            Ok(Ok(documents)) => documents,
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => panicked(probe),
            Err(RecvTimeoutError::Timeout) => {
                self.give_up(probe, receiver);
                unfinished(probe)
            }
        }
    }

    /// Whether an earlier run has not come back yet.
    fn is_stuck(&mut self, id: &'static str) -> bool {
        if let Some(earlier) = self.stuck.remove(id)
            && matches!(earlier.try_recv(), Err(TryRecvError::Empty))
        {
            self.stuck.insert(id, earlier);
            return true;
        }
        false
    }

    fn give_up(&mut self, probe: Registered, receiver: Receiver<Ended>) {
        let spec = probe.spec;
        tracing::error!(
            probe = spec.id,
            millis = spec.budget.millis,
            "a probe hangs and was given up"
        );
        self.stuck.insert(spec.id, receiver);
    }

    /// Starts a probe on a thread of its own; without a thread the documents say so.
    fn start(&self, probe: Registered) -> Result<Receiver<Ended>, Vec<FactsDocument>> {
        let spec = probe.spec;
        let machine = self.machine.clone();
        let (sender, receiver) = sync_channel(1);
        let tell = self.tell.clone().filter(|_| spec.cadence == Cadence::Daily);
        let started = std::thread::Builder::new().name(spec.id.to_owned()).spawn(move || {
            let host = machine.host(spec, Deadline::within(spec.budget.millis));
            // If nobody waits any more, there is nobody to tell.
            let _ = sender.send(catch_unwind(AssertUnwindSafe(|| probe.collect(&host))));
            if let Some(tell) = tell {
                tell();
            }
        });
        match started {
            Ok(_) => Ok(receiver),
            Err(error) => {
                let detail = format!("no thread for the probe: {error}");
                Err(without_facts(probe, Outcome::Failed, &detail))
            }
        }
    }
}

fn patience_with(probe: Registered) -> Duration {
    Duration::from_millis(probe.spec.budget.millis.into()) + GRACE
}

fn written(documents: Vec<FactsDocument>) -> Vec<Document> {
    documents.into_iter().filter_map(Document::new).collect()
}

fn panicked(probe: Registered) -> Vec<FactsDocument> {
    let detail = "the probe panicked; the agent's journal has the message";
    without_facts(probe, Outcome::Failed, detail)
}

/// The same words each time, so that the document's digest does not change while the host does not.
fn unfinished(probe: Registered) -> Vec<FactsDocument> {
    let millis = probe.spec.budget.millis;
    let detail = format!("the probe did not end within {millis} ms: something that it reads does not answer");
    without_facts(probe, Outcome::Timeout, &detail)
}

/// The documents that the probe owes, with nothing but the reason in them.
fn without_facts(probe: Registered, outcome: Outcome, detail: &str) -> Vec<FactsDocument> {
    let document = |id: String| {
        Some(FactsDocument {
            probe: ProbeId::new(id).ok()?,
            version: probe.spec.version,
            outcome,
            detail: detail.to_owned(),
            sources: Vec::new(),
            facts: None,
        })
    };
    probe.documents().into_iter().filter_map(document).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use probes::reading::Reading;
    use probes::{Budget, Cadence, Collected, Privilege, Probe, ProbeError, Spec};
    use serde::Serialize;

    use super::*;

    const fn spec(id: &'static str) -> Spec {
        Spec {
            id,
            version: 1,
            title: "",
            reads: &[],
            runs: &[],
            privilege: Privilege::None,
            cadence: Cadence::EveryRound,
            watch: &[],
            budget: Budget {
                millis: 50,
                bytes: 1024,
            },
            does_not_show: &[],
        }
    }

    #[derive(Serialize, schemars::JsonSchema)]
    struct Nothing {}

    struct Panics;
    impl Probe for Panics {
        const SPEC: Spec = spec("panics");
        type Facts = Nothing;
        type Names = Nothing;
        fn collect(_: &Reading<'_>) -> Result<Collected<Nothing, Nothing>, ProbeError> {
            panic!("a fault of the probe");
        }
    }

    struct Hangs;
    impl Probe for Hangs {
        const SPEC: Spec = spec("hangs");
        type Facts = Nothing;
        type Names = probes::NoNames;
        fn collect(_: &Reading<'_>) -> Result<Collected<Nothing, probes::NoNames>, ProbeError> {
            std::thread::sleep(Duration::from_millis(1500));
            Ok(Collected::facts(Nothing {}))
        }
    }

    struct Slow;
    impl Probe for Slow {
        const SPEC: Spec = spec("slow");
        type Facts = Nothing;
        type Names = probes::NoNames;
        fn collect(reading: &Reading<'_>) -> Result<Collected<Nothing, probes::NoNames>, ProbeError> {
            loop {
                reading.list("/")?;
            }
        }
    }

    fn outcomes(collection: &Collection) -> Vec<(&str, Outcome)> {
        collection
            .documents()
            .map(|document| (document.facts().probe.as_str(), document.facts().outcome))
            .collect()
    }

    #[test]
    fn a_probe_that_panics_or_is_slow_or_hangs_is_recorded_and_the_rest_goes_on() {
        let probes = vec![
            Registered::of::<Panics>(),
            Registered::of::<Slow>(),
            Registered::of::<Hangs>(),
        ];
        let mut runner = Runner::new(Machine::own(), probes);
        let first = runner.collect();
        let expected = [
            ("hangs", Outcome::Timeout),
            ("panics", Outcome::Failed),
            ("panics.names", Outcome::Failed),
            ("slow", Outcome::Timeout),
        ];
        assert_eq!(outcomes(&first), expected);

        let begin = Instant::now();
        let second = runner.collect();
        assert!(
            begin.elapsed() < Duration::from_millis(500),
            "what hangs is not started again"
        );
        assert_eq!(second.manifest(), first.manifest(), "the same words each time");

        std::thread::sleep(Duration::from_millis(1200));
        runner.collect();
        assert!(
            runner.stuck.contains_key("hangs"),
            "its thread came back, so it was tried again"
        );
    }

    /// Says how often it ran, and takes 200 ms for it.
    struct Counts;
    static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    #[derive(Serialize, schemars::JsonSchema)]
    struct Count {
        runs: u32,
    }
    impl Probe for Counts {
        const SPEC: Spec = Spec {
            cadence: Cadence::Daily,
            budget: Budget {
                millis: 5_000,
                bytes: 1024,
            },
            ..spec("counts")
        };
        type Facts = Count;
        type Names = probes::NoNames;
        fn collect(_: &Reading<'_>) -> Result<Collected<Count, probes::NoNames>, ProbeError> {
            std::thread::sleep(Duration::from_millis(200));
            let runs = RUNS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
            Ok(Collected::facts(Count { runs }))
        }
    }

    fn said(collection: &Collection) -> String {
        let document = collection.documents().next().unwrap().facts();
        document
            .facts
            .as_ref()
            .map_or(document.outcome.as_str().to_owned(), |facts| facts["runs"].to_string())
    }

    #[test]
    fn a_daily_probe_runs_once_a_day_and_beside_the_rounds() {
        let temp = tempfile::tempdir().unwrap();
        let (sender, told) = std::sync::mpsc::channel();
        let runner = || {
            let folder = crate::folder::Folder::create(temp.path()).unwrap();
            let daily = Daily::open(Some(folder), evidence::Digest::of(b"agent"));
            let sender = sender.clone();
            Runner::new(Machine::own(), vec![Registered::of::<Counts>()]).once_a_day(daily, move || {
                sender.send(()).unwrap();
            })
        };
        let at = |hours: i64| Timestamp::EPOCH.plus(1_000_000_000 + hours * 3600);
        let wait = || told.recv_timeout(Duration::from_secs(10)).unwrap();

        let mut first = runner();
        assert_eq!(said(&first.round(Patience::GoOn, at(0))), "skipped");
        assert_eq!(
            said(&first.round(Patience::GoOn, at(0))),
            "skipped",
            "it is not started twice"
        );
        wait();
        assert_eq!(said(&first.round(Patience::GoOn, at(1))), "1");
        assert_eq!(said(&first.round(Patience::GoOn, at(23))), "1");

        let mut restarted = runner();
        assert_eq!(said(&restarted.round(Patience::GoOn, at(23))), "1");
        assert_eq!(
            said(&restarted.round(Patience::GoOn, at(24))),
            "1",
            "until the next run is over"
        );
        wait();
        assert_eq!(said(&restarted.round(Patience::Wait, at(25))), "2");
        assert_eq!(said(&restarted.round(Patience::Wait, at(47))), "2");
        assert_eq!(said(&restarted.round(Patience::Wait, at(48))), "3");
        assert_eq!(said(&restarted.collect()), "4", "whoever asks for all gets all");
    }
}

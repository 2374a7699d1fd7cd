//! Runs probes in this process, one after the other: small peaks instead of a short round.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use probes::Cadence;
use probes::registry::Registered;

use super::{Collection, Document, Unchanged, owed};
use crate::machine::{Deadline, Machine};

/// How much longer than its budget a probe may take to write down that its time is over, before it is given up.
const GRACE: Duration = Duration::from_millis(500);

/// Something that happened while probes run.
#[derive(Debug)]
pub enum Step {
    /// The probe with this id begins.
    Begins(&'static str),
    /// A probe is done with.
    Ended(Ran),
}

/// What came of a probe.
#[derive(Debug)]
pub struct Ran {
    /// The probe.
    pub id: &'static str,
    /// All documents that it owes.
    pub documents: Vec<Document>,
    /// It was given up: its thread is still in a system call.
    pub hangs: bool,
}

/// Runs probes over a machine.
///
/// A probe that panics gives documents that say `failed`; one that hangs in a system call (a dead network filesystem)
/// gives documents that say `timeout`, and its thread is left behind.
pub struct Runner {
    machine: Machine,
    probes: Vec<Registered>,
    unchanged: Option<Arc<Unchanged>>,
}

impl Runner {
    /// A runner of these probes.
    pub const fn new(machine: Machine, probes: Vec<Registered>) -> Self {
        Self {
            machine,
            probes,
            unchanged: None,
        }
    }

    /// Probes with [`Cadence::OnChange`] read only what has changed since they left what they said there.
    #[must_use]
    pub fn on_change(self, unchanged: Unchanged) -> Self {
        let unchanged = Some(Arc::new(unchanged));
        Self { unchanged, ..self }
    }

    /// Runs them all.
    pub fn collect(self) -> Collection {
        let mut collection = Collection::default();
        let Ok(()) = self.run(|step| {
            if let Step::Ended(ran) = step {
                collection.extend(ran.documents);
            }
            Ok::<(), Infallible>(())
        });
        collection
    }

    /// Runs them all, and tells `heed` of each, until that fails.
    pub fn run<E>(self, mut heed: impl FnMut(Step) -> Result<(), E>) -> Result<(), E> {
        let mut worker = None;
        for probe in self.probes {
            heed(Step::Begins(probe.spec.id))?;
            let idle = match worker.take() {
                Some(idle) => Ok(idle),
                None => Worker::start(&self.machine, self.unchanged.as_ref()),
            };
            let ran = match idle {
                Ok(idle) => {
                    let (ran, after) = idle.run(probe);
                    worker = after;
                    ran
                }
                Err(error) => Ran::of(probe, owed::failed(probe, &format!("no thread for the probe: {error}"))),
            };
            heed(Step::Ended(ran))?;
        }
        Ok(())
    }
}

impl Ran {
    fn of(probe: Registered, documents: Vec<Document>) -> Self {
        Self {
            id: probe.spec.id,
            documents,
            hangs: false,
        }
    }
}

/// A thread that runs a probe when it is told to; another one takes its place if a probe hangs or panics.
struct Worker {
    probes: SyncSender<Registered>,
    documents: Receiver<Vec<Document>>,
}

impl Worker {
    fn start(machine: &Machine, unchanged: Option<&Arc<Unchanged>>) -> io::Result<Self> {
        let (machine, unchanged) = (machine.clone(), unchanged.cloned());
        let (probes, told) = sync_channel::<Registered>(1);
        let (sender, documents) = sync_channel(1);
        std::thread::Builder::new().name("probes".to_owned()).spawn(move || {
            for probe in told {
                let spec = probe.spec;
                let host = machine.host(spec, Deadline::within(spec.budget.millis));
                let documents = match &unchanged {
                    Some(unchanged) if spec.cadence == Cadence::OnChange => unchanged.documents(probe, &host),
                    _ => probe.collect(&host).into_iter().filter_map(Document::new).collect(),
                };
                if sender.send(documents).is_err() {
                    return; // Nobody waits any more.
                }
            }
        })?;
        Ok(Self { probes, documents })
    }

    /// What came of the probe, and the worker if it can run another one.
    fn run(self, probe: Registered) -> (Ran, Option<Self>) {
        let spec = probe.spec;
        // If it does not listen it does not answer either.
        let _ = self.probes.send(probe);
        match self.documents.recv_timeout(patience_with(probe)) {
            Ok(documents) => (Ran::of(probe, documents), Some(self)),
            Err(RecvTimeoutError::Disconnected) => (Ran::of(probe, owed::panicked(probe)), None),
            Err(RecvTimeoutError::Timeout) => {
                let millis = spec.budget.millis;
                tracing::error!(probe = spec.id, millis, "a probe hangs and was given up");
                let ran = Ran {
                    hangs: true,
                    ..Ran::of(probe, owed::unfinished(probe))
                };
                (ran, None)
            }
        }
    }
}

/// How long a probe is waited for.
pub(super) fn patience_with(probe: Registered) -> Duration {
    Duration::from_millis(probe.spec.budget.millis.into()) + GRACE
}

#[cfg(test)]
mod tests {
    use probes::reading::Reading;
    use probes::{Budget, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
    use serde::Serialize;

    use super::*;

    const fn spec(id: &'static str, millis: u32) -> Spec {
        Spec {
            id,
            version: 1,
            title: "",
            reads: &[],
            runs: &[],
            privilege: Privilege::None,
            cadence: Cadence::EveryRound,
            watch: &[],
            budget: Budget { millis, bytes: 1024 },
            does_not_show: &[],
        }
    }

    #[derive(Serialize, schemars::JsonSchema)]
    struct Nothing {}

    struct Panics;
    impl Probe for Panics {
        // A panic may take its time: its backtrace is written first.
        const SPEC: Spec = spec("panics", 60_000);
        type Facts = Nothing;
        type Names = Nothing;
        fn collect(_: &Reading<'_>) -> Result<Collected<Nothing, Nothing>, ProbeError> {
            panic!("a fault of the probe");
        }
    }

    struct Hangs;
    impl Probe for Hangs {
        const SPEC: Spec = spec("hangs", 50);
        type Facts = Nothing;
        type Names = NoNames;
        fn collect(_: &Reading<'_>) -> Result<Collected<Nothing, NoNames>, ProbeError> {
            std::thread::sleep(Duration::from_hours(1));
            Ok(Collected::facts(Nothing {}))
        }
    }

    struct Slow;
    impl Probe for Slow {
        const SPEC: Spec = spec("slow", 50);
        type Facts = Nothing;
        type Names = NoNames;
        fn collect(reading: &Reading<'_>) -> Result<Collected<Nothing, NoNames>, ProbeError> {
            loop {
                reading.list("/")?;
            }
        }
    }

    #[test]
    fn a_probe_that_panics_or_is_slow_or_hangs_is_recorded_and_the_rest_goes_on() {
        let probes = vec![
            Registered::of::<Panics>(),
            Registered::of::<Hangs>(),
            Registered::of::<Slow>(),
        ];
        let mut seen = vec![];
        let Ok(()) = Runner::new(Machine::own(), probes).run(|step| {
            match step {
                Step::Begins(id) => seen.push(format!("{id} begins")),
                Step::Ended(ran) => {
                    seen.extend(
                        ran.documents
                            .iter()
                            .map(|d| format!("{} {}", d.id(), d.outcome().as_str())),
                    );
                    seen.push(format!("{} {}", ran.id, if ran.hangs { "hangs" } else { "ends" }));
                }
            }
            Ok::<(), Infallible>(())
        });
        let expected = [
            "panics begins",
            "panics failed",
            "panics.names failed",
            "panics ends",
            "hangs begins",
            "hangs timeout",
            "hangs hangs",
            "slow begins",
            "slow timeout",
            "slow ends",
        ];
        assert_eq!(seen, expected);
    }
}

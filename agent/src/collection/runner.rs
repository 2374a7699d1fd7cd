//! Runs probes, each on a thread of its own, one after the other: small peaks instead of a short round.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::Duration;

use evidence::facts::{FactsDocument, Outcome, ProbeId};
use probes::registry::Registered;

use super::{Collection, Document};
use crate::machine::{Deadline, Machine};

/// How much longer than its budget a probe may take to write down that its time is over, before it is given up.
const GRACE: Duration = Duration::from_millis(500);

type Ended = Result<Vec<FactsDocument>, Box<dyn Any + Send>>;

/// Runs probes over a machine, round after round.
///
/// A probe that panics gives documents that say `failed`; one that hangs in a system call (a dead network filesystem)
/// gives documents that say `timeout`, its thread is left behind, and it is not started again before that thread has
/// come back: so threads do not pile up.
pub struct Runner {
    machine: Machine,
    probes: Vec<Registered>,
    stuck: BTreeMap<&'static str, Receiver<Ended>>,
}

impl Runner {
    /// A runner of these probes.
    pub const fn new(machine: Machine, probes: Vec<Registered>) -> Self {
        Self {
            machine,
            probes,
            stuck: BTreeMap::new(),
        }
    }

    /// One round.
    pub fn collect(&mut self) -> Collection {
        let mut collection = Collection::default();
        for probe in self.probes.clone() {
            let documents = self.run(probe);
            documents
                .into_iter()
                .filter_map(Document::new)
                .for_each(|document| collection.add(document));
        }
        collection
    }

    fn run(&mut self, probe: Registered) -> Vec<FactsDocument> {
        let spec = probe.spec;
        if let Some(earlier) = self.stuck.remove(spec.id)
            && matches!(earlier.try_recv(), Err(TryRecvError::Empty))
        {
            self.stuck.insert(spec.id, earlier);
            return unfinished(probe);
        }
        let machine = self.machine.clone();
        let (sender, receiver) = sync_channel(1);
        let millis = spec.budget.millis;
        let started = std::thread::Builder::new().name(spec.id.to_owned()).spawn(move || {
            let host = machine.host(spec, Deadline::within(millis));
            // If nobody waits any more, there is nobody to tell.
            let _ = sender.send(catch_unwind(AssertUnwindSafe(|| probe.collect(&host))));
        });
        if let Err(error) = started {
            return without_facts(probe, Outcome::Failed, &format!("no thread for the probe: {error}"));
        }
        match receiver.recv_timeout(Duration::from_millis(millis.into()) + GRACE) {
            Ok(Ok(documents)) => documents,
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => without_facts(
                probe,
                Outcome::Failed,
                "the probe panicked; the agent's journal has the message",
            ),
            Err(RecvTimeoutError::Timeout) => {
                tracing::error!(probe = spec.id, millis, "a probe hangs and was given up");
                self.stuck.insert(spec.id, receiver);
                unfinished(probe)
            }
        }
    }
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
    probe.schemas().into_iter().filter_map(|(id, _)| document(id)).collect()
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
}

//! The documents that a probe owes when it brought none. Always the same words, so that their digests do not change while the
//! host does not.

use evidence::facts::{FactsDocument, Outcome, ProbeId};
use probes::registry::Registered;

use super::Document;

/// It runs once a day and has not ended for the first time.
pub(super) fn first_run(probe: Registered) -> Vec<Document> {
    let detail = "runs once a day, and its first run is not over yet";
    without_facts(probe, Outcome::Skipped, detail)
}

/// It panicked.
pub(super) fn panicked(probe: Registered) -> Vec<Document> {
    let detail = "the probe panicked; the agent's journal has the message";
    without_facts(probe, Outcome::Failed, detail)
}

/// It did not end, or an earlier run of it has not ended yet.
pub(super) fn unfinished(probe: Registered) -> Vec<Document> {
    let millis = probe.spec.budget.millis;
    let detail = format!("the probe did not end within {millis} ms: something that it reads does not answer");
    without_facts(probe, Outcome::Timeout, &detail)
}

/// It could not be run, or its process ended under it.
pub(super) fn failed(probe: Registered, detail: &str) -> Vec<Document> {
    without_facts(probe, Outcome::Failed, detail)
}

fn without_facts(probe: Registered, outcome: Outcome, detail: &str) -> Vec<Document> {
    let document = |id: String| {
        Document::new(FactsDocument {
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

//! Each source unreadable in turn: every document of the probe that read it says so.

use evidence::facts::{FactsDocument, Outcome};

use crate::tampered::Tampered;
use crate::{bytes, each};

/// A source that was denied, or words about it.
fn says(document: &FactsDocument) -> bool {
    let source = document.sources.iter().any(|source| source.outcome == Outcome::Denied);
    source || document.outcome == Outcome::Denied || document.detail.contains("denied")
}

#[test]
fn what_is_denied_is_said_and_changes_the_document() {
    let mut silent = Vec::new();
    let mut tried = 0;
    for (probe, machine) in each() {
        let whole = Tampered::not(&machine);
        let before = probe.collect(&whole);
        for question in whole.asked() {
            tried += 1;
            let documents = probe.collect(&Tampered::denied(&machine, question.clone()));
            let said = documents.iter().all(says);
            // Where something is denied on this machine anyway, one source more of the kind may add no word.
            let before_said = before.iter().all(says);
            if !said || (bytes(&documents) == bytes(&before) && !before_said) {
                silent.push(format!("{}: {question:?}", probe.spec.id));
            }
        }
    }
    assert!(
        tried > 100,
        "only {tried} sources were read: this machine shows nothing"
    );
    assert!(silent.is_empty(), "unreadable, and not said:\n{}", silent.join("\n"));
}

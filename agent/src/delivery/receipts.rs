//! What is believed of an answer to a batch: nothing but what proofs and the log's signature bear out.

use evidence::checkpoint::{CheckpointError, SignedCheckpoint};
use evidence::key::SignatureCheck;
use evidence::note::VerifierKey;
use evidence::proof::{HashesError, hashes_from_text};
use evidence::tree::{self, ProofError};
use evidence::wire::{DeliverResponse, Delivered};
use thiserror::Error;

/// What was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// It extends the one that was known.
    pub checkpoint: SignedCheckpoint,
    /// Places in the log of the first envelopes of the batch.
    pub indexes: Vec<u64>,
}

/// Why an answer is not believed.
#[derive(Debug, Error)]
pub enum Disbelief {
    /// Not of the form of an answer. A fault, no proof of anything.
    #[error("the answer is not of the right form: {0}")]
    Form(String),
    /// A proof that cannot be read.
    #[error("the answer is not of the right form: {0}")]
    Hashes(#[from] HashesError),
    /// The checkpoint is not one that the log's key signed.
    #[error("the checkpoint in the answer is not the log's: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Two checkpoints, both signed by the log, that no append-only log can have, or a receipt that does not hold.
    #[error("{detail}")]
    Contradiction {
        /// `rollback`, `fork` or `missing_entry`.
        kind: &'static str,
        /// What the log showed.
        shown: Box<SignedCheckpoint>,
        /// What is wrong, for people.
        detail: String,
    },
}

/// Checks the receipts in `answer` to a batch of `sent` envelopes. `Ok(None)`: nothing was accepted, nothing is proven.
pub fn believe(
    known: &SignedCheckpoint,
    sent: &[&[u8]],
    answer: &DeliverResponse,
    log: &VerifierKey,
    check: &dyn SignatureCheck,
) -> Result<Option<Believed>, Disbelief> {
    if answer.results.len() > sent.len() {
        let (got, asked) = (answer.results.len(), sent.len());
        return Err(Disbelief::Form(format!("{got} results for {asked} statements")));
    }
    let accepted: Vec<_> = answer
        .results
        .iter()
        .map_while(|result| match result {
            Delivered::Accepted { index, proof } => Some((*index, proof)),
            _ => None,
        })
        .collect();
    let others = answer.results.get(accepted.len()..).unwrap_or_default();
    if others.iter().any(|result| matches!(result, Delivered::Accepted { .. })) {
        return Err(Disbelief::Form(
            "a statement is accepted after one that is not".to_owned(),
        ));
    }
    if accepted.is_empty() {
        return Ok(None);
    }
    let Some(note) = &answer.checkpoint else {
        return Err(Disbelief::Form(
            "statements are accepted without a checkpoint".to_owned(),
        ));
    };
    let shown = SignedCheckpoint::verify(note, log, check)?;
    let consistency = hashes_from_text(&answer.consistency)?;
    let (old, new) = (known.checkpoint(), shown.checkpoint());
    let contradiction = |kind, detail| Disbelief::Contradiction {
        kind,
        shown: Box::new(shown.clone()),
        detail,
    };
    match tree::verify_consistency(old.size, old.root, new.size, new.root, &consistency) {
        Ok(()) => {}
        Err(ProofError::Shrunk { .. }) => {
            let detail = format!("the log had {} entries and now shows {}", old.size, new.size);
            return Err(contradiction("rollback", detail));
        }
        Err(error) => {
            let detail = format!(
                "the log of {} entries is not shown to extend the one of {} that this host knows: {error}",
                new.size, old.size
            );
            return Err(contradiction("fork", detail));
        }
    }
    let mut indexes = Vec::with_capacity(accepted.len());
    for ((index, proof), envelope) in accepted.into_iter().zip(sent) {
        let proof = hashes_from_text(proof)?;
        let computed = tree::root_from_inclusion(tree::leaf_hash(envelope), index, new.size, &proof);
        if computed != Ok(new.root) {
            let detail = format!(
                "the receipt for entry {index} does not hold in the log of {} entries",
                new.size
            );
            return Err(contradiction("missing_entry", detail));
        }
        indexes.push(index);
    }
    Ok(Some(Believed {
        checkpoint: shown,
        indexes,
    }))
}

#[cfg(test)]
mod tests {
    use evidence::aws_lc::AwsLc;

    use super::*;
    use crate::testing::Log;

    fn kind(result: Result<Option<Believed>, Disbelief>) -> &'static str {
        match result {
            Err(Disbelief::Contradiction { kind, .. }) => kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_honest_log_is_believed() {
        let log = Log::new("a", 9);
        let answer = log.answer(5, vec![log.accepted(7), log.accepted(8)]);
        let believed = believe(&log.checkpoint(5), &[b"a 7", b"a 8"], &answer, &log.key(), &AwsLc);
        let believed = believed.unwrap().unwrap();
        assert_eq!(
            (believed.indexes, believed.checkpoint.checkpoint().size),
            (vec![7, 8], 9)
        );
    }

    #[test]
    fn what_no_append_only_log_can_show_is_a_contradiction() {
        let (log, other) = (Log::new("a", 9), Log::new("b", 12));
        let believe = |known: &SignedCheckpoint, sent: &[&[u8]], answer: &DeliverResponse| {
            believe(known, sent, answer, &log.key(), &AwsLc)
        };
        let forked = other.answer(9, vec![other.accepted(11)]);
        assert_eq!(kind(believe(&log.checkpoint(9), &[b"b 11"], &forked)), "fork");
        let same_size = Log::new("b", 9);
        let forked = same_size.answer(9, vec![same_size.accepted(8)]);
        assert_eq!(kind(believe(&log.checkpoint(9), &[b"b 8"], &forked)), "fork");
        let smaller = log.answer(9, vec![log.accepted(8)]);
        assert_eq!(kind(believe(&other.checkpoint(12), &[b"a 8"], &smaller)), "rollback");
        let not_there = log.answer(5, vec![log.accepted(8)]);
        assert_eq!(
            kind(believe(&log.checkpoint(5), &[b"never appended"], &not_there)),
            "missing_entry"
        );
    }

    #[test]
    fn faults_are_no_proofs() {
        let log = Log::new("a", 9);
        let known = log.checkpoint(5);
        let good = log.answer(5, vec![log.accepted(8)]);
        let disbelief = |answer: &DeliverResponse| believe(&known, &[b"a 8"], answer, &log.key(), &AwsLc).unwrap_err();
        let mut unsigned = good.clone();
        unsigned.checkpoint = good.checkpoint.as_ref().map(|note| note.replace("\n9\n", "\n8\n"));
        assert!(matches!(disbelief(&unsigned), Disbelief::Checkpoint(_)));
        let mut none = good.clone();
        none.checkpoint = None;
        assert!(matches!(disbelief(&none), Disbelief::Form(_)));
        let mut unreadable = good.clone();
        unreadable.consistency[0] = "x".into();
        assert!(matches!(disbelief(&unreadable), Disbelief::Hashes(_)));
        let mut too_many = good.clone();
        too_many.results.push(log.accepted(7));
        assert!(matches!(disbelief(&too_many), Disbelief::Form(_)));
    }
}

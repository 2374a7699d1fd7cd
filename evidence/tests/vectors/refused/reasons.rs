//! Reads bytes as what they claim to be, and names the reason for which they are refused.

use evidence::checkpoint::{CheckpointError, SignedCheckpoint};
use evidence::envelope::{EnvelopeError, Unverified};
use evidence::facts::{FactsDocument, FactsError};
use evidence::json::{self, JsonError};
use evidence::key::{PublicKey, SignatureCheck};
use evidence::manifest::{Manifest, ManifestError};
use evidence::note::{NoteError, VerifierKey};
use evidence::proof::{self, HashesError, Receipt, ReceiptError};
use evidence::statement::{HostId, Statement, StatementError};
use evidence::tile::{BundleError, Resource, decode_bundle};
use evidence::tree::{ProofError, verify_consistency};
use evidence::wire::{Token, TokenError};
use evidence::{Digest, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::ed25519::Dalek;
use crate::keys;

type Reason = &'static str;

/// Reads `bytes` as `kind`; what else is needed for it stands in the case.
pub(crate) fn read(kind: &str, case: &Value, bytes: &[u8]) -> Result<(), Reason> {
    match kind {
        "canonical-json" => json::parse_canonical(bytes).map(drop).map_err(|error| of_json(&error)),
        "facts" => FactsDocument::from_bytes(bytes)
            .map(drop)
            .map_err(|error| of_facts(&error)),
        "manifest" => Manifest::from_bytes(bytes)
            .map(drop)
            .map_err(|error| of_manifest(&error)),
        "statement" => Statement::from_bytes(bytes)
            .map(drop)
            .map_err(|error| of_statement(&error)),
        "envelope" => {
            let key: PublicKey = serde_json::from_value(case["key"].clone()).unwrap();
            // What the collector accepts and what an auditor accepts must be the same.
            #[cfg(feature = "aws-lc-rs")]
            assert_eq!(
                verified(bytes, &key, &evidence::aws_lc::AwsLc),
                verified(bytes, &key, &Dalek),
                "{case}"
            );
            verified(bytes, &key, &Dalek)
        }
        "checkpoint" => {
            let read = SignedCheckpoint::verify(text(bytes), &keys::log_verifier(), &Dalek);
            read.map(drop).map_err(|error| of_checkpoint(&error))
        }
        "receipt" => {
            let entry = case["entry"].as_str().unwrap().as_bytes();
            let read =
                Receipt::parse(text(bytes)).and_then(|receipt| receipt.verify(entry, &keys::log_verifier(), &Dalek));
            read.map(drop).map_err(|error| of_receipt(&error))
        }
        "consistency" => consistency(bytes),
        "bundle" => decode_bundle(bytes).map(drop).map_err(|error| match error {
            BundleError::Truncated { .. } => "truncated",
            BundleError::TooMany => "too_many",
            BundleError::TooLong { .. } => "too_long",
        }),
        "key" => PublicKey::from_spki(bytes).map(drop).map_err(|_| "key"),
        "vkey" => text(bytes).parse::<VerifierKey>().map(drop).map_err(|_| "vkey"),
        "token" => text(bytes).parse::<Token>().map(drop).map_err(|error| match error {
            TokenError::Form => "form",
            TokenError::Part { .. } => "part",
        }),
        "name" => name(case["of"].as_str().unwrap(), text(bytes)),
        _ => panic!("refused/{kind}.json: no reader"),
    }
}

fn verified(bytes: &[u8], key: &PublicKey, check: &dyn SignatureCheck) -> Result<(), Reason> {
    let read = Unverified::from_bytes(bytes).and_then(|envelope| envelope.verify(key, check));
    read.map(drop).map_err(|error| of_envelope(&error))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn name(of: &str, text: &str) -> Result<(), Reason> {
    match of {
        "host" => HostId::new(text).is_ok(),
        "instant" => text.parse::<Timestamp>().is_ok(),
        "digest" => text.parse::<Digest>().is_ok(),
        "path in the log" => text.parse::<Resource>().is_ok(),
        _ => panic!("names of {of}: no reader"),
    }
    .then_some(())
    .ok_or("form")
}

#[derive(Deserialize)]
struct Consistency {
    old: u64,
    old_root: Digest,
    new: u64,
    new_root: Digest,
    proof: Vec<String>,
}

fn consistency(bytes: &[u8]) -> Result<(), Reason> {
    let shown: Consistency = serde_json::from_slice(bytes).unwrap();
    let proof = proof::hashes_from_text(shown.proof).map_err(|error| of_hashes(&error))?;
    verify_consistency(shown.old, shown.old_root, shown.new, shown.new_root, &proof).map_err(|error| of_proof(&error))
}

fn of_json(error: &JsonError) -> Reason {
    match error {
        // JSON, and canonical, and not of the shape that is read.
        JsonError::Syntax(error) if error.is_data() => "shape",
        JsonError::Syntax(_) | JsonError::Representation(_) => "not_json",
        JsonError::Number { .. } => "number",
        JsonError::Spelling { .. } => "not_canonical",
    }
}

fn of_facts(error: &FactsError) -> Reason {
    match error {
        FactsError::TooLarge { .. } => "too_large",
        FactsError::Json(error) => of_json(error),
        FactsError::Contradiction { .. } => "facts_and_outcome",
        FactsError::ProbeId { .. } => "shape",
    }
}

fn of_manifest(error: &ManifestError) -> Reason {
    match error {
        ManifestError::TooLarge { .. } => "too_large",
        ManifestError::Text => "not_whole_lines",
        ManifestError::Line { .. } => "line",
        ManifestError::Digest { .. } => "digest",
        ManifestError::Probe { .. } => "probe",
        ManifestError::Order { .. } => "order",
    }
}

fn of_statement(error: &StatementError) -> Reason {
    match error {
        StatementError::Json(error) => of_json(error),
        StatementError::Type { .. } => "type",
        StatementError::Kind { .. } => "predicate_type",
        StatementError::Predicate { .. } => "predicate",
    }
}

fn of_envelope(error: &EnvelopeError) -> Reason {
    match error {
        EnvelopeError::TooLarge { .. } => "too_large",
        EnvelopeError::Json(error) => of_json(error),
        EnvelopeError::PayloadType { .. } => "payload_type",
        EnvelopeError::Signatures { .. } => "signatures",
        EnvelopeError::Base64 { .. } => "base64",
        EnvelopeError::OtherKey { .. } => "other_key",
        EnvelopeError::Signature(_) => "signature",
        EnvelopeError::Statement(error) => of_statement(error),
        EnvelopeError::Sign(_) => "signing",
    }
}

fn of_note(error: &NoteError) -> Reason {
    match error {
        NoteError::TooLarge { .. } => "too_large",
        NoteError::Text => "not_text",
        NoteError::Form => "no_signature_block",
        NoteError::SignatureLine { .. } | NoteError::Name { .. } => "signature_line",
        NoteError::TooManySignatures => "too_many_signatures",
        NoteError::VerifierKey => "vkey",
        NoteError::NotSigned { .. } => "not_signed",
        NoteError::Signature { .. } => "signature",
        NoteError::Sign(_) => "signing",
    }
}

fn of_checkpoint(error: &CheckpointError) -> Reason {
    match error {
        CheckpointError::Lines => "lines",
        CheckpointError::Origin => "origin",
        CheckpointError::Size { .. } => "size",
        CheckpointError::Root => "root",
        CheckpointError::OtherLog { .. } => "other_log",
        CheckpointError::Note(error) => of_note(error),
    }
}

fn of_hashes(error: &HashesError) -> Reason {
    match error {
        HashesError::Hash { .. } => "hash",
        HashesError::TooMany => "too_many_hashes",
    }
}

fn of_proof(error: &ProofError) -> Reason {
    match error {
        ProofError::OutsideTree { .. } => "outside_tree",
        ProofError::Shrunk { .. } => "shrunk",
        ProofError::Length { .. } => "proof_length",
        ProofError::OtherRoot { .. } => "other_root",
    }
}

fn of_receipt(error: &ReceiptError) -> Reason {
    match error {
        ReceiptError::TooLarge { .. } => "too_large",
        ReceiptError::Header => "header",
        ReceiptError::Index => "index",
        ReceiptError::Extra => "extra",
        ReceiptError::NoCheckpoint => "no_checkpoint",
        ReceiptError::Hashes(error) => of_hashes(error),
        ReceiptError::Checkpoint(error) => of_checkpoint(error),
        ReceiptError::Proof(error) => of_proof(error),
    }
}

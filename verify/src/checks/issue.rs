//! The pack statement: that the collector issued exactly this pack, and said so in its log.

use evidence::envelope::Unverified;
use evidence::note::VerifierKey;
use evidence::proof::{self, Receipt};
use evidence::statement::{PackIssue, Predicate, Subject};
use evidence::tree;
use evidence::{Digest, pack};

use super::Context;
use super::keyring::Keyring;
use super::log::Log;
use crate::failure::Failure;
use crate::signatures::Dalek;

/// Checks `pack.dsse.json` and `pack.tlog-proof`.
pub(super) fn check(
    context: &mut Context,
    log: &Log,
    log_key: &VerifierKey,
    keyring: &Keyring,
    sums: Digest,
) -> Result<PackIssue, Failure> {
    let (envelope, _) = context.archive.bytes(pack::STATEMENT)?;
    let wrong = |what: String| Failure::wrong(what, pack::STATEMENT);
    let read = Unverified::from_bytes(&envelope).map_err(|error| wrong(error.to_string()))?;
    let verified = read
        .verify(&keyring.opening.statement_key, &Dalek)
        .map_err(|error| wrong(error.to_string()))?;
    let expected = [Subject {
        name: pack::SUMS.to_owned(),
        digest: sums,
    }];
    let statement = verified.statement();
    let Predicate::Pack(issue) = &statement.predicate else {
        return Err(wrong("is not a pack statement".to_owned()));
    };
    if statement.subject != expected {
        return Err(wrong(format!(
            "is about another pack: its subject is not {} with SHA-256 {sums}",
            pack::SUMS
        )));
    }
    let head = log.head();
    if (issue.tree_size, issue.root) != (head.size, head.root) {
        return Err(wrong(format!(
            "was issued for {} entries with root {}",
            issue.tree_size, issue.root
        )));
    }
    if issue.last_entry != keyring.last_entry {
        return Err(wrong(format!(
            "says that the collector's last entry is {}, {} ends with {}",
            issue.last_entry,
            pack::COLLECTOR,
            keyring.last_entry
        )));
    }
    if issue.from >= issue.to {
        return Err(wrong(format!("its period {} to {} is empty", issue.from, issue.to)));
    }
    context.report.passed(
        "the pack statement is signed by the collector and is about this pack",
        1,
    );

    let (text, _) = context.archive.bytes(pack::RECEIPT)?;
    let wrong = |what: String| Failure::wrong(what, pack::RECEIPT);
    let text = String::from_utf8(text).map_err(|_| wrong("not UTF-8".to_owned()))?;
    let receipt = Receipt::parse(&text).map_err(|error| wrong(error.to_string()))?;
    let later = receipt
        .verify(&envelope, log_key, &Dalek)
        .map_err(|error| wrong(error.to_string()))?;
    let later = later.checkpoint();
    let extra = receipt.extra.as_deref().unwrap_or_default();
    let extra = std::str::from_utf8(extra).map_err(|_| wrong("the consistency proof is not text".to_owned()))?;
    let hashes = proof::hashes_from_text(extra.split_terminator('\n')).map_err(|error| wrong(error.to_string()))?;
    if receipt.index < head.size {
        return Err(wrong(format!(
            "says that the pack was issued at log entry {}, before the tree that it shows",
            receipt.index
        )));
    }
    tree::verify_consistency(head.size, head.root, later.size, later.root, &hashes).map_err(|error| {
        wrong(format!(
            "the log at its issue does not extend the log in the pack: {error}"
        ))
    })?;
    context
        .report
        .passed("the pack statement is in the log, which extends the log in the pack", 1);
    Ok(issue.clone())
}

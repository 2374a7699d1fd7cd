//! Whether a statement is the next one of its host.
//!
//! A key has one epoch: the first statement under it opens that, and another epoch needs another enrolment. In the epoch
//! the sequence grows by one and `previous` names the envelope before. A jump counts only where `lost` covers exactly
//! the numbers jumped over; then `previous` names an envelope that nobody has, and is not checked.

use evidence::Digest;
use evidence::statement::Observation;
use evidence::wire::{Refusal, RefusalCode};

use crate::store::{Member, StoreError, Transaction};

/// What becomes of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is the next one.
    Append,
    /// The same bytes are in the log already, there.
    Already(u64),
    /// It is not taken.
    Refuse(Refusal),
}

fn refuse(code: RefusalCode, detail: String) -> Decision {
    Decision::Refuse(Refusal { code, detail })
}

/// Decides about a statement, whose envelope has this digest, of a member as the log has it so far.
pub fn decide(
    member: &Member,
    observation: &Observation,
    digest: &Digest,
    log: &mut dyn Transaction,
) -> Result<Decision, StoreError> {
    let sequence = observation.sequence;
    // What was taken before the revocation stays taken: a host may ask again for that receipt.
    if let Some(last) = &member.last
        && sequence <= last.sequence
        && last.epoch == observation.epoch
    {
        return earlier(member, sequence, digest, log);
    }
    if member.revoked.is_some() {
        let detail = format!(
            "the key of {} was revoked; enrol this host again if it is to report",
            member.host
        );
        return Ok(refuse(RefusalCode::RevokedKey, detail));
    }
    let next = match &member.last {
        None => 0,
        Some(last) if last.epoch != observation.epoch => {
            let detail = format!(
                "the log has epoch {} under this key, this statement says {}: two state directories share one key. \
                 Enrol this machine again",
                last.epoch, observation.epoch
            );
            return Ok(refuse(RefusalCode::Conflict, detail));
        }
        Some(last) => last.sequence + 1,
    };
    if let Some(lost) = &observation.lost {
        let (from, to) = (lost.from, lost.to);
        if from != next || to < from || to + 1 != sequence {
            let detail =
                format!("{next} is next; this is {sequence} and declares {from} to {to} lost, which leaves a gap");
            return Ok(refuse(RefusalCode::WrongSequence, detail));
        }
        return Ok(Decision::Append);
    }
    if sequence != next {
        let detail = format!("{next} is next, this is {sequence}, and no loss is declared");
        return Ok(refuse(RefusalCode::WrongSequence, detail));
    }
    let expected = member.last.as_ref().map(|last| last.digest);
    if observation.previous != expected {
        let name = |digest: Option<Digest>| digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
        let detail = format!(
            "the statement before {sequence} has the digest {}, this one names {}",
            name(expected),
            name(observation.previous)
        );
        return Ok(refuse(RefusalCode::WrongPrevious, detail));
    }
    Ok(Decision::Append)
}

/// A number that the log is past: the same bytes again, or another statement.
fn earlier(member: &Member, sequence: u64, digest: &Digest, log: &mut dyn Transaction) -> Result<Decision, StoreError> {
    let Some(index) = log.position(&member.keyid(), sequence)? else {
        let detail = format!("statement {sequence} was declared lost, and later ones are in the log");
        return Ok(refuse(RefusalCode::WrongSequence, detail));
    };
    let entries = log.entries(index, 1)?;
    let same = entries.first().is_some_and(|(_, bytes)| Digest::of(bytes) == *digest);
    if same {
        return Ok(Decision::Already(index));
    }
    let detail = format!(
        "another statement {sequence} of {} is in the log at {index}: two machines use one identity. Enrol one of them \
         again",
        member.host
    );
    Ok(refuse(RefusalCode::Conflict, detail))
}

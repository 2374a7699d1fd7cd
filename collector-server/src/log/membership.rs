//! What an entry changes about members. The one place that says so: the writer applies it, `fsck` derives it again.

use evidence::Digest;
use evidence::key::KeyId;
use evidence::statement::{Predicate, Statement};

use crate::store::{Last, Member, StoreError, Transaction};

/// What an entry changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A host joins with a key.
    Joined(Member),
    /// A key counts for no entry after this one.
    Revoked(KeyId),
    /// The host that this key belongs to has made another statement.
    Stated(KeyId, Last),
    /// Nothing about members.
    Nothing,
}

/// What the entry at `index`, signed with `signer`, changes; `digest` is that of its envelope.
pub fn change(index: u64, signer: KeyId, statement: &Statement, digest: Digest) -> Change {
    match &statement.predicate {
        Predicate::Enrolment(enrolment) => Change::Joined(Member {
            host: enrolment.host.clone(),
            name: enrolment.name.clone(),
            key: enrolment.statement_key.clone(),
            enrolled: index,
            revoked: None,
            last: None,
        }),
        Predicate::Revocation(revocation) => Change::Revoked(revocation.keyid),
        Predicate::Observation(observation) => {
            let last = Last {
                index,
                epoch: observation.epoch.clone(),
                sequence: observation.sequence,
                digest,
            };
            Change::Stated(signer, last)
        }
        Predicate::Log(_) | Predicate::Rules(_) | Predicate::Pack(_) => Change::Nothing,
    }
}

/// Writes a change down.
pub(super) fn apply(change: &Change, index: u64, transaction: &mut dyn Transaction) -> Result<(), StoreError> {
    match change {
        Change::Joined(member) => transaction.add_member(member),
        Change::Revoked(key) => transaction.revoke_member(key, index),
        Change::Stated(key, last) => transaction.advance_member(key, last),
        Change::Nothing => Ok(()),
    }
}

//! What a piece of work may do inside the writer's transaction.

use evidence::Digest;
use evidence::aws_lc::Ed25519Signer;
use evidence::envelope::{Verified, seal};
use evidence::key::KeyId;
use evidence::statement::{Predicate, Statement};

use super::edge::Edge;
use super::membership::{self, Change};
use crate::store::{Member, StoreError, Transaction};

/// Members kept at hand: some 300 bytes each.
const MEMBERS: usize = 100_000;

/// A transaction that knows the tree.
pub struct Batch<'a> {
    pub(super) transaction: &'a mut dyn Transaction,
    pub(super) edge: &'a mut Edge,
}

/// An entry that was appended.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Where.
    pub index: u64,
    /// What.
    pub entry: Verified,
}

impl Batch<'_> {
    /// How many entries there are, those of this transaction included.
    pub fn size(&self) -> u64 {
        self.edge.frontier.size()
    }

    /// The store's side of the transaction. The tree is not to be changed through it.
    pub fn store(&mut self) -> &mut dyn Transaction {
        self.transaction
    }

    /// The member whose statement key this is.
    pub fn member(&mut self, key: &KeyId) -> Result<Option<Member>, StoreError> {
        if let Some(member) = self.edge.members.get(key) {
            return Ok(Some(member.clone()));
        }
        let member = self.transaction.member(key)?;
        if let Some(member) = &member {
            if self.edge.members.len() >= MEMBERS {
                self.edge.members.clear();
            }
            self.edge.members.insert(*key, member.clone());
        }
        Ok(member)
    }

    /// Appends an entry and notes what it changes about members; returns its index. The caller has decided that it may be
    /// appended: that its key counts here, and what else its kind asks for.
    pub fn append(&mut self, entry: &Verified) -> Result<u64, StoreError> {
        let statement = entry.statement();
        let opens = matches!(statement.predicate, Predicate::Log(_));
        if opens != (self.size() == 0) {
            return Err(StoreError::Misuse {
                what: "an opening is entry 0 of the log and nothing else is".to_owned(),
            });
        }
        let digest = entry.digest();
        let index = self.edge.push(entry.bytes());
        self.transaction.append(index, entry.bytes())?;
        if !matches!(statement.predicate, Predicate::Observation(_)) {
            if self.transaction.last_own_digest()? != statement.previous_of_collector() {
                return Err(StoreError::Misuse {
                    what: "an entry of the collector that does not name the one before it".to_owned(),
                });
            }
            self.transaction.add_own(index, statement.predicate.kind(), &digest)?;
        }
        let change = membership::change(index, entry.keyid(), statement, digest);
        membership::apply(&change, index, self.transaction)?;
        match change {
            Change::Stated(key, last) => {
                if let Some(member) = self.edge.members.get_mut(&key) {
                    member.last = Some(last);
                }
            }
            Change::Revoked(key) => drop(self.edge.members.remove(&key)),
            Change::Joined(_) | Change::Nothing => {}
        }
        Ok(index)
    }

    /// Signs and appends an entry of the collector; `make` gets the digest of the collector's entry before it.
    pub fn append_own(
        &mut self,
        signer: &Ed25519Signer,
        make: impl FnOnce(Digest) -> Statement,
    ) -> Result<Appended, StoreError> {
        let previous = self.transaction.last_own_digest()?.ok_or_else(|| StoreError::Misuse {
            what: "an entry of the collector before the log's opening".to_owned(),
        })?;
        let entry = seal(&make(previous), signer).map_err(|source| StoreError::Engine {
            doing: "signing an entry",
            source: source.into(),
        })?;
        let index = self.append(&entry)?;
        Ok(Appended { index, entry })
    }
}

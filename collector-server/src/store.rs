//! What the collector keeps, behind one trait, so that the engine can change and nothing above it does.
//!
//! The ground is the log's entries, and the manifests and facts documents by digest. Tree hashes and the state of members
//! are derived from the entries and kept in the same transaction, so that ingest decides without reading the log again;
//! `fsck` derives them once more and compares. Tokens and contacts are no evidence.
//!
//! Every engine passes `conformance`. Calls block; async code asks from [`tokio::task::spawn_blocking`] or accepts a
//! read of some microseconds.

pub mod bundle;
#[cfg(test)]
pub mod conformance;
mod error;
mod record;
pub mod sqlite;

use std::path::Path;

use evidence::Digest;
use evidence::facts::ProbeId;
use evidence::key::KeyId;
use evidence::statement::HostId;

pub use error::StoreError;
pub use record::{CloneSuspicion, Contact, Head, Last, Member, StoredFacts, TokenRecord, TokenUse};
pub use sqlite::Sqlite;

/// Hashes in a full tile and entries in a full bundle (C2SP tlog-tiles).
pub const TILE_WIDTH: u64 = 256;

/// Reading, and the one way to write.
pub trait Store: Send + Sync + 'static {
    /// The newest committed tree head; `None` before entry 0.
    fn head(&self) -> Result<Option<Head>, StoreError>;

    /// How many entries are committed.
    fn size(&self) -> Result<u64, StoreError> {
        Ok(self.head()?.map_or(0, |head| head.size))
    }

    /// The newest signed checkpoint.
    fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        Ok(self.head()?.map(|head| head.checkpoint))
    }

    /// Entries from index `from` on, at most `limit`, in order and without a gap; fewer where the log ends.
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// One entry; `None` beyond the end.
    fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries(index, 1)?.pop().map(|(_, bytes)| bytes))
    }

    /// The hashes of the tile `index` at tile level `level`, as far as they are known. Level 0 is kept once it is full; the
    /// hashes before that follow from the entries. `log::Tiles` reads every tile.
    fn hashes(&self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError>;

    /// The manifest with this digest.
    fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// The facts document with this digest.
    fn facts(&self, digest: &Digest) -> Result<Option<StoredFacts>, StoreError>;

    /// The probe that the facts document with this digest is of; `None` if it is not stored.
    fn facts_probe(&self, digest: &Digest) -> Result<Option<ProbeId>, StoreError>;

    /// Those of `digests` under which no facts document is stored.
    fn missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        let mut missing = Vec::new();
        for digest in digests {
            if self.facts_probe(digest)?.is_none() {
                missing.push(*digest);
            }
        }
        Ok(missing)
    }

    /// Digests of the manifests after `after`, in order of digest, at most `limit`.
    fn manifest_digests(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError>;

    /// Digests of the facts documents after `after`, in order of digest, at most `limit`.
    fn facts_digests(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError>;

    /// The member whose statement key this is.
    fn member(&self, key: &KeyId) -> Result<Option<Member>, StoreError>;

    /// The member with this id.
    fn member_of(&self, host: &HostId) -> Result<Option<Member>, StoreError>;

    /// Members after `after`, in order of host id, at most `limit`.
    fn members(&self, after: Option<&HostId>, limit: usize) -> Result<Vec<Member>, StoreError>;

    /// Where the statement with this sequence number, signed with this key, is in the log.
    fn position(&self, key: &KeyId, sequence: u64) -> Result<Option<u64>, StoreError>;

    /// Indexes, from `from` on, of entries that no host made: of one kind (a `predicateType`) or of all.
    fn own(&self, kind: Option<&str>, from: u64, limit: usize) -> Result<Vec<u64>, StoreError>;

    /// Index of the newest entry of a kind that no host makes.
    fn last_own(&self, kind: &str) -> Result<Option<u64>, StoreError>;

    /// A file that an entry of the collector names by digest: a rule, a catalogue, a baseline.
    fn file(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// Every token that was made and not forgotten, newest first.
    fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError>;

    /// Last contact of every host that ever checked in.
    fn contacts(&self) -> Result<Vec<Contact>, StoreError>;

    /// Every sequence number that two different statements claimed.
    fn clones(&self) -> Result<Vec<CloneSuspicion>, StoreError>;

    /// Runs `work` in one transaction that nobody else writes beside. `Ok` means: committed and durable. An error of
    /// `work` means: nothing of it happened. An error of the commit itself may mean either (see `log`).
    fn commit(&self, work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Writes a consistent copy to `to`, which must not exist, while others write.
    fn copy_to(&self, to: &Path) -> Result<(), StoreError>;

    /// Asks the engine to check its own files. Returns what it complains of.
    fn self_check(&self) -> Result<Vec<String>, StoreError>;
}

/// The writing half: what is read here is what this transaction has made of it.
pub trait Transaction {
    /// The tree head.
    fn head(&mut self) -> Result<Option<Head>, StoreError>;
    /// See [`Store::entries`].
    fn entries(&mut self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;
    /// See [`Store::hashes`].
    fn hashes(&mut self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError>;
    /// See [`Store::member`].
    fn member(&mut self, key: &KeyId) -> Result<Option<Member>, StoreError>;
    /// See [`Store::member_of`].
    fn member_of(&mut self, host: &HostId) -> Result<Option<Member>, StoreError>;
    /// See [`Store::position`].
    fn position(&mut self, key: &KeyId, sequence: u64) -> Result<Option<u64>, StoreError>;
    /// The token with this public id.
    fn token(&mut self, id: &[u8; 8]) -> Result<Option<TokenRecord>, StoreError>;

    /// Adds the entry `index`, which must be the next one.
    fn append(&mut self, index: u64, entry: &[u8]) -> Result<(), StoreError>;
    /// Sets the hashes of a tile.
    fn put_hashes(&mut self, level: u8, index: u64, hashes: &[Digest]) -> Result<(), StoreError>;
    /// Sets the tree head.
    fn put_head(&mut self, head: &Head) -> Result<(), StoreError>;
    /// Adds a member.
    fn add_member(&mut self, member: &Member) -> Result<(), StoreError>;
    /// Notes that a member's key was revoked by entry `index`.
    fn revoke_member(&mut self, key: &KeyId, index: u64) -> Result<(), StoreError>;
    /// Digest of the newest entry that no host made.
    fn last_own_digest(&mut self) -> Result<Option<Digest>, StoreError>;
    /// Notes that entry `index` is of a kind that no host makes; `digest` is that of its envelope.
    fn add_own(&mut self, index: u64, kind: &str, digest: &Digest) -> Result<(), StoreError>;
    /// Keeps a file that an entry names; nothing happens if it is there.
    fn put_file(&mut self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError>;
    /// Notes a member's newest statement.
    fn advance_member(&mut self, key: &KeyId, last: &Last) -> Result<(), StoreError>;
    /// Keeps a manifest; nothing happens if it is there.
    fn put_manifest(&mut self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError>;
    /// Keeps a facts document; nothing happens if it is there.
    fn put_facts(&mut self, digest: &Digest, facts: &StoredFacts) -> Result<(), StoreError>;
    /// Adds or replaces a token.
    fn put_token(&mut self, token: &TokenRecord) -> Result<(), StoreError>;
    /// Replaces a host's last contact.
    fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError>;
    /// Notes a sequence number that two different statements claim.
    fn note_clone(&mut self, suspicion: &CloneSuspicion) -> Result<(), StoreError>;
    /// The lowest index that is not in a sealed bundle: a multiple of [`TILE_WIDTH`].
    fn unsealed(&mut self) -> Result<u64, StoreError>;
    /// Replaces the 256 entries from `from` (a multiple of 256) by their sealed form, made by [`bundle::seal`].
    fn seal(&mut self, from: u64, sealed: &[u8]) -> Result<(), StoreError>;
}

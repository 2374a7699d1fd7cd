//! Writing, inside one transaction.

use evidence::Digest;
use evidence::key::KeyId;
use evidence::statement::HostId;
use rusqlite::Params;

use super::database::failure;
use super::reading::{Reading, signed};
use crate::store::{
    CloneSuspicion, Contact, Head, Last, Member, StoreError, StoredFacts, TILE_WIDTH, TokenRecord, Transaction,
};

/// Facts are read far more often than written.
const LEVEL: i32 = 9;

pub(super) struct Writing<'a>(pub(super) &'a rusqlite::Transaction<'a>);

impl Writing<'_> {
    fn reading(&self) -> Reading<'_> {
        Reading(self.0)
    }

    fn run(&self, doing: &'static str, sql: &str, parameters: impl Params) -> Result<usize, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failure(doing, error))?;
        statement.execute(parameters).map_err(|error| failure(doing, error))
    }

    /// For what must change exactly one row.
    fn run_one(&self, doing: &'static str, sql: &str, parameters: impl Params) -> Result<(), StoreError> {
        match self.run(doing, sql, parameters)? {
            1 => Ok(()),
            rows => Err(StoreError::Misuse {
                what: format!("{doing} changed {rows} rows"),
            }),
        }
    }
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|source| StoreError::Engine {
        doing: "compressing",
        source: source.into(),
    })
}

impl Transaction for Writing<'_> {
    fn head(&mut self) -> Result<Option<Head>, StoreError> {
        self.reading().head()
    }

    fn entries(&mut self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.reading().entries(from, limit)
    }

    fn hashes(&mut self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError> {
        self.reading().hashes(level, index)
    }

    fn member(&mut self, key: &KeyId) -> Result<Option<Member>, StoreError> {
        self.reading().member(key)
    }

    fn member_of(&mut self, host: &HostId) -> Result<Option<Member>, StoreError> {
        self.reading().member_of(host)
    }

    fn position(&mut self, key: &KeyId, sequence: u64) -> Result<Option<u64>, StoreError> {
        self.reading().position(key, sequence)
    }

    fn token(&mut self, id: &[u8; 8]) -> Result<Option<TokenRecord>, StoreError> {
        self.reading().token(*id)
    }

    fn append(&mut self, index: u64, entry: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO entry (idx, bytes) VALUES (?1, ?2)";
        self.run_one("appending an entry", sql, (signed(index)?, entry))
    }

    fn put_hashes(&mut self, level: u8, index: u64, hashes: &[Digest]) -> Result<(), StoreError> {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        let sql = "INSERT INTO hashes (level, idx, bytes) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO UPDATE SET bytes = excluded.bytes";
        self.run_one("storing tree hashes", sql, (level, signed(index)?, bytes))
    }

    fn put_head(&mut self, head: &Head) -> Result<(), StoreError> {
        let sql = "INSERT INTO head (id, size, checkpoint) VALUES (1, ?1, ?2) \
                   ON CONFLICT DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint";
        self.run_one("storing the tree head", sql, (signed(head.size)?, &head.checkpoint))
    }

    fn add_member(&mut self, member: &Member) -> Result<(), StoreError> {
        let sql = "INSERT INTO member (keyid, host, name, spki, enrolled) VALUES (?1, ?2, ?3, ?4, ?5)";
        let keyid = member.keyid();
        let parameters = (
            keyid.0.as_bytes(),
            member.host.as_str(),
            &member.name,
            member.key.to_spki(),
            signed(member.enrolled)?,
        );
        self.run_one("adding a member", sql, parameters)
    }

    fn revoke_member(&mut self, key: &KeyId, index: u64) -> Result<(), StoreError> {
        let sql = "UPDATE member SET revoked = ?2 WHERE keyid = ?1 AND revoked IS NULL";
        self.run_one("revoking a key", sql, (key.0.as_bytes(), signed(index)?))
    }

    fn advance_member(&mut self, key: &KeyId, last: &Last) -> Result<(), StoreError> {
        const DOING: &str = "noting a statement";
        let sql = "UPDATE member SET last_idx = ?2, last_epoch = ?3, last_sequence = ?4, last_digest = ?5 \
                   WHERE keyid = ?1 RETURNING id";
        let (index, sequence) = (signed(last.index)?, signed(last.sequence)?);
        let parameters = (key.0.as_bytes(), index, &last.epoch, sequence, last.digest.as_bytes());
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failure(DOING, error))?;
        let member: i64 = statement
            .query_row(parameters, |row| row.get(0))
            .map_err(|error| failure(DOING, error))?;
        let sql = "INSERT INTO position (member, sequence, idx) VALUES (?1, ?2, ?3)";
        self.run_one(DOING, sql, (member, sequence, index))
    }

    fn last_own_digest(&mut self) -> Result<Option<Digest>, StoreError> {
        self.reading().last_own_digest()
    }

    fn add_own(&mut self, index: u64, kind: &str, digest: &Digest) -> Result<(), StoreError> {
        let sql = "INSERT INTO own (idx, kind, digest) VALUES (?1, ?2, ?3)";
        let parameters = (signed(index)?, kind, digest.as_bytes());
        self.run_one("noting an entry of the collector", sql, parameters)
    }

    fn put_file(&mut self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO file (digest, length, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let parameters = (digest.as_bytes(), signed(bytes.len() as u64)?, compress(bytes)?);
        self.run("storing a file", sql, parameters).map(drop)
    }

    fn put_manifest(&mut self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO manifest (digest, length, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let parameters = (digest.as_bytes(), signed(bytes.len() as u64)?, compress(bytes)?);
        self.run("storing a manifest", sql, parameters).map(drop)
    }

    fn put_facts(&mut self, digest: &Digest, facts: &StoredFacts) -> Result<(), StoreError> {
        let sql = "INSERT INTO facts (digest, probe, length, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let length = signed(facts.bytes.len() as u64)?;
        let parameters = (digest.as_bytes(), facts.probe.as_str(), length, compress(&facts.bytes)?);
        self.run("storing a facts document", sql, parameters).map(drop)
    }

    fn put_token(&mut self, token: &TokenRecord) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO token (id, secret, created, expires, used_at, used_by) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let parameters = (
            token.id,
            token.secret.as_bytes(),
            token.created.unix(),
            token.expires.unix(),
            token.used.as_ref().map(|used| used.at.unix()),
            token.used.as_ref().map(|used| used.host.as_str()),
        );
        self.run_one("storing a token", sql, parameters)
    }

    fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO contact (host, at, agent_version, spooled, clock_ahead) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let parameters = (
            contact.host.as_str(),
            contact.at.unix(),
            &contact.agent_version,
            signed(contact.spooled)?,
            contact.clock_ahead,
        );
        self.run_one("storing a contact", sql, parameters)
    }

    fn note_clone(&mut self, suspicion: &CloneSuspicion) -> Result<(), StoreError> {
        let sql = "INSERT INTO clone (host, sequence, refused, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let parameters = (
            suspicion.host.as_str(),
            signed(suspicion.sequence)?,
            suspicion.refused.as_bytes(),
            suspicion.at.unix(),
        );
        self.run("noting a suspected clone", sql, parameters).map(drop)
    }

    fn unsealed(&mut self) -> Result<u64, StoreError> {
        self.reading().unsealed()
    }

    fn seal(&mut self, from: u64, sealed: &[u8]) -> Result<(), StoreError> {
        const DOING: &str = "sealing a bundle";
        let sql = "INSERT INTO bundle (idx, bytes) VALUES (?1, ?2)";
        self.run_one(DOING, sql, (signed(from / TILE_WIDTH)?, sealed))?;
        let sql = "DELETE FROM entry WHERE idx >= ?1 AND idx < ?2";
        let rows = self.run(DOING, sql, (signed(from)?, signed(from + TILE_WIDTH)?))?;
        if rows as u64 == TILE_WIDTH && from.is_multiple_of(TILE_WIDTH) {
            Ok(())
        } else {
            Err(StoreError::Misuse {
                what: format!("sealing {rows} entries from {from}"),
            })
        }
    }
}

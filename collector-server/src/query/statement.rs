//! Entries of the log.

use evidence::aws_lc::AwsLc;
use evidence::checkpoint::Checkpoint;
use evidence::envelope::Unverified;
use evidence::key::{KeyId, PublicKey};
use evidence::note::Note;
use evidence::proof::Receipt;
use evidence::statement::{AgentBuild, HostId, Predicate, Statement};
use evidence::tree::leaf_hash;
use evidence::{Digest, Timestamp};
use serde::Serialize;

use super::asking::Asking;
use super::{Page, Paged, Query, QueryError, Span};
use crate::index::{Enrolled, IndexError, StatementRow, database};
use crate::store::StoreError;

/// A host's statement in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementSummary {
    /// Its place in the log.
    pub index: u64,
    /// Its sequence number.
    pub sequence: u64,
    /// When the manifest was complete, by the host's clock.
    pub observed_at: Timestamp,
    /// From when on it speaks: `observed_at`, unless the clock went backwards.
    pub from: Timestamp,
    /// Its subject.
    pub manifest: Digest,
    /// Whether the manifest differs from the one of the statement before.
    pub changed: bool,
}

/// Who signed an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// The collector.
    Collector,
    /// A host.
    Host {
        /// Its id.
        host: HostId,
        /// Its name.
        name: String,
    },
    /// Nobody that the log knows.
    Nobody,
}

/// All about one entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatementDetail {
    /// Its place in the log.
    pub index: u64,
    /// The `predicateType`.
    pub kind: &'static str,
    /// What it says.
    pub statement: Statement,
    /// Who signed it.
    pub signer: Signer,
    /// With which key.
    pub keyid: KeyId,
    /// Whether the signature verifies under that key.
    pub signature_verifies: bool,
    /// The entry itself, byte for byte: a DSSE envelope, canonical JSON.
    pub envelope: String,
    /// SHA-256 of the envelope.
    pub digest: Digest,
    /// Its leaf hash (RFC 6962).
    pub leaf: Digest,
    /// Entries in the tree that it is shown to be in.
    pub tree_size: u64,
    /// Merkle tree hash of that tree.
    pub root: Digest,
    /// Inclusion proof, from the leaf's sibling up.
    pub proof: Vec<Digest>,
    /// The signed checkpoint of that tree.
    pub checkpoint: String,
    /// The receipt (C2SP tlog-proof), as text.
    pub receipt: String,
    /// For a host's statement: the one before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_index: Option<u64>,
    /// For a host's statement: the one after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_index: Option<u64>,
}

impl Query {
    /// One entry of the log, and the proof that it is there.
    pub fn statement(&self, index: u64) -> Result<StatementDetail, QueryError> {
        self.ask(Span::Now, |asking| asking.statement(index))
    }
}

impl Asking<'_> {
    fn read(&self, index: u64) -> Result<(Vec<u8>, Unverified, Statement), QueryError> {
        let not_found = || QueryError::NotFound {
            what: "entry of the log",
            name: index.to_string(),
        };
        let bytes = self.store.entry(index)?.ok_or_else(not_found)?;
        let failed = |source| IndexError::Entry { index, source };
        let envelope = Unverified::from_bytes(&bytes).map_err(failed)?;
        let statement = envelope.claimed().map_err(|error| failed(error.into()))?;
        Ok((bytes, envelope, statement))
    }

    /// The build of the agent that made a statement.
    pub(super) fn agent(&self, index: u64) -> Result<Option<AgentBuild>, QueryError> {
        Ok(match self.read(index)?.2.predicate {
            Predicate::Observation(observation) => Some(observation.agent),
            _ => None,
        })
    }

    fn statement(&self, index: u64) -> Result<StatementDetail, QueryError> {
        let (bytes, envelope, statement) = self.read(index)?;
        let keyid = envelope.keyid();
        let (signer, key) = self.signer(keyid)?;
        let signature_verifies = key.is_some_and(|key| envelope.verify(&key, &AwsLc).is_ok());
        let head = self
            .store
            .head()?
            .ok_or_else(|| StoreError::damaged("the log has no head"))?;
        let note = Note::from_bytes(head.checkpoint.as_bytes()).map_err(StoreError::damaged)?;
        let checkpoint: Checkpoint = note.text.parse().map_err(StoreError::damaged)?;
        let proof = self.tiles.inclusion(index, head.size)?;
        let receipt = Receipt {
            extra: None,
            index,
            proof: proof.clone(),
            checkpoint: head.checkpoint.clone(),
        };
        let neighbour = |sequence: Option<u64>| match sequence {
            Some(sequence) => self.store.position(&keyid, sequence),
            None => Ok(None),
        };
        let sequence = match &statement.predicate {
            Predicate::Observation(observation) => Some(observation.sequence),
            _ => None,
        };
        Ok(StatementDetail {
            index,
            kind: statement.predicate.kind(),
            signer,
            keyid,
            signature_verifies,
            digest: Digest::of(&bytes),
            leaf: leaf_hash(&bytes),
            envelope: String::from_utf8_lossy(&bytes).into_owned(),
            tree_size: head.size,
            root: checkpoint.root,
            proof,
            checkpoint: head.checkpoint,
            receipt: receipt.to_string(),
            previous_index: neighbour(sequence.and_then(|sequence| sequence.checked_sub(1)))?,
            next_index: neighbour(sequence.and_then(|sequence| sequence.checked_add(1)))?,
            statement,
        })
    }

    fn signer(&self, keyid: KeyId) -> Result<(Signer, Option<PublicKey>), QueryError> {
        if let Some(member) = self.store.member(&keyid)? {
            let signer = Signer::Host {
                host: member.host,
                name: member.name,
            };
            return Ok((signer, Some(member.key)));
        }
        match self.read(0)?.2.predicate {
            Predicate::Log(opening) if opening.statement_key.id() == keyid => {
                Ok((Signer::Collector, Some(opening.statement_key)))
            }
            _ => Ok((Signer::Nobody, None)),
        }
    }

    /// A host's statements up to the end of the span, the newest first.
    pub(super) fn statements(&self, host: &Enrolled, page: Page) -> Result<Paged<StatementSummary>, QueryError> {
        const DOING: &str = "reading statements";
        let rows = self.snapshot.rows();
        let end = self.as_of.to.unix();
        let sql = "SELECT COUNT(*) FROM statement WHERE host = ?1 AND began < ?2";
        let total = rows.one(DOING, sql, (host.number, end), |row| row.get::<_, i64>(0))?;
        let sql = format!(
            "SELECT {} FROM statement WHERE host = ?1 AND began < ?2 ORDER BY began DESC, idx DESC LIMIT ?3 OFFSET ?4",
            StatementRow::COLUMNS
        );
        // One more than is shown, to tell whether the last one changed anything.
        let limit = database::signed(page.limit.saturating_add(1));
        let offset = database::signed(page.offset);
        let found = rows.many(DOING, &sql, (host.number, end, limit, offset), StatementRow::read)?;
        let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut items = Vec::new();
        let shown = usize::try_from(page.limit).unwrap_or(usize::MAX);
        for (place, row) in found.iter().enumerate().take(shown) {
            let before = found.get(place + 1);
            items.push(StatementSummary {
                index: row.index,
                sequence: row.sequence,
                observed_at: row.observed_at,
                from: row.began,
                manifest: self.snapshot.manifest_digest(row.manifest)?,
                changed: before.is_none_or(|before| before.manifest != row.manifest),
            });
        }
        Ok(Paged {
            total: database::unsigned(total.unwrap_or_default())?,
            offset: page.offset,
            items,
        })
    }
}

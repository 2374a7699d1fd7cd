//! What is on disk, and the decisions about it: no clock, no network.

use evidence::aws_lc::AwsLc;
use evidence::checkpoint::SignedCheckpoint;
use evidence::statement::{AgentBuild, Alarm};
use evidence::wire::{DeliverResponse, Delivered, Refusal, RefusalCode};
use evidence::{Digest, Timestamp};

use super::ServiceError;
use super::holding::Holding;
use crate::collection::Collection;
use crate::delivery::{Disbelief, believe};
use crate::folder::{Durability, FolderError};
use crate::seal::{Sealer, Sighting};
use crate::spool::{Acknowledged, FactsStore, LossReason, Record, Spool, SpoolError};
use crate::state::{Member, State, StoredAlarm};

/// Holds the membership, the spool and what is known of the log.
#[derive(Debug)]
pub struct Keeper {
    state: State,
    member: Member,
    spool: Spool,
    store: FactsStore,
    stored: u64,
    sealer: Sealer,
    known: SignedCheckpoint,
    alarm: Option<StoredAlarm>,
    holding: Option<Holding>,
    current: Option<Digest>,
    limit: u64,
}

/// What came of a collection.
#[derive(Debug)]
pub enum Stated {
    /// Nothing new, and no statement was due.
    Nothing,
    /// A statement with this number is in the spool.
    Statement(u64),
    /// A statement was due and could not be spooled; its number is counted as lost.
    Lost(SpoolError),
}

/// What came of a delivery.
#[derive(Debug)]
pub enum Settled {
    /// So many statements have their receipts now, and nothing stands in the way of the rest.
    Accepted(usize),
    /// The first statement that waits is not taken.
    Refused {
        /// Its number.
        sequence: u64,
        /// Why.
        refusal: Refusal,
    },
    /// The answer is not believed, and proves nothing.
    Disbelieved(Disbelief),
    /// The log contradicts itself; both checkpoints are kept.
    Contradiction(StoredAlarm),
    /// The collector lacks facts even after they were sent.
    StillMissing {
        /// The statement that names them.
        sequence: u64,
    },
}

impl Keeper {
    /// Reads everything. `limit` is what spool and facts may take together, bytes.
    pub fn open(state: State, agent: AgentBuild, boot_id: String, limit: u64) -> Result<Self, ServiceError> {
        let member = state.member()?;
        let store = FactsStore::open(&member.spool()?)?;
        let spool = Spool::open(member.spool()?)?;
        let identity = member.identity();
        let sealer = Sealer::new(identity.host.clone(), identity.epoch.clone(), agent, boot_id);
        let mut keeper = Self {
            known: member.checkpoint()?,
            alarm: member.alarm()?,
            holding: spool.head().map(Holding::after),
            current: spool.head().map(|head| head.manifest),
            stored: 0,
            state,
            member,
            spool,
            store,
            sealer,
            limit,
        };
        keeper.release()?;
        Ok(keeper)
    }

    /// The membership.
    pub const fn member(&self) -> &Member {
        &self.member
    }

    /// The running build, as statements name it.
    pub const fn build(&self) -> &AgentBuild {
        self.sealer.build()
    }

    /// The statements.
    pub const fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The facts.
    pub const fn store(&self) -> &FactsStore {
        &self.store
    }

    /// The newest checkpoint that was verified.
    pub const fn known(&self) -> &SignedCheckpoint {
        &self.known
    }

    /// A proof of a dishonest log that this host holds.
    pub const fn alarm(&self) -> Option<&StoredAlarm> {
        self.alarm.as_ref()
    }

    /// Whether no alarm is still to be stated.
    pub fn is_at_peace(&self) -> bool {
        self.alarm.as_ref().is_none_or(|alarm| alarm.acknowledged)
    }

    /// The folder in which proofs against the log are kept.
    pub fn proof_place(&self) -> String {
        self.state.path().join("proof").display().to_string()
    }

    /// Takes a collection that was complete at `at`. A statement is made if something changed or `due`.
    pub fn observe(&mut self, collection: &Collection, at: Timestamp, due: bool) -> Stated {
        let manifest = collection.manifest();
        let (digest, bytes) = (manifest.digest(), manifest.to_bytes());
        let changed = self.holding.as_mut().is_none_or(|holding| holding.observe(digest, at));
        if !changed && !due {
            return Stated::Nothing;
        }
        match self.state_it(collection, digest, &bytes, at) {
            Ok(sequence) => Stated::Statement(sequence),
            Err(error) => {
                // The count is kept in memory even where the disk does not take it.
                if let Err(uncounted) = self.spool.lose(error.loss()) {
                    tracing::error!(error = %uncounted, "the loss of a statement is not on the disk yet");
                }
                Stated::Lost(error)
            }
        }
    }

    fn state_it(
        &mut self,
        collection: &Collection,
        digest: Digest,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<u64, SpoolError> {
        // Before anything is written: facts that find no statement would fill the disk.
        let used = self.spool.bytes() + self.stored;
        if used >= self.limit {
            let limit = self.limit;
            return Err(SpoolError::Full { used, limit });
        }
        // Everything that the statement names, then the statement.
        for document in collection.documents() {
            self.store.put_facts(&document.digest(), document.bytes())?;
        }
        self.store.put_manifest(&digest, bytes)?;
        self.stored = self.store.bytes()?;
        let alarm = self.alarm.as_ref().filter(|alarm| !alarm.acknowledged);
        let sighting = Sighting {
            manifest: digest,
            observed_at: at,
            held: self.holding.as_ref().map(Holding::held),
            alarm: alarm.map(|alarm| alarm.alarm.clone()),
        };
        let sealed = self
            .sealer
            .seal(sighting, &self.spool, &self.known, self.member.signer());
        let record = sealed.map_err(|error| FolderError {
            act: "seal a statement for",
            path: self.state.path().to_owned(),
            error: std::io::Error::other(error.to_string()),
        })?;
        self.spool.append(&record, self.stored, self.limit)?;
        self.note_alarm_stated(record.sequence);
        self.holding = Some(Holding::after(&record.head()));
        self.current = Some(digest);
        Ok(record.sequence)
    }

    fn note_alarm_stated(&mut self, sequence: u64) {
        if let Some(alarm) = &mut self.alarm
            && !alarm.acknowledged
            && alarm.stated.is_none()
        {
            alarm.stated = Some(sequence);
            if let Err(error) = self.member.set_alarm(alarm) {
                tracing::error!(%error, "the alarm is stated again next time");
            }
        }
    }

    /// Takes the collector's answer to `batch`. A statement is forgotten only if its receipt holds and the log extends the
    /// one that this host knew: first the new checkpoint is on the disk, then the mark, then the statement goes.
    pub fn settle(
        &mut self,
        batch: &[Record],
        answer: &DeliverResponse,
        now: Timestamp,
    ) -> Result<Settled, ServiceError> {
        let sent: Vec<_> = batch.iter().map(|record| record.envelope.as_slice()).collect();
        let log = &self.member.identity().log;
        let believed = match believe(&self.known, &sent, answer, log, &AwsLc) {
            Ok(believed) => believed,
            Err(Disbelief::Contradiction { kind, shown, detail }) => {
                return Ok(Settled::Contradiction(self.raise(kind, shown.note(), detail, now)?));
            }
            Err(disbelief) => return Ok(Settled::Disbelieved(disbelief)),
        };
        let mut accepted = 0;
        if let Some(believed) = believed {
            accepted = believed.indexes.len();
            let last = batch.get(accepted.saturating_sub(1)).zip(believed.indexes.last());
            self.member.remember(&believed.checkpoint)?;
            self.known = believed.checkpoint;
            if let Some((record, index)) = last {
                let size = self.known.checkpoint().size;
                self.spool.acknowledge(Acknowledged::new(record, *index, size, now))?;
                self.alarm_acknowledged(record.sequence)?;
                self.release()?;
            }
        }
        let next = answer.results.get(accepted).zip(batch.get(accepted));
        Ok(match next {
            None if accepted == 0 => Settled::Disbelieved(Disbelief::Form("no result for any statement".to_owned())),
            Some((Delivered::Refused(refusal), record)) => Settled::Refused {
                sequence: record.sequence,
                refusal: refusal.clone(),
            },
            Some((Delivered::Missing { .. }, record)) if accepted == 0 => Settled::StillMissing {
                sequence: record.sequence,
            },
            _ => Settled::Accepted(accepted),
        })
    }

    /// The collector refuses a statement for its place in the chain. If this host holds the receipt of the statement
    /// before, then the collector has lost an entry: `shown` is the checkpoint that it shows now, a signed note.
    pub fn settle_refusal(
        &mut self,
        sequence: u64,
        refusal: &Refusal,
        shown: &str,
        now: Timestamp,
    ) -> Result<Option<StoredAlarm>, ServiceError> {
        if !self.has_receipt_before(sequence, refusal.code) {
            return Ok(None);
        }
        let log = &self.member.identity().log;
        let Ok(shown) = SignedCheckpoint::verify(shown, log, &AwsLc) else {
            return Ok(None);
        };
        let (known, new) = (self.known.checkpoint().size, shown.checkpoint().size);
        let detail = format!(
            "the collector does not know statement {}, whose receipt this host verified in a log of {known} entries; it \
             now shows a log of {new}",
            sequence.saturating_sub(1)
        );
        let kind = if new < known { "rollback" } else { "missing_entry" };
        self.raise(kind, shown.note(), detail, now).map(Some)
    }

    /// Whether a refusal with this code would mean that the collector lost an entry.
    pub fn has_receipt_before(&self, sequence: u64, code: RefusalCode) -> bool {
        let about_place = matches!(code, RefusalCode::WrongSequence | RefusalCode::WrongPrevious);
        let receipt = self.spool.acknowledged().map(|mark| mark.sequence);
        about_place && receipt.is_some_and(|receipt| receipt + 1 == sequence)
    }

    /// Gives up the statements that wait, since the first of them cannot be delivered. The next statement declares them.
    pub fn forfeit(&mut self, reason: LossReason) -> Result<(), ServiceError> {
        self.spool.forfeit(reason)?;
        self.holding = self.spool.head().map(Holding::after);
        self.release()?;
        Ok(())
    }

    fn raise(&mut self, kind: &str, shown: &str, detail: String, now: Timestamp) -> Result<StoredAlarm, ServiceError> {
        // The same contradiction again needs no second proof.
        if let Some(alarm) = &self.alarm
            && alarm.alarm.kind == kind
            && alarm.alarm.known == self.known.note()
        {
            return Ok(alarm.clone());
        }
        let alarm = StoredAlarm {
            alarm: Alarm {
                kind: kind.to_owned(),
                known: self.known.note().to_owned(),
                shown: shown.to_owned(),
            },
            at: now,
            detail,
            stated: None,
            acknowledged: false,
        };
        let proof = self.state.proofs()?.sub(&format!("{}-{kind}", now.unix()))?;
        for (name, note) in [("known", &alarm.alarm.known), ("shown", &alarm.alarm.shown)] {
            proof.write(name, note.as_bytes(), Durability::Synced)?;
        }
        self.member.set_alarm(&alarm)?;
        self.alarm = Some(alarm.clone());
        Ok(alarm)
    }

    /// An alarm needs no repeating once a statement that carries it is in a log that extends what this host knew.
    fn alarm_acknowledged(&mut self, sequence: u64) -> Result<(), ServiceError> {
        if let Some(alarm) = &mut self.alarm
            && !alarm.acknowledged
            && alarm.stated.is_some_and(|stated| stated <= sequence)
        {
            alarm.acknowledged = true;
            self.member.set_alarm(alarm)?;
        }
        Ok(())
    }

    /// Removes facts that neither a waiting statement nor the newest one names.
    fn release(&mut self) -> Result<(), ServiceError> {
        let mut named = self.spool.manifests()?;
        named.extend(self.current);
        self.store.retain(&named)?;
        self.stored = self.store.bytes()?;
        Ok(())
    }
}

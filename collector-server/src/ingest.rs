//! Taking statements in: what is checked before the log's writer sees one, and what only the writer can decide.
//!
//! In order: form and size, the key (announced by an enrolment in the log), the signature, whose certificate and whose
//! statement it is, the clock, that manifest and facts are stored and agree. Then, inside the writer's transaction, so
//! that two deliveries cannot overtake each other: revocation, epoch, sequence and `previous` ([`sequence`]).

mod objects;
mod sequence;

use std::sync::Arc;

use axum::body::Bytes;
use evidence::aws_lc::AwsLc;
use evidence::envelope::{EnvelopeError, Unverified, Verified};
use evidence::key::{KeyId, PublicKey};
use evidence::manifest::Manifest;
use evidence::proof::hashes_to_text;
use evidence::statement::{HostId, Observation, Predicate};
use evidence::wire::{DeliverResponse, Delivered, Refusal, RefusalCode};
use evidence::{Digest, Timestamp};

use crate::app::App;
use crate::cache::Generations;
use crate::log::{Batch, LogError};
use crate::store::{CloneSuspicion, Store, StoreError};

pub use objects::{ObjectError, put_facts, put_manifest};
pub use sequence::{Decision, decide};

/// A host's clock may be ahead of ours by this many seconds.
pub const CLOCK_TOLERANCE: i64 = 300;
/// Keys of hosts kept at hand.
const KEYS: usize = 100_000;
/// Envelopes that are checked without leaving the request's thread: each takes some 60 µs.
const INLINE: usize = 4;
/// Manifests known to be complete.
const MANIFESTS: usize = 100_000;

/// Caches of what never changes: an enrolment, and that the facts of a manifest are stored.
pub struct Ingest {
    keys: Generations<KeyId, Arc<Key>>,
    enrolled: Generations<HostId, ()>,
    complete: Generations<Digest, ()>,
    store: Arc<dyn Store>,
}

struct Key {
    host: HostId,
    key: PublicKey,
}

/// An envelope that passed everything but the writer.
struct Candidate {
    entry: Verified,
    digest: Digest,
}

/// Where an envelope ended before the writer: what to answer, or a failure of ours.
enum Stopped {
    Answer(Delivered),
    Failed(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

fn refused(code: RefusalCode, detail: impl Into<String>) -> Stopped {
    Stopped::Answer(Delivered::Refused(Refusal {
        code,
        detail: detail.into(),
    }))
}

/// What the writer made of a candidate.
enum Outcome {
    At(u64),
    Refused(Refusal),
}

impl Ingest {
    /// With empty caches.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            keys: Generations::new(KEYS),
            enrolled: Generations::new(KEYS),
            complete: Generations::new(MANIFESTS),
            store,
        }
    }

    /// Whether an enrolment of this host is in the log; it may be revoked by now.
    pub fn is_enrolled(&self, host: &HostId) -> Result<bool, StoreError> {
        if self.enrolled.get(host).is_some() {
            return Ok(true);
        }
        let enrolled = self.store.member_of(host)?.is_some();
        if enrolled {
            self.enrolled.insert(host.clone(), ());
        }
        Ok(enrolled)
    }

    fn key(&self, id: KeyId) -> Result<Arc<Key>, Stopped> {
        if let Some(key) = self.keys.get(&id) {
            return Ok(key);
        }
        let unknown = || {
            let detail = format!("no enrolment in the log announces the key {id}; enrol this host again");
            refused(RefusalCode::UnknownKey, detail)
        };
        let member = self.store.member(&id)?.ok_or_else(unknown)?;
        let key = Arc::new(Key {
            host: member.host,
            key: member.key,
        });
        self.keys.insert(id, Arc::clone(&key));
        Ok(key)
    }

    /// Everything that can be checked without the writer.
    fn check(&self, bytes: &[u8], host: &HostId, now: Timestamp) -> Result<Candidate, Stopped> {
        let malformed = |error: EnvelopeError| {
            let code = match &error {
                EnvelopeError::TooLarge { .. } => RefusalCode::TooLarge,
                EnvelopeError::Signature(_) => RefusalCode::BadSignature,
                _ => RefusalCode::Malformed,
            };
            refused(code, error.to_string())
        };
        let unverified = Unverified::from_bytes(bytes).map_err(malformed)?;
        let key = self.key(unverified.keyid())?;
        let entry = unverified.verify(&key.key, &AwsLc).map_err(malformed)?;
        let Predicate::Observation(observation) = &entry.statement().predicate else {
            let kind = entry.statement().predicate.kind();
            return Err(refused(
                RefusalCode::Malformed,
                format!("hosts state observations, not {kind}"),
            ));
        };
        for (owner, what) in [
            (&key.host, "the key belongs to"),
            (&observation.host, "the statement speaks for"),
        ] {
            if owner != host {
                let detail = format!("{what} {owner}, the client certificate belongs to {host}");
                return Err(refused(RefusalCode::OtherHost, detail));
            }
        }
        if observation.observed_at.since(now) > CLOCK_TOLERANCE {
            let detail = format!(
                "observed at {}, and here it is {now}: set the host's clock (time synchronisation)",
                observation.observed_at
            );
            return Err(refused(RefusalCode::ClockAhead, detail));
        }
        let Some(manifest) = entry.statement().manifest() else {
            let detail = "an observation has one subject, named \"manifest\"";
            return Err(refused(RefusalCode::Malformed, detail));
        };
        self.facts_are_stored(&manifest)?;
        Ok(Candidate {
            digest: entry.digest(),
            entry,
        })
    }

    /// That a manifest and all facts documents in it are stored, and that each is of the probe that the manifest says.
    fn facts_are_stored(&self, digest: &Digest) -> Result<(), Stopped> {
        if self.complete.get(digest).is_some() {
            return Ok(());
        }
        let Some(bytes) = self.store.manifest(digest)? else {
            return Err(Stopped::Answer(Delivered::Missing {
                manifest: Some(*digest),
                facts: Vec::new(),
            }));
        };
        let manifest = Manifest::from_bytes(&bytes).map_err(StoreError::damaged)?;
        let mut missing = Vec::new();
        for (probe, facts) in manifest.documents() {
            match self.store.facts_probe(facts)? {
                Some(found) if found == *probe => {}
                Some(found) => {
                    let detail = format!("the manifest names {facts} as {probe}, and it is a document of {found}");
                    return Err(refused(RefusalCode::BadFacts, detail));
                }
                None => missing.push(*facts),
            }
        }
        if !missing.is_empty() {
            return Err(Stopped::Answer(Delivered::Missing {
                manifest: None,
                facts: missing,
            }));
        }
        self.complete.insert(*digest, ());
        Ok(())
    }

    /// Candidates up to the first envelope that is not one, and where that one ended.
    fn check_all(
        &self,
        envelopes: &[Bytes],
        host: &HostId,
        now: Timestamp,
    ) -> Result<(Vec<Candidate>, Option<Delivered>), StoreError> {
        let mut candidates = Vec::with_capacity(envelopes.len());
        for bytes in envelopes {
            match self.check(bytes, host, now) {
                Ok(candidate) => candidates.push(candidate),
                Err(Stopped::Answer(answer)) => return Ok((candidates, Some(answer))),
                Err(Stopped::Failed(error)) => return Err(error),
            }
        }
        Ok((candidates, None))
    }
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ingest")
    }
}

fn observation(entry: &Verified) -> Result<&Observation, StoreError> {
    match &entry.statement().predicate {
        Predicate::Observation(observation) => Ok(observation),
        _ => Err(StoreError::Misuse {
            what: "a candidate that is no observation".to_owned(),
        }),
    }
}

/// Decides and appends inside the writer's transaction, up to the first that is refused.
fn append(batch: &mut Batch<'_>, candidates: &[Candidate], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(candidates.len());
    for Candidate { entry, digest } in candidates {
        let observation = observation(entry)?;
        let member = batch.member(&entry.keyid())?.ok_or_else(|| StoreError::Misuse {
            what: format!("a statement under {}, which is no member's", entry.keyid()),
        })?;
        match decide(&member, observation, digest, batch.store())? {
            Decision::Append => outcomes.push(Outcome::At(batch.append(entry)?)),
            Decision::Already(index) => outcomes.push(Outcome::At(index)),
            Decision::Refuse(refusal) => {
                if refusal.code == RefusalCode::Conflict {
                    batch.store().note_clone(&CloneSuspicion {
                        host: member.host,
                        sequence: observation.sequence,
                        refused: *digest,
                        at: now,
                    })?;
                }
                outcomes.push(Outcome::Refused(refusal));
                break;
            }
        }
    }
    Ok(outcomes)
}

/// Takes a batch of envelopes of one host, in their order. `known` is the tree size that the host has verified.
pub async fn deliver(
    app: &Arc<App>,
    host: HostId,
    envelopes: Vec<Bytes>,
    known: u64,
) -> Result<DeliverResponse, LogError> {
    let store = |error: StoreError| LogError::Store(Arc::new(error));
    let now = app.clock.now();
    let mut response = DeliverResponse {
        results: Vec::with_capacity(envelopes.len()),
        checkpoint: None,
        consistency: Vec::new(),
        pace: None,
    };
    let checked = if envelopes.len() <= INLINE {
        app.ingest.check_all(&envelopes, &host, now)
    } else {
        let (app, host) = (Arc::clone(app), host.clone());
        let check = move || app.ingest.check_all(&envelopes, &host, now);
        tokio::task::spawn_blocking(check)
            .await
            .map_err(|_| LogError::Stopped)?
    };
    let (candidates, stopped) = checked.map_err(store)?;
    let mut whole = true;
    if !candidates.is_empty() {
        let committed = app.log.write(move |batch| append(batch, &candidates, now)).await?;
        let (head, tiles) = (committed.head, app.log.tiles());
        for outcome in committed.value {
            response.results.push(match outcome {
                Outcome::At(index) => Delivered::Accepted {
                    index,
                    proof: hashes_to_text(&tiles.inclusion(index, head.size).map_err(store)?),
                },
                Outcome::Refused(refusal) => {
                    whole = false;
                    if refusal.code == RefusalCode::Conflict {
                        tracing::warn!(%host, detail = refusal.detail, "two machines may use one identity");
                    }
                    Delivered::Refused(refusal)
                }
            });
        }
        if response
            .results
            .iter()
            .any(|result| matches!(result, Delivered::Accepted { .. }))
        {
            if (1..head.size).contains(&known) {
                response.consistency = hashes_to_text(&tiles.consistency(known, head.size).map_err(store)?);
            }
            response.checkpoint = Some(head.checkpoint.clone());
        }
    }
    if whole {
        response.results.extend(stopped);
    }
    Ok(response)
}

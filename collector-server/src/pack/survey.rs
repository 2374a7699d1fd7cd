//! The first pass over the log: who stated what when, and from where on the period needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use controls::assessment::{Roll, Witness};
use controls::timeline::{Observation, OutOfOrder, Timeline};
use evidence::envelope::Unverified;
use evidence::key::PublicKey;
use evidence::manifest::Manifest;
use evidence::statement::{HostId, Predicate, Subject};
use evidence::{Digest, Timestamp};

use super::{Manifests, PackError, Progress, Request};
use crate::store::Store;

/// Entries read at once: four bundles.
const BATCH: usize = 1024;
/// Stands for the collector in [`Survey::authors`].
pub(super) const COLLECTOR: u32 = u32::MAX;

/// What one pass over the log found out.
pub(super) struct Survey {
    /// The first entry that the period needs; all from here on are in the pack.
    pub(super) begin: u64,
    /// Who made each entry: a place in `hosts`, or [`COLLECTOR`].
    pub(super) authors: Vec<u32>,
    /// Hosts that stated something, in the order of their first entry.
    pub(super) hosts: Vec<HostId>,
    /// The collector's entries.
    pub(super) own: Vec<u64>,
    /// SHA-256 of the last of them.
    pub(super) last_own: Digest,
    /// The files of the rule set in force at the end.
    pub(super) rules: Vec<Subject>,
    /// Every key that an entry announces.
    pub(super) keys: Vec<PublicKey>,
    /// The log's origin.
    pub(super) origin: String,
    roll: Roll,
    freshness: u64,
    stated: Vec<Vec<Stated>>,
    /// The digests of manifests in the order in which they came up.
    manifests: Vec<Digest>,
}

/// A statement, without its manifest's content. There are millions of them, so it is kept small.
#[derive(Clone, Copy)]
struct Stated {
    index: u64,
    observed_at: Timestamp,
    held_until: Option<Timestamp>,
    lost: bool,
    /// A place in [`Survey::manifests`].
    manifest: u32,
}

/// Where in [`Survey`] something that has come up before is.
#[derive(Default)]
struct Places {
    hosts: HashMap<HostId, u32>,
    manifests: HashMap<Digest, u32>,
}

impl Stated {
    fn observation(&self, manifest: Arc<Manifest>) -> Observation {
        let Self {
            index,
            observed_at,
            held_until,
            lost,
            ..
        } = *self;
        Observation {
            index,
            observed_at,
            held_until,
            lost,
            manifest,
        }
    }
}

impl Survey {
    pub(super) fn make(
        store: &dyn Store,
        size: u64,
        request: &Request,
        progress: Progress<'_>,
    ) -> Result<Self, PackError> {
        let mut survey = Self {
            begin: size,
            authors: Vec::new(),
            hosts: Vec::new(),
            own: Vec::new(),
            last_own: Digest::of(b""),
            rules: Vec::new(),
            keys: Vec::new(),
            origin: String::new(),
            roll: Roll::default(),
            freshness: 0,
            stated: Vec::new(),
            manifests: Vec::new(),
        };
        let mut places = Places::default();
        let mut at = 0;
        while at < size {
            let limit = BATCH.min(usize::try_from(size - at).unwrap_or(BATCH));
            let entries = store.entries(at, limit)?;
            if entries.is_empty() {
                return Err(PackError::damaged(format!(
                    "the log ends at entry {at}, its head says {size}"
                )));
            }
            for (index, bytes) in entries {
                survey.take(&mut places, index, &bytes)?;
                at = index + 1;
            }
            progress("statements read", at, size);
        }
        survey.begin = survey.first_needed(request)?.unwrap_or(size);
        Ok(survey)
    }

    /// Takes in an entry. Its signature was checked before it came into the log, and will be by whoever reads the pack.
    fn take(&mut self, places: &mut Places, index: u64, bytes: &[u8]) -> Result<(), PackError> {
        let damaged = |error: &dyn std::fmt::Display| PackError::damaged(format!("entry {index}: {error}"));
        let envelope = Unverified::from_bytes(bytes).map_err(|error| damaged(&error))?;
        let statement = envelope.claimed().map_err(|error| damaged(&error))?;
        if let Predicate::Observation(observation) = &statement.predicate {
            let manifest = statement.manifest().ok_or_else(|| damaged(&"names no manifest"))?;
            let next = u32::try_from(self.hosts.len()).map_err(|error| damaged(&error))?;
            let place = if let Some(place) = places.hosts.get(&observation.host) {
                *place
            } else {
                places.hosts.insert(observation.host.clone(), next);
                self.hosts.push(observation.host.clone());
                self.stated.push(Vec::new());
                next
            };
            let next = u32::try_from(self.manifests.len()).map_err(|error| damaged(&error))?;
            let manifest = *places.manifests.entry(manifest).or_insert_with(|| {
                self.manifests.push(manifest);
                next
            });
            let stated = Stated {
                index,
                observed_at: observation.observed_at,
                held_until: observation.held.as_ref().map(|held| held.until),
                lost: observation.lost.is_some(),
                manifest,
            };
            if let Some(of_host) = self.stated.get_mut(place as usize) {
                of_host.push(stated);
            }
            self.authors.push(place);
            return Ok(());
        }
        match &statement.predicate {
            Predicate::Log(opening) => {
                self.origin.clone_from(&opening.origin);
                self.keys
                    .extend([opening.log_key.clone(), opening.statement_key.clone()]);
            }
            Predicate::Enrolment(enrolment) => {
                self.roll.enrol(enrolment);
                self.keys.push(enrolment.statement_key.clone());
            }
            Predicate::Revocation(revocation) => self.roll.revoke(revocation),
            Predicate::Rules(rules) => {
                self.freshness = rules.freshness_seconds;
                self.rules.clone_from(&statement.subject);
            }
            Predicate::Pack(_) | Predicate::Observation(_) => {}
        }
        self.authors.push(COLLECTOR);
        self.own.push(index);
        self.last_own = Digest::of(bytes);
        Ok(())
    }

    /// The first entry of any host without which the period could not be told.
    fn first_needed(&self, request: &Request) -> Result<Option<u64>, PackError> {
        let nothing = Arc::new(Manifest::default());
        let mut first = None;
        for stated in &self.stated {
            let observations = stated.iter().map(|stated| stated.observation(Arc::clone(&nothing)));
            let timeline = Timeline::of(self.freshness, observations).map_err(PackError::damaged)?;
            // What fell silent before the period begins says nothing about it.
            let needed = timeline
                .needed(request.from, request.to)
                .iter()
                .find(|told| told.until > request.from);
            let Some(needed) = needed else { continue };
            first = Some(first.map_or(needed.index, |first: u64| first.min(needed.index)));
        }
        Ok(first)
    }

    fn in_pack<'a>(&self, stated: &'a [Stated]) -> &'a [Stated] {
        stated
            .get(stated.partition_point(|stated| stated.index < self.begin)..)
            .unwrap_or_default()
    }

    /// The manifest that a statement names.
    fn manifest(&self, stated: &Stated) -> Option<&Digest> {
        self.manifests.get(stated.manifest as usize)
    }

    /// The manifests that statements in the pack name.
    pub(super) fn manifests(&self) -> BTreeSet<Digest> {
        self.stated
            .iter()
            .flat_map(|stated| self.in_pack(stated))
            .filter_map(|stated| self.manifest(stated))
            .copied()
            .collect()
    }

    /// What each enrolled host told, as far as it is in the pack: the verifier has no more.
    pub(super) fn witnesses(&self, manifests: &Manifests, request: &Request) -> Result<Vec<Witness>, OutOfOrder> {
        let nothing = Arc::new(Manifest::default());
        let mut timelines = BTreeMap::new();
        for (host, stated) in self.hosts.iter().zip(&self.stated) {
            let mut timeline = Timeline::within(self.freshness, request.from, request.to);
            for stated in self.in_pack(stated) {
                let manifest = self.manifest(stated).and_then(|digest| manifests.get(digest));
                timeline.append(stated.observation(Arc::clone(manifest.unwrap_or(&nothing))))?;
            }
            timelines.insert(host.clone(), timeline);
        }
        Ok(self.roll.witnesses(timelines, self.freshness))
    }

    /// Hosts by id with their names.
    pub(super) fn roll(&self) -> &Roll {
        &self.roll
    }
}

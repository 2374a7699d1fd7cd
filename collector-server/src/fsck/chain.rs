//! Signatures and chains: every entry with the key that counts at its place, after the entry that it names.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use evidence::aws_lc::AwsLc;
use evidence::envelope::{Unverified, Verified};
use evidence::key::{KeyId, PublicKey};
use evidence::statement::{HostId, LogOpening, Observation, Predicate};
use evidence::{Digest, Timestamp};

use super::Report;
use crate::ingest::CLOCK_TOLERANCE;
use crate::log::{Change, change};
use crate::store::{Last, Member, Store, StoreError};

/// What the entries so far say.
pub(super) struct Chain {
    now: Timestamp,
    opening: Option<LogOpening>,
    members: HashMap<KeyId, Member>,
    hosts: HashSet<HostId>,
    last_own: Option<Digest>,
    own: BTreeMap<u64, &'static str>,
    manifests: HashSet<Digest>,
    files: BTreeSet<Digest>,
    misplaced: BTreeMap<HostId, Misplaced>,
}

/// Statements of one member whose stored position is wrong: told as one damage.
struct Misplaced {
    first: u64,
    stored: Option<u64>,
    count: u64,
}

impl Chain {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            opening: None,
            members: HashMap::new(),
            hosts: HashSet::new(),
            last_own: None,
            own: BTreeMap::new(),
            manifests: HashSet::new(),
            files: BTreeSet::new(),
            misplaced: BTreeMap::new(),
        }
    }

    pub(super) fn opening(&self) -> Option<&LogOpening> {
        self.opening.as_ref()
    }

    /// Manifests that statements name.
    pub(super) fn manifests(&self) -> &HashSet<Digest> {
        &self.manifests
    }

    /// Files that the collector's entries name.
    pub(super) fn files(&self) -> &BTreeSet<Digest> {
        &self.files
    }

    pub(super) fn follow(
        &mut self,
        index: u64,
        bytes: &[u8],
        store: &dyn Store,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let place = || format!("entry {index}");
        let entry = match self.verify(index, bytes) {
            Ok(entry) => entry,
            Err(what) => {
                report.add(place(), what);
                return Ok(());
            }
        };
        let digest = entry.digest();
        let statement = entry.statement();
        if let Predicate::Observation(observation) = &statement.predicate {
            if let Err(what) = self.check_observation(entry.keyid(), observation) {
                report.add(place(), what);
            }
            match statement.manifest() {
                Some(manifest) => drop(self.manifests.insert(manifest)),
                None => report.add(place(), "an observation without the one subject \"manifest\""),
            }
            let stored = report.read(&place(), store.position(&entry.keyid(), observation.sequence))?;
            if let Some(stored) = stored.filter(|stored| *stored != Some(index)) {
                let new = Misplaced {
                    first: index,
                    stored,
                    count: 0,
                };
                self.misplaced.entry(observation.host.clone()).or_insert(new).count += 1;
            }
        } else {
            if statement.previous_of_collector() != self.last_own {
                report.add(place(), "does not name the collector's entry before it");
            }
            self.last_own = Some(digest);
            self.own.insert(index, statement.predicate.kind());
            if matches!(statement.predicate, Predicate::Rules(_)) {
                self.files
                    .extend(statement.subject.iter().map(|subject| subject.digest));
            }
        }
        if let Err(what) = self.apply(change(index, entry.keyid(), statement, digest), index) {
            report.add(place(), what);
        }
        Ok(())
    }

    fn verify(&mut self, index: u64, bytes: &[u8]) -> Result<Verified, String> {
        let unverified = Unverified::from_bytes(bytes).map_err(|error| error.to_string())?;
        let keyid = unverified.keyid();
        if index == 0 {
            match unverified.claimed().map_err(|error| error.to_string())?.predicate {
                Predicate::Log(opening) => self.opening = Some(opening),
                other => return Err(format!("is {}, an opening expected", other.kind())),
            }
        }
        let collector = self.opening.as_ref().map(|opening| &opening.statement_key);
        let collector: &PublicKey = collector.ok_or("the log has no opening that could say whose key counts")?;
        let (key, own) = if keyid == collector.id() {
            (collector, true)
        } else {
            let member = self.members.get(&keyid);
            (
                &member
                    .ok_or_else(|| format!("no enrolment before it announces the key {keyid}"))?
                    .key,
                false,
            )
        };
        let entry = unverified.verify(key, &AwsLc).map_err(|error| error.to_string())?;
        let observation = matches!(entry.statement().predicate, Predicate::Observation(_));
        if own == observation {
            let kind = entry.statement().predicate.kind();
            return Err(format!("is {kind}, which this key may not sign"));
        }
        if index > 0 && matches!(entry.statement().predicate, Predicate::Log(_)) {
            return Err("is an opening, which entry 0 alone can be".to_owned());
        }
        Ok(entry)
    }

    /// The rules of [`crate::ingest`], over what is in the log.
    fn check_observation(&self, keyid: KeyId, observation: &Observation) -> Result<(), String> {
        let Some(member) = self.members.get(&keyid) else {
            return Ok(());
        };
        if member.host != observation.host {
            return Err(format!(
                "speaks for {}, the key belongs to {}",
                observation.host, member.host
            ));
        }
        if let Some(index) = member.revoked {
            return Err(format!("its key was revoked by entry {index}"));
        }
        if observation.observed_at.since(self.now) > CLOCK_TOLERANCE {
            return Err(format!(
                "was observed at {}, which is in the future",
                observation.observed_at
            ));
        }
        let next = match &member.last {
            Some(last) if last.epoch != observation.epoch => {
                return Err(format!(
                    "has epoch {}, the key has epoch {}",
                    observation.epoch, last.epoch
                ));
            }
            Some(last) => last.sequence + 1,
            None => 0,
        };
        let explained = observation.lost.as_ref().map_or(observation.sequence == next, |lost| {
            lost.from == next && lost.to >= lost.from && lost.to + 1 == observation.sequence
        });
        if !explained {
            return Err(format!("has sequence {}, {next} expected", observation.sequence));
        }
        let previous = member.last.as_ref().map(|last| last.digest);
        if observation.lost.is_none() && observation.previous != previous {
            return Err("does not name its host's statement before it".to_owned());
        }
        Ok(())
    }

    fn apply(&mut self, change: Change, index: u64) -> Result<(), String> {
        match change {
            Change::Joined(member) => {
                if !self.hosts.insert(member.host.clone()) {
                    return Err(format!("enrols {}, which is enrolled", member.host));
                }
                match self.members.insert(member.keyid(), member) {
                    Some(_) => Err("enrols a key that is enrolled".to_owned()),
                    None => Ok(()),
                }
            }
            Change::Revoked(keyid) => match self.members.get_mut(&keyid) {
                Some(member) if member.revoked.is_none() => {
                    member.revoked = Some(index);
                    Ok(())
                }
                _ => Err(format!("revokes {keyid}, which is no member's or revoked already")),
            },
            Change::Stated(keyid, last) => {
                if let Some(member) = self.members.get_mut(&keyid) {
                    member.last = Some(last);
                }
                Ok(())
            }
            Change::Nothing => Ok(()),
        }
    }

    /// Compares what was derived with what is stored.
    pub(super) fn compare(&self, store: &dyn Store, size: u64, report: &mut Report) -> Result<(), StoreError> {
        let mut after: Option<HostId> = None;
        let mut stored = HashSet::new();
        loop {
            let place = "the members";
            let Some(page) = report.read(place, store.members(after.as_ref(), 1000))? else {
                break;
            };
            let Some(last) = page.last() else { break };
            after = Some(last.host.clone());
            for member in page {
                // What a writer did meanwhile is not this check's.
                let newer = |last: &Last| last.index >= size;
                if member.enrolled >= size {
                    continue;
                }
                report.hosts += 1;
                let place = format!("member {}", member.host);
                stored.insert(member.keyid());
                match self.members.get(&member.keyid()) {
                    None => report.add(place, "is in no entry of the log"),
                    Some(_)
                        if member.last.as_ref().is_some_and(newer) || member.revoked.is_some_and(|at| at >= size) => {}
                    Some(derived) if *derived == member => {}
                    Some(derived) => report.add(place, format!("is stored as {member:?}, the log says {derived:?}")),
                }
            }
        }
        for (keyid, member) in &self.members {
            if !stored.contains(keyid) {
                report.add(
                    format!("member {}", member.host),
                    "is enrolled in the log and not stored",
                );
            }
        }
        for (host, Misplaced { first, stored, count }) in &self.misplaced {
            let stored = stored.map_or_else(|| "nowhere".to_owned(), |index| format!("entry {index}"));
            let what = format!(
                "{count} of its statements are not where they are noted, the first is entry {first}, noted {stored}"
            );
            report.add(format!("member {host}"), what);
        }
        let own = report.read("the list of the collector's entries", store.own(None, 0, usize::MAX))?;
        let own: Vec<_> = own
            .unwrap_or_default()
            .into_iter()
            .filter(|index| *index < size)
            .collect();
        if !own.iter().eq(self.own.keys()) {
            report.add("the list of the collector's entries", "is not what the log says");
        }
        let kinds: BTreeSet<_> = self.own.values().collect();
        for kind in kinds {
            let derived = self
                .own
                .iter()
                .filter(|(_, found)| found == &kind)
                .map(|(index, _)| index);
            let listed = store.own(Some(kind), 0, usize::MAX)?;
            if !listed.iter().filter(|index| **index < size).eq(derived) {
                report.add(
                    "the list of the collector's entries",
                    format!("has other entries of {kind} than the log"),
                );
            }
        }
        Ok(())
    }
}

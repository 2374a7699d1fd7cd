//! Who has enrolled, as the collector's entries say.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Timestamp;
use evidence::key::KeyId;
use evidence::statement::{Enrolment, HostId, Revocation};

use super::Witness;
use crate::timeline::Timeline;

/// Hosts that have enrolled.
#[derive(Debug, Default)]
pub struct Roll(BTreeMap<HostId, Member>);

/// A host on the roll.
#[derive(Debug, Clone)]
pub struct Member {
    /// The name that it gave when it first enrolled.
    pub name: String,
    /// When it first enrolled.
    pub enrolled_at: Timestamp,
    /// When the last of its keys was revoked, if none counts any more.
    pub revoked_at: Option<Timestamp>,
    keys: BTreeSet<KeyId>,
}

impl Roll {
    /// Takes in an enrolment, in log order.
    pub fn enrol(&mut self, enrolment: &Enrolment) {
        let member = self.0.entry(enrolment.host.clone()).or_insert_with(|| Member {
            name: enrolment.name.clone(),
            enrolled_at: enrolment.at,
            revoked_at: None,
            keys: BTreeSet::new(),
        });
        member.keys.insert(enrolment.statement_key.id());
        member.revoked_at = None;
    }

    /// Takes in a revocation, in log order.
    pub fn revoke(&mut self, revocation: &Revocation) {
        if let Some(member) = self.0.get_mut(&revocation.host)
            && member.keys.remove(&revocation.keyid)
            && member.keys.is_empty()
        {
            member.revoked_at = Some(revocation.at);
        }
    }

    /// The hosts, by id.
    pub fn members(&self) -> &BTreeMap<HostId, Member> {
        &self.0
    }

    /// What each host on the roll told; a host without a timeline told nothing.
    pub fn witnesses(&self, mut timelines: BTreeMap<HostId, Timeline>, freshness: u64) -> Vec<Witness> {
        let witness = |(host, member): (&HostId, &Member)| Witness {
            host: host.clone(),
            name: member.name.clone(),
            enrolled_at: member.enrolled_at,
            revoked_at: member.revoked_at,
            timeline: timelines.remove(host).unwrap_or_else(|| Timeline::new(freshness)),
        };
        self.0.iter().map(witness).collect()
    }
}

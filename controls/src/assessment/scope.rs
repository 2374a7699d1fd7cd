//! Which hosts count. A list of names says which hosts ought to report; without one, the hosts that enrolled stand for it.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Timestamp;

use super::Witness;
use crate::coverage::{Enrolled, HostRecord, ScopeSource};

/// How long a host was a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// Since when it has no key that counts.
    pub revoked_at: Option<Timestamp>,
}

impl Tenure {
    fn ended_by(&self, from: Timestamp) -> bool {
        self.revoked_at.is_some_and(|revoked| revoked <= from)
    }
}

/// What a host is to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// It is in scope.
    InScope,
    /// It was a member and is not on the list.
    OutsideScope,
    /// It left before the period, or came after it.
    None,
}

/// What hosts of one name are to `[from, to)`, in their order. `listed` says whether the list has the name, if there is a
/// list.
///
/// A host that was revoked by the beginning has left. If it is on the list and no other host of its name is a member, the
/// one that enrolled last still counts, for somebody says that it ought to report.
pub fn parts(namesakes: &[Tenure], listed: Option<bool>, (from, to): (Timestamp, Timestamp)) -> Vec<Part> {
    let member = |tenure: &Tenure| !tenure.ended_by(from) && (tenure.enrolled_at < to || listed == Some(true));
    let last = (0..namesakes.len()).max_by_key(|place| namesakes.get(*place).map(|tenure| tenure.enrolled_at));
    let stands_in = last.filter(|_| listed == Some(true) && !namesakes.iter().any(member));
    let part = |(place, tenure): (usize, &Tenure)| match listed {
        Some(false) if member(tenure) => Part::OutsideScope,
        Some(true) | None if member(tenure) => Part::InScope,
        _ if stands_in == Some(place) => Part::InScope,
        _ => Part::None,
    };
    namesakes.iter().enumerate().map(part).collect()
}

/// The hosts that count over `[from, to)`, and the names on the list that never enrolled.
pub fn records<'w>(
    witnesses: &'w [Witness],
    scope: Option<&'w BTreeSet<String>>,
    period: (Timestamp, Timestamp),
) -> Vec<HostRecord<'w>> {
    let mut by_name: BTreeMap<&str, Vec<&Witness>> = BTreeMap::new();
    for name in scope.into_iter().flatten() {
        by_name.entry(name).or_default();
    }
    for witness in witnesses {
        by_name.entry(&witness.name).or_default().push(witness);
    }
    let mut records = Vec::new();
    for (name, namesakes) in by_name {
        if namesakes.is_empty() {
            records.push(HostRecord {
                name,
                in_scope: true,
                enrolled: None,
            });
        }
        let tenures: Vec<_> = namesakes.iter().map(|witness| witness.tenure()).collect();
        let parts = parts(&tenures, scope.map(|scope| scope.contains(name)), period);
        for (witness, part) in namesakes.into_iter().zip(parts).filter(|(_, part)| *part != Part::None) {
            records.push(HostRecord {
                name,
                in_scope: part == Part::InScope,
                enrolled: Some(Enrolled {
                    host: &witness.host,
                    at: witness.enrolled_at,
                    revoked: witness.revoked_at,
                    timeline: &witness.timeline,
                }),
            });
        }
    }
    records
}

/// Where a scope comes from.
pub fn source(scope: Option<&BTreeSet<String>>) -> ScopeSource {
    if scope.is_some() {
        ScopeSource::List
    } else {
        ScopeSource::Enrolled
    }
}

/// Reads a list: a host name per line; empty lines and lines that begin with `#` do not count.
pub fn parse(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::EPOCH.plus(seconds)
    }

    fn tenure(enrolled: i64, revoked: Option<i64>) -> Tenure {
        Tenure {
            enrolled_at: at(enrolled),
            revoked_at: revoked.map(at),
        }
    }

    #[test]
    fn who_left_before_the_period_does_not_count() {
        let hosts = [
            tenure(0, Some(10)),
            tenure(5, Some(11)),
            tenure(5, None),
            tenure(20, None),
        ];
        let period = (at(10), at(20));
        let (inside, none, outside) = (Part::InScope, Part::None, Part::OutsideScope);
        assert_eq!(parts(&hosts, None, period), [none, inside, inside, none]);
        assert_eq!(parts(&hosts, Some(true), period), [none, inside, inside, inside]);
        assert_eq!(parts(&hosts, Some(false), period), [none, outside, outside, none]);
    }

    #[test]
    fn a_name_on_the_list_is_always_stood_for() {
        let hosts = [tenure(0, Some(3)), tenure(1, Some(2))];
        let period = (at(10), at(20));
        assert_eq!(parts(&hosts, Some(true), period), [Part::None, Part::InScope]);
        assert_eq!(parts(&hosts, None, period), [Part::None, Part::None]);
    }
}

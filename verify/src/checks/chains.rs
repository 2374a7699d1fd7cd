//! The statements of each host: who signed them, and that none is missing between two.
//!
//! A statement names the envelope before it by digest, signature included. Whoever signed the newest has therefore signed
//! the whole chain before it, and one signature check vouches for all of them. In a large pack only the signatures at the
//! end of such chains are checked, each still against its place in the log; [`Signatures::Every`] checks each one.

use std::collections::{BTreeMap, BTreeSet};

use controls::timeline::{Observation, Timeline};
use evidence::envelope::Unverified;
use evidence::key::PublicKey;
use evidence::statement::{self, HostId, Predicate, SeenCheckpoint, Statement};
use evidence::{Digest, Timestamp};

use super::Context;
use super::Signatures;
use super::content::Manifests;
use super::entries::{self, Place, Seen};
use super::keyring::Keyring;
use super::log::Log;
use crate::archive::Role;
use crate::failure::Failure;
use crate::signatures::Dalek;

/// Where a host's chain stands.
struct Link {
    epoch: String,
    sequence: u64,
    digest: Digest,
}

impl Link {
    /// Where the chain stands after the statement `now`, whose envelope has this digest.
    fn after(
        before: Option<Self>,
        now: &statement::Observation,
        digest: Digest,
        epochs: &mut BTreeSet<String>,
    ) -> Self {
        let epoch = match before {
            Some(before) if before.epoch == now.epoch => before.epoch,
            _ => {
                epochs.insert(now.epoch.clone());
                now.epoch.clone()
            }
        };
        Self {
            epoch,
            sequence: now.sequence,
            digest,
        }
    }
}

/// How the statements are read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// Which signatures are checked.
    pub(super) signatures: Signatures,
    /// Seconds for which a statement speaks.
    pub(super) freshness: u64,
    /// Begin of the period.
    pub(super) from: Timestamp,
    /// End of the period.
    pub(super) to: Timestamp,
}

/// What the hosts told.
pub(super) struct Chains {
    /// By host.
    pub(super) timelines: BTreeMap<HostId, Timeline>,
    /// The first of their entries in the log.
    pub(super) first: Option<u64>,
}

/// The newest statement of a chain, whose signature vouches for those before it.
struct End<'a> {
    envelope: Unverified,
    key: &'a PublicKey,
    place: Place,
}

impl End<'_> {
    fn check(self) -> Result<(), Failure> {
        self.envelope
            .verify(self.key, &Dalek)
            .map(drop)
            .map_err(|error| Failure::wrong(error, self.place))
    }
}

/// Reads and checks the statements of every host in the pack.
pub(super) fn read(
    context: &mut Context,
    log: &Log,
    keyring: &Keyring,
    seen: &mut Seen,
    manifests: &Manifests,
    options: Reading,
) -> Result<Chains, Failure> {
    let mut chains = Chains {
        timelines: BTreeMap::new(),
        first: None,
    };
    let (mut count, mut checked, mut lost, mut late) = (0, 0, BTreeMap::new(), Vec::new());
    let files = context.archive.of_role(|role| matches!(role, Role::Host(_)));
    for file in &files {
        let Some(Role::Host(host)) = context.archive.role(file).cloned() else {
            continue;
        };
        if !keyring.roll.members().contains_key(&host) {
            return Err(Failure::wrong(
                format!("no entry of the log enrols a host {host}"),
                file,
            ));
        }
        let mut epochs = BTreeSet::new();
        let (mut link, mut end): (Option<Link>, Option<End>) = (None, None);
        let mut timeline = Timeline::within(options.freshness, options.from, options.to);
        let mut alarms = 0;
        entries::for_each(context, log, seen, file, |entry| {
            let (index, place, digest) = (entry.index, entry.place, entry.digest);
            let wrong = |what: String| Failure::wrong(what, &place);
            let key = keyring.key_at(entry.envelope.keyid(), &host, index).map_err(wrong)?;
            let signed = entry
                .envelope
                .claimed()
                .map_err(|error| Failure::wrong(error, &place))?;
            let observation = observation(&signed, &host, &place)?;
            let names_the_one_before = check_link(link.as_ref(), &epochs, observation).map_err(wrong)?;
            check_checkpoint(log, observation).map_err(wrong)?;
            if link.is_none() && observation.sequence > 0 && observation.observed_at > options.from {
                late.push(host.to_string());
            }
            alarms += u64::from(observation.alarm.is_some());
            if let Some(loss) = &observation.lost {
                *lost.entry(host.clone()).or_insert(0) += loss.to - loss.from + 1;
            }
            let manifest = signed.manifest();
            let manifest = manifest.ok_or_else(|| wrong("the subject is not one manifest".to_owned()))?;
            let told = Observation::of(index, observation, manifests.named(&manifest)?);
            timeline.append(told).map_err(|error| Failure::wrong(error, &place))?;
            count += 1;
            chains.first = Some(chains.first.map_or(index, |first: u64| first.min(index)));
            link = Some(Link::after(link.take(), observation, digest, &mut epochs));
            // A revoked or changed key does not vouch for what another key signed.
            let vouched = names_the_one_before && end.as_ref().is_some_and(|end| end.key == key);
            let next = End {
                envelope: entry.envelope,
                key,
                place: place.clone(),
            };
            match end.replace(next) {
                Some(before) if !vouched || options.signatures == Signatures::Every => {
                    checked += 1;
                    before.check()
                }
                _ => Ok(()),
            }
        })?;
        if let Some(end) = end {
            checked += 1;
            end.check()?;
        }
        if alarms > 0 {
            context.report.warn(format!(
                "{host} holds proof of a dishonest log, in {alarms} of its statements"
            ));
        }
        chains.timelines.insert(host, timeline);
    }
    for (host, count) in lost {
        context.report.warn(format!(
            "{host} says that {count} of its statements were lost before they could be sent"
        ));
    }
    if !late.is_empty() {
        context.report.warn(format!(
            "earlier statements of {} are not in the pack, and those that are begin within the period: they had been \
             silent for {} s or more when it began, or something was left out. An earlier pack, or one of a longer period, \
             tells which",
            late.join(", "),
            options.freshness
        ));
    }
    context.report.passed(
        "statements follow each other in sequence, each naming the one before it",
        count,
    );
    context
        .report
        .passed("signatures of hosts that vouch for these statements", checked);
    manifests.check_all_named()?;
    Ok(chains)
}

fn observation<'a>(signed: &'a Statement, host: &HostId, place: &Place) -> Result<&'a statement::Observation, Failure> {
    match &signed.predicate {
        Predicate::Observation(observation) if observation.host == *host => Ok(observation),
        Predicate::Observation(observation) => Err(Failure::wrong(
            format!("is a statement of {}, not of {host}", observation.host),
            place,
        )),
        _ => Err(Failure::wrong("is not a host's statement", place)),
    }
}

/// Sequence numbers grow by one, jump only over a declared loss, and begin again only in an epoch not seen before. The
/// first statement of the pack may be anywhere in its epoch. Says whether the statement names the one before it.
fn check_link(link: Option<&Link>, epochs: &BTreeSet<String>, now: &statement::Observation) -> Result<bool, String> {
    if let Some(lost) = &now.lost
        && (lost.from > lost.to || now.sequence != lost.to + 1)
    {
        return Err(format!(
            "declares the loss of {} to {} and has sequence {}",
            lost.from, lost.to, now.sequence
        ));
    }
    // After a loss `previous` names a statement that need not have arrived, or none if everything before was lost.
    if now.lost.is_none() && (now.sequence == 0) != now.previous.is_none() {
        return Err(format!(
            "has sequence {} and {} previous statement",
            now.sequence,
            if now.previous.is_none() { "no" } else { "a" }
        ));
    }
    let Some(before) = link else { return Ok(false) };
    if now.epoch != before.epoch {
        return match (epochs.contains(&now.epoch), now.sequence) {
            (true, _) => Err(format!("goes back to the epoch {:?}", now.epoch)),
            (false, 0) => Ok(false),
            (false, sequence) => Err(format!("begins the epoch {:?} with sequence {sequence}", now.epoch)),
        };
    }
    let expected = before.sequence + 1;
    match &now.lost {
        None if now.sequence != expected => Err(format!(
            "has sequence {}, {expected} expected: statements are missing",
            now.sequence
        )),
        None if now.previous != Some(before.digest) => {
            Err("does not name the statement before it as previous".to_owned())
        }
        Some(lost) if lost.from != expected => Err(format!("declares a loss from {}, {expected} expected", lost.from)),
        lost => Ok(lost.is_none()),
    }
}

/// What the host swears to have seen of the log must be a beginning of this log.
fn check_checkpoint(log: &Log, observation: &statement::Observation) -> Result<(), String> {
    let Some(SeenCheckpoint { origin, size, root }) = &observation.checkpoint else {
        return Ok(());
    };
    if *origin != log.head().origin {
        return Err(format!(
            "its host saw the log {origin:?}, this is {:?}",
            log.head().origin
        ));
    }
    // Below the tiles that the pack brings the root cannot be computed; the host's later checkpoints cover that part.
    match log.root_at(*size) {
        Ok(found) if found != *root => Err(format!(
            "its host saw another log: at {size} entries root {root}, here {found}"
        )),
        Err(_) if *size > log.head().size => Err(format!(
            "its host saw {size} entries of the log, this pack shows {}",
            log.head().size
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use evidence::Timestamp;
    use evidence::statement::{AgentBuild, Lost, Observation};

    use super::*;

    fn observation(sequence: u64, previous: Option<&[u8]>) -> Observation {
        Observation {
            host: HostId::new("h").unwrap(),
            agent: AgentBuild {
                version: String::new(),
                sha256: Digest::of(b""),
            },
            boot_id: String::new(),
            epoch: "e".into(),
            sequence,
            previous: previous.map(Digest::of),
            observed_at: Timestamp::from_unix(0).unwrap(),
            held: None,
            lost: None,
            checkpoint: None,
            alarm: None,
        }
    }

    fn check(before: u64, now: &statement::Observation) -> Result<bool, String> {
        let link = Link {
            epoch: "e".into(),
            sequence: before,
            digest: Digest::of(b"before"),
        };
        check_link(Some(&link), &BTreeSet::from(["e".to_owned()]), now)
    }

    #[test]
    fn a_chain_has_no_gap_but_a_declared_one() {
        assert_eq!(check(4, &observation(5, Some(b"before"))), Ok(true));
        assert!(check(4, &observation(6, Some(b"before"))).is_err());
        assert!(check(4, &observation(4, Some(b"before"))).is_err());
        assert!(check(4, &observation(5, Some(b"other"))).is_err());
        assert!(check(4, &observation(5, None)).is_err());
        let lost = |from, to| {
            Some(Lost {
                from,
                to,
                reason: "spool_full".into(),
            })
        };
        assert_eq!(
            check(
                4,
                &Observation {
                    lost: lost(5, 7),
                    ..observation(8, Some(b"never arrived"))
                }
            ),
            Ok(false)
        );
        assert!(
            check(
                4,
                &Observation {
                    lost: lost(6, 7),
                    ..observation(8, Some(b"x"))
                }
            )
            .is_err()
        );
        assert!(
            check(
                4,
                &Observation {
                    lost: lost(5, 7),
                    ..observation(9, Some(b"x"))
                }
            )
            .is_err()
        );
        assert!(
            check(
                4,
                &Observation {
                    lost: lost(7, 5),
                    ..observation(6, Some(b"x"))
                }
            )
            .is_err()
        );
    }

    #[test]
    fn a_host_may_have_lost_everything_before_its_first_statement_to_arrive() {
        let lost = |from, to| {
            Some(Lost {
                from,
                to,
                reason: "spool_damaged".into(),
            })
        };
        let first = Observation {
            lost: lost(0, 1),
            ..observation(2, None)
        };
        assert_eq!(check_link(None, &BTreeSet::new(), &first), Ok(false));
        assert!(check_link(None, &BTreeSet::new(), &observation(2, None)).is_err());
    }

    #[test]
    fn an_epoch_begins_at_zero_and_never_again() {
        let other = |sequence, previous| Observation {
            epoch: "f".into(),
            ..observation(sequence, previous)
        };
        assert_eq!(check(4, &other(0, None)), Ok(false));
        assert!(check(4, &other(1, Some(b"x"))).is_err());
        let link = Link {
            epoch: "f".into(),
            sequence: 0,
            digest: Digest::of(b""),
        };
        let epochs = BTreeSet::from(["e".to_owned(), "f".to_owned()]);
        assert!(check_link(Some(&link), &epochs, &observation(0, None)).is_err());
    }
}

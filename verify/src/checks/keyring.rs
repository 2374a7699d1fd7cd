//! Which key may sign what at which place of the log: as the collector's own entries say.

use std::collections::{BTreeMap, BTreeSet};

use controls::assessment::Roll;
use evidence::checkpoint::Checkpoint;
use evidence::envelope::Unverified;
use evidence::key::{KeyId, PublicKey};
use evidence::statement::{HostId, LogOpening, Predicate, RuleSetInForce, Statement, Subject};
use evidence::{Digest, pack};

use super::Context;
use super::entries::{self, Entry, Seen};
use super::log::Log;
use crate::failure::Failure;
use crate::signatures::Dalek;

/// What the collector's entries say.
pub(super) struct Keyring {
    /// The log's opening.
    pub(super) opening: LogOpening,
    /// Who has enrolled.
    pub(super) roll: Roll,
    /// Host keys by id.
    keys: BTreeMap<KeyId, HostKey>,
    /// The rule set in force at the end of the log, and its files.
    pub(super) rule_set: Option<(RuleSetInForce, Vec<Subject>)>,
    /// SHA-256 of the last of the collector's entries.
    pub(super) last_entry: Digest,
}

struct HostKey {
    host: HostId,
    key: PublicKey,
    from: u64,
    revoked: Option<u64>,
}

impl Keyring {
    /// Reads the collector's entries, which begin with the log's opening.
    pub(super) fn read(context: &mut Context, log: &Log, seen: &mut Seen) -> Result<Self, Failure> {
        let mut keyring: Option<Self> = None;
        let head = log.head().clone();
        entries::for_each(context, log, seen, pack::COLLECTOR, |entry| match &mut keyring {
            None => {
                keyring = Some(Self::opened(entry, &head)?);
                Ok(())
            }
            Some(keyring) => keyring.take(entry),
        })?;
        let keyring =
            keyring.ok_or_else(|| Failure::wrong("is empty; it must begin with the log's opening", pack::COLLECTOR))?;
        keyring.check_key_files(context)?;
        Ok(keyring)
    }

    fn opened(entry: Entry, head: &Checkpoint) -> Result<Self, Failure> {
        let place = entry.place;
        if entry.index != 0 {
            return Err(Failure::wrong("the log's opening (entry 0) is missing", place));
        }
        // The opening is signed with the key that it announces. Whether that key is to be trusted is asked elsewhere.
        let claimed = entry
            .envelope
            .claimed()
            .map_err(|error| Failure::wrong(error, &place))?;
        let Predicate::Log(opening) = &claimed.predicate else {
            return Err(Failure::wrong("entry 0 is not the log's opening", place));
        };
        let verified = entry.envelope.verify(&opening.statement_key, &Dalek);
        verified.map_err(|error| Failure::wrong(error, &place))?;
        if opening.origin != head.origin {
            let what = format!(
                "opens the log {:?}, the checkpoint is of {:?}",
                opening.origin, head.origin
            );
            return Err(Failure::wrong(what, place));
        }
        expect_subject(&claimed, "statement-key", opening.statement_key.id(), &place)?;
        let opening = opening.clone();
        Ok(Self {
            opening,
            roll: Roll::default(),
            keys: BTreeMap::new(),
            rule_set: None,
            last_entry: entry.digest,
        })
    }

    fn take(&mut self, entry: Entry) -> Result<(), Failure> {
        let (index, place, digest) = (entry.index, entry.place, entry.digest);
        let wrong = |what: String| Failure::wrong(what, &place);
        let verified = entry.envelope.verify(&self.opening.statement_key, &Dalek);
        let verified = verified.map_err(|error| wrong(format!("not the collector's: {error}")))?;
        let statement = verified.statement();
        if statement
            .previous_of_collector()
            .is_some_and(|previous| previous != self.last_entry)
        {
            return Err(wrong(
                "does not name the collector's entry before it as previous".to_owned(),
            ));
        }
        self.last_entry = digest;
        match &statement.predicate {
            Predicate::Enrolment(enrolment) => {
                let keyid = enrolment.statement_key.id();
                expect_subject(statement, enrolment.host.as_str(), keyid, &place)?;
                let key = HostKey {
                    host: enrolment.host.clone(),
                    key: enrolment.statement_key.clone(),
                    from: index,
                    revoked: None,
                };
                if self.keys.insert(keyid, key).is_some() {
                    return Err(wrong(format!("key {keyid} is enrolled twice")));
                }
                self.roll.enrol(enrolment);
            }
            Predicate::Revocation(revocation) => {
                expect_subject(statement, revocation.host.as_str(), revocation.keyid, &place)?;
                let key = self
                    .keys
                    .get_mut(&revocation.keyid)
                    .filter(|key| key.host == revocation.host);
                let key = key.ok_or_else(|| {
                    wrong(format!(
                        "revokes key {}, which {} has not",
                        revocation.keyid, revocation.host
                    ))
                })?;
                key.revoked.get_or_insert(index);
                self.roll.revoke(revocation);
            }
            Predicate::Rules(rules) => self.rule_set = Some((rules.clone(), statement.subject.clone())),
            Predicate::Pack(_) => {}
            Predicate::Log(_) => return Err(wrong("opens the log a second time".to_owned())),
            Predicate::Observation(_) => return Err(wrong("is a host's statement among the collector's".to_owned())),
        }
        Ok(())
    }

    /// The key with which `host` may sign the entry at `index`.
    pub(super) fn key_at(&self, keyid: KeyId, host: &HostId, index: u64) -> Result<&PublicKey, String> {
        let key = self
            .keys
            .get(&keyid)
            .ok_or_else(|| format!("signed with key {keyid}, which no enrolment announces"))?;
        if key.host != *host {
            return Err(format!("signed with a key of {}, not of {host}", key.host));
        }
        if index <= key.from {
            return Err(format!(
                "signed with key {keyid} before its enrolment (log entry {})",
                key.from
            ));
        }
        match key.revoked {
            Some(revoked) if index > revoked => Err(format!(
                "signed with key {keyid} after its revocation (log entry {revoked})"
            )),
            _ => Ok(&key.key),
        }
    }

    /// `keys/` holds exactly the keys that the entries announce, and under their ids.
    fn check_key_files(&self, context: &mut Context) -> Result<(), Failure> {
        let own = [&self.opening.statement_key, &self.opening.log_key];
        let mut expected: BTreeSet<Digest> = own.iter().map(|key| key.id().0).collect();
        expected.extend(self.keys.keys().map(|keyid| keyid.0));
        for name in context
            .archive
            .of_role(|role| matches!(role, crate::archive::Role::Key(_)))
        {
            let pem = context.text(&name)?;
            let key = PublicKey::from_pem(&pem).map_err(|error| Failure::wrong(error, &name))?;
            if name != pack::key(&key.id()) {
                return Err(Failure::wrong(format!("holds the key {}", key.id()), name));
            }
            if !expected.remove(&key.id().0) {
                return Err(Failure::wrong("no entry of the log announces this key", name));
            }
        }
        match expected.first() {
            Some(missing) => Err(Failure::wrong("the file is missing", pack::key(&KeyId(*missing)))),
            None => Ok(()),
        }
    }
}

fn expect_subject(statement: &Statement, name: &str, keyid: KeyId, place: &entries::Place) -> Result<(), Failure> {
    match statement.subject.as_slice() {
        [subject] if subject.name == name && subject.digest == keyid.0 => Ok(()),
        _ => Err(Failure::wrong("the subject is not what the predicate says", place)),
    }
}

/// The opening as the pack claims it, signature unchecked: to learn which keys the pack itself names.
pub(super) fn claimed_opening(archive: &mut crate::archive::Archive) -> Result<LogOpening, Failure> {
    let place = format!("{} line 1", pack::COLLECTOR);
    let wrong = |what: &str| Failure::wrong(what, &place);
    let (line, _) = archive.stream(pack::COLLECTOR, |reader| {
        let mut line = Vec::new();
        let mut reader = std::io::Read::take(reader, entries::MAX_LINE + 1);
        std::io::BufRead::read_until(&mut reader, b'\n', &mut line).map_err(|error| Failure::wrong(error, &place))?;
        Ok(line)
    })?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let (envelope, _) = entries::split(line).ok_or_else(|| wrong("the line is not {\"envelope\":{…},\"index\":N}"))?;
    let claimed = Unverified::from_bytes(envelope).map_err(|error| Failure::wrong(error, &place))?;
    let claimed = claimed.claimed().map_err(|error| Failure::wrong(error, &place))?;
    match claimed.predicate {
        Predicate::Log(opening) => Ok(opening),
        _ => Err(wrong("entry 0 is not the log's opening")),
    }
}

//! A log of seven entries, one of each kind at least, as a collector writes it in its first hours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::checkpoint::{Checkpoint, SignedCheckpoint};
use evidence::envelope::{self, PAYLOAD_TYPE, Verified, pre_authentication_encoding};
use evidence::key::Signer;
use evidence::proof::{Receipt, hashes_to_text};
use evidence::statement::{
    AgentBuild, Alarm, Enrolment, Held, HostId, LogOpening, Lost, Observation, PackIssue, Predicate, Revocation,
    RuleSetInForce, SeenCheckpoint, Statement, Subject,
};
use evidence::tile::{Resource, TileReader, encode_bundle, grow, tiles};
use evidence::tree::{self, leaf_hash};
use evidence::{Digest, Timestamp};
use serde_json::{Value, json};

use crate::ed25519::Key;
use crate::keys::{self, HOST, ORIGIN};
use crate::{Subtrees, binary, documents, text};

/// The log, and one statement more than is in it.
pub(crate) struct SmallLog {
    entries: Vec<(&'static str, Verified)>,
    pub(crate) subtrees: Subtrees,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn subject(name: &str, digest: Digest) -> Subject {
    Subject {
        name: name.to_owned(),
        digest,
    }
}

/// The host's first statement.
pub(crate) fn first_observation() -> Observation {
    Observation {
        host: HostId::new(HOST).unwrap(),
        agent: AgentBuild {
            version: "0.1.0".to_owned(),
            sha256: Digest::of(b"an executable"),
        },
        boot_id: "6fd5a1b2-0c7e-4b51-9d3a-2f10c5a98e11".to_owned(),
        epoch: "00112233445566778899aabbccddeeff".to_owned(),
        sequence: 0,
        previous: None,
        observed_at: at("2026-11-24T10:00:00Z"),
        held: None,
        lost: None,
        checkpoint: None,
        alarm: None,
    }
}

/// The statement of an observation.
pub(crate) fn observed(observation: Observation) -> Statement {
    Statement {
        subject: vec![subject("manifest", documents::manifest().digest())],
        predicate: Predicate::Observation(observation),
    }
}

fn seal(subjects: Vec<Subject>, predicate: Predicate, key: &Key) -> Verified {
    let statement = Statement {
        subject: subjects,
        predicate,
    };
    envelope::seal(&statement, key).unwrap()
}

/// A tree head signed by the log.
pub(crate) fn signed(size: u64, root: Digest) -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root,
    };
    SignedCheckpoint::sign(checkpoint, &keys::log()).unwrap()
}

impl SmallLog {
    pub(crate) fn new() -> Self {
        let (collector, host) = (keys::collector(), keys::host());
        let host_id = HostId::new(HOST).unwrap();
        let opening = seal(
            vec![subject("statement-key", collector.public_key().id().0)],
            Predicate::Log(LogOpening {
                origin: ORIGIN.to_owned(),
                log_key: keys::log().public_key().clone(),
                statement_key: collector.public_key().clone(),
                at: at("2026-11-24T09:00:00Z"),
            }),
            &collector,
        );
        let enrolment = seal(
            vec![subject(HOST, host.public_key().id().0)],
            Predicate::Enrolment(Enrolment {
                previous: opening.digest(),
                host: host_id.clone(),
                name: "web-1".to_owned(),
                statement_key: host.public_key().clone(),
                token: keys::token().id_text(),
                at: at("2026-11-24T09:30:00Z"),
            }),
            &collector,
        );
        let rules = seal(
            vec![
                subject("catalogues/iso27001-2022.csv", Digest::of(b"a catalogue")),
                subject("rules/baseline.yaml", Digest::of(b"parameters")),
                subject("rules/sshd-root-login.yaml", Digest::of(b"a rule")),
            ],
            Predicate::Rules(RuleSetInForce {
                previous: enrolment.digest(),
                collector_version: "0.1.0".to_owned(),
                freshness_seconds: 10_800,
                at: at("2026-11-24T09:45:00Z"),
            }),
            &collector,
        );
        let first = envelope::seal(&observed(first_observation()), &host).unwrap();
        let so_far = Subtrees::of([&opening, &enrolment, &rules, &first].map(Verified::bytes));
        let second = Observation {
            sequence: 1,
            previous: Some(first.digest()),
            observed_at: at("2026-11-24T11:00:00Z"),
            held: Some(Held {
                until: at("2026-11-24T10:55:00Z"),
                collections: 11,
            }),
            checkpoint: Some(SeenCheckpoint {
                origin: ORIGIN.to_owned(),
                size: 4,
                root: tree::root(&so_far, 4).unwrap(),
            }),
            ..first_observation()
        };
        let second = envelope::seal(&observed(second), &host).unwrap();
        let revocation = seal(
            vec![subject(HOST, host.public_key().id().0)],
            Predicate::Revocation(Revocation {
                previous: rules.digest(),
                host: host_id,
                keyid: host.public_key().id(),
                reason: "sold".to_owned(),
                at: at("2026-11-24T12:00:00Z"),
            }),
            &collector,
        );
        let shown = Subtrees::of([&opening, &enrolment, &rules, &first, &second, &revocation].map(Verified::bytes));
        let pack = seal(
            vec![subject("SHA256SUMS", Digest::of(b"sums"))],
            Predicate::Pack(PackIssue {
                previous: revocation.digest(),
                from: at("2026-11-24T00:00:00Z"),
                to: at("2026-11-25T00:00:00Z"),
                catalogue: "iso27001-2022".to_owned(),
                last_entry: revocation.digest(),
                tree_size: 6,
                root: tree::root(&shown, 6).unwrap(),
                at: at("2026-11-25T08:00:00Z"),
            }),
            &collector,
        );
        let entries = vec![
            ("log", opening),
            ("enrolment", enrolment),
            ("rules", rules),
            ("observation: the first", first),
            ("observation: the second", second),
            ("revocation", revocation),
            ("pack", pack),
        ];
        let subtrees = Subtrees::of(entries.iter().map(|(_, entry)| entry.bytes()));
        Self { entries, subtrees }
    }

    /// An entry.
    pub(crate) fn entry(&self, index: usize) -> &Verified {
        &self.entries[index].1
    }

    /// The tree head after `size` entries, signed.
    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        signed(size, tree::root(&self.subtrees, size).unwrap())
    }

    /// The proof that entry `index` is in the tree of `size` entries.
    pub(crate) fn receipt(&self, index: u64, size: u64) -> Receipt {
        Receipt {
            extra: None,
            index,
            proof: tree::inclusion_proof(&self.subtrees, index, size).unwrap(),
            checkpoint: self.checkpoint(size).note().to_owned(),
        }
    }

    /// A statement with every optional member: sequence numbers 2 to 4 were lost, and the host was shown a log that
    /// forgot an entry.
    fn everything(&self) -> Verified {
        let statement = Observation {
            sequence: 5,
            previous: Some(self.entry(4).digest()),
            held: Some(Held {
                until: at("2026-11-24T11:20:00Z"),
                collections: 4,
            }),
            lost: Some(Lost {
                from: 2,
                to: 4,
                reason: "spool_full".to_owned(),
            }),
            checkpoint: Some(SeenCheckpoint {
                origin: ORIGIN.to_owned(),
                size: 5,
                root: tree::root(&self.subtrees, 5).unwrap(),
            }),
            alarm: Some(Alarm {
                kind: "fork".to_owned(),
                known: self.checkpoint(5).note().to_owned(),
                shown: signed(5, Digest::of(b"another history")).note().to_owned(),
            }),
            observed_at: at("2026-11-24T11:59:00Z"),
            ..first_observation()
        };
        envelope::seal(&observed(statement), &keys::host()).unwrap()
    }

    /// `envelopes.json`.
    pub(crate) fn envelopes(&self) -> Value {
        let everything = self.everything();
        let more = ("observation: every optional member (in no log)", &everything);
        let entries = self.entries.iter().map(|(name, entry)| (*name, entry)).chain([more]);
        let vector = |(name, entry): (&str, &Verified)| {
            let payload = entry.statement().to_bytes().unwrap();
            let form: Value = serde_json::from_slice(entry.bytes()).unwrap();
            json!({
                "name": name,
                "predicate_type": entry.statement().predicate.kind(),
                "keyid": entry.keyid(),
                "payload": text(&payload),
                "signed": text(&pre_authentication_encoding(PAYLOAD_TYPE, &payload)),
                "signature": form["signatures"][0]["sig"],
                "envelope": text(entry.bytes()),
            })
        };
        entries.map(vector).collect()
    }

    /// `log.json`.
    pub(crate) fn vectors(&self) -> Value {
        let size = self.entries.len() as u64;
        let entries: Vec<_> = self.entries.iter().map(|(_, entry)| entry.bytes()).collect();
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let bytes = grow(0, &leaves, |_| Err::<Vec<u8>, _>("nothing is there yet")).unwrap();
        let reader = TileReader::new(size, |tile: evidence::tile::Tile| {
            Ok::<_, ()>(bytes[&(tile.level, tile.index)].clone())
        });
        assert_eq!(
            tree::root(&reader, size).unwrap(),
            tree::root(&self.subtrees, size).unwrap()
        );
        let tile = |tile: evidence::tile::Tile| {
            let mut vector = binary(&bytes[&(tile.level, tile.index)]);
            vector["path"] = Resource::Hashes(tile).to_string().into();
            vector
        };
        let mut bundle = binary(&encode_bundle(&entries).unwrap());
        let path = Resource::Entries { index: 0, width: 7 };
        bundle["path"] = path.to_string().into();
        let receipt = |index: u64| {
            let receipt = self.receipt(index, size).to_string();
            Receipt::parse(&receipt)
                .unwrap()
                .verify(
                    entries[usize::try_from(index).unwrap()],
                    &keys::log_verifier(),
                    &crate::ed25519::Dalek,
                )
                .unwrap();
            receipt
        };
        let consistency = |old: u64| {
            let proof = tree::consistency_proof(&self.subtrees, old, size).unwrap();
            json!({"old": old, "new": size, "proof": hashes_to_text(&proof)})
        };
        let pack_receipt = Receipt {
            extra: Some(
                hashes_to_text(&tree::consistency_proof(&self.subtrees, 6, 7).unwrap())
                    .join("\n")
                    .into_bytes(),
            ),
            ..self.receipt(6, 7)
        };
        json!({
            "entries": entries.iter().map(|entry| Digest::of(entry)).collect::<Vec<_>>(),
            "leaf_hashes": leaves,
            "roots": (0..=size).map(|size| tree::root(&self.subtrees, size).unwrap()).collect::<Vec<_>>(),
            "checkpoints": [self.checkpoint(1).note(), self.checkpoint(5).note(), self.checkpoint(size).note()],
            "receipts": (0..size).map(receipt).collect::<Vec<_>>(),
            "pack_receipt": pack_receipt.to_string(),
            "consistency": (1..=size).map(consistency).collect::<Vec<_>>(),
            "tiles": tiles(size).map(tile).collect::<Vec<_>>(),
            "bundles": [bundle],
            "fork": {
                "known": self.checkpoint(5).note(),
                "shown": signed(5, Digest::of(b"another history")).note(),
            },
        })
    }
}

/// The Base64 of an envelope's members, put together anew: for envelopes that must be refused.
pub(crate) fn envelope_of(payload: &[u8], key: &Key) -> Vec<u8> {
    let signature = key.sign(&pre_authentication_encoding(PAYLOAD_TYPE, payload)).unwrap().0;
    let form = json!({
        "payload": STANDARD.encode(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.public_key().id(), "sig": STANDARD.encode(signature)}],
    });
    evidence::json::canonical(&form).unwrap()
}

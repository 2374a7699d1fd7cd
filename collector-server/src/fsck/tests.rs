//! Each kind of damage is found and named.

use std::path::Path;
use std::sync::Arc;

use evidence::Timestamp;
use evidence::aws_lc::Ed25519Signer;
use evidence::envelope::seal;
use evidence::facts::{FactsDocument, Outcome, ProbeId};
use evidence::key::Signer as _;
use evidence::manifest::Manifest;
use evidence::statement::{AgentBuild, Enrolment, HostId, Observation, Predicate, Statement, Subject};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::app::App;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::store::{Sqlite, StoredFacts};
use evidence::Digest;

/// Entries: the opening, the rules, an enrolment, 300 statements: one sealed bundle and a rest.
fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let app = App::build(Config::default(), DataDir::new(folder.path()), Arc::new(SystemClock)).unwrap();
    app.bring_rules_into_force().unwrap();
    let host = Ed25519Signer::from_seed(&[1; 32]).unwrap();
    let (id, now) = (HostId::new("h1").unwrap(), app.clock.now());
    let (own, key, name) = (Arc::clone(&app.statement_key), host.public_key().clone(), id.clone());
    app.log
        .write_blocking(move |batch| {
            batch.append_own(&own, |previous| Statement {
                subject: vec![Subject {
                    name: name.to_string(),
                    digest: key.id().0,
                }],
                predicate: Predicate::Enrolment(Enrolment {
                    host: name.clone(),
                    name: "h1".into(),
                    statement_key: key.clone(),
                    token: "t".into(),
                    previous,
                    at: now,
                }),
            })
        })
        .unwrap();
    let facts = FactsDocument {
        probe: ProbeId::new("sshd").unwrap(),
        version: 1,
        outcome: Outcome::Absent,
        detail: String::new(),
        sources: vec![],
        facts: None,
    };
    let facts = StoredFacts {
        probe: facts.probe.clone(),
        bytes: facts.to_bytes().unwrap(),
    };
    let manifest = Manifest::new([(facts.probe.clone(), Digest::of(&facts.bytes))]);
    let mut previous = None;
    let mut entries = Vec::new();
    for sequence in 0..300 {
        let statement = observation(&id, sequence, previous, manifest.digest(), now);
        let entry = seal(&statement, &host).unwrap();
        previous = Some(entry.digest());
        entries.push(entry);
    }
    app.log
        .write_blocking(move |batch| {
            batch.store().put_facts(&Digest::of(&facts.bytes), &facts)?;
            batch.store().put_manifest(&manifest.digest(), &manifest.to_bytes())?;
            entries.iter().try_for_each(|entry| batch.append(entry).map(drop))
        })
        .unwrap();
    while app.log.write_blocking(|batch| batch.store().unsealed()).unwrap().value == 0 {
        std::thread::yield_now();
    }
    folder
}

fn observation(host: &HostId, sequence: u64, previous: Option<Digest>, manifest: Digest, at: Timestamp) -> Statement {
    Statement {
        subject: vec![Subject {
            name: "manifest".into(),
            digest: manifest,
        }],
        predicate: Predicate::Observation(Observation {
            host: host.clone(),
            agent: AgentBuild {
                version: "0".into(),
                sha256: Digest::of(b""),
            },
            boot_id: String::new(),
            epoch: "e".into(),
            sequence,
            previous,
            observed_at: at,
            held: None,
            lost: None,
            checkpoint: None,
            alarm: None,
        }),
    }
}

fn report(folder: &Path) -> Report {
    let store = Sqlite::open(&DataDir::new(folder).store()).unwrap();
    check(&store, SystemClock.now()).unwrap()
}

#[test]
fn a_sound_store_has_no_damage() {
    let folder = filled();
    let report = report(folder.path());
    assert_eq!(report.damage, vec![]);
    assert_eq!(
        (report.entries, report.hosts, report.manifests, report.facts),
        (303, 1, 1, 1)
    );
}

#[test]
fn every_kind_of_damage_is_found_and_named() {
    for (sql, expected) in [
        (
            "UPDATE entry SET bytes = CAST(bytes || x'20' AS BLOB) WHERE idx = 300",
            "entry 300: the envelope is not canonical",
        ),
        (
            "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE idx = 299) WHERE idx = 300",
            "entry 300: has sequence",
        ),
        (
            "UPDATE entry SET bytes = 'text' WHERE idx = 300",
            "entries from 0: reading entries: Invalid column type",
        ),
        ("DELETE FROM entry WHERE idx = 290", "entry 290 is not there"),
        (
            "DELETE FROM entry WHERE idx = 302",
            "entry 302: missing; the tree head counts 303",
        ),
        ("DELETE FROM bundle", "entry 0 is not there"),
        ("UPDATE bundle SET bytes = substr(bytes, 1, 500)", "a sealed bundle"),
        (
            "UPDATE hashes SET bytes = zeroblob(length(bytes)) WHERE level = 0",
            "tile 0 of level 0: hash 0",
        ),
        ("DELETE FROM hashes WHERE level = 0", "tile 0 of level 0: has 0 hashes"),
        (
            "UPDATE hashes SET bytes = zeroblob(32) WHERE level = 1",
            "tile 0 of level 1: hash 0",
        ),
        (
            "UPDATE head SET checkpoint = replace(checkpoint, '303', '302')",
            "the checkpoint: ",
        ),
        (
            "UPDATE head SET size = 302",
            "the checkpoint: is of 303 entries, the tree head says 302",
        ),
        ("DELETE FROM head", "the tree head: there is none"),
        ("UPDATE member SET revoked = 7", "member h1: is stored as"),
        ("UPDATE member SET last_sequence = 7", "member h1: is stored as"),
        ("UPDATE member SET host = 'h2'", "member h2: is stored as"),
        ("DELETE FROM member", "member h1: is enrolled in the log and not stored"),
        (
            "UPDATE position SET idx = 9 WHERE sequence = 100",
            "member h1: 1 of its statements are not where they are noted, the first is entry 103, noted entry 9",
        ),
        (
            "DELETE FROM position WHERE sequence = 100",
            "the first is entry 103, noted nowhere",
        ),
        ("DELETE FROM own WHERE idx = 1", "the list of the collector's entries"),
        (
            "UPDATE own SET kind = 'urn:affiant:pack:v1' WHERE idx = 1",
            "has other entries of urn:affiant:rules:v1",
        ),
        ("DELETE FROM manifest", "is named by a statement and not stored"),
        ("DELETE FROM facts", "is named by a manifest (as sshd) and not stored"),
        ("UPDATE facts SET probe = 'accounts'", "is of sshd, stored as accounts"),
        ("UPDATE facts SET bytes = x'00'", "does not decompress"),
        (
            "UPDATE facts SET bytes = (SELECT bytes FROM manifest)",
            "has the digest",
        ),
        (
            "UPDATE manifest SET bytes = (SELECT bytes FROM facts)",
            "has the digest",
        ),
        ("DELETE FROM file WHERE id = 1", "is named by a rule set and not stored"),
    ] {
        let folder = filled();
        let store = DataDir::new(folder.path()).store();
        Connection::open(store).unwrap().execute_batch(sql).unwrap();
        let report = report(folder.path());
        let lines: Vec<_> = report.damage.iter().map(ToString::to_string).collect();
        assert!(lines.iter().any(|line| line.contains(expected)), "{sql}: {lines:#?}");
    }
}

#[test]
fn a_flipped_bit_in_the_file_is_found() {
    let folder = filled();
    let path = DataDir::new(folder.path()).store();
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = b"urn:affiant:rules:v1";
    let position = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[position] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_ne!(report(folder.path()).damages, 0);
}

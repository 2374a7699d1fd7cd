//! Envelopes of every kind, verified by implementations that we did not write: OpenSSL, securesystemslib (PyPI) and
//! `@sigstore/verify` (npm). Each must accept what we sealed and reject what was altered afterwards.
//!
//! `tests/run.sh` installs them below `$AFFIANT_TEST_TOOLS`; without them the tests fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use evidence::aws_lc::Ed25519Signer;
use evidence::envelope;
use evidence::key::{KeyId, Signer};
use evidence::statement::{
    AgentBuild, Alarm, Enrolment, Held, HostId, LogOpening, Lost, Observation, PackIssue, Predicate, Revocation,
    RuleSetInForce, SeenCheckpoint, Statement, Subject,
};
use evidence::{Digest, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

fn tools() -> PathBuf {
    let tools = std::env::var_os("AFFIANT_TEST_TOOLS").expect("AFFIANT_TEST_TOOLS is not set: run tests/run.sh");
    PathBuf::from(tools)
}

fn every_kind(signer: &Ed25519Signer) -> Vec<Statement> {
    let (host, at) = (
        HostId::new("web-1").unwrap(),
        Timestamp::from_unix(1_795_514_922).unwrap(),
    );
    let key = signer.public_key().clone();
    let digest = Digest::of(b"subject");
    let predicates = [
        Predicate::Log(LogOpening {
            origin: "example.org/log".into(),
            log_key: key.clone(),
            statement_key: key.clone(),
            at,
        }),
        Predicate::Enrolment(Enrolment {
            previous: digest,
            host: host.clone(),
            name: "web-1.example.org — \u{1f512} \"quoted\"".into(),
            statement_key: key.clone(),
            token: "AQEBAQEBAQE".into(),
            at,
        }),
        Predicate::Revocation(Revocation {
            previous: digest,
            host: host.clone(),
            keyid: key.id(),
            reason: "lost\tlaptop".into(),
            at,
        }),
        Predicate::Rules(RuleSetInForce {
            previous: digest,
            collector_version: "0.1.0".into(),
            freshness_seconds: 9000,
            at,
        }),
        Predicate::Pack(PackIssue {
            previous: digest,
            last_entry: digest,
            from: at,
            to: at.plus(86_400),
            catalogue: "iso27001-2022".into(),
            tree_size: 7,
            root: digest,
            at,
        }),
        Predicate::Observation(Observation {
            host,
            agent: AgentBuild {
                version: "0.1.0".into(),
                sha256: digest,
            },
            boot_id: "3f1c6f3e-7a0e-4a6c-9a0e-2f0f6a1b2c3d".into(),
            epoch: "0123456789abcdef".into(),
            sequence: 41,
            previous: Some(digest),
            observed_at: at,
            held: Some(Held {
                until: at,
                collections: 3,
            }),
            lost: Some(Lost {
                from: 7,
                to: 40,
                reason: "spool_full".into(),
            }),
            checkpoint: Some(SeenCheckpoint {
                origin: "example.org/log".into(),
                size: 40,
                root: digest,
            }),
            alarm: Some(Alarm {
                kind: "fork".into(),
                known: "a\n".into(),
                shown: "b\n".into(),
            }),
        }),
    ];
    predicates
        .map(|predicate| Statement {
            subject: vec![Subject {
                name: "manifest".into(),
                digest,
            }],
            predicate,
        })
        .into()
}

/// A folder with an envelope of each kind as sealed, and each altered in its payload and in its signature.
fn envelopes() -> (TempDir, usize) {
    let folder = tempfile::tempdir().unwrap();
    let signer = Ed25519Signer::from_seed(&[9; 32]).unwrap();
    fs::write(folder.path().join("key.pem"), signer.public_key().to_pem()).unwrap();
    let statements = every_kind(&signer);
    for (number, statement) in statements.iter().enumerate() {
        let sealed = envelope::seal(statement, &signer).unwrap();
        let mut json: Value = serde_json::from_slice(sealed.bytes()).unwrap();
        let write = |name: &str, json: &Value| {
            fs::write(folder.path().join(format!("{number}-{name}.json")), json.to_string()).unwrap();
        };
        write("sealed", &json);
        let original = json.clone();
        // The Base64 of `{"_type":` begins `eyJfd`; one other letter makes another, still decodable payload.
        json["payload"] = original["payload"].as_str().unwrap().replacen("eyJf", "eyJg", 1).into();
        write("altered-payload", &json);
        json = original;
        let signature = json["signatures"][0]["sig"].as_str().unwrap();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        json["signatures"][0]["sig"] = format!("{first}{}", &signature[1..]).into();
        write("altered-signature", &json);
    }
    (folder, statements.len())
}

fn expect(verdicts: &str, kinds: usize) {
    let verdicts: BTreeMap<&str, &str> = verdicts.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(verdicts.len(), kinds * 3, "{verdicts:?}");
    for (name, verdict) in verdicts {
        assert_eq!(verdict, if name.ends_with("sealed") { "good" } else { "bad" }, "{name}");
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn securesystemslib_accepts_ours_and_rejects_altered_ones() {
    let (folder, kinds) = envelopes();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/securesystemslib_verify.py");
    expect(
        &output(
            Command::new(tools().join("venv/bin/python"))
                .arg(script)
                .arg(folder.path()),
        ),
        kinds,
    );
}

#[test]
fn sigstore_accepts_ours_and_rejects_altered_ones() {
    let (folder, kinds) = envelopes();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/sigstore_verify.mjs");
    expect(
        &output(Command::new("node").arg(script).arg(folder.path()).arg(tools())),
        kinds,
    );
}

#[test]
fn openssl_accepts_ours_and_rejects_altered_ones() {
    let (folder, kinds) = envelopes();
    let (message, signature) = (folder.path().join("message"), folder.path().join("signature"));
    let mut verdicts = String::new();
    for entry in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let json: Value = serde_json::from_slice(&fs::read(&entry).unwrap()).unwrap();
        let payload = decode(json["payload"].as_str().unwrap());
        fs::write(
            &message,
            envelope::pre_authentication_encoding(json["payloadType"].as_str().unwrap(), &payload),
        )
        .unwrap();
        fs::write(&signature, decode(json["signatures"][0]["sig"].as_str().unwrap())).unwrap();
        let verified = Command::new("openssl")
            .args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"])
            .arg(folder.path().join("key.pem"))
            .arg("-in")
            .arg(&message)
            .arg("-sigfile")
            .arg(&signature)
            .output()
            .unwrap();
        let name = entry.file_stem().unwrap().to_str().unwrap().to_owned();
        verdicts += &format!("{name} {}\n", if verified.status.success() { "good" } else { "bad" });
    }
    expect(&verdicts, kinds);
}

/// `openssl` names the key as we do: `keyid` is the SHA-256 of the DER SubjectPublicKeyInfo.
#[test]
fn openssl_computes_the_same_key_id() {
    let (folder, _) = envelopes();
    let der = Command::new("openssl")
        .args(["pkey", "-pubin", "-outform", "DER", "-in"])
        .arg(folder.path().join("key.pem"))
        .output()
        .unwrap();
    assert!(der.status.success());
    assert_eq!(
        KeyId(Digest::of(&der.stdout)),
        Ed25519Signer::from_seed(&[9; 32]).unwrap().public_key().id()
    );
}

/// Base64 by `openssl` too, so that nothing of ours stands between the envelope and the foreign tool.
fn decode(text: &str) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let decoded = Command::new("openssl")
        .args(["base64", "-d", "-A", "-in"])
        .arg(file.path())
        .output()
        .unwrap();
    assert!(decoded.status.success());
    decoded.stdout
}

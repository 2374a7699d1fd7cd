//! Canonical JSON, facts documents and the manifest that lists them.

use evidence::Digest;
use evidence::facts::{FactsDocument, Origin, Outcome, ProbeId, Source};
use evidence::json;
use evidence::manifest::Manifest;
use serde_json::{Value, json};

use crate::text;

/// `canonical-json.json`: spellings of one value, and the one that counts.
pub(crate) fn canonical_json() -> Value {
    let spellings = [
        (
            "white space and order of members",
            "{ \"b\": 1,\n  \"a\": [true, false, null, \"\", {}, []] }",
        ),
        ("integers to the limits", "[9007199254740991, -9007199254740991, 0, 10]"),
        (
            "escapes that must be",
            r#"["\u0008\u0009\u000a\u000c\u000d\u0022\u005c\u0000\u001f\u007f"]"#,
        ),
        ("escapes that must not be", r#"["\u00e9\/\u20ac\u2028\ud83d\ude00"]"#),
        // U+FB33 is the code unit fb33, U+1F600 the pair d83d de00: the second sorts first, though not by bytes.
        (
            "members by UTF-16 code units",
            r#"{"\ufb33":1,"\ud83d\ude00":2,"\u00f6":3,"1":4,"\r":5}"#,
        ),
    ];
    let deepest = format!("{}{}", "[".repeat(127), "]".repeat(127));
    let case = |(name, spelling): (&str, &str)| {
        let value: Value = serde_json::from_str(spelling).unwrap();
        json!({"name": name, "spelling": spelling, "canonical": text(&json::canonical(&value).unwrap())})
    };
    spellings
        .into_iter()
        .chain([("127 levels", deepest.as_str())])
        .map(case)
        .collect()
}

fn probe(id: &str) -> ProbeId {
    ProbeId::new(id).unwrap()
}

/// A host's configuration was read.
pub(crate) fn observed() -> FactsDocument {
    let config = b"PermitRootLogin no\nPasswordAuthentication no\n";
    FactsDocument {
        probe: probe("sshd"),
        version: 1,
        outcome: Outcome::Observed,
        detail: String::new(),
        sources: vec![
            Source {
                origin: Origin::Path("/etc/ssh/sshd_config".to_owned()),
                outcome: Outcome::Observed,
                sha256: Some(Digest::of(config)),
            },
            Source {
                origin: Origin::Path("/etc/ssh/sshd_config.d/\\xff.conf".to_owned()),
                outcome: Outcome::Denied,
                sha256: None,
            },
            Source {
                origin: Origin::Command("/usr/sbin/sshd -T".to_owned()),
                outcome: Outcome::Absent,
                sha256: None,
            },
        ],
        facts: Some(json!({"permit_root_login": "no", "max_auth_tries": 6, "listens_on": ["é", "😀"], "match": {}})),
    }
}

/// What was looked for may not be read: no facts, and it says so.
pub(crate) fn denied() -> FactsDocument {
    FactsDocument {
        probe: probe("accounts"),
        version: 1,
        outcome: Outcome::Denied,
        detail: "/etc/shadow: permission denied".to_owned(),
        sources: vec![Source {
            origin: Origin::Path("/etc/shadow".to_owned()),
            outcome: Outcome::Denied,
            sha256: None,
        }],
        facts: None,
    }
}

/// Personal data stands apart.
pub(crate) fn names() -> FactsDocument {
    FactsDocument {
        probe: probe("accounts.names"),
        facts: Some(json!({"0": "root", "1000": "ada"})),
        outcome: Outcome::Observed,
        detail: String::new(),
        sources: Vec::new(),
        version: 1,
    }
}

/// Of the three documents.
pub(crate) fn manifest() -> Manifest {
    let named = |document: FactsDocument| (document.probe.clone(), Digest::of(&document.to_bytes().unwrap()));
    Manifest::new([observed(), denied(), names()].map(named))
}

/// `documents.json`.
pub(crate) fn vectors() -> Value {
    let document = |name: &str, document: &FactsDocument| {
        let mut bytes = text(&document.to_bytes().unwrap());
        bytes["name"] = name.into();
        bytes
    };
    json!({
        "facts": [
            document("observed", &observed()),
            document("denied", &denied()),
            document("names", &names()),
        ],
        "manifest": text(&manifest().to_bytes()),
        "empty_manifest": text(&Manifest::default().to_bytes()),
    })
}

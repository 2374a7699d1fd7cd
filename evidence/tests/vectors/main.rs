//! The test vectors in `evidence/vectors` are what this crate writes, byte for byte, and what must be refused is refused
//! for the reason given. `UPDATE=1 cargo test -p affiant-evidence --test vectors` writes them; once released, a vector
//! never changes: a difference here is a change of the format.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../ed25519/mod.rs"]
mod ed25519;

mod documents;
mod keys;
mod large_log;
mod refused;
mod small_log;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::Digest;
use evidence::tree::{Frontier, HashReader, leaf_hash};
use serde_json::{Value, json};

/// Complete subtrees by level and index.
pub(crate) struct Subtrees(BTreeMap<(u8, u64), Digest>);

impl Subtrees {
    pub(crate) fn of<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Self {
        let (mut frontier, mut subtrees) = (Frontier::new(), BTreeMap::new());
        for entry in entries {
            frontier.push_noting(leaf_hash(entry.as_ref()), |level, index, hash| {
                subtrees.insert((level, index), hash);
            });
        }
        Self(subtrees)
    }
}

impl HashReader for Subtrees {
    type Error = (u8, u64);
    fn hash(&self, level: u8, index: u64) -> Result<Digest, (u8, u64)> {
        self.0.get(&(level, index)).copied().ok_or((level, index))
    }
}

/// Bytes that are text, with their length and name.
pub(crate) fn text(bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes).unwrap();
    json!({"text": text, "length": bytes.len(), "sha256": Digest::of(bytes)})
}

/// Bytes that are not.
pub(crate) fn binary(bytes: &[u8]) -> Value {
    json!({"base64": STANDARD.encode(bytes), "length": bytes.len(), "sha256": Digest::of(bytes)})
}

/// Every file and what it must hold.
fn files() -> Vec<(String, Value)> {
    let log = small_log::SmallLog::new();
    let mut files = vec![
        ("keys.json".to_owned(), keys::vectors()),
        ("canonical-json.json".to_owned(), documents::canonical_json()),
        ("documents.json".to_owned(), documents::vectors()),
        ("envelopes.json".to_owned(), log.envelopes()),
        ("log.json".to_owned(), log.vectors()),
        ("log-300.json".to_owned(), large_log::vectors()),
    ];
    let refused = refused::all(&log).into_iter();
    files.extend(refused.map(|(kind, cases)| (format!("refused/{kind}.json"), cases)));
    files
}

fn bytes_of(content: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(content).unwrap())
}

/// The folder, written first if that is asked for.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(folder.join("refused")).unwrap();
        for (name, content) in files() {
            fs::write(folder.join(name), bytes_of(&content)).unwrap();
        }
    }
    folder
});

/// Compares a file with what it should hold.
fn hold(name: &str, content: &Value) {
    let path = FOLDER.join(name);
    let wanted = bytes_of(content);
    let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let line = found
        .lines()
        .zip(wanted.lines())
        .position(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "{} differs from line {}: the format has changed. A released vector never changes; add a version instead",
        path.display(),
        line.map_or_else(|| "the end".to_owned(), |line| (line + 1).to_string())
    );
}

#[test]
fn each_byte_is_reproduced() {
    for (name, content) in files() {
        hold(&name, &content);
    }
}

#[test]
fn what_must_be_refused_is_refused_for_its_reason() {
    let mut count = 0;
    for entry in fs::read_dir(FOLDER.join("refused")).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let cases: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for case in cases {
            let bytes = match (&case["text"], &case["base64"]) {
                (Value::String(text), Value::Null) => text.clone().into_bytes(),
                (Value::Null, Value::String(base64)) => STANDARD.decode(base64).unwrap(),
                _ => panic!("{}: {case} has either text or base64", path.display()),
            };
            let reason =
                refused::read(&kind, &case, &bytes).expect_err(&format!("{kind}: {} is accepted", case["name"]));
            assert_eq!(case["reason"], reason, "{kind}: {}", case["name"]);
            count += 1;
        }
    }
    assert!(count >= 60, "only {count} cases");
}

/// Somebody who looks for a vector finds it in the list.
#[test]
fn readme_lists_every_file() {
    let readme = fs::read_to_string(FOLDER.join("README.md")).unwrap();
    for list in [FOLDER.clone(), FOLDER.join("refused")] {
        for entry in fs::read_dir(list).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let listed = Path::new(&name).extension().is_none_or(|kind| kind != "json") || readme.contains(&name);
            assert!(listed, "README.md does not list {name}");
        }
    }
}

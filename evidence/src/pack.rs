//! The names inside a pack. A pack is a zip archive (stored or deflated, no links, no encryption).

use crate::digest::Digest;
use crate::key::KeyId;

/// `sha256sum -c` over every file but this one and the two beside it that sign it.
pub const SUMS: &str = "SHA256SUMS";
/// The pack statement: an envelope whose subject is [`SUMS`].
pub const STATEMENT: &str = "pack.dsse.json";
/// Receipt of the pack statement; its `extra` data is the consistency proof from [`CHECKPOINT`] to its checkpoint,
/// Base64 hashes, one per line.
pub const RECEIPT: &str = "pack.tlog-proof";
/// How to check the pack by hand.
pub const README: &str = "README.txt";
/// What an auditor reads first.
pub const INDEX: &str = "index.html";
/// The signed tree head that everything in the pack is shown to be under.
pub const CHECKPOINT: &str = "log/checkpoint";
/// Before the path of a tile (`tile/<L>/<N>[.p/<W>]`).
pub const LOG: &str = "log/";
/// The collector's own entries, all of them from entry 0.
pub const COLLECTOR: &str = "statements/collector.jsonl";
/// Findings.
pub const FINDINGS: &str = "results/findings.json";
/// Status of the controls.
pub const CONTROLS: &str = "results/controls.json";
/// Coverage.
pub const COVERAGE: &str = "results/coverage.json";
/// Findings, as a table.
pub const FINDINGS_TABLE: &str = "results/findings.csv";
/// Status of the controls, as a table.
pub const CONTROLS_TABLE: &str = "results/controls.csv";
/// Coverage, as a table.
pub const COVERAGE_TABLE: &str = "results/coverage.csv";
/// Names of the hosts that ought to report, one per line, if there is such a list.
pub const SCOPE: &str = "scope.txt";
/// Parameters that the organisation set for the rules.
pub const BASELINE: &str = "rules/baseline.yaml";

/// The statements of a host or of the collector, in log order; one JSON object `{"index":N,"envelope":{…}}` per line.
pub fn statements(host: &str) -> String {
    format!("statements/{host}.jsonl")
}

/// A manifest.
pub fn manifest(digest: &Digest) -> String {
    format!("manifests/{digest}")
}

/// A facts document.
pub fn facts(digest: &Digest) -> String {
    format!("facts/{digest}.json")
}

/// A public key.
pub fn key(keyid: &KeyId) -> String {
    format!("keys/{keyid}.pem")
}

/// A rule.
pub fn rule(id: &str) -> String {
    format!("rules/{id}.yaml")
}

/// A catalogue.
pub fn catalogue(id: &str) -> String {
    format!("catalogues/{id}.csv")
}

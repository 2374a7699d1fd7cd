//! The refused documents. Each differs in one thing from one that is accepted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::Digest;
use evidence::key::{PublicKey, Signer};
use evidence::note::Note;
use evidence::proof::hashes_to_text;
use evidence::tree;
use serde_json::{Map, Value, json};

use crate::documents;
use crate::ed25519::Key;
use crate::keys::{self, ORIGIN};
use crate::small_log::{SmallLog, envelope_of, first_observation, observed, signed};

/// Every `refused/<kind>.json`.
pub(crate) fn all(log: &SmallLog) -> Vec<(&'static str, Value)> {
    vec![
        ("canonical-json", canonical_json()),
        ("facts", facts()),
        ("manifest", manifest()),
        ("statement", statement()),
        ("envelope", envelope()),
        ("checkpoint", checkpoint(log)),
        ("receipt", receipt(log)),
        ("consistency", consistency(log)),
        ("bundle", bundle()),
        ("key", key()),
        ("vkey", vkey()),
        ("token", token()),
        ("name", name()),
    ]
}

fn case(name: &str, reason: &str, text: impl Into<String>) -> Value {
    json!({"name": name, "reason": reason, "text": text.into()})
}

fn binary(name: &str, reason: &str, bytes: &[u8]) -> Value {
    json!({"name": name, "reason": reason, "base64": STANDARD.encode(bytes)})
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The canonical bytes of a document after `change`.
fn changed(bytes: &[u8], change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut value: Value = serde_json::from_slice(bytes).unwrap();
    change(value.as_object_mut().unwrap());
    utf8(evidence::json::canonical(&value).unwrap())
}

fn canonical_json() -> Value {
    json!([
        case("nothing", "not_json", ""),
        case("cut short", "not_json", r#"{"a":1"#),
        case("something behind it", "not_json", "{}{}"),
        case("byte order mark", "not_json", "\u{feff}{}"),
        binary("not UTF-8", "not_json", b"\"\xff\""),
        case("half of a surrogate pair", "not_json", r#""\ud800""#),
        case(
            "129 levels",
            "not_json",
            format!("{}{}", "[".repeat(129), "]".repeat(129))
        ),
        case("fraction", "number", "[1.5]"),
        case("fraction that is none", "number", "[1.0]"),
        case("exponent", "number", "[1e2]"),
        case("2^53", "number", "[9007199254740992]"),
        case("-2^53", "number", "[-9007199254740992]"),
        case("minus zero", "number", "[-0]"),
        case("leading zero", "not_json", "[01]"),
        case("line end behind it", "not_canonical", "{}\n"),
        case("white space", "not_canonical", r#"{"a": 1}"#),
        case("members out of order", "not_canonical", r#"{"b":1,"a":2}"#),
        case("member twice", "not_canonical", r#"{"a":1,"a":1}"#),
        case("escaped slash", "not_canonical", r#"["\/"]"#),
        case("escape in upper case", "not_canonical", r#"["\u001F"]"#),
        case("escaped letter", "not_canonical", r#"["\u00e9"]"#),
        case(
            "members by bytes, not UTF-16",
            "not_canonical",
            "{\"\u{fb33}\":1,\"\u{1f600}\":2}"
        ),
    ])
}

fn facts() -> Value {
    let (seen, unseen) = (
        documents::observed().to_bytes().unwrap(),
        documents::denied().to_bytes().unwrap(),
    );
    let set = |member: &str, value: Value| changed(&seen, |form| drop(form.insert(member.to_owned(), value)));
    let source = |source: Value| set("sources", json!([source]));
    json!([
        case("line end behind it", "not_canonical", utf8(seen.clone()) + "\n"),
        case("no probe", "shape", changed(&seen, |form| drop(form.remove("probe")))),
        case(
            "member that is none",
            "shape",
            set("time", json!("2026-11-24T10:00:00Z"))
        ),
        case("probe in upper case", "shape", set("probe", json!("SSHD"))),
        case("probe that is a path", "shape", set("probe", json!("../sshd"))),
        case("version as text", "shape", set("version", json!("1"))),
        case("version below zero", "shape", set("version", json!(-1))),
        case("outcome that is none", "shape", set("outcome", json!("ok"))),
        case(
            "fraction in the facts",
            "number",
            utf8(seen.clone()).replace("\"max_auth_tries\":6", "\"max_auth_tries\":6.5")
        ),
        case(
            "source without path and command",
            "shape",
            source(json!({"outcome": "observed"}))
        ),
        case(
            "source with path and command",
            "shape",
            source(json!({"command": "a", "outcome": "observed", "path": "/a"}))
        ),
        case(
            "source with another member",
            "shape",
            source(json!({"outcome": "observed", "path": "/a", "size": 1}))
        ),
        case(
            "digest in upper case",
            "shape",
            source(json!({"outcome": "observed", "path": "/a", "sha256": "AB".repeat(32)}))
        ),
        case(
            "observed without facts",
            "facts_and_outcome",
            changed(&seen, |form| drop(form.remove("facts")))
        ),
        case(
            "denied with facts",
            "facts_and_outcome",
            changed(&unseen, |form| drop(form.insert("facts".to_owned(), json!({}))))
        ),
    ])
}

fn manifest() -> Value {
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    json!([
        case("last line without end", "not_whole_lines", format!("{a}  sshd.json")),
        binary(
            "not UTF-8",
            "not_whole_lines",
            format!("{a}  ss")
                .into_bytes()
                .into_iter()
                .chain(*b"\xff.json\n")
                .collect::<Vec<_>>()
                .as_slice()
        ),
        case("one space", "line", format!("{a} sshd.json\n")),
        case("binary mark", "line", format!("{a} *sshd.json\n")),
        case("empty line", "line", format!("{a}  sshd.json\n\n")),
        case("no .json", "line", format!("{a}  sshd\n")),
        case("carriage return", "line", format!("{a}  sshd.json\r\n")),
        case(
            "digest in upper case",
            "digest",
            format!("{}  sshd.json\n", a.to_string().to_uppercase())
        ),
        case(
            "digest cut short",
            "digest",
            format!("{}  sshd.json\n", &a.to_string()[1..])
        ),
        case("file in a folder", "probe", format!("{a}  ../sshd.json\n")),
        case("out of order", "order", format!("{a}  sshd.json\n{b}  packages.json\n")),
        case("twice", "order", format!("{a}  sshd.json\n{b}  sshd.json\n")),
    ])
}

fn first() -> Vec<u8> {
    observed(first_observation()).to_bytes().unwrap()
}

/// The payload of the first observation after a change to its predicate.
fn predicate(change: impl FnOnce(&mut Map<String, Value>)) -> String {
    changed(&first(), |form| change(form["predicate"].as_object_mut().unwrap()))
}

fn statement() -> Value {
    let set = |member: &str, value: Value| predicate(|form| drop(form.insert(member.to_owned(), value)));
    let form = |member: &str, value: Value| changed(&first(), |form| drop(form.insert(member.to_owned(), value)));
    json!([
        case("not canonical", "not_canonical", utf8(first()).replacen(':', ": ", 1)),
        case(
            "another _type",
            "type",
            form("_type", json!("https://in-toto.io/Statement/v0.1"))
        ),
        case(
            "another version of the predicate",
            "predicate_type",
            form("predicateType", json!("urn:affiant:observation:v2"))
        ),
        case(
            "predicate of another kind",
            "predicate",
            form("predicateType", json!("urn:affiant:pack:v1"))
        ),
        case("member that is none", "shape", form("time", json!(0))),
        case(
            "no subject",
            "shape",
            changed(&first(), |form| drop(form.remove("subject")))
        ),
        case(
            "subject with another digest",
            "shape",
            form("subject", json!([{"digest": {"sha512": "00"}, "name": "manifest"}]))
        ),
        case("no epoch", "predicate", predicate(|form| drop(form.remove("epoch")))),
        case(
            "member of the predicate that is none",
            "predicate",
            set("uptime", json!(1))
        ),
        case("sequence below zero", "predicate", set("sequence", json!(-1))),
        case(
            "instant with a fraction",
            "predicate",
            set("observed_at", json!("2026-11-24T10:00:00.5Z"))
        ),
        case(
            "instant with an offset",
            "predicate",
            set("observed_at", json!("2026-11-24T10:00:00+00:00"))
        ),
        case("host named collector", "predicate", set("host", json!("collector"))),
        case("host that is a path", "predicate", set("host", json!("../web"))),
    ])
}

/// The point of order 1, under which (R = that point, S = 0) is a signature of every message if nobody looks.
const SMALL_ORDER: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point
};

/// `S` of a signature of the first observation by the host's key with nonce 0, so that R is the point of order 1. Only
/// who holds the key can make one, and readers disagree about it unless they say so.
const S_WITHOUT_NONCE: [u8; 32] = [
    0xab, 0x6b, 0xec, 0x7b, 0xac, 0x31, 0x1d, 0x68, 0x52, 0x6c, 0xc3, 0x6e, 0x7b, 0xcf, 0x77, 0x85, 0x03, 0x22, 0xae,
    0x3d, 0xdc, 0x44, 0x3e, 0xfc, 0xc4, 0x8a, 0x11, 0x9a, 0xf2, 0xf0, 0x6d, 0x06,
];

/// The order of Ed25519's group, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// `S` of a signature plus the group's order: the same signature to whoever reduces it.
fn with_larger_s(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(32);
    let mut carry = 0;
    let s = s.iter().zip(ORDER).map(|(left, right)| {
        let sum = u16::from(*left) + u16::from(right) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    });
    r.iter().copied().chain(s).collect()
}

fn envelope() -> Value {
    let (host, stranger) = (keys::host(), keys::stranger());
    let good = envelope_of(&first(), &host);
    let under = |key: &PublicKey, name: &str, reason: &str, text: String| {
        let mut case = case(name, reason, text);
        case["key"] = serde_json::to_value(key).unwrap();
        case
    };
    let host_case = |name: &str, reason: &str, text: String| under(host.public_key(), name, reason, text);
    let set = |member: &str, value: Value| changed(&good, |form| drop(form.insert(member.to_owned(), value)));
    let signed_as = |keyid: Value, signature: &[u8]| {
        set(
            "signatures",
            json!([{"keyid": keyid, "sig": STANDARD.encode(signature)}]),
        )
    };
    let form: Value = serde_json::from_slice(&good).unwrap();
    let signature = STANDARD.decode(form["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let keyid = form["signatures"][0]["keyid"].clone();
    let twice = json!([form["signatures"][0], form["signatures"][0]]);
    let unpadded = form["signatures"][0]["sig"]
        .as_str()
        .unwrap()
        .trim_end_matches('=')
        .to_owned();
    let mut flipped = signature.clone();
    flipped[0] ^= 1;
    let small = PublicKey::Ed25519(SMALL_ORDER);
    let of_everything = [SMALL_ORDER.as_slice(), &[0; 32]].concat();
    let other_payload = STANDARD.encode(predicate(|form| drop(form.insert("sequence".to_owned(), json!(7)))));
    json!([
        host_case("line end behind it", "not_canonical", utf8(good.clone()) + "\n"),
        host_case("member that is none", "shape", set("time", json!(0))),
        host_case(
            "another payload type",
            "payload_type",
            set("payloadType", json!("application/json"))
        ),
        host_case("no signature", "signatures", set("signatures", json!([]))),
        host_case("two signatures", "signatures", set("signatures", twice)),
        host_case(
            "Base64 without padding",
            "base64",
            set("signatures", json!([{"keyid": keyid, "sig": unpadded}]))
        ),
        host_case("Base64 for URLs", "base64", set("payload", json!("_-8="))),
        host_case(
            "signed by another key",
            "other_key",
            utf8(envelope_of(&first(), &stranger))
        ),
        host_case(
            "one bit of the signature",
            "signature",
            signed_as(keyid.clone(), &flipped)
        ),
        host_case(
            "signature cut short",
            "signature",
            signed_as(keyid.clone(), &signature[..63])
        ),
        host_case("another payload", "signature", set("payload", json!(other_payload))),
        host_case(
            "the payload itself was signed",
            "signature",
            signed_as(keyid.clone(), &host.sign(&first()).unwrap().0)
        ),
        host_case(
            "R of small order",
            "signature",
            signed_as(keyid.clone(), &[SMALL_ORDER, S_WITHOUT_NONCE].concat())
        ),
        host_case(
            "S not below the order",
            "signature",
            signed_as(keyid, &with_larger_s(&signature))
        ),
        under(
            &small,
            "key of small order",
            "signature",
            signed_as(json!(small.id()), &of_everything)
        ),
        host_case(
            "signed, and no statement",
            "predicate_type",
            utf8(envelope_of(
                changed(&first(), |form| drop(
                    form.insert("predicateType".to_owned(), json!("urn:other"))
                ))
                .as_bytes(),
                &host
            ))
        ),
    ])
}

/// A note of this text, signed by `key` under the log's name.
fn note(text: &str, key: &Key) -> String {
    Note::sign(text.to_owned(), ORIGIN, key).unwrap().to_string()
}

fn checkpoint(log: &SmallLog) -> Value {
    let key = keys::log();
    let good = log.checkpoint(5).note().to_owned();
    let root = STANDARD.encode(tree::root(&log.subtrees, 5).unwrap().as_bytes());
    let text = |size: &str| note(&format!("{ORIGIN}\n{size}\n{root}\n"), &key);
    json!([
        case(
            "no signature",
            "no_signature_block",
            good.split_once("\n\n").unwrap().0.to_owned() + "\n"
        ),
        case("no line end at the end", "no_signature_block", good.trim_end()),
        case("carriage return", "not_text", good.replacen('\n', "\r\n", 1)),
        case("hyphen for the dash", "signature_line", good.replace('\u{2014}', "-")),
        case(
            "another size than was signed",
            "signature",
            good.replacen("\n5\n", "\n6\n", 1)
        ),
        case(
            "signed by another key",
            "not_signed",
            note(&format!("{ORIGIN}\n5\n{root}\n"), &keys::stranger())
        ),
        case(
            "under another name",
            "not_signed",
            Note::sign(format!("{ORIGIN}\n5\n{root}\n"), "other.test", &key)
                .unwrap()
                .to_string()
        ),
        case(
            "of another log",
            "other_log",
            note(&format!("other.test/log\n5\n{root}\n"), &key)
        ),
        case(
            "extension line",
            "lines",
            note(&format!("{ORIGIN}\n5\n{root}\nmore\n"), &key)
        ),
        case("no root", "lines", note(&format!("{ORIGIN}\n5\n"), &key)),
        case("size with leading zero", "size", text("05")),
        case("size below zero", "size", text("-5")),
        case("size of 2^63", "size", text("9223372036854775808")),
        case(
            "root in hexadecimal",
            "root",
            note(&format!("{ORIGIN}\n5\n{}\n", Digest::of(b"")), &key)
        ),
    ])
}

fn receipt(log: &SmallLog) -> Value {
    let good = log.receipt(2, 7);
    let of = |entry: usize, mut case: Value| {
        case["entry"] = std::str::from_utf8(log.entry(entry).bytes()).unwrap().into();
        case
    };
    let case = |name: &str, reason: &str, text: String| of(2, case(name, reason, text));
    let with = |change: &dyn Fn(&mut evidence::proof::Receipt)| {
        let mut receipt = good.clone();
        change(&mut receipt);
        receipt.to_string()
    };
    let text = good.to_string();
    json!([
        case("another version", "header", text.replacen("@v1", "@v2", 1)),
        case("no index", "index", text.replacen("index 2\n", "", 1)),
        case(
            "index with leading zero",
            "index",
            text.replacen("index 2", "index 02", 1)
        ),
        case(
            "extra that is not Base64",
            "extra",
            text.replacen("index", "extra ?\nindex", 1)
        ),
        case(
            "no checkpoint",
            "no_checkpoint",
            text.split_once("\n\n").unwrap().0.to_owned()
        ),
        case(
            "hash of 31 bytes",
            "hash",
            text.replacen("index 2\n", &format!("index 2\n{}\n", STANDARD.encode([0; 31])), 1)
        ),
        of(3, self::case("of another entry", "other_root", text.clone())),
        case("of another place", "other_root", with(&|receipt| receipt.index = 3)),
        case(
            "place outside the tree",
            "outside_tree",
            with(&|receipt| receipt.index = 7)
        ),
        case(
            "one hash too few",
            "proof_length",
            with(&|receipt| receipt.proof.truncate(receipt.proof.len() - 1))
        ),
        case(
            "one hash too many",
            "proof_length",
            with(&|receipt| receipt.proof.push(Digest::of(b"")))
        ),
        case(
            "129 hashes",
            "too_many_hashes",
            with(&|receipt| receipt.proof = vec![Digest::of(b""); 129])
        ),
        case(
            "under another root",
            "other_root",
            with(&|receipt| receipt.checkpoint = signed(7, Digest::of(b"another")).note().into())
        ),
        case(
            "checkpoint of another key",
            "not_signed",
            with(&|receipt| {
                receipt.checkpoint = note(&log.checkpoint(7).checkpoint().to_string(), &keys::stranger());
            })
        ),
    ])
}

fn consistency(log: &SmallLog) -> Value {
    let root = |size| tree::root(&log.subtrees, size).unwrap();
    let proof = |old, new| hashes_to_text(&tree::consistency_proof(&log.subtrees, old, new).unwrap());
    let case = |name: &str,
                reason: &str,
                (old, old_root): (u64, Digest),
                (new, new_root): (u64, Digest),
                proof: Vec<String>| {
        let shown = json!({"old": old, "old_root": old_root, "new": new, "new_root": new_root, "proof": proof});
        case(name, reason, utf8(evidence::json::canonical(&shown).unwrap()))
    };
    let another = Digest::of(b"another history");
    let mut longer = proof(5, 7);
    longer.push(STANDARD.encode(another.as_bytes()));
    json!([
        case("rollback", "shrunk", (7, root(7)), (5, root(5)), proof(5, 7)),
        case("fork at one size", "other_root", (5, root(5)), (5, another), Vec::new()),
        case(
            "another history before",
            "other_root",
            (5, another),
            (7, root(7)),
            proof(5, 7)
        ),
        case(
            "another history after",
            "other_root",
            (5, root(5)),
            (7, another),
            proof(5, 7)
        ),
        case("no proof", "proof_length", (5, root(5)), (7, root(7)), Vec::new()),
        case(
            "proof of one tree with itself",
            "proof_length",
            (5, root(5)),
            (5, root(5)),
            proof(5, 7)
        ),
        case("one hash too many", "proof_length", (5, root(5)), (7, root(7)), longer),
        case(
            "proof from another size",
            "other_root",
            (6, root(6)),
            (7, root(7)),
            proof(5, 7).into_iter().take(proof(6, 7).len()).collect()
        ),
        case(
            "empty tree with another root",
            "other_root",
            (0, another),
            (7, root(7)),
            Vec::new()
        ),
    ])
}

fn bundle() -> Value {
    json!([
        binary("half a length", "truncated", &[0]),
        binary("entry cut short", "truncated", &[0, 3, b'a', b'b']),
        binary("something behind it", "truncated", &[0, 1, b'a', 0]),
        binary("257 entries", "too_many", &[0; 514]),
    ])
}

fn key() -> Value {
    let spki = keys::host().public_key().to_spki();
    let mut x25519 = spki.clone();
    x25519[8] = 0x6e;
    json!([
        binary("the 32 bytes alone", "key", &spki[12..]),
        binary("cut short", "key", &spki[..43]),
        binary("something behind it", "key", &[spki.as_slice(), &[0]].concat()),
        binary("X25519", "key", &x25519),
    ])
}

fn vkey() -> Value {
    let good = keys::log_verifier().to_string();
    let hash = good.rsplit('+').nth(1).unwrap();
    json!([
        case("no hash", "vkey", good.replacen(&format!("+{hash}"), "", 1)),
        case("hash of another key", "vkey", good.replacen(hash, "00000000", 1)),
        case(
            "hash in upper case",
            "vkey",
            good.replacen(hash, &hash.to_uppercase(), 1)
        ),
        case("another name", "vkey", good.replacen(ORIGIN, "other.test", 1)),
        case("key cut short", "vkey", &good[..good.len() - 4]),
    ])
}

fn token() -> Value {
    let good = keys::token().to_string();
    json!([
        case("another version", "form", good.replacen("affiant1", "affiant2", 1)),
        case("three parts", "form", good.rsplit_once('.').unwrap().0),
        case("five parts", "form", format!("{good}.x")),
        case("cut short", "part", &good[..good.len() - 1]),
        case("padding", "part", format!("{good}=")),
        case("not Base64", "part", good.replacen("IC", "!!", 1)),
    ])
}

fn name() -> Value {
    let of = |of: &str, name: &str, text: &str| {
        let mut case = case(name, "form", text);
        case["of"] = of.into();
        case
    };
    json!([
        of("host", "empty", ""),
        of("host", "upper case", "Web"),
        of("host", "hyphen first", "-web"),
        of("host", "dot", "web.example"),
        of("host", "65 characters", &"a".repeat(65)),
        of("host", "kept for the collector", "collector"),
        of("instant", "offset", "2026-11-24T10:08:42+00:00"),
        of("instant", "fraction", "2026-11-24T10:08:42.0Z"),
        of("instant", "space", "2026-11-24 10:08:42Z"),
        of("instant", "no such day", "2026-02-29T00:00:00Z"),
        of("instant", "leap second", "2016-12-31T23:59:60Z"),
        of("instant", "before 1970", "1969-12-31T23:59:59Z"),
        of("digest", "upper case", &"AB".repeat(32)),
        of("digest", "63 digits", &"a".repeat(63)),
        of("path in the log", "no leading zeroes", "tile/0/1"),
        of("path in the log", "width 0", "tile/0/000.p/0"),
        of("path in the log", "width 256 written out", "tile/0/000.p/256"),
        of("path in the log", "level 64", "tile/64/000"),
        of("path in the log", "level with leading zero", "tile/00/000"),
        of("path in the log", "way up", "tile/0/../checkpoint"),
    ])
}

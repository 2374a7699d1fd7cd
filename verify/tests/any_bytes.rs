//! Whatever the bytes are, the verifier answers: it does not panic, and does not say "verified".
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Cursor, Write as _};

use affiant_verify::archive::Archive;
use affiant_verify::report::Report;
use affiant_verify::trust::Trust;
use affiant_verify::{Failure, Options, verify};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

fn answer(bytes: Vec<u8>) -> Result<(), Failure> {
    let length = bytes.len() as u64;
    let mut archive = Archive::open(Box::new(Cursor::new(bytes)), length)?;
    verify(&mut archive, Options::default(), &mut Report::default())
}

/// An archive in the spelling of packs, so that what is in the files is reached.
fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        // A name given twice is left out.
        if zip.start_file(name.as_str(), options).is_ok() {
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// `SHA256SUMS` for these files.
fn sums(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut lines: Vec<String> = files
        .iter()
        .map(|(name, bytes)| format!("{}  {name}\n", evidence::Digest::of(bytes)))
        .collect();
    lines.sort_by(|one, other| one[66..].cmp(&other[66..]));
    lines.concat().into_bytes()
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("log/checkpoint".to_owned()),
        Just("log/tile/0/000.p/1".to_owned()),
        Just("statements/collector.jsonl".to_owned()),
        Just("pack.dsse.json".to_owned()),
        Just("pack.tlog-proof".to_owned()),
        Just("README.txt".to_owned()),
        "statements/[a-c]\\.jsonl",
        "rules/[a-c]\\.yaml",
        "manifests/[0-9a-f]{64}",
        "facts/[0-9a-f]{64}\\.json",
        "keys/[0-9a-f]{64}\\.pem",
        "[a-z/.]{0,20}",
    ]
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "\\PC{0,100}\n".prop_map(String::into_bytes),
        "(\\{\"envelope\":\\{\"payload\":\"[A-Za-z0-9+/]{0,40}\",\"payloadType\":\"[a-z/+.]{0,30}\",\"signatures\":\\[\\]\\},\"index\":[0-9]{1,20}\\}\n){0,3}"
            .prop_map(String::into_bytes),
        "o\n[0-9]{1,19}\n[A-Za-z0-9+/]{43}=\n\n\u{2014} o [A-Za-z0-9+/]{91}=\n".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(answer(bytes).is_err());
    }

    #[test]
    fn bytes_that_end_like_an_archive(mut bytes in prop::collection::vec(any::<u8>(), 0..400), end in any::<[u8; 18]>()) {
        bytes.extend_from_slice(b"PK\x05\x06");
        bytes.extend_from_slice(&end);
        prop_assert!(answer(bytes).is_err());
    }

    #[test]
    fn large_archives_that_are_none(mut bytes in prop::collection::vec(any::<u8>(), 0..100), fields in any::<[u64; 5]>()) {
        bytes.extend_from_slice(b"PK\x06\x06");
        for field in fields {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.resize(bytes.len() + 32, 0xff);
        bytes.extend_from_slice(b"PK\x05\x06");
        bytes.extend_from_slice(&[0xff; 18]);
        prop_assert!(answer(bytes).is_err());
    }

    #[test]
    fn archives_of_any_files(mut files in prop::collection::vec((name(), content()), 0..8)) {
        files.sort();
        files.dedup_by(|one, other| one.0 == other.0);
        let listed: Vec<_> = files
            .iter()
            .filter(|(name, _)| !name.starts_with("pack."))
            .cloned()
            .collect();
        files.push(("SHA256SUMS".to_owned(), sums(&listed)));
        prop_assert!(answer(archive(&files)).is_err());
    }

    #[test]
    fn trust_files(text in "((log|collector) ?\\PC{0,60}\n?){0,3}") {
        prop_assert!(text.parse::<Trust>().is_err());
    }
}

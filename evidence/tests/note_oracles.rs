//! Notes, checkpoints and receipts against `signed_note` and `tlog_tiles`, which we did not write.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod ed25519;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519::{Dalek, Key};
use evidence::Digest;
use evidence::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use evidence::key::Signer as _;
use evidence::note::{self, Note, NoteError, VerifierKey};
use evidence::proof::{self, HashesError, Receipt, ReceiptError};
use evidence::tree::{self, Frontier, leaf_hash};
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

const NAME: &str = "example.org/log";

fn signer() -> Key {
    Key::from_seed([5; 32])
}

fn key() -> VerifierKey {
    VerifierKey::new(NAME, signer().public_key().clone()).unwrap()
}

fn their_verifier(key: &VerifierKey) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(&key.to_string()).unwrap())])
}

fn their_signer() -> StandardSigner {
    let private = STANDARD.encode([&[1_u8][..], &[5; 32]].concat());
    StandardSigner::new(&format!(
        "PRIVATE+KEY+{NAME}+{:08x}+{private}",
        u32::from_be_bytes(key().key_hash())
    ))
    .unwrap()
}

fn head() -> Checkpoint {
    Checkpoint {
        origin: NAME.into(),
        size: 7,
        root: Digest::of(b"root"),
    }
}

#[test]
fn they_accept_our_note_and_reject_an_altered_one() {
    let signed = SignedCheckpoint::sign(head(), &signer()).unwrap();
    let theirs = signed_note::Note::from_bytes(signed.note().as_bytes()).unwrap();
    assert_eq!(theirs.verify(&their_verifier(&key())).unwrap().0.len(), 1);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(theirs.text()).unwrap();
    assert_eq!(
        (checkpoint.origin(), checkpoint.size(), checkpoint.hash().0),
        (NAME, 7, *head().root.as_bytes())
    );

    let altered = signed.note().replacen("\n7\n", "\n8\n", 1);
    let theirs = signed_note::Note::from_bytes(altered.as_bytes()).unwrap();
    assert!(theirs.verify(&their_verifier(&key())).is_err());
    assert!(matches!(
        SignedCheckpoint::verify(&altered, &key(), &Dalek),
        Err(CheckpointError::Note(NoteError::Signature { .. }))
    ));
}

#[test]
fn we_accept_their_note_and_reject_an_altered_one() {
    let mut theirs = signed_note::Note::new(head().to_string().as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&their_signer()]).unwrap();
    let note = String::from_utf8(theirs.to_bytes()).unwrap();
    let signed = SignedCheckpoint::verify(&note, &key(), &Dalek).unwrap();
    assert_eq!(signed.checkpoint(), &head());
    // Ed25519 is deterministic: the same key signs the same note byte for byte.
    assert_eq!(SignedCheckpoint::sign(head(), &signer()).unwrap().note(), note);
    assert!(SignedCheckpoint::verify(&note.replacen('7', "9", 1), &key(), &Dalek).is_err());
}

#[test]
fn verifier_keys_have_one_spelling() {
    let text = key().to_string();
    assert_eq!(text.parse::<VerifierKey>().unwrap(), key());
    for wrong in [
        text.replacen(NAME, "other", 1),
        text.to_uppercase(),
        text.replace('+', "-"),
        format!("{text}A"),
        String::new(),
    ] {
        assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
    }
    assert!(VerifierKey::new("a b", signer().public_key().clone()).is_err());
}

#[test]
fn lines_of_unknown_keys_are_ignored_and_one_wrong_line_of_a_known_key_is_not() {
    let note = SignedCheckpoint::sign(head(), &signer()).unwrap().note().to_owned();
    let line = note.rsplit_once("\n\n").unwrap().1.to_owned();
    let with_stranger = format!("{note}\u{2014} stranger AAAAAAAA\n");
    assert!(SignedCheckpoint::verify(&with_stranger, &key(), &Dalek).is_ok());
    let stranger = VerifierKey::new("stranger", signer().public_key().clone()).unwrap();
    let read = Note::from_bytes(with_stranger.as_bytes()).unwrap();
    assert!(matches!(
        read.verify(&stranger, &Dalek),
        Err(NoteError::NotSigned { .. })
    ));

    let mut data = STANDARD.decode(line.trim_end().rsplit(' ').next().unwrap()).unwrap();
    *data.last_mut().unwrap() ^= 1;
    let with_wrong = format!("{note}\u{2014} {NAME} {}\n", STANDARD.encode(data));
    assert!(matches!(
        SignedCheckpoint::verify(&with_wrong, &key(), &Dalek),
        Err(CheckpointError::Note(NoteError::Signature { .. }))
    ));
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let other = Checkpoint {
        origin: "example.org/other".into(),
        ..head()
    };
    let note = Note::sign(other.to_string(), NAME, &signer()).unwrap().to_string();
    assert!(matches!(
        SignedCheckpoint::verify(&note, &key(), &Dalek),
        Err(CheckpointError::OtherLog { .. })
    ));
}

#[test]
fn checkpoints_have_one_spelling() {
    let text = head().to_string();
    assert_eq!(text.parse::<Checkpoint>().unwrap(), head());
    for wrong in [
        text.replace("\n7\n", "\n07\n"),
        text.replace("\n7\n", "\n+7\n"),
        text.replace("\n7\n", "\n9223372036854775808\n"),
        format!("{text}extension\n"),
        text.replace(NAME, ""),
        text.trim_end().to_owned(),
        text.replace('=', ""),
    ] {
        assert!(wrong.parse::<Checkpoint>().is_err(), "{wrong:?}");
    }
}

/// The library that the agent and the collector sign with, and the one that the verifier checks with.
#[cfg(feature = "aws-lc-rs")]
#[test]
fn both_signature_libraries_agree() {
    use evidence::aws_lc::{AwsLc, Ed25519Signer};

    let theirs = Ed25519Signer::from_seed(&[5; 32]).unwrap();
    let note = SignedCheckpoint::sign(head(), &theirs).unwrap();
    assert_eq!(note, SignedCheckpoint::sign(head(), &signer()).unwrap());
    let note = note.note();
    assert!(SignedCheckpoint::verify(note, &key(), &AwsLc).is_ok());
    let altered = note.replacen("\n7\n", "\n8\n", 1);
    assert!(SignedCheckpoint::verify(&altered, &key(), &AwsLc).is_err());
    assert!(SignedCheckpoint::verify(&altered, &key(), &Dalek).is_err());
}

#[test]
fn no_byte_of_a_receipt_can_be_altered() {
    let mut frontier = Frontier::new();
    let leaves: Vec<_> = (0..5_u8).map(|number| leaf_hash(&[number])).collect();
    for leaf in leaves {
        frontier.push(leaf);
    }
    let head = Checkpoint {
        origin: NAME.into(),
        size: 5,
        root: frontier.root(),
    };
    let receipt = Receipt {
        extra: None,
        index: 4,
        proof: vec![frontier.peaks()[0]],
        checkpoint: SignedCheckpoint::sign(head, &signer()).unwrap().note().to_owned(),
    };
    let text = receipt.to_string();
    receipt.verify(&[4], &key(), &Dalek).unwrap();
    let accepted = |text: &str| Receipt::parse(text).is_ok_and(|receipt| receipt.verify(&[4], &key(), &Dalek).is_ok());
    assert!(accepted(&text));
    for position in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            if let Ok(altered) = std::str::from_utf8(&bytes) {
                assert!(!accepted(altered), "byte {position}, bit {bit}: {altered}");
            }
        }
        assert!(
            !text.is_char_boundary(position) || !accepted(&text[..position]),
            "cut at {position}"
        );
    }
}

#[test]
fn what_is_no_note_is_refused_for_what_it_is() {
    let note = SignedCheckpoint::sign(head(), &signer()).unwrap().note().to_owned();
    let read = |text: &str| Note::from_bytes(text.as_bytes()).unwrap_err();
    for control in ["\r\n", "\t\n", "\0\n"] {
        assert!(matches!(read(&note.replacen('\n', control, 1)), NoteError::Text));
    }
    assert!(matches!(Note::from_bytes(b"\xff\n\n"), Err(NoteError::Text)));
    assert!(matches!(read(note.trim_end()), NoteError::Form));
    assert!(matches!(read("text\n"), NoteError::Form));
    assert!(matches!(
        read(&format!("{note}\n")),
        NoteError::Form | NoteError::SignatureLine { line: 1 }
    ));
    for wrong in [
        "- name AAAAAAAA",
        "\u{2014} name",
        "\u{2014} name AAAAAA",
        "\u{2014} name AAAAAA==",
        "\u{2014} name AAAAAAB=",
        "\u{2014} name AAAAAAAA ",
    ] {
        let text = format!("{note}{wrong}\n");
        assert!(matches!(read(&text), NoteError::SignatureLine { line: 2 }), "{wrong}");
    }
    for name in ["", "a+b", "a\u{a0}b"] {
        assert!(matches!(
            read(&format!("{note}\u{2014} {name} AAAAAAAA\n")),
            NoteError::Name { .. }
        ));
    }
}

#[test]
fn what_is_too_large_is_not_read() {
    let note = SignedCheckpoint::sign(head(), &signer()).unwrap().note().to_owned();
    let stranger = "\u{2014} stranger AAAAAAAA\n";
    let with = |strangers| format!("{note}{}", stranger.repeat(strangers));
    assert!(SignedCheckpoint::verify(&with(note::MAX_SIGNATURES - 1), &key(), &Dalek).is_ok());
    assert!(matches!(
        Note::from_bytes(with(note::MAX_SIGNATURES).as_bytes()),
        Err(NoteError::TooManySignatures)
    ));
    let long = format!("{}{note}", "x\n".repeat(note::MAX_BYTES / 2));
    assert!(matches!(
        Note::from_bytes(long.as_bytes()),
        Err(NoteError::TooLarge { .. })
    ));
    let long = format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{}", "x".repeat(proof::MAX_BYTES));
    assert!(matches!(Receipt::parse(&long), Err(ReceiptError::TooLarge { .. })));
    let hash = format!("{}=\n", "A".repeat(43));
    let many = |count| format!("c2sp.org/tlog-proof@v1\nindex 0\n{}\n{note}", hash.repeat(count));
    assert!(Receipt::parse(&many(tree::MAX_PROOF)).is_ok());
    assert!(matches!(
        Receipt::parse(&many(tree::MAX_PROOF + 1)),
        Err(ReceiptError::Hashes(HashesError::TooMany))
    ));
    let beyond = Checkpoint {
        size: tree::MAX_SIZE + 1,
        ..head()
    };
    assert!(matches!(
        SignedCheckpoint::sign(beyond, &signer()),
        Err(CheckpointError::Size { .. })
    ));
}

#[test]
fn a_receipt_proves_its_entry_and_no_other() {
    let mut frontier = Frontier::new();
    frontier.push(leaf_hash(b"first"));
    frontier.push(leaf_hash(b"second"));
    let root = frontier.root();
    let signed = SignedCheckpoint::sign(
        Checkpoint {
            origin: NAME.into(),
            size: 2,
            root,
        },
        &signer(),
    )
    .unwrap();
    let receipt = Receipt {
        extra: Some(vec![1, 2]),
        index: 1,
        proof: vec![leaf_hash(b"first")],
        checkpoint: signed.note().to_owned(),
    };
    let text = receipt.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra AQI=\nindex 1\n"));
    let read = Receipt::parse(&text).unwrap();
    assert_eq!(read, receipt);
    assert_eq!(read.verify(b"second", &key(), &Dalek).unwrap(), signed);
    assert!(matches!(
        read.verify(b"first", &key(), &Dalek),
        Err(ReceiptError::Proof(_))
    ));
    let elsewhere = Receipt {
        index: 0,
        ..receipt.clone()
    };
    assert!(elsewhere.verify(b"second", &key(), &Dalek).is_err());
    for wrong in [
        text.replace("v1", "v2"),
        text.replace("index 1", "index 01"),
        text.replace("extra AQI=", "extra ?"),
        text.replace("\n\n", "\n"),
        String::new(),
    ] {
        assert!(
            Receipt::parse(&wrong)
                .and_then(|receipt| receipt.verify(b"second", &key(), &Dalek))
                .is_err(),
            "{wrong}"
        );
    }
}

proptest! {
    #[test]
    fn notes_are_refused_or_read_back(text in "(\\PC{0,9}\n){1,3}\n(\u{2014} [a-z+ ]{1,3} [A-Za-z0-9+/]{8}\n){0,3}") {
        if let Ok(note) = Note::from_bytes(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text.clone());
            // What we read they read; they are stricter about nothing that we write.
            prop_assert!(signed_note::Note::from_bytes(text.as_bytes()).is_ok());
        }
    }

    #[test]
    fn receipts_are_refused_or_read_back(text in "c2sp.org/tlog-proof@v1\n(extra [A-Z]{4}\n)?(index [0-9]{1,2}\n)?([A-Za-z0-9+/]{42}A=\n){0,3}\n\\PC{0,9}") {
        if let Ok(receipt) = Receipt::parse(&text) {
            prop_assert_eq!(receipt.to_string(), text);
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Note::from_bytes(&bytes);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = Receipt::parse(text);
            let _ = text.parse::<Checkpoint>();
            let _ = text.parse::<VerifierKey>();
        }
    }
}

//! Other keys than those that are trusted, and other logs than the older pack's.

use affiant_tests::fleet::story::Story;
use affiant_verify::Options;
use affiant_verify::trust::Trust;
use evidence::key::Signer as _;
use evidence::note::VerifierKey;
use evidence::pack;

use super::forged::{Log, stranger};
use super::pack::{self as altered, Pack};
use super::{Case, check_all, expect, story, trusting};

#[test]
fn the_pack_statement_is_the_collectors_and_about_this_pack() {
    check_all(&[
        Case {
            name: "signed by a stranger",
            what: "the envelope names key",
            place: "pack.dsse.json",
            alter: |pack| Log::real().issue_as(pack, &stranger(), |_| {}),
        },
        Case {
            name: "the older pack's statement",
            what: "is about another pack",
            place: "pack.dsse.json",
            alter: |pack| {
                let older = Pack::read(&story().older);
                pack.0
                    .insert(pack::STATEMENT.to_owned(), older.get(pack::STATEMENT).to_vec());
            },
        },
        Case {
            name: "a host's statement",
            what: "the envelope names key",
            place: "pack.dsse.json",
            alter: |pack| {
                let entry = Log::real().0.pop().unwrap();
                pack.0.insert(pack::STATEMENT.to_owned(), entry);
            },
        },
        Case {
            name: "an enrolment",
            what: "is not a pack statement",
            place: "pack.dsse.json",
            alter: |pack| {
                let entry = Log::real().0.swap_remove(2);
                pack.0.insert(pack::STATEMENT.to_owned(), entry);
            },
        },
        Case {
            name: "another tree",
            what: "was issued for 43 entries",
            place: "pack.dsse.json",
            alter: |pack| Log::real().issue_as(pack, &story().keys[1], |issue| issue.tree_size -= 1),
        },
        Case {
            name: "an empty period",
            what: "is empty",
            place: "pack.dsse.json",
            alter: |pack| Log::real().issue_as(pack, &story().keys[1], |issue| issue.to = issue.from),
        },
        Case {
            name: "a catalogue that is not there",
            what: "the file is missing",
            place: "catalogues/other.csv",
            alter: |pack| Log::real().issue_as(pack, &story().keys[1], |issue| issue.catalogue = "other".to_owned()),
        },
        Case {
            name: "the older pack's receipt",
            what: "the proof leads to root",
            place: "pack.tlog-proof",
            alter: |pack| {
                let older = Pack::read(&story().older);
                pack.0
                    .insert(pack::RECEIPT.to_owned(), older.get(pack::RECEIPT).to_vec());
            },
        },
        Case {
            name: "no consistency proof",
            what: "does not extend",
            place: "pack.tlog-proof",
            alter: |pack| {
                pack.lines(pack::RECEIPT, |lines| drop(lines.remove(1)));
            },
        },
    ]);
}

#[test]
fn other_keys_than_those_trusted() {
    let other = |log: bool, collector: bool| {
        let key = stranger().public_key().clone();
        let mut trust: Trust = story().trust.clone();
        if log {
            trust.log = VerifierKey::new(trust.log.name(), key.clone()).unwrap();
        }
        if collector {
            trust.collector = key;
        }
        let options = Options {
            trust: Some(trust),
            ..Options::default()
        };
        Pack::good().verify(options)
    };
    expect("log", other(true, false), "", pack::CHECKPOINT).unwrap();
    expect("collector", other(false, true), "you trust", pack::COLLECTOR).unwrap();
    expect("both", other(true, true), "", pack::CHECKPOINT).unwrap();
}

/// A whole pack by another collector: right in itself, and not the one that is trusted.
#[test]
fn a_pack_of_another_collector() {
    let other = Story::tell();
    expect(
        "pack",
        altered::verify(other.pack.clone(), trusting()),
        "",
        pack::CHECKPOINT,
    )
    .unwrap();
    let report = altered::verify(other.pack, Options::default()).unwrap();
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("no --trust file")),
        "{report}"
    );
    let options = Options {
        previous: Some(altered::open(other.older).unwrap()),
        ..trusting()
    };
    expect("previous", Pack::good().verify(options), "", "of the previous pack").unwrap();
}

#[test]
fn a_log_that_does_not_continue_the_older_pack() {
    let continuing = |pack: &Pack, previous: Vec<u8>| {
        pack.verify(Options {
            previous: Some(altered::open(previous).unwrap()),
            ..trusting()
        })
    };
    let older = Pack::read(&story().older);
    let ended = continuing(&older, story().pack.clone());
    expect(
        "a shorter log",
        ended,
        "it has 44 entries, this pack shows 23",
        "of the previous pack",
    )
    .unwrap();

    // The collector forgets what came after the last statement that a host has sworn to, and goes on.
    let mut log = Log::real();
    let last = log.0.pop().unwrap();
    let db = &story().hosts.db;
    let observation = match super::forged::statement(&last).predicate {
        evidence::statement::Predicate::Observation(observation) => observation,
        other => panic!("{other:?}"),
    };
    let manifest = super::forged::statement(&last).manifest().unwrap();
    let altered_observation = evidence::statement::Observation {
        boot_id: "another".to_owned(),
        ..observation
    };
    log.0.push(db.seal(altered_observation, manifest).bytes().to_vec());
    let mut pack = Pack::good();
    log.show(&mut pack);
    log.issue(&mut pack);
    pack.verify(trusting())
        .expect("right in itself: no host has sworn to the end of the log yet");
    let ended = continuing(&pack, story().pack.clone());
    expect(
        "a fork",
        ended,
        "at 44 entries this log has root",
        "of the previous pack",
    )
    .unwrap();
}

//! Packs that were altered, by whoever: each must be refused, with what is wrong and where.
//!
//! [`files`] and [`lines`] alter what is in a pack, up to a collector that issues the altered pack itself; [`history`] is a
//! collector that rewrites its log; [`keys`] are other keys and other logs; [`zip`] is the archive, [`flips`] is chance.

mod by_hand;
mod files;
mod flips;
mod forged;
mod history;
mod keys;
mod lines;
mod pack;
mod zip;

use std::sync::OnceLock;

use affiant_tests::fleet::story::Story;
use affiant_verify::{Failure, Options};

use pack::Pack;

/// Told once for all tests.
fn story() -> &'static Story {
    static STORY: OnceLock<Story> = OnceLock::new();
    STORY.get_or_init(Story::tell)
}

/// With the keys from elsewhere.
fn trusting() -> Options {
    Options {
        trust: Some(story().trust.clone()),
        ..Options::default()
    }
}

/// An alteration of the pack, and the words that the refusal must have in it and for the place.
struct Case {
    name: &'static str,
    what: &'static str,
    place: &'static str,
    alter: fn(&mut Pack),
}

/// Every case is refused as it must be; what is not is listed.
fn check_all(cases: &[Case]) {
    let refused = |case: &Case| {
        let mut pack = Pack::good();
        (case.alter)(&mut pack);
        expect(case.name, pack.verify(trusting()), case.what, case.place).err()
    };
    let wrong: Vec<String> = cases.iter().filter_map(refused).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether an outcome is a refusal with these words.
fn expect<T>(name: &str, ended: Result<T, Failure>, what: &str, place: &str) -> Result<(), String> {
    match ended {
        Ok(_) => Err(format!("{name}: verified")),
        Err(Failure::NotVerified { what: said, place: at }) if said.contains(what) && at.contains(place) => Ok(()),
        Err(other) => Err(format!("{name}: {other:?}; expected {what:?} in {place:?}")),
    }
}

#[test]
fn the_pack_is_verified_and_so_is_the_one_before_it() {
    let report = pack::verify(
        story().pack.clone(),
        Options {
            previous: Some(pack::open(story().older.clone()).unwrap()),
            every_signature: true,
            ..trusting()
        },
    )
    .unwrap();
    let warned = |words: &str| report.warnings.iter().any(|warning| warning.contains(words));
    assert!(warned("2 of its statements were lost"), "{report}");
    assert!(!warned("--trust"), "{report}");
}

/// Who has no trust file yet when the pack comes compares key ids with one that comes later.
#[test]
fn without_trust_the_key_ids_are_printed_that_the_trust_file_has() {
    let report = pack::verify(story().older.clone(), Options::default()).unwrap();
    let mut warnings = report.warnings.iter();
    let warning = warnings.find(|warning| warning.contains("no --trust file")).unwrap();
    let comments = story().trust_file.lines().filter_map(|line| line.strip_prefix("# "));
    let key_ids: Vec<&str> = comments.collect();
    let [log, collector] = key_ids.as_slice() else {
        panic!("{:?}", story().trust_file);
    };
    assert!(log.starts_with("key id ") && log != collector);
    let name = story().trust.log.name();
    assert!(
        warning.contains(&format!("log {name} has {log}, collector has {collector}")),
        "{warning}"
    );
}

/// A pack that begins with a host's later statements may leave out earlier ones that speak for its period: it is said.
#[test]
fn statements_before_those_in_the_pack_are_mentioned() {
    let report = pack::verify(story().late.clone(), trusting()).unwrap();
    let [_, db, _] = story().ids();
    let said = format!("earlier statements of {db} are not in the pack");
    assert!(
        report.warnings.iter().any(|warning| warning.contains(&said)),
        "{report}"
    );
    let report = pack::verify(story().pack.clone(), trusting()).unwrap();
    assert!(
        !report
            .warnings
            .iter()
            .any(|warning| warning.contains("earlier statements")),
        "{report}"
    );
}

/// The story has what it promises, so that the cases alter something.
#[test]
fn the_pack_shows_the_change_the_gap_the_loss_and_the_revocation() {
    let pack = Pack::good();
    let findings: serde_json::Value = serde_json::from_slice(pack.get("results/findings.json")).unwrap();
    let [web, db, old] = story().ids().map(evidence::statement::HostId::as_str);
    let of = |host: &str, rule: &str| -> Vec<String> {
        let findings = findings.as_array().unwrap().iter();
        let mine = findings.filter(|finding| finding["host"] == host && finding["rule"] == rule);
        mine.map(|finding| format!("{} {} {}", finding["from"], finding["to"], finding["verdict"]).replace('"', ""))
            .collect()
    };
    let rule = "accounts-superuser-is-root-alone";
    assert_eq!(
        of(web, rule),
        [
            "2026-11-02T03:00:00Z 2026-11-02T07:00:00Z met",
            "2026-11-02T07:00:00Z 2026-11-02T16:00:00Z not_met"
        ]
    );
    // Lost statements would have spoken from the second after the one before them on.
    assert_eq!(
        of(db, rule),
        [
            "2026-11-02T03:00:00Z 2026-11-02T07:00:01Z met",
            "2026-11-02T07:00:01Z 2026-11-02T13:00:00Z unknown",
            "2026-11-02T13:00:00Z 2026-11-02T16:00:00Z met"
        ]
    );
    assert_eq!(of(old, rule)[0], "2026-11-02T03:00:00Z 2026-11-02T12:00:00Z met");
    let collector = String::from_utf8(pack.get("statements/collector.jsonl").to_vec()).unwrap();
    // Opening, rules, three enrolments, the older pack, the revocation; the pack's own statement comes after the tree.
    assert_eq!(collector.lines().count(), 7);
}

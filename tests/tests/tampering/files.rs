//! Files of the pack altered: as they are; with `SHA256SUMS` made again; and then issued by the collector itself, with a
//! statement that it signs and logs.

use evidence::Digest;
use evidence::pack;

use super::forged::{Log, issued};
use super::pack::Pack;
use super::{Case, check_all, expect, story, trusting};

/// Nothing is altered, everything signed and logged again: so what the other cases find is what they altered.
#[test]
fn a_pack_issued_again_is_verified() {
    let mut pack = Pack::good();
    let log = Log::real();
    log.show(&mut pack);
    log.issue(&mut pack);
    pack.verify(trusting()).unwrap();
}

#[test]
fn without_new_sums_the_altered_file_is_named() {
    for name in Pack::good().0.keys() {
        if [pack::SUMS, pack::STATEMENT, pack::RECEIPT].contains(&name.as_str()) {
            continue;
        }
        let mut pack = Pack::good();
        pack.0.get_mut(name).unwrap().push(b'\n');
        let ended = pack.verify(trusting());
        let Err(affiant_verify::Failure::NotVerified { what, place }) = ended else {
            panic!("{name}: verified")
        };
        assert!(place.contains(name.as_str()), "{name}: {what}, in {place}");
        pack.remove(name);
        expect(name, pack.verify(trusting()), name, "SHA256SUMS line").unwrap();
        // A digest that is recomputed does not help: the pack statement is about the old sums.
        let mut pack = Pack::good();
        pack.0.get_mut(name).unwrap().push(b'\n');
        pack.sum();
        let Err(affiant_verify::Failure::NotVerified { what, place }) = pack.verify(trusting()) else {
            panic!("{name}: verified")
        };
        let early = name.starts_with("log/") || name == pack::COLLECTOR || name.starts_with("keys/");
        assert!(
            early || what.contains("is about another pack"),
            "{name}: {what}, in {place}"
        );
    }
}

#[test]
fn what_the_collector_alters_and_issues_is_found_by_judging_again() {
    check_all(&[
        Case {
            name: "a finding",
            what: "judging again gives another result at line",
            place: "results/findings.json",
            alter: |pack| {
                pack.replace("results/findings.json", "\"not_met\"", "\"met\"");
                issued(pack);
            },
        },
        Case {
            name: "a finding in the table",
            what: "judging again",
            place: "results/findings.csv",
            alter: |pack| {
                pack.replace("results/findings.csv", ",not_met,", ",met,");
                issued(pack);
            },
        },
        Case {
            name: "a finding left out",
            what: "judging again",
            place: "results/findings.csv",
            alter: |pack| {
                pack.lines("results/findings.csv", |lines| drop(lines.remove(5)));
                issued(pack);
            },
        },
        Case {
            name: "the status of a control",
            what: "judging again",
            place: "results/controls.json",
            alter: |pack| {
                pack.replace("results/controls.json", "\"contradicted\"", "\"supported\"");
                issued(pack);
            },
        },
        Case {
            name: "the status of a control in the table",
            what: "judging again",
            place: "results/controls.csv",
            alter: |pack| {
                pack.replace("results/controls.csv", ",contradicted,", ",supported,");
                issued(pack);
            },
        },
        Case {
            name: "a gap",
            what: "judging again",
            place: "results/coverage.json",
            alter: |pack| {
                pack.replace("results/coverage.json", "T13:00:00Z", "T12:00:00Z");
                issued(pack);
            },
        },
        Case {
            name: "a gap in the table",
            what: "judging again",
            place: "results/coverage.csv",
            alter: |pack| {
                pack.replace("results/coverage.csv", "T13:00:00Z", "T12:00:00Z");
                issued(pack);
            },
        },
        Case {
            name: "the period",
            what: "judging again",
            place: "results/",
            alter: |pack| Log::real().issue_as(pack, &story().keys[1], |issue| issue.from = issue.from.plus(3600)),
        },
    ]);
}

#[test]
fn what_judges_must_be_what_is_in_force() {
    check_all(&[
        Case {
            name: "a rule",
            what: "not the file that is in force",
            place: "rules/accounts-superuser-is-root-alone.yaml",
            alter: |pack| {
                let rule = "rules/accounts-superuser-is-root-alone.yaml";
                pack.replace(rule, "expect: facts", "expect: \"true\" #");
                issued(pack);
            },
        },
        Case {
            name: "a rule left out",
            what: "it is in force at the end of the log, and missing",
            place: "rules/accounts-superuser-is-root-alone.yaml",
            alter: |pack| {
                pack.remove("rules/accounts-superuser-is-root-alone.yaml");
                issued(pack);
            },
        },
        Case {
            name: "a rule too many",
            what: "not among the rules in force",
            place: "rules/another.yaml",
            alter: |pack| {
                let rule = pack.get("rules/accounts-unique.yaml").to_vec();
                pack.0.insert("rules/another.yaml".to_owned(), rule);
                issued(pack);
            },
        },
        Case {
            name: "a parameter",
            what: "not the file that is in force",
            place: "rules/baseline.yaml",
            alter: |pack| {
                pack.0.insert(
                    pack::BASELINE.to_owned(),
                    b"release-supported: {extended: true}\n".to_vec(),
                );
                issued(pack);
            },
        },
        Case {
            name: "a catalogue",
            what: "not the file that is in force",
            place: "catalogues/iso27001-2022.csv",
            alter: |pack| {
                pack.lines("catalogues/iso27001-2022.csv", |lines| drop(lines.pop()));
                issued(pack);
            },
        },
        Case {
            name: "a scope",
            what: "not among the rules in force",
            place: "scope.txt",
            alter: |pack| {
                pack.0.insert(pack::SCOPE.to_owned(), b"web\n".to_vec());
                issued(pack);
            },
        },
    ]);
}

#[test]
fn facts_and_manifests_must_be_what_they_are_named() {
    check_all(&[
        Case {
            name: "facts swapped",
            what: "its SHA-256 is",
            place: "facts/",
            alter: |pack| {
                let [one, other] = ["sshd", "accounts"].map(|probe| pack.facts_of(probe));
                pack.swap(&one, &other);
                issued(pack);
            },
        },
        Case {
            name: "manifests swapped",
            what: "its SHA-256 is",
            place: "manifests/",
            alter: |pack| {
                let names = pack.names("manifests/");
                pack.swap(&names[0], &names[1]);
                issued(pack);
            },
        },
        Case {
            name: "facts left out",
            what: "a manifest names it and it is missing",
            place: "facts/",
            alter: |pack| {
                let name = pack.facts_of("sshd");
                pack.remove(&name);
                issued(pack);
            },
        },
        Case {
            name: "facts too many",
            what: "no manifest in the pack names these facts",
            place: "facts/",
            alter: |pack| {
                let mut facts = pack.text(&pack.facts_of("sshd"));
                facts = facts.replace("\"detail\":\"", "\"detail\":\"x");
                pack.0
                    .insert(pack::facts(&Digest::of(facts.as_bytes())), facts.into_bytes());
                issued(pack);
            },
        },
        Case {
            name: "a manifest left out",
            what: "a statement names it and it is missing",
            place: "manifests/",
            alter: |pack| {
                let name = pack.names("manifests/").remove(0);
                pack.remove(&name);
                issued(pack);
            },
        },
        Case {
            name: "a manifest too many",
            what: "no statement in the pack names this manifest",
            place: "manifests/",
            alter: |pack| {
                let name = pack.names("manifests/").remove(0);
                pack.lines(&name, |lines| drop(lines.pop()));
                let manifest = pack.get(&name).to_vec();
                *pack = Pack::good();
                pack.0.insert(pack::manifest(&Digest::of(&manifest)), manifest);
                issued(pack);
            },
        },
    ]);
}

/// Documents of personal data may be left out, and the report says so.
#[test]
fn names_may_be_withheld() {
    let mut pack = Pack::good();
    let name = pack.facts_of("accounts.names");
    pack.remove(&name);
    issued(&mut pack);
    let report = pack.verify(trusting()).unwrap();
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("names are withheld")),
        "{report}"
    );
}

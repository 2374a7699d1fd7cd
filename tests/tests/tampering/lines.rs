//! Statements, keys and tiles left out, repeated or moved, in a pack that the collector itself issues.

use evidence::key::Signer as _;
use evidence::pack;

use super::forged::{issued, stranger};
use super::pack::statements;
use super::{Case, check_all, story};

#[test]
fn statements_are_all_there_once_and_in_their_place() {
    check_all(&[
        Case {
            name: "a line left out",
            what: "statements are missing",
            place: "statements/web-",
            alter: |pack| {
                pack.lines(&statements(story().ids()[0]), |lines| drop(lines.remove(4)));
                issued(pack);
            },
        },
        Case {
            name: "the last line left out",
            what: "is missing from the pack",
            place: "statements/",
            alter: |pack| {
                pack.lines(&statements(story().ids()[2]), |lines| drop(lines.pop()));
                issued(pack);
            },
        },
        Case {
            name: "lines swapped",
            what: "has sequence 6, 5 expected",
            place: "statements/web-",
            alter: |pack| {
                pack.lines(&statements(story().ids()[0]), |lines| lines.swap(2, 3));
                issued(pack);
            },
        },
        Case {
            name: "a line twice",
            what: "out of log order or repeated",
            place: "line 3",
            alter: |pack| {
                pack.lines(&statements(story().ids()[0]), |lines| lines.insert(1, lines[1].clone()));
                issued(pack);
            },
        },
        Case {
            name: "another place in the log",
            what: "not what the log has at this place",
            place: "line 1 ",
            alter: |pack| {
                pack.lines(&statements(story().ids()[0]), |lines| {
                    let next = lines[1].rsplit(':').next().unwrap().to_owned();
                    let cut = lines[0].rfind(':').unwrap();
                    lines[0].truncate(cut + 1);
                    lines[0] += &next;
                });
                issued(pack);
            },
        },
        Case {
            name: "a host left out",
            what: "is missing from the pack",
            place: "statements/",
            alter: |pack| {
                pack.remove(&statements(story().ids()[2]));
                issued(pack);
            },
        },
        Case {
            name: "hosts swapped",
            what: "signed with a key of",
            place: "statements/",
            alter: |pack| {
                let [web, db, _] = story().ids().map(statements);
                pack.swap(&web, &db);
                issued(pack);
            },
        },
    ]);
}

#[test]
fn the_collectors_entries_are_all_there() {
    check_all(&[
        Case {
            name: "an entry of the collector left out",
            what: "does not name the collector's entry before it",
            place: "statements/collector.jsonl line 3",
            alter: |pack| {
                pack.lines(pack::COLLECTOR, |lines| drop(lines.remove(2)));
                issued(pack);
            },
        },
        Case {
            name: "the last entry of the collector left out",
            what: "says that the collector's last entry is",
            place: "pack.dsse.json",
            alter: |pack| {
                pack.lines(pack::COLLECTOR, |lines| drop(lines.pop()));
                issued(pack);
            },
        },
        Case {
            name: "the opening left out",
            what: "the log's opening",
            place: "statements/collector.jsonl line 1",
            alter: |pack| {
                pack.lines(pack::COLLECTOR, |lines| drop(lines.remove(0)));
                issued(pack);
            },
        },
    ]);
}

#[test]
fn keys_tiles_and_results_are_there() {
    check_all(&[
        Case {
            name: "a key left out",
            what: "the file is missing",
            place: "keys/",
            alter: |pack| {
                let name = pack.names("keys/").remove(0);
                pack.remove(&name);
                issued(pack);
            },
        },
        Case {
            name: "keys swapped",
            what: "holds the key",
            place: "keys/",
            alter: |pack| {
                let names = pack.names("keys/");
                pack.swap(&names[0], &names[1]);
                issued(pack);
            },
        },
        Case {
            name: "a key too many",
            what: "no entry of the log announces this key",
            place: "keys/",
            alter: |pack| {
                let key = stranger().public_key().clone();
                pack.0.insert(pack::key(&key.id()), key.to_pem().into_bytes());
                issued(pack);
            },
        },
        Case {
            name: "no tiles",
            what: "tile/0/000.p/44 is missing",
            place: "log/",
            alter: |pack| {
                let name = pack.names("log/tile/").remove(0);
                pack.remove(&name);
                issued(pack);
            },
        },
        Case {
            name: "no result",
            what: "the file is missing",
            place: "results/findings.csv",
            alter: |pack| {
                pack.remove("results/findings.csv");
                issued(pack);
            },
        },
    ]);
}

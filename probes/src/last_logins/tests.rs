//! On captured files.

use std::fmt::Write as _;
use std::io::Read as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::LastLoginsProbe;
use crate::probe::documents;
use crate::reading::captured::Captured;

const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/bash\nnobody:x:3:3::/:/usr/sbin/nologin\nalice:x:1000:1000::/home/alice:\n";
const LASTLOG2: &str = "/var/lib/lastlog/lastlog2.db";
const WTMPDB: &str = "/var/lib/wtmpdb/wtmp.db";
const WTMPDB_OF_DEBIAN: &str = "/var/log/wtmp.db";

/// A file of the fixtures; see the README beside them.
macro_rules! fixture {
    ($name:literal) => {{
        let packed = include_bytes!(concat!("../../fixtures/last-logins/", $name, ".gz"));
        let mut bytes = vec![];
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }};
}

fn lastlog() -> Vec<u8> {
    let mut bytes = vec![0; 292 * 4];
    // 2023-11-14T22:13:20Z, of root.
    bytes[..4].copy_from_slice(&1_700_000_000_u32.to_ne_bytes());
    bytes
}

fn host() -> Captured {
    Captured::default()
        .file("/etc/passwd", PASSWD)
        .file("/var/log/lastlog", lastlog())
        .file("/var/log/wtmp", "")
}

/// A host with the accounts that are in the databases: `user0` has uid 2000 and line 1.
fn newer() -> Captured {
    let mut passwd = String::new();
    for number in 0..150 {
        writeln!(passwd, "user{number}:x:{}:100::/:/bin/sh", 2_000 + number).unwrap();
    }
    Captured::default().file("/etc/passwd", passwd)
}

fn facts(host: &Captured) -> Value {
    let document = serde_json::to_value(&documents::<LastLoginsProbe>(host)[0]).unwrap();
    document.get("facts").cloned().unwrap_or(document)
}

/// Day and book of an account of [`newer`].
fn of(facts: &Value, number: usize) -> (Option<&str>, Option<&str>) {
    let account = &facts["accounts"]["value"][number];
    assert_eq!(account["uid"], 2_000 + number, "{facts}");
    (
        account["last_day"].as_str().map(|day| &day[..10]),
        account["recorded_in"].as_str(),
    )
}

fn why(facts: &Value) -> (&str, &str) {
    let accounts = &facts["accounts"];
    assert_eq!(accounts["value"], Value::Null);
    (
        accounts["outcome"].as_str().unwrap(),
        accounts["detail"].as_str().unwrap(),
    )
}

#[test]
fn days_and_never() {
    let facts = facts(&host());
    assert_eq!(
        facts["accounts"]["value"],
        json!([
            {"uid": 0, "line": 1, "login_shell": true, "last_day": "2023-11-14T00:00:00Z", "recorded_in": "lastlog"},
            {"uid": 3, "line": 2, "login_shell": false},
            {"uid": 1000, "line": 3, "login_shell": true}
        ])
    );
    assert_eq!(facts["lastlog"]["value"], json!({"empty": false}));
    assert_eq!(facts["login_record"]["value"], json!({"empty": true}));
    assert_eq!(facts["failure_record"]["outcome"], "absent");
    assert_eq!(facts["lastlog2"]["outcome"], "absent");
    assert_eq!(facts["wtmpdb"]["outcome"], "absent");
}

#[test]
fn never_is_not_said_of_what_is_not_known() {
    let outcome = |host: &Captured| facts(host)["accounts"]["outcome"].clone();
    assert_eq!(outcome(&Captured::default().file("/etc/passwd", PASSWD)), "absent");
    assert_eq!(outcome(&host().denied("/var/log/lastlog")), "denied");
    assert_eq!(facts(&Captured::default())["outcome"], "absent");
    assert_eq!(facts(&host().denied("/etc/passwd"))["outcome"], "denied");
    let odd = facts(&host().file("/etc/passwd", format!("{PASSWD}short:x\n")));
    assert_eq!(odd["unparsed"], 1);
    // Files that are there and in which nobody ever wrote, as they are where nothing writes them any more.
    let empty = host().file("/var/log/lastlog", "").file(LASTLOG2, "").file(WTMPDB, "");
    let facts = facts(&empty);
    assert_eq!(why(&facts).0, "absent");
    for book in ["lastlog", "lastlog2", "wtmpdb"] {
        assert_eq!(facts[book], json!({"outcome": "observed", "value": {"empty": true}}));
    }
}

#[test]
fn each_book_alone() {
    let told = facts(&newer().file(LASTLOG2, fixture!("lastlog2.db")));
    assert_eq!(of(&told, 0), (None, None));
    assert_eq!(of(&told, 1), (Some("2009-07-16"), Some("lastlog2")));
    assert_eq!(of(&told, 20), (Some("1970-01-01"), Some("lastlog2")));
    assert_eq!(of(&told, 70), (Some("1970-01-02"), Some("lastlog2")));
    assert_eq!(of(&told, 100), (Some("2106-02-07"), Some("lastlog2")));
    let days = (0..150).filter(|number| of(&told, *number).0.is_some()).count();
    // And one that is not of this host's accounts.
    assert_eq!(days, 100);
    assert_eq!(told["lastlog2"]["value"], json!({"empty": false}));

    let told = facts(&newer().file(WTMPDB, fixture!("wtmp.db")));
    assert_eq!(of(&told, 0), (Some("2022-06-17"), Some("wtmpdb")));
    assert_eq!(of(&told, 68), (Some("2022-07-27"), Some("wtmpdb")));
    let days = (0..150).filter(|number| of(&told, *number).0.is_some()).count();
    assert_eq!(days, 100);
    let first = json!({"empty": false, "first_day": "2020-09-14T00:00:00Z"});
    assert_eq!(told["wtmpdb"]["value"], first);
}

#[test]
fn the_newest_of_all_books() {
    let mut lastlog = vec![0; 292 * 2_005];
    for (uid, time) in [
        (2_000, 1_700_000_000_u32),
        (2_001, 1),
        (2_003, 1_600_000_000),
        (2_004, 1_323_938_499),
    ] {
        lastlog[uid * 292..uid * 292 + 4].copy_from_slice(&time.to_ne_bytes());
    }
    let host = newer()
        .file("/var/log/lastlog", lastlog)
        .file(LASTLOG2, fixture!("lastlog2.db"))
        .link(WTMPDB, "../../log/wtmp.db")
        .file(WTMPDB_OF_DEBIAN, fixture!("wtmp.db"));
    let told = facts(&host);
    assert_eq!(of(&told, 0), (Some("2023-11-14"), Some("lastlog")));
    assert_eq!(of(&told, 1), (Some("2022-06-28"), Some("wtmpdb")));
    assert_eq!(of(&told, 5), (Some("2106-02-07"), Some("lastlog2")));
    // The start of the machine is no login of an account of that name.
    let named = facts(
        &Captured::default()
            .file("/etc/passwd", "reboot:x:2000:1::/:/bin/sh\n")
            .file(WTMPDB, fixture!("wtmp.db")),
    );
    assert_eq!(of(&named, 0), (None, None));
    // On the same day the books have an order.
    let same = {
        let mut lastlog = vec![0; 292 * 2_005];
        lastlog[2_004 * 292..2_004 * 292 + 4].copy_from_slice(&1_323_900_000_u32.to_ne_bytes());
        newer()
            .file("/var/log/lastlog", lastlog)
            .file(LASTLOG2, fixture!("lastlog2.db"))
    };
    assert_eq!(of(&facts(&same), 4), (Some("2011-12-15"), Some("lastlog2")));
    // Two databases of wtmpdb, of which one was left: the logins of both count.
    let two = newer().file(WTMPDB, "").file(WTMPDB_OF_DEBIAN, fixture!("wtmp.db"));
    assert_eq!(of(&facts(&two), 68), (Some("2022-07-27"), Some("wtmpdb")));
}

#[test]
fn the_log_beside_a_database() {
    let (database, log) = (
        fixture!("lastlog2-in-wal-mode.db"),
        fixture!("lastlog2-in-wal-mode.db-wal"),
    );
    let host = newer().file(LASTLOG2, &database).file(&format!("{LASTLOG2}-wal"), &log);
    let told = facts(&host);
    assert_eq!(of(&told, 0).0, Some("2026-11-18"));
    assert_eq!(of(&told, 1).0, Some("2026-11-19"));
    assert_eq!(of(&told, 2).0, None);
    // Merged by somebody: then the database alone counts.
    let told = facts(&newer().file(LASTLOG2, &database));
    assert_eq!(of(&told, 0).0, None);
    assert_eq!(of(&told, 2).0, Some("2003-08-27"));
    // SQLite has it beside the file to which the link leads.
    let linked = newer()
        .link(LASTLOG2, "/data/l.db")
        .file("/data/l.db", &database)
        .file("/data/l.db-wal", &log);
    assert_eq!(of(&facts(&linked), 0).0, Some("2026-11-18"));
    let told = facts(&linked.file(&format!("{LASTLOG2}-wal"), "x").denied("/data/l.db-wal"));
    assert_eq!(why(&told), ("denied", "/data/l.db-wal: permission denied"));
}

#[test]
fn a_database_that_is_not_known() {
    let (lastlog2, wtmp) = (fixture!("lastlog2.db"), fixture!("wtmp.db"));
    let well = || newer().file(LASTLOG2, &lastlog2).file(WTMPDB, &wtmp);
    assert_eq!(facts(&well())["accounts"]["outcome"], "observed");
    for path in [LASTLOG2, WTMPDB] {
        // The other book is there and read, and an older login in it is not taken for the last one.
        let journal = format!("{path}-journal");
        for (host, outcome) in [
            (well().denied(path), "denied"),
            (well().denied(&format!("{path}-wal")), "denied"),
            (well().denied(&journal), "denied"),
            (well().folder(path), "failed"),
            (well().link(path, path), "failed"),
            (well().file(&journal, b"\xd9\xd5\x05\xf9 \xa1c\xd7"), "failed"),
            (well().file(path, "SQLite format 3\0"), "malformed"),
            (well().file(path, [b'x'; 4_096]), "malformed"),
        ] {
            let facts = facts(&host);
            assert_eq!(why(&facts).0, outcome, "{path}: {facts}");
            assert!(why(&facts).1.contains(path), "{facts}");
            let book = if path == LASTLOG2 { "lastlog2" } else { "wtmpdb" };
            assert_eq!(facts[book]["outcome"], outcome);
        }
        // A transaction that ended may leave its journal, emptied.
        for ended in [&b""[..], &[0; 512]] {
            assert_eq!(facts(&well().file(&journal, ended))["accounts"]["outcome"], "observed");
        }
    }
    let told = facts(&well().file(&format!("{LASTLOG2}-journal"), "x"));
    assert!(why(&told).1.ends_with("half of it may be what was read"), "{told}");
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut found = false;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            found = true;
        }
    }
    assert!(found);
    bytes
}

#[test]
fn a_database_of_another_schema() {
    let (lastlog2, wtmp) = (fixture!("lastlog2.db"), fixture!("wtmp.db"));
    for (path, bytes, what) in [
        (
            LASTLOG2,
            replaced(&lastlog2, "Lastlog2", "Lastlog3"),
            "there is no table Lastlog2",
        ),
        (
            LASTLOG2,
            replaced(&lastlog2, "Time INTEGER", "When INTEGER"),
            "table Lastlog2 has no column Time",
        ),
        (
            LASTLOG2,
            replaced(&lastlog2, "Name TEXT", "User TEXT"),
            "table Lastlog2 has no column Name",
        ),
        (
            WTMPDB,
            replaced(&wtmp, "Login INTEGER", "Begin INTEGER"),
            "table wtmp has no column Login",
        ),
        (
            WTMPDB,
            replaced(&wtmp, "Type INTEGER", "Kind INTEGER"),
            "table wtmp has no column Type",
        ),
        (WTMPDB, lastlog2.clone(), "there is no table wtmp"),
    ] {
        let told = facts(&newer().file(path, bytes));
        assert_eq!(why(&told), ("unsupported", format!("{path}: {what}").as_str()));
    }
    // Another order of the columns is found by their names, and the values are then none.
    let swapped = replaced(
        &lastlog2,
        "Name TEXT PRIMARY KEY, Time INTEGER",
        "Time INTEGER, Name TEXT PRIMARY KEY",
    );
    let told = facts(&newer().file(LASTLOG2, swapped));
    assert_eq!(
        why(&told),
        ("malformed", format!("{LASTLOG2}: row 1: its name is no text").as_str())
    );
}

#[test]
fn a_damaged_database() {
    let wtmp = fixture!("wtmp.db");
    let pages = wtmp.len() / 4_096;
    assert!(pages > 5);
    for page in 0..pages {
        let mut damaged = wtmp.clone();
        damaged[page * 4_096..(page + 1) * 4_096].fill(0);
        let told = facts(&newer().file(WTMPDB, damaged));
        assert_eq!(why(&told).0, "malformed", "page {}", page + 1);
        let told = facts(&newer().file(WTMPDB, &wtmp[..page * 4_096 + 2_000]));
        assert_eq!(why(&told).0, "malformed", "cut in page {}", page + 1);
    }
}

#[test]
fn no_name_of_a_person_is_in_the_facts() {
    assert!(!facts(&host()).to_string().contains("alice"));
    let host = newer().file(LASTLOG2, fixture!("lastlog2.db"));
    let document = serde_json::to_string(&documents::<LastLoginsProbe>(&host)[0]).unwrap();
    assert!(!document.contains("user1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn damage_anywhere(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..30),
        heads in prop::collection::vec((0_usize..10, 0_usize..16, any::<u8>()), 0..10),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut wtmp = fixture!("wtmp.db");
        for (at, value) in changes {
            let at = at.index(wtmp.len());
            wtmp[at] = value;
        }
        for (page, at, value) in heads {
            wtmp[page * 4_096 + at] = value;
        }
        if let Some(cut) = cut {
            wtmp.truncate(cut.index(wtmp.len()));
        }
        let told = facts(&newer().file(WTMPDB, &wtmp));
        let outcome = told["accounts"]["outcome"].as_str().unwrap();
        prop_assert!(["observed", "malformed", "unsupported", "absent"].contains(&outcome), "{}", told);
        prop_assert_eq!(outcome == "observed", told["wtmpdb"]["value"]["empty"] == json!(false));
    }
}

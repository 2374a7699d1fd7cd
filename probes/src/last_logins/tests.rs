//! On captured files.

use serde_json::{Value, json};

use super::LastLoginsProbe;
use crate::probe::documents;
use crate::reading::captured::Captured;

const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/bash\nnobody:x:3:3::/:/usr/sbin/nologin\nalice:x:1000:1000::/home/alice:\n";

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

fn facts(host: &Captured) -> Value {
    let document = serde_json::to_value(&documents::<LastLoginsProbe>(host)[0]).unwrap();
    document.get("facts").cloned().unwrap_or(document)
}

#[test]
fn days_and_never() {
    let facts = facts(&host());
    assert_eq!(
        facts["accounts"]["value"],
        json!([
            {"uid": 0, "line": 1, "login_shell": true, "last_day": "2023-11-14T00:00:00Z"},
            {"uid": 3, "line": 2, "login_shell": false},
            {"uid": 1000, "line": 3, "login_shell": true}
        ])
    );
    assert_eq!(facts["login_record"]["value"], json!({"empty": true}));
    assert_eq!(facts["failure_record"]["outcome"], "absent");
    assert_eq!(facts["wtmpdb"]["outcome"], "absent");
}

#[test]
fn never_is_not_said_of_what_is_not_known() {
    let outcome = |host: &Captured| facts(host)["accounts"]["outcome"].clone();
    assert_eq!(outcome(&Captured::default().file("/etc/passwd", PASSWD)), "absent");
    assert_eq!(outcome(&host().denied("/var/log/lastlog")), "denied");
    let newer = host().file("/var/lib/lastlog/lastlog2.db", "SQLite format 3\0");
    assert_eq!(outcome(&newer), "unsupported");
    assert_eq!(facts(&Captured::default())["outcome"], "absent");
    assert_eq!(facts(&host().denied("/etc/passwd"))["outcome"], "denied");
    let odd = facts(&host().file("/etc/passwd", format!("{PASSWD}short:x\n")));
    assert_eq!(odd["unparsed"], 1);
}

#[test]
fn no_name_of_a_person_is_in_the_facts() {
    assert!(!facts(&host()).to_string().contains("alice"));
}

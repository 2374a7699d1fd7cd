use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:999::/:/bin/sh\n";

fn host() -> Captured {
    Captured::default().file("/etc/passwd", PASSWD).file(
        "/etc/group",
        "root:x:0:\nwheel2:x:0:bob\nsudo:x:27:alice,ghost\ndocker:x:999:alice\nalice:x:1000:\n",
    )
}

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<PrivilegedGroupsProbe>().collect(host);
    assert_eq!(documents[0].outcome, Outcome::Observed, "{}", documents[0].detail);
    documents[0].facts.clone().unwrap()
}

#[test]
fn groups_and_members() {
    let facts = facts(&host());
    let groups = facts["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 4);
    assert_eq!(groups[0]["name"], Value::Null);
    assert_eq!(groups[0]["members"], json!([0, 1001]));
    let sudo = json!({"name": "sudo", "gid": 27, "power": "administration", "members": [1000], "primary_members": [],
        "unknown_members": 1});
    assert_eq!(groups[2], sudo);
    let docker = json!({"name": "docker", "gid": 999, "power": "containers", "members": [1000, 1001],
        "primary_members": [1001], "unknown_members": 0});
    assert_eq!(groups[3], docker);
    assert_eq!(facts["files_decide"]["value"], true);
    assert!(!facts.to_string().contains("alice"));
}

#[test]
fn other_sources_and_what_is_not_read() {
    let decide = |host: &Captured| facts(host)["files_decide"].clone();
    assert_eq!(
        decide(&host().file("/etc/nsswitch.conf", "group: files sss\n"))["value"],
        false
    );
    assert_eq!(
        decide(&host().file("/etc/passwd", format!("{PASSWD}broken\n")))["value"],
        false
    );
    assert_eq!(decide(&host().denied("/etc/nsswitch.conf"))["outcome"], "denied");
    let outcome = |host: &Captured| Registered::of::<PrivilegedGroupsProbe>().collect(host)[0].outcome;
    assert_eq!(outcome(&host().denied("/etc/group")), Outcome::Denied);
    assert_eq!(outcome(&Captured::default()), Outcome::Absent);
}

#[test]
fn the_list_is_sorted() {
    assert!(GROUPS.is_sorted_by_key(|(name, _)| *name));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(passwd in proptest::collection::vec(any::<u8>(), 0..200), group in proptest::collection::vec(any::<u8>(), 0..200)) {
        facts(&Captured::default().file("/etc/passwd", passwd).file("/etc/group", group));
    }
}

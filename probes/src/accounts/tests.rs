use serde_json::{Value, json};

use super::*;
use crate::reading::Kind;
use crate::reading::captured::{Captured, stat};
use crate::registry::Registered;
use evidence::facts::Outcome;

const HASH: &str = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7";

fn host() -> Captured {
    let shadow = format!(
        "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\nalice:{HASH}:19800:1:90:7:30:20000:\n\
         bob::0::::::\ncarol:!{HASH}:19800:0:99999:7:::\n"
    );
    Captured::default()
        .file(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
             alice:x:1000:1000:Alice Example,,,:/home/alice:/bin/bash\nbob:x:1001:100::/home/bob:\n\
             carol:x:1002:100::/srv/carol:/home/carol/bin/sh\ntoor:$1$saltsalt$kwiU3kDdMhRRVVPBS9Ycv.:0:0::/root:/bin/sh\n",
        )
        .file("/etc/shadow", shadow)
        .file("/etc/group", "root:x:0:\nsudo:x:27:alice,ghost\nusers:x:100:alice\nalice:x:1000:\n")
        .file("/etc/gshadow", format!("root:*::\nsudo:{HASH}:bob:alice\nusers:!::\nalice:!::\n"))
        .file("/etc/login.defs", "UID_MIN 1000\nUID_MAX 60000\nPASS_MAX_DAYS 99999\nENCRYPT_METHOD yescrypt\n")
        .file("/etc/shells", "/bin/sh\n/bin/bash\n")
        .file("/etc/nsswitch.conf", "passwd: files systemd\ngroup: files systemd\n")
        .folder("/home/alice")
}

fn documents(host: &Captured) -> (Value, Value) {
    let documents = Registered::of::<AccountsProbe>().collect(host);
    let [facts, names] = documents.as_slice() else {
        panic!("two documents")
    };
    assert_eq!(facts.outcome, Outcome::Observed, "{}", facts.detail);
    let bytes = facts.to_bytes().expect("a document");
    let text = String::from_utf8(bytes).unwrap();
    for name in ["alice", "Alice", "bob", "carol", "toor", "F5Jx5fExrKuPp53xLKQ"] {
        assert!(!text.contains(name), "{name} in {text}");
    }
    (facts.facts.clone().unwrap(), names.facts.clone().unwrap())
}

fn user(facts: &Value, line: u32) -> Value {
    let users = facts["users"].as_array().unwrap();
    users.iter().find(|user| user["line"] == line).unwrap().clone()
}

#[test]
fn users_and_groups() {
    let (facts, names) = documents(&host());
    let alice = user(&facts, 3);
    assert_eq!(alice["class"], "regular");
    assert_eq!(alice["groups"], json!([27, 100]));
    assert_eq!(alice["password"]["value"], json!({"state": "set", "hash": "yescrypt"}));
    assert_eq!(alice["ageing"]["value"]["max_days"], 90);
    assert_eq!(alice["ageing"]["value"]["expires"], "2024-10-04T00:00:00Z");
    assert_eq!(alice["home"]["value"]["mode"], "0755");
    let bob = user(&facts, 4);
    assert_eq!(bob["password"]["value"]["state"], "empty");
    assert_eq!((&bob["shell"], &bob["login_shell"]), (&json!("/bin/sh"), &json!(true)));
    assert_eq!(bob["ageing"]["value"]["change_forced"], true);
    assert_eq!(bob["home"]["outcome"], "absent");
    let carol = user(&facts, 5);
    assert_eq!(
        carol["password"]["value"],
        json!({"state": "locked", "hash": "yescrypt"})
    );
    assert_eq!(
        (&carol["shell"], &carol["shell_is_valid"]),
        (&json!("/home/*"), &json!(false))
    );
    let toor = user(&facts, 6);
    assert_eq!(
        (&toor["password_in_passwd"], &toor["class"]),
        (&json!(true), &json!("superuser"))
    );
    assert_eq!(toor["password"]["value"]["hash"], "md5crypt");
    assert_eq!(user(&facts, 2)["login_shell"], false);
    assert_eq!(facts["duplicate_uids"], json!([0]));
    let sudo = &facts["groups"]["value"][1];
    assert_eq!(
        (&sudo["members"], &sudo["unknown_members"]),
        (&json!([1000]), &json!(1))
    );
    assert_eq!(
        (&sudo["password"]["value"]["state"], &sudo["administrators"]["value"]),
        (&json!("set"), &json!(1))
    );
    assert_eq!(facts["groups"]["value"][2]["members"], json!([1000, 1001, 1002]));
    assert_eq!(facts["other_sources"]["value"], json!([]));
    assert_eq!(facts["unparsed"], json!([]));
    assert_eq!(names["users"]["0"], json!(["root", "toor"]));
    assert_eq!(names["homes"]["1000"], json!(["/home/alice"]));
}

#[test]
fn no_digest_of_files_that_hide_something() {
    let documents = Registered::of::<AccountsProbe>().collect(&host());
    for source in &documents[0].sources {
        if let evidence::facts::Origin::Path(path) = &source.origin {
            let hides = ["passwd", "shadow", "group", "gshadow"]
                .iter()
                .any(|name| path.ends_with(name));
            assert!(!hides || source.sha256.is_none(), "{path}");
        }
    }
}

#[test]
fn what_is_denied_or_not_there_is_said() {
    let (facts, _) = documents(
        &host()
            .denied("/etc/shadow")
            .denied("/etc/gshadow")
            .denied("/home/alice"),
    );
    assert_eq!(user(&facts, 3)["password"]["outcome"], "denied");
    assert_eq!(user(&facts, 3)["ageing"]["outcome"], "denied");
    assert_eq!(user(&facts, 3)["home"]["outcome"], "denied");
    assert_eq!(user(&facts, 6)["password"]["outcome"], "observed");
    assert_eq!(facts["groups"]["value"][0]["password"]["outcome"], "denied");
    let nothing = Registered::of::<AccountsProbe>().collect(&Captured::default());
    assert_eq!(nothing[0].outcome, Outcome::Absent);
    let denied = Registered::of::<AccountsProbe>().collect(&host().denied("/etc/passwd"));
    assert_eq!(denied[0].outcome, Outcome::Denied);
}

#[test]
fn lines_that_are_no_entries_are_listed() {
    let (facts, _) = documents(
        &host()
            .file("/etc/passwd", "root:x:0:0::/:/bin/sh\nbroken\n")
            .file("/etc/shadow", "root:*\n"),
    );
    let unparsed = facts["unparsed"].as_array().unwrap();
    assert_eq!(
        unparsed[0],
        json!({"path": "/etc/passwd", "line": 2, "reason": "not seven fields"})
    );
    assert_eq!(unparsed[1]["path"], "/etc/shadow");
    // The line in shadow may be anybody's: that root has no password is not said.
    assert_eq!(user(&facts, 1)["password"]["outcome"], "malformed");
}

#[test]
fn files_in_homes() {
    let of = |kind, mode, uid| stat(kind, mode, uid, 0);
    let host = host()
        .stat_of("/home/alice/.bashrc", of(Kind::File, 0o664, 1000))
        .stat_of("/home/alice/.bash_history", of(Kind::Link, 0o777, 1000))
        .stat_of("/home/alice/.netrc", of(Kind::File, 0o600, 1000))
        .stat_of("/home/alice/.profile", of(Kind::File, 0o644, 1000))
        .stat_of("/home/alice/.rhosts", of(Kind::File, 0o644, 1001))
        .stat_of("/home/alice/.zsh_history", of(Kind::File, 0o600, 1000));
    let files = user(&documents(&host).0, 3)["home_files"]["value"].clone();
    let file = |name, why, regular, mode, own, write, read| {
        json!({"name": name, "why": why, "regular": regular, "mode": mode, "owned_by_account": own,
            "writable_by_others": write, "readable_by_others": read})
    };
    assert_eq!(
        files,
        json!([
            file(".bash_history", "history", false, "0777", true, false, false),
            file(".bashrc", "start", true, "0664", true, true, true),
            file(".netrc", "secret", true, "0600", true, false, false),
            file(".rhosts", "trust", true, "0644", false, false, true),
        ])
    );
    let (facts, _) = documents(&host.denied("/home/alice/.shosts"));
    assert_eq!(user(&facts, 3)["home_files"]["outcome"], "denied");
    // daemon cannot log in, and carol has no home.
    assert_eq!(user(&facts, 2)["home_files"], Value::Null);
    assert_eq!(user(&facts, 5)["home_files"], Value::Null);
}

#[test]
fn homes_on_demand_are_left_alone() {
    let mounts = "36 35 98:0 / / rw - ext4 /dev/sda1 rw\n40 36 0:50 / /home rw - autofs auto.home rw\n";
    let (facts, _) = documents(&host().file("/proc/self/mountinfo", mounts));
    assert_eq!(user(&facts, 3)["home"]["outcome"], "skipped");
    assert_eq!(user(&facts, 1)["home"]["outcome"], "absent");
}

#[test]
fn other_sources_are_told() {
    let (facts, _) = documents(&host().file(
        "/etc/nsswitch.conf",
        "passwd: files sss\ngroup: files sss\nsudoers: files sss\n",
    ));
    assert_eq!(facts["other_sources"]["value"], json!(["group: sss", "passwd: sss"]));
}

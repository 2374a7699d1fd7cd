use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
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
        .file("/proc/sys/kernel/hostname", "web1\n")
}

fn with_sudoers(text: &str) -> Captured {
    host().file("/usr/bin/sudo", "ELF").file("/etc/sudoers", text)
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

fn sudo_user(facts: &Value, uid: u32) -> Option<Value> {
    let users = facts["sudo"]["value"]["users"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", facts["sudo"]));
    users.iter().find(|user| user["uid"] == uid).cloned()
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
    assert_eq!(facts["sudo"]["value"]["installed"], false);
    assert_eq!(names["users"]["0"], json!(["root", "toor"]));
    assert_eq!(names["homes"]["1000"], json!(["/home/alice"]));
}

#[test]
fn no_digest_of_files_that_hide_something() {
    let documents = Registered::of::<AccountsProbe>().collect(&with_sudoers("root ALL=(ALL) ALL\n"));
    for source in &documents[0].sources {
        if let evidence::facts::Origin::Path(path) = &source.origin {
            let hides = ["passwd", "shadow", "group", "gshadow", "sudoers"]
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
fn homes_on_demand_are_left_alone() {
    let mounts = "36 35 98:0 / / rw - ext4 /dev/sda1 rw\n40 36 0:50 / /home rw - autofs auto.home rw\n";
    let (facts, _) = documents(&host().file("/proc/self/mountinfo", mounts));
    assert_eq!(user(&facts, 3)["home"]["outcome"], "skipped");
    assert_eq!(user(&facts, 1)["home"]["outcome"], "absent");
}

#[test]
fn debian_and_a_file_in_the_folder() {
    let host = with_sudoers(
        "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    )
    .file("/etc/sudoers.d/90-alice", "alice ALL=(ALL) NOPASSWD: ALL\n")
    .file("/etc/sudoers.d/README.txt", "not read\n")
    .file("/etc/sudoers.d/old~", "not read\n");
    let (facts, names) = documents(&host);
    let sudo = &facts["sudo"]["value"];
    assert_eq!(sudo["grants"][2]["path"], "/etc/sudoers.d/*");
    assert_eq!(sudo["files"][1]["path"], "/etc/sudoers.d/*");
    assert_eq!(sudo["defaults"][0]["setting"], "env_reset");
    assert_eq!(
        sudo["grants"][1]["subjects"],
        json!({"everyone": false, "uids": [1000], "gids": [27], "unresolved": 0})
    );
    // (ALL) does not decide what is run with a group of (ALL:ALL): both hold.
    let alice = sudo_user(&facts, 1000).unwrap();
    assert_eq!(
        alice,
        json!({"uid": 1000, "all_commands": true, "nopasswd": true, "all_commands_nopasswd": true,
        "uncertain": false, "grants": [1, 2]})
    );
    assert_eq!(sudo_user(&facts, 0).unwrap()["nopasswd"], false);
    assert_eq!(sudo_user(&facts, 1001), None);
    assert_eq!(names["sudo_grants"][2]["text"], "alice ALL = (ALL) NOPASSWD: ALL");
    assert_eq!(names["sudoers_files"][1], "/etc/sudoers.d/90-alice");
}

#[test]
fn the_last_match_decides() {
    let sum = |text: &str| {
        let (facts, _) = documents(&with_sudoers(text));
        let user = sudo_user(&facts, 1000);
        user.map(|user| ["all_commands", "nopasswd", "all_commands_nopasswd"].map(|key| user[key] == true))
    };
    assert_eq!(
        sum("alice ALL=(ALL) NOPASSWD: ALL\nalice ALL=(ALL) ALL\n"),
        Some([true, false, false])
    );
    assert_eq!(
        sum("alice ALL=(ALL) ALL\nalice ALL=(ALL) NOPASSWD: ALL\n"),
        Some([true, true, true])
    );
    assert_eq!(sum("alice ALL=(ALL) ALL\nalice ALL=(ALL) !ALL\n"), None);
    // The last entry decides for root and not for toor, who is root too.
    let then = |runas: &str| sum(&format!("alice ALL=(ALL) NOPASSWD: ALL\nalice ALL=({runas}) ALL\n"));
    assert_eq!(then("root"), Some([true, true, true]));
    assert_eq!(then("#0"), Some([true, true, false]));
    // Without (…) any group may be asked for, which (ALL) does not decide: `sudo -g GROUP` asks for no password.
    assert_eq!(
        sum("alice ALL=NOPASSWD: ALL\nalice ALL=(ALL) ALL\n"),
        Some([true, true, true])
    );
    assert_eq!(
        sum("alice ALL=(ALL) ALL\nalice ALL=(ALL, !root) !ALL\n"),
        Some([true, false, false])
    );
    assert_eq!(sum("alice ALL=ALL, !/bin/su\n"), Some([true, false, false]));
    assert_eq!(
        sum("alice ALL=(ALL) ALL\nalice ALL=(root) NOPASSWD: /bin/ls\n"),
        Some([true, true, false])
    );
    assert_eq!(
        sum("alice ALL=(ALL) NOPASSWD: /bin/ls\nalice ALL=(ALL) ALL\n"),
        Some([true, false, false])
    );
    assert_eq!(sum("alice ALL=(bob) NOPASSWD: ALL\n"), Some([false, true, false]));
    assert_eq!(
        sum("alice ALL=(bob) NOPASSWD: ALL, (root) /bin/ls\n"),
        Some([false, true, false])
    );
    assert_eq!(sum("ALL, !alice ALL=ALL\n"), None);
    assert_eq!(sum("!alice, ALL ALL=ALL\n"), Some([true, false, false]));
    assert_eq!(sum("%users, !%sudo ALL=ALL\n"), None);
    assert_eq!(
        sum("User_Alias A=B : B=alice\nCmnd_Alias C=D, !/bin/su : D=ALL\nA ALL=C\n"),
        Some([true, false, false])
    );
    assert_eq!(sum("User_Alias A=!bob, alice\n!A ALL=ALL\n"), None);
    assert_eq!(sum("#1000 ALL=ALL\n"), Some([true, false, false]));
    assert_eq!(sum("%#27 ALL=ALL\n"), Some([true, false, false]));
    assert_eq!(sum("ALICE ALL=ALL\n"), Some([true, false, false]));
    assert_eq!(sum("alice web1=ALL\n"), Some([true, false, false]));
    assert_eq!(sum("alice web2=ALL\n"), None);
    assert_eq!(sum("alice ALL,!web1=ALL\n"), None);
    assert_eq!(sum("alice 10.0.0.0/8=NOPASSWD: ALL\n"), Some([true, true, true]));
    assert_eq!(sum("alice ALL=UNDEFINED\n"), None);
    assert_eq!(sum("User_Alias A=A\nA ALL=ALL\n"), None);
    assert_eq!(sum("alice ALL=() ALL\n"), Some([false, false, false]));
    assert_eq!(sum("alice ALL=(:adm) ALL\n"), Some([false, false, false]));
}

#[test]
fn defaults_about_passwords() {
    let sum = |text: &str| {
        let (facts, _) = documents(&with_sudoers(text));
        sudo_user(&facts, 1000).is_some_and(|user| user["nopasswd"] == true)
    };
    assert!(sum("Defaults !authenticate\nalice ALL=ALL\n"));
    assert!(!sum("Defaults !authenticate\nalice ALL=PASSWD: ALL\n"));
    assert!(sum("Defaults:alice !authenticate\nalice ALL=ALL\n"));
    assert!(!sum("Defaults:bob !authenticate\nalice ALL=ALL\n"));
    assert!(!sum(
        "Defaults !authenticate\nDefaults:alice authenticate\nalice ALL=ALL\n"
    ));
    assert!(sum("Defaults@web1 !authenticate\nalice ALL=ALL\n"));
    assert!(!sum("Defaults@web2 !authenticate\nalice ALL=ALL\n"));
    assert!(sum("Defaults!/bin/ls !authenticate\nalice ALL=ALL\n"));
    assert!(sum("Defaults>root !authenticate\nalice ALL=ALL\n"));
    assert!(sum("Defaults exempt_group=sudo\nalice ALL=ALL\n"));
    let (facts, _) = documents(&with_sudoers("Defaults runas_default=bob\nalice ALL=ALL\n"));
    assert_eq!(sudo_user(&facts, 1000).unwrap()["all_commands"], false);
    assert_eq!(facts["sudo"]["value"]["defaults"][0]["value"], "");
}

#[test]
fn sudo_is_known_as_a_whole_or_not() {
    let sudo = |host: &Captured| {
        let (facts, names) = documents(host);
        let sudo = &facts["sudo"];
        assert!(sudo.get("value").is_some() || names["sudo_grants"] == json!([]));
        format!(
            "{} {}",
            sudo["outcome"].as_str().unwrap(),
            sudo["detail"].as_str().unwrap_or_default()
        )
    };
    assert_eq!(
        sudo(&with_sudoers("").denied("/etc/sudoers")),
        "denied /etc/sudoers: permission denied"
    );
    let folder = with_sudoers("root ALL=ALL\n@includedir /etc/sudoers.d\n");
    let denied = folder.clone().denied("/etc/sudoers.d/alice");
    assert_eq!(sudo(&denied), "denied /etc/sudoers.d/*: permission denied");
    assert_eq!(
        sudo(&folder.clone().denied("/etc/sudoers.d")),
        "denied /etc/sudoers.d/*: permission denied"
    );
    let broken = folder.file("/etc/sudoers.d/alice", "alice ALL=ALL\nalice ALL=(ALL ALL\nbob\n");
    assert_eq!(
        sudo(&broken),
        "malformed /etc/sudoers.d/*:2: ) is missing after the users to run as (2 such entries)"
    );
    let missing = sudo(&with_sudoers("@include /nowhere\n"));
    assert_eq!(missing, "malformed /etc/sudoers:1: the included file is not there");
    assert!(sudo(&with_sudoers("@include /etc/sudoers\n")).contains("nested too deeply"));
    assert_eq!(sudo(&host().file("/usr/bin/sudo", "ELF")), "observed ");
}

#[test]
fn other_sources_leave_it_open() {
    let host = with_sudoers("%domain\\ admins ALL=ALL\n+net ALL=ALL\nghost ALL=ALL\n");
    let unresolved = |host: &Captured| documents(host).0["sudo"]["value"]["unresolved_subjects"].clone();
    assert_eq!(unresolved(&host), 1);
    let sssd = "passwd: files sss\ngroup: files sss\nsudoers: files sss\n";
    let host = host.file("/etc/nsswitch.conf", sssd);
    assert_eq!(unresolved(&host), 3);
    let (facts, _) = documents(&host);
    assert_eq!(facts["sudo"]["value"]["files_decide"]["value"], false);
    assert_eq!(facts["other_sources"]["value"], json!(["group: sss", "passwd: sss"]));
}

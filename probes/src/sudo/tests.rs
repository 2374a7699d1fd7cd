use evidence::facts::{Origin, Outcome};
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn host() -> Captured {
    Captured::default()
        .file(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
             alice:x:1000:1000:Alice Example,,,:/home/alice:/bin/bash\nbob:x:1001:100::/home/bob:\n\
             carol:x:1002:100::/srv/carol:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n",
        )
        .file(
            "/etc/group",
            "root:x:0:\nsudo:x:27:alice,ghost\nusers:x:100:alice\nalice:x:1000:\n",
        )
        .file("/etc/nsswitch.conf", "passwd: files systemd\ngroup: files systemd\n")
        .file("/proc/sys/kernel/hostname", "web1\n")
}

fn with_sudoers(text: &str) -> Captured {
    host().file("/usr/bin/sudo", "ELF").file("/etc/sudoers", text)
}

fn documents(host: &Captured) -> (Value, Value) {
    let documents = Registered::of::<SudoProbe>().collect(host);
    let [facts, names] = documents.as_slice() else {
        panic!("two documents")
    };
    assert_eq!(facts.outcome, Outcome::Observed, "{}", facts.detail);
    let text = String::from_utf8(facts.to_bytes().expect("a document")).unwrap();
    for name in ["alice", "bob", "carol", "toor"] {
        assert!(!text.contains(name), "{name} in {text}");
    }
    (facts.facts.clone().unwrap(), names.facts.clone().unwrap())
}

fn sudo_user(facts: &Value, uid: u32) -> Option<Value> {
    let users = facts["users"].as_array().unwrap();
    users.iter().find(|user| user["uid"] == uid).cloned()
}

#[test]
fn no_digest_of_files_that_hide_something() {
    let documents = Registered::of::<SudoProbe>().collect(&with_sudoers("root ALL=(ALL) ALL\n"));
    for source in &documents[0].sources {
        if let Origin::Path(path) = &source.origin {
            let hides = ["passwd", "group", "sudoers"].iter().any(|name| path.ends_with(name));
            assert!(!hides || source.sha256.is_none(), "{path}");
        }
    }
}

#[test]
fn not_installed_and_nothing_known() {
    let (facts, _) = documents(&host().file("/etc/sudoers", "alice ALL=ALL\n"));
    assert_eq!((&facts["installed"], &facts["grants"]), (&json!(false), &json!([])));
    assert_eq!(facts["doas"]["outcome"], "absent");
    let nothing = Registered::of::<SudoProbe>().collect(&Captured::default());
    assert_eq!(nothing[0].outcome, Outcome::Absent);
    let denied = Registered::of::<SudoProbe>().collect(&host().denied("/etc/group"));
    assert_eq!(denied[0].outcome, Outcome::Denied);
}

#[test]
fn lines_of_accounts_that_are_not_understood_leave_it_open() {
    let (facts, _) = documents(&with_sudoers("ghost ALL=ALL\n%ghosts ALL=ALL\n"));
    assert_eq!(facts["unresolved_subjects"], 0);
    let host = with_sudoers("ghost ALL=ALL\n%ghosts ALL=ALL\n")
        .file("/etc/passwd", "root:x:0:0::/:/bin/sh\nghost\n")
        .file("/etc/group", "ghosts\n");
    assert_eq!(documents(&host).0["unresolved_subjects"], 2);
}

#[test]
fn what_defaults_come_to() {
    let settings = |text: &str| documents(&with_sudoers(text)).0["settings"].clone();
    let empty = json!({"env_keep": [], "env_keep_replaced": false, "exempt_group": false, "scoped": []});
    assert_eq!(settings("root ALL=ALL\n"), empty);
    let set = settings(
        "Defaults env_reset, !use_pty, secure_path=\"/usr/sbin:/usr/bin\", logfile=/var/log/sudo.log\nDefaults use_pty\n\
         Defaults timestamp_timeout=2.5, passwd_tries=2, !syslog, umask=77, !tty_tickets\n\
         Defaults env_keep += \"LANG EDITOR\"\nDefaults env_keep -= LANG\nDefaults:alice !authenticate, timestamp_timeout=-1\n\
         Defaults@web2 requiretty\nDefaults@web1 log_output\nDefaults passwd_tries=many\n",
    );
    let expected = json!({
        "env_reset": true, "use_pty": true, "secure_path": ["/usr/sbin", "/usr/bin"], "logfile": "/var/log/sudo.log",
        "timestamp_timeout_seconds": 150, "passwd_tries": 2, "syslog": "off", "umask": "0077", "timestamp_type": "global",
        "env_keep": ["EDITOR"], "env_keep_replaced": false, "exempt_group": false, "log_output": true,
        "scoped": ["authenticate", "timestamp_timeout"],
    });
    assert_eq!(set, expected);
    let set = settings("Defaults !timestamp_timeout, !secure_path, !logfile, env_keep=A\nDefaults exempt_group=sudo\n");
    assert_eq!(
        (&set["timestamp_timeout_seconds"], &set["secure_path"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(
        (&set["exempt_group"], &set["env_keep_replaced"]),
        (&json!(true), &json!(true))
    );
}

#[test]
fn rules_of_doas() {
    let doas = |host: Captured| documents(&host.file("/usr/bin/doas", "ELF")).0["doas"].clone();
    assert_eq!(doas(host())["value"]["rules"], json!([]));
    let conf = doas(host().file("/etc/doas.conf", "permit nopass :sudo\n"));
    assert_eq!(conf["value"]["users"], json!([{"uid": 1000, "nopass": true}]));
    assert_eq!(doas(host().denied("/etc/doas.conf"))["outcome"], "denied");
    let broken = doas(host().file("/etc/doas.conf", "permit alice\nallow bob\n"));
    assert_eq!(broken["detail"], "/etc/doas.conf:2: neither permit nor deny");
    assert_eq!(doas(host().file("/etc/doas.d/a.conf", ""))["outcome"], "unsupported");
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
    let sudo = &facts;
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
    assert_eq!(facts["defaults"][0]["value"], "");
}

#[test]
fn sudo_is_known_as_a_whole_or_not() {
    let sudo = |host: &Captured| {
        let documents = Registered::of::<SudoProbe>().collect(host);
        for document in &documents {
            assert!((document.outcome == Outcome::Observed) == document.facts.is_some());
        }
        format!("{} {}", documents[0].outcome.as_str(), documents[0].detail)
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
    let unresolved = |host: &Captured| documents(host).0["unresolved_subjects"].clone();
    assert_eq!(unresolved(&host), 1);
    let sssd = "passwd: files sss\ngroup: files sss\nsudoers: files sss\n";
    let host = host.file("/etc/nsswitch.conf", sssd);
    assert_eq!(unresolved(&host), 3);
    let (facts, _) = documents(&host);
    assert_eq!(facts["files_decide"]["value"], false);
}

#[test]
fn the_file_that_counts() {
    let grants = |host: &Captured| documents(host).0["grants"].as_array().unwrap().len();
    let suse = host()
        .file("/usr/bin/sudo", "ELF")
        .file("/usr/etc/sudoers", "ada ALL=(ALL) ALL\n");
    assert_eq!(grants(&suse), 1);
    assert_eq!(documents(&suse).0["files"][0]["path"], "/usr/etc/sudoers");
    let both = with_sudoers("").file("/usr/etc/sudoers", "ada ALL=(ALL) ALL\n");
    assert_eq!(grants(&both), 0);
    let implementations = |host: &Captured| documents(host).0["implementations"].clone();
    assert_eq!(implementations(&both), serde_json::json!(["sudo"]));
    // Beside sudo, with rules of its own.
    let beside = with_sudoers("")
        .file("/usr/bin/sudo-rs", "ELF")
        .file("/etc/sudoers-rs", "ada ALL=(ALL) ALL\n");
    assert_eq!(grants(&beside), 0);
    assert_eq!(documents(&beside).0["files_decide"]["value"], false);
    assert_eq!(implementations(&beside), serde_json::json!(["sudo", "sudo_rs"]));
    // In the place of sudo.
    let instead = host()
        .file("/etc/sudoers", "")
        .link("/usr/bin/sudo", "/etc/alternatives/sudo")
        .link("/etc/alternatives/sudo", "/usr/lib/cargo/bin/sudo")
        .file("/usr/lib/cargo/bin/sudo", "ELF")
        .file("/etc/sudoers-rs", "ada ALL=(ALL) ALL\n");
    assert_eq!(grants(&instead), 1);
    assert_eq!(implementations(&instead), serde_json::json!(["sudo_rs"]));
    assert_eq!(documents(&instead).0["files_decide"]["value"], true);
}

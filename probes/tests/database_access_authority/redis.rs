//! A server of Redis for each generated configuration, which is asked for its users and settings.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::machine::{Machine, authority, facts_of, put, some};

/// The user as whom the test asks.
const PROBE: &str = "user probe on nopass ~* &* +@all\n";
const ASKED: [&str; 6] = [
    "bind",
    "protected-mode",
    "enable-debug-command",
    "acl-pubsub-default",
    "tls-auth-clients",
    "unixsocketperm",
];

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => select(vec![
            "bind 127.0.0.1 -::1", "BIND *", "bind \"127.0.0.1\" '::1' # c", "protected-mode no", "Protected-Mode YES", "protected-mode 'yes'",
            "requirepass secret", "requirepass \"\"", "requirepass \"a b\\x41\"", "enable-debug-command local", "acl-pubsub-default allchannels",
            "tls-auth-clients optional", "unixsocketperm 770", "rename-command FLUSHALL \"\"", "rename-command debug x", "# c", "", "  \t",
            "include @/etc/redis/more/b.conf", "include @/etc/redis/more/*.conf", "include @/etc/redis/no/*.conf", "port 0", "timeout 0",
        ]),
        1 => select(vec![
            "protected-mode maybe", "requirepass", "requirepass a b", "bind \"x", "bind \"x\"y", "include @/etc/redis/none", "bind",
            "rename-command x", "user", "enable-debug-command", "protected-mode yes no",
        ]),
    ]
    .prop_map(|line| format!("{line}\n"))
}

fn user() -> impl Strategy<Value = String> {
    let rule = select(vec![
        "on",
        "on",
        "off",
        "nopass",
        "resetpass",
        ">a",
        ">b",
        "<a",
        "#2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "!2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "reset",
        "+@all",
        "~*",
        "ON",
        ">foo",
        "#abc",
    ]);
    (select(vec!["default", "default", "ada", "bob"]), vec(rule, 0..4))
        .prop_map(|(name, rules)| format!("user {name} {}\n", rules.join(" ")))
}

/// What the server answers, lines by question; `None`: it does not start.
fn ask(at: &Path, config: &Path) -> Option<(Vec<String>, Vec<String>)> {
    let socket = at.join("s");
    // The program is one with two names.
    let mut child = Command::new("/usr/bin/redis-check-rdb")
        .arg0("redis-server")
        .arg(config)
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"])
        .args(["--unixsocket", socket.to_str().unwrap(), "--dir", at.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("install it: apt-get install redis-tools");
    for _ in 0..2_000 {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if socket.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let socket = socket.to_str().unwrap();
    let questions = format!("ACL LIST\nECHO ==\nCONFIG GET {}\n", ASKED.join(" "));
    let args = ["-s", socket, "--user", "probe", "--pass", "x", "--no-auth-warning"];
    let output = authority("redis-tools", "redis-cli", &args, questions.as_bytes());
    let _ = child.kill();
    child.wait().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    if text.is_empty() {
        // It reads users after it has made its socket.
        return None;
    }
    let (users, settings) = text.split_once("==\n").unwrap_or_else(|| panic!("{text}"));
    let lines = |text: &str| {
        text.lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    Some((lines(users), settings.lines().map(str::to_owned).collect()))
}

#[test]
fn configurations_beside_the_server() {
    let temp = tempfile::tempdir().unwrap();
    let users = || prop_oneof![2 => vec(user(), 0..3).prop_map(Some), 1 => Just(None)];
    let cases = some(400, (vec(line(), 0..6), vec(line(), 0..2), vec(user(), 0..3), users()));
    let (mut taken, mut refused, mut open) = (0, 0, 0);
    for (index, (main, more, users, aclfile)) in cases.into_iter().enumerate() {
        let at = temp.path().join(index.to_string());
        let mut text = main.concat();
        match &aclfile {
            Some(_) if index % 20 == 0 => text.push_str("aclfile @/etc/redis/none\n"),
            Some(_) => text.push_str("aclfile @/etc/redis/users.acl\n"),
            None => text.push_str(&format!("{}{PROBE}", users.concat())),
        }
        if index % 15 == 0 {
            text.push_str("user both on\n");
        }
        let more: String = more.into_iter().filter(|line| !line.contains("include")).collect();
        let acl = format!("{}{PROBE}", aclfile.unwrap_or_default().concat());
        let theirs = at.join("theirs");
        for (root, prefix) in [
            (at.join("ours"), String::new()),
            (theirs.clone(), theirs.display().to_string()),
        ] {
            put(
                &root,
                "etc/redis/redis.conf",
                &text.replace('@', &prefix).replace(&format!("+{prefix}all"), "+@all"),
            );
            put(&root, "etc/redis/more/b.conf", &more);
            put(&root, "etc/redis/users.acl", &acl);
        }
        let facts = facts_of("database-access", &Machine::folder(&at.join("ours")));
        let settings = &facts["redis"]["value"][0]["settings"];
        let answer = ask(&at, &theirs.join("etc/redis/redis.conf"));
        let case = format!("{text}\n-- more\n{more}\n-- acl\n{acl}\n{answer:#?}\n{facts:#}");
        let users = &settings["value"]["users"];
        let Some((list, config)) = answer else {
            assert!(
                settings["outcome"] == "malformed" || users["outcome"] == "malformed",
                "{case}"
            );
            refused += 1;
            continue;
        };
        let is_open = |line: &&String| line.contains(" on ") && line.contains(" nopass ");
        let without_password = list.iter().filter(is_open).count();
        let default = list
            .iter()
            .any(|line| line.starts_with("user default ") && is_open(&line));
        assert_eq!(users["value"]["count"], list.len(), "{case}");
        assert_eq!(users["value"]["without_password"], without_password, "{case}");
        assert_eq!(users["value"]["default_without_password"], default, "{case}");
        open += usize::from(default);
        for pair in config.chunks(2) {
            let told = &settings["value"]["settings"][&pair[0]];
            if let Value::String(told) = told {
                assert_eq!(json!(told), json!(pair[1]), "{case}");
            }
        }
        taken += 1;
        let _ = fs::remove_dir_all(&at);
    }
    println!("{taken} configurations, {open} of them open to all; {refused} refused");
    assert!(taken > 100 && refused > 50 && open > 20);
}

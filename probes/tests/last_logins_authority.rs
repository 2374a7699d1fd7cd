//! `last-logins` beside lastlog(8), on a file made for it.

#![cfg(test)]

mod machine;

use std::fmt::Write as _;
use std::os::unix::fs::FileExt as _;

use machine::{Machine, authority};
use probes::registry;

/// A root with accounts and a lastlog, which lastlog(8) reads by chroot(2): so it needs its own files there, and is given
/// the folder by `--root`.
#[test]
fn days_as_lastlog_tells_them() {
    let temp = tempfile::tempdir().unwrap();
    for folder in ["etc", "var/log"] {
        std::fs::create_dir_all(temp.path().join(folder)).unwrap();
    }
    let mut passwd = String::new();
    let lastlog = std::fs::File::create(temp.path().join("var/log/lastlog")).unwrap();
    let mut expected = vec![];
    for number in 0..300_u32 {
        let uid = [
            number,
            1_000 + number * 7,
            65_000 + number,
            1_000_000_000 + number * 1_000,
        ][number as usize % 4];
        writeln!(passwd, "user{number}:x:{uid}:100::/:/bin/sh").unwrap();
        // Every third has never logged in; the rest on days from 1970 to 2037.
        if number % 3 != 0 {
            let time = 100_000 + number * 7_000_000;
            let mut record = vec![0; 292];
            record[..4].copy_from_slice(&time.to_ne_bytes());
            record[4..9].copy_from_slice(b"pts/0");
            lastlog.write_all_at(&record, u64::from(uid) * 292).unwrap();
            expected.push(uid);
        }
    }
    std::fs::write(temp.path().join("etc/passwd"), &passwd).unwrap();

    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "last-logins")
        .unwrap();
    let documents = probe.collect(&Machine::folder(temp.path()));
    let facts = documents[0].facts.clone().expect("observed");
    let mut compared = 0;
    for account in facts["accounts"]["value"].as_array().unwrap() {
        let uid = account["uid"].as_u64().unwrap();
        let root = temp.path().to_str().unwrap();
        let output = authority("login", "lastlog", &["--root", root, "-u", &uid.to_string()], b"");
        let printed = String::from_utf8(output.stdout).unwrap();
        let line = printed.lines().nth(1).unwrap_or_default();
        let told = account["last_day"].as_str().map(|day| day[..10].to_owned());
        if line.contains("**Never logged in**") {
            assert_eq!(told, None, "{uid}: {line}");
        } else {
            // `Wed Nov 15 00:13:20 +0200 2023`
            let words: Vec<_> = line.split_whitespace().collect();
            let latest = words[words.len() - 6..].join(" ");
            let date = authority("coreutils", "date", &["-u", "-d", &latest, "+%F"], b"");
            let date = String::from_utf8(date.stdout).unwrap();
            assert_eq!(told.as_deref(), Some(date.trim()), "{uid}: {line}");
            compared += 1;
        }
    }
    assert_eq!(compared, expected.len());
}

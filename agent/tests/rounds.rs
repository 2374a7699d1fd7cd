//! Probes in a process of their own: the real one, and ones that end, hang or talk nonsense. Those are shell scripts: the
//! agent has no probe that does this.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use affiant_agent::collection::{Collection, Daily, Document, Patience, Prober, Rounds, Runner};
use affiant_agent::folder::Folder;
use affiant_agent::machine::Machine;
use evidence::facts::Outcome;
use evidence::{Digest, Timestamp};
use probes::registry::{self, Registered};

const AGENT: &str = env!("CARGO_BIN_EXE_affiant-agent");

fn probes(ids: &[&str]) -> Vec<Registered> {
    let all = registry::all().into_iter();
    all.filter(|probe| ids.contains(&probe.spec.id)).collect()
}

/// A program that the shell runs; `$AGENT` is the real one.
fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("agent");
    fs::write(&path, format!("#!/bin/sh\nAGENT={AGENT}\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What a prober says: each document's id, outcome and detail.
fn said(prober: &Prober, ids: &[&str]) -> Vec<(String, Outcome, String)> {
    let mut said = vec![];
    prober.run(&probes(ids), |ran| {
        let of = |d: &Document| (d.id().to_string(), d.outcome(), d.detail().to_owned());
        said.extend(ran.documents.iter().map(of));
    });
    said
}

#[test]
fn says_what_the_same_probes_say_in_this_process() {
    let ids = ["host", "login-policy", "sudo"];
    let here = Runner::new(Machine::own(), probes(&ids)).collect();
    let mut there = vec![];
    Prober::new(AGENT.into()).run(&probes(&ids), |ran| there.extend(ran.documents));
    let digests = |documents: &mut dyn Iterator<Item = Document>| -> Vec<_> {
        documents
            .map(|document| (document.id().clone(), document.digest()))
            .collect()
    };
    assert_eq!(digests(&mut there.into_iter()), digests(&mut here.documents().cloned()));
}

#[test]
fn what_ends_the_process_is_the_outcome_of_one_probe() {
    let temp = tempfile::tempdir().unwrap();
    for (end, how) in [
        ("kill -SEGV $$", "was ended by signal 11"),
        ("kill -KILL $$", "was ended by signal 9"),
        ("exit 3", "exited with status 3"),
        ("echo ends sudo; exit 0", "exited with status 0"),
        ("echo document {}; exit 0", "exited with status 0"),
    ] {
        let crash = format!("case $2 in login-policy) echo begins login-policy; {end};; esac");
        let prober = Prober::new(script(temp.path(), &format!("{crash}\nexec $AGENT \"$@\"")));
        let said = said(&prober, &["login-policy", "sudo"]);
        assert_eq!(said[0].1, Outcome::Failed, "{end}");
        let expected = format!("the process that ran the probe {how} before the probe ended");
        assert_eq!(said[0].2, expected, "{end}");
        let sudo: Vec<_> = said.iter().filter(|(id, ..)| id.starts_with("sudo")).collect();
        assert!(
            !sudo.is_empty() && sudo.iter().all(|(_, outcome, _)| *outcome != Outcome::Failed),
            "{sudo:?}"
        );
    }
}

#[test]
fn memory_is_limited_and_running_out_of_it_is_the_outcome_of_a_probe() {
    let temp = tempfile::tempdir().unwrap();
    // KiB: enough to start a probe, and not enough to read the package database.
    let prober = Prober::new(script(temp.path(), "ulimit -d 3700; exec $AGENT \"$@\""));
    let said = said(&prober, &["packages", "sudo"]);
    let of = |id: &str| said.iter().find(|(said, ..)| said == id).unwrap();
    assert_eq!(of("packages").1, Outcome::Failed, "{said:?}");
    assert!(of("packages").2.contains("was ended by signal 6"), "{said:?}");
    assert_ne!(of("sudo").1, Outcome::Failed, "{said:?}");
}

#[test]
fn a_process_that_hangs_is_given_up_and_the_others_go_on() {
    let temp = tempfile::tempdir().unwrap();
    let hang = "case $2 in host) echo begins host; exec sleep 1000;; esac\nexec $AGENT \"$@\"";
    let said = said(&Prober::new(script(temp.path(), hang)), &["host", "login-policy"]);
    assert_eq!((said[0].0.as_str(), said[0].1), ("host", Outcome::Timeout));
    assert!(
        said[1..].iter().all(|(_, outcome, _)| *outcome == Outcome::Observed),
        "{said:?}"
    );
}

#[test]
fn without_a_process_every_document_says_so() {
    let temp = tempfile::tempdir().unwrap();
    for (prober, detail) in [
        (Prober::new("/nonexistent".into()), "no process for the probe"),
        (Prober::new("/bin/true".into()), "ended before it began"),
        (
            Prober::new(script(temp.path(), "yes | tr -d '\\n'")),
            "ended before it began",
        ),
    ] {
        let said = said(&prober, &["host", "accounts"]);
        let ids: Vec<_> = said.iter().map(|(id, ..)| id.as_str()).collect();
        assert_eq!(ids, ["accounts", "accounts.names", "host"]);
        for (_, outcome, said) in said {
            assert_eq!(outcome, Outcome::Failed);
            assert!(said.contains(detail), "{said}");
        }
    }
}

#[test]
fn a_daily_probe_runs_once_a_day_and_beside_the_rounds() {
    let temp = tempfile::tempdir().unwrap();
    let counts = r#"
        echo begins "$2"
        sleep 0.2
        echo x >> "${0%/*}/runs"
        count=$(wc -l < "${0%/*}/runs")
        for id in setuid-files setuid-files.names; do
            echo 'document {"detail":"'$count'","outcome":"skipped","probe":"'$id'","sources":[],"version":1}'
        done
        echo ends "$2""#;
    let program = script(temp.path(), counts);
    let (sender, told) = channel();
    let rounds = || {
        let folder = Folder::create(&temp.path().join("daily")).unwrap();
        let daily = Daily::open(Some(folder), Digest::of(b"agent"));
        let sender = sender.clone();
        Rounds::new(
            Prober::new(program.clone()),
            probes(&["setuid-files"]),
            daily,
            move || {
                sender.send(()).unwrap();
            },
        )
    };
    let detail = |collection: Collection| collection.documents().next().unwrap().detail().to_owned();
    let at = |hours: i64| Timestamp::EPOCH.plus(1_000_000_000 + hours * 3600);
    let wait = || told.recv_timeout(Duration::from_secs(10)).unwrap();
    let first_run = "runs once a day, and its first run is not over yet";

    let mut first = rounds();
    assert_eq!(detail(first.round(Patience::GoOn, at(0))), first_run);
    assert_eq!(
        detail(first.round(Patience::GoOn, at(0))),
        first_run,
        "it is not started twice"
    );
    wait();
    assert_eq!(detail(first.round(Patience::GoOn, at(1))), "1");
    assert_eq!(detail(first.round(Patience::GoOn, at(23))), "1");

    let mut restarted = rounds();
    assert_eq!(detail(restarted.round(Patience::GoOn, at(23))), "1");
    assert_eq!(
        detail(restarted.round(Patience::GoOn, at(24))),
        "1",
        "until the next run is over"
    );
    wait();
    assert_eq!(detail(restarted.round(Patience::GoOn, at(24))), "2");
    assert_eq!(detail(restarted.round(Patience::Wait, at(47))), "2");
    // The thread that waited for the last run may be about to end; a round asks no earlier than that.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(detail(restarted.round(Patience::Wait, at(48))), "3");
}

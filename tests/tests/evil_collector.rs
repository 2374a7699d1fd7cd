//! A collector that rewrites history, with the real collector's own keys, and the agent that notices.

use std::path::Path;
use std::sync::Arc;

use affiant_collector::app::App;
use affiant_collector::clock::SystemClock;
use affiant_collector::config::Config;
use affiant_collector::data_dir::DataDir;
use affiant_tests::programs::run;
use affiant_tests::rig::{Agent, Collector, Running, copy};
use evidence::Digest;
use evidence::aws_lc::AwsLc;
use evidence::envelope::{Unverified, Verified};
use serde_json::Value;

fn expect_alarm(agent: &Agent, kinds: &[&str]) -> Value {
    let output = run(&mut agent.command(&["run", "--once"]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "the agent took it: {said}");
    let alarm = agent.status()["alarm"]["alarm"].clone();
    let kind = alarm["kind"].as_str().unwrap_or_else(|| panic!("no alarm: {said}"));
    assert!(kinds.contains(&kind), "{alarm:#}");
    alarm
}

/// The collector goes back to a copy of its data: what it acknowledged since is gone.
#[test]
fn a_rolled_back_log_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::new(folder.path());
    let serving = collector.serve();
    let agent = collector.enrolled_agent("host");
    agent.run_once();
    Running::stop(serving);
    copy(&collector.data(), &folder.path().join("copy"));

    let serving = collector.serve();
    agent.run_once();
    agent.run_once();
    let known = agent.status()["receipt"]["size"].as_u64().unwrap();
    Running::stop(serving);

    std::fs::remove_dir_all(collector.data()).unwrap();
    copy(&folder.path().join("copy"), &collector.data());
    let _serving = collector.serve();
    let alarm = expect_alarm(&agent, &["rollback", "missing_entry"]);
    assert!(
        alarm["known"].as_str().unwrap().contains(&format!("\n{known}\n")),
        "{alarm:#}"
    );
    // It stays alarmed, and keeps what it could not deliver.
    expect_alarm(&agent, &["rollback", "missing_entry"]);
    assert!(agent.status()["waiting"]["count"].as_u64().unwrap() > 0);
}

/// The collector keeps two histories that both have every statement of the victim, in its sequence: only the tree shows it.
#[test]
fn a_forked_log_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::new(folder.path());
    let serving = collector.serve();
    let victim = collector.enrolled_agent("victim");
    victim.run_once();
    Running::stop(serving);
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    copy(&collector.data(), &second);

    // In the first history another host joins, then the victim states something.
    let serving = collector.serve();
    collector.enrolled_agent("bystander");
    victim.run_once();
    let place = victim.status()["receipt"]["index"].as_u64().unwrap();
    Running::stop(serving);
    std::fs::rename(collector.data(), &first).unwrap();

    // In the second that host never was, and the same statement stands elsewhere.
    let evil = open(&second);
    let entry = open(&first).store.entry(place).unwrap().unwrap();
    let entry = Unverified::from_bytes(&entry).unwrap();
    let key = evil.store.member(&entry.keyid()).unwrap().unwrap().key;
    let entry = entry.verify(&key, &AwsLc).unwrap();
    let manifest = open_manifest(&first, &entry);
    let moved = evil.log.write_blocking(move |batch| {
        batch.store().put_manifest(&manifest.0, &manifest.1)?;
        batch.append(&entry)
    });
    assert_ne!(moved.unwrap().value, place);
    drop(evil);
    std::fs::rename(&second, collector.data()).unwrap();
    let _serving = collector.serve();
    for name in ["third", "fourth", "fifth"] {
        collector.enrolled_agent(name);
    }
    let alarm = expect_alarm(&victim, &["fork"]);
    // The two checkpoints, both signed by the log's key, are the proof.
    for note in ["known", "shown"] {
        assert!(alarm[note].as_str().unwrap().contains("\n\u{2014} "), "{alarm:#}");
    }
}

fn open(data: &Path) -> Arc<App> {
    App::build(Config::default(), DataDir::new(data.to_owned()), Arc::new(SystemClock)).unwrap()
}

fn open_manifest(data: &Path, entry: &Verified) -> (Digest, Vec<u8>) {
    let digest = entry.statement().manifest().unwrap();
    (digest, open(data).store.manifest(&digest).unwrap().unwrap())
}

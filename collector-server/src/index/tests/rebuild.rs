//! Deleted, killed, replaced.

use std::sync::Arc;

use super::ground::{Ground, RULES, at, kernel_and_release, packages, stated};
use crate::index::Writer;

fn ground(hosts: usize, rounds: i64) -> Ground {
    let mut ground = Ground::new();
    ground.rules(RULES, 100, None, 0);
    let manifests = [
        ground.keep(&[kernel_and_release(300, false), packages(1, true)]),
        ground.keep(&[kernel_and_release(300, true), packages(1, true)]),
    ];
    for host in 0..hosts {
        ground.enrol(&format!("host-{host}"), 0);
    }
    let mut entries = Vec::new();
    for round in 0..rounds {
        for host in 0..hosts {
            let manifest = manifests[usize::try_from(round).unwrap() / 7 % 2];
            entries.push(ground.make(host, manifest, stated(round * 30)));
        }
    }
    ground.append(entries);
    ground
}

#[test]
fn an_index_that_was_deleted_comes_back_the_same() {
    let ground = ground(7, 40);
    let mut writer = ground.writer();
    // As it would have been made while the log grew.
    for seconds in (0..1300).step_by(13) {
        writer.step(at(seconds)).unwrap();
    }
    writer.catch_up(at(1300)).unwrap();
    let dump = ground.dump();
    assert!(dump["stretch"].len() > 7);
    drop(writer);
    Writer::remove(&ground.path()).unwrap();
    ground.writer().catch_up(at(1300)).unwrap();
    assert_eq!(dump, ground.dump());
}

#[test]
fn a_copy_taken_in_the_middle_goes_on() {
    // More entries than one transaction takes, and a copy of the file after each, as a kill would leave it.
    let ground = ground(60, 100);
    let mut copies = Vec::new();
    {
        let mut writer = ground.writer();
        loop {
            let step = writer.step(at(3000)).unwrap();
            // With the file's log, which is not merged yet.
            let copy = tempfile::tempdir().unwrap();
            for suffix in ["", "-wal"] {
                let name = format!("index.sqlite{suffix}");
                std::fs::copy(ground.path().with_file_name(&name), copy.path().join(&name)).unwrap();
            }
            copies.push((step, copy));
            if step.taken == 0 {
                break;
            }
        }
    }
    assert!(copies.len() > 3);
    let dump = ground.dump();
    for (step, copy) in copies {
        Writer::remove(&ground.path()).unwrap();
        for suffix in ["", "-wal"] {
            let name = format!("index.sqlite{suffix}");
            std::fs::copy(copy.path().join(&name), ground.path().with_file_name(&name)).unwrap();
        }
        let mut writer = ground.writer();
        assert_eq!(writer.position(), step.position);
        writer.catch_up(at(3000)).unwrap();
        drop(writer);
        assert_eq!(dump, ground.dump());
    }
}

#[test]
fn a_step_that_fails_happens_not_at_all() {
    let ground = ground(3, 20);
    let mut writer = ground.writer();
    writer.catch_up(at(600)).unwrap();
    let dump = ground.dump();
    // A statement whose manifest is not stored: as a damaged store would have it.
    let mut broken = ground;
    let entry = broken.make(0, evidence::Digest::of(b"nowhere"), stated(630));
    let good = broken.make(1, broken.keep(&[packages(3, true)]), stated(630));
    broken.append(vec![entry, good]);
    let error = writer.step(at(640)).unwrap_err();
    assert!(error.to_string().contains("is not stored"), "{error}");
    assert_eq!(dump, broken.dump());
    assert_eq!(writer.position(), broken.store.size().unwrap() - 2);
}

#[test]
fn the_index_of_another_log_is_not_believed() {
    let first = ground(3, 5);
    let second = ground(4, 5);
    first.writer().catch_up(at(200)).unwrap();
    std::fs::copy(first.path(), second.path()).unwrap();
    second.writer().catch_up(at(200)).unwrap();
    let dump = second.dump();
    Writer::remove(&second.path()).unwrap();
    second.writer().catch_up(at(200)).unwrap();
    assert_eq!(dump, second.dump());
    assert_eq!(dump["host"].len(), 4);
}

#[test]
fn a_file_that_is_no_index_is_made_again() {
    let ground = ground(2, 3);
    std::fs::write(ground.path(), vec![7; 100_000]).unwrap();
    ground.writer().catch_up(at(100)).unwrap();
    assert_eq!(ground.dump()["host"].len(), 2);
}

#[test]
fn a_follower_keeps_up_and_stops() {
    let ground = ground(2, 3);
    let (grown, watch) = tokio::sync::watch::channel(ground.store.size().unwrap());
    ground.clock.set(100);
    let follower = crate::index::Follower::start(
        ground.path(),
        Arc::clone(&ground.store),
        Arc::clone(&ground.clock) as Arc<dyn crate::clock::Clock>,
        watch,
    )
    .unwrap();
    let reached = |position: u64| {
        for _ in 0..1000 {
            if follower.status().position >= position {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        false
    };
    assert!(reached(ground.store.size().unwrap()));
    let mut ground = ground;
    ground.enrol("late", 100);
    grown.send_replace(ground.store.size().unwrap());
    assert!(reached(ground.store.size().unwrap()));
    drop(follower);
}

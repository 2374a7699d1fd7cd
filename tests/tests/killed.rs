//! Agent and collector, killed at any moment, many times: nothing acknowledged is lost, nothing is doubled in the log, and
//! both come back by themselves.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use affiant_tests::programs::succeed;
use affiant_tests::rig::{Collector, Running, verify, wait_for};

const KILLS: u32 = 30;

/// Moments to kill at: irregular, and the same parts of `longest` in every run.
fn moments(longest: Duration) -> impl Iterator<Item = (Duration, u32)> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (
            longest * u32::try_from(state % 1000).unwrap_or(0) / 1000,
            u32::try_from(state >> 40).unwrap_or(0) % 3,
        )
    })
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::new(folder.path());
    let mut serving = Some(collector.serve());
    let agent = collector.enrolled_agent("host");
    let begin = Instant::now();
    let mut running = Some(agent.run());
    wait_for("a receipt before the first kill", || {
        agent.status()["receipt"]["sequence"].as_u64()
    });
    // From before anything is collected to after all is delivered, on a machine of any speed.
    let longest = begin.elapsed().mul_f64(1.5);
    let mut acknowledged: BTreeMap<u64, u64> = BTreeMap::new();
    for (pause, victim) in moments(longest).take(KILLS as usize) {
        std::thread::sleep(pause);
        if victim != 0 {
            serving.take().map(Running::kill);
            serving = Some(collector.serve());
        }
        if victim != 1 {
            running.take().map(Running::kill);
            running = Some(agent.run());
        }
        let receipt = &agent.status()["receipt"];
        if let (Some(sequence), Some(index)) = (receipt["sequence"].as_u64(), receipt["index"].as_u64()) {
            let before = acknowledged.insert(sequence, index);
            assert!(
                before.is_none_or(|before| before == index),
                "statement {sequence} is entry {before:?} and {index}"
            );
        }
    }
    // They come back by themselves: a receipt newer than any before.
    let newest = acknowledged.keys().last().copied();
    wait_for("a receipt after the last kill", || {
        agent.status()["receipt"]["sequence"]
            .as_u64()
            .filter(|sequence| newest.is_none_or(|newest| *sequence > newest))
    });
    running.take().map(Running::stop);
    agent.run_once();
    assert_eq!(agent.status()["waiting"]["count"], 0, "everything is delivered");
    serving.take().map(Running::stop);

    succeed(&mut collector.command(&["fsck"]));
    let pack = collector.pack("pack.zip");
    let (status, report) = verify(&pack, &[]);
    assert_eq!(status, Some(0), "{report:#}");

    // The verifier has seen that sequence numbers grow by one; what is left is that every receipt kept its promise.
    let entries = affiant_tests::rig::host_entries(&pack, agent.status()["host"].as_str().unwrap());
    let placed: BTreeMap<u64, u64> = entries.iter().map(|entry| (entry.sequence, entry.index)).collect();
    assert_eq!(placed.len(), entries.len(), "a sequence number is in the log twice");
    let lost: Vec<&String> = entries.iter().filter_map(|entry| entry.lost.as_ref()).collect();
    assert!(lost.is_empty(), "dropped: {lost:?}");
    assert!(
        acknowledged.len() > 3,
        "too few receipts to show anything: {acknowledged:?}"
    );
    for (sequence, index) in &acknowledged {
        assert_eq!(placed.get(sequence), Some(index), "the receipt of statement {sequence}");
    }
}

//! Disasters: what is on the disk after them, against a model of what should be.

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use evidence::{Digest, Timestamp};
use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1 << 30;

fn record(sequence: u64, length: usize) -> Record {
    Record {
        sequence,
        observed_at: Timestamp::EPOCH.plus(i64::try_from(sequence).unwrap()),
        manifest: Digest::of(&sequence.to_le_bytes()),
        envelope: sequence.to_le_bytes().into_iter().cycle().take(length).collect(),
    }
}

fn open(path: &Path) -> Spool {
    Spool::open(Folder::create(path).unwrap()).unwrap()
}

fn append(spool: &mut Spool, length: usize) -> Record {
    let record = record(spool.next_sequence(), length);
    spool.append(&record, 0, LIMIT).unwrap();
    record
}

fn acknowledge(spool: &mut Spool, record: &Record) {
    let mark = Acknowledged::new(record, record.sequence + 10, 100, Timestamp::EPOCH);
    spool.acknowledge(mark).unwrap();
}

fn all(spool: &Spool) -> Vec<Record> {
    spool.batch(usize::MAX, usize::MAX).unwrap()
}

fn segments(path: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .collect();
    files.sort();
    files
}

fn flip(path: &Path, offset: u64) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 0x40], offset).unwrap();
}

#[test]
fn what_was_taken_is_there_after_a_restart_until_it_has_its_receipt() {
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    assert_eq!((spool.next_sequence(), spool.head()), (0, None));
    let records: Vec<_> = (0..10).map(|_| append(&mut spool, 1000)).collect();
    assert_eq!(all(&spool), records);
    let mut spool = open(temp.path());
    assert_eq!(all(&spool), records);
    assert_eq!((spool.waiting(), spool.next_sequence()), (10, 10));
    assert_eq!(spool.batch(3, usize::MAX).unwrap(), records[..3]);
    assert_eq!(spool.batch(100, 1500).unwrap(), records[..2]);

    acknowledge(&mut spool, &records[3]);
    assert_eq!(all(&spool), records[4..]);
    let mut spool = open(temp.path());
    assert_eq!(all(&spool), records[4..]);
    acknowledge(&mut spool, &records[9]);
    assert_eq!((all(&spool), spool.waiting()), (vec![], 0));
    let mut spool = open(temp.path());
    assert_eq!((all(&spool), spool.waiting()), (vec![], 0));
    assert_eq!(spool.head(), Some(&records[9].head()));
    let next = append(&mut spool, 10);
    assert_eq!((next.sequence, all(&spool)), (10, vec![next]));
}

#[test]
fn segments_go_when_all_of_them_has_receipts() {
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    let records: Vec<_> = (0..40).map(|_| append(&mut spool, 60_000)).collect();
    assert!(segments(temp.path()).len() > 5);
    for record in &records {
        assert_eq!(spool.batch(1, 0).unwrap()[0], *record);
        acknowledge(&mut spool, record);
    }
    assert_eq!(segments(temp.path()).len(), 1);
    assert_eq!(open(temp.path()).next_sequence(), 40);
}

#[test]
fn a_crash_at_every_byte_of_a_write_leaves_what_was_there_before() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("spool");
    let mut spool = open(&path);
    let first = [append(&mut spool, 100), append(&mut spool, 100)];
    let before = std::fs::read(&segments(&path)[0]).unwrap();
    let third = append(&mut spool, 100);
    let after = std::fs::read(&segments(&path)[0]).unwrap();
    for length in before.len()..=after.len() {
        // Cut there; and, as some filesystems leave it, with the rest as zeros.
        for zeros in [false, true] {
            let mut bytes = after[..length].to_vec();
            if zeros {
                bytes.resize(after.len(), 0);
            }
            let whole = bytes == after;
            let file = segments(&path)[0].clone();
            std::fs::write(&file, &bytes).unwrap();
            let mut spool = open(&path);
            let mut expected = first.to_vec();
            expected.extend(whole.then(|| third.clone()));
            assert_eq!(all(&spool), expected, "{length} bytes, zeros: {zeros}");
            assert_eq!(spool.lost(), None);
            assert_eq!(spool.repairs().torn, !whole && bytes.len() > before.len());
            // And it goes on from there.
            let next = append(&mut spool, 50);
            assert_eq!(next.sequence, expected.len() as u64);
            drop(spool);
            assert_eq!(all(&open(&path)).last(), Some(&next));
        }
    }
}

#[test]
fn a_new_segment_that_a_crash_left_empty_is_used() {
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    let record = append(&mut spool, 10);
    std::fs::write(temp.path().join(segment::name(1)), segment::MAGIC).unwrap();
    let mut spool = open(temp.path());
    assert_eq!(all(&spool), std::slice::from_ref(&record));
    let next = append(&mut spool, 10);
    assert_eq!(all(&open(temp.path())), [record, next]);
}

#[test]
fn damage_in_the_middle_is_declared_and_the_chain_goes_on_behind_it() {
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    let records: Vec<_> = (0..20).map(|_| append(&mut spool, 60_000)).collect();
    let second = segments(temp.path())[1].clone();
    flip(&second, 70_000);
    let mut spool = open(temp.path());
    assert!(spool.repairs().damaged);
    let left = all(&spool);
    assert_eq!(left, records[..left.len()]);
    let lost = spool.lost().unwrap();
    assert_eq!(
        (lost.from, lost.to, lost.reason.as_str()),
        (left.len() as u64, 19, "spool_damaged")
    );
    // The declaration survives another restart, and ends with the statement that makes it.
    assert_eq!(open(temp.path()).lost(), Some(lost));
    assert_eq!(append(&mut spool, 10).sequence, 20);
    assert_eq!(spool.lost(), None);
    let spool = open(temp.path());
    assert_eq!((spool.lost(), spool.repairs()), (None, Repairs::default()));
    assert_eq!(all(&spool).last().unwrap().sequence, 20);
}

#[test]
fn a_full_spool_takes_nothing_and_counts_what_it_did_not_take() {
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    let first = record(0, 1000);
    spool.append(&first, 0, 2000).unwrap();
    for count in 1..=3 {
        let full = spool.append(&record(spool.next_sequence(), 1000), 0, 2000);
        assert!(matches!(full, Err(SpoolError::Full { limit: 2000, .. })));
        spool.lose(LossReason::SpoolFull).unwrap();
        assert_eq!(spool.next_sequence(), 1 + count);
    }
    let mut spool = open(temp.path());
    let lost = spool.lost().unwrap();
    assert_eq!((lost.from, lost.to, lost.reason.as_str()), (1, 3, "spool_full"));
    assert_eq!(all(&spool), std::slice::from_ref(&first));
    acknowledge(&mut spool, &first);
    assert_eq!(append(&mut spool, 10).sequence, 4);
    assert_eq!(spool.lost(), None);
    // Loss before the very first statement.
    let other = tempfile::tempdir().unwrap();
    let mut spool = open(other.path());
    spool.lose(LossReason::SpoolFull).unwrap();
    let lost = open(other.path()).lost().unwrap();
    assert_eq!((lost.from, lost.to), (0, 0));
}

#[test]
fn statements_that_can_never_be_delivered_are_given_up_and_declared() {
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    let records: Vec<_> = (0..5).map(|_| append(&mut spool, 100)).collect();
    acknowledge(&mut spool, &records[1]);
    spool.forfeit(LossReason::SpoolDamaged).unwrap();
    for spool in [spool, open(temp.path())] {
        let lost = spool.lost().unwrap();
        assert_eq!((lost.from, lost.to), (2, 4));
        assert_eq!((spool.waiting(), spool.next_sequence()), (0, 5));
        assert_eq!(spool.head(), Some(&records[1].head()));
    }
}

#[test]
fn the_mark_counts_where_the_records_behind_it_are_gone() {
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    let records: Vec<_> = (0..3).map(|_| append(&mut spool, 100)).collect();
    acknowledge(&mut spool, &records[2]);
    std::fs::remove_file(&segments(temp.path())[0]).unwrap();
    let spool = open(temp.path());
    assert_eq!((spool.next_sequence(), spool.head()), (3, Some(&records[2].head())));
    // And the other way round.
    let temp = tempfile::tempdir().unwrap();
    let mut spool = open(temp.path());
    let record = append(&mut spool, 100);
    acknowledge(&mut spool, &record);
    std::fs::write(temp.path().join("acknowledged"), "{").unwrap();
    assert_eq!(all(&open(temp.path())), [record]);
}

#[test]
fn a_full_disk_is_survived() {
    let temp = tempfile::tempdir().unwrap();
    let mount = temp.path().join("small");
    std::fs::create_dir(&mount).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "small"])
        .arg(&mount)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("needs root and mount(8): not tried");
        return;
    }
    let survived = std::panic::catch_unwind(|| {
        let path = mount.join("spool");
        let mut spool = open(&path);
        let mut taken = Vec::new();
        let full = loop {
            let record = record(spool.next_sequence(), 20_000);
            match spool.append(&record, 0, LIMIT) {
                Ok(()) => taken.push(record),
                Err(error) => break error,
            }
        };
        assert!(matches!(&full, SpoolError::Folder(error) if error.is_full()), "{full}");
        std::fs::write(mount.join("filler"), vec![0; 1 << 20]).unwrap_err();
        spool.lose(LossReason::SpoolFull).unwrap();
        assert_eq!(all(&spool), taken);
        drop(spool);
        let spool = open(&path);
        assert_eq!((all(&spool), spool.repairs()), (taken.clone(), Repairs::default()));
        assert_eq!(spool.lost().unwrap().to, taken.len() as u64);
        std::fs::remove_file(mount.join("filler")).unwrap();
        let mut spool = open(&path);
        let next = append(&mut spool, 100);
        assert_eq!(next.sequence, taken.len() as u64 + 1);
    });
    std::process::Command::new("umount").arg(&mount).status().unwrap();
    survived.unwrap();
}

#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    Acknowledge(usize),
    Lose,
    Restart,
    /// `kill -9` in the middle of an append: some bytes of the record are behind the good ones.
    Crash(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_usize..60_000).prop_map(Step::Append),
        2 => (0_usize..8).prop_map(Step::Acknowledge),
        1 => Just(Step::Lose),
        1 => Just(Step::Restart),
        1 => any::<usize>().prop_map(Step::Crash),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_spool_is_a_queue_whatever_happens(steps in steps()) {
        let temp = tempfile::tempdir().unwrap();
        let mut spool = open(temp.path());
        let mut waiting: std::collections::VecDeque<Record> = std::collections::VecDeque::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Append(length) => {
                    let taken = append(&mut spool, length);
                    prop_assert_eq!(taken.sequence, next);
                    next += 1;
                    waiting.push_back(taken);
                }
                Step::Acknowledge(count) => {
                    let done = waiting.drain(..count.min(waiting.len())).next_back();
                    if let Some(last) = done {
                        acknowledge(&mut spool, &last);
                    }
                }
                Step::Lose => {
                    spool.lose(LossReason::SpoolFull).unwrap();
                    next += 1;
                }
                Step::Restart => spool = open(temp.path()),
                Step::Crash(cut) => {
                    let bytes = record(next, 500).to_bytes().unwrap();
                    if let Some(last) = segments(temp.path()).last() {
                        use std::io::Write as _;
                        let mut file = std::fs::OpenOptions::new().append(true).open(last).unwrap();
                        file.write_all(&bytes[..cut % bytes.len()]).unwrap();
                    }
                    spool = open(temp.path());
                }
            }
            prop_assert_eq!(spool.next_sequence(), next);
            prop_assert_eq!(spool.waiting(), waiting.len() as u64);
            prop_assert_eq!(all(&spool), waiting.iter().cloned().collect::<Vec<_>>());
        }
    }

    /// Whatever is damaged: what is delivered is what was taken, in order from the first; no number is used again for
    /// something else while a record with a higher one is left; and the next number is declared or follows directly.
    #[test]
    fn damage_never_invents_or_reorders(
        lengths in prop::collection::vec(1_usize..60_000, 1..14),
        receipts in 0_usize..14,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let temp = tempfile::tempdir().unwrap();
        let mut spool = open(temp.path());
        let records: Vec<_> = lengths.into_iter().map(|length| append(&mut spool, length)).collect();
        let receipts = receipts.min(records.len());
        if let Some(last) = receipts.checked_sub(1) {
            acknowledge(&mut spool, &records[last]);
        }
        drop(spool);
        for (segment, offset) in damage {
            let files = segments(temp.path());
            let file = &files[segment.index(files.len())];
            let length = std::fs::metadata(file).unwrap().len();
            flip(file, offset.index(usize::try_from(length).unwrap()) as u64);
        }
        let spool = open(temp.path());
        let left = all(&spool);
        prop_assert_eq!(&left[..], &records[receipts..receipts + left.len()]);
        let kept = (receipts + left.len()) as u64;
        let expected = spool.lost().map_or(kept, |lost| lost.to + 1);
        prop_assert_eq!(spool.next_sequence(), expected);
        prop_assert!(spool.lost().is_none_or(|lost| lost.from == kept && lost.to >= lost.from));
        // Opening again finds nothing more to repair.
        let again = open(temp.path());
        prop_assert_eq!(again.repairs(), Repairs::default());
        prop_assert_eq!(all(&again), left);
        prop_assert_eq!(again.next_sequence(), spool.next_sequence());
    }
}

/// `affiant-agent status` looks while the service writes.
#[test]
fn a_look_from_outside_disturbs_no_write() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("spool");
    let mut spool = open(&path);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let folder = Folder::open(&path).unwrap();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                Waiting::of(&folder, None).unwrap();
            }
        });
        // Segments are begun, each receipt replaces the mark, and segments with all their receipts are removed.
        let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..200 {
                let record = append(&mut spool, evidence::envelope::MAX_BYTES);
                acknowledge(&mut spool, &record);
            }
        }));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        written.unwrap();
    });
    assert_eq!((spool.lost(), spool.waiting()), (None, 0));
}

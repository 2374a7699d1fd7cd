//! The keeper against a log that is honest, forgetful or two-faced.

use std::path::Path;

use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::checkpoint::SignedCheckpoint;
use evidence::envelope::Unverified;
use evidence::key::Signer as _;
use evidence::statement::{AgentBuild, HostId, Observation, Predicate};
use evidence::wire::{Delivered, Pace, Refusal, RefusalCode};
use evidence::{Digest, Timestamp};

use super::{Keeper, Settled, Stated};
use crate::collection::Collection;
use crate::delivery::Disbelief;
use crate::spool::{DEFAULT_LIMIT, Record, SpoolError};
use crate::state::{Draft, Identity, State};
use crate::testing::Log;

const SEED: [u8; 32] = [9; 32];

fn enrol(path: &Path, checkpoint: &SignedCheckpoint, log: &Log) {
    let identity = Identity {
        collector: "https://collector.example:8442".into(),
        host: HostId::new("h1").unwrap(),
        name: "h1".into(),
        log: log.key(),
        statement_key: Ed25519Signer::from_seed(&SEED).unwrap().public_key().id(),
        epoch: "e".into(),
        enrolled_at: at(0),
    };
    let draft = Draft {
        identity: &identity,
        seed: &SEED,
        client: "",
        ca: "",
        entry: "",
        receipt: "",
        checkpoint,
        pace: Pace {
            seal_seconds: 1,
            collect_seconds: 1,
            check_in_seconds: 1,
        },
    };
    State::create(path).unwrap().install(&draft, at(0)).unwrap();
}

fn open(path: &Path) -> Keeper {
    open_limited(path, DEFAULT_LIMIT)
}

fn open_limited(path: &Path, limit: u64) -> Keeper {
    let build = AgentBuild {
        version: "0".into(),
        sha256: Digest::of(b""),
    };
    Keeper::open(State::open(path).unwrap(), build, "boot".into(), limit).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::EPOCH.plus(seconds)
}

/// A collection with nothing in it, or with a document whose detail is `text`.
fn collection(text: &str) -> Collection {
    Collection::of_detail(text)
}

fn batch(keeper: &Keeper) -> Vec<Record> {
    keeper.spool().batch(64, usize::MAX).unwrap()
}

fn observation(record: &Record) -> Observation {
    let signer = Ed25519Signer::from_seed(&SEED).unwrap();
    let envelope = Unverified::from_bytes(&record.envelope).unwrap();
    let verified = envelope.verify(signer.public_key(), &AwsLc).unwrap();
    match verified.statement().predicate.clone() {
        Predicate::Observation(observation) => observation,
        other => panic!("{other:?}"),
    }
}

/// The log takes everything that waits.
fn accept(keeper: &mut Keeper, log: &mut Log) -> Settled {
    let known = usize::try_from(keeper.known().checkpoint().size).unwrap();
    let batch = batch(keeper);
    let first = log.entries.len();
    log.entries.extend(batch.iter().map(|record| record.envelope.clone()));
    let results = (first..log.entries.len()).map(|index| log.accepted(index)).collect();
    keeper.settle(&batch, &log.answer(known, results), at(1000)).unwrap()
}

fn refuse(keeper: &mut Keeper, code: RefusalCode) -> Settled {
    let answer = evidence::wire::DeliverResponse {
        results: vec![Delivered::Refused(Refusal {
            code,
            detail: "no".into(),
        })],
        checkpoint: None,
        consistency: vec![],
        pace: None,
    };
    keeper.settle(&batch(keeper), &answer, at(1000)).unwrap()
}

#[test]
fn statements_chain_and_say_how_long_the_one_before_held() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = Log::new("a", 3);
    enrol(temp.path(), &log.checkpoint(3), &log);
    let mut keeper = open(temp.path());
    assert!(matches!(
        keeper.observe(&collection("a"), at(10), false),
        Stated::Statement(0)
    ));
    assert!(matches!(
        keeper.observe(&collection("a"), at(20), false),
        Stated::Nothing
    ));
    assert!(matches!(
        keeper.observe(&collection("a"), at(30), false),
        Stated::Nothing
    ));
    assert!(matches!(
        keeper.observe(&collection("b"), at(40), false),
        Stated::Statement(1)
    ));
    // A restart: what was held is counted from what is on the disk.
    let mut keeper = open(temp.path());
    assert!(matches!(
        keeper.observe(&collection("b"), at(50), true),
        Stated::Statement(2)
    ));
    let records = batch(&keeper);
    let stated: Vec<_> = records.iter().map(observation).collect();
    assert_eq!((stated[0].previous, &stated[0].held), (None, &None));
    assert_eq!(stated[1].previous, Some(records[0].head().digest));
    let held = stated[1].held.as_ref().unwrap();
    assert_eq!((held.until, held.collections), (at(30), 2));
    let held = stated[2].held.as_ref().unwrap();
    assert_eq!((held.until, held.collections), (at(50), 1));
    assert_eq!(stated[2].checkpoint.as_ref().unwrap().size, 3);

    assert!(matches!(accept(&mut keeper, &mut log), Settled::Accepted(3)));
    assert_eq!((keeper.spool().waiting(), keeper.known().checkpoint().size), (0, 6));
    keeper.observe(&collection("b"), at(60), true);
    assert_eq!(observation(&batch(&keeper)[0]).checkpoint.unwrap().size, 6);
}

#[test]
fn facts_stay_while_a_statement_that_waits_or_the_newest_names_them() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = Log::new("a", 1);
    enrol(temp.path(), &log.checkpoint(1), &log);
    let mut keeper = open(temp.path());
    let facts = |keeper: &Keeper, text: &str| {
        let digest = collection(text).documents().next().unwrap().digest();
        keeper.store().facts(&digest, 1 << 20).unwrap().is_some()
    };
    keeper.observe(&collection("a"), at(10), false);
    keeper.observe(&collection("b"), at(20), false);
    assert!(facts(&keeper, "a") && facts(&keeper, "b"));
    let keeper_after_restart = open(temp.path());
    assert!(facts(&keeper_after_restart, "a") && facts(&keeper_after_restart, "b"));
    accept(&mut keeper, &mut log);
    assert!(!facts(&keeper, "a") && facts(&keeper, "b"));
}

#[test]
fn what_does_not_fit_is_declared_when_there_is_room_again() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = Log::new("a", 1);
    enrol(temp.path(), &log.checkpoint(1), &log);
    let mut keeper = open_limited(temp.path(), 6_000);
    let mut made = 0;
    let lost = loop {
        match keeper.observe(&collection("a"), at(10 + i64::from(made)), true) {
            Stated::Statement(_) => made += 1,
            Stated::Lost(error) => break error,
            Stated::Nothing => panic!("a statement was due"),
        }
    };
    assert!(matches!(lost, SpoolError::Full { limit: 6_000, .. }), "{lost}");
    assert!(matches!(
        keeper.observe(&collection("b"), at(100), false),
        Stated::Lost(_)
    ));
    let mut keeper = open_limited(temp.path(), 6_000);
    accept(&mut keeper, &mut log);
    let mut keeper = open(temp.path());
    let made = u64::try_from(made).unwrap();
    assert!(matches!(keeper.observe(&collection("b"), at(200), true), Stated::Statement(next) if next == made + 2));
    let stated = observation(&batch(&keeper)[0]);
    let lost = stated.lost.unwrap();
    assert_eq!((lost.from, lost.to), (made, made + 1));
    assert_eq!(stated.previous, Some(keeper.spool().acknowledged().unwrap().digest));
}

#[test]
fn a_fork_is_kept_as_proof_stated_and_its_receipts_are_not_taken() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = Log::new("a", 5);
    enrol(temp.path(), &log.checkpoint(5), &log);
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(10), false);
    let mut other = Log::new("b", 7);
    let Settled::Contradiction(alarm) = accept(&mut keeper, &mut other) else {
        panic!("a fork was believed");
    };
    assert_eq!(alarm.alarm.kind, "fork");
    assert_eq!((keeper.spool().waiting(), keeper.known().checkpoint().size), (1, 5));
    let proof = temp.path().join("proof/1000-fork");
    let note = |name: &str| std::fs::read_to_string(proof.join(name)).unwrap();
    for name in ["known", "shown"] {
        SignedCheckpoint::verify(&note(name), &log.key(), &AwsLc).unwrap();
    }
    assert_eq!(note("shown"), other.checkpoint(8).note());

    // It is said in the next statement, also after a restart, until such a statement is in the log that was known.
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(20), true);
    assert_eq!(observation(&batch(&keeper)[1]).alarm, Some(alarm.alarm.clone()));
    assert!(matches!(accept(&mut keeper, &mut log), Settled::Accepted(2)));
    assert!(keeper.alarm().unwrap().acknowledged);
    keeper.observe(&collection("a"), at(30), true);
    assert_eq!(observation(&batch(&keeper)[0]).alarm, None);
}

#[test]
fn a_log_that_shrank_is_a_rollback() {
    let temp = tempfile::tempdir().unwrap();
    let long = Log::new("a", 9);
    enrol(temp.path(), &long.checkpoint(9), &long);
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(10), false);
    let settled = accept(&mut keeper, &mut Log::new("a", 4));
    assert!(matches!(settled, Settled::Contradiction(alarm) if alarm.alarm.kind == "rollback"));
}

#[test]
fn a_collector_that_forgot_a_statement_with_a_receipt_is_found_out() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = Log::new("a", 2);
    enrol(temp.path(), &log.checkpoint(2), &log);
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(10), false);
    accept(&mut keeper, &mut log);
    keeper.observe(&collection("a"), at(20), true);
    let Settled::Refused { sequence: 1, refusal } = refuse(&mut keeper, RefusalCode::WrongSequence) else {
        panic!("not refused");
    };
    assert!(keeper.has_receipt_before(1, refusal.code));
    for (shown, kind) in [
        (log.checkpoint(2), "rollback"),
        (Log::new("a", 7).checkpoint(7), "missing_entry"),
    ] {
        let alarm = keeper
            .settle_refusal(1, &refusal, shown.note(), at(1000))
            .unwrap()
            .unwrap();
        assert_eq!(alarm.alarm.kind, kind);
    }
    // Nobody's checkpoint is no proof.
    let alarm = keeper.alarm().cloned();
    assert!(keeper.settle_refusal(1, &refusal, "x", at(1000)).unwrap().is_none());
    assert_eq!(keeper.alarm().cloned(), alarm);
}

#[test]
fn a_refused_statement_stays_at_the_head_and_is_no_alarm() {
    let temp = tempfile::tempdir().unwrap();
    let log = Log::new("a", 2);
    enrol(temp.path(), &log.checkpoint(2), &log);
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(10), false);
    for code in [
        RefusalCode::RevokedKey,
        RefusalCode::Conflict,
        RefusalCode::WrongSequence,
    ] {
        assert!(matches!(
            refuse(&mut keeper, code),
            Settled::Refused { sequence: 0, .. }
        ));
        assert!(!keeper.has_receipt_before(0, code));
    }
    assert_eq!((keeper.spool().waiting(), keeper.alarm()), (1, None));
}

#[test]
fn answers_that_say_nothing_change_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let log = Log::new("a", 2);
    enrol(temp.path(), &log.checkpoint(2), &log);
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(10), false);
    let records = batch(&keeper);
    let empty = log.answer(2, vec![]);
    let settled = keeper.settle(&records, &empty, at(1000)).unwrap();
    assert!(matches!(settled, Settled::Disbelieved(Disbelief::Form(_))));
    let missing = log.answer(
        2,
        vec![Delivered::Missing {
            manifest: None,
            facts: vec![],
        }],
    );
    let settled = keeper.settle(&records, &missing, at(1000)).unwrap();
    assert!(matches!(settled, Settled::StillMissing { sequence: 0 }));
    assert_eq!(batch(&keeper), records);
}

/// Between any two of the three writes that a receipt causes (checkpoint, mark, removal) the agent may be killed.
#[test]
fn a_crash_between_the_steps_of_a_receipt_sends_again_and_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = Log::new("a", 2);
    enrol(temp.path(), &log.checkpoint(2), &log);
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(10), false);
    let records = batch(&keeper);
    log.entries.push(records[0].envelope.clone());
    // Only the checkpoint was written.
    keeper.member().remember(&log.checkpoint(3)).unwrap();
    drop(keeper);
    let mut keeper = open(temp.path());
    assert_eq!((batch(&keeper), keeper.known().checkpoint().size), (records.clone(), 3));
    // The collector says where it was all along; the log has grown meanwhile.
    log.entries.push(b"somebody else's".to_vec());
    let answer = log.answer(3, vec![log.accepted(2)]);
    assert!(matches!(
        keeper.settle(&records, &answer, at(1000)).unwrap(),
        Settled::Accepted(1)
    ));
    assert_eq!(open(temp.path()).spool().acknowledged().unwrap().index, 2);
}

#[test]
fn enrolling_again_takes_the_place_of_the_old_membership_and_keeps_it() {
    let temp = tempfile::tempdir().unwrap();
    let log = Log::new("a", 2);
    enrol(temp.path(), &log.checkpoint(2), &log);
    let mut keeper = open(temp.path());
    keeper.observe(&collection("a"), at(10), false);
    drop(keeper);
    enrol(temp.path(), &log.checkpoint(2), &log);
    let keeper = open(temp.path());
    assert_eq!((keeper.spool().next_sequence(), keeper.spool().waiting()), (0, 0));
    assert!(temp.path().join("former-0/spool/00000000000000000000.segment").exists());
    assert!(!temp.path().join("member.new").exists());
}

#[test]
fn a_damaged_state_says_which_file() {
    let temp = tempfile::tempdir().unwrap();
    let log = Log::new("a", 2);
    enrol(temp.path(), &log.checkpoint(2), &log);
    for (name, content) in [
        ("checkpoint", "log.example\n9\nx\n"),
        ("statement.seed", "AAAA"),
        ("identity.json", "{"),
    ] {
        let path = temp.path().join("member").join(name);
        let before = std::fs::read(&path).unwrap();
        std::fs::write(&path, content).unwrap();
        let state = State::open(temp.path()).unwrap();
        let error = state
            .member()
            .and_then(|member| member.checkpoint())
            .unwrap_err()
            .to_string();
        assert!(error.contains(name) && error.contains("damaged"), "{error}");
        std::fs::write(&path, before).unwrap();
    }
}

#[test]
fn a_full_disk_keeps_the_statement_and_loses_no_receipt() {
    let temp = tempfile::tempdir().unwrap();
    let mount = temp.path().join("small");
    std::fs::create_dir(&mount).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=200k", "small"])
        .arg(&mount)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("needs root and mount(8): not tried");
        return;
    }
    let survived = std::panic::catch_unwind(|| {
        let path = mount.join("state");
        let mut log = Log::new("a", 2);
        enrol(&path, &log.checkpoint(2), &log);
        let mut keeper = open(&path);
        keeper.observe(&collection("a"), at(10), false);
        let records = batch(&keeper);
        std::fs::write(mount.join("filler"), vec![0; 1 << 20]).unwrap_err();
        // Neither a new statement nor a receipt fits.
        assert!(matches!(
            keeper.observe(&collection("b"), at(20), false),
            Stated::Lost(_)
        ));
        log.entries.push(records[0].envelope.clone());
        let answer = log.answer(2, vec![log.accepted(2)]);
        keeper.settle(&records, &answer, at(1000)).unwrap_err();
        assert_eq!(batch(&keeper), records);
        drop(keeper);
        let mut keeper = open(&path);
        assert_eq!(batch(&keeper), records);
        std::fs::remove_file(mount.join("filler")).unwrap();
        assert!(matches!(
            keeper.settle(&records, &answer, at(1000)).unwrap(),
            Settled::Accepted(1)
        ));
        assert!(matches!(
            keeper.observe(&collection("b"), at(30), false),
            Stated::Statement(2)
        ));
        let lost = observation(&batch(&keeper)[0]).lost.unwrap();
        assert_eq!((lost.from, lost.to, lost.reason.as_str()), (1, 1, "spool_full"));
    });
    std::process::Command::new("umount").arg(&mount).status().unwrap();
    survived.unwrap();
}

#[test]
fn a_statement_that_cannot_be_written_is_declared_with_that_reason() {
    let temp = tempfile::tempdir().unwrap();
    let log = Log::new("a", 2);
    enrol(temp.path(), &log.checkpoint(2), &log);
    let mut keeper = open(temp.path());
    let manifests = temp.path().join("member/spool/manifests");
    // A folder where the unfinished manifest would be: it can be neither removed nor written.
    let obstacle = manifests.join(format!(".{}.new", collection("a").manifest().digest()));
    std::fs::create_dir(&obstacle).unwrap();
    assert!(matches!(
        keeper.observe(&collection("a"), at(10), false),
        Stated::Lost(SpoolError::Folder(_))
    ));
    std::fs::remove_dir(&obstacle).unwrap();
    keeper.observe(&collection("a"), at(20), true);
    let lost = observation(&batch(&keeper)[0]).lost.unwrap();
    assert_eq!((lost.from, lost.to, lost.reason.as_str()), (0, 0, "spool_unwritable"));
}

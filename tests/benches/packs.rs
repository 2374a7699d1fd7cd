//! How long a pack takes to write and to verify: a fleet's statements, each signed by its host, in a real store.
//!
//! ```text
//! cargo bench -p affiant-tests --bench packs -- --hosts 100 --days 9
//! ```
//!
//! `--keep FOLDER` leaves `pack.zip` and `trust.txt` there, to run `affiant-verify` on: in a process of its own, whose peak
//! memory has nothing of the collector in it.
//!
//! Each host states once an hour and swears to the checkpoint that it was shown last; its facts are a real Debian root's,
//! with a document of its own that changes every tenth day. Seconds are those of the processor, in one thread; the time on
//! the clock stands beside them.

use std::fmt::Write as _;
use std::fs;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use affiant_collector::app::App;
use affiant_tests::fleet::host::Host;
use affiant_tests::fleet::root::{self, Documents};
use affiant_tests::fleet::{Fleet, story};
use affiant_verify::archive::Archive;
use affiant_verify::report::Report;
use affiant_verify::{Options, verify};
use evidence::aws_lc::Ed25519Signer;
use evidence::checkpoint::Checkpoint;
use evidence::envelope::Verified;
use evidence::facts::{FactsDocument, ProbeId};
use evidence::key::Signer as _;
use evidence::note::Note;
use evidence::statement::{Enrolment, HostId, Predicate, SeenCheckpoint, Statement, Subject};

/// Statements that reach the collector in one commit.
const COMMIT: usize = 50;
/// What the project wants to reach.
const TARGET: (u64, u64) = (1000, 90);

fn main() {
    let Arguments { hosts, days, keep } = arguments();
    let folder = tempfile::tempdir().expect("a folder");
    let fleet = Fleet::open(&folder.path().join("data"), story::hour(0));
    let root = folder.path().join("root");
    root::write(&root, "host");
    let documents = root::collect(&root);
    let statements = hosts * days * 24;

    let making = Measured::begin();
    let members: Vec<Host> = (0..hosts).map(|number| enrol(fleet.app(), number)).collect();
    live(&fleet, members, &documents, days);
    making.end("signed and logged", statements, "statements");

    let kept = keep.as_deref().unwrap_or(folder.path());
    let path = kept.join("pack.zip");
    fs::write(kept.join("trust.txt"), fleet.trust_file()).expect("a folder");
    let end = i64::try_from(days * 24).expect("some days");
    let writing = Measured::begin();
    let written = fleet.pack((story::hour(0), story::hour(end)), &path);
    let writing = writing.end("written", statements, "statements");
    assert_eq!(written.statements, statements);
    println!(
        "{:20} {} bytes, {} facts documents, {} findings",
        "", written.bytes, written.facts, written.findings
    );

    for every_signature in [false, true] {
        let verifying = Measured::begin();
        let mut report = Report::default();
        let file = fs::File::open(&path).expect("the pack");
        let mut archive = Archive::open(Box::new(BufReader::new(file)), written.bytes).expect("an archive");
        let options = Options {
            trust: Some(fleet.trust()),
            every_signature,
            ..Options::default()
        };
        verify(&mut archive, options, &mut report).expect("a good pack");
        let what = if every_signature {
            "verified, each sig."
        } else {
            "verified"
        };
        let seconds = verifying.end(what, statements, "statements");
        extrapolate(what, seconds, (hosts, days));
    }
    extrapolate("written", writing, (hosts, days));
}

struct Arguments {
    hosts: u64,
    days: u64,
    keep: Option<PathBuf>,
}

fn arguments() -> Arguments {
    let (mut hosts, mut days, mut keep) = (100, 9, None);
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = match name.as_str() {
            "--hosts" => &mut hosts,
            "--days" => &mut days,
            "--keep" => {
                keep = Some(given.next().expect("a folder").into());
                continue;
            }
            // Added by cargo.
            "--bench" => continue,
            other => panic!("{other}: --hosts NUMBER, --days NUMBER and --keep FOLDER are known"),
        };
        *value = given.next().and_then(|number| number.parse().ok()).expect("a number");
    }
    Arguments { hosts, days, keep }
}

/// Enrols a host: the entry only, for neither token nor certificate is in a pack.
fn enrol(app: &Arc<App>, number: u64) -> Host {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let signer = Ed25519Signer::from_seed(&seed).expect("a key");
    let host = HostId::new(format!("host-{number:06}")).expect("an id");
    let (key, id, collector) = (
        signer.public_key().clone(),
        host.clone(),
        Arc::clone(&app.statement_key),
    );
    let entry = move |previous| Statement {
        subject: vec![Subject {
            name: id.to_string(),
            digest: key.id().0,
        }],
        predicate: Predicate::Enrolment(Enrolment {
            previous,
            host: id.clone(),
            name: id.to_string(),
            statement_key: key.clone(),
            token: "AAAAAAAAAAA".to_owned(),
            at: story::hour(0),
        }),
    };
    let appended = app
        .log
        .write_blocking(move |batch| batch.append_own(&collector, &entry));
    appended.expect("an enrolment");
    Host::new(host, signer)
}

/// Hour after hour.
fn live(fleet: &Fleet, mut members: Vec<Host>, documents: &Documents, days: u64) {
    let mut manifests = Vec::new();
    for hour in 0..days * 24 {
        let at = story::hour(i64::try_from(hour).expect("some hours"));
        if hour % 240 == 0 {
            let change = |(number, _)| fleet.put(&changed(documents, number, hour / 240));
            manifests = members.iter().enumerate().map(change).collect();
        }
        let at_once = members.chunks_mut(COMMIT).zip(manifests.chunks(COMMIT));
        for (hosts, manifests) in at_once {
            let made = hosts
                .iter_mut()
                .zip(manifests)
                .map(|(host, manifest)| host.next(at, *manifest));
            let made: Vec<Verified> = made.collect();
            let work = move |batch: &mut affiant_collector::log::Batch<'_>| {
                made.iter().try_for_each(|entry| batch.append(entry).map(drop))
            };
            let committed = fleet.app().log.write_blocking(work).expect("entries");
            let note = Note::from_bytes(committed.head.checkpoint.as_bytes()).expect("a note");
            let head: Checkpoint = note.text.parse().expect("a checkpoint");
            for host in hosts {
                host.checkpoint = Some(SeenCheckpoint {
                    origin: head.origin.clone(),
                    size: head.size,
                    root: head.root,
                });
            }
        }
    }
}

/// The documents of one host after so many changes.
fn changed(documents: &Documents, host: usize, changes: u64) -> Documents {
    let mut documents = documents.clone();
    let probe = ProbeId::new("sshd").expect("an id");
    let mut document = FactsDocument::from_bytes(&documents[&probe]).expect("a document");
    write!(document.detail, " host {host}, change {changes}").expect("text");
    documents.insert(probe, document.to_bytes().expect("a document"));
    documents
}

/// A piece of work that is measured.
struct Measured {
    clock: Instant,
    processor: f64,
}

impl Measured {
    fn begin() -> Self {
        // Linux: the peak begins anew (proc(5)).
        fs::write("/proc/self/clear_refs", "5").expect("Linux with /proc");
        Self {
            clock: Instant::now(),
            processor: processor(),
        }
    }

    fn end(self, what: &str, count: u64, of: &str) -> f64 {
        let seconds = processor() - self.processor;
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = count as f64 / seconds;
        println!(
            "{what:20} {count} {of} in {seconds:.2} s of the processor ({:.2} s), {rate:.0}/s, peak {}",
            self.clock.elapsed().as_secs_f64(),
            peak()
        );
        seconds
    }
}

/// Seconds that this thread had a processor.
fn processor() -> f64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with /proc");
    let nanoseconds: f64 = told
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number");
    nanoseconds / 1e9
}

/// Most memory that was resident.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").expect("Linux with /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.expect("VmHWM").trim().to_owned()
}

fn extrapolate(what: &str, seconds: f64, (hosts, days): (u64, u64)) {
    if (hosts, days) == TARGET {
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let times = (TARGET.0 * TARGET.1) as f64 / (hosts * days) as f64;
    println!(
        "{what}: not measured for {} hosts and {} days; {times:.0} times as much would be {:.0} s",
        TARGET.0,
        TARGET.1,
        seconds * times
    );
}

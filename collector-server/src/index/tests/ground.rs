//! A real log made in-process, and what `controls` makes of it entry by entry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use controls::assessment::{Assessment, Assessor, Roll};
use controls::rule::RuleSet;
use controls::timeline::{Observation as Observed, Timeline};
use controls::{catalogue, finding::Finding};
use evidence::aws_lc::Ed25519Signer;
use evidence::envelope::{Unverified, Verified, seal};
use evidence::facts::{FactsDocument, Outcome, ProbeId};
use evidence::key::Signer as _;
use evidence::manifest::Manifest;
use evidence::statement::{
    AgentBuild, Enrolment, Held, HostId, LogOpening, Lost, Observation, Predicate, Revocation, RuleSetInForce,
    Statement, Subject,
};
use evidence::{Digest, Timestamp, pack};
use serde_json::json;
use tempfile::TempDir;

use crate::clock::Clock;
use crate::index::{InForce, Index, IndexError, Writer};
use crate::log::Log;
use crate::query::Query;
use crate::store::{Sqlite, Store, StoredFacts};

/// 2026-11-24T10:08:42Z
pub(crate) const BEGIN: i64 = 1_795_514_922;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(BEGIN + seconds).unwrap()
}

/// A clock that is set by hand.
#[derive(Debug, Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Host {
    signer: Ed25519Signer,
    pub(crate) id: HostId,
    sequence: u64,
    previous: Option<Digest>,
    revoked: bool,
}

pub(crate) struct Ground {
    folder: TempDir,
    pub(crate) store: Arc<dyn Store>,
    log: Log,
    collector: Arc<Ed25519Signer>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) clock: Arc<HandClock>,
}

fn build() -> AgentBuild {
    AgentBuild {
        version: "1".into(),
        sha256: Digest::of(b"agent"),
    }
}

/// A statement of a host, in short.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stated {
    pub(crate) observed_at: i64,
    pub(crate) held_until: Option<i64>,
    pub(crate) lost: bool,
}

pub(crate) fn stated(observed_at: i64) -> Stated {
    Stated {
        observed_at,
        ..Stated::default()
    }
}

impl Ground {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.path().join("log.sqlite")).unwrap());
        let log = Log::open(
            Arc::clone(&store),
            "affiant.test/log",
            Ed25519Signer::from_seed(&[1; 32]).unwrap(),
        )
        .unwrap();
        let collector = Arc::new(Ed25519Signer::from_seed(&[2; 32]).unwrap());
        let key = collector.public_key().clone();
        let opening = Statement {
            subject: vec![Subject {
                name: "statement-key".into(),
                digest: key.id().0,
            }],
            predicate: Predicate::Log(LogOpening {
                origin: "affiant.test/log".into(),
                log_key: log.key().key().clone(),
                statement_key: key,
                at: at(0),
            }),
        };
        let entry = seal(&opening, collector.as_ref()).unwrap();
        log.write_blocking(move |batch| batch.append(&entry)).unwrap();
        Self {
            folder,
            store,
            log,
            collector,
            hosts: Vec::new(),
            clock: Arc::default(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("index.sqlite")
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::open(&self.path(), Arc::clone(&self.store), self.clock.now()).unwrap()
    }

    pub(crate) fn query(&self) -> Query {
        Query::new(
            Index::new(&self.path(), Arc::clone(&self.store)),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
        )
    }

    pub(crate) fn dump(&self) -> BTreeMap<&'static str, Vec<String>> {
        Index::new(&self.path(), Arc::clone(&self.store))
            .read(|snapshot| -> Result<_, IndexError> { snapshot.dump() })
            .unwrap()
    }

    fn own(&self, make: impl Fn(Digest) -> Statement + Send + 'static) -> u64 {
        let signer = Arc::clone(&self.collector);
        let written = self.log.write_blocking(move |batch| batch.append_own(&signer, &make));
        written.unwrap().value.index
    }

    /// Brings some of the built-in rules into force.
    pub(crate) fn rules(&self, ids: &[&str], freshness: u64, scope: Option<&str>, seconds: i64) -> u64 {
        let mut files: Vec<(String, Vec<u8>)> = RuleSet::builtin_files()
            .filter(|(id, _)| ids.contains(id))
            .map(|(id, bytes)| (pack::rule(id), bytes.to_vec()))
            .collect();
        files.push((pack::BASELINE.to_owned(), b"{}\n".to_vec()));
        files.extend(scope.map(|scope| (pack::SCOPE.to_owned(), scope.as_bytes().to_vec())));
        let subject: Vec<_> = files
            .iter()
            .map(|(name, bytes)| Subject {
                name: name.clone(),
                digest: Digest::of(bytes),
            })
            .collect();
        let kept = files.clone();
        self.log
            .write_blocking(move |batch| {
                kept.iter()
                    .try_for_each(|(_, bytes)| batch.store().put_file(&Digest::of(bytes), bytes))
            })
            .unwrap();
        self.own(move |previous| Statement {
            subject: subject.clone(),
            predicate: Predicate::Rules(RuleSetInForce {
                previous,
                collector_version: "1".into(),
                freshness_seconds: freshness,
                at: at(seconds),
            }),
        })
    }

    pub(crate) fn enrol(&mut self, name: &str, seconds: i64) -> usize {
        self.enrol_all([name.to_owned()], seconds);
        self.hosts.len() - 1
    }

    /// In one transaction.
    pub(crate) fn enrol_all(&mut self, names: impl IntoIterator<Item = String>, seconds: i64) {
        let mut enrolled = Vec::new();
        for name in names {
            let number = self.hosts.len();
            let mut seed = [3; 32];
            seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
            let signer = Ed25519Signer::from_seed(&seed).unwrap();
            let id = HostId::new(format!("h{number:06}")).unwrap();
            enrolled.push((id.clone(), name, signer.public_key().clone()));
            self.hosts.push(Host {
                signer,
                id,
                sequence: 0,
                previous: None,
                revoked: false,
            });
        }
        let collector = Arc::clone(&self.collector);
        let append = move |batch: &mut crate::log::Batch<'_>| {
            for (host, name, key) in &enrolled {
                batch.append_own(&collector, |previous| Statement {
                    subject: vec![Subject {
                        name: host.to_string(),
                        digest: key.id().0,
                    }],
                    predicate: Predicate::Enrolment(Enrolment {
                        previous,
                        host: host.clone(),
                        name: name.clone(),
                        statement_key: key.clone(),
                        token: "t".into(),
                        at: at(seconds),
                    }),
                })?;
            }
            Ok(())
        };
        self.log.write_blocking(append).unwrap();
    }

    pub(crate) fn revoke(&mut self, host: usize, seconds: i64) {
        if std::mem::replace(&mut self.hosts[host].revoked, true) {
            return;
        }
        let (id, keyid) = (self.hosts[host].id.clone(), self.hosts[host].signer.public_key().id());
        self.own(move |previous| Statement {
            subject: vec![Subject {
                name: id.to_string(),
                digest: keyid.0,
            }],
            predicate: Predicate::Revocation(Revocation {
                previous,
                host: id.clone(),
                keyid,
                reason: "test".into(),
                at: at(seconds),
            }),
        });
    }

    /// Keeps documents and their manifest.
    pub(crate) fn keep(&self, documents: &[FactsDocument]) -> Digest {
        let stored: Vec<(Digest, StoredFacts)> = documents
            .iter()
            .map(|document| {
                let bytes = document.to_bytes().unwrap();
                let probe = document.probe.clone();
                (Digest::of(&bytes), StoredFacts { probe, bytes })
            })
            .collect();
        let manifest = Manifest::new(stored.iter().map(|(digest, facts)| (facts.probe.clone(), *digest)));
        let (digest, bytes) = (manifest.digest(), manifest.to_bytes());
        self.log
            .write_blocking(move |batch| {
                for (digest, facts) in &stored {
                    batch.store().put_facts(digest, facts)?;
                }
                batch.store().put_manifest(&digest, &bytes)
            })
            .unwrap();
        digest
    }

    /// Makes a statement without appending it.
    pub(crate) fn make(&mut self, host: usize, manifest: Digest, stated: Stated) -> Verified {
        let host = &mut self.hosts[host];
        let lost = stated.lost.then(|| {
            host.sequence += 1;
            Lost {
                from: host.sequence - 1,
                to: host.sequence - 1,
                reason: "spool_full".into(),
            }
        });
        let statement = Statement {
            subject: vec![Subject {
                name: "manifest".into(),
                digest: manifest,
            }],
            predicate: Predicate::Observation(Observation {
                host: host.id.clone(),
                agent: build(),
                boot_id: String::new(),
                epoch: "e".into(),
                sequence: host.sequence,
                previous: host.previous,
                observed_at: at(stated.observed_at),
                held: stated.held_until.map(|until| Held {
                    until: at(until),
                    collections: 1,
                }),
                lost,
                checkpoint: None,
                alarm: None,
            }),
        };
        let entry = seal(&statement, &host.signer).unwrap();
        host.sequence += 1;
        host.previous = Some(entry.digest());
        entry
    }

    pub(crate) fn append(&self, entries: Vec<Verified>) {
        let append = move |batch: &mut crate::log::Batch<'_>| {
            entries.iter().try_for_each(|entry| batch.append(entry).map(|_| ()))
        };
        self.log.write_blocking(append).unwrap();
    }

    pub(crate) fn state(&mut self, host: usize, manifest: Digest, stated: Stated) {
        let entry = self.make(host, manifest, stated);
        self.append(vec![entry]);
    }

    /// What `controls` makes of the log itself.
    pub(crate) fn assessment(&self, from: Timestamp, to: Timestamp) -> Assessment {
        let rules = InForce::newest(self.store.as_ref()).unwrap();
        let (mut roll, mut keys, mut told) = (Roll::default(), BTreeMap::new(), BTreeMap::new());
        let (mut revoked, mut facts) = (BTreeSet::new(), BTreeSet::new());
        for (index, bytes) in self.store.entries(0, usize::MAX).unwrap() {
            let envelope = Unverified::from_bytes(&bytes).unwrap();
            let statement = envelope.claimed().unwrap();
            match &statement.predicate {
                Predicate::Enrolment(enrolment) => {
                    roll.enrol(enrolment);
                    keys.insert(enrolment.statement_key.id(), enrolment.host.clone());
                }
                Predicate::Revocation(revocation) => {
                    roll.revoke(revocation);
                    revoked.insert(revocation.keyid);
                }
                Predicate::Observation(observation) if !revoked.contains(&envelope.keyid()) => {
                    let manifest = self.store.manifest(&statement.manifest().unwrap()).unwrap().unwrap();
                    let manifest = Arc::new(Manifest::from_bytes(&manifest).unwrap());
                    facts.extend(manifest.documents().values().copied());
                    let observed = Observed::of(index, observation, manifest);
                    told.entry(keys[&envelope.keyid()].clone())
                        .or_insert_with(Vec::new)
                        .push(observed);
                }
                _ => {}
            }
        }
        let freshness = rules.freshness();
        let timelines = told
            .into_iter()
            .map(|(host, told)| (host, Timeline::of(freshness, told).unwrap()))
            .collect();
        let witnesses = roll.witnesses(timelines, freshness);
        let mut assessor = Assessor::new(&rules.set, (from, to));
        for digest in facts {
            let stored = self.store.facts(&digest).unwrap().unwrap();
            assessor.take(digest, &FactsDocument::from_bytes(&stored.bytes).unwrap());
        }
        let catalogue = catalogue::find(catalogue::DEFAULT).unwrap();
        let mut assessment = assessor.finish(catalogue, &witnesses, rules.scope.as_ref());
        // A host that came later has nothing to show.
        let members: BTreeMap<_, _> = witnesses.iter().map(|host| (&host.host, host.enrolled_at)).collect();
        assessment.findings.retain(|finding| members[&finding.host] < to);
        sort(&mut assessment.findings);
        assessment
    }
}

pub(crate) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|left, right| {
        let key = |finding: &Finding| (finding.host.clone(), finding.rule.clone(), finding.from);
        key(left).cmp(&key(right))
    });
}

fn document(probe: &str, version: u32, facts: serde_json::Value) -> FactsDocument {
    FactsDocument {
        probe: ProbeId::new(probe).unwrap(),
        version,
        outcome: Outcome::Observed,
        detail: String::new(),
        sources: Vec::new(),
        facts: Some(facts),
    }
}

/// A release that is supported until some second, on a system that asks for a reboot or not.
pub(crate) fn kernel_and_release(supported_until: i64, reboot: bool) -> FactsDocument {
    document(
        "kernel-and-release",
        4,
        json!({
            "container": {"outcome": "observed", "value": ""},
            "distribution": {"codename": "bookworm", "id": "debian", "id_like": [], "name": "Debian 12", "point_release":
                "12.12", "version_id": "12"},
            "installed_kernels": {"outcome": "absent"},
            "kernel": {"outcome": "observed", "value": {"build": "#1", "package_version": "6.1", "release": "6.1.0-1"}},
            "reboot": {"outcome": "observed", "value": {"by_packages": [], "flag_written_by": ["x"], "required": reboot,
                "told_by": "flag"}},
            "live_patches": {"outcome": "absent"},
            "next_boot": {"outcome": "absent"},
            "standing": "newest",
            "standing_reason": "",
            "support": {"outcome": "observed", "value": {"rolling": false, "series": "bookworm", "table_version": "1", "told_by": "distro_info",
                "standard_until": at(supported_until).to_string()}},
            "subscriptions": {"ubuntu_pro": {"outcome": "absent"}, "red_hat": {"outcome": "absent"}, "suse": {"outcome": "absent"}},
        }),
    )
}

pub(crate) fn packages(installed: u64, complete: bool) -> FactsDocument {
    document(
        "packages",
        2,
        json!({
            "architecture": "amd64", "complete": complete, "config_files": 0, "distribution": "debian-12", "held": [],
            "installed": installed, "manager": "dpkg", "not_installed_fully": [], "unparsed": [],
            "packages": [{"architecture": "amd64", "name": "bash", "version": "5"}],
        }),
    )
}

pub(crate) fn denied(probe: &str) -> FactsDocument {
    FactsDocument {
        outcome: Outcome::Denied,
        detail: "permission denied".into(),
        facts: None,
        ..document(probe, 2, json!(null))
    }
}

/// Rules over these documents: two with time.
pub(crate) const RULES: &[&str] = &[
    "release-supported",
    "reboot-none-pending",
    "kernel-newest-installed-runs",
    "packages-inventoried",
];

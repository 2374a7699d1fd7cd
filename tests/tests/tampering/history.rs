//! What a dishonest collector can do to its log with its own keys: the tree is right, every checkpoint signed, the pack
//! issued. What hosts signed, and the order in which they did, still shows it.

use evidence::envelope::seal;
use evidence::key::Signer as _;
use evidence::statement::{Enrolment, HostId, Observation, Predicate, Revocation, RuleSetInForce, Statement, Subject};

use super::forged::{Log, afterwards, observer, statement, stranger};
use super::pack::Pack;
use super::{Case, check_all, story};

/// Shows and issues a log that was altered.
fn shown(pack: &mut Pack, alter: impl FnOnce(&mut Log)) {
    let mut log = Log::real();
    alter(&mut log);
    log.show(pack);
    log.issue(pack);
}

/// The manifest that a host named last.
fn manifest(log: &Log, host: &HostId) -> evidence::Digest {
    let last = log.0.iter().rev().find(|entry| observer(entry).as_ref() == Some(host));
    statement(last.expect("a statement")).manifest().expect("a manifest")
}

/// The last statement of a host, to be altered.
fn last_observation(log: &Log, host: &HostId) -> (usize, Observation) {
    let index = log
        .0
        .iter()
        .rposition(|entry| observer(entry).as_ref() == Some(host))
        .unwrap();
    match statement(&log.0[index]).predicate {
        Predicate::Observation(observation) => (index, observation),
        other => panic!("{other:?}"),
    }
}

#[test]
fn statements_left_out_of_the_log() {
    check_all(&[
        Case {
            name: "one in the middle",
            what: "its host saw another log",
            place: "statements/db-",
            alter: |pack| shown(pack, |log| drop(log.0.remove(log.nth_of(&story().hosts.web.id, 12)))),
        },
        Case {
            name: "the end of one host",
            what: "its host saw another log",
            place: "statements/db-",
            alter: |pack| {
                shown(pack, |log| {
                    let web = &story().hosts.web.id;
                    let from = log.nth_of(web, 12);
                    let mut index = 0;
                    log.0.retain(|entry| {
                        index += 1;
                        index <= from || observer(entry).as_ref() != Some(web)
                    });
                });
            },
        },
        Case {
            name: "a revocation",
            what: "its host saw another log",
            place: "statements/",
            alter: |pack| {
                shown(pack, |log| {
                    let at = log.position(|entry| matches!(entry.predicate, Predicate::Revocation(_)));
                    log.0.remove(at);
                });
            },
        },
        Case {
            name: "the statement of the older pack",
            what: "does not name the collector's entry before it",
            place: "statements/collector.jsonl line 6",
            alter: |pack| {
                shown(pack, |log| {
                    let at = log.position(|entry| matches!(entry.predicate, Predicate::Pack(_)));
                    log.0.remove(at);
                });
            },
        },
        Case {
            name: "an enrolment",
            what: "does not name the collector's entry before it",
            place: "statements/collector.jsonl line 3",
            alter: |pack| {
                shown(pack, |log| {
                    let at = log.position(|entry| matches!(entry.predicate, Predicate::Enrolment(_)));
                    log.0.remove(at);
                });
            },
        },
        Case {
            name: "a log shorter than a host has seen",
            what: "its host saw 142 entries of the log, this pack shows 44",
            place: "statements/db-",
            alter: |pack| {
                shown(pack, |log| {
                    let db = &story().hosts.db;
                    let (index, mut observation) = last_observation(log, &db.id);
                    let manifest = manifest(log, &db.id);
                    observation.checkpoint.as_mut().unwrap().size += 100;
                    log.0[index] = seal_as(&db.signer, observation, manifest);
                });
            },
        },
    ]);
}

#[test]
fn statements_that_no_host_made() {
    check_all(&[
        Case {
            name: "by a stranger",
            what: "which no enrolment announces",
            place: "statements/web-",
            alter: |pack| {
                shown(pack, |log| {
                    let web = &story().hosts.web;
                    let sealed = seal_as(&stranger(), web.observation(afterwards()), manifest(log, &web.id));
                    log.0.push(sealed);
                });
            },
        },
        Case {
            name: "by another host",
            what: "signed with a key of db-",
            place: "statements/web-",
            alter: |pack| {
                shown(pack, |log| {
                    let web = &story().hosts.web;
                    let sealed = seal_as(
                        &story().hosts.db.signer,
                        web.observation(afterwards()),
                        manifest(log, &web.id),
                    );
                    log.0.push(sealed);
                });
            },
        },
        Case {
            name: "by the collector",
            what: "which no enrolment announces",
            place: "statements/web-",
            alter: |pack| {
                shown(pack, |log| {
                    let web = &story().hosts.web;
                    log.0.push(seal_as(
                        &story().keys[1],
                        web.observation(afterwards()),
                        manifest(log, &web.id),
                    ));
                });
            },
        },
    ]);
}

#[test]
fn statements_with_keys_that_do_not_count() {
    check_all(&[
        Case {
            name: "with a revoked key",
            what: "after its revocation",
            place: "statements/old-",
            alter: |pack| {
                shown(pack, |log| {
                    let old = &story().hosts.old;
                    let sealed = old.seal(old.observation(afterwards()), manifest(log, &old.id));
                    log.0.push(sealed.bytes().to_vec());
                });
            },
        },
        Case {
            name: "of a host that never enrolled",
            what: "no entry of the log enrols a host ghost",
            place: "statements/ghost.jsonl",
            alter: |pack| {
                shown(pack, |log| {
                    let web = &story().hosts.web;
                    let ghost = Observation {
                        host: HostId::new("ghost").unwrap(),
                        ..web.observation(afterwards())
                    };
                    log.0.push(seal_as(&web.signer, ghost, manifest(log, &web.id)));
                });
            },
        },
        Case {
            name: "before its enrolment",
            what: "before its enrolment",
            place: "statements/ghost.jsonl",
            alter: |pack| {
                let key = stranger().public_key().clone();
                pack.0.insert(evidence::pack::key(&key.id()), key.to_pem().into_bytes());
                shown(pack, |log| {
                    let host = HostId::new("ghost").unwrap();
                    let web = &story().hosts.web;
                    let first = Observation {
                        host: host.clone(),
                        sequence: 0,
                        previous: None,
                        held: None,
                        ..web.observation(afterwards())
                    };
                    log.0.push(seal_as(&stranger(), first, manifest(log, &web.id)));
                    log.append_own(|previous| enrolment(host, &stranger(), previous));
                });
            },
        },
        Case {
            name: "altered, with the signature of before",
            what: "does not verify under key",
            place: "statements/db-",
            alter: |pack| {
                shown(pack, |log| {
                    let (index, mut observation) = last_observation(log, &story().hosts.db.id);
                    observation.observed_at = observation.observed_at.plus(60);
                    let altered = seal_as(&stranger(), observation, manifest(log, &story().hosts.db.id));
                    log.0[index] = with_signature_of(&altered, &log.0[index]);
                });
            },
        },
        Case {
            name: "a statement of a host among the collector's",
            what: "not the collector's",
            place: "statements/collector.jsonl",
            alter: |pack| {
                shown(pack, |log| {
                    let web = &story().hosts.web;
                    let sealed = seal(
                        &enrolment(HostId::new("ghost").unwrap(), &stranger(), evidence::Digest::of(b"")),
                        &web.signer,
                    );
                    log.0.push(sealed.unwrap().bytes().to_vec());
                });
            },
        },
    ]);
}

#[test]
fn acts_that_contradict_the_log() {
    check_all(&[
        Case {
            name: "the key of one host enrolled for another",
            what: "is enrolled twice",
            place: "statements/collector.jsonl line 8",
            alter: |pack| {
                shown(pack, |log| {
                    let signer = &story().hosts.web.signer;
                    log.append_own(|previous| enrolment(HostId::new("ghost").unwrap(), signer, previous));
                });
            },
        },
        Case {
            name: "a revocation of a key that is not there",
            what: "revokes key",
            place: "statements/collector.jsonl line 8",
            alter: |pack| {
                shown(pack, |log| {
                    let host = story().hosts.web.id.clone();
                    let keyid = stranger().public_key().id();
                    log.append_own(|previous| Statement {
                        subject: vec![Subject {
                            name: host.to_string(),
                            digest: keyid.0,
                        }],
                        predicate: Predicate::Revocation(Revocation {
                            previous,
                            host,
                            keyid,
                            reason: "none".to_owned(),
                            at: afterwards(),
                        }),
                    });
                });
            },
        },
        Case {
            name: "a second opening",
            what: "opens the log a second time",
            place: "statements/collector.jsonl line 8",
            alter: |pack| {
                shown(pack, |log| {
                    let opening = log.0[0].clone();
                    log.0.push(opening);
                });
            },
        },
        Case {
            name: "rules without a rule come into force, and the results stay",
            what: "not among the rules in force",
            place: "rules/accounts-superuser-is-root-alone.yaml",
            alter: |pack| {
                shown(pack, |log| {
                    let (mut subject, rules) = rules(log);
                    subject.retain(|subject| !subject.name.contains("superuser"));
                    log.append_own(|previous| in_force(subject, RuleSetInForce { previous, ..rules }));
                });
            },
        },
        Case {
            name: "statements speak longer, and the results stay",
            what: "judging again",
            place: "results/",
            alter: |pack| {
                shown(pack, |log| {
                    let (subject, mut rules) = rules(log);
                    rules.freshness_seconds *= 10;
                    log.append_own(|previous| in_force(subject, RuleSetInForce { previous, ..rules }));
                });
            },
        },
    ]);
}

/// The rule set in force.
fn rules(log: &Log) -> (Vec<Subject>, RuleSetInForce) {
    let Statement { subject, predicate } =
        statement(&log.0[log.position(|entry| matches!(entry.predicate, Predicate::Rules(_)))]);
    match predicate {
        Predicate::Rules(rules) => (subject, rules),
        other => panic!("{other:?}"),
    }
}

fn in_force(subject: Vec<Subject>, rules: RuleSetInForce) -> Statement {
    Statement {
        subject,
        predicate: Predicate::Rules(rules),
    }
}

fn enrolment(host: HostId, signer: &evidence::aws_lc::Ed25519Signer, previous: evidence::Digest) -> Statement {
    let statement_key = signer.public_key().clone();
    Statement {
        subject: vec![Subject {
            name: host.to_string(),
            digest: statement_key.id().0,
        }],
        predicate: Predicate::Enrolment(Enrolment {
            previous,
            host,
            name: "ghost".to_owned(),
            statement_key,
            token: "AAAAAAAAAAA".to_owned(),
            at: afterwards(),
        }),
    }
}

fn seal_as(signer: &evidence::aws_lc::Ed25519Signer, observation: Observation, manifest: evidence::Digest) -> Vec<u8> {
    let statement = Statement {
        subject: vec![Subject {
            name: "manifest".to_owned(),
            digest: manifest,
        }],
        predicate: Predicate::Observation(observation),
    };
    seal(&statement, signer).unwrap().bytes().to_vec()
}

/// The payload of one envelope with the signature of another.
fn with_signature_of(envelope: &[u8], other: &[u8]) -> Vec<u8> {
    let mut altered: serde_json::Value = serde_json::from_slice(envelope).unwrap();
    let signed: serde_json::Value = serde_json::from_slice(other).unwrap();
    altered["signatures"] = signed["signatures"].clone();
    evidence::json::canonical(&altered).unwrap()
}

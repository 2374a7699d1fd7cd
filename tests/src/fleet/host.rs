//! A host: its key, and where its statements stand.

use evidence::aws_lc::Ed25519Signer;
use evidence::envelope::{Verified, seal};
use evidence::statement::{AgentBuild, Held, HostId, Lost, Observation, Predicate, SeenCheckpoint, Statement, Subject};
use evidence::{Digest, Timestamp};

/// An enrolled host.
pub struct Host {
    /// The id that it got.
    pub id: HostId,
    /// Signs its statements.
    pub signer: Ed25519Signer,
    /// The newest checkpoint that it has verified.
    pub checkpoint: Option<SeenCheckpoint>,
    sequence: u64,
    previous: Option<Digest>,
}

impl Host {
    /// A host that has stated nothing yet.
    pub fn new(id: HostId, signer: Ed25519Signer) -> Self {
        Self {
            id,
            signer,
            checkpoint: None,
            sequence: 0,
            previous: None,
        }
    }

    /// What it would state next.
    pub fn observation(&self, at: Timestamp) -> Observation {
        let held = self.previous.map(|_| Held {
            until: at,
            collections: 12,
        });
        Observation {
            host: self.id.clone(),
            agent: AgentBuild {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                sha256: Digest::of(b"agent"),
            },
            boot_id: "00000000-0000-4000-8000-000000000000".to_owned(),
            epoch: format!("epoch of {}", self.id),
            sequence: self.sequence,
            previous: self.previous,
            observed_at: at,
            held,
            lost: None,
            checkpoint: self.checkpoint.clone(),
            alarm: None,
        }
    }

    /// Signs a statement as it is.
    pub fn seal(&self, observation: Observation, manifest: Digest) -> Verified {
        let statement = Statement {
            subject: vec![Subject {
                name: "manifest".to_owned(),
                digest: manifest,
            }],
            predicate: Predicate::Observation(observation),
        };
        seal(&statement, &self.signer).expect("a statement")
    }

    /// Makes the next statement.
    pub fn next(&mut self, at: Timestamp, manifest: Digest) -> Verified {
        let observation = self.observation(at);
        self.made(observation, manifest)
    }

    /// Makes the next statement after `count` others were dropped.
    pub fn next_after_loss(&mut self, at: Timestamp, manifest: Digest, count: u64) -> Verified {
        let from = self.sequence;
        self.sequence += count;
        let observation = Observation {
            lost: Some(Lost {
                from,
                to: from + count - 1,
                reason: "spool_full".to_owned(),
            }),
            held: None,
            ..self.observation(at)
        };
        self.made(observation, manifest)
    }

    fn made(&mut self, observation: Observation, manifest: Digest) -> Verified {
        let sealed = self.seal(observation, manifest);
        self.sequence += 1;
        self.previous = Some(sealed.digest());
        sealed
    }
}

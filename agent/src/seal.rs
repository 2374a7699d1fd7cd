//! Making statements.

use evidence::aws_lc::Ed25519Signer;
use evidence::checkpoint::SignedCheckpoint;
use evidence::envelope::{self, EnvelopeError};
use evidence::statement::{
    AgentBuild, Alarm, Held, HostId, Observation, Predicate, SeenCheckpoint, Statement, Subject,
};
use evidence::{Digest, Timestamp};

use crate::spool::{Record, Spool};

/// States what this host saw; fixed for the life of a process.
#[derive(Debug, Clone)]
pub struct Sealer {
    host: HostId,
    epoch: String,
    agent: AgentBuild,
    boot_id: String,
}

/// What a statement is about.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The manifest.
    pub manifest: Digest,
    /// When it was complete.
    pub observed_at: Timestamp,
    /// How long the manifest before was still seen to hold.
    pub held: Option<Held>,
    /// A proof of a dishonest log.
    pub alarm: Option<Alarm>,
}

impl Sealer {
    /// For this host, in this epoch, by this build, since this boot.
    pub const fn new(host: HostId, epoch: String, agent: AgentBuild, boot_id: String) -> Self {
        Self {
            host,
            epoch,
            agent,
            boot_id,
        }
    }

    /// The build.
    pub const fn build(&self) -> &AgentBuild {
        &self.agent
    }

    /// The next statement after those in `spool`; declares what was lost in between.
    pub fn seal(
        &self,
        sighting: Sighting,
        spool: &Spool,
        known: &SignedCheckpoint,
        signer: &Ed25519Signer,
    ) -> Result<Record, EnvelopeError> {
        let known = known.checkpoint();
        let sequence = spool.next_sequence();
        let statement = Statement {
            subject: vec![Subject {
                name: "manifest".to_owned(),
                digest: sighting.manifest,
            }],
            predicate: Predicate::Observation(Observation {
                host: self.host.clone(),
                agent: self.agent.clone(),
                boot_id: self.boot_id.clone(),
                epoch: self.epoch.clone(),
                sequence,
                previous: spool.head().map(|head| head.digest),
                observed_at: sighting.observed_at,
                held: sighting.held,
                lost: spool.lost(),
                checkpoint: Some(SeenCheckpoint {
                    origin: known.origin.clone(),
                    size: known.size,
                    root: known.root,
                }),
                alarm: sighting.alarm,
            }),
        };
        let sealed = envelope::seal(&statement, signer)?;
        Ok(Record {
            sequence,
            observed_at: sighting.observed_at,
            manifest: sighting.manifest,
            envelope: sealed.bytes().to_vec(),
        })
    }
}

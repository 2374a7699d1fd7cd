//! `affiant-agent enrol`.

use clap::Args;

use super::{Failure, StateDir, print, runtime};
use crate::clock;
use crate::enrolment::{self, Joining};
use crate::state::{State, StateError};

/// Join a collector: make keys, prove them, get a certificate.
#[derive(Debug, Args)]
pub(super) struct Enrol {
    /// The collector's address for agents, for instance https://collector.example.com:8442.
    #[arg(long, value_name = "URL")]
    collector: String,
    /// The one-time token that `affiant-collector token create` printed.
    #[arg(long, env = "AFFIANT_TOKEN", hide_env_values = true)]
    token: String,
    /// The name that the collector shows for this host; its host name if not given.
    #[arg(long)]
    name: Option<String>,
    /// Give up the present identity and take a new one. Its keys and unsent statements are kept in STATE/former-….
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    state: StateDir,
}

impl Enrol {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let joining = Joining::new(&self.collector, &self.token, self.name.clone())?;
        // All that can fail here is tried before the token is used up.
        let state = State::create(&self.state.path)?;
        let _lock = state.lock()?;
        match state.member() {
            Ok(member) if !self.again => {
                let identity = member.identity();
                return Err(StateError::Enrolled {
                    host: identity.host.to_string(),
                    collector: identity.collector.clone(),
                }
                .into());
            }
            Err(StateError::NotEnrolled { .. }) => {}
            // A damaged membership is what `--again` is for.
            Err(error) if !self.again => return Err(error.into()),
            _ => {}
        }
        let now = clock::now();
        let joined = runtime()?.block_on(enrolment::join(&joining, now))?;
        state.install(&joined.draft(), now)?;
        let (host, name) = (&joined.identity().host, &joined.identity().name);
        let (index, origin) = (joined.index(), joined.identity().log.name());
        print(&format!(
            "Enrolled as {host} ({name}) with {}.\nThe enrolment is entry {index} of the log {origin}; its receipt was \
             verified and is kept in {}.\nStart the service: systemctl start affiant-agent\n",
            joined.identity().collector,
            state.path().join("member/enrolment.receipt").display(),
        ))
    }
}

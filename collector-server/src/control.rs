//! The command line's way to a running server: a socket in the data directory, one JSON object per line.
//!
//! Only one process writes the log. A command that has to write asks the server if one runs, and is itself the writer if
//! none does: [`Operator`] decides which. The socket lies in a folder that only its owner can enter.

mod operator;
mod server;
mod socket;

use evidence::statement::HostId;
use serde::{Deserialize, Serialize};

use crate::acts::{self, PackDraft, PackIssued};
use crate::app::App;

pub use operator::{Operator, OperatorError};
pub use server::{ControlError, Socket};

/// Longest line either way: a pack statement's receipt fits many times.
const MAX_LINE: u64 = 1024 * 1024;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Revoke a host's key.
    Revoke {
        /// Whose.
        host: HostId,
        /// Why.
        reason: String,
    },
    /// State a pack.
    IssuePack(PackDraft),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Response {
    /// The key was revoked by this entry.
    Revoked {
        /// Where it is.
        index: u64,
    },
    /// The pack was stated.
    PackIssued(PackIssued),
    /// It was not done: the reason, for people.
    Refused(String),
}

/// Does what is asked.
async fn perform(app: &App, request: Request) -> Response {
    let result = match request {
        Request::Revoke { host, reason } => acts::revoke(app, host, reason)
            .await
            .map(|index| Response::Revoked { index }),
        Request::IssuePack(draft) => acts::issue_pack(app, draft).await.map(Response::PackIssued),
    };
    result.unwrap_or_else(|error| Response::Refused(crate::agents::chain(&error)))
}

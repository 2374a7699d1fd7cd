//! The command line's end.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use evidence::statement::HostId;
use thiserror::Error;

use super::socket::ShortPath;
use super::{MAX_LINE, Request, Response, perform};
use crate::acts::{PackDraft, PackIssued};
use crate::app::{App, AppError};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::data_dir::DataDir;

/// Does acts that are entries in the log, wherever the writer is.
#[derive(Debug)]
pub enum Operator {
    /// A server runs: it writes.
    Server(DataDir),
    /// None runs: this process has locked the data directory and writes.
    Direct(Arc<App>),
}

/// Why an act was not done.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// There is no collector in the data directory.
    #[error("there is no collector in {path}: start `affiant-collector serve` once, or give its directory with --data")]
    NoCollector {
        /// The directory.
        path: String,
    },
    /// The collector cannot be opened.
    #[error(transparent)]
    App(#[from] AppError),
    /// The server does not answer.
    #[error("the running server does not answer on {path}")]
    Socket {
        /// The socket.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The server answered something else than was asked.
    #[error("the running server gave an answer that does not fit; is it of another version?")]
    Answer,
    /// Refused, for this reason.
    #[error("{0}")]
    Refused(String),
    /// No runtime.
    #[error("the work could not be started")]
    Runtime(#[source] io::Error),
}

impl Operator {
    /// Finds the server, or becomes the writer.
    pub fn open(data: DataDir) -> Result<Self, OperatorError> {
        if !data.store().exists() {
            return Err(OperatorError::NoCollector {
                path: data.path().display().to_string(),
            });
        }
        match connect(&data) {
            Ok(_) => Ok(Self::Server(data)),
            Err(_) => Ok(Self::Direct(App::build(
                Config::default(),
                data,
                Arc::new(SystemClock),
            )?)),
        }
    }

    /// Revokes a host's key; returns the index of the entry.
    pub fn revoke(&self, host: HostId, reason: String) -> Result<u64, OperatorError> {
        match self.ask(Request::Revoke { host, reason })? {
            Response::Revoked { index } => Ok(index),
            Response::Refused(reason) => Err(OperatorError::Refused(reason)),
            Response::PackIssued(_) => Err(OperatorError::Answer),
        }
    }

    /// States a pack.
    pub fn issue_pack(&self, draft: PackDraft) -> Result<PackIssued, OperatorError> {
        match self.ask(Request::IssuePack(draft))? {
            Response::PackIssued(issued) => Ok(issued),
            Response::Refused(reason) => Err(OperatorError::Refused(reason)),
            Response::Revoked { .. } => Err(OperatorError::Answer),
        }
    }

    fn ask(&self, request: Request) -> Result<Response, OperatorError> {
        match self {
            Self::Direct(app) => {
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                Ok(runtime.map_err(OperatorError::Runtime)?.block_on(perform(app, request)))
            }
            Self::Server(data) => {
                let line = exchange(data, &request).map_err(|source| OperatorError::Socket {
                    path: data.control().display().to_string(),
                    source,
                })?;
                serde_json::from_str(&line).map_err(|_| OperatorError::Answer)
            }
        }
    }
}

fn connect(data: &DataDir) -> io::Result<UnixStream> {
    UnixStream::connect(ShortPath::of(&data.control())?.path())
}

fn exchange(data: &DataDir, request: &Request) -> io::Result<String> {
    let mut stream = connect(data)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut answer)?;
    Ok(answer)
}

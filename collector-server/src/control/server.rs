//! The server's end of the socket.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::socket::ShortPath;
use super::{MAX_LINE, Request, Response, perform};
use crate::app::App;
use crate::data_dir::DataDir;

/// Why the socket is not there.
#[derive(Debug, Error)]
#[error("listening on {path} failed", path = path.display())]
pub struct ControlError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The socket, bound: who connects waits until it is served.
#[derive(Debug)]
pub struct Socket(UnixListener);

impl Socket {
    /// Binds it. The data directory's lock is held, so a socket that is there already was left behind by a server that
    /// was killed.
    pub fn bind(data: &DataDir) -> Result<Self, ControlError> {
        let path = data.control();
        let bind = || {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            UnixListener::bind(ShortPath::of(&path)?.path())
        };
        bind().map(Self).map_err(|source| ControlError { path, source })
    }

    /// Answers until the future is dropped.
    pub async fn serve(self, app: Arc<App>) {
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => {
                    let app = Arc::clone(&app);
                    tokio::spawn(async move {
                        if let Err(error) = answer(&app, stream).await {
                            tracing::debug!(%error, "a control connection ended early");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a control connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn answer(app: &App, stream: UnixStream) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(MAX_LINE)).read_line(&mut line).await?;
    let response = match serde_json::from_str::<Request>(&line) {
        Ok(request) => perform(app, request).await,
        Err(error) => Response::Refused(format!("the server does not know this request: {error}")),
    };
    let mut line = serde_json::to_vec(&response)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.shutdown().await
}

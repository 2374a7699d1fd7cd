//! The server's end of the socket.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::socket::ShortPath;
use super::{MAX_LINE, Request, Response, perform};
use crate::app::App;

/// Why the socket is not there.
#[derive(Debug, Error)]
#[error("listening on {path} failed", path = path.display())]
pub struct ControlError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Listens until the returned future is dropped. The data directory's lock is held, so a socket that is there already
/// was left behind by a server that was killed.
pub fn listen(app: Arc<App>) -> Result<impl Future<Output = ()>, ControlError> {
    let path = app.data.control();
    let failed = |source| ControlError {
        path: path.clone(),
        source,
    };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let short = ShortPath::of(&path).map_err(failed)?;
    let listener = UnixListener::bind(short.path()).map_err(failed)?;
    Ok(async move {
        loop {
            match listener.accept().await {
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
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    })
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

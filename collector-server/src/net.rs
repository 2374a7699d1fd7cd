//! Listening: TLS, limits, deadlines, graceful end. Both listeners use it.
//!
//! A connection costs a place among `connections` from its first packet on. Its handshake runs in a task of its own,
//! behind a second limit and a deadline, so that a client that is slow to greet keeps nobody waiting. A peer without a
//! certificate must send its request soon; one with a certificate may keep its connection between check-ins, until three
//! quarters of the places are taken: from then on answers close their connection.

mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::ca::{ClientIdentity, client_identity};

pub use tls::{TlsError, agents_tls, copy_identity, people_tls};

/// Handshakes at once: each costs about a millisecond of CPU, so that more would only wait.
const HANDSHAKES: usize = 256;
/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A peer without certificate sends its (next) request within this time.
const STRANGER: Duration = Duration::from_secs(15);
/// A peer with one: longer than a check-in interval.
const MEMBER: Duration = Duration::from_mins(20);
/// A browser's idle connection.
const BROWSER: Duration = Duration::from_mins(2);
/// Requests under way may take this long when the server ends.
const GRACE: Duration = Duration::from_secs(10);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub struct Peer {
    /// From where.
    pub address: SocketAddr,
    /// Its verified client certificate, if it gave one.
    pub identity: Option<ClientIdentity>,
}

/// Whom a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// HTTP/1.1 over TLS.
    Agents,
    /// HTTP/1.1 and HTTP/2, over TLS or (on loopback) not.
    People,
}

/// What one listener serves.
pub struct Server {
    /// For whom.
    pub audience: Audience,
    /// Without it, plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// What answers.
    pub router: Router,
    /// Connections at once.
    pub connections: usize,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({:?})", self.audience)
    }
}

/// Serves until `ending` turns true, then lets requests under way finish.
pub async fn serve(server: Server, listener: TcpListener, mut ending: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(server.connections));
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let server = Arc::new(server);
    let all = u32::try_from(server.connections).unwrap_or(u32::MAX);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = ending.wait_for(|ending| *ending) => break,
        };
        let Some((stream, address, place)) = accepted else {
            continue;
        };
        let connection = Connection {
            server: Arc::clone(&server),
            places: Arc::clone(&places),
            ending: ending.clone(),
            _place: place,
        };
        let handshakes = Arc::clone(&handshakes);
        tokio::spawn(async move { connection.run(stream, address, &handshakes).await });
    }
    drop(listener);
    // Every place is free again when every connection has ended.
    if timeout(GRACE, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some connections were cut off at the end");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, place)),
        Err(error) => {
            // Out of file descriptors, mostly: connections that end will free some.
            tracing::warn!(%error, "a connection was not accepted");
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

struct Connection {
    server: Arc<Server>,
    places: Arc<Semaphore>,
    ending: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, stream: TcpStream, address: SocketAddr, handshakes: &Semaphore) {
        // Answers are one small write each; waiting for more to send would only delay them.
        drop(stream.set_nodelay(true));
        let Some(tls) = &self.server.tls else {
            return self
                .http(
                    stream,
                    Peer {
                        address,
                        identity: None,
                    },
                )
                .await;
        };
        let stream = {
            let Ok(_turn) = handshakes.acquire().await else { return };
            match timeout(HANDSHAKE, tls.accept(stream)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return tracing::debug!(%address, %error, "a handshake failed"),
                Err(_) => return tracing::debug!(%address, "a handshake took too long"),
            }
        };
        let certificates = stream.get_ref().1.peer_certificates();
        let identity = certificates.and_then(|chain| chain.first()).and_then(client_identity);
        self.http(stream, Peer { address, identity }).await;
    }

    async fn http(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let idle = match (self.server.audience, &peer.identity) {
            (Audience::People, _) => BROWSER,
            (Audience::Agents, Some(_)) => MEMBER,
            (Audience::Agents, None) => STRANGER,
        };
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(idle);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(BROWSER);
        if self.server.audience == Audience::Agents {
            builder = builder.http1_only();
        }
        let (peer, router, places) = (Arc::new(peer), self.server.router.clone(), Arc::clone(&self.places));
        let few = self.server.connections / 4;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::clone(&peer));
            let (router, places, version) = (router.clone(), Arc::clone(&places), request.version());
            async move {
                let mut response = router.oneshot(request.map(Body::new)).await?;
                if places.available_permits() < few && version <= Version::HTTP_11 {
                    response
                        .headers_mut()
                        .insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            // An error here is a client that went away or did not speak HTTP.
            _ = connection.as_mut() => return,
            _ = self.ending.wait_for(|ending| *ending) => connection.as_mut().graceful_shutdown(),
        }
        drop(connection.await);
    }
}

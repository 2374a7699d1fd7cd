//! The server: both listeners, the control socket and what runs beside them, from start to signal.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::ca::AuthorityError;
use crate::control::{ControlError, Socket};
use crate::data_dir::DataDirError;
use crate::index::Follower;
use crate::net::{self, Audience, Server, TlsError, agents_tls, people_tls};
use crate::web::people::PeopleError;
use crate::{agents, web};

/// Contacts are written down this often.
const CONTACTS: Duration = Duration::from_secs(10);

/// Why the server does not start, or why it ended by itself.
#[derive(Debug, Error)]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error(
        "listening on {address} for {audience} failed; is another collector running, or the address not this machine's?"
    )]
    Listen {
        /// From the configuration.
        address: SocketAddr,
        /// `agents` or `people`.
        audience: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The server certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Files of the running server.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Accounts and sessions.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// Signals cannot be waited for.
    #[error("signals cannot be waited for")]
    Signal(#[source] io::Error),
    /// The index's thread.
    #[error("the index cannot be followed")]
    Index(#[source] io::Error),
    /// The log's writer stopped after a failure: what it logged says why.
    #[error("the log is closed for writing after a failure; the server ends so that starting again settles it")]
    LogStopped,
}

/// Listeners that are bound, and nothing served yet.
pub struct Bound {
    agents: (TcpListener, Server),
    people: (TcpListener, Server),
    control: Socket,
    /// Where agents reach it.
    pub agents_address: SocketAddr,
    /// Where people reach it.
    pub people_address: SocketAddr,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bound({}, {})", self.agents_address, self.people_address)
    }
}

/// The machine's host name (uname(2)).
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Names and addresses for the server certificate, each once.
fn names(app: &App) -> Vec<String> {
    let mut names = app.config.names.clone();
    names.push(host_name());
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    for listen in [app.config.agents.listen, app.config.people.listen] {
        if !listen.ip().is_unspecified() {
            names.push(listen.ip().to_string());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}

/// The URL for enrolment commands.
fn agents_url(app: &App, address: SocketAddr) -> String {
    if let Some(url) = &app.config.agents.url {
        return url.clone();
    }
    let listen = app.config.agents.listen.ip();
    let name = match app.config.names.first() {
        Some(name) => name.clone(),
        None if listen.is_unspecified() => host_name(),
        None => listen.to_string(),
    };
    let name = if name.contains(':') { format!("[{name}]") } else { name };
    format!("https://{name}:{}", address.port())
}

async fn bind(address: SocketAddr, audience: &'static str) -> Result<(TcpListener, SocketAddr), ServeError> {
    let listen = async {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listen.await.map_err(|source| ServeError::Listen {
        address,
        audience,
        source,
    })
}

/// Binds both listeners and the control socket, and leaves the addresses in `run/`.
pub async fn bind_all(app: &Arc<App>) -> Result<Bound, ServeError> {
    let identity = app.authority.server(&names(app), app.clock.now())?;
    let people_identity = net::copy_identity(&identity);
    let (agents_listener, agents_address) = bind(app.config.agents.listen, "agents").await?;
    let (people_listener, people_address) = bind(app.config.people.listen, "people").await?;
    let agents = Server {
        audience: Audience::Agents,
        tls: Some(agents_tls(&app.authority, identity)?),
        router: agents::router(app),
        connections: app.config.agents.connections,
    };
    let people = Server {
        audience: Audience::People,
        tls: if app.config.people.tls {
            Some(people_tls(people_identity)?)
        } else {
            None
        },
        router: web::router(app)?,
        connections: app.config.people.connections,
    };
    let control = Socket::bind(&app.data)?;
    app.data
        .write("run/agents.addr", format!("{agents_address}\n").as_bytes())?;
    app.data
        .write("run/people.addr", format!("{people_address}\n").as_bytes())?;
    app.data.write(
        "run/agents.url",
        format!("{}\n", agents_url(app, agents_address)).as_bytes(),
    )?;
    Ok(Bound {
        agents: (agents_listener, agents),
        people: (people_listener, people),
        control,
        agents_address,
        people_address,
    })
}

/// Serves until `ending` turns true or the log stops.
pub async fn run(app: Arc<App>, bound: Bound, ending: watch::Sender<bool>) -> Result<(), ServeError> {
    let control = tokio::spawn(bound.control.serve(Arc::clone(&app)));
    let mut tasks = JoinSet::new();
    for (listener, server) in [bound.agents, bound.people] {
        tasks.spawn(net::serve(server, listener, ending.subscribe()));
    }
    let contacts = tokio::spawn(write_contacts(Arc::clone(&app)));
    let (store, clock) = (Arc::clone(&app.store), Arc::clone(&app.clock));
    let follower = Follower::start(app.data.index(), store, clock, app.log.grown()).map_err(ServeError::Index)?;
    let mut grown = app.log.grown();
    let mut ended = ending.subscribe();
    let result = tokio::select! {
        _ = ended.wait_for(|ending| *ending) => Ok(()),
        () = async { while grown.changed().await.is_ok() {} } => Err(ServeError::LogStopped),
    };
    ending.send_replace(true);
    while tasks.join_next().await.is_some() {}
    for task in [control, contacts] {
        task.abort();
        // Cancelled is how it is meant to end.
        drop(task.await);
    }
    if let Err(error) = app.contacts.write(&app.log).await {
        tracing::warn!(%error, "the last check-ins were not written down");
    }
    for name in ["run/control.sock", "run/agents.addr", "run/people.addr"] {
        // One that is missing is as good as removed.
        drop(std::fs::remove_file(app.data.file(name)));
    }
    // Waits for the transaction that it is in.
    drop(tokio::task::spawn_blocking(move || drop(follower)).await);
    result
}

async fn write_contacts(app: Arc<App>) {
    let mut tick = tokio::time::interval(CONTACTS);
    loop {
        tick.tick().await;
        if let Err(error) = app.contacts.write(&app.log).await {
            tracing::warn!(%error, "check-ins were not written down");
        }
    }
}

/// The signals that ask the process to end. From when this is made on they do not end it by themselves.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes them over; needs a runtime.
    pub fn take() -> Result<Self, ServeError> {
        let take = |kind| signal(kind).map_err(ServeError::Signal);
        Ok(Self {
            terminate: take(SignalKind::terminate())?,
            interrupt: take(SignalKind::interrupt())?,
        })
    }

    /// Turns `ending` true when one arrives.
    pub async fn end(mut self, ending: watch::Sender<bool>) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("ending");
        ending.send_replace(true);
    }
}

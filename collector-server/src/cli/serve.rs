//! `serve`

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::app::App;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::serve;
use crate::web::people::{ADMIN, Password, People};

/// Run the collector
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The configuration file (TOML); defaults hold without it
    #[arg(long, env = "AFFIANT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen here for agents, whatever the configuration says; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    agents: Option<SocketAddr>,
    /// Listen here for people, whatever the configuration says; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    people: Option<SocketAddr>,
    /// Serve people over plain HTTP; only on a loopback address
    #[arg(long)]
    people_plain: bool,
}

impl Serve {
    fn config(&self) -> Result<Config, anyhow::Error> {
        let mut config = match &self.config {
            Some(path) => Config::load(path)?,
            None => Config::default(),
        };
        config.agents.listen = self.agents.unwrap_or(config.agents.listen);
        config.people.listen = self.people.unwrap_or(config.people.listen);
        config.people.tls &= !self.people_plain;
        config.check()?;
        Ok(config)
    }

    pub(super) fn run(self, data: DataDir) -> Result<ExitCode, anyhow::Error> {
        let config = self.config()?;
        raise_file_limit();
        let app = App::build(config, data, Arc::new(SystemClock))?;
        app.bring_rules_into_force()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(app))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(app: Arc<App>) -> Result<(), anyhow::Error> {
    let bound = serve::bind_all(&app).await?;
    // Only now, so that a password is not made and then never shown.
    let password = People::open(&app.data)?.first(app.clock.now())?;
    let (ending, _) = watch::channel(false);
    let signals = tokio::spawn(serve::Signals::take()?.end(ending.clone()));
    announce(&app, &bound, password.as_ref());
    let watchdog = tokio::spawn(feed_watchdog(Arc::clone(&app)));
    let result = serve::run(app, bound, ending).await;
    drop(sd_notify::notify(&[NotifyState::Stopping]));
    watchdog.abort();
    signals.abort();
    Ok(result?)
}

/// Says on the standard output what the person who starts it wants to know. If nobody reads it, it serves all the same.
fn announce(app: &App, bound: &serve::Bound, password: Option<&Password>) {
    let scheme = if app.config.people.tls { "https" } else { "http" };
    let size = *app.log.grown().borrow();
    let version = env!("CARGO_PKG_VERSION");
    let (data, origin) = (app.data.path().display(), app.log.key().name());
    let (agents, people) = (bound.agents_address, bound.people_address);
    let mut text = format!(
        "affiant-collector {version}\n  data    {data}\n  log     {origin}, {size} entries\n  agents  https://{agents}\n  people  \
         {scheme}://{people}\n"
    );
    if let Some(password) = password {
        text.push_str(&format!(
            "  login   {ADMIN}, password {} (shown this once)\n",
            password.reveal()
        ));
    }
    drop(std::io::stdout().write_all(text.as_bytes()));
    tracing::info!(agents = %bound.agents_address, people = %bound.people_address, size, "serving");
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        tracing::warn!(%error, "systemd was not told that the server is ready");
    }
}

/// Tells systemd that the server lives: only after the log's writer has answered.
async fn feed_watchdog(app: Arc<App>) {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut tick = tokio::time::interval(interval / 3);
    loop {
        tick.tick().await;
        match app.log.write(|batch| Ok(batch.size())).await {
            Ok(_) => drop(sd_notify::notify(&[NotifyState::Watchdog])),
            Err(error) => tracing::warn!(%error, "the log's writer does not answer"),
        }
    }
}

/// Every connection is a file descriptor; the usual soft limit of 1,024 is meant for select(2).
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files was not raised");
    }
}

//! A server in this process, on free ports of loopback, with a clock that the test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use affiant_collector::app::App;
use affiant_collector::clock::Clock;
use affiant_collector::config::Config;
use affiant_collector::data_dir::DataDir;
use affiant_collector::serve::{self, Bound};
use affiant_collector::store::{Sqlite, Store as _};
use affiant_collector::token;
use evidence::Timestamp;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// 2026-11-24T12:00:00Z, moved by the test. Certificates are checked against the real clock, so it must be near.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub(crate) struct TestServer {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) address: std::net::SocketAddr,
    ending: watch::Sender<bool>,
    task: JoinHandle<()>,
    pub(crate) folder: TempDir,
}

fn start(folder: &TempDir, clock: &Arc<TestClock>) -> Arc<App> {
    let mut config = Config::default();
    config.agents.listen = "127.0.0.1:0".parse().unwrap();
    config.people.listen = "127.0.0.1:0".parse().unwrap();
    let data = DataDir::new(folder.path());
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(clock);
    let app = App::build(config, data, clock).unwrap();
    app.bring_rules_into_force().unwrap();
    app
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        let now = affiant_collector::clock::SystemClock.now().unix();
        Self::restart(tempfile::tempdir().unwrap(), Arc::new(TestClock(AtomicI64::new(now)))).await
    }

    pub(crate) async fn restart(folder: TempDir, clock: Arc<TestClock>) -> Self {
        let (opened, app_clock) = (folder.path().to_owned(), Arc::clone(&clock));
        let (folder, app) = tokio::task::spawn_blocking(move || {
            let app = start(&folder, &app_clock);
            (folder, app)
        })
        .await
        .unwrap();
        assert_eq!(opened, folder.path());
        let (ending, _) = watch::channel(false);
        let bound: Bound = serve::bind_all(&app).await.unwrap();
        let address = bound.agents_address;
        let running = serve::run(Arc::clone(&app), bound, ending.clone());
        let task = tokio::spawn(async move { running.await.unwrap() });
        Self {
            app,
            clock,
            address,
            ending,
            task,
            folder,
        }
    }

    /// Ends the server and lets go of the data directory.
    pub(crate) async fn end(self) -> (TempDir, Arc<TestClock>) {
        self.ending.send_replace(true);
        self.task.await.unwrap();
        let app = self.app;
        tokio::task::spawn_blocking(move || {
            assert_eq!(Arc::strong_count(&app), 1, "somebody still holds the collector");
            drop(app);
        })
        .await
        .unwrap();
        (self.folder, self.clock)
    }

    /// A token, made as the command line makes it: through the file, beside the server.
    pub(crate) fn token(&self, seconds: i64) -> String {
        let made = token::make(self.app.authority.key(), self.clock.now(), seconds).unwrap();
        let store = Sqlite::open(&self.app.data.store()).unwrap();
        store
            .commit(&mut |transaction| transaction.put_token(&made.record))
            .unwrap();
        made.token.to_string()
    }
}

//! A collector put together: what the listeners, the command line, the index and the packs share.

use std::sync::Arc;

use evidence::aws_lc::Ed25519Signer;
use thiserror::Error;

use crate::ca::{Authority, AuthorityError};
use crate::clock::{Clock, NoRandomness};
use crate::config::Config;
use crate::contacts::Contacts;
use crate::data_dir::{DataDir, DataDirError, Lock};
use crate::index::Index;
use crate::ingest::Ingest;
use crate::keys::{self, KeysError};
use crate::log::{Log, LogError};
use crate::opening::{self, OpeningError};
use crate::query::Query;
use crate::rules::{Rules, RulesError};
use crate::store::{Sqlite, Store, StoreError};

/// A collector with its data directory locked and its log open for writing.
pub struct App {
    /// How it is set up.
    pub config: Config,
    /// Where it lives.
    pub data: DataDir,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names hosts.
    pub authority: Authority,
    /// Signs the collector's own entries.
    pub statement_key: Arc<Ed25519Signer>,
    /// What it keeps.
    pub store: Arc<dyn Store>,
    /// The log.
    pub log: Log,
    /// The rules of this configuration; in force once [`App::bring_rules_into_force`] was called.
    pub rules: Rules,
    /// Answers questions out of the index.
    pub query: Query,
    /// Who checked in last.
    pub contacts: Contacts,
    /// Takes statements in.
    pub ingest: Ingest,
    /// Declared last: released when all else is closed.
    _lock: Lock,
}

/// Why a collector cannot be put together.
#[derive(Debug, Error)]
pub enum AppError {
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The CA.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The store.
    #[error("the store in the data directory")]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The first entries.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The rules.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl App {
    /// Locks the data directory, makes in it what a first start needs, opens the log. Blocks.
    pub fn build(config: Config, data: DataDir, clock: Arc<dyn Clock>) -> Result<Arc<Self>, AppError> {
        data.create()?;
        let lock = data.lock()?;
        let rules = Rules::load(config.rules.as_deref())?.with_scope(config.scope.as_deref())?;
        let now = clock.now();
        let authority = Authority::load(&data, now)?;
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&data.store())?);
        let fresh = store.size()? == 0;
        let log_key = keys::load(&data, keys::LOG, fresh)?;
        let statement_key = Arc::new(keys::load(&data, keys::STATEMENT, fresh)?);
        let opening = opening::read(store.as_ref(), &log_key, &statement_key)?;
        let origin = match (&opening, &config.origin) {
            (Some(opening), _) => opening.origin.clone(),
            (None, Some(origin)) => origin.clone(),
            (None, None) => opening::origin()?,
        };
        let log = Log::open(Arc::clone(&store), &origin, log_key)?;
        if opening.is_none() {
            opening::open(&log, &statement_key, now)?;
        }
        Ok(Arc::new(Self {
            contacts: Contacts::load(store.as_ref())?,
            ingest: Ingest::new(Arc::clone(&store)),
            query: Query::new(Index::new(&data.index(), Arc::clone(&store)), Arc::clone(&clock)),
            config,
            data,
            clock,
            authority,
            statement_key,
            store,
            log,
            rules,
            _lock: lock,
        }))
    }

    /// Says in the log that this configuration's rules are in force, if they are not yet. A server does so at its start; a
    /// command that opens the log for one act leaves the rules alone. Blocks.
    pub fn bring_rules_into_force(&self) -> Result<(), AppError> {
        let freshness = self.config.freshness_seconds;
        let (store, log, now) = (self.store.as_ref(), &self.log, self.clock.now());
        opening::bring_rules_into_force(store, log, &self.statement_key, &self.rules, freshness, now)?;
        Ok(())
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.data.path().display())
    }
}

//! A collector in this process and hosts whose statements it takes in: what a server does, without the network, on a
//! clock that the test sets.

pub mod host;
pub mod root;
pub mod story;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use affiant_collector::acts;
use affiant_collector::app::App;
use affiant_collector::clock::Clock;
use affiant_collector::config::Config;
use affiant_collector::data_dir::DataDir;
use affiant_collector::keys;
use affiant_collector::log::Tiles;
use affiant_collector::opening::trust_file;
use affiant_collector::pack::{self, PackError, Request, Written};
use affiant_collector::{enrol, ingest, token};
use affiant_verify::trust::Trust;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::checkpoint::SignedCheckpoint;
use evidence::envelope::{Unverified, Verified};
use evidence::key::Signer as _;
use evidence::manifest::Manifest;
use evidence::statement::{Predicate, SeenCheckpoint};
use evidence::wire::{Delivered, EnrolRequest, proof_message};
use evidence::{Digest, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use tokio::runtime::{Builder, Runtime};

use host::Host;
use root::Documents;

/// A clock that stands still until it is moved.
#[derive(Debug)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst)).expect("a time in range")
    }
}

/// A collector in a folder of its own.
pub struct Fleet {
    app: Arc<App>,
    clock: Arc<SetClock>,
    runtime: Runtime,
}

impl Fleet {
    /// Opens a log in `folder` and brings the built-in rules into force.
    pub fn open(folder: &Path, at: Timestamp) -> Self {
        let clock = Arc::new(SetClock(AtomicI64::new(at.unix())));
        let config = Config {
            origin: Some("tests.example/log".to_owned()),
            ..Config::default()
        };
        let app = App::build(
            config,
            DataDir::new(folder),
            Arc::<SetClock>::clone(&clock) as Arc<dyn Clock>,
        )
        .expect("a collector");
        app.bring_rules_into_force().expect("rules in force");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { app, clock, runtime }
    }

    /// The collector.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Sets the clock.
    pub fn set_time(&self, at: Timestamp) {
        self.clock.0.store(at.unix(), Ordering::SeqCst);
    }

    /// What an auditor was told by another way than the pack.
    pub fn trust(&self) -> Trust {
        self.trust_file().parse().expect("a trust file")
    }

    /// The same, as `affiant-collector trust` prints it.
    pub fn trust_file(&self) -> String {
        let entry = self.app.store.entry(0).expect("a store").expect("an opening");
        let opening = Unverified::from_bytes(&entry).expect("an envelope").claimed();
        let Predicate::Log(opening) = opening.expect("a statement").predicate else {
            panic!("entry 0 is not the log's opening");
        };
        trust_file(opening).expect("an origin")
    }

    /// The keys of the log and of the collector: what a dishonest collector signs with.
    pub fn keys(&self) -> [Ed25519Signer; 2] {
        [keys::LOG, keys::STATEMENT].map(|file| keys::load(&self.app.data, file, false).expect("a key"))
    }

    /// Every entry of the log.
    pub fn entries(&self) -> Vec<Vec<u8>> {
        let size = self.app.store.size().expect("a size");
        let size = usize::try_from(size).expect("a small log");
        let entries = self.app.store.entries(0, size).expect("entries");
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Enrols a host with a token, a certificate request and a proof of possession.
    pub fn enrol(&self, name: &str, signer: Ed25519Signer) -> Host {
        let made = token::make(self.app.authority.key(), self.app.clock.now(), 60).expect("a token");
        let record = made.record;
        self.app
            .log
            .write_blocking(move |batch| batch.store().put_token(&record))
            .expect("a stored token");
        let request = CertificateParams::default().serialize_request(&KeyPair::generate().expect("a key"));
        let tls_request = request.expect("a request").pem().expect("PEM");
        let statement_key = signer.public_key().clone();
        let message = proof_message(&made.token, &tls_request, statement_key.id());
        let request = EnrolRequest {
            token: made.token.to_string(),
            name: name.to_owned(),
            tls_request,
            statement_key,
            proof: STANDARD.encode(signer.sign(&message).expect("a signature").0),
        };
        let enrolled = self
            .runtime
            .block_on(enrol::enrol(&self.app, request))
            .expect("an enrolment");
        Host::new(enrolled.host, signer)
    }

    /// Stores facts documents; the digest of their manifest.
    pub fn put(&self, documents: &Documents) -> Digest {
        let named = documents
            .iter()
            .map(|(probe, bytes)| (probe.clone(), Digest::of(bytes)));
        let manifest = Manifest::new(named).to_bytes();
        let digest = Digest::of(&manifest);
        self.runtime.block_on(async {
            let missing = ingest::put_manifest(&self.app, digest, manifest).await;
            let missing = missing.expect("a stored manifest");
            for bytes in documents.values().filter(|bytes| missing.contains(&Digest::of(bytes))) {
                let stored = ingest::put_facts(&self.app, Digest::of(bytes), bytes.clone()).await;
                stored.expect("stored facts");
            }
        });
        digest
    }

    /// Delivers statements of one host in their order; they must be accepted. The host then swears to the checkpoint
    /// that it was shown.
    pub fn deliver(&self, host: &mut Host, statements: &[Verified]) -> u64 {
        let lines = statements
            .iter()
            .map(|statement| statement.bytes().to_vec().into())
            .collect();
        let known = host.checkpoint.as_ref().map_or(0, |seen| seen.size);
        let answer = self
            .runtime
            .block_on(ingest::deliver(&self.app, host.id.clone(), lines, known))
            .expect("an answer");
        let note = answer
            .checkpoint
            .unwrap_or_else(|| panic!("not taken: {:?}", answer.results));
        let signed = SignedCheckpoint::verify(&note, self.app.log.key(), &AwsLc).expect("a checkpoint");
        let head = signed.checkpoint();
        host.checkpoint = Some(SeenCheckpoint {
            origin: head.origin.clone(),
            size: head.size,
            root: head.root,
        });
        assert_eq!(answer.results.len(), statements.len(), "{:?}", answer.results);
        match answer.results.last() {
            Some(Delivered::Accepted { index, .. }) => *index,
            other => panic!("not taken: {other:?}"),
        }
    }

    /// One statement, at the clock's time.
    pub fn state(&self, host: &mut Host, manifest: Digest) -> u64 {
        let statement = host.next(self.app.clock.now(), manifest);
        self.deliver(host, &[statement])
    }

    /// Revokes a host's key.
    pub fn revoke(&self, host: &Host, reason: &str) -> u64 {
        self.runtime
            .block_on(acts::revoke(&self.app, host.id.clone(), reason.to_owned()))
            .expect("a revocation")
    }

    /// Writes a pack of `[from, to)` to `output` and issues it.
    pub fn pack(&self, (from, to): (Timestamp, Timestamp), output: &Path) -> Written {
        let request = Request {
            from,
            to,
            catalogue: controls::catalogue::DEFAULT.to_owned(),
        };
        let tiles = Tiles::new(Arc::clone(&self.app.store));
        let issue = |draft| {
            let issued = self.runtime.block_on(acts::issue_pack(&self.app, draft));
            issued.map_err(|error| PackError::Issue(error.to_string()))
        };
        pack::write(
            self.app.store.as_ref(),
            &tiles,
            &request,
            output,
            &mut |_, _, _| {},
            issue,
        )
        .expect("a pack")
    }
}

//! The server in its process, and the agents that keep it busy.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use affiant_collector::app::App;
use affiant_collector::clock::{Clock as _, SystemClock};
use affiant_collector::config::Config;
use affiant_collector::data_dir::DataDir;
use affiant_collector::store::{Sqlite, Store as _};
use affiant_collector::{serve, token};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::Digest;
use evidence::aws_lc::Ed25519Signer;
use evidence::envelope::seal;
use evidence::facts::{FactsDocument, Outcome, ProbeId};
use evidence::key::Signer as _;
use evidence::manifest::Manifest;
use evidence::statement::{AgentBuild, Held, Observation, Predicate, SeenCheckpoint, Statement, Subject};
use evidence::wire::{DeliverResponse, Delivered, EnrolRequest, EnrolResponse, proof_message};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::watch;

use super::Options;
use super::floor::Floor;

/// What was measured.
pub(super) struct Measured {
    statements: usize,
    elapsed: Duration,
    server_cpu: Duration,
    index_cpu: Duration,
    stored: u64,
    pub(super) request_bytes: usize,
    pub(super) response_bytes: usize,
    pub(super) batch: usize,
    /// Statements that share one commit, on average.
    pub(super) group: usize,
}

impl Measured {
    pub(super) fn print(&self, floor: &Floor) {
        let each = |whole: Duration| whole.as_secs_f64() * 1e6 / self.statements as f64;
        let cost = each(self.server_cpu);
        println!(
            "{:.0} statements/s, durable",
            self.statements as f64 / self.elapsed.as_secs_f64()
        );
        println!(
            "{cost:.0} µs of server CPU per statement, and {:.0} µs for the index",
            each(self.index_cpu)
        );
        println!(
            "floor {:.0} µs: TLS records {:.1}, signature check {:.1}, fsync share {:.1} ({} to a commit)",
            floor.total(),
            floor.tls,
            floor.signature,
            floor.fsync,
            self.group
        );
        println!("ratio {:.2}", cost / floor.total());
        println!(
            "{} bytes stored per statement, bundles sealed",
            self.stored / self.statements as u64
        );
        println!(
            "{} bytes of request, {} of answer per statement",
            self.request_bytes, self.response_bytes
        );
    }
}

/// The server's process.
pub(super) fn serve(folder: PathBuf) {
    let mut config = Config::default();
    config.agents.listen = "127.0.0.1:0".parse().unwrap();
    config.people.listen = "127.0.0.1:0".parse().unwrap();
    let app = App::build(config, DataDir::new(folder), Arc::new(SystemClock)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let bound = serve::bind_all(&app).await.unwrap();
        println!("{}", bound.agents_address);
        let (ending, _) = watch::channel(false);
        tokio::spawn(serve::Signals::take().unwrap().end(ending.clone()));
        serve::run(Arc::clone(&app), bound, ending).await.unwrap();
    });
    println!("{}", app.log.commits());
}

struct Server(Child, BufReader<std::process::ChildStdout>);

impl Server {
    fn start(data: &Path) -> (Self, String) {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program)
            .arg("--serve")
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        (Self(child, output), line.trim().to_owned())
    }

    /// User and system time so far of the threads that take statements in, and of the index's.
    fn cpu(&self) -> (Duration, Duration) {
        let (mut ingest, mut index) = (Duration::ZERO, Duration::ZERO);
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap() {
            // proc_pid_stat(5): the name in brackets, then fields 3 and up; 14 and 15 are hundredths of a second.
            let Ok(stat) = std::fs::read_to_string(thread.unwrap().path().join("stat")) else {
                continue;
            };
            let (name, fields) = stat.rsplit_once(") ").unwrap();
            let fields: Vec<_> = fields.split(' ').collect();
            let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
            let counted = if name.ends_with("(index") {
                &mut index
            } else {
                &mut ingest
            };
            *counted += Duration::from_millis(ticks * 10);
        }
        (ingest, index)
    }

    /// Ends it; returns how many transactions it committed.
    fn end(mut self) -> u64 {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        assert!(self.0.wait().unwrap().success());
        line.trim().parse().unwrap()
    }
}

struct Agent {
    client: reqwest::Client,
    url: String,
    requests: Vec<Vec<u8>>,
}

fn client(ca: &str, identity: Option<(&str, &KeyPair)>) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    reqwest::Client::builder()
        .use_preconfigured_tls(config)
        .build()
        .unwrap()
}

/// Enrols, stores facts, and signs all that it will send.
async fn prepare(number: usize, address: &str, data: &DataDir, options: &Options) -> Agent {
    let ca = std::fs::read_to_string(data.ca()).unwrap();
    let (_, parsed) = x509_parser::pem::parse_x509_pem(ca.as_bytes()).unwrap();
    let key = Digest::of(parsed.parse_x509().unwrap().public_key().raw);
    let made = token::make(key, SystemClock.now(), 600).unwrap();
    let record = made.record.clone();
    Sqlite::open(&data.store())
        .unwrap()
        .commit(&mut |transaction| transaction.put_token(&record))
        .unwrap();
    let signer = Ed25519Signer::from_seed(Digest::of(&number.to_be_bytes()).as_bytes()).unwrap();
    let tls = KeyPair::generate().unwrap();
    let tls_request = CertificateParams::default()
        .serialize_request(&tls)
        .unwrap()
        .pem()
        .unwrap();
    let statement_key = signer.public_key().clone();
    let proof = signer
        .sign(&proof_message(&made.token, &tls_request, statement_key.id()))
        .unwrap()
        .0;
    let request = EnrolRequest {
        token: made.token.to_string(),
        name: format!("host{number}"),
        tls_request,
        statement_key,
        proof: STANDARD.encode(proof),
    };
    let url = format!("https://{address}");
    let sent = client(&ca, None)
        .post(format!("{url}/v1/enrol"))
        .body(serde_json::to_vec(&request).unwrap());
    let enrolled: EnrolResponse =
        serde_json::from_slice(&sent.send().await.unwrap().bytes().await.unwrap()).expect("enrolled");
    let agent = client(&ca, Some((&enrolled.certificate, &tls)));
    let facts = FactsDocument {
        probe: ProbeId::new("host").unwrap(),
        version: 1,
        outcome: Outcome::Absent,
        detail: format!("host {number}"),
        sources: vec![],
        facts: None,
    };
    let bytes = facts.to_bytes().unwrap();
    let manifest = Manifest::new([(facts.probe, Digest::of(&bytes))]).to_bytes();
    for (kind, bytes) in [("facts", &bytes), ("manifests", &manifest)] {
        let path = format!("{url}/v1/{kind}/{}", Digest::of(bytes));
        assert!(
            agent
                .put(path)
                .body(bytes.clone())
                .send()
                .await
                .unwrap()
                .status()
                .is_success()
        );
    }
    let boot_id = format!("{:.36}", Digest::of(&[number as u8, 1]));
    let epoch = format!("{:.32}", Digest::of(&[number as u8, 2]));
    let (mut previous, mut lines, mut requests) = (None, Vec::new(), Vec::new());
    let each = options.statements / options.agents;
    for sequence in 0..each as u64 {
        let now = SystemClock.now().plus(sequence as i64 - each as i64);
        let statement = Statement {
            subject: vec![Subject {
                name: "manifest".into(),
                digest: Digest::of(&manifest),
            }],
            predicate: Predicate::Observation(Observation {
                host: enrolled.host.clone(),
                agent: AgentBuild {
                    version: "0.1.0".into(),
                    sha256: Digest::of(b"agent"),
                },
                boot_id: boot_id.clone(),
                epoch: epoch.clone(),
                sequence,
                previous,
                observed_at: now,
                held: (sequence > 0).then_some(Held {
                    until: now,
                    collections: 12,
                }),
                lost: None,
                checkpoint: Some(SeenCheckpoint {
                    origin: "affiant.local/12345678".into(),
                    size: sequence * 100,
                    root: Digest::of(&(number as u64 + sequence).to_be_bytes()),
                }),
                alarm: None,
            }),
        };
        let sealed = seal(&statement, &signer).unwrap();
        previous = Some(sealed.digest());
        lines.push(sealed.bytes().to_vec());
        if lines.len() == options.batch || sequence + 1 == each as u64 {
            requests.push(lines.join(&b'\n'));
            lines.clear();
        }
    }
    Agent {
        client: agent,
        url,
        requests,
    }
}

/// Sends everything, one request after the other. Returns bytes of answers, and the largest tree size seen.
async fn send(agent: Agent) -> usize {
    let (mut known, mut answered) = (1, 0);
    for body in agent.requests {
        let url = format!("{}/v1/statements?known={known}", agent.url);
        let answer = agent
            .client
            .post(url)
            .body(body)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        answered += answer.len();
        let answer: DeliverResponse = serde_json::from_slice(&answer).unwrap();
        assert!(
            answer
                .results
                .iter()
                .all(|result| matches!(result, Delivered::Accepted { .. })),
            "{answer:?}"
        );
        known = answer.checkpoint.unwrap().lines().nth(1).unwrap().parse().unwrap();
    }
    answered
}

/// Until fewer entries than a bundle are unsealed.
fn wait_for_sealing(store: &Path) {
    let file = rusqlite::Connection::open(store).unwrap();
    let unsealed = || -> i64 {
        file.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))
            .unwrap()
    };
    while unsealed() >= 256 {
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(super) fn run(options: &Options, data: &Path) -> Measured {
    let (server, address) = Server::start(data);
    let data = DataDir::new(data);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (elapsed, (server_cpu, index_cpu), sent, answered) = runtime.block_on(async {
        let mut agents = Vec::new();
        for number in 0..options.agents {
            agents.push(prepare(number, &address, &data, options).await);
        }
        let sent: usize = agents.iter().flat_map(|agent| &agent.requests).map(Vec::len).sum();
        let (begin, cpu) = (Instant::now(), server.cpu());
        let tasks: Vec<_> = agents.into_iter().map(|agent| tokio::spawn(send(agent))).collect();
        let mut answered = 0;
        for task in tasks {
            answered += task.await.unwrap();
        }
        {
            let (server, index) = server.cpu();
            let used = (server.saturating_sub(cpu.0), index.saturating_sub(cpu.1));
            (begin.elapsed(), used, sent, answered)
        }
    });
    wait_for_sealing(&data.store());
    // Enrolment, facts and manifest of each agent were a transaction each, the first two entries as well.
    let commits = server.end().saturating_sub(options.agents as u64 * 3 + 2);
    let statements = options.statements / options.agents * options.agents;
    let store = Sqlite::open(&data.store()).unwrap();
    assert!(store.size().unwrap() as usize >= statements);
    drop(store);
    // What is stored for good: the write-ahead log folded back, pages of deleted rows given back.
    let file = rusqlite::Connection::open(data.store()).unwrap();
    file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let stored = std::fs::metadata(data.store()).unwrap().len();
    Measured {
        statements,
        elapsed,
        server_cpu,
        index_cpu,
        stored,
        request_bytes: sent / statements,
        response_bytes: answered / statements,
        batch: options.batch,
        group: (statements / (commits as usize).max(1)).max(1),
    }
}

//! A collector and agents on this machine, in folders of their own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs::{program, succeed};

/// How long something that takes a second may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// A port that is free now. Another process may take it before it is used; then the test fails and says so.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("its number")
        .port()
}

/// Waits until `ready` gives something.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(begin.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that is killed, and waited for, when it goes out of scope.
pub struct Running(Child);

impl Running {
    /// Starts a program; what it writes goes to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        let errors = log.try_clone().expect("a second handle");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// SIGKILL: no chance to tidy up.
    pub fn kill(mut self) {
        self.end();
    }

    /// SIGTERM, and waits for the end, which must be a good one.
    pub fn stop(mut self) {
        let sent = Command::new("kill")
            .arg(self.0.id().to_string())
            .status()
            .expect("kill");
        assert!(sent.success());
        let ended = wait_for("the end of a program", || self.0.try_wait().expect("its status"));
        assert!(ended.success(), "ended with {ended}");
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// A collector's folder and addresses; it runs while a [`Running`] of it lives.
pub struct Collector {
    folder: PathBuf,
    agents: u16,
    people: u16,
}

impl Collector {
    /// A collector in `folder` that asks agents for everything once a second.
    pub fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let collector = Self {
            folder: folder.to_owned(),
            agents: free_port(),
            people: free_port(),
        };
        let Self { agents, people, .. } = collector;
        let config = format!(
            "[agents]\nlisten = \"127.0.0.1:{agents}\"\nurl = \"https://127.0.0.1:{agents}\"\n[people]\nlisten = \"127.0.0.1:{people}\"\n\
             [pace]\nseal_seconds = 1\ncollect_seconds = 1\ncheck_in_seconds = 1\n"
        );
        fs::write(folder.join("config.toml"), config).expect("a configuration");
        collector
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What it wrote so far.
    pub fn log(&self) -> PathBuf {
        self.folder.join("collector.log")
    }

    /// The address for agents.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.agents)
    }

    /// The address for people.
    pub fn people(&self) -> String {
        format!("https://127.0.0.1:{}", self.people)
    }

    /// Starts it, and waits until it answers.
    pub fn serve(&self) -> Running {
        let mut command = self.command(&["serve", "--config"]);
        let mut running = Running::start(command.arg(self.folder.join("config.toml")), &self.log());
        wait_for("the collector", || {
            let ended = running.0.try_wait().expect("its status");
            assert!(
                ended.is_none(),
                "{}",
                fs::read_to_string(self.log()).unwrap_or_default()
            );
            std::net::TcpStream::connect(("127.0.0.1", self.agents)).ok()
        });
        running
    }

    /// One of its commands.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("affiant-collector"));
        command.arg("--data").arg(self.data()).args(arguments);
        command
    }

    /// A new enrolment token.
    pub fn token(&self) -> String {
        let made: Value =
            serde_json::from_str(&succeed(&mut self.command(&["token", "create", "--json"]))).expect("JSON");
        made["token"].as_str().expect("a token").to_owned()
    }

    /// Writes a pack of the last hour, and gives its path.
    pub fn pack(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        succeed(
            self.command(&["pack", "create", "--from", "-1h", "--output"])
                .arg(&path),
        );
        path
    }

    /// An agent in a folder of its own, enrolled.
    pub fn enrolled_agent(&self, name: &str) -> Agent {
        let agent = Agent {
            folder: self.folder.join(name),
        };
        fs::create_dir_all(&agent.folder).expect("a folder");
        let mut enrol = agent.command(&["enrol", "--collector", &self.url(), "--name", name, "--token"]);
        succeed(enrol.arg(self.token()));
        agent
    }
}

/// An agent's folder; its service runs while a [`Running`] of it lives.
pub struct Agent {
    folder: PathBuf,
}

impl Agent {
    /// One of its commands.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("affiant-agent"));
        command.args(arguments).env("AFFIANT_STATE_DIR", self.state());
        command
    }

    /// Its state directory.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// What its service wrote so far.
    pub fn log(&self) -> PathBuf {
        self.folder.join("agent.log")
    }

    /// Starts the service.
    pub fn run(&self) -> Running {
        Running::start(&mut self.command(&["run"]), &self.log())
    }

    /// Collects once and delivers all that waits.
    pub fn run_once(&self) -> String {
        succeed(&mut self.command(&["run", "--once"]))
    }

    /// `status --json`.
    pub fn status(&self) -> Value {
        serde_json::from_str(&succeed(&mut self.command(&["status", "--json"]))).expect("JSON")
    }
}

/// Runs `affiant-verify --json`; its exit status and report.
pub fn verify(pack: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = crate::programs::run(
        Command::new(program("affiant-verify"))
            .arg(pack)
            .arg("--json")
            .args(arguments),
    );
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    });
    (output.status.code(), report)
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    succeed(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// A host's statement in a pack.
pub struct HostEntry {
    /// Its place in the log.
    pub index: u64,
    /// Its sequence number.
    pub sequence: u64,
    /// The loss that it declares, if any.
    pub lost: Option<String>,
    /// The proof of a dishonest log that it holds, if any: `fork`, `rollback` or `missing_entry`.
    pub alarm: Option<String>,
}

/// The statements of a host in a pack, taken out with `unzip` and read as plain JSON.
pub fn host_entries(pack: &Path, host: &str) -> Vec<HostEntry> {
    let lines = succeed(
        Command::new("unzip")
            .arg("-p")
            .arg(pack)
            .arg(format!("statements/{host}.jsonl")),
    );
    let entry = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let payload = line["envelope"]["payload"].as_str().expect("a payload");
        let payload = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, payload).expect("Base64");
        let predicate = &serde_json::from_slice::<Value>(&payload).expect("JSON")["predicate"];
        HostEntry {
            index: line["index"].as_u64().expect("an index"),
            sequence: predicate["sequence"].as_u64().expect("a sequence number"),
            lost: predicate.get("lost").map(ToString::to_string),
            alarm: predicate["alarm"]["kind"].as_str().map(str::to_owned),
        }
    };
    lines.lines().map(entry).collect()
}

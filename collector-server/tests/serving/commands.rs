//! The program itself: a server in a process of its own, and commands beside it and without it.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::agent::{Agent, NewHost};

fn program(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_affiant-collector"));
    command.arg("--data").arg(data).env_remove("AFFIANT_CONFIG");
    command
}

fn run(data: &Path, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = program(data).args(arguments).output().unwrap();
    let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.success(), text)
}

/// Ended when dropped, so that a failing test leaves nothing behind.
struct Serving(
    Child,
    #[expect(dead_code, reason = "held: a server whose standard output is closed would complain")]
    Lines<BufReader<ChildStdout>>,
);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Serving {
    /// Starts and waits until it serves.
    fn start(data: &Path) -> Self {
        let mut command = program(data);
        command.args([
            "serve",
            "--agents",
            "127.0.0.1:0",
            "--people",
            "127.0.0.1:0",
            "--people-plain",
        ]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("people  http://127.0.0.1:")));
        Self(child, lines)
    }

    fn end(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_beside_a_server_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    // Deeper than the address of a socket can be.
    let data = folder.path().join("d".repeat(60)).join("e".repeat(60));
    let (success, text) = run(&data, &["token", "create"]);
    assert!(!success && text.contains("there is no collector in"), "{text}");

    let server = Serving::start(&data);
    let (success, text) = run(&data, &["serve", "--agents", "127.0.0.1:0", "--people", "127.0.0.1:0"]);
    assert!(!success && text.contains("another collector is using"), "{text}");

    let (success, text) = run(&data, &["token", "create", "--json", "--ttl", "10m"]);
    assert!(success, "{text}");
    let created: serde_json::Value = serde_json::from_str(&text).unwrap();
    let token = created["token"].as_str().unwrap();
    assert!(created["command"].as_str().unwrap().ends_with(token));
    let url = created["collector"].as_str().unwrap();
    let address = url.strip_prefix("https://").unwrap().parse().unwrap();
    let ca = std::fs::read_to_string(data.join("ca.pem")).unwrap();
    let agent = Agent::enrol(address, &ca, token, NewHost::new(1, "web")).await;

    let host = agent.host.as_str();
    let (success, text) = run(&data, &["host", "revoke", host, "--reason", "decommissioned"]);
    assert!(success && text.contains("is revoked by entry 3 of the log"), "{text}");
    let (success, text) = run(&data, &["fsck"]);
    assert!(success && text.contains("4 entries, 1 hosts"), "{text}");
    let copy = folder.path().join("copy");
    let (success, text) = run(&data, &["backup", copy.to_str().unwrap()]);
    assert!(success, "{text}");
    server.end();

    // The same without a server, on the copy.
    let (success, text) = run(&copy, &["host", "revoke", host, "--reason", "again"]);
    assert!(!success && text.contains("was revoked already, by entry 3"), "{text}");
    let (success, text) = run(&copy, &["fsck", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(success && report["damages"] == 0 && report["entries"] == 4, "{text}");

    // A server that was killed leaves its socket; the next one takes over.
    let killed = Serving::start(&data);
    drop(killed);
    assert!(data.join("run/control.sock").exists());
    let (success, text) = run(&data, &["host", "revoke", "nobody", "--reason", "x"]);
    assert!(!success && text.contains("there is no host nobody"), "{text}");
    Serving::start(&data).end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_enrolled_again_is_shown_with_what_revokes_its_identity_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Serving::start(&data);
    let ca = std::fs::read_to_string(data.join("ca.pem")).unwrap();
    let mut hosts = Vec::new();
    for number in [1, 2] {
        let (success, text) = run(&data, &["token", "create", "--json"]);
        assert!(success, "{text}");
        let created: serde_json::Value = serde_json::from_str(&text).unwrap();
        let url = created["collector"].as_str().unwrap();
        let address = url.strip_prefix("https://").unwrap().parse().unwrap();
        let token = created["token"].as_str().unwrap();
        let agent = Agent::enrol(address, &ca, token, NewHost::new(number, "web")).await;
        hosts.push(agent.host.as_str().to_owned());
    }
    server.end();
    let revoke = format!("affiant-collector host revoke {} --reason", hosts[0]);
    for command in ["hosts", "coverage"] {
        let (success, text) = run(&data, &[command]);
        assert!(success && text.contains("web has 2 identities that count"), "{text}");
        assert!(text.contains(&revoke) && text.contains(&hosts[1]), "{text}");
    }
    let (success, text) = run(&data, &["host", "revoke", &hosts[0], "--reason", "enrolled again"]);
    assert!(success, "{text}");
    let (success, text) = run(&data, &["hosts"]);
    assert!(success && !text.contains("identities that count"), "{text}");
}

#[test]
fn a_wrong_command_line_exits_as_that_of_the_other_programs_does() {
    let folder = tempfile::tempdir().unwrap();
    let status = |arguments: &[&str]| program(folder.path()).args(arguments).output().unwrap().status.code();
    for wrong in [
        ["hosts", "--no-such-option"].as_slice(),
        &["no-such-command"],
        &[],
        &["token", "create", "--ttl", "1w"],
    ] {
        assert_eq!(status(wrong), Some(64), "{wrong:?}");
    }
    for asked in [["--help"].as_slice(), &["--version"], &["token", "create", "--help"]] {
        assert_eq!(status(asked), Some(0), "{asked:?}");
    }
    // The line is right, the answer is no.
    assert_eq!(status(&["hosts"]), Some(1));
}

#[test]
fn rules_are_tested_by_their_defaults_whatever_the_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    // Its cases are written for the default.
    std::fs::write(
        rules.join("baseline.yaml"),
        "sshd-ciphers-strong: {allowed: [aes128-ctr]}\n",
    )
    .unwrap();
    let (success, text) = run(folder.path(), &["rules", "test", rules.to_str().unwrap()]);
    assert!(success && text.contains("pass"), "{text}");
    let (success, text) = run(folder.path(), &["rules", "list", rules.to_str().unwrap(), "--json"]);
    assert!(success && text.contains("aes128-ctr"), "{text}");
    std::fs::write(rules.join("baseline.yaml"), "sshd-ciphers-strong: {allowed: 1}\n").unwrap();
    let (success, text) = run(folder.path(), &["rules", "test", rules.to_str().unwrap()]);
    assert!(!success && text.contains("sshd-ciphers-strong"), "{text}");
}

#[test]
fn a_configuration_that_makes_no_sense_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collector.toml");
    std::fs::write(&file, "freshnes_seconds = 1\n").unwrap();
    let (success, text) = run(folder.path(), &["serve", "--config", file.to_str().unwrap()]);
    assert!(
        !success && text.contains("collector.toml") && text.contains("freshnes_seconds"),
        "{text}"
    );
    let (success, text) = run(folder.path(), &["serve", "--people", "0.0.0.0:0", "--people-plain"]);
    assert!(
        !success && text.contains("only a loopback address is allowed"),
        "{text}"
    );
}

//! The state of chronyd as the probe tells it, beside two real chronyd on the loopback of a network namespace of their own.

#![cfg(test)]

mod machine;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use machine::Machine;
use serde_json::Value;

const INSIDE: &str = "AFFIANT_TEST_INSIDE";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn chronyd(folder: &std::path::Path, name: &str, config: &str) -> Running {
    let at = |kind: &str| folder.join(format!("{name}.{kind}")).display().to_string();
    // That of the client is where the probe looks for it.
    let pid = if name == "client" {
        "/run/chrony/chronyd.pid".to_owned()
    } else {
        at("pid")
    };
    let config = format!("{config}\npidfile {pid}\ndriftfile {}\n", at("drift"));
    std::fs::write(at("conf"), config).unwrap();
    // -x: it does not touch the clock.
    let child = Command::new("/usr/sbin/chronyd")
        .args(["-x", "-u", "root", "-d", "-f", &at("conf")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("chronyd; install it: apt-get install chrony");
    Running(child)
}

fn measured() -> Value {
    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "time-sync").unwrap();
    let document = probe.collect(&Machine::this()).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    let services = facts["services"].as_array().unwrap();
    let chrony = services.iter().find(|one| one["implementation"] == "chrony");
    chrony.expect("chrony is installed")["measured"].clone()
}

fn until(wanted: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let now = measured();
        if wanted(&now) {
            return now;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{now}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn chronyd_alone_and_with_a_server() {
    if std::env::var_os(INSIDE).is_none() {
        let output = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-c", "ip link set lo up && mkdir -p /run/chrony && mount -t tmpfs own /run/chrony && exec \"$0\" --nocapture"])
            .arg(std::env::current_exe().unwrap())
            .env(INSIDE, "1")
            .output()
            .expect("unshare; install it: apt-get install util-linux");
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(measured()["outcome"], "failed", "nothing answers");

    let server = "server 127.0.0.1 port 11123 iburst minpoll -2 maxpoll 1\nserver 127.0.0.2 port 9 offline\nport 0\n\
                  bindcmdaddress /\n";
    let _client = chronyd(folder.path(), "client", server);
    let alone = until(|measured| measured["outcome"] == "observed")["value"].clone();
    assert_eq!(alone["synchronised"], false);
    assert_eq!(alone["reference"], "none");
    assert_eq!(alone["stratum"], "none");
    assert_eq!(alone["sources"]["value"], "2");
    assert_eq!(alone["reachable_sources"]["value"], "0");
    assert_eq!(alone["names"]["value"], serde_json::json!(["127.0.0.1", "127.0.0.2"]));
    assert_eq!(alone["sets_clock"]["value"], false, "it is started with -x");

    let _server = chronyd(
        folder.path(),
        "server",
        "local stratum 3\nallow 127.0.0.1\nport 11123\ncmdport 0\nbindcmdaddress /\nbindaddress 127.0.0.1\n",
    );
    let together = until(|measured| measured["value"]["synchronised"] == true)["value"].clone();
    assert_eq!(together["reference"], "source");
    assert_eq!(together["stratum"], "2_to_5");
    assert_eq!(together["offset"]["value"], "under_1ms");
    assert_eq!(together["reachable_sources"]["value"], "1");
}

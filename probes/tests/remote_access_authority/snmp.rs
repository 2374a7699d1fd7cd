//! What the probe `remote-access` tells of SNMP against Net-SNMP's agent itself: each community of generated configurations is
//! tried with a request to read and one to change.
//!
//! Needs the packages snmpd and snmp.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::machine::{Machine, authority};

fn snmp(root: &Path) -> Value {
    let all = probes::registry::all();
    let probe = all
        .iter()
        .find(|probe| probe.spec.id == "remote-access")
        .expect("it is registered");
    let document = probe.collect(&Machine::folder(root)).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    assert_eq!(facts["snmp"]["outcome"], "observed", "{}", facts["snmp"]);
    facts["snmp"]["value"].clone()
}

struct Agent {
    child: Child,
    address: String,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent {
    /// With the file `/etc/snmp/snmpd.conf` below `root`, and another one with a community that the test knows to be let in.
    fn start(root: &Path) -> Self {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("udp:127.0.0.1:{port}");
        let own = root.join("own.conf");
        fs::write(&own, "rocommunity the-tests-own 127.0.0.1\n").unwrap();
        let file = root.join("etc/snmp/snmpd.conf");
        let mut command = Command::new("/usr/sbin/snmpd");
        command.args(["-f", "-Lf", "/dev/null", "-C", "-c"]);
        command.arg(format!("{},{}", file.display(), own.display()));
        command
            .env("SNMP_PERSISTENT_DIR", root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command
            .arg(&address)
            .spawn()
            .expect("snmpd is there; install it: apt-get install snmpd snmp");
        let agent = Self { child, address };
        let begun = Instant::now();
        while !agent.ask("snmpget", "-v2c", "the-tests-own", &[".1.3.6.1.2.1.1.5.0"]) {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{}",
                fs::read_to_string(&file).unwrap()
            );
        }
        agent
    }

    fn ask(&self, program: &str, version: &str, community: &str, rest: &[&str]) -> bool {
        let program = format!("/usr/bin/{program}");
        let args = [version, "-r0", "-t0.2", "-c", community, &self.address];
        let output = authority("snmp", &program, &[&args[..], rest].concat(), b"");
        output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("No Such")
    }

    /// `none`, `read` or `write`, whichever of both versions may do more: the name of the host is asked for, and set.
    fn access(&self, community: &str) -> &'static str {
        let name = ".1.3.6.1.2.1.1.5.0";
        let may = |program: &str, rest: &[&str]| {
            let mut versions = ["-v1", "-v2c"].into_iter();
            versions.any(|version| self.ask(program, version, community, rest))
        };
        // A group may be given a view to change and none to read.
        if may("snmpset", &[name, "s", "other"]) {
            "write"
        } else if may("snmpget", &[name]) {
            "read"
        } else {
            "none"
        }
    }
}

/// Communities that the generated files name, and how they write them.
const NAMES: [(&str, &str); 4] = [
    ("public", "public"),
    ("Private", "\"Private\""),
    ("a b", "'a b'"),
    ("q\"x", "q\\\"x"),
];

#[test]
fn communities_may_what_is_told() {
    let name = || proptest::sample::select(&NAMES[..]).prop_map(|(_, written)| written);
    let source = || prop_oneof![4 => Just("default"), 2 => Just("127.0.0.0/8"), 2 => Just("192.0.2.0/24"), 1 => Just("127.0.0.1"), 1 => Just("!127.0.0.1")];
    let line = prop_oneof![
        3 => ("(ro|rw|RO)community", name(), source()).prop_map(|(word, name, source)| format!("{word} {name} {source}\n")),
        1 => ("(ro|rw)community6?", name()).prop_map(|(word, name)| format!("{word} {name}\n")),
        2 => ("(one|two)", source(), name()).prop_map(|(group, source, name)| format!("com2sec {group} {source} {name}\n")),
        2 => "group (g|h) (v1|v2c|usm) (one|two)\n",
        2 => "access (g|h) \"\" (any|v1|v2c|usm) noauth exact (all|none) (all|none) none\n",
        1 => "(# rwcommunity public|\\[snmp\\] rwcommunity public|\\[snmptrapd\\]|\\[snmpd\\])\n",
        1 => ("authcommunity (read|read,write)", name()).prop_map(|(word, name)| format!("{word} {name}\n")),
    ];
    let lines = proptest::collection::vec(line, 2..9).prop_map(|lines| lines.concat());
    let mut runner = TestRunner::new(Config {
        cases: 25,
        failure_persistence: None,
        ..Config::default()
    });
    let (asked, let_in) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let result = runner.run(&lines, |lines| {
        let text = format!("view all included .1\n{lines}");
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/snmp")).unwrap();
        fs::write(root.path().join("etc/snmp/snmpd.conf"), &text).unwrap();
        let snmp = snmp(root.path());
        let agent = Agent::start(root.path());
        let told = snmp["communities"].as_array().unwrap();
        // Side by side, since the agent answers nothing to a community that it does not know.
        let answers = std::thread::scope(|scope| {
            NAMES
                .map(|(name, _)| scope.spawn(|| agent.access(name)))
                .map(|asked| asked.join().unwrap())
        });
        for ((name, written), answer) in NAMES.into_iter().zip(answers) {
            // The first that names it and fits decides.
            let decides = told.iter().find(|one| {
                let line: usize = one["place"]
                    .as_str()
                    .unwrap()
                    .rsplit(':')
                    .next()
                    .unwrap()
                    .parse()
                    .unwrap();
                let named = text.lines().nth(line - 1).unwrap().contains(written);
                let is_v4 = !one["directive"].as_str().unwrap().ends_with('6');
                named && is_v4 && one["source"] != "192.0.2.0/24"
            });
            let expected = match decides {
                Some(one) if one["source"] != "!127.0.0.1" => one["access"].as_str().unwrap(),
                _ => "none",
            };
            // On a machine that is busy with other tests an answer can take longer than a request waits.
            let again = (0..5).map(|_| agent.access(name));
            let answer = std::iter::once(answer)
                .chain(again)
                .find(|one| *one == expected)
                .unwrap_or(answer);
            assert_eq!(answer, expected, "{name} by\n{text}\n{told:#?}");
            asked.set(asked.get() + 1);
            let_in.set(let_in.get() + usize::from(expected != "none"));
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    println!("{} communities, {} let in", asked.get(), let_in.get());
    assert!(let_in.get() > 15, "{}", let_in.get());
}

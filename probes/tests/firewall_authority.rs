//! The probe of the packet filter against the kernel itself: rulesets that nft, iptables, ufw and firewalld make in network
//! namespaces of the test's own, packets sent at them, and what those programs say.
//!
//! Needs root and the packages nftables, iptables, iproute2, util-linux, ufw, firewalld.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use evidence::facts::{FactsDocument, Outcome};
use machine::{Machine, authority};
use serde_json::Value;

/// Set in a namespace, with what to do there.
const INSIDE: &str = "AFFIANT_TEST_NAMESPACE";
const HOST: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

fn facts() -> Value {
    facts_of(&Machine::this())
}

fn facts_of(host: &Machine) -> Value {
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "firewall")
        .expect("it is registered");
    let document: FactsDocument = probe.collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.expect("observed documents have facts")
}

fn run(package: &str, program: &str, args: &[&str], input: &str) -> String {
    let output = authority(package, program, args, input.as_bytes());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {errors}\n{input}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `test` once more in a network and mount namespace of its own; true in there.
fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let status = Command::new("unshare")
        .args(["--net", "--mount", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "host")
        .status()
        .expect("apt-get install util-linux");
    assert!(status.success());
    false
}

/// A neighbour on a cable, in a network namespace of its own, that tries to connect.
struct Neighbour(Child, BufReader<std::process::ChildStdout>);

impl Neighbour {
    fn new() -> Self {
        let mut child = Command::new("unshare")
            .args(["--net", "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "neighbour", "--nocapture"])
            .env(INSIDE, "neighbour")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        wait_for(&mut answers, "ready");
        let ip = |args: &str| run("iproute2", "ip", &args.split(' ').collect::<Vec<_>>(), "");
        ip("link set lo up");
        ip("link add v0 type veth peer name v1");
        ip(&format!("link set v1 netns {}", child.id()));
        ip("addr add 10.99.0.1/24 dev v0");
        ip("link set v0 up");
        let mut neighbour = Self(child, answers);
        neighbour.ask("up");
        neighbour
    }

    fn ask(&mut self, line: &str) -> String {
        let mut stdin = self.0.stdin.as_ref().unwrap();
        writeln!(stdin, "{line}").unwrap();
        wait_for(&mut self.1, "answer")
    }

    /// The ports among these from which anything came back but a refusal of the filter.
    fn reached(&mut self, ports: &[u16]) -> BTreeSet<u16> {
        let list: Vec<_> = ports.iter().map(u16::to_string).collect();
        self.ask(&list.join(" "))
            .split_ascii_whitespace()
            .map(|port| port.parse().unwrap())
            .collect()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(answers: &mut impl std::io::BufRead, mark: &str) -> String {
    let mut line = String::new();
    while answers.read_line(&mut line).unwrap() > 0 {
        if let Some(rest) = line.trim_end().strip_prefix(mark) {
            return rest.trim().to_owned();
        }
        line.clear();
    }
    panic!("the neighbour ended");
}

/// What the neighbour does; nothing where it is not asked for.
#[test]
fn neighbour() {
    if std::env::var(INSIDE).as_deref() != Ok("neighbour") {
        return;
    }
    println!("\nready");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        if line == "up" {
            for args in ["addr add 10.99.0.2/24 dev v1", "link set v1 up"] {
                run("iproute2", "ip", &args.split(' ').collect::<Vec<_>>(), "");
            }
            // Until the other end is known.
            let _ = TcpStream::connect_timeout(&SocketAddr::new(HOST.into(), 1), Duration::from_secs(2));
            println!("answer");
            continue;
        }
        let ports: Vec<u16> = line.split(' ').map(|port| port.parse().unwrap()).collect();
        let tries = ports.into_iter().map(|port| {
            std::thread::spawn(move || {
                let tried = TcpStream::connect_timeout(&SocketAddr::new(HOST.into(), port), Duration::from_millis(150));
                // Nothing listens: a packet that got through is answered with a reset.
                let through = matches!(tried, Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused);
                through.then_some(port)
            })
        });
        let tries: Vec<_> = tries.collect();
        let through: Vec<_> = tries.into_iter().filter_map(|one| one.join().unwrap()).collect();
        let through: Vec<_> = through.iter().map(u16::to_string).collect();
        println!("answer {}", through.join(" "));
    }
}

/// A reproducible mixture.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

const PORTS: [u16; 12] = [1, 22, 25, 53, 80, 85, 443, 5432, 8080, 9000, 40_000, 65_535];

/// A rule; some chains, sets and maps are there to refer to.
fn rule(dice: &mut Dice) -> String {
    let ports = dice.pick(&[
        "22",
        "{ 22, 80-90 }",
        "443",
        "!= 25",
        "< 100",
        ">= 9000",
        "@some",
        "1-65535",
        "{ 53, 5432, 8080 }",
    ]);
    let condition = match dice.below(16) {
        0..=4 => format!("tcp dport {ports}"),
        5 => format!("ip saddr 10.99.0.0/24 tcp dport {ports}"),
        6 => format!("ip saddr 192.0.2.1 tcp dport {ports}"),
        7 => format!("iifname \"v0\" tcp dport {ports}"),
        8 => format!("ct state new tcp dport {ports}"),
        9 => format!("meta l4proto tcp th dport {ports}"),
        10 => format!("udp dport {ports}"),
        11 => dice
            .pick(&[
                "meta nfproto ipv6",
                "ct state established,related",
                "iif lo",
                "ip protocol icmp",
            ])
            .to_owned(),
        12 => format!("ip saddr != 192.0.2.1 tcp dport {ports}"),
        13 => format!("iifname != \"v0\" tcp dport {ports}"),
        14 => format!("tcp flags syn tcp dport {ports}"),
        _ => String::new(),
    };
    let verdict = match (dice.below(10), condition.is_empty()) {
        (0..=3, false) => "accept",
        (4, false) => "counter accept",
        (5 | 6, _) => "jump other",
        (7, _) => "goto last",
        (8, false) => "return",
        (_, true) => dice.pick(&[
            "counter",
            "log prefix \"x\"",
            "drop",
            "reject with icmpx type admin-prohibited",
            "jump other",
        ]),
        (_, false) => "tcp dport vmap { 22 : accept, 85 : jump other }",
    };
    format!("{condition} {verdict}")
}

fn ruleset(dice: &mut Dice) -> String {
    let family = dice.pick(&["inet", "ip"]);
    let policy = dice.pick(&["accept", "drop", "drop"]);
    // What nft does not take: words for both families in a table of one, and two protocols in one rule.
    let fits = |rule: &String| {
        let of_family = family == "inet" || !(rule.contains("nfproto") || rule.contains("icmpx"));
        of_family && !(rule.contains("vmap") && (rule.contains("udp") || rule.contains("icmp")))
    };
    let mut rules = |count: u64| -> String {
        let rules: Vec<_> = (0..count).map(|_| rule(dice)).filter(fits).collect();
        rules.join("\n  ")
    };
    // No chain jumps to itself: `last` to none, `other` to `last` alone.
    let last = rules(3).replace("jump other", "accept").replace("goto last", "drop");
    let other = rules(3).replace("jump other", "jump last");
    let input = rules(6);
    format!(
        "flush ruleset\ntable {family} t {{\n set some {{ type inet_service; flags interval; elements = {{ 25, 8000-9000 }}; }}\n\
         chain last {{\n  {last}\n }}\n chain other {{\n  {other}\n }}\n\
         chain input {{\n  type filter hook input priority 0; policy {policy};\n  {input}\n }}\n}}\n"
    )
}

fn has(accept: &Value, port: u16) -> bool {
    let ports = accept["ports"].as_array().unwrap();
    let within = |range: &Value| (range["first"].as_u64()..=range["last"].as_u64()).contains(&Some(port.into()));
    let tcp = matches!(accept["protocol"].as_str(), Some("tcp" | "any"));
    tcp && (ports.is_empty() || ports.iter().any(within))
}

/// Nothing that gets through is missing in the facts; and what the facts say is closed is closed.
#[test]
fn packets_go_where_the_facts_say() {
    if !is_inside("packets_go_where_the_facts_say") {
        return;
    }
    let mut neighbour = Neighbour::new();
    let mut dice = Dice(11);
    let (mut compared, mut open, mut closed) = (0, 0, 0);
    for _ in 0..120 {
        let text = ruleset(&mut dice);
        run("nftables", "nft", &["-f", "-"], &text);
        let input = facts()["ipv4"]["value"]["input"].clone();
        let accepts = input["accepts"].as_array().unwrap();
        let reached = neighbour.reached(&PORTS);
        for port in PORTS {
            compared += 1;
            let may = input["default_drop"] == false || accepts.iter().any(|accept| has(accept, port));
            if reached.contains(&port) {
                open += 1;
                assert!(may, "{port} is reached and the facts do not have it\n{text}\n{input:#}");
            } else if !may {
                closed += 1;
            }
        }
    }
    println!("{compared} ports tried: {open} reached, {closed} closed by the facts and in fact");
    assert!(open > 200 && closed > 200, "{open} {closed}");
}

/// Without limits and without earlier refusals, what the facts accept is accepted.
#[test]
fn plain_rules_are_told_exactly() {
    if !is_inside("plain_rules_are_told_exactly") {
        return;
    }
    let mut neighbour = Neighbour::new();
    let mut dice = Dice(23);
    for round in 0..60 {
        let mut chain = String::new();
        for _ in 0..dice.below(5) {
            let ports = dice.pick(&["22", "{ 22, 80-90 }", "!= 25", "< 100", "> 9000", "{ 53, 5432, 8080 }"]);
            chain += &format!("tcp dport {ports} accept\n");
        }
        let policy = dice.pick(&["policy accept; ", "policy drop; "]);
        let end = dice.pick(&["", "drop\n", "reject with icmp type admin-prohibited\n"]);
        let text = format!(
            "flush ruleset\ntable ip t {{\n chain i {{\n type filter hook input priority 0; {policy}\n{chain}{end} }}\n}}\n"
        );
        run("nftables", "nft", &["-f", "-"], &text);
        let input = facts()["ipv4"]["value"]["input"].clone();
        let reached = neighbour.reached(&PORTS);
        let accepts = input["accepts"].as_array().unwrap();
        let said: BTreeSet<_> = PORTS
            .into_iter()
            .filter(|port| input["default_drop"] == false || accepts.iter().any(|accept| has(accept, *port)))
            .collect();
        assert_eq!(said, reached, "{round}: {text}\n{input:#}");
    }
}

/// Base chains in a file are those that nft loads from it, with as many rules.
#[test]
fn files_are_read_as_nft_reads_them() {
    if !is_inside("files_are_read_as_nft_reads_them") {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("etc/nftables.d");
    std::fs::create_dir_all(&folder).unwrap();
    let mut dice = Dice(41);
    for round in 0..60 {
        let first = ruleset(&mut dice);
        let second = ruleset(&mut dice)
            .replace("flush ruleset\n", "")
            .replace(" t {", " u {");
        let end = dice.pick(&[
            "}\n",
            "} # }\n",
            "}\n# table inet x { chain y { type filter hook input priority 0; } }\n",
        ]);
        let hook = dice.pick(&["forward", "output", "prerouting"]);
        let priority = dice.pick(&["0", "filter", "-150", "mangle + 5", "raw - 10", "security"]);
        let policy = dice.pick(&["", " policy drop;", "policy accept ;"]);
        let third = format!(
            "table ip6 v {{\n chain c {{ type filter hook {hook} priority {priority};{policy}\n counter; accept\n }}\n{end}"
        );
        std::fs::write(
            temp.path().join("etc/nftables.conf"),
            format!("{first}include \"/etc/nftables.d/*.nft\"\n"),
        )
        .unwrap();
        std::fs::write(folder.join("a.nft"), &second).unwrap();
        std::fs::write(folder.join("b.nft"), &third).unwrap();
        let text = format!("{first}{second}{third}");
        run("nftables", "nft", &["-f", "-"], &text);
        let loaded = facts()["nftables"]["value"].clone();
        let saved = facts_of(&Machine::folder(temp.path()))["saved"][0]["chains"]["value"].clone();
        assert_eq!(saved, loaded, "{round}: {text}");
        assert_eq!(loaded.as_array().unwrap().len(), 3);
    }
}

/// The same rules by `iptables-nft` and by `iptables-legacy`.
#[test]
fn both_iptables() {
    if !is_inside("both_iptables") {
        return;
    }
    let mut neighbour = Neighbour::new();
    let mut dice = Dice(31);
    for program in ["iptables-nft", "iptables-legacy"] {
        for _ in 0..20 {
            let mut text = format!(
                "*filter\n:INPUT {} [0:0]\n:web - [0:0]\n",
                dice.pick(&["DROP", "ACCEPT"])
            );
            for _ in 0..5 {
                text += dice.pick(&[
                    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n",
                    "-A INPUT -i lo -j ACCEPT\n",
                    "-A INPUT -p tcp -m multiport --dports 22,80:90 -j ACCEPT\n",
                    "-A INPUT -p tcp -m tcp --dport 443 -m comment --comment \"a \\\"b\" -j ACCEPT\n",
                    "-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp ! --dport 25 -j web\n",
                    "-A INPUT -j web\n",
                    "-A web -p tcp -m tcp --dport 8080:9000 -j ACCEPT\n",
                    "-A web -j RETURN\n",
                ]);
            }
            text += dice.pick(&[
                "",
                "-A INPUT -j DROP\n",
                "-A INPUT -j REJECT --reject-with icmp-admin-prohibited\n",
            ]);
            text += "COMMIT\n";
            run("iptables", &format!("{program}-restore"), &[], &text);
            let facts = facts();
            let input = &facts["ipv4"]["value"]["input"];
            let accepts = input["accepts"].as_array().unwrap();
            let said: BTreeSet<_> = PORTS
                .into_iter()
                .filter(|port| input["default_drop"] == false || accepts.iter().any(|accept| has(accept, *port)))
                .collect();
            assert_eq!(said, neighbour.reached(&PORTS), "{program}: {text}\n{input:#}");
            assert!(
                accepts.iter().all(|accept| accept["limits"] == Value::Array(vec![])),
                "{input:#}"
            );
        }
        // Its tables stay loaded and would count.
        run(
            "iptables",
            &format!("{program}-restore"),
            &[],
            "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
        );
    }
}

/// A folder of `/etc` that this namespace may change.
fn own_copy(folder: &str) -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    run(
        "coreutils",
        "cp",
        &["-a", &format!("{folder}/."), temp.path().to_str().unwrap()],
        "",
    );
    run("util-linux", "mount", &["--make-rprivate", "/"], "");
    run(
        "util-linux",
        "mount",
        &["--bind", temp.path().to_str().unwrap(), folder],
        "",
    );
    temp
}

#[test]
fn ufw() {
    if !is_inside("ufw") {
        return;
    }
    let _etc = own_copy("/etc/ufw");
    let _default = own_copy("/etc/default");
    let mut neighbour = Neighbour::new();
    let ufw = |args: &str| run("ufw", "ufw", &args.split(' ').collect::<Vec<_>>(), "");
    for args in [
        "default deny incoming",
        "default allow outgoing",
        "allow 22/tcp",
        "allow 8080",
        "deny 9000/tcp",
        "limit 443/tcp",
        "allow from 10.99.0.7 to any port 5432 proto tcp",
        "allow in on v0 to any port 53",
        "--force enable",
    ] {
        ufw(args);
    }
    let status = ufw("status verbose");
    let facts = facts();
    let ufw_facts = &facts["ufw"]["value"];
    assert!(status.contains("Status: active") && ufw_facts["enabled"] == true);
    let default = format!(
        "Default: {} (incoming), {} (outgoing)",
        if ufw_facts["input_policy"] == "drop" {
            "deny"
        } else {
            "?"
        },
        if ufw_facts["output_policy"] == "accept" {
            "allow"
        } else {
            "?"
        },
    );
    assert!(status.contains(&default), "{status}");
    // A line for each rule and family, below a line of dashes.
    let listed = status.lines().filter(|line| line.contains(" IN ")).count();
    assert_eq!(ufw_facts["rule_count"], listed, "{status}\n{ufw_facts:#}");
    let input = &facts["ipv4"]["value"]["input"];
    assert_eq!(input["default"], "drop");
    assert_eq!(facts["ipv6"]["value"]["input"]["default_drop"], true);
    let accepts = input["accepts"].as_array().unwrap();
    let reached = neighbour.reached(&PORTS);
    assert_eq!(reached, BTreeSet::from([22, 53, 443, 8080]));
    for port in reached {
        assert!(accepts.iter().any(|accept| has(accept, port)), "{port}: {input:#}");
    }
    assert!(
        !accepts.iter().any(|accept| has(accept, 9000) || has(accept, 1)),
        "{input:#}"
    );
}

#[test]
fn firewalld() {
    if !is_inside("firewalld") {
        return;
    }
    let _etc = own_copy("/etc/firewalld");
    let offline = |args: &str| {
        run(
            "firewalld",
            "firewall-offline-cmd",
            &args.split(' ').collect::<Vec<_>>(),
            "",
        )
    };
    for args in [
        "--set-default-zone=work",
        "--zone=work --add-service=https",
        "--zone=work --add-port=8080/tcp",
        "--zone=dmz --add-interface=v0",
        "--zone=internal --add-source=10.0.0.0/8",
        "--zone=dmz --set-target=DROP",
        "--zone=drop --add-masquerade",
        "--new-zone=mine",
        "--new-policy=between",
        "--zone=work --add-protocol=gre",
        "--zone=work --add-source-port=53/udp",
        "--direct --add-rule ipv4 filter INPUT 0 -p tcp --dport 9 -j ACCEPT",
        "--direct --add-passthrough ipv4 -A INPUT -j ACCEPT",
    ] {
        offline(args);
    }
    let facts = facts();
    let firewalld = &facts["firewalld"]["value"];
    assert_eq!(firewalld["default_zone"], offline("--get-default-zone").trim());
    let direct = offline("--direct --get-all-rules") + &offline("--direct --get-all-passthroughs");
    assert_eq!(firewalld["direct_rules"]["value"], direct.lines().count());
    assert_eq!(firewalld["policies"]["value"], serde_json::json!(["between"]));
    let zones = firewalld["zones"]["value"].as_array().unwrap();
    let names: BTreeSet<_> = zones.iter().map(|zone| zone["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["dmz", "drop", "internal", "mine", "work"]));
    for zone in zones {
        let name = zone["name"].as_str().unwrap();
        let listed = offline(&format!("--zone={name} --list-all"));
        let line = |name: &str| {
            let found = listed
                .lines()
                .find_map(|line| line.trim().strip_prefix(&format!("{name}: ")).map(str::to_owned));
            let mut words: Vec<_> = found
                .unwrap_or_default()
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect();
            words.sort();
            words
        };
        let list = |name: &str| -> Vec<String> {
            let list = zone[name].as_array().unwrap().iter();
            list.map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(list("services"), line("services"), "{listed}");
        assert_eq!(list("ports"), line("ports"), "{listed}");
        assert_eq!(list("protocols"), line("protocols"), "{listed}");
        assert_eq!(list("source_ports"), line("source-ports"), "{listed}");
        assert_eq!(list("interfaces"), line("interfaces"), "{listed}");
        assert_eq!(zone["sources"], line("sources").len(), "{listed}");
        assert_eq!(
            vec![zone["target"].as_str().unwrap().to_owned()],
            line("target"),
            "{listed}"
        );
        assert_eq!(zone["masquerade"] == true, line("masquerade") == ["yes"], "{listed}");
    }
}

use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const RULESET: &str = include_str!("../../fixtures/firewall/nft-1.0.6.json");
const BY_IPTABLES: &str = include_str!("../../fixtures/firewall/iptables-nft.json");
const SAVED: &str = include_str!("../../fixtures/firewall/iptables-nft-save.txt");
const LIST: &str = "/usr/sbin/nft -j list ruleset";
const EMPTY: &str = r#"{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}]}"#;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<FirewallProbe>().collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.unwrap()
}

fn loaded(json: &str) -> Value {
    facts(&Captured::default().output(LIST, 0, json, ""))
}

fn accept(protocol: &str, ports: &[(u16, u16)], limits: &[&str]) -> Value {
    let ports: Vec<_> = ports
        .iter()
        .map(|(first, last)| json!({"first": first, "last": last}))
        .collect();
    json!({"protocol": protocol, "ports": ports, "limits": limits})
}

#[test]
fn sets_maps_jumps_and_families() {
    let facts = loaded(RULESET);
    let input = |family: &str| facts[family]["value"]["input"].clone();
    assert_eq!(
        input("ipv4"),
        json!({
            "filtered": true, "policy": "drop", "default": "reject", "default_drop": true, "complete": true,
            "accepts": [
                accept("icmp", &[], &[]),
                accept("tcp", &[(22, 22), (80, 90)], &[]),
                accept("tcp", &[(5432, 5432)], &["source"]),
                accept("tcp", &[(8000, 8010), (9000, 9000)], &["rate"]),
                accept("tcp", &[(8080, 8080)], &[]),
                accept("udp", &[(53, 53)], &[]),
            ],
        })
    );
    let v6 = input("ipv6")["accepts"].clone();
    assert!(v6.as_array().unwrap().contains(&accept("tcp", &[(9090, 9090)], &[])));
    assert!(!v6.as_array().unwrap().iter().any(|one| one["protocol"] == "icmp"));
    assert_eq!(facts["ipv4"]["value"]["forward"]["default"], "accept");
    assert_eq!(facts["ipv4"]["value"]["output"]["filtered"], false);
    let chains: Vec<_> = facts["nftables"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["hook"])
        .collect();
    assert_eq!(chains, ["forward", "input", "postrouting"]);
}

#[test]
fn what_nft_cannot_write_iptables_save_can() {
    let host = Captured::default().output(LIST, 0, BY_IPTABLES, "");
    let blind = facts(&host);
    let limits = |facts: &Value| {
        let accepts = facts["ipv4"]["value"]["input"]["accepts"].as_array().unwrap().clone();
        accepts
            .iter()
            .filter(|one| one["limits"] == json!(["not_understood"]))
            .count()
    };
    assert_eq!(limits(&blind), 2);
    let seeing = facts(&host.output("/usr/sbin/iptables-nft-save", 0, SAVED, ""));
    assert_eq!(limits(&seeing), 0);
    let input = &seeing["ipv4"]["value"]["input"];
    assert_eq!(input["default"], "reject");
    assert_eq!(input["policy"], "drop");
    assert_eq!(
        input["accepts"],
        json!([accept("tcp", &[(1, 2)], &[]), accept("tcp", &[(443, 443)], &[])])
    );
    assert_eq!(seeing["ipv6"]["value"]["input"]["filtered"], false);
}

#[test]
fn the_older_iptables_counts_too() {
    let host = Captured::default()
        .output(LIST, 0, EMPTY, "")
        .file("/proc/net/ip_tables_names", "filter\n");
    assert_eq!(facts(&host)["ipv4"]["outcome"], "absent");
    let facts = facts(&host.output("/usr/sbin/iptables-legacy-save", 0, SAVED, ""));
    assert_eq!(facts["ipv4"]["value"]["input"]["default_drop"], true);
    assert_eq!(facts["ipv6"]["value"]["input"]["default_drop"], false);
    assert_eq!(facts["iptables_legacy"]["value"].as_array().unwrap().len(), 3);
}

#[test]
fn nothing_loaded_is_known_and_denied_is_not() {
    let nothing = loaded(EMPTY);
    assert_eq!(nothing["ipv4"]["value"]["input"]["filtered"], false);
    assert_eq!(nothing["ipv4"]["value"]["input"]["default"], "accept");
    let said = "Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed\n";
    let denied = facts(&Captured::default().output(LIST, 1, "", said));
    assert_eq!(denied["ipv4"]["outcome"], "denied");
    assert_eq!(denied["nftables"]["outcome"], "denied");
    assert_eq!(loaded("{")["ipv4"]["outcome"], "malformed");
    assert_eq!(loaded("{}")["ipv4"]["outcome"], "malformed");
    // No program and no module: nobody can have loaded anything.
    let bare = Captured::default()
        .file("/proc/modules", "ext4 1 0 - Live 0x0\n")
        .file("/proc/sys/kernel/osrelease", "6.1\n")
        .file("/usr/lib/modules/6.1/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
    let built_in = bare.clone().file(
        "/usr/lib/modules/6.1/modules.builtin",
        "kernel/net/netfilter/nf_tables.ko\n",
    );
    assert_eq!(
        facts(&built_in)["ipv4"]["outcome"],
        "absent",
        "what is loaded is not known"
    );
    assert_eq!(facts(&bare)["ipv4"]["value"]["input"]["filtered"], false);
    let unseen = Captured::default().file("/proc/modules", "nf_tables 1 0 - Live 0x0\n");
    assert_eq!(facts(&unseen)["ipv4"]["outcome"], "absent");
}

#[test]
fn managers_and_files() {
    let ufw_rules = "*filter\n### RULES ###\n\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
        -A ufw-user-input -p tcp --dport 22 -j ACCEPT\n### tuple ### limit any 53 0.0.0.0/0 any 10.0.0.0/8 in_eth0\n";
    let zone = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone>\n  <short>Public</short>\n  <service name=\"ssh\"/>\n  <port port=\"8080\" protocol=\"tcp\"/>\n</zone>\n";
    let host = Captured::default()
        .output(LIST, 0, EMPTY, "")
        .file("/etc/ufw/ufw.conf", "# c\nENABLED=yes\nLOGLEVEL=low\n")
        .file(
            "/etc/default/ufw",
            "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\nDEFAULT_FORWARD_POLICY=\"DROP\"\n",
        )
        .file("/etc/ufw/user.rules", ufw_rules)
        .file("/etc/firewalld/firewalld.conf", "DefaultZone=public\n")
        .file("/usr/lib/firewalld/zones/public.xml", zone)
        .file("/usr/lib/firewalld/zones/work.xml", zone)
        .file("/usr/lib/systemd/system/nftables.service", "")
        .link("/lib", "usr/lib")
        .boots()
        .link("/etc/systemd/system/sysinit.target.wants/nftables.service", "/lib/systemd/system/nftables.service")
        .file("/etc/nftables.conf", "include \"/etc/nftables.d/*.nft\"\n")
        .file("/etc/nftables.d/a.nft", "table inet f {\n chain i {\n type filter hook input priority 0; policy drop;\n }\n}\n")
        .file("/etc/iptables/rules.v4", SAVED)
        .file("/etc/iptables/rules.v6", "-A INPUT\n");
    let facts = facts(&host);
    assert_eq!(
        facts["ufw"]["value"],
        json!({
            "enabled": true, "ipv6": true, "input_policy": "drop", "forward_policy": "drop", "output_policy": "accept",
            "logging": "low", "rule_count": 2,
            "rules": [
                {"action": "allow", "protocol": "tcp", "ports": "22", "from_any": true, "direction": "in", "ipv6": false},
                {"action": "limit", "protocol": "any", "ports": "53", "from_any": false, "direction": "in_eth0", "ipv6": false},
            ],
        })
    );
    assert_eq!(
        facts["firewalld"]["value"]["zones"]["value"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        facts["firewalld"]["value"]["zones"]["value"][0]["services"],
        json!(["ssh"])
    );
    assert_eq!(facts["loaders"]["value"][0]["manager"], "nftables");
    assert_eq!(facts["loaders"]["value"][0]["unit"]["at_boot"], "pulled");
    let saved = facts["saved"].as_array().unwrap();
    let paths: Vec<_> = saved.iter().map(|one| one["path"].clone()).collect();
    assert_eq!(
        paths,
        ["/etc/iptables/rules.v4", "/etc/iptables/rules.v6", "/etc/nftables.conf"]
    );
    assert_eq!(saved[0]["input"]["default"], "reject");
    assert_eq!(saved[1]["chains"]["outcome"], "malformed");
    assert_eq!(saved[2]["chains"]["value"][0]["policy"], "drop");
    let denied = self::facts(&host.denied("/etc/ufw/ufw.conf"));
    assert_eq!(denied["ufw"]["outcome"], "denied");
}

#[test]
fn the_unit_names_its_file() {
    let rules = "table inet f {\n chain i {\n type filter hook input priority 0; policy drop;\n }\n}\n";
    let host = Captured::default()
        .file("/etc/nftables.conf", rules)
        .file("/etc/own.nft", rules)
        .file(
            "/usr/lib/systemd/system/nftables.service",
            "[Service]\nExecStart=/usr/sbin/nft -f /etc/nftables.conf\n",
        );
    let paths = |host: &Captured| {
        let facts = facts(host);
        let saved = facts["saved"].as_array().unwrap().clone().into_iter();
        saved
            .map(|one| one["path"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(&host), ["/etc/nftables.conf"]);
    let other = "[Service]\nExecStart=\nExecStart=/usr/sbin/nft -f /etc/own.nft\n";
    let host = host.file("/etc/systemd/system/nftables.service.d/own.conf", other);
    assert_eq!(paths(&host), ["/etc/own.nft"]);
}

#[test]
fn all_but_one_is_hardly_a_limit() {
    let text = "*filter\n:INPUT DROP [0:0]\n-A INPUT ! -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n\
                -A INPUT ! -i eth1 -p tcp -m tcp --dport 23 -j ACCEPT\n-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 24 -j ACCEPT\n\
                -A INPUT ! -i lo -p tcp -m tcp --dport 25 -j ACCEPT\n-A INPUT -s 0.0.0.0/0 -p tcp -m tcp --dport 26 -j ACCEPT\nCOMMIT\n";
    let host = Captured::default()
        .output(LIST, 0, EMPTY, "")
        .file("/proc/net/ip_tables_names", "filter\n")
        .output("/usr/sbin/iptables-legacy-save", 0, text, "");
    let accepts = facts(&host)["ipv4"]["value"]["input"]["accepts"].clone();
    assert_eq!(
        accepts,
        json!([
            accept("tcp", &[(22, 22)], &["excepted"]),
            accept("tcp", &[(23, 23)], &["excepted"]),
            accept("tcp", &[(24, 24)], &["source"]),
            accept("tcp", &[(25, 25)], &[]),
            accept("tcp", &[(26, 26)], &[]),
        ])
    );
    let rule = |op: &str, right: Value| {
        let left = json!({"payload": {"protocol": "ip", "field": "saddr"}});
        let expression = json!([{"match": {"op": op, "left": left, "right": right}}, {"accept": null}]);
        json!({"rule": {"family": "ip", "table": "t", "chain": "c", "expr": expression}})
    };
    let base = json!({"chain": {"family": "ip", "table": "t", "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}});
    let one = loaded(&json!({"nftables": [base, rule("!=", json!("192.0.2.1"))]}).to_string());
    assert_eq!(
        one["ipv4"]["value"]["input"]["accepts"],
        json!([accept("any", &[], &["excepted"])])
    );
    let all = rule("==", json!({"prefix": {"addr": "0.0.0.0", "len": 0}}));
    let all = loaded(&json!({"nftables": [base, all]}).to_string());
    assert_eq!(all["ipv4"]["value"]["input"]["default"], "accept");
}

#[test]
fn chains_that_call_each_other_end() {
    let rule = |from: usize, to: usize| {
        let expression = json!([{"jump": {"target": format!("c{to}")}}]);
        json!({"rule": {"family": "ip", "table": "t", "chain": format!("c{from}"), "expr": expression}})
    };
    let base = json!({"chain": {"family": "ip", "table": "t", "name": "c0", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}});
    let mut objects = vec![base];
    for from in 0..20 {
        objects.extend((0..20).map(|to| rule(from, to)));
    }
    let facts = loaded(&json!({"nftables": objects}).to_string());
    assert_eq!(facts["ipv4"]["value"]["input"]["complete"], false);
}

proptest! {
    #[test]
    fn any_output_ends(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        loaded(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_saved_rules_end(text in "(\\*filter\n|:INPUT DROP\n|-A INPUT -[pjimsd] |--dport |[a-z0-9:,!\"\\\\ ]{0,9}|COMMIT|\n){0,30}") {
        let _ = iptables::parse(&text, "ip");
    }

    #[test]
    fn any_damage_to_a_ruleset_ends(at in 0_usize..3000, with in "[{}\\[\\]\":,a0]") {
        let mut bytes = RULESET.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = with.as_bytes()[0];
        let _ = nft::parse(&bytes);
    }
}

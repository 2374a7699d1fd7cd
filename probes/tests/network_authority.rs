//! The probe of the network against ip(8) and sysctl(8), in network namespaces of the test's own and on this machine.
//!
//! Needs root and the packages iproute2, procps, systemd, util-linux.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::process::Command;

use evidence::facts::{FactsDocument, Outcome};
use machine::{Machine, authority};
use serde_json::Value;

const INSIDE: &str = "AFFIANT_TEST_NAMESPACE";

fn facts() -> Value {
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "network")
        .expect("it is registered");
    let document: FactsDocument = probe.collect(&Machine::this()).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.expect("observed documents have facts")
}

fn ip(args: &str) -> Value {
    let output = authority("iproute2", "ip", &args.split(' ').collect::<Vec<_>>(), b"");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "ip {args}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn interfaces_and_routes_are_as_ip_shows_them() {
    if std::env::var_os(INSIDE).is_none() {
        let script = "mount -t sysfs sysfs /sys && exec \"$@\"";
        let status = Command::new("unshare")
            .args(["--net", "--mount", "--", "sh", "-c", script, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "interfaces_and_routes_are_as_ip_shows_them", "--nocapture"])
            .env(INSIDE, "1")
            .status()
            .expect("apt-get install util-linux");
        assert!(status.success());
        return;
    }
    for args in [
        "link set lo up",
        "link add br0 type bridge",
        "link add c0 type veth peer name c1",
        "link set c0 master br0",
        "tuntap add t0 mode tap",
        "tuntap add t1 mode tun",
        "link set br0 up",
        "link set c0 up",
        "link set c1 up",
        "link set t1 promisc on",
        "link set t1 up",
        "addr add 192.0.2.7/24 dev br0",
        "-6 addr add 2001:db8::7/64 dev br0 nodad",
        "route add default via 192.0.2.1",
        "route add default dev t1 metric 7",
        "route add 198.51.100.0/24 via 192.0.2.2",
        "-6 route add default via 2001:db8::1 dev br0",
        "-6 route add default via fe80::1 dev br0 metric 77",
        "-6 route add unreachable default metric 9999",
    ] {
        ip(args);
    }
    let facts = facts();
    let found: BTreeSet<_> = facts["interfaces"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].to_string(),
                one["kind"].to_string(),
                one["up"] == true,
                one["promiscuous"] == true,
            )
        })
        .collect();
    let links = ip("-d -j link");
    let expected: BTreeSet<_> = links
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|link| {
            let kind = match link["linkinfo"]["info_kind"].as_str() {
                Some("bridge") => "\"bridge\"",
                Some("tun") => "\"tun\"",
                Some("veth") => return None,
                Some("sit" | "ip6tnl" | "gre" | "ipip" | "ip6gre" | "gretap" | "erspan") => "\"tunnel\"",
                _ if link["link_type"] == "loopback" => return None,
                _ => "\"virtual\"",
            };
            let flags = link["flags"].to_string();
            let promiscuous = link["promiscuity"] != 0;
            Some((
                link["ifname"].to_string(),
                kind.to_owned(),
                flags.contains("\"UP\""),
                promiscuous,
            ))
        })
        .collect();
    assert_eq!(found, expected);
    for (family, args) in [
        ("ipv4_default_routes", "-4 -j route show default"),
        ("ipv6_default_routes", "-6 -j route show default"),
    ] {
        let routes = ip(args);
        let expected: BTreeSet<_> = routes
            .as_array()
            .unwrap()
            .iter()
            .filter(|route| route["type"] != "unreachable")
            .map(|route| (route["dev"].to_string(), route["gateway"].to_string()))
            .collect();
        let found: BTreeSet<_> = facts[family]["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|route| (route["interface"].to_string(), route["gateway"].to_string()))
            .collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found, expected, "{routes:#}");
    }
}

#[test]
fn switches_are_as_sysctl_shows_them() {
    let facts = facts();
    for (name, key) in [
        ("ipv4_forwarding", "net.ipv4.ip_forward"),
        ("ipv6_forwarding", "net.ipv6.conf.all.forwarding"),
        ("ipv6_disabled", "net.ipv6.conf.all.disable_ipv6"),
    ] {
        let output = authority("procps", "sysctl", &["-n", key], b"");
        let value = String::from_utf8(output.stdout).unwrap();
        assert_eq!(facts[name]["now"]["value"], value.trim() != "0", "{key}");
    }
}

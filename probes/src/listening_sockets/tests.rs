use std::net::IpAddr;

use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::reading::{Attributes, Kind, Stat};
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<ListeningSocketsProbe>().collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.unwrap()
}

fn listener(protocol: Transport, address: &str, port: u16, cgroup: u64) -> Listener {
    let address: IpAddr = address.parse().unwrap();
    Listener {
        protocol,
        address,
        port,
        interface: 0,
        v6_only: address.is_ipv6().then_some(false),
        uid: 0,
        inode: 1,
        cgroup: Some(cgroup),
    }
}

fn group(host: Captured, path: &str, inode: u64) -> Captured {
    let path = format!("/sys/fs/cgroup{path}");
    let stat = Stat {
        kind: Kind::Folder,
        mode: 0o755,
        uid: 0,
        gid: 0,
        size: 0,
        mtime: 0,
        ctime: 0,
        device: (0, 0),
        inode,
        attributes: Attributes::default(),
    };
    host.folder(&path).stat_of(&path, stat)
}

/// A server: sshd, a resolver with a question under way, chrony's port and a container on the host's network.
fn host() -> Captured {
    let host = Captured::default()
        .file(PORT_RANGE, "32768\t60999\n")
        .file("/sys/fs/cgroup/cgroup.procs", "")
        .file("/sys/class/net/eth0/ifindex", "2\n");
    let host = group(host, "", 1);
    let host = group(host, "/system.slice", 10);
    let host = group(host, "/system.slice/ssh.service", 11);
    let host = group(host, "/system.slice/unbound.service", 12);
    let host = group(host, "/system.slice/docker-0123.scope", 13);
    group(host, "/user.slice/user-1000.slice/session-3.scope", 14)
}

#[test]
fn a_server() {
    let mut bound = listener(Transport::Udp, "fe80::1", 546, 99);
    bound.interface = 2;
    let mut only = listener(Transport::Tcp, "::", 443, 13);
    only.v6_only = Some(true);
    let host = host().listeners_of(Ok(vec![
        listener(Transport::Tcp, "0.0.0.0", 22, 11),
        listener(Transport::Tcp, "0.0.0.0", 22, 11),
        listener(Transport::Tcp, "::", 22, 11),
        only,
        listener(Transport::Tcp, "127.0.0.1", 40_000, 14),
        listener(Transport::Udp, "127.0.0.1", 53, 12),
        listener(Transport::Udp, "0.0.0.0", 17_001, 12),
        listener(Transport::Udp, "0.0.0.0", 41_000, 11),
        bound,
    ]));
    let line =
        |protocol: &str, port: u16, address: &str, reach: &str, (ipv4, ipv6): (bool, bool), kind: &str, unit: &str| {
            json!({
                "protocol": protocol, "port": port, "address": address, "reach": reach, "ipv4": ipv4, "ipv6": ipv6,
                "interface": if port == 546 { "eth0" } else { "" }, "uid": 0, "owner": {"kind": kind, "unit": unit},
            })
        };
    let facts = facts(&host);
    assert_eq!(
        facts["now"],
        json!({"outcome": "observed", "value": {
            "sockets": [
                line("tcp", 22, "0.0.0.0", "any", (true, false), "system", "ssh.service"),
                line("tcp", 22, "::", "any", (true, true), "system", "ssh.service"),
                line("tcp", 443, "::", "any", (false, true), "container", ""),
                line("tcp", 40_000, "127.0.0.1", "loopback", (true, false), "session", ""),
                line("udp", 53, "127.0.0.1", "loopback", (true, false), "system", "unbound.service"),
                line("udp", 546, "fe80::1", "link_local", (false, true), "gone", ""),
            ],
            "total": 6,
            "beyond_loopback": 4,
            "complete": true,
            "ephemeral_ports": {"first": 32_768, "last": 60_999},
        }})
    );
    assert_eq!(facts["at_boot"]["outcome"], "absent");
}

#[test]
fn questions_under_way_do_not_change_the_facts() {
    let quiet = host().listeners_of(Ok(vec![listener(Transport::Udp, "0.0.0.0", 53, 12)]));
    let busy = host().listeners_of(Ok(vec![
        listener(Transport::Udp, "0.0.0.0", 53, 12),
        listener(Transport::Udp, "0.0.0.0", 1_024, 12),
        listener(Transport::Udp, "::", 65_535, 12),
        listener(Transport::Udp, "::", 33_333, 14),
    ]));
    assert_eq!(facts(&quiet), facts(&busy));
}

#[test]
fn without_control_groups_the_owner_is_not_told() {
    let mut old = listener(Transport::Tcp, "::1", 25, 0);
    old.cgroup = None;
    let host = Captured::default().listeners_of(Ok(vec![old, listener(Transport::Tcp, "::1", 26, 7)]));
    let facts = facts(&host);
    assert_eq!(facts["now"]["value"]["sockets"][0]["owner"]["kind"], "not_told");
    assert_eq!(facts["now"]["value"]["sockets"][1]["owner"]["kind"], "not_told");
    assert_eq!(facts["now"]["value"].get("ephemeral_ports"), None);
}

#[test]
fn units_that_listen_at_boot() {
    let socket = "[Socket]\nListenStream=22\nListenStream=/run/x\nListenDatagram=127.0.0.1:69\n";
    let host = Captured::default()
        .link("/lib", "usr/lib")
        .file("/usr/lib/systemd/system/ssh.socket", socket)
        .file("/usr/lib/systemd/system/idle.socket", socket)
        .file("/usr/lib/systemd/system/odd.socket", "[Socket]\nListenStream=odd\n")
        .boots()
        .file(
            "/usr/lib/systemd/system/anew.socket",
            "[Socket]\nListenStream=1\nListenStream=\nListenStream=[::]:2\n",
        )
        .file(
            "/etc/systemd/system/anew.socket.d/6.conf",
            "[Socket]\nBindIPv6Only=ipv6-only\n",
        )
        .link(
            "/etc/systemd/system/sockets.target.wants/ssh.socket",
            "/usr/lib/systemd/system/ssh.socket",
        )
        .link(
            "/etc/systemd/system/sockets.target.wants/anew.socket",
            "/usr/lib/systemd/system/anew.socket",
        )
        .link(
            "/etc/systemd/system/sockets.target.wants/odd.socket",
            "/usr/lib/systemd/system/odd.socket",
        )
        .listeners_of(Ok(vec![]));
    let units = facts(&host)["at_boot"]["value"].clone();
    let names: Vec<_> = units
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit["unit"].clone())
        .collect();
    assert_eq!(names, ["anew.socket", "odd.socket", "ssh.socket"]);
    let listens = |port: u16, protocol: &str, address: &str, reach: &str, ipv4: bool| {
        let ipv6 = address.contains(':');
        json!({"protocol": protocol, "port": port, "address": address, "reach": reach, "ipv4": ipv4, "ipv6": ipv6})
    };
    assert_eq!(
        units[0]["listens"]["value"],
        json!([listens(2, "tcp", "::", "any", false)])
    );
    assert_eq!(units[1]["listens"]["outcome"], "malformed");
    assert_eq!(
        units[2]["listens"]["value"],
        json!([
            listens(22, "tcp", "::", "any", true),
            listens(69, "udp", "127.0.0.1", "loopback", true)
        ])
    );
}

#[test]
fn what_systemd_itself_listens_on_is_its_units() {
    let host = group(host(), "/init.scope", 20)
        .link("/lib", "usr/lib")
        .boots()
        .file(
            "/usr/lib/systemd/system/a.socket",
            "[Socket]\nListenStream=80\nListenDatagram=0.0.0.0:40000\n",
        )
        .link(
            "/etc/systemd/system/sockets.target.wants/a.socket",
            "/usr/lib/systemd/system/a.socket",
        )
        .listeners_of(Ok(vec![
            listener(Transport::Tcp, "::", 80, 20),
            listener(Transport::Tcp, "0.0.0.0", 80, 11),
            listener(Transport::Tcp, "::", 81, 20),
            listener(Transport::Udp, "0.0.0.0", 40_000, 20),
            listener(Transport::Udp, "0.0.0.0", 40_001, 20),
        ]));
    let facts = facts(&host);
    let sockets = facts["now"]["value"]["sockets"].as_array().unwrap();
    let owners: Vec<_> = sockets
        .iter()
        .map(|one| (one["port"].clone(), one["owner"]["unit"].clone()))
        .collect();
    // A UDP port of a unit is listed although it is ephemeral.
    assert_eq!(
        owners,
        [
            (json!(80), json!("ssh.service")),
            (json!(80), json!("a.socket")),
            (json!(81), json!("init.scope")),
            (json!(40_000), json!("a.socket")),
        ]
    );
}

#[test]
fn what_is_not_known_is_said() {
    let skipped = facts(&Captured::default());
    assert_eq!(skipped["now"]["outcome"], "skipped");
    let denied = Captured::default()
        .listeners_of(Err(Unread::Denied {
            place: "netlink:sock_diag".into(),
        }))
        .denied("/etc/systemd/system");
    assert_eq!(facts(&denied)["now"]["outcome"], "denied");
    assert_eq!(facts(&denied)["at_boot"]["outcome"], "denied");
    let range = host().listeners_of(Ok(vec![])).file(PORT_RANGE, "1 2 3");
    assert_eq!(facts(&range)["now"]["outcome"], "malformed");
    let hidden = host().listeners_of(Ok(vec![listener(Transport::Tcp, "::", 1, 99)]));
    assert_eq!(facts(&hidden.denied("/sys/fs/cgroup"))["now"]["outcome"], "denied");
}

#[test]
fn a_flood_is_counted_and_not_listed() {
    let many = (1..=5_000)
        .map(|port| listener(Transport::Tcp, "127.0.0.1", port, 11))
        .collect();
    let value = facts(&host().listeners_of(Ok(many)))["now"]["value"].clone();
    assert_eq!(value["total"], 5_000);
    assert_eq!(value["complete"], false);
    assert_eq!(value["sockets"].as_array().unwrap().len(), MAX_LISTED);
}

proptest! {
    #[test]
    fn any_unit_ends(text in "[\\[\\]A-Za-z0-9=:.%\\n]{0,200}") {
        let host = Captured::default()
            .file("/etc/systemd/system/a.socket", format!("[Socket]\n{text}"))
            .link("/etc/systemd/system/sockets.target.wants/a.socket", "../a.socket")
            .listeners_of(Ok(vec![]));
        facts(&host);
    }
}

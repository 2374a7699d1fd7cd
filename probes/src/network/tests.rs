use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<NetworkProbe>().collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.unwrap()
}

fn interface(host: Captured, name: &str, kind: u32, flags: &str, uevent: &str) -> Captured {
    let folder = format!("/sys/class/net/{name}");
    host.file(&format!("{folder}/flags"), format!("{flags}\n"))
        .file(&format!("{folder}/type"), format!("{kind}\n"))
        .file(&format!("{folder}/uevent"), uevent)
        .file(&format!("{folder}/ifindex"), "3\n")
        .file(&format!("{folder}/iflink"), "3\n")
}

#[test]
fn interfaces_and_their_kinds() {
    let host = interface(Captured::default(), "lo", 772, "0x9", "INTERFACE=lo\n");
    let host = interface(host, "eth0", 1, "0x1103", "INTERFACE=eth0\n").file("/sys/class/net/eth0/device/uevent", "");
    let host = interface(host, "wlan0", 1, "0x1002", "DEVTYPE=wlan\n");
    let host = interface(host, "br0", 1, "0x1003", "DEVTYPE=bridge\n");
    let host = interface(host, "wg0", 65_534, "0x91", "DEVTYPE=wireguard\n");
    let host = interface(host, "tap0", 1, "0x1003", "").file("/sys/class/net/tap0/tun_flags", "0x1002\n");
    let host = interface(host, "veth1", 1, "0x1003", "").file("/sys/class/net/veth1/iflink", "7\n");
    let host = host
        .link("/sys/class/net/eth0/master", "../br0")
        .file("/sys/class/net/bonding_masters", "");
    let facts = facts(&host);
    let line = |name: &str, kind: &str, up: bool, promiscuous: bool, master: &str| json!({"name": name, "kind": kind, "up": up, "promiscuous": promiscuous, "master": master});
    assert_eq!(
        facts["interfaces"]["value"],
        json!([
            line("br0", "bridge", true, false, ""),
            line("eth0", "ethernet", true, true, "br0"),
            line("tap0", "tun", true, false, ""),
            line("wg0", "wireguard", true, false, ""),
            line("wlan0", "wireless", false, false, ""),
        ])
    );
}

#[test]
fn default_routes() {
    let v4 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
              eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
              eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n\
              wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n";
    let v6 = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n\
              00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";
    let host = Captured::default()
        .file("/proc/net/route", v4)
        .file("/proc/net/ipv6_route", v6);
    let known = facts(&host);
    assert_eq!(
        known["ipv4_default_routes"]["value"],
        json!([{"interface": "eth0", "gateway": "192.168.0.1"}, {"interface": "wg0"}])
    );
    assert_eq!(
        known["ipv6_default_routes"]["value"],
        json!([{"interface": "eth0", "gateway": "fe80::1"}])
    );
    let broken = facts(&host.file("/proc/net/route", "eth0 x\n"));
    assert_eq!(broken["ipv4_default_routes"]["outcome"], "malformed");
    assert_eq!(facts(&Captured::default())["ipv4_default_routes"]["outcome"], "absent");
}

#[test]
fn forwarding_now_and_at_boot() {
    let host = Captured::default()
        .file("/proc/sys/net/ipv4/ip_forward", "1\n")
        .file("/proc/sys/net/ipv6/conf/all/forwarding", "0\n")
        .file(
            "/etc/sysctl.d/1.conf",
            "net.ipv4.ip_forward=0\nnet.ipv6.conf.all.disable_ipv6 = 1\n",
        );
    let facts = facts(&host);
    let observed = |value: bool| json!({"outcome": "observed", "value": value});
    assert_eq!(
        facts["ipv4_forwarding"],
        json!({"now": observed(true), "at_boot": observed(false)})
    );
    assert_eq!(facts["ipv6_forwarding"]["at_boot"]["outcome"], "absent");
    assert_eq!(facts["ipv6_disabled"]["at_boot"], observed(true));
}

#[test]
fn resolution() {
    let host = Captured::default()
        .file(
            "/run/systemd/resolve/stub-resolv.conf",
            "# c\nnameserver 127.0.0.53\noptions trust-ad edns0\ndomain a.test\nsearch b.test c.test\n",
        )
        .link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf")
        .file(
            "/run/systemd/resolve/resolv.conf",
            "# c\n\nnameserver 198.51.100.1\nnameserver fe80::1%eth0\nsearch .\n",
        )
        .file(
            "/etc/nsswitch.conf",
            "passwd: files\nhosts: files resolve [!UNAVAIL=return] dns # c\n",
        )
        .file(
            "/etc/hosts",
            "127.0.0.1 localhost\n::1 localhost # c\nff02::1 ip6-allnodes\n192.0.2.1 a b\n# x\nnonsense a\n10.0.0.1\n",
        )
        .file("/usr/lib/systemd/system/systemd-resolved.service", "")
        .link("/lib", "usr/lib")
        .file(
            "/etc/systemd/resolved.conf",
            "[Resolve]\nDNS=192.0.2.53 2001:db8::53\nDNSOverTLS=opportunistic\nLLMNR=no\n",
        );
    let facts = facts(
        &host
            .clone()
            .link("/run/systemd/units/invocation:systemd-resolved.service", "0123"),
    );
    // It leaves the file behind when it stops.
    let stopped = self::facts(&host.clone().link("/run/systemd/units/invocation:other.service", "0123"));
    assert_eq!(stopped["resolver"]["value"]["behind_resolved"]["outcome"], "absent");
    assert_eq!(
        facts["resolver"]["value"],
        json!({
            "behind_resolved": {"outcome": "observed", "value": ["198.51.100.1", "fe80::1%eth0"]},
            "written_by": "systemd_resolved", "nameservers": ["127.0.0.53"], "search": ["b.test", "c.test"],
            "options": ["edns0", "trust-ad"], "hosts_sources": ["files", "resolve", "[!UNAVAIL=return]", "dns"],
        })
    );
    let resolved = &facts["resolved"]["value"];
    assert_eq!(resolved["dns"], json!(["192.0.2.53", "2001:db8::53"]));
    assert_eq!((&resolved["dnssec"], &resolved["llmnr"]), (&json!(""), &json!("no")));
    assert_eq!(facts["hosts"]["value"], json!({"entries": 4, "beyond_loopback": 1}));
    let denied = self::facts(&host.denied("/etc/systemd/resolved.conf").denied("/etc/hosts"));
    assert_eq!(denied["resolved"]["outcome"], "denied");
    assert_eq!(denied["hosts"]["outcome"], "denied");
}

#[test]
fn proxies_without_credentials() {
    let host = Captured::default()
        .file("/etc/environment", "PATH=/bin\nhttps_proxy=\"http://user:p@ss/word@proxy.test:3128/\"\nno_proxy=localhost\n")
        .file(
            "/etc/apt/apt.conf.d/10p",
            "// Acquire::http::Proxy \"http://c\";\nAcquire::http::Proxy \"http://apt.test:8080\";\nAcquire {\n  https {\n    Proxy \"DIRECT\";\n  }\n}\n",
        )
        .file("/etc/dnf/dnf.conf", "[main]\nproxy=http://dnf.test\nproxy_password=secret\n");
    let document = Registered::of::<NetworkProbe>().collect(&host).remove(0);
    let whole = serde_json::to_string(&document).unwrap();
    for secret in ["p@ss", "word", "secret", "user:"] {
        assert!(!whole.contains(secret), "{secret}");
    }
    let line = |file: &str, setting: &str, host: &str, credentials: bool| json!({"file": file, "setting": setting, "host": host, "credentials": credentials});
    assert_eq!(
        document.facts.unwrap()["proxies"]["value"],
        json!([
            line(
                "/etc/apt/apt.conf.d/10p",
                "acquire::http::proxy",
                "apt.test:8080",
                false
            ),
            line("/etc/apt/apt.conf.d/10p", "acquire::https::proxy", "", false),
            line("/etc/dnf/dnf.conf", "proxy", "dnf.test", false),
            line("/etc/environment", "https_proxy", "proxy.test:3128", true),
        ])
    );
}

#[test]
fn wireless_networks_are_counted_and_not_named() {
    let wifi = |security: &str| {
        format!("[connection]\nid=Cafe\ntype=wifi\n[wifi]\nssid=Cafe\n[wifi-security]\n{security}\npsk=hush\n")
    };
    let host = Captured::default()
        .file(
            "/etc/NetworkManager/system-connections/Cafe.nmconnection",
            wifi("key-mgmt=wpa-psk"),
        )
        .file(
            "/etc/NetworkManager/system-connections/Home.nmconnection",
            wifi("key-mgmt=wpa-psk"),
        )
        .file(
            "/etc/NetworkManager/system-connections/Open.nmconnection",
            "[connection]\ntype=wifi\n",
        )
        .file(
            "/etc/NetworkManager/system-connections/eth.nmconnection",
            "[connection]\ntype=ethernet\n",
        )
        .file(
            "/etc/wpa_supplicant/wpa_supplicant.conf",
            "network={\n ssid=\"x\"\n key_mgmt=WPA-EAP\n}\nnetwork={\n}\n",
        )
        .file("/var/lib/iwd/Place.8021x", "");
    let document = Registered::of::<NetworkProbe>().collect(&host).remove(0);
    let whole = serde_json::to_string(&document).unwrap();
    for secret in ["Cafe", "Home", "Open.nm", "hush", "Place"] {
        assert!(!whole.contains(secret), "{secret}");
    }
    let line = |manager: &str, security: &str, networks: u64| json!({"manager": manager, "security": security, "networks": networks});
    assert_eq!(
        document.facts.unwrap()["wireless"]["value"],
        json!([
            line("network_manager", "none", 1),
            line("network_manager", "wpa-psk", 2),
            line("wpa_supplicant", "wpa-eap", 1),
            line("wpa_supplicant", "wpa-psk wpa-eap", 1),
            line("iwd", "8021x", 1),
        ])
    );
    let denied = facts(&host.denied("/etc/NetworkManager/system-connections/Cafe.nmconnection"));
    assert_eq!(denied["wireless"]["outcome"], "denied");
}

#[test]
fn bluetooth_and_protocols() {
    let host = Captured::default()
        .folder("/sys/class/bluetooth/hci0")
        .folder("/sys/class/bluetooth/hci0:64")
        .file("/sys/class/rfkill/rfkill0/type", "bluetooth\n")
        .file("/sys/class/rfkill/rfkill0/soft", "1\n")
        .file("/sys/class/rfkill/rfkill0/hard", "0\n")
        .file("/proc/modules", "sctp 1 0 - Live 0x0\n")
        .file("/etc/modprobe.d/a.conf", "install dccp /bin/false\n");
    let facts = facts(&host);
    let one = json!({"outcome": "observed", "value": 1});
    assert_eq!(facts["bluetooth"], json!({"adapters": one, "blocked": one}));
    let folder = self::facts(&Captured::default());
    assert_eq!(folder["bluetooth"]["adapters"]["outcome"], "absent");
    let protocol = |name: &str| {
        let all = facts["uncommon_protocols"]["value"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["module"] == name).unwrap()
    };
    assert_eq!(protocol("sctp")["loaded"], true);
    assert_eq!(protocol("dccp")["disabled"], true);
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let host = interface(Captured::default(), "eth0", 1, "0x1", "")
            .file("/sys/class/net/eth0/flags", &bytes)
            .file("/proc/net/route", &bytes)
            .file("/proc/net/ipv6_route", &bytes)
            .file("/etc/resolv.conf", &bytes)
            .file("/etc/hosts", &bytes)
            .file("/etc/environment", &bytes)
            .file("/etc/apt/apt.conf.d/1", &bytes)
            .file("/etc/NetworkManager/system-connections/a", &bytes)
            .file("/etc/wpa_supplicant/a.conf", &bytes);
        facts(&host);
    }

    #[test]
    fn any_apt_conf_ends(text in "(Acquire|::|http|Proxy|[{}\"; \n]){0,60}") {
        facts(&Captured::default().file("/etc/apt/apt.conf", text));
    }
}

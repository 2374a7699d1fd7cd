use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<RemoteAccessProbe>().collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.unwrap()
}

#[test]
fn programs_and_their_units() {
    let host = Captured::default()
        .link("/lib", "usr/lib")
        .boots()
        .file("/usr/bin/x11vnc", "")
        .file("/usr/sbin/in.telnetd", "")
        .file("/usr/local/bin/ngrok", "")
        .folder("/opt/teamviewer")
        .file(
            "/usr/lib/systemd/system/teamviewerd.service",
            "[Service]\nExecStart=/opt/teamviewer/tv_bin/teamviewerd\n",
        )
        .link(
            "/etc/systemd/system/multi-user.target.wants/teamviewerd.service",
            "/usr/lib/systemd/system/teamviewerd.service",
        )
        .file("/etc/systemd/system/anydesk.service", "[Service]\n")
        .link("/run/systemd/units/invocation:anydesk.service", "0123");
    let facts = facts(&host);
    let products = facts["products"]["value"].as_array().unwrap();
    let names: Vec<_> = products.iter().map(|one| one["product"].clone()).collect();
    assert_eq!(names, ["anydesk", "ngrok", "teamviewer", "telnetd", "x11vnc"]);
    let observed = |active: bool| json!({"outcome": "observed", "value": active});
    assert_eq!(
        products[0]["units"]["value"],
        json!([{"unit": "anydesk.service", "at_boot": "not_pulled", "active": observed(true)}])
    );
    assert_eq!(
        products[2],
        json!({
            "product": "teamviewer", "kind": "remote_support", "files": ["/opt/teamviewer"],
            "units": {"outcome": "observed", "value": [
                {"unit": "teamviewerd.service", "at_boot": "pulled", "active": observed(false)},
            ]},
        })
    );
    assert_eq!(products[3]["files"], json!(["/usr/sbin/in.telnetd"]));
    assert!(facts["looked_for"].as_array().unwrap().contains(&json!("rustdesk")));
}

#[test]
fn nothing_and_denied() {
    let none = facts(&Captured::default());
    for name in ["products", "inetd", "vpns"] {
        assert_eq!(none[name], json!({"outcome": "observed", "value": []}), "{name}");
    }
    let denied = Captured::default()
        .denied("/usr/bin")
        .denied("/etc/inetd.conf")
        .denied("/etc/ipsec.conf");
    for name in ["products", "inetd", "vpns"] {
        assert_eq!(facts(&denied)[name]["outcome"], "denied", "{name}");
    }
    let units = Captured::default()
        .file("/usr/bin/x11vnc", "")
        .denied("/etc/systemd/system");
    assert_eq!(facts(&units)["products"]["value"][0]["units"]["outcome"], "denied");
}

#[test]
fn inetd_and_xinetd() {
    let host = Captured::default()
        .file(
            "/etc/inetd.conf",
            "# c\n#<off># ftp stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.ftpd\ntelnet\tstream tcp nowait telnetd.utmp /usr/sbin/tcpd /usr/sbin/in.telnetd\ntime dgram udp wait root internal\nshort line\n",
        )
        .file("/etc/xinetd.d/tftp", "service tftp\n{\n  disable = no\n  protocol = udp\n  user = root\n  server = /usr/sbin/in.tftpd\n  env += A=B\n}\n")
        .file("/etc/xinetd.d/echo", "service echo {\n disable = yes\n}\n")
        .file("/etc/xinetd.d/rsync.bak", "service rsync {\n}\n");
    let line = |service: &str, protocol: &str, user: &str, server: &str, file: &str| json!({"service": service, "protocol": protocol, "user": user, "server": server, "file": file});
    assert_eq!(
        facts(&host)["inetd"]["value"],
        json!([
            line("telnet", "tcp", "telnetd", "/usr/sbin/tcpd", "/etc/inetd.conf"),
            line("tftp", "udp", "root", "/usr/sbin/in.tftpd", "/etc/xinetd.d/tftp"),
            line("time", "udp", "root", "internal", "/etc/inetd.conf"),
        ])
    );
}

#[test]
fn vpns_are_counted_and_not_named() {
    let host = Captured::default()
        .file("/etc/wireguard/annas-laptop.conf", "[Interface]\nPrivateKey = SECRET\n")
        .file("/etc/wireguard/notes.txt", "")
        .link(
            "/etc/systemd/system/multi-user.target.wants/wg-quick@annas-laptop.service",
            "/usr/lib/systemd/system/wg-quick@.service",
        )
        .file("/etc/openvpn/client/office.conf", "")
        .file(
            "/etc/systemd/network/wg0.netdev",
            "[NetDev]\nName=wg0\nKind = wireguard\n",
        )
        .file("/etc/systemd/network/br0.netdev", "[NetDev]\nName=br0\nKind=bridge\n")
        .file("/etc/ipsec.conf", "conn %default\nconn annas\n  left=1\nconn two\n")
        .file(
            "/etc/NetworkManager/system-connections/Annas.nmconnection",
            "[connection]\ntype=vpn\n[vpn]\npassword=SECRET\n",
        );
    let document = Registered::of::<RemoteAccessProbe>().collect(&host).remove(0);
    let whole = serde_json::to_string(&document).unwrap().to_lowercase();
    assert!(!whole.contains("anna") && !whole.contains("secret") && !whole.contains("office"));
    let line = |kind: &str, configurations: u64, at_boot: u64| json!({"kind": kind, "configurations": configurations, "at_boot": at_boot});
    assert_eq!(
        document.facts.unwrap()["vpns"]["value"],
        json!([
            line("wireguard", 1, 1),
            line("wireguard_networkd", 1, 0),
            line("openvpn", 1, 0),
            line("ipsec_conf", 2, 0),
            line("network_manager", 1, 0),
        ])
    );
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let host = Captured::default()
            .file("/etc/inetd.conf", &bytes)
            .file("/etc/xinetd.d/a", &bytes)
            .file("/etc/ipsec.conf", &bytes)
            .file("/etc/systemd/network/a.netdev", &bytes)
            .file("/etc/NetworkManager/system-connections/a", &bytes);
        facts(&host);
    }

    #[test]
    fn any_xinetd_ends(text in "(service a|[{}=\n]|disable|no){0,40}") {
        facts(&Captured::default().file("/etc/xinetd.d/a", text));
    }
}

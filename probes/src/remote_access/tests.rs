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

#[test]
fn whom_snmp_lets_in() {
    let host = Captured::default()
        .file(
            "/etc/snmp/snmpd.conf",
            "# rocommunity never\nagentaddress 127.0.0.1,[::1]\nrocommunity public default -V systemonly\n\
             RWCommunity \"a b\" 10.0.0.0/8\nrouser -s tsm anna\nrwuser ben noauth\n\
             com2sec one default private\ncom2sec -Cn x two !192.0.2.1 Zuj3\ncom2sec three default x9\n\
             group all v2c one\ngroup all usm carol\ngroup none v1 three\naccess all \"\" any priv exact everything none none\n\
             access none \"\" usm noauth exact all all all\n[snmptrapd] rocommunity never\n[snmp]\nrocommunity never\n[snmpd]\n\
             extend uptime /bin/uptime\nincludeDir /etc/snmp/snmpd.conf.d\nincludeFile more.conf\n",
        )
        .file("/etc/snmp/snmpd.conf.d/a.conf", "createUser anna MD5 \"long passphrase\" DES\nincludeFile a.conf\n")
        .file("/etc/snmp/snmpd.conf.d/a.off", "rwcommunity never\n")
        .file("/etc/snmp/more.conf", "authcommunity log,read Admin\n")
        .file(
            "/var/lib/snmp/snmpd.conf",
            "usmUser 1 3 0x80 \"ben\" \"ben\" NULL .1.3.6.1.6.3.10.1.1.5 0x1 .1.3.6.1.6.3.10.1.2.4 0x2 \"\"\n",
        );
    let document = serde_json::to_string(&facts(&host)).unwrap();
    for secret in ["a b", "anna", "ben", "Zuj3", "x9", "long passphrase", "never", "carol"] {
        assert!(!document.contains(secret), "{secret}");
    }
    let snmp = &facts(&host)["snmp"]["value"];
    assert_eq!(snmp["addresses"], json!(["127.0.0.1", "[::1]"]));
    let communities: Vec<_> = snmp["communities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            json!([
                one["directive"],
                one["access"],
                one["guessable"],
                one["source"],
                one["anywhere"],
                one["limited"]
            ])
        })
        .collect();
    let expected = [
        json!(["rocommunity", "read", true, "default", true, true]),
        json!(["rwcommunity", "write", false, "10.0.0.0/8", false, false]),
        json!(["com2sec", "read", true, "default", true, false]),
        json!(["com2sec", "none", false, "!192.0.2.1", false, false]),
        json!(["com2sec", "none", false, "default", true, false]),
        json!(["authcommunity", "read", true, "default", true, false]),
    ];
    assert_eq!(communities, expected);
    let users: Vec<_> = snmp["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["access"], one["level"]]))
        .collect();
    assert_eq!(
        users,
        [
            json!(["read", "auth"]),
            json!(["write", "noauth"]),
            json!(["read", "priv"])
        ]
    );
    assert_eq!(snmp["commands"], 1);
    assert_eq!(
        snmp["keys"],
        json!([
            {"authentication": "md5", "privacy": "des", "passphrase_in_file": true},
            {"authentication": "sha-256", "privacy": "aes", "passphrase_in_file": false},
        ])
    );
    assert_eq!(snmp["files"].as_array().unwrap().len(), 4);
}

#[test]
fn snmp_that_cannot_be_read_is_said() {
    let of = |host: &Captured| facts(host)["snmp"]["outcome"].clone();
    assert_eq!(of(&Captured::default()), "absent");
    assert_eq!(of(&Captured::default().denied("/etc/snmp/snmpd.conf")), "denied");
    let included = Captured::default()
        .file("/etc/snmp/snmpd.conf", "includeFile x\n")
        .denied("/etc/snmp/x");
    assert_eq!(of(&included), "denied");
    let many = (0..150).fold(Captured::default(), |host, number| {
        host.file(&format!("/etc/snmp/d/{number}.conf"), "")
    });
    assert_eq!(
        of(&many.file("/etc/snmp/snmpd.conf", "includeDir /etc/snmp/d\n")),
        "failed"
    );
}

proptest! {
    #[test]
    fn any_configuration_of_snmp_ends(words in proptest::collection::vec(
        "(rocommunity|com2sec|-Cn|group|access|any|v2c|createUser|-m|-e|usmUser|\\[snmpd\\]|\"|'|\\\\|\n|includeFile /etc/snmp/snmpd.conf|a)", 0..60)
    ) {
        facts(&Captured::default().file("/etc/snmp/snmpd.conf", words.join(" ")));
    }
}

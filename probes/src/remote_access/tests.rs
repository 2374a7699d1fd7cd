use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<RemoteAccessProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

#[test]
fn the_table_is_sorted() {
    assert!(SOFTWARE.is_sorted_by_key(|(_, product)| product.id));
}

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["software"], json!([]));
    for list in ["inetd", "wireguard", "openvpn"] {
        assert_eq!(facts[list]["value"], json!([]), "{list}");
    }
    assert_eq!(facts["ipsec"]["value"]["connections"], 0);
    for part in ["cockpit", "webmin", "xrdp", "vsftpd", "x11vnc"] {
        assert_eq!(facts[part]["outcome"], "absent", "{part}");
    }
}

#[test]
fn software_and_its_units() {
    let host = Captured::default()
        .file("/usr/sbin/xrdp", "")
        .folder("/opt/connectwisecontrol-0123")
        .file(
            "/usr/lib/systemd/system/xrdp.service",
            "[Service]\nExecStart=/usr/sbin/xrdp\n",
        )
        .link(
            "/etc/systemd/system/default.target.wants/xrdp.service",
            "/usr/lib/systemd/system/xrdp.service",
        )
        .link("/run/systemd/units/invocation:xrdp.service", "0123")
        .file(
            "/etc/xrdp/xrdp.ini",
            "[Globals]\nport=tcp://.:3389\nsecurity_layer=negotiate\nssl_protocols=TLSv1.2, TLSv1.3\n[Xorg]\nport=-1\n",
        );
    let facts = facts(&host);
    assert_eq!(facts["software"][0]["product"], "screenconnect");
    let xrdp = &facts["software"][1];
    assert_eq!(xrdp["way"], "desktop");
    assert_eq!(xrdp["units"]["value"][0]["at_boot"], "pulled");
    assert_eq!(xrdp["units"]["value"][0]["active"]["value"], true);
    let expected = json!({"port": "tcp://.:3389", "security_layer": "negotiate", "crypt_level": "high",
                          "tls_protocols": ["TLSv1.2", "TLSv1.3"]});
    assert_eq!(facts["xrdp"]["value"], expected);
}

#[test]
fn inetd_and_xinetd() {
    let host = Captured::default()
        .file(
            "/etc/inetd.conf",
            "#<off># ftp stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.ftpd\n\
             telnet\tstream\ttcp\tnowait\troot\t/usr/sbin/tcpd\t/usr/sbin/in.telnetd\ntime stream tcp nowait root internal\nodd\n",
        )
        .file("/etc/xinetd.d/tftp", "service tftp\n{\n\tdisable = no\n\tprotocol = udp\n\tserver = /usr/sbin/in.tftpd\n}\n")
        .file("/etc/xinetd.d/echo", "service echo\n{\n disable = yes\n type = INTERNAL\n}\n");
    let facts = facts(&host);
    let told: Vec<_> = facts["inetd"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            [
                one["service"].as_str().unwrap(),
                one["protocol"].as_str().unwrap(),
                one["program"].as_str().unwrap(),
            ]
        })
        .collect();
    let expected = [
        ["telnet", "tcp", "/usr/sbin/in.telnetd"],
        ["tftp", "udp", "/usr/sbin/in.tftpd"],
        ["time", "tcp", "internal"],
    ];
    assert_eq!(told, expected);
}

#[test]
fn vpns_without_their_secrets() {
    let host = Captured::default()
        .file(
            "/etc/wireguard/wg0.conf",
            "[Interface]\nPrivateKey = hunter2=\nListenPort = 51820 # c\n[Peer]\nPublicKey = hunter2\nPresharedKey = hunter2\n\
             AllowedIPs = 10.0.0.0/8, 0.0.0.0/0\n[peer]\nPublicKey = hunter2\n",
        )
        .file(
            "/etc/openvpn/server/alice.conf",
            "port 1194\nserver 10.8.0.0 255.255.255.0\ndata-ciphers AES-256-GCM:AES-128-GCM\ntls-version-min 1.2\n<tls-crypt>\nhunter2\n\
             server\n</tls-crypt>\n;comp-lzo\nverify-client-cert none\n",
        )
        .file("/etc/openvpn/client/bob.conf", "client\nremote hunter2 1194\nremote-cert-tls server\ncompress lz4\nauth SHA1\n")
        .file("/etc/ipsec.conf", "config setup\nconn %default\n authby=secret\nconn a\n  authby=secret\n  left=hunter2\nconn b\n")
        .file(
            "/etc/swanctl/conf.d/x.conf",
            "connections {\n  carol {\n    local { # c\n      auth = psk\n    }\n    remote {\n      auth = psk\n    }\n  }\n}\nsecrets {\n \
             ike { hunter2 = x }\n}\n",
        );
    let facts = facts(&host);
    let text = facts.to_string();
    for hidden in ["hunter2", "alice", "bob", "carol"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    let wireguard = json!([{"file": "/etc/wireguard/wg0.conf", "mode": "0644", "listen_port": 51820, "peers": 2,
                            "preshared_keys": 1, "all_traffic": true}]);
    assert_eq!(facts["wireguard"]["value"], wireguard);
    let openvpn = &facts["openvpn"]["value"];
    assert_eq!(openvpn[0]["server"], false);
    assert_eq!(openvpn[0]["compression"], true);
    assert_eq!(openvpn[0]["server_checked"], true);
    assert_eq!(openvpn[0]["auth"], "SHA1");
    assert_eq!(openvpn[1]["server"], true);
    assert_eq!(openvpn[1]["ciphers"], json!(["AES-256-GCM", "AES-128-GCM"]));
    assert_eq!(openvpn[1]["control_key"], true);
    assert_eq!(openvpn[1]["compression"], false);
    assert_eq!(openvpn[1]["without_client_certificate"], true);
    let ipsec = json!({"files": ["/etc/ipsec.conf", "/etc/swanctl/conf.d/x.conf"], "connections": 3, "by_secret": 2});
    assert_eq!(facts["ipsec"]["value"], ipsec);
}

#[test]
fn servers() {
    let host = Captured::default()
        .file(
            "/usr/lib/systemd/system/cockpit.socket",
            "[Socket]\nListenStream=9090\n",
        )
        .file("/etc/cockpit/cockpit.conf", "[WebService]\nAllowUnencrypted = true\n")
        .file(
            "/etc/webmin/miniserv.conf",
            "port=10000\nssl=1\nallow=127.0.0.1\nbind=127.0.0.1\n",
        )
        .file("/usr/sbin/vsftpd", "")
        .file(
            "/etc/vsftpd.conf",
            "# anonymous_enable=NO\nlocal_enable=YES\nssl_enable=NO\n",
        )
        .file("/usr/bin/x11vnc", "")
        .file(
            "/usr/lib/systemd/system/x11vnc.service",
            "[Service]\nExecStart=/usr/bin/x11vnc -display :0 -forever -localhost -passwd hunter2\n",
        );
    let facts = facts(&host);
    assert!(!facts.to_string().contains("hunter2"));
    assert_eq!(
        facts["cockpit"]["value"],
        json!({"allow_unencrypted": true, "login_to": true, "idle_timeout": 0})
    );
    let webmin = json!({"port": 10000, "tls": true, "bind": "127.0.0.1", "restricted": true});
    assert_eq!(facts["webmin"]["value"], webmin);
    assert_eq!(facts["vsftpd"]["value"]["anonymous"], true);
    assert_eq!(facts["vsftpd"]["value"]["local_users"], true);
    let x11vnc = json!({"password": true, "localhost": true, "tls": false, "view_only": false});
    assert_eq!(facts["x11vnc"]["value"], x11vnc);
}

#[test]
fn denied_is_not_none() {
    let host = Captured::default()
        .denied("/etc/wireguard/wg0.conf")
        .denied("/etc/inetd.conf")
        .denied("/etc/openvpn")
        .denied("/usr/bin/x11vnc");
    let facts = facts(&host);
    for part in ["wireguard", "inetd", "openvpn"] {
        assert_eq!(facts[part]["outcome"], "denied", "{part}");
    }
    assert_eq!(facts["undetermined"][0]["product"], "x11vnc");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "(?s)[\\[\\]{}<>=:\"a1/ \nconn-]{0,80}") {
        for content in [bytes, text.into_bytes()] {
            let host = Captured::default()
                .file("/etc/inetd.conf", &content)
                .file("/etc/xinetd.d/x", &content)
                .file("/etc/wireguard/w.conf", &content)
                .file("/etc/openvpn/o.conf", &content)
                .file("/etc/ipsec.conf", &content)
                .file("/etc/swanctl/swanctl.conf", &content)
                .file("/etc/webmin/miniserv.conf", &content)
                .file("/usr/sbin/vsftpd", "")
                .file("/etc/vsftpd.conf", &content)
                .file("/usr/sbin/xrdp", "")
                .file("/etc/xrdp/xrdp.ini", &content);
            facts(&host);
        }
    }
}

//! The probe over captured files.

use std::net::SocketAddr;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::formats::pem;
use crate::reading::captured::Captured;
use crate::reading::{Attributes, Kind, Listener, OldTls, Protocol, Stat, TlsPeer, Unread};
use crate::registry::Registered;

/// Made with openssl(1): `server.pem` is for `www.example.org` and signed by `ca.pem`.
const SERVER: &str = include_str!("../../fixtures/tls-certificates/server.pem");
const CA: &str = include_str!("../../fixtures/tls-certificates/ca.pem");
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n";

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<TlsCertificatesProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn with_key(host: Captured, path: &str, mode: u32) -> Captured {
    host.file(path, KEY).stat_of(
        path,
        Stat {
            kind: Kind::File,
            mode,
            uid: 0,
            gid: 110,
            size: 100,
            mtime: 0,
            ctime: 0,
            device: (0, 0),
            inode: 0,
            attributes: Attributes::default(),
        },
    )
}

fn listener(address: &str, port: u16) -> Listener {
    Listener {
        protocol: Protocol::Tcp,
        address: address.parse().unwrap(),
        port,
        interface: 0,
        v6_only: None,
        uid: 0,
        inode: 1,
        cgroup: None,
    }
}

fn certificate<'v>(facts: &'v Value, subject: &str) -> &'v Value {
    let certificates = facts["certificates"].as_array().unwrap();
    let mut of = certificates
        .iter()
        .filter(|one| one["subject"].as_str().unwrap().contains(subject));
    of.next().unwrap_or_else(|| panic!("no {subject} in {certificates:?}"))
}

#[test]
fn a_web_server_with_its_chain_and_key() {
    let chain = format!("{SERVER}{CA}");
    let der: Vec<Vec<u8>> = pem::blocks(chain.as_bytes())
        .blocks
        .iter()
        .map(|block| block.decode().unwrap())
        .collect();
    let host = Captured::default()
        .file("/etc/nginx/nginx.conf", "http {\n include sites-enabled/*;\n}\n")
        .file(
            "/etc/nginx/sites-enabled/www",
            "server { listen 127.0.0.1:9000 ssl;\n ssl_certificate /etc/letsencrypt/live/www/fullchain.pem;\n\
             ssl_certificate_key /etc/letsencrypt/live/www/privkey.pem; }\nserver { ssl_certificate /etc/x/$host.pem; }",
        )
        .file("/etc/letsencrypt/live/www/fullchain.pem", &chain)
        .listeners_of(Ok(vec![listener("127.0.0.1", 9000), listener("::", 443), listener("0.0.0.0", 22)]))
        .peer_of(
            "127.0.0.1:9000".parse::<SocketAddr>().unwrap(),
            Ok(Some(TlsPeer {
                version: "TLSv1.3".into(),
                cipher_suite: "TLS_AES_128_GCM_SHA256".into(),
                chain: der,
            })),
        )
        .old_tls_of(
            "127.0.0.1:9000".parse::<SocketAddr>().unwrap(),
            Ok(Some(OldTls::Agreed("TLSv1.0"))),
        );
    let host = with_key(host, "/etc/letsencrypt/live/www/privkey.pem", 0o640);
    let facts = facts(&host);
    let server = certificate(&facts, "CN=www.example.org");
    assert_eq!(server["subject"], "emailAddress=*,CN=www.example.org,O=Example");
    assert_eq!(server["issuer"], "CN=Example CA,O=Example,C=DE");
    assert_eq!(server["serial"], "0ABC");
    assert_eq!(server["not_after"], "2027-12-28T13:45:08Z");
    assert_eq!(
        server["sha256"],
        "d647d7ce3394fde3e5d2b386cf35578b216d04eddcf11c03ec30a12bc3c9fb5c"
    );
    assert_eq!((&server["key"], &server["key_bits"]), (&json!("rsa"), &json!(2048)));
    assert_eq!(server["signature_algorithm"], "ecdsa-with-SHA256");
    assert_eq!(server["signature_hash"], "sha256");
    assert_eq!(
        (&server["self_signed"], &server["ca"], &server["leaf"]),
        (&json!(false), &json!(false), &json!(true))
    );
    assert_eq!(
        server["names"],
        json!(["192.0.2.1", "2001:db8::1", "example.org", "www.example.org"])
    );
    assert_eq!(server["name_count"], 5);
    assert_eq!(server["key_usage"], json!(["digital_signature", "key_encipherment"]));
    assert_eq!(server["extended_key_usage"], json!(["server_auth"]));
    assert_eq!(server["files"], json!(["/etc/letsencrypt/live/www/fullchain.pem"]));
    assert_eq!(
        (&server["services"], &server["ports"]),
        (&json!(["nginx"]), &json!([9000]))
    );
    let ca = certificate(&facts, "CN=Example CA");
    assert_eq!(
        (&ca["self_signed"], &ca["ca"], &ca["leaf"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(
        (&ca["key"], &ca["key_bits"], &ca["curve"]),
        (&json!("ec"), &json!(256), &json!("prime256v1"))
    );
    assert_eq!(ca["ports"], json!([]));

    let key = &facts["private_keys"][0];
    assert_eq!(key["path"], "/etc/letsencrypt/live/www/privkey.pem");
    assert_eq!(
        (&key["mode"], &key["group_readable"], &key["world_readable"]),
        (&json!("0640"), &json!(true), &json!(false))
    );
    assert_eq!((&key["form"], &key["services"]), (&json!("pkcs8"), &json!(["nginx"])));
    assert_eq!(key["encrypted"], json!({"outcome": "observed", "value": false}));

    let endpoints = facts["endpoints"]["value"].as_array().unwrap();
    assert_eq!(endpoints.len(), 2, "port 22 is left alone");
    assert_eq!(
        (&endpoints[0]["port"], &endpoints[0]["expected"]),
        (&json!(443), &json!("well_known"))
    );
    assert_eq!(endpoints[0]["handshake"]["outcome"], "absent");
    assert_eq!(endpoints[0]["before_tls_1_2"]["outcome"], "absent");
    assert_eq!(
        endpoints[1]["before_tls_1_2"],
        json!({"outcome": "observed", "value": {"agreed": "TLSv1.0"}})
    );
    assert_eq!(endpoints[1]["expected"], "configured");
    assert_eq!(
        endpoints[1]["handshake"]["value"]["chain"],
        json!([server["sha256"], ca["sha256"]])
    );
    let states: Vec<_> = facts["references"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(states, ["read", "read", "unresolved"]);
    assert_eq!((&facts["unread"], &facts["complete"]), (&json!([]), &json!(true)));
}

#[test]
fn every_service_is_read() {
    let host = Captured::default()
        .file("/c.pem", SERVER)
        .file("/etc/apache2/apache2.conf", "IncludeOptional sites-enabled/*.conf\n")
        .file(
            "/etc/apache2/sites-enabled/a.conf",
            "<VirtualHost *:9001>\n SSLEngine on\n SSLCertificateFile \"/c.pem\"\n</VirtualHost>\n",
        )
        .file("/etc/dovecot/conf.d/10-ssl.conf", "ssl_cert = </c.pem\n")
        .file(
            "/etc/haproxy/haproxy.cfg",
            "global\n crt-base /\nfrontend f\n bind *:9002,10.0.0.1:9003 ssl crt c.pem alpn h2\n",
        )
        .file(
            "/etc/postfix/main.cf",
            "smtpd_tls_chain_files =\n  /none.pem,\n  /c.pem\nsmtpd_tls_cert_file = none\n",
        )
        .file(
            "/etc/postgresql/15/main/postgresql.conf",
            "ssl = on\nssl_cert_file = '/c.pem'\n",
        )
        .file(
            "/var/lib/pgsql/data/postgresql.conf",
            "ssl = off\nssl_cert_file = '/off.pem'\n",
        )
        .file("/etc/ldap/slapd.d/cn=config.ldif", "olcTLSCertificateFile: /c.pem\n")
        .file("/etc/mosquitto/conf.d/tls.conf", "listener 9004\ncertfile /c.pem\n")
        .file(
            "/etc/mysql/mariadb.conf.d/50-server.cnf",
            "[mysqld]\nssl-cert = /c.pem\n",
        )
        .file("/etc/redis/redis.conf", "tls-port 9005\ntls-cert-file /c.pem\n")
        .file("/etc/stunnel/s.conf", "cert = /c.pem\n")
        .file("/etc/unbound/unbound.conf", "server:\n  tls-service-pem: \"/c.pem\"\n")
        .file("/etc/vsftpd.conf", "ssl_enable=YES\nrsa_cert_file=/c.pem\n")
        .listeners_of(Ok((9000..9010).map(|port| listener("127.0.0.1", port)).collect()));
    let facts = facts(&host);
    let services = &certificate(&facts, "CN=www")["services"];
    let expected = [
        "apache",
        "dovecot",
        "haproxy",
        "mosquitto",
        "mysql",
        "openldap",
        "postfix",
        "postgresql",
        "redis",
        "stunnel",
        "unbound",
        "vsftpd",
    ];
    assert_eq!(services, &json!(expected));
    let absent: Vec<_> = facts["references"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] == "absent")
        .collect();
    assert_eq!(absent.len(), 1);
    assert_eq!(
        (&absent[0]["path"], &absent[0]["line"]),
        (&json!("/none.pem"), &json!(1))
    );
    let ports: Vec<_> = facts["endpoints"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["port"].as_u64().unwrap())
        .collect();
    assert_eq!(ports, [9001, 9002, 9003, 9004, 9005]);
}

#[test]
fn stores_without_the_distributions_authorities() {
    let host = Captured::default()
        .file("/usr/share/ca-certificates/mozilla/A.crt", CA)
        .link("/etc/ssl/certs/A.pem", "/usr/share/ca-certificates/mozilla/A.crt")
        .link("/etc/ssl/certs/0a1b2c3d.0", "A.pem")
        .file("/etc/ssl/certs/ca-certificates.crt", CA)
        .file("/etc/ssl/certs/own.pem", SERVER);
    let own = facts(&host);
    assert_eq!(own["certificates"].as_array().unwrap().len(), 1);
    let host = host.file("/usr/local/share/ca-certificates/corp/ca.crt", CA);
    let added = facts(&host);
    let anchor = certificate(&added, "CN=Example CA");
    assert_eq!(
        (&anchor["trust_anchor"], &anchor["self_signed"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(certificate(&added, "CN=www")["trust_anchor"], false);
}

#[test]
fn keys_by_their_labels() {
    let key = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let cases = [
        (
            "a",
            key("ENCRYPTED PRIVATE KEY", "AAAA"),
            "encrypted_pkcs8",
            json!(true),
        ),
        (
            "b",
            key(
                "RSA PRIVATE KEY",
                "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0\n\nAAAA",
            ),
            "rsa",
            json!(true),
        ),
        (
            "c",
            format!(
                "{}{}",
                key("EC PARAMETERS", "BggqhkjOPQMBBw=="),
                key("EC PRIVATE KEY", "AAAA")
            ),
            "ec",
            json!(false),
        ),
        (
            "d",
            key("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU="),
            "openssh",
            json!(false),
        ),
        ("e", key("TSS2 PRIVATE KEY", "AAAA"), "tpm2", Value::Null),
        (
            "f",
            format!("{SERVER}{}", key("PRIVATE KEY", "AAAA")),
            "pkcs8",
            json!(false),
        ),
    ];
    let host = cases.iter().fold(Captured::default(), |host, (name, text, ..)| {
        host.file(&format!("/etc/ssl/private/{name}.key"), text)
    });
    let facts = facts(&host);
    for ((name, _, form, encrypted), key) in cases.iter().zip(facts["private_keys"].as_array().unwrap()) {
        assert_eq!(key["path"], format!("/etc/ssl/private/{name}.key"));
        assert_eq!(
            (&key["form"], &key["encrypted"]["value"]),
            (&json!(form), encrypted),
            "{name}"
        );
        assert_eq!(key["with_certificates"], *name == "f");
    }
}

#[test]
fn what_could_not_be_read_is_said() {
    let host = Captured::default()
        .denied("/etc/ssl/private")
        .file(
            "/etc/ssl/bad.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .file("/etc/ssl/cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")
        .file("/etc/ssl/store.p12", "x")
        .denied("/etc/nginx/nginx.conf")
        .file("/etc/dovecot/dovecot.conf", "ssl_cert = </etc/empty.pem\n")
        .file("/etc/empty.pem", "")
        .listeners_of(Err(Unread::Skipped {
            place: "netlink:sock_diag".into(),
            reason: "a root folder is probed".into(),
        }));
    let facts = facts(&host);
    let unread: Vec<_> = facts["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {}",
                one["place"].as_str().unwrap(),
                one["outcome"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        unread,
        [
            "/etc/empty.pem malformed",
            "/etc/nginx/nginx.conf denied",
            "/etc/ssl/bad.pem malformed",
            "/etc/ssl/cut.pem malformed",
            "/etc/ssl/cut.pem malformed",
            "/etc/ssl/private denied",
            "/etc/ssl/store.p12 unsupported",
        ]
    );
    assert_eq!(facts["references"][0]["state"], "unread");
    assert_eq!(facts["endpoints"]["outcome"], "skipped");
    assert_eq!(facts["certificates"], json!([]));
}

#[test]
fn a_host_without_any() {
    let facts = facts(&Captured::default().listeners_of(Ok(vec![])));
    assert_eq!(facts["certificates"], json!([]));
    assert_eq!(facts["endpoints"], json!({"outcome": "observed", "value": []}));
    assert_eq!(facts["unread"], json!([]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_files_end_in_facts(config in prop::collection::vec(any::<u8>(), 0..200), pem in prop::collection::vec(any::<u8>(), 0..200)) {
        let config = [b"ssl_certificate /c; include nginx.conf *;".to_vec(), config].concat();
        let pem = [b"-----BEGIN CERTIFICATE-----\n".to_vec(), pem].concat();
        let host = Captured::default().file("/etc/nginx/nginx.conf", config).file("/c", &pem).file("/etc/ssl/x.pem", pem);
        let facts = facts(&host);
        prop_assert!(!facts["unread"].as_array().unwrap().is_empty());
    }
}

#[test]
fn what_a_server_answers_to_an_old_client() {
    let timeout = || Unread::Timeout {
        place: "tls://127.0.0.1:443".into(),
        millis: 1_000,
    };
    let failed = || Unread::Failed {
        place: "tls://127.0.0.1:443".into(),
        reason: "closed".into(),
    };
    let answered = |peer, old| {
        let address: SocketAddr = "127.0.0.1:443".parse().unwrap();
        let host = Captured::default().listeners_of(Ok(vec![listener("127.0.0.1", 443)]));
        facts(&host.peer_of(address, peer).old_tls_of(address, old))["endpoints"]["value"][0].clone()
    };
    // A server that has nothing newer fails the handshake of today, and is told.
    let old_alone = answered(Err(failed()), Ok(Some(OldTls::Agreed("TLSv1.1"))));
    assert_eq!(old_alone["handshake"]["outcome"], "failed");
    assert_eq!(old_alone["before_tls_1_2"]["value"], json!({"agreed": "TLSv1.1"}));
    let refuses = answered(Err(failed()), Ok(Some(OldTls::Refused("protocol_version".into()))));
    assert_eq!(
        refuses["before_tls_1_2"]["value"],
        json!({"refused": "protocol_version"})
    );
    assert_eq!(
        answered(Err(failed()), Err(failed()))["before_tls_1_2"]["outcome"],
        "failed"
    );
    // Asked once only if it says nothing.
    let silent = answered(Err(timeout()), Ok(Some(OldTls::Agreed("TLSv1.1"))));
    assert_eq!(silent["before_tls_1_2"]["outcome"], "timeout");
}

//! Handshakes with real servers: `openssl s_server` (package openssl) with keys and settings of every kind, and ports
//! that speak something else or nothing.

#![cfg(test)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use affiant_agent::machine::{Deadline, Machine};
use probes::reading::{Host as _, OldTls, TlsPeer, Unread};
use probes::{Budget, Cadence, Privilege, Spec};

static SPEC: Spec = Spec {
    id: "test",
    version: 1,
    title: "",
    reads: &[],
    runs: &[],
    privilege: Privilege::None,
    cadence: Cadence::EveryRound,
    watch: &[],
    budget: Budget {
        millis: 30_000,
        bytes: 1024,
    },
    does_not_show: &[],
};

fn openssl(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("/usr/bin/openssl")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("openssl is there; install it: apt-get install openssl");
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A key and a certificate of its own, `NAME.key` and `NAME.pem`.
fn certificate(folder: &Path, name: &str, key: &[&str], more: &[&str]) {
    let (key_file, file) = (format!("{name}.key"), format!("{name}.pem"));
    let subject = format!("/CN={name}");
    let mut args = vec![
        "req", "-x509", "-nodes", "-keyout", &key_file, "-out", &file, "-subj", &subject, "-newkey",
    ];
    args.extend(key);
    args.extend(more);
    openssl(folder, &args);
}

/// A key and a certificate whose time is over.
fn expired(folder: &Path, name: &str) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    std::fs::write(
        folder.join(format!("{name}.pem")),
        params.self_signed(&key).unwrap().pem(),
    )
    .unwrap();
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server with the certificate `name` on a port of the system's choice.
fn server(folder: &Path, name: &str, more: &[&str]) -> Server {
    let (key, file) = (format!("{name}.key"), format!("{name}.pem"));
    let mut child = Command::new("/usr/bin/openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-key", &key, "-cert", &file])
        .args(more)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = loop {
        let line = lines.next().expect("the server says where it listens").unwrap();
        if let Some(address) = line.strip_prefix("ACCEPT ") {
            break address.parse().unwrap();
        }
    };
    // Whatever else it says must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Server { child, address }
}

fn shake(address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
    Machine::own()
        .host(&SPEC, Deadline::within(30_000))
        .tls_handshake(address)
}

fn offer_old(address: SocketAddr) -> Result<Option<OldTls>, Unread> {
    Machine::own()
        .host(&SPEC, Deadline::within(30_000))
        .tls_before_1_2(address)
}

/// Again if the server took more than its second, as on a machine that is busy with other tests.
fn patiently<T>(address: SocketAddr, ask: fn(SocketAddr) -> Result<T, Unread>) -> Result<T, Unread> {
    let tries = (0..5).map(|_| ask(address));
    let mut answers = tries.skip_while(|answer| matches!(answer, Err(Unread::Timeout { .. })));
    answers.next().expect("an answer within five seconds")
}

/// How asking ends at a port that says `greeting` to whoever comes, and hangs up.
fn greeted<T: std::fmt::Debug>(greeting: &[u8], ask: fn(SocketAddr) -> Result<T, Unread>) -> Unread {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let greeting = greeting.to_vec();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(&greeting);
    });
    let failed = ask(address).unwrap_err();
    assert!(matches!(failed, Unread::Failed { .. }), "{failed}");
    answering.join().unwrap();
    failed
}

fn der(folder: &Path, name: &str) -> Vec<u8> {
    let (file, out) = (format!("{name}.pem"), format!("{name}.der"));
    openssl(folder, &["x509", "-in", &file, "-outform", "DER", "-out", &out]);
    std::fs::read(folder.join(out)).unwrap()
}

#[test]
fn servers_of_every_kind_are_seen_as_they_are() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    certificate(folder, "rsa", &["rsa:2048"], &["-days", "30"]);
    certificate(folder, "small", &["rsa:1024"], &["-days", "30"]);
    certificate(folder, "p256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], &[]);
    certificate(folder, "p521", &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], &[]);
    certificate(folder, "ed25519", &["ed25519"], &[]);
    certificate(folder, "ed448", &["ed448"], &[]);
    certificate(folder, "sha1", &["rsa:2048"], &["-sha1"]);
    expired(folder, "expired");
    let cases: [(&str, &[&str], &str, &str); 11] = [
        ("rsa", &[], "TLSv1.3", "TLS_"),
        ("rsa", &["-tls1_2"], "TLSv1.2", "TLS_ECDHE_RSA_WITH_"),
        (
            "small",
            &["-cipher", "DEFAULT@SECLEVEL=0", "-tls1_2"],
            "TLSv1.2",
            "TLS_ECDHE_RSA_WITH_",
        ),
        ("p256", &[], "TLSv1.3", "TLS_"),
        ("p256", &["-tls1_2"], "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_"),
        ("p521", &[], "TLSv1.3", "TLS_"),
        ("ed25519", &[], "TLSv1.3", "TLS_"),
        ("ed448", &[], "TLSv1.3", "TLS_"),
        ("sha1", &["-cipher", "DEFAULT@SECLEVEL=0"], "TLSv1.3", "TLS_"),
        ("expired", &[], "TLSv1.3", "TLS_"),
        // A server that demands a certificate from its clients still presents its own.
        ("rsa", &["-Verify", "1", "-tls1_2"], "TLSv1.2", "TLS_ECDHE_RSA_WITH_"),
    ];
    for (name, more, version, suite) in cases {
        let server = server(folder, name, more);
        let peer = patiently(server.address, shake)
            .unwrap_or_else(|why| panic!("{name} {more:?}: {why}"))
            .unwrap();
        assert_eq!(peer.chain, [der(folder, name)], "{name} {more:?}");
        assert_eq!(peer.version, version, "{name} {more:?}");
        assert!(
            peer.cipher_suite.starts_with(suite),
            "{name} {more:?}: {}",
            peer.cipher_suite
        );
    }
    // With a chain, in the order of the server.
    let server = server(folder, "rsa", &["-cert_chain", "p256.pem"]);
    let peer = patiently(server.address, shake).unwrap().unwrap();
    assert_eq!(peer.chain, [der(folder, "rsa"), der(folder, "p256")]);
}

#[test]
fn what_is_no_tls_server_is_told_apart() {
    let temp = tempfile::tempdir().unwrap();
    certificate(temp.path(), "rsa", &["rsa:2048"], &[]);
    let old = server(temp.path(), "rsa", &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]);
    assert!(matches!(shake(old.address), Err(Unread::Failed { .. })), "TLS 1.1 only");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    // Accepted by the kernel, and nobody says anything.
    let begun = Instant::now();
    assert!(matches!(shake(free), Err(Unread::Timeout { .. })));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(listener);
    assert_eq!(shake(free), Ok(None), "refused");

    // The head of a TLS record over and over.
    let record = vec![0x16; 400_000];
    for (greeting, seen) in [
        (&b"220 mail.example.org ESMTP\r\n"[..], true),
        (b"", false),
        (&record, true),
    ] {
        let failed = greeted(greeting, shake);
        assert!(!seen || failed.to_string().contains("no TLS handshake"), "{failed}");
    }
}

/// Whether `openssl s_client` agrees with the server upon one version, with every suite of OpenSSL that authenticates the server.
fn openssl_agrees(address: SocketAddr, version: &str) -> bool {
    let args = [
        "s_client",
        "-connect",
        &address.to_string(),
        version,
        "-cipher",
        "ALL:!aNULL:@SECLEVEL=0",
    ];
    let output = Command::new("/usr/bin/openssl")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("CONNECTED("), "{args:?}: {said}");
    !said.contains("Cipher is (NONE)")
}

#[test]
fn old_versions_are_seen_as_openssl_sees_them() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    certificate(folder, "rsa", &["rsa:2048"], &[]);
    certificate(folder, "p256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], &[]);
    let every = "ALL:@SECLEVEL=0";
    let suites = [
        "DEFAULT",
        every,
        "DHE:@SECLEVEL=0",
        "AES128-SHA:@SECLEVEL=0",
        "ECDHE:@SECLEVEL=0",
        "CAMELLIA:@SECLEVEL=0",
    ];
    let versions: [&[&str]; 6] = [
        &[],
        &["-no_tls1"],
        &["-no_tls1_1"],
        &["-no_tls1", "-no_tls1_1"],
        &["-tls1"],
        &["-tls1_1"],
    ];
    let (mut agreed, mut refused) = (0, 0);
    for (name, cipher) in ["rsa", "p256"]
        .into_iter()
        .flat_map(|name| suites.map(|cipher| (name, cipher)))
    {
        for version in versions {
            let server = server(folder, name, &[version, &["-cipher", cipher]].concat());
            let ours = patiently(server.address, offer_old).unwrap().expect("it listens");
            let case = format!("{name} {cipher} {version:?}: {ours:?}");
            let expected = [("-tls1_1", "TLSv1.1"), ("-tls1", "TLSv1.0")]
                .into_iter()
                .find(|(option, _)| openssl_agrees(server.address, option));
            match (&ours, expected) {
                (OldTls::Agreed(version), Some((_, expected))) => assert_eq!(*version, expected, "{case}"),
                (OldTls::Refused(alert), None) => {
                    assert!(
                        ["protocol_version", "handshake_failure", "internal_error"].contains(&alert.as_str()),
                        "{case}"
                    );
                }
                _ => panic!("{case}, openssl: {expected:?}"),
            }
            *if expected.is_some() { &mut agreed } else { &mut refused } += 1;
        }
    }
    println!("{agreed} servers agree, {refused} refuse");
    assert!(agreed > 20 && refused > 20, "{agreed} {refused}");
}

#[test]
fn old_versions_of_what_is_no_tls_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    assert!(
        matches!(offer_old(free), Err(Unread::Timeout { .. })),
        "nobody says anything"
    );
    drop(listener);
    assert_eq!(offer_old(free), Ok(None), "refused");
    let warnings = [21, 3, 1, 0, 2, 1, 112].repeat(1_000);
    for greeting in [&b"220 mail.example.org ESMTP\r\n"[..], b"", &warnings, &[0x16; 4_000]] {
        greeted(greeting, offer_old);
    }
}

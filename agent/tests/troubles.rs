//! What the agent says when the other end of the line is not what it should be. Each server here is one that the real
//! collector is not: with a wrong certificate, without TLS, silent, talkative.

#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use affiant_agent::delivery::{Address, Client, EnrolmentTrust, Trouble, member_config, spki_digest};
use evidence::Digest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn digest(&self) -> Digest {
        spki_digest(self.0.der()).unwrap()
    }

    /// A server's TLS: a certificate for `name`, valid in these years, with the CA behind it.
    fn server(&self, name: &str, years: (i32, i32)) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let chain = vec![leaf.der().clone(), self.0.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap()
    }
}

const NOW: (i32, i32) = (2020, 2090);

/// Serves each connection with `serve`.
fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(&serve));
    address
}

/// Answers every request over TLS with `answer`.
fn serve_tls(config: ServerConfig, answer: &'static str) -> SocketAddr {
    let config = Arc::new(config);
    listen(move |stream| {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut tls = rustls::StreamOwned::new(connection, stream);
        let mut request = [0; 4096];
        // A client that breaks off the handshake is what some tests are about.
        if tls.read(&mut request).is_ok() {
            let _ = tls.write_all(answer.as_bytes());
            let _ = tls.flush();
        }
    })
}

fn ask(client: &Client) -> Trouble {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(client.checkpoint()).unwrap_err()
}

fn enrolling(address: SocketAddr, ca: Digest) -> Client {
    let address = Address::parse(&format!("https://{address}")).unwrap();
    Client::new(address, EnrolmentTrust::config(ca).unwrap()).unwrap()
}

/// A member of `ca`; its own certificate is of no matter here.
fn member(address: SocketAddr, ca: &Ca) -> Client {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::default().signed_by(&key, &ca.0).unwrap();
    let client = format!("{}{}", key.serialize_pem(), own.pem());
    let address = Address::parse(&format!("https://{address}")).unwrap();
    Client::new(address, member_config(&ca.0.pem(), &client).unwrap()).unwrap()
}

#[test]
fn no_secret_goes_to_a_server_without_the_tokens_ca() {
    let (ca, other) = (Ca::new(), Ca::new());
    let server = serve_tls(other.server("127.0.0.1", NOW), "");
    let trouble = ask(&enrolling(server, ca.digest()));
    assert!(matches!(trouble, Trouble::NotTheCollector { .. }), "{trouble}");
    assert!(trouble.to_string().contains("nothing was sent"), "{trouble}");
}

#[test]
fn showing_the_right_ca_is_not_enough() {
    // The CA's certificate is public: a thief of it can send it along behind a certificate of another CA.
    let (ca, other) = (Ca::new(), Ca::new());
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &other.0).unwrap();
    let chain = vec![leaf.der().clone(), other.0.der().clone(), ca.0.der().clone()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            chain,
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let trouble = ask(&enrolling(serve_tls(config, ""), ca.digest()));
    assert!(matches!(trouble, Trouble::Certificate { .. }), "{trouble}");
}

#[test]
fn the_right_ca_for_another_name_is_refused() {
    let ca = Ca::new();
    let server = serve_tls(ca.server("collector.example", NOW), "");
    for client in [enrolling(server, ca.digest()), member(server, &ca)] {
        let trouble = ask(&client);
        assert!(matches!(trouble, Trouble::Certificate { .. }), "{trouble}");
    }
}

#[test]
fn a_certificate_of_another_time_points_to_the_clocks() {
    let ca = Ca::new();
    for (years, expected) in [((2001, 2002), "until 2002-01-01"), ((2089, 2090), "from 2089-01-01")] {
        let server = serve_tls(ca.server("127.0.0.1", years), "");
        for client in [enrolling(server, ca.digest()), member(server, &ca)] {
            let trouble = ask(&client);
            assert!(matches!(trouble, Trouble::Clock { .. }), "{trouble}");
            let text = trouble.to_string();
            assert!(
                text.contains(expected) && text.contains("clock of this host says"),
                "{text}"
            );
        }
    }
}

#[test]
fn what_is_no_collector_is_recognised() {
    let ca = Ca::new();
    let plain = listen(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        let _ = stream.read(&mut [0; 4096]);
    });
    let trouble = ask(&enrolling(plain, ca.digest()));
    assert!(matches!(trouble, Trouble::NotTls { .. }), "{trouble}");

    let page = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>";
    let proxy = serve_tls(ca.server("127.0.0.1", NOW), page);
    let trouble = ask(&enrolling(proxy, ca.digest()));
    assert!(
        matches!(&trouble, Trouble::Unexpected { status: 502, begin, .. } if begin == "<html>"),
        "{trouble}"
    );

    let problem = "HTTP/1.1 403 Forbidden\r\ncontent-length: 81\r\n\r\n\
                   {\"type\":\"urn:affiant:problem:x\",\"title\":\"No\",\"status\":403,\"detail\":\"do this now\"}";
    let refusing = serve_tls(ca.server("127.0.0.1", NOW), problem);
    let trouble = ask(&enrolling(refusing, ca.digest()));
    assert!(trouble.to_string().contains("do this now"), "{trouble}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let trouble = ask(&enrolling(closed, ca.digest()));
    assert!(
        trouble.to_string().contains("refused") && trouble.to_string().contains("Is it running"),
        "{trouble}"
    );
}

#[test]
fn an_endless_answer_is_cut_off() {
    let ca = Ca::new();
    let config = Arc::new(ca.server("127.0.0.1", NOW));
    let server = listen(move |stream| {
        let mut tls = rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let _ = tls.read(&mut [0; 4096]);
        let _ = tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while tls.write_all(&[b'x'; 16 * 1024]).is_ok() {}
    });
    let trouble = ask(&enrolling(server, ca.digest()));
    assert!(trouble.to_string().contains("longer than 1 MiB"), "{trouble}");
}

#[test]
fn a_server_that_asks_for_another_certificate_is_explained() {
    let ca = Ca::new();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(Ca::new().0.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &ca.0)
        .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(builder.build().unwrap())
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let trouble = ask(&member(serve_tls(config, ""), &ca));
    assert!(matches!(trouble, Trouble::NotAccepted { .. }), "{trouble}");
    assert!(trouble.to_string().contains("revoked"), "{trouble}");
}

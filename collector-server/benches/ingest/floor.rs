//! What a statement costs at least: CPU time of this thread for the same bytes, without the collector.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::key::{SignatureCheck as _, Signer as _};
use rcgen::{CertificateParams, KeyPair};
use rustix::time::{ClockId, clock_gettime};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::load::Measured;

/// Exchanges measured.
const TIMES: u32 = 2000;
/// HTTP heads, request and answer, as they were counted once.
const HEADS: usize = 200;

/// Microseconds of CPU per statement.
pub(super) struct Floor {
    pub(super) tls: f64,
    pub(super) signature: f64,
    pub(super) fsync: f64,
}

impl Floor {
    pub(super) fn total(&self) -> f64 {
        self.tls + self.signature + self.fsync
    }
}

/// Microseconds of CPU that `work` takes, `times` over, each.
fn each(times: u32, mut work: impl FnMut()) -> f64 {
    let cpu = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
    };
    let begin = cpu();
    (0..times).for_each(|_| work());
    (cpu() - begin) / f64::from(times)
}

pub(super) fn measure(folder: &Path, measured: &Measured) -> Floor {
    let statement = measured.request_bytes;
    let request = vec![b'x'; statement * measured.batch + HEADS];
    let response = vec![b'x'; measured.response_bytes * measured.batch + HEADS];
    Floor {
        tls: tls(&request, &response) / measured.batch as f64,
        signature: signature(statement),
        fsync: fsync(folder, statement, measured.group) / measured.group as f64,
    }
}

/// The server's half of an exchange on an open connection.
fn tls(request: &[u8], response: &[u8]) -> f64 {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let mut buffer = Vec::new();
    while client.is_handshaking() || server.is_handshaking() {
        buffer.clear();
        client.write_tls(&mut buffer).unwrap();
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        buffer.clear();
        while server.wants_write() {
            server.write_tls(&mut buffer).unwrap();
        }
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    let mut sealed = Vec::new();
    for _ in 0..TIMES {
        client.writer().write_all(request).unwrap();
        let mut record = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut record).unwrap();
        }
        sealed.push(record);
    }
    let (mut sealed, mut plain, mut out) = (sealed.into_iter(), vec![0; request.len()], Vec::new());
    each(TIMES, || {
        let record = sealed.next().unwrap();
        let mut rest = record.as_slice();
        let mut filled = 0;
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            let state = server.process_new_packets().unwrap();
            let ready = state.plaintext_bytes_to_read();
            server.reader().read_exact(&mut plain[filled..filled + ready]).unwrap();
            filled += ready;
        }
        server.writer().write_all(response).unwrap();
        out.clear();
        while server.wants_write() {
            server.write_tls(&mut out).unwrap();
        }
    })
}

fn signature(length: usize) -> f64 {
    let signer = Ed25519Signer::from_seed(&[1; 32]).unwrap();
    let message = vec![b'x'; length * 3 / 4];
    let signature = signer.sign(&message).unwrap();
    each(2000, || {
        AwsLc.check(signer.public_key(), &message, &signature.0).unwrap();
    })
}

/// Writing and syncing the statements of one commit.
fn fsync(folder: &Path, statement: usize, group: usize) -> f64 {
    let path = folder.join("floor");
    let mut file = File::create(&path).unwrap();
    let bytes = vec![b'x'; statement * group];
    let cost = each(300, || {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
    });
    std::fs::remove_file(path).unwrap();
    cost
}

//! A host as the wire sees it: keys, certificate, statements that it signs.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::checkpoint::SignedCheckpoint;
use evidence::envelope::{Unverified, Verified, seal};
use evidence::facts::{FactsDocument, Origin, Outcome, ProbeId, Source};
use evidence::key::Signer as _;
use evidence::manifest::Manifest;
use evidence::note::VerifierKey;
use evidence::proof::{Receipt, hashes_from_text};
use evidence::statement::{AgentBuild, HostId, Observation, Predicate, Statement, Subject};
use evidence::tree;
use evidence::wire::{DeliverResponse, Delivered, EnrolRequest, EnrolResponse, Pace, Problem, Token, proof_message};
use evidence::{Digest, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, Response, StatusCode};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore};

/// A client that trusts `ca` and shows `identity`.
pub(crate) fn client(ca: &str, identity: Option<(&str, &KeyPair)>) -> Client {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    Client::builder().use_preconfigured_tls(config).build().unwrap()
}

pub(crate) struct NewHost {
    pub(crate) tls: KeyPair,
    pub(crate) signer: Ed25519Signer,
    pub(crate) name: String,
}

impl NewHost {
    pub(crate) fn new(seed: u8, name: &str) -> Self {
        Self {
            tls: KeyPair::generate().unwrap(),
            signer: Ed25519Signer::from_seed(&[seed; 32]).unwrap(),
            name: name.to_owned(),
        }
    }

    pub(crate) fn request(&self, token: &str) -> EnrolRequest {
        let tls_request = CertificateParams::default()
            .serialize_request(&self.tls)
            .unwrap()
            .pem()
            .unwrap();
        let key = self.signer.public_key().clone();
        let proof = match token.parse::<Token>() {
            Ok(token) => {
                self.signer
                    .sign(&proof_message(&token, &tls_request, key.id()))
                    .unwrap()
                    .0
            }
            Err(_) => Vec::new(),
        };
        EnrolRequest {
            token: token.to_owned(),
            name: self.name.clone(),
            tls_request,
            statement_key: key,
            proof: STANDARD.encode(proof),
        }
    }
}

/// A member.
pub(crate) struct Agent {
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) signer: Ed25519Signer,
    pub(crate) host: HostId,
    pub(crate) enrolled: EnrolResponse,
    pub(crate) log: VerifierKey,
    pub(crate) epoch: String,
    pub(crate) sequence: u64,
    pub(crate) previous: Option<Digest>,
    pub(crate) known: (u64, Digest),
}

pub(crate) async fn enrol_with(
    address: SocketAddr,
    ca: &str,
    request: &EnrolRequest,
) -> Result<EnrolResponse, Problem> {
    let body = serde_json::to_vec(request).unwrap();
    let sent = client(ca, None)
        .post(format!("https://{address}/v1/enrol"))
        .body(body)
        .send()
        .await
        .unwrap();
    if sent.status() == StatusCode::OK {
        Ok(serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap())
    } else {
        Err(problem(sent).await)
    }
}

pub(crate) async fn problem(response: Response) -> Problem {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status();
    let problem: Problem = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(problem.status, status.as_u16());
    problem
}

pub(crate) fn facts(probe: &str) -> Vec<u8> {
    facts_of(probe, serde_json::json!({"x": 1}))
}

/// With a text somewhere in the facts.
pub(crate) fn facts_with(probe: &str, text: &str) -> Vec<u8> {
    facts_of(probe, serde_json::json!({"x": text}))
}

fn facts_of(probe: &str, facts: serde_json::Value) -> Vec<u8> {
    FactsDocument {
        probe: ProbeId::new(probe).unwrap(),
        version: 1,
        outcome: Outcome::Observed,
        detail: String::new(),
        sources: vec![Source {
            origin: Origin::Path("/etc/x".into()),
            outcome: Outcome::Observed,
            sha256: None,
        }],
        facts: Some(facts),
    }
    .to_bytes()
    .unwrap()
}

pub(crate) fn manifest(documents: &[(&str, &[u8])]) -> Vec<u8> {
    let documents = documents
        .iter()
        .map(|(probe, bytes)| (ProbeId::new(*probe).unwrap(), Digest::of(bytes)));
    Manifest::new(documents).to_bytes()
}

impl Agent {
    pub(crate) async fn enrol(address: SocketAddr, ca: &str, token: &str, new: NewHost) -> Self {
        let enrolled = enrol_with(address, ca, &new.request(token)).await.unwrap();
        let log: VerifierKey = enrolled.log.parse().unwrap();
        let receipt = Receipt::parse(&enrolled.receipt).unwrap();
        let signed = receipt.verify(enrolled.entry.as_bytes(), &log, &AwsLc).unwrap();
        let opening = Receipt::parse(&enrolled.opening_receipt).unwrap();
        opening.verify(enrolled.opening.as_bytes(), &log, &AwsLc).unwrap();
        let announced = Unverified::from_bytes(enrolled.opening.as_bytes())
            .unwrap()
            .claimed()
            .unwrap();
        let Predicate::Log(announced) = announced.predicate else {
            panic!("not an opening")
        };
        let entry = Unverified::from_bytes(enrolled.entry.as_bytes()).unwrap();
        entry.verify(&announced.statement_key, &AwsLc).unwrap();
        Self {
            client: client(ca, Some((&enrolled.certificate, &new.tls))),
            address,
            signer: new.signer,
            host: enrolled.host.clone(),
            known: (signed.checkpoint().size, signed.checkpoint().root),
            enrolled,
            log,
            epoch: "e1".into(),
            sequence: 0,
            previous: None,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    pub(crate) fn observation(&self, at: Timestamp) -> Observation {
        Observation {
            host: self.host.clone(),
            agent: AgentBuild {
                version: "0".into(),
                sha256: Digest::of(b"agent"),
            },
            boot_id: String::new(),
            epoch: self.epoch.clone(),
            sequence: self.sequence,
            previous: self.previous,
            observed_at: at,
            held: None,
            lost: None,
            checkpoint: None,
            alarm: None,
        }
    }

    pub(crate) fn seal(&self, observation: Observation, manifest: Digest) -> Verified {
        let statement = Statement {
            subject: vec![Subject {
                name: "manifest".into(),
                digest: manifest,
            }],
            predicate: Predicate::Observation(observation),
        };
        seal(&statement, &self.signer).unwrap()
    }

    /// The next statement.
    pub(crate) fn next(&mut self, at: Timestamp, manifest: Digest) -> Verified {
        let sealed = self.seal(self.observation(at), manifest);
        self.sequence += 1;
        self.previous = Some(sealed.digest());
        sealed
    }

    pub(crate) async fn put(&self, path: &str, bytes: &[u8]) -> Response {
        self.client
            .put(self.url(path))
            .body(bytes.to_vec())
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn put_all(&self, manifest: &[u8], documents: &[&[u8]]) {
        let response = self
            .put(&format!("/v1/manifests/{}", Digest::of(manifest)), manifest)
            .await;
        assert_eq!(response.status(), StatusCode::OK);
        for bytes in documents {
            let response = self.put(&format!("/v1/facts/{}", Digest::of(bytes)), bytes).await;
            assert_eq!(response.status(), StatusCode::NO_CONTENT);
        }
    }

    pub(crate) async fn send(&self, lines: &[&[u8]]) -> Response {
        self.send_at(None, lines).await
    }

    /// Sends statements, saying which pace it goes by.
    pub(crate) async fn send_at(&self, pace: Option<Pace>, lines: &[&[u8]]) -> Response {
        let pace = pace.map(|pace| format!("&pace={pace}")).unwrap_or_default();
        let url = self.url(&format!("/v1/statements?known={}{pace}", self.known.0));
        self.client.post(url).body(lines.join(&b'\n')).send().await.unwrap()
    }

    /// Delivers, and verifies what is answered as an agent must.
    pub(crate) async fn deliver(&mut self, lines: &[&[u8]]) -> Vec<Delivered> {
        let response = self.send(lines).await;
        assert_eq!(response.status(), StatusCode::OK);
        let response: DeliverResponse = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        if let Some(note) = &response.checkpoint {
            let signed = SignedCheckpoint::verify(note, &self.log, &AwsLc).unwrap();
            let head = signed.checkpoint();
            let consistency = hashes_from_text(&response.consistency).unwrap();
            tree::verify_consistency(self.known.0, self.known.1, head.size, head.root, &consistency).unwrap();
            for (line, result) in lines.iter().zip(&response.results) {
                if let Delivered::Accepted { index, proof } = result {
                    let proof = hashes_from_text(proof).unwrap();
                    let leaf = tree::leaf_hash(line);
                    let root = tree::root_from_inclusion(leaf, *index, head.size, &proof).unwrap();
                    assert_eq!(root, head.root);
                }
            }
            self.known = (head.size, head.root);
        }
        response.results
    }
}

//! The requests of [`evidence::wire`], over one connection that is kept open.

use std::time::Duration;

use evidence::Digest;
use evidence::wire::{
    CheckIn, CheckInResponse, DeliverResponse, ENVELOPES, EnrolRequest, EnrolResponse, ManifestResponse, Pace, Problem,
    RenewRequest, RenewResponse,
};
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::address::Address;
use super::trouble::Trouble;

/// Until a connection stands.
const CONNECT_SECONDS: u64 = 10;
/// Until a request is answered. The collector answers after a commit, in seconds even under load.
const ANSWER_SECONDS: u64 = 60;
/// Longest answer that is read, bytes: proofs for a full batch, with room.
const MAX_ANSWER: usize = 1024 * 1024;

/// Speaks with one collector. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: Address,
}

impl Client {
    /// A client with this TLS configuration; connects at the first request.
    pub fn new(address: Address, tls: rustls::ClientConfig) -> Result<Self, Trouble> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .timeout(Duration::from_secs(ANSWER_SECONDS))
            // A handshake costs more bytes than an hour of statements: the one connection is kept as long as the
            // collector keeps it, and no probes are sent to see whether it still stands.
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(None)
            .tcp_keepalive(None);
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(Trouble::Setup)?;
        Ok(Self { http, address })
    }

    /// Where the collector is.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// `POST /v1/enrol`.
    pub async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolResponse, Trouble> {
        self.json("v1/enrol", request).await
    }

    /// `POST /v1/renew`.
    pub async fn renew(&self, request: &RenewRequest) -> Result<RenewResponse, Trouble> {
        self.json("v1/renew", request).await
    }

    /// `POST /v1/check-in`.
    pub async fn check_in(&self, request: &CheckIn) -> Result<CheckInResponse, Trouble> {
        self.json("v1/check-in", request).await
    }

    /// `POST /v1/statements?known=SIZE&pace=PACE`.
    pub async fn deliver(&self, envelopes: &[&[u8]], known: u64, pace: Pace) -> Result<DeliverResponse, Trouble> {
        let mut body = envelopes.join(&b'\n');
        body.push(b'\n');
        let resource = self
            .address
            .resource(&format!("v1/statements?known={known}&pace={pace}"));
        let request = self.http.post(resource).header(CONTENT_TYPE, ENVELOPES).body(body);
        self.read(&self.send(request).await?)
    }

    /// `PUT /v1/manifests/SHA256`.
    pub async fn put_manifest(&self, digest: &Digest, bytes: Vec<u8>) -> Result<ManifestResponse, Trouble> {
        let resource = self.address.resource(&format!("v1/manifests/{digest}"));
        self.read(&self.send(self.http.put(resource).body(bytes)).await?)
    }

    /// `PUT /v1/facts/SHA256`.
    pub async fn put_facts(&self, digest: &Digest, bytes: Vec<u8>) -> Result<(), Trouble> {
        let resource = self.address.resource(&format!("v1/facts/{digest}"));
        self.send(self.http.put(resource).body(bytes)).await.map(drop)
    }

    /// `GET /log/checkpoint`: the newest checkpoint, a signed note that nobody has checked yet.
    pub async fn checkpoint(&self) -> Result<String, Trouble> {
        let bytes = self
            .send(self.http.get(self.address.resource("log/checkpoint")))
            .await?;
        String::from_utf8(bytes).map_err(|_| self.unreadable("the checkpoint is not UTF-8"))
    }

    async fn json<Q: Serialize, A: DeserializeOwned>(&self, path: &str, request: &Q) -> Result<A, Trouble> {
        let body = serde_json::to_vec(request).map_err(Trouble::Request)?;
        let request = self.http.post(self.address.resource(path));
        let answer = self
            .send(request.header(CONTENT_TYPE, "application/json").body(body))
            .await?;
        self.read(&answer)
    }

    fn read<A: DeserializeOwned>(&self, answer: &[u8]) -> Result<A, Trouble> {
        serde_json::from_slice(answer).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, reason: &str) -> Trouble {
        Trouble::Answer {
            authority: self.address.authority(),
            reason: reason.to_owned(),
        }
    }

    /// The body of a good answer; every other one is trouble.
    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Trouble> {
        let authority = self.address.authority();
        let trouble = |error: reqwest::Error| Trouble::of(&error, &authority, ANSWER_SECONDS);
        let mut response = request.send().await.map_err(trouble)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(trouble)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.unreadable("it is longer than 1 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            return Ok(body);
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(Trouble::Refused(problem)),
            Err(_) => Err(Trouble::Unexpected {
                authority: authority.clone(),
                status: response.status().as_u16(),
                begin: String::from_utf8_lossy(&body).chars().take(120).collect(),
            }),
        }
    }
}

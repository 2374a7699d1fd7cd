//! Joining, and staying, a member.

use serde::{Deserialize, Serialize};

use super::deliver::Pace;
use super::token::Token;
use crate::digest::Digest;
use crate::key::{KeyId, PublicKey};
use crate::statement::HostId;

/// A host asks to join.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// The whole token, as text.
    pub token: String,
    /// The machine's host name.
    pub name: String,
    /// Certificate signing request (PKCS #10, PEM) for the TLS key; its own signature proves that key.
    pub tls_request: String,
    /// The key that will sign statements.
    pub statement_key: PublicKey,
    /// Base64 of the signature of `statement_key` over [`proof_message`].
    pub proof: String,
}

/// What the statement key signs to prove that its holder asks.
pub fn proof_message(token: &Token, tls_request: &str, statement_key: KeyId) -> Vec<u8> {
    let request = Digest::of(tls_request.as_bytes());
    format!(
        "affiant enrolment v1\n{}\n{request}\n{statement_key}\n",
        token.id_text()
    )
    .into_bytes()
}

/// The host is a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolResponse {
    /// The id that it has from now on.
    pub host: HostId,
    /// Client certificate, PEM.
    pub certificate: String,
    /// The collector's CA certificate, PEM; its key is the one that the token names.
    pub ca: String,
    /// Verifier key of the log's checkpoints (C2SP signed-note vkey); its name is the log's origin.
    pub log: String,
    /// Receipt (C2SP tlog-proof) of the enrolment entry.
    pub receipt: String,
    /// The enrolment entry, an envelope signed by the collector.
    pub entry: String,
    /// The log's entry 0 (an envelope) and its receipt: which key the collector signs its entries with.
    pub opening: String,
    /// Receipt of `opening`, in the same tree.
    pub opening_receipt: String,
    /// How often to do what.
    pub pace: Pace,
}

/// A member asks for its next client certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// Certificate signing request (PKCS #10, PEM), for the same or a new TLS key.
    pub tls_request: String,
}

/// The next client certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewResponse {
    /// PEM.
    pub certificate: String,
}

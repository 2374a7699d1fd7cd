//! What the probe tells.

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Certificates for TLS that lie on this host or are presented by it, each once, with the places where it was seen; the
/// private keys beside them; and what the configuration of services names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TlsCertificates {
    /// Each distinct certificate, sorted by SHA-256. Those of the distribution's bundle of authorities are not among
    /// them, unless a server presents one.
    pub certificates: Vec<Certificate>,
    /// Files with a private key, sorted by path. Of a key its label and its headers are looked at, and no more.
    pub private_keys: Vec<PrivateKey>,
    /// What the configuration of services names as certificate or key, sorted.
    pub references: Vec<Reference>,
    /// Listening TCP ports on which TLS is expected, and what they present, sorted by port and address. `skipped` over
    /// a root folder.
    pub endpoints: Known<Vec<Endpoint>>,
    /// Files and folders that could not be read or understood, configuration included, sorted by path. A rule over all
    /// certificates must not be met while there are any.
    pub unread: Vec<UnreadPlace>,
    /// Whether everything that was found is listed: false if there are more files or certificates than the probe takes.
    pub complete: bool,
}

/// An X.509 certificate.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Certificate {
    /// SHA-256 of the certificate (DER), 64 lower-case hexadecimal digits: its fingerprint.
    pub sha256: String,
    /// SHA-256 of the public key (DER SubjectPublicKeyInfo): equal where a key is used for several certificates.
    pub public_key_sha256: String,
    /// Subject (RFC 4514, most specific part first); e-mail addresses, surnames, given names and user ids in it are
    /// written `*`.
    pub subject: String,
    /// Issuer, in the same form.
    pub issuer: String,
    /// Serial number, upper-case hexadecimal digits as OpenSSL prints them.
    pub serial: String,
    /// Version: 1 or 3.
    pub version: u32,
    /// First second of its validity.
    pub not_before: Timestamp,
    /// Last second of its validity.
    pub not_after: Timestamp,
    /// Kind of its public key.
    pub key: KeyKind,
    /// Size of the key: of the modulus for RSA and DSA, of the curve otherwise; 0 if it is not known.
    pub key_bits: u32,
    /// Curve of an `ec` key in the name of OpenSSL, for instance `prime256v1`; its object identifier or `explicit` if
    /// it has no name here; empty for other keys.
    pub curve: String,
    /// Algorithm of its signature in the name of OpenSSL, for instance `sha256WithRSAEncryption`; else the object
    /// identifier.
    pub signature_algorithm: String,
    /// Hash in that algorithm.
    pub signature_hash: SignatureHash,
    /// Whether it names itself as its issuer: subject and issuer are the same, and so are the identifiers of their keys
    /// if it holds them. The signature is not verified.
    pub self_signed: bool,
    /// Whether it may sign certificates (basic constraints).
    pub ca: bool,
    /// Key usage, in the order of RFC 5280: `digital_signature`, `non_repudiation`, `key_encipherment`,
    /// `data_encipherment`, `key_agreement`, `key_cert_sign`, `crl_sign`, `encipher_only`, `decipher_only`. Empty if it
    /// restricts nothing.
    pub key_usage: Vec<String>,
    /// Extended key usage, sorted: `any`, `server_auth`, `client_auth`, `code_signing`, `email_protection`,
    /// `time_stamping`, `ocsp_signing`, or an object identifier. Empty if it restricts nothing.
    pub extended_key_usage: Vec<String>,
    /// DNS names and IP addresses that it is for (subject alternative name), sorted, at most 100.
    pub names: Vec<String>,
    /// How many subject alternative names it has, those of other kinds and those beyond the list included.
    pub name_count: u32,
    /// Whether it stands first where it was found (the certificate of a server or client) at least once; false for one
    /// that is only part of chains.
    pub leaf: bool,
    /// Whether it lies where the administrator puts authorities that the whole system is to trust.
    pub trust_anchor: bool,
    /// Files in which it lies, sorted; at most 20. Below `/home` the rest of a path is written `*`.
    pub files: Vec<String>,
    /// Services whose configuration names one of these files, sorted.
    pub services: Vec<String>,
    /// TCP ports on which it is presented as the server's own, sorted.
    pub ports: Vec<u16>,
}

/// Kinds of public keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// RSA for PSS signatures only.
    RsaPss,
    /// An elliptic curve.
    Ec,
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// DSA.
    Dsa,
    /// ML-DSA.
    MlDsa,
    /// Another one.
    Other,
}

/// Hash in a signature's algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureHash {
    /// MD2.
    Md2,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// The algorithm has one of its own (Ed25519, Ed448, ML-DSA).
    Intrinsic,
    /// Not known here.
    Unknown,
}

/// A file with a private key.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PrivateKey {
    /// Path; below `/home` the rest is written `*`.
    pub path: String,
    /// Form of the key, by its label.
    pub form: KeyForm,
    /// Whether it is encrypted with a passphrase, as its label or headers say; `unsupported` if this form does not say so
    /// in the open.
    pub encrypted: Known<bool>,
    /// Permission bits in octal, for instance `0600`, links followed.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Whether its group may read it.
    pub group_readable: bool,
    /// Whether everybody may read it, as far as its own mode says.
    pub world_readable: bool,
    /// Whether its group or everybody may change it.
    pub writable_by_others: bool,
    /// Whether certificates are in the same file.
    pub with_certificates: bool,
    /// Services whose configuration names the file, sorted.
    pub services: Vec<String>,
}

/// Form of a private key (PEM label).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// `PRIVATE KEY` (RFC 5958), of any kind.
    Pkcs8,
    /// `ENCRYPTED PRIVATE KEY` (RFC 5958), of any kind.
    EncryptedPkcs8,
    /// `RSA PRIVATE KEY` (RFC 8017).
    Rsa,
    /// `EC PRIVATE KEY` (RFC 5915).
    Ec,
    /// `DSA PRIVATE KEY`.
    Dsa,
    /// `OPENSSH PRIVATE KEY`.
    Openssh,
    /// `TSS2 PRIVATE KEY`: usable only with this host's TPM.
    Tpm2,
    /// Another label.
    Other,
}

/// A certificate or key that the configuration of a service names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Reference {
    /// The service, for instance `nginx`.
    pub service: String,
    /// The configuration file.
    pub config: String,
    /// The line, from 1; that on which the statement ends if it takes several.
    pub line: u32,
    /// What it is named as.
    pub role: Role,
    /// The file, or the folder of files; below `/home` the rest is written `*`.
    pub path: String,
    /// What became of it.
    pub state: ReferenceState,
}

/// As what a file is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Certificate, which may have its chain and its key beside it.
    Certificate,
    /// Private key.
    Key,
}

/// What became of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceState {
    /// The file was read and holds what it is named as.
    Read,
    /// There is no such file.
    Absent,
    /// The file is among `unread`.
    Unread,
    /// The path depends on a variable of the service, or is none.
    Unresolved,
}

/// A listening TCP port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Endpoint {
    /// Address on which it listens; `0.0.0.0` and `::` for all.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Why TLS is expected there.
    pub expected: Expected,
    /// What was presented. `absent` if nothing answered, `failed` if what answered does not speak TLS or refused the
    /// handshake, `timeout` if it said nothing.
    pub handshake: Known<Handshake>,
    /// What was answered to a client that offers TLS 1.1, 1.0 and SSL 3.0 alone, with their usual cipher suites; outcomes as
    /// those of the handshake. A server that ends the connection without an answer is `failed`.
    pub before_tls_1_2: Known<OldVersions>,
}

/// One of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OldVersions {
    /// The version that the server went on with: `TLSv1.1`, `TLSv1.0` or `SSLv3`. It may accept older ones too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<&'static str>,
    /// The alert by which the server refused (RFC 8446 section 6): `protocol_version` says that it has none of these
    /// versions; another one, such as `handshake_failure`, that it has no cipher suite in common or does not say why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Why TLS is expected on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The configuration of a service says so.
    Configured,
    /// The port is registered or customary for a protocol over TLS.
    WellKnown,
}

/// What a TLS server presented to a client without a name or certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Handshake {
    /// Version agreed upon with a client that speaks 1.2 and 1.3: `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// Cipher suite agreed upon, in IANA's name.
    pub cipher_suite: String,
    /// SHA-256 of each certificate in the order in which they were sent, the server's own first; see `certificates`.
    pub chain: Vec<String>,
}

/// A place that could not be read or understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct UnreadPlace {
    /// File, folder, or `tls://ADDRESS:PORT`.
    pub place: String,
    /// `denied`, `failed`, `malformed`, `unsupported`, `timeout` or `skipped`.
    pub outcome: String,
    /// What is wrong.
    pub detail: String,
}

//! Joining a collector.
//!
//! 1. Connect, and go on only if the server holds the CA that the token names ([`crate::delivery::EnrolmentTrust`]).
//! 2. Make a TLS key and a statement key; send their public halves, proofs that the private ones are here, and the token.
//! 3. Believe the answer only if the log's entry 0 and the enrolment entry are in the tree of a checkpoint that the log's
//!    key signed, entry 0 names that log key, and the enrolment names this host's key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::Timestamp;
use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::checkpoint::SignedCheckpoint;
use evidence::envelope::{EnvelopeError, Unverified};
use evidence::key::{KeyId, SignError, Signer as _};
use evidence::note::{NoteError, VerifierKey};
use evidence::proof::{Receipt, ReceiptError};
use evidence::statement::{Predicate, StatementError};
use evidence::wire::{EnrolRequest, EnrolResponse, Token, TokenError, proof_message};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use thiserror::Error;

use crate::clock::{self, NoRandomness};
use crate::delivery::{
    Address, AddressError, Client, EnrolmentTrust, TlsError, TlsIdentity, TlsIdentityError, Trouble, Validity,
    spki_digest,
};
use crate::state::{Draft, Identity};

/// Longest host name that is sent, characters (hostname(7): 253 with domain).
const MAX_NAME: usize = 253;

/// Why a host did not become a member.
#[derive(Debug, Error)]
pub enum EnrolmentError {
    /// `--collector`.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// `--token`.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// `--name`.
    #[error("the name {name:?} cannot be used: 1 to {MAX_NAME} printable characters expected; give one with --name")]
    Name {
        /// Its beginning.
        name: String,
    },
    /// No random numbers for keys.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A key that could not be made.
    #[error(transparent)]
    TlsIdentity(#[from] TlsIdentityError),
    /// A key that could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The collector could not be reached, or refused.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// The answer does not prove what it says.
    #[error("the collector's answer is not believed: {0}. Nothing was kept; the token may be used up")]
    Answer(#[from] Disbelief),
}

/// What is wrong with the answer to an enrolment.
#[derive(Debug, Error)]
pub enum Disbelief {
    /// Another CA than the one in the token.
    #[error("its CA is not the one that the token names")]
    OtherCa,
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] TlsIdentityError),
    /// The log's key cannot be read.
    #[error("the log's key: {0}")]
    LogKey(#[from] NoteError),
    /// A receipt that does not hold.
    #[error("the receipt of the {entry}: {error}")]
    Receipt {
        /// Which entry.
        entry: &'static str,
        /// What is wrong.
        error: ReceiptError,
    },
    /// An entry that is no envelope, or wrongly signed.
    #[error("the {entry}: {error}")]
    Envelope {
        /// Which entry.
        entry: &'static str,
        /// What is wrong.
        error: EnvelopeError,
    },
    /// The log's entry 0 cannot be read.
    #[error("the log's opening: {0}")]
    Opening(#[from] StatementError),
    /// An entry that says something else than it must.
    #[error("{0}")]
    Content(&'static str),
}

/// A request to join, read and checked.
#[derive(Debug)]
pub struct Joining {
    address: Address,
    token: Token,
    name: String,
}

impl Joining {
    /// Reads address and token; the name is the machine's host name if none is given.
    pub fn new(collector: &str, token: &str, name: Option<String>) -> Result<Self, EnrolmentError> {
        let address = Address::parse(collector)?;
        let token = token.parse()?;
        let name = name.unwrap_or_else(|| {
            let node = rustix::system::uname();
            node.nodename().to_string_lossy().into_owned()
        });
        let printable = !name.chars().any(char::is_control);
        if name.is_empty() || name.chars().count() > MAX_NAME || !printable {
            return Err(EnrolmentError::Name {
                name: name.chars().take(40).collect(),
            });
        }
        Ok(Self { address, token, name })
    }
}

/// A membership that was proven and is not written yet.
pub struct Joined {
    identity: Identity,
    seed: [u8; 32],
    client: String,
    answer: EnrolResponse,
    checkpoint: SignedCheckpoint,
    index: u64,
}

impl Joined {
    /// Who the host is now.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The enrolment's place in the log.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// What is to be written down.
    pub fn draft(&self) -> Draft<'_> {
        Draft {
            identity: &self.identity,
            seed: &self.seed,
            client: &self.client,
            ca: &self.answer.ca,
            entry: &self.answer.entry,
            receipt: &self.answer.receipt,
            checkpoint: &self.checkpoint,
            pace: self.answer.pace,
        }
    }
}

/// Joins; nothing is written yet.
pub async fn join(joining: &Joining, now: Timestamp) -> Result<Joined, EnrolmentError> {
    let tls = TlsIdentity::generate()?;
    let seed = clock::random::<32>()?;
    let epoch = format!("{:032x}", u128::from_be_bytes(clock::random()?));
    let signer = Ed25519Signer::from_seed(&seed)?;
    let keyid = signer.public_key().id();
    let proof = signer.sign(&proof_message(&joining.token, tls.request(), keyid))?;
    let request = EnrolRequest {
        token: joining.token.to_string(),
        name: joining.name.clone(),
        tls_request: tls.request().to_owned(),
        statement_key: signer.public_key().clone(),
        proof: STANDARD.encode(proof.0),
    };
    let client = Client::new(joining.address.clone(), EnrolmentTrust::config(joining.token.ca)?)?;
    let answer = client.enrol(&request).await?;
    let Proven { log, checkpoint, index } = prove(&answer, &joining.token, keyid)?;
    Ok(Joined {
        identity: Identity {
            collector: joining.address.to_string(),
            host: answer.host.clone(),
            name: joining.name.clone(),
            log,
            statement_key: keyid,
            epoch,
            enrolled_at: now,
        },
        seed,
        client: tls.with_certificate(&answer.certificate),
        answer,
        checkpoint,
        index,
    })
}

struct Proven {
    log: VerifierKey,
    checkpoint: SignedCheckpoint,
    index: u64,
}

fn prove(answer: &EnrolResponse, token: &Token, keyid: KeyId) -> Result<Proven, Disbelief> {
    let ca = CertificateDer::from_pem_slice(answer.ca.as_bytes()).ok();
    if ca.as_ref().and_then(spki_digest) != Some(token.ca) {
        return Err(Disbelief::OtherCa);
    }
    Validity::of_pem(&answer.certificate)?;
    let log: VerifierKey = answer.log.parse()?;
    let included = |text: &str, bytes: &str, entry| {
        Receipt::parse(text)
            .and_then(|receipt| Ok((receipt.index, receipt.verify(bytes.as_bytes(), &log, &AwsLc)?)))
            .map_err(|error| Disbelief::Receipt { entry, error })
    };
    let (first, head) = included(&answer.opening_receipt, &answer.opening, "log's opening")?;
    let (index, checkpoint) = included(&answer.receipt, &answer.entry, "enrolment")?;
    if first != 0 || head != checkpoint {
        return Err(Disbelief::Content(
            "the log's opening is not entry 0 of the enrolment's tree",
        ));
    }
    let envelope = |bytes: &str, entry| {
        Unverified::from_bytes(bytes.as_bytes()).map_err(|error| Disbelief::Envelope { entry, error })
    };
    let opening = envelope(&answer.opening, "log's opening")?;
    let Predicate::Log(opened) = opening.claimed()?.predicate else {
        return Err(Disbelief::Content("entry 0 does not open a log"));
    };
    if opened.log_key != *log.key() || opened.origin != log.name() {
        return Err(Disbelief::Content("entry 0 opens another log"));
    }
    let verified = |envelope: Unverified, entry| {
        envelope
            .verify(&opened.statement_key, &AwsLc)
            .map_err(|error| Disbelief::Envelope { entry, error })
    };
    verified(opening, "log's opening")?;
    let entry = verified(envelope(&answer.entry, "enrolment")?, "enrolment")?;
    match &entry.statement().predicate {
        Predicate::Enrolment(enrolment) if enrolment.host == answer.host && enrolment.statement_key.id() == keyid => {
            Ok(Proven { log, checkpoint, index })
        }
        _ => Err(Disbelief::Content(
            "the enrolment entry does not name this host and its key",
        )),
    }
}

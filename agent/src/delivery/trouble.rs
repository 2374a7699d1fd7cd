//! Why a request to the collector led to nothing: in words with which one can do something about it.

use evidence::Timestamp;
use evidence::wire::Problem;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

use super::tls::{NotTheCollector, TlsError};

/// Why a request led to nothing.
#[derive(Debug, Error)]
pub enum Trouble {
    /// The name has no address.
    #[error("cannot find the collector: {authority} has no address in DNS ({reason})")]
    Name {
        /// `host:port`.
        authority: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection.
    #[error(
        "cannot reach the collector at {authority}: {reason}. Is it running, and does a firewall let this host in?"
    )]
    Connect {
        /// `host:port`.
        authority: String,
        /// What the system said.
        reason: String,
    },
    /// No answer in time.
    #[error("the collector at {authority} did not answer within {seconds} s")]
    Timeout {
        /// `host:port`.
        authority: String,
        /// The limit.
        seconds: u64,
    },
    /// A server that does not hold the CA of the token.
    #[error(
        "{authority} is not the collector that the token was made for (no CA {ca} in its certificate chain); nothing \
         was sent to it. Check the address, and make the token on this collector"
    )]
    NotTheCollector {
        /// `host:port`.
        authority: String,
        /// SHA-256 of the expected CA's key.
        ca: String,
    },
    /// A server whose certificate the collector's CA did not sign, or not for this name.
    #[error(
        "{authority} shows a certificate that is not the collector's: {reason}. Is the address right, and does the \
         collector's certificate name this host?"
    )]
    Certificate {
        /// `host:port`.
        authority: String,
        /// What TLS says.
        reason: String,
    },
    /// A certificate that is not valid at this time: usually one of the clocks is off.
    #[error(
        "the certificate of {authority} is valid {relation} {limit}, and the clock of this host says {clock}. If that \
         is wrong, repair its time synchronisation (timedatectl status)"
    )]
    Clock {
        /// `host:port`.
        authority: String,
        /// `from` or `until`.
        relation: &'static str,
        /// The edge of the validity.
        limit: Timestamp,
        /// This host's clock.
        clock: Timestamp,
    },
    /// The collector does not accept this host's certificate.
    #[error(
        "the collector at {authority} refuses this host's certificate ({reason}). Was the host revoked, was it off \
         longer than its certificate was valid, or is its clock wrong? Else enrol it again: affiant-agent enrol --again"
    )]
    NotAccepted {
        /// `host:port`.
        authority: String,
        /// The TLS alert.
        reason: String,
    },
    /// Something answers that is not TLS.
    #[error("{authority} does not speak TLS: is this the collector's port for agents (8442 unless configured)?")]
    NotTls {
        /// `host:port`.
        authority: String,
    },
    /// Another failure of the connection.
    #[error("the connection to {authority} failed: {reason}")]
    Connection {
        /// `host:port`.
        authority: String,
        /// What was said.
        reason: String,
    },
    /// The collector says why it refuses the request.
    #[error("the collector refuses: {} ({}, HTTP {})", .0.detail, .0.title, .0.status)]
    Refused(Problem),
    /// An answer that a collector does not give.
    #[error("{authority} answered HTTP {status}, which no collector says here: {begin:?}. Is it a proxy?")]
    Unexpected {
        /// `host:port`.
        authority: String,
        /// HTTP status.
        status: u16,
        /// Begin of the body.
        begin: String,
    },
    /// An answer that cannot be read.
    #[error("the answer of {authority} cannot be read: {reason}. Is the collector of another version?")]
    Answer {
        /// `host:port`.
        authority: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The agent's own keys or certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP client could not be made.
    #[error("cannot set up HTTPS: {0}")]
    Setup(#[source] reqwest::Error),
    /// A request that cannot be written: a fault of the agent.
    #[error("cannot write the request: {0}")]
    Request(#[source] serde_json::Error),
}

impl Trouble {
    /// What went wrong with a request to `authority`.
    pub(super) fn of(error: &reqwest::Error, authority: &str, limit_seconds: u64) -> Self {
        let authority = authority.to_owned();
        if let Some(tls) = find_tls(error) {
            return Self::of_tls(tls, authority);
        }
        if error.is_timeout() {
            return Self::Timeout {
                authority,
                seconds: limit_seconds,
            };
        }
        let reason = innermost(error);
        if !error.is_connect() {
            return Self::Connection { authority, reason };
        }
        if chain(error).any(|cause| cause.to_string().contains("dns error")) {
            Self::Name { authority, reason }
        } else {
            Self::Connect { authority, reason }
        }
    }

    fn of_tls(error: &rustls::Error, authority: String) -> Self {
        let instant = |time: &UnixTime| Timestamp::EPOCH.plus(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
                match other.0.downcast_ref::<NotTheCollector>() {
                    Some(not) => Self::NotTheCollector {
                        authority,
                        ca: not.expected.to_string(),
                    },
                    None => Self::Certificate {
                        authority,
                        reason: error.to_string(),
                    },
                }
            }
            rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after }) => Self::Clock {
                authority,
                relation: "until",
                limit: instant(not_after),
                clock: instant(time),
            },
            rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before }) => {
                Self::Clock {
                    authority,
                    relation: "from",
                    limit: instant(not_before),
                    clock: instant(time),
                }
            }
            rustls::Error::InvalidCertificate(_) => Self::Certificate {
                authority,
                reason: error.to_string(),
            },
            rustls::Error::AlertReceived(alert) if about_certificates(*alert) => Self::NotAccepted {
                authority,
                reason: format!("{alert:?}"),
            },
            rustls::Error::InvalidMessage(_) => Self::NotTls { authority },
            other => Self::Connection {
                authority,
                reason: other.to_string(),
            },
        }
    }

    /// Whether the collector answered at all.
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unexpected { .. } | Self::Answer { .. })
    }
}

const fn about_certificates(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
            // Signed by another CA of the same name: the collector was set up anew.
            | AlertDescription::DecryptError
    )
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
}

fn innermost(error: &reqwest::Error) -> String {
    chain(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// A TLS error travels inside I/O errors, one in the other, which `source` steps over.
fn find_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    chain(error).find_map(|cause| {
        let mut cause = cause;
        while let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            cause = inner;
        }
        cause.downcast_ref()
    })
}

//! Keys that an auditor has by another way than the pack.

use evidence::key::{KeyError, PublicKey};
use evidence::note::{NoteError, VerifierKey};
use thiserror::Error;

/// A trust file has this many bytes at most.
pub const MAX_BYTES: usize = 64 * 1024;

/// The two keys on which everything in a pack rests. Written as two lines, `log <vkey>` and `collector <Base64 of the
/// SubjectPublicKeyInfo>`; empty lines and lines that begin with `#` do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Signs checkpoints.
    pub log: VerifierKey,
    /// Signs the collector's entries.
    pub collector: PublicKey,
}

/// Why a trust file cannot be read.
#[derive(Debug, Error)]
pub enum TrustError {
    /// A line that is none of the two.
    #[error("line {line}: \"log <vkey>\" or \"collector <key>\" expected")]
    Line {
        /// Line number, from 1.
        line: usize,
    },
    /// A line given twice.
    #[error("line {line}: given before")]
    Twice {
        /// Line number, from 1.
        line: usize,
    },
    /// The log's key.
    #[error("line {line}: {error}")]
    Log {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        error: NoteError,
    },
    /// The collector's key.
    #[error("line {line}: {error}")]
    Collector {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        error: KeyError,
    },
    /// One of the two is not there.
    #[error("there is no line \"{missing} …\"")]
    Missing {
        /// `log` or `collector`.
        missing: &'static str,
    },
}

impl std::str::FromStr for Trust {
    type Err = TrustError;

    fn from_str(text: &str) -> Result<Self, TrustError> {
        let (mut log, mut collector) = (None, None);
        for (index, entry) in text.lines().enumerate() {
            let line = index + 1;
            let entry = entry.trim();
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let twice = match entry.split_once(' ') {
                Some(("log", key)) => {
                    let key = key.trim().parse().map_err(|error| TrustError::Log { line, error })?;
                    log.replace(key).is_some()
                }
                Some(("collector", key)) => {
                    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", key.trim());
                    let key = PublicKey::from_pem(&pem).map_err(|error| TrustError::Collector { line, error })?;
                    collector.replace(key).is_some()
                }
                _ => return Err(TrustError::Line { line }),
            };
            if twice {
                return Err(TrustError::Twice { line });
            }
        }
        Ok(Self {
            log: log.ok_or(TrustError::Missing { missing: "log" })?,
            collector: collector.ok_or(TrustError::Missing { missing: "collector" })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_keys_and_says_which_line_is_wrong() {
        let key = PublicKey::Ed25519([3; 32]);
        let log = VerifierKey::new("example.org/log", key.clone()).unwrap();
        let base64 = serde_json::to_value(&key).unwrap();
        let text = format!(
            "# given on paper\n\nlog {log}\ncollector {}\n",
            base64.as_str().unwrap()
        );
        let trust: Trust = text.parse().unwrap();
        assert_eq!((trust.log, trust.collector), (log.clone(), key));
        assert!(matches!(
            format!("log {log}").parse::<Trust>(),
            Err(TrustError::Missing { missing: "collector" })
        ));
        assert!(matches!(
            format!("log {log}\nlog {log}").parse::<Trust>(),
            Err(TrustError::Twice { line: 2 })
        ));
        assert!(matches!(
            "\nlog x".parse::<Trust>(),
            Err(TrustError::Log { line: 2, .. })
        ));
        assert!(matches!(
            "collector x".parse::<Trust>(),
            Err(TrustError::Collector { line: 1, .. })
        ));
        assert!(matches!("hello".parse::<Trust>(), Err(TrustError::Line { line: 1 })));
    }
}

//! Who this host is.

use evidence::Timestamp;
use evidence::key::KeyId;
use evidence::note::VerifierKey;
use evidence::statement::HostId;
use serde::{Deserialize, Serialize};

/// Who this host is, and which log it trusts. Fixed by enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The collector's address, `https://host:port`.
    pub collector: String,
    /// The id that the collector gave.
    pub host: HostId,
    /// The name that the host gave.
    pub name: String,
    /// Verifier key of the log.
    #[serde(with = "vkey")]
    pub log: VerifierKey,
    /// The key that signs statements.
    pub statement_key: KeyId,
    /// Drawn at random; see [`evidence::statement::Observation::epoch`].
    pub epoch: String,
    /// When, by this host's clock.
    pub enrolled_at: Timestamp,
}

mod vkey {
    use std::borrow::Cow;

    use evidence::note::VerifierKey;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(key: &VerifierKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VerifierKey, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

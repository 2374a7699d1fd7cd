//! The agent's one source of time and of randomness.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use evidence::Timestamp;
use thiserror::Error;

/// The kernel's random number generator did not answer.
#[derive(Debug, Error)]
#[error("no random numbers from the kernel")]
pub struct NoRandomness;

/// Now. A clock before 1970 or after 9999 is taken for the nearest of the two: the collector then says that it is off.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH.plus(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Random bytes, fit for keys.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

//! The only place where this crate asks for the time and for random bytes.

use std::time::{SystemTime, UNIX_EPOCH};

use evidence::Timestamp;
use thiserror::Error;

/// The kernel's generator did not answer.
#[derive(Debug, Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, in whole seconds.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch = Timestamp::from_unix(0).unwrap_or_else(|_| unreachable!("0 is in range"));
        epoch.plus(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// Random bytes for keys, ids and tokens.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

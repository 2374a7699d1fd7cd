//! Talking to the collector: the connection, what is said over it, and what is believed of the answers.

mod address;
mod certificate;
mod client;
mod exchange;
mod receipts;
mod tls;
mod trouble;

pub use address::{Address, AddressError};
pub use certificate::{TlsIdentity, TlsIdentityError, Validity};
pub use client::Client;
pub use exchange::{ExchangeError, exchange};
pub use receipts::{Believed, Disbelief, believe};
pub use tls::{EnrolmentTrust, NotTheCollector, TlsError, member_config, spki_digest};
pub use trouble::Trouble;

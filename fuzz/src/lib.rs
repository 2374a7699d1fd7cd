//! A host made of bytes.

mod host;

pub use host::{BytesHost, Content};

//! What agent and collector say to each other: the bodies, not the transport.
//!
//! | request | body | answer |
//! | --- | --- | --- |
//! | `POST /v1/enrol` | [`EnrolRequest`] | [`EnrolResponse`] |
//! | `POST /v1/renew` | [`RenewRequest`] | [`RenewResponse`] |
//! | `POST /v1/statements?known=SIZE&pace=PACE` | envelopes, one per line | [`DeliverResponse`] |
//! | `PUT /v1/manifests/SHA256` | the manifest | [`ManifestResponse`] |
//! | `PUT /v1/facts/SHA256` | the facts document | empty, 204 |
//! | `POST /v1/check-in` | [`CheckIn`] | [`CheckInResponse`] |
//!
//! Everything but enrolment needs a client certificate. A request that is refused as a whole is answered with an RFC 9457
//! problem, [`Problem`].

mod deliver;
mod enrol;
mod token;

pub use deliver::{
    CheckIn, CheckInResponse, DeliverResponse, Delivered, ManifestResponse, Pace, Problem, Refusal, RefusalCode,
};
pub use enrol::{EnrolRequest, EnrolResponse, RenewRequest, RenewResponse, proof_message};
pub use token::{Token, TokenError};

/// Content type of a request body of envelopes, one per line.
pub const ENVELOPES: &str = "application/jsonl";
/// Envelopes in one request at most.
pub const MAX_BATCH: usize = 64;

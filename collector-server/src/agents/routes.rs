//! The handlers: HTTP in, HTTP out, and nothing decided here.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use evidence::Digest;
use evidence::wire::{
    CheckIn, CheckInResponse, DeliverResponse, EnrolRequest, EnrolResponse, MAX_BATCH, ManifestResponse, Pace,
    RenewRequest, RenewResponse,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Refused;
use super::failures::Failures;
use super::member::Member;
use crate::app::App;
use crate::ca::AuthorityError;
use crate::enrol::{self, EnrolError};
use crate::ingest::{self, ObjectError};
use crate::net::Peer;
use crate::store::Contact;

/// A body, or why it is none: too long, or cut off.
type Body = Result<Bytes, BytesRejection>;

fn body(body: Body) -> Result<Bytes, Refused> {
    body.map_err(|rejection| {
        let status = rejection.status();
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            Refused::new(status, "too_large", "The body is too long", "send less at once")
        } else {
            Refused::malformed(rejection.body_text())
        }
    })
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(bytes).map_err(|error| Refused::malformed(error.to_string()))
}

fn digest(text: &str) -> Result<Digest, Refused> {
    text.parse()
        .map_err(|error: evidence::digest::DigestError| Refused::malformed(error.to_string()))
}

fn enrolment_refused(error: EnrolError) -> Refused {
    let (status, code) = match &error {
        EnrolError::TokenForm(_) => (StatusCode::BAD_REQUEST, "token_malformed"),
        EnrolError::OtherCollector => (StatusCode::FORBIDDEN, "other_collector"),
        EnrolError::UnknownToken => (StatusCode::FORBIDDEN, "token_unknown"),
        EnrolError::ExpiredToken { .. } => (StatusCode::FORBIDDEN, "token_expired"),
        EnrolError::UsedToken { .. } => (StatusCode::FORBIDDEN, "token_used"),
        EnrolError::KnownKey { .. } => (StatusCode::CONFLICT, "key_known"),
        EnrolError::Name => (StatusCode::BAD_REQUEST, "bad_name"),
        EnrolError::RequestTooLarge { .. } | EnrolError::Certificate(AuthorityError::Request { .. }) => {
            (StatusCode::BAD_REQUEST, "bad_certificate_request")
        }
        EnrolError::Proof => (StatusCode::BAD_REQUEST, "bad_proof"),
        EnrolError::Certificate(_) | EnrolError::Randomness(_) => return Refused::internal(&error),
        EnrolError::Log(_) => match error {
            EnrolError::Log(error) => return error.into(),
            other => return Refused::internal(&other),
        },
    };
    Refused::new(status, code, "This host was not enrolled", error.to_string())
}

pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Arc<Peer>>,
    Extension(failures): Extension<Arc<Failures>>,
    bytes: Body,
) -> Result<Json<EnrolResponse>, Refused> {
    let (address, now) = (peer.address.ip(), app.clock.now());
    if failures.too_many(address, now) {
        let detail = "too many failed enrolments from this address; wait a minute";
        return Err(Refused::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_failures",
            "Wait",
            detail,
        ));
    }
    let request: EnrolRequest = json(&body(bytes)?)?;
    match enrol::enrol(&app, request).await {
        Ok(response) => Ok(Json(response)),
        Err(error) => {
            failures.note(address, now);
            tracing::info!(%address, %error, "an enrolment was refused");
            Err(enrolment_refused(error))
        }
    }
}

/// `?known=SIZE&pace=PACE`: the tree size that the host has verified, and how often it does what.
#[derive(Deserialize)]
pub(super) struct Standing {
    #[serde(default)]
    known: u64,
    pace: Option<String>,
}

pub(super) async fn statements(
    State(app): State<Arc<App>>,
    Extension(Member { host }): Extension<Member>,
    Query(standing): Query<Standing>,
    bytes: Body,
) -> Result<Json<DeliverResponse>, Refused> {
    let bytes = body(bytes)?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let mut envelopes: Vec<Bytes> = lines.map(|line| bytes.slice_ref(line)).collect();
    // Every line has its end; the last one may lack it.
    if envelopes.last().is_some_and(Bytes::is_empty) {
        envelopes.pop();
    }
    if envelopes.is_empty() || envelopes.len() > MAX_BATCH {
        let detail = format!(
            "{} envelopes, 1 to {MAX_BATCH} are taken at once, one per line",
            envelopes.len()
        );
        return Err(Refused::malformed(detail));
    }
    let mut response = ingest::deliver(&app, host, envelopes, standing.known).await?;
    let pace: Pace = app.config.pace.into();
    response.pace = standing
        .pace
        .is_some_and(|theirs| theirs != pace.to_string())
        .then_some(pace);
    Ok(Json(response))
}

fn object_refused(error: ObjectError) -> Refused {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        ObjectError::Log(error) => error.into(),
        ObjectError::Digest { .. } => Refused::new(status, "wrong_digest", "Other bytes than named", error.to_string()),
        ObjectError::Manifest(_) => Refused::new(status, "bad_manifest", "Not a manifest", error.to_string()),
        ObjectError::Facts(_) => Refused::new(status, "bad_facts", "Not a facts document", error.to_string()),
    }
}

pub(super) async fn manifest(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path(named): Path<String>,
    bytes: Body,
) -> Result<Json<ManifestResponse>, Refused> {
    member.active(&app)?;
    let stored = ingest::put_manifest(&app, digest(&named)?, body(bytes)?.into()).await;
    let missing = stored.map_err(object_refused)?;
    Ok(Json(ManifestResponse { missing }))
}

pub(super) async fn facts(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path(named): Path<String>,
    bytes: Body,
) -> Result<StatusCode, Refused> {
    member.active(&app)?;
    let stored = ingest::put_facts(&app, digest(&named)?, body(bytes)?.into()).await;
    stored.map_err(object_refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Longest version text kept.
const MAX_VERSION: usize = 64;

pub(super) async fn check_in(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    bytes: Body,
) -> Result<Json<CheckInResponse>, Refused> {
    let host = member.active(&app)?;
    let check_in: CheckIn = json(&body(bytes)?)?;
    let now = app.clock.now();
    app.contacts.note(Contact {
        host,
        at: now,
        agent_version: check_in
            .agent_version
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_VERSION)
            .collect(),
        spooled: check_in.spooled.min(i64::MAX.unsigned_abs()),
        clock_ahead: check_in.clock.since(now),
    });
    Ok(Json(CheckInResponse {
        pace: app.config.pace.into(),
        clock: now,
    }))
}

pub(super) async fn renew(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    bytes: Body,
) -> Result<Json<RenewResponse>, Refused> {
    let host = member.active(&app)?;
    let request: RenewRequest = json(&body(bytes)?)?;
    let certificate = app.authority.client(&host, &request.tls_request, app.clock.now());
    match certificate {
        Ok(certificate) => Ok(Json(RenewResponse { certificate })),
        Err(error @ AuthorityError::Request { .. }) => Err(Refused::malformed(error.to_string())),
        Err(error) => Err(Refused::internal(&error)),
    }
}

//! RFC 9457 problems: why a whole request is refused. The text for the client and the text for our log are two things.

use std::any::Any;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use evidence::wire::Problem;

use crate::log::LogError;
use crate::store::StoreError;

/// A refusal of a request.
#[derive(Debug, Clone)]
pub struct Refused(Problem);

impl Refused {
    /// `code` ends the problem's type; `detail` says what is wrong here, and what to do.
    pub fn new(status: StatusCode, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self(Problem {
            kind: format!("urn:affiant:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
        })
    }

    /// No such address.
    pub fn not_found() -> Self {
        let detail = "there is nothing at this address";
        Self::new(StatusCode::NOT_FOUND, "not_found", "Nothing here", detail)
    }

    /// The request cannot be understood.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            "The request cannot be understood",
            detail,
        )
    }

    /// A fault of this side: logged here, not explained to the client.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        let detail = "the collector could not do it; its log says why. Try again later";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The collector failed",
            detail,
        )
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

impl From<LogError> for Refused {
    fn from(error: LogError) -> Self {
        if !error.may_pass_later() && !matches!(error, LogError::Stopped) {
            return Self::internal(&error);
        }
        tracing::error!(error = %chain(&error), "nothing can be written");
        let detail = "the collector cannot write at the moment; keep the statements and try again later";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Nothing can be written",
            detail,
        )
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::from(LogError::Store(error.into()))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let headers = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        (status, headers, body).into_response()
    }
}

/// The answer to a request whose handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "the signature that tower-http asks for")]
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let what = what
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = what, "a request handler panicked");
    let detail = "the collector failed; its log says where. Try again later";
    Refused::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "The collector failed",
        detail,
    )
    .into_response()
}

/// Refuses compressed bodies.
pub(super) async fn identity_only(request: Request, next: Next) -> axum::response::Response {
    let identity = HeaderValue::from_static("identity");
    if request
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != identity)
    {
        let detail = "send the body without Content-Encoding";
        let title = "Compressed bodies are not taken";
        return Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding", title, detail).into_response();
    }
    next.run(request).await
}

//! Why a page or an answer of the API is not what was asked for. The text for the reader and the text for our log are two
//! things; an operation id joins them.

use std::error::Error;

use askama::Template;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use evidence::wire::Problem;
use serde::Serialize;

use super::frame::Frame;
use super::people::PeopleError;
use crate::agents::chain;
use crate::clock;
use crate::index::IndexError;
use crate::query::QueryError;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Trouble {
    status: StatusCode,
    code: &'static str,
    title: String,
    detail: String,
    operation: String,
    retry_after: Option<i64>,
}

/// The page that says so.
#[derive(Template)]
#[template(path = "web/trouble.html")]
struct TroublePage<'a> {
    frame: Frame,
    status: u16,
    trouble: &'a Trouble,
}

/// RFC 9457, with the operation id as a member of its own.
#[derive(Serialize)]
struct ApiProblem<'a> {
    #[serde(flatten)]
    problem: Problem,
    operation: &'a str,
}

impl Trouble {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        let number = u64::from_be_bytes(clock::random().unwrap_or_default());
        let operation = format!("{:012x}", number >> 16);
        Self {
            status,
            code,
            title: title.into(),
            detail: detail.into(),
            operation,
            retry_after: None,
        }
    }

    /// No such address.
    pub(super) fn nothing_here() -> Self {
        let detail = "There is nothing at this address. It may have been mistyped, or be of another version.";
        Self::new(StatusCode::NOT_FOUND, "not_found", "Nothing here", detail)
    }

    /// The question cannot be understood.
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        let title = "This cannot be understood";
        Self::new(StatusCode::BAD_REQUEST, "malformed", title, detail)
    }

    /// Nobody is logged in.
    pub(super) fn no_session() -> Self {
        let detail = "Log in, and send the session's cookie.";
        Self::new(StatusCode::UNAUTHORIZED, "no_session", "Log in first", detail)
    }

    /// A form that another site sent.
    pub(super) fn foreign_form() -> Self {
        let detail =
            "The form does not come from this collector's own pages. Load the page again and send it once more.";
        Self::new(StatusCode::FORBIDDEN, "foreign_form", "This form is not taken", detail)
    }

    /// Too many failures.
    pub(super) fn wait(seconds: i64) -> Self {
        let detail = format!("Too many attempts failed. Try again in {seconds} s.");
        let mut trouble = Self::new(StatusCode::TOO_MANY_REQUESTS, "wait", "Please wait", detail);
        trouble.retry_after = Some(seconds);
        trouble
    }

    /// A fault of this side: explained in our log only.
    pub(super) fn internal(error: &dyn Error) -> Self {
        let detail = "The collector could not do it; its log says why, under the operation below.";
        let trouble = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The collector failed",
            detail,
        );
        tracing::error!(operation = trouble.operation, error = %chain(error), "a page failed");
        trouble
    }

    /// A handler that panicked.
    pub(super) fn panicked(what: &str) -> Self {
        let detail = "The collector failed; its log says where, under the operation below.";
        let trouble = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The collector failed",
            detail,
        );
        tracing::error!(operation = trouble.operation, panic = what, "a page panicked");
        trouble
    }

    /// Text for who logs in.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    fn page(&self) -> Response {
        let page = TroublePage {
            frame: Frame::bare(&self.title),
            status: self.status.as_u16(),
            trouble: self,
        };
        match page.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(operation = self.operation, %error, "the page of an error failed");
                self.detail.clone().into_response()
            }
        }
    }

    fn problem(&self) -> Response {
        let body = ApiProblem {
            problem: Problem {
                kind: format!("urn:affiant:problem:{}", self.code),
                title: self.title.clone(),
                status: self.status.as_u16(),
                detail: self.detail.clone(),
            },
            operation: &self.operation,
        };
        let mut response = Json(body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    fn dress(&self, mut response: Response) -> Response {
        if self.status.is_client_error() {
            tracing::debug!(
                operation = self.operation,
                status = self.status.as_u16(),
                code = self.code,
                "refused"
            );
        }
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// As the API answers.
    pub(super) fn into_problem(self) -> Response {
        self.dress(self.problem())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        self.dress(self.page())
    }
}

/// The same, for the API.
#[derive(Debug)]
pub(super) struct ApiTrouble(pub(super) Trouble);

impl IntoResponse for ApiTrouble {
    fn into_response(self) -> Response {
        self.0.into_problem()
    }
}

impl<E: Into<Trouble>> From<E> for ApiTrouble {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<QueryError> for Trouble {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::NotFound { what, .. } => {
                let title = format!("There is no such {what}");
                Self::new(StatusCode::NOT_FOUND, "not_found", title, format!("{error}."))
            }
            QueryError::Period { .. } | QueryError::InstantOnly { .. } => Self::malformed(format!("{error}.")),
            QueryError::Index(IndexError::NotThere) => {
                let detail = "The index is being made out of the log. Try again in a few seconds.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "Not ready yet", detail)
            }
            QueryError::Index(_) | QueryError::Store(_) => Self::internal(&error),
        }
    }
}

impl From<PeopleError> for Trouble {
    fn from(error: PeopleError) -> Self {
        Self::internal(&error)
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::internal(&error)
    }
}

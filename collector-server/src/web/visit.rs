//! One request for a page: who asks, about what instant, and the way to the answers.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, Query as Asked};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse as _, Response};
use evidence::Timestamp;
use serde::Deserialize;

use super::Web;
use super::frame::{Frame, Section};
use super::people::Reader;
use super::trouble::Trouble;
use crate::query::{Query, QueryError, Span};

/// A page, or why there is none.
pub(super) type Shown = Result<Response, Trouble>;

/// One request for a page.
pub(super) struct Visit {
    pub(super) web: Arc<Web>,
    pub(super) view: View,
}

/// Who looks at what, and when: all that a page is made of beside the answers.
#[derive(Debug)]
pub(super) struct View {
    pub(super) reader: Reader,
    /// When it is asked.
    pub(super) now: Timestamp,
    /// The past instant that it is about, if it is not about the present.
    pub(super) at: Option<Timestamp>,
    pub(super) path: String,
}

/// The part of a question that every page takes.
#[derive(Debug, Default, Deserialize)]
struct Times {
    at: Option<String>,
}

/// Reads an instant as the pages write it, as forms send it, or a date.
pub(super) fn instant(text: &str) -> Result<Timestamp, Trouble> {
    let forms = [
        text.to_owned(),
        format!("{text}Z"),
        format!("{text}:00Z"),
        format!("{text}T00:00:00Z"),
    ];
    let read = forms.iter().find_map(|form| form.parse().ok());
    read.ok_or_else(|| {
        Trouble::malformed(format!(
            "{text:?} is not an instant: 2026-11-24T10:08:42Z or 2026-11-24 expected, in UTC."
        ))
    })
}

impl FromRequestParts<Arc<Web>> for Visit {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let reader = parts
            .extensions
            .get::<Reader>()
            .cloned()
            .ok_or_else(Trouble::no_session)?;
        let Asked(times) = Asked::<Times>::from_request_parts(parts, web)
            .await
            .map_err(|error| Trouble::malformed(error.body_text()))?;
        let at = times
            .at
            .as_deref()
            .filter(|at| !at.is_empty())
            .map(instant)
            .transpose()?;
        Ok(Self {
            web: Arc::clone(web),
            view: View {
                reader,
                now: web.app.clock.now(),
                at,
                path: parts.uri.path().to_owned(),
            },
        })
    }
}

/// The rest of the question, where a page takes more. Wrong values are left out rather than refused: a page with an unknown
/// filter is still a page.
pub(super) struct Choice<T>(pub(super) T);

impl<T: serde::de::DeserializeOwned + Default> FromRequestParts<Arc<Web>> for Choice<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let asked = Asked::<T>::from_request_parts(parts, web).await;
        Ok(Self(asked.map(|Asked(choice)| choice).unwrap_or_default()))
    }
}

impl View {
    /// What its questions are about.
    pub(super) fn span(&self) -> Span {
        self.at.map_or(Span::Now, Span::At)
    }

    /// The end of what pictures show: the instant that the page is about.
    pub(super) fn end(&self) -> Timestamp {
        self.at.unwrap_or(self.now).plus(1)
    }

    /// What is around the page.
    pub(super) fn frame(&self, title: &str, section: Section) -> Frame {
        Frame::new(title, section, &self.reader, &self.path, self.at)
    }
}

impl Visit {
    /// Asks, beside the async threads.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Query) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let app = Arc::clone(&self.web.app);
        self.web.blocking(move || ask(&app.query)).await?.map_err(Trouble::from)
    }
}

/// Renders a page.
pub(super) fn page(template: &impl Template) -> Shown {
    Ok(Html(template.render()?).into_response())
}

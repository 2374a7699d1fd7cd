//! The web pages and the API for people.
//!
//! Every page is one file in `pages/` and one template: a type that holds what the template prints, made by a pure function
//! out of an answer of [`crate::query`]. Handlers only ask and render. Nothing here runs scripts, loads anything from
//! elsewhere, or changes evidence; the only acts are login and logout.

mod api;
mod assets;
mod bar;
mod frame;
mod headers;
mod link;
mod login;
mod mark;
mod origin;
mod pager;
mod pages;
mod password;
pub mod people;
mod session;
mod strip;
mod throttle;
mod trouble;
mod visit;
mod when;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::agents::log_router;
use crate::app::App;
use people::{People, PeopleError};
use throttle::Throttle;
use trouble::Trouble;

/// A page that takes longer is given up.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Forms are small.
const BODY: usize = 8 * 1024;
/// Questions to the index at once; more of them wait.
const QUESTIONS: usize = 16;
/// Passwords hashed at once: each costs 19 MiB and some 30 ms of a core.
const HASHES: usize = 2;

/// What the pages share.
pub(super) struct Web {
    app: Arc<App>,
    people: Arc<People>,
    throttle: Throttle,
    questions: Semaphore,
    hashes: Semaphore,
}

impl Web {
    /// Runs what blocks beside the async threads.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
        // Never closed, so that a permit always comes.
        let _turn = self.questions.acquire().await;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Trouble::internal(&error))
    }
}

impl Web {
    /// Where agents reach this collector, for the commands that pages show.
    fn agents_url(&self) -> String {
        let url = self.app.data.read("run/agents.url").ok().flatten();
        let url = url.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        url.trim().to_owned()
    }

    /// The log's origin.
    fn log_name(&self) -> String {
        self.app.log.key().name().to_owned()
    }
}

/// The routes for people.
pub fn router(app: &Arc<App>) -> Result<Router, PeopleError> {
    let web = Arc::new(Web {
        app: Arc::clone(app),
        people: Arc::new(People::open(&app.data)?),
        throttle: Throttle::default(),
        questions: Semaphore::new(QUESTIONS),
        hashes: Semaphore::new(HASHES),
    });
    let readers = Router::new()
        .route("/", get(pages::overview::show))
        .route("/hosts", get(pages::hosts::show))
        .route("/hosts/{host}", get(pages::host::show))
        .route("/hosts/{host}/findings/{rule}", get(pages::finding::show))
        .route("/controls/{control}", get(pages::control::show))
        .route("/coverage", get(pages::coverage::show))
        .route("/rules", get(pages::rules::show))
        .route("/rules/{rule}", get(pages::rule::show))
        .route("/facts/{digest}", get(pages::facts::show))
        .route("/facts/{digest}/raw", get(pages::facts::raw))
        .route("/entries", get(pages::log::show))
        .route("/entries/{index}", get(pages::statement::show))
        .route("/entries/{index}/envelope", get(pages::statement::envelope))
        .route("/entries/{index}/place", get(pages::place::show))
        .route("/entries/{index}/receipt", get(pages::place::receipt))
        .route("/logout", post(login::end))
        .nest("/api/v1", api::router())
        .nest("/log", log_router(app).with_state(Arc::clone(app)))
        .layer(middleware::from_fn_with_state(Arc::clone(&web), session::required));
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/login", get(login::show).post(login::begin))
        .merge(assets::router())
        .merge(readers)
        .fallback(async || Trouble::nothing_here())
        .method_not_allowed_fallback(async || {
            let detail = "This address does not take requests of this kind.";
            Trouble::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Not possible here", detail)
        })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(&web), headers::protect));
    Ok(router.with_state(web))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that tower-http asks for")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Trouble::panicked(&text.unwrap_or_default()).into_response()
}

//! What agents ask over HTTP: enrolment, delivery, check-ins, and the log itself.
//!
//! The TLS layer asks every client for a certificate and lets those without one in, because a host that is to enrol has
//! none yet. So every route but `/v1/enrol` stands behind [`member::required`], which takes only a certificate of this
//! collector's CA, not expired, of a host that is not revoked.

mod failures;
mod log_routes;
mod member;
mod problem;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post, put};
use axum::{Extension, Router};
use evidence::{envelope, facts, manifest, wire};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

pub use log_routes::log_router;
pub use problem::Refused;
pub(crate) use problem::chain;

use crate::app::App;
use failures::Failures;

/// A request that takes longer, its body included, is given up.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Enrolment requests, check-ins and renewals are small.
const SMALL: usize = 32 * 1024;
/// A full batch of the longest envelopes, each with its line end.
const BATCH: usize = wire::MAX_BATCH * (envelope::MAX_BYTES + 1);

/// The routes for agents. Bodies are taken as they are: compressed ones are refused, since statements hardly shrink and
/// a bound on compressed bytes bounds nothing.
pub fn router(app: &Arc<App>) -> Router {
    let members = Router::new()
        .route(
            "/v1/statements",
            post(routes::statements).layer(DefaultBodyLimit::max(BATCH)),
        )
        .route(
            "/v1/manifests/{digest}",
            put(routes::manifest).layer(DefaultBodyLimit::max(manifest::MAX_BYTES)),
        )
        .route(
            "/v1/facts/{digest}",
            put(routes::facts).layer(DefaultBodyLimit::max(facts::MAX_BYTES)),
        )
        .route("/v1/check-in", post(routes::check_in))
        .route("/v1/renew", post(routes::renew))
        .nest("/log", log_router(app))
        .layer(middleware::from_fn_with_state(Arc::clone(app), member::required));
    Router::new()
        .route("/v1/enrol", post(routes::enrol))
        .route("/healthz", get(async || "ok\n"))
        .layer(Extension(Arc::new(Failures::default())))
        .merge(members)
        .fallback(async || Refused::not_found())
        .method_not_allowed_fallback(async || {
            Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "Another method is needed",
                "see the documentation",
            )
        })
        .layer(DefaultBodyLimit::max(SMALL))
        .layer(middleware::from_fn(problem::identity_only))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .with_state(Arc::clone(app))
}

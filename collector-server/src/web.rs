//! The web and the API for people.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The routes for people.
pub fn router(app: &Arc<App>) -> Router {
    let _ = app;
    Router::new().route("/healthz", get(async || "ok\n"))
}

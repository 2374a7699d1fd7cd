//! The log as C2SP tlog-tiles has it: `checkpoint`, `tile/…`, `tile/entries/…`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use evidence::tile::{Resource, WIDTH};

use super::Refused;
use crate::app::App;

/// Full tiles never change; partial ones do not either, but a client should ask for the wider one soon.
const FOREVER: &str = "max-age=31536000, immutable";
const NEVER: &str = "no-store";

/// Routes to be nested under the log's prefix. Who may ask is the caller's affair.
pub fn log_router(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/tile/{*place}", get(tile))
        .with_state(Arc::clone(app))
}

async fn checkpoint(State(app): State<Arc<App>>) -> Result<Response, Refused> {
    let checkpoint = app.store.checkpoint()?.ok_or_else(Refused::not_found)?;
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, NEVER)];
    Ok((headers, checkpoint).into_response())
}

async fn tile(State(app): State<Arc<App>>, Path(place): Path<String>) -> Result<Response, Refused> {
    let resource: Resource = format!("tile/{place}")
        .parse()
        .map_err(|error: evidence::tile::PathError| Refused::malformed(error.to_string()))?;
    let (bytes, full) = match resource {
        Resource::Checkpoint => return Err(Refused::not_found()),
        Resource::Hashes(tile) => (app.log.tiles().tile(tile)?, tile.is_full()),
        Resource::Entries { index, width } => (app.log.tiles().bundle(index, width)?, u64::from(width) == WIDTH),
    };
    let bytes = bytes.ok_or_else(Refused::not_found)?;
    let cache = if full { FOREVER } else { NEVER };
    Ok((
        [(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, cache)],
        bytes,
    )
        .into_response())
}

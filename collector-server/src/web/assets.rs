//! The style sheet and the icon. Their addresses hold a hash of their bytes, so that browsers may keep them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use evidence::Digest;

use super::trouble::Trouble;

/// A file that is part of the program.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const STYLE: Asset = Asset {
    name: "style.css",
    kind: "text/css; charset=utf-8",
    bytes: include_bytes!("../../assets/style.css"),
};

const ICON: Asset = Asset {
    name: "icon.svg",
    kind: "image/svg+xml",
    bytes: include_bytes!("../../assets/icon.svg"),
};

/// The addresses of the assets.
#[derive(Debug)]
pub(super) struct Assets {
    /// The style sheet.
    pub(super) style: String,
    /// The icon.
    pub(super) icon: String,
}

/// The addresses of the assets of this build.
pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: address(&STYLE),
    icon: address(&ICON),
});

/// Sixteen hexadecimal digits tell builds apart; nobody is protected by them.
fn address(asset: &Asset) -> String {
    let hash: String = Digest::of(asset.bytes).to_string().chars().take(16).collect();
    format!("/assets/{hash}/{}", asset.name)
}

/// Routes for everybody: the login page needs them too.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{hash}/{name}", get(show))
}

async fn show(Path((hash, name)): Path<(String, String)>) -> Result<Response, Trouble> {
    let asked = format!("/assets/{hash}/{name}");
    let known = [STYLE, ICON].into_iter().find(|asset| address(asset) == asked);
    let asset = known.ok_or_else(Trouble::nothing_here)?;
    let headers = [
        (CONTENT_TYPE, asset.kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.bytes).into_response())
}

//! Logging in and out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Form, Query as Asked, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::frame::Frame;
use super::people::Reader;
use super::trouble::Trouble;
use super::visit::Shown;
use super::{Web, origin, password, session};
use crate::net::Peer;

/// The login page.
#[derive(Template)]
#[template(path = "web/login.html")]
struct LoginPage {
    frame: Frame,
    next: String,
    name: String,
    problem: Option<String>,
}

/// Where a login leads.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Place {
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// What the button sends.
#[derive(Deserialize)]
pub(super) struct Leave {
    token: String,
}

fn form(name: String, next: &str, problem: Option<String>) -> Shown {
    let page = LoginPage {
        frame: Frame::bare("Log in"),
        next: session::next_address(next),
        name,
        problem,
    };
    Ok(Html(page.render()?).into_response())
}

pub(super) async fn show(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    place: Result<Asked<Place>, axum::extract::rejection::QueryRejection>,
) -> Shown {
    let next = place.map(|Asked(place)| place.next).unwrap_or_default();
    if session::reader(&web, &headers).await?.is_some() {
        return Ok(Redirect::to(&session::next_address(&next)).into_response());
    }
    form(String::new(), &next, None)
}

pub(super) async fn begin(
    State(web): State<Arc<Web>>,
    Extension(peer): Extension<Arc<Peer>>,
    uri: Uri,
    headers: HeaderMap,
    Form(given): Form<Credentials>,
) -> Shown {
    if !origin::is_own(&headers, uri.authority().map(axum::http::uri::Authority::as_str)) {
        return Err(Trouble::foreign_form());
    }
    let (address, now) = (peer.address.ip(), web.app.clock.now());
    let wait = web.throttle.wait(address, now);
    if wait > 0 {
        let trouble = Trouble::wait(wait);
        let mut response = form(given.name, &given.next, Some(trouble.detail().to_owned()))?;
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        return Ok(response);
    }
    // Counted before it is known, so that attempts at the same time do not slip through.
    web.throttle.failed(address, now);
    let name = given.name.trim().to_owned();
    let secret = {
        // Never closed, so that a permit always comes.
        let _turn = web.hashes.acquire().await;
        let (people, name) = (Arc::clone(&web.people), name.clone());
        web.blocking(move || {
            let hash = people.hash_of(&name)?;
            if password::verify(given.password.trim(), hash.as_deref()) {
                people.begin(&name, now)
            } else {
                Ok(None)
            }
        })
        .await??
    };
    let Some(secret) = secret else {
        tracing::info!(%address, "a login failed");
        let problem = "This name and password do not belong together.".to_owned();
        let mut response = form(name, &given.next, Some(problem))?;
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(response);
    };
    web.throttle.succeeded(address);
    tracing::info!(%address, name, "logged in");
    let mut response = Redirect::to(&session::next_address(&given.next)).into_response();
    if let Some(cookie) = session::cookie(&secret, web.app.config.people.tls) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

pub(super) async fn end(
    State(web): State<Arc<Web>>,
    Extension(reader): Extension<Reader>,
    uri: Uri,
    headers: HeaderMap,
    Form(leave): Form<Leave>,
) -> Result<Response, Trouble> {
    let own = origin::is_own(&headers, uri.authority().map(axum::http::uri::Authority::as_str));
    if !own || !bool::from(leave.token.as_bytes().ct_eq(reader.form_token.as_bytes())) {
        return Err(Trouble::foreign_form());
    }
    let tls = web.app.config.people.tls;
    if let Some(secret) = session::secret(&headers, tls) {
        let people = Arc::clone(&web.people);
        web.blocking(move || people.end(&secret)).await??;
    }
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().insert(SET_COOKIE, session::no_cookie(tls));
    Ok(response)
}

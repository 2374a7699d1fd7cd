//! The session's cookie, and who has it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::people::{LONGEST, Reader, SessionSecret};
use super::trouble::Trouble;
use super::{Web, people};

/// `__Host-`: the browser takes it over TLS only, for this host and every path (RFC 6265bis 4.1.3.2).
const SECURE: &str = "__Host-affiant";
/// Browsers refuse that name without TLS, which is allowed on loopback only.
const PLAIN: &str = "affiant";

/// The cookie's name.
fn name(tls: bool) -> &'static str {
    if tls { SECURE } else { PLAIN }
}

/// The secret that a request carries.
pub(super) fn secret(headers: &HeaderMap, tls: bool) -> Option<SessionSecret> {
    let name = name(tls);
    let cookies = headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';'));
    let found = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name);
    found.and_then(|(_, value)| value.parse().ok())
}

/// Sets the cookie.
pub(super) fn cookie(secret: &SessionSecret, tls: bool) -> Option<HeaderValue> {
    let secure = if tls { "; Secure" } else { "" };
    let (name, value) = (name(tls), secret.reveal());
    let text = format!("{name}={value}; Path=/; Max-Age={LONGEST}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

/// Removes it.
pub(super) fn no_cookie(tls: bool) -> HeaderValue {
    HeaderValue::from_static(if tls {
        "__Host-affiant=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure"
    } else {
        "affiant=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    })
}

/// Who a request comes from.
pub(super) async fn reader(web: &Arc<Web>, headers: &HeaderMap) -> Result<Option<Reader>, Trouble> {
    let Some(secret) = secret(headers, web.app.config.people.tls) else {
        return Ok(None);
    };
    let now = web.app.clock.now();
    let people = Arc::clone(&web.people);
    web.blocking(move || people.reader(&secret, now))
        .await?
        .map_err(Trouble::from)
}

/// The log's checkpoint is for everybody: the more people keep one, the harder history is to change.
const PUBLIC: &str = "/log/checkpoint";

/// Lets only those pass who are logged in. Pages lead to the login and back; the API says so.
pub(super) async fn required(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == PUBLIC {
        return next.run(request).await;
    }
    let for_programs = path.starts_with("/api/") || path.starts_with("/log/");
    match reader(&web, request.headers()).await {
        Ok(Some(reader)) => {
            request.extensions_mut().insert(reader);
            next.run(request).await
        }
        Ok(None) if for_programs => Trouble::no_session().into_problem(),
        Ok(None) => Redirect::to(&login_address(request.uri())).into_response(),
        Err(trouble) if for_programs => trouble.into_problem(),
        Err(trouble) => trouble.into_response(),
    }
}

/// The login page, which leads back.
fn login_address(uri: &axum::http::Uri) -> String {
    let place = uri.path_and_query().map_or("/", |place| place.as_str());
    if place == "/" {
        return "/login".to_owned();
    }
    format!("/login?next={}", super::link::escape(place))
}

/// Where a login leads: an address of ours, whatever was asked for.
pub(super) fn next_address(asked: &str) -> String {
    let own = asked.starts_with('/') && !asked.starts_with("//") && !asked.contains(['\\', '\r', '\n']);
    let printable = asked.bytes().all(|byte| byte.is_ascii_graphic());
    if own && printable && asked.len() <= 1024 && !asked.starts_with("/login") {
        asked.to_owned()
    } else {
        "/".to_owned()
    }
}

const _: () = assert!(people::IDLE < LONGEST, "a session that is used lives longer");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_our_own_pages_only() {
        for (asked, next) in [
            ("/hosts?text=a", "/hosts?text=a"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/", "/"),
            ("/login?next=/login", "/"),
            ("/a\r\nset-cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(next_address(asked), next, "{asked}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let value = "ab".repeat(32);
        let mut headers = HeaderMap::new();
        let cookies = format!("other=1; affiant={value}; last=2");
        headers.insert(COOKIE, HeaderValue::from_str(&cookies).unwrap());
        assert_eq!(secret(&headers, false).unwrap().reveal(), value);
        assert!(
            secret(&headers, true).is_none(),
            "over TLS only the protected name counts"
        );
        headers.insert(COOKIE, HeaderValue::from_static("affiant=zz"));
        assert!(secret(&headers, false).is_none());
    }

    #[test]
    fn cookies_are_strict() {
        let secret: SessionSecret = "ab".repeat(32).parse().unwrap();
        let cookie = cookie(&secret, true).unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-affiant=abab"));
        for part in ["; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(cookie.contains(part), "{part}");
        }
    }
}

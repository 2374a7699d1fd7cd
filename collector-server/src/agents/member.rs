//! Who may ask: members with a certificate that counts.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use evidence::statement::HostId;

use super::Refused;
use crate::app::App;
use crate::net::Peer;

/// The host that asks: its certificate was checked, and an enrolment of it is in the log.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its id.
    pub(super) host: HostId,
}

impl Member {
    /// The id of a host that is not revoked. A revoked one may ask for receipts of what was taken before, and for
    /// nothing else; the log's writer sees to it that nothing new of it is taken.
    pub(super) fn active(self, app: &App) -> Result<HostId, Refused> {
        let member = app.store.member_of(&self.host)?;
        if member.is_none_or(|member| member.revoked.is_some()) {
            let detail = format!("{} was revoked; enrol this host again if it is to report", self.host);
            return Err(Refused::new(
                StatusCode::FORBIDDEN,
                "revoked",
                "This host was revoked",
                detail,
            ));
        }
        Ok(self.host)
    }
}

fn unauthorized(code: &str, detail: impl Into<String>) -> Refused {
    Refused::new(
        StatusCode::UNAUTHORIZED,
        code,
        "This certificate does not count",
        detail,
    )
}

fn check(app: &App, peer: Option<&Arc<Peer>>) -> Result<Member, Refused> {
    let Some(identity) = peer.and_then(|peer| peer.identity.as_ref()) else {
        let detail = "a client certificate of this collector's CA is needed: enrol this host first";
        return Err(unauthorized("certificate_needed", detail));
    };
    // A connection can outlive the certificate that it began with.
    if identity.not_after < app.clock.now() {
        let detail = format!("it expired at {}; enrol this host again", identity.not_after);
        return Err(unauthorized("certificate_expired", detail));
    }
    if !app.ingest.is_enrolled(&identity.host)? {
        let detail = format!("no enrolment of {} is in the log; enrol this host again", identity.host);
        return Err(unauthorized("unknown_host", detail));
    }
    Ok(Member {
        host: identity.host.clone(),
    })
}

/// Lets members through; [`Member::active`] refuses the revoked.
pub(super) async fn required(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match check(&app, request.extensions().get::<Arc<Peer>>()) {
        Ok(member) => {
            request.extensions_mut().insert(member);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

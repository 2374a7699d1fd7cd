//! Whether a request that changes something comes from our own pages.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Every browser says with a POST where it comes from (Fetch standard: `Origin`; Fetch Metadata: `Sec-Fetch-Site`). What
/// says neither is no browser, and carries nobody's cookie but its own.
pub(super) fn is_own(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        // The browser vouches for it; no page can set this header.
        Some("same-origin" | "none") => return true,
        Some(_) => return false,
        // Browsers from before 2023.
        None => {}
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return true;
    };
    // HTTP/2 has the host in `:authority`.
    let host = text(HOST.as_str()).or(authority);
    let named = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    named.is_some() && named == host
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn other_sites_are_refused() {
        for (origin, site, host, own) in [
            (None, None, "c:8443", true),
            (Some("https://c:8443"), Some("same-origin"), "c:8443", true),
            (Some("https://c:8443"), None, "c:8443", true),
            (Some("https://evil.example"), None, "c:8443", false),
            (Some("https://c:8443.evil.example"), None, "c:8443", false),
            (Some("https://c:8443"), Some("cross-site"), "c:8443", false),
            (Some("https://c:8443"), Some("same-site"), "c:8443", false),
            (Some("null"), None, "c:8443", false),
            (Some("null"), Some("same-origin"), "c:8443", true),
            (None, Some("cross-site"), "c:8443", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            assert_eq!(is_own(&headers, None), own, "{origin:?} {site:?}");
        }
    }

    #[test]
    fn http_2_names_the_host_elsewhere() {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static("https://c:8443"));
        assert!(is_own(&headers, Some("c:8443")));
        assert!(!is_own(&headers, Some("d:8443")));
        assert!(!is_own(&headers, None));
    }
}

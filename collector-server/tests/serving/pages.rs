//! The listener for people: who gets in, what protects them, and what becomes of hostile text.

use std::sync::Arc;
use std::time::Duration;

use affiant_collector::web::people::{ADMIN, People};
use evidence::Digest;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::agent::{Agent, NewHost, facts_with, manifest};
use crate::server::TestServer;

const HOSTILE: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>";

/// Somebody at a browser.
struct Browser {
    client: Client,
    url: String,
    cookie: Option<String>,
}

impl Browser {
    fn new(server: &TestServer) -> Self {
        let ca = std::fs::read(server.app.data.ca()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder().use_preconfigured_tls(config).redirect(Policy::none());
        let address = server.app.data.read("run/people.addr").unwrap().unwrap();
        let address = String::from_utf8(address).unwrap();
        Self {
            client: client.build().unwrap(),
            url: format!("https://{}", address.trim()),
            cookie: None,
        }
    }

    async fn get(&self, path: &str) -> Response {
        let mut request = self.client.get(format!("{}{path}", self.url));
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        request.send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    async fn post(&self, path: &str, form: String, origin: Option<&str>) -> Response {
        let mut request = self.client.post(format!("{}{path}", self.url)).body(form);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        request.send().await.unwrap()
    }

    async fn try_login(&self, name: &str, password: &str) -> Response {
        let form = format!("name={name}&password={password}&next=%2Fhosts");
        self.post("/login", form, Some(&self.url.clone())).await
    }

    async fn login(&mut self, password: &str) {
        let response = self.try_login(ADMIN, password).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], "/hosts");
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-affiant="), "{cookie}");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }
}

/// Makes the first account and returns its password.
fn first_password(server: &TestServer) -> String {
    let people = People::open(&server.app.data).unwrap();
    let password = people.first(affiant_collector::clock::Clock::now(server.clock.as_ref()));
    password.unwrap().unwrap().reveal().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_without_a_login() {
    let server = TestServer::start().await;
    let password = first_password(&server);
    let mut browser = Browser::new(&server);
    for path in [
        "/",
        "/hosts",
        "/coverage",
        "/rules",
        "/entries",
        "/entries/0",
        "/controls/A.8.24",
        "/entries/0/receipt",
    ] {
        let response = browser.get(path).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(
            response.headers()[LOCATION].to_str().unwrap().starts_with("/login"),
            "{path}"
        );
    }
    for path in ["/api/v1/overview", "/api/v1/entries/0", "/log/tile/entries/000.p/1"] {
        let response = browser.get(path).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    assert!(browser.text("/log/checkpoint").await.starts_with("affiant.local/"));

    // The same answer, whether there is such an account or not.
    for name in [ADMIN, "nobody"] {
        let response = browser.try_login(name, "wrong").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers().get(SET_COOKIE).is_none());
        assert!(response.text().await.unwrap().contains("do not belong together"));
    }
    browser.login(&password).await;
    assert!(browser.text("/").await.contains("No host yet"));
    let overview: serde_json::Value = serde_json::from_str(&browser.text("/api/v1/overview").await).unwrap();
    assert_eq!(overview["statuses"]["supported"], 0);
    assert_eq!(overview["controls"].as_array().unwrap().len(), 93);

    let page = browser.text("/").await;
    let token = page
        .split("name=\"token\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let wrong = browser.post("/logout", "token=00".to_owned(), None).await;
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    let foreign = browser
        .post("/logout", format!("token={token}"), Some("https://evil.example"))
        .await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let url = browser.url.clone();
    let left = browser.post("/logout", format!("token={token}"), Some(&url)).await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        browser.get("/").await.status(),
        StatusCode::SEE_OTHER,
        "the session is over"
    );
    drop(browser);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_passwords_waits() {
    let server = TestServer::start().await;
    let password = first_password(&server);
    let browser = Browser::new(&server);
    let foreign = browser
        .post(
            "/login",
            format!("name=admin&password={password}"),
            Some("https://evil.example"),
        )
        .await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    for _ in 0..5 {
        assert_eq!(
            browser.try_login(ADMIN, "wrong").await.status(),
            StatusCode::UNAUTHORIZED
        );
    }
    // Even with the right password.
    assert_eq!(
        browser.try_login(ADMIN, &password).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    server.clock.advance(2);
    assert_eq!(
        browser.try_login(ADMIN, &password).await.status(),
        StatusCode::SEE_OTHER
    );
    drop(browser);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_text_and_every_answer_is_protected() {
    let server = TestServer::start().await;
    let password = first_password(&server);
    let ca = String::from_utf8(std::fs::read(server.app.data.ca()).unwrap()).unwrap();
    let new = NewHost::new(7, "web-1");
    let mut agent = Agent::enrol(server.address, &ca, &server.token(3600), new).await;
    let document = facts_with("sshd", HOSTILE);
    let manifest = manifest(&[("sshd", &document)]);
    agent.put_all(&manifest, &[&document]).await;
    let now = affiant_collector::clock::Clock::now(server.clock.as_ref());
    let statement = agent.next(now, Digest::of(&manifest));
    agent.deliver(&[statement.bytes()]).await;
    let mut browser = Browser::new(&server);
    browser.login(&password).await;
    let host = agent.host.to_string();
    for _ in 0..100 {
        if browser.get(&format!("/hosts/{host}")).await.status() == StatusCode::OK
            && browser
                .text(&format!("/hosts/{host}"))
                .await
                .contains(&Digest::of(&document).to_string())
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let question: String = HOSTILE.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let digest = Digest::of(&document);
    let paths = [
        "/".to_owned(),
        "/coverage".to_owned(),
        "/rules".to_owned(),
        "/rules/sshd-root-login-off".to_owned(),
        "/entries".to_owned(),
        "/entries/3".to_owned(),
        "/entries/3/place".to_owned(),
        "/controls/A.8.24".to_owned(),
        "/controls/A.5.1".to_owned(),
        format!("/hosts/{host}"),
        format!("/hosts/{host}?period=90d"),
        format!("/hosts/{host}?at={now}"),
        format!("/facts/{digest}"),
        format!("/hosts?text={question}"),
        format!("/hosts?rule={question}&verdict=met"),
        "/hosts?sort=standing&order=desc&page=3".to_owned(),
    ];
    for path in &paths {
        let response = browser.get(path).await;
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        if path.contains("rule=") {
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        } else if !path.contains("/rules/") {
            assert_eq!(status, StatusCode::OK, "{path}: {text}");
        }
        for hostile in ["<script", "<img src=x", "javascript:", " style="] {
            assert!(!text.contains(hostile), "{path} has {hostile}");
        }
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers.contains_key("strict-transport-security"));
    }
    let page = browser.text(&format!("/facts/{digest}")).await;
    assert!(page.contains("&#60;script&#62;alert(1)"), "shown, as text");

    // Files are what the digests name, byte for byte.
    let raw = browser.get(&format!("/facts/{digest}/raw")).await;
    assert!(
        raw.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    assert_eq!(raw.bytes().await.unwrap().as_ref(), document.as_slice());
    let envelope = browser.get("/entries/3/envelope").await.bytes().await.unwrap();
    assert_eq!(envelope.as_ref(), statement.bytes());

    for (path, status) in [
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/hosts/none", StatusCode::NOT_FOUND),
        ("/hosts/%3Cb%3E", StatusCode::BAD_REQUEST),
        ("/entries/99", StatusCode::NOT_FOUND),
        ("/entries/x", StatusCode::BAD_REQUEST),
        ("/facts/xx", StatusCode::BAD_REQUEST),
        ("/controls/A.9.99", StatusCode::NOT_FOUND),
        ("/?at=yesterday", StatusCode::BAD_REQUEST),
        ("/api/v1/hosts?from=2026-01-02&to=2026-01-01", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(browser.get(path).await.status(), status, "{path}");
    }
    drop((browser, agent));
    server.end().await;
}

//! Joining, and not joining.

use evidence::wire::Token;

use crate::agent::{Agent, NewHost, client, enrol_with, problem};
use crate::server::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_admits_one_host_and_the_answer_verifies() {
    let server = TestServer::start().await;
    let ca = server.app.authority.pem().to_owned();
    let token = server.token(60);
    let agent = Agent::enrol(server.address, &ca, &token, NewHost::new(1, "web-1.example.org")).await;
    assert!(agent.host.as_str().starts_with("web-1-"), "{}", agent.host);

    let refused = enrol_with(server.address, &ca, &NewHost::new(2, "web-2").request(&token))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.kind.as_str()),
        (403, "urn:affiant:problem:token_used")
    );
    assert!(refused.detail.contains("token create"), "{}", refused.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_answer_got_lost_may_ask_again() {
    let server = TestServer::start().await;
    let ca = server.app.authority.pem().to_owned();
    let token = server.token(60);
    let host = NewHost::new(1, "web-1");
    let first = enrol_with(server.address, &ca, &host.request(&token)).await.unwrap();
    let second = enrol_with(server.address, &ca, &host.request(&token)).await.unwrap();
    assert_eq!(first.host, second.host);
    assert_eq!(first.entry, second.entry);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_says_why() {
    let server = TestServer::start().await;
    let ca = server.app.authority.pem().to_owned();
    let (address, host) = (server.address, NewHost::new(1, "web-1"));
    let code = async |request| {
        enrol_with(address, &ca, &request)
            .await
            .unwrap_err()
            .kind
            .replace("urn:affiant:problem:", "")
    };

    assert_eq!(code(host.request("hello")).await, "token_malformed");
    let good = server.token(60);
    let mut other: Token = good.parse().unwrap();
    other.secret[0] ^= 1;
    assert_eq!(code(host.request(&other.to_string())).await, "token_unknown");
    other.id[0] ^= 1;
    assert_eq!(code(host.request(&other.to_string())).await, "token_unknown");
    other.ca = evidence::Digest::of(b"another");
    assert_eq!(code(host.request(&other.to_string())).await, "other_collector");

    let mut request = host.request(&good);
    request.proof = NewHost::new(2, "x").request(&good).proof;
    assert_eq!(code(request).await, "bad_proof");
    let mut request = host.request(&good);
    request.tls_request = "hello".into();
    assert_eq!(code(request).await, "bad_certificate_request");
    for name in [String::new(), "a\nb".into(), "x".repeat(254)] {
        let mut request = host.request(&good);
        request.name = name;
        assert_eq!(code(request).await, "bad_name");
    }

    let late = server.token(60);
    server.clock.advance(60);
    assert_eq!(code(host.request(&late)).await, "token_expired");

    // None of that used a token up, and a key is enrolled once.
    enrol_with(address, &ca, &host.request(&server.token(60)))
        .await
        .unwrap();
    assert_eq!(code(host.request(&server.token(60))).await, "key_known");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down() {
    let server = TestServer::start().await;
    let ca = server.app.authority.pem().to_owned();
    let host = NewHost::new(1, "web-1");
    let mut token: Token = server.token(600).parse().unwrap();
    let good = token.to_string();
    token.secret[0] ^= 1;
    for _ in 0..20 {
        let refused = enrol_with(server.address, &ca, &host.request(&token.to_string()))
            .await
            .unwrap_err();
        assert_eq!(refused.status, 403);
    }
    let refused = enrol_with(server.address, &ca, &host.request(&good)).await.unwrap_err();
    assert_eq!(refused.status, 429);
    server.clock.advance(61);
    enrol_with(server.address, &ca, &host.request(&good)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_only_enrolment_answers() {
    let server = TestServer::start().await;
    let ca = server.app.authority.pem();
    let stranger = client(ca, None);
    for (method, path) in [
        ("POST", "/v1/statements"),
        ("PUT", "/v1/facts/x"),
        ("POST", "/v1/check-in"),
        ("POST", "/v1/renew"),
        ("GET", "/log/checkpoint"),
    ] {
        let url = format!("https://{}{path}", server.address);
        let response = stranger.request(method.parse().unwrap(), url).send().await.unwrap();
        let refused = problem(response).await;
        assert_eq!(
            (refused.status, refused.kind.as_str()),
            (401, "urn:affiant:problem:certificate_needed"),
            "{path}"
        );
    }
    let response = stranger
        .get(format!("https://{}/nothing", server.address))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(response).await.status, 404);
    let response = stranger
        .get(format!("https://{}/v1/enrol", server.address))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(response).await.status, 405);
}

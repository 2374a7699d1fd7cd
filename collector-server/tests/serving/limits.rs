//! Clients that are slow, large or broken, and what they do not do to others.

use std::time::Duration;

use evidence::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::agent::{Agent, NewHost, facts, manifest, problem};
use crate::server::TestServer;

async fn member(server: &TestServer) -> Agent {
    let ca = server.app.authority.pem().to_owned();
    Agent::enrol(server.address, &ca, &server.token(60), NewHost::new(1, "h")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_finish_their_greeting_stall_nobody() {
    let server = TestServer::start().await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&[0x16, 0x03]).await.unwrap();
        slow.push(stream);
    }
    // More of them than handshakes at once: those wait for the deadline of the first, and no longer.
    let agent = tokio::time::timeout(Duration::from_secs(30), member(&server))
        .await
        .unwrap();
    assert!(agent.host.as_str().starts_with("h-"));
    let mut byte = [0];
    let closed = tokio::time::timeout(Duration::from_secs(30), slow[0].read(&mut byte))
        .await
        .unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_long_are_refused() {
    let server = TestServer::start().await;
    let agent = member(&server).await;
    let digest = Digest::of(b"");
    for (method, path, length) in [
        ("POST", "/v1/statements".to_owned(), 64 * 65_536 + 1),
        (
            "PUT",
            format!("/v1/manifests/{digest}"),
            evidence::manifest::MAX_BYTES + 1,
        ),
        ("PUT", format!("/v1/facts/{digest}"), evidence::facts::MAX_BYTES + 1),
        ("POST", "/v1/check-in".to_owned(), 32 * 1024 + 1),
    ] {
        let request = agent
            .client
            .request(method.parse().unwrap(), agent.url(&path))
            .body(vec![b' '; length]);
        let refused = problem(request.send().await.unwrap()).await;
        assert_eq!(
            (refused.status, refused.kind.as_str()),
            (413, "urn:affiant:problem:too_large"),
            "{path}"
        );
    }
    let lines = vec![b"{}".as_slice(); 65];
    let refused = problem(agent.send(&lines).await).await;
    assert_eq!(refused.status, 400);
    assert!(refused.detail.contains("65 envelopes"), "{}", refused.detail);
    let refused = problem(agent.send(&[b""]).await).await;
    assert!(refused.detail.contains("0 envelopes"), "{}", refused.detail);
    let compressed = agent
        .client
        .post(agent.url("/v1/statements"))
        .header("content-encoding", "gzip")
        .body("x");
    assert_eq!(problem(compressed.send().await.unwrap()).await.status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_not_what_they_must_be_are_refused() {
    let server = TestServer::start().await;
    let agent = member(&server).await;
    let document = facts("sshd");
    let listed = manifest(&[("sshd", &document)]);
    let digest = Digest::of(&document);
    let put = async |path: String, bytes: &[u8]| problem(agent.put(&path, bytes).await).await;
    for (path, bytes, status, code) in [
        ("/v1/facts/zzz".to_owned(), document.as_slice(), 400, "malformed"),
        (format!("/v1/facts/{digest}"), b"other", 422, "wrong_digest"),
        (format!("/v1/facts/{}", Digest::of(b"{}")), b"{}", 422, "bad_facts"),
        (format!("/v1/facts/{}", Digest::of(&listed)), &listed, 422, "bad_facts"),
        (format!("/v1/manifests/{digest}"), &document, 422, "bad_manifest"),
    ] {
        let refused = put(path.clone(), bytes).await;
        let expected = format!("urn:affiant:problem:{code}");
        assert_eq!((refused.status, refused.kind), (status, expected), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_can_be_read_by_members_as_tiles() {
    let server = TestServer::start().await;
    let mut agent = member(&server).await;
    let document = facts("sshd");
    let listed = manifest(&[("sshd", &document)]);
    agent.put_all(&listed, &[&document]).await;
    let now = affiant_collector::clock::Clock::now(server.clock.as_ref());
    for _ in 0..5 {
        let batch: Vec<_> = (0..60).map(|_| agent.next(now, Digest::of(&listed))).collect();
        let lines: Vec<_> = batch.iter().map(evidence::envelope::Verified::bytes).collect();
        agent.deliver(&lines).await;
    }
    let get = async |path: &str| agent.client.get(agent.url(path)).send().await.unwrap();
    let checkpoint = get("/log/checkpoint").await;
    assert_eq!(checkpoint.headers()["content-type"], "text/plain; charset=utf-8");
    let checkpoint = checkpoint.text().await.unwrap();
    let signed =
        evidence::checkpoint::SignedCheckpoint::verify(&checkpoint, &agent.log, &evidence::aws_lc::AwsLc).unwrap();
    let size = signed.checkpoint().size;
    assert_eq!(size, 303);

    let mut frontier = evidence::tree::Frontier::new();
    for (path, width) in [("/log/tile/entries/000", 256), ("/log/tile/entries/001.p/47", 47)] {
        let bundle = get(path).await.bytes().await.unwrap();
        let entries = evidence::tile::decode_bundle(&bundle).unwrap();
        assert_eq!(entries.len(), width);
        for entry in entries {
            frontier.push(evidence::tree::leaf_hash(entry));
        }
    }
    assert_eq!(frontier.root(), signed.checkpoint().root);
    let full = get("/log/tile/0/000").await;
    assert!(full.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    let full = full.bytes().await.unwrap();
    assert_eq!(full.len(), 256 * 32);
    assert_eq!(get("/log/tile/0/000.p/5").await.bytes().await.unwrap(), full[..160]);
    assert_eq!(get("/log/tile/0/001.p/47").await.bytes().await.unwrap().len(), 47 * 32);
    assert_eq!(get("/log/tile/1/000.p/1").await.bytes().await.unwrap().len(), 32);
    for (path, status) in [
        ("/log/tile/0/001", 404),
        ("/log/tile/9/000.p/1", 404),
        ("/log/tile/0/1", 400),
    ] {
        assert_eq!(problem(get(path).await).await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_in_and_renewal() {
    use evidence::wire::{CheckIn, CheckInResponse, RenewRequest, RenewResponse};
    let server = TestServer::start().await;
    let agent = member(&server).await;
    let now = affiant_collector::clock::Clock::now(server.clock.as_ref());
    let body = CheckIn {
        agent_version: "1.2".into(),
        spooled: 3,
        clock: now.plus(-7),
    };
    let sent = agent
        .client
        .post(agent.url("/v1/check-in"))
        .body(serde_json::to_vec(&body).unwrap());
    let answer: CheckInResponse = serde_json::from_slice(&sent.send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(answer.clock, now);
    assert_eq!(answer.pace, agent.enrolled.pace);
    let contact = server.app.contacts.of(&agent.host).unwrap();
    assert_eq!((contact.spooled, contact.clock_ahead), (3, -7));

    let tls_request = NewHost::new(2, "x").request("").tls_request;
    let body = serde_json::to_vec(&RenewRequest { tls_request }).unwrap();
    let sent = agent
        .client
        .post(agent.url("/v1/renew"))
        .body(body)
        .send()
        .await
        .unwrap();
    let renewed: RenewResponse = serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap();
    assert_ne!(renewed.certificate, agent.enrolled.certificate);

    // The connection is older than the certificate's end.
    server.clock.advance(31 * 86_400);
    let refused = problem(agent.client.get(agent.url("/log/checkpoint")).send().await.unwrap()).await;
    assert_eq!(
        (refused.status, refused.kind.as_str()),
        (401, "urn:affiant:problem:certificate_expired")
    );

    // What was noted is written down at the end.
    let host = agent.host.clone();
    drop(agent);
    let (folder, clock) = server.end().await;
    let server = TestServer::restart(folder, clock).await;
    assert_eq!(server.app.contacts.of(&host).unwrap().agent_version, "1.2");
}

//! Delivering statements.

use affiant_collector::clock::Clock as _;
use evidence::Digest;
use evidence::envelope::Verified;
use evidence::statement::{HostId, Lost};
use evidence::wire::{DeliverResponse, Delivered, ManifestResponse, Pace, RefusalCode};

use crate::agent::{Agent, NewHost, facts, manifest, problem};
use crate::server::TestServer;

async fn member(server: &TestServer, seed: u8) -> Agent {
    let ca = server.app.authority.pem().to_owned();
    let host = NewHost::new(seed, &format!("host{seed}"));
    Agent::enrol(server.address, &ca, &server.token(60), host).await
}

/// A member whose manifest with one facts document is stored.
async fn ready(server: &TestServer, seed: u8) -> (Agent, Digest) {
    let agent = member(server, seed).await;
    let document = facts("sshd");
    let listed = manifest(&[("sshd", &document)]);
    agent.put_all(&listed, &[&document]).await;
    (agent, Digest::of(&listed))
}

fn index(delivered: &Delivered) -> u64 {
    match delivered {
        Delivered::Accepted { index, .. } => *index,
        other => panic!("{other:?}"),
    }
}

fn code(delivered: &[Delivered]) -> (RefusalCode, String) {
    match delivered {
        [Delivered::Refused(refusal)] => (refusal.code, refusal.detail.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_goes_by_another_pace_is_told_the_right_one() {
    let server = TestServer::start().await;
    let (mut agent, manifest) = ready(&server, 1).await;
    let right: Pace = server.app.config.pace.into();
    let wrong = Pace {
        seal_seconds: right.seal_seconds + 1,
        ..right
    };
    for (said, told) in [(Some(wrong), Some(right)), (Some(right), None), (None, None)] {
        let statement = agent.next(server.clock.now(), manifest);
        let response = agent.send_at(said, &[statement.bytes()]).await;
        let response: DeliverResponse = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        index(&response.results[0]);
        assert_eq!(response.pace, told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_asked_for_and_then_taken() {
    let server = TestServer::start().await;
    let mut agent = member(&server, 1).await;
    let (one, two) = (facts("sshd"), facts("accounts"));
    let listed = manifest(&[("sshd", &one), ("accounts", &two)]);
    let statement = agent.next(server.clock.now(), Digest::of(&listed));

    let missing = |manifest, facts: &[&[u8]]| {
        let facts = facts.iter().map(|bytes| Digest::of(bytes)).collect();
        vec![Delivered::Missing { manifest, facts }]
    };
    assert_eq!(
        agent.deliver(&[statement.bytes()]).await,
        missing(Some(Digest::of(&listed)), &[])
    );
    let response = agent
        .put(&format!("/v1/manifests/{}", Digest::of(&listed)), &listed)
        .await;
    let response: ManifestResponse = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(response.missing, vec![Digest::of(&two), Digest::of(&one)]);
    assert_eq!(agent.deliver(&[statement.bytes()]).await, missing(None, &[&two, &one]));
    agent.put_all(&listed, &[&one]).await;
    assert_eq!(agent.deliver(&[statement.bytes()]).await, missing(None, &[&two]));
    agent.put_all(&listed, &[&two, &one]).await;
    let first = agent.deliver(&[statement.bytes()]).await;

    // The same bytes again: the same place.
    let again = agent.deliver(&[statement.bytes()]).await;
    assert_eq!(index(&first[0]), index(&again[0]));
    assert_eq!(
        server.app.store.entry(index(&first[0])).unwrap().unwrap(),
        statement.bytes()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_hold_through_many_batches_and_a_restart() {
    let server = TestServer::start().await;
    let (mut agent, listed) = ready(&server, 1).await;
    let mut sent: Vec<Verified> = Vec::new();
    for _ in 0..12 {
        let batch: Vec<_> = (0..50).map(|_| agent.next(server.clock.now(), listed)).collect();
        let lines: Vec<&[u8]> = batch.iter().map(Verified::bytes).collect();
        let results = agent.deliver(&lines).await;
        assert_eq!(results.len(), 50);
        assert!(results.iter().map(index).is_sorted());
        sent.extend(batch);
    }
    let (folder, clock) = server.end().await;
    let server = TestServer::restart(folder, clock).await;
    agent.address = server.address;
    // Old ones, out of sealed bundles and recent rows, under the new head; then one more.
    for position in [0, 200, 300, 599] {
        let statement: &Verified = &sent[position];
        let result = agent.deliver(&[statement.bytes()]).await;
        assert_eq!(
            server.app.store.entry(index(&result[0])).unwrap().unwrap(),
            statement.bytes()
        );
    }
    let statement = agent.next(server.clock.now(), listed);
    index(&agent.deliver(&[statement.bytes()]).await[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_statement() {
    let server = TestServer::start().await;
    let (mut agent, listed) = ready(&server, 1).await;
    let (mut other, _) = ready(&server, 2).await;
    let now = server.clock.now();

    let (refusal, detail) = code(&agent.deliver(&[b"{}"]).await);
    assert_eq!(refusal, RefusalCode::Malformed, "{detail}");
    let (refusal, detail) = code(&agent.deliver(&[&vec![b'x'; 65_536]]).await);
    assert_eq!(refusal, RefusalCode::TooLarge, "{detail}");

    let stranger = Agent {
        signer: NewHost::new(9, "x").signer,
        host: agent.host.clone(),
        ..member(&server, 3).await
    };
    let forged = stranger.seal(stranger.observation(now), listed);
    assert_eq!(code(&agent.deliver(&[forged.bytes()]).await).0, RefusalCode::UnknownKey);

    let good = agent.seal(agent.observation(now), listed);
    let text = String::from_utf8(good.bytes().to_vec()).unwrap();
    let signature = text.find("\"sig\":\"").unwrap() + 8;
    let mut altered = good.bytes().to_vec();
    altered[signature] = if altered[signature] == b'A' { b'B' } else { b'A' };
    assert_eq!(code(&agent.deliver(&[&altered]).await).0, RefusalCode::BadSignature);

    // Another host's statement; a statement that speaks for another host.
    let foreign = other.seal(other.observation(now), listed);
    assert_eq!(code(&agent.deliver(&[foreign.bytes()]).await).0, RefusalCode::OtherHost);
    let mut speaks = agent.observation(now);
    speaks.host = other.host.clone();
    assert_eq!(
        code(&agent.deliver(&[agent.seal(speaks, listed).bytes()]).await).0,
        RefusalCode::OtherHost
    );

    let ahead = agent.seal(agent.observation(now.plus(301)), listed);
    let (refusal, detail) = code(&agent.deliver(&[ahead.bytes()]).await);
    assert!(
        refusal == RefusalCode::ClockAhead && refusal.may_pass_later(),
        "{detail}"
    );

    let document = facts("sshd");
    let mislabelled = manifest(&[("accounts", &document)]);
    agent.put_all(&mislabelled, &[]).await;
    let bad = agent.seal(agent.observation(now), Digest::of(&mislabelled));
    assert_eq!(code(&agent.deliver(&[bad.bytes()]).await).0, RefusalCode::BadFacts);

    let mut early = agent.observation(now);
    early.sequence = 1;
    let (refusal, detail) = code(&agent.deliver(&[agent.seal(early, listed).bytes()]).await);
    assert_eq!(
        (refusal, detail.as_str()),
        (
            RefusalCode::WrongSequence,
            "0 is next, this is 1, and no loss is declared"
        )
    );

    let first = agent.next(now, listed);
    index(&agent.deliver(&[first.bytes()]).await[0]);
    let mut unchained = agent.observation(now);
    unchained.previous = Some(Digest::of(b"x"));
    assert_eq!(
        code(&agent.deliver(&[agent.seal(unchained, listed).bytes()]).await).0,
        RefusalCode::WrongPrevious
    );

    // Another statement with a used number, and another epoch under the same key.
    let mut clone = agent.observation(now);
    (clone.sequence, clone.previous, clone.boot_id) = (0, None, "clone".into());
    let (refusal, detail) = code(&agent.deliver(&[agent.seal(clone, listed).bytes()]).await);
    assert!(
        refusal == RefusalCode::Conflict && detail.contains("two machines"),
        "{detail}"
    );
    let mut copied = agent.observation(now);
    (copied.sequence, copied.previous, copied.epoch) = (0, None, "e2".into());
    assert_eq!(
        code(&agent.deliver(&[agent.seal(copied, listed).bytes()]).await).0,
        RefusalCode::Conflict
    );
    let suspicions = server.app.store.clones().unwrap();
    assert_eq!(suspicions.len(), 2);
    assert!(
        suspicions
            .iter()
            .all(|suspicion| suspicion.host == agent.host && suspicion.sequence == 0)
    );

    // A declared loss explains a jump, and only that jump.
    let mut lost = agent.observation(now);
    lost.sequence = 5;
    lost.lost = Some(Lost {
        from: 2,
        to: 4,
        reason: "spool_full".into(),
    });
    assert_eq!(
        code(&agent.deliver(&[agent.seal(lost.clone(), listed).bytes()]).await).0,
        RefusalCode::WrongSequence
    );
    lost.lost = Some(Lost {
        from: 1,
        to: 4,
        reason: "spool_full".into(),
    });
    index(&agent.deliver(&[agent.seal(lost, listed).bytes()]).await[0]);
    let mut found = agent.observation(now);
    found.sequence = 3;
    assert_eq!(
        code(&agent.deliver(&[agent.seal(found, listed).bytes()]).await).0,
        RefusalCode::WrongSequence
    );

    // Revoked: nothing new, and the receipt of what was taken.
    let kept = other.next(now, listed);
    index(&other.deliver(&[kept.bytes()]).await[0]);
    affiant_collector::acts::revoke(&server.app, other.host.clone(), "test".into())
        .await
        .unwrap();
    let next = other.next(now, listed);
    assert_eq!(code(&other.deliver(&[next.bytes()]).await).0, RefusalCode::RevokedKey);
    index(&other.deliver(&[kept.bytes()]).await[0]);
    let refused = problem(
        other
            .put(&format!("/v1/facts/{}", Digest::of(&document)), &document)
            .await,
    )
    .await;
    assert_eq!(
        (refused.status, refused.kind.as_str()),
        (403, "urn:affiant:problem:revoked")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_first_that_is_not_accepted_the_rest_is_not_looked_at() {
    let server = TestServer::start().await;
    let (mut agent, listed) = ready(&server, 1).await;
    let now = server.clock.now();
    let [one, two, three] = std::array::from_fn(|_| agent.next(now, listed));
    let results = agent.deliver(&[one.bytes(), three.bytes(), two.bytes()]).await;
    assert_eq!(results.len(), 2);
    assert!(matches!(&results[1], Delivered::Refused(refusal) if refusal.code == RefusalCode::WrongSequence));
    let results = agent
        .deliver(&[one.bytes(), two.bytes(), b"garbage", three.bytes()])
        .await;
    assert_eq!(results.len(), 3);
    assert!(matches!(&results[2], Delivered::Refused(refusal) if refusal.code == RefusalCode::Malformed));
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_host_that_is_not_there_or_was_revoked() {
    let server = TestServer::start().await;
    let agent = member(&server, 1).await;
    let revoke = async |host: &HostId, reason: &str| {
        affiant_collector::acts::revoke(&server.app, host.clone(), reason.into()).await
    };
    let nobody = HostId::new("nobody").unwrap();
    assert!(
        revoke(&nobody, "x")
            .await
            .unwrap_err()
            .to_string()
            .contains("no host nobody")
    );
    assert!(
        revoke(&agent.host, " ")
            .await
            .unwrap_err()
            .to_string()
            .contains("reason")
    );
    let entry = revoke(&agent.host, "stolen").await.unwrap();
    let error = revoke(&agent.host, "again").await.unwrap_err().to_string();
    assert!(error.contains(&format!("entry {entry}")), "{error}");
}

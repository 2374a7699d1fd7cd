//! To the second.

use controls::catalogue;
use controls::status::Status;
use controls::verdict::Verdict;
use evidence::Timestamp;
use std::ops::ControlFlow;

use super::ground::{Ground, RULES, Stated, at, kernel_and_release, packages, stated};
use crate::query::{FindingFilter, HostFilter, HostReporting, Namesake, Page, Query, Span};

const FRESHNESS: u64 = 100;

/// One host that stated something at second 10.
fn ground() -> (Ground, Query) {
    let mut ground = Ground::new();
    let query = ground.query();
    ground.rules(RULES, FRESHNESS, None, 0);
    ground.enrol("alpha", 0);
    let manifest = ground.keep(&[kernel_and_release(60, false), packages(1, true)]);
    ground.state(0, manifest, stated(10));
    (ground, query)
}

fn verdict(query: &Query, rule: &str, span: Span) -> Verdict {
    let filter = FindingFilter {
        rule: Some(rule.to_owned()),
        ..FindingFilter::default()
    };
    let mut found = Vec::new();
    query
        .findings(span, &filter, |listed| {
            found.push(listed.finding.verdict);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(found.len(), 1);
    found[0]
}

fn reporting(query: &Query) -> (HostReporting, Option<Timestamp>) {
    let hosts = query.hosts(Span::Now, &HostFilter::default(), Page::ALL).unwrap();
    let host = &hosts.hosts.items[0];
    (host.reporting, host.silent_since)
}

#[test]
fn a_silent_host_is_unknown_at_exactly_its_freshness() {
    let (ground, query) = ground();
    let mut writer = ground.writer();
    for (seconds, expected, since) in [
        (9, HostReporting::NeverStated, None),
        (10, HostReporting::Fresh, None),
        (109, HostReporting::Fresh, None),
        (110, HostReporting::Silent, Some(at(110))),
    ] {
        ground.clock.set(seconds);
        writer.catch_up(at(seconds)).unwrap();
        assert_eq!(reporting(&query), (expected, since), "{seconds}");
        let expected = if expected == HostReporting::Fresh {
            Verdict::Met
        } else {
            Verdict::Unknown
        };
        assert_eq!(
            verdict(&query, "packages-inventoried", Span::Now),
            expected,
            "{seconds}"
        );
        assert_eq!(verdict(&query, "packages-inventoried", Span::At(at(seconds))), expected);
    }
}

#[test]
fn a_verdict_that_ends_with_time_ends_to_the_second() {
    let (ground, query) = ground();
    let mut writer = ground.writer();
    for (seconds, expected) in [(59, Verdict::Met), (60, Verdict::NotMet)] {
        ground.clock.set(seconds);
        writer.catch_up(at(seconds)).unwrap();
        assert_eq!(verdict(&query, "release-supported", Span::Now), expected, "{seconds}");
    }
    let overview = query.overview(catalogue::DEFAULT, Span::Now).unwrap();
    let control = overview
        .controls
        .iter()
        .find(|control| control.id.as_str() == "A.8.8")
        .unwrap();
    assert_eq!(control.status, Status::Contradicted);
    // Before that it was not, and still is not.
    assert_eq!(verdict(&query, "release-supported", Span::At(at(59))), Verdict::Met);
}

#[test]
fn an_answer_is_never_newer_than_what_was_settled() {
    let (ground, query) = ground();
    ground.clock.set(50);
    ground.writer().catch_up(at(50)).unwrap();
    // The release's support ends at 60 and nobody has settled that yet.
    ground.clock.set(200);
    let overview = query.overview(catalogue::DEFAULT, Span::Now).unwrap();
    assert_eq!(overview.as_of.from, at(59));
    assert_eq!(overview.hosts.fresh, 1);
    assert_eq!(verdict(&query, "release-supported", Span::Now), Verdict::Met);
    // A past instant needs nobody to settle anything.
    assert_eq!(verdict(&query, "release-supported", Span::At(at(60))), Verdict::NotMet);
}

#[test]
fn a_clock_that_runs_ahead_is_believed_when_its_time_has_come() {
    let (mut ground, query) = ground();
    let mut writer = ground.writer();
    let manifest = ground.keep(&[packages(2, false)]);
    ground.state(0, manifest, stated(40));
    ground.clock.set(30);
    writer.catch_up(at(30)).unwrap();
    assert_eq!(verdict(&query, "packages-inventoried", Span::Now), Verdict::Met);
    ground.clock.set(40);
    writer.catch_up(at(40)).unwrap();
    assert_eq!(verdict(&query, "packages-inventoried", Span::Now), Verdict::Unknown);
}

#[test]
fn who_has_a_document_and_who_had_it() {
    let (mut ground, query) = ground();
    let mut writer = ground.writer();
    let document = packages(1, true);
    let digest = evidence::Digest::of(&document.to_bytes().unwrap());
    let other = ground.keep(&[packages(2, true)]);
    let holders = |seconds: i64| {
        ground.clock.set(seconds);
        let facts = query.facts(&digest, Page::ALL, Page::ALL).unwrap();
        let holder = |holder: &crate::query::Holder| (holder.from, holder.to, holder.first_index);
        let now: Vec<_> = facts.holders.items.iter().map(holder).collect();
        let before: Vec<_> = facts.former.items.iter().map(holder).collect();
        assert_eq!(
            (facts.holders.total, facts.former.total),
            (now.len() as u64, before.len() as u64)
        );
        (now, before)
    };
    writer.catch_up(at(10)).unwrap();
    assert_eq!(holders(10), (vec![(at(10), None, 3)], vec![]));
    let entry = ground.make(0, other, stated(50));
    ground.append(vec![entry]);
    writer.catch_up(at(50)).unwrap();
    assert_eq!(holders_of(&ground, &query, digest, 50), (0, 1));
    let former = query.facts(&digest, Page::ALL, Page::ALL).unwrap().former.items;
    assert_eq!((former[0].from, former[0].to), (at(10), Some(at(50))));
    let entry = ground.make(0, other, stated(70));
    ground.append(vec![entry]);
    writer.catch_up(at(70)).unwrap();
    assert_eq!(holders_of(&ground, &query, digest, 70), (0, 1));
    let same = query.facts(&digest, Page::ALL, Page::ALL).unwrap().former.items;
    assert_eq!(same, former);
}

fn holders_of(ground: &Ground, query: &Query, digest: evidence::Digest, seconds: i64) -> (u64, u64) {
    ground.clock.set(seconds);
    let facts = query.facts(&digest, Page::ALL, Page::ALL).unwrap();
    (facts.holders.total, facts.former.total)
}

#[test]
fn an_entry_is_shown_with_its_proof() {
    let (ground, query) = ground();
    ground.writer().catch_up(at(20)).unwrap();
    let statement = query.statement(3).unwrap();
    assert!(statement.signature_verifies);
    assert_eq!(statement.kind, "urn:affiant:observation:v1");
    let computed =
        evidence::tree::root_from_inclusion(statement.leaf, 3, statement.tree_size, &statement.proof).unwrap();
    assert_eq!(computed, statement.root);
    assert!(statement.receipt.ends_with(&statement.checkpoint));
    assert!(query.statement(4).is_err());
}

#[test]
fn changes_are_told_once() {
    let (mut ground, query) = ground();
    let manifest = ground.keep(&[kernel_and_release(60, true), packages(1, true)]);
    ground.state(0, manifest, stated(30));
    ground.clock.set(200);
    ground.writer().catch_up(at(200)).unwrap();
    let changes = query.changes(at(0), 100, 100).unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.at, change.rule.as_str(), change.after))
        .collect();
    assert!(
        told.contains(&(at(30), "reboot-none-pending", Verdict::NotMet)),
        "{told:?}"
    );
    assert!(
        told.contains(&(at(60), "release-supported", Verdict::NotMet)),
        "{told:?}"
    );
    assert!(
        told.contains(&(at(130), "packages-inventoried", Verdict::Unknown)),
        "{told:?}"
    );
}

#[test]
fn a_name_with_two_identities_is_told_until_one_is_revoked() {
    let (mut ground, query) = ground();
    ground.clock.set(50);
    ground.enrol("beta", 20);
    let again = ground.enrol("alpha", 30);
    let mut writer = ground.writer();
    writer.catch_up(at(50)).unwrap();
    let namesakes = query.namesakes(10).unwrap();
    assert_eq!(namesakes.len(), 1);
    assert_eq!(namesakes[0].name, "alpha");
    let times = |host: &Namesake| (host.enrolled_at, host.last_statement);
    assert_eq!(
        namesakes[0].hosts.iter().map(times).collect::<Vec<_>>(),
        [(at(0), Some(at(10))), (at(30), None)]
    );
    assert_eq!(namesakes[0].older(), &namesakes[0].hosts[..1]);
    assert_eq!(query.coverage(Span::Now).unwrap().counts.scope, 3);
    ground.revoke(0, 50);
    writer.catch_up(at(50)).unwrap();
    assert_eq!(query.namesakes(10).unwrap(), []);
    assert_eq!(query.coverage(Span::Now).unwrap().counts.scope, 2);
    assert_eq!(again, 2);
}

#[test]
fn a_past_instant_is_kept_until_something_reaches_back_to_it() {
    let (mut ground, query) = ground();
    let manifest = ground.keep(&[packages(1, false)]);
    let mut writer = ground.writer();
    ground.clock.set(500);
    writer.catch_up(at(500)).unwrap();
    let fresh = |seconds| {
        let overview = query.overview(catalogue::DEFAULT, Span::At(at(seconds))).unwrap();
        let (from, to) = overview.as_of.period();
        let told = query.overview(catalogue::DEFAULT, Span::Over { from, to }).unwrap();
        assert_eq!(overview, told, "{seconds}");
        (overview.hosts.fresh, overview.coverage.enrolled)
    };
    assert_eq!([50, 130, 200].map(fresh), [(1, 1), (0, 1), (0, 1)]);
    // It says that the one before held for longer: what was silence is not any more.
    let held = Stated {
        held_until: Some(140),
        ..stated(300)
    };
    ground.state(0, manifest, held);
    writer.catch_up(at(500)).unwrap();
    assert_eq!([50, 130, 200].map(fresh), [(1, 1), (1, 1), (0, 1)]);
    // Of statements that were lost nothing is known: the one before them speaks for its second only.
    let lost = Stated {
        lost: true,
        ..stated(350)
    };
    ground.state(0, manifest, lost);
    writer.catch_up(at(500)).unwrap();
    assert_eq!([130, 300, 301].map(fresh), [(1, 1), (1, 1), (0, 1)]);
    // Entries come late: an enrolment of before, and its statements.
    let late = ground.enrol("beta", 120);
    ground.state(late, manifest, stated(125));
    writer.catch_up(at(500)).unwrap();
    assert_eq!([50, 130, 301].map(fresh), [(1, 1), (2, 2), (0, 2)]);
    ground.revoke(0, 500);
    writer.catch_up(at(500)).unwrap();
    assert_eq!([50, 130, 301].map(fresh), [(1, 1), (2, 2), (0, 2)]);
    // Other rules, and a list.
    ground.rules(RULES, FRESHNESS, Some("alpha\ngamma\n"), 500);
    writer.catch_up(at(500)).unwrap();
    assert_eq!([50, 130, 301].map(fresh), [(1, 1), (2, 1), (0, 1)]);
    ground.enrol("gamma", 500);
    writer.catch_up(at(500)).unwrap();
    assert_eq!([50, 130, 301].map(fresh), [(1, 1), (2, 1), (0, 1)]);
}

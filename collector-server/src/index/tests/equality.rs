//! Whatever happens, the index answers as `controls` does over the log.

use controls::catalogue;
use controls::status::Standing;
use controls::verdict::Verdict;
use evidence::Timestamp;
use proptest::prelude::*;
use std::ops::ControlFlow;

use super::ground::{BEGIN, Ground, RULES, Stated, at, denied, kernel_and_release, packages, sort};
use crate::clock::Clock as _;
use crate::index::Writer;
use crate::query::{FindingFilter, HostFilter, HostReporting, HostSort, ListedFinding, Page, Query, Span};

#[derive(Debug, Clone)]
enum Act {
    /// Names are few, so that some are given twice.
    Enrol(u8),
    Revoke(u8),
    State {
        host: u8,
        manifest: u8,
        skew: i64,
        held: Option<i64>,
        lost: bool,
    },
    Rules {
        rules: u8,
        freshness: u64,
        scope: u8,
    },
    Pass(i64),
    Step,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let state = (
        0..6_u8,
        0..6_u8,
        -150..50_i64,
        proptest::option::of(-200..0_i64),
        0..10_u8,
    )
        .prop_map(|(host, manifest, skew, held, lost)| Act::State {
            host,
            manifest,
            skew,
            held,
            lost: lost == 0,
        });
    prop_oneof![
        2 => (0..4_u8).prop_map(Act::Enrol),
        1 => (0..6_u8).prop_map(Act::Revoke),
        10 => state,
        1 => (0..3_u8, prop_oneof![Just(100), Just(40)], 0..3_u8)
            .prop_map(|(rules, freshness, scope)| Act::Rules { rules, freshness, scope }),
        6 => (1..120_i64).prop_map(Act::Pass),
        3 => Just(Act::Step),
        1 => Just(Act::Reopen),
    ]
}

fn compare(ground: &Ground, query: &Query, span: Span) {
    let overview = query.overview(catalogue::DEFAULT, span).unwrap();
    let (from, to) = overview.as_of.period();
    let expected = ground.assessment(from, to);
    assert_eq!(overview.controls, expected.controls, "{span:?}");
    assert_eq!(overview.coverage, expected.coverage.counts, "{span:?}");
    assert_eq!(overview.complete, expected.coverage.complete, "{span:?}");
    assert_eq!(query.coverage(span).unwrap(), expected.coverage, "{span:?}");
    let mut findings = Vec::new();
    query
        .findings(span, &FindingFilter::default(), |listed| {
            findings.push(listed.finding);
            ControlFlow::Continue(())
        })
        .unwrap();
    sort(&mut findings);
    assert_eq!(findings, expected.findings, "{span:?}");
}

/// What the index keeps ready against what it tells out of its intervals.
fn present_is_past(query: &Query, now: Timestamp) {
    let present = query.overview(catalogue::DEFAULT, Span::Now).unwrap();
    assert!(present.as_of.instant() <= now);
    let (from, to) = present.as_of.period();
    // A period of one second is never answered out of what is kept ready.
    let past = query.overview(catalogue::DEFAULT, Span::Over { from, to }).unwrap();
    assert_eq!(present, past);
    for reporting in [None, Some(HostReporting::Fresh), Some(HostReporting::Silent)] {
        let filter = HostFilter {
            reporting,
            ..HostFilter::default()
        };
        let kept = query.hosts(Span::Now, &filter, Page::ALL).unwrap();
        let told = query.hosts(Span::Over { from, to }, &filter, Page::ALL).unwrap();
        assert_eq!(kept, told);
    }
    let (_, kept) = query.rules(Span::Now).unwrap();
    let (_, told) = query.rules(Span::Over { from, to }).unwrap();
    assert_eq!(kept, told);
    for control in present.controls.iter().filter(|control| !control.rules.is_empty()) {
        let id = control.id.as_str();
        let ask = |span| query.control(catalogue::DEFAULT, id, span, None, Page::ALL).unwrap();
        let (mut kept, mut told) = (ask(Span::Now), ask(Span::Over { from, to }));
        for detail in [&mut kept, &mut told] {
            detail
                .hosts
                .items
                .sort_by_key(|host| (host.name.clone(), host.host.clone()));
        }
        assert_eq!(kept, told);
    }
    let now = query.coverage_now(Page::ALL, Page::ALL).unwrap();
    let told = query.coverage(Span::Over { from, to }).unwrap();
    assert_eq!(now.counts, told.counts);
    assert_eq!(now.outside_scope.items, told.outside_scope);
    let missing = told.hosts.iter().filter(|host| !host.gaps.is_empty()).count();
    assert_eq!(now.missing.items.len(), missing);
    assert_eq!(now.missing.total, missing as u64);
}

/// A past instant as it is made out of rows, and kept, against the same second told as a period.
fn instant_is_period(query: &Query, at: Timestamp) {
    let (instant, period) = (
        Span::At(at),
        Span::Over {
            from: at,
            to: at.plus(1),
        },
    );
    // Twice: the second time it is kept.
    for _ in 0..2 {
        let overview = query.overview(catalogue::DEFAULT, instant).unwrap();
        assert_eq!(overview, query.overview(catalogue::DEFAULT, period).unwrap());
        assert_eq!(query.coverage(instant).unwrap(), query.coverage(period).unwrap());
        assert_eq!(query.rules(instant).unwrap(), query.rules(period).unwrap());
        for sort in [HostSort::Name, HostSort::LastStatement, HostSort::Standing] {
            for descending in [false, true] {
                let filter = HostFilter {
                    sort,
                    descending,
                    ..HostFilter::default()
                };
                let ask = |span| query.hosts(span, &filter, Page::ALL).unwrap();
                assert_eq!(ask(instant), ask(period));
            }
        }
        for control in overview.controls.iter().filter(|control| !control.rules.is_empty()) {
            let ask = |span, standing| {
                let id = control.id.as_str();
                let mut detail = query
                    .control(catalogue::DEFAULT, id, span, standing, Page::ALL)
                    .unwrap();
                // At present names that never enrolled come last.
                detail
                    .hosts
                    .items
                    .sort_by_key(|host| (host.name.clone(), host.host.clone()));
                detail
            };
            for standing in [None, Some(Standing::Met), Some(Standing::Unknown)] {
                assert_eq!(ask(instant, standing), ask(period, standing));
            }
        }
        let findings = |span| {
            let filter = FindingFilter {
                verdicts: vec![Verdict::NotMet],
                ..FindingFilter::default()
            };
            let mut found = Vec::new();
            let take = |listed: ListedFinding| {
                found.push(listed.finding);
                ControlFlow::Continue(())
            };
            query.findings(span, &filter, take).unwrap();
            found
        };
        assert_eq!(findings(instant), findings(period));
    }
}

fn play(acts: &[Act]) {
    let mut ground = Ground::new();
    let query = ground.query();
    let manifests = [
        ground.keep(&[kernel_and_release(300, false), packages(1, true)]),
        ground.keep(&[kernel_and_release(300, true), packages(1, true)]),
        ground.keep(&[kernel_and_release(500, false), packages(1, true)]),
        ground.keep(&[kernel_and_release(500, false), denied("packages")]),
        ground.keep(&[packages(1, false)]),
        ground.keep(&[]),
    ];
    ground.rules(RULES, 100, None, 0);
    let mut writer = ground.writer();
    let mut now = 0;
    for act in acts {
        match act {
            Act::Enrol(name) => {
                ground.enrol(&format!("name-{name}"), now);
            }
            Act::Revoke(host) => {
                if !ground.hosts.is_empty() {
                    ground.revoke(usize::from(*host) % ground.hosts.len(), now);
                }
            }
            Act::State {
                host,
                manifest,
                skew,
                held,
                lost,
            } => {
                if !ground.hosts.is_empty() {
                    let host = usize::from(*host) % ground.hosts.len();
                    let observed_at = (now + skew).max(0);
                    let stated = Stated {
                        observed_at,
                        held_until: held.map(|held| (observed_at + held).max(0)),
                        lost: *lost,
                    };
                    ground.state(host, manifests[usize::from(*manifest)], stated);
                }
            }
            Act::Rules {
                rules,
                freshness,
                scope,
            } => {
                let rules = &RULES[usize::from(*rules)..];
                let scope = [None, Some("name-0\nname-1\nname-9\n"), Some("name-2\n")][usize::from(*scope)];
                ground.rules(rules, *freshness, scope, now);
            }
            Act::Pass(seconds) => {
                now += seconds;
                ground.clock.set(now);
            }
            Act::Step => {
                writer.step(at(now)).unwrap();
                // What is kept from here on is asked for again when more has come in.
                for seconds in [40, 150, now / 2, now] {
                    instant_is_period(&query, at(seconds));
                }
            }
            Act::Reopen => {
                drop(writer);
                writer = ground.writer();
            }
        }
    }
    writer.catch_up(at(now)).unwrap();
    present_is_past(&query, ground.clock.now());
    compare(&ground, &query, Span::Now);
    for seconds in [0, now / 3, now / 2, now] {
        compare(&ground, &query, Span::At(at(seconds)));
    }
    for seconds in [0, 40, 150, now / 2, now, now + 60] {
        instant_is_period(&query, at(seconds));
    }
    for (from, to) in [(0, now + 1), (now / 4, now / 2 + 1), (now / 2, now + 200)] {
        compare(
            &ground,
            &query,
            Span::Over {
                from: at(from),
                to: at(to),
            },
        );
    }
    // Some time later, without another entry.
    for later in [1, 60, 99, 100, 101, 350] {
        ground.clock.set(now + later);
        writer.step(at(now + later)).unwrap();
        present_is_past(&query, ground.clock.now());
        compare(&ground, &query, Span::Now);
    }
    let dump = ground.dump();
    drop(writer);
    Writer::remove(&ground.path()).unwrap();
    query.index().reopen();
    ground.writer().catch_up(at(now + 350)).unwrap();
    assert_eq!(dump, ground.dump());
    assert_eq!(BEGIN, at(0).unix());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_index_answers_as_controls_does(acts in proptest::collection::vec(act(), 1..40)) {
        play(&acts);
    }
}

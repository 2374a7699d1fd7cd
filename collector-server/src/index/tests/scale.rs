//! Many hosts. What is measured is printed (`cargo test --release -- --ignored --nocapture scale`); nothing depends on it.

use std::ops::ControlFlow;
use std::time::Instant;

use controls::catalogue;
use controls::status::Standing;

use super::ground::{Ground, RULES, at, kernel_and_release, packages, stated};
use crate::query::{FindingFilter, HostFilter, HostSort, Page, Query, Span};

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = work();
    println!("{what:<50} {:>10.1} ms", begin.elapsed().as_secs_f64() * 1000.0);
    done
}

/// `hosts` hosts with `rounds` hourly statements each, of which every hundredth host changes something.
fn fleet(hosts: usize, rounds: i64) -> Ground {
    let mut ground = Ground::new();
    ground.rules(RULES, 7500, None, 0);
    let manifests: Vec<_> = (0..20)
        .map(|number| {
            let last = number % 3 != 0;
            ground.keep(&[kernel_and_release(100_000 + number, number == 5), packages(1, last)])
        })
        .collect();
    ground.enrol_all((0..hosts).map(|host| format!("host-{host:06}.example.org")), 0);
    for round in 0..rounds {
        let mut entries = Vec::new();
        for host in 0..hosts {
            let turned = if host % 100 == 0 {
                usize::try_from(round).unwrap()
            } else {
                0
            };
            let manifest = manifests[(host + turned) % manifests.len()];
            let offset = i64::try_from(host).unwrap() % 3600;
            entries.push(ground.make(host, manifest, stated(round * 3600 + offset)));
            if entries.len() == 4096 {
                ground.append(std::mem::take(&mut entries));
            }
        }
        ground.append(entries);
    }
    ground
}

fn questions(query: &Query, now: i64, hosts: usize) {
    let page = Page::first(50);
    timed("overview", || query.overview(catalogue::DEFAULT, Span::Now).unwrap());
    timed("hosts, first page", || {
        query.hosts(Span::Now, &HostFilter::default(), page).unwrap()
    });
    for (what, filter, offset) in [
        ("hosts, last page", HostFilter::default(), hosts as u64 - 50),
        (
            "hosts, by standing",
            HostFilter {
                sort: HostSort::Standing,
                ..HostFilter::default()
            },
            0,
        ),
        (
            "hosts, by last statement",
            HostFilter {
                sort: HostSort::LastStatement,
                ..HostFilter::default()
            },
            0,
        ),
        (
            "hosts, text that few have",
            HostFilter {
                text: Some("99.EXAMPLE".to_owned()),
                ..HostFilter::default()
            },
            0,
        ),
        (
            "hosts, text that none has",
            HostFilter {
                text: Some("nowhere".to_owned()),
                ..HostFilter::default()
            },
            0,
        ),
    ] {
        let page = Page { offset, ..page };
        timed(what, || query.hosts(Span::Now, &filter, page).unwrap());
    }
    for standing in [None, Some(Standing::NotMet), Some(Standing::NotApplicable)] {
        timed(&format!("control, {standing:?}"), || {
            query
                .control(catalogue::DEFAULT, "A.8.8", Span::Now, standing, page)
                .unwrap()
        });
    }
    timed("coverage at present", || query.coverage_now(page, page).unwrap());
    timed("rules", || query.rules(Span::Now).unwrap());
    let host = query
        .hosts(Span::Now, &HostFilter::default(), page)
        .unwrap()
        .hosts
        .items[0]
        .host
        .clone();
    timed("host at present", || query.host(&host, Span::Now).unwrap());
    let month = Span::Over {
        from: at(now - 30 * 86_400),
        to: at(now),
    };
    timed("host over a month", || query.host(&host, month).unwrap());
    timed("finding over a month", || {
        query.finding(&host, "reboot-none-pending", month).unwrap()
    });
    timed("what changed in a day", || {
        query.changes(at(now - 86_400), 50, 20).unwrap()
    });
    let documents = query.host(&host, Span::Now).unwrap().documents;
    for document in documents.iter().filter_map(|document| document.digest) {
        timed("facts that many have", || query.facts(&document, page, page).unwrap());
    }
    timed("statement", || query.statement(hosts as u64).unwrap());
    timed("every finding that is not met", || {
        let filter = FindingFilter {
            verdicts: vec![controls::verdict::Verdict::NotMet],
            ..FindingFilter::default()
        };
        query
            .findings(Span::Now, &filter, |_| ControlFlow::Continue(()))
            .unwrap()
    });
    timed("names that many hosts have", || query.namesakes(10).unwrap());
}

/// Every page at a past instant: the first question makes it, the others find it.
fn past_questions(query: &Query, instant: i64, hosts: usize) {
    println!("at {instant} s");
    let (at, page) = (Span::At(at(instant)), Page::first(50));
    timed("  overview, first time", || {
        query.overview(catalogue::DEFAULT, at).unwrap()
    });
    timed("  overview, again", || query.overview(catalogue::DEFAULT, at).unwrap());
    timed("  hosts, first page", || {
        query.hosts(at, &HostFilter::default(), page).unwrap()
    });
    timed("  hosts, last page", || {
        let page = Page {
            offset: hosts as u64 - 50,
            ..page
        };
        query.hosts(at, &HostFilter::default(), page).unwrap()
    });
    for sort in [HostSort::Standing, HostSort::LastStatement] {
        let filter = HostFilter {
            sort,
            ..HostFilter::default()
        };
        timed(&format!("  hosts, by {sort:?}"), || {
            query.hosts(at, &filter, page).unwrap()
        });
    }
    timed("  hosts, text that few have", || {
        let filter = HostFilter {
            text: Some("99.EXAMPLE".to_owned()),
            ..HostFilter::default()
        };
        query.hosts(at, &filter, page).unwrap()
    });
    timed("  control", || {
        query.control(catalogue::DEFAULT, "A.8.8", at, None, page).unwrap()
    });
    timed("  rules", || query.rules(at).unwrap());
    timed("  coverage, every host", || query.coverage(at).unwrap());
    let hosts = query.hosts(at, &HostFilter::default(), page).unwrap().hosts;
    timed("  host", || query.host(&hosts.items[0].host, at).unwrap());
    timed("  finding", || {
        query.finding(&hosts.items[0].host, "reboot-none-pending", at).unwrap()
    });
}

fn measure(hosts: usize, rounds: i64) {
    println!("{hosts} hosts, {rounds} statements each");
    let ground = timed("making the log", || fleet(hosts, rounds));
    let query = ground.query();
    let now = rounds * 3600;
    ground.clock.set(now);
    let mut writer = ground.writer();
    let begin = Instant::now();
    let step = writer.catch_up(at(now)).unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a number to look at")]
    let rate = step.position as f64 / seconds;
    println!("catching up: {} entries in {seconds:.1} s, {rate:.0}/s", step.position);
    let size = std::fs::metadata(ground.path()).unwrap().len();
    println!("{} bytes on disk, {} per statement", size, size / step.position);
    questions(&query, now, hosts);
    for instant in [now - 3600, now - 5000, now / 2] {
        past_questions(&query, instant, hosts);
    }
    let period = Span::Over {
        from: at(now / 2),
        to: at(now / 2 + 1),
    };
    timed("overview, the same second told host by host", || {
        query.overview(catalogue::DEFAULT, period).unwrap()
    });
    let overview = query.overview(catalogue::DEFAULT, Span::Now).unwrap();
    assert_eq!(overview.hosts.fresh, hosts as u64);
    let mut ground = ground;
    let manifest = ground.keep(&[packages(9, true)]);
    ground.state(0, manifest, stated(now));
    timed("one more statement", || writer.step(at(now)).unwrap());
    timed("all fall silent at once", || writer.step(at(now + 100_000)).unwrap());
}

#[test]
fn a_thousand_hosts() {
    measure(1_000, 3);
}

#[test]
#[ignore = "takes a minute; for measuring"]
fn ten_thousand_hosts() {
    measure(10_000, 24);
}

#[test]
#[ignore = "takes minutes; for measuring"]
fn a_hundred_thousand_hosts() {
    measure(100_000, 3);
}

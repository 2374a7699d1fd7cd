//! Coverage: how far the hosts in scope have come, and who is missed.

use askama::Template;
use controls::coverage::ScopeSource;
use serde::Deserialize;

use super::hosts::NAMESAKES;
use crate::query::{CoverageNow, MissingHost, Namesakes, Page};
use crate::web::frame::{Frame, Section};
use crate::web::pager::{self, Pager};
use crate::web::visit::{Choice, Shown, View, Visit, page};
use crate::web::when::When;

/// Names outside the scope that are listed.
const OUTSIDE: Page = Page::first(50);
/// The width of the picture in its own units.
const WIDTH: u64 = 1000;

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Chosen {
    page: Option<u64>,
}

/// One stage of the picture.
struct Stage {
    word: &'static str,
    meaning: &'static str,
    count: u64,
    width: u64,
    /// Hosts that came as far as the stage before and not to this one.
    missed: u64,
}

struct MissingLine {
    name: String,
    host: Option<String>,
    why: &'static str,
    since: Option<When>,
    last: Option<When>,
}

#[derive(Template)]
#[template(path = "web/coverage.html")]
struct CoveragePage {
    frame: Frame,
    listed: bool,
    complete: bool,
    stages: Vec<Stage>,
    scope: u64,
    measured: u64,
    missing: Vec<MissingLine>,
    pager: Pager,
    outside: Vec<String>,
    outside_total: u64,
    namesakes: Vec<Namesakes>,
}

impl CoveragePage {
    fn of(view: &View, coverage: &CoverageNow, namesakes: Vec<Namesakes>) -> Self {
        let counts = coverage.counts;
        let mut before = counts.scope;
        let stage = |(word, meaning, count): (&'static str, &'static str, u64)| {
            let stage = Stage {
                word,
                meaning,
                count,
                width: count.saturating_mul(WIDTH) / counts.scope.max(1),
                missed: before.saturating_sub(count),
            };
            before = count;
            stage
        };
        let stages = [
            ("in scope", "ought to report", counts.scope),
            ("enrolled", "have a key in the log", counts.enrolled),
            ("reporting", "a statement reaches this instant", counts.reporting),
            ("fresh", "and still speaks at its end", counts.fresh),
            (
                "measured",
                "every document that a rule reads was observed",
                counts.measured,
            ),
        ];
        let missing = |host: &MissingHost| MissingLine {
            name: host.name.clone(),
            host: host.host.as_ref().map(ToString::to_string),
            why: match (&host.host, host.revoked_at, host.silent_since) {
                (None, ..) => "never enrolled",
                (_, Some(_), _) => "revoked",
                (.., Some(_)) => "silent",
                _ => "never stated anything",
            },
            since: host.revoked_at.or(host.silent_since).map(|at| When::of(at, view.now)),
            last: host.last_statement.map(|at| When::of(at, view.now)),
        };
        Self {
            frame: view
                .frame("Coverage", Section::Coverage)
                .about(coverage.as_of.instant(), view.now),
            listed: coverage.scope == ScopeSource::List,
            complete: coverage.complete,
            stages: stages.map(stage).into(),
            scope: counts.scope,
            measured: counts.measured,
            missing: coverage.missing.items.iter().map(missing).collect(),
            pager: Pager::of(&coverage.missing, "/coverage", &[]),
            outside: coverage.outside_scope.items.clone(),
            outside_total: coverage.outside_scope.total,
            namesakes,
        }
    }
}

pub(in crate::web) async fn show(visit: Visit, Choice(chosen): Choice<Chosen>) -> Shown {
    let part = pager::page(chosen.page);
    let (coverage, namesakes) = visit
        .ask(move |query| Ok((query.coverage_now(part, OUTSIDE)?, query.namesakes(NAMESAKES)?)))
        .await?;
    page(&CoveragePage::of(&visit.view, &coverage, namesakes))
}

//! One rule.

use askama::Template;
use axum::extract::Path;
use controls::rule::Bearing;
use controls::verdict::Verdict;

use super::reading;
use crate::query::RuleDetail;
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::mark::{Mark, Meter};
use crate::web::visit::{Shown, View, Visit, page};

/// How many hosts have a verdict, and where they are listed.
struct Count {
    mark: Mark,
    hosts: u64,
    address: String,
}

#[derive(Template)]
#[template(path = "web/rule.html")]
struct RulePage {
    frame: Frame,
    id: String,
    title: String,
    severity: Meter,
    reads: String,
    digest: String,
    bar: Bar,
    counts: Vec<Count>,
    rationale: String,
    remedy: String,
    cannot_see: Vec<String>,
    controls: Vec<Bearing>,
    expressions: Vec<(String, String)>,
    parameters: Vec<(String, String)>,
}

impl RulePage {
    fn of(view: &View, rule: RuleDetail) -> Self {
        let summary = rule.summary;
        let hosts = summary.hosts;
        let counts = [
            (Verdict::NotMet, hosts.not_met),
            (Verdict::Unknown, hosts.unknown),
            (Verdict::Met, hosts.met),
            (Verdict::NotApplicable, hosts.not_applicable),
        ];
        let count = |(verdict, count): (Verdict, u64)| Count {
            mark: verdict.into(),
            hosts: count,
            address: format!(
                "/hosts?rule={}&verdict={}",
                crate::web::link::escape(&summary.id),
                verdict.as_str()
            ),
        };
        let parameters = rule.values.as_object().into_iter().flatten();
        Self {
            frame: view
                .frame(&summary.title, Section::Rules)
                .about(rule.as_of.instant(), view.now),
            counts: counts.map(count).into(),
            severity: summary.severity.into(),
            reads: summary.reads.to_string(),
            digest: summary.digest.to_string(),
            bar: hosts.into(),
            rationale: rule.rationale,
            remedy: rule.remedy,
            cannot_see: rule.cannot_see,
            expressions: rule.expressions,
            parameters: parameters
                .map(|(name, value)| (name.clone(), reading::inline(value)))
                .collect(),
            id: summary.id,
            title: summary.title,
            controls: summary.controls,
        }
    }
}

pub(in crate::web) async fn show(visit: Visit, Path(id): Path<String>) -> Shown {
    let span = visit.view.span();
    let rule = visit.ask(move |query| query.rule(&id, span)).await?;
    page(&RulePage::of(&visit.view, rule))
}

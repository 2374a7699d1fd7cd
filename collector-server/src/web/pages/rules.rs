//! The rules in force.

use askama::Template;
use controls::catalogue;

use crate::query::{AsOf, RuleSummary, RulesInForce};
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::mark::Meter;
use crate::web::visit::{Shown, View, Visit, page};
use crate::web::when::{When, duration};

struct RuleLine {
    id: String,
    title: String,
    severity: Meter,
    reads: String,
    controls: Vec<String>,
    bar: Bar,
}

/// Where the rules come from.
struct InForce {
    index: u64,
    at: When,
    collector_version: String,
    freshness: String,
    digest: String,
}

#[derive(Template)]
#[template(path = "web/rules.html")]
struct RulesPage {
    frame: Frame,
    in_force: Option<InForce>,
    rules: Vec<RuleLine>,
}

impl RulesPage {
    fn of(view: &View, as_of: AsOf, rules: &[RuleSummary], in_force: Option<&RulesInForce>) -> Self {
        let rule = |rule: &RuleSummary| {
            let own = rule
                .controls
                .iter()
                .filter(|bearing| bearing.catalogue == catalogue::DEFAULT);
            RuleLine {
                id: rule.id.clone(),
                title: rule.title.clone(),
                severity: rule.severity.into(),
                reads: rule.reads.to_string(),
                controls: own.map(|bearing| bearing.control.clone()).collect(),
                bar: rule.hosts.into(),
            }
        };
        Self {
            frame: view.frame("Rules", Section::Rules).about(as_of.instant(), view.now),
            in_force: in_force.map(|rules| InForce {
                index: rules.index,
                at: When::of(rules.at, view.now),
                collector_version: rules.collector_version.clone(),
                freshness: duration(i64::try_from(rules.freshness_seconds).unwrap_or(i64::MAX)),
                digest: rules.digest.to_string(),
            }),
            rules: rules.iter().map(rule).collect(),
        }
    }
}

pub(in crate::web) async fn show(visit: Visit) -> Shown {
    let span = visit.view.span();
    let ((as_of, rules), in_force) = visit
        .ask(move |query| Ok((query.rules(span)?, query.rules_in_force()?)))
        .await?;
    page(&RulesPage::of(&visit.view, as_of, &rules, in_force.as_ref()))
}

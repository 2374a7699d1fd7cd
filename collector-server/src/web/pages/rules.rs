//! The rules in force.

use askama::Template;
use controls::catalogue;

use crate::query::{AsOf, RuleSummary, RulesInForce};
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::mark::Meter;
use crate::web::visit::{Shown, Visit, page};
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
    fn of(visit: &Visit, as_of: AsOf, rules: &[RuleSummary], in_force: Option<&RulesInForce>) -> Self {
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
            frame: visit.frame("Rules", Section::Rules).as_of(as_of.instant(), visit.now),
            in_force: in_force.map(|rules| InForce {
                index: rules.index,
                at: When::of(rules.at, visit.now),
                collector_version: rules.collector_version.clone(),
                freshness: duration(i64::try_from(rules.freshness_seconds).unwrap_or(i64::MAX)),
                digest: rules.digest.to_string(),
            }),
            rules: rules.iter().map(rule).collect(),
        }
    }
}

pub(in crate::web) async fn show(visit: Visit) -> Shown {
    let span = visit.span();
    let ((as_of, rules), in_force) = visit
        .ask(move |query| Ok((query.rules(span)?, query.rules_in_force()?)))
        .await?;
    page(&RulesPage::of(&visit, as_of, &rules, in_force.as_ref()))
}

//! One finding: what a rule says about a host, now and before.

use askama::Template;
use axum::extract::Path;
use controls::finding::Finding;
use controls::rule::Bearing;

use super::host::{Chosen, Period, host_id};
use super::reading;
use crate::query::{FindingDetail, RuleDetail, Span};
use crate::web::frame::{Frame, Section};
use crate::web::mark::{Mark, Meter};
use crate::web::strip::{Scale, Strip};
use crate::web::visit::{Choice, Shown, View, Visit, page};
use crate::web::when::{When, duration, plain};

/// Intervals listed, the newest first; the picture has all of them.
const INTERVALS: usize = 30;

struct IntervalLine {
    mark: Mark,
    from: String,
    to: String,
    length: String,
    reason: String,
    observed: Vec<(String, String)>,
    facts: Option<String>,
    indexes: Option<(u64, u64)>,
}

#[derive(Template)]
#[template(path = "web/finding.html")]
struct FindingPage {
    frame: Frame,
    host: String,
    name: String,
    rule: String,
    title: String,
    mark: Mark,
    severity: Meter,
    since: Option<When>,
    reason: String,
    observed: Vec<reading::Shown>,
    document: String,
    facts: Option<String>,
    first_index: Option<u64>,
    last_index: Option<u64>,
    rationale: String,
    remedy: String,
    cannot_see: Vec<String>,
    controls: Vec<Bearing>,
    strip: Strip,
    scale: Scale,
    period: Period,
    intervals: Vec<IntervalLine>,
    more: usize,
}

fn interval(finding: &Finding, end: evidence::Timestamp) -> IntervalLine {
    let observed = finding.observed.iter();
    IntervalLine {
        mark: finding.verdict.into(),
        from: plain(finding.from),
        to: if finding.to >= end {
            "now".to_owned()
        } else {
            plain(finding.to)
        },
        length: duration(finding.to.since(finding.from)),
        reason: finding.reason.clone(),
        observed: observed
            .map(|observed| (observed.label.clone(), reading::short(observed)))
            .collect(),
        facts: finding.facts.map(|digest| digest.to_string()),
        indexes: finding.first_index.zip(finding.last_index),
    }
}

impl FindingPage {
    fn of(view: &View, period: Period, finding: &FindingDetail, over: &FindingDetail, rule: RuleDetail) -> Self {
        let last = &finding.last.finding;
        let title = format!("{} on {}", finding.title, finding.name);
        let frame = view
            .frame(&title, Section::Hosts)
            .about(finding.as_of.instant(), view.now);
        let stretch = |finding: &Finding| {
            let mark = Mark::from(finding.verdict);
            (finding.from, finding.to, mark.tone, mark.word.to_owned())
        };
        Self {
            frame,
            host: last.host.to_string(),
            name: finding.name.clone(),
            rule: last.rule.clone(),
            title: finding.title.clone(),
            mark: last.verdict.into(),
            severity: rule.summary.severity.into(),
            since: finding.last.since.map(|at| When::of(at, view.now)),
            reason: last.reason.clone(),
            observed: last.observed.iter().map(reading::full).collect(),
            document: last.document.to_string(),
            facts: last.facts.map(|digest| digest.to_string()),
            first_index: last.first_index,
            last_index: last.last_index,
            rationale: rule.rationale,
            remedy: rule.remedy,
            cannot_see: rule.cannot_see,
            controls: rule.summary.controls,
            strip: Strip::of("verdict", over.as_of.period(), over.history.iter().map(stretch)),
            scale: Scale::of(over.as_of.period(), view.now),
            period,
            intervals: over
                .history
                .iter()
                .rev()
                .take(INTERVALS)
                .map(|finding| interval(finding, over.as_of.to))
                .collect(),
            more: over.history.len().saturating_sub(INTERVALS),
        }
    }
}

pub(in crate::web) async fn show(
    visit: Visit,
    Path((host, rule)): Path<(String, String)>,
    Choice(chosen): Choice<Chosen>,
) -> Shown {
    let (id, span, end) = (host_id(host)?, visit.view.span(), visit.view.end());
    let period = Period::read(&chosen.period);
    let (finding, over, rule) = visit
        .ask(move |query| {
            let finding = query.finding(&id, &rule, span)?;
            let enrolled = query.host(&id, span)?.summary.enrolled_at;
            let over = query.finding(&id, &rule, period.until(end, enrolled))?;
            Ok((finding, over, query.rule(&rule, Span::Now)?))
        })
        .await?;
    page(&FindingPage::of(&visit.view, period, &finding, &over, rule))
}

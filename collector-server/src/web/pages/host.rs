//! One host.

use askama::Template;
use axum::extract::Path;
use controls::coverage::CoverageGap;
use controls::finding::Finding;
use controls::verdict::Verdict;
use evidence::Timestamp;
use evidence::statement::HostId;

use super::reading;
use crate::query::{HostDetail, HostDocument, RuleSummary, Span, StatementSummary};
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::mark::{Mark, Meter};
use crate::web::strip::{Scale, Strip};
use crate::web::visit::{Choice, Shown, View, Visit, page};
use crate::web::when::{When, duration, plain};

/// What a rule says about the host.
struct FindingLine {
    rule: String,
    title: String,
    severity: Option<Meter>,
    mark: Mark,
    /// The first values, short.
    observed: Vec<(String, String)>,
    reason: String,
}

struct DocumentLine {
    probe: String,
    digest: Option<String>,
    outcome: Option<Mark>,
    since: Option<When>,
}

struct StatementLine {
    index: u64,
    sequence: u64,
    when: When,
    manifest: String,
    changed: bool,
}

struct GapLine {
    mark: Mark,
    from: String,
    to: String,
    length: String,
}

#[derive(Template)]
#[template(path = "web/host.html")]
struct HostPage {
    frame: Frame,
    id: String,
    name: String,
    in_scope: bool,
    reporting: Mark,
    standing: Mark,
    bar: Bar,
    enrolled: When,
    enrolled_index: u64,
    revoked: Option<(When, Option<u64>)>,
    silent_since: Option<When>,
    last: Option<When>,
    keyid: String,
    agent: Option<(String, String)>,
    open: Vec<FindingLine>,
    settled: Vec<FindingLine>,
    documents: Vec<DocumentLine>,
    strips: Vec<Strip>,
    scale: Scale,
    gaps: Vec<GapLine>,
    period: Period,
    statements: Vec<StatementLine>,
    statements_total: u64,
}

/// How far back pictures go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    Month,
    Quarter,
}

/// A link to another period.
pub(super) struct PeriodLink {
    pub(super) word: &'static str,
    pub(super) value: &'static str,
    pub(super) here: bool,
}

impl Period {
    const ALL: [(Self, &'static str, &'static str, i64); 4] = [
        (Self::Day, "1d", "24 hours", 86_400),
        (Self::Week, "7d", "7 days", 7 * 86_400),
        (Self::Month, "30d", "30 days", 30 * 86_400),
        (Self::Quarter, "90d", "90 days", 90 * 86_400),
    ];

    pub(super) fn read(text: &str) -> Self {
        let found = Self::ALL.into_iter().find(|(_, value, ..)| *value == text);
        found.map_or(Self::Week, |(period, ..)| period)
    }

    fn seconds(self) -> i64 {
        let found = Self::ALL.into_iter().find(|(period, ..)| *period == self);
        found.map_or(86_400, |(.., seconds)| seconds)
    }

    /// The period up to `end`, not beginning before the host's enrolment: there was nothing to show.
    pub(super) fn until(self, end: Timestamp, enrolled: Timestamp) -> Span {
        let latest = end.plus(-60);
        Span::Over {
            from: end.plus(-self.seconds()).max(enrolled.min(latest)),
            to: end,
        }
    }

    pub(super) fn links(self) -> Vec<PeriodLink> {
        let link = |(period, value, word, _): (Self, &'static str, &'static str, i64)| PeriodLink {
            word,
            value,
            here: period == self,
        };
        Self::ALL.into_iter().map(link).collect()
    }
}

/// The choice of a period.
#[derive(Debug, Default, serde::Deserialize)]
pub(in crate::web) struct Chosen {
    #[serde(default)]
    pub(super) period: String,
}

/// `silent` says since when no statement speaks for the host.
fn finding_line(finding: &Finding, rules: &[RuleSummary], silent: Option<Timestamp>) -> FindingLine {
    let rule = rules.iter().find(|rule| rule.id == finding.rule);
    let observed = finding.observed.iter().take(3);
    FindingLine {
        rule: finding.rule.clone(),
        title: rule.map_or_else(|| finding.rule.clone(), |rule| rule.title.clone()),
        severity: rule.map(|rule| rule.severity.into()),
        mark: finding.verdict.into(),
        observed: observed
            .map(|observed| (observed.label.clone(), reading::short(observed)))
            .collect(),
        reason: match silent.filter(|_| finding.facts.is_none()) {
            Some(since) => format!("no statement since {} UTC", plain(since)),
            None => finding.reason.clone(),
        },
    }
}

fn document_line(document: &HostDocument, over: Option<&HostDocument>, view: &View) -> DocumentLine {
    let intervals = over.map(|over| over.intervals.as_slice()).unwrap_or_default();
    // The newest interval of this digest, as far back as the picture goes.
    let since = intervals
        .last()
        .filter(|last| last.digest.is_some() && intervals.len() > 1);
    DocumentLine {
        probe: document.probe.to_string(),
        digest: document.digest.map(|digest| digest.to_string()),
        outcome: document.outcome.map(Mark::from),
        since: since.map(|last| When::of(last.from, view.now)),
    }
}

/// The host's reporting over the period: what is no gap is reported.
fn reporting_strip(over: &HostDetail) -> Strip {
    let period = over.as_of.period();
    let mut intervals = Vec::new();
    let mut from = period.0;
    for gap in &over.gaps {
        if from < gap.from {
            intervals.push((from, gap.from, "good", "reporting".to_owned()));
        }
        let mark = Mark::from(gap.kind);
        intervals.push((gap.from, gap.to, mark.tone, mark.word.to_owned()));
        from = gap.to;
    }
    if from < period.1 {
        intervals.push((from, period.1, "good", "reporting".to_owned()));
    }
    Strip::of("reporting", period, intervals)
}

/// Which document held when, in alternating shades, so that a change is seen.
fn document_strip(document: &HostDocument, over: &HostDetail) -> Strip {
    let mut shade = false;
    let mut before = None;
    let interval = |interval: &crate::query::DocumentInterval| {
        if before != interval.digest {
            shade = !shade;
            before = interval.digest;
        }
        let (tone, words) = match (interval.digest, interval.first_index) {
            (Some(digest), _) if shade => ("even", digest.to_string().chars().take(12).collect()),
            (Some(digest), _) => ("odd", digest.to_string().chars().take(12).collect()),
            (None, Some(_)) => ("none", "no such document".to_owned()),
            (None, None) => ("open", "no statement".to_owned()),
        };
        (interval.from, interval.to, tone, words)
    };
    let intervals: Vec<_> = document.intervals.iter().map(interval).collect();
    Strip::of(document.probe.as_str(), over.as_of.period(), intervals)
}

impl HostPage {
    fn of(view: &View, period: Period, host: &HostDetail, over: &HostDetail, rules: &[RuleSummary]) -> Self {
        let now = view.now;
        let summary = &host.summary;
        let frame = view
            .frame(&summary.name, Section::Hosts)
            .about(host.as_of.instant(), now);
        let mut findings: Vec<_> = host.findings.iter().collect();
        let severity = |finding: &Finding| {
            rules
                .iter()
                .find(|rule| rule.id == finding.rule)
                .map(|rule| rule.severity)
        };
        findings.sort_by_key(|finding| (std::cmp::Reverse(severity(finding)), finding.rule.clone()));
        let lines = |wanted: &[Verdict]| {
            let lines = wanted
                .iter()
                .flat_map(|wanted| findings.iter().filter(move |finding| finding.verdict == *wanted));
            lines
                .map(|finding| finding_line(finding, rules, summary.silent_since))
                .collect::<Vec<_>>()
        };
        let gap = |gap: &CoverageGap| GapLine {
            mark: gap.kind.into(),
            from: plain(gap.from),
            to: if gap.to >= over.as_of.to {
                "now".to_owned()
            } else {
                plain(gap.to)
            },
            length: duration(gap.to.since(gap.from)),
        };
        let statement = |statement: &StatementSummary| StatementLine {
            index: statement.index,
            sequence: statement.sequence,
            when: When::of(statement.observed_at, now),
            manifest: statement.manifest.to_string(),
            changed: statement.changed,
        };
        let document = |document: &HostDocument| {
            let over = over.documents.iter().find(|other| other.probe == document.probe);
            document_line(document, over, view)
        };
        let strips = std::iter::once(reporting_strip(over));
        let strips = strips.chain(over.documents.iter().map(|document| document_strip(document, over)));
        Self {
            id: summary.host.to_string(),
            name: summary.name.clone(),
            in_scope: summary.in_scope,
            reporting: summary.reporting.into(),
            standing: summary.standing.into(),
            bar: summary.verdicts.into(),
            enrolled: When::of(summary.enrolled_at, now),
            enrolled_index: host.enrolled_index,
            revoked: summary.revoked_at.map(|at| (When::of(at, now), host.revoked_index)),
            silent_since: summary.silent_since.map(|at| When::of(at, now)),
            last: summary.last_statement.map(|at| When::of(at, now)),
            keyid: host.keyid.to_string(),
            agent: host
                .agent
                .as_ref()
                .map(|agent| (agent.version.clone(), agent.sha256.to_string())),
            open: lines(&[Verdict::NotMet, Verdict::Unknown]),
            settled: lines(&[Verdict::Met, Verdict::NotApplicable]),
            documents: host.documents.iter().map(document).collect(),
            strips: strips.collect(),
            scale: Scale::of(over.as_of.period(), now),
            gaps: over.gaps.iter().rev().map(gap).collect(),
            period,
            statements: host.statements.items.iter().map(statement).collect(),
            statements_total: host.statements.total,
            frame,
        }
    }
}

/// A host's id in an address.
pub(in crate::web) fn host_id(text: String) -> Result<HostId, crate::web::trouble::Trouble> {
    HostId::new(text).map_err(|error| crate::web::trouble::Trouble::malformed(format!("{error}.")))
}

pub(in crate::web) async fn show(visit: Visit, Path(host): Path<String>, Choice(chosen): Choice<Chosen>) -> Shown {
    let (id, span, end) = (host_id(host)?, visit.view.span(), visit.view.end());
    let period = Period::read(&chosen.period);
    let (host, over, rules) = visit
        .ask(move |query| {
            let host = query.host(&id, span)?;
            let over = query.host(&id, period.until(end, host.summary.enrolled_at))?;
            let (_, rules) = query.rules(Span::Now)?;
            Ok((host, over, rules))
        })
        .await?;
    page(&HostPage::of(&visit.view, period, &host, &over, &rules))
}

//! The two files for people: the page that an auditor reads first, and how to check the pack by hand.

use askama::Template;
use controls::assessment::Assessment;
use controls::catalogue::Control;
use controls::coverage::HostCoverage;
use controls::status::ControlStatus;
use controls::{Catalogue, Finding, RuleSet, Status, Verdict};
use evidence::Digest;

use super::survey::Survey;
use super::{PackError, Request};

/// Findings that the page lists; the others are in the table.
const MAX_FINDINGS: usize = 500;

/// The README.
#[derive(Template)]
#[template(path = "pack/README.txt")]
struct Readme<'a> {
    from: String,
    to: String,
    origin: &'a str,
    size: u64,
}

/// The page.
#[derive(Template)]
#[template(path = "pack/index.html")]
struct Page<'a> {
    request: &'a Request,
    origin: &'a str,
    size: u64,
    root: &'a Digest,
    counts: [(Status, usize); 4],
    controls: Vec<(&'a ControlStatus, &'a Control)>,
    not_evidenced: Vec<&'a Control>,
    assessment: &'a Assessment,
    open: Vec<Open<'a>>,
    more: usize,
    hosts: Vec<&'a HostCoverage>,
}

/// A finding that an auditor asks about: not met, or unknown.
struct Open<'a> {
    finding: &'a Finding,
    title: &'a str,
    name: &'a str,
    observed: Vec<(String, String)>,
}

pub(super) fn readme(request: &Request, survey: &Survey, size: u64) -> Result<String, PackError> {
    let readme = Readme {
        from: request.from.to_string(),
        to: request.to.to_string(),
        origin: &survey.origin,
        size,
    };
    readme.render().map_err(|error| PackError::Render(error.to_string()))
}

pub(super) fn page(
    request: &Request,
    catalogue: &Catalogue,
    rules: &RuleSet,
    assessment: &Assessment,
    survey: &Survey,
    size: u64,
    root: &Digest,
) -> Result<String, PackError> {
    let of = |status| {
        assessment
            .controls
            .iter()
            .filter(|control| control.status == status)
            .count()
    };
    let counts = [
        Status::Contradicted,
        Status::Unknown,
        Status::Supported,
        Status::NotEvidenced,
    ]
    .map(|status| (status, of(status)));
    let with_control = |status: &'_ ControlStatus| catalogue.control(status.id.as_str());
    let members = survey.roll().members();
    let mut open: Vec<_> = assessment
        .findings
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::NotMet | Verdict::Unknown))
        .map(|finding| Open {
            finding,
            title: rules.rule(&finding.rule).map_or("", |rule| rule.title()),
            name: members.get(&finding.host).map_or("", |member| member.name.as_str()),
            observed: finding.observed.iter().map(show).collect(),
        })
        .collect();
    open.sort_by_key(|open| open.finding.verdict != Verdict::NotMet);
    let more = open.len().saturating_sub(MAX_FINDINGS);
    open.truncate(MAX_FINDINGS);
    let page = Page {
        request,
        origin: &survey.origin,
        size,
        root,
        counts,
        controls: assessment
            .controls
            .iter()
            .filter(|control| control.status != Status::NotEvidenced)
            .filter_map(|control| Some((control, with_control(control)?)))
            .collect(),
        not_evidenced: assessment
            .controls
            .iter()
            .filter(|control| control.status == Status::NotEvidenced)
            .filter_map(with_control)
            .collect(),
        assessment,
        open,
        more,
        hosts: assessment.coverage.hosts.iter().collect(),
    };
    page.render().map_err(|error| PackError::Render(error.to_string()))
}

fn show(observed: &controls::Observed) -> (String, String) {
    let value = match (&observed.value, &observed.missing) {
        (Some(serde_json::Value::String(text)), _) => text.clone(),
        (Some(value), _) => value.to_string(),
        (None, why) => format!("not known: {}", why.as_deref().unwrap_or_default()),
    };
    let value = observed
        .total
        .map_or(value.clone(), |total| format!("{value} (of {total})"));
    (observed.label.clone(), value)
}

/// A status in words.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
fn words(status: &Status) -> &'static str {
    match status {
        Status::Supported => "supported",
        Status::Contradicted => "contradicted",
        Status::Unknown => "unknown",
        Status::NotEvidenced => "not evidenced by hosts",
    }
}

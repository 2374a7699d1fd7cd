//! One control.

use askama::Template;
use axum::extract::Path;
use controls::catalogue::{self, Control, HostEvidence, Reach};
use controls::status::{RuleStatus, Standing};
use serde::Deserialize;

use crate::query::{ControlDetail, ControlHost};
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::mark::{Mark, Meter};
use crate::web::pager::{self, Pager};
use crate::web::trouble::Trouble;
use crate::web::visit::{Choice, Shown, View, Visit, page};
use crate::web::when::duration;

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Chosen {
    #[serde(default)]
    standing: String,
    page: Option<u64>,
    #[serde(default)]
    at: String,
}

struct RuleLine {
    id: String,
    title: String,
    severity: Meter,
    bearing: &'static str,
    because: String,
    bar: Bar,
}

struct HostLine {
    id: Option<String>,
    name: String,
    reporting: Option<Mark>,
    standing: Mark,
    /// The verdict of each rule, with the rule's id.
    verdicts: Vec<(String, Mark)>,
}

/// A link that shows the hosts with one standing.
struct Tab {
    word: &'static str,
    mark: Option<Mark>,
    count: u64,
    address: String,
    here: bool,
}

#[derive(Template)]
#[template(path = "web/control.html")]
struct ControlPage {
    frame: Frame,
    id: String,
    name: String,
    theme: String,
    summary: String,
    status: Mark,
    reason: String,
    bar: Bar,
    age: Option<String>,
    reach: &'static str,
    evidence: Option<HostEvidence>,
    rules: Vec<RuleLine>,
    tabs: Vec<Tab>,
    hosts: Vec<HostLine>,
    pager: Pager,
}

/// What hosts can show, in a sentence.
const fn reach(reach: Option<Reach>) -> &'static str {
    match reach {
        Some(Reach::Full) => "Hosts can show all that this control asks for.",
        Some(Reach::Partial) => "Hosts can show a part of what this control asks for.",
        Some(Reach::Supporting) => "Hosts can show something that helps, and not the control itself.",
        Some(Reach::None) => "Hosts can show nothing about this control.",
        None => "What hosts can show about this control has not been assessed.",
    }
}

impl ControlPage {
    fn of(view: &View, chosen: &Chosen, control: &Control, detail: &ControlDetail) -> Self {
        let status = &detail.status;
        let id = status.id.as_str();
        let path = format!("/controls/{id}");
        let title = format!("{id} {}", status.name);
        let rule = |rule: &RuleStatus| RuleLine {
            id: rule.id.clone(),
            title: rule.title.clone(),
            severity: rule.severity.into(),
            bearing: rule.bearing.as_str(),
            because: rule.because.clone(),
            bar: rule.hosts.into(),
        };
        let host = |host: &ControlHost| HostLine {
            id: host.host.as_ref().map(ToString::to_string),
            name: host.name.clone(),
            reporting: host.reporting.map(Mark::from),
            standing: host.standing.into(),
            verdicts: status
                .rules
                .iter()
                .zip(&host.verdicts)
                .map(|(rule, verdict)| (rule.id.clone(), (*verdict).into()))
                .collect(),
        };
        let counts = status.hosts;
        let tab = |standing: Option<Standing>, count: u64| {
            let value = standing.map_or("", Standing::as_str);
            let mark = standing.map(Mark::from);
            let pairs = [("standing", value), ("at", chosen.at.as_str())];
            Tab {
                word: mark.map_or("all", |mark| mark.word),
                mark,
                count,
                address: format!("{path}{}#hosts", crate::web::link::question(pairs)),
                here: chosen.standing == value,
            }
        };
        let tabs = [
            (None, counts.total()),
            (Some(Standing::NotMet), counts.not_met),
            (Some(Standing::Unknown), counts.unknown),
            (Some(Standing::Excepted), counts.excepted),
            (Some(Standing::Met), counts.met),
            (Some(Standing::NotApplicable), counts.not_applicable),
        ];
        let tabs = tabs
            .into_iter()
            .filter(|(standing, count)| standing.is_none() || *count > 0);
        let question = [("standing", chosen.standing.as_str()), ("at", chosen.at.as_str())];
        Self {
            frame: view
                .frame(&title, Section::Overview)
                .about(detail.as_of.instant(), view.now),
            id: id.to_owned(),
            name: status.name.clone(),
            theme: control.group.clone().unwrap_or_default(),
            summary: control.summary.clone(),
            status: status.status.into(),
            reason: status.reason.clone(),
            bar: counts.into(),
            age: status
                .evidence_age
                .map(|age| duration(i64::try_from(age).unwrap_or(i64::MAX))),
            reach: reach(status.reach),
            evidence: control.host_evidence.clone(),
            rules: status.rules.iter().map(rule).collect(),
            tabs: tabs.map(|(standing, count)| tab(standing, count)).collect(),
            hosts: detail.hosts.items.iter().map(host).collect(),
            pager: Pager::of(&detail.hosts, &path, &question),
        }
    }
}

pub(in crate::web) async fn show(visit: Visit, Path(id): Path<String>, Choice(chosen): Choice<Chosen>) -> Shown {
    let control = super::catalogue()?.control(&id).ok_or_else(|| {
        let detail = format!("There is no control {id:?} in {}.", catalogue::DEFAULT);
        Trouble::new(
            axum::http::StatusCode::NOT_FOUND,
            "not_found",
            "There is no such control",
            detail,
        )
    })?;
    let standing = [
        Standing::NotMet,
        Standing::Unknown,
        Standing::Excepted,
        Standing::Met,
        Standing::NotApplicable,
    ];
    let standing = standing
        .into_iter()
        .find(|standing| standing.as_str() == chosen.standing);
    let (span, part) = (visit.view.span(), pager::page(chosen.page));
    let detail = visit
        .ask(move |query| query.control(catalogue::DEFAULT, &id, span, standing, part))
        .await?;
    page(&ControlPage::of(&visit.view, &chosen, control, &detail))
}

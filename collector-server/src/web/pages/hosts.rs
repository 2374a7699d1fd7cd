//! The list of hosts.

use askama::Template;
use controls::status::Standing;
use controls::verdict::Verdict;
use serde::Deserialize;

use crate::query::{HostFilter, HostReporting, HostSort, HostSummary, Hosts, Namesakes};
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::link;
use crate::web::mark::Mark;
use crate::web::pager::{self, Pager};
use crate::web::visit::{Choice, Shown, View, Visit, page};
use crate::web::when::When;

/// Longest text to look for.
const TEXT: usize = 128;
/// Names shown that more than one host has.
pub(super) const NAMESAKES: u64 = 10;

/// What the form and the links ask for.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Chosen {
    #[serde(default)]
    text: String,
    #[serde(default)]
    reporting: String,
    #[serde(default)]
    standing: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    order: String,
    /// A rule's id, with `verdict`.
    #[serde(default)]
    rule: String,
    #[serde(default)]
    verdict: String,
    /// A control's id, with `verdict` as a standing.
    #[serde(default)]
    control: String,
    page: Option<u64>,
    #[serde(default)]
    at: String,
}

const VERDICTS: [Verdict; 4] = [Verdict::NotMet, Verdict::Unknown, Verdict::Met, Verdict::NotApplicable];
const STANDINGS: [Standing; 5] = [
    Standing::NotMet,
    Standing::Unknown,
    Standing::Excepted,
    Standing::Met,
    Standing::NotApplicable,
];
const REPORTING: [HostReporting; 4] = [
    HostReporting::Fresh,
    HostReporting::Silent,
    HostReporting::NeverStated,
    HostReporting::Revoked,
];
const SORTS: [(&str, HostSort); 3] = [
    ("name", HostSort::Name),
    ("last", HostSort::LastStatement),
    ("standing", HostSort::Standing),
];

impl Chosen {
    /// What is not known is not asked for.
    pub(in crate::web) fn filter(&self) -> HostFilter {
        let verdict = VERDICTS.into_iter().find(|verdict| verdict.as_str() == self.verdict);
        let standing = STANDINGS.into_iter().find(|standing| standing.as_str() == self.verdict);
        let sort = SORTS.into_iter().find(|(name, _)| *name == self.sort);
        let text: String = self.text.trim().chars().take(TEXT).collect();
        let catalogue = controls::catalogue::DEFAULT.to_owned();
        HostFilter {
            text: (!text.is_empty()).then_some(text),
            reporting: REPORTING
                .into_iter()
                .find(|reporting| reporting.as_str() == self.reporting),
            standing: VERDICTS.into_iter().find(|verdict| verdict.as_str() == self.standing),
            rule: verdict
                .filter(|_| !self.rule.is_empty())
                .map(|verdict| (self.rule.clone(), verdict)),
            control: standing
                .filter(|_| !self.control.is_empty())
                .map(|standing| (catalogue, self.control.clone(), standing)),
            in_scope: None,
            sort: sort.map(|(_, sort)| sort).unwrap_or_default(),
            descending: self.order == "desc",
        }
    }

    /// Which page of the list.
    pub(in crate::web) fn page(&self) -> crate::query::Page {
        pager::page(self.page)
    }

    fn question(&self) -> [(&'static str, &str); 9] {
        [
            ("text", &self.text),
            ("reporting", &self.reporting),
            ("standing", &self.standing),
            ("rule", &self.rule),
            ("control", &self.control),
            ("verdict", &self.verdict),
            ("sort", &self.sort),
            ("order", &self.order),
            ("at", &self.at),
        ]
    }
}

/// A choice of a form's list.
struct Choosable {
    value: &'static str,
    word: &'static str,
    chosen: bool,
}

/// The head of a column that sorts.
struct Column {
    name: &'static str,
    address: String,
    /// `ascending` or `descending`, if the list is sorted by it.
    sorted: Option<&'static str>,
}

struct HostLine {
    id: String,
    name: String,
    in_scope: bool,
    reporting: Mark,
    standing: Mark,
    bar: Bar,
    last: Option<When>,
}

#[derive(Template)]
#[template(path = "web/hosts.html")]
struct HostsPage {
    frame: Frame,
    chosen: Chosen,
    reporting: Vec<Choosable>,
    standing: Vec<Choosable>,
    columns: Vec<Column>,
    hosts: Vec<HostLine>,
    pager: Pager,
    /// Whether any condition is set.
    filtered: bool,
    collector_url: String,
    /// Names that more than one host has; at present only.
    namesakes: Vec<Namesakes>,
}

fn column(chosen: &Chosen, name: &'static str, sort: &'static str, first: &'static str) -> Column {
    let by = if chosen.sort.is_empty() { "name" } else { &chosen.sort };
    let descending = chosen.order == "desc";
    let sorted = (by == sort).then_some(if descending { "descending" } else { "ascending" });
    let order = match sorted {
        Some("ascending") => "desc",
        Some(_) => "",
        None => first,
    };
    let pairs = chosen.question().map(|(key, value)| match key {
        "sort" => (key, sort),
        "order" => (key, order),
        _ => (key, value),
    });
    Column {
        name,
        address: format!("/hosts{}", link::question(pairs)),
        sorted,
    }
}

impl HostsPage {
    fn of(view: &View, collector_url: String, chosen: Chosen, (hosts, namesakes): (&Hosts, Vec<Namesakes>)) -> Self {
        let line = |host: &HostSummary| HostLine {
            id: host.host.to_string(),
            name: host.name.clone(),
            in_scope: host.in_scope,
            reporting: host.reporting.into(),
            standing: host.standing.into(),
            bar: host.verdicts.into(),
            last: host.last_statement.map(|at| When::of(at, view.now)),
        };
        let choosable = |value: &'static str, word: &'static str, chosen: &str| Choosable {
            value,
            word,
            chosen: value == chosen,
        };
        let reporting = REPORTING.map(|value| choosable(value.as_str(), Mark::from(value).word, &chosen.reporting));
        let standing = VERDICTS.map(|value| choosable(value.as_str(), Mark::from(value).word, &chosen.standing));
        let conditions = ["text", "reporting", "standing", "rule", "control"];
        Self {
            frame: view
                .frame("Hosts", Section::Hosts)
                .about(hosts.as_of.instant(), view.now),
            reporting: reporting.into(),
            standing: standing.into(),
            columns: vec![
                column(&chosen, "Host", "name", ""),
                column(&chosen, "Rules", "standing", ""),
                column(&chosen, "Last statement", "last", "desc"),
            ],
            hosts: hosts.hosts.items.iter().map(line).collect(),
            pager: Pager::of(&hosts.hosts, "/hosts", &chosen.question()),
            filtered: chosen
                .question()
                .iter()
                .any(|(key, value)| conditions.contains(key) && !value.is_empty()),
            collector_url,
            namesakes,
            chosen,
        }
    }
}

pub(in crate::web) async fn show(visit: Visit, Choice(chosen): Choice<Chosen>) -> Shown {
    let (span, filter, part) = (visit.view.span(), chosen.filter(), chosen.page());
    let past = visit.view.at.is_some();
    let (hosts, namesakes) = visit
        .ask(move |query| {
            let namesakes = if past { Vec::new() } else { query.namesakes(NAMESAKES)? };
            Ok((query.hosts(span, &filter, part)?, namesakes))
        })
        .await?;
    let url = visit.web.agents_url();
    page(&HostsPage::of(&visit.view, url, chosen, (&hosts, namesakes)))
}

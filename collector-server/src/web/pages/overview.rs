//! The overview: what the evidence supports and contradicts, who reports, what changed.

use askama::Template;
use controls::catalogue::{self, Catalogue};
use controls::coverage::{CoverageCounts, ScopeSource};
use controls::status::{ControlStatus, Status};
use controls::verdict::Verdict;
use evidence::Timestamp;

use crate::query::{Change, HostTotals, Overview, StandingCounts, StatusCounts};
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::mark::Mark;
use crate::web::visit::{Shown, View, Visit, page};
use crate::web::when::{When, duration};

/// Changes are looked for over this many seconds.
const LATELY: i64 = 7 * 86_400;
/// Hosts looked at, and changes shown.
const CHANGING_HOSTS: u64 = 20;
const CHANGES: usize = 400;
/// Lines shown.
const LINES: usize = 10;
/// More changes of one host at one instant than this are told as numbers.
const FEW: usize = 4;

/// A control in the picture and in the list.
struct ControlLine {
    id: String,
    /// The id without the letter of its annex: short enough for the picture.
    short: String,
    name: String,
    evidenced: bool,
    mark: Mark,
    reason: String,
    bar: Bar,
    age: Option<String>,
}

/// Controls of one theme.
struct Theme {
    name: String,
    all: Vec<ControlLine>,
}

impl Theme {
    /// Controls on which some rule bears.
    fn evidenced(&self) -> Vec<&ControlLine> {
        self.all.iter().filter(|control| control.evidenced).collect()
    }

    /// The others.
    fn rest(&self) -> Vec<&ControlLine> {
        self.all.iter().filter(|control| !control.evidenced).collect()
    }
}

/// Verdicts of one host that changed at one instant.
struct ChangeLine {
    when: When,
    host: String,
    name: String,
    /// Each of them, if they are few: before, after, rule, its title, why.
    single: Vec<SingleChange>,
    /// How many turned into what, if they are many: a first statement, or silence.
    turned: Bar,
}

struct SingleChange {
    before: Mark,
    after: Mark,
    rule: String,
    title: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "web/overview.html")]
struct OverviewPage {
    frame: Frame,
    counts: StatusCounts,
    bar: Bar,
    themes: Vec<Theme>,
    hosts: HostTotals,
    hosts_bar: Bar,
    coverage: CoverageCounts,
    listed: bool,
    complete: bool,
    last_statement: Option<When>,
    oldest: Option<String>,
    changes: Vec<ChangeLine>,
    /// What enrols the first host.
    collector_url: String,
}

fn line(control: &ControlStatus) -> ControlLine {
    let id = control.id.as_str();
    ControlLine {
        id: id.to_owned(),
        short: id.strip_prefix("A.").unwrap_or(id).to_owned(),
        name: control.name.clone(),
        evidenced: control.status != Status::NotEvidenced,
        mark: control.status.into(),
        reason: control.reason.clone(),
        bar: control.hosts.into(),
        age: control
            .evidence_age
            .map(|age| duration(i64::try_from(age).unwrap_or(i64::MAX))),
    }
}

/// Groups controls by the theme that the catalogue gives them, in its order.
fn themes(catalogue: &Catalogue, controls: &[ControlStatus]) -> Vec<Theme> {
    let mut themes: Vec<Theme> = Vec::new();
    for control in controls {
        let group = catalogue
            .control(control.id.as_str())
            .and_then(|control| control.group.clone());
        let name = group.unwrap_or_else(|| "Controls".to_owned());
        if themes.last().is_none_or(|theme| theme.name != name) {
            themes.push(Theme { name, all: Vec::new() });
        }
        if let Some(theme) = themes.last_mut() {
            theme.all.push(line(control));
        }
    }
    themes
}

/// Groups changes, the newest first, by instant and host.
fn change_lines(changes: &[Change], now: Timestamp) -> Vec<ChangeLine> {
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    for change in changes {
        let same = |group: &Vec<&Change>| {
            group
                .first()
                .is_some_and(|first| first.at == change.at && first.host == change.host)
        };
        match groups.iter_mut().rev().find(|group| same(group)) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    let line = |group: &Vec<&Change>| {
        let first = group.first()?;
        let count = |verdict: Verdict| {
            let turned = group.iter().filter(|change| change.after == verdict).count();
            u64::try_from(turned).unwrap_or(u64::MAX)
        };
        let single = |change: &&Change| SingleChange {
            before: change.before.into(),
            after: change.after.into(),
            rule: change.rule.clone(),
            title: change.title.clone(),
            reason: if change.after == Verdict::Unknown {
                change.reason.clone()
            } else {
                String::new()
            },
        };
        Some(ChangeLine {
            when: When::of(first.at, now),
            host: first.host.to_string(),
            name: first.name.clone(),
            single: if group.len() <= FEW {
                group.iter().map(single).collect()
            } else {
                Vec::new()
            },
            turned: Bar::from(StandingCounts {
                met: count(Verdict::Met),
                not_met: count(Verdict::NotMet),
                unknown: count(Verdict::Unknown),
                not_applicable: count(Verdict::NotApplicable),
            }),
        })
    };
    groups.iter().filter_map(line).take(LINES).collect()
}

impl OverviewPage {
    fn of(view: &View, collector_url: String, catalogue: &Catalogue, overview: &Overview, changes: &[Change]) -> Self {
        let now = view.now;
        Self {
            frame: view
                .frame("Overview", Section::Overview)
                .about(overview.as_of.instant(), now),
            counts: overview.statuses,
            bar: overview.statuses.into(),
            themes: themes(catalogue, &overview.controls),
            hosts: overview.hosts,
            hosts_bar: overview.hosts.into(),
            coverage: overview.coverage,
            listed: overview.scope == ScopeSource::List,
            complete: overview.complete,
            last_statement: overview.last_statement.map(|at| When::of(at, now)),
            oldest: overview
                .evidence_age
                .map(|age| duration(i64::try_from(age).unwrap_or(i64::MAX))),
            changes: change_lines(changes, now),
            collector_url,
        }
    }
}

pub(in crate::web) async fn show(visit: Visit) -> Shown {
    let (span, from, past) = (visit.view.span(), visit.view.now.plus(-LATELY), visit.view.at.is_some());
    let (overview, changes) = visit
        .ask(move |query| {
            let overview = query.overview(catalogue::DEFAULT, span)?;
            let changes = if past {
                Vec::new()
            } else {
                query.changes(from, CHANGING_HOSTS, CHANGES)?
            };
            Ok((overview, changes))
        })
        .await?;
    let catalogue = super::catalogue()?;
    let url = visit.web.agents_url();
    page(&OverviewPage::of(&visit.view, url, catalogue, &overview, &changes))
}

//! The overview: what the evidence supports and contradicts, who reports, what changed.

use askama::Template;
use controls::catalogue::{self, Catalogue};
use controls::coverage::{CoverageCounts, ScopeSource};
use controls::status::{ControlStatus, Status};

use crate::query::{Change, HostTotals, Overview, StatusCounts};
use crate::web::bar::Bar;
use crate::web::frame::{Frame, Section};
use crate::web::mark::Mark;
use crate::web::visit::{Shown, Visit, page};
use crate::web::when::{When, duration};

/// Changes are looked for over this many seconds.
const LATELY: i64 = 7 * 86_400;
/// Hosts looked at, and changes shown.
const CHANGING_HOSTS: u64 = 20;
const CHANGES: usize = 12;

/// A control in the picture and in the list.
struct ControlLine {
    id: String,
    /// The id without the letter of its annex: short enough for the picture.
    short: String,
    name: String,
    mark: Mark,
    reason: String,
    bar: Bar,
    age: Option<String>,
}

/// Controls of one theme.
struct Theme {
    name: String,
    controls: Vec<ControlLine>,
    /// Controls that no rule bears on.
    silent: Vec<ControlLine>,
}

impl Theme {
    fn all(&self) -> impl Iterator<Item = &ControlLine> {
        self.controls.iter().chain(&self.silent)
    }
}

/// A verdict that changed.
struct ChangeLine {
    when: When,
    host: String,
    name: String,
    rule: String,
    title: String,
    before: Mark,
    after: Mark,
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
            themes.push(Theme {
                name,
                controls: Vec::new(),
                silent: Vec::new(),
            });
        }
        if let Some(theme) = themes.last_mut() {
            match control.status {
                Status::NotEvidenced => theme.silent.push(line(control)),
                _ => theme.controls.push(line(control)),
            }
        }
    }
    themes
}

impl OverviewPage {
    fn of(frame: Frame, visit: &Visit, catalogue: &Catalogue, overview: &Overview, changes: &[Change]) -> Self {
        let now = visit.now;
        let change = |change: &Change| ChangeLine {
            when: When::of(change.at, now),
            host: change.host.to_string(),
            name: change.name.clone(),
            rule: change.rule.clone(),
            title: change.title.clone(),
            before: change.before.into(),
            after: change.after.into(),
            reason: change.reason.clone(),
        };
        Self {
            frame: frame.as_of(overview.as_of.instant(), now),
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
            changes: changes.iter().map(change).collect(),
            collector_url: visit.web.agents_url(),
        }
    }
}

pub(in crate::web) async fn show(visit: Visit) -> Shown {
    let (span, from, past) = (visit.span(), visit.now.plus(-LATELY), visit.at.is_some());
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
    let frame = visit.frame("Overview", Section::Overview);
    page(&OverviewPage::of(frame, &visit, catalogue, &overview, &changes))
}

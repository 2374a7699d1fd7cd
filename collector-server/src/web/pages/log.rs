//! The log: its checkpoint and its newest entries.

use askama::Template;
use serde::Deserialize;

use super::statement::{at, what};
use crate::query::{QueryError, Signer, StatementDetail};
use crate::web::frame::{Frame, Section};
use crate::web::visit::{Choice, Shown, View, Visit, page};
use crate::web::when::When;

/// Entries listed.
const ENTRIES: u64 = 25;

#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Chosen {
    /// List entries before this one.
    before: Option<u64>,
}

struct EntryLine {
    index: u64,
    what: &'static str,
    when: When,
    signer: String,
    digest: String,
}

#[derive(Template)]
#[template(path = "web/log.html")]
struct LogPage {
    frame: Frame,
    origin: String,
    size: u64,
    root: String,
    checkpoint: String,
    entries: Vec<EntryLine>,
    newer: Option<String>,
    older: Option<String>,
}

impl LogPage {
    fn of(view: &View, origin: String, before: Option<u64>, entries: &[StatementDetail]) -> Self {
        let entry = |entry: &StatementDetail| EntryLine {
            index: entry.index,
            what: what(&entry.statement.predicate),
            when: When::of(at(&entry.statement.predicate), view.now),
            signer: match &entry.signer {
                Signer::Collector => "this collector".to_owned(),
                Signer::Host { name, .. } => name.clone(),
                Signer::Nobody => "nobody known".to_owned(),
            },
            digest: entry.digest.to_string(),
        };
        let newest = entries.first();
        let size = newest.map_or(0, |entry| entry.tree_size);
        let last = entries.last().map_or(0, |entry| entry.index);
        let newer = before
            .filter(|before| *before < size)
            .map(|before| format!("/entries?before={}", before + ENTRIES));
        Self {
            frame: view.frame("Log", Section::Log),
            origin,
            size,
            root: newest.map(|entry| entry.root.to_string()).unwrap_or_default(),
            checkpoint: newest.map(|entry| entry.checkpoint.clone()).unwrap_or_default(),
            entries: entries.iter().map(entry).collect(),
            newer,
            older: (last > 0).then(|| format!("/entries?before={last}")),
        }
    }
}

pub(in crate::web) async fn show(visit: Visit, Choice(chosen): Choice<Chosen>) -> Shown {
    let before = chosen.before;
    let entries = visit
        .ask(move |query| {
            let size = query.index().store().size().map_err(QueryError::Store)?;
            let end = before.map_or(size, |before| before.min(size));
            let begin = end.saturating_sub(ENTRIES);
            (begin..end)
                .rev()
                .map(|index| query.statement(index))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    page(&LogPage::of(&visit.view, visit.web.log_name(), before, &entries))
}

//! One facts document.

use askama::Template;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use evidence::Digest;
use evidence::facts::{Origin, Source};

use crate::query::{FactsDetail, Holder, Page};
use crate::web::frame::{Frame, Section};
use crate::web::mark::Mark;
use crate::web::trouble::Trouble;
use crate::web::visit::{Shown, View, Visit, page};
use crate::web::when::When;

/// Hosts listed.
const HOLDERS: Page = Page::first(25);
/// What is longer is cut here and offered as a file: a browser should not have to lay out 16 MiB.
const PRETTY: usize = 256 * 1024;

struct SourceLine {
    kind: &'static str,
    origin: String,
    outcome: Mark,
    sha256: Option<String>,
}

struct HolderLine {
    host: String,
    name: String,
    from: When,
    to: Option<When>,
    first_index: u64,
}

#[derive(Template)]
#[template(path = "web/facts.html")]
struct FactsPage {
    frame: Frame,
    probe: String,
    version: u32,
    outcome: Mark,
    detail: String,
    digest: String,
    length: u64,
    sources: Vec<SourceLine>,
    /// Indented; what browsers search and people link to, line by line.
    lines: Vec<String>,
    cut: bool,
    holders: Vec<HolderLine>,
    holders_total: u64,
    former: Vec<HolderLine>,
    former_total: u64,
}

impl FactsPage {
    fn of(view: &View, facts: &FactsDetail) -> Self {
        let document = &facts.document;
        let source = |source: &Source| {
            let (kind, origin) = match &source.origin {
                Origin::Path(path) => ("file", path),
                Origin::Command(command) => ("program", command),
            };
            SourceLine {
                kind,
                origin: origin.clone(),
                outcome: source.outcome.into(),
                sha256: source.sha256.map(|digest| digest.to_string()),
            }
        };
        let holder = |holder: &Holder| HolderLine {
            host: holder.host.to_string(),
            name: holder.name.clone(),
            from: When::of(holder.from, view.now),
            to: holder.to.map(|to| When::of(to, view.now)),
            first_index: holder.first_index,
        };
        let pretty = document
            .facts
            .as_ref()
            .and_then(|facts| serde_json::to_string_pretty(facts).ok());
        let pretty = pretty.unwrap_or_default();
        let mut length = 0;
        let lines = pretty.lines().take_while(|line| {
            length += line.len() + 1;
            length <= PRETTY
        });
        Self {
            frame: view.frame(&format!("Facts: {}", document.probe), Section::Elsewhere),
            probe: document.probe.to_string(),
            version: document.version,
            outcome: document.outcome.into(),
            detail: document.detail.clone(),
            digest: facts.digest.to_string(),
            length: facts.length,
            sources: document.sources.iter().map(source).collect(),
            lines: lines.map(str::to_owned).collect(),
            cut: pretty.len() > PRETTY,
            holders: facts.holders.items.iter().map(holder).collect(),
            holders_total: facts.holders.total,
            former: facts.former.items.iter().map(holder).collect(),
            former_total: facts.former.total,
        }
    }
}

/// A digest in an address.
pub(in crate::web) fn digest(text: &str) -> Result<Digest, Trouble> {
    text.parse()
        .map_err(|error: evidence::digest::DigestError| Trouble::malformed(format!("{error}.")))
}

pub(in crate::web) async fn show(visit: Visit, Path(text): Path<String>) -> Shown {
    let digest = digest(&text)?;
    let facts = visit.ask(move |query| query.facts(&digest, HOLDERS, HOLDERS)).await?;
    page(&FactsPage::of(&visit.view, &facts))
}

/// The bytes that the digest names.
pub(in crate::web) async fn raw(visit: Visit, Path(text): Path<String>) -> Shown {
    let digest = digest(&text)?;
    let bytes = visit.ask(move |query| query.facts_bytes(&digest)).await?;
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{digest}.json\"")),
        (CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

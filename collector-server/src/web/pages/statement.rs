//! One entry of the log: what it says, and who signed it.

use askama::Template;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use evidence::statement::Predicate;

use crate::query::{Signer, StatementDetail};
use crate::web::frame::{Frame, Section};
use crate::web::mark::Mark;
use crate::web::visit::{Shown, View, Visit, page};
use crate::web::when::When;

/// A line of what a statement says.
struct Line {
    label: &'static str,
    value: String,
    link: Option<String>,
}

struct SubjectLine {
    name: String,
    digest: String,
}

#[derive(Template)]
#[template(path = "web/statement.html")]
struct StatementPage {
    frame: Frame,
    index: u64,
    what: &'static str,
    kind: &'static str,
    when: Option<When>,
    signer: String,
    signer_link: Option<String>,
    keyid: String,
    signature: Mark,
    lines: Vec<Line>,
    subjects: Vec<SubjectLine>,
    digest: String,
    length: usize,
    previous: Option<u64>,
    next: Option<u64>,
    payload: String,
    envelope: String,
}

/// What an entry is, in words.
pub(super) const fn what(predicate: &Predicate) -> &'static str {
    match predicate {
        Predicate::Log(_) => "The log was opened",
        Predicate::Enrolment(_) => "A host enrolled",
        Predicate::Revocation(_) => "A host's key was revoked",
        Predicate::Rules(_) => "Rules came into force",
        Predicate::Pack(_) => "A pack was issued",
        Predicate::Observation(_) => "A host's statement",
    }
}

/// When, by whoever made the entry.
pub(super) const fn at(predicate: &Predicate) -> evidence::Timestamp {
    match predicate {
        Predicate::Log(log) => log.at,
        Predicate::Enrolment(enrolment) => enrolment.at,
        Predicate::Revocation(revocation) => revocation.at,
        Predicate::Rules(rules) => rules.at,
        Predicate::Pack(pack) => pack.at,
        Predicate::Observation(observation) => observation.observed_at,
    }
}

fn line(label: &'static str, value: impl std::fmt::Display) -> Line {
    Line {
        label,
        value: value.to_string(),
        link: None,
    }
}

fn host(host: &evidence::statement::HostId) -> Line {
    Line {
        label: "Host",
        value: host.to_string(),
        link: Some(format!("/hosts/{host}")),
    }
}

fn lines(detail: &StatementDetail) -> Vec<Line> {
    match &detail.statement.predicate {
        Predicate::Log(log) => vec![
            line("Origin", &log.origin),
            line("Log key", log.log_key.id()),
            line("Statement key", log.statement_key.id()),
            line("Opened at", log.at),
        ],
        Predicate::Enrolment(enrolment) => vec![
            host(&enrolment.host),
            line("Name", &enrolment.name),
            line("Statement key", enrolment.statement_key.id()),
            line("Token", &enrolment.token),
            line("Enrolled at", enrolment.at),
        ],
        Predicate::Revocation(revocation) => vec![
            host(&revocation.host),
            line("Key", revocation.keyid),
            line("Reason", &revocation.reason),
            line("Revoked at", revocation.at),
        ],
        Predicate::Rules(rules) => vec![
            line("Collector", &rules.collector_version),
            line("Freshness", format!("{} s", rules.freshness_seconds)),
            line("In force since", rules.at),
        ],
        Predicate::Pack(pack) => vec![
            line("From", pack.from),
            line("To (excluded)", pack.to),
            line("Catalogue", &pack.catalogue),
            line("Tree size", pack.tree_size),
            line("Root", pack.root),
            line("Issued at", pack.at),
        ],
        Predicate::Observation(observation) => {
            let mut lines = vec![
                host(&observation.host),
                line("Observed at", observation.observed_at),
                line("Sequence", observation.sequence),
                line("Epoch", &observation.epoch),
                line("Boot", &observation.boot_id),
                line(
                    "Agent",
                    format!("{}, executable {}", observation.agent.version, observation.agent.sha256),
                ),
            ];
            match observation.previous {
                Some(previous) => lines.push(line("Previous statement", previous)),
                None => lines.push(line("Previous statement", "none: the first of its epoch")),
            }
            if let Some(held) = &observation.held {
                let value = format!("until {}, seen in {} collections", held.until, held.collections);
                lines.push(line("Previous manifest held", value));
            }
            if let Some(lost) = &observation.lost {
                let value = format!("{} to {}: {}", lost.from, lost.to, lost.reason);
                lines.push(line("Lost statements", value));
            }
            if let Some(seen) = &observation.checkpoint {
                let value = format!("{}, {} entries, root {}", seen.origin, seen.size, seen.root);
                lines.push(line("Checkpoint that the host verified", value));
            }
            if let Some(alarm) = &observation.alarm {
                lines.push(line("ALARM", &alarm.kind));
            }
            lines
        }
    }
}

impl StatementPage {
    fn of(view: &View, detail: &StatementDetail) -> Self {
        let predicate = &detail.statement.predicate;
        let (signer, signer_link) = match &detail.signer {
            Signer::Collector => ("this collector".to_owned(), None),
            Signer::Host { host, name } => (name.clone(), Some(format!("/hosts/{host}"))),
            Signer::Nobody => ("nobody that the log knows".to_owned(), None),
        };
        let signature = if detail.signature_verifies {
            Mark {
                tone: "good",
                word: "verifies",
            }
        } else {
            Mark {
                tone: "bad",
                word: "does not verify",
            }
        };
        let payload = detail.statement.to_bytes().ok();
        let payload = payload.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let subjects = detail.statement.subject.iter();
        Self {
            frame: view.frame(&format!("Entry {}", detail.index), Section::Log),
            index: detail.index,
            what: what(predicate),
            kind: detail.kind,
            when: Some(When::of(at(predicate), view.now)),
            signer,
            signer_link,
            keyid: detail.keyid.to_string(),
            signature,
            lines: lines(detail),
            subjects: subjects
                .map(|subject| SubjectLine {
                    name: subject.name.clone(),
                    digest: subject.digest.to_string(),
                })
                .collect(),
            digest: detail.digest.to_string(),
            length: detail.envelope.len(),
            previous: detail.previous_index,
            next: detail.next_index,
            payload: payload
                .and_then(|payload| serde_json::to_string_pretty(&payload).ok())
                .unwrap_or_default(),
            envelope: detail.envelope.clone(),
        }
    }
}

pub(in crate::web) async fn show(visit: Visit, Path(index): Path<u64>) -> Shown {
    let detail = visit.ask(move |query| query.statement(index)).await?;
    page(&StatementPage::of(&visit.view, &detail))
}

/// The entry, byte for byte.
pub(in crate::web) async fn envelope(visit: Visit, Path(index): Path<u64>) -> Shown {
    let detail = visit.ask(move |query| query.statement(index)).await?;
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"entry-{index}.dsse.json\""),
        ),
        (CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
    ];
    Ok((headers, detail.envelope).into_response())
}

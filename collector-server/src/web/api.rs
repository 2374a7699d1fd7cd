//! The API, version 1: the answers that the pages show, as JSON. Errors are RFC 9457 problems.
//!
//! Every address takes `at=TIME`, or `from=TIME&to=TIME` where a period makes sense; the present without them. A program
//! sends the cookie of a session.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query as Asked};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use controls::catalogue;
use controls::status::Standing;
use serde::{Deserialize, Serialize};

use super::Web;
use super::pager;
use super::pages::facts::digest;
use super::pages::hosts::Chosen;
use super::trouble::{ApiTrouble, Trouble};
use super::visit::{Choice, Visit, instant};
use crate::query::{Query, QueryError, Span};

/// A list of findings is cut here: more than this is for `affiant-collector findings`.
const FINDINGS: usize = 10_000;

/// An answer, or why there is none.
type Answer = Result<Response, ApiTrouble>;

/// The routes, to be nested under `/api/v1`.
pub(super) fn router() -> Router<Arc<Web>> {
    Router::new()
        .route("/overview", get(overview))
        .route("/controls", get(controls))
        .route("/controls/{control}", get(control))
        .route("/hosts", get(hosts))
        .route("/hosts/{host}", get(host))
        .route("/hosts/{host}/findings/{rule}", get(finding))
        .route("/findings", get(findings))
        .route("/coverage", get(coverage))
        .route("/rules", get(rules))
        .route("/rules/{rule}", get(rule))
        .route("/facts/{digest}", get(facts))
        .route("/entries/{index}", get(entry))
        .fallback(async || ApiTrouble(Trouble::nothing_here()))
}

/// The instant or the period that a question is about, and the catalogue.
#[derive(Debug, Default, Deserialize)]
struct Question {
    from: Option<String>,
    to: Option<String>,
    catalogue: Option<String>,
    standing: Option<String>,
    rule: Option<String>,
    host: Option<String>,
    verdict: Option<String>,
    page: Option<u64>,
}

impl Question {
    fn span(&self, visit: &Visit) -> Result<Span, Trouble> {
        match (visit.view.at, &self.from, &self.to) {
            (None, Some(from), Some(to)) => Ok(Span::Over {
                from: instant(from)?,
                to: instant(to)?,
            }),
            (_, None, None) => Ok(visit.view.span()),
            _ => Err(Trouble::malformed(
                "at, or from and to together, or none of them are expected.",
            )),
        }
    }

    fn catalogue(&self) -> String {
        self.catalogue.clone().unwrap_or_else(|| catalogue::DEFAULT.to_owned())
    }

    fn standing(&self) -> Result<Option<Standing>, Trouble> {
        const STANDINGS: [Standing; 5] = [
            Standing::NotMet,
            Standing::Unknown,
            Standing::Excepted,
            Standing::Met,
            Standing::NotApplicable,
        ];
        let read = |text: &String| {
            let found = STANDINGS.into_iter().find(|standing| standing.as_str() == text);
            found.ok_or_else(|| {
                Trouble::malformed(format!(
                    "standing = {text:?}: met, not_met, unknown, not_applicable or excepted expected."
                ))
            })
        };
        self.standing.as_ref().map(read).transpose()
    }
}

type Asking = Result<Asked<Question>, axum::extract::rejection::QueryRejection>;

fn question(asked: Asking) -> Result<Question, Trouble> {
    asked
        .map(|Asked(question)| question)
        .map_err(|error| Trouble::malformed(error.body_text()))
}

async fn answer<T: Serialize + Send + 'static>(
    visit: &Visit,
    ask: impl FnOnce(&Query) -> Result<T, QueryError> + Send + 'static,
) -> Answer {
    // Serialised where it may block: a long list takes a while.
    let found = visit.ask(move |query| Ok(serde_json::to_vec(&ask(query)?))).await?;
    let body = found.map_err(|error| Trouble::internal(&error))?;
    let kind = [(axum::http::header::CONTENT_TYPE, "application/json")];
    Ok((kind, body).into_response())
}

async fn overview(visit: Visit, asked: Asking) -> Answer {
    let question = question(asked)?;
    let (span, catalogue) = (question.span(&visit)?, question.catalogue());
    answer(&visit, move |query| query.overview(&catalogue, span)).await
}

async fn controls(visit: Visit, asked: Asking) -> Answer {
    let question = question(asked)?;
    let (span, catalogue) = (question.span(&visit)?, question.catalogue());
    answer(&visit, move |query| Ok(query.controls(&catalogue, span)?.1)).await
}

async fn control(visit: Visit, Path(id): Path<String>, asked: Asking) -> Answer {
    let question = question(asked)?;
    let (span, catalogue) = (question.span(&visit)?, question.catalogue());
    let (standing, page) = (question.standing()?, pager::page(question.page));
    answer(&visit, move |query| {
        query.control(&catalogue, &id, span, standing, page)
    })
    .await
}

async fn hosts(visit: Visit, asked: Asking, Choice(chosen): Choice<Chosen>) -> Answer {
    let span = question(asked)?.span(&visit)?;
    let (filter, page) = (chosen.filter(), chosen.page());
    answer(&visit, move |query| query.hosts(span, &filter, page)).await
}

async fn host(visit: Visit, Path(host): Path<String>, asked: Asking) -> Answer {
    let (span, id) = (question(asked)?.span(&visit)?, super::pages::host_id(host)?);
    answer(&visit, move |query| query.host(&id, span)).await
}

async fn finding(visit: Visit, Path((host, rule)): Path<(String, String)>, asked: Asking) -> Answer {
    let (span, id) = (question(asked)?.span(&visit)?, super::pages::host_id(host)?);
    answer(&visit, move |query| query.finding(&id, &rule, span)).await
}

/// Findings, and whether the list was cut.
#[derive(Serialize)]
struct FindingList {
    as_of: crate::query::AsOf,
    complete: bool,
    findings: Vec<crate::query::ListedFinding>,
}

async fn findings(visit: Visit, asked: Asking) -> Answer {
    use controls::verdict::Verdict;
    let question = question(asked)?;
    let span = question.span(&visit)?;
    let verdicts = [Verdict::Met, Verdict::NotMet, Verdict::Unknown, Verdict::NotApplicable];
    let mut wanted = Vec::new();
    for text in question.verdict.iter().flat_map(|text| text.split(',')) {
        let found = verdicts.into_iter().find(|verdict| verdict.as_str() == text);
        let wrong = || {
            Trouble::malformed(format!(
                "verdict = {text:?}: met, not_met, unknown or not_applicable expected."
            ))
        };
        wanted.push(found.ok_or_else(wrong)?);
    }
    let filter = crate::query::FindingFilter {
        host: question.host.map(super::pages::host_id).transpose()?,
        rule: question.rule,
        verdicts: wanted,
    };
    answer(&visit, move |query| {
        let (mut findings, mut complete) = (Vec::new(), true);
        let as_of = query.findings(span, &filter, |finding| {
            if findings.len() == FINDINGS {
                complete = false;
                return ControlFlow::Break(());
            }
            findings.push(finding);
            ControlFlow::Continue(())
        })?;
        Ok(FindingList {
            as_of,
            complete,
            findings,
        })
    })
    .await
}

async fn coverage(visit: Visit, asked: Asking) -> Answer {
    let question = question(asked)?;
    match question.span(&visit)? {
        Span::Now => {
            let page = pager::page(question.page);
            answer(&visit, move |query| query.coverage_now(page, page)).await
        }
        span => answer(&visit, move |query| query.coverage(span)).await,
    }
}

async fn rules(visit: Visit, asked: Asking) -> Answer {
    let span = question(asked)?.span(&visit)?;
    answer(&visit, move |query| Ok(query.rules(span)?.1)).await
}

async fn rule(visit: Visit, Path(rule): Path<String>, asked: Asking) -> Answer {
    let span = question(asked)?.span(&visit)?;
    answer(&visit, move |query| query.rule(&rule, span)).await
}

async fn facts(visit: Visit, Path(text): Path<String>, asked: Asking) -> Answer {
    let page = pager::page(question(asked)?.page);
    let digest = digest(&text)?;
    answer(&visit, move |query| query.facts(&digest, page, page)).await
}

async fn entry(visit: Visit, Path(index): Path<u64>) -> Answer {
    answer(&visit, move |query| query.statement(index)).await
}

//! Questions to the evidence: the one way by which the command line, the web pages and the API read it.
//!
//! Every answer is about one [`Span`]: the present, a past instant, or a period. The present comes from what the index
//! keeps ready and is fast at any number of hosts. An instant is made once out of its rows, and kept as long as nothing that
//! comes in reaches back to it; a period is told host by host from the intervals that it keeps. All give
//! what the crate `controls` makes of the log itself; tests hold them to that.
//!
//! Calls block: async code asks from [`tokio::task::spawn_blocking`].

mod asking;
mod changes;
mod control;
mod coverage;
mod error;
mod facts;
mod finding;
mod fleet;
mod host;
mod hosts;
mod namesakes;
mod overview;
mod page;
mod past;
mod rule;
mod span;
mod statement;

pub use asking::Query;
pub use control::{ControlDetail, ControlHost};
pub use coverage::{CoverageNow, MissingHost};
pub use error::QueryError;
pub use facts::{FactsDetail, Holder};
pub use finding::{FindingDetail, FindingFilter, ListedFinding};
pub use host::{
    DocumentInterval, HostDetail, HostDocument, HostFilter, HostReporting, HostSort, HostSummary, Hosts, StandingCounts,
};
pub use namesakes::{Namesake, Namesakes};
pub use overview::{Change, HostTotals, Overview, StatusCounts};
pub use page::{Page, Paged};
pub use rule::{RuleDetail, RuleSummary, RulesInForce};
pub use span::{AsOf, Span};
pub use statement::{Signer, StatementDetail, StatementSummary};

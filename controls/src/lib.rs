//! Catalogues, rules, their evaluation and the status of controls. Pure: no clock, no I/O; the collector and the offline
//! verifier get the same results from the same evidence.

pub mod assessment;
pub mod baseline;
pub mod catalogue;
pub mod coverage;
mod data;
pub mod evaluation;
pub mod expression;
pub mod finding;
pub mod rule;
pub mod schema;
pub mod status;
pub mod timeline;
mod value;
pub mod verdict;
mod yaml;

pub use baseline::Baseline;
pub use catalogue::{Catalogue, Control, ControlId};
pub use coverage::Coverage;
pub use evaluation::Evaluation;
pub use finding::{FactsSource, Finding, Judge};
pub use rule::{Rule, RuleSet};
pub use status::{ControlStatus, Status};
pub use timeline::Timeline;
pub use verdict::{Judgement, Observed, Verdict};
pub use yaml::MAX_BYTES as MAX_FILE_BYTES;

//! Catalogues, rules, their evaluation and the status of controls. Pure: no clock, no I/O; the collector and the offline
//! verifier get the same results from the same evidence.

pub mod baseline;
pub mod catalogue;
mod data;
pub mod evaluation;
pub mod expression;
pub mod rule;
pub mod schema;
mod value;
pub mod verdict;

pub use baseline::Baseline;
pub use catalogue::{Catalogue, Control, ControlId};
pub use evaluation::Evaluation;
pub use rule::{Rule, RuleSet};
pub use verdict::{Judgement, Observed, Verdict};

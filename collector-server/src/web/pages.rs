//! The pages: one file and one template each.

pub(super) mod control;
pub(super) mod coverage;
pub(super) mod facts;
pub(super) mod finding;
pub(super) mod host;
pub(super) mod hosts;
pub(super) mod log;
pub(super) mod overview;
pub(super) mod place;
mod reading;

pub(super) mod rule;
pub(super) mod rules;
pub(super) mod statement;

use controls::catalogue::{self, Catalogue};

use super::trouble::Trouble;

/// The catalogue that the pages show.
fn catalogue() -> Result<&'static Catalogue, Trouble> {
    catalogue::find(catalogue::DEFAULT).ok_or_else(Trouble::nothing_here)
}

pub(super) use host::host_id;

//! One control.

use controls::status::{ControlStatus, Standing};
use controls::verdict::Verdict;
use evidence::statement::HostId;
use serde::Serialize;

use super::{AsOf, HostReporting, Paged};

/// All about one control. Its text and what hosts can show about it are in `controls::catalogue`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// Its status, its rules, and where hosts stand.
    pub status: ControlStatus,
    /// The hosts in scope, with the standing that was asked for if one was, by name.
    pub hosts: Paged<ControlHost>,
}

/// A host and one control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlHost {
    /// Its id; absent if it never enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// Its name.
    pub name: String,
    /// Whether it reports; absent if it never enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporting: Option<HostReporting>,
    /// The worst by the rules that bear on the control.
    pub standing: Standing,
    /// Verdicts of these rules, in the order of `status.rules`.
    pub verdicts: Vec<Verdict>,
}

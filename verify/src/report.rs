//! What was checked, for people and for programs.

use serde::Serialize;

/// The course of a verification. `--json` prints it.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// `verified`, `not_verified` or `could_not_tell`; empty while the verification runs.
    pub verdict: String,
    /// Why not, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Each check that was passed, in order.
    pub checks: Vec<Check>,
    /// What a reader must know although nothing is wrong with the pack.
    pub warnings: Vec<String>,
    /// The log and the period, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackFacts>,
}

/// What is wrong and where.
#[derive(Debug, Serialize)]
pub struct Reason {
    /// What.
    pub what: String,
    /// File in the pack, and more where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A check that was passed.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was checked, as a sentence without an end.
    pub what: String,
    /// Of how many things.
    pub count: u64,
}

/// What the pack says about itself, once that is verified.
#[derive(Debug, Serialize)]
pub struct PackFacts {
    /// The log's origin.
    pub origin: String,
    /// Entries of the log that the pack shows.
    pub tree_size: u64,
    /// Merkle tree hash at that size.
    pub root: String,
    /// Begin of the period.
    pub from: String,
    /// End of the period, excluded.
    pub to: String,
    /// The catalogue.
    pub catalogue: String,
}

impl Report {
    /// Notes a check that was passed.
    pub fn passed(&mut self, what: impl Into<String>, count: u64) {
        self.checks.push(Check {
            what: what.into(),
            count,
        });
    }

    /// Notes a warning.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(pack) = &self.pack {
            writeln!(
                f,
                "log      {}, {} entries, root {}",
                pack.origin, pack.tree_size, pack.root
            )?;
            writeln!(
                f,
                "period   {} to {} (excluded), {}",
                pack.from, pack.to, pack.catalogue
            )?;
        }
        self.checks
            .iter()
            .try_for_each(|check| writeln!(f, "ok       {} ({})", check.what, check.count))?;
        self.warnings
            .iter()
            .try_for_each(|warning| writeln!(f, "WARNING  {warning}"))?;
        match &self.reason {
            None => writeln!(f, "{}", self.verdict.replace('_', " ")),
            Some(reason) => {
                let verdict = self.verdict.replace('_', " ").to_uppercase();
                let place = reason
                    .place
                    .as_ref()
                    .map(|place| format!(" in {place}"))
                    .unwrap_or_default();
                writeln!(f, "{verdict}: {}{place}", reason.what)
            }
        }
    }
}

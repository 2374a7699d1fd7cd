//! Results as tables: the same as the JSON of [`Finding`], [`ControlStatus`] and [`Coverage`], for people with a
//! spreadsheet. RFC 4180, UTF-8, one row per finding, control or host; times are RFC 3339, lists are joined by `; `.

use serde_json::Value;

use crate::coverage::{Coverage, CoverageGap};
use crate::finding::Finding;
use crate::status::ControlStatus;
use crate::verdict::Observed;

/// Findings, in the order given.
pub fn findings_csv<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    let mut table = Table::new(&[
        "host",
        "rule",
        "verdict",
        "from",
        "to",
        "observed",
        "reason",
        "document",
        "facts_sha256",
        "first_index",
        "last_index",
    ]);
    for finding in findings {
        table.row([
            finding.host.to_string(),
            finding.rule.clone(),
            finding.verdict.as_str().to_owned(),
            finding.from.to_string(),
            finding.to.to_string(),
            finding.observed.iter().map(shown).collect::<Vec<_>>().join("; "),
            finding.reason.clone(),
            finding.document.to_string(),
            optional(finding.facts),
            optional(finding.first_index),
            optional(finding.last_index),
        ]);
    }
    table.text
}

/// Controls, in the order given.
pub fn controls_csv<'a>(controls: impl IntoIterator<Item = &'a ControlStatus>) -> String {
    let mut table = Table::new(&[
        "catalogue",
        "control",
        "name",
        "status",
        "reason",
        "met",
        "not_met",
        "unknown",
        "not_applicable",
        "excepted",
        "rules",
        "evidence_age_seconds",
    ]);
    for control in controls {
        let hosts = &control.hosts;
        let rules = control
            .rules
            .iter()
            .map(|rule| format!("{} ({})", rule.id, rule.bearing.as_str()));
        table.row([
            control.catalogue.clone(),
            control.id.to_string(),
            control.name.clone(),
            control.status.as_str().to_owned(),
            control.reason.clone(),
            hosts.met.to_string(),
            hosts.not_met.to_string(),
            hosts.unknown.to_string(),
            hosts.not_applicable.to_string(),
            hosts.excepted.to_string(),
            rules.collect::<Vec<_>>().join("; "),
            optional(control.evidence_age),
        ]);
    }
    table.text
}

/// The hosts of a coverage.
pub fn coverage_csv(coverage: &Coverage) -> String {
    let mut table = Table::new(&["name", "host", "stage", "last_statement", "gaps", "not_measured"]);
    let gap = |gap: &CoverageGap| format!("{} {} to {}", gap.kind.as_str(), gap.from, gap.to);
    for host in &coverage.hosts {
        table.row([
            host.name.clone(),
            optional(host.host.as_ref()),
            host.stage.as_str().to_owned(),
            optional(host.last_statement),
            host.gaps.iter().map(gap).collect::<Vec<_>>().join("; "),
            host.not_measured
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; "),
        ]);
    }
    table.text
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn shown(observed: &Observed) -> String {
    let value = match (&observed.value, &observed.missing) {
        (Some(Value::String(text)), _) => text.clone(),
        (Some(value), _) => value.to_string(),
        (None, missing) => format!("not observed ({})", missing.as_deref().unwrap_or_default()),
    };
    match observed.total {
        Some(total) => format!("{} (first of {total}): {value}", observed.label),
        None => format!("{}: {value}", observed.label),
    }
}

struct Table {
    text: String,
}

impl Table {
    fn new(header: &[&str]) -> Self {
        let mut table = Self { text: String::new() };
        table.row(header.iter().map(|name| (*name).to_owned()));
        table
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            self.text.push('"');
            // A cell that begins like a formula is executed by spreadsheets; facts come from hosts that nobody trusts.
            if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                self.text.push('\'');
            }
            self.text.push_str(&cell.replace('"', "\"\""));
            self.text.push('"');
        }
        self.text.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_become_formulas_or_other_cells() {
        let mut table = Table::new(&["a", "b"]);
        table.row(["=HYPERLINK(\"x\")".to_owned(), "one, \"two\"\nthree".to_owned()]);
        assert_eq!(
            table.text,
            "\"a\",\"b\"\r\n\"'=HYPERLINK(\"\"x\"\")\",\"one, \"\"two\"\"\nthree\"\r\n"
        );
        let mut reader = csv::Reader::from_reader(table.text.as_bytes());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(&rows[0][1], "one, \"two\"\nthree");
    }
}

//! An assessment as CSV (RFC 4180), for spreadsheets.

use evidence::Timestamp;

use super::Assessment;
use crate::coverage::Coverage;
use crate::finding::Finding;
use crate::status::ControlStatus;
use crate::verdict::Observed;

/// A spreadsheet takes a cell that begins with one of these for a formula; an apostrophe in front keeps it text.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn write<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing to memory does not fail, and every row has as many cells as the header.
    let mut written = writer.write_record(header);
    for row in rows {
        written = written.and_then(|()| writer.write_record(row.iter().map(|text| cell(text))));
    }
    written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default()
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn observed(values: &[Observed]) -> String {
    let one = |observed: &Observed| match (&observed.value, &observed.missing) {
        (Some(value), _) => match observed.total {
            Some(total) => format!("{} (first of {total}): {value}", observed.label),
            None => format!("{}: {value}", observed.label),
        },
        (None, missing) => format!(
            "{}: not known ({})",
            observed.label,
            missing.as_deref().unwrap_or_default()
        ),
    };
    values.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Findings, a row each.
pub fn findings(findings: &[Finding]) -> Vec<u8> {
    let header = [
        "host",
        "rule",
        "from",
        "to",
        "verdict",
        "observed",
        "reason",
        "document",
        "facts_sha256",
        "first_index",
        "last_index",
    ];
    let row = |finding: &Finding| {
        [
            finding.host.to_string(),
            finding.rule.clone(),
            finding.from.to_string(),
            finding.to.to_string(),
            finding.verdict.as_str().to_owned(),
            observed(&finding.observed),
            finding.reason.clone(),
            finding.document.to_string(),
            optional(finding.facts),
            optional(finding.first_index),
            optional(finding.last_index),
        ]
    };
    write(header, findings.iter().map(row))
}

/// Controls, a row each.
pub fn controls(controls: &[ControlStatus]) -> Vec<u8> {
    let header = [
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
    ];
    let row = |control: &ControlStatus| {
        let hosts = &control.hosts;
        [
            control.catalogue.clone(),
            control.id.as_str().to_owned(),
            control.name.clone(),
            control.status.as_str().to_owned(),
            control.reason.clone(),
            hosts.met.to_string(),
            hosts.not_met.to_string(),
            hosts.unknown.to_string(),
            hosts.not_applicable.to_string(),
            hosts.excepted.to_string(),
            control
                .rules
                .iter()
                .map(|rule| rule.id.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        ]
    };
    write(header, controls.iter().map(row))
}

/// Coverage: a row for each host in scope and each of its gaps, or one without a gap.
pub fn coverage(coverage: &Coverage) -> Vec<u8> {
    let header = [
        "name",
        "host",
        "stage",
        "last_statement",
        "gap",
        "gap_from",
        "gap_to",
        "not_measured",
    ];
    let rows = coverage.hosts.iter().flat_map(|host| {
        let not_measured = host
            .not_measured
            .iter()
            .map(evidence::facts::ProbeId::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let row = move |kind: String, from: Option<Timestamp>, to: Option<Timestamp>| {
            [
                host.name.clone(),
                optional(host.host.as_ref()),
                word(&host.stage),
                optional(host.last_statement),
                kind,
                optional(from),
                optional(to),
                not_measured.clone(),
            ]
        };
        let gaps: Vec<_> = host
            .gaps
            .iter()
            .map(|gap| row(word(&gap.kind), Some(gap.from), Some(gap.to)))
            .collect();
        if gaps.is_empty() {
            vec![row(String::new(), None, None)]
        } else {
            gaps
        }
    });
    write(header, rows)
}

/// The word that JSON has for a value of an enumeration.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The form in which results are files: JSON for people too, with a line end. `Err` only if a value is no JSON.
pub fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

impl Assessment {
    /// Each file of results by its name in a pack. `Err` only if a value is no JSON.
    pub fn files(&self) -> Result<[(&'static str, Vec<u8>); 6], serde_json::Error> {
        use evidence::pack;
        Ok([
            (pack::CONTROLS_TABLE, controls(&self.controls)),
            (pack::CONTROLS, json(&self.controls)?),
            (pack::COVERAGE_TABLE, coverage(&self.coverage)),
            (pack::COVERAGE, json(&self.coverage)?),
            (pack::FINDINGS_TABLE, findings(&self.findings)),
            (pack::FINDINGS, json(&self.findings)?),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let rows = write(
            ["a", "b"],
            [
                ["=1+1".to_owned(), "x,\"y\"\n".to_owned()],
                ["@x".to_owned(), "-".to_owned()],
            ],
        );
        assert_eq!(
            String::from_utf8(rows).unwrap(),
            "a,b\r\n'=1+1,\"x,\"\"y\"\"\n\"\r\n'@x,'-\r\n"
        );
    }
}

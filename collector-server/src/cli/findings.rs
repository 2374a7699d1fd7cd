//! `findings`

use std::io::Write;
use std::ops::ControlFlow;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use controls::verdict::{Observed, Verdict};
use evidence::statement::HostId;

use super::hosts::words;
use super::question::{Asked, When, count, printing, table};
use crate::data_dir::DataDir;
use crate::query::{FindingFilter, ListedFinding, Span};

/// List findings: what rules say about hosts, and what was observed
#[derive(Debug, Args)]
pub(super) struct Findings {
    #[command(flatten)]
    when: When,
    /// Only of this host (id)
    #[arg(long, value_name = "ID")]
    host: Option<HostId>,
    /// Only by this rule (id)
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Only with this verdict; may be given several times [default: not-met and unknown; with --json, --host or --rule all]
    #[arg(long, value_name = "VERDICT")]
    verdict: Vec<VerdictName>,
    /// Print JSON: a list of findings
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum VerdictName {
    Met,
    NotMet,
    Unknown,
    NotApplicable,
}

impl From<VerdictName> for Verdict {
    fn from(name: VerdictName) -> Self {
        match name {
            VerdictName::Met => Self::Met,
            VerdictName::NotMet => Self::NotMet,
            VerdictName::Unknown => Self::Unknown,
            VerdictName::NotApplicable => Self::NotApplicable,
        }
    }
}

impl Findings {
    fn filter(&self) -> FindingFilter {
        let mut verdicts: Vec<Verdict> = self.verdict.iter().copied().map(Verdict::from).collect();
        if verdicts.is_empty() && !self.json && self.host.is_none() && self.rule.is_none() {
            verdicts = vec![Verdict::NotMet, Verdict::Unknown];
        }
        FindingFilter {
            host: self.host.clone(),
            rule: self.rule.clone(),
            verdicts,
        }
    }

    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let asked = Asked::open(data)?;
        let span = self.when.span(asked.now)?;
        let filter = self.filter();
        printing(|out| {
            if self.json {
                return json(&asked, span, &filter, out);
            }
            people(&asked, span, &filter, out)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// One by one: a fleet may have millions.
fn json(asked: &Asked, span: Span, filter: &FindingFilter, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    let mut failed = None;
    let mut separator = "[\n";
    let listed = asked.query.findings(span, filter, |finding| {
        failed = write(&finding, separator, out).err();
        separator = ",\n";
        if failed.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    listed?;
    writeln!(out, "{}", if separator == "[\n" { "[]" } else { "\n]" })?;
    Ok(())
}

fn write(finding: &ListedFinding, separator: &str, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    write!(out, "{separator}{}", serde_json::to_string(finding)?)?;
    Ok(())
}

fn people(asked: &Asked, span: Span, filter: &FindingFilter, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    /// Rows of one table: a longer one is read by nobody.
    const MOST: u64 = 1_000;
    let mut shown = table(["host", "rule", "verdict", "since", "observed"]);
    let mut total = 0;
    let as_of = asked.query.findings(span, filter, |listed| {
        total += 1;
        if total <= MOST {
            shown.add_row(row(&listed));
        }
        ControlFlow::Continue(())
    })?;
    if total > 0 {
        writeln!(out, "{shown}")?;
    }
    writeln!(out, "{}.", count(total, "finding", "findings"))?;
    if total > MOST {
        writeln!(
            out,
            "The first {MOST} are shown; --host, --rule, --verdict show fewer, --json all."
        )?;
    }
    asked.about(as_of, out)
}

fn row(listed: &ListedFinding) -> Vec<String> {
    let finding = &listed.finding;
    let period = match listed.since {
        Some(since) => since.to_string(),
        None if finding.to == finding.from.plus(1) => String::new(),
        None => format!("{} to {}", finding.from, finding.to),
    };
    let mut observed = Vec::new();
    if !finding.reason.is_empty() {
        observed.push(finding.reason.clone());
    }
    observed.extend(finding.observed.iter().map(value));
    vec![
        listed.name.clone(),
        finding.rule.clone(),
        words(finding.verdict).to_owned(),
        period,
        observed.join("\n"),
    ]
}

/// An observed value in a cell: long ones are cut, the facts have them whole.
fn value(observed: &Observed) -> String {
    const LONGEST: usize = 160;
    let text = match (&observed.value, &observed.missing) {
        (Some(serde_json::Value::String(text)), _) => text.clone(),
        (Some(value), _) => value.to_string(),
        (None, Some(why)) => format!("not known ({why})"),
        (None, None) => "not known".to_owned(),
    };
    let cut: String = text.chars().take(LONGEST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{}: {cut}{more}", observed.label)
}

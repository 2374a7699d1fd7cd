//! `coverage`

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use controls::Coverage;
use controls::coverage::{GapKind, ScopeSource, Stage};

use super::question::{Asked, When, count, instant_cell, print_json, printing, table};
use crate::data_dir::DataDir;
use crate::query::AsOf;

/// Show which hosts ought to report, which do, and since when the others do not
#[derive(Debug, Args)]
pub(super) struct ShowCoverage {
    #[command(flatten)]
    when: When,
    /// Print JSON: totals and every host in scope with its gaps
    #[arg(long)]
    json: bool,
}

impl ShowCoverage {
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let asked = Asked::open(data)?;
        let coverage = asked.query.coverage(self.when.span(asked.now)?)?;
        printing(|out| {
            if self.json {
                return print_json(&coverage, out);
            }
            print(&coverage, out)?;
            let as_of = AsOf {
                from: coverage.from,
                to: coverage.to,
                entries: asked.query.position()?,
            };
            asked.about(as_of, out)?;
            asked.namesakes(out)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(coverage: &Coverage, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    let counts = coverage.counts;
    let scope = match coverage.scope {
        ScopeSource::List => "by the list of hosts",
        ScopeSource::Enrolled => "the enrolled hosts, for no list says which ought to report",
    };
    writeln!(out, "in scope   {} ({scope})", counts.scope)?;
    writeln!(out, "enrolled   {}", counts.enrolled)?;
    writeln!(out, "reporting  {}", counts.reporting)?;
    writeln!(out, "fresh      {}", counts.fresh)?;
    writeln!(out, "measured   {}", counts.measured)?;
    let mut shown = table(["host", "stage", "last statement", "gap", "from", "to", "not measured"]);
    let mut rows = 0;
    for host in &coverage.hosts {
        if host.gaps.is_empty() && host.not_measured.is_empty() {
            continue;
        }
        rows += 1;
        let unseen: Vec<_> = host.not_measured.iter().map(evidence::facts::ProbeId::as_str).collect();
        let begin = [
            host.name.clone(),
            stage(host.stage).to_owned(),
            instant_cell(host.last_statement),
        ];
        let row = |gap: [String; 3]| {
            begin
                .iter()
                .cloned()
                .chain(gap)
                .chain([unseen.join(", ")])
                .collect::<Vec<_>>()
        };
        if host.gaps.is_empty() {
            shown.add_row(row([const { String::new() }; 3]));
        }
        for gap in &host.gaps {
            shown.add_row(row([
                kind(gap.kind).to_owned(),
                gap.from.to_string(),
                gap.to.to_string(),
            ]));
        }
    }
    if rows > 0 {
        writeln!(out, "{shown}")?;
    }
    match rows {
        0 if counts.scope == 0 => writeln!(out, "No host is in scope.")?,
        0 => writeln!(
            out,
            "Every host in scope reported all the time, and every document was observed."
        )?,
        rows => writeln!(
            out,
            "{} with gaps or documents that were not observed.",
            count(rows, "host", "hosts")
        )?,
    }
    if !coverage.outside_scope.is_empty() {
        writeln!(out, "Not in scope: {}.", coverage.outside_scope.join(", "))?;
    }
    Ok(())
}

const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Missing => "never enrolled",
        Stage::Enrolled => "enrolled",
        Stage::Reporting => "reporting",
        Stage::Fresh => "fresh",
        Stage::Measured => "measured",
    }
}

const fn kind(kind: GapKind) -> &'static str {
    match kind {
        GapKind::NotEnrolled => "not enrolled",
        GapKind::Revoked => "revoked",
        GapKind::Silent => "silent",
    }
}

//! `controls`

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use controls::catalogue;
use controls::status::Status;

use super::question::{Asked, When, count, print_json, printing, table};
use crate::data_dir::DataDir;
use crate::query::Overview;

/// Show which controls evidence from hosts supports, and which it contradicts
#[derive(Debug, Args)]
pub(super) struct Controls {
    #[command(flatten)]
    when: When,
    /// The catalogue
    #[arg(long, default_value = catalogue::DEFAULT, value_name = "ID")]
    catalogue: String,
    /// Print JSON: a list of all controls of the catalogue
    #[arg(long)]
    json: bool,
}

impl Controls {
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let asked = Asked::open(data)?;
        let overview = asked.query.overview(&self.catalogue, self.when.span(asked.now)?)?;
        printing(|out| {
            if self.json {
                return print_json(&overview.controls, out);
            }
            print(&overview, out)?;
            asked.about(overview.as_of, out)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(overview: &Overview, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    let mut shown = table([
        "control",
        "name",
        "status",
        "met",
        "not met",
        "unknown",
        "not applicable",
        "why",
    ]);
    let evidenced = |status: Status| status != Status::NotEvidenced;
    for control in overview.controls.iter().filter(|control| evidenced(control.status)) {
        let hosts = &control.hosts;
        shown.add_row(vec![
            control.id.to_string(),
            control.name.clone(),
            words(control.status).to_owned(),
            hosts.met.to_string(),
            hosts.not_met.to_string(),
            hosts.unknown.to_string(),
            hosts.not_applicable.to_string(),
            control.reason.clone(),
        ]);
    }
    writeln!(out, "{shown}")?;
    let statuses = overview.statuses;
    writeln!(
        out,
        "Evidence from hosts supports {}, contradicts {}, and leaves open {}; no rule bears on {}.",
        count(statuses.supported, "control", "controls"),
        statuses.contradicted,
        statuses.unknown,
        statuses.not_evidenced
    )?;
    let coverage = overview.coverage;
    writeln!(
        out,
        "Of {} in scope {} enrolled, {} reported, for {} a statement speaks at the end.",
        count(coverage.scope, "host", "hosts"),
        coverage.enrolled,
        coverage.reporting,
        coverage.fresh
    )?;
    Ok(())
}

const fn words(status: Status) -> &'static str {
    match status {
        Status::Supported => "supported",
        Status::Contradicted => "contradicted",
        Status::Unknown => "unknown",
        Status::NotEvidenced => "not evidenced",
    }
}

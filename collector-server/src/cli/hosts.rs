//! `hosts`

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use controls::verdict::Verdict;

use super::question::{Asked, When, count, instant_cell, print_json, printing, table};
use crate::data_dir::DataDir;
use crate::query::{HostFilter, HostSummary, Hosts, Page};

/// List hosts: whether they report, and where they stand
#[derive(Debug, Args)]
pub(super) struct ListHosts {
    #[command(flatten)]
    when: When,
    /// Only hosts with this text in their name or id
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Print JSON: a list of hosts
    #[arg(long)]
    json: bool,
}

impl ListHosts {
    pub(super) fn run(self, data: &DataDir) -> Result<ExitCode, anyhow::Error> {
        let asked = Asked::open(data)?;
        let filter = HostFilter {
            text: self.text,
            ..HostFilter::default()
        };
        let hosts = asked.query.hosts(self.when.span(asked.now)?, &filter, Page::ALL)?;
        printing(|out| {
            if self.json {
                return print_json(&hosts.hosts.items, out);
            }
            print(&hosts, out)?;
            asked.about(hosts.as_of, out)?;
            asked.namesakes(out)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(hosts: &Hosts, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    if hosts.hosts.items.is_empty() {
        writeln!(
            out,
            "No hosts. `affiant-collector token create` prints the command that enrols one."
        )?;
        return Ok(());
    }
    let mut shown = table([
        "host",
        "id",
        "reporting",
        "last statement",
        "standing",
        "met",
        "not met",
        "unknown",
        "not applicable",
    ]);
    for host in &hosts.hosts.items {
        shown.add_row(row(host));
    }
    writeln!(out, "{shown}")?;
    writeln!(out, "{}.", count(hosts.hosts.total, "host", "hosts"))?;
    Ok(())
}

fn row(host: &HostSummary) -> Vec<String> {
    let reporting = match host.silent_since {
        Some(since) => format!("{} since {since}", host.reporting.as_str()),
        None => host.reporting.as_str().replace('_', " "),
    };
    let name = if host.in_scope {
        host.name.clone()
    } else {
        format!("{} (not in scope)", host.name)
    };
    vec![
        name,
        host.host.to_string(),
        reporting,
        instant_cell(host.last_statement),
        words(host.standing).to_owned(),
        host.verdicts.met.to_string(),
        host.verdicts.not_met.to_string(),
        host.verdicts.unknown.to_string(),
        host.verdicts.not_applicable.to_string(),
    ]
}

/// A verdict for people.
pub(super) const fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::NotMet => "not met",
        Verdict::Unknown => "unknown",
        Verdict::NotApplicable => "not applicable",
    }
}

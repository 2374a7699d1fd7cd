//! `rules list`, `rules test`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use controls::rule::{Bearing, CaseResult, RuleSet, Severity};
use evidence::Digest;
use evidence::facts::ProbeId;
use serde::Serialize;

use super::question::{count, print_json, printing, table};
use crate::rules::Rules;

/// Show and test rules; needs no collector
#[derive(Debug, Args)]
pub(super) struct RulesCommand {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the built-in rules and those in a folder
    List(What),
    /// Run the cases in the rule files
    ///
    /// Exit status: 0 all cases pass, 1 some do not.
    Test(What),
}

#[derive(Debug, Args)]
struct What {
    /// Folder with further rules (<id>.yaml) and parameters (baseline.yaml)
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print JSON: a list
    #[arg(long)]
    json: bool,
}

/// What `rules list --json` prints of each rule.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    id: &'a str,
    title: &'a str,
    severity: Severity,
    reads: &'a ProbeId,
    version: u32,
    digest: Digest,
    controls: &'a [Bearing],
    parameters: &'a serde_json::Value,
}

impl RulesCommand {
    pub(super) fn run(self) -> Result<ExitCode, anyhow::Error> {
        match self.command {
            Action::List(what) => what.list(),
            Action::Test(what) => what.test(),
        }
    }
}

impl What {
    fn list(self) -> Result<ExitCode, anyhow::Error> {
        let rules = Rules::load(self.folder.as_deref())?;
        printing(|out| {
            if self.json {
                return print_json(&listed(rules.set()), out);
            }
            let mut shown = table(["rule", "finds", "severity", "reads", "controls"]);
            for rule in rules.set().rules() {
                let controls: Vec<_> = rule.controls().iter().map(|bearing| bearing.control.as_str()).collect();
                shown.add_row(vec![
                    rule.id().to_owned(),
                    rule.title().to_owned(),
                    format!("{:?}", rule.severity()).to_lowercase(),
                    rule.reads().to_string(),
                    controls.join(", "),
                ]);
            }
            let total = u64::try_from(rules.set().rules().len())?;
            writeln!(out, "{shown}\n{}.", count(total, "rule", "rules"))?;
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn test(self) -> Result<ExitCode, anyhow::Error> {
        let rules = Rules::load(self.folder.as_deref())?;
        let results = rules.set().test_cases();
        let failed = results.iter().filter(|result| !result.passed()).count();
        printing(|out| {
            if self.json {
                return print_json(&results, out);
            }
            report(&results, failed, out)
        })?;
        Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

pub(super) fn listed(set: &RuleSet) -> Vec<Listed<'_>> {
    let listed = set.rules().map(|rule| Listed {
        id: rule.id(),
        title: rule.title(),
        severity: rule.severity(),
        reads: rule.reads(),
        version: rule.version(),
        digest: rule.digest(),
        controls: rule.controls(),
        parameters: rule.values(),
    });
    listed.collect()
}

fn report(results: &[CaseResult], failed: usize, out: &mut dyn Write) -> Result<(), anyhow::Error> {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results {
        *rules.entry(&result.rule).or_default() += 1;
        for failure in &result.failures {
            writeln!(
                out,
                "FAILED {}: {}: {}: expected {}, found {}",
                result.rule, result.case, failure.what, failure.expected, failure.found
            )?;
        }
    }
    let cases = count(u64::try_from(results.len())?, "case", "cases");
    let of = count(u64::try_from(rules.len())?, "rule", "rules");
    match failed {
        0 => writeln!(out, "{cases} of {of} pass")?,
        failed => writeln!(out, "{failed} of {cases} of {of} failed")?,
    }
    Ok(())
}

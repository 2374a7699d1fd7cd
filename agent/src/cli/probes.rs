//! `affiant-agent probes`.

use std::fmt::Write as _;

use clap::Args;
use probes::{Cadence, Spec, registry};

use super::{Failure, print};

/// List the probes: what each reads, which privilege it needs, how much it may spend.
#[derive(Debug, Args)]
pub(super) struct Probes {
    /// Print a JSON list of `{"id","version","title","reads","runs","privilege","cadence","watch","budget":{"millis","bytes"},
    /// "does_not_show"}`.
    #[arg(long)]
    json: bool,
}

impl Probes {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let specs: Vec<_> = registry::all().iter().map(|probe| probe.spec).collect();
        if self.json {
            let json = serde_json::to_string_pretty(&specs).map_err(Failure::Json)?;
            return print(&format!("{json}\n"));
        }
        print(&specs.into_iter().map(described).collect::<Vec<_>>().join("\n"))
    }
}

fn described(spec: &Spec) -> String {
    let privilege = spec.privilege.described();
    let mut text = format!(
        "{}\n  {}\n  reads      {}\n",
        spec.id,
        spec.title,
        spec.reads.join("\n             ")
    );
    if !spec.runs.is_empty() {
        let _ = writeln!(text, "  runs       {}", spec.runs.join(", "));
    }
    let (millis, mebibytes) = (spec.budget.millis, spec.budget.bytes.div_ceil(1024 * 1024));
    let _ = writeln!(text, "  privilege  {privilege}");
    match spec.cadence {
        Cadence::EveryRound => {}
        Cadence::OnChange => text.push_str("  runs when what it read has changed, and once a day\n"),
        Cadence::Daily => text.push_str("  runs once a day\n"),
    }
    let _ = writeln!(text, "  budget     {millis} ms, {mebibytes} MiB read");
    text
}

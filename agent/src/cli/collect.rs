//! `affiant-agent collect`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use evidence::facts::{FactsDocument, Origin, Outcome};
use serde_json::Value;

use super::{Failure, chosen, print};
use crate::collection::{Collection, Prober};
use crate::folder::{Durability, Folder};
use crate::machine::Machine;

/// Collect once, without a collector: print the facts, or write manifest and facts files.
#[derive(Debug, Args)]
pub(super) struct Collect {
    /// Probe the files below this folder (a container's, a disk image's) instead of this machine. Programs are not run.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Only this probe; may be given several times. `affiant-agent probes` lists them.
    #[arg(long = "probe", value_name = "ID")]
    probes: Vec<String>,
    /// Print a JSON list of the facts documents, sorted by id, each canonical and on a line of its own.
    #[arg(long)]
    json: bool,
    /// Write DIR/manifest and DIR/<probe>.json; `sha256sum -c manifest` passes there.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Collect {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let probes = chosen(&self.probes)?;
        let mut prober = Prober::own();
        if let Some(root) = &self.root {
            // A root that cannot be used is an error of the command, not an outcome of each probe.
            Machine::below(root)?;
            prober = prober.below(root);
        }
        // Before the work, so that a wrong folder is said at once.
        let output = self.output.as_deref().map(Folder::create).transpose()?;
        let collection = prober.collect(&probes);
        if let Some(folder) = &output {
            write(&collection, folder)?;
        }
        match (self.json, &output) {
            (true, _) => print(&json(&collection)),
            (false, Some(folder)) => {
                let place = folder.path().display();
                print(&format!("{}\nFacts and manifest: {place}\n", overview(&collection)))
            }
            (false, None) => print(&summary(&collection)?),
        }
    }
}

/// The manifest last: what it names is there.
fn write(collection: &Collection, folder: &Folder) -> Result<(), Failure> {
    for document in collection.documents() {
        folder.write(&document.id().file_name(), document.bytes(), Durability::Eventual)?;
    }
    folder.write("manifest", &collection.manifest().to_bytes(), Durability::Eventual)?;
    Ok(())
}

fn json(collection: &Collection) -> String {
    let documents: Vec<_> = collection
        .documents()
        .map(|document| String::from_utf8_lossy(document.bytes()).into_owned())
        .collect();
    if documents.is_empty() {
        return "[]\n".to_owned();
    }
    format!("[\n{}\n]\n", documents.join(",\n"))
}

fn overview(collection: &Collection) -> String {
    let width = collection
        .documents()
        .map(|document| document.id().as_str().len())
        .max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for document in collection.documents() {
        let (id, outcome) = (document.id().as_str(), document.outcome().as_str());
        let _ = writeln!(text, "{id:width$}  {outcome:11}  {}", document.detail());
    }
    text
}

fn summary(collection: &Collection) -> Result<String, Failure> {
    let mut text = String::new();
    for document in collection.documents() {
        describe(&mut text, &document.facts()?);
    }
    text.push_str("All facts: --json. As files with their manifest: --output DIR.\n");
    Ok(text)
}

fn describe(text: &mut String, facts: &FactsDocument) {
    let _ = writeln!(text, "{}: {}", facts.probe, facts.outcome.as_str());
    if !facts.detail.is_empty() {
        let _ = writeln!(text, "  {}", facts.detail);
    }
    let read = facts
        .sources
        .iter()
        .filter(|source| source.outcome == Outcome::Observed);
    let _ = writeln!(text, "  sources read: {}", read.count());
    for source in &facts.sources {
        // A file that is not there is ordinary: most probes look in several places.
        if !matches!(source.outcome, Outcome::Observed | Outcome::Absent) {
            let (Origin::Path(origin) | Origin::Command(origin)) = &source.origin;
            let _ = writeln!(text, "  {}: {origin}", source.outcome.as_str());
        }
    }
    if let Some(Value::Object(members)) = &facts.facts {
        for (name, value) in members {
            let _ = writeln!(text, "  {name}: {}", brief(value));
        }
    }
    text.push('\n');
}

/// Short values as they are, long ones by their size.
fn brief(value: &Value) -> String {
    const SHORT: usize = 60;
    let written = value.to_string();
    match value {
        Value::Array(items) if written.len() > SHORT => match items.len() {
            1 => "1 entry".to_owned(),
            count => format!("{count} entries"),
        },
        Value::Object(members) if written.len() > SHORT => {
            let names: Vec<_> = members.keys().take(6).map(String::as_str).collect();
            let more = if members.len() > names.len() { ", …" } else { "" };
            format!("{{{}{more}}}", names.join(", "))
        }
        _ => written,
    }
}

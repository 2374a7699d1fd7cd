//! What other tools look at, check by check, and which facts answer it: tables that were judged by hand. Held to the code are the
//! names of facts; `docs/reference/breadth.md` is counted out of the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use probes::registry;

use crate::{facts_table, hold, repository};

/// Table, tool, and what its rows are.
const TOOLS: [(&str, &str, &str); 4] = [
    (
        "wazuh",
        "Wazuh",
        "checks of its policy `cis_debian12`, and those of `cis_rhel9` that ask something else",
    ),
    ("lynis", "Lynis", "tests of Lynis 3.0.8"),
    (
        "openscap",
        "OpenSCAP",
        "rules of Debian's content 0.1.76 that [the comparison of answers](../agreement/openscap.md) has no opinion on",
    ),
    (
        "osquery",
        "osquery",
        "its tables for Linux, and Fleet's queries for CIS benchmarks",
    ),
];
const COVERED: [&str; 4] = ["yes", "partly", "no", "other"];
const HEADER: &str = "id,looks_at,covered,facts,remark,worth";

/// A check of another tool.
struct Check<'t> {
    id: &'t str,
    looks_at: &'t str,
    covered: &'t str,
    /// `document:path`.
    facts: Vec<&'t str>,
    remark: &'t str,
    /// Worth to an auditor, and cost of reading it.
    worth: &'t str,
}

impl<'t> Check<'t> {
    fn of(line: &'t str) -> Result<Self> {
        let columns: Vec<_> = line.split(',').collect();
        let [id, looks_at, covered, facts, remark, worth] = columns[..] else {
            anyhow::bail!("{} columns; a text has no comma", columns.len());
        };
        let facts = facts.split(';').filter(|fact| !fact.is_empty()).collect();
        Ok(Self {
            id,
            looks_at,
            covered,
            facts,
            remark,
            worth,
        })
    }

    fn check(&self, known: &BTreeSet<String>) -> Result<()> {
        ensure!(COVERED.contains(&self.covered), "no answer {:?}", self.covered);
        let (partly, no) = (self.covered == "partly", self.covered == "no");
        ensure!(
            (self.covered == "yes" || partly) != self.facts.is_empty(),
            "{} with {} facts",
            self.covered,
            self.facts.len()
        );
        ensure!(
            self.covered == "yes" || !self.remark.is_empty(),
            "what is missing is not said"
        );
        let (worth, cost) = self.worth.split_once(' ').unwrap_or_default();
        let judged = ["high", "mid", "low"].contains(&worth) && ["cheap", "dear"].contains(&cost);
        ensure!(
            (partly || no) == judged && judged != self.worth.is_empty(),
            "worth {:?}",
            self.worth
        );
        for fact in &self.facts {
            ensure!(known.contains(*fact), "no fact {fact}");
        }
        Ok(())
    }

    fn is_gap(&self) -> bool {
        !self.worth.is_empty() && !self.worth.starts_with("low")
    }
}

/// The facts of all documents, as `document:path`.
fn known() -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for (document, schema) in registry::schemas().iter().flat_map(|(_, schemas)| schemas) {
        let table = facts_table::of(schema)?;
        let paths = table
            .lines()
            .filter_map(|row| row.strip_prefix("| `")?.split_once("` |"));
        known.extend(paths.map(|(path, _)| format!("{document}:{path}")));
    }
    Ok(known)
}

#[test]
fn what_others_look_at_is_answered_by_facts_that_exist() -> Result<()> {
    let known = known()?;
    let mut page = PAGE.to_owned();
    let mut gaps = String::new();
    for (name, tool, rows) in TOOLS {
        let path = repository().join(format!("docs/reference/breadth/{name}.csv"));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let (header, lines) = text.split_once('\n').context("no lines")?;
        ensure!(header == HEADER, "{name}: its columns are {header}");
        let (mut counts, mut ids) = (BTreeMap::new(), BTreeSet::new());
        writeln!(
            gaps,
            "\n## {tool}\n\n| check | looks at | missing |\n| --- | --- | --- |"
        )?;
        for line in lines.lines() {
            let check = Check::of(line).with_context(|| format!("{name}: {line}"))?;
            check.check(&known).with_context(|| format!("{name}: {}", check.id))?;
            ensure!(ids.insert(check.id), "{name}: {} twice", check.id);
            *counts.entry(check.covered).or_insert(0) += 1;
            if check.is_gap() {
                let cell = |text: &str| text.replace('|', "\\|").replace('*', "\\*").replace('_', "\\_");
                writeln!(
                    gaps,
                    "| `{}` | {} | {} |",
                    check.id,
                    cell(check.looks_at),
                    cell(check.remark)
                )?;
            }
        }
        let count = |covered| counts.get(covered).copied().unwrap_or(0);
        let counts = COVERED.map(count).map(|count: u32| count.to_string()).join(" | ");
        writeln!(page, "| [{tool}](breadth/{name}.csv): {rows} | {counts} |")?;
    }
    page.push_str(GAPS);
    page.push_str(&gaps);
    hold("breadth.md", &page)
}

const PAGE: &str = "# What others look at, check by check

*Counted out of the tables in [breadth](breadth), each row of which was judged by hand; a test holds the facts that they name to those
that there are.*

*Yes*: the facts let a rule give the answer of the check. *Partly*: not all that it reads is among them; the table says what is
missing. *Other*: it is not about the state of a host, but about the tool itself, another system, or events as they happen. The
texts are ours, the ids are the tools' own.

| tool | yes | partly | no | other |
| --- | --- | --- | --- | --- |
";

const GAPS: &str = "
# What is missing

What would be worth something to an auditor of a host and is not told, or not in full. What is worth little is in the tables only.
";

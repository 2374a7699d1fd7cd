//! `docs/reference` is what the probes and the programs say of themselves, and a probe says what it must.
//! `UPDATE=1 cargo test -p affiant-tests --test reference` writes the pages (build the programs first).

mod breadth;
mod facts_table;
mod module_docs;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use affiant_tests::programs::{program, succeed};
use anyhow::{Context, Result, ensure};
use probes::{Cadence, Spec, registry};
use serde_json::Value;

use module_docs::ModuleDocs;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares a page with what it should hold, or writes it.
fn hold(name: &str, wanted: &str) -> Result<()> {
    let path = repository().join("docs/reference").join(name);
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(&path, wanted)?;
    }
    let found = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    ensure!(
        found == wanted,
        "{} is not up to date: UPDATE=1 cargo test -p affiant-tests --test reference",
        path.display()
    );
    Ok(())
}

#[test]
fn pages_of_probes_are_up_to_date() -> Result<()> {
    let all = registry::schemas();
    let mut index = PROBES.to_owned();
    for (spec, schemas) in &all {
        let (id, title) = (spec.id, spec.title);
        writeln!(index, "- [`{id}`](probes/{id}.md): {title}")?;
        hold(&format!("probes/{id}.md"), &describe(spec, schemas)?)?;
    }
    hold("probes.md", &index)?;
    for entry in fs::read_dir(repository().join("docs/reference/probes"))? {
        let path = entry?.path();
        let is_of = |spec: &Spec| path.file_stem().is_some_and(|stem| stem == spec.id);
        ensure!(
            all.iter().any(|(spec, _)| is_of(spec)),
            "{}: no such probe",
            path.display()
        );
    }
    Ok(())
}

const PROBES: &str = "# Probes

*Generated from the probes themselves; `affiant-agent probes` prints the same of the one that is installed.*

A probe reads one area of a host and writes one facts document `<probe>.json`; personal data goes to a second,
`<probe>.names.json`, which a pack can withhold. What a document is, and what its outcomes mean, is in
[the format](../format.md#2-facts-documents).

A *known* value may be out of reach while the rest is not: it is an object with `outcome`, with `value` if the outcome is
`observed`, and with `detail` if not. A rule that reads a value which was not observed is `unknown`. `[]` after a name
stands for each entry of a list, `.*` for each member of an object.

";

fn describe(spec: &Spec, schemas: &[(String, Value)]) -> Result<String> {
    let mut page = String::new();
    let docs = ModuleDocs::of(&repository().join("probes/src").join(module_docs::file_name(spec.id)))?;
    writeln!(page, "# {}\n\n{}.\n\n{}\n", spec.id, spec.title, docs.section("What")?)?;
    // A path, or some words about paths.
    let source = |source: &&str| {
        if source.contains(' ') {
            (*source).to_owned()
        } else {
            format!("`{source}`")
        }
    };
    let reads: Vec<_> = spec.reads.iter().map(source).collect();
    writeln!(page, "| | |\n| --- | --- |")?;
    writeln!(page, "| version | {} |", spec.version)?;
    writeln!(page, "| reads | {} |", reads.join("<br>").replace('|', "\\|"))?;
    if !spec.runs.is_empty() {
        writeln!(page, "| runs | `{}` |", spec.runs.join("`<br>`"))?;
    }
    writeln!(page, "| privilege | {} |", docs.section("Privilege")?)?;
    let watched: Vec<_> = spec.watch.iter().map(|path| format!("`{path}`")).collect();
    if !watched.is_empty() {
        writeln!(page, "| runs again on changes in | {} |", watched.join("<br>"))?;
    }
    match spec.cadence {
        Cadence::EveryRound => {}
        Cadence::OnChange => writeln!(page, "| runs | when what it read has changed, and once a day |")?,
        Cadence::Daily => writeln!(page, "| runs | once a day |")?,
    }
    let (millis, mebibytes) = (spec.budget.millis, spec.budget.bytes.div_ceil(1024 * 1024));
    writeln!(page, "| budget | {millis} ms, {mebibytes} MiB read |")?;
    writeln!(page, "| bears on | {} |", docs.section("Bears on")?)?;
    writeln!(page, "| source | {} |", docs.section("Source")?)?;
    writeln!(page, "\nDoes not show:\n")?;
    for sentence in spec.does_not_show {
        writeln!(page, "- {sentence}")?;
    }
    for (document, schema) in schemas {
        writeln!(page, "\n## `{document}.json`\n")?;
        page.push_str(&facts_table::of(schema)?);
    }
    Ok(page)
}

/// Each file with a probe in it says the five things, and is registered under its name.
#[test]
fn probes_have_their_headings_and_are_registered() -> Result<()> {
    let registered: Vec<_> = registry::all().iter().map(|probe| probe.spec.id).collect();
    let mut files = 0;
    for entry in fs::read_dir(repository().join("probes/src"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|kind| kind != "rs") || !fs::read_to_string(&path)?.contains("\nimpl Probe for ")
        {
            continue;
        }
        files += 1;
        let place = path.display().to_string();
        let docs = ModuleDocs::of(&path).with_context(|| place.clone())?;
        ensure!(
            docs.headings() == module_docs::HEADINGS,
            "{place}: its documentation has the headings {:?}; wanted, in this order: {:?}",
            docs.headings(),
            module_docs::HEADINGS
        );
        for heading in module_docs::HEADINGS {
            ensure!(
                !docs.section(heading)?.is_empty(),
                "{place}: nothing below the heading {heading}"
            );
        }
        let id = module_docs::id(&path)?;
        ensure!(
            registered.contains(&id.as_str()),
            "{place}: no probe {id} in probes/src/registry.rs"
        );
    }
    ensure!(
        files == registered.len(),
        "{files} files with a probe, {} registered",
        registered.len()
    );
    for probe in registry::all() {
        let id = probe.spec.id;
        ensure!(
            !probe.spec.does_not_show.is_empty(),
            "{id} says nothing about what it does not show"
        );
        ensure!(!probe.spec.reads.is_empty(), "{id} does not say what it reads");
    }
    Ok(())
}

#[test]
fn page_of_commands_is_up_to_date() -> Result<()> {
    let mut page = COMMANDS.to_owned();
    for name in ["affiant-agent", "affiant-collector", "affiant-verify"] {
        help(name, &[], &mut page)?;
    }
    hold("cli.md", &page)
}

const COMMANDS: &str = "# Commands

*Generated from the programs: `--help` of each command.*
";

/// Help of a command, then of those below it.
fn help(name: &str, path: &[&str], page: &mut String) -> Result<()> {
    // Nothing of the one who runs the test may show: their terminal's width, their variables.
    let text = succeed(
        Command::new(program(name))
            .args(path)
            .arg("--help")
            .env_clear()
            .env("COLUMNS", "100")
            .stdin(Stdio::null()),
    );
    let level = if path.is_empty() { "##" } else { "###" };
    let title = [&[name], path].concat().join(" ");
    let text: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    write!(page, "\n{level} {title}\n\n```text\n{}\n```\n", text.trim_end())?;
    let commands = text.split("\nCommands:\n").nth(1).unwrap_or_default();
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        // Two spaces before a name; more before the rest of a long description.
        let Some(command) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else {
            continue;
        };
        let command = command.split_whitespace().next().context("the name of a command")?;
        if command != "help" {
            help(name, &[path, &[command]].concat(), page)?;
        }
    }
    Ok(())
}

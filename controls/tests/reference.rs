//! The reference of the built-in rules in `docs/rules.md` is what the rules say.
//! `UPDATE=1 cargo test -p affiant-controls --test reference` writes it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use controls::RuleSet;

const MARK: &str = "--test reference -->\n";

#[test]
fn the_reference_is_up_to_date() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let page = fs::read_to_string(&path)?;
    let end = page.find(MARK).ok_or("docs/rules.md has no mark")? + MARK.len();
    let (written, found) = page.split_at(end);
    let expected = reference(&RuleSet::builtin()?)?;
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{written}{expected}"))?;
    } else if found != expected {
        return Err("docs/rules.md is out of date: UPDATE=1 cargo test -p affiant-controls --test reference".into());
    }
    Ok(())
}

fn reference(rules: &RuleSet) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "\n| rule | finds | reads | severity | bears on |\n| --- | --- | --- | --- | --- |"
    )?;
    for rule in rules.rules() {
        let controls: Vec<_> = rule
            .controls()
            .iter()
            .map(|bearing| format!("{} {}", bearing.control, bearing.bearing.as_str()))
            .collect();
        let (id, title, reads, severity) = (rule.id(), rule.title(), rule.reads(), rule.severity().as_str());
        let controls = controls.join(", ");
        writeln!(
            text,
            "| [`{id}`](../controls/rules/{id}.yaml) | {title} | `{reads}` | {severity} | {controls} |"
        )?;
    }
    writeln!(
        text,
        "\nTheir parameters:\n\n| parameter | type | default | |\n| --- | --- | --- | --- |"
    )?;
    for rule in rules.rules() {
        for (name, parameter) in rule.parameters() {
            let (id, kind, default) = (rule.id(), parameter.kind.as_str(), &parameter.default);
            let description = parameter.description.split_whitespace().collect::<Vec<_>>().join(" ");
            writeln!(text, "| `{id}` `{name}` | {kind} | `{default}` | {description} |")?;
        }
    }
    Ok(text)
}

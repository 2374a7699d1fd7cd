//! A JSON Schema as a table: path, type, meaning.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// The table of a document's facts.
pub(crate) fn of(schema: &Value) -> Result<String> {
    let mut table = String::new();
    if let Some(description) = schema["description"].as_str() {
        writeln!(table, "{}\n", one_line(description))?;
    }
    table.push_str("| facts | type | meaning |\n| --- | --- | --- |\n");
    below(schema, "", &mut table)?;
    Ok(table)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rows of what is inside `schema`, whose own row stands already.
fn below(schema: &Value, path: &str, table: &mut String) -> Result<()> {
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    if let Some(value) = known(schema) {
        return below(value, &join("value"), table);
    }
    for (name, member) in schema["properties"].as_object().unwrap_or(&Map::new()) {
        row(member, &join(name), schema, name, table)?;
    }
    let additional = &schema["additionalProperties"];
    if additional.is_object() {
        let path = join("*");
        if is_compound(additional) {
            below(additional, &path, table)?;
        }
    }
    let items = &schema["items"];
    if is_compound(items) {
        below(items, &format!("{path}[]"), table)?;
    }
    for choice in choices(schema) {
        below(choice, path, table)?;
    }
    Ok(())
}

fn row(member: &Value, path: &str, parent: &Value, name: &str, table: &mut String) -> Result<()> {
    let mut kind = kind_of(member).with_context(|| path.to_owned())?;
    let required = parent["required"]
        .as_array()
        .is_some_and(|names| names.iter().any(|required| required == name));
    if !required {
        kind.push_str(", optional");
    }
    let mut meaning = one_line(member["description"].as_str().unwrap_or_default());
    for values in [member, known(member).unwrap_or(&Value::Null), &member["items"]] {
        for choice in choices(values) {
            if let (Some(value), Some(description)) = (choice["const"].as_str(), choice["description"].as_str()) {
                write!(meaning, "<br>`{value}`: {}", one_line(description))?;
            }
        }
    }
    writeln!(
        table,
        "| `{path}` | {kind} | {} |",
        meaning.trim_start_matches("<br>").replace('|', "\\|")
    )?;
    below(member, path, table)
}

/// What is inside a value that may be out of reach: `{"outcome", "value", "detail"}`.
fn known(schema: &Value) -> Option<&Value> {
    let members = schema["properties"].as_object()?;
    let names: Vec<_> = members.keys().map(String::as_str).collect();
    let outcome = members.get("outcome")?["description"].as_str()?;
    let is_known = names == ["detail", "outcome", "value"] && outcome.starts_with("How the attempt to see this ended");
    is_known.then(|| &members["value"])
}

fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"]
        .into_iter()
        .flat_map(|word| schema[word].as_array().into_iter().flatten())
}

/// Whether it has rows of its own.
fn is_compound(schema: &Value) -> bool {
    known(schema).is_some()
        || schema["properties"].is_object()
        || schema["items"].is_object()
        || schema["additionalProperties"].is_object()
        || choices(schema).any(is_compound)
}

fn kind_of(schema: &Value) -> Result<String> {
    if let Some(value) = known(schema) {
        return Ok(format!("known {}", kind_of(value)?));
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect(),
        _ => Vec::new(),
    };
    match (names.as_slice(), choices(schema).next()) {
        (["array"], _) => Ok(format!("list of {}", kind_of(&schema["items"])?)),
        (["object"], _) if schema["additionalProperties"].is_object() => {
            Ok(format!("object of {}", kind_of(&schema["additionalProperties"])?))
        }
        ([name], _) => Ok((*name).to_owned()),
        ([], Some(_)) => {
            let mut kinds = Vec::new();
            for choice in choices(schema).filter(|choice| choice["type"] != "null") {
                let kind = kind_of(choice)?;
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            Ok(kinds.join(" or "))
        }
        ([], None) if schema["const"].is_string() => Ok("string".to_owned()),
        _ => bail!("no type for {schema}"),
    }
}

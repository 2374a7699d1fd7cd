//! `docs/json-output.md` against what is printed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use controls::{RuleSet, catalogue};
use serde_json::Value;

use crate::index::tests::ground::{Ground, RULES, at, denied, kernel_and_release, packages, stated};
use crate::query::{FindingFilter, HostFilter, Page, Query, Span};

const MANUAL: &str = include_str!("../../../docs/json-output.md");

/// Hosts in every state that there is.
fn ground() -> Ground {
    let mut ground = Ground::new();
    ground.rules(RULES, 100, Some("fresh\nsilent\nnever\nmissing\n"), 0);
    for name in ["fresh", "silent", "never", "revoked"] {
        ground.enrol(name, 0);
    }
    let met = ground.keep(&[kernel_and_release(1000, false), packages(1, true)]);
    let not_met = ground.keep(&[kernel_and_release(1000, true), denied("packages")]);
    ground.state(0, met, stated(150));
    ground.state(1, not_met, stated(10));
    ground.state(3, met, stated(10));
    ground.revoke(3, 20);
    ground.clock.set(200);
    ground.writer().catch_up(at(200)).unwrap();
    ground
}

fn findings(query: &Query, span: Span) -> Vec<Value> {
    let mut findings = Vec::new();
    let take = |finding| {
        findings.push(serde_json::to_value(finding).unwrap());
        ControlFlow::Continue(())
    };
    query.findings(span, &FindingFilter::default(), take).unwrap();
    findings
}

/// Path to kind, as the manual writes both.
fn paths(value: &Value, path: &str, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    if !path.is_empty() && !path.ends_with("[]") {
        found.insert(path.to_owned(), kind);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{path}[]"), found)),
        Value::Object(members) => {
            for (name, member) in members {
                let dot = if path.is_empty() { "" } else { "." };
                paths(member, &format!("{path}{dot}{name}"), found);
            }
        }
        _ => {}
    }
}

/// The rows of a command's table: member to type.
fn described(command: &str) -> BTreeMap<&'static str, &'static str> {
    let begin = MANUAL.find(&format!("\n## `{command}`\n")).unwrap() + 5;
    let section = &MANUAL[begin..];
    let section = &section[..section.find("\n## ").unwrap_or(section.len())];
    let row = |line: &'static str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let member = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((member, cells.next()?))
    };
    section.lines().filter_map(row).collect()
}

fn compare(command: &str, printed: &Value) {
    let described = described(command);
    let mut found = BTreeMap::new();
    paths(printed, "", &mut found);
    let any: Vec<_> = described
        .iter()
        .filter(|(_, kind)| kind.starts_with("any"))
        .map(|(member, _)| *member)
        .collect();
    for (path, kind) in &found {
        if any.iter().any(|any| path.starts_with(any)) {
            continue;
        }
        let described = described.get(path.as_str());
        let described = described.unwrap_or_else(|| panic!("{command}: {path} is not in docs/json-output.md"));
        assert_eq!(described.split(',').next(), Some(*kind), "{command}: {path}");
    }
    for (member, kind) in described {
        let there = found.keys().any(|path| path.starts_with(member));
        assert!(
            kind.contains("optional") || there,
            "{command}: {member} is described and not printed"
        );
    }
}

#[test]
fn the_manual_describes_what_is_printed() {
    let ground = ground();
    let query = ground.query();
    let over = Span::Over {
        from: at(0),
        to: at(200),
    };
    for span in [Span::Now, over] {
        let hosts = query.hosts(span, &HostFilter::default(), Page::ALL).unwrap();
        compare("hosts", &serde_json::to_value(hosts.hosts.items).unwrap());
        let overview = query.overview(catalogue::DEFAULT, span).unwrap();
        compare("controls", &serde_json::to_value(overview.controls).unwrap());
        compare("findings", &findings(&query, span).into());
        compare(
            "coverage",
            &serde_json::to_value(query.coverage(span).unwrap()).unwrap(),
        );
    }
    let rules = RuleSet::builtin().unwrap();
    compare(
        "rules list",
        &serde_json::to_value(super::rules::listed(&rules)).unwrap(),
    );
    compare("rules test", &serde_json::to_value(rules.test_cases()).unwrap());
}

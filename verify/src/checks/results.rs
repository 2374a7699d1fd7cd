//! Judging again: findings, status of the controls and coverage, out of the facts and rules in the pack.

use std::collections::{BTreeMap, BTreeSet};

use controls::assessment::{self, Assessor, Witness};
use controls::{Catalogue, RuleSet, catalogue};
use evidence::Digest;
use evidence::pack;
use evidence::statement::{PackIssue, Subject};

use super::Context;
use super::content::{self, Manifests};
use crate::archive::Role;
use crate::failure::Failure;

/// Checks that the rules are those in force, judges all facts by them, and compares with what the pack says.
pub(super) fn check(
    context: &mut Context,
    in_force: &[Subject],
    issue: &PackIssue,
    witnesses: &[Witness],
    manifests: &Manifests,
) -> Result<(), Failure> {
    let files = rule_files(context, in_force)?;
    // They are the rules that were in force; that this verifier cannot read them says nothing about the pack.
    let rules =
        RuleSet::from_files(&files).map_err(|error| Failure::unable(format!("the rules do not load: {error}")))?;
    let catalogue = known_catalogue(issue, &files)?;
    let scope = scope(&files)?;

    let mut assessor = Assessor::new(&rules, (issue.from, issue.to));
    content::facts(context, manifests, |digest, document| {
        assessor.take(digest, &document);
        Ok(())
    })?;
    let again = assessor.finish(catalogue, witnesses, scope.as_ref());
    let findings = again.findings.len() as u64;
    let files = again
        .files()
        .map_err(|error| Failure::unable(format!("the results cannot be written again: {error}")))?;
    for (name, expected) in files {
        let found = context.bytes(name)?;
        if found != expected {
            return Err(Failure::wrong(difference(&found, &expected), name));
        }
    }
    context.report.passed(
        "rules are those in force at the end of the log",
        rules.rules().len() as u64,
    );
    context
        .report
        .passed("findings were made again from the facts and are the same", findings);
    context
        .report
        .passed("controls have the same status again", again.controls.len() as u64);
    if scope.is_none() {
        context.report.warn(
            "no list says which hosts ought to report: coverage counts the hosts that enrolled, and one that never did is not missed",
        );
    }
    Ok(())
}

/// The files that the rule set in force names, each with the digest that it must have, and no others.
fn rule_files(context: &mut Context, in_force: &[Subject]) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut expected: BTreeMap<&str, Digest> = in_force
        .iter()
        .map(|subject| (subject.name.as_str(), subject.digest))
        .collect();
    let mut files = BTreeMap::new();
    for name in context
        .archive
        .of_role(|role| matches!(role, Role::Rule | Role::Catalogue | Role::Scope))
    {
        let bytes = context.bytes(&name)?;
        match expected.remove(name.as_str()) {
            None => {
                return Err(Failure::wrong(
                    "not among the rules in force at the end of the log",
                    name,
                ));
            }
            Some(digest) if digest != Digest::of(&bytes) => {
                return Err(Failure::wrong(
                    "not the file that is in force at the end of the log",
                    name,
                ));
            }
            Some(_) => files.insert(name, bytes),
        };
    }
    match expected.first_key_value() {
        Some((missing, _)) => Err(Failure::wrong(
            "it is in force at the end of the log, and missing",
            missing,
        )),
        None => Ok(files),
    }
}

fn text<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| Failure::wrong("not UTF-8", name))
}

/// The catalogue is compiled in, together with what it says about the reach of host evidence.
fn known_catalogue(issue: &PackIssue, files: &BTreeMap<String, Vec<u8>>) -> Result<&'static Catalogue, Failure> {
    let name = pack::catalogue(&issue.catalogue);
    let bytes = files
        .get(&name)
        .ok_or_else(|| Failure::wrong("the file is missing", &name))?;
    let known = catalogue::find(&issue.catalogue);
    known.filter(|known| known.bytes() == bytes.as_slice()).ok_or_else(|| {
        Failure::unable(format!(
            "this version does not know the catalogue {} in the form that the pack has",
            issue.catalogue
        ))
    })
}

fn scope(files: &BTreeMap<String, Vec<u8>>) -> Result<Option<BTreeSet<String>>, Failure> {
    let Some(bytes) = files.get(pack::SCOPE) else {
        return Ok(None);
    };
    Ok(Some(assessment::parse_scope(text(pack::SCOPE, bytes)?)))
}

/// Names the first line in which two files differ.
fn difference(found: &[u8], expected: &[u8]) -> String {
    let lines = |bytes: &'_ [u8]| {
        bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    };
    let (found, expected) = (lines(found), lines(expected));
    let same = found
        .iter()
        .zip(&expected)
        .take_while(|(found, expected)| found == expected)
        .count();
    let show = |lines: &[Vec<u8>]| {
        let line = lines.get(same).map(|line| {
            String::from_utf8_lossy(line)
                .trim()
                .chars()
                .take(160)
                .collect::<String>()
        });
        line.unwrap_or_else(|| "nothing".to_owned())
    };
    format!(
        "judging again gives another result at line {}: here {:?}, again {:?}",
        same + 1,
        show(&found),
        show(&expected)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let what = difference(b"[\n  \"met\"\n]\n", b"[\n  \"not_met\"\n]\n");
        assert_eq!(
            what,
            "judging again gives another result at line 2: here \"\\\"met\\\"\", again \"\\\"not_met\\\"\""
        );
    }
}

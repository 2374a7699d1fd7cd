//! The built-in rules: they load, and their cases come out.

use controls::RuleSet;

#[test]
fn every_case_of_every_rule_passes() {
    let rules = RuleSet::builtin().unwrap_or_else(|error| panic!("{error}"));
    let failed: Vec<_> = rules
        .test_cases()
        .into_iter()
        .filter(|result| !result.passed())
        .map(|result| format!("{}: {}: {:?}", result.rule, result.case, result.failures))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

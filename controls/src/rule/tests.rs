use std::sync::Arc;

use evidence::Timestamp;
use evidence::facts::{FactsDocument, Outcome};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::baseline::Baseline;
use crate::evaluation::Evaluation;
use crate::schema::Schemas;
use crate::verdict::Verdict;

fn schemas() -> Arc<Schemas> {
    let mut schemas = Schemas::default();
    let schema = json!({"document": "t", "version": 2, "facts": {"type": "object", "required": ["on", "seen", "list", "secret"],
        "properties": {
            "on": {"type": "boolean"},
            "kind": {"type": ["string", "null"], "enum": ["a", "b", null]},
            "seen": {"type": "string", "format": "date-time"},
            "list": {"type": "array", "items": {"type": "integer"}},
            "secret": {"type": "object", "required": ["outcome"], "properties": {"outcome": {"type": "string"},
                "value": {"type": ["boolean", "null"]}, "detail": {"type": ["string", "null"]}}}}}});
    schemas.add("t", schema.to_string().as_bytes()).unwrap();
    Arc::new(schemas)
}

const RULE: &str = r"
id: some-rule
title: Something is on
reads: t
version: 2
expect: facts.on && facts.secret.value
observed: {on: facts.on}
severity: low
rationale: Because.
remedy: Switch it on.
cannot_see: [The rest.]
controls: [{catalogue: iso27001-2022, control: A.8.9, bearing: direct, because: It is configuration.}]
cases: []
";

fn load(text: &str) -> Result<RuleSet, RuleSetError> {
    RuleSet::load_with([("some-rule", text)], &Baseline::default(), schemas())
}

fn rule(changes: &[(&str, &str)]) -> RuleSet {
    let text = changes.iter().fold(RULE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    load(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn document(facts: Value) -> FactsDocument {
    FactsDocument {
        probe: ProbeId::new("t").unwrap(),
        version: 2,
        outcome: Outcome::Observed,
        detail: String::new(),
        sources: Vec::new(),
        facts: Some(facts),
    }
}

fn judge(rules: &RuleSet, document: &FactsDocument, at: i64) -> crate::Judgement {
    let at = Timestamp::from_unix(at).unwrap();
    Evaluation::new(document, rules.schemas()).judge(rules.rule("some-rule").unwrap(), at)
}

fn seen(secret: &Value) -> Value {
    json!({"on": true, "seen": "2026-01-01T00:00:00Z", "list": [1, 2], "secret": secret})
}

#[test]
fn what_is_wrong_with_a_rule_is_said() {
    for (from, to, reason) in [
        (
            "id: some-rule",
            "id: other",
            "some-rule.yaml: id is \"other\", and the file is named \"some-rule\"",
        ),
        ("severity: low", "severity: bad", "line 8"),
        ("severity: low", "severity: low\nextra: 1", "extra"),
        ("severity: low", "severity: low\nseverity: high", "severity"),
        ("version: 2", "version: 1", "reads t version 1: there is version 2"),
        ("reads: t", "reads: u", "reads u version 2: there are t"),
        ("reads: t", "reads: T!", "not a probe's id"),
        (
            "facts.on &&",
            "facts.off &&",
            "expect: line 1, column 6: facts has no field off: there are kind, list, on",
        ),
        (
            "expect: facts.on && facts.secret.value",
            "expect: facts.list.size()",
            "expect: must be bool, is int",
        ),
        (
            "{on: facts.on}",
            "{}",
            "observed: a verdict must show at least one value",
        ),
        (
            "{on: facts.on}",
            "{on: facts.kind}",
            "observed \"on\": line 1, column 6: facts.kind may be absent",
        ),
        ("{on: facts.on}", "{on: now}", "now cannot be used here"),
        (
            "expect: facts.on",
            "expect: now > facts.seen",
            "now cannot be used here: say in changes_at",
        ),
        (
            "severity: low",
            "severity: low\nchanges_at: [facts.seen]",
            "no expression reads now, so nothing changes",
        ),
        (
            "severity: low",
            "severity: low\nchanges_at: [facts.on]",
            "changes_at: must be time or list of time, is bool",
        ),
        (
            "control: A.8.9",
            "control: A.9.99",
            "controls: iso27001-2022 A.9.99: no such control",
        ),
        (
            "catalogue: iso27001-2022",
            "catalogue: iso",
            "no such catalogue: there are iso27001-2013, iso27001-2022",
        ),
        (
            "control: A.8.9",
            "control: A.5.1",
            "hosts show nothing about this control",
        ),
        ("control: A.8.9", "control: A.8.32", "bearing must be supporting"),
        ("rationale: Because.", "rationale: ''", "rationale: a text is empty"),
        ("[The rest.]", "[]", "every rule has something that it cannot see"),
        (
            "cases: []",
            "cases: [{name: a, verdict: met}]",
            "case \"a\": needs one of facts, like",
        ),
        (
            "cases: []",
            "cases: [{name: a, like: b, verdict: met}]",
            "no earlier case \"b\" has facts",
        ),
        (
            "cases: []",
            "cases: [{name: a, facts: {}, set: {/x/y: 1}, verdict: met}]",
            "set: there is no /x",
        ),
        ("cases: []", "cases: &a []", "anchor"),
        (
            "severity: low",
            "severity: low\nparameters: {p: {type: int, default: x, description: d}}",
            "\"x\" is no int",
        ),
        (
            "severity: low",
            "severity: low\nparameters: {P: {type: int, default: 1, description: d}}",
            "parameters: a name",
        ),
        ("facts.on &&", "facts.kind in param.k &&", "facts.kind may be absent"),
    ] {
        assert!(RULE.contains(from), "{from}");
        match load(&RULE.replacen(from, to, 1)) {
            Ok(_) => panic!("{to} was accepted"),
            Err(error) => assert!(error.to_string().contains(reason), "{to}: {error}"),
        }
    }
}

#[test]
fn parameters_hold_only_what_can_be_equal() {
    let text = RULE
        .replace("facts.on &&", "has(facts.kind) && facts.kind in param.kinds &&")
        .replace(
            "severity: low",
            "severity: low\nparameters: {kinds: {type: list(string), default: [a], description: d}}",
        );
    assert!(load(&text).is_ok());
    let mut baseline = Baseline::default();
    baseline.set("some-rule", "kinds", json!(["a", "c"]));
    let refused = RuleSet::load_with([("some-rule", &text)], &baseline, schemas()).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("sets kinds of some-rule: \"c\" is none of a, b"),
        "{refused}"
    );
    for (rule, parameter, value, reason) in [
        (
            "some-rule",
            "sorts",
            json!(["a"]),
            "sets sorts of some-rule, which has kinds",
        ),
        ("some-rule", "kinds", json!("a"), "\"a\" is no list(string)"),
        (
            "no-rule",
            "kinds",
            json!(["a"]),
            "sets parameters of no-rule, and there is no such rule",
        ),
    ] {
        let mut baseline = Baseline::default();
        baseline.set(rule, parameter, value);
        let refused = RuleSet::load_with([("some-rule", &text)], &baseline, schemas()).unwrap_err();
        assert!(refused.to_string().contains(reason), "{refused}");
    }
    let mut baseline = Baseline::default();
    baseline.set("some-rule", "kinds", json!(["b"]));
    let own = RuleSet::load_with([("some-rule", &text)], &baseline, schemas()).unwrap();
    let default = load(&text).unwrap();
    let (own, default) = (own.rule("some-rule").unwrap(), default.rule("some-rule").unwrap());
    assert_eq!(own.digest(), default.digest());
    assert_ne!(own.key(), default.key());
}

#[test]
fn cases_are_judged_by_the_defaults_of_their_file() {
    let text = RULE
        .replace("facts.on && facts.secret.value", "facts.on == param.wanted")
        .replace(
            "severity: low",
            "severity: low\nparameters: {wanted: {type: bool, default: true, description: d}}",
        )
        .replace(
            "cases: []",
            "cases:\n\
             - {name: on, facts: {on: true}, verdict: met}\n\
             - {name: on and not wanted, facts: {on: true}, parameters: {wanted: false}, verdict: not_met}\n",
        );
    let mut baseline = Baseline::default();
    baseline.set("some-rule", "wanted", json!(false));
    let own = RuleSet::load_with([("some-rule", &text)], &baseline, schemas()).unwrap();
    assert_eq!(own.rule("some-rule").unwrap().values(), &json!({"wanted": false}));
    let results = own.test_cases();
    assert!(
        results.len() == 2 && results.iter().all(CaseResult::passed),
        "{results:?}"
    );
}

#[test]
fn a_set_is_read_out_of_the_files_of_a_log() {
    let files = |baseline: &'static [u8]| {
        let rules = RuleSet::builtin_files().map(|(id, bytes)| (evidence::pack::rule(id), bytes));
        let others = [
            (evidence::pack::BASELINE.to_owned(), baseline),
            (evidence::pack::SCOPE.to_owned(), b"web-1\n".as_slice()),
            (evidence::pack::catalogue("some"), b"id\n".as_slice()),
        ];
        others.into_iter().chain(rules).collect::<Vec<_>>()
    };
    let builtin = RuleSet::builtin().unwrap();
    let plain = RuleSet::from_files(files(b"{}\n")).unwrap();
    assert_eq!(plain.digest(), builtin.digest());
    let own = RuleSet::from_files(files(b"sshd-ciphers-strong: {allowed: [aes256-ctr]}\n")).unwrap();
    let key = |set: &RuleSet| set.rule("sshd-ciphers-strong").unwrap().key();
    assert_ne!(key(&own), key(&plain));
    for (baseline, reason) in [
        (b"- 1".as_slice(), "baseline.yaml: "),
        (b"a: \xff", "baseline.yaml: "),
        (b"no-such-rule: {a: 1}", "there is no such rule"),
    ] {
        let refused = RuleSet::from_files(files(baseline)).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    let mut twice = files(b"");
    twice.push(twice.last().unwrap().clone());
    let refused = RuleSet::from_files(twice).unwrap_err();
    assert!(refused.to_string().contains("a rule of this id already"), "{refused}");
}

#[test]
fn only_what_was_seen_is_judged() {
    let rules = rule(&[]);
    let yes = document(seen(&json!({"outcome": "observed", "value": true})));
    assert_eq!(judge(&rules, &yes, 0).verdict, Verdict::Met);
    assert_eq!(judge(&rules, &yes, 0).valid_until, None);
    let no = document(seen(&json!({"outcome": "observed", "value": false})));
    assert_eq!(judge(&rules, &no, 0).verdict, Verdict::NotMet);
    for (document, reason) in [
        (
            document(seen(
                &json!({"outcome": "denied", "detail": "/etc/s: permission denied"}),
            )),
            "secret: denied: /etc/s: permission denied",
        ),
        (
            document(seen(&json!({"outcome": "observed"}))),
            "facts.on && facts.secret.value cannot be evaluated: there is no \"value\"",
        ),
        (document(json!({"on": 1})), "facts.list is missing"),
        (
            document(json!({"on": 1, "list": [], "seen": "2026-01-01T00:00:00Z", "secret": {"outcome": "absent"}})),
            "facts.on is a number, expected bool",
        ),
        (
            document(seen(&json!({"outcome": "denied", "value": true}))),
            "has a value and was not observed",
        ),
        (
            FactsDocument {
                version: 3,
                ..document(json!({}))
            },
            "version 3 of the facts of t has no schema here",
        ),
        (
            FactsDocument {
                outcome: Outcome::Timeout,
                facts: None,
                detail: "after 5 s".into(),
                ..document(json!({}))
            },
            "timeout: after 5 s",
        ),
        (
            FactsDocument {
                probe: ProbeId::new("u").unwrap(),
                ..document(json!({}))
            },
            "the rule reads t, not u",
        ),
    ] {
        let judgement = judge(&rules, &document, 0);
        assert_eq!(judgement.verdict, Verdict::Unknown);
        assert!(judgement.reason.contains(reason), "{}", judgement.reason);
    }
}

#[test]
fn a_verdict_is_a_step_function_of_time() {
    let rules = rule(&[(
        "expect: facts.on && facts.secret.value",
        "expect: now < facts.seen + 100\nchanges_at: [facts.seen + 100]",
    )]);
    let document = document(seen(&json!({"outcome": "absent"})));
    let seen = 1_767_225_600;
    let before = judge(&rules, &document, seen + 99);
    assert_eq!(
        (before.verdict, before.valid_until.unwrap().unix()),
        (Verdict::Met, seen + 100)
    );
    let after = judge(&rules, &document, seen + 100);
    assert_eq!((after.verdict, after.valid_until), (Verdict::NotMet, None));
    // A rule that does not name the instant is found out.
    let liar = rule(&[(
        "expect: facts.on && facts.secret.value",
        "expect: now < facts.seen + 100\nchanges_at: [facts.seen]",
    )]);
    let judgement = judge(&liar, &document, seen + 50);
    assert_eq!(judgement.verdict, Verdict::Unknown);
    assert!(
        judgement.reason.contains("does not name the instant in changes_at"),
        "{}",
        judgement.reason
    );
}

#[test]
fn a_document_made_to_be_slow_is_unknown() {
    let rules = rule(&[(
        "facts.on && facts.secret.value",
        "facts.list.all(a, facts.list.all(b, facts.list.all(c, a + b + c > 0)))",
    )]);
    let mut slow = seen(&json!({"outcome": "absent"}));
    slow["list"] = (1..400).collect::<Vec<i32>>().into();
    let judgement = judge(&rules, &document(slow), 0);
    assert_eq!(judgement.verdict, Verdict::Unknown);
    assert!(judgement.reason.contains("steps, at most"), "{}", judgement.reason);
}

/// Every leaf of `value`, by JSON Pointer.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| leaves(member, &format!("{at}/{name}"), found)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| leaves(item, &format!("{at}/{index}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

/// Other values of the kind that `value` is.
fn others(value: &Value) -> Vec<Value> {
    let texts = [
        "",
        "x",
        "yes",
        "no",
        "encrypted",
        "not_encrypted",
        "unknown",
        "data",
        "swap",
        "boot",
        "observed",
        "denied",
        "absent",
        "set",
        "empty",
        "none",
        "md5crypt",
        "system",
        "regular",
        "older",
        "init",
        "agent",
        "all",
        "docker",
        "ssh-rsa",
        "ssh-dss",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ];
    match value {
        Value::Bool(bool) => vec![json!(!bool)],
        Value::Number(_) => [0, 1, 2, 1000, 1_000_000].map(Value::from).into(),
        Value::String(_) => texts.map(Value::from).into(),
        _ => Vec::new(),
    }
}

/// If a rule is met without a value, it must not matter what the value is: being absent never stands for a good one.
#[test]
fn what_is_missing_never_makes_a_rule_met() {
    let rules = RuleSet::builtin().unwrap_or_else(|error| panic!("{error}"));
    let mut tried = 0;
    for rule in rules.rules() {
        for case in rule.cases.iter().filter(|case| case.verdict == Verdict::Met) {
            let facts = case.document.facts.clone().unwrap();
            let verdict = |facts: Value| {
                let mut case = case.clone();
                case.document.facts = Some(facts);
                rule.judge_case(&case, rules.schemas()).unwrap().verdict
            };
            let mut pointers = Vec::new();
            leaves(&facts, "", &mut pointers);
            for pointer in pointers {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                let mut without = facts.clone();
                let Some(Value::Object(members)) = without.pointer_mut(parent) else {
                    continue;
                };
                let value = members.remove(name).unwrap();
                tried += 1;
                if verdict(without) != Verdict::Met {
                    continue;
                }
                for other in others(&value) {
                    let mut changed = facts.clone();
                    *changed.pointer_mut(&pointer).unwrap() = other.clone();
                    let found = verdict(changed);
                    // `unknown`: not a value that the schema has. `not_applicable`: the rule asks it elsewhere.
                    assert!(
                        found != Verdict::NotMet,
                        "{}: {}: met without {pointer}, and not met if it is {other}",
                        rule.id(),
                        case.name
                    );
                }
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn what_was_not_observed_is_unknown_for_every_rule() {
    let rules = RuleSet::builtin().unwrap_or_else(|error| panic!("{error}"));
    for rule in rules.rules() {
        for outcome in [
            Outcome::Absent,
            Outcome::Denied,
            Outcome::Failed,
            Outcome::Malformed,
            Outcome::Unsupported,
            Outcome::Timeout,
            Outcome::Skipped,
        ] {
            let document = FactsDocument {
                probe: rule.reads().clone(),
                version: rule.version(),
                outcome,
                detail: "why".to_owned(),
                sources: Vec::new(),
                facts: None,
            };
            let judgement = Evaluation::new(&document, rules.schemas()).judge(rule, Timestamp::MIN);
            assert_eq!(judgement.verdict, Verdict::Unknown);
            assert_eq!(judgement.reason, format!("{}: why", outcome.as_str()));
        }
        // Empty facts, and facts of another version.
        for (version, facts) in [(rule.version(), json!({})), (rule.version() + 1, json!({}))] {
            let document = FactsDocument {
                probe: rule.reads().clone(),
                version,
                outcome: Outcome::Observed,
                detail: String::new(),
                sources: Vec::new(),
                facts: Some(facts),
            };
            let judgement = Evaluation::new(&document, rules.schemas()).judge(rule, Timestamp::MIN);
            assert_eq!(judgement.verdict, Verdict::Unknown, "{}", rule.id());
        }
    }
}

#[test]
fn every_rule_shows_each_verdict_that_it_can_give() {
    let rules = RuleSet::builtin().unwrap_or_else(|error| panic!("{error}"));
    for rule in rules.rules() {
        let verdicts: std::collections::BTreeSet<_> = rule.cases.iter().map(|case| case.verdict).collect();
        for verdict in [Verdict::Met, Verdict::NotMet, Verdict::Unknown] {
            assert!(
                verdicts.contains(&verdict),
                "{} has no case {}",
                rule.id(),
                verdict.as_str()
            );
        }
        let applies = rule.applies_when.is_some();
        assert_eq!(verdicts.contains(&Verdict::NotApplicable), applies, "{}", rule.id());
    }
}

proptest! {
    #[test]
    fn a_hostile_file_is_refused(text in prop_oneof![any::<String>(), "[a-z:{}\\[\\]&*!|>'\"\n -]{0,200}"]) {
        prop_assert!(load(&text).is_err());
    }

    #[test]
    fn a_damaged_file_never_panics(position in 0..600_usize, replacement in any::<char>()) {
        let damaged: String = RULE.chars().enumerate().map(|(index, character)| if index == position { replacement } else { character }).collect();
        let _ = load(&damaged);
    }

    #[test]
    fn facts_of_any_shape_never_panic(on in prop_oneof![Just(json!(true)), Just(json!(1)), Just(Value::Null)],
                                      list in prop::collection::vec(any::<i64>(), 0..5), text in any::<String>()) {
        let rules = rule(&[("facts.on && facts.secret.value", "facts.on && facts.list.all(a, a * 7 > a)")]);
        let judgement = judge(&rules, &document(json!({"on": on, "list": list, "seen": text, "secret": {"outcome": "absent"}})), 5);
        prop_assert_ne!(judgement.verdict, Verdict::NotApplicable);
    }
}

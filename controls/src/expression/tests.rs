use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::baseline::ParameterType;
use crate::schema::{Field, ObjectShape, Schemas};

fn facts() -> Shape {
    let mut schemas = Schemas::default();
    let known = |value: serde_json::Value| {
        json!({"type": "object", "required": ["outcome"], "properties": {
            "outcome": {"type": "string"}, "value": value, "detail": {"type": ["string", "null"]}}})
    };
    let volume = json!({"type": "object", "required": ["name", "class", "size", "layers", "tags"], "properties": {
        "name": {"type": "string"},
        "class": {"type": "string", "enum": ["data", "swap", "boot"]},
        "size": {"type": "integer"},
        "label": {"type": ["string", "null"]},
        "luks": {"anyOf": [{"type": "object", "required": ["bits"], "properties": {"bits": {"type": "integer"}}},
                           {"type": "null"}]},
        "layers": {"type": "array", "items": {"type": "string"}},
        "tags": {"type": "object", "additionalProperties": {"type": "integer"}}}});
    let schema = json!({"document": "t", "version": 1, "facts": {"type": "object",
        "required": ["installed", "count", "volumes", "seen", "text", "secret", "ratio"],
        "properties": {
            "installed": {"type": "boolean"}, "count": {"type": "integer"}, "text": {"type": "string"},
            "seen": {"type": "string", "format": "date-time"},
            "until": {"type": ["string", "null"], "format": "date-time"},
            "volumes": {"type": "array", "items": volume},
            "secret": known(json!({"type": "array", "items": {"type": "integer"}})),
            "ratio": {"type": "number"}}}});
    schemas.add("t", schema.to_string().as_bytes()).unwrap();
    schemas
        .shape(&evidence::facts::ProbeId::new("t").unwrap(), 1)
        .unwrap()
        .clone()
}

fn parameters() -> Shape {
    let field = |kind: ParameterType| Field {
        shape: kind.shape(),
        required: true,
    };
    let fields = [
        ("days", field(ParameterType::Int)),
        ("names", field(ParameterType::Texts)),
        ("name", field(ParameterType::Text)),
    ];
    Shape::Object(Arc::new(ObjectShape {
        fields: fields.map(|(name, field)| (name.to_owned(), field)).into(),
        known: false,
    }))
}

fn compile(source: &str) -> Result<Expression, ExpressionError> {
    Expression::compile(
        source,
        &Scope {
            facts: &facts(),
            param: &parameters(),
            now: Allowed::Yes,
            present: BTreeSet::new(),
        },
    )
}

#[test]
fn what_makes_sense_is_accepted() {
    for (source, shape) in [
        ("facts.installed && facts.count >= 3", "bool"),
        (
            "facts.volumes.all(v, v.class in ['data', 'swap'] || v.size > 0)",
            "bool",
        ),
        (
            "facts.volumes.filter(v, v.class == 'data').map(v, v.name)",
            "list of string",
        ),
        ("facts.volumes.map(v, has(v.luks), v.luks.bits)", "list of int"),
        ("facts.volumes.all(v, has(v.luks) && v.luks.bits > 128)", "bool"),
        ("facts.volumes.all(v, !has(v.luks) || v.luks.bits > 128)", "bool"),
        (
            "facts.volumes.exists_one(v, has(v.label) ? v.label == 'x' : false)",
            "bool",
        ),
        ("has(facts.until) && now < facts.until", "bool"),
        ("now - facts.seen", "int"),
        ("facts.seen + param.days * 86400", "time"),
        ("[facts.seen, time('2026-11-24T00:00:00Z')]", "list of time"),
        ("facts.secret.value.size() + size(facts.text)", "int"),
        ("facts.secret.value.all(n, n != 4)", "bool"),
        ("facts.text.matches('^a+$') || facts.text.startsWith('b')", "bool"),
        ("facts.volumes.all(v, v.layers.all(l, l in param.names))", "bool"),
        (
            "facts.volumes.map(v, {'name': v.name, 'layers': v.layers})",
            "list of object",
        ),
        ("facts.volumes.map(v, v.layers).all(l, l.exists(x, x == 'a'))", "bool"),
        ("facts.volumes[0].name + '!'", "string"),
        (
            "'a' in facts.volumes[0].tags && facts.volumes[0].tags['a'] == 1",
            "bool",
        ),
        ("facts.secret.outcome == 'denied'", "bool"),
        ("(facts.installed ? facts.volumes : []).size()", "int"),
        ("-facts.count % 2", "int"),
    ] {
        match compile(source) {
            Ok(expression) => assert_eq!(expression.shape.to_string(), shape, "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

/// Expressions, and what is said about them.
const REFUSED: &[(&str, &str)] = &[
    ("", "the expression is empty"),
    (
        "facts.instaled",
        "facts has no field instaled: there are count, installed,",
    ),
    ("fact.installed", "fact is not known here: there are facts, param, now"),
    ("facts.count == '4'", "int cannot be compared with string by =="),
    ("facts.text == 4", "string cannot be compared with int by =="),
    ("facts.count == true", "int cannot be compared with bool by =="),
    ("facts.installed == 'yes'", "bool cannot be compared with string by =="),
    ("facts.volumes == []", "cannot be compared"),
    (
        "facts.volumes[0].class == 'dta'",
        "\"dta\" is none of the values there are: boot, data, swap",
    ),
    (
        "facts.volumes.all(v, v.class in ['data', 'swp'])",
        "\"swp\" is none of the values there are",
    ),
    (
        "facts.secret.outcome == 'observd'",
        "\"observd\" is none of the values there are: absent, denied",
    ),
    (
        "facts.volumes[0].class == facts.secret.outcome",
        "is none of the values there are",
    ),
    ("facts.text < 'b'", "string cannot be compared with string by <"),
    (
        "facts.seen == '2026-11-24T00:00:00Z'",
        "time cannot be compared with string by ==",
    ),
    ("facts.seen < 5", "time cannot be compared with int by <"),
    (
        "facts.seen + facts.seen",
        "+ takes two integers, a time and seconds, or two strings, not time and time",
    ),
    (
        "now - 'x'",
        "- takes two integers, two times, or a time and seconds, not time and string",
    ),
    ("facts.count + 1.5", "a number with a fraction cannot be used in a rule"),
    (
        "facts.count == 4u",
        "an unsigned number cannot be used in a rule: write it without the u",
    ),
    ("facts.text == b'x'", "a byte string cannot be used in a rule"),
    (
        "has(facts.until) && facts.until != null",
        "null cannot be used in a rule",
    ),
    (
        "facts.until > now",
        "facts.until may be absent: ask with has(facts.until) first",
    ),
    ("facts.until > now || has(facts.until)", "facts.until may be absent"),
    ("!has(facts.until) && facts.until > now", "facts.until may be absent"),
    ("has(facts.until) || facts.until > now", "facts.until may be absent"),
    (
        "facts.volumes.all(v, v.luks.bits > 1)",
        "v.luks may be absent: ask with has(v.luks) first",
    ),
    (
        "facts.volumes.filter(v, has(v.luks)).all(v, v.luks.bits > 1)",
        "v.luks may be absent",
    ),
    (
        "has(facts.count)",
        "facts.count is always there, has(facts.count) says nothing",
    ),
    ("has(facts.nothing)", "facts has no field nothing"),
    ("facts.secret.detail == ''", "facts.secret.detail may be absent"),
    (
        "facts.ratio > 1",
        "facts.ratio is a number with a fraction, which rules cannot read",
    ),
    ("facts.count.x", "facts.count is int and has no fields"),
    (
        "facts.volumes.name",
        "facts.volumes is list of object and has no fields",
    ),
    ("facts.count && true", "must be bool, is int"),
    ("!facts.count", "must be bool, is int"),
    ("facts.count ? 1 : 2", "must be bool, is int"),
    ("facts.installed ? 1 : 'x'", "int and string do not go together"),
    ("[1, 'x']", "int and string do not go together"),
    ("facts.count.all(x, true)", "int is no list to go through"),
    ("facts.all(x, true)", "object is no list to go through"),
    ("facts.volumes.all(facts, true)", "the name facts is taken"),
    ("facts.volumes.all(v, v.layers.all(v, true))", "the name v is taken"),
    ("facts.volumes.all(v, v.size)", "must be bool, is int"),
    (
        "facts.volumes.all(v, facts.volumes.all(w, facts.volumes.all(x, facts.volumes.all(y, \
          facts.volumes.all(z, true)))))",
        "more than 4 comprehensions within each other",
    ),
    ("facts.volumes + facts.volumes", "+ takes two integers"),
    (
        "facts.text.lowerAscii()",
        "there is no function lowerAscii: there are all, exists",
    ),
    ("int(facts.text)", "there is no function int"),
    ("type(facts.text) == string", "there is no function type"),
    ("size(facts.count)", "size takes a list, a map or a string, not int"),
    (
        "facts.text.contains(4)",
        "contains takes two strings, not string and int",
    ),
    ("facts.text.matches('(')", "\"(\" is no regular expression"),
    (
        "facts.text.matches('a{1000}')",
        "at most 200 characters and no {} are allowed",
    ),
    (
        "facts.text.matches(param.name)",
        "a regular expression that is no literal string cannot be used",
    ),
    ("time('2026-11-24')", "\"2026-11-24\" is no time"),
    (
        "time(facts.text)",
        "time() of something that is no literal string cannot be used in a rule",
    ),
    ("facts.?until", "not a CEL expression"),
    ("optional.none()", "there is no function none"),
    (
        "{facts.text: 1}",
        "a map whose keys are no literal strings cannot be used in a rule",
    ),
    ("Thing{a: 1}", "a structure with a type name cannot be used in a rule"),
    (
        "facts.volumes[facts.text]",
        "[] takes a list and an int, or a map and a string",
    ),
    (
        "1 in facts.text",
        "in takes a value and a list or map, not int and string",
    ),
    ("1 in param.names", "int cannot be compared with string by in"),
    ("facts.count == @result", "not a CEL expression"),
    ("facts.installed &&", "not a CEL expression"),
    ("facts.text == 'é'", "the character 'é' is not allowed"),
    ("facts.installed\u{0}", "the character '\\0' is not allowed"),
];

#[test]
fn what_does_not_is_refused_with_the_reason() {
    for (source, reason) in REFUSED {
        match compile(source) {
            Ok(_) => panic!("{source} was accepted"),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains(reason), "{source}: {error}");
            }
        }
    }
}

#[test]
fn size_and_nesting_are_bounded() {
    for (source, reason) in [
        (
            "facts.installed".to_owned() + &" && true".repeat(300),
            "characters, at most 2000",
        ),
        (
            "(".repeat(30) + "1" + &")".repeat(30),
            "nested too deeply: at most 24 brackets",
        ),
        (vec!["1"; 400].join("+"), "at most 300 are allowed"),
        ("!".repeat(400) + "true", "at most 300 are allowed"),
        ("-".repeat(400) + "1", "at most 300 are allowed"),
    ] {
        let error = compile(&source).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    // What is just allowed does not exhaust the stack of a thread.
    for source in [
        vec!["1"; 290].join("+"),
        "!".repeat(290) + "true",
        "-".repeat(290) + "1",
        vec!["1"; 290].join("-"),
    ] {
        let _ = compile(&source);
    }
    assert!(compile(&("(".repeat(24) + "1" + &")".repeat(24))).is_ok());
    assert!(compile(&vec!["true"; 140].join(" && ")).is_ok());
}

#[test]
fn errors_say_where() {
    let error = compile("facts.installed &&\n  facts.cont > 3")
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("line 2, column"), "{error}");
}

#[test]
fn the_cost_grows_with_the_lists() {
    let longest = |volumes: usize| BTreeMap::from([("facts.volumes".to_owned(), volumes)]);
    let nested = compile("facts.volumes.all(v, facts.volumes.exists(w, w.name == v.name))").unwrap();
    assert!(steps(&nested.cost, &longest(1000)) > 1_000_000);
    assert!(steps(&nested.cost, &longest(10)) < 5_000);
    let made = compile("facts.volumes.map(v, v.name).all(n, n != 'x')").unwrap();
    assert!(steps(&made.cost, &longest(1000)) > 10_000);
    let constant = compile("facts.installed").unwrap();
    assert_eq!(
        steps(&constant.cost, &longest(1000)),
        steps(&constant.cost, &BTreeMap::new())
    );
}

fn fragments() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just("facts"),
        Just(".volumes"),
        Just(".all(v, "),
        Just(")"),
        Just("("),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(" && "),
        Just(" || "),
        Just("!"),
        Just("=="),
        Just("1"),
        Just("'a'"),
        Just("has("),
        Just("v"),
        Just(".luks"),
        Just("?"),
        Just(":"),
        Just(","),
        Just("now"),
        Just("param.days"),
        Just(" in "),
        Just("-"),
        Just("1.5"),
        Just("2u"),
        Just("null"),
        Just("`x`"),
        Just("\\"),
        Just("\""),
        Just("'''"),
        Just("r'"),
        Just("b'"),
        Just("//"),
        Just("\n"),
        Just(".map(x, "),
        Just("@"),
        Just("$"),
        Just("\\u00"),
        Just("99999999999999999999"),
    ];
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn nothing_that_can_be_written_panics(source in prop_oneof![fragments(), "[ -~\n]{0,120}", any::<String>()]) {
        let _ = compile(&source);
    }
}

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn outlines() {
    let text = "---\n# c\napiVersion: kubelet.config.k8s.io/v1beta1\nauthentication:\n  anonymous:\n    enabled: false # c\n  \
                x509: {clientCAFile: \"/etc/k#1\", n: 5}\nlist:\n- a\n- b: 1\n  c: [x, 'y''z', []]\n-\n  - deep\nempty:\n\
                'quoted key': \"a: b\"\ntext: |\n  one\n    two\nport: 0\noctal: 010\nurl: http://x:1/#a\n";
    let expected = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "authentication": {"anonymous": {"enabled": false}, "x509": {"clientCAFile": "/etc/k#1", "n": 5}},
        "list": ["a", {"b": 1, "c": ["x", "y'z", []]}, ["deep"]],
        "empty": null,
        "quoted key": "a: b",
        "text": "one\ntwo",
        "port": 0,
        "octal": "010",
        "url": "http://x:1/#a",
    });
    assert_eq!(parse(text).unwrap(), expected);
    assert_eq!(parse("").unwrap(), Value::Null);
    assert_eq!(parse("- a\n- b\n").unwrap(), json!(["a", "b"]));
}

#[test]
fn what_is_not_known_is_refused() {
    for (text, line) in [
        ("a: &x 1\n", 1),
        ("a: 1\nb: *x\n", 2),
        ("a: !include x\n", 1),
        ("--- !ruby/object:X\na: 1\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: one\n  two\n", 2),
        ("a: [1,\n 2]\n", 1),
        ("a: 1\n b: 2\n", 2),
        ("a: 1\na: 2\n", 2),
        ("a: b: c\n", 1),
        ("a:\n\tb: 1\n", 2),
        ("a: \"x\n", 1),
        ("a: 1\nnonsense\n", 2),
    ] {
        assert_eq!(parse(text).map_err(|error| error.line), Err(line), "{text:?}");
    }
    assert!(parse(&"- ".repeat(100_000)).is_err());
    assert!(parse(&format!("a: {}", "[".repeat(100_000))).is_err());
}

proptest! {
    #[test]
    fn any_text_ends(text in "[-:#\\[\\]{},'\"|&a1 \n\t]{0,120}") {
        let _ = parse(&text);
    }
}

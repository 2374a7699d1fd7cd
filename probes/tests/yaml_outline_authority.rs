//! The reader of YAML outlines beside PyYAML: what it accepts must mean the same there. What it refuses, it may.

#![cfg(test)]

mod machine;

use machine::authority;
use probes::formats::yaml_outline;
use serde_json::Value;

/// Reads documents parted by NUL and writes a line of JSON for each, or `error`.
const PYTHON: &str = "import json, sys, yaml
for text in sys.stdin.read().split('\\0'):
    try:
        print(json.dumps(yaml.safe_load(text)))
    except Exception:
        print('error')
";

const CONTENTS: [&str; 40] = [
    "a: 1",
    "a: x",
    "b: true",
    "c: no",
    "d:",
    "e: ~",
    "f: 'it''s'",
    "g: \"q\\\"x\"",
    "h: [1, x, 'y']",
    "i: {a: 1, b: [x]}",
    "j: []",
    "k: {}",
    "l: x # c",
    "m: \"# no\"",
    "n: http://x:1/#a",
    "o: -5",
    "p: a-b",
    "q: 'x' ",
    "r: null",
    "\"s t\": 1",
    "- a",
    "- 1",
    "- a: 1",
    "- b:",
    "-",
    "- - x",
    "- [a, b]",
    "- {c: d}",
    "- 'q'",
    "- x y # c",
    "# c",
    "",
    "x",
    "a: b: c",
    "t: [a",
    "u: x:y",
    "v: 'a' b",
    "w: &x 1",
    "y y: z",
    "'z': off",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).unwrap()
    }
}

#[test]
fn what_is_accepted_means_the_same() {
    let mut dice = Dice(3);
    let mut texts = vec![];
    for _ in 0..30_000 {
        let mut text = String::new();
        let mut indent = 0;
        for _ in 0..=dice.roll(6) {
            text += &format!("{}{}\n", " ".repeat(indent), CONTENTS[dice.roll(40)]);
            indent = match dice.roll(4) {
                0 => indent + 2,
                1 => indent.saturating_sub(2),
                2 => dice.roll(4),
                _ => indent,
            };
        }
        texts.push(text);
    }
    let output = authority(
        "python3-yaml",
        "/usr/bin/python3",
        &["-c", PYTHON],
        texts.join("\0").as_bytes(),
    );
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(
        answers.len(),
        texts.len(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut accepted = 0;
    for (text, answer) in texts.iter().zip(answers) {
        let Ok(value) = yaml_outline::parse(text) else { continue };
        accepted += 1;
        let wanted: Value =
            serde_json::from_str(answer).unwrap_or_else(|_| panic!("{text:?}: {value}, PyYAML: {answer}"));
        assert_eq!(value, wanted, "{text:?}");
    }
    assert!(accepted > 3_000, "{accepted}");
}

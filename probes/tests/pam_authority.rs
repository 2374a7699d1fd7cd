//! The pam probe against the programs that decide: libpam itself, which runs the rules of generated files, and libpwquality.
//! Every root is a folder of real files.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use probes::registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

fn facts(host: &Machine) -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "pam")
        .unwrap();
    let documents = probe.collect(host);
    documents[0]
        .facts
        .clone()
        .unwrap_or_else(|| panic!("{}", documents[0].detail))
}

fn stack(facts: &Value, name: &str) -> Value {
    let services = facts["services"].as_array().unwrap();
    let service = services.iter().find(|service| service["name"] == name).unwrap();
    assert_eq!(service["stack"]["outcome"], "observed", "{service}");
    service["stack"]["value"].clone()
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

/// What each type of rule of a service writes, with the root's files in the place of the machine's.
const RUN: &str = r#"
set -e
mount --bind "$1/etc/pam.d" /etc/pam.d
for operation in authenticate acct_mgmt open_session; do
    echo "== $operation"
    pamtester "$2" root "$operation" </dev/null 2>&1 || true
done
"#;

fn run(root: &Path, service: &str) -> Vec<Vec<String>> {
    let args = ["-m", "sh", "-c", RUN, "sh", root.to_str().unwrap(), service];
    let output = authority("util-linux", "unshare", &args, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        !text.contains("not found"),
        "{text}; install it: apt-get install pamtester"
    );
    let parts = text.split("== ").skip(1);
    let marks = |part: &str| {
        let lines = part.lines().skip(1).filter(|line| line.starts_with("mark"));
        lines.map(str::to_owned).collect()
    };
    parts.map(marks).collect()
}

/// What the rules write if all are asked: each is `optional pam_echo`, so that none ends the others.
fn marks(stack: &Value, kind: &str) -> Vec<String> {
    let rules = stack["rules"].as_array().unwrap().iter();
    let rules = rules.filter(|rule| rule["type"] == kind && rule["module"] == "pam_echo");
    let words = |rule: &Value| {
        let words = rule["arguments"].as_array().unwrap().iter();
        words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    rules.map(words).collect()
}

#[test]
fn rules_are_asked_in_the_order_in_which_libpam_asks_them() {
    let kind = "(auth|auth|account|session|AUTH|-auth)";
    let control = "(optional|OPTIONAL|\\[default=ignore\\]|\\[ default = ignore success=ok \\])";
    let words = "(a|b c|\\[x y\\]|\\[p\\\\\\]q\\]|e \\\\\n f|g \\\\\n\n# no\n\th|i # c|j# \\\\)";
    let line = prop_oneof![
        8 => (kind, control, words).prop_map(|(kind, control, words)| format!("{kind} {control} pam_echo.so mark {words}\n")),
        3 => "(auth|account|session) (include|include|substack|SUBSTACK) (common-a|common-b|common-c)( x)?\n",
        2 => "(@include|@INCLUDE) (common-a|common-b|common-c)\n",
        1 => "# comment \\\\\n",
        1 => Just("   \n".to_owned()),
        1 => "(bad optional pam_echo\\.so mark|auth|auth include nothing|auth optional pam_nothere\\.so|auth optional)\n",
    ];
    let file = || proptest::collection::vec(line.clone(), 0..6).prop_map(|lines| lines.concat());
    let asked = std::cell::Cell::new(0);
    let result = runner(150).run(&(file(), file(), file()), |(a, b, c)| {
        // Each file includes only those after it: libpam dies of files that include each other.
        let (a, b) = (
            a.replace("common-a", "common-b"),
            b.replace("common-a", "common-c").replace("common-b", "common-c"),
        );
        let c: String = c
            .lines()
            .filter(|line| !line.contains("common-"))
            .fold(String::new(), |all, line| all + line + "\n");
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/pam.d");
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write(
            "su",
            "@include common-a\nauth substack common-b\nauth optional pam_echo.so mark last\n",
        );
        write("common-a", &a);
        write("common-b", &b);
        write("common-c", &c);
        write(
            "other",
            "account optional pam_echo.so mark other\nsession optional pam_echo.so mark other\n",
        );
        let facts = facts(&Machine::folder(root.path()));
        let (stack, other) = (stack(&facts, "su"), stack(&facts, "other"));
        let theirs = run(root.path(), "su");
        for (kind, theirs) in ["auth", "account", "session"].into_iter().zip(theirs) {
            let left = stack["left_to_other"]
                .as_array()
                .unwrap()
                .iter()
                .any(|left| left == kind);
            let own = marks(if left { &other } else { &stack }, kind);
            asked.set(asked.get() + own.len());
            // Blanks between arguments are libpam's own.
            let plain = |marks: Vec<String>| {
                marks
                    .iter()
                    .map(|mark| mark.split_whitespace().collect::<Vec<_>>().join(" "))
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                plain(own),
                plain(theirs),
                "{kind} of\n--- a\n{a}\n--- b\n{b}\n--- c\n{c}"
            );
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(asked.get() > 500, "{} rules", asked.get());
}

/// What pwscore says to a password that is good but for length and digits.
const SCORE: &str = r#"
mount --bind "$1/etc/security" /etc/security && echo 'Xk#qwlzRvTpYgB' | pwscore 2>&1 || true
"#;

#[test]
fn quality_is_what_libpwquality_asks() {
    let _ = authority("libpwquality-tools", "pwscore", &[], b"x\n");
    let line = prop_oneof![
        6 => "minlen ?= ?(3|8|15|16|20|33)( # c)?\n",
        2 => "  MINLEN (17|21)\n",
        2 => "dictcheck = 0\n",
        1 => "(enforce_for_root|local_users_only|retry = 2|# minlen = 40|maxrepeat=0|usercheck = 1|badwords = a b)\n",
        1 => "(minlen = x|minlen|bogus = 1|minlen = 3 4)\n",
    ];
    let file = || proptest::collection::vec(line.clone(), 0..3).prop_map(|lines| lines.concat());
    let refused = std::cell::Cell::new(0);
    let result = runner(150).run(&(file(), file(), file()), |(main, first, second)| {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/security/pwquality.conf.d");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.path().join("etc/pam.d")).unwrap();
        fs::write(
            root.path().join("etc/pam.d/passwd"),
            "password requisite pam_pwquality.so\n",
        )
        .unwrap();
        fs::write(
            root.path().join("etc/security/pwquality.conf"),
            format!("dictcheck = 0\n{main}"),
        )
        .unwrap();
        fs::write(folder.join("10.conf"), &first).unwrap();
        fs::write(folder.join("20.conf"), &second).unwrap();
        fs::write(folder.join("30.conf.old"), "minlen = 50\n").unwrap();
        let facts = facts(&Machine::folder(root.path()));
        let quality = stack(&facts, "passwd")["quality"].clone();
        let args = ["-m", "sh", "-c", SCORE, "sh", root.path().to_str().unwrap()];
        let output = authority("util-linux", "unshare", &args, b"");
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let case = format!("{main}--- 10\n{first}--- 20\n{second}--- {answer}");
        if answer.starts_with("Error") {
            assert_eq!(quality["outcome"], "malformed", "{case}");
            refused.set(refused.get() + 1);
            return Ok(());
        }
        let minlen = quality["value"][0]["minlen"]
            .as_i64()
            .unwrap_or_else(|| panic!("{quality}\n{case}"));
        let shorter = answer
            .split("shorter than ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        match shorter {
            Some(length) => assert_eq!(length, minlen.to_string(), "{case}"),
            None => assert!(minlen <= 14, "{minlen}\n{case}"),
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!((10..140).contains(&refused.get()), "{} are refused", refused.get());
}

/// The files of this machine are understood as a whole.
#[test]
fn stacks_of_this_machine() {
    let facts = facts(&Machine::this());
    assert_eq!(facts["source"], "folders");
    for name in ["login", "su", "passwd", "other"] {
        let stack = stack(&facts, name);
        assert_eq!(stack["problems"], Value::Array(vec![]), "{name}");
        assert!(!stack["rules"].as_array().unwrap().is_empty(), "{name}");
    }
}

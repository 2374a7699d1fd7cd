//! The polkit probe against a parser of XML that is not its own (Python's), over the files of actions of this machine and
//! over generated ones.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use probes::registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Actions of which one default is `yes`, of all files below a root; nothing for a file that is no XML.
const PARSE: &str = r"
import glob, json, sys, xml.etree.ElementTree as tree
found = []
for path in sorted(glob.glob(sys.argv[1] + '/usr/share/polkit-1/actions/*.policy')):
    try:
        actions = tree.parse(path).getroot().findall('action')
    except tree.ParseError:
        continue
    for action in actions:
        allow = lambda name: (action.findtext('defaults/' + name) or 'no').strip()
        answers = [allow('allow_any'), allow('allow_inactive'), allow('allow_active')]
        if 'yes' in answers:
            found.append([action.get('id')] + answers)
print(json.dumps(sorted(found)))
";

fn theirs(root: &str) -> Vec<Value> {
    let output = authority("python3", "python3", &["-c", PARSE, root], b"");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn facts(host: &Machine) -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "polkit")
        .unwrap();
    probe.collect(host)[0].facts.clone().unwrap()
}

fn own(facts: &Value) -> Vec<Value> {
    let actions = facts["actions"]["value"].as_array().unwrap().iter();
    actions
        .map(|action| {
            json!([
                action["id"],
                action["allow_any"],
                action["allow_inactive"],
                action["allow_active"]
            ])
        })
        .collect()
}

fn compare(host: &Machine, root: &Path) -> usize {
    let facts = facts(host);
    assert_eq!(facts["malformed_actions"], json!([]));
    let theirs = theirs(root.to_str().unwrap().trim_end_matches('/'));
    assert_eq!(own(&facts), theirs);
    theirs.len()
}

#[test]
fn actions_of_this_machine() {
    compare(&Machine::this(), Path::new("/"));
}

#[test]
fn actions_of_generated_files() {
    let answer = "( )?(yes|no|auth_admin|auth_self_keep)( |\n)?";
    let allow = ("(allow_any|allow_inactive|allow_active)", answer)
        .prop_map(|(name, answer)| format!("<{name}>{answer}</{name}>\n"));
    let noise = prop_oneof![
        Just("<!-- <allow_any>yes</allow_any> </action> -->\n".to_owned()),
        Just("<description xml:lang=\"de\">identisch &lt;action&gt;</description>\n".to_owned()),
        Just("<annotate key=\"org.freedesktop.policykit.exec.path\">/usr/bin/x</annotate>\n".to_owned()),
    ];
    let action = (
        "[a-z]{1,6}\\.[a-z]{1,6}",
        "(\"|')",
        proptest::collection::vec(noise, 0..2),
        proptest::collection::vec(allow, 0..4),
    )
        .prop_map(|(id, quote, noise, mut allow)| {
            // An element that comes twice is no policy.
            allow.sort();
            allow.dedup_by_key(|element| element.split('>').next().unwrap().to_owned());
            format!(
                "<action id={quote}{id}{quote}>\n{}<defaults>\n{}</defaults>\n</action>\n",
                noise.concat(),
                allow.concat()
            )
        });
    let file = proptest::collection::vec(action, 0..5).prop_map(|actions| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<policyconfig>\n<vendor>x</vendor>\n{}</policyconfig>\n",
            actions.concat()
        )
    });
    let mut runner = TestRunner::new(Config {
        cases: 30,
        failure_persistence: None,
        ..Config::default()
    });
    let count = std::cell::Cell::new(0);
    let result = runner.run(&(file.clone(), file), |(first, second)| {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("usr/share/polkit-1/actions");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.policy"), first).unwrap();
        fs::write(folder.join("b.policy"), second).unwrap();
        count.set(count.get() + compare(&Machine::folder(root.path()), root.path()));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(count.get() > 20, "{} actions", count.get());
}

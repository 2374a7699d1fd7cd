//! The sudo probe against doas for its rules. Every root is a folder of real files.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use probes::registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n\
    alice:x:1000:1000::/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/sh\ncarol:x:1002:1002::/home/carol:/bin/sh\n";
const GROUP: &str =
    "root:x:0:\nadm:x:4:alice\nsudo:x:27:bob\nusers:x:100:alice,carol\nalice:x:1000:\nbob:x:1001:\ncarol:x:1002:\n";

fn facts(root: &Path) -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "sudo")
        .unwrap();
    let documents = probe.collect(&Machine::folder(root));
    documents[0]
        .facts
        .clone()
        .unwrap_or_else(|| panic!("{}", documents[0].detail))
}

/// What `doas -C` says to each user of a command that no rule names.
const ASK_DOAS: &str = r#"
set -e
for file in passwd group; do mount --bind "$1/etc/$file" "/etc/$file"; done
chmod 755 "$1" "$1/etc"
for user in alice bob carol; do
    answer=$(setpriv --reuid "$user" --regid "$user" --init-groups doas -C "$1/etc/doas.conf" env 2>&1 || true)
    echo "$user $answer"
done
"#;

#[test]
fn rules_of_doas_are_what_doas_says() {
    let _ = authority("opendoas", "doas", &["-C", "/dev/null"], b"");
    let identity = "(alice|bob|carol|1000|:sudo|:adm|:users|:100|:27|nobody-here|:none|\"alice\")";
    let options = "(nopass |persist |keepenv |nolog |setenv \\{ A=b -C \\} ){0,2}";
    let target = "( as root| as bob| as 0)?";
    let command = "( cmd id| cmd id args -u| cmd \"ls\" args)?";
    let rule = prop_oneof![
        6 => (options, identity, target, command).prop_map(|(options, who, target, command)| format!("permit {options}{who}{target}{command}\n")),
        2 => (identity, target, command).prop_map(|(who, target, command)| format!("deny {who}{target}{command}\n")),
        1 => Just("# a comment \"\n".to_owned()),
        1 => "(permit|deny|permit nopass alice as|permit alice cmd|allow bob|permit \\\\\\\\\nalice|permit alice # x|deny nopass bob|permit alice \\{)\n",
    ];
    let file = proptest::collection::vec(rule, 1..6).prop_map(|rules| rules.concat());
    let mut runner = TestRunner::new(Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    });
    let good = std::cell::Cell::new(0);
    let result = runner.run(&file, |text| {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("etc/passwd", PASSWD),
            ("etc/group", GROUP),
            ("etc/doas.conf", &text),
            ("usr/bin/doas", ""),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let facts = facts(root.path());
        let args = ["-m", "sh", "-c", ASK_DOAS, "sh", root.path().to_str().unwrap()];
        let output = authority("util-linux", "unshare", &args, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answers = String::from_utf8(output.stdout).unwrap();
        for (user, uid) in [("alice", 1000), ("bob", 1001), ("carol", 1002)] {
            let answer = answers.lines().find_map(|line| line.strip_prefix(user)).unwrap().trim();
            let own = match facts["doas"]["value"]["users"].as_array() {
                None => "mistake",
                Some(users) => match users.iter().find(|user| user["uid"] == uid) {
                    None => "deny",
                    Some(user) if user["nopass"] == true => "permit nopass",
                    Some(_) => "permit",
                },
            };
            let theirs = if answers.contains("error") || answers.contains("can't") {
                "mistake"
            } else {
                answer
            };
            assert_eq!(own, theirs, "{user} by\n{text}\n{answers}");
            good.set(good.get() + usize::from(own != "mistake"));
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(good.get() > 100, "{} answers", good.get());
}

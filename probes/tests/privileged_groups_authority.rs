//! The privileged-groups probe against `getent` and `id` on this machine, and against `id` over generated files.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;

use machine::{Machine, authority};
use probes::registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

fn groups(host: &Machine) -> Vec<Value> {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "privileged-groups")
        .unwrap();
    let documents = probe.collect(host);
    documents[0].facts.as_ref().unwrap()["groups"]
        .as_array()
        .unwrap()
        .clone()
}

/// Gids of each user by `id -G`, of the users in a file in the form of `/etc/passwd`.
fn memberships(passwd: &str, groups_of: impl Fn(&str) -> String) -> BTreeMap<u64, Vec<u64>> {
    let user = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let gids = groups_of(fields[0]);
        let gids = gids.split_whitespace().map(|gid| gid.parse().unwrap()).collect();
        (fields[2].parse().unwrap(), gids)
    };
    passwd.lines().map(user).collect()
}

fn compare(groups: &[Value], memberships: &BTreeMap<u64, Vec<u64>>, case: &str) {
    for group in groups {
        let gid = group["gid"].as_u64().unwrap();
        let theirs: Vec<u64> = memberships
            .iter()
            .filter(|(_, gids)| gids.contains(&gid))
            .map(|(uid, _)| *uid)
            .collect();
        let own: Vec<u64> = group["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|uid| uid.as_u64().unwrap())
            .collect();
        assert_eq!(own, theirs, "{group} in\n{case}");
    }
}

#[test]
fn groups_of_this_machine() {
    let text = |program: &str, args: &[&str]| {
        let output = authority("libc-bin", program, args, b"");
        String::from_utf8(output.stdout).unwrap()
    };
    let passwd = text("getent", &["-s", "files", "passwd"]);
    let found = groups(&Machine::this());
    compare(&found, &memberships(&passwd, |name| text("id", &["-G", name])), &passwd);
    let all = text("getent", &["-s", "files", "group"]);
    for name in ["root", "sudo", "adm", "disk", "shadow"] {
        let there = all.lines().any(|line| line.starts_with(&format!("{name}:")));
        assert_eq!(found.iter().any(|group| group["name"] == name), there, "{name}");
    }
}

const ASK: &str = r#"
set -e
for file in passwd group; do mount --bind "$1/etc/$file" "/etc/$file"; done
for user in root alice bob carol; do echo "$user $(id -G "$user")"; done
"#;

#[test]
fn members_are_those_that_id_tells() {
    let members = "(root|alice|bob|ghost)?(,(alice|carol))?";
    let group = (
        "(root|sudo|wheel|adm|docker|users|disk)",
        prop_oneof![Just(0_u32), 1_u32..6],
        members,
    )
        .prop_map(|(name, gid, members)| (name, gid, members));
    let input = (proptest::collection::vec(group, 1..6), 0_u32..6, 0_u32..6);
    let mut runner = TestRunner::new(Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&input, |(lines, alice, bob)| {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        let passwd = format!(
            "root:x:0:0::/root:/bin/sh\nalice:x:1000:{alice}::/:/bin/sh\nbob:x:1001:{bob}::/:/bin/sh\ncarol:x:1002:77::/:/bin/sh\n"
        );
        // One name and one number each once: of more, the system uses the first.
        let (mut names, mut gids) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        let group: String = lines
            .iter()
            .filter(|(name, gid, _)| names.insert(name.clone()) && gids.insert(*gid))
            .map(|(name, gid, members)| format!("{name}:x:{gid}:{members}\n"))
            .collect();
        fs::write(root.path().join("etc/passwd"), &passwd).unwrap();
        fs::write(root.path().join("etc/group"), &group).unwrap();
        let args = ["-m", "sh", "-c", ASK, "sh", root.path().to_str().unwrap()];
        let output = authority("util-linux", "unshare", &args, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answers = String::from_utf8(output.stdout).unwrap();
        let of = |name: &str| {
            let line = answers.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
            line.unwrap().to_owned()
        };
        compare(&groups(&Machine::folder(root.path())), &memberships(&passwd, of), &group);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

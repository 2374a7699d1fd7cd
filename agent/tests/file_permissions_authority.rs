//! `file-permissions` beside stat(1), getfacl(1), lsattr(1), findmnt(8) and mount(8) on this machine.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use affiant_agent::collection::Runner;
use affiant_agent::machine::Machine;
use probes::file_permissions::fstab::effective;
use probes::registry;
use serde_json::Value;

fn facts(machine: Machine) -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "file-permissions")
        .unwrap();
    let collection = Runner::new(machine, vec![probe]).collect();
    let document = collection.documents().next().unwrap();
    let facts = document.facts().unwrap();
    facts.facts.clone().unwrap_or_else(|| panic!("{}", facts.detail))
}

fn run(package: &str, command: &mut Command) -> String {
    let name = command.get_program().to_owned();
    let output = command.env("LC_ALL", "C").output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}; install it: apt-get install {package}", name.display()));
    String::from_utf8(output.stdout).unwrap()
}

/// Named entries, and the group's own if there are such, as getfacl(1) prints them.
fn acl(path: &Path, default: bool) -> Vec<String> {
    let which = if default { "-d" } else { "-a" };
    let mut command = Command::new("getfacl");
    let printed = run("acl", command.args(["-n", "-c", "-p", "-E", which, "--"]).arg(path));
    let lines: Vec<_> = printed
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    // Without a mask there is no ACL beyond the mode.
    if !lines.iter().any(|line| line.starts_with("mask:")) && !default {
        return vec![];
    }
    let more = |line: &String| line.starts_with("group:") || (line.starts_with("user:") && !line.starts_with("user::"));
    lines.into_iter().filter(more).collect()
}

fn told(value: &Value) -> Vec<String> {
    assert_eq!(value["outcome"], "observed", "{value}");
    let entry = |entry: &Value| {
        let kind = if entry["kind"] == "user" { "user" } else { "group" };
        let id = entry["id"].as_u64().map(|id| id.to_string()).unwrap_or_default();
        format!("{kind}:{id}:{}", entry["permissions"].as_str().unwrap())
    };
    value["value"].as_array().unwrap().iter().map(entry).collect()
}

/// Compares all that is there below `root`; how many that were.
fn compare(facts: &Value, root: &Path) -> usize {
    let mut compared = 0;
    for list in ["files", "folders"] {
        for entry in facts[list].as_array().unwrap() {
            let path = entry["path"].as_str().unwrap();
            let place = root.join(path.trim_start_matches('/'));
            let permissions = &entry["permissions"];
            if permissions["outcome"] == "absent" {
                assert!(!place.exists(), "{path}");
                continue;
            }
            let permissions = &permissions["value"];
            let stat = run(
                "coreutils",
                Command::new("stat").args(["-L", "-c", "%a %u %g %A"]).arg(&place),
            );
            let mut stat = stat.split_whitespace();
            let mode = format!("{:0>4}", stat.next().unwrap());
            assert_eq!(permissions["mode"], mode.as_str(), "{path}");
            assert_eq!(
                permissions["uid"],
                stat.next().unwrap().parse::<u32>().unwrap(),
                "{path}"
            );
            assert_eq!(
                permissions["gid"],
                stat.next().unwrap().parse::<u32>().unwrap(),
                "{path}"
            );
            let letters = ["owner", "group", "others"]
                .map(|who| permissions[who].as_str().unwrap())
                .concat();
            let printed = stat.next().unwrap().get(1..).unwrap().to_owned();
            let plain: String = printed
                .chars()
                .map(|letter| match letter {
                    's' | 't' => 'x',
                    'S' | 'T' => '-',
                    other => other,
                })
                .collect();
            assert_eq!(letters, plain, "{path}");
            assert_eq!(told(&permissions["acl"]), acl(&place, false), "{path}");
            if list == "folders" {
                assert_eq!(told(&permissions["default_acl"]), acl(&place, true), "{path}");
            }
            let place = std::fs::canonicalize(&place).unwrap();
            let flags = run("e2fsprogs", Command::new("lsattr").arg("-d").arg(&place));
            if let (Some(flags), Some(immutable)) =
                (flags.split_whitespace().next(), permissions["immutable"].as_bool())
            {
                assert_eq!(immutable, flags.contains('i'), "{path}: {flags}");
                assert_eq!(
                    permissions["append_only"].as_bool(),
                    Some(flags.contains('a')),
                    "{path}: {flags}"
                );
            }
            compared += 1;
        }
    }
    compared
}

#[test]
fn this_machine() {
    let compared = compare(&facts(Machine::own()), Path::new("/"));
    assert!(compared > 40, "{compared}");
}

#[test]
fn acls_and_attributes_of_many_kinds() {
    let temp = tempfile::tempdir_in("/var/tmp").unwrap();
    let root = temp.path();
    for folder in ["etc/cron.d", "etc/pam.d", "var/log", "tmp"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let files = [
        "etc/passwd",
        "etc/shadow",
        "etc/group",
        "etc/crontab",
        "var/log/syslog",
        "etc/sudoers",
    ];
    for file in files {
        std::fs::write(root.join(file), "").unwrap();
    }
    let set = |arguments: &[&str], file: &str| {
        let status = Command::new("setfacl").args(arguments).arg(root.join(file)).status();
        let status = status.unwrap_or_else(|error| panic!("setfacl: {error}; install it: apt-get install acl"));
        assert!(status.success());
    };
    set(&["-m", "u:1000:rw,g:4:r,g:1000:rwx"], "etc/passwd");
    set(&["-m", "u:4000000000:---,m::r"], "etc/shadow");
    set(&["-m", "u:0:rwx"], "etc/group");
    set(&["-m", "g:33:x,d:u:1000:rwx,d:g:7:r"], "etc/cron.d");
    set(&["-d", "-m", "u:5:rx"], "var/log");
    let change = |flag: &str, file: &str| {
        let status = Command::new("chattr").arg(flag).arg(root.join(file)).status();
        let status = status.unwrap_or_else(|error| panic!("chattr: {error}; install it: apt-get install e2fsprogs"));
        assert!(
            status.success(),
            "this test runs as root, with /var/tmp on a filesystem with attributes"
        );
    };
    change("+i", "etc/crontab");
    change("+a", "var/log/syslog");
    let facts = facts(Machine::below(root).unwrap());
    let compared = std::panic::catch_unwind(|| compare(&facts, root));
    change("-i", "etc/crontab");
    change("-a", "var/log/syslog");
    assert_eq!(compared.unwrap(), files.len() + 6);
    let files = facts["files"].as_array().unwrap();
    let immutable = files
        .iter()
        .filter(|file| file["permissions"]["value"]["immutable"] == true);
    assert_eq!(immutable.count(), 1);
}

#[test]
fn mounts_as_findmnt_tells_them() {
    let facts = facts(Machine::own());
    for mount in facts["mounts"].as_array().unwrap() {
        let path = mount["path"].as_str().unwrap();
        if !Path::new(path).exists() {
            continue;
        }
        let now = &mount["now"]["value"];
        let json = run(
            "util-linux",
            Command::new("findmnt").args(["--json", "-N", "1", "-T", path]),
        );
        let json: Value = serde_json::from_str(&json).unwrap();
        let told = &json["filesystems"][0];
        assert_eq!(now["separate"], told["target"] == path, "{path}");
        assert_eq!(now["filesystem"], told["fstype"], "{path}");
        let options: Vec<_> = told["options"].as_str().unwrap().split(',').collect();
        for (name, option) in [
            ("nodev", "nodev"),
            ("nosuid", "nosuid"),
            ("noexec", "noexec"),
            ("read_only", "ro"),
        ] {
            assert_eq!(now[name], options.contains(&option), "{path} {option}");
        }
    }
}

/// Options in many orders, mounted for real.
#[test]
fn options_of_fstab_as_mount_takes_them() {
    let temp = tempfile::tempdir().unwrap();
    let words = [
        "defaults", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "ro", "rw", "user", "users", "owner", "group",
    ];
    let mut cases: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    for (index, first) in words.iter().enumerate() {
        for (offset, second) in words.iter().enumerate() {
            cases.push(format!("{first},{second}"));
            cases.push(format!(
                "{first},{second},{}",
                words[(index * 5 + offset * 3) % words.len()]
            ));
        }
    }
    let mut disagree = BTreeMap::new();
    for options in &cases {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(temp.path())
            .status();
        assert!(mounted.unwrap().success(), "{options}: this test runs as root");
        let told = run(
            "util-linux",
            Command::new("findmnt").args(["-n", "-o", "OPTIONS"]).arg(temp.path()),
        );
        assert!(Command::new("umount").arg(temp.path()).status().unwrap().success());
        let told: Vec<_> = told.trim().split(',').collect();
        for option in ["nosuid", "nodev", "noexec", "ro"] {
            if effective(options.split(','), option) != told.contains(&option) {
                disagree.insert((options, option), told.join(","));
            }
        }
    }
    assert!(
        disagree.is_empty(),
        "{} of {}: {disagree:?}",
        disagree.len(),
        cases.len()
    );
}

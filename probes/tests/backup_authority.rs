//! What the probe tells of repositories, beside borg and restic that have really used them.

#![cfg(test)]

mod machine;

use std::process::Command;

use machine::Machine;
use serde_json::{Value, json};

fn run(home: &std::path::Path, package: &str, program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .env("HOME", home)
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .env("BORG_PASSPHRASE", "x")
        .env("RESTIC_PASSWORD", "x")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install it: apt-get install {package}"));
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn repositories_of_borg_and_restic() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("root");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("file"), "content").unwrap();
    let data = home.join("file").display().to_string();
    let mut wanted = vec![];
    for (mode, encryption) in [
        ("none", "not_encrypted"),
        ("authenticated", "not_encrypted"),
        ("authenticated-blake2", "not_encrypted"),
        ("repokey", "encrypted"),
        ("keyfile", "encrypted"),
        ("repokey-blake2", "encrypted"),
        ("keyfile-blake2", "encrypted"),
    ] {
        let repository = root.path().join(format!("borg-{mode}")).display().to_string();
        let borg = |args: &[&str]| run(&home, "borgbackup", "/usr/bin/borg", args);
        borg(&["init", "-e", mode, &repository]);
        borg(&["create", &format!("{repository}::a"), &data]);
        let info: Value = serde_json::from_str(&borg(&["info", "--json", &repository])).unwrap();
        assert_eq!(info["encryption"]["mode"].as_str().unwrap(), mode);
        let id = info["repository"]["id"].as_str().unwrap();
        wanted.push(json!(["borg", &id[..16], "local", encryption]));
    }
    let repository = root.path().join("restic").display().to_string();
    let restic = |args: &[&str]| run(&home, "restic", "/usr/bin/restic", args);
    restic(&["init", "-r", &repository]);
    restic(&["backup", "-r", &repository, &data]);
    let config: Value = serde_json::from_str(&restic(&["cat", "config", "-r", &repository])).unwrap();
    wanted.push(json!([
        "restic",
        &config["id"].as_str().unwrap()[..16],
        "not_told",
        "not_told"
    ]));
    wanted.sort_by_key(Value::to_string);

    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "backup").unwrap();
    let facts = probe.collect(&Machine::folder(root.path())).remove(0).facts.unwrap();
    let found = facts["repositories"]["value"].as_array().unwrap();
    // Midnight may pass between the backup and here: the day is then the one before.
    let today = run(&home, "coreutils", "/usr/bin/date", &["-u", "+%F"]);
    for one in found {
        let day = one["last_change"].as_str().unwrap();
        assert!(day.starts_with(today.trim()) || today.trim() > day, "{one}");
        assert!(day.ends_with("T00:00:00Z"), "{one}");
    }
    let told: Vec<Value> = found
        .iter()
        .map(|one| json!([one["product"], one["id"], one["repository"]["place"], one["encryption"]]))
        .collect();
    assert_eq!(told, wanted);
}

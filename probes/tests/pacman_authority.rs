//! Packages of Arch against pacman: packages made here and installed into a folder.
//!
//! Needs the package pacman-package-manager.

#![cfg(test)]

mod machine;

use std::fs;

use evidence::facts::Outcome;
use machine::{Machine, authority};
use serde_json::Value;

#[test]
fn installed_packages_are_those_of_pacman() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let top = folder.path().to_str().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("var/lib/pacman")).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("etc/os-release"), "ID=arch\n").unwrap();
    let conf = format!("{top}/pacman.conf");
    fs::write(&conf, "[options]\nArchitecture = x86_64\nSigLevel = Never\n").unwrap();
    let database = format!("{top}/root/var/lib/pacman");
    let pacman = |args: &[&str]| {
        let mut all = vec![
            "--config",
            &conf,
            "--root",
            root.to_str().unwrap(),
            "--dbpath",
            &database,
        ];
        all.extend_from_slice(args);
        let output = authority("pacman-package-manager", "pacman", &all, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let mut files = vec![];
    for number in 0..40 {
        let (name, version) = (
            format!("part-{number}"),
            ["1.0-1", "1:2.0.r3-2", "2024.01.02-1"][number % 3],
        );
        let architecture = if number % 4 == 0 { "any" } else { "x86_64" };
        let content = format!("{top}/{name}");
        fs::create_dir(&content).unwrap();
        let base = if number % 5 == 0 { "whole" } else { &name };
        let info = format!(
            "pkgname = {name}\npkgbase = {base}\npkgver = {version}\npkgdesc = Größe\nurl = x\nbuilddate = 1700000000\n\
             packager = x\nsize = 1\narch = {architecture}\n"
        );
        fs::write(format!("{content}/.PKGINFO"), info).unwrap();
        let file = format!("{top}/{name}-{version}-{architecture}.pkg.tar.gz");
        let packed = authority("tar", "tar", &["czf", &file, "-C", &content, ".PKGINFO"], b"");
        assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
        files.push(file);
    }
    let mut args = vec!["--noconfirm", "-U"];
    args.extend(files.iter().map(String::as_str));
    pacman(&args);
    pacman(&["--noconfirm", "-R", "part-7"]);
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "packages");
    let document = probe.unwrap().collect(&Machine::folder(&root)).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    let facts = document.facts.unwrap();
    let word = |package: &Value, field: &str| package[field].as_str().map(str::to_owned);
    let mut found: Vec<String> = facts["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            format!(
                "{} {}",
                word(package, "name").unwrap(),
                word(package, "version").unwrap()
            )
        })
        .collect();
    found.sort();
    let text = pacman(&["-Q"]);
    let mut expected: Vec<String> = text.lines().map(str::to_owned).collect();
    expected.sort();
    assert_eq!((found.len(), &found), (39, &expected));
    // Architectures, which `-Qi` shows in the order of `-Q`.
    let text = pacman(&["-Qi"]);
    let mut shown: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("Architecture"))
        .map(|rest| rest.trim_start_matches([' ', ':']).to_owned())
        .collect();
    let mut told: Vec<String> = facts["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| word(package, "architecture"))
        .collect();
    shown.sort();
    told.sort();
    assert_eq!(told, shown);
    assert_eq!(facts["signatures"]["unsigned"].as_array().unwrap().len(), 39);
    assert_eq!(facts["packages"][0]["source"], "whole");
}

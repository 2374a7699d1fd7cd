//! Which files of packages have changed, beside `dpkg --verify`.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use machine::{Machine, authority};
use serde_json::Value;

const PACKAGES: [&str; 7] = ["bash", "coreutils", "sed", "login", "libpam-modules", "dpkg", "passwd"];

/// A root with the files of some of this machine's packages and what its dpkg recorded of them.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path.trim_start_matches('/'));
    for folder in [
        "usr/bin",
        "usr/sbin",
        "usr/lib",
        "etc",
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
    ] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for (link, target) in [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib")] {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    let status = Command::new("dpkg").arg("-s").args(PACKAGES).output().unwrap();
    fs::write(at("/var/lib/dpkg/status"), status.stdout).unwrap();
    // Tells dpkg that names of files may hold an architecture.
    fs::copy("/var/lib/dpkg/info/format", at("/var/lib/dpkg/info/format")).unwrap();
    for entry in fs::read_dir("/var/lib/dpkg/info").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let package = name.split(['.', ':']).next().unwrap();
        if !PACKAGES.contains(&package) {
            continue;
        }
        let from = format!("/var/lib/dpkg/info/{name}");
        fs::copy(&from, at(&from)).unwrap();
        if name.strip_suffix(".list").is_none() {
            continue;
        }
        for path in fs::read_to_string(&from).unwrap().lines() {
            let meta = fs::symlink_metadata(path);
            let to = at(path);
            match meta {
                Ok(meta) if meta.is_dir() => fs::create_dir_all(&to).unwrap_or_default(),
                Ok(meta) if meta.is_file() => {
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    fs::copy(path, &to).unwrap();
                }
                // dpkg looks for links too, the probe does not.
                Ok(meta) if meta.is_symlink() => {
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    let _ = std::os::unix::fs::symlink(fs::read_link(path).unwrap(), &to);
                }
                _ => {}
            }
        }
    }
    root
}

fn by_dpkg(root: &Path) -> BTreeSet<(bool, String)> {
    let option = format!("--root={}", root.display());
    let output = authority("dpkg", "/usr/bin/dpkg", &[&option, "--verify"], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    let wanted = |path: &str| {
        let folders = [
            "/bin/",
            "/sbin/",
            "/usr/bin/",
            "/usr/sbin/",
            "/lib/systemd/",
            "/usr/lib/systemd/",
        ];
        folders.iter().any(|folder| path.starts_with(folder)) || path.contains("/security/pam_")
    };
    text.lines()
        .filter_map(|line| {
            let (flags, path) = line.split_at(line.find('/')?);
            let conffile = flags.trim_end().ends_with('c');
            (conffile || wanted(path)).then(|| (flags.starts_with("missing"), path.to_owned()))
        })
        .collect()
}

fn by_probe(root: &Path) -> BTreeSet<(bool, String)> {
    let probes = probes::registry::all();
    let probe = probes
        .iter()
        .find(|probe| probe.spec.id == "package-verification")
        .unwrap();
    let document = probe.collect(&Machine::folder(root)).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    let mut found = BTreeSet::new();
    for compared in [&facts["programs"]["value"], &facts["configuration"]] {
        assert!(compared["files"].as_u64().unwrap() > 10, "{compared}");
        for (list, missing) in [("changed", false), ("missing", true)] {
            let list = compared[list].as_array().unwrap().iter();
            found.extend(list.map(|one: &Value| (missing, one["path"].as_str().unwrap().to_owned())));
        }
    }
    found
}

#[test]
fn changed_and_missing_files() {
    let root = root();
    let at = |path: &str| -> PathBuf { root.path().join(path.trim_start_matches('/')) };
    let before = by_dpkg(root.path());
    assert_eq!(by_probe(root.path()), before);
    for (path, change) in [
        ("/usr/bin/sha256sum", Some("changed")),
        ("/bin/ls", None),
        ("/bin/bash", Some("")),
        ("/etc/login.defs", Some("changed")),
        ("/etc/skel/.bashrc", None),
        ("/usr/sbin/useradd", Some("changed")),
        ("/lib/x86_64-linux-gnu/security/pam_unix.so", Some("changed")),
    ] {
        assert!(at(path).exists(), "{path}");
        match change {
            Some(text) => fs::write(at(path), text).unwrap(),
            None => fs::remove_file(at(path)).unwrap(),
        }
    }
    let after = by_dpkg(root.path());
    assert_eq!(after.len(), before.len() + 7, "{after:?}");
    assert_eq!(by_probe(root.path()), after);
    // A diversion moves what is compared.
    fs::rename(at("/bin/sed"), at("/bin/sed.other")).unwrap();
    fs::write(at("/bin/sed"), "other").unwrap();
    fs::write(at("/var/lib/dpkg/diversions"), "/bin/sed\n/bin/sed.other\n:\n").unwrap();
    assert_eq!(by_dpkg(root.path()), after);
    assert_eq!(by_probe(root.path()), after);
}

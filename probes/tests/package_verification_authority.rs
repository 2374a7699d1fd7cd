//! Which files of packages have changed, beside `dpkg --verify` and `rpm --verify`.
//!
//! Needs the package rpm.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use machine::{Machine, authority, rpm};
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
            "/usr/lib/openssh/",
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

/// Changed or missing, by the probe.
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
        assert_eq!(compared["everything"]["outcome"], "observed", "{compared}");
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

/// Packages of two checksums: programs and configuration of the base system, and what is not looked at.
fn rpm_root() -> tempfile::TempDir {
    let top = rpm::folder();
    let mut files = vec![];
    for (name, algorithm) in [("coreutils", "8"), ("util-linux", "1"), ("games", "8")] {
        let mut list = String::new();
        let mut install = String::new();
        for number in 0..12 {
            for folder in ["usr/bin", "usr/lib64/security", "usr/share/doc", "etc"] {
                let file = match folder {
                    "usr/lib64/security" => format!("pam_{name}{number}.so"),
                    _ => format!("{name}-{number}"),
                };
                install += &format!(
                    "mkdir -p %{{buildroot}}/{folder}; echo {name} {number} > %{{buildroot}}/{folder}/{file}\n"
                );
                let kind = match (folder, number) {
                    ("etc", 0) => "%config(missingok) ",
                    ("etc", 1) => "%config %verify(not filedigest size mtime) ",
                    ("etc", 2) => "%ghost %config ",
                    ("etc", 3) => "%config(noreplace) ",
                    ("etc", _) => "%config ",
                    _ => "",
                };
                list += &format!("{kind}/{folder}/{file}\n");
            }
        }
        let spec = format!(
            "Name: {name}\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n\
             %install\n{install}%files\n{list}"
        );
        let path = top.path().join(format!("{name}.spec"));
        fs::write(&path, spec).unwrap();
        let define = format!("_binary_filedigest_algorithm {algorithm}");
        rpm::build(
            top.path().to_str().unwrap(),
            path.to_str().unwrap(),
            &["--define", &define],
        );
        files.push(top.path().join(format!("RPMS/noarch/{name}-1-1.noarch.rpm")));
    }
    let root = rpm::root();
    rpm::install(root.path(), &files, &["--nodeps"]);
    root
}

/// Programs of the base system, and configuration, whose content or presence rpm does not find as it was.
fn by_rpm(root: &Path) -> BTreeSet<(bool, String)> {
    // Ends with 1 if anything differs.
    let output = rpm::output(root, &["--verify", "--all", "--nodeps"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let files = text.lines().filter_map(|line| {
        let (flags, path) = line.split_at(line.find('/')?);
        let missing = flags.starts_with("missing");
        let is_configuration = flags.split_ascii_whitespace().nth(1) == Some("c");
        let is_program = !path.contains("games") && (path.starts_with("/usr/bin/") || path.contains("/security/"));
        // `S.5....T.`: the third is the checksum.
        let differs = missing || flags.as_bytes().get(2) == Some(&b'5');
        (differs && (is_configuration || is_program)).then(|| (missing, path.to_owned()))
    });
    files.collect()
}

#[test]
fn changed_and_missing_files_of_rpm() {
    let root = rpm_root();
    let at = |path: &str| -> PathBuf { root.path().join(path.trim_start_matches('/')) };
    assert_eq!(by_rpm(root.path()), BTreeSet::new());
    assert_eq!(by_probe(root.path()), BTreeSet::new());
    for name in ["coreutils", "util-linux", "games"] {
        for (path, change) in [
            (format!("/usr/bin/{name}-0"), Some("changed")),
            (format!("/usr/bin/{name}-1"), Some("")),
            (format!("/usr/bin/{name}-2"), None),
            (format!("/usr/lib64/security/pam_{name}3.so"), Some("changed")),
            (format!("/usr/share/doc/{name}-1"), Some("changed")),
            (format!("/etc/{name}-0"), None),
            (format!("/etc/{name}-1"), Some("changed")),
            (format!("/etc/{name}-2"), Some("changed")),
            (format!("/etc/{name}-3"), Some("changed")),
            (format!("/etc/{name}-4"), None),
        ] {
            match change {
                Some(text) => fs::write(at(&path), text).unwrap(),
                None => fs::remove_file(at(&path)).unwrap(),
            }
        }
    }
    let after = by_rpm(root.path());
    // Of each two configuration files, and four programs of the two that belong to the base system.
    assert_eq!(after.len(), 3 * 2 + 2 * 4, "{after:?}");
    assert_eq!(by_probe(root.path()), after);
}

/// A file that another package replaced is the other's.
#[test]
fn replaced_files_of_rpm() {
    let root = rpm_root();
    let top = rpm::folder();
    let path = top.path().join("other.spec");
    let spec = "Name: sudo\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n\
                %install\nmkdir -p %{buildroot}/usr/bin; echo other > %{buildroot}/usr/bin/coreutils-5\n%files\n\
                /usr/bin/coreutils-5\n";
    fs::write(&path, spec).unwrap();
    rpm::build(top.path().to_str().unwrap(), path.to_str().unwrap(), &[]);
    let file = top.path().join("RPMS/noarch/sudo-1-1.noarch.rpm");
    rpm::install(root.path(), &[file], &["--replacefiles"]);
    assert_eq!(by_rpm(root.path()), BTreeSet::new());
    assert_eq!(by_probe(root.path()), BTreeSet::new());
    fs::write(root.path().join("usr/bin/coreutils-5"), "changed").unwrap();
    let changed = BTreeSet::from([(false, "/usr/bin/coreutils-5".to_owned())]);
    assert_eq!(by_rpm(root.path()), changed);
    assert_eq!(by_probe(root.path()), changed);
}

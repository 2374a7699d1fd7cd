//! `setuid-files` beside find(1), getcap(8), dpkg(1) and rpm(8) on trees made for it and on this machine's `/usr`.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::Path;
use std::process::Command;

use affiant_agent::collection::Runner;
use affiant_agent::machine::Machine;
use probes::registry;
use serde_json::Value;

/// What the probe says of the files below `root`.
fn facts(root: &Path) -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "setuid-files")
        .unwrap();
    let collection = Runner::new(Machine::below(root).unwrap(), vec![probe]).collect();
    let document = collection.documents().next().unwrap();
    let facts = document.facts().unwrap();
    facts.facts.clone().unwrap_or_else(|| panic!("{}", facts.detail))
}

fn run(package: &str, command: &mut Command) -> Vec<u8> {
    let name = command.get_program().to_owned();
    let output = command.env("LC_ALL", "C").output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}; install it: apt-get install {package}", name.display()));
    output.stdout
}

/// What find(1) finds below `root`: path as the root has it, mode, uid and gid.
fn find(root: &Path, test: &[&str]) -> BTreeMap<String, (String, u64, u64)> {
    let mut command = Command::new("find");
    command.arg(root).arg("-xdev").arg("(").args(test).arg(")");
    let printed = run("findutils", command.args(["-printf", "/%P\\t%m\\t%U\\t%G\\0"]));
    let text = String::from_utf8(printed).unwrap();
    let entry = |line: &str| {
        let mut fields = line.rsplitn(4, '\t');
        let (gid, uid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let mode = format!("{:0>4}", fields.next()?);
        Some((fields.next()?.to_owned(), (mode, uid, gid)))
    };
    text.split('\0').filter_map(entry).collect()
}

/// Compares a list with what find found: all of its number, and as many entries as it holds, root's first.
fn agrees(list: &Value, found: &BTreeMap<String, (String, u64, u64)>, with_mode: bool) {
    assert_eq!(list["total"].as_u64().unwrap(), found.len() as u64);
    let mut order: Vec<_> = found
        .iter()
        .map(|(path, (mode, uid, gid))| (*uid != 0, path, mode, *uid, *gid))
        .collect();
    order.sort();
    order.truncate(1_000);
    let entries = list["entries"].as_array().unwrap();
    assert_eq!(entries.len(), order.len());
    for (entry, (_, path, mode, uid, gid)) in entries.iter().zip(order) {
        assert_eq!(entry["path"], path.as_str());
        assert_eq!(
            (entry["uid"].as_u64(), entry["gid"].as_u64()),
            (Some(uid), Some(gid)),
            "{path}"
        );
        if with_mode {
            assert_eq!(entry["mode"], mode.as_str(), "{path}");
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

const SETUID: [&str; 4] = ["-type", "f", "-perm", "/6000"];
const WRITABLE: [&str; 4] = ["-type", "f", "-perm", "-0002"];
const OPEN: [&str; 7] = ["-type", "d", "-perm", "-0002", "!", "-perm", "-1000"];

#[test]
fn every_mode_and_many_owners() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    std::fs::create_dir(root.join("etc")).unwrap();
    for name in ["passwd", "group"] {
        std::fs::copy(Path::new("/etc").join(name), root.join("etc").join(name)).unwrap();
    }
    std::fs::write(root.join("etc/nsswitch.conf"), "passwd: files\ngroup: files\n").unwrap();
    for mode in 0..0o10000_u32 {
        let top = ["tree", "usr/lib", "usr/library", "usr/local/sbin", "lib64"][(mode / 5 % 5) as usize];
        let folder = root.join(format!("{top}/{}/{}", mode % 13, mode % 7));
        std::fs::create_dir_all(&folder).unwrap();
        let (file, inner, link) = ("f", "d", "l");
        let path = |kind: &str| folder.join(format!("{kind}{mode}"));
        std::fs::write(path(file), "").unwrap();
        std::fs::create_dir(path(inner)).unwrap();
        symlink("nowhere", path(link)).unwrap();
        for kind in [file, inner, link] {
            // Some that exist, and some that do not.
            let owner = |step: u32| [0, 1, 33, 70_000, 61_200, 4_000_000_000][(mode / step % 6) as usize];
            lchown(path(kind), Some(owner(1)), Some(owner(7))).expect("this test runs as root");
        }
        // After the owner, since that clears the bits.
        set_mode(&path(file), mode);
        set_mode(&path(inner), mode);
    }
    let facts = facts(root);
    agrees(&facts["setuid_files"], &find(root, &SETUID), true);
    agrees(&facts["world_writable_files"], &find(root, &WRITABLE), true);
    agrees(&facts["open_folders"], &find(root, &OPEN), true);
    let top = |name: &str| root.join(name).display().to_string();
    let below = |name: &str| top(&format!("{name}/*"));
    let tops = ["usr/lib", "usr/local/sbin", "lib64"];
    let (tops, belows) = (tops.map(top), tops.map(below));
    let mut test = vec!["("];
    for (top, below) in tops.iter().zip(&belows) {
        test.extend(["-path", top, "-o", "-path", below, "-o"]);
    }
    test.pop();
    test.extend([")", "(", "-type", "f", "-o", "-type", "d", ")"]);
    test.extend(["(", "!", "-uid", "0", "-o", "-perm", "-0020", ")"]);
    let found = find(root, &test);
    assert!(found.len() > 3_000, "{}", found.len());
    agrees(&facts["system_files_of_others"], &found, true);
    agrees(&facts["without_user"]["value"], &find(root, &["-nouser"]), false);
    agrees(&facts["without_group"]["value"], &find(root, &["-nogroup"]), false);
    assert_eq!(
        facts["everywhere"]["outcome"], "skipped",
        "lists of this length are cut, and that is said"
    );
}

#[test]
fn capabilities_as_getcap_tells_them() {
    let temp = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..41).map(|number| format!("{number}")).collect();
    let mut asked = vec![];
    for (number, name) in names.iter().enumerate() {
        for flags in ["p", "ep", "i", "ei", "ip", "eip"] {
            asked.push((format!("{number}={flags}"), format!("{name}-{flags}")));
        }
    }
    asked.push(("all=ep".to_owned(), "all".to_owned()));
    asked.push(("cap_chown,cap_bpf=p cap_kill+i".to_owned(), "mixed".to_owned()));
    for (capability, name) in &asked {
        let path = temp.path().join(name);
        std::fs::write(&path, "").unwrap();
        set_mode(&path, 0o755);
        let status = Command::new("setcap").arg(capability).arg(&path).status();
        let status = status.unwrap_or_else(|error| panic!("setcap: {error}; install it: apt-get install libcap2-bin"));
        assert!(status.success(), "{capability}");
    }
    let root_uid = temp.path().join("namespaced");
    std::fs::write(&root_uid, "").unwrap();
    set_mode(&root_uid, 0o755);
    let set = ["-n", "1000", "cap_net_raw=ep"];
    assert!(
        Command::new("setcap")
            .args(set)
            .arg(&root_uid)
            .status()
            .unwrap()
            .success()
    );

    let facts = facts(temp.path());
    let list = |value: &Value| -> BTreeSet<String> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let entries = facts["capability_files"]["entries"].as_array().unwrap();
    for entry in entries {
        let value = &entry["capabilities"]["value"];
        let path = temp
            .path()
            .join(entry["path"].as_str().unwrap().trim_start_matches('/'));
        let printed = run("libcap2-bin", Command::new("getcap").arg("-n").arg(&path));
        let printed = String::from_utf8(printed).unwrap();
        let told = printed.trim().strip_prefix(path.to_str().unwrap()).unwrap().trim();
        let (told, root_uid) = told.split_once(" [rootid=").unwrap_or((told, ""));
        assert_eq!(
            value["root_uid"].as_u64(),
            root_uid.trim_end_matches(']').parse().ok(),
            "{printed}"
        );
        let (permitted, inheritable, effective) = clauses(told);
        assert_eq!(
            (list(&value["permitted"]), list(&value["inheritable"])),
            (permitted, inheritable),
            "{printed}"
        );
        assert_eq!(value["effective"], effective, "{printed}");
    }
    // getcap(8) shows nothing of a file whose sets are empty; setcap(8) writes them all the same.
    let shown = run("libcap2-bin", Command::new("getcap").arg("-r").arg(temp.path()));
    assert_eq!(
        shown
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .count(),
        entries.len()
    );
    assert!(entries.len() > 240, "{}", entries.len());
}

/// Reads cap_to_text(3): clauses of names, an operator and flags, each applied to what the ones before left.
fn clauses(text: &str) -> (BTreeSet<String>, BTreeSet<String>, bool) {
    let (mut permitted, mut inheritable, mut effective) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for clause in text.split_ascii_whitespace() {
        let at = clause.find(['=', '+', '-']).unwrap();
        let (names, rest) = clause.split_at(at);
        let (operator, flags) = rest.split_at(1);
        let names: BTreeSet<String> = if names.is_empty() || names == "all" {
            all_names()
        } else {
            names.split(',').map(str::to_owned).collect()
        };
        for (flag, set) in [('p', &mut permitted), ('i', &mut inheritable), ('e', &mut effective)] {
            match (operator, flags.contains(flag)) {
                ("=", false) => set.retain(|name| !names.contains(name)),
                ("=" | "+", true) => set.extend(names.iter().cloned()),
                ("-", true) => set.retain(|name| !names.contains(name)),
                _ => {}
            }
        }
    }
    (permitted, inheritable, !effective.is_empty())
}

/// Every capability of the running kernel, by capsh(1).
fn all_names() -> BTreeSet<String> {
    let last = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap();
    let last: u32 = last.trim().parse().unwrap();
    (0..=last)
        .map(|number| {
            let mask = format!("--decode={:x}", 1_u64 << number);
            let printed = run("libcap2-bin", Command::new("capsh").arg(mask));
            let printed = String::from_utf8(printed).unwrap();
            printed.trim().split_once('=').unwrap().1.to_owned()
        })
        .collect()
}

#[test]
fn this_machines_usr() {
    let root = Path::new("/usr");
    let facts = facts(root);
    agrees(&facts["setuid_files"], &find(root, &SETUID), true);
    agrees(&facts["world_writable_files"], &find(root, &WRITABLE), true);
    agrees(&facts["open_folders"], &find(root, &OPEN), true);
    assert!(facts["setuid_files"]["total"].as_u64().unwrap() > 5);
    let capable = run("libcap2-bin", Command::new("getcap").args(["-r", "/usr"]));
    let capable = capable.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    assert_eq!(
        facts["capability_files"]["total"].as_u64().unwrap(),
        capable.count() as u64
    );
    assert_eq!(facts["everywhere"]["outcome"], "observed");
}

/// The files of this machine with setuid, and the packages that dpkg says brought them.
#[test]
fn packages_as_dpkg_tells_them() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    std::fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg("/var/lib/dpkg/info")
        .arg(root.join("var/lib/dpkg/"))
        .status();
    assert!(copied.unwrap().success());
    let mut expected = BTreeMap::new();
    for path in find(Path::new("/usr"), &SETUID).into_keys() {
        let path = format!("/usr{path}");
        let place = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, "").unwrap();
        set_mode(&place, 0o4755);
        let names = [path.as_str(), path.strip_prefix("/usr").unwrap()];
        let printed = names.map(|name| run("dpkg", Command::new("dpkg").args(["-S", name])));
        let printed = printed
            .into_iter()
            .find(|printed| !printed.is_empty())
            .unwrap_or_default();
        let printed = String::from_utf8(printed).unwrap();
        let package = printed.split([':', ',']).next().filter(|package| !package.is_empty());
        expected.insert(path, package.map(str::to_owned));
    }
    let place = root.join("usr/bin/of-nobody");
    std::fs::write(&place, "").unwrap();
    set_mode(&place, 0o4755);
    expected.insert("/usr/bin/of-nobody".to_owned(), None);

    let facts = facts(root);
    let told: BTreeMap<String, Option<String>> = facts["setuid_files"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let package = entry.get("package").map(|package| package.as_str().unwrap().to_owned());
            (entry["path"].as_str().unwrap().to_owned(), package)
        })
        .collect();
    assert_eq!(told, expected);
    assert!(told.values().flatten().count() > 5);
}

/// Files with setuid that packages made here brought, some listed below folders that are links, and what `rpm -qf` says.
#[test]
fn packages_as_rpm_tells_them() {
    let memory = Path::new("/dev/shm");
    let temp = tempfile::tempdir_in(if memory.is_dir() { memory } else { Path::new("/tmp") }).unwrap();
    let root = temp.path().join("root");
    for folder in ["usr/bin", "usr/sbin", "etc"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::write(root.join("etc/os-release"), "ID=fedora\n").unwrap();
    // As on this machine itself: rpm looks at its folders and not at those of the root.
    symlink("usr/bin", root.join("bin")).unwrap();
    symlink("usr/sbin", root.join("sbin")).unwrap();
    let mut spec =
        "Name: whole\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n"
            .to_owned();
    let mut install = "%install\n".to_owned();
    for number in 0..60 {
        let folder = ["/usr/bin", "/bin", "/sbin", "/usr/sbin", "/usr/libexec", "/opt/x"][number % 6];
        // Each third is in a second package too, which may have the same file.
        for part in [number % 5, number % 7] {
            spec += &format!("%package -n part-{number}-{part}\nSummary: x\n%description -n part-{number}-{part}\nx\n");
            spec += &format!("%files -n part-{number}-{part}\n%attr(4755,root,root) {folder}/tool-{number}\n");
            if number % 3 > 0 || number % 5 == number % 7 {
                break;
            }
        }
        install += &format!("mkdir -p %{{buildroot}}{folder}; echo {number} >%{{buildroot}}{folder}/tool-{number}\n");
    }
    let place = temp.path().join("whole.spec");
    std::fs::write(&place, spec + &install).unwrap();
    let top = format!("_topdir {}", temp.path().display());
    let mut build = Command::new("rpmbuild");
    run("rpm", build.args(["--quiet", "-bb", "--define", &top]).arg(&place));
    let packages = std::fs::read_dir(temp.path().join("RPMS/noarch")).expect("rpmbuild made packages");
    let rpm = |args: &[&str]| {
        let mut command = Command::new("rpm");
        command
            .arg("--root")
            .arg(&root)
            .args(["--define", "_dbpath /usr/lib/sysimage/rpm"]);
        command.args(args);
        command
    };
    let packages = packages.map(|package| package.unwrap().path());
    run("rpm", rpm(&["-i", "--nosignature"]).args(packages));
    let alone = root.join("usr/bin/of-nobody");
    std::fs::write(&alone, "").unwrap();
    set_mode(&alone, 0o4755);

    let facts = facts(&root);
    assert_eq!(facts["package_database"]["value"], "rpm");
    let mut owned = 0;
    for entry in facts["setuid_files"]["entries"].as_array().unwrap() {
        let path = entry["path"].as_str().unwrap();
        let told = run("rpm", &mut rpm(&["-qf", "--qf", "%{NAME}\n", path]));
        let told = String::from_utf8(told).unwrap();
        let owners: Vec<&str> = told.lines().filter(|line| line.starts_with("part-")).collect();
        let found = entry.get("package").map(|package| package.as_str().unwrap());
        assert_eq!(found, owners.iter().min().copied(), "{path}: {told}");
        owned += owners.len();
    }
    assert_eq!(facts["setuid_files"]["total"], 61);
    assert!(owned > 70, "{owned}");
}

//! The probe of the kernel's settings against sysctl(8), systemd-sysctl(8) at work, and modprobe(8).
//!
//! Needs root and the packages procps, systemd, kmod, util-linux.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use evidence::facts::{FactsDocument, Outcome};
use machine::{Machine, authority};
use probes::reading::Host;
use serde_json::Value;

const INSIDE: &str = "AFFIANT_TEST_NAMESPACE";

fn facts(host: &dyn Host) -> Value {
    let probe = probes::registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "kernel-hardening")
        .expect("it is registered");
    let document: FactsDocument = probe.collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.expect("observed documents have facts")
}

#[test]
fn values_now_are_as_sysctl_shows_them() {
    let facts = facts(&Machine::this());
    let mut compared = 0;
    for setting in facts["settings"].as_array().unwrap() {
        let key = setting["key"].as_str().unwrap();
        let output = authority("procps", "sysctl", &["-n", key], b"");
        let shown = String::from_utf8(output.stdout).unwrap();
        match setting["now"]["outcome"].as_str() {
            Some("observed") => assert_eq!(setting["now"]["value"].to_string(), shown.trim(), "{key}"),
            other => assert!(!output.status.success(), "{key}: {other:?}"),
        }
        compared += 1;
    }
    println!("{compared} settings compared with sysctl");
    assert!(compared > 40);
}

/// A reproducible mixture.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// Keys of a network namespace, which a test may change in its own.
const KEYS: [&str; 8] = [
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.all.log_martians",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.send_redirects",
    "net.ipv4.conf.default.log_martians",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.conf.default.send_redirects",
    "net.ipv4.tcp_syncookies",
];

fn line(dice: &mut Dice) -> String {
    let key = dice.pick(&[
        KEYS[0],
        KEYS[1],
        KEYS[2],
        KEYS[3],
        KEYS[4],
        KEYS[5],
        KEYS[6],
        KEYS[7],
        "net.ipv4.conf.*.rp_filter",
        "net.ipv4.conf.a*.log_martians",
        "net.ipv4.conf.[a-c]ll.send_redirects",
        "net.ipv4.conf.?efault.send_redirects",
        "net/ipv4/conf/all/accept_redirects",
        "net.ipv4.tcp_*cookies",
        "net.ipv4.nothing",
    ]);
    let minus = dice.pick(&["", "", "", "-"]);
    let space = dice.pick(&["", " ", "\t"]);
    match dice.below(12) {
        0 => format!("# {key}=1"),
        1 => format!("; {key}=1"),
        2 => format!("-{key}"),
        3 => "no setting".to_owned(),
        _ => format!("{space}{minus}{key}{space}={space}{}", dice.below(2)),
    }
}

/// Files in all folders, with names that hide each other, one of them masked.
fn write(dice: &mut Dice, folders: &[&str]) {
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for name in ["10-a.conf", "20-b.conf", "30-c.conf", "README"] {
            if dice.below(2) == 0 {
                let lines: Vec<_> = (0..dice.below(6)).map(|_| line(dice)).collect();
                fs::write(Path::new(folder).join(name), lines.join("\n")).unwrap();
            } else if dice.below(8) == 0 {
                std::os::unix::fs::symlink("/dev/null", Path::new(folder).join(name)).unwrap();
            }
        }
    }
}

#[test]
fn what_files_set_is_what_systemd_sysctl_sets() {
    const FOLDERS: [&str; 3] = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/lib/sysctl.d"];
    if std::env::var_os(INSIDE).is_none() {
        // Nothing of this machine's own settings may be applied here: its folders are hidden.
        let script = "mount --make-rprivate / && mkdir -p /run/sysctl.d && mount -t proc proc /proc && \
                      for f in /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d; do mount -t tmpfs tmpfs $f || exit 1; done; \
                      exec \"$@\"";
        let status = Command::new("unshare")
            .args(["--net", "--mount", "--", "sh", "-c", script, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "what_files_set_is_what_systemd_sysctl_sets", "--nocapture"])
            .env(INSIDE, "1")
            .status()
            .expect("apt-get install util-linux");
        assert!(status.success());
        return;
    }
    let mut dice = Dice(5);
    let path = |key: &str| format!("/proc/sys/{}", key.replace('.', "/"));
    let (mut compared, mut set) = (0, 0);
    for round in 0..150 {
        write(&mut dice, &FOLDERS);
        let facts = facts(&Machine::this());
        // Twice, from all zero and from all one: what no file sets stays as it was.
        let mut after = Vec::new();
        for start in ["0", "1"] {
            for key in KEYS {
                fs::write(path(key), start).unwrap();
            }
            authority("systemd", "/lib/systemd/systemd-sysctl", &[], b"");
            let read = |key: &str| fs::read_to_string(path(key)).unwrap().trim().to_owned();
            after.push(KEYS.map(read));
        }
        let settings: BTreeMap<_, _> = facts["settings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["key"].as_str().unwrap(), one["at_boot"]["value"].as_i64()))
            .collect();
        for (index, key) in KEYS.into_iter().enumerate() {
            let (low, high) = (&after[0][index], &after[1][index]);
            let really = (low == high).then(|| low.parse::<i64>().unwrap());
            assert_eq!(settings[key], really, "round {round}, {key}: {low} {high}");
            compared += 1;
            set += u32::from(really.is_some());
        }
    }
    println!("{compared} settings compared with what systemd-sysctl did, {set} of them set by a file");
    assert!(set > 300);
}

#[test]
fn modules_are_as_modprobe_has_them() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    let release = "6.1.0-40-amd64";
    let modules = root.join("usr/lib/modules").join(release);
    fs::create_dir_all(root.join("proc/sys/kernel")).unwrap();
    fs::create_dir_all(&modules).unwrap();
    fs::create_dir_all(root.join("etc/modprobe.d")).unwrap();
    fs::create_dir_all(root.join("usr/lib/modprobe.d")).unwrap();
    std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
    fs::write(root.join("proc/sys/kernel/osrelease"), release).unwrap();
    fs::write(modules.join("modules.builtin"), "kernel/fs/squashfs/squashfs.ko\n").unwrap();
    fs::write(
        modules.join("modules.dep"),
        "kernel/fs/cramfs/cramfs.ko:\nkernel/fs/udf/udf.ko: kernel/lib/crc-itu-t.ko\nkernel/lib/crc-itu-t.ko:\nkernel/fs/hfs/hfs.ko:\nkernel/fs/hfsplus/hfsplus.ko.xz:\n",
    )
    .unwrap();
    let names = ["cramfs", "udf", "hfs", "hfsplus", "jffs2", "squashfs"];
    let mut dice = Dice(9);
    let mut compared = 0;
    for _ in 0..120 {
        for folder in ["etc/modprobe.d", "usr/lib/modprobe.d"] {
            for name in ["a.conf", "b.conf"] {
                let mut text = String::new();
                for _ in 0..dice.below(5) {
                    let module = dice.pick(&names);
                    text += &match dice.below(5) {
                        0 => format!("install {module} /bin/true\n"),
                        1 => format!("install {module} \\\n  /bin/false\n"),
                        2 => format!("install {module} /sbin/modprobe --ignore-install {module}\n"),
                        3 => format!("blacklist {module}\n"),
                        _ => format!("# install {module} /bin/true\n"),
                    };
                }
                fs::write(root.join(folder).join(name), text).unwrap();
            }
        }
        let facts = facts(&Machine::folder(root));
        let etc = root.join("etc/modprobe.d");
        let usr = root.join("usr/lib/modprobe.d");
        // kmod has no option for a root here: both folders are given in order, and files of one name hide each other
        // by what the first of them is.
        let merged = tempfile::tempdir().unwrap();
        for folder in [&usr, &etc] {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), merged.path().join(entry.file_name())).unwrap();
            }
        }
        let config = merged.path().to_str().unwrap();
        let shown = authority(
            "kmod",
            "modprobe",
            &[
                "-C",
                config,
                "-d",
                root.to_str().unwrap(),
                "-S",
                release,
                "--showconfig",
            ],
            b"",
        );
        let shown = String::from_utf8(shown.stdout).unwrap();
        for state in facts["filesystems"]["value"].as_array().unwrap() {
            let name = state["module"].as_str().unwrap();
            let install = shown
                .lines()
                .find_map(|line| line.strip_prefix(&format!("install {name} ")));
            let disabled = install.is_some_and(|command| !command.contains("modprobe"));
            let blacklisted = shown.lines().any(|line| line == format!("blacklist {name}"));
            assert_eq!(state["disabled"], disabled, "{name}: {shown}");
            assert_eq!(state["blacklisted"], blacklisted, "{name}: {shown}");
            compared += 1;
        }
        for name in ["cramfs", "udf", "hfs", "hfsplus"] {
            let state = facts["filesystems"]["value"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["module"] == name);
            assert_eq!(state.unwrap()["available"], true);
        }
    }
    println!("{compared} modules compared with modprobe --showconfig");
}

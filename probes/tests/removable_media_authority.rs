//! The removable-media probe against modprobe(8), dconf, USBGuard's parser of rules and findmnt(8), over generated files. It
//! needs root, and the network to fetch USBGuard: installed, it would keep devices of the machine out after the next start.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::Path;
use std::process::Command;

use machine::{Machine, authority, facts_of, put, some};
use proptest::prelude::*;
use serde_json::Value;

fn facts(root: &Path) -> Value {
    facts_of("removable-media", &Machine::folder(root))
}

const RELEASE: &str = "6.1.0-40-amd64";
const MODULES: [&str; 6] = ["usb-storage", "uas", "sr_mod", "cdrom", "firewire-core", "thunderbolt"];

#[test]
fn modules_are_kept_out_where_modprobe_does_not_load_them() {
    let module = "(usb-storage|usb_storage|uas|sr_mod|sr-mod|cdrom|firewire-core|firewire_core|thunderbolt)";
    let program = "(/bin/true|/bin/false|/usr/bin/true|:|/sbin/modprobe --ignore-install uas|/bin/echo x)";
    let line = prop_oneof![
        4 => ("[ \t]{0,2}", module, "[ \t]{1,2}", program).prop_map(|(before, module, blank, program)| {
            format!("{before}install{blank}{module}{blank}{program}\n")
        }),
        3 => ("[ \t]?", module, "( # c|[ \t]|)").prop_map(|(before, module, after)| format!("{before}blacklist {module}{after}\n")),
        1 => module.prop_map(|module| format!("softdep {module} pre: crc16\n")),
        1 => module.prop_map(|module| format!("install {module} \\\n  /bin/false\n")),
        1 => module.prop_map(|module| format!("options {module} a=1\nalias x-{module} {module}\nremove {module} /bin/true\n")),
        1 => module.prop_map(|module| format!("#install {module} /bin/false\n# blacklist {module}\n")),
        1 => module.prop_map(|module| format!("install {module}\nblacklist\ninstall\nnonsense {module}\n")),
    ];
    let file = (prop::collection::vec(line, 0..5), prop::bool::weighted(0.1));
    let cases = some(80, [file.clone(), file]);
    let (mut compared, mut kept_out, mut blacklisted) = (0, 0, 0);
    for case in cases {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "proc/sys/kernel/osrelease", RELEASE);
        let list = |name: &str| format!("lib/modules/{RELEASE}/{name}");
        for name in MODULES.iter().chain(&["crc16"]) {
            put(root, &list(&format!("kernel/{name}.ko")), "");
        }
        put(root, &list("modules.order"), "");
        put(root, &list("modules.builtin"), "");
        // The files are empty, of which depmod complains, and lists them.
        authority("kmod", "depmod", &["-b", root.to_str().unwrap(), RELEASE], b"");
        for (index, (lines, cut)) in case.iter().enumerate() {
            let text = lines.concat();
            let text = if *cut { text.trim_end_matches('\n') } else { &text };
            put(root, &format!("etc/modprobe.d/{index}.conf"), text);
        }
        put(
            root,
            "etc/modprobe.d/other.txt",
            "install uas /bin/false\nblacklist cdrom\n",
        );
        let (at, config) = (root.to_str().unwrap(), root.join("etc/modprobe.d"));
        let facts = facts(root);
        for state in facts["modules"]["value"].as_array().unwrap() {
            let name = state["module"].as_str().unwrap();
            if !MODULES.contains(&name) && !MODULES.contains(&name.replace('_', "-").as_str()) {
                continue;
            }
            let ask = |blacklist: &str| {
                let args = [
                    "-d",
                    at,
                    "-S",
                    RELEASE,
                    "-C",
                    config.to_str().unwrap(),
                    blacklist,
                    "-n",
                    "-v",
                    name,
                ];
                let output = authority("kmod", "modprobe", &args, b"");
                let text = String::from_utf8(output.stdout).unwrap();
                // Before the last line are those modules on which it depends.
                text.lines().last().unwrap_or_default().trim().to_owned()
            };
            let does = ask("-v");
            let loads = does.starts_with("insmod ") || does.contains("--ignore-install") || does.contains("echo");
            let listed = ask("-b").is_empty();
            assert_eq!(state["disabled"] == false, loads, "{name}: {does:?}\n{case:?}");
            assert_eq!(state["blacklisted"] == true, listed, "{name}\n{case:?}");
            compared += 1;
            kept_out += u32::from(!loads);
            blacklisted += u32::from(listed);
        }
    }
    println!("{compared} modules, {kept_out} kept out, {blacklisted} blacklisted");
    assert!(
        compared == 480 && kept_out > 40 && blacklisted > 40,
        "{compared} {kept_out} {blacklisted}"
    );
}

/// What dconf says of the three keys for a user without settings of his own, and which keys are locked.
const ASK_DCONF: &str = r#"
set -e
mkdir -p "$1/up" && mount -t tmpfs up "$1/up"
mkdir "$1/up/upper" "$1/up/work"
mount -t overlay etc -o "lowerdir=/etc,upperdir=$1/up/upper,workdir=$1/up/work" /etc
rm -rf /etc/dconf && cp -rp "$1/etc/dconf" /etc/dconf
[ -e "$1/left" ] || { dconf update; cp -p /etc/dconf/db/local "$1/etc/dconf/db/"; cp -p /etc/dconf/db/other "$1/etc/dconf/db/"; }
export HOME="$1/home" XDG_CONFIG_HOME="$1/home" XDG_RUNTIME_DIR="$1/home"
for key in automount automount-open autorun-never; do
    echo "$key $(dconf read /org/gnome/desktop/media-handling/$key)"
done
dconf list-locks / | sed 's/^/locked /'
"#;

#[test]
fn media_are_handled_as_dconf_reads() {
    let key = "\\[org/gnome/desktop/media-handling\\]\n(# automount=true\n)?(automount=(true|false)\n)?(automount-open ?= ?(true|false)\n)?(autorun-never=(true|false)\n)?(\\[x\\]\nautomount=true\n)?";
    let locks = "(/org/gnome/desktop/media-handling/automount\n)?(/org/gnome/desktop/media-handling/autorun-never\n)?(# /org/gnome/desktop/media-handling/automount-open\n)?";
    let profile = prop::sample::select(vec![
        "user-db:user\nsystem-db:local\n",
        "user-db:user\nsystem-db:local\nsystem-db:other\n",
        "user-db:user\nsystem-db:other\nsystem-db:local\n",
        "user-db:user\n",
        "",
    ]);
    let cases = some(60, (key, key, key, locks, profile, prop::bool::weighted(0.1)));
    let (mut set, mut locked) = (0, 0);
    for (first, second, other, locks, profile, left) in &cases {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "home/x", "");
        if !profile.is_empty() {
            put(root, "etc/dconf/profile/user", profile);
        }
        put(root, "etc/dconf/db/local.d/00-a", first);
        put(root, "etc/dconf/db/local.d/10-b", second);
        put(root, "etc/dconf/db/other.d/00", other);
        put(root, "etc/dconf/db/local.d/locks/a", locks);
        if *left {
            // Nobody compiled them.
            put(root, "left", "");
        }
        let args = ["-m", "sh", "-c", ASK_DCONF, "sh", root.to_str().unwrap()];
        let output = authority("util-linux", "unshare", &args, b"");
        let said = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{errors}\nis dconf-cli installed?");
        let gnome = &facts(root)["gnome"]["value"];
        let case = format!("{profile}---\n{first}---\n{second}---\n{other}---\n{locks}---\n{said}{gnome}");
        for (field, key) in [
            ("automount", "automount"),
            ("automount_open", "automount-open"),
            ("autorun_never", "autorun-never"),
        ] {
            let theirs = said.lines().find_map(|line| line.strip_prefix(&format!("{key} ")));
            let theirs = theirs.unwrap_or_default().trim();
            let own = gnome[field].as_bool().map(|on| on.to_string()).unwrap_or_default();
            assert_eq!(own, theirs, "{key}\n{case}");
            set += u32::from(!own.is_empty());
            let lock = format!("locked /org/gnome/desktop/media-handling/{key}");
            let own = gnome["locked"]
                .as_array()
                .is_some_and(|locked| locked.contains(&Value::from(key)));
            assert_eq!(own, said.lines().any(|line| line == lock), "{key}\n{case}");
            locked += u32::from(own);
        }
    }
    println!("{} profiles, {set} keys set, {locked} locked", cases.len());
    assert!(set > 30 && locked > 10, "{set} {locked}");
}

/// The program and its libraries, in a folder.
fn fetch_usbguard(folder: &Path) {
    let script = "apt-get download -q usbguard libusbguard1 libqb100 libpcap0.8 libprotobuf32 libumockdev0 && \
                  for deb in *.deb; do dpkg-deb -x $deb .; done";
    let output = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn rules_are_those_that_usbguard_parses() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fetch_usbguard(at);
    let line = prop_oneof![
        4 => "(allow|block|reject)( id [0-9a-f]{4}:([0-9a-f]{4}|\\*))?( serial \"[a-z #]{0,4}\")?( with-interface (08:\\*:\\*|one-of \\{ 03:00:01 03:01:01 \\}))?( if true)?( # c)?",
        1 => "(match|device) id 1d6b:0002",
        2 => "(# allow|#|# block id 1d6b:0002|nonsense|allowx|Allow|ALLOW id 1d6b:0002|blocked|allow: |with-interface 08:\\*:\\*)",
    ];
    let program = at.join("usr/bin/usbguard-rule-parser");
    let libraries = at.join("usr/lib/x86_64-linux-gnu");
    let (mut rules, mut none) = (0, 0);
    for line in some(200, line) {
        let output = Command::new(&program)
            .arg(&line)
            .env("LD_LIBRARY_PATH", &libraries)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() != Some(127), "a library is missing: {errors}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = said
            .lines()
            .find_map(|line| line.strip_prefix("OUTPUT:"))
            .unwrap_or_default();
        let (is_rule, allows) = (!said.trim().is_empty(), said.trim().starts_with("allow"));
        let root = tempfile::tempdir().unwrap();
        put(
            root.path(),
            "etc/usbguard/usbguard-daemon.conf",
            "RuleFile=/etc/usbguard/rules.conf\n",
        );
        put(root.path(), "etc/usbguard/rules.conf", &format!("{line}\n"));
        let usbguard = &facts(root.path())["usbguard"]["value"];
        assert_eq!(usbguard["rules"], u64::from(is_rule), "{line:?}: {said:?}");
        assert_eq!(usbguard["allow_rules"], u64::from(allows), "{line:?}: {said:?}");
        rules += u32::from(is_rule);
        none += u32::from(!is_rule);
    }
    println!("{rules} rules, {none} others");
    assert!(rules > 80 && none > 20, "{rules} {none}");
}

/// Mounts with every combination of flags; prints the kernel's word of them and findmnt's.
const MOUNTS: &str = r#"
    cd "$1"
    mkdir -p proc/1
    number=0
    for flags in $(echo {ro,rw},{nosuid,suid},{nodev,dev},{noexec,exec}); do
        mkdir -p mnt/$number
        mount -t tmpfs -o $flags "a disk" mnt/$number
        number=$((number + 1))
    done
    mount -o remount,bind,ro mnt/15
    cp /proc/self/mountinfo proc/1/mountinfo
    findmnt --json --list --output TARGET,MAJ:MIN,FSTYPE,VFS-OPTIONS,FS-OPTIONS
"#;

#[test]
fn mounts_of_devices_are_those_of_findmnt() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let args = ["-m", "bash", "-euc", MOUNTS, "bash", root.to_str().unwrap()];
    let output = authority("util-linux", "unshare", &args, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mounts: Vec<&Value> = said["filesystems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|mount| mount["target"].as_str().unwrap().contains("/mnt/"))
        .filter(|mount| mount["target"].as_str().unwrap().starts_with(root.to_str().unwrap()))
        .collect();
    // A disk for each, that has the number of what is mounted.
    for (index, mount) in mounts.iter().enumerate() {
        let name = format!("sd{}", char::from(b'a' + u8::try_from(index).unwrap()));
        let at = format!("sys/devices/pci0000:00/usb1/1-1/block/{name}");
        for (attribute, text) in [("removable", "1\n"), ("ro", "0\n"), ("size", "2048\n")] {
            put(root, &format!("{at}/{attribute}"), text);
        }
        put(
            root,
            &format!("{at}/dev"),
            &format!("{}\n", mount["maj:min"].as_str().unwrap()),
        );
        fs::create_dir_all(root.join("sys/block")).unwrap();
        let link = format!("../devices/pci0000:00/usb1/1-1/block/{name}");
        std::os::unix::fs::symlink(link, root.join("sys/block").join(name)).unwrap();
    }
    let facts = facts(root);
    let devices = facts["devices"]["value"].as_array().unwrap();
    assert_eq!((devices.len(), mounts.len()), (16, 16), "{facts}");
    for (device, mount) in devices.iter().zip(&mounts) {
        let own = &device["mounts"][0];
        let has = |options: &str, option: &str| mount[options].as_str().unwrap().split(',').any(|one| one == option);
        assert_eq!(own["filesystem"], mount["fstype"], "{mount}");
        for option in ["noexec", "nosuid", "nodev"] {
            assert_eq!(own[option] == true, has("vfs-options", option), "{mount} {own}");
        }
        let read_only = has("vfs-options", "ro") || has("fs-options", "ro");
        assert_eq!(own["read_only"] == true, read_only, "{mount} {own}");
        assert_eq!(
            (&device["transport"], &device["bytes"]),
            (&Value::from("usb"), &Value::from(1_048_576))
        );
    }
}

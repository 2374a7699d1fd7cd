//! The mandatory-access probe against `aa-status` and `apparmor_parser` of `AppArmor`, and libselinux, over generated files.
//! This kernel need have neither: `aa-status` reads a captured `/sys` that is mounted in a namespace. It needs root.

#![cfg(test)]

mod machine;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use machine::{Machine, authority, facts_of, put, some};
use proptest::prelude::*;
use serde_json::Value;

fn facts(root: &Path) -> Value {
    facts_of("mandatory-access", &Machine::folder(root))
}

fn within(root: &Path, script: &str) -> String {
    let args = ["--mount", "sh", "-euc", script, "sh", root.to_str().unwrap()];
    let output = authority("util-linux", "unshare", &args, b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    text
}

/// A `/sys` with the kernel's list, and a `/proc` that says where it is mounted and has no processes.
const AA_STATUS: &str = r#"
    status=$(command -v aa-status) || { echo 'install it: apt-get install apparmor' >&2; exit 1; }
    mount -t tmpfs module /sys/module
    mount -t tmpfs security /sys/kernel/security
    cp -r "$1/sys/module/apparmor" /sys/module
    cp -r "$1/sys/kernel/security/apparmor" /sys/kernel/security
    mount -t tmpfs proc /proc
    mkdir /proc/self
    echo 'securityfs /sys/kernel/security securityfs rw 0 0' | tee /proc/mounts >/proc/self/mounts
    $status --json || [ $? -le 2 ]
"#;

#[test]
fn profiles_are_those_of_aa_status() {
    let name = "(/usr/(s?bin|lib)/[a-z]{1,6}|[a-z_]{1,5}|[a-z]{2}//[a-z^]{2,3}|[a-z]{2} \\([a-z]{1,3}\\)|:[a-z]:[a-z]{2}|/\\{usr/,\\}bin/[a-z] [a-z])";
    let mode = "(enforce|complain|kill|unconfined)";
    let lists = some(
        100,
        (
            prop::collection::btree_map(name, mode, 0..30),
            prop::bool::weighted(0.9),
        ),
    );
    let mut compared = 0;
    for (list, enabled) in &lists {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(
            root,
            "sys/module/apparmor/parameters/enabled",
            if *enabled { "Y\n" } else { "N\n" },
        );
        // Where no profile enforces, what aa-status 3.0 writes is no JSON.
        let first = ("/enforced".to_owned(), "enforce".to_owned());
        let list: BTreeMap<String, String> = list.clone().into_iter().chain([first]).collect();
        let lines: Vec<String> = list.iter().map(|(name, mode)| format!("{name} ({mode})\n")).collect();
        put(root, "sys/kernel/security/apparmor/profiles", &lines.concat());
        let said = within(root, AA_STATUS);
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        let theirs = said["profiles"].as_object().unwrap().iter();
        let theirs: BTreeMap<String, String> = theirs
            .map(|(name, mode)| (name.clone(), mode.as_str().unwrap().to_owned()))
            .collect();
        let apparmor = &facts(root)["apparmor"]["value"];
        assert_eq!(apparmor["enabled"] == true, *enabled);
        let mut own = BTreeMap::new();
        for (mode, names) in apparmor["profiles"]["value"].as_object().unwrap() {
            assert_eq!(apparmor["counts"][mode], names.as_array().unwrap().len());
            own.extend(
                names
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| (name.as_str().unwrap().to_owned(), mode.clone())),
            );
        }
        assert_eq!(own, theirs, "{lines:?}\n{said}");
        compared += theirs.len();
    }
    println!("{} lists, {compared} profiles", lists.len());
    assert!(compared > 500, "{compared}");
}

#[test]
fn profiles_that_are_disabled_are_those_that_the_parser_passes_over() {
    let name = "[a-z]{1,2}(\\.[a-z])?";
    let mut disabled = 0;
    let folders = some(40, prop::collection::vec((name, any::<bool>(), 0..6), 1..12));
    for profiles in &folders {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("etc/apparmor.d/disable")).unwrap();
        let mut names = BTreeSet::new();
        for (name, is_there, how) in profiles {
            if !names.insert(name) {
                continue;
            }
            if *is_there {
                put(
                    root,
                    &format!("etc/apparmor.d/{name}"),
                    &format!("profile {name} /x/{name} {{ }}\n"),
                );
            }
            let entry = root.join("etc/apparmor.d/disable").join(name);
            match how {
                0 => symlink(format!("../{name}"), entry).unwrap(),
                1 => symlink("../nowhere", entry).unwrap(),
                2 => fs::write(entry, "").unwrap(),
                3 => fs::create_dir(entry).unwrap(),
                _ => {}
            }
        }
        let base = root.join("etc/apparmor.d");
        let theirs: BTreeSet<String> = names
            .iter()
            .filter(|name| base.join(name.as_str()).is_file())
            .filter(|name| {
                let args = [
                    "--base",
                    base.to_str().unwrap(),
                    "--names",
                    base.join(name.as_str()).to_str().unwrap(),
                ]
                .map(str::to_owned);
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let output = authority("apparmor", "apparmor_parser", &args, b"");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                output.stdout.is_empty()
            })
            .map(|name| (*name).clone())
            .collect();
        let facts = facts(root);
        let own = facts["apparmor_disabled"]["value"].as_array().unwrap().iter();
        let own: BTreeSet<String> = own.map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(own, theirs, "{profiles:?}");
        disabled += theirs.len();
    }
    println!("{} folders, {disabled} disabled", folders.len());
    assert!(disabled > 20, "{disabled}");
}

/// Names and modes in what the parser would give the kernel.
fn compiled(bytes: &[u8]) -> BTreeMap<String, String> {
    const BEGIN: &[u8] = b"\x04\x08\0profile\0\x07\x05";
    const FLAGS: &[u8] = b"\x04\x06\0flags\0\x07\x02";
    let find = |from: usize, what: &[u8]| {
        let rest = &bytes[from..];
        Some(from + rest.windows(what.len()).position(|window| window == what)? + what.len())
    };
    let mut found = BTreeMap::new();
    let mut at = 0;
    while let Some(begin) = find(at, BEGIN) {
        let length = usize::from(bytes[begin]) + 256 * usize::from(bytes[begin + 1]);
        let name = &bytes[begin + 2..begin + 1 + length];
        let flags = find(begin, FLAGS).unwrap();
        // Of three numbers of four bytes, each with a byte before it, the second.
        let mode = ["enforce", "complain", "kill", "unconfined"][usize::from(bytes[flags + 5])];
        found.insert(String::from_utf8(name.to_vec()).unwrap(), mode.to_owned());
        at = flags;
    }
    found
}

#[test]
fn profiles_on_disk_are_those_that_the_parser_makes() {
    let flags = prop::sample::select(vec![
        "",
        " flags=(complain)",
        " flags=(attach_disconnected, complain)",
        " flags = ( kill )",
        " (unconfined)",
        " xattrs=(user.a=complain)",
        " flags=(attach_disconnected)",
    ]);
    let name = prop::sample::select(vec![
        "",
        "profile one ",
        "profile two /bin/t{a,b} ",
        "profile \"with blank\" ",
        "/bin/a{b,c} ",
        "\"/bin/d e\" ",
    ]);
    let inner = prop::sample::select(vec![
        "  /x/{a,b}/** rw,\n",
        "  # profile no {\n",
        "  profile child { /y r, }\n",
        "  profile other flags=(kill) {\n  }\n",
        "  ^hat flags=(complain) { }\n",
        "  hat two { }\n",
        "  owner { /z r, }\n",
        "  change_profile -> profile,\n",
        "  \"/q{a,b} profile no\" w,\n",
    ]);
    let inside = prop::collection::btree_map(0..9_u8, inner, 0..4);
    let profile = (name, flags, inside, any::<bool>());
    let files = some(80, (prop::collection::vec(profile, 1..4), any::<bool>()));
    let mut compared = 0;
    for (profiles, complain) in &files {
        let folder = tempfile::tempdir().unwrap();
        let mut text = "abi <abi/3.0>,\n@{own}=/usr/bin/a /usr/bin/b\n".to_owned();
        let mut names = BTreeSet::new();
        for (name, flags, inside, newline) in profiles {
            if name.is_empty() || !names.insert(name) {
                continue;
            }
            let distinct: BTreeSet<&&str> = inside.values().collect();
            let inside: String = distinct.into_iter().copied().collect();
            let between = if *newline { "\n" } else { " " };
            text = format!("{text}{}{flags}{between}{{\n{inside}}}\n", name.trim_end());
        }
        let base = folder.path().join("etc/apparmor.d");
        put(folder.path(), "etc/apparmor.d/own", &text);
        put(folder.path(), "etc/apparmor.d/own.dpkg-old", "profile old { }\n");
        put(folder.path(), "etc/apparmor.d/abi/3.0", "");
        if *complain {
            fs::create_dir_all(base.join("force-complain")).unwrap();
            symlink("../own", base.join("force-complain/own")).unwrap();
        }
        let (base, own) = (base.to_str().unwrap().to_owned(), base.join("own"));
        let args = ["-S", "-Q", "-K", "--base", &base, own.to_str().unwrap()];
        let output = authority("apparmor", "apparmor_parser", &args, b"");
        assert!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let theirs = compiled(&output.stdout);
        let facts = facts(folder.path());
        let on_disk = &facts["apparmor_on_disk"]["value"];
        assert_eq!(on_disk["unparsed"], serde_json::json!([]), "{text}");
        let mut told = BTreeMap::new();
        for (mode, names) in on_disk["profiles"].as_object().unwrap() {
            let names = names.as_array().unwrap().iter();
            told.extend(names.map(|name| (name.as_str().unwrap().to_owned(), mode.clone())));
        }
        assert_eq!(told, theirs, "{complain} {text}");
        compared += theirs.len();
    }
    println!("{compared} profiles compared");
    assert!(compared > 150, "{compared}");
}

/// What libselinux makes of each configuration. It reads it once in its life, so that each has a process.
const LIBSELINUX: &str = r#"
    mount -t tmpfs upper /mnt
    mkdir /mnt/upper /mnt/work
    mount -t overlay etc -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
    mkdir -p /etc/selinux
    python3 - "$1" <<'END'
import ctypes, os, shutil, sys
for name in sorted(os.listdir(sys.argv[1] + "/cases"), key=int):
    shutil.copy(f"{sys.argv[1]}/cases/{name}", "/etc/selinux/config")
    sys.stdout.flush()
    if os.fork() == 0:
        library = ctypes.CDLL("libselinux.so.1")
        mode, policy = ctypes.c_int(9), ctypes.c_char_p()
        told = library.selinux_getenforcemode(ctypes.byref(mode))
        library.selinux_getpolicytype(ctypes.byref(policy))
        word = {1: "enforcing", 0: "permissive", -1: "disabled"}[mode.value] if told == 0 else "permissive"
        print(word, repr((policy.value or b"").decode("latin-1")))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
END
"#;

#[test]
fn selinux_is_configured_as_libselinux_reads() {
    let line = prop_oneof![
        5 => "SELINUX=(enforcing|permissive|disabled|Enforcing|DISABLED)\n",
        3 => "SELINUXTYPE=(targeted|mls|mcs|minimum|default)\n",
        2 => "SELINUX=[ \t]{0,2}(enforcing|permissive|disabled|enforcing # c|disabledx|on|1|\"enforcing\"|)[ \t]{0,2}\n",
        2 => "[ \t]{0,2}(SELINUX|SELINUXTYPE|selinux|SelinuxType) ?= ?(disabled|mls|targeted)[ \t]{0,2}\n",
        2 => "(# SELINUX=disabled|#SELINUXTYPE=mls|nonsense|SETLOCALDEFS=0|SELINUX|SELINUXTYPE|AUTORELABEL=1|)\r?\n",
    ];
    let texts = some(
        400,
        (prop::collection::vec(line, 0..5), prop::bool::weighted(0.1)).prop_map(|(lines, cut)| {
            let text = lines.concat();
            if cut {
                text.trim_end_matches('\n').to_owned()
            } else {
                text
            }
        }),
    );
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (index, text) in texts.iter().enumerate() {
        put(root, &format!("cases/{index}"), text);
    }
    let theirs = within(root, LIBSELINUX);
    let theirs: Vec<&str> = theirs.lines().collect();
    assert_eq!(theirs.len(), texts.len(), "{theirs:?}");
    let mut wrong = vec![];
    let mut words: BTreeMap<String, u32> = BTreeMap::new();
    for (text, theirs) in texts.iter().zip(theirs) {
        put(root, "etc/selinux/config", text);
        let config = &facts(root)["selinux_at_boot"]["value"];
        let own = format!(
            "{} '{}'",
            config["mode"].as_str().unwrap(),
            config["policy"].as_str().unwrap()
        );
        *words.entry(theirs.split(' ').next().unwrap().to_owned()).or_default() += 1;
        if own != theirs {
            wrong.push(format!("{own}, libselinux: {theirs}, of {text:?}"));
        }
    }
    println!("{} configurations: {words:?}", texts.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(words.len() >= 3, "{words:?}");
}

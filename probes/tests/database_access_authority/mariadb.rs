//! `mariadbd --verbose --help` prints the values that it would start with, for each generated set of option files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::machine::{Machine, authority, facts_of, put, some};

/// Told settings, with what holds if nothing is set.
const DEFAULTS: [(&str, &str); 11] = [
    ("bind-address", "(No default value)"),
    ("port", "3306"),
    ("skip-networking", "FALSE"),
    ("skip-grant-tables", "FALSE"),
    ("skip-name-resolve", "FALSE"),
    ("require-secure-transport", "FALSE"),
    ("local-infile", "TRUE"),
    ("secure-file-priv", "(No default value)"),
    ("general-log", "FALSE"),
    ("ssl", "FALSE"),
    ("secure-auth", "TRUE"),
];

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => select(vec![
            "bind-address = 127.0.0.1", "bind_address=\"::1\" # c", "bind-address='*'", "port=3307", "  port = 3308 # c", "skip-networking",
            "skip_networking=0", "skip-networking = OFF", "disable-skip-networking", "skip-grant-tables", "skip-name-resolve=1",
            "require_secure_transport", "require-secure-transport=on", "require_secure_transport = TRUE", "require-secure-transport=2",
            "local-infile=0", "skip-local-infile", "disable-local_infile=0", "enable-local-infile", "loose-local-infile = off",
            "loose-nothing=1", "secure-file-priv = /tmp/", "secure_file_priv=\"\"", "bind-address='a#b' # c", "general_log",
            "general-log=False", "skip-ssl", "ssl", "ssl=0", "enable-ssl=0", "secure-auth=0", "# c", "; c", "", "bind-address=a\\sb\\\\",
        ]),
        1 => select(vec![
            "!include @/etc/c.cnf", "!includedir @/etc/d", "!include @/etc/none.cnf", "!nothing x", "[mysqld", "! include  @/etc/c.cnf",
            "!includedir @/etc/none",
        ]),
    ]
    .prop_map(|line| format!("{line}\n"))
}

fn file() -> impl Strategy<Value = String> {
    let group = select(vec![
        "[mysqld]\n",
        "[mysqld]\n",
        "[server]\n",
        "[mariadb] # c\n",
        "[mariadbd]\n",
        "[client-server]\n",
        "[client]\n",
        "[mysqldump]\n",
        "[ mysqld]\n",
        "[mysqld ]\n",
        "[galera]\n",
        "[MYSQLD]\n",
        "[mysqld-5.7]\n",
    ]);
    let part = (group, vec(line(), 0..5)).prop_map(|(group, lines)| format!("{group}{}", lines.concat()));
    let begin = select(vec!["", "", "", "", "", "", "", "", "port=1\n", "# c\n"]);
    (begin, vec(part, 0..3)).prop_map(|(begin, parts)| format!("{begin}{}", parts.concat()))
}

#[test]
fn option_files_beside_the_server() {
    let temp = tempfile::tempdir().unwrap();
    let (mut taken, mut refused, mut values) = (0, 0, 0);
    for (index, texts) in some(400, (file(), file(), file(), file())).into_iter().enumerate() {
        let (main, inner, one, two) = texts;
        let at = temp.path().join(index.to_string());
        let theirs = at.join("theirs");
        for (root, prefix) in [
            (at.join("ours"), String::new()),
            (theirs.clone(), theirs.display().to_string()),
        ] {
            let flat = |text: &str| text.replace('!', "# !");
            let main = format!("{main}!includedir @/etc/d\n").replace('@', &prefix);
            put(&root, "etc/my.cnf", &main);
            put(&root, "etc/c.cnf", &flat(&inner));
            put(&root, "etc/d/a.cnf", &flat(&one));
            put(&root, "etc/d/b.cnf", &flat(&two));
            put(&root, "etc/d/c.conf", "noise\n");
            if index % 7 == 0 {
                fs::set_permissions(root.join("etc/d/a.cnf"), fs::Permissions::from_mode(0o666)).unwrap();
            }
        }
        let mysql = facts_of("database-access", &Machine::folder(&at.join("ours")))["mysql"].clone();
        let file = format!("--defaults-file={}/etc/my.cnf", theirs.display());
        let output = authority(
            "mariadb-server-core",
            "mariadbd",
            &[&file, "--user=mysql", "--verbose", "--help"],
            b"",
        );
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let case = format!("{main}\n-- c\n{inner}\n-- a\n{one}\n-- b\n{two}\n{errors}\n{mysql:#}");
        let (_, table) = text.split_once("--------- ---------").unwrap_or_default();
        let printed: BTreeMap<&str, &str> = table
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, value)| (name, value.trim()))
            .collect();
        if printed.is_empty() {
            assert_eq!(mysql["outcome"], "malformed", "{case}");
            refused += 1;
            continue;
        }
        assert_eq!(mysql["outcome"], "observed", "{case}");
        for (name, default) in DEFAULTS {
            if name == "port" && printed["skip-networking"] == "TRUE" {
                // It then has none, whatever is set.
                continue;
            }
            let told = &mysql["value"]["settings"][name.replace('-', "_")];
            let told = match told.as_str() {
                None => default,
                Some("on") => "TRUE",
                Some("off") => "FALSE",
                Some("") => "(No default value)",
                Some(text) => text,
            };
            values += usize::from(told != default);
            assert_eq!(json!(told), json!(printed[name]), "{name}\n{case}");
        }
        taken += 1;
    }
    println!("{taken} sets of files with {values} values that are no defaults; {refused} refused");
    assert!(taken > 200 && refused > 20 && values > 300);
}

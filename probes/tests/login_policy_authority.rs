//! The login-policy probe against the programs that decide: bash for what scripts set, dconf for its databases. Every root
//! is a folder of real files.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use probes::registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

fn facts(root: &Path) -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "login-policy")
        .unwrap();
    let documents = probe.collect(&Machine::folder(root));
    documents[0]
        .facts
        .clone()
        .unwrap_or_else(|| panic!("{}", documents[0].detail))
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

fn within(root: &Path, script: &str) -> Vec<String> {
    let args = ["-m", "sh", "-c", script, "sh", root.to_str().unwrap()];
    let output = authority("util-linux", "unshare", &args, b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.lines().map(str::to_owned).collect()
}

/// What a login shell has, what one that it starts has, and whether it can be changed.
const ASK_BASH: &str = r#"
mount --bind "$1/etc/profile" /etc/profile
umask 022
env -i HOME=/nowhere PATH=/usr/bin:/bin bash -lc '
    echo "limit ${TMOUT-none}"; echo "mask $(umask)"
    bash -c "echo exported \${TMOUT-none}"
    (TMOUT=12345) 2>/dev/null && echo changes no || echo changes refused
' 2>/dev/null
"#;

#[test]
fn scripts_set_what_bash_has() {
    let line = prop_oneof![
        4 => "(TMOUT=|export TMOUT=|readonly TMOUT=|declare -x TMOUT=|declare -xr TMOUT=|typeset -r TMOUT=)(300|600|900|\"120\"|'240')( # c)?\n",
        2 => "(readonly TMOUT|export TMOUT|TMOUT=9 true|echo TMOUT=5 >/dev/null|TMOUT=77\nexport TMOUT|: ; TMOUT=44)\n",
        3 => "umask (022|027|0077|77|002)( # x)?\n",
        1 => "(umask -S >/dev/null|\\(umask 000; true\\)|umask 027; umask 026)\n",
        1 => "(# TMOUT=1|# umask 000|a=b|:)\n",
        2 => "(if false|while false|if true && false)(; then|; do)? \n",
        1 => "(false && TMOUT=1|true \\|\\| umask 000)\n",
        1 => "(f\\(\\) \\{|function g \\{)\nTMOUT=2\numask 001\n\\}\n",
        1 => "if false; then\n  TMOUT=3\n  umask 003\nelse\n  :\nfi\n",
        1 => "for i in ; do umask 004; done\n",
        1 => "cat >/dev/null <<END\nTMOUT=6\numask 005\nEND\n",
        1 => "case x in\n  y\\) TMOUT=8 ;;\nesac\n",
    ];
    // Openings that nothing closes are no scripts.
    let line = line.prop_filter("is closed", |line| {
        let first = line.trim_start();
        !(first.starts_with("if false ")
            || first.starts_with("if true")
            || first.starts_with("while false")
            || first == "if false; then \n"
            || first == "if false; do \n")
    });
    let file = proptest::collection::vec(line, 0..8).prop_map(|lines| lines.concat());
    let set = std::cell::Cell::new(0);
    let result = runner(200).run(&file, |text| {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/profile"), &text).unwrap();
        let facts = facts(root.path());
        let shells = &facts["shells"]["value"];
        let lines = within(root.path(), ASK_BASH);
        let answer = |name: &str| {
            lines
                .iter()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let limit = shells["tmout_seconds"].as_i64();
        let own = limit.map_or("none".to_owned(), |seconds| seconds.to_string());
        assert_eq!(own, answer("limit"), "{text}\n{lines:?}");
        set.set(set.get() + usize::from(limit.is_some()));
        let exported = if shells["tmout_exported"] == true {
            own
        } else {
            "none".to_owned()
        };
        assert_eq!(exported, answer("exported"), "{text}\n{lines:?}");
        let refused = shells["tmout_readonly"] == true;
        assert_eq!(refused, answer("changes") == "refused", "{text}\n{lines:?}");
        assert_eq!(
            shells["last_umask"].as_str().unwrap_or("0022"),
            answer("mask"),
            "{text}\n{lines:?}"
        );
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(set.get() > 50, "{} set a limit", set.get());
}

/// `PATH` after each line of a file of root's home.
const ASK_PATH: &str = r#"
while IFS= read -r line; do
    printf '%s\nprintf "%%s\\n" "$PATH" >&3\n' "$line"
done <"$1" >"$1.told"
env -i HOME=/root PATH=/first /bin/bash -c '. "$1"' bash "$1.told" 3>&1 >/dev/null 2>&1
"#;

#[test]
fn the_search_path_of_root_is_what_bash_has() {
    let part = "(/usr/bin|/opt/a|\\$PATH|\\$\\{PATH\\}|\\$HOME/bin|~/x|\\.|sub|)";
    let value = proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(":"));
    let line = (
        "(|export |declare -x |declare OTHER=1 |OTHER=1 )",
        "PATH(=|\\+=:)",
        "('|\"|)",
        value,
        "(| # c|; :| \\|\\| true)",
    );
    let line = line.prop_map(|(before, name, quote, value, after)| {
        // Variables stay as they are in single quotes, and a tilde in any: neither is a path that somebody writes.
        let quote = if quote == "'" && value.contains('$') {
            "\""
        } else {
            quote.as_str()
        };
        let value = if quote.is_empty() {
            value
        } else {
            value.replace('~', "/tilde")
        };
        format!("{before}{name}{quote}{value}{quote}{after}\n")
    });
    let more = prop_oneof!["(: PATH=/no|echo PATH=/no|PATH=/only true|# PATH=/no|export PATH|OTHER=/x)\n"];
    let lines = proptest::collection::vec(prop_oneof![4 => line, 1 => more], 1..6);
    let named = std::cell::Cell::new(0);
    let result = runner(300).run(&lines.prop_map(|lines| lines.concat()), |text| {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("root")).unwrap();
        let file = root.path().join("root/.profile");
        fs::write(&file, &text).unwrap();
        let facts = facts(root.path());
        let shell = &facts["root_shell"]["value"];
        let told = shell["search_path"].as_array().unwrap();
        let told: BTreeSet<String> = told
            .iter()
            .map(|one| one["folder"].as_str().unwrap().to_owned())
            .collect();
        let output = authority("bash", "sh", &["-c", ASK_PATH, "sh", file.to_str().unwrap()], b"");
        let paths = String::from_utf8(output.stdout).unwrap();
        let mut expected: BTreeSet<String> = paths
            .lines()
            .flat_map(|path| path.split(':'))
            .map(str::to_owned)
            .collect();
        expected.remove("/first");
        assert_eq!(told, expected, "{text}\n{paths}");
        assert_eq!(shell["search_path_complete"], true, "{text}");
        named.set(named.get() + told.len());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    println!("{} folders", named.get());
    assert!(named.get() > 500, "{}", named.get());
}

/// What dconf says of two keys for a user without settings of his own, and which keys are locked.
const ASK_DCONF: &str = r#"
set -e
mkdir -p /etc/dconf && mount --bind "$1/etc/dconf" /etc/dconf
dconf update
export HOME="$1/home" XDG_CONFIG_HOME="$1/home" XDG_RUNTIME_DIR="$1/home"
echo "idle $(dconf read /org/gnome/desktop/session/idle-delay)"
echo "lock $(dconf read /org/gnome/desktop/screensaver/lock-enabled)"
dconf list-locks / | sed 's/^/locked /'
"#;

#[test]
fn databases_say_what_dconf_reads() {
    let key = prop_oneof![
        "\\[org/gnome/desktop/session\\]\nidle-delay=uint32 (0|300|900)\n",
        "\\[org/gnome/desktop/screensaver\\]\nlock-enabled=(true|false)\n",
        "\\[org/gnome/desktop/session\\]\nother='x'\n# idle-delay=uint32 7\nidle-delay = uint32 600\n",
    ];
    let keys = || proptest::collection::vec(key.clone(), 0..2).prop_map(|keys| keys.concat());
    let locks = || "(/org/gnome/desktop/session/idle-delay\n)?(# c\n)?(/org/gnome/desktop/screensaver/lock-enabled\n)?";
    let files = (keys(), keys(), keys(), locks(), locks());
    let result = runner(100).run(&files, |(first, second, site, local_locks, site_locks)| {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("home/x", "");
        write(
            "etc/dconf/profile/user",
            "user-db:user\nsystem-db:local\nsystem-db:site\n",
        );
        write("etc/dconf/db/local.d/00-a", &first);
        write("etc/dconf/db/local.d/10-b", &second);
        write("etc/dconf/db/site.d/00", &site);
        write("etc/dconf/db/local.d/locks/a", &local_locks);
        write("etc/dconf/db/site.d/locks/a", &site_locks);
        let lines = within(root.path(), ASK_DCONF);
        let gnome = facts(root.path())["gnome"]["value"].clone();
        let case = format!(
            "{first}--- 10\n{second}--- site\n{site}--- locks\n{local_locks}---\n{site_locks}{lines:?}\n{gnome}"
        );
        assert!(
            gnome["databases"]
                .as_array()
                .unwrap()
                .iter()
                .all(|database| database["compiled"] == true),
            "{case}"
        );
        let answer = |name: &str| {
            lines
                .iter()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let own = gnome["idle_delay"]["value"]
            .as_i64()
            .map_or(String::new(), |seconds| format!("uint32 {seconds}"));
        assert_eq!(own, answer("idle "), "{case}");
        let own = gnome["lock_enabled"]["value"]
            .as_bool()
            .map_or(String::new(), |on| on.to_string());
        assert_eq!(own, answer("lock "), "{case}");
        for (name, key) in [
            ("idle_delay", "/org/gnome/desktop/session/idle-delay"),
            ("lock_enabled", "/org/gnome/desktop/screensaver/lock-enabled"),
        ] {
            let theirs = lines.iter().any(|line| line.strip_prefix("locked ") == Some(key));
            assert_eq!(gnome[name]["locked"] == true, theirs, "{case}");
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}; is dconf-cli installed?"));
}

//! Settings of generated files beside PostgreSQL's view `pg_file_settings`.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::machine::{Machine, facts_of, put, some};
use crate::postgresql::{MAIN, Server};

fn setting() -> impl Strategy<Value = String> {
    let name = select(vec![
        "ssl",
        "Port",
        "log_connections",
        "row_security",
        "listen_addresses",
        "log_statement",
        "password_encryption",
        "port",
        "ssl_min_protocol_version",
        "log_line_prefix",
        "own.name",
        "pgaudit.log",
        "include",
        "include_if_exists",
        "include_dir",
    ]);
    let sign = select(vec![" = ", " ", "=", " = = ", "\t=\t"]);
    let value = select(vec![
        "on",
        "off",
        "yes",
        "'tr'",
        "0",
        "'o'",
        "'*'",
        "'localhost,::1'",
        "localhost",
        "127.0.0.1",
        "TLSv1.2",
        "'TLSv1.2'",
        "5432",
        "0x1F",
        "1.5",
        "1.5e3MB",
        "10MB",
        "-1",
        "+",
        ".",
        "'it''s'",
        "'a\\'b\\101\\n'",
        "'x",
        "x y",
        "md5",
        "scram-sha-256",
        "ddl",
        "a.b",
        "a:/b",
        "'more'",
        "more",
        "'none'",
        "'d'",
        "é",
        "",
        "'%m [%p] # '",
        "1x # c",
        "0xz",
        "a,b",
        "1.e5",
        "1.5.2",
    ]);
    (name, sign, value).prop_map(|(name, sign, value)| format!("{name}{sign}{value}\n"))
}

fn conf() -> impl Strategy<Value = String> {
    vec(
        prop_oneof![15 => setting(), 1 => Just("# c\n\n".to_owned()), 1 => Just("ssl\n".to_owned())],
        0..4,
    )
    .prop_map(|lines| lines.concat())
}

#[test]
fn settings_beside_the_view() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let cases = some(1_000, (conf(), conf(), conf(), conf()));
    let mut folders = vec![];
    for (index, (main, more, part, auto)) in cases.iter().enumerate() {
        let at = temp.path().join(index.to_string());
        let deep = |text: &str| text.replace("include", "own.x_include");
        put(&at, &format!("{MAIN}/postgresql.conf"), main);
        put(&at, &format!("{MAIN}/more"), &deep(more));
        put(&at, &format!("{MAIN}/d/a.conf"), &deep(part));
        put(&at, &format!("{MAIN}/d/b"), "noise noise noise\n");
        put(&at, &format!("{MAIN}/postgresql.auto.conf"), &deep(auto));
        folders.push(at);
    }
    let answers = server.ask(&folders, "select * from pg_file_settings order by seqno");
    let switches = ["ssl", "log_connections", "row_security"];
    let (mut taken, mut refused, mut values) = (0, 0, 0);
    for ((at, texts), rows) in folders.iter().zip(&cases).zip(&answers) {
        let cluster = facts_of("database-access", &Machine::folder(at))["postgresql"]["value"][0].clone();
        let case = format!("{texts:#?}\n{rows:#?}\n{cluster:#}");
        let settings = &cluster["settings"];
        // What initdb wrote is no longer in the files, which the server says and which does not matter here.
        let restart = |row: &Value| {
            row["error"]
                .as_str()
                .is_some_and(|error| error.contains("without restarting"))
        };
        let bad = rows.iter().any(|row| {
            let name = row["name"].as_str();
            let is_switch = name.is_some_and(|name| switches.contains(&name.to_lowercase().as_str()));
            !restart(row) && row["error"].is_string() && (name.is_none() || is_switch)
        });
        // Of a folder where a file should be the outcome is another one.
        assert_eq!(settings["outcome"] != "observed", bad, "{case}");
        if bad {
            refused += 1;
            continue;
        }
        let mut last = BTreeMap::new();
        for row in rows.iter().filter(|row| row["name"].is_string()) {
            last.insert(
                row["name"].as_str().unwrap().to_lowercase(),
                row["setting"].as_str().unwrap(),
            );
        }
        for (name, value) in last.iter().filter(|(name, _)| !name.starts_with("own.")) {
            let told = settings["value"][name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} {case}"));
            let is_on = ["on", "yes", "tr"].contains(value) || *value == "1";
            let expected = if !switches.contains(&name.as_str()) {
                value
            } else if is_on {
                "on"
            } else {
                "off"
            };
            assert_eq!(told, expected, "{name} {case}");
            values += 1;
        }
        taken += 1;
    }
    println!("{taken} sets of files with {values} values, {refused} refused");
    assert!(taken > 100 && refused > 300);
}

//! The sudo probe against the programs that decide: cvtsudoers and sudo for sudoers files. Every root is a folder of real
//! files.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use evidence::facts::FactsDocument;
use machine::{Machine, authority};
use probes::registry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tempfile::TempDir;

/// The two documents of a root.
fn collected(root: &Path) -> Vec<FactsDocument> {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "sudo")
        .unwrap();
    probe.collect(&Machine::folder(root))
}

/// Facts and names of a root.
fn documents(root: &Path) -> (Value, Value) {
    let documents = collected(root);
    let facts = documents[0]
        .facts
        .clone()
        .unwrap_or_else(|| panic!("{}", documents[0].detail));
    (facts, documents[1].facts.clone().unwrap())
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n\
    alice:x:1000:1000::/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/sh\ncarol:x:1002:100::/home/carol:/bin/sh\n";
const GROUP: &str = "root:x:0:\nadm:x:4:alice\nsudo:x:27:bob\nusers:x:100:alice\nalice:x:1000:\nbob:x:1001:\n";

fn root(sudoers: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    };
    write("etc/passwd", PASSWD);
    write("etc/group", GROUP);
    write("etc/sudoers", sudoers);
    write("etc/hostname", "web1\n");
    write("usr/bin/sudo", "");
    fs::set_permissions(folder.path().join("etc/sudoers"), fs::Permissions::from_mode(0o440)).unwrap();
    folder
}

/// What cvtsudoers makes of a file; nothing if it finds a mistake in it.
fn cvtsudoers(text: &str) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sudoers");
    fs::write(&path, text).unwrap();
    let output = authority("sudo", "cvtsudoers", &["-f", "json", path.to_str().unwrap()], b"");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    // It warns of settings that it does not know and of values that they cannot have, and reads on.
    let mut lines = complaint.lines().filter(|line| !line.contains("internal error"));
    let mistake = lines.any(|line| {
        line.contains("syntax error")
            || line.contains("expected")
            || line.contains("invalid")
            || line.contains("empty")
            || line.contains("unexpected")
            || line.contains("digest")
            || line.contains("reserved")
            || line.contains("already defined")
    });
    if mistake {
        return None;
    }
    if output.stdout.is_empty() {
        return complaint.is_empty().then_some(Value::Null);
    }
    let json = String::from_utf8_lossy(&output.stdout).into_owned();
    let json = repaired(&json);
    Some(
        serde_json::from_str(&json)
            .unwrap_or_else(|error| panic!("{error} in what cvtsudoers makes of:\n{text}\n{json}")),
    )
}

/// Options that version 1.9.13 writes without braces.
const BARE: [&str; 7] = [
    "runcwd",
    "runchroot",
    "role",
    "type",
    "command_timeout",
    "notbefore",
    "notafter",
];

/// Version 1.9.13 writes some options without braces, and forgets commas after them.
fn repaired(json: &str) -> String {
    let lines = json.lines().map(str::trim);
    let bare = |line: &str| BARE.iter().any(|option| line.starts_with(&format!("\"{option}\"")));
    let lines = lines.map(|line| match line.trim_end_matches(',') {
        line if bare(line) => format!("{{ {line} }}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n").replace("}\n{", "},\n{")
}

/// The entries of a list of cvtsudoers, as sudoers has them.
fn list(members: &Value) -> String {
    let member = |member: &Value| {
        let object = member.as_object().unwrap();
        let (key, value) = object.iter().find(|(key, _)| *key != "negated").unwrap();
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name = match key.as_str() {
            "usergroup" => format!("%{text}"),
            "nonunixgroup" => format!("%:{text}"),
            "nonunixgid" => format!("%:#{text}"),
            "netgroup" => format!("+{}", text.trim_start_matches('+')),
            "userid" => format!("#{text}"),
            "usergid" if object.contains_key("usergid") => format!("%#{text}"),
            _ => text,
        };
        format!("{}{name}", if object.contains_key("negated") { "!" } else { "" })
    };
    members
        .as_array()
        .into_iter()
        .flatten()
        .map(member)
        .collect::<Vec<_>>()
        .join(", ")
}

/// All grants in the form of the probe's names, from what cvtsudoers says.
fn grants(json: &Value) -> Vec<String> {
    let mut grants = vec![];
    for specification in json["User_Specs"].as_array().into_iter().flatten() {
        for spec in specification["Cmnd_Specs"].as_array().into_iter().flatten() {
            let (people, hosts) = (list(&specification["User_List"]), list(&specification["Host_List"]));
            let mut words = vec![people, hosts, "=".to_owned()];
            // Groups to run as stand there without the sign of a group among users.
            let (users, groups) = (list(&spec["runasusers"]), list(&spec["runasgroups"]).replace('%', ""));
            if spec.get("runasusers").is_some() || spec.get("runasgroups").is_some() {
                let groups = if groups.is_empty() {
                    groups
                } else {
                    format!(" : {groups}")
                };
                words.push(format!("({})", format!("{users}{groups}").trim()));
            }
            let options = options(&spec["Options"]);
            for command in spec["Commands"].as_array().into_iter().flatten() {
                flatten(&words, &options, command, false, json, &mut grants);
            }
        }
    }
    grants
}

fn options(options: &Value) -> (BTreeMap<String, String>, BTreeMap<String, bool>) {
    let (mut texts, mut flags) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in options
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|option| option.as_object().unwrap())
    {
        let (key, value) = match key.as_str() {
            "authenticate" => ("nopasswd", Value::Bool(!value.as_bool().unwrap())),
            "sudoedit_follow" => ("follow", value.clone()),
            "send_mail" => ("mail", value.clone()),
            "runcwd" => ("cwd", value.clone()),
            "runchroot" => ("chroot", value.clone()),
            "command_timeout" => ("timeout", value.clone()),
            key => (key, value.clone()),
        };
        match value {
            Value::Bool(flag) => drop(flags.insert(key.to_owned(), flag)),
            Value::String(text) => drop(texts.insert(key.to_owned(), text)),
            other => drop(texts.insert(key.to_owned(), other.to_string())),
        }
    }
    (texts, flags)
}

fn flatten(
    words: &[String],
    options: &(BTreeMap<String, String>, BTreeMap<String, bool>),
    command: &Value,
    negated: bool,
    json: &Value,
    grants: &mut Vec<String>,
) {
    let negated = negated != (command["negated"] == true);
    if let Some(alias) = command["cmndalias"].as_str()
        && let Some(members) = json["Command_Aliases"][alias].as_array()
    {
        for member in members {
            flatten(words, options, member, negated, json, grants);
        }
        return;
    }
    let name = command["command"].as_str().or(command["cmndalias"].as_str()).unwrap();
    let mut words = words.to_vec();
    for (option, value) in &options.0 {
        words.push(format!("{}={value}", option.to_ascii_uppercase()));
    }
    for (setting, value) in &options.1 {
        let tag = match (setting.as_str(), value) {
            ("nopasswd", true) => "NOPASSWD".to_owned(),
            ("nopasswd", false) => "PASSWD".to_owned(),
            ("noexec", true) => "NOEXEC".to_owned(),
            ("noexec", false) => "EXEC".to_owned(),
            (setting, value) => format!("{}{}", if *value { "" } else { "NO" }, setting.to_ascii_uppercase()),
        };
        words.push(format!("{tag}:"));
    }
    for digest in ["sha224", "sha256", "sha384", "sha512"] {
        let digests = match &command[digest] {
            Value::String(text) => vec![text.clone()],
            Value::Array(texts) => texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect(),
            _ => vec![],
        };
        words.extend(digests.iter().map(|text| format!("{digest}:{text}")));
    }
    words.push(format!("{}{name}", if negated { "!" } else { "" }));
    grants.push(words.join(" "));
}

/// Without the tag that `ALL` implies, which cvtsudoers writes out and the probe's text does not, and without the options
/// of SELinux, which cvtsudoers forgets.
fn plain(text: &str) -> String {
    let words = text.split(' ');
    let kept = words.filter(|word| *word != "SETENV:" && !word.starts_with("ROLE=") && !word.starts_with("TYPE="));
    kept.collect::<Vec<_>>().join(" ")
}

/// Compares the probe with cvtsudoers. True if both find the file without mistakes.
fn compare(text: &str) -> bool {
    let root = root(text);
    let documents = collected(root.path());
    let outcome = documents[0].outcome.as_str();
    match cvtsudoers(text) {
        None => {
            assert_eq!(
                outcome, "malformed",
                "cvtsudoers refuses something here, the probe does not:\n{text}"
            );
            false
        }
        Some(json) => {
            assert_eq!(
                outcome, "observed",
                "the probe refuses what cvtsudoers takes: {}\n{text}",
                documents[0].detail
            );
            let names = documents[1].facts.as_ref().unwrap();
            let own = names["sudo_grants"].as_array().unwrap();
            let own: Vec<String> = own.iter().map(|grant| plain(grant["text"].as_str().unwrap())).collect();
            let theirs: Vec<String> = grants(&json).iter().map(|grant| plain(grant)).collect();
            assert_eq!(own, theirs, "{text}");
            true
        }
    }
}

/// Files written by hand, each an entry or a few of them.
const HARD: &str = include_str!("../fixtures/sudo/sudoers-hard.txt");

#[test]
fn hard_sudoers_files_are_read_as_cvtsudoers_reads_them() {
    let mut taken = 0;
    let (mut cases, mut different) = (0, vec![]);
    for case in HARD.split("----\n").filter(|case| !case.is_empty()) {
        cases += 1;
        match std::panic::catch_unwind(|| compare(case)) {
            Ok(without_mistakes) => taken += usize::from(without_mistakes),
            Err(_) => different.push(case),
        }
    }
    assert!(
        different.is_empty(),
        "{} of {cases} are read differently, see above",
        different.len()
    );
    assert!(cases > 100 && taken > 60, "{taken} of {cases}");
}

#[test]
fn generated_sudoers_files_are_read_as_cvtsudoers_reads_them() {
    let user = prop_oneof![
        Just("ALL".to_owned()),
        Just("ADMINS".to_owned()),
        "[a-z][a-z0-9_-]{0,6}",
        "%[a-z]{1,5}",
        "%#[1-9][0-9]{0,3}",
        "#[1-9][0-9]{0,3}",
        "\\+[a-z]{1,4}",
        "%:[a-z]{1,4}",
        "\"[a-z ]{1,6}\"",
        "[a-z]{1,3}\\\\ [a-z]{1,3}",
    ];
    let host = prop_oneof![
        "[a-z][a-z0-9.-]{0,8}",
        Just("ALL".to_owned()),
        Just("10.0.0.0/8".to_owned()),
        Just("::1".to_owned()),
        Just("WEB".to_owned())
    ];
    let command = prop_oneof![
        Just("ALL".to_owned()),
        Just("SHELLS".to_owned()),
        Just("sudoedit /etc/motd".to_owned()),
        "/[a-z/]{1,10}",
        "/[a-z]{1,5} [a-z\\*\\?-]{1,8}( [a-z=]{1,5})?",
        "/[a-z]{1,5} \"\"",
        "/[a-z]{1,3}\\\\[,:= ][a-z]{1,3}( [a-z]\\\\[,:= \\*][a-z])?",
        // The probe does not compile regular expressions: all of these are good ones.
        "\\^/[a-z\\.]{1,6}\\$( \\^[a-z ]{1,4}\\$)?",
    ];
    let tag = prop_oneof![
        Just(String::new()),
        Just("NOPASSWD: ".to_owned()),
        Just("PASSWD:".to_owned()),
        Just("NOEXEC:SETENV: ".to_owned()),
        Just("NOPASSWD : LOG_INPUT:".to_owned()),
        Just("CWD=/tmp ".to_owned()),
    ];
    let negated = |one: BoxedStrategy<String>| ("!{0,2}", one).prop_map(|(not, one)| format!("{not}{one}"));
    let many = |one: BoxedStrategy<String>, separator: &'static str| {
        proptest::collection::vec(one, 1..4).prop_map(move |all| all.join(separator))
    };
    let users = many(negated(user.boxed()).boxed(), ", ");
    let hosts = many(negated(host.boxed()).boxed(), ",");
    let runas = prop_oneof![
        Just(String::new()),
        Just("() ".to_owned()),
        Just("(:) ".to_owned()),
        users.clone().prop_map(|users| format!("({users}) ")),
        (users.clone(), "[a-z]{1,4}").prop_map(|(users, group)| format!("({users} : {group})")),
        "[a-z]{1,4}".prop_map(|group| format!("(:{group})")),
    ];
    let spec =
        (runas, tag, negated(command.boxed())).prop_map(|(runas, tag, command)| format!("{runas}{tag}{command}"));
    let specs = many(spec.boxed(), " , ");
    let privilege =
        (hosts, "( )?= ?", specs.clone()).prop_map(|(hosts, equals, specs)| format!("{hosts}{equals}{specs}"));
    let entry = prop_oneof![
        4 => (users.clone(), many(privilege.boxed(), " : ")).prop_map(|(users, privileges)| format!("{users} {privileges}\n")),
        1 => "[ -~]{0,30}".prop_map(|noise| format!("{}\n", noise.replace("@include", "").replace("#include", ""))),
        1 => Just("# comment \\\n".to_owned()),
        1 => Just("alice ALL = \\\n  /bin/a, \\\n\t/bin/b\n".to_owned()),
    ];
    let file = proptest::collection::vec(entry, 1..4).prop_map(|entries| entries.concat());
    let mut runner = TestRunner::new(Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    });
    let taken = std::cell::Cell::new(0);
    let result = runner.run(&file, |text| {
        taken.set(taken.get() + usize::from(compare(&text)));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken.get() > 50, "{} files were without mistakes", taken.get());
}

/// What sudo itself does in a mount namespace with the root's files in the place of the machine's. For each user: whether
/// he may run a command that no entry names, and whether without a password.
const ASK_SUDO: &str = r#"
set -e
for file in passwd group shadow sudoers; do mount --bind "$1/etc/$file" "/etc/$file"; done
for user in alice bob carol; do
    may=no; without=no
    # As root, and as root with a group that must be granted besides.
    for as in "-u root" "-u root -g other"; do
        if sudo -l -U "$user" $as /usr/bin/env >/dev/null 2>&1; then may=yes; fi
        if setpriv --reuid "$user" --regid "$user" --init-groups sudo -n $as /usr/bin/env true >/dev/null 2>&1; then without=yes; fi
    done
    echo "$user $may $without"
done
"#;

fn ask_sudo(root: &Path) -> BTreeMap<String, (bool, bool)> {
    let args = ["-m", "sh", "-c", ASK_SUDO, "sh", root.to_str().unwrap()];
    let output = authority("util-linux", "unshare", &args, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        (words[0].to_owned(), (words[1] == "yes", words[2] == "yes"))
    };
    text.lines().map(line).collect()
}

#[test]
fn rights_are_what_sudo_gives() {
    let _ = authority("sudo", "sudo", &["-V"], b"");
    let host = String::from_utf8(authority("coreutils", "uname", &["-n"], b"").stdout).unwrap();
    let host = host.trim();
    let user = prop_oneof![
        "(ALL|alice|bob|carol|PEOPLE|OTHERS)",
        "(%sudo|%adm|%users|#1000|%#27|nobody-here|%no-group)"
    ];
    let users = proptest::collection::vec(("!?", user), 1..4).prop_map(|users| {
        users
            .iter()
            .map(|(not, user)| format!("{not}{user}"))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let hosts = prop_oneof![4 => Just("ALL".to_owned()), 1 => Just(host.to_owned()), 1 => Just("elsewhere".to_owned()),
        1 => Just(format!("ALL, !{host}")), 1 => Just("HERE".to_owned()), 1 => Just("!HERE".to_owned())];
    let runas = prop_oneof![
        "(\\(ALL\\) |\\(root\\) |\\(bob\\) |\\(ALL, !root\\) |\\(ALL:ALL\\) |\\(#0\\) )?",
        "\\(ADMINS\\) "
    ];
    let command = "(ALL|ALL|!ALL|/usr/bin/true|!/usr/bin/true|EVERYTHING|!EVERYTHING|TOOLS|UNDEFINED)";
    let spec =
        (runas, "(NOPASSWD: |PASSWD: )?", command).prop_map(|(runas, tag, command)| format!("{runas}{tag}{command}"));
    let specs = proptest::collection::vec(spec, 1..3).prop_map(|specs| specs.join(", "));
    let entry = prop_oneof![
        6 => (users.clone(), hosts.clone(), specs).prop_map(|(users, hosts, specs)| format!("{users} {hosts} = {specs}\n")),
        1 => "Defaults !?authenticate\n",
        1 => users.prop_map(|users| format!("Defaults:{users} !authenticate\n")),
        1 => hosts.prop_map(|hosts| format!("Defaults@{hosts} !authenticate\n")),
        1 => Just("Defaults exempt_group=adm\n".to_owned()),
    ];
    let file = proptest::collection::vec(entry, 1..5).prop_map(move |entries| {
        format!(
            "User_Alias PEOPLE = alice, !bob, %users : OTHERS = !PEOPLE, carol\nHost_Alias HERE = {host}\n\
             Runas_Alias ADMINS = root, bob\nCmnd_Alias EVERYTHING = /usr/bin/false, ALL : TOOLS = /usr/bin/true, !/usr/bin/false\n{}",
            entries.concat()
        )
    });
    let mut runner = TestRunner::new(Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&file, |text| {
        let root = root(&text);
        let write = |name: &str, text: &str| fs::write(root.path().join("etc").join(name), text).unwrap();
        write("hostname", host);
        write(
            "shadow",
            "root:*:19000::::::\nalice:*:19000::::::\nbob:*:19000::::::\ncarol:*:19000::::::\n",
        );
        // setpriv takes the name of a user for the name of a group too.
        write("group", &format!("{GROUP}carol:x:1002:\nother:x:60:\n"));
        let (facts, _) = documents(root.path());
        for (user, asked) in ask_sudo(root.path()) {
            let uid = match user.as_str() {
                "alice" => 1000,
                "bob" => 1001,
                _ => 1002,
            };
            let users = facts["users"].as_array().unwrap();
            let found = users.iter().find(|user| user["uid"] == uid);
            let flag = |name: &str| found.is_some_and(|user| user[name] == true);
            assert_eq!(
                (flag("all_commands"), flag("all_commands_nopasswd")),
                asked,
                "{user} by\n{text}"
            );
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// What `sudo -V` says of the settings in force for root, with the root's file in the place of the machine's.
fn settings_of_sudo(root: &Path) -> String {
    let script = "mount --bind \"$1/etc/sudoers\" /etc/sudoers && sudo -V";
    let args = ["-m", "sh", "-c", script, "sh", root.to_str().unwrap()];
    let output = authority("util-linux", "unshare", &args, b"");
    String::from_utf8(output.stdout).unwrap()
}

/// Flags, and the sentence by which `sudo -V` tells that one is set.
const FLAGS: [(&str, &str); 17] = [
    ("authenticate", "Require users to authenticate by default"),
    ("env_reset", "Reset the environment to a default set of variables"),
    ("ignore_dot", "Ignore '.' in $PATH"),
    ("log_allowed", "Log when a command is allowed by sudoers"),
    ("log_denied", "Log when a command is denied by sudoers"),
    ("log_input", "Log user's input for the command being run"),
    ("log_output", "Log the output of the command being run"),
    (
        "noexec",
        "Preload the sudo_noexec library which replaces the exec functions",
    ),
    (
        "pwfeedback",
        "Provide visual feedback at the password prompt when there is user input",
    ),
    ("requiretty", "Only allow the user to run sudo if they have a tty"),
    ("root_sudo", "Root may run sudo"),
    ("rootpw", "Prompt for root's password, not the users's"),
    (
        "runaspw",
        "Prompt for the runas_default user's password, not the users's",
    ),
    ("setenv", "Allow users to set arbitrary environment variables"),
    ("targetpw", "Prompt for the target user's password, not the users's"),
    ("use_pty", "Always run commands in a pseudo-tty"),
    (
        "visiblepw",
        "Allow sudo to prompt for a password even if it would be visible",
    ),
];

/// Compares the settings that both tell, of a file that sets each of them.
fn compare_settings(text: &str) {
    let root = root(text);
    let host = String::from_utf8(authority("coreutils", "uname", &["-n"], b"").stdout).unwrap();
    fs::write(root.path().join("etc/hostname"), host).unwrap();
    let (facts, _) = documents(root.path());
    let own = &facts["settings"];
    let theirs = settings_of_sudo(root.path());
    let has = |line: &str| theirs.lines().any(|other| other == line);
    let after = |start: &str| theirs.lines().find_map(|line| line.strip_prefix(start)).map(str::trim);
    for (name, sentence) in FLAGS {
        if let Some(on) = own[name].as_bool() {
            assert_eq!(on, has(sentence), "{name} by\n{text}\n{theirs}");
        }
    }
    let minutes = |start: &str| {
        let text = after(start).unwrap().trim_end_matches(" minutes").to_owned();
        (text.parse::<f64>().unwrap() * 60.0).round()
    };
    for (name, sentence) in [
        ("timestamp_timeout_seconds", "Authentication timestamp timeout:"),
        ("passwd_timeout_seconds", "Password prompt timeout:"),
    ] {
        if let Some(seconds) = own[name].as_f64() {
            // sudo prints tenths of minutes; a negative number is as good as any other.
            let theirs = minutes(sentence);
            assert!(
                (seconds < 0.0 && theirs < 0.0) || (theirs - seconds).abs() <= 3.1,
                "{name} by\n{text}\n{theirs}"
            );
        }
    }
    if let Some(tries) = own["passwd_tries"].as_u64() {
        assert_eq!(
            after("Number of tries to enter a password:").unwrap(),
            tries.to_string(),
            "{text}"
        );
    }
    if let Some(mask) = own["umask"].as_str() {
        // `!umask` and the user's own are the same number to sudo.
        let number = |text: &str| u32::from_str_radix(text, 8).unwrap();
        let theirs = after("Umask to use or 0777 to use user's:").unwrap();
        assert_eq!(number(theirs), number(mask), "{text}");
    }
    assert_eq!(after("Path to log file:"), own["logfile"].as_str(), "{text}");
    if let Some(path) = own["secure_path"].as_array() {
        let path: Vec<_> = path.iter().map(|folder| folder.as_str().unwrap()).collect();
        let theirs = after("Value to override user's $PATH with:").unwrap_or_default();
        assert_eq!(theirs, path.join(":"), "{text}");
    }
    if let Some(facility) = own["syslog"].as_str() {
        let theirs = after("Syslog facility if syslog is being used for logging:");
        match facility {
            "off" => assert_eq!(theirs, None, "{text}"),
            "on" => assert!(theirs.is_some(), "{text}"),
            facility => assert_eq!(theirs, Some(facility), "{text}"),
        }
    }
    if let Some(kind) = own["timestamp_type"].as_str() {
        assert_eq!(
            after("Type of authentication timestamp record:").unwrap(),
            kind,
            "{text}\n{theirs}"
        );
    }
    let kept: Vec<&str> = theirs
        .split("Environment variables to preserve:\n")
        .nth(1)
        .into_iter()
        .flat_map(str::lines)
        .take_while(|line| line.starts_with('\t'))
        .map(str::trim)
        .collect();
    for name in own["env_keep"].as_array().unwrap() {
        assert!(kept.contains(&name.as_str().unwrap()), "{name} by\n{text}\n{kept:?}");
    }
    if own["env_keep_replaced"] == true {
        assert_eq!(
            kept.len(),
            own["env_keep"].as_array().unwrap().len(),
            "{text}\n{kept:?}"
        );
    }
}

#[test]
fn settings_are_what_sudo_says() {
    let flag = "(authenticate|env_reset|ignore_dot|log_allowed|log_denied|log_input|log_output|noexec|pwfeedback|requiretty\
        |rootpw|runaspw|setenv|targetpw|use_pty|visiblepw|tty_tickets)";
    let setting = prop_oneof![
        8 => ("!?", flag).prop_map(|(not, flag)| format!("{not}{flag}")),
        2 => "timestamp_timeout ?= ?(-1|0|5|15|2\\.5|0\\.1|\\.5|5m|x)",
        1 => "!timestamp_timeout",
        1 => "passwd_timeout=(0|5|1\\.5)",
        1 => "passwd_tries=(1|3|many)",
        1 => "umask=(022|77|0027|999)",
        1 => "!umask",
        1 => "logfile=(/var/log/sudo\\.log|\"/var/log/s\")",
        1 => "!logfile",
        1 => "secure_path=\"(/usr/bin:/bin|/sbin)\"",
        1 => "!secure_path",
        1 => "syslog=(auth|local3)",
        1 => "!?syslog",
        1 => "timestamp_type=(global|ppid|tty|kernel)",
        2 => "env_keep ?(=|\\+=|-=) ?\"(A|B|A B|C)\"",
        1 => "!env_keep",
    ];
    let line = (
        proptest::collection::vec(setting, 1..4),
        "(Defaults|Defaults|Defaults|Defaults@elsewhere) ",
    )
        .prop_map(|(settings, start)| format!("{start}{}\n", settings.join(", ")));
    let file =
        proptest::collection::vec(line, 1..6).prop_map(|lines| format!("{}root ALL=(ALL) ALL\n", lines.concat()));
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&file, |text| {
        compare_settings(&text);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

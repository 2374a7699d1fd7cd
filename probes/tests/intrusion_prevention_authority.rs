//! The probe of intrusion prevention beside fail2ban's own reading of the same generated jails, and its reckoning of times.
//!
//! Needs fail2ban, whose modules python3 asks for what `fail2ban-client -d` prints: a process for each case would take minutes.
//! One case is asked of `fail2ban-client` itself.

#![cfg(test)]

mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use machine::{Machine, authority, facts_of, put, some};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// For each folder of the input: the commands that fail2ban would send to its server, times as numbers; null if it refuses.
const DUMP: &str = r#"
import ast, json, logging, sys
sys.path.insert(0, "/usr/lib/python3/dist-packages")
logging.disable(logging.CRITICAL)
from fail2ban.client.configurator import Configurator
from fail2ban.server.mytime import MyTime
def seconds(text):
    try:
        return int(MyTime.str2seconds(text))
    except Exception:
        return None
def told(stream):
    for one in stream:
        if len(one) == 4 and one[2] in ("bantime", "findtime"):
            one = one[:3] + [seconds(one[3])]
        yield one
for folder in sys.stdin.read().splitlines():
    try:
        if folder.startswith("="):
            print(json.dumps(seconds(folder[1:])))
            continue
        if folder.startswith("-"):
            lines = open(folder[1:]).read().splitlines()
            print(json.dumps(list(told(ast.literal_eval(line) for line in lines if line.startswith("[")))))
            continue
        reader = Configurator()
        reader.setBaseDir(folder)
        reader.readAll()
        reader.getOptions()
        reader.convertToProtocol(allow_no_files=True)
        print(json.dumps(list(told(reader.getConfigStream()))))
    except Exception as error:
        print("null")
"#;

fn ask(lines: &str) -> Vec<Value> {
    let output = authority("fail2ban", "/usr/bin/python3", &["-c", DUMP], lines.as_bytes());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\nis fail2ban installed?");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const JAILS: &str = "[INCLUDES]\nbefore = paths.conf\n[DEFAULT]\nbantime = 10m\nfindtime = 1h ; c\nmaxretry = 5\nbackend = polling\n\
                     filter = %(__name__)s[mode=normal]\nenabled = false\nport = 0:65535\nbanaction = one\naction_ = %(banaction)s[port=\"%(port)s\"]\n\
                     action = %(action_)s\n";

fn line() -> impl Strategy<Value = String> {
    let set = select(vec![
        "enabled = true",
        "enabled = yes",
        "Enabled: on",
        "enabled = no",
        "enabled = 1 ; c",
        "bantime = 1d",
        "bantime = -1",
        "bantime=1d12h",
        "bantime = %(findtime)s",
        "bantime = 2 weeks",
        "findtime = 90",
        "findtime = %(default/findtime)s",
        "findtime = 5x",
        "maxretry = 3",
        "maxretry = %(known/maxretry)s",
        "maxretry = x",
        "maxretry = %(b/maxretry)s",
        "backend = systemd",
        "backend = auto",
        "ignoreip = 127.0.0.1/8 ::1",
        "ignoreip = a,b\n  c",
        "ignoreself = false",
        "ignorecommand = /bin/x <ip>",
        "ignorecommand =",
        "bantime.increment = true",
        "action = %(action_)s\n  two[y=\"a b\", x='1,2']",
        "action =",
        "action = two",
        "action = nowhere",
        "banaction = two",
        "filter = a",
        "filter = nowhere",
        "filter =",
        "port = ssh,%(port_more)s",
        "port_more = 22\nbantime.factor = 2",
        "logpath = %(logs)s",
        "logpath = /var/log/x tail",
        "# c",
        "  # c",
        "",
    ]);
    let seldom = select(vec![
        "port = 5%",
        "backend = %(nowhere)s",
        "filter = %(filter)s",
        "[b]",
        "noise",
        "= x",
        "ignoreip = 100%%",
        "maxretry = %(maxretry)s",
        "[c] ; c",
        "findtime = %(__name__)s",
        "bantime : %(bantime",
        "[a]",
        "[c]\nenabled = true",
    ]);
    prop_oneof![25 => set, 1 => seldom].prop_map(|line| format!("{line}\n"))
}

fn file() -> impl Strategy<Value = String> {
    let section = select(vec!["[DEFAULT]\n", "[a]\n", "[b]\n", "[c]\n"]);
    // No section and no name twice, or Python refuses nearly all.
    let part = (section, vec(line(), 0..5)).prop_map(|(section, mut lines)| {
        let mut seen = vec![];
        lines.retain(|line| {
            let name = line.split(['=', ':']).next().unwrap().trim().to_lowercase();
            let new = !seen.contains(&name) || name.is_empty() || name.starts_with('#');
            seen.push(name);
            new
        });
        (section, lines.concat())
    });
    vec(part, 0..4).prop_map(|mut parts| {
        let mut seen = vec![];
        parts.retain(|(section, _)| {
            let new = !seen.contains(section);
            seen.push(*section);
            new
        });
        parts
            .into_iter()
            .map(|(section, lines)| format!("{section}{lines}"))
            .collect()
    })
}

fn root(at: &Path, files: &[(&str, String)]) {
    put(at, "etc/fail2ban/fail2ban.conf", "[Definition]\nloglevel = INFO\n");
    put(
        at,
        "etc/fail2ban/paths.conf",
        "[INCLUDES]\nafter = nothing.conf\n[DEFAULT]\nlogs = /var/log/none\n",
    );
    put(at, "etc/fail2ban/paths.local", "[DEFAULT]\nport_more = 2222\n");
    for filter in ["a", "b"] {
        put(
            at,
            &format!("etc/fail2ban/filter.d/{filter}.conf"),
            "[Definition]\nfailregex = ^x <HOST>\n",
        );
    }
    for action in ["one", "two"] {
        put(
            at,
            &format!("etc/fail2ban/action.d/{action}.conf"),
            "[Definition]\nactionban = true\n",
        );
    }
    for (name, text) in files {
        put(at, &format!("etc/fail2ban/{name}"), text);
    }
}

/// What fail2ban says of a jail, as the probe tells it.
fn jail(stream: &[Value], name: &str, files: &[Value]) -> Value {
    let set = |option: &str| {
        let found = stream
            .iter()
            .find(|one| one[0] == "set" && one[1] == name && one[2] == option);
        found.map_or(json!("none"), |one| one[3].clone())
    };
    // Its name of an action is that of the file and perhaps of what it is called in the jail.
    let file_of = |action: &str| {
        let mut files = files.iter().filter_map(Value::as_str);
        let file = files.find(|file| {
            action
                .strip_prefix(file)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        file.unwrap_or(action).to_owned()
    };
    let actions: BTreeSet<String> = stream
        .iter()
        .filter(|one| one[0] == "set" && one[1] == name && one[2] == "addaction")
        .map(|one| file_of(one[3].as_str().unwrap()))
        .collect();
    let ignored = stream
        .iter()
        .find(|one| one[0] == "set" && one[1] == name && one[2] == "addignoreip");
    let added = stream.iter().find(|one| one[0] == "add" && one[1] == name).unwrap();
    json!({
        "maxretry": set("maxretry"),
        "findtime": set("findtime"),
        "bantime": set("bantime"),
        "increment": set("bantime.increment") == json!(true),
        "actions": actions,
        "ignoreself": set("ignoreself") != json!(false),
        "ignoreip": ignored.map_or(0, |one| one.as_array().unwrap().len() - 3),
        "ignorecommand": !matches!(set("ignorecommand").as_str(), Some("none" | "")),
        "journal": added[2].as_str().unwrap().starts_with("systemd"),
    })
}

fn ours(jail: &Value) -> Value {
    let number = |field: &str| match jail[field]["outcome"].as_str().unwrap() {
        "observed" => jail[field]["value"].clone(),
        "absent" => json!("none"),
        _ => Value::Null,
    };
    json!({
        "maxretry": number("maxretry"),
        "findtime": number("findtime"),
        "bantime": number("bantime"),
        "increment": jail["bantime_increment"],
        "actions": jail["actions"],
        "ignoreself": jail["ignoreself"],
        "ignoreip": jail["ignoreip"],
        "ignorecommand": jail["ignorecommand"],
        "journal": jail["source"]["value"] == "journal",
    })
}

fn compare(files: &[(&str, String)], at: &Path, stream: &Value) -> (usize, usize, usize) {
    let fail2ban = facts_of("intrusion-prevention", &Machine::folder(at))["fail2ban"].clone();
    let case = format!("{files:#?}\n{stream}\n{fail2ban:#}");
    let Some(stream) = stream.as_array() else {
        assert_eq!(fail2ban["outcome"], "malformed", "{case}");
        return (0, 0, 1);
    };
    assert_eq!(fail2ban["outcome"], "observed", "{case}");
    let (mut whole, mut left_out) = (0, 0);
    let skipped: Vec<&str> = stream
        .iter()
        .filter(|one| one[0] == "config-error")
        .map(|one| one[1].as_str().unwrap().split('\'').nth(1).unwrap())
        .collect();
    let added: Vec<&str> = stream
        .iter()
        .filter(|one| one[0] == "add")
        .map(|one| one[1].as_str().unwrap())
        .collect();
    let mut names: Vec<&str> = [skipped.as_slice(), &added].concat();
    names.sort_unstable();
    let jails = fail2ban["value"]["jails"].as_array().unwrap();
    let our_names: Vec<&str> = jails.iter().map(|jail| jail["name"].as_str().unwrap()).collect();
    assert_eq!(our_names, names, "{case}");
    for one in jails {
        let name = one["name"].as_str().unwrap();
        assert_eq!(
            one["complete"]["value"],
            json!(!skipped.contains(&name)),
            "{name}\n{case}"
        );
        if skipped.contains(&name) {
            left_out += 1;
            continue;
        }
        assert_eq!(
            ours(one),
            jail(stream, name, one["actions"].as_array().unwrap()),
            "{name}\n{case}"
        );
        whole += 1;
    }
    (whole, left_out, 0)
}

#[test]
fn jails_beside_fail2ban() {
    let temp = tempfile::tempdir().unwrap();
    let mut cases = vec![];
    for (index, (main, part, local, last)) in some(1_500, (file(), file(), file(), file())).into_iter().enumerate() {
        let at = temp.path().join(index.to_string());
        // What the first file says of [DEFAULT] stands in a file of its own.
        let files = [
            ("jail.conf", JAILS.to_owned()),
            ("jail.d/1.conf", main),
            ("jail.d/2.conf", part),
            ("jail.local", local),
            ("jail.d/1.local", last),
        ];
        root(&at, &files);
        cases.push((at, files));
    }
    let folders: Vec<String> = cases
        .iter()
        .map(|(at, _)| format!("{}/etc/fail2ban\n", at.display()))
        .collect();
    let streams = ask(&folders.concat());
    assert_eq!(streams.len(), cases.len());
    let (mut whole, mut left_out, mut refused) = (0, 0, 0);
    for ((at, files), stream) in cases.iter().zip(&streams) {
        let (jails, skipped, none) = compare(files, at, stream);
        (whole, left_out, refused) = (whole + jails, left_out + skipped, refused + none);
    }
    println!("{whole} jails, {left_out} left out, {refused} refused");
    assert!(whole > 300 && left_out > 50 && refused > 100 && refused < 1_000);
}

/// The jails that the package brings, as the client prints them.
#[test]
fn the_packages_jails_beside_the_client() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    fs::create_dir(at.join("etc")).unwrap();
    let to = at.join("etc/fail2ban");
    authority("coreutils", "cp", &["-r", "/etc/fail2ban", to.to_str().unwrap()], b"");
    let text = fs::read_to_string(to.join("jail.conf")).unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'))
        .filter(|name| !matches!(*name, "INCLUDES" | "DEFAULT"))
        .collect();
    // All of them, but those that want something more than their name.
    let all: String = names.iter().map(|name| format!("[{name}]\nenabled = true\n")).collect();
    put(at, "etc/fail2ban/jail.local", &all);
    let output = authority("fail2ban", "fail2ban-client", &["-c", to.to_str().unwrap(), "-d"], b"");
    let dump = at.join("dump");
    fs::write(&dump, &output.stdout).unwrap();
    let stream = ask(&format!("-{}\n", dump.display())).remove(0);
    let (whole, left_out, _) = compare(&[], at, &stream);
    println!("{whole} jails, {left_out} left out");
    assert!(whole > 60);
}

#[test]
fn times_beside_fail2ban() {
    let number = "(0|[1-9][0-9]{0,2}|[0-9]\\.[0-9])";
    let unit = select(vec![
        "", "s", "ss", "sec", "seconds", "m", "mi", "min", "minutes", "h", "hou", "hours", "d", "da", "days", "w",
        "week", "mo", "mon", "months", "y", "yea", "Years", "mins", "q", " m", "  days",
    ]);
    let part = (number, unit).prop_map(|(number, unit)| format!("{number}{unit}"));
    let glue = select(vec!["", " ", "+", "-", " + ", "*", "  "]);
    let text = (select(vec!["", "", "-", " "]), vec((part, glue), 1..4)).prop_map(|(sign, parts)| {
        let text: String = parts.into_iter().map(|(part, glue)| format!("{part}{glue}")).collect();
        format!("{sign}{}", text.trim_end_matches(['+', '-', '*', ' ']))
    });
    let texts = some(3_000, text);
    let lines: String = texts.iter().map(|text| format!("={text}\n")).collect();
    let answers = ask(&lines);
    // The probe's reckoning is seen through a jail.
    let temp = tempfile::tempdir().unwrap();
    let jails: String = texts
        .iter()
        .enumerate()
        .map(|(index, text)| format!("[{index:04}]\nenabled = true\nbantime = {text}\n"))
        .collect();
    let mut seen = vec![];
    for (index, part) in jails.split_inclusive("\n[").collect::<Vec<_>>().chunks(900).enumerate() {
        let at = temp.path().join(index.to_string());
        let text = part.concat();
        let text = text.trim_end_matches('[');
        let text = if text.starts_with('[') {
            text.to_owned()
        } else {
            format!("[{text}")
        };
        put(&at, "etc/fail2ban/jail.conf", &text);
        let fail2ban = facts_of("intrusion-prevention", &Machine::folder(&at))["fail2ban"].clone();
        let jails = fail2ban["value"]["jails"]
            .as_array()
            .unwrap_or_else(|| panic!("{fail2ban}"))
            .clone();
        seen.extend(jails.into_iter().map(|jail| jail["bantime"].clone()));
    }
    assert_eq!(seen.len(), texts.len());
    let mut reckoned = 0;
    for ((text, answer), seen) in texts.iter().zip(&answers).zip(&seen) {
        let value = seen.get("value").cloned().unwrap_or(Value::Null);
        // What JSON cannot hold exactly is not told.
        let answer = answer.as_i64().filter(|seconds| seconds.abs() < 9_000_000_000_000_000);
        assert_eq!(value, json!(answer), "{text:?} {seen}");
        reckoned += usize::from(answer.is_some());
    }
    println!("{reckoned} of {} times", texts.len());
    assert!(reckoned > 1_000);
}

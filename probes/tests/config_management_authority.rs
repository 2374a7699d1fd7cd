//! Puppet's settings and summaries of runs beside Puppet itself, on this machine.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use serde_json::{Value, json};

fn puppet(machine: &Machine) -> Value {
    let probes = probes::registry::all();
    let probe = probes
        .iter()
        .find(|probe| probe.spec.id == "config-management")
        .unwrap();
    let document = probe.collect(machine).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    let agents = facts["agents"].as_array().unwrap();
    let agent = agents.iter().find(|agent| agent["name"] == "puppet");
    agent.expect("puppet is there").clone()
}

fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Runs `puppet config print` over each file: Puppet is loaded once and forks, since loading it takes a second.
const PRINT: &str = r"
require 'puppet'
require 'puppet/util/command_line'
ARGV.each do |file|
  puts '== ' + file
  STDOUT.flush
  Process.wait(fork do
    STDERR.reopen(STDOUT)
    args = %w[config print server server_list noop --color false --section agent --config] + [file]
    Puppet::Util::CommandLine.new('puppet', args).execute
  end)
end
";

/// Puppet takes them.
const TAKEN: &[&str] = &[
    "",
    "[main]\nserver = a.example\n[agent]\nserver = b.example\nnoop = true\n",
    "[main]\nserver = a.example\nnoop = true\n",
    "[agent]\nnoop = false\n[main]\nnoop = true\n",
    "server = top.example\n[agent]\nnoop=true\n",
    "server = top.example\n[main]\nserver = m\n",
    "[agent]\nserver = a\nserver = b\n",
    "[agent]\nserver = a\n[main]\nserver = b\nnoop = true\n[agent]\nserver = c\nnoop = false\n",
    "[agent]\nserver = a.example # no comment\n",
    "[agent]\nserver = \"a.example\"\n",
    "[agent]\nserver = 'a.example'\n",
    "[agent]\nserver = \"a\" b\n",
    "[agent]\nserver = 'a\"\n",
    "[agent]\nserver = a=b\n",
    "[agent]\nserver = a b\n",
    "[agent]\n  server=a.example\n\tnoop = true\n",
    "[agent] \nserver = q\n",
    "[agent]\r\nserver = crlf\r\n",
    "[agent]\nserver=a\n # x\n\n[agent]\n",
    "[agent]\nnoop = TRUE\n",
    "[main]\nnoop = false\n[agent]\nnoop = \"true\"\n",
    "[server]\nserver = m\n[master]\nserver = n\n[user]\nserver = u\nnoop = true\n",
    "[agent]\nSERVER = a\n",
    "[agent]\nserver_list = a:8140,b\nserver = c\n",
    "[agent]\nserver_list = a\n[main]\nserver = c\n",
    "[main]\nserver_list = a\n[agent]\nserver = c\n",
    "[agent]\nserver_list =\nserver = c\n",
    "[main]\nssldir = /var/lib/puppet/ssl\ncertname = x\n\n[master]\nvardir = /x\n",
];

/// Puppet says that it cannot parse the file, or a value.
const REFUSED: &[&str] = &[
    "[agent]\nserver = a\n; comment\n",
    "[ agent ]\nserver = a\n",
    "[AGENT]\nserver = a\n",
    "[production]\nserver = a\n",
    "[agent]\nserver: a\n",
    "[agent]\nnoop\nserver = a\n",
    "[agent]\nser ver = a\n",
    "[agent]\nserver-x = a\n",
    "[agent]\nserver = a\\\n b\n",
    "\u{feff}[agent]\nserver = a\n",
    "[agent\nserver = a\n",
    "[agent]\n= a\n",
];

type Printed = BTreeMap<String, String>;

/// What Puppet prints of each.
fn config_print(cases: &[&str]) -> Vec<(Printed, String)> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<String> = (0..cases.len())
        .map(|number| folder.path().join(format!("{number:03}.conf")).display().to_string())
        .collect();
    for (file, text) in files.iter().zip(cases) {
        fs::write(file, text).unwrap();
    }
    let mut args = vec!["-e", PRINT];
    args.extend(files.iter().map(String::as_str));
    let output = authority("puppet-agent", "/usr/bin/ruby", &args, b"");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let parts = said.split("== ").skip(1).map(|part| {
        let settings = part.lines().filter_map(|line| line.split_once(" = "));
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (settings.collect(), part.to_owned())
    });
    parts.collect()
}

fn host(conf: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "usr/bin/puppet", "");
    write(root.path(), "etc/puppet/puppet.conf", conf);
    root
}

#[test]
fn settings_as_puppet_prints_them() {
    let printed = config_print(TAKEN);
    assert_eq!(printed.len(), TAKEN.len());
    let mut wrong = String::new();
    for (text, (theirs, said)) in TAKEN.iter().zip(printed) {
        assert!(!said.contains("Error"), "{text}: {said}");
        let agent = puppet(&Machine::folder(host(text).path()));
        // Without a setting Puppet asks a host of the name `puppet`; the probe says that nothing is set.
        let ours = match agent["server"]["outcome"].as_str() {
            Some("absent") => "puppet",
            _ => agent["server"]["value"].as_str().unwrap(),
        };
        let server = Some(&theirs["server_list"])
            .filter(|list| !list.is_empty())
            .unwrap_or(&theirs["server"]);
        if ours != server || agent["only_reports"]["value"] != json!(theirs["noop"] == "true") {
            let _ = writeln!(wrong, "{text}\n  {agent}\n  {said}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn files_that_puppet_refuses() {
    let printed = config_print(REFUSED);
    assert_eq!(printed.len(), REFUSED.len());
    for (text, (theirs, said)) in REFUSED.iter().zip(printed) {
        assert!(said.contains("Could not parse"), "{text}: {said}");
        // It goes on as if nothing were set.
        assert_eq!(theirs["server"], "puppet", "{text}");
        let agent = puppet(&Machine::folder(host(text).path()));
        assert_eq!(agent["server"]["outcome"], "malformed", "{text}: {agent}");
        assert_eq!(agent["only_reports"]["outcome"], "malformed", "{text}: {agent}");
    }
}

#[test]
fn values_that_puppet_refuses_or_puts_in() {
    let cases = [
        "[agent]\nnoop = yes\n",
        "[agent]\nnoop = 1\n",
        "[main]\ncertname = x\nserver = $certname.example\n",
    ];
    let printed = config_print(&cases);
    for (text, (_, said)) in cases.iter().zip(&printed).take(2) {
        assert!(said.contains("Invalid value"), "{said}");
        let agent = puppet(&Machine::folder(host(text).path()));
        assert_eq!(agent["only_reports"]["outcome"], "malformed", "{text}");
    }
    assert_eq!(printed[2].0["server"], "x.example");
    let agent = puppet(&Machine::folder(host(cases[2]).path()));
    assert_eq!(agent["server"]["value"], "$certname.example");
}

/// Puppet really runs, over folders of its own, and writes its summary.
#[test]
fn runs_of_puppet() {
    for (failed, manifest) in [
        (0, "notify{'a':}"),
        (
            1,
            "exec{'/bin/false':} notify{'skipped': require => Exec['/bin/false']}",
        ),
        (
            2,
            "exec{'/bin/false':} exec{'/bin/sh -c \"exit 3\"':} exec{'/bin/true':}",
        ),
    ] {
        let root = host("");
        let folder = |name: &str| root.path().join(name).display().to_string();
        let (conf, data, public) = (folder("conf"), folder("data"), folder("var/cache/puppet/public"));
        fs::create_dir_all(root.path().join("var/cache/puppet")).unwrap();
        let args = [
            "apply",
            "--confdir",
            &conf,
            "--vardir",
            &data,
            "--publicdir",
            &public,
            "--detailed-exitcodes",
            "-e",
            manifest,
        ];
        let output = authority("puppet-agent", "/usr/bin/puppet", &args, b"");
        let status = output.status.code().unwrap();
        // 4 and 6: there were failures.
        assert_eq!(
            matches!(status, 4 | 6),
            failed > 0,
            "{status} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let summary = format!("{public}/last_run_summary.yaml");
        let read = "require 'yaml'; puts YAML.safe_load(File.read(ARGV[0]))['resources']['failed']";
        let by_ruby = authority("ruby", "/usr/bin/ruby", &["-e", read, &summary], b"");
        assert_eq!(String::from_utf8_lossy(&by_ruby.stdout).trim(), failed.to_string());
        let agent = puppet(&Machine::folder(root.path()));
        assert_eq!(agent["failed"]["value"], failed, "{agent}");
        let date = authority("coreutils", "/usr/bin/date", &["-u", "-r", &summary, "+%s"], b"");
        let seconds: i64 = String::from_utf8_lossy(&date.stdout).trim().parse().unwrap();
        assert_eq!(agent["last_run_day"]["value"], seconds - seconds.rem_euclid(86_400));
    }
}

/// Where Debian's Puppet writes and reads is where the probe looks.
#[test]
fn places_of_puppet_on_this_machine() {
    let args = ["config", "print", "lastrunfile", "config"];
    let output = authority("puppet-agent", "/usr/bin/puppet", &args, b"");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("lastrunfile = /var/cache/puppet/public/last_run_summary.yaml"),
        "{said}"
    );
    assert!(said.contains("config = /etc/puppet/puppet.conf"), "{said}");
    let agent = puppet(&Machine::this());
    assert_eq!(agent["found_at"], "/usr/bin/puppet");
    let listed = authority("dpkg", "/usr/bin/dpkg-query", &["-L", "puppet-agent"], b"");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let units = agent["units"]["value"].as_array().unwrap();
    let told: Vec<&str> = units.iter().map(|unit| unit["unit"].as_str().unwrap()).collect();
    let brought: Vec<&str> = listed
        .lines()
        .filter_map(|line| Some(line.split_once("lib/systemd/system/")?.1))
        .collect();
    assert_eq!(told, brought);
}

#[test]
fn runs_are_switched_off_and_on() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "usr/bin/puppet", "");
    let state = folder.path().join("var/cache/puppet");
    for (option, off) in [("--disable", true), ("--enable", false)] {
        let conf = folder.path().join("conf");
        let args = [
            "agent",
            option,
            "--vardir",
            state.to_str().unwrap(),
            "--confdir",
            conf.to_str().unwrap(),
        ];
        assert!(authority("puppet-agent", "puppet", &args, b"").status.success());
        assert_eq!(puppet(&Machine::folder(folder.path()))["switched_off"]["value"], off);
    }
}

/// Ansible itself, over a connection to this machine: the folder that it leaves tells the day of its run.
#[test]
fn a_run_of_ansible() {
    let root = tempfile::tempdir().unwrap();
    let traces = || {
        let facts = machine::facts_of("config-management", &Machine::folder(root.path()));
        facts["ansible"].as_array().unwrap().clone()
    };
    assert_eq!(traces(), [json!(null); 0]);
    for (home, places) in [
        ("root", vec!["/root/.ansible", "/root/.ansible/tmp"]),
        (
            "home/jane",
            vec!["/home/*/.ansible/tmp", "/root/.ansible", "/root/.ansible/tmp"],
        ),
    ] {
        let home = root.path().join(home);
        fs::create_dir_all(&home).unwrap();
        let run = std::process::Command::new("/usr/bin/ansible")
            .args([
                "-i",
                "localhost,",
                "-c",
                "local",
                "localhost",
                "-m",
                "command",
                "-a",
                "true",
            ])
            .env("HOME", &home)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("ansible; install it: apt-get install ansible-core");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        let told = traces();
        assert_eq!(
            told.iter()
                .map(|one| one["place"].as_str().unwrap())
                .collect::<Vec<_>>(),
            places
        );
        let day = authority("coreutils", "/usr/bin/date", &["-u", "-d", "today 00:00", "+%s"], b"");
        let day: i64 = String::from_utf8(day.stdout).unwrap().trim().parse().unwrap();
        for one in told {
            // The run may have been before midnight.
            let told = one["last_day"]["value"].as_i64().unwrap();
            assert!(told == day || told == day - 86_400, "{one}");
        }
    }
}

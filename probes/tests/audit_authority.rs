//! Rules as the probe reads them from files, beside what the kernel tells after auditctl loaded them. Needs root and a
//! kernel without audit rules; none stays loaded.

#![cfg(test)]

mod machine;

use std::fs;
use std::path::Path;

use machine::{Machine, authority};
use probes::Host;
use serde_json::Value;

const RULES: &str = "\
# In the forms of common baselines.
-w /etc/group -p wa -k identity
-w /etc/passwd -p wa -k identity
-w /etc/shadow -p wa -k identity
-w /etc/ -p rwxa
-w /etc/sudoers.d/ -p aw -k scope
-w /usr/bin/passwd
-a always,exit -F arch=b64 -S adjtimex,settimeofday -k time-change
-a always,exit -F arch=b32 -S adjtimex -S settimeofday -k time-change
-a exit,always -F arch=b64 -S clock_settime -F a0=0x0 -F key=time-change
-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=unset -k perm_mod
-a always,exit -F arch=b64 -S setxattr,lsetxattr -F auid>=1000 -F auid!=4294967295 -k perm_mod
-a always,exit -F arch=b64 -S creat,open,openat,truncate,ftruncate -F exit=-EACCES -F auid>=1000 -F auid!=-1 -k access
-a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k user_emulation
-a always,exit -F path=/usr/bin/passwd -F perm=x -F auid>=1000 -F auid!=unset -k privileged
-a always,exit -F dir=/var/log -F perm=wa
-a always,exit -F arch=b64 -S init_module,finit_module,delete_module -F auid>=1000 -F auid!=unset -k modules
-a never,exit -F arch=b64 -S unlink -F exe=/usr/bin/true
-a always,exclude -F msgtype=CWD
-a always,exit -F arch=b64 -S all -F auid=4242
";

fn facts(host: &dyn Host) -> Value {
    let probes = probes::registry::all();
    let probe = probes.iter().find(|probe| probe.spec.id == "audit").unwrap();
    let document = probe.collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn sorted(set: &Value) -> Vec<String> {
    let rules = set["value"]["rules"].as_array().unwrap_or_else(|| panic!("{set}"));
    let mut rules: Vec<String> = rules.iter().map(|rule| rule.as_str().unwrap().to_owned()).collect();
    rules.sort();
    rules
}

fn auditctl(args: &[&str]) -> String {
    let output = authority("auditd", "/usr/sbin/auditctl", args, b"");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    said
}

/// Takes the rules away again whatever happens.
struct Loaded;

impl Drop for Loaded {
    fn drop(&mut self) {
        let _ = authority("auditd", "/usr/sbin/auditctl", &["-D"], b"");
    }
}

#[test]
fn rules_in_files_and_in_the_kernel() {
    assert_eq!(
        auditctl(&["-l"]).trim(),
        "No rules",
        "this test would take the host's own rules away"
    );
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("etc/audit/rules.d/a.rules");
    fs::create_dir_all(rules.parent().unwrap()).unwrap();
    fs::write(&rules, RULES).unwrap();
    let configured = facts(&Machine::folder(folder.path()))["configured"].clone();
    assert_eq!(configured["value"]["unparsed"], serde_json::json!([]));

    let loaded = Loaded;
    auditctl(&["-R", rules.to_str().unwrap()]);
    let now = facts(&Machine::this());
    let told = auditctl(&["-l"]);
    assert_eq!(sorted(&now["loaded"]).len(), told.lines().count());
    assert_eq!(sorted(&configured), sorted(&now["loaded"]), "\n{told}");
    assert_eq!(configured["value"]["watched"], now["loaded"]["value"]["watched"]);
    assert_eq!(configured["value"]["coverage"], now["loaded"]["value"]["coverage"]);

    let status = auditctl(&["-s"]);
    let limit = now["kernel"]["value"]["backlog_limit"].as_u64().unwrap();
    assert!(status.contains(&format!("backlog_limit {limit}\n")), "{status}");
    drop(loaded);
    assert_eq!(auditctl(&["-l"]).trim(), "No rules");
}

#[test]
fn files_are_read_in_the_order_of_augenrules() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("etc/audit/rules.d");
    fs::create_dir_all(&rules).unwrap();
    for name in [
        "9-a",
        "10-a",
        "10-b",
        "010-c",
        "99-finalize",
        "100-x",
        "30-stig",
        "31-privileged",
        "a1",
        "a10",
        "a9",
        "audit",
        "50-Z",
        "50-a",
    ] {
        fs::write(rules.join(format!("{name}.rules")), "").unwrap();
    }
    let output = authority("coreutils", "ls", &["-1v", rules.to_str().unwrap()], b"");
    let expected: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let facts = facts(&Machine::folder(folder.path()));
    let files = facts["configured"]["value"]["files"].as_array().unwrap().iter();
    let names: Vec<&str> = files
        .map(|path| Path::new(path.as_str().unwrap()).file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, expected);
}

//! Rules as the probe reads them from files, beside what the kernel tells after auditctl loaded them. Needs root and a
//! kernel without audit rules; none stays loaded.

#![cfg(test)]

mod machine;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use machine::{Machine, authority, put, some};
use probes::Host;
use proptest::prelude::*;
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
-a always,exit -F arch=x86_64 -S mount,umount2 -F auid>=1000 -F auid!=-1 -k mounts
-a always,exit -F arch=b64 -S execve -F euid=root -F auid!=0 -k root
-a always,exit -F arch=b64 -S openat -F a2&0100 -F exit=-13 -k created
-a always,exit -F arch=b64 -S clone -F a0&2114060288 -k container
-a always,exit -F arch=b64 -S write -F inode=12 -F devmajor=0x3
-a always,exit -S all -F dir=/etc/cron.d/ -F perm=wa -F filetype=file
-a always,exit -F arch=b64 -F path=/etc/gshadow -F perm=wa -F key=identity
-a always,filesystem -F fstype=tracefs -k x
-A exit,never -F arch=b64 -S adjtimex -F auid=unset -F uid=1
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

/// The kernel's rules, for one test alone. Takes them away again whatever happens.
struct Loaded(#[expect(dead_code, reason = "the lock holds while it is there")] File);

impl Loaded {
    fn lock() -> Self {
        let file = File::create(std::env::temp_dir().join("affiant-audit-rules.lock")).unwrap();
        file.lock().unwrap();
        Self(file)
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let _ = authority("auditd", "/usr/sbin/auditctl", &["-D"], b"");
    }
}

#[test]
fn rules_in_files_and_in_the_kernel() {
    let loaded = Loaded::lock();
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

    auditctl(&["-R", rules.to_str().unwrap()]);
    let now = facts(&Machine::this());
    let told = auditctl(&["-l"]);
    assert_eq!(sorted(&now["loaded"]).len(), told.lines().count());
    // The kernel tells one list after the other.
    let of_exit = |set: &Value| {
        let rules = set["value"]["rules"].as_array().unwrap().clone().into_iter();
        rules
            .filter(|rule| rule.as_str().unwrap().contains(",exit"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_exit(&now["loaded"]), of_exit(&configured));
    assert_eq!(sorted(&configured), sorted(&now["loaded"]), "\n{told}");
    for part in ["watched", "coverage", "keys", "without_key"] {
        assert_eq!(configured["value"][part], now["loaded"]["value"][part], "{part}");
    }

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

/// auditd, writing to a folder of the test's own.
struct Daemon {
    child: Child,
    log: std::path::PathBuf,
}

impl Daemon {
    fn start(folder: &Path) -> Self {
        let log = folder.join("log/audit.log");
        fs::create_dir_all(log.parent().unwrap()).unwrap();
        let plugins = folder.join("plugins.d");
        fs::create_dir_all(&plugins).unwrap();
        let conf = format!(
            "log_file = {}\nlog_group = root\nlog_format = RAW\nflush = NONE\nspace_left = 2\nadmin_space_left = 1\nplugin_dir = {}\n",
            log.display(),
            plugins.display()
        );
        put(folder, "auditd.conf", &conf);
        let child = Command::new("/usr/sbin/auditd")
            .args(["-n", "-c", folder.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { child, log };
        daemon.until(|log| log.contains("type=DAEMON_START"));
        auditctl(&["-e", "1"]);
        daemon
    }

    fn until(&self, is_there: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let log = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
            if is_there(&log) {
                return log;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "auditd wrote nothing of it");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = authority("auditd", "/usr/sbin/auditctl", &["-D"], b"");
        let _ = authority("auditd", "/usr/sbin/auditctl", &["-e", "0"], b"");
        let id = self.child.id().to_string();
        let _ = authority("procps", "/bin/kill", &[&id], b"");
        let _ = self.child.wait();
    }
}

/// What is done, by which program, and what the facts call it.
const DEEDS: [(&str, &str, &str, &str); 3] = [
    ("deletions", "unlinkat (b64)", "/bin/rm", "rm FILE"),
    ("permission_changes", "fchmodat (b64)", "/bin/chmod", "chmod 600 FILE"),
    (
        "network_configuration",
        "/etc/hosts",
        "/bin/dash",
        "dash -c ': >> /etc/hosts'",
    ),
];

const CHOICES: [&str; 14] = [
    "-a never,task",
    "-a task,never -F uid=4242",
    "-a always,exit -F arch=b64 -S unlinkat,fchmodat -k x",
    "-a always,exit -F arch=b64 -S unlinkat -k x",
    "-a always,exit -F arch=x86_64 -S fchmodat -k x",
    "-a always,exit -F arch=b32 -S unlinkat,fchmodat -k x",
    "-a never,exit -F arch=b64 -S unlinkat",
    "-a never,exit -F arch=b64 -S all",
    "-A never,exit -F arch=b64 -S fchmodat",
    "-a never,exit -F arch=b32 -S unlinkat",
    "-w /etc/hosts -p wa",
    "-w /etc/hosts -p r",
    "-a always,exit -F dir=/etc -F perm=wa",
    "-a never,exit -F path=/etc/hosts -F perm=wa",
];

#[test]
fn events_come_of_what_is_said_to_be_audited() {
    let _loaded = Loaded::lock();
    let folder = tempfile::tempdir().unwrap();
    // Copies, so that what others do on this machine is not taken for the test's.
    for (_, _, program, _) in DEEDS {
        fs::copy(program, folder.path().join(Path::new(program).file_name().unwrap())).unwrap();
    }
    let daemon = Daemon::start(folder.path());
    let sets = some(60, prop::sample::subsequence(CHOICES.to_vec(), 1..6).prop_shuffle());
    let mut audited = 0;
    for (number, set) in sets.into_iter().enumerate() {
        let text = set.join("\n") + "\n";
        put(folder.path(), "etc/audit/rules.d/a.rules", &text);
        auditctl(&["-D"]);
        auditctl(&["-R", folder.path().join("etc/audit/rules.d/a.rules").to_str().unwrap()]);
        let facts = facts(&Machine::folder(folder.path()));
        let before = fs::read(&daemon.log).unwrap().len();
        for (_, _, _, deed) in DEEDS {
            put(folder.path(), "file", "");
            let deed = deed.replace("FILE", folder.path().join("file").to_str().unwrap());
            let deed = format!("{}/{deed}", folder.path().display());
            assert!(
                authority("dash", "/bin/dash", &["-c", &deed], b"").status.success(),
                "{deed}"
            );
        }
        let end = format!("end-{number}-of-the-test");
        auditctl(&["-m", &end]);
        let log = daemon.until(|log| log.contains(&end));
        let events = log.get(before..).unwrap();
        for (area, what, program, _) in DEEDS {
            let name = Path::new(program).file_name().unwrap();
            let exe = format!("exe=\"{}\"", folder.path().join(name).display());
            let came = events
                .lines()
                .any(|line| line.starts_with("type=SYSCALL") && line.contains(&exe));
            let said = &facts["configured"]["value"]["coverage"][area]["audited"];
            let said = said.as_array().unwrap().iter().any(|one| one == what);
            assert_eq!(said, came, "{what} with\n{text}");
            audited += u32::from(came);
        }
    }
    assert!((30..150).contains(&audited), "{audited} of 180");
}

#[test]
fn files_as_augenrules_merges_them() {
    let script = fs::read_to_string("/usr/sbin/augenrules").unwrap_or_else(|error| panic!("auditd: {error}"));
    let piece = prop::sample::select(vec![
        "-w /a -p wa\n",
        "-w /b -p wa",
        "# c\n",
        "# c",
        "\n",
        "-D\n",
        "-e 2\n",
        "-f 2\n",
        "-a never,task",
        "-w /c -p r -k x\n",
    ]);
    let file = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    for texts in some(40, prop::collection::vec(file, 0..4)) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/audit/rules.d")).unwrap();
        put(folder.path(), "etc/audit/audit.rules", "-w /old -p wa\n");
        for (number, text) in texts.iter().enumerate() {
            put(folder.path(), &format!("etc/audit/rules.d/{number}.rules"), text);
        }
        let configured = facts(&Machine::folder(folder.path()))["configured"]["value"].clone();
        // The real one, on this folder.
        let here = script.replace("=/etc/audit", &format!("={}/etc/audit", folder.path().display()));
        put(folder.path(), "augenrules", &here);
        authority(
            "dash",
            "/bin/sh",
            &[folder.path().join("augenrules").to_str().unwrap()],
            b"",
        );
        // What it wrote, read as a file of its own.
        let merged = tempfile::tempdir().unwrap();
        fs::create_dir_all(merged.path().join("etc/audit")).unwrap();
        fs::copy(
            folder.path().join("etc/audit/audit.rules"),
            merged.path().join("etc/audit/audit.rules"),
        )
        .unwrap();
        let expected = facts(&Machine::folder(merged.path()))["configured"]["value"].clone();
        for part in ["rules", "enabled", "failure", "coverage"] {
            assert_eq!(configured[part], expected[part], "{part} of {texts:?}");
        }
    }
}

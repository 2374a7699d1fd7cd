use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const CONFIG: &str = include_str!("../../fixtures/audit/debian12-auditd.conf");
const STATUS: &str = include_str!("../../fixtures/audit/auditctl-s-3.0.9.txt");

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<AuditProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn host() -> Captured {
    Captured::default()
        .file("/usr/sbin/auditd", "")
        .file("/etc/audit/auditd.conf", CONFIG)
        .file("/proc/cmdline", "ro audit=0 quiet audit=1 audit_backlog_limit=8192\n")
        .file("/etc/audit/rules.d/10-base.rules", "-D\n-b 8192\n-f 2\n--loginuid-immutable\n")
        .file(
            "/etc/audit/rules.d/9-first.rules",
            "# c\n-w /etc/passwd -p wa -k identity\n",
        )
        .file(
            "/etc/audit/rules.d/30-a.rules",
            "-w /etc/shadow -p aw -k identity\n-w /etc/sudoers.d/ -p wa\n\
             -a always,exit -F arch=b64 -S adjtimex,settimeofday -k t\n-a exit,always -F arch=b32 -S adjtimex -S clock_settime -F key=t\n\
             -a always,exit -F arch=b64 -S open -F exit=-EACCES -F auid>=1000 -F auid!=-1\n\
             -a always,exit -F path=/usr/bin/passwd -F perm=x -F auid>=1000 -F auid!=unset -k p\n\
             -a never,exit -F arch=b64 -S unlink -F exe=/usr/bin/x\n",
        )
        .file("/etc/audit/rules.d/99-end.rules", "-e 2\n")
        .file("/etc/audit/plugins.d/au-remote.conf", "active = yes\n")
        .file("/etc/audit/plugins.d/syslog.conf", "active = no\n")
        .file("/etc/audit/audisp-remote.conf", "remote_server = log.example.org\n")
}

#[test]
fn configured_and_loaded() {
    let host = host().output("/usr/sbin/auditctl -s", 0, STATUS, "").output(
        "/usr/sbin/auditctl -l",
        0,
        "-w /etc/shadow -p wa -k identity\n-a always,exit -F arch=b64 -S adjtimex,settimeofday -F key=t\n\
             -a always,exit -F arch=b32 -S adjtimex,clock_settime -F key=t\n\
             -a always,exit -F arch=b64 -S open -F exit=-EACCES -F auid>=1000 -F auid!=-1\n\
             -a always,exit -S all -F path=/usr/bin/passwd -F perm=x -F auid>=1000 -F auid!=-1 -F key=p\n\
             -w /extra -p rwxa\n",
        "",
    );
    let facts = facts(&host);
    let configured = &facts["configured"]["value"];
    // 9- comes before 10-, and its rule stays although -D stands behind it.
    assert_eq!(configured["files"][0], "/etc/audit/rules.d/9-first.rules");
    assert_eq!(configured["enabled"], "locked");
    assert_eq!(configured["failure"], "panic");
    assert_eq!(configured["backlog_limit"], 8192);
    assert_eq!(configured["loginuid_immutable"], true);
    assert_eq!(configured["exclusions"], 1);
    assert_eq!(configured["keys"], json!({"identity": 2, "p": 1, "t": 2}));
    assert_eq!(configured["without_key"], 3);
    assert_eq!(configured["unparsed"], json!([]));
    assert_eq!(configured["watched"]["/etc/sudoers.d"], "wa");
    let coverage = &configured["coverage"];
    assert_eq!(coverage["identity"]["audited"], json!(["/etc/passwd", "/etc/shadow"]));
    assert_eq!(
        coverage["time_change"]["audited"],
        json!([
            "adjtimex (b64)",
            "adjtimex (b32)",
            "clock_settime (b32)",
            "settimeofday (b64)"
        ])
    );
    assert_eq!(coverage["denied_access"]["audited"], json!(["open (b64)"]));
    assert_eq!(coverage["deletions"]["audited"], json!([]));
    assert_eq!(
        coverage["administrators"],
        json!({"audited": ["/etc/sudoers.d"], "not_audited": ["/etc/sudoers"]})
    );
    assert_eq!(
        facts["configured_not_loaded"]["value"],
        json!([
            "-a always,exit -F path=/etc/passwd -F perm=wa",
            "-a always,exit -F path=/etc/sudoers.d -F perm=wa",
            "-a never,exit -F arch=b64 -F exe=/usr/bin/x -S unlink",
        ])
    );
    assert_eq!(
        facts["loaded_not_configured"]["value"],
        json!(["-a always,exit -F path=/extra -F perm=rwxa"])
    );
    assert_eq!(
        facts["kernel"]["value"],
        json!({
            "enabled": "off",
            "failure": "printk",
            "daemon_registered": false,
            "backlog_limit": 64,
            "rate_limit": 0,
            "lost_events": false,
            "loginuid_immutable": {"outcome": "observed", "value": false},
        })
    );
    assert_eq!(
        facts["command_line"]["value"],
        json!({"audit": "1", "audit_backlog_limit": 8192})
    );
    assert_eq!(
        facts["plugins"]["value"][0],
        json!({"name": "au-remote", "active": true})
    );
    assert_eq!(facts["remote_server"]["value"], "log.example.org");
    let daemon = &facts["daemon"]["value"];
    assert_eq!(daemon["settings"]["max_log_file_action"], "rotate");
    assert_eq!(daemon["log_file_mode"]["outcome"], "absent");
    assert_eq!(daemon["mail"], "root");
    let mail =
        |line: &str| self::facts(&self::host().file("/etc/audit/auditd.conf", line))["daemon"]["value"]["mail"].clone();
    assert_eq!(mail("action_mail_acct = somebody\n"), "other");
    assert_eq!(mail("action_mail_acct =\n"), "nobody");
}

#[test]
fn denied_is_said() {
    let host = host()
        .output(
            "/usr/sbin/auditctl -s",
            4,
            "",
            "You must be root to run this program.\n",
        )
        .output(
            "/usr/sbin/auditctl -l",
            1,
            "",
            "Error sending rule list data request (No buffer space)\n",
        );
    let facts = facts(&host);
    assert_eq!(facts["kernel"]["outcome"], "denied");
    assert_eq!(facts["loaded"]["outcome"], "failed");
    assert_eq!(facts["configured_not_loaded"]["outcome"], "failed");
    let closed = host.denied("/etc/audit/rules.d");
    assert_eq!(self::facts(&closed)["configured"]["outcome"], "denied");
}

#[test]
fn not_installed() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["installed"], false);
    for part in ["daemon", "loader", "kernel", "configured", "loaded", "plugins", "units"] {
        assert_eq!(facts[part]["outcome"], "absent", "{part}");
    }
}

fn with_unit(host: Captured, exec: &str) -> Captured {
    host.file("/usr/lib/systemd/system/auditd.service", format!("[Service]\n{exec}\n"))
        .file("/etc/audit/audit.rules", "-w /etc/group -p wa\n")
}

#[test]
fn the_unit_says_what_is_loaded() {
    let augenrules = facts(&with_unit(
        host(),
        "ExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules --load",
    ));
    assert_eq!(augenrules["loader"]["value"], json!({"by": "augenrules"}));
    assert_eq!(
        augenrules["configured"]["value"]["files"][0],
        "/etc/audit/rules.d/9-first.rules"
    );
    let auditctl = facts(&with_unit(
        host(),
        "ExecStartPost=-/sbin/augenrules --load\nExecStartPost=\nExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules",
    ));
    assert_eq!(
        auditctl["loader"]["value"],
        json!({"by": "auditctl", "file": "/etc/audit/audit.rules"})
    );
    assert_eq!(
        auditctl["configured"]["value"]["files"],
        json!(["/etc/audit/audit.rules"])
    );
    let nothing = facts(&with_unit(
        host(),
        "ExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules --check",
    ));
    assert_eq!(nothing["loader"]["value"], json!({"by": "nothing"}));
    assert_eq!(nothing["configured"]["outcome"], "absent");
    // augenrules empties the file where the folder has nothing for it.
    let empty = Captured::default().file("/etc/audit/rules.d/readme", "");
    let empty = facts(&with_unit(empty, "ExecStartPost=/sbin/augenrules --load"));
    assert_eq!(empty["configured"]["value"]["rules"], json!([]));
}

#[test]
fn files_without_a_last_line_end_are_joined() {
    let files = [
        ("/a".to_owned(), "-w /a -p wa\n# end".to_owned()),
        ("/b".to_owned(), "-w /b -p wa\n-w /c -p wa".to_owned()),
    ];
    assert_eq!(
        rules::parse(&files, true).rules,
        [
            "-a always,exit -F path=/a -F perm=wa",
            "-a always,exit -F path=/c -F perm=wa"
        ]
    );
}

fn audited(text: &str, area: &str) -> Vec<String> {
    let set = rules::parse(&[("/r".to_owned(), text.to_owned())], true);
    set.coverage[area].audited.clone()
}

#[test]
fn what_never_rules_take_away() {
    let deletions = "-a always,exit -F arch=x86_64 -S unlink,unlinkat,rename -k d\n-w /etc/audit -p wa\n";
    assert_eq!(audited(deletions, "deletions").len(), 3);
    assert_eq!(audited(&format!("{deletions}-a task,never\n"), "deletions").len(), 0);
    assert_eq!(
        audited(&format!("{deletions}-a task,never\n"), "audit_configuration").len(),
        0
    );
    assert_eq!(
        audited(&format!("{deletions}-a task,never -F uid=33\n"), "deletions").len(),
        3
    );
    let never = "-a never,exit -F arch=b64 -S unlink\n";
    assert_eq!(audited(&format!("{never}{deletions}"), "deletions").len(), 2);
    assert_eq!(audited(&format!("{deletions}{never}"), "deletions").len(), 3);
    assert_eq!(
        audited(&format!("{deletions}-A never,exit -S all\n"), "audit_configuration").len(),
        0
    );
    let spared = "-a never,exit -F path=/etc/audit -F perm=wa\n";
    assert_eq!(audited(&format!("{spared}{deletions}"), "audit_configuration").len(), 0);
}

#[test]
fn nothing_is_taken_after_the_lock() {
    let set = rules::parse(&[("/r".to_owned(), "-e 2\n-w /a -p wa\n".to_owned())], false);
    assert_eq!((set.rules.len(), set.unparsed), (0, vec!["/r:2".to_owned()]));
}

#[test]
fn what_is_not_understood_is_named() {
    let set = rules::parse(
        &[(
            "/r".to_owned(),
            "-w /a -p wa\n-q x,y\n-a nonsense\nhello\n-w\n".to_owned(),
        )],
        false,
    );
    assert_eq!(set.unparsed, ["/r:2", "/r:3", "/r:4", "/r:5"]);
    assert_eq!(set.rules.len(), 1);
}

proptest! {
    #[test]
    fn any_text_ends(text in "[-a-zF,=!>/ \n0-9]{0,300}") {
        let _ = rules::parse(&[(String::new(), text.clone())], false);
        let _ = state(&text);
        let _ = facts(&host().file("/etc/audit/auditd.conf", &text).output("/usr/sbin/auditctl -l", 0, &text, ""));
    }
}

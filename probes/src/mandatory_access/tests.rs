use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<MandatoryAccessProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn debian() -> Captured {
    Captured::default()
        .file(
            "/sys/kernel/security/lsm",
            "lockdown,capability,landlock,yama,apparmor,tomoyo,bpf",
        )
        .file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
        .file("/sys/module/apparmor/parameters/enabled", "Y\n")
        .file(
            "/sys/kernel/security/apparmor/profiles",
            "/usr/sbin/chronyd (enforce)\n/usr/bin/man (enforce)\nman_filter (complain)\na (b) (enforce)\n",
        )
        .link(
            "/etc/apparmor.d/disable/usr.sbin.rsyslogd",
            "/etc/apparmor.d/usr.sbin.rsyslogd",
        )
        .file("/etc/apparmor.d/usr.sbin.rsyslogd", "")
        .link("/etc/apparmor.d/disable/gone", "/etc/apparmor.d/gone")
        .file("/usr/lib/systemd/system/apparmor.service", "[Service]\nExecStart=/x\n")
        .file("/proc/sys/kernel/yama/ptrace_scope", "1\n")
        .file("/proc/cmdline", "ro quiet apparmor=1 security=apparmor\n")
}

#[test]
fn profiles_on_disk_beside_those_that_are_loaded() {
    let host = Captured::default()
        .file("/sys/module/apparmor/parameters/enabled", "Y\n")
        .file(
            "/sys/kernel/security/apparmor/profiles",
            "a (enforce)\nb (complain)\ndocker-default (enforce)\n",
        )
        .file(
            "/etc/apparmor.d/a",
            "profile a flags=(complain) { }\nprofile b flags=(complain) { }\n",
        )
        .file("/etc/apparmor.d/c", "profile c { }\nprofile @{x} { }\n")
        .file("/etc/apparmor.d/d", "profile d { }\n")
        .file("/etc/apparmor.d/broken", "profile e {\n")
        .link("/etc/apparmor.d/disable/d", "../d")
        .link("/etc/apparmor.d/force-complain/c", "../c");
    let on_disk = facts(&host)["apparmor_on_disk"]["value"].clone();
    assert_eq!(on_disk["profiles"], json!({"complain": ["@{x}", "a", "b", "c"]}));
    assert_eq!(on_disk["unparsed"], json!(["/etc/apparmor.d/broken"]));
    assert_eq!(on_disk["not_loaded"]["value"], json!(["c"]));
    assert_eq!(on_disk["loaded_in_other_mode"]["value"], json!(["a"]));
    assert_eq!(on_disk["loaded_alone"]["value"], json!(["docker-default"]));
    let closed = facts(&host.clone().denied("/sys/kernel/security/apparmor/profiles"));
    assert_eq!(closed["apparmor_on_disk"]["value"]["not_loaded"]["outcome"], "denied");
    assert_eq!(
        facts(&host.denied("/etc/apparmor.d/a"))["apparmor_on_disk"]["outcome"],
        "denied"
    );
}

#[test]
fn apparmor_runs() {
    let facts = facts(&debian());
    assert_eq!(facts["modules"]["value"][4], "apparmor");
    let apparmor = &facts["apparmor"]["value"];
    assert_eq!(apparmor["enabled"], true);
    assert_eq!(apparmor["counts"], json!({"complain": 1, "enforce": 3}));
    assert_eq!(
        apparmor["profiles"]["value"]["enforce"],
        json!(["/usr/bin/man", "/usr/sbin/chronyd", "a (b)"])
    );
    assert_eq!(facts["apparmor_disabled"]["value"], json!(["usr.sbin.rsyslogd"]));
    assert_eq!(facts["apparmor_at_boot"]["value"]["at_boot"], "not_pulled");
    assert_eq!(facts["lockdown"]["value"], "integrity");
    assert_eq!(facts["yama_ptrace_scope"]["value"], 1);
    assert_eq!(
        facts["command_line"]["value"],
        json!(["apparmor=1", "security=apparmor"])
    );
    assert_eq!(facts["selinux"]["outcome"], "absent");
    assert_eq!(facts["selinux_at_boot"]["outcome"], "absent");
}

#[test]
fn selinux_runs() {
    let host = Captured::default()
        .file("/sys/fs/selinux/enforce", "1")
        .file("/sys/fs/selinux/policyvers", "33")
        .file("/sys/fs/selinux/deny_unknown", "0")
        .file("/sys/fs/selinux/booleans/a", "1 1")
        .file("/sys/fs/selinux/booleans/b", "0 1")
        .file(
            "/etc/selinux/config",
            "# SELINUX=disabled\nSELINUX=x\nSELINUX=Enforcing \nSELINUX=disabled\nSELINUXTYPE=mls\nSELINUXTYPE=targeted\n",
        )
        .folder("/var/lib/selinux/targeted/active/modules/400/permissive_httpd_t")
        .folder("/var/lib/selinux/targeted/active/modules/100/base");
    let facts = facts(&host);
    let now = &facts["selinux"]["value"];
    assert_eq!(
        (&now["enforcing"], &now["policy_version"]["value"]),
        (&json!(true), &json!(33))
    );
    assert_eq!(now["booleans_on"]["value"], json!(["a"]));
    assert_eq!(now["deny_unknown"]["value"], false);
    let then = &facts["selinux_at_boot"]["value"];
    assert_eq!(
        (&then["mode"], &then["policy"]),
        (&json!("enforcing"), &json!("targeted"))
    );
    assert_eq!(then["permissive_domains"]["value"], json!(["httpd_t"]));
    assert_eq!(facts["apparmor"]["outcome"], "absent");
}

#[test]
fn denied_and_malformed() {
    let host = debian().denied("/sys/kernel/security/apparmor/profiles");
    let facts = facts(&host);
    assert_eq!(facts["apparmor"]["value"]["profiles"]["outcome"], "denied");
    assert_eq!(facts["apparmor"]["value"]["counts"], json!({}));
    let odd = debian().file("/sys/kernel/security/apparmor/profiles", "nonsense\n");
    assert_eq!(
        self::facts(&odd)["apparmor"]["value"]["profiles"]["outcome"],
        "malformed"
    );
    let odd = Captured::default().file("/sys/fs/selinux/enforce", "x");
    assert_eq!(self::facts(&odd)["selinux"]["outcome"], "malformed");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = facts(&debian().file("/sys/kernel/security/apparmor/profiles", &bytes).file("/etc/selinux/config", &bytes));
    }
}

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
fn processes_without_their_profile() {
    const POLICY: &str = "/sys/kernel/security/apparmor/policy/profiles";
    let loaded = |host: Captured, folder: &str, name: &str, attach: &str| {
        let name = format!("{name}\n");
        let host = host.file(&format!("{POLICY}/{folder}/name"), name.as_bytes());
        host.file(&format!("{POLICY}/{folder}/attach"), format!("{attach}\n").as_bytes())
    };
    let process = |host: Captured, number: &str, label: &str, program: &str, group: &str| {
        let host = host.file(&format!("/proc/{number}/attr/current"), label);
        let host = host.link(&format!("/proc/{number}/exe"), program);
        host.file(&format!("/proc/{number}/cgroup"), format!("0::{group}\n").as_bytes())
    };
    let host = loaded(debian(), "usr.sbin.chronyd.1", "/usr/sbin/chronyd", "/usr/sbin/chronyd");
    let host = loaded(host, "ping.2", "ping", "/{usr/,}bin/{,iputils-}ping");
    let host = loaded(host, "man.3", "/usr/bin/man*", "<unknown>");
    let host = loaded(host, "docker-default.4", "docker-default", "docker-default");
    let host = process(host, "1", "unconfined\n", "/usr/lib/systemd/systemd", "/init.scope");
    let host = process(
        host,
        "2",
        "/usr/sbin/chronyd (enforce)\n",
        "/usr/sbin/chronyd",
        "/system.slice/chrony.service",
    );
    let host = host.file("/proc/3/attr/current", "unconfined\n");
    assert_eq!(
        facts(&host)["apparmor"]["value"]["not_applied"]["value"],
        json!({"profiles": [], "not_looked_for": []})
    );
    let host = process(
        host,
        "4",
        "unconfined\n",
        "/bin/ping (deleted)",
        "/user.slice/user-7.slice/session-1.scope",
    );
    let host = process(
        host,
        "5",
        "unconfined\n",
        "/usr/sbin/chronyd",
        "/system.slice/docker-0123.scope",
    );
    let host = process(
        host,
        "6",
        "unconfined\n",
        "/usr/bin/mandb",
        "/system.slice/man-db.service",
    );
    let told = facts(&host);
    assert_eq!(
        told["apparmor"]["value"]["not_applied"]["value"],
        json!({"profiles": ["/usr/bin/man*", "ping"], "not_looked_for": []})
    );
    let text = told.to_string();
    assert!(!text.contains("user-7"), "{text}");
    let told = facts(&host.clone().denied("/proc/6/exe"));
    assert_eq!(told["apparmor"]["value"]["not_applied"]["outcome"], "denied");
    // An older kernel: of names that are no paths files tell, if they can be understood.
    let host = loaded(host, "odd.5", "/usr/bin/{a", "<unknown>");
    let host = loaded(host, "db.6", "db", "<unknown>").file("/etc/apparmor.d/db", "profile db /usr/bin/mandb { }\n");
    let host = loaded(host, "var.7", "var", "<unknown>").file("/etc/apparmor.d/var", "profile var @{x}/mandb { }\n");
    let told = facts(&loaded(host, "lost.8", "lost", "<unknown>"));
    assert_eq!(
        told["apparmor"]["value"]["not_applied"]["value"],
        json!({"profiles": ["/usr/bin/man*", "db", "ping"], "not_looked_for": ["/usr/bin/{a", "lost", "var"]})
    );
    let none = facts(&debian())["apparmor"]["value"]["not_applied"].clone();
    assert_eq!(none["outcome"], "absent");
}

#[test]
fn services_without_a_domain() {
    let selinux = || Captured::default().file("/sys/fs/selinux/enforce", "1");
    let process = |host: Captured, number: &str, kind: &str, program: &str| {
        let label = format!("system_u:system_r:{kind}:s0\0");
        let host = host.file(&format!("/proc/{number}/attr/current"), label.as_bytes());
        host.link(&format!("/proc/{number}/exe"), program)
    };
    let told = |host: &Captured| facts(host)["selinux"]["value"]["services_without_domain"].clone();
    assert_eq!(told(&selinux())["outcome"], "absent");
    let host = process(selinux(), "1", "init_t", "/usr/lib/systemd/systemd");
    let host = process(host, "2", "unconfined_service_t", "/opt/agent/bin/agent");
    let host = process(host, "3", "unconfined_t", "/usr/bin/bash");
    assert_eq!(told(&host)["value"], json!(["/opt/agent/bin/agent"]));
    assert_eq!(told(&host.denied("/proc/2/exe"))["outcome"], "denied");
}

#[test]
fn switches_that_are_to_last() {
    let local = "/var/lib/selinux/targeted/active/booleans.local";
    let host = Captured::default()
        .file("/sys/fs/selinux/enforce", "1")
        .file("/sys/fs/selinux/booleans/a", "1 1")
        .file("/sys/fs/selinux/booleans/b", "0 0")
        .file("/sys/fs/selinux/booleans/c", "1 1")
        .file("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n");
    let then = |host: &Captured| facts(host)["selinux_at_boot"]["value"].clone();
    assert_eq!(then(&host)["booleans"]["outcome"], "absent");
    let set = then(
        &host
            .clone()
            .file(local, "# written by libsemanage\n\na=1\nb=1\nc = 0\n"),
    );
    assert_eq!(set["booleans"]["value"], json!({"a": true, "b": true, "c": false}));
    assert_eq!(set["booleans_otherwise_now"]["value"], json!(["b", "c"]));
    let odd = then(&host.clone().file(local, "a=on\n"));
    assert_eq!(odd["booleans"]["outcome"], "malformed");
    assert_eq!(odd["booleans_otherwise_now"]["outcome"], "malformed");
    assert_eq!(then(&host.denied(local))["booleans"]["outcome"], "denied");
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

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::reading::{Host as _, Stat, Unread};
use crate::registry::Registered;

const ASK: &str = "/usr/bin/systemctl list-units --state=active,failed --plain --no-legend --full --no-pager";

fn documents(host: &Captured) -> (Value, Value) {
    let mut documents = Registered::of::<ServicesProbe>().collect(host);
    let names = documents.remove(1).facts.unwrap();
    (documents.remove(0).facts.unwrap(), names)
}

fn host() -> Captured {
    Captured::default()
        .link("/lib", "usr/lib")
        .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
        .link("/usr/lib/systemd/system/default.target", "multi-user.target")
        .file(
            "/usr/lib/systemd/system/web.service",
            "[Service]\nExecStart=-/usr/sbin/web --password=secret\nUser=alice\nNoNewPrivileges=yes\nProtectSystem=full\n",
        )
        .file("/etc/systemd/system/web.service.d/a.conf", "[Service]\nProtectSystem=strict\n")
        .link("/etc/systemd/system/multi-user.target.wants/web.service", "/lib/systemd/system/web.service")
        .link("/etc/systemd/system/www.service", "/lib/systemd/system/web.service")
        .file("/usr/lib/systemd/system/other.service", "[Service]\nExecStart=/usr/bin/other\nDynamicUser=yes\nUser=x\n")
        .file("/usr/lib/systemd/system/idle.service", "[Service]\nExecStart=/usr/bin/idle\n")
        .file("/usr/lib/systemd/system/a.socket", "[Socket]\n")
        .link("/etc/systemd/system/ctrl-alt-del.target", "/dev/null")
        .link("/run/systemd/units/invocation:other.service", "0123")
        .output(
            ASK,
            0,
            "other.service loaded active running Other\na.socket loaded active listening A\nidle.service loaded failed failed Idle\n",
            "",
        )
}

#[test]
fn what_runs_and_what_starts() {
    let (facts, names) = documents(&host());
    let services = facts["services"].as_array().unwrap();
    assert_eq!(services.len(), 2);
    assert_eq!(
        services[1],
        json!({
            "unit": "web.service",
            "at_boot": "pulled",
            "active": {"outcome": "observed", "value": false},
            "changed_since_start": {"outcome": "absent",
                "detail": "/run/systemd/units/invocation:web.service is not there: web.service does not run"},
            "file": "/usr/lib/systemd/system/web.service",
            "settings": {"outcome": "observed", "value": {
                "runs_as": "user",
                "program": "/usr/sbin/web",
                "confinement": {"NoNewPrivileges": "yes", "ProtectSystem": "strict"},
            }},
        })
    );
    assert_eq!(services[0]["settings"]["value"]["runs_as"], "dynamic_user");
    assert_eq!(services[0]["at_boot"], "not_pulled");
    assert_eq!(facts["sockets"][0]["unit"], "a.socket");
    assert_eq!(facts["masked"], json!(["ctrl-alt-del.target"]));
    assert_eq!(facts["failed"]["value"], json!(["idle.service"]));
    assert_eq!(names["users"]["web.service"], "alice");
    assert!(!facts.to_string().contains("alice") && !facts.to_string().contains("secret"));
}

#[test]
fn settings_that_came_after_the_start() {
    const LINK: &str = "/run/systemd/units/invocation:other.service";
    const FILE: &str = "/usr/lib/systemd/system/other.service";
    let at = |host: Captured, path: &str, mtime, ctime| {
        let stat = host.stat(path, false).unwrap().unwrap();
        host.stat_of(path, Stat { mtime, ctime, ..stat })
    };
    let host = host()
        .file("/etc/systemd/system/other.service.d/a.conf", "")
        .file("/run/systemd/system/other.service.d/b.conf", "");
    let host = at(host, LINK, 1_000, 1_000);
    let host = at(
        at(host, FILE, 1_000, 1_000),
        "/run/systemd/system/other.service.d/b.conf",
        0,
        2_000,
    );
    let told = |host: &Captured| documents(host).0["services"][0]["changed_since_start"].clone();
    assert_eq!(told(&host)["value"], json!([]));
    // A time of content can be set to any other.
    let host = at(host, "/etc/systemd/system/other.service.d/a.conf", 0, 1_001);
    assert_eq!(
        told(&host)["value"],
        json!(["/etc/systemd/system/other.service.d/a.conf"])
    );
    let closed = Unread::Denied { place: LINK.to_owned() };
    assert_eq!(told(&host.refused(LINK, closed))["outcome"], "denied");
}

#[test]
fn values_that_systemd_does_not_take_leave_those_before() {
    for (line, program) in [
        ("-@\"/opt/a b/c\" x", "/opt/a b/c"),
        ("'-/opt/a b' x", "/opt/a b"),
        ("\"/opt/open x", "\"/opt/open"),
        ("+!!/bin/x", "/bin/x"),
        ("", ""),
    ] {
        assert_eq!(super::program(line), program, "{line}");
    }
    for (name, value, taken) in [
        ("PrivateTmp", "perhaps", false),
        ("PrivateTmp", "", false),
        ("PrivateTmp", "disconnected", true),
        ("NoNewPrivileges", "on", true),
        ("NoNewPrivileges", "strict", false),
        ("ProtectSystem", "strict", true),
        ("ProtectSystem", "much", false),
        ("ProtectHome", "read-only", true),
        ("ProtectProc", "yes", false),
        ("ProtectHostname", "private:x", true),
        ("SystemCallFilter", "", true),
    ] {
        assert_eq!(is_taken(name, value), taken, "{name}={value}");
    }
    let text = "[Service]\nExecStart=/bin/x\nProtectSystem=strict\nProtectSystem=much\nPrivateTmp=perhaps\n";
    let (facts, _) = documents(
        &host()
            .file("/usr/lib/systemd/system/web.service", text)
            .file("/etc/systemd/system/web.service.d/a.conf", ""),
    );
    assert_eq!(
        facts["services"][1]["settings"]["value"]["confinement"],
        json!({"ProtectSystem": "strict"})
    );
}

#[test]
fn over_a_folder_and_without_systemd() {
    let (facts, _) = documents(&host().output(ASK, 1, "", "Failed to connect to bus: Host is down\n"));
    assert_eq!(facts["failed"]["outcome"], "failed");
    assert_eq!(facts["services"].as_array().unwrap().len(), 2);
    let none = Registered::of::<ServicesProbe>()
        .collect(&Captured::default())
        .remove(0);
    assert_eq!(none.outcome, evidence::facts::Outcome::Absent);
    // What starts with the machine is not known then.
    let denied = host().denied("/etc/systemd/system/web.service.d/a.conf");
    let denied = Registered::of::<ServicesProbe>().collect(&denied).remove(0);
    assert_eq!(denied.outcome, evidence::facts::Outcome::Denied);
}

proptest! {
    #[test]
    fn any_text_ends(text in "[\\PC\n=\\[\\]]{0,200}") {
        let _ = Registered::of::<ServicesProbe>().collect(&host().file("/usr/lib/systemd/system/web.service", text));
    }
}

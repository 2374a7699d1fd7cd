use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const MAPS: &str = "\
5581ab000000-5581ab0c0000 r-xp 0000c000 fe:01 1234                       /usr/sbin/sshd (deleted)
7f12ab000000-7f12ab0c0000 r--p 00000000 fe:01 1235                       /usr/lib/x86_64-linux-gnu/libz.so.1.2.13 (deleted)
7f12ac000000-7f12ac0c0000 r-xp 0000c000 fe:01 1236                       /usr/lib/x86_64-linux-gnu/libcrypto.so.3 (deleted)
7f12ad000000-7f12ad0c0000 r-xp 0000c000 fe:01 1237                       /usr/lib/x86_64-linux-gnu/libc.so.6
7f12ae000000-7f12ae001000 rwxp 00000000 00:01 2048                       /memfd:doublemapper (deleted)
7f12af000000-7f12af001000 r-xp 00000000 00:01 2049                       /tmp/x y (deleted)
7f12b0000000-7f12b0001000 r-xp 00000000 00:00 0                          [vdso]
";

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<StaleProcessesProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn host() -> Captured {
    Captured::default()
        .file(
            "/proc/1/maps",
            "7f12ad000000-7f12ad0c0000 r-xp 0000c000 fe:01 1237 /usr/lib/systemd/systemd\n",
        )
        .file("/proc/2/maps", "")
        .file("/proc/712/maps", MAPS)
        .link("/proc/712/exe", "/usr/sbin/sshd (deleted)")
        .file("/proc/712/cgroup", "0::/system.slice/ssh.service\n")
        .file("/proc/900/maps", MAPS)
        .link("/proc/900/exe", "/usr/bin/bash")
        .file(
            "/proc/900/cgroup",
            "12:pids:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-7.scope\n",
        )
        .file("/proc/901/maps", MAPS)
        .file("/proc/901/cgroup", "0::/system.slice/docker-0123.scope\n")
        .file("/proc/meminfo", "x")
        .file(
            "/var/lib/dpkg/info/libssl3:amd64.list",
            "/.\n/usr/lib/x86_64-linux-gnu/libcrypto.so.3\n",
        )
        .file("/var/lib/dpkg/info/openssh-server.list", "/usr/sbin/sshd\n")
        .file(
            "/var/lib/dpkg/info/zlib1g:amd64.list",
            "/lib/x86_64-linux-gnu/libz.so.1.2.13\n",
        )
}

#[test]
fn replaced_code_and_who_runs_it() {
    let files = json!(["/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/sbin/sshd"]);
    assert_eq!(
        facts(&host()),
        json!({
            "units": [
                {"unit": "session-*.scope", "files": files, "program": false},
                {"unit": "ssh.service", "files": files, "program": true},
            ],
            "packages": {"outcome": "observed", "value": ["libssl3", "openssh-server"]},
            "covered": "all",
            "unread": [],
            "containers": true,
        })
    );
}

#[test]
fn denied_is_not_none() {
    let some = facts(&host().denied("/proc/712/maps"));
    assert_eq!(some["covered"], "some");
    assert_eq!(some["unread"], json!(["/proc/PID/maps: permission denied"]));
    let none = facts(&Captured::default().denied("/proc/1/maps"));
    assert_eq!((&none["covered"], &none["units"]), (&json!("none"), &json!([])));
    let document = Registered::of::<StaleProcessesProbe>()
        .collect(&Captured::default())
        .remove(0);
    assert_eq!(document.outcome, Outcome::Absent);
}

#[test]
fn no_process_is_named() {
    let documents = Registered::of::<StaleProcessesProbe>().collect(&host().denied("/proc/712/maps"));
    let text = serde_json::to_string(&documents).unwrap();
    assert!(!text.contains("712") && !text.contains("900"), "{text}");
}

#[test]
fn a_process_that_ends_is_none() {
    let unread = Unread::Failed {
        place: "/proc/712/maps".into(),
        reason: "No such process (os error 3)".into(),
    };
    assert_eq!(facts(&host().refused("/proc/712/maps", unread))["covered"], "all");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = facts(&host().file("/proc/1/maps", &bytes).file("/proc/712/cgroup", &bytes));
    }
}

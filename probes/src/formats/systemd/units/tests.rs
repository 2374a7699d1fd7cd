use evidence::facts::Outcome;

use super::*;
use crate::probe::NotKnown;
use crate::reading::captured::Captured;
use crate::reading::testing;

fn units(host: &Captured) -> Units {
    Units::read(&testing(host)).unwrap().unwrap()
}

fn host() -> Captured {
    Captured::default()
        .link("/lib", "usr/lib")
        .file(
            "/usr/lib/systemd/system/multi-user.target",
            "[Unit]\nRequires=basic.target\n",
        )
        .file(
            "/usr/lib/systemd/system/basic.target",
            "[Unit]\nnonsense\nWants=sockets.target \\\n timers.target\n",
        )
        .link("/usr/lib/systemd/system/default.target", "multi-user.target")
        .file(
            "/usr/lib/systemd/system/a.service",
            "[Service]\nUser=a\n[Install]\nWantedBy=multi-user.target\n",
        )
        .file("/usr/lib/systemd/system/b.service", "[Service]\n")
        .file("/usr/lib/systemd/system/t@.service", "[Service]\n")
        .link(
            "/etc/systemd/system/multi-user.target.wants/a.service",
            "/lib/systemd/system/a.service",
        )
        .link(
            "/etc/systemd/system/multi-user.target.wants/t@1.service",
            "/lib/systemd/system/t@.service",
        )
        .link("/etc/systemd/system/b.service", "/dev/null")
}

#[test]
fn bytes_and_sizes_that_systemd_takes() {
    let host = host()
        .file(
            "/usr/lib/systemd/system/a.service",
            b"[Unit]\n# \xe4\nWants=b2.service c.service\n",
        )
        .file("/usr/lib/systemd/system/b2.service", "[Unit]\nWants=d.service\n[Bad\n")
        .file(
            "/usr/lib/systemd/system/c.service",
            format!("{}[Unit]\nWants=e.service\n", "# padding\n".repeat(10_000)),
        )
        .file("/usr/lib/systemd/system/d.service", "")
        .file("/usr/lib/systemd/system/e.service", "")
        .file(
            "/etc/systemd/system/e.service.d/x.conf",
            "[Service]\nUser=a\n[Bad\nUser=b\n",
        );
    let units = units(&host);
    let at_boot = |unit: &str| units.state(unit).unwrap().at_boot;
    assert_eq!(at_boot("e.service"), AtBoot::Pulled);
    // Its file is not taken, so that it pulls nothing in.
    assert_eq!(at_boot("d.service"), AtBoot::NotPulled);
    let reading = testing(&host);
    assert!(matches!(
        units.assignments(&reading, "b2.service"),
        Err(Unread::Malformed { .. })
    ));
    assert_eq!(units.assignments(&reading, "e.service").unwrap().unwrap().len(), 1);
}

#[test]
fn at_boot_and_now() {
    let running = host().link("/run/systemd/units/invocation:a.service", "0123");
    let units = units(&running);
    let a = units.state("a.service").unwrap();
    assert_eq!((a.at_boot, a.active), (AtBoot::Pulled, Known::Observed(true)));
    let b = units.state("b.service").unwrap();
    assert_eq!((b.at_boot, b.active), (AtBoot::Masked, Known::Observed(false)));
    assert_eq!(units.state("t@1.service").unwrap().at_boot, AtBoot::Pulled);
    assert_eq!(units.state("t@2.service").unwrap().at_boot, AtBoot::NotPulled);
    assert_eq!(units.state("c.service"), None);
}

#[test]
fn without_a_running_systemd_nothing_is_said_about_now() {
    let state = units(&host()).state("a.service").unwrap();
    assert!(matches!(
        state.active,
        Known::Not(NotKnown {
            outcome: Outcome::Absent,
            ..
        })
    ));
    let denied = host().denied("/run/systemd/units");
    let state = units(&denied).state("a.service").unwrap();
    assert!(matches!(
        state.active,
        Known::Not(NotKnown {
            outcome: Outcome::Denied,
            ..
        })
    ));
}

#[test]
fn no_systemd_is_none_and_denied_is_an_error() {
    assert!(Units::read(&testing(&Captured::default())).unwrap().is_none());
    let denied = host().denied("/etc/systemd/system");
    assert!(matches!(Units::read(&testing(&denied)), Err(Unread::Denied { .. })));
}

#[test]
fn assignments_come_with_drop_ins() {
    let host = host()
        .file("/etc/systemd/system/a.service.d/10.conf", "[Service]\nUser=b\n")
        .file("/usr/lib/systemd/system/a.service.d/10.conf", "[Service]\nUser=c\n");
    let reading = testing(&host);
    let units = Units::read(&reading).unwrap().unwrap();
    let assignments = units.assignments(&reading, "a.service").unwrap().unwrap();
    let users: Vec<_> = assignments
        .iter()
        .filter(|one| one.name == "User")
        .map(|one| one.value.as_str())
        .collect();
    assert_eq!(users, ["a", "b"]);
    assert!(units.assignments(&reading, "b.service").unwrap().is_none());
}

#[test]
fn pulled_through_units_and_aliases_and_not_from_elsewhere() {
    let host = host()
        .file("/usr/lib/systemd/system/sockets.target", "")
        .link("/usr/lib/systemd/system/sockets.target.wants/s.socket", "../s.socket")
        .file("/usr/lib/systemd/system/s.socket", "[Socket]\n")
        .file(
            "/usr/lib/systemd/system/real.service",
            "[Service]\nExecStart=/bin/true\n",
        )
        .link("/etc/systemd/system/alias.service", "/lib/systemd/system/real.service")
        .link(
            "/etc/systemd/system/default.target.wants/alias.service",
            "/lib/systemd/system/real.service",
        )
        .file(
            "/etc/systemd/system/a.service.d/more.conf",
            "[Unit]\nWants=by-drop-in.service t@%i.service\n",
        )
        .file(
            "/usr/lib/systemd/system/by-drop-in.service",
            "[Service]\nExecStart=/bin/true\n",
        )
        .file(
            "/usr/lib/systemd/system/bluetooth.service",
            "[Service]\nExecStart=/bin/true\n",
        )
        .link(
            "/etc/systemd/system/bluetooth.target.wants/bluetooth.service",
            "/lib/systemd/system/bluetooth.service",
        )
        .link("/run/systemd/units/invocation:real.service", "0123");
    let units = units(&host);
    for unit in [
        "s.socket",
        "real.service",
        "alias.service",
        "by-drop-in.service",
        "sockets.target",
    ] {
        assert_eq!(units.state(unit).unwrap().at_boot, AtBoot::Pulled, "{unit}");
    }
    assert_eq!(units.state("bluetooth.service").unwrap().at_boot, AtBoot::NotPulled);
    assert_eq!(units.state("alias.service").unwrap().active, Known::Observed(true));
    assert_eq!(units.canonical("alias.service"), "real.service");
}

#[test]
fn only_of_services_do_files_tell_whether_they_run() {
    let host = host()
        .link("/run/systemd/units/invocation:x.service", "0123")
        .file("/usr/lib/systemd/system/a.timer", "[Timer]\n")
        // Pulled in and without a program: no file tells.
        .file(
            "/usr/lib/systemd/system/a.service",
            "[Service]\nType=oneshot\nRemainAfterExit=yes\n",
        );
    let units = units(&host);
    let unsupported = |known: &Known<bool>| matches!(known, Known::Not(why) if why.outcome == Outcome::Unsupported);
    assert!(unsupported(&units.state("a.timer").unwrap().active));
    assert!(unsupported(&units.state("a.service").unwrap().active));
    assert_eq!(units.state("b.service").unwrap().active, Known::Observed(false));
}

#[test]
fn drop_ins_for_shorter_names() {
    let host = host()
        .file("/usr/lib/systemd/system/a-b-c.service", "[Service]\nUser=0\n")
        .file("/etc/systemd/system/a-.service.d/1.conf", "[Service]\nUser=1\n")
        .file("/etc/systemd/system/a-b-.service.d/2.conf", "[Service]\nUser=2\n")
        .file("/etc/systemd/system/service.d/3.conf", "[Service]\nUser=3\n")
        .file("/etc/systemd/system/service.d/4.conf", "[Service]\nUser=4\n")
        .link("/etc/systemd/system/a-b-c.service.d/4.conf", "/dev/null");
    let reading = testing(&host);
    let units = Units::read(&reading).unwrap().unwrap();
    let assignments = units.assignments(&reading, "a-b-c.service").unwrap().unwrap();
    let users: Vec<_> = assignments.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(users, ["0", "1", "2", "3"]);
}

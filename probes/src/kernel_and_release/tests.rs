use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const OS_RELEASE: &str = include_str!("../../fixtures/kernel-and-release/debian-12/os-release");
const TABLE: &str = "version,codename,series,created,release,eol,eol-lts,eol-elts\n\
    12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30\n";
const STATUS: &str = include_str!("../../fixtures/packages/status");

/// A Debian 12 machine with two kernels, of which the older runs.
fn machine() -> Captured {
    let package = |name: &str, version: &str| {
        format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
    };
    let status = STATUS.to_owned()
        + &package("linux-image-6.1.0-28-amd64", "6.1.119-1")
        + &package("linux-image-6.1.0-56-amd64", "6.1.192-2")
        + &package("linux-image-amd64", "6.1.192-2")
        + &package("unattended-upgrades", "2.9.1+nmu3")
        + &package("distro-info-data", "0.58+deb12u6");
    Captured::default()
        .file("/usr/lib/os-release", OS_RELEASE)
        .link("/etc/os-release", "../usr/lib/os-release")
        .file("/etc/debian_version", "12.15\n")
        .file("/usr/share/distro-info/debian.csv", TABLE)
        .file("/var/lib/dpkg/status", status)
        .file(RELEASE, "6.1.0-28-amd64\n")
        .file(
            "/proc/sys/kernel/version",
            "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)\n",
        )
        .file("/run/reboot-required", "")
        .file(
            "/run/reboot-required.pkgs",
            "linux-image-6.1.0-56-amd64\nlibc6\nlinux-image-6.1.0-56-amd64\n",
        )
}

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<KernelAndReleaseProbe>().collect(host);
    assert_eq!(documents[0].outcome, Outcome::Observed, "{}", documents[0].detail);
    documents[0].facts.clone().unwrap()
}

#[test]
fn a_machine_that_waits_for_a_reboot() {
    assert_eq!(
        facts(&machine()),
        json!({
            "distribution": {
                "id": "debian", "id_like": [], "version_id": "12", "codename": "bookworm",
                "name": "Debian GNU/Linux 12 (bookworm)", "point_release": "12.15",
            },
            "support": {"outcome": "observed", "value": {
                "series": "bookworm", "released": "2023-06-10T00:00:00Z", "standard_until": "2026-07-12T00:00:00Z",
                "long_term_until": "2028-07-01T00:00:00Z", "extended_until": "2033-07-01T00:00:00Z",
                "table_version": "0.58+deb12u6",
            }},
            "container": {"outcome": "observed", "value": ""},
            "kernel": {"outcome": "observed", "value": {
                "release": "6.1.0-28-amd64", "build": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
                "package_version": "6.1.119-1",
            }},
            "installed_kernels": {"outcome": "observed", "value": [
                {"package": "linux-image-6.1.0-28-amd64", "version": "6.1.119-1", "release": "6.1.0-28-amd64", "flavour": "amd64"},
                {"package": "linux-image-6.1.0-56-amd64", "version": "6.1.192-2", "release": "6.1.0-56-amd64", "flavour": "amd64"},
            ]},
            "standing": "older",
            "standing_reason": "6.1.119-1 runs, 6.1.192-2 is installed as linux-image-6.1.0-56-amd64",
            "reboot": {"outcome": "observed", "value": {
                "required": true,
                "by_packages": ["libc6", "linux-image-6.1.0-56-amd64"],
                "flag_written_by": ["unattended-upgrades"],
            }},
        })
    );
}

#[test]
fn a_container() {
    let container = facts(&machine().file("/run/systemd/container", "systemd-nspawn\n"));
    assert_eq!(container["container"]["value"], "systemd-nspawn");
    assert_eq!(container["standing"], "not_packaged");
    assert_eq!(
        facts(&machine().file("/.dockerenv", ""))["container"]["value"],
        "docker"
    );
}

#[test]
fn a_folder_is_no_running_system() {
    let host = Captured::default()
        .file("/etc/os-release", OS_RELEASE)
        .file("/var/lib/dpkg/status", STATUS);
    let facts = facts(&host);
    assert_eq!(facts["kernel"]["outcome"], "absent");
    assert_eq!(facts["reboot"]["outcome"], "absent");
    assert_eq!(facts["standing"], "unknown");
    assert_eq!(facts["support"]["outcome"], "absent");
    assert_eq!(facts["installed_kernels"], json!({"outcome": "observed", "value": []}));
}

#[test]
fn what_is_not_known_is_said() {
    let denied = facts(&machine().denied("/var/lib/dpkg/status"));
    assert_eq!(denied["installed_kernels"]["outcome"], "denied");
    assert_eq!(denied["reboot"]["outcome"], "denied");
    assert_eq!(denied["standing"], "unknown");

    let malformed = facts(&machine().file("/var/lib/dpkg/status", "Package: x\n"));
    assert_eq!(malformed["installed_kernels"]["outcome"], "malformed");
    assert_eq!(malformed["standing"], "unknown");

    let table = facts(&machine().file(
        "/usr/share/distro-info/debian.csv",
        "series,release,eol\nbookworm,x,y\n",
    ));
    assert_eq!(
        table["support"],
        json!({"outcome": "malformed", "detail": "/usr/share/distro-info/debian.csv:2: a cell is no date"})
    );

    let mark = facts(&machine().denied("/run/systemd/container"));
    assert_eq!(mark["container"]["outcome"], "denied");
    assert_eq!(mark["standing"], "unknown");
}

#[test]
fn other_distributions() {
    let fedora = facts(
        &Captured::default()
            .file("/etc/os-release", "ID=fedora\nVERSION_ID=42\n")
            .file("/usr/lib/sysimage/rpm/rpmdb.sqlite", "")
            .file(RELEASE, "6.14.0-63.fc42.x86_64\n"),
    );
    assert_eq!(fedora["distribution"]["id"], "fedora");
    assert_eq!(fedora["support"]["outcome"], "unsupported");
    assert_eq!(fedora["installed_kernels"]["outcome"], "unsupported");
    assert_eq!(fedora["standing"], "unknown");

    let document = Registered::of::<KernelAndReleaseProbe>()
        .collect(&Captured::default())
        .remove(0);
    assert_eq!(document.outcome, Outcome::Absent);
}

#[test]
fn ubuntu() {
    let host = Captured::default()
        .file(
            "/etc/os-release",
            "ID=ubuntu\nID_LIKE=debian\nVERSION=\"22.04.4 LTS (Jammy Jellyfish)\"\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n",
        )
        .file("/etc/debian_version", "bookworm/sid\n")
        .file("/var/lib/dpkg/status", STATUS);
    assert_eq!(facts(&host)["distribution"]["point_release"], "22.04.4");
}

proptest! {
    #[test]
    fn any_flag(text in "\\PC{0,40}") {
        asked_by(&text);
    }
}

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
                "series": "bookworm", "told_by": "distro_info", "rolling": false, "released": "2023-06-10T00:00:00Z", "standard_until": "2026-07-12T00:00:00Z",
                "long_term_until": "2028-07-01T00:00:00Z", "extended_until": "2033-07-01T00:00:00Z",
                "table_version": "0.58+deb12u6",
            }},
            "container": {"outcome": "observed", "value": ""},
            "kernel": {"outcome": "observed", "value": {
                "release": "6.1.0-28-amd64", "build": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
                "package_version": "6.1.119-1",
            }},
            "subscriptions": {
                "ubuntu_pro": {"outcome": "absent", "detail": "/var/lib/ubuntu-advantage is not there"},
                "red_hat": {"outcome": "absent", "detail": "/etc/rhsm/rhsm.conf is not there"},
                "suse": {"outcome": "absent", "detail": "/etc/zypp is not there"},
            },
            "live_patches": {"outcome": "absent",
                "detail": "/sys/kernel/livepatch is not there: this kernel takes no patches while it runs"},
            "installed_kernels": {"outcome": "observed", "value": [
                {"package": "linux-image-6.1.0-28-amd64", "version": "6.1.119-1", "release": "6.1.0-28-amd64", "flavour": "amd64"},
                {"package": "linux-image-6.1.0-56-amd64", "version": "6.1.192-2", "release": "6.1.0-56-amd64", "flavour": "amd64"},
            ]},
            "next_boot": {"outcome": "absent", "detail": "there are neither entries in /boot/loader/entries nor a menu of GRUB"},
            "standing": "older",
            "standing_reason": "6.1.119-1 runs, 6.1.192-2 is installed as linux-image-6.1.0-56-amd64",
            "reboot": {"outcome": "observed", "value": {
                "required": true,
                "by_packages": ["libc6", "linux-image-6.1.0-56-amd64"],
                "flag_written_by": ["unattended-upgrades"],
                "told_by": "flag",
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

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = vec![];
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut unpacked).unwrap();
    unpacked
}

/// A host with rpm: kernels 6.14.0-63 and 6.14.4-300, glibc installed at 1795700814.
fn fedora(started: u64) -> Captured {
    Captured::default()
        .file("/etc/os-release", "ID=fedora\nVERSION_ID=42\nSUPPORT_END=2026-05-13\n")
        .file(
            "/usr/lib/sysimage/rpm/rpmdb.sqlite",
            unpacked(include_bytes!("../../fixtures/packages/rpm/rpmdb.sqlite.gz")),
        )
        .file(
            "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
            unpacked(include_bytes!("../../fixtures/packages/rpm/rpmdb.sqlite-wal.gz")),
        )
        .file(RELEASE, "6.14.0-63.fc42.x86_64\n")
        .file("/proc/stat", format!("cpu 1 2\nbtime {started}\n"))
        .file(
            "/boot/loader/entries/x.conf",
            "title x\nversion 6.14.4-300.fc42.x86_64\n",
        )
}

#[test]
fn a_host_with_rpm() {
    let told = facts(&fedora(1_795_700_814));
    assert_eq!(
        told["support"]["value"],
        json!({"series": "42", "told_by": "os_release", "rolling": false, "standard_until": "2026-05-14T00:00:00Z", "table_version": ""})
    );
    assert_eq!(told["standing"], "older");
    assert_eq!(
        told["standing_reason"],
        "6.14.0-63.fc42 runs, 6.14.4-300.fc42 is installed as kernel-core"
    );
    assert_eq!(
        told["installed_kernels"]["value"][1]["release"],
        "6.14.4-300.fc42.x86_64"
    );
    assert_eq!(told["next_boot"]["value"]["release"], "6.14.4-300.fc42.x86_64");
    // One kernel was installed a second after the start, the rest with it or before.
    assert_eq!(
        told["reboot"]["value"],
        json!({"required": true, "by_packages": ["kernel-core"], "flag_written_by": ["rpm"], "told_by": "install_times"})
    );
    let before = facts(&fedora(1_795_700_800));
    assert_eq!(
        before["reboot"]["value"]["by_packages"],
        json!(["glibc", "kernel-core"])
    );
    let since = facts(&fedora(1_795_800_000));
    assert_eq!(since["reboot"]["value"]["required"], false);
    let flag = facts(&fedora(1_795_800_000).file("/run/reboot-needed", ""));
    assert_eq!(flag["reboot"]["value"]["required"], true);
    let no_time = facts(&fedora(0).file("/proc/stat", "cpu 1\n"));
    assert_eq!(no_time["reboot"]["outcome"], "malformed");
    let denied = facts(&fedora(0).denied("/boot/loader/entries/x.conf"));
    assert_eq!(denied["next_boot"]["outcome"], "denied");
}

#[test]
fn other_distributions() {
    let alpine = facts(
        &Captured::default()
            .file("/etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n")
            .file(
                "/lib/apk/db/installed",
                "P:linux-lts\nV:6.6.58-r0\nA:x86_64\no:linux-lts\n\nP:linux-headers\nV:6.6-r0\nA:x86_64\no:linux-headers\n\n\
                 P:linux-pam\nV:1.6.0-r0\nA:x86_64\no:linux-pam\n",
            )
            .file(RELEASE, "6.6.49-0-lts\n"),
    );
    assert_eq!(alpine["support"]["value"]["standard_until"], "2026-04-02T00:00:00Z");
    assert_eq!(alpine["support"]["value"]["told_by"], "built_in");
    assert_eq!(
        alpine["installed_kernels"]["value"],
        json!([{"package": "linux-lts", "version": "6.6.58-r0", "release": "6.6.58-0-lts", "flavour": "lts"}])
    );
    assert_eq!(alpine["standing"], "older");
    assert_eq!(alpine["reboot"]["value"]["flag_written_by"], json!([]));

    let desc = "%NAME%\nlinux\n\n%VERSION%\n6.9.1.arch1-1\n\n%ARCH%\nx86_64\n\n";
    let arch = facts(
        &Captured::default()
            .file("/etc/os-release", "ID=arch\n")
            .file("/var/lib/pacman/local/linux-6.9.1.arch1-1/desc", desc)
            .file("/usr/lib/modules/6.9.1-arch1-1/pkgbase", "linux\n")
            .folder("/usr/lib/modules/6.8.9-arch1-1")
            .file(RELEASE, "6.9.1-arch1-1\n"),
    );
    assert_eq!(arch["standing"], "newest");
    assert_eq!(arch["support"]["value"]["rolling"], true);

    let unknown = facts(
        &Captured::default()
            .file("/etc/os-release", "ID=gentoo\n")
            .folder("/var/db/pkg")
            .file(RELEASE, "6.14.0\n"),
    );
    assert_eq!(unknown["distribution"]["id"], "gentoo");
    assert_eq!(unknown["support"]["outcome"], "unsupported");
    assert_eq!(unknown["installed_kernels"]["outcome"], "unsupported");
    assert_eq!(unknown["standing"], "unknown");

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

#[test]
fn patches_to_the_running_kernel() {
    let patches = |host: &Captured| facts(host)["live_patches"].clone();
    let none = machine().folder("/sys/kernel/livepatch");
    assert_eq!(patches(&none)["value"], json!([]));
    let folder = "/sys/kernel/livepatch/kpatch_6_1_0_28";
    let one = none
        .folder(folder)
        .file(&format!("{folder}/enabled"), "1\n")
        .file(&format!("{folder}/transition"), "0\n");
    let expected = json!([{"name": "kpatch_6_1_0_28", "enabled": true, "in_transition": false}]);
    assert_eq!(patches(&one)["value"], expected);
    // The kernel stays the one that was booted.
    assert_eq!(facts(&one)["standing"], "older");
    assert_eq!(
        patches(&one.clone().file(&format!("{folder}/enabled"), "x"))["outcome"],
        "malformed"
    );
    assert_eq!(
        patches(&one.denied(&format!("{folder}/transition")))["outcome"],
        "denied"
    );
    assert_eq!(patches(&machine().denied("/sys/kernel/livepatch"))["outcome"], "denied");
}

mod subscriptions;

use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

// Six packages of `/var/lib/dpkg/status` in a Debian 12 container, after `dpkg --set-selections` (libssl3 hold), `dpkg
// --unpack` (less) and `dpkg -r` (nano).
const STATUS: &str = include_str!("../../fixtures/packages/status");
const OS_RELEASE: &str = include_str!("../../fixtures/kernel-and-release/debian-12/os-release");

fn debian() -> Captured {
    Captured::default().file("/etc/os-release", OS_RELEASE)
}

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<PackagesProbe>().collect(host);
    assert_eq!(documents[0].outcome, Outcome::Observed, "{}", documents[0].detail);
    documents[0].facts.clone().unwrap()
}

fn error(host: &Captured) -> (Outcome, String) {
    let document = Registered::of::<PackagesProbe>().collect(host).remove(0);
    assert_eq!(document.facts, None);
    (document.outcome, document.detail)
}

#[test]
fn a_database() {
    assert_eq!(
        facts(&debian().file(dpkg::STATUS, STATUS)),
        json!({
            "manager": "dpkg",
            "distribution": "debian",
            "architecture": "amd64",
            "packages": [
                {"name": "dpkg", "version": "1.21.23", "architecture": "amd64"},
                {"name": "less", "version": "590-2.1~deb12u2", "architecture": "amd64", "state": "unpacked"},
                {"name": "libssl3", "version": "3.0.20-1~deb12u2", "architecture": "amd64", "source": "openssl", "held": true},
                {"name": "libtinfo6", "version": "6.4-4", "architecture": "amd64", "source": "ncurses"},
                {"name": "login", "version": "1:4.13+dfsg1-1+deb12u2", "architecture": "amd64", "source": "shadow"},
            ],
            "installed": 4,
            "not_installed_fully": ["less:amd64"],
            "held": ["libssl3:amd64"],
            "config_files": 1,
            "unparsed": [],
            "complete": true,
        })
    );
}

#[test]
fn distroless() {
    let stanza = "Package: base-files\nArchitecture: amd64\nVersion: 12.4+deb12u8\n";
    let host = debian()
        .file("/var/lib/dpkg/status.d/base-files", stanza)
        .file("/var/lib/dpkg/status.d/base-files.md5sums", "0123  etc/issue\n");
    let facts = facts(&host);
    assert_eq!(facts["manager"], "dpkg_status_folder");
    assert_eq!(facts["architecture"], "amd64");
    assert_eq!(facts["installed"], 1);
    assert_eq!(facts["complete"], true);
}

#[test]
fn what_is_not_known_is_said() {
    let status = format!("{STATUS}\n\nPackage: broken\n");
    let broken = facts(&debian().file(dpkg::STATUS, status));
    assert_eq!(broken["complete"], false);
    assert_eq!(broken["unparsed"], json!(["/var/lib/dpkg/status:149: no Status field"]));
    assert_eq!(broken["packages"].as_array().unwrap().len(), 5);

    let at_work = facts(
        &debian()
            .file(dpkg::STATUS, STATUS)
            .file("/var/lib/dpkg/updates/0000", ""),
    );
    assert_eq!(at_work["complete"], false);

    let no_architecture = facts(&debian().file(dpkg::STATUS, STATUS.replace("Package: dpkg", "Package: dpkg2")));
    assert_eq!(no_architecture["complete"], false);
    assert_eq!(no_architecture["architecture"], "");
}

#[test]
fn absent_denied_unsupported() {
    assert_eq!(
        error(&debian()),
        (Outcome::Absent, "/var/lib/dpkg/status is not there".into())
    );
    assert_eq!(error(&debian().denied(dpkg::STATUS)).0, Outcome::Denied);
    let fedora = Captured::default()
        .file("/etc/os-release", "ID=fedora\n")
        .file("/usr/lib/sysimage/rpm/rpmdb.sqlite", "")
        .file(dpkg::STATUS, STATUS);
    assert_eq!(
        error(&fedora),
        (
            Outcome::Unsupported,
            "fedora keeps its packages in /usr/lib/sysimage/rpm, which this probe cannot read; it reads dpkg's database"
                .into()
        )
    );
    assert_eq!(error(&Captured::default()).0, Outcome::Unsupported);
    let malformed = Captured::default().file("/etc/os-release", "ID=\"debian\n");
    assert_eq!(
        error(&malformed),
        (
            Outcome::Malformed,
            "/etc/os-release:1: not an assignment in shell form".into()
        )
    );
}

#[test]
fn two_thousand_packages_fit() {
    let mut status = String::from(STATUS);
    for number in 0..2_000 {
        status += &format!(
            "\n\nPackage: libexample-package-{number}\nStatus: install ok installed\nArchitecture: amd64\n\
             Source: example-source\nVersion: 1:2.36-9+deb12u{number}"
        );
    }
    let length = serde_json::to_vec(&facts(&debian().file(dpkg::STATUS, status)))
        .unwrap()
        .len();
    assert!(length < 400_000, "{length}");
}

proptest! {
    #[test]
    fn any_database(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        Registered::of::<PackagesProbe>().collect(&debian().file(dpkg::STATUS, bytes));
    }
}

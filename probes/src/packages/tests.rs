use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::formats::dpkg;
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
    let gentoo = Captured::default()
        .file("/etc/os-release", "ID=gentoo\n")
        .folder("/var/db/pkg");
    assert_eq!(
        error(&gentoo),
        (
            Outcome::Unsupported,
            "gentoo keeps its packages in /var/db/pkg, which this probe cannot read; it reads dpkg's database".into()
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

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = vec![];
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut unpacked).unwrap();
    unpacked
}

#[test]
fn a_host_with_rpm() {
    let host = Captured::default()
        .file("/etc/os-release", "ID=fedora\n")
        // Installed as a tool, and not the distribution's.
        .file(dpkg::STATUS, STATUS)
        .file(
            "/usr/lib/sysimage/rpm/rpmdb.sqlite",
            unpacked(include_bytes!("../../fixtures/packages/rpm/rpmdb.sqlite.gz")),
        )
        .file(
            "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
            unpacked(include_bytes!("../../fixtures/packages/rpm/rpmdb.sqlite-wal.gz")),
        );
    let facts = facts(&host);
    assert_eq!(facts["manager"], "rpm");
    assert_eq!(facts["architecture"], "x86_64");
    assert_eq!((&facts["installed"], &facts["complete"]), (&json!(8), &json!(true)));
    assert_eq!(
        facts["packages"][3],
        json!({
            "name": "libsub", "version": "4-1", "architecture": "noarch", "source": "sub", "source_version": "3-1",
            "installed_at": "2026-11-26T13:46:54Z", "vendor": "Another", "signed_by": "f746656bfa51b231",
        })
    );
    let versions: Vec<_> = (1..3).map(|at| facts["packages"][at]["version"].clone()).collect();
    assert_eq!(versions, ["6.14.0-63.fc42", "6.14.4-300.fc42"]);
    assert_eq!(
        facts["vendors"],
        json!([
            {"vendor": "", "packages": 3},
            {"vendor": "Another", "packages": 2},
            {"vendor": "Example Project", "packages": 3},
        ])
    );
    assert_eq!(
        facts["signatures"],
        json!({
            "unsigned": ["many:noarch", "zero:noarch"],
            "unclear": [],
            "keys": [{"key_id": "f746656bfa51b231", "packages": 6}],
            "trusted_keys": ["f746656bfa51b231"],
        })
    );
}

#[test]
fn a_host_with_apk() {
    let database =
        "P:apk-tools\nV:2.14.4-r0\nA:x86_64\no:apk-tools\n\nP:libcrypto3\nV:3.3.0-r2\nA:x86_64\no:openssl\nf:s\n\n";
    let host = Captured::default()
        .file("/etc/os-release", "ID=alpine\n")
        .file("/lib/apk/db/installed", database);
    let told = facts(&host);
    assert_eq!(
        (&told["manager"], &told["architecture"]),
        (&json!("apk"), &json!("x86_64"))
    );
    assert_eq!(
        told["packages"][1],
        json!({"name": "libcrypto3", "version": "3.3.0-r2", "architecture": "x86_64", "source": "openssl"})
    );
    assert_eq!(told["not_installed_fully"], json!(["libcrypto3:x86_64"]));
    assert_eq!(told.get("signatures"), None);
    assert_eq!(
        facts(&host.file("/etc/apk/arch", "aarch64\n"))["architecture"],
        "aarch64"
    );
}

#[test]
fn a_host_with_pacman() {
    let desc = |name: &str, validation: &str| {
        format!(
            "%NAME%\n{name}\n\n%VERSION%\n1:6.1-3\n\n%ARCH%\nx86_64\n\n%INSTALLDATE%\n1716000000\n\n%VALIDATION%\n{validation}\n\n"
        )
    };
    let host = Captured::default()
        .file("/etc/os-release", "ID=arch\n")
        .file("/var/lib/pacman/local/ALPM_DB_VERSION", "9\n")
        .file("/var/lib/pacman/local/pacman-1:6.1-3/desc", desc("pacman", "pgp"))
        .file("/var/lib/pacman/local/own-1:6.1-3/desc", desc("own", "none"));
    let told = facts(&host);
    assert_eq!((&told["manager"], &told["installed"]), (&json!("pacman"), &json!(2)));
    assert_eq!(told["packages"][0]["installed_at"], "2024-05-18T02:40:00Z");
    assert_eq!(told["signatures"]["unsigned"], json!(["own:x86_64"]));
    let broken = facts(&host.file("/var/lib/pacman/local/half-1/files", ""));
    assert_eq!(
        broken["unparsed"],
        json!(["/var/lib/pacman/local/half-1/desc: not there, so its installation broke off"])
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

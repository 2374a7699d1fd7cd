use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::reading::{Kind, Stat};
use crate::registry::Registered;

// Six packages of a Debian 12 container, see `packages/tests.rs`: libssl3 is held.
const STATUS: &str = include_str!("../../fixtures/packages/status");
const OS_RELEASE: &str = include_str!("../../fixtures/kernel-and-release/debian-12/os-release");
const MAIN: &str = "/var/lib/apt/lists/deb.example.org_debian_dists_bookworm";
const SECURITY: &str = "/var/lib/apt/lists/security.example.org_dists_bookworm-security";

fn package(name: &str, version: &str, more: &str) -> String {
    format!("Package: {name}\nVersion: {version}\nArchitecture: amd64\n{more}\n")
}

fn release(label: &str, codename: &str, more: &str, list: &str) -> String {
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: {label}\nSuite: old{codename}\n\
         Codename: {codename}\nDate: Sun, 22 Nov 2026 19:58:56 UTC\n{more}Architectures: all amd64\n\
         No-Support-for-Architecture-all: Packages\nSHA256:\n 00 {} main/binary-amd64/Packages\n\
         -----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n",
        list.len()
    )
}

/// A host with two sources. `main` and `security`: their lists.
fn host(main: &str, security: &str) -> Captured {
    let valid = "Valid-Until: Sun, 29 Nov 2026 19:58:56 UTC\n";
    Captured::default()
        .file("/etc/os-release", OS_RELEASE)
        .file(dpkg::STATUS, STATUS)
        .file(
            "/etc/apt/sources.list",
            "deb http://deb.example.org/debian bookworm main\ndeb http://security.example.org bookworm-security main\n",
        )
        .file(&format!("{MAIN}_InRelease"), release("Debian", "bookworm", "", main))
        .file(&format!("{MAIN}_main_binary-amd64_Packages"), main)
        .file(
            &format!("{SECURITY}_InRelease"),
            release("Debian-Security", "bookworm-security", valid, security),
        )
        .file(&format!("{SECURITY}_main_binary-amd64_Packages"), security)
        .stat_of(
            "/var/lib/apt/lists/partial",
            Stat {
                kind: Kind::Folder,
                mode: 0o700,
                uid: 42,
                gid: 0,
                size: 0,
                mtime: 1_795_500_000,
                ctime: 1_795_500_000,
                device: (0, 0),
                inode: 0,
                attributes: crate::reading::Attributes::default(),
            },
        )
}

fn pending() -> Captured {
    let main = package("dpkg", "1.21.24", "") + &package("libtinfo6", "6.4-4", "") + &package("login", "1:4.12-1", "");
    let security =
        package("libssl3", "3.0.21-1~deb12u1", "Source: openssl\n") + &package("dpkg", "1.21.23+deb12u1", "");
    host(&main, &security)
}

fn facts(host: &Captured) -> Value {
    let documents = Registered::of::<PackageUpdatesProbe>().collect(host);
    assert_eq!(documents[0].outcome, Outcome::Observed, "{}", documents[0].detail);
    documents[0].facts.clone().unwrap()
}

/// The reasons for which `host` is not complete.
fn reasons(host: &Captured) -> Vec<String> {
    let facts = facts(host);
    assert_eq!(facts["complete"], facts["incomplete"].as_array().unwrap().is_empty());
    serde_json::from_value(facts["incomplete"].clone()).unwrap()
}

#[test]
fn pending_updates() {
    let facts = facts(&pending());
    assert_eq!(facts["incomplete"], json!([]));
    assert_eq!(facts["complete"], true);
    assert_eq!(
        facts["upgrades"],
        json!([
            // Newer than the security update that it contains.
            {"name": "dpkg", "architecture": "amd64", "installed": "1.21.23", "candidate": "1.21.24", "security": true,
             "origins": ["Debian bookworm main"], "held": false, "phased": 100},
            {"name": "libssl3", "architecture": "amd64", "installed": "3.0.20-1~deb12u2", "candidate": "3.0.21-1~deb12u1",
             "security": true, "origins": ["Debian-Security bookworm-security main"], "held": true, "phased": 100},
        ])
    );
    assert_eq!(facts["security_upgrades"], 2);
    assert_eq!(facts["withheld"], json!([]));
    assert_eq!(facts["downgrades"], json!([]));
    assert_eq!(
        facts["last_update"],
        json!({"outcome": "observed", "value": "2026-11-24T06:00:00Z"})
    );
    assert_eq!(facts["last_update_by"], "/var/lib/apt/lists/partial");
    assert_eq!(facts["security_source"], true);
    let source = &facts["sources"][1];
    assert_eq!(source["release"]["value"]["valid_until"], "2026-11-29T19:58:56Z");
    assert_eq!(
        (&source["signed"], &source["security"], &source["line"]),
        (&json!(true), &json!(true), &json!(2))
    );
    assert_eq!(
        source["lists"],
        json!([{"component": "main", "architecture": "amd64", "state": "observed", "priority": 500}])
    );
}

#[test]
fn preferences_that_keep_security_updates_away() {
    let pin = "Package: *\nPin: release l=Debian-Security\nPin-Priority: -1\n";
    let pinned = facts(&pending().file("/etc/apt/preferences.d/no-security", pin));
    assert_eq!(pinned["complete"], true);
    assert_eq!(pinned["security_upgrades"], 1);
    assert_eq!(
        pinned["withheld"],
        json!([{"name": "libssl3", "architecture": "amd64", "installed": "3.0.20-1~deb12u2",
                "newest": "3.0.21-1~deb12u1", "priority": -1, "security": true,
                "origins": ["Debian-Security bookworm-security main"]}])
    );
    assert_eq!(pinned["security_withheld"], 1);
    assert_eq!(pinned["pins"][0]["pin"], "release l=Debian-Security");

    let downgrade = "Package: login\nPin: version 1:4.12*\nPin-Priority: 1001\n";
    let downgraded = facts(&pending().file("/etc/apt/preferences", downgrade));
    assert_eq!(downgraded["downgrades"][0]["candidate"], "1:4.12-1");

    let release = "APT::Default-Release \"bookworm\";\n";
    let default = facts(&pending().file("/etc/apt/apt.conf.d/01release", release));
    assert_eq!(default["default_release"], "bookworm");
    assert_eq!(default["sources"][0]["lists"][0]["priority"], 990);
    assert_eq!(default["complete"], true);

    let nowhere = "APT::Default-Release \"trixie\";\n";
    assert_eq!(
        reasons(&pending().file("/etc/apt/apt.conf.d/01release", nowhere)),
        ["APT::Default-Release \"trixie\" is the release of no source, so apt refuses to work"]
    );
}

#[test]
fn phased_updates() {
    let main = package("dpkg", "1.21.24", "Phased-Update-Percentage: 30\n");
    assert_eq!(facts(&host(&main, &package("x", "1", "")))["upgrades"][0]["phased"], 30);
}

/// No updates are never the whole truth if something on the way to them was not seen.
#[test]
fn what_is_missing_is_said() {
    let plain = host(&package("dpkg", "1.21.23", ""), &package("dpkg", "1.21.23", ""));
    assert_eq!(facts(&plain)["upgrades"], json!([]));
    assert_eq!(reasons(&plain), [""; 0]);

    let without = Captured::default()
        .file("/etc/os-release", OS_RELEASE)
        .file(dpkg::STATUS, STATUS);
    assert_eq!(
        reasons(&without),
        ["/var/lib/apt/lists is not there", "no source of packages is configured"]
    );

    let list = format!("{SECURITY}_main_binary-amd64_Packages");
    for (changed, reason) in [
        (
            plain
                .clone()
                .file("/etc/apt/sources.list.d/x.list", "deb http://x.example.org/ ./\n"),
            "http://x.example.org/ ./: no list of packages in /var/lib/apt/lists".to_owned(),
        ),
        (
            plain.clone().file(
                "/etc/apt/sources.list.d/x.sources",
                "Types: deb\nURIs: cdrom:[x]/\nSuites: ./\n",
            ),
            "/etc/apt/sources.list.d/x.sources:1: not a URI whose lists can be found".to_owned(),
        ),
        (
            plain.clone().file("/etc/apt/sources.list.d/x.list", "deb http://x\n"),
            "/etc/apt/sources.list.d/x.list:1: no suite".to_owned(),
        ),
        (
            plain.clone().denied("/etc/apt/sources.list"),
            "/etc/apt/sources.list: permission denied".to_owned(),
        ),
        (plain.clone().denied(&list), format!("{list}: permission denied")),
        (
            plain.clone().file(&list, "<html>\n"),
            format!("{list}: a stanza without a package that begins \"<html>\""),
        ),
        (
            plain.clone().file(&list, package("dpkg", "1.21.2", "")),
            format!("{list}: it has 51 bytes, its release file says 52"),
        ),
        (
            plain.clone().file(&format!("{MAIN}_InRelease"), "<html>\n"),
            format!("{MAIN}_InRelease: a line is no field"),
        ),
        (
            plain.clone().file(
                "/etc/apt/preferences.d/x",
                "Package: *\nPin: suite y\nPin-Priority: 1\n",
            ),
            "/etc/apt/preferences.d/x:1: the pin is not understood".to_owned(),
        ),
        (
            plain
                .clone()
                .file("/etc/apt/apt.conf.d/x", "Dir::State \"/srv/apt\";\n"),
            "apt is configured with dir::state \"/srv/apt\", which this probe does not follow".to_owned(),
        ),
        (
            plain.clone().file("/etc/apt/apt.conf", "A \"b;\n"),
            "/etc/apt/apt.conf:1: not understood, so other settings of apt may be in force".to_owned(),
        ),
        (
            plain.clone().file(dpkg::STATUS, format!("{STATUS}\n\nPackage: x\n")),
            "/var/lib/dpkg/status:149: no Status field".to_owned(),
        ),
        (
            plain
                .clone()
                .file("/var/lib/dpkg/arch", "amd64\ni386\n")
                .file(&format!("{MAIN}_InRelease"), {
                    let list = package("dpkg", "1.21.23", "");
                    release("Debian", "bookworm", "", &list)
                        .replace("SHA256:\n", "SHA256:\n 00 9 main/binary-i386/Packages.xz\n")
                }),
            "http://deb.example.org/debian/ bookworm main i386: no list of packages in /var/lib/apt/lists".to_owned(),
        ),
    ] {
        assert!(
            reasons(&changed).contains(&reason),
            "{reason:?} is not in {:?}",
            reasons(&changed)
        );
    }
}

#[test]
fn an_architecture_that_an_archive_does_not_have_is_no_gap() {
    let two = host(&package("dpkg", "1.21.23", ""), "").file("/var/lib/dpkg/arch", "amd64\ni386\n");
    let facts = facts(&two);
    assert_eq!(facts["complete"], true, "{}", facts["incomplete"]);
    assert_eq!(facts["sources"][0]["lists"][1]["state"], "empty");
}

#[test]
fn unauthenticated_sources() {
    let source = "deb [trusted=yes] http://user:secret@repo.example.com/apt stable main\n";
    let facts = facts(&pending().file("/etc/apt/sources.list.d/third-party.list", source));
    let third = &facts["sources"][2];
    assert_eq!(third["authentication"]["trusted"], "yes");
    assert_eq!(third["authentication"]["unauthenticated"], true);
    assert_eq!(third["uri"], "http://…@repo.example.com/apt/");
    assert_eq!(
        (&third["signed"], &third["release"]["outcome"]),
        (&json!(false), &json!("absent"))
    );
    assert!(!facts.to_string().contains("secret"));
}

#[test]
fn documents_that_say_nothing() {
    let outcome = |host: &Captured| Registered::of::<PackageUpdatesProbe>().collect(host).remove(0).outcome;
    let debian = Captured::default().file("/etc/os-release", OS_RELEASE);
    assert_eq!(outcome(&debian), Outcome::Absent);
    assert_eq!(outcome(&debian.clone().denied(dpkg::STATUS)), Outcome::Denied);
    assert_eq!(outcome(&debian.file(dpkg::STATUS, "Package: a\n")), Outcome::Malformed);
    assert_eq!(
        outcome(&Captured::default().file("/etc/os-release", "ID=fedora\n")),
        Outcome::Unsupported
    );
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..100), place in 0..7_usize) {
        let path = [
            dpkg::STATUS,
            "/etc/apt/sources.list",
            "/etc/apt/sources.list.d/x.sources",
            "/etc/apt/preferences",
            "/etc/apt/apt.conf",
            "/var/lib/apt/lists/deb.example.org_debian_dists_bookworm_InRelease",
            "/var/lib/apt/lists/deb.example.org_debian_dists_bookworm_main_binary-amd64_Packages",
        ][place];
        Registered::of::<PackageUpdatesProbe>().collect(&pending().file(path, bytes));
    }
}

use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<PackageVerificationProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

/// `echo -n x | md5sum`.
const X: &str = "9dd4e461268c8034f5c8564e155c67a6";

fn host() -> Captured {
    let status = format!(
        "Package: base\nEssential: yes\nStatus: install ok installed\nPriority: required\nArchitecture: all\nConffiles:\n \
         /etc/same {X}\n /etc/other {X}\n /etc/gone {X}\n /etc/old {X} obsolete\n /etc/new newconffile\n\nPackage: \
         lib\nMulti-Arch: same\nPriority: important\nStatus: hold ok installed\nArchitecture: amd64\n\nPackage: \
         extra\nPriority: optional\nStatus: install ok installed\nArchitecture: all\n\nPackage: sudo\nPriority: \
         optional\nStatus: install ok installed\nArchitecture: amd64\n\nPackage: left\nPriority: required\nStatus: deinstall \
         ok config-files\nArchitecture: all\nConffiles:\n /etc/left {X}\n"
    );
    Captured::default()
        .file("/var/lib/dpkg/status", status)
        .file("/var/lib/dpkg/diversions", "/bin/diverted\n/bin/diverted.real\nother\n")
        .file(
            "/var/lib/dpkg/info/base.md5sums",
            format!(
                "{X}  bin/same\n{X}  usr/bin/other\n{X}  usr/sbin/gone\n{X}  usr/share/doc/x\n{X}  bin/diverted\nodd\n"
            ),
        )
        .file(
            "/var/lib/dpkg/info/lib:amd64.md5sums",
            format!("{X}  lib/x/security/pam_x.so\n"),
        )
        .file("/bin/same", "x")
        .file("/usr/bin/other", "y")
        .file("/bin/diverted", "y")
        .file("/bin/diverted.real", "x")
        .file("/lib/x/security/pam_x.so", "x")
        .file("/etc/same", "x")
        .file("/etc/other", "y")
}

#[test]
fn same_changed_and_gone() {
    let facts = facts(&host());
    let programs = &facts["programs"]["value"];
    assert_eq!(programs["packages"], 2);
    assert_eq!(programs["files"], 4);
    assert_eq!(
        programs["changed"],
        json!([{"path": "/usr/bin/other", "package": "base"}])
    );
    assert_eq!(
        programs["missing"],
        json!([{"path": "/usr/sbin/gone", "package": "base"}])
    );
    assert_eq!(programs["without_checksums"], json!(["sudo"]));
    assert_eq!(programs["everything"]["outcome"], "observed");
    let configuration = &facts["configuration"];
    assert_eq!(configuration["files"], 2);
    assert_eq!(
        configuration["changed"],
        json!([{"path": "/etc/other", "package": "base"}])
    );
    assert_eq!(
        configuration["missing"],
        json!([{"path": "/etc/gone", "package": "base"}])
    );
}

#[test]
fn what_was_not_compared_is_not_the_same() {
    let facts_of = facts(&host().denied("/bin/same").folder("/etc/same/x"));
    let programs = &facts_of["programs"]["value"];
    assert_eq!(
        programs["not_compared"],
        json!([{"path": "/bin/same", "outcome": "denied"}])
    );
    assert_eq!(programs["everything"]["outcome"], "failed");
    let unread = facts(&host().denied("/var/lib/dpkg/info/base.md5sums"));
    assert_eq!(unread["programs"]["outcome"], "denied");
    let none = Registered::of::<PackageVerificationProbe>()
        .collect(&Captured::default())
        .remove(0);
    assert_eq!(none.outcome, Outcome::Unsupported);
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "[ a-f0-9/:\n]{0,120}") {
        for content in [bytes, text.into_bytes()] {
            facts(&host().file("/var/lib/dpkg/info/base.md5sums", &content).file("/bin/same", &content));
            let _ = facts(&host().file("/var/lib/dpkg/status", &content));
            let _ = Registered::of::<PackageVerificationProbe>()
                .collect(&host().file("/var/lib/dpkg/diversions", &content));
        }
    }
}

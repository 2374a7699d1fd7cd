use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const UNATTENDED: &str = include_str!("../../fixtures/automatic-updates/debian12-50unattended-upgrades");

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<AutomaticUpdatesProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn debian() -> Captured {
    Captured::default()
        .file(
            "/etc/apt/apt.conf.d/20auto-upgrades",
            "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n",
        )
        .file("/etc/apt/apt.conf.d/50unattended-upgrades", UNATTENDED)
        .file("/usr/bin/unattended-upgrade", "")
        .file("/var/lib/apt/periodic/upgrade-stamp", "")
        .file("/usr/lib/systemd/system/apt-daily.timer", "[Timer]\n")
}

#[test]
fn debians_own() {
    let facts = facts(&debian().output(
        "/usr/bin/systemctl list-units --state=active,failed --plain --no-legend --full --no-pager",
        0,
        "apt-daily.timer loaded active waiting Daily apt download activities\n",
        "",
    ));
    let apt = &facts["apt"]["value"];
    assert_eq!(apt["unattended_upgrades_installed"], true);
    assert_eq!(apt["unattended_upgrade"], json!({"on": true, "every": "1"}));
    assert_eq!(apt["download"], json!({"on": false, "every": "0"}));
    assert_eq!(apt["origins"].as_array().unwrap().len(), 3);
    assert_eq!(apt["security_origins"].as_array().unwrap().len(), 2);
    assert_eq!(apt["package_blacklist"], json!([]));
    assert_eq!(apt["automatic_reboot"], false);
    assert_eq!(apt["upgraded"]["outcome"], "observed");
    assert_eq!(apt["lists_updated"]["outcome"], "absent");
    assert_eq!(apt["doubts"], json!([]));
    assert_eq!(facts["units"]["value"][0]["active"]["value"], true);
    for part in ["dnf", "suse", "snap"] {
        assert_eq!(facts[part]["outcome"], "absent", "{part}");
    }
}

#[test]
fn later_files_decide() {
    let host = debian().file(
        "/etc/apt/apt.conf.d/99local",
        "APT::Periodic::Enable \"0\";\nAPT::Periodic::Unattended-Upgrade \"always\";\n#clear Unattended-Upgrade::Origins-Pattern;\n\
         Unattended-Upgrade::Allowed-Origins { \"Ubuntu:jammy-security\"; };\nUnattended-Upgrade::Automatic-Reboot \"true\";\n\
         Unattended-Upgrade::Mail \"root@example.org\";\nUnattended-Upgrade::Package-Blacklist { \"linux-\"; };\n",
    );
    let apt = facts(&host)["apt"]["value"].clone();
    assert_eq!(apt["enabled"], false);
    assert_eq!(apt["unattended_upgrade"], json!({"on": true, "every": "always"}));
    assert_eq!(apt["origins"], json!(["Ubuntu:jammy-security"]));
    assert_eq!(
        (&apt["automatic_reboot"], &apt["mail_report"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(apt["package_blacklist"], json!(["linux-"]));
    assert!(!apt.to_string().contains("example.org"));
}

#[test]
fn dnf_suse_and_snap() {
    let host = Captured::default()
        .file(
            "/etc/dnf/automatic.conf",
            "[commands]\n#  what\nupgrade_type = security\nrandom_sleep = 0\napply_updates = yes\n[emitters]\nemit_via = stdio, motd\n",
        )
        .file("/etc/sysconfig/automatic_online_update", "AOU_ENABLE_CRONJOB=\"true\"\n")
        .file(
            "/var/lib/snapd/state.json",
            r#"{"data":{"config":{"core":{"refresh":{"hold":"forever","retain":2}}},"auth":{"macaroon":"secret"}}}"#,
        );
    let facts = facts(&host);
    let dnf = &facts["dnf"]["value"];
    assert_eq!(
        (&dnf["apply_updates"], &dnf["upgrade_type"]),
        (&json!(true), &json!("security"))
    );
    assert_eq!(dnf["emit_via"], json!(["stdio", "motd"]));
    assert_eq!(facts["suse"]["value"]["AOU_ENABLE_CRONJOB"], "true");
    assert_eq!(
        facts["snap"]["value"],
        json!({"refresh.hold": "forever", "refresh.retain": "2"})
    );
    assert_eq!(facts["apt"]["outcome"], "absent");
    assert!(!facts.to_string().contains("secret"));
}

#[test]
fn what_is_not_understood() {
    let odd = facts(&debian().file("/etc/apt/apt.conf.d/99", "Apt \"x\n").file(SNAPD, "{"));
    assert_eq!(odd["apt"]["value"]["doubts"].as_array().unwrap().len(), 1);
    assert_eq!(odd["snap"]["outcome"], "malformed");
    let denied = facts(&debian().denied("/etc/apt/apt.conf.d").denied("/etc/dnf/automatic.conf"));
    assert_eq!(denied["apt"]["value"]["doubts"].as_array().unwrap().len(), 1);
    assert_eq!(denied["dnf"]["outcome"], "denied");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let host = debian().file("/etc/apt/apt.conf.d/99", &bytes).file("/etc/dnf/automatic.conf", &bytes).file(SNAPD, &bytes);
        let _ = facts(&host);
    }
}

//! Settings of apt as the probe merges them, beside `apt-config dump` over the same folder.

#![cfg(test)]

mod machine;

use std::fs;
use std::process::Command;

use machine::Machine;
use serde_json::Value;

const DEBIAN: &str = include_str!("../fixtures/automatic-updates/debian12-50unattended-upgrades");
const PERIODIC: &str = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n";

fn apt(root: &std::path::Path) -> Value {
    let probes = probes::registry::all();
    let probe = probes
        .iter()
        .find(|probe| probe.spec.id == "automatic-updates")
        .unwrap();
    let document = probe.collect(&Machine::folder(root)).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))["apt"]["value"].clone()
}

/// `NAME "value";` lines.
fn dump(root: &std::path::Path) -> Vec<(String, String)> {
    let config = root.join("root.conf");
    fs::write(&config, format!("Dir \"{}\";\n", root.display())).unwrap();
    let output = Command::new("apt-config")
        .arg("dump")
        .env("APT_CONFIG", &config)
        .output()
        .expect("apt-config; install it: apt-get install apt");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches([';', '"']).to_owned()))
        .collect()
}

#[test]
fn effective_settings() {
    let local = [
        "",
        "APT::Periodic::Enable \"0\";",
        "APT::Periodic { Unattended-Upgrade \"0\"; Download-Upgradeable-Packages \"always\"; };",
        "#clear Unattended-Upgrade::Origins-Pattern;\nUnattended-Upgrade::Origins-Pattern { \"origin=Own\"; };",
        "Unattended-Upgrade::Allowed-Origins:: \"Debian:stable\";\nunattended-upgrade::automatic-reboot \"true\";",
        "Unattended-Upgrade::Package-Blacklist { \"linux-\"; \"libc6$\"; };\nUnattended-Upgrade::Automatic-Reboot-Time \"02:00\";",
        "// APT::Periodic::Unattended-Upgrade \"0\";\n/* APT::Periodic::Enable \"0\"; */",
    ];
    for text in local {
        let folder = tempfile::tempdir().unwrap();
        let parts = folder.path().join("etc/apt/apt.conf.d");
        fs::create_dir_all(&parts).unwrap();
        fs::write(parts.join("20auto-upgrades"), PERIODIC).unwrap();
        fs::write(parts.join("50unattended-upgrades"), DEBIAN).unwrap();
        fs::write(parts.join("99local"), text).unwrap();
        let (probe, apt) = (apt(folder.path()), dump(folder.path()));
        let value = |name: &str| {
            let found = apt.iter().rev().find(|(found, _)| found == name);
            found.map_or("", |(_, value)| value).to_owned()
        };
        let list = |name: &str| -> Vec<String> {
            let name = format!("unattended-upgrade::{name}::");
            apt.iter()
                .filter(|(found, _)| *found == name)
                .map(|(_, value)| value.clone())
                .collect()
        };
        let or = |value: String, other: &str| if value.is_empty() { other.to_owned() } else { value };
        assert_eq!(probe["doubts"], serde_json::json!([]), "{text}");
        assert_eq!(probe["enabled"], value("apt::periodic::enable") != "0", "{text}");
        for (fact, name) in [
            ("unattended_upgrade", "unattended-upgrade"),
            ("download", "download-upgradeable-packages"),
            ("update_lists", "update-package-lists"),
        ] {
            assert_eq!(
                probe[fact]["every"],
                or(value(&format!("apt::periodic::{name}")), "0"),
                "{text}"
            );
        }
        let origins = [list("origins-pattern"), list("allowed-origins")].concat();
        assert_eq!(probe["origins"], serde_json::json!(origins), "{text}");
        assert_eq!(
            probe["package_blacklist"],
            serde_json::json!(list("package-blacklist")),
            "{text}"
        );
        let time = or(value("unattended-upgrade::automatic-reboot-time"), "now");
        assert_eq!(probe["automatic_reboot_time"], time, "{text}");
        let reboot = value("unattended-upgrade::automatic-reboot") == "true";
        assert_eq!(probe["automatic_reboot"], reboot, "{text}");
    }
}

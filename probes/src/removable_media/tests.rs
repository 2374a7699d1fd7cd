use evidence::facts::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<RemovableMediaProbe>().collect(host).remove(0);
    assert_eq!(document.outcome, Outcome::Observed, "{}", document.detail);
    document.facts.unwrap()
}

/// `target` as a block device's folder, with the link that `/sys/block` has for it.
fn block(host: Captured, name: &str, bus: &str, removable: u8, sectors: u64) -> Captured {
    let folder = format!("/sys/devices/{bus}/block/{name}");
    host.link(&format!("/sys/block/{name}"), &format!("../devices/{bus}/block/{name}"))
        .file(&format!("{folder}/removable"), format!("{removable}\n"))
        .file(&format!("{folder}/ro"), "0\n")
        .file(&format!("{folder}/size"), format!("{sectors}\n"))
        .file(&format!("{folder}/dev"), "8:16\n")
}

#[test]
fn devices_and_their_mounts() {
    let usb = "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host2/target2:0:0/2:0:0:0";
    let host = block(
        Captured::default(),
        "sda",
        "pci0000:00/0000:00:1f.2/ata1/host0",
        0,
        1000,
    );
    let host = block(host, "sdb", usb, 0, 2000).file(&format!("/sys/devices/{usb}/block/sdb/sdb1/dev"), "8:17\n");
    let host = block(host, "sr0", "pci0000:00/ata2/host1", 1, 0);
    let host = block(host, "mmcblk0", "platform/mmc0/mmc0:0001", 0, 8);
    let host = host.file(
        "/sys/devices/platform/mmc0/mmc0:0001/block/mmcblk0/device/type",
        "MMC\n",
    );
    let host = block(host, "loop0", "virtual", 0, 8);
    let host = host.file(
        devices::MOUNTS,
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
         40 22 8:17 / /media/anna/STICK rw,nosuid,nodev,relatime shared:2 - vfat /dev/sdb1 ro,uid=1000\n",
    );
    let known = facts(&host);
    assert_eq!(
        known["devices"]["value"],
        json!([
            {"name": "sdb", "transport": "usb", "removable": false, "bytes": 1_024_000, "read_only": false, "mounts": [
                {"filesystem": "vfat", "noexec": false, "nosuid": true, "nodev": true, "read_only": true},
            ]},
            {"name": "sr0", "transport": "optical", "removable": true, "bytes": 0, "read_only": false, "mounts": []},
        ])
    );
    // Neither where it is mounted nor whose it is.
    assert!(!known.to_string().contains("anna"));
    let denied = host.clone().denied(devices::MOUNTS).denied("/proc/self/mountinfo");
    assert_eq!(facts(&denied)["devices"]["outcome"], "denied");
    assert_eq!(
        facts(&host.file(devices::MOUNTS, "x\n"))["devices"]["outcome"],
        "malformed"
    );
}

#[test]
fn modules_buses_and_services() {
    let host = Captured::default()
        .file("/proc/modules", "uas 1 0 - Live 0x0\n")
        .file("/etc/modprobe.d/a.conf", "install usb-storage /bin/false\n")
        .file("/sys/bus/usb/devices/usb1/authorized_default", "1\n")
        .file("/sys/bus/usb/devices/usb2/authorized_default", "0\n")
        .file("/sys/bus/usb/devices/1-1/authorized", "1\n")
        .file("/sys/bus/thunderbolt/devices/domain0/security", "user\n")
        .file("/sys/bus/thunderbolt/devices/domain0/iommu_dma_protection", "1\n")
        .link("/lib", "usr/lib")
        .file("/usr/lib/systemd/system/udisks2.service", "");
    let facts = facts(&host);
    let module = |name: &str| {
        let all = facts["modules"]["value"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["module"] == name).unwrap()
    };
    assert_eq!(module("uas")["loaded"], true);
    assert_eq!(module("usb_storage")["disabled"], true);
    assert_eq!(
        facts["usb"]["value"],
        json!({"controllers": 2, "authorized_default": ["0", "1"]})
    );
    assert_eq!(
        facts["thunderbolt"]["value"],
        json!({"domains": 1, "security": ["user"], "dma_protection": true})
    );
    assert_eq!(facts["mounters"]["value"][0]["unit"], "udisks2.service");
    assert_eq!(facts["usbguard"]["outcome"], "absent");
}

#[test]
fn usbguard_and_gnome() {
    let host = Captured::default()
        .file(
            "/etc/usbguard/usbguard-daemon.conf",
            "# RuleFile=/x\nRuleFile=/etc/usbguard/rules.conf\nRuleFolder=/etc/usbguard/rules.d/\nImplicitPolicyTarget=block\nPresentDevicePolicy=apply-policy\n",
        )
        .file("/etc/usbguard/rules.conf", "allow id 1d6b:0002 serial \"SECRET\"\nreject with-interface 08:*:*\n# c\n")
        .file("/etc/usbguard/rules.d/1.conf", "allow id 1:2\n")
        .file("/etc/dconf/db/local", "GVariant")
        .file("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\n")
        .file("/etc/dconf/db/local", "")
        .file("/etc/dconf/db/local.d/00-media", "[org/gnome/desktop/media-handling]\nautomount=false\nautorun-never = true\n[x]\nautomount-open=true\n")
        .file("/etc/dconf/db/local.d/locks/00", "/org/gnome/desktop/media-handling/automount\n/org/gnome/other\n");
    let known = facts(&host);
    assert_eq!(
        known["usbguard"]["value"],
        json!({
            "implicit_policy_target": "block", "present_device_policy": "apply-policy", "inserted_device_policy": "",
            "rules": 3, "allow_rules": 2,
        })
    );
    assert!(!known.to_string().contains("SECRET"));
    assert_eq!(
        known["gnome"]["value"],
        json!({"automount": false, "autorun_never": true, "locked": ["automount"], "stale": false})
    );
    assert_eq!(
        facts(&host.denied("/etc/usbguard/rules.conf"))["usbguard"]["outcome"],
        "denied"
    );
}

#[test]
fn nothing_there() {
    let facts = facts(&Captured::default());
    for name in ["usb", "thunderbolt", "usbguard", "mounters", "gnome", "devices"] {
        assert_eq!(facts[name]["outcome"], "absent", "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let host = block(Captured::default(), "sdb", "usb1", 1, 1)
            .file(devices::MOUNTS, &bytes)
            .file("/sys/devices/usb1/block/sdb/size", &bytes)
            .file("/etc/usbguard/usbguard-daemon.conf", &bytes)
            .file("/etc/dconf/db/local.d/a", &bytes)
            .file("/sys/bus/usb/devices/usb1/authorized_default", &bytes);
        facts(&host);
    }
}

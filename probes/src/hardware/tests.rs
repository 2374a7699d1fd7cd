use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<HardwareProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["board"]["outcome"], "absent");
    for list in [
        "disks",
        "raid",
        "tpm",
        "memory_controllers",
        "power_supplies",
        "devices",
    ] {
        assert_eq!(facts[list]["value"], json!([]), "{list}");
    }
    assert_eq!(
        facts["service_processor"],
        json!({"outcome": "observed", "value": null})
    );
    assert_eq!(facts["firmware"]["outcome"], "absent");
    assert_eq!(facts["ups_monitored"]["outcome"], "absent");
    assert_eq!(facts["raid_monitor"]["recipient_set"]["outcome"], "absent");
}

fn server() -> Captured {
    let disk = |host: Captured, name: &str, place: &str| {
        host.link(
            &format!("/sys/block/{name}"),
            &format!("../devices/{place}/block/{name}"),
        )
        .file(&format!("/sys/devices/{place}/block/{name}/size"), "2048\n")
        .file(&format!("/sys/devices/{place}/block/{name}/queue/rotational"), "0\n")
        .link(&format!("/sys/devices/{place}/block/{name}/device"), "../..")
    };
    let host = disk(Captured::default(), "nvme0n1", "pci0000:00/0000:00:1d.0/nvme/nvme0");
    let host = disk(host, "sda", "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0");
    let host = disk(host, "loop0", "virtual");
    let host = disk(host, "bcache0", "virtual");
    host.file("/sys/devices/pci0000:00/0000:00:1d.0/nvme/nvme0/model", "Model X   \n")
        .file("/sys/devices/pci0000:00/0000:00:1d.0/nvme/nvme0/serial", "S1\n")
        .file("/sys/devices/pci0000:00/0000:00:1d.0/nvme/nvme0/firmware_rev", "FW1\n")
        .file(
            "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/rev",
            "0001\n",
        )
        .file(
            "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/vendor",
            "ATA     \n",
        )
        .file(
            "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/vpd_pg80",
            b"\0\x80\0\x06  S-2  more",
        )
        .file("/sys/block/md0/md/level", "raid1\n")
        .file("/sys/block/md0/md/degraded", "1\n")
        .file("/sys/block/md0/md/raid_disks", "2\n")
        .file("/sys/block/md0/md/sync_action", "check\n")
        .file(
            "/etc/mdadm/mdadm.conf",
            "# MAILADDR x\nHOMEHOST <system>\nMAILADDR root\n",
        )
        .file("/sys/class/dmi/id/board_vendor", "Maker\n")
        .denied("/sys/class/dmi/id/board_serial")
        .file("/sys/class/tpm/tpm0/tpm_version_major", "2\n")
        .file("/sys/devices/system/edac/mc/mc0/ce_count", "17\n")
        .file("/sys/devices/system/edac/mc/mc0/ue_count", "0\n")
        .file("/sys/devices/system/edac/mc/power/x", "")
        .file("/sys/class/power_supply/AC/type", "Mains\n")
        .file("/sys/class/power_supply/BAT0/type", "Battery\n")
        .file("/sys/class/ipmi/ipmi0/device/bmc/firmware_revision", "2.10\n")
        .file("/sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n")
        .file("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n")
        .file("/sys/bus/pci/devices/0000:00:02.0/device", "0x5917\n")
        .file("/sys/bus/pci/devices/0000:00:1f.0/class", "0x060100\n")
        .file("/sys/firmware/efi/esrt/entries/entry0/fw_class", "0123-guid\n")
        .file("/sys/firmware/efi/esrt/entries/entry0/fw_version", "65600\n")
        .file(
            "/etc/nut/upsmon.conf",
            "MONITOR ups@localhost 1 admin secret primary\n# MONITOR x\n",
        )
}

#[test]
fn a_server() {
    let facts = facts(&server());
    assert!(!facts.to_string().contains("secret"));
    assert_eq!(facts["board"]["value"]["board_vendor"]["value"], "Maker");
    assert_eq!(facts["board"]["value"]["board_serial"]["outcome"], "denied");
    assert_eq!(facts["board"]["value"]["product_sku"]["outcome"], "absent");
    let disks = facts["disks"]["value"].as_array().unwrap();
    assert_eq!(disks.len(), 2);
    let nvme = json!({"name": "nvme0n1", "vendor": null, "model": "Model X", "serial": "S1", "firmware": "FW1",
                      "transport": "nvme", "rotational": false, "removable": null, "size_bytes": 1_048_576});
    assert_eq!(disks[0], nvme);
    assert_eq!(
        (&disks[1]["transport"], &disks[1]["firmware"]),
        (&json!("ata"), &json!("0001"))
    );
    assert_eq!(disks[1]["serial"], "S-2");
    let raid =
        json!([{"name": "md0", "level": "raid1", "disks": 2, "missing": 1, "degraded": true, "rebuilding": false}]);
    assert_eq!(facts["raid"]["value"], raid);
    assert_eq!(facts["raid_monitor"]["recipient_set"]["value"], true);
    assert_eq!(facts["tpm"]["value"], json!([{"name": "tpm0", "version": 2}]));
    let memory = json!([{"name": "mc0", "corrected_errors": true, "uncorrected_errors": false}]);
    assert_eq!(facts["memory_controllers"]["value"], memory);
    assert_eq!(facts["power_supplies"]["value"][0]["kind"], "Battery");
    assert_eq!(facts["service_processor"]["value"]["firmware"], "2.10");
    assert_eq!(
        facts["devices"]["value"],
        json!([{"class": "030000", "vendor": "8086", "device": "5917"}])
    );
    assert_eq!(facts["firmware"]["value"][0]["version"], 65_600);
    assert_eq!(facts["ups_monitored"]["value"], 1);
}

#[test]
fn counters_do_not_change_the_facts() {
    let more = server().file("/sys/devices/system/edac/mc/mc0/ce_count", "18\n");
    assert_eq!(facts(&server()), facts(&more));
}

#[test]
fn denied_is_said() {
    let facts = facts(
        &Captured::default()
            .denied("/sys/block")
            .denied("/sys/class/tpm")
            .denied("/etc/nut/upsmon.conf"),
    );
    for part in ["disks", "raid", "tpm", "ups_monitored"] {
        assert_eq!(facts[part]["outcome"], "denied", "{part}");
    }
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>) {
        let mut host = server();
        for path in ["/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/vpd_pg80", "/sys/block/md0/md/level", "/sys/block/md0/md/degraded", "/sys/block/sda/size",
                     "/sys/class/tpm/tpm0/tpm_version_major", "/etc/mdadm/mdadm.conf", "/etc/nut/upsmon.conf",
                     "/sys/firmware/efi/esrt/entries/entry0/fw_version", "/sys/class/dmi/id/board_vendor"] {
            host = host.file(path, &bytes);
        }
        facts(&host);
    }
}

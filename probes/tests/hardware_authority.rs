//! The hardware probe against lsblk(8) over generated trees of sysfs. What it says of a real machine is compared in
//! `tests/guest`, with `dmidecode`, `lspci` and lsblk under a kernel of its own.

#![cfg(test)]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use machine::{Machine, authority, facts_of, put, some};
use proptest::prelude::*;
use serde_json::Value;

fn facts(root: &Path) -> Value {
    facts_of("hardware", &Machine::folder(root))
}

/// A link from `path` to `target`, both from the root, as sysfs has them: relative.
fn link(root: &Path, path: &str, target: &str) {
    let at = root.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::create_dir_all(root.join(target)).unwrap();
    symlink(format!("{}{target}", "../".repeat(path.split('/').count() - 1)), at).unwrap();
}

/// Where kernels put disks (`H`: number of the SCSI host), the beginning of their name, and what hangs at the SCSI host.
const PLACES: [(&str, &str, Option<&str>); 9] = [
    ("pci0000:00/0000:00:17.0/ataH/hostH/targetH:0:0/H:0:0:0", "sd", None),
    (
        "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/hostH/targetH:0:0/H:0:0:0",
        "sd",
        None,
    ),
    (
        "pci0000:00/0000:01:00.0/hostH/port-H:0/end_device-H:0/targetH:0:0/H:0:0:0",
        "sd",
        Some("sas_host"),
    ),
    (
        "pci0000:00/0000:02:00.0/hostH/rport-H:0-0/targetH:0:0/H:0:0:0",
        "sd",
        Some("fc_host"),
    ),
    ("platform/hostH/sessionH/targetH:0:0/H:0:0:0", "sd", Some("iscsi_host")),
    ("pci0000:00/0000:03:00.0/hostH/targetH:0:0/H:0:0:0", "sd", None),
    ("pci0000:00/0000:04:00.0/nvme/nvmeH", "nvme", None),
    ("pci0000:00/0000:05:00.0/virtioH", "vd", None),
    ("platform/soc/mmc_host/mmcH/mmcH:0001", "mmcblk", None),
];

/// lsblk's word for a transport of the probe, empty where it has none.
fn word(transport: &str) -> &str {
    match transport {
        "ata" => "sata",
        "fibre_channel" => "fc",
        "mmc" | "scsi" | "virtio" => "",
        other => other,
    }
}

type Drawn = (usize, [Option<String>; 4], u64, bool, bool);

fn disk(root: &Path, index: usize, (place, texts, sectors, turns, removable): &Drawn) {
    let host = index.to_string();
    let (place, begin, class) = PLACES[*place];
    let place = format!("sys/devices/{}", place.replace('H', &host));
    let letter = char::from(b'a' + u8::try_from(index).unwrap());
    let name = match begin {
        "nvme" => format!("nvme{index}n1"),
        "mmcblk" => format!("mmcblk{index}"),
        begin => format!("{begin}{letter}"),
    };
    let block = format!("{place}/block/{name}");
    let [vendor, model, serial, rev] = texts;
    let attributes = match begin {
        "sd" => [("vendor", vendor), ("model", model), ("", serial), ("rev", rev)],
        "nvme" => [
            ("", vendor),
            ("model", model),
            ("serial", serial),
            ("firmware_rev", rev),
        ],
        "mmcblk" => [("", vendor), ("name", model), ("serial", serial), ("fwrev", rev)],
        _ => [("", vendor), ("", model), ("", serial), ("", rev)],
    };
    fs::create_dir_all(root.join(&place)).unwrap();
    for (attribute, text) in attributes {
        if let Some(text) = text.as_ref().filter(|_| !attribute.is_empty()) {
            put(root, &format!("{place}/{attribute}"), &format!("{text}\n"));
        }
    }
    if let ("vd", Some(serial)) = (begin, serial) {
        put(root, &format!("{block}/serial"), serial);
    }
    put(root, &format!("{block}/size"), &format!("{sectors}\n"));
    put(root, &format!("{block}/ro"), "0\n");
    put(root, &format!("{block}/dev"), &format!("8:{index}\n"));
    put(
        root,
        &format!("{block}/removable"),
        if *removable { "1\n" } else { "0\n" },
    );
    put(
        root,
        &format!("{block}/queue/rotational"),
        if *turns { "1\n" } else { "0\n" },
    );
    link(root, &format!("{block}/device"), &place);
    link(root, &format!("{block}/subsystem"), "sys/class/block");
    link(root, &format!("sys/block/{name}"), &block);
    link(root, &format!("sys/dev/block/8:{index}"), &block);
    if begin == "sd" {
        let at = format!("{}/host{host}", place.split_once("/host").unwrap().0);
        link(root, &format!("{place}/subsystem"), "sys/bus/scsi");
        link(root, &format!("sys/bus/scsi/devices/{host}:0:0:0"), &place);
        link(
            root,
            &format!("sys/class/scsi_host/host{host}"),
            &format!("{at}/scsi_host/host{host}"),
        );
        let driver = if place.contains("/ata") { "ahci\n" } else { "other\n" };
        put(root, &format!("{at}/scsi_host/host{host}/proc_name"), driver);
        if let Some(class) = class {
            put(root, &format!("{at}/{class}/host{host}/symbolic_name"), "adapter\n");
            link(
                root,
                &format!("sys/class/{class}/host{host}"),
                &format!("{at}/{class}/host{host}"),
            );
        }
    }
}

#[test]
fn disks_are_those_of_lsblk() {
    let text = || prop::option::weighted(0.8, "[A-Z][A-Za-z0-9 -]{0,10}[ ]{0,4}");
    let one = (
        0..PLACES.len(),
        [text(), text(), text(), text()],
        prop_oneof![5 => 1_u64..1 << 40, 1 => Just(0)],
        any::<bool>(),
        any::<bool>(),
    );
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for disks in some(30, prop::collection::vec(one, 1..12)) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (index, drawn) in disks.iter().enumerate() {
            disk(root, index, drawn);
        }
        put(root, "proc/self/mountinfo", "");
        put(root, "proc/swaps", "");
        let args = [
            "--sysroot",
            root.to_str().unwrap(),
            "--json",
            "--bytes",
            "--nodeps",
            "--output",
            "NAME,VENDOR,MODEL,SERIAL,REV,TRAN,ROTA,RM,SIZE",
        ];
        let output = authority("util-linux", "lsblk", &args, b"");
        let said: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {disks:?} {}", String::from_utf8_lossy(&output.stderr)));
        let theirs: BTreeMap<&str, &Value> = said["blockdevices"]
            .as_array()
            .unwrap()
            .iter()
            // Drives without a medium the probe leaves out.
            .filter(|disk| disk["size"] != 0)
            .map(|disk| (disk["name"].as_str().unwrap(), disk))
            .collect();
        let facts = facts(root);
        let own = facts["disks"]["value"].as_array().unwrap();
        let names: Vec<_> = own.iter().map(|disk| disk["name"].as_str().unwrap()).collect();
        assert_eq!(names, theirs.keys().copied().collect::<Vec<_>>());
        for disk in own {
            let theirs = theirs[disk["name"].as_str().unwrap()];
            let trimmed = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
            let case = format!("{disk}\n{theirs}");
            for (field, column) in [
                ("vendor", "vendor"),
                ("model", "model"),
                ("serial", "serial"),
                ("firmware", "rev"),
            ] {
                let (own, theirs) = (trimmed(&disk[field]), trimmed(&theirs[column]));
                // Of what lsblk does not know the probe may know more: attributes of NVMe, MMC and virtio.
                assert!(own == theirs || theirs.is_empty(), "{field}\n{case}");
                *seen
                    .entry(format!("{field}{}", if theirs.is_empty() { " ours alone" } else { "" }))
                    .or_default() += u32::from(!own.is_empty());
            }
            assert_eq!(disk["size_bytes"], theirs["size"], "{case}");
            assert_eq!(disk["rotational"], theirs["rota"], "{case}");
            assert_eq!(disk["removable"], theirs["rm"], "{case}");
            let transport = disk["transport"].as_str().unwrap();
            assert_eq!(word(transport), trimmed(&theirs["tran"]), "{case}");
            *seen.entry(transport.to_owned()).or_default() += 1;
        }
    }
    println!("{seen:?}");
    assert!(seen.len() > 12 && seen["serial"] > 5 && seen["vendor"] > 30, "{seen:?}");
}

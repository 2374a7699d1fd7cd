//! What a disk tells about itself: attributes of its folder in sysfs.

use super::facts::Disk;
use super::survey::Found;
use crate::reading::{Reading, Unread};

/// Vendors and models by which hypervisors and clouds call their disks.
const VIRTUAL: [&str; 12] = [
    "QEMU",
    "VBOX",
    "VMware",
    "Msft",
    "Virtual",
    "Xen",
    "PersistentDisk",
    "EphemeralDisk",
    "nvme_card-pd",
    "Amazon Elastic Block Store",
    "Amazon EC2",
    "Alibaba Cloud",
];
/// Longer texts are cut: real ones have at most 40 characters (NVMe model) or a few more (identifiers).
const MAX_TEXT: usize = 128;

/// Reads the attributes. What could not be read is left empty; the sources say so.
pub(super) fn disk(reading: &Reading<'_>, kernel_name: &str, found: &Found) -> Disk {
    let folder = format!("/sys/class/block/{kernel_name}");
    let first = |names: &[&str]| {
        let texts = names
            .iter()
            .map(|name| text(reading.attribute(&format!("{folder}/{name}"))));
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    };
    let vendor = first(&["device/vendor"]);
    // The PCI vendor of a virtio device, a number, is no disk's vendor.
    let vendor = if vendor.starts_with("0x") {
        String::new()
    } else {
        vendor
    };
    let model = first(&["device/model", "device/name"]);
    let told = |word: &&str| vendor.contains(*word) || model.contains(*word);
    let driver = ["vd", "xvd"].iter().any(|driver| kernel_name.starts_with(driver));
    Disk {
        virtual_disk: driver || VIRTUAL.iter().any(told),
        serial: first(&["serial", "device/serial", "wwid", "device/wwid"]),
        removable: first(&["removable"]) == "1",
        name: found.name.clone(),
        size_bytes: found.size_bytes,
        vendor,
        model,
    }
}

fn text(read: Result<Option<String>, Unread>) -> String {
    let text = read.ok().flatten().unwrap_or_default();
    let printable = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT);
    printable.collect::<String>().trim().to_owned()
}

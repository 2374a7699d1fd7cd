//! What a disk tells about itself: attributes of its folder in sysfs.

use super::facts::{Disk, DiskBus};
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
    let bus = bus(&reading.link(&folder).ok().flatten().unwrap_or_default());
    let driver = ["vd", "xvd"].iter().any(|driver| kernel_name.starts_with(driver));
    Disk {
        virtual_disk: driver || VIRTUAL.iter().any(told),
        serial: first(&["serial", "device/serial", "wwid", "device/wwid"]),
        removable: first(&["removable"]) == "1",
        external: matches!(bus, DiskBus::Usb | DiskBus::Firewire),
        bus,
        name: found.name.clone(),
        size_bytes: found.size_bytes,
        vendor,
        model,
    }
}

/// How the disk is attached, by the folders of its device in sysfs, the nearest first.
fn bus(target: &str) -> DiskBus {
    let numbered = |part: &str, name: &str| {
        let digits = part.strip_prefix(name);
        digits.is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))
    };
    let of = |part: &str| match part {
        "nvme-fabrics" | "nvme-subsystem" => Some(DiskBus::NvmeFabrics),
        "mmc_host" => Some(DiskBus::Mmc),
        "nvme" => Some(DiskBus::Nvme),
        _ if part.starts_with("usb") && numbered(part, "usb") => Some(DiskBus::Usb),
        _ if numbered(part, "virtio") => Some(DiskBus::Virtio),
        _ if numbered(part, "vbd-") => Some(DiskBus::Xen),
        _ if numbered(part, "session") => Some(DiskBus::Iscsi),
        _ if part.starts_with("rport-") => Some(DiskBus::FibreChannel),
        _ if part.starts_with("end_device-") => Some(DiskBus::Sas),
        _ if part.starts_with("VMBUS:") => Some(DiskBus::Vmbus),
        _ if numbered(part, "ata") => Some(DiskBus::Ata),
        _ if numbered(part, "fw") => Some(DiskBus::Firewire),
        _ => None,
    };
    let scsi = target.split('/').any(|part| numbered(part, "host"));
    // A disk behind USB hangs on a SCSI host too, and the outer one counts.
    let outer = target.split('/').find_map(of);
    match outer {
        Some(bus) => bus,
        None if scsi => DiskBus::Scsi,
        None => DiskBus::Other,
    }
}

fn text(read: Result<Option<String>, Unread>) -> String {
    let text = read.ok().flatten().unwrap_or_default();
    let printable = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT);
    printable.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Targets of links in `/sys/class/block` as kernels of Debian, Fedora and clouds show them.
    #[test]
    fn buses() {
        let cases = [
            (
                "../../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb",
                DiskBus::Usb,
            ),
            (
                "../../devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda",
                DiskBus::Ata,
            ),
            (
                "../../devices/pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0/nvme0n1",
                DiskBus::Nvme,
            ),
            (
                "../../devices/virtual/nvme-fabrics/ctl/nvme1/nvme1n1",
                DiskBus::NvmeFabrics,
            ),
            (
                "../../devices/pci0000:00/0000:00:03.0/virtio1/block/vda",
                DiskBus::Virtio,
            ),
            (
                "../../devices/pci0000:00/0000:00:05.0/virtio3/host2/target2:0:0/2:0:0:1/block/sda",
                DiskBus::Virtio,
            ),
            ("../../devices/vbd-51712/block/xvda", DiskBus::Xen),
            (
                "../../devices/platform/host3/session1/target3:0:0/3:0:0:0/block/sdc",
                DiskBus::Iscsi,
            ),
            (
                "../../devices/pci0000:00/0000:00:1c.4/mmc_host/mmc0/mmc0:0001/block/mmcblk0",
                DiskBus::Mmc,
            ),
            (
                "../../devices/pci0000:00/0000:01:00.0/host0/rport-0:0-2/target0:0:0/0:0:0:0/block/sdd",
                DiskBus::FibreChannel,
            ),
            (
                "../../devices/pci0000:00/0000:01:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sda",
                DiskBus::Sas,
            ),
            (
                "../../devices/pci0000:00/0000:00:10.0/host2/target2:0:0/2:0:0:0/block/sda",
                DiskBus::Scsi,
            ),
            ("../../devices/platform/something/block/sda", DiskBus::Other),
            ("", DiskBus::Other),
        ];
        for (target, expected) in cases {
            assert_eq!(bus(target), expected, "{target}");
        }
    }
}

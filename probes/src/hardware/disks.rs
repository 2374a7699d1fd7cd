//! Disks: block devices that are no part and no layer of others.

use super::facts::{Disk, Transport};
use super::{entries, printable, text};
use crate::reading::{Reading, Unread};

/// Names of block devices that are no disks.
const OTHERS: [&str; 11] = [
    "bcache", "dm-", "drbd", "fd", "loop", "md", "nbd", "ram", "sr", "zd", "zram",
];
/// Parts of a device's place that tell how it is attached; the first that is found counts.
const PLACES: [(&str, Transport); 14] = [
    ("/usb", Transport::Usb),
    ("/nvme", Transport::Nvme),
    ("/mmc_host", Transport::Mmc),
    ("/mmc", Transport::Mmc),
    ("/ata", Transport::Ata),
    ("/ide", Transport::Ata),
    ("/session", Transport::Iscsi),
    ("/rport-", Transport::FibreChannel),
    ("/end_device-", Transport::Sas),
    ("/virtio", Transport::Virtio),
    ("/vbd-", Transport::Xen),
    ("/VMBUS", Transport::Hyperv),
    ("/vmbus", Transport::Hyperv),
    ("/host", Transport::Scsi),
];

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Disk>, Unread> {
    let mut disks = vec![];
    for entry in entries(reading, "/sys/block")? {
        let name = entry.name;
        if OTHERS.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let folder = format!("/sys/block/{name}");
        let value = |attribute: &str| text(reading, &format!("{folder}/{attribute}"));
        let first = |attributes: &[&str]| -> Result<Option<String>, Unread> {
            for attribute in attributes {
                if let Some(found) = value(attribute)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        };
        let sectors = value("size")?.and_then(|size| size.parse::<u64>().ok()).unwrap_or(0);
        if sectors == 0 {
            continue;
        }
        let is = |attribute: &str| Ok::<_, Unread>(value(attribute)?.map(|flag| flag == "1"));
        // Where the entry is no link (old kernels, folders) the place is not told.
        let place = reading.link(&folder).ok().flatten().unwrap_or_default();
        let transport = PLACES.iter().find(|(part, _)| place.contains(part));
        let serial = match first(&["serial", "device/serial"])? {
            None if name.starts_with("sd") => unit_serial(reading, &folder)?,
            told => told,
        };
        disks.push(Disk {
            // A number is virtio's PCI vendor.
            vendor: value("device/vendor")?.filter(|vendor| !vendor.starts_with("0x")),
            model: first(&["device/model", "device/name"])?,
            serial: match serial {
                None => first(&["device/wwid", "wwid"])?,
                told => told,
            },
            firmware: first(&["device/firmware_rev", "device/rev", "device/fwrev"])?,
            transport: transport.map_or(Transport::Other, |(_, transport)| *transport),
            rotational: is("queue/rotational")?,
            removable: is("removable")?,
            size_bytes: sectors.saturating_mul(512).min(1 << 52),
            name,
        });
    }
    Ok(disks)
}

/// The serial number of a SCSI or SATA disk, which no attribute in words tells: page 80h (SPC, *Unit Serial Number*), four
/// bytes and the number, the last two of the four its length.
fn unit_serial(reading: &Reading<'_>, folder: &str) -> Result<Option<String>, Unread> {
    let page = match reading.bytes_at(&format!("{folder}/device/vpd_pg80"), 0, 260) {
        Err(Unread::Failed { .. }) => None,
        other => other?,
    };
    let Some([_, 0x80, high, low, rest @ ..]) = page.as_deref() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    Ok(printable(&String::from_utf8_lossy(rest.get(..length).unwrap_or(rest))))
}

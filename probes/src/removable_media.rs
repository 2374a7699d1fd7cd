//! # What
//! Whether removable media can be used on this host: the kernel's modules for them, authorisation of USB and Thunderbolt
//! devices, USBGuard, what mounts media by itself, which media are there and how they are mounted.
//!
//! # Source
//! `/proc/modules`, `modules.dep`, modprobe.d(5); `/sys/bus/usb/devices` (kernel `Documentation/usb/authorization.rst`);
//! `/sys/bus/thunderbolt/devices` (`Documentation/admin-guide/thunderbolt.rst`); usbguard-daemon.conf(5); dconf(7) keyfiles
//! and locks for `org.gnome.desktop.media-handling`; `/sys/block` (`Documentation/ABI/stable/sysfs-block`);
//! proc_pid_mountinfo(5).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for the configuration of USBGuard.
//!
//! # Bears on
//! A.7.10 (storage media), A.8.1 (user endpoint devices), A.8.12 (data leakage prevention), A.8.7 (malware).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod devices;
mod facts;
mod gnome;
mod usbguard;

pub use facts::*;

use std::collections::BTreeSet;

use crate::formats::modprobe::Modules;
use crate::formats::systemd::Units;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

/// Modules without which a kind of medium cannot be used.
const MODULES: [&str; 12] = [
    "cdrom",
    "firewire_core",
    "firewire_ohci",
    "firewire_sbp2",
    "floppy",
    "mmc_block",
    "sbp2",
    "sdhci",
    "sr_mod",
    "thunderbolt",
    "uas",
    "usb_storage",
];
/// What mounts media by itself, or lets users do so.
const MOUNTERS: [&str; 4] = ["autofs.service", "udisks2.service", "usbmuxd.service", "bolt.service"];

/// The probe.
pub struct RemovableMediaProbe;

impl Probe for RemovableMediaProbe {
    const SPEC: Spec = Spec {
        id: "removable-media",
        version: 2,
        title: "Whether removable media can be used, what mounts them, and which are there",
        reads: &[
            "/proc/modules",
            "/usr/lib/modules/",
            "/etc/modprobe.d/",
            "/sys/bus/usb/devices/",
            "/sys/module/usbcore/parameters/authorized_default",
            "/sys/bus/thunderbolt/devices/",
            "/etc/usbguard/",
            "/etc/dconf/profile/, /usr/share/dconf/profile/",
            "/etc/dconf/db/",
            "/sys/block/",
            "/proc/1/mountinfo",
            "/proc/self/mountinfo",
            "/etc/systemd/system/",
            "/usr/lib/systemd/system/",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/modprobe.d",
            "/etc/usbguard",
            "/etc/dconf/db",
            "/etc/systemd/system",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "Media that were in use between two collections.",
            "Phones and cameras, which are read without a block device (MTP, PTP).",
            "Which devices the rules of USBGuard let in.",
            "What an administrator can load or mount by hand.",
            "udev(7) rules that hide or authorise devices.",
        ],
    };

    type Facts = RemovableMedia;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<RemovableMedia, NoNames>, ProbeError> {
        let units = Units::read(reading);
        let state = |unit: &str| match &units {
            Ok(Some(units)) => units.state(unit),
            _ => None,
        };
        let mounters = match &units {
            Ok(Some(units)) => Known::Observed(units.states(MOUNTERS)),
            Ok(None) => Known::absent("this host has no systemd"),
            Err(unread) => Known::unread(unread),
        };
        let modules = Modules::read(reading);
        Ok(Collected::facts(RemovableMedia {
            modules: Known::read(modules.map(|modules| MODULES.map(|name| modules.state(name)).into())),
            usb: usb(reading),
            thunderbolt: thunderbolt(reading),
            usbguard: usbguard::read(reading, state("usbguard.service")),
            mounters,
            gnome: Known::of(
                gnome::read(reading),
                "a database of the system in /etc/dconf/profile/user",
            ),
            devices: devices::read(reading),
        }))
    }
}

/// Values of one attribute of several folders, each once, sorted; folders by the beginning of their names.
fn values(
    reading: &Reading<'_>,
    folder: &str,
    begin: &str,
    attribute: &str,
) -> Result<Option<(u64, Vec<String>)>, Unread> {
    let Some(entries) = reading.list(folder)? else {
        return Ok(None);
    };
    let (mut count, mut values) = (0, BTreeSet::new());
    for entry in entries.iter().filter(|entry| entry.name.starts_with(begin)).take(1_000) {
        count += 1;
        let path = format!("{folder}/{}/{attribute}", entry.name);
        values.extend(reading.attribute(&path)?.map(|text| text.trim().to_owned()));
    }
    Ok(Some((count, values.into_iter().collect())))
}

fn usb(reading: &Reading<'_>) -> Known<Usb> {
    const FOLDER: &str = "/sys/bus/usb/devices";
    let read = || -> Result<Option<Usb>, Unread> {
        let Some((controllers, defaults)) = values(reading, FOLDER, "usb", "authorized_default")? else {
            return Ok(None);
        };
        Ok(Some(Usb {
            controllers,
            authorized_default: defaults,
        }))
    };
    match read() {
        Ok(Some(usb)) => Known::Observed(usb),
        Ok(None) => Known::absent(format!("{FOLDER} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn thunderbolt(reading: &Reading<'_>) -> Known<Thunderbolt> {
    const FOLDER: &str = "/sys/bus/thunderbolt/devices";
    let read = || -> Result<Option<Thunderbolt>, Unread> {
        let Some((domains, security)) = values(reading, FOLDER, "domain", "security")? else {
            return Ok(None);
        };
        let protection = values(reading, FOLDER, "domain", "iommu_dma_protection")?;
        let protection = protection.map(|(_, values)| values).unwrap_or_default();
        Ok(Some(Thunderbolt {
            domains,
            security,
            dma_protection: domains > 0 && protection == ["1"],
        }))
    };
    match read() {
        Ok(Some(thunderbolt)) => Known::Observed(thunderbolt),
        Ok(None) => Known::absent(format!("{FOLDER} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

#[cfg(test)]
mod tests;

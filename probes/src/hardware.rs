//! # What
//! What the host is made of beyond its name: board and enclosure, disks with firmware, TPM, memory errors, state of RAID,
//! batteries and UPS, service processor, network and display devices.
//!
//! # Source
//! sysfs: kernel `Documentation/ABI/testing/sysfs-firmware-dmi-entries`, `sysfs-class-tpm`, `sysfs-devices-edac`,
//! `sysfs-class-power`, `sysfs-firmware-efi-esrt`, `sysfs-bus-pci`, `Documentation/admin-guide/md.rst`; block devices
//! (`Documentation/ABI/stable/sysfs-block`); mdadm.conf(5); nut.conf(5), upsmon.conf(5), `apcupsd.conf`; unit files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for serial numbers and the table of firmware.
//!
//! # Bears on
//! A.5.9 (inventory of assets), A.7.11 (supporting utilities), A.7.13 (equipment maintenance), A.8.8 (vulnerabilities of
//! firmware), A.8.14 (redundancy), A.8.24 (use of cryptography).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod board;
mod disks;
mod facts;
mod parts;
mod raid;

use evidence::facts::Outcome;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Entry, Reading, Unread};
use crate::software::LazyUnits;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct HardwareProbe;

impl Probe for HardwareProbe {
    const SPEC: Spec = Spec {
        id: "hardware",
        version: 1,
        title: "What the host is made of: board, disks and their firmware, TPM, memory errors, RAID, power",
        reads: &[
            "/sys/class/dmi/id/",
            "/sys/block/",
            "/sys/class/tpm/",
            "/sys/devices/system/edac/mc/",
            "/sys/class/power_supply/",
            "/sys/class/ipmi/",
            "/sys/bus/pci/devices/",
            "/sys/firmware/efi/esrt/",
            "/sys/devices/system/cpu/cpu0/microcode/",
            "/etc/mdadm/mdadm.conf or /etc/mdadm.conf",
            "/etc/nut/, /etc/ups/, /etc/apcupsd/apcupsd.conf",
            "unit files",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/mdadm/", "/etc/mdadm.conf", "/etc/nut/", "/etc/apcupsd/"],
        budget: Budget {
            millis: 5_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "What the host probe tells: maker, model and firmware of the machine, processors and memory.",
            "RAID that a controller makes by itself, and the health that disks report (SMART).",
            "How many memory errors there were: only whether there were any since the host was started.",
            "Whether a UPS really feeds the host, and for how long.",
            "Firmware that the machine does not list (ESRT).",
        ],
    };

    type Facts = Hardware;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Hardware, NoNames>, ProbeError> {
        let units = LazyUnits::new(reading);
        let survey = Survey::of(&POWER_SOFTWARE, &units);
        Ok(Collected::facts(Hardware {
            board: board::read(reading),
            disks: known(disks::read(reading)),
            raid: known(raid::read(reading)),
            raid_monitor: raid::monitor(&units),
            tpm: known(parts::tpm(reading)),
            memory_controllers: known(parts::memory(reading)),
            power_supplies: known(parts::power(reading)),
            service_processor: known(parts::ipmi(reading)),
            devices: known(parts::pci(reading)),
            firmware: parts::firmware(reading),
            microcode: attribute(reading, "/sys/devices/system/cpu/cpu0/microcode/version"),
            ups_monitored: parts::ups(reading),
            ups_software: survey.installed,
            undetermined: survey.undetermined,
        }))
    }
}

/// Software that watches a UPS, or the firmware. Sorted; another one is a line more.
const POWER_SOFTWARE: [Product; 3] = [
    Product {
        id: "apcupsd",
        files: &["/usr/sbin/apcupsd", "/sbin/apcupsd"],
        units: &["apcupsd.service"],
    },
    Product {
        id: "nut_client",
        files: &["/usr/sbin/upsmon", "/sbin/upsmon"],
        units: &["nut-client.service", "nut-monitor.service"],
    },
    Product {
        id: "nut_server",
        files: &["/usr/sbin/upsd", "/sbin/upsd"],
        units: &["nut-server.service", "nut-driver.service", "nut-driver@.service"],
    },
];

/// More devices of a kind are not told.
const MAX_DEVICES: usize = 1_000;
/// Longer texts are cut.
const MAX_TEXT: usize = 128;

fn known<T>(read: Result<T, Unread>) -> Known<T> {
    match read {
        Ok(value) => Known::Observed(value),
        Err(unread) => Known::unread(&unread),
    }
}

/// A text that can be printed; `None` if there is no such attribute or nothing in it.
fn text(reading: &Reading<'_>, path: &str) -> Result<Option<String>, Unread> {
    let text = match reading.attribute(path) {
        // Bytes of firmware need not be UTF-8; some attributes refuse to be read where the device has no such value.
        Err(Unread::Malformed { .. } | Unread::Failed { .. }) => None,
        other => other?,
    };
    Ok(text.and_then(|text| printable(&text)))
}

fn printable(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    (!text.is_empty()).then_some(text)
}

fn attribute(reading: &Reading<'_>, path: &str) -> Known<String> {
    match text(reading, path) {
        Ok(Some(text)) => Known::Observed(text),
        Ok(None) => Known::not(Outcome::Absent, format!("{path} is not there, or empty")),
        Err(unread) => Known::unread(&unread),
    }
}

/// The entries of a folder of sysfs, none if it is not there.
fn entries(reading: &Reading<'_>, folder: &str) -> Result<Vec<Entry>, Unread> {
    let mut entries = reading.list(folder)?.unwrap_or_default();
    entries.truncate(MAX_DEVICES);
    Ok(entries)
}

#[cfg(test)]
mod tests;

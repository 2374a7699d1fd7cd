//! Smaller parts, each a folder of sysfs.

use evidence::facts::Outcome;

use super::facts::{Firmware, MemoryController, PciDevice, PowerSupply, ServiceProcessor, Tpm};
use super::{entries, text};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const ESRT: &str = "/sys/firmware/efi/esrt/entries";
/// Debian's, and everybody else's.
const UPSMON: [&str; 2] = ["/etc/nut/upsmon.conf", "/etc/ups/upsmon.conf"];
const APCUPSD: &str = "/etc/apcupsd/apcupsd.conf";

fn number(reading: &Reading<'_>, path: &str) -> Result<Option<u64>, Unread> {
    // Numbers of 2^53 and more are none of ours.
    let number = text(reading, path)?.and_then(|text| text.parse::<u64>().ok());
    Ok(number.filter(|number| *number < 1 << 53))
}

pub(super) fn tpm(reading: &Reading<'_>) -> Result<Vec<Tpm>, Unread> {
    let mut found = vec![];
    for entry in entries(reading, "/sys/class/tpm")? {
        found.push(Tpm {
            version: number(reading, &format!("/sys/class/tpm/{}/tpm_version_major", entry.name))?,
            name: entry.name,
        });
    }
    Ok(found)
}

pub(super) fn memory(reading: &Reading<'_>) -> Result<Vec<MemoryController>, Unread> {
    const FOLDER: &str = "/sys/devices/system/edac/mc";
    let mut found = vec![];
    for entry in entries(reading, FOLDER)?
        .into_iter()
        .filter(|entry| entry.name.starts_with("mc"))
    {
        let any = |name: &str| {
            let count = number(reading, &format!("{FOLDER}/{}/{name}", entry.name))?;
            Ok::<_, Unread>(count.map(|count| count > 0))
        };
        found.push(MemoryController {
            corrected_errors: any("ce_count")?,
            uncorrected_errors: any("ue_count")?,
            name: entry.name,
        });
    }
    Ok(found)
}

pub(super) fn power(reading: &Reading<'_>) -> Result<Vec<PowerSupply>, Unread> {
    const FOLDER: &str = "/sys/class/power_supply";
    let mut found = vec![];
    for entry in entries(reading, FOLDER)? {
        let value = |name: &str| text(reading, &format!("{FOLDER}/{}/{name}", entry.name));
        let Some(kind) = value("type")?.filter(|kind| kind != "Mains" && kind != "USB") else {
            continue;
        };
        found.push(PowerSupply {
            kind,
            scope: value("scope")?,
            manufacturer: value("manufacturer")?,
            model: value("model_name")?,
            name: entry.name,
        });
    }
    Ok(found)
}

pub(super) fn ipmi(reading: &Reading<'_>) -> Result<Option<ServiceProcessor>, Unread> {
    let Some(first) = entries(reading, "/sys/class/ipmi")?.into_iter().next() else {
        return Ok(None);
    };
    let folder = format!("/sys/class/ipmi/{}/device/bmc", first.name);
    let value = |name: &str| text(reading, &format!("{folder}/{name}"));
    Ok(Some(ServiceProcessor {
        firmware: value("firmware_revision")?,
        ipmi_version: value("ipmi_version")?,
        manufacturer_id: value("manufacturer_id")?,
    }))
}

pub(super) fn pci(reading: &Reading<'_>) -> Result<Vec<PciDevice>, Unread> {
    const FOLDER: &str = "/sys/bus/pci/devices";
    let mut found = vec![];
    for entry in entries(reading, FOLDER)? {
        let value = |name: &str| {
            let text = text(reading, &format!("{FOLDER}/{}/{name}", entry.name))?.unwrap_or_default();
            Ok::<_, Unread>(text.trim_start_matches("0x").to_owned())
        };
        let class = value("class")?;
        if class.starts_with("02") || class.starts_with("03") {
            found.push(PciDevice {
                vendor: value("vendor")?,
                device: value("device")?,
                class,
            });
        }
    }
    found.order();
    Ok(found)
}

pub(super) fn firmware(reading: &Reading<'_>) -> Known<Vec<Firmware>> {
    let listed = match reading.list(ESRT) {
        Ok(Some(entries)) => entries,
        Ok(None) => return Known::not(Outcome::Absent, format!("{ESRT} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let mut found = vec![];
    for entry in listed.into_iter().take(super::MAX_DEVICES) {
        let at = |name: &str| format!("{ESRT}/{}/{name}", entry.name);
        let read = || {
            let class = text(reading, &at("fw_class"))?;
            let version = number(reading, &at("fw_version"))?;
            let Some((class, version)) = class.zip(version) else {
                return Ok(None);
            };
            Ok::<_, Unread>(Some(Firmware {
                class,
                version,
                lowest_supported: number(reading, &at("lowest_supported_fw_version"))?,
                last_attempt_status: number(reading, &at("last_attempt_status"))?,
            }))
        };
        match read() {
            Ok(one) => found.extend(one),
            Err(unread) => return Known::unread(&unread),
        }
    }
    found.order();
    Known::Observed(found)
}

/// Lines `MONITOR ups@host …` of upsmon.conf(5); apcupsd has one UPS, by `UPSCABLE` and `UPSTYPE`.
pub(super) fn ups(reading: &Reading<'_>) -> Known<u64> {
    let mut monitored = None;
    for path in UPSMON.iter().chain([&APCUPSD]) {
        // Lines of NUT hold passwords: no digest.
        let text = match reading.private(path, path) {
            Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            Ok(None) => continue,
            Err(unread) => return Known::unread(&unread),
        };
        let words = text.lines().filter_map(|line| line.split_ascii_whitespace().next());
        let count = words.filter(|word| *word == "MONITOR" || *word == "UPSTYPE").count();
        monitored = Some(monitored.unwrap_or(0) + count as u64);
    }
    monitored.map_or_else(
        || Known::not(Outcome::Absent, "no configuration of NUT's monitor or of apcupsd"),
        Known::Observed,
    )
}

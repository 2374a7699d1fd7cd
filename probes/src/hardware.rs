//! # What
//! Board, firmware, disks, TPM, error-correcting memory, RAID arrays and power supplies.
//!
//! # Source
//! `/sys/class/dmi/id`, `/sys/block`, `/sys/class/tpm`, `/sys/devices/system/edac/mc`, `/sys/class/power_supply` (the kernel's
//! documentation, *ABI*).
//!
//! # Privilege
//! None, apart from serial numbers, which need `CAP_DAC_READ_SEARCH` on some machines.
//!
//! # Bears on
//! A.5.9 (inventory of assets), A.7.13 (equipment maintenance), A.8.8 (technical vulnerabilities: firmware), A.8.14
//! (redundancy).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

use evidence::facts::Outcome;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

const DMI: &str = "/sys/class/dmi/id";
const BLOCK: &str = "/sys/block";
const TPM: &str = "/sys/class/tpm";
const EDAC: &str = "/sys/devices/system/edac/mc";
const POWER: &str = "/sys/class/power_supply";
/// Devices that are no disks, or are made from others.
const NO_DISKS: [&str; 9] = ["loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "drbd"];
const MAX_DEVICES: usize = 2_000;
/// The kernel counts sizes in these.
const SECTOR: u64 = 512;

/// The probe.
pub struct HardwareProbe;

impl Probe for HardwareProbe {
    const SPEC: Spec = Spec {
        id: "hardware",
        version: 1,
        title: "Board, firmware, disks, TPM, memory errors, RAID arrays and power supplies",
        reads: &[
            "/sys/class/dmi/id/",
            "/sys/block/",
            "/sys/class/tpm/",
            "/sys/devices/system/edac/mc/",
            "/sys/class/power_supply/",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::Daily,
        watch: &[],
        budget: Budget {
            millis: 1_000,
            bytes: 4 * 1024 * 1024,
        },
        does_not_show: &[
            "Parts behind a RAID controller, and what a hypervisor hides.",
            "The health of disks as they tell it themselves (SMART).",
            "Whether firmware is the newest there is.",
        ],
    };

    type Facts = Hardware;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Hardware, NoNames>, ProbeError> {
        if reading.list("/sys")?.is_none_or(|entries| entries.is_empty()) {
            return Err(ProbeError::absent("/sys"));
        }
        let names = names(reading, BLOCK);
        let of_names = |pick: fn(&Reading<'_>, &str) -> Result<Option<Array>, Unread>| match &names {
            Ok(names) => collect_all(names, |name| pick(reading, name)),
            Err(unread) => Known::unread(unread),
        };
        Ok(Collected::facts(Hardware {
            board: Known::of(board(reading), DMI),
            raid: of_names(array),
            disks: match &names {
                Ok(names) => collect_all(names, |name| disk(reading, name)),
                Err(unread) => Known::unread(unread),
            },
            tpms: match self::names(reading, TPM) {
                Ok(names) => collect_all(&names, |name| tpm(reading, name)),
                Err(unread) => Known::unread(&unread),
            },
            memory: Known::of(memory(reading), EDAC),
            power: Known::of(power(reading).map(Some), POWER),
        }))
    }
}

/// An empty folder is the same as none: a kernel without such devices has either.
fn names(reading: &Reading<'_>, folder: &str) -> Result<Vec<String>, Unread> {
    let entries = reading.list(folder)?.unwrap_or_default();
    if entries.len() > MAX_DEVICES {
        return Err(Unread::Failed {
            place: folder.to_owned(),
            reason: format!("more than {MAX_DEVICES} devices"),
        });
    }
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}

fn collect_all<T>(names: &[String], each: impl Fn(&str) -> Result<Option<T>, Unread>) -> Known<Vec<T>> {
    let mut all = vec![];
    for name in names {
        match each(name) {
            Ok(one) => all.extend(one),
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(all)
}

/// What is written there; firmware fills what it does not know with blanks.
fn text(reading: &Reading<'_>, path: &str) -> Result<Option<String>, Unread> {
    let text = reading.attribute(path)?.map(|text| text.trim().to_owned());
    Ok(text.filter(|text| !text.is_empty()))
}

fn number(reading: &Reading<'_>, path: &str) -> Result<Option<u64>, Unread> {
    match text(reading, path)? {
        Some(text) => text.parse().map(Some).map_err(|_| Unread::Malformed {
            place: path.to_owned(),
            reason: "no number".to_owned(),
        }),
        None => Ok(None),
    }
}

fn board(reading: &Reading<'_>) -> Result<Option<Board>, Unread> {
    if reading.stat(DMI)?.is_none() {
        return Ok(None);
    }
    let of = |name: &str| text(reading, &format!("{DMI}/{name}"));
    Ok(Some(Board {
        system_vendor: of("sys_vendor")?,
        product: of("product_name")?,
        board_vendor: of("board_vendor")?,
        board: of("board_name")?,
        chassis_type: number(reading, &format!("{DMI}/chassis_type"))?,
        firmware_vendor: of("bios_vendor")?,
        firmware_version: of("bios_version")?,
        firmware_date: of("bios_date")?,
    }))
}

fn disk(reading: &Reading<'_>, name: &str) -> Result<Option<Disk>, Unread> {
    if NO_DISKS.iter().any(|start| name.starts_with(start)) {
        return Ok(None);
    }
    let at = |file: &str| format!("{BLOCK}/{name}/{file}");
    let firmware = match text(reading, &at("device/firmware_rev"))? {
        Some(firmware) => Some(firmware),
        None => text(reading, &at("device/rev"))?,
    };
    Ok(Some(Disk {
        name: name.to_owned(),
        model: text(reading, &at("device/model"))?,
        serial: serial(reading, name),
        firmware,
        size_bytes: number(reading, &at("size"))?.unwrap_or_default().saturating_mul(SECTOR),
        rotational: number(reading, &at("queue/rotational"))?.map(|number| number == 1),
        removable: number(reading, &at("removable"))? == Some(1),
    }))
}

/// NVMe, virtio, and SCSI, where it is page 80h of the vital product data: four bytes, then the serial number.
fn serial(reading: &Reading<'_>, name: &str) -> Known<String> {
    for file in ["device/serial", "serial"] {
        match text(reading, &format!("{BLOCK}/{name}/{file}")) {
            Ok(Some(serial)) => return Known::Observed(serial),
            Ok(None) => {}
            Err(unread) => return Known::unread(&unread),
        }
    }
    let path = format!("{BLOCK}/{name}/device/vpd_pg80");
    match Known::of(reading.bytes_at(&path, 0, 256), &path) {
        Known::Observed(bytes) => {
            let serial = bytes.get(4..).unwrap_or_default();
            let printable: String = serial
                .iter()
                .map(|byte| char::from(*byte))
                .filter(char::is_ascii_graphic)
                .collect();
            if printable.is_empty() {
                Known::not(Outcome::Absent, format!("{path}: empty"))
            } else {
                Known::Observed(printable)
            }
        }
        Known::Not(why) => Known::Not(why),
    }
}

fn array(reading: &Reading<'_>, name: &str) -> Result<Option<Array>, Unread> {
    let at = |file: &str| format!("{BLOCK}/{name}/md/{file}");
    if !name.starts_with("md") {
        return Ok(None);
    }
    let Some(level) = text(reading, &at("level"))? else {
        return Ok(None);
    };
    Ok(Some(Array {
        name: name.to_owned(),
        level,
        degraded: number(reading, &at("degraded"))?.map(|number| number > 0),
    }))
}

fn tpm(reading: &Reading<'_>, name: &str) -> Result<Option<Tpm>, Unread> {
    Ok(Some(Tpm {
        name: name.to_owned(),
        version: number(reading, &format!("{TPM}/{name}/tpm_version_major"))?,
    }))
}

fn memory(reading: &Reading<'_>) -> Result<Option<Memory>, Unread> {
    let mut memory = Memory {
        controllers: 0,
        corrected_errors: false,
        uncorrected_errors: false,
    };
    for name in names(reading, EDAC)?.iter().filter(|name| name.starts_with("mc")) {
        let some = |file: &str| Ok(number(reading, &format!("{EDAC}/{name}/{file}"))?.is_some_and(|count| count > 0));
        memory.controllers += 1;
        memory.corrected_errors |= some("ce_count")?;
        memory.uncorrected_errors |= some("ue_count")?;
    }
    Ok((memory.controllers > 0).then_some(memory))
}

fn power(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let mut kinds = vec![];
    for name in names(reading, POWER)? {
        kinds.extend(text(reading, &format!("{POWER}/{name}/type"))?.map(|kind| kind.to_ascii_lowercase()));
    }
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::reading::captured::Captured;
    use crate::registry::Registered;

    fn facts(host: &Captured) -> Value {
        let document = Registered::of::<HardwareProbe>().collect(host).remove(0);
        document.facts.unwrap_or_else(|| panic!("{}", document.detail))
    }

    fn server() -> Captured {
        Captured::default()
            .file("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n")
            .file("/sys/class/dmi/id/chassis_type", "23\n")
            .file("/sys/class/dmi/id/bios_version", "2.19.1\n")
            .file("/sys/class/dmi/id/board_name", "  \n")
            .file(
                "/sys/block/nvme0n1/device/model",
                "SAMSUNG MZQL2960                        \n",
            )
            .file("/sys/block/nvme0n1/device/serial", "S64FNX0T\n")
            .file("/sys/block/nvme0n1/device/firmware_rev", "GDC5602Q\n")
            .file("/sys/block/nvme0n1/size", "1875385008\n")
            .file("/sys/block/nvme0n1/queue/rotational", "0\n")
            .file("/sys/block/sda/device/vpd_pg80", b"\x00\x80\x00\x08  WD-1234")
            .file("/sys/block/sda/size", "2\n")
            .file("/sys/block/sda/removable", "1\n")
            .file("/sys/block/loop0/size", "2\n")
            .file("/sys/block/md0/md/level", "raid1\n")
            .file("/sys/block/md0/md/degraded", "1\n")
            .file("/sys/class/tpm/tpm0/tpm_version_major", "2\n")
            .file("/sys/devices/system/edac/mc/mc0/ce_count", "5\n")
            .file("/sys/devices/system/edac/mc/mc0/ue_count", "0\n")
            .file("/sys/class/power_supply/BAT0/type", "Battery\n")
    }

    #[test]
    fn a_server() {
        let facts = facts(&server());
        assert_eq!(
            facts["board"]["value"],
            json!({"system_vendor": "Dell Inc.", "chassis_type": 23, "firmware_version": "2.19.1"})
        );
        let disks = &facts["disks"]["value"];
        assert_eq!(disks.as_array().unwrap().len(), 2);
        assert_eq!(
            (&disks[0]["model"], &disks[0]["size_bytes"]),
            (&json!("SAMSUNG MZQL2960"), &json!(960_197_124_096_u64))
        );
        assert_eq!(
            (&disks[1]["serial"]["value"], &disks[1]["removable"]),
            (&json!("WD-1234"), &json!(true))
        );
        assert_eq!(
            facts["raid"]["value"],
            json!([{"name": "md0", "level": "raid1", "degraded": true}])
        );
        assert_eq!(facts["tpms"]["value"], json!([{"name": "tpm0", "version": 2}]));
        assert_eq!(
            facts["memory"]["value"],
            json!({"controllers": 1, "corrected_errors": true, "uncorrected_errors": false})
        );
        assert_eq!(facts["power"]["value"], json!(["battery"]));
    }

    #[test]
    fn denied_malformed_and_none() {
        let denied = facts(&server().denied("/sys/block/nvme0n1/device/serial"));
        assert_eq!(denied["disks"]["value"][0]["serial"]["outcome"], "denied");
        let odd = facts(&server().file("/sys/block/sda/size", "x\n"));
        assert_eq!(odd["disks"]["outcome"], "malformed");
        let plain = facts(&Captured::default().file("/sys/kernel/x", ""));
        assert_eq!(
            (&plain["board"]["outcome"], &plain["memory"]["outcome"]),
            (&json!("absent"), &json!("absent"))
        );
        let folder = Registered::of::<HardwareProbe>()
            .collect(&Captured::default())
            .remove(0);
        assert_eq!(folder.outcome, Outcome::Absent);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = facts(&server().file("/sys/block/sda/device/vpd_pg80", &bytes).file("/sys/class/dmi/id/sys_vendor", &bytes));
        }
    }
}

//! Removable block devices and their mounts.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Device, Mount, Transport};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const FOLDER: &str = "/sys/block";
/// As the first process sees them; the agent's own view may be narrower, and has flags of its sandbox.
pub(super) const MOUNTS: &str = "/proc/1/mountinfo";
const OWN_MOUNTS: &str = "/proc/self/mountinfo";
const MAX_DEVICES: usize = 10_000;
const MAX_LINES: usize = 100_000;

pub(super) fn read(reading: &Reading<'_>) -> Known<Vec<Device>> {
    match find(reading) {
        Ok(Some(devices)) => Known::Observed(devices),
        Ok(None) => Known::absent(format!("{FOLDER} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>) -> Result<Option<Vec<Device>>, Unread> {
    let Some(entries) = reading.list(FOLDER)? else {
        return Ok(None);
    };
    let mut devices = Vec::new();
    let mut mounts = None;
    for entry in entries.into_iter().take(MAX_DEVICES) {
        let name = entry.name;
        let folder = format!("{FOLDER}/{name}");
        if ["loop", "ram", "zram", "dm-", "md", "nbd"]
            .iter()
            .any(|virtual_one| name.starts_with(virtual_one))
        {
            continue;
        }
        let attribute = |name: &str| reading.attribute(&format!("{folder}/{name}"));
        let removable = attribute("removable")?.as_deref() == Some("1");
        let transport = transport(&name, &reading.link(&folder)?.unwrap_or_default());
        // A disk of eMMC says of itself that it stays, and so do USB disks that can be pulled out.
        let card = match transport {
            Transport::Mmc => attribute("device/type")?.as_deref() == Some("SD"),
            Transport::Usb | Transport::Firewire | Transport::Optical | Transport::Floppy => true,
            Transport::Other => false,
        };
        if !removable && !card {
            continue;
        }
        if mounts.is_none() {
            mounts = Some(by_number(reading)?);
        }
        let sectors: u64 = attribute("size")?
            .unwrap_or_default()
            .trim()
            .parse()
            .unwrap_or_default();
        devices.push(Device {
            transport,
            removable,
            bytes: sectors.saturating_mul(512).min((1 << 53) - 1),
            read_only: attribute("ro")?.as_deref() == Some("1"),
            mounts: mounted(reading, &folder, &name, mounts.as_ref())?,
            name,
        });
    }
    Ok(Some(devices))
}

/// By where the device hangs: the link leads through all its buses.
fn transport(name: &str, link: &str) -> Transport {
    let on = |bus: &str| {
        link.split('/').any(|part| {
            part.strip_prefix(bus)
                .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        })
    };
    match () {
        () if name.starts_with("sr") => Transport::Optical,
        () if name.starts_with("fd") => Transport::Floppy,
        () if name.starts_with("mmcblk") => Transport::Mmc,
        () if on("usb") => Transport::Usb,
        () if on("fw") => Transport::Firewire,
        () => Transport::Other,
    }
}

type Mounts = BTreeMap<String, BTreeSet<Mount>>;

fn mounted(reading: &Reading<'_>, folder: &str, name: &str, mounts: Option<&Mounts>) -> Result<Vec<Mount>, Unread> {
    let mut found = BTreeSet::new();
    let mut numbers = vec![reading.attribute(&format!("{folder}/dev"))?];
    for entry in reading.entries(folder)?.unwrap_or_default() {
        if entry.name.starts_with(name) {
            numbers.push(reading.attribute(&format!("{folder}/{}/dev", entry.name))?);
        }
    }
    for number in numbers.into_iter().flatten() {
        found.extend(
            mounts
                .and_then(|mounts| mounts.get(number.trim()))
                .into_iter()
                .flatten()
                .cloned(),
        );
    }
    Ok(found.into_iter().collect())
}

/// `id parent major:minor root point options … - filesystem source super-options`.
fn by_number(reading: &Reading<'_>) -> Result<Mounts, Unread> {
    let bytes = match reading.volatile_bytes(MOUNTS) {
        Err(Unread::Denied { .. }) => reading.volatile_bytes(OWN_MOUNTS),
        read => read,
    };
    let bytes = bytes?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut mounts = Mounts::new();
    for (index, line) in text.lines().take(MAX_LINES).enumerate() {
        let wrong = || Unread::Malformed {
            place: MOUNTS.to_owned(),
            reason: format!("line {} is no mount", index + 1),
        };
        let (before, after) = line.split_once(" - ").ok_or_else(wrong)?;
        let mut fields = before.split(' ').skip(2);
        let number = fields.next().ok_or_else(wrong)?;
        let options = fields.nth(2).ok_or_else(wrong)?;
        let mut after = after.split(' ');
        let filesystem = after.next().unwrap_or_default().to_owned();
        let whole = after.nth(1).unwrap_or_default();
        let has = |option: &str| options.split(',').any(|one| one == option);
        let mount = Mount {
            filesystem,
            noexec: has("noexec"),
            nosuid: has("nosuid"),
            nodev: has("nodev"),
            read_only: has("ro") || whole.split(',').any(|one| one == "ro"),
        };
        mounts.entry(number.to_owned()).or_default().insert(mount);
    }
    Ok(mounts)
}

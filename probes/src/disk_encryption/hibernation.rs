//! Hibernation: `Documentation/admin-guide/pm/sleep-states.rst`, initramfs-tools(7).

use evidence::facts::Outcome;

use super::facts::{Encryption, Hibernation, ResumeSetting};
use super::stack::Below;
use super::survey::Survey;
use super::volumes::encryption_of;
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

const RESUME: &str = "/sys/power/resume";
/// Files that name a device for this boot and the next, what the boot loader itself reads among them.
const PLACES: [&str; 7] = [
    "/boot/grub/grub.cfg",
    "/boot/grub2/grub.cfg",
    "/etc/default/grub",
    "/etc/initramfs-tools/conf.d/resume",
    "/etc/initramfs-tools/initramfs.conf",
    "/etc/kernel/cmdline",
    "/proc/cmdline",
];
/// Folders of such files, and how their names end.
const FOLDERS: [(&str, &str); 3] = [
    ("/boot/loader/entries", ".conf"),
    ("/etc/default/grub.d", ".cfg"),
    ("/etc/kernel/cmdline.d", ".conf"),
];
const MAX_FILES: usize = 200;

/// What was read before the devices were.
pub(super) struct Draft {
    possible: Known<bool>,
    device: Known<Option<Below>>,
    configured: Known<Vec<ResumeSetting>>,
}

impl Draft {
    pub(super) fn read(survey: &mut Survey<'_, '_>) -> Self {
        Self {
            possible: possible(survey.reading),
            device: device(survey),
            configured: match configured(survey.reading) {
                Ok(settings) => Known::Observed(settings),
                Err(unread) => Known::unread(&unread),
            },
        }
    }

    pub(super) fn judge(self, survey: &Survey<'_, '_>) -> Hibernation {
        let encryption = match &self.device {
            Known::Observed(Some(below)) => encryption_of(survey, below),
            _ => Encryption::Unknown,
        };
        let shown = |below: &Below| match below {
            Below::Devices(names) => names.first().map_or_else(String::new, |name| {
                survey
                    .found
                    .get(name)
                    .map_or_else(|| name.clone(), |found| found.name.clone())
            }),
            _ => String::new(),
        };
        Hibernation {
            possible: self.possible,
            resume_device: match self.device {
                Known::Observed(device) => Known::Observed(device.as_ref().map(shown).unwrap_or_default()),
                Known::Not(why) => Known::Not(why),
            },
            encryption,
            configured: self.configured,
        }
    }
}

/// The kernel shows `[disabled]` where it is locked down, and no `disk` where it was built without.
fn possible(reading: &Reading<'_>) -> Known<bool> {
    let state = match reading.attribute("/sys/power/state") {
        Ok(Some(state)) => state,
        Ok(None) => return absent("/sys/power/state is not there"),
        Err(unread) => return Known::unread(&unread),
    };
    match reading.attribute("/sys/power/disk") {
        Ok(disk) => {
            let disabled = disk.is_none_or(|disk| disk.contains("[disabled]"));
            Known::Observed(state.split_ascii_whitespace().any(|word| word == "disk") && !disabled)
        }
        Err(unread) => Known::unread(&unread),
    }
}

/// `MAJOR:MINOR`, and `0:0` for none.
fn device(survey: &mut Survey<'_, '_>) -> Known<Option<Below>> {
    let value = match survey.reading.attribute(RESUME) {
        Ok(Some(value)) => value,
        Ok(None) => return absent("/sys/power/resume is not there"),
        Err(unread) => return Known::unread(&unread),
    };
    let numbers = value.trim().split_once(':');
    let numbers = numbers.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match numbers {
        Some((0, 0)) => Known::Observed(None),
        Some(numbers) => Known::Observed(Some(survey.numbered(numbers))),
        None => Known::unread(&Unread::Malformed {
            place: RESUME.to_owned(),
            reason: "no device's numbers".to_owned(),
        }),
    }
}

/// One place that cannot be read makes all unknown: it may name a device.
fn configured(reading: &Reading<'_>) -> Result<Vec<ResumeSetting>, Unread> {
    let mut places: Vec<String> = PLACES.map(str::to_owned).to_vec();
    for (folder, end) in FOLDERS {
        for entry in reading.list(folder)?.unwrap_or_default().into_iter().take(MAX_FILES) {
            if entry.name.ends_with(end) {
                places.push(format!("{folder}/{}", entry.name));
            }
        }
    }
    places.order();
    let mut settings = vec![];
    for place in places {
        let bytes = if place.starts_with("/proc/") {
            reading.volatile_bytes(&place)
        } else if place.starts_with("/boot/") {
            // Hashes of passwords may be in it.
            reading.private(&place, &place)
        } else {
            reading.file(&place)
        };
        let text = bytes?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words = lines.flat_map(|line| line.split([' ', '\t', '"', '\'']));
        // The last one counts, and `none` and `auto` name no device.
        let last = words
            .filter_map(|word| word.strip_prefix("resume=").or_else(|| word.strip_prefix("RESUME=")))
            .next_back();
        if let Some(device) = last.filter(|device| !matches!(*device, "" | "none" | "auto")) {
            settings.push(ResumeSetting {
                place,
                device: device.chars().take(200).collect(),
            });
        }
    }
    Ok(settings)
}

fn absent<T>(detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.to_owned(),
    })
}

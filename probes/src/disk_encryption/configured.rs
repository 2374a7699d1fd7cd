//! What `/etc/fstab` (fstab(5)) wants mounted and used as swap, beside what is in use.

use std::collections::BTreeSet;

use super::crypttab;
use super::facts::{Class, ConfiguredVolume, Encryption};
use super::filesystem::{self, Nature};
use super::stack::Below;
use super::survey::Survey;
use super::swaps::SwapArea;
use super::text::masked;
use super::volumes::encryption_of;
use crate::file_permissions::fstab::{self, Line};
use crate::probe::Known;
use crate::reading::{Kind, Unread};

const PATH: &str = "/etc/fstab";
const MAX_ENTRIES: usize = 1_000;
/// Tags of libblkid and where udev keeps links for them.
const TAGS: [(&str, &str); 5] = [
    ("UUID=", "/dev/disk/by-uuid/"),
    ("LABEL=", "/dev/disk/by-label/"),
    ("PARTUUID=", "/dev/disk/by-partuuid/"),
    ("PARTLABEL=", "/dev/disk/by-partlabel/"),
    ("ID=", "/dev/disk/by-id/"),
];

/// What was read before the devices were.
pub(super) struct Draft {
    entries: Vec<(ConfiguredVolume, Below)>,
}

impl Draft {
    /// Reads the file; `Ok(None)` if there is none. `areas`: swap in use, if that is known.
    pub(super) fn read(survey: &mut Survey<'_, '_>, areas: Option<&[SwapArea]>) -> Result<Option<Self>, Unread> {
        let Some(bytes) = survey.reading.file(PATH)? else {
            return Ok(None);
        };
        let malformed = |reason: String| Unread::Malformed {
            place: PATH.to_owned(),
            reason,
        };
        let (lines, incomplete) = fstab::parse(&bytes);
        if incomplete {
            return Err(malformed("a line has not the fields of an entry".to_owned()));
        }
        let mut draft = Self { entries: vec![] };
        for line in lines.iter().filter(|line| is_volume(line)) {
            if draft.entries.len() >= MAX_ENTRIES {
                return Err(malformed(format!("more than {MAX_ENTRIES} entries")));
            }
            draft.add(survey, line, areas);
        }
        Ok(Some(draft))
    }

    fn add(&mut self, survey: &mut Survey<'_, '_>, line: &Line, areas: Option<&[SwapArea]>) {
        let swap = line.filesystem == "swap";
        let named = below(survey, line);
        let (below, in_use) = match areas {
            _ if !swap => {
                let mounted = mounted(survey, line, &named);
                let in_use = mounted.is_some();
                (mounted.unwrap_or(named), Known::Observed(in_use))
            }
            Some(areas) => {
                let in_use = Known::Observed(swap_in_use(survey, areas, line, &named));
                (named, in_use)
            }
            None => (named, Known::absent("swap in use was not read")),
        };
        let class = if swap {
            Class::Swap
        } else {
            let read_only = line.has("ro");
            filesystem::class(&line.filesystem, read_only, &BTreeSet::from([line.path.clone()])).0
        };
        self.entries.push((
            ConfiguredVolume {
                device: masked(&line.source),
                mount_point: if swap { String::new() } else { masked(&line.path) },
                filesystem: line.filesystem.clone(),
                class,
                at_boot: !line.options.iter().any(|option| option == "noauto"),
                in_use,
                encryption: Encryption::Unknown,
                reason: String::new(),
            },
            below,
        ));
    }

    pub(super) fn judge(self, survey: &Survey<'_, '_>) -> Vec<ConfiguredVolume> {
        let judged = |(entry, below): (ConfiguredVolume, Below)| ConfiguredVolume {
            encryption: encryption_of(survey, &below),
            reason: match below {
                Below::Unknown(why) => why,
                _ => String::new(),
            },
            ..entry
        };
        self.entries.into_iter().map(judged).collect()
    }
}

/// Whether a line is about something that can lie on a disk of this host: no kernel interface, memory, other machine, nor
/// another place for what is mounted elsewhere.
fn is_volume(line: &Line) -> bool {
    let elsewhere = ["bind", "rbind"]
        .iter()
        .any(|option| line.options.iter().any(|own| own == option));
    let nature = Nature::of(&line.filesystem);
    !elsewhere
        && line.filesystem != "ignore"
        && !matches!(
            nature,
            Nature::Virtual | Nature::Memory | Nature::Remote | Nature::Overlay
        )
}

/// The device or file that a line names.
fn below(survey: &mut Survey<'_, '_>, line: &Line) -> Below {
    let source = line.source.as_str();
    if matches!(Nature::of(&line.filesystem), Nature::Zfs | Nature::Ecryptfs) {
        return Below::Unknown("it is not mounted, and its line names no device".to_owned());
    }
    let tag = TAGS
        .iter()
        .find_map(|(tag, folder)| Some((source.strip_prefix(tag)?, folder)));
    let path = match tag {
        Some((value, folder)) => format!("{folder}{}", value.trim_matches('"')),
        None => source.to_owned(),
    };
    if path.starts_with("/dev/") {
        return match survey.device_at(&path) {
            Below::Unknown(why) => match path.strip_prefix("/dev/mapper/") {
                Some(name) if crypttab::names(survey.reading, name) => {
                    Below::Unknown("it is not open; /etc/crypttab opens it".to_owned())
                }
                _ => Below::Unknown(why),
            },
            Below::Devices(_) if line.filesystem == "btrfs" => {
                Below::Unknown("it is not mounted, and may lie on more devices than its line names".to_owned())
            }
            below => below,
        };
    }
    // A swap file, or a file with a filesystem in it.
    match survey.reading.private_stat(&path, &masked(&path)) {
        Ok(Some(stat)) if stat.kind == Kind::File => survey.storage_of_file(&path),
        Ok(_) => Below::Unknown(format!("{} is neither a device nor a file here", masked(&path))),
        Err(unread) => Below::Unknown(unread.to_string()),
    }
}

/// What a line's filesystem lies on, if it is mounted there from what the line names: the mount knows of all its devices.
fn mounted(survey: &mut Survey<'_, '_>, line: &Line, named: &Below) -> Option<Below> {
    let mount = survey
        .mounts
        .mounts
        .iter()
        .rfind(|mount| mount.mount_point == line.path)?
        .clone();
    let below = survey.storage(&mount);
    let same = match (named, &below) {
        (Below::Devices(named), Below::Devices(all)) => named.iter().all(|name| all.contains(name)),
        _ => mount.source == line.source,
    };
    same.then_some(below)
}

/// `/proc/swaps` has the kernel's names, `/etc/fstab` any.
fn swap_in_use(survey: &mut Survey<'_, '_>, areas: &[SwapArea], line: &Line, below: &Below) -> bool {
    areas.iter().any(|area| {
        area.path == line.source
            || (!area.file && matches!(below, Below::Devices(_)) && survey.device_at(&area.path) == *below)
    })
}

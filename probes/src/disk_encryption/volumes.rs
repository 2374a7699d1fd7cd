//! From mounts and swap areas to volumes.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Class, Encryption, FullName, OtherFilesystem, Unresolved, Volume};
use super::filesystem::{self, Nature};
use super::mountinfo::{Mount, MountTable};
use super::stack::{Below, Stack, State};
use super::survey::Survey;
use super::swaps::SwapArea;
use super::text::masked;

use crate::order::Order as _;

/// Devices visited for the lists of disks of all volumes together; a host with thousands of volumes needs some tens of
/// thousands. It bounds work and size of the facts.
const MAX_VISITS: usize = 400_000;
/// Lines of a damaged file that are named; further ones are counted.
const MAX_LINES_NAMED: usize = 20;

/// A volume whose way down has yet to be judged.
pub(super) struct Draft {
    name: String,
    class: Class,
    class_reason: String,
    filesystem: String,
    mount_points: BTreeSet<String>,
    read_only: bool,
    below: Below,
}

/// Drafts, and what was told apart on the way.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) volumes: Vec<Draft>,
    pub(super) others: BTreeSet<OtherFilesystem>,
}

impl Drafts {
    /// Every mounted filesystem once.
    pub(super) fn mounts(&mut self, survey: &mut Survey<'_, '_>, table: &MountTable) {
        let mut filesystems: BTreeMap<(u32, u32), Vec<&Mount>> = BTreeMap::new();
        for mount in &table.mounts {
            filesystems.entry(mount.device).or_default().push(mount);
        }
        for mounts in filesystems.values() {
            if let Some(first) = mounts.first() {
                self.filesystem(survey, first, mounts);
            }
        }
    }

    fn filesystem(&mut self, survey: &mut Survey<'_, '_>, first: &Mount, mounts: &[&Mount]) {
        let nature = Nature::of(&first.filesystem);
        let mut other = |class| {
            let filesystem = first.filesystem.clone();
            self.others.insert(OtherFilesystem { filesystem, class });
        };
        if first.device.0 == 0 {
            match nature {
                Nature::Virtual => return other(Class::Virtual),
                Nature::Memory => return other(Class::Memory),
                _ => {}
            }
        }
        let below = survey.storage(first);
        if first.device.0 == 0 && nature == Nature::Overlay {
            match below {
                // Its layers lie on volumes that are listed themselves.
                Below::Devices(_) => return other(Class::Virtual),
                Below::Memory => return other(Class::Memory),
                _ => {}
            }
        }
        let mount_points: BTreeSet<String> = mounts.iter().map(|mount| mount.mount_point.clone()).collect();
        let (class, class_reason) = if below == Below::Remote {
            (Class::Remote, format!("{} keeps its data elsewhere", first.filesystem))
        } else {
            filesystem::class(&first.filesystem, first.read_only(), &mount_points)
        };
        let place = mount_points.first().map_or("", String::as_str);
        self.volumes.push(Draft {
            name: format!("{} at {place}", first.filesystem),
            class,
            class_reason,
            filesystem: first.filesystem.clone(),
            read_only: mounts.iter().all(|mount| mount.read_only()),
            mount_points,
            below,
        });
    }

    /// Every swap area.
    pub(super) fn swap(&mut self, survey: &mut Survey<'_, '_>, areas: &[SwapArea]) {
        for area in areas {
            let below = if area.file {
                survey.storage_of_file(&area.path)
            } else {
                survey.device_at(&area.path)
            };
            let kind = if area.file { "swap file" } else { "swap device" };
            self.volumes.push(Draft {
                name: area.path.clone(),
                below,
                ..Self::swap_of(kind)
            });
        }
    }

    /// Swap may be in use, and it is not known whether and where.
    pub(super) fn unknown_swap(&mut self, why: String) {
        self.volumes.push(Draft {
            name: "swap".to_owned(),
            below: Below::Unknown(why),
            ..Self::swap_of("swap in use was not read")
        });
    }

    fn swap_of(reason: &str) -> Draft {
        Draft {
            name: String::new(),
            class: Class::Swap,
            class_reason: reason.to_owned(),
            filesystem: "swap".to_owned(),
            mount_points: BTreeSet::new(),
            read_only: false,
            below: Below::Disk,
        }
    }

    /// Lines of the mount table that were not understood may stand for anything.
    pub(super) fn unknown_mounts(&mut self, path: &str, lines: &[usize]) {
        let named: Vec<String> = lines.iter().take(MAX_LINES_NAMED).map(ToString::to_string).collect();
        let more = lines.len().saturating_sub(named.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        self.volumes.push(Draft {
            name: format!("mounts in {path}"),
            class: Class::Data,
            class_reason: "a mount that was not understood may hold anything".to_owned(),
            filesystem: "unknown".to_owned(),
            mount_points: BTreeSet::new(),
            read_only: false,
            below: Below::Unknown(format!("{path}: not understood: line {}{more}", named.join(", "))),
        });
    }
}

/// The volumes, what stayed unresolved, the disks by kernel name, and what was masked.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) volumes: Vec<Volume>,
    pub(super) unresolved: Vec<Unresolved>,
    pub(super) disks: BTreeSet<String>,
    pub(super) names: Vec<FullName>,
}

/// Judges the drafts.
pub(super) fn judge(drafts: Vec<Draft>, survey: &Survey<'_, '_>) -> Judged {
    let nodes = survey
        .found
        .iter()
        .map(|(name, found)| (name.clone(), found.node.clone()))
        .collect();
    let mut stack = Stack::new(&nodes);
    let mut left = MAX_VISITS;
    let mut judged = Judged::default();
    let shown = |name: &String| {
        survey
            .found
            .get(name)
            .map_or_else(|| name.clone(), |found| found.name.clone())
    };
    for draft in drafts {
        let mut state = stack.judge(&draft.below);
        let reach = stack.reach(&draft.below, &mut left).unwrap_or_else(|| {
            left = 0;
            state = State::Unknown(format!("more than {MAX_VISITS} devices lie below the volumes"));
            super::stack::Reach::default()
        });
        let clear_path: Vec<String> = match state {
            State::Clear(_) => stack.clear_path(&draft.below).iter().map(shown).collect(),
            _ => vec![],
        };
        let mut devices: Vec<String> = match &draft.below {
            Below::Devices(names) => names.iter().map(shown).collect(),
            _ => vec![],
        };
        devices.order();
        let encrypted_by = sorted(reach.encrypting.iter().map(shown));
        let is_swap = draft.class == Class::Swap;
        let (encryption, reason) = match &draft.below {
            Below::Above(how) => (Encryption::Encrypted, format!("encrypted by {how}")),
            _ => verdict(&state, &encrypted_by, &clear_path),
        };
        let (class, class_reason) = match state {
            State::Memory => (Class::Memory, "all of it lies in memory".to_owned()),
            State::Remote if draft.class == Class::Data => (Class::Remote, "another machine keeps it".to_owned()),
            _ => (draft.class, draft.class_reason),
        };
        // A swap file lies on a device that has another name as a volume.
        let full_name = match devices.first() {
            Some(device) if !is_swap || draft.name.starts_with("/dev/") => device.clone(),
            _ => draft.name,
        };
        let name = match full_name.split_once(" at ") {
            Some((kind, place)) => format!("{kind} at {}", masked(place)),
            None => masked(&full_name),
        };
        if name != full_name {
            judged.names.push(FullName {
                name: name.clone(),
                full: full_name,
            });
        }
        let mut mount_points = BTreeSet::new();
        for point in draft.mount_points {
            let shown = masked(&point);
            if shown != point {
                judged.names.push(FullName {
                    name: name.clone(),
                    full: point,
                });
            }
            mount_points.insert(shown);
        }
        if encryption == Encryption::Unknown && !matches!(class, Class::Memory | Class::Remote) {
            judged.unresolved.push(Unresolved {
                volume: name.clone(),
                detail: reason.clone(),
            });
        }
        judged.disks.extend(reach.disks.iter().cloned());
        judged.volumes.push(Volume {
            name,
            class,
            class_reason,
            filesystem: draft.filesystem,
            mount_points: mount_points.into_iter().collect(),
            read_only: draft.read_only,
            encryption,
            reason,
            encrypted_by,
            clear_path,
            devices,
            disks: sorted(reach.disks.iter().map(shown)),
        });
    }
    judged.volumes.order();
    judged.unresolved.order();
    judged
}

/// Whether what lies on `below` is encrypted.
pub(super) fn encryption_of(survey: &Survey<'_, '_>, below: &Below) -> Encryption {
    let nodes = survey
        .found
        .iter()
        .map(|(name, found)| (name.clone(), found.node.clone()))
        .collect();
    let state = Stack::new(&nodes).judge(below);
    verdict(&state, &[], &[]).0
}

fn verdict(state: &State, encrypted_by: &[String], clear_path: &[String]) -> (Encryption, String) {
    match state {
        State::Encrypted => (
            Encryption::Encrypted,
            format!("every way to a disk crosses {}", encrypted_by.join(" or ")),
        ),
        State::Clear(_) => (
            Encryption::NotEncrypted,
            format!("{} crosses no encryption", clear_path.join(" > ")),
        ),
        State::Memory => (Encryption::Unknown, "lies in memory".to_owned()),
        State::Remote => (
            Encryption::Unknown,
            "stored elsewhere: not visible from here".to_owned(),
        ),
        State::Unknown(why) | State::Impossible(why) => (Encryption::Unknown, why.clone()),
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

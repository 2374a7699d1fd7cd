//! Reads the block stack from sysfs (`Documentation/ABI/stable/sysfs-block`), from volumes down to disks.

use std::collections::BTreeMap;

use super::above;
use super::facts::{DeviceKind, LayerKind};
use super::filesystem::Nature;
use super::mountinfo::{Mount, MountTable};
use super::stack::{Below, Node, Passage};
use super::text::masked;
use crate::order::Order as _;
use crate::reading::{Kind, Reading, Unread};

/// More block devices than a large host with thousands of logical units has. What lies beyond is not read and so
/// `unknown`; it bounds the work over a folder somebody made up.
const MAX_DEVICES: usize = 20_000;
/// Overlays on overlays: the kernel allows a depth of 2 (`FILESYSTEM_MAX_STACK_DEPTH`).
const MAX_OVERLAYS: u8 = 4;
/// The kernel allows 500 lower layers (`OVL_MAX_STACK`).
const MAX_LAYERS: usize = 501;

/// A block device as sysfs shows it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// As it is called under `/dev`, unless that could name a person.
    pub(super) name: String,
    /// The name in full, where `name` is not.
    pub(super) full_name: Option<String>,
    pub(super) kind: DeviceKind,
    pub(super) variant: String,
    pub(super) size_bytes: u64,
    /// Name of the mapping, for mapped devices.
    pub(super) mapping: Option<String>,
    /// How it encrypts, and the UUID of the LUKS header (32 hexadecimal digits) that the mapping names.
    pub(super) layer: Option<(LayerKind, String)>,
    pub(super) node: Node,
}

/// The devices found so far, and how to find more.
pub(super) struct Survey<'r, 'h> {
    pub(super) reading: &'r Reading<'h>,
    pub(super) mounts: &'r MountTable,
    /// By kernel name.
    pub(super) found: BTreeMap<String, Found>,
    open: Vec<String>,
    // Read once, since many mounts ask for the same.
    mappings: Option<Result<BTreeMap<String, String>, Unread>>,
    btrfs: Option<Result<Vec<Vec<String>>, Unread>>,
    pub(super) zfs: Option<Result<BTreeMap<String, String>, String>>,
    kinds: BTreeMap<String, Option<Kind>>,
}

impl<'r, 'h> Survey<'r, 'h> {
    pub(super) fn new(reading: &'r Reading<'h>, mounts: &'r MountTable) -> Self {
        Self {
            reading,
            mounts,
            found: BTreeMap::new(),
            open: vec![],
            mappings: None,
            btrfs: None,
            zfs: None,
            kinds: BTreeMap::new(),
        }
    }

    /// Where a mounted filesystem keeps its data. The devices named are read by [`Self::read_devices`].
    pub(super) fn storage(&mut self, mount: &Mount) -> Below {
        self.storage_of(mount, 0)
    }

    /// Reads all devices that were named, and those below them.
    pub(super) fn read_devices(&mut self) {
        while let Some(name) = self.open.pop() {
            if self.found.contains_key(&name) || self.found.len() >= MAX_DEVICES {
                continue;
            }
            let found = self.device(&name);
            if let Below::Devices(below) = &found.node.below {
                self.open.extend(below.iter().cloned());
            }
            self.found.insert(name, found);
        }
    }

    /// The device that a path under `/dev` names.
    pub(super) fn device_at(&mut self, path: &str) -> Below {
        let Some(name) = path.strip_prefix("/dev/") else {
            return Below::Unknown(format!("{} is not a path under /dev", masked(path)));
        };
        if let Some(mapping) = name.strip_prefix("mapper/") {
            return match self.mapped(mapping) {
                Ok(Some(name)) => self.devices(vec![name]),
                Ok(None) => Below::Unknown(format!("no mapped device is called {mapping}")),
                Err(unread) => Below::Unknown(unread.to_string()),
            };
        }
        let name = name.replace('/', "!");
        match self.reading.link(&format!("/sys/class/block/{name}")) {
            Ok(Some(_)) if is_name(&name) => return self.devices(vec![name]),
            Ok(_) => {}
            Err(unread) => return Below::Unknown(unread.to_string()),
        }
        // Another name for a device, such as /dev/vg0/home or /dev/disk/by-uuid/…
        match self.reading.stat(path) {
            Ok(Some(stat)) if stat.kind == Kind::Block => self.numbered(stat.device),
            Ok(_) => Below::Unknown(format!("{path} is no block device here")),
            Err(unread) => Below::Unknown(unread.to_string()),
        }
    }

    /// The storage of the filesystem on which a file lies.
    pub(super) fn storage_of_file(&mut self, path: &str) -> Below {
        self.storage_of_path(path, 0)
    }

    fn storage_of_path(&mut self, path: &str, depth: u8) -> Below {
        match self.mounts.of(path) {
            Some(mount) => self.storage_of(&mount.clone(), depth),
            None => Below::Unknown(format!("no mount holds {}", masked(path))),
        }
    }

    fn storage_of(&mut self, mount: &Mount, depth: u8) -> Below {
        if mount.device.0 != 0 {
            return self.numbered(mount.device);
        }
        match Nature::of(&mount.filesystem) {
            Nature::Virtual => Below::Unknown(format!("{} holds no files of its own", mount.filesystem)),
            Nature::Memory => Below::Memory,
            Nature::Remote => Below::Remote,
            Nature::Untraced(reason) => Below::Unknown(reason.to_owned()),
            Nature::Btrfs => self.btrfs(mount),
            Nature::Overlay => self.overlay(mount, depth),
            Nature::Ecryptfs => above::ecryptfs(mount),
            Nature::Zfs => {
                let reading = self.reading;
                above::zfs(self.zfs.get_or_insert_with(|| above::datasets(reading)), &mount.source)
            }
        }
    }

    fn devices(&mut self, mut names: Vec<String>) -> Below {
        names.order();
        names.dedup();
        self.open.extend(names.iter().cloned());
        Below::Devices(names)
    }

    pub(super) fn numbered(&mut self, (major, minor): (u32, u32)) -> Below {
        let path = format!("/sys/dev/block/{major}:{minor}");
        match self.reading.link(&path) {
            Ok(Some(target)) => match last_two(&target) {
                Some((_, name)) => self.devices(vec![name]),
                None => Below::Unknown(format!("{path} leads to {target:?}, which names no device")),
            },
            Ok(None) => Below::Unknown(format!("{path} is not there")),
            Err(unread) => Below::Unknown(unread.to_string()),
        }
    }

    /// Kernel name of the device with these numbers, if it was read.
    pub(super) fn kernel_name(&self, major: u32, minor: u32) -> Option<String> {
        let target = self.reading.link(&format!("/sys/dev/block/{major}:{minor}")).ok()??;
        let (_, name) = last_two(&target)?;
        self.found.contains_key(&name).then_some(name)
    }

    /// Kernel name of the mapped device with this name.
    pub(super) fn mapped(&mut self, mapping: &str) -> Result<Option<String>, Unread> {
        let reading = self.reading;
        let mappings = self.mappings.get_or_insert_with(|| mappings(reading));
        mappings
            .as_ref()
            .map(|names| names.get(mapping).cloned())
            .map_err(Clone::clone)
    }

    /// All devices of a btrfs.
    fn btrfs(&mut self, mount: &Mount) -> Below {
        let member = self.device_at(&mount.source);
        let reading = self.reading;
        let filesystems = match self.btrfs.get_or_insert_with(|| btrfs_devices(reading)) {
            Ok(filesystems) => filesystems,
            Err(unread) => return Below::Unknown(unread.to_string()),
        };
        let own = match (&member, filesystems.as_slice()) {
            (Below::Devices(names), all) => all
                .iter()
                .find(|devices| names.iter().any(|name| devices.contains(name))),
            // The source may be a name that is not there any more (/dev/root): a single filesystem is this one.
            (_, [only]) => Some(only),
            _ => None,
        };
        match own {
            Some(devices) if !devices.is_empty() => {
                let devices = devices.clone();
                self.devices(devices)
            }
            _ => Below::Unknown("its devices are not found in /sys/fs/btrfs".to_owned()),
        }
    }

    /// What the layers of an overlay lie on (overlayfs: `Documentation/filesystems/overlayfs.rst`). In a container the
    /// layers are out of sight.
    fn overlay(&mut self, mount: &Mount, depth: u8) -> Below {
        if depth >= MAX_OVERLAYS {
            return Below::Unknown(format!("more than {MAX_OVERLAYS} overlays lie on each other"));
        }
        let mut layers: Vec<String> = mount.option("upperdir").into_iter().collect();
        // `lowerdir+` and `datadir+` are how options set one by one are shown since Linux 6.8.
        for option in mount.options.split(',') {
            match option.split_once('=') {
                Some(("lowerdir", value)) => {
                    layers.extend(value.split(':').filter(|layer| !layer.is_empty()).map(str::to_owned));
                }
                Some(("lowerdir+" | "datadir+", value)) => layers.push(value.to_owned()),
                _ => {}
            }
        }
        if layers.is_empty() || layers.len() > MAX_LAYERS {
            return Below::Unknown(format!("an overlay of {} layers", layers.len()));
        }
        let (mut devices, mut memory) = (vec![], false);
        for layer in &layers {
            match self.overlay_layer(mount, layer, depth) {
                Below::Devices(names) => devices.extend(names),
                Below::Memory => memory = true,
                // Neither memory nor a disk, so that "all of it is there" cannot be said.
                other => return other,
            }
        }
        if devices.is_empty() && memory {
            return Below::Memory;
        }
        self.devices(devices)
    }

    fn overlay_layer(&mut self, overlay: &Mount, layer: &str, depth: u8) -> Below {
        let out_of_sight =
            || Below::Unknown("the layers of this overlay are out of sight, as in a container".to_owned());
        if !layer.starts_with('/') {
            return out_of_sight();
        }
        let real = match self.resolve(layer) {
            Ok(Some(real)) => real,
            Ok(None) => return out_of_sight(),
            Err(unread) => return Below::Unknown(unread.to_string()),
        };
        if self.mounts.of(&real).is_none_or(|mount| mount.device == overlay.device) {
            return out_of_sight();
        }
        self.storage_of_path(&real, depth + 1)
    }

    /// The path of a folder with its symbolic links resolved; `None` if it is not there.
    fn resolve(&mut self, path: &str) -> Result<Option<String>, Unread> {
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at: Vec<String> = vec![];
        // Twice the 40 links that the kernel follows, and PATH_MAX / 2 components.
        for _ in 0..2128 {
            let Some(part) = todo.pop() else {
                return Ok(Some(format!("/{}", at.join("/"))));
            };
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop();
                    continue;
                }
                _ => at.push(part),
            }
            let here = format!("/{}", at.join("/"));
            let kind = if let Some(kind) = self.kinds.get(&here) {
                *kind
            } else {
                let kind = self.reading.stat_link(&here)?.map(|stat| stat.kind);
                self.kinds.insert(here.clone(), kind);
                kind
            };
            match kind {
                Some(Kind::Folder) => {}
                Some(Kind::Link) => {
                    let Some(target) = self.reading.link(&here)? else {
                        return Ok(None);
                    };
                    at.pop();
                    if target.starts_with('/') {
                        at.clear();
                    }
                    todo.extend(target.split('/').rev().map(str::to_owned));
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// Kernel names of the mapped devices by the names of their mappings.
fn mappings(reading: &Reading<'_>) -> Result<BTreeMap<String, String>, Unread> {
    let mut names = BTreeMap::new();
    let entries = reading.list("/sys/class/block")?.unwrap_or_default();
    for entry in entries.into_iter().filter(|entry| entry.name.starts_with("dm-")) {
        if let Some(name) = reading.attribute(&format!("/sys/class/block/{}/dm/name", entry.name))? {
            names.insert(name, entry.name);
        }
    }
    Ok(names)
}

/// Kernel names of the devices of each mounted btrfs: `/sys/fs/btrfs/UUID/devices` (btrfs(5), "sysfs interface").
fn btrfs_devices(reading: &Reading<'_>) -> Result<Vec<Vec<String>>, Unread> {
    let mut filesystems = vec![];
    let all = reading.list("/sys/fs/btrfs")?.unwrap_or_default();
    // Beside the filesystems there is a folder `features`.
    for uuid in all.iter().filter(|entry| entry.name.len() == 36) {
        if let Some(devices) = reading.list(&format!("/sys/fs/btrfs/{}/devices", uuid.name))? {
            filesystems.push(devices.into_iter().map(|entry| entry.name).collect());
        }
    }
    Ok(filesystems)
}

/// A name as `/sys/class/block` can hold it.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains('/') && name.len() <= 255
}

/// The last two components of a link such as `../../devices/pci0000:00/…/block/sda/sda1`.
pub(super) fn last_two(target: &str) -> Option<(String, String)> {
    let mut parts = target.rsplit('/');
    let (name, parent) = (parts.next()?, parts.next()?);
    (is_name(name) && is_name(parent)).then(|| (parent.to_owned(), name.to_owned()))
}

impl Found {
    /// A device about which nothing more could be learnt.
    pub(super) fn unknown(kernel_name: &str, reason: String) -> Self {
        Self {
            name: kernel_name.replace('!', "/"),
            full_name: None,
            kind: DeviceKind::Unknown,
            variant: String::new(),
            size_bytes: 0,
            mapping: None,
            layer: None,
            node: Node {
                passage: Passage::Clear,
                below: Below::Unknown(reason),
            },
        }
    }
}

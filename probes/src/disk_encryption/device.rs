//! One block device: what it is and what lies right below it, by its folder in sysfs.

use super::facts::{DeviceKind, LayerKind};
use super::stack::{Below, Node, Passage};
use super::survey::{Found, Survey, is_name, last_two};
use super::text::{masked, unescape};
use crate::reading::{Kind, Unread};

impl Survey<'_, '_> {
    /// Reads the device; what could not be read makes it one of which nothing is known.
    pub(super) fn device(&mut self, kernel_name: &str) -> Found {
        self.try_device(kernel_name)
            .unwrap_or_else(|unread| Found::unknown(kernel_name, unread.to_string()))
    }

    fn try_device(&mut self, kernel_name: &str) -> Result<Found, Unread> {
        let folder = format!("/sys/class/block/{kernel_name}");
        let unknown = |reason: String| Found::unknown(kernel_name, reason);
        let Some(target) = self.reading.link(&folder)? else {
            return Ok(unknown(format!("{folder} is not there")));
        };
        let attribute = |name: &str| self.reading.attribute(&format!("{folder}/{name}"));
        let sectors = attribute("size")?.and_then(|size| size.parse::<u64>().ok());
        let mut found = Found {
            size_bytes: sectors.and_then(|sectors| sectors.checked_mul(512)).unwrap_or(0),
            ..unknown(String::new())
        };
        // Names are the kernel's own: a driver chooses them, no user.
        let (kind, below) = if attribute("partition")?.is_some() {
            let Some((parent, _)) = last_two(&target) else {
                return Ok(unknown(format!("{folder} leads to {target:?}, which names no disk")));
            };
            (DeviceKind::Partition, Below::Devices(vec![parent]))
        } else if kernel_name.starts_with("dm-") {
            return self.mapping(kernel_name, &folder, found);
        } else if let Some(level) = attribute("md/level")? {
            found.variant = level;
            (DeviceKind::Md, self.slaves(&folder)?)
        } else if kernel_name.starts_with("loop") {
            (DeviceKind::Loop, self.backing_file(&folder, &mut found.variant)?)
        } else if kernel_name.starts_with("zram") {
            (DeviceKind::Memory, self.zram(&folder)?)
        } else if kernel_name.starts_with("ram") {
            (DeviceKind::Memory, Below::Memory)
        } else if kernel_name.starts_with("bcache") {
            (DeviceKind::Bcache, self.slaves(&folder)?)
        } else if ["nbd", "rbd", "drbd"]
            .iter()
            .any(|driver| kernel_name.starts_with(driver))
        {
            let reason = format!("{kernel_name} is served by another machine or does not show what it lies on");
            (DeviceKind::Network, Below::Unknown(reason))
        } else {
            match self.slaves(&folder)? {
                Below::Devices(slaves) if slaves.is_empty() => self.disk(kernel_name, &folder)?,
                below => (DeviceKind::Unknown, below),
            }
        };
        found.kind = kind;
        found.node.below = below;
        Ok(found)
    }

    /// What has hardware (or a hypervisor) behind it has a `device` link.
    fn disk(&self, kernel_name: &str, folder: &str) -> Result<(DeviceKind, Below), Unread> {
        if self.reading.stat(&format!("{folder}/device"))?.is_some() {
            Ok((DeviceKind::Disk, Below::Disk))
        } else {
            let reason = format!("{kernel_name} shows neither hardware nor a device below it");
            Ok((DeviceKind::Unknown, Below::Unknown(reason)))
        }
    }

    fn slaves(&self, folder: &str) -> Result<Below, Unread> {
        let entries = self.reading.list(&format!("{folder}/slaves"))?.unwrap_or_default();
        let names = entries.into_iter().map(|entry| entry.name).filter(|name| is_name(name));
        Ok(Below::Devices(names.collect()))
    }

    /// A loop device: on from the file (`Documentation/ABI/testing/sysfs-block-loop`) or the device behind it.
    fn backing_file(&mut self, folder: &str, variant: &mut String) -> Result<Below, Unread> {
        let Some(file) = self.reading.attribute(&format!("{folder}/loop/backing_file"))? else {
            return Ok(Below::Unknown(format!("{folder} has no backing file")));
        };
        let file = unescape(file.as_bytes());
        *variant = masked(&file);
        match self.reading.stat(&file)?.map(|stat| stat.kind) {
            Some(Kind::File) => Ok(self.storage_of_file(&file)),
            Some(Kind::Block) => Ok(self.device_at(&file)),
            _ => Ok(Below::Unknown(format!(
                "{} is out of sight or was deleted",
                masked(&file)
            ))),
        }
    }

    /// zram writes idle pages to its backing device, if it has one (`Documentation/admin-guide/blockdev/zram.rst`).
    fn zram(&mut self, folder: &str) -> Result<Below, Unread> {
        match self.reading.attribute(&format!("{folder}/backing_dev"))? {
            Some(device) if device != "none" => Ok(self.device_at(&device)),
            _ => Ok(Below::Memory),
        }
    }

    fn mapping(&self, kernel_name: &str, folder: &str, mut found: Found) -> Result<Found, Unread> {
        let uuid = self
            .reading
            .attribute(&format!("{folder}/dm/uuid"))?
            .unwrap_or_default();
        let name = self
            .reading
            .attribute(&format!("{folder}/dm/name"))?
            .unwrap_or_default();
        let target = Target::of(&uuid);
        found.kind = target.kind();
        target.variant().clone_into(&mut found.variant);
        found.layer = target.layer();
        found.node = Node {
            passage: target.passage(),
            below: self.slaves(folder)?,
        };
        if !name.is_empty() {
            let full = format!("mapper/{name}");
            // systemd-homed calls the mapping of a home `home-USER`.
            if found.layer.is_some() && name.starts_with("home-") {
                found.full_name = Some(full);
                kernel_name.clone_into(&mut found.name);
            } else {
                found.name = full;
            }
            found.mapping = Some(name);
        }
        Ok(found)
    }
}

/// What the UUID of a mapping says. cryptsetup writes `CRYPT-TYPE-[UUID-]NAME` (`dm_prepare_uuid` in its sources), LVM
/// `LVM-…`, multipath-tools `mpath-…`, kpartx `partN-…`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Crypt(LayerKind, String),
    Opal(String),
    Plain(DeviceKind, &'static str),
    Other,
}

impl Target {
    fn of(uuid: &str) -> Self {
        const LAYERS: [(&str, LayerKind); 7] = [
            ("LUKS1-", LayerKind::Luks1),
            ("LUKS2-", LayerKind::Luks2),
            ("PLAIN-", LayerKind::Plain),
            ("BITLK-", LayerKind::Bitlocker),
            ("TCRYPT-", LayerKind::Tcrypt),
            ("FVAULT2-", LayerKind::Filevault2),
            ("LOOPAES-", LayerKind::Loopaes),
        ];
        if let Some(rest) = uuid.strip_prefix("CRYPT-") {
            if let Some(rest) = rest.strip_prefix("LUKS2-OPAL-") {
                return Self::Opal(header_uuid(rest));
            }
            for (prefix, kind) in LAYERS {
                if let Some(rest) = rest.strip_prefix(prefix) {
                    return Self::Crypt(kind, header_uuid(rest));
                }
            }
            return match rest.split('-').next() {
                Some("VERITY") => Self::Plain(DeviceKind::Verity, ""),
                Some("INTEGRITY") => Self::Plain(DeviceKind::Integrity, ""),
                _ => Self::Other,
            };
        }
        if uuid.starts_with("LVM-") {
            return Self::Plain(DeviceKind::Lvm, "");
        }
        if uuid.starts_with("mpath-") {
            return Self::Plain(DeviceKind::Multipath, "");
        }
        if uuid.starts_with("DMRAID-") {
            return Self::Plain(DeviceKind::Mapped, "dmraid");
        }
        let partition = uuid.strip_prefix("part").and_then(|rest| rest.split_once('-'));
        if partition.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) {
            return Self::Plain(DeviceKind::Partition, "");
        }
        Self::Other
    }

    const fn kind(&self) -> DeviceKind {
        match self {
            Self::Crypt(..) | Self::Opal(_) => DeviceKind::Encryption,
            Self::Plain(kind, _) => *kind,
            Self::Other => DeviceKind::Mapped,
        }
    }

    const fn variant(&self) -> &'static str {
        match self {
            Self::Opal(_) => "opal",
            Self::Plain(_, variant) => variant,
            Self::Crypt(..) | Self::Other => "",
        }
    }

    fn layer(&self) -> Option<(LayerKind, String)> {
        match self {
            Self::Crypt(kind, uuid) => Some((*kind, uuid.clone())),
            Self::Opal(uuid) => Some((LayerKind::Luks2Opal, uuid.clone())),
            Self::Plain(..) | Self::Other => None,
        }
    }

    fn passage(&self) -> Passage {
        match self {
            Self::Crypt(..) => Passage::Encrypts,
            Self::Opal(_) => Passage::Opaque(
                "LUKS2 with OPAL: unless its header shows software encryption, only the drive encrypts".to_owned(),
            ),
            Self::Plain(..) => Passage::Clear,
            Self::Other => Passage::Opaque("a mapped device of a kind that its UUID does not tell".to_owned()),
        }
    }
}

/// The 32 hexadecimal digits before the name, or nothing.
fn header_uuid(rest: &str) -> String {
    match rest.split_once('-') {
        Some((uuid, _)) if uuid.len() == 32 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            uuid.to_ascii_lowercase()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_uuid_of_a_mapping_says() {
        let hex = "0123456789abcdef0123456789abcdef";
        let crypt = |kind, uuid: &str| Target::Crypt(kind, uuid.to_owned());
        assert_eq!(
            Target::of(&format!("CRYPT-LUKS2-{hex}-root")),
            crypt(LayerKind::Luks2, hex)
        );
        assert_eq!(
            Target::of(&format!("CRYPT-LUKS1-{hex}-a-b")),
            crypt(LayerKind::Luks1, hex)
        );
        assert_eq!(Target::of("CRYPT-PLAIN-swap"), crypt(LayerKind::Plain, ""));
        assert_eq!(
            Target::of(&format!("CRYPT-LUKS2-OPAL-{hex}-x")),
            Target::Opal(hex.to_owned())
        );
        assert_eq!(Target::of("CRYPT-VERITY-root"), Target::Plain(DeviceKind::Verity, ""));
        assert_eq!(
            Target::of("CRYPT-INTEGRITY-x"),
            Target::Plain(DeviceKind::Integrity, "")
        );
        assert_eq!(Target::of("LVM-abc"), Target::Plain(DeviceKind::Lvm, ""));
        assert_eq!(Target::of("part1-mpath-3600"), Target::Plain(DeviceKind::Partition, ""));
        for other in [
            "",
            "CRYPT-",
            "CRYPT-SUBDEV-x",
            "CRYPT-TEMP-x",
            "crypt-LUKS2-x",
            "partition-x",
            "stratis-1-private",
        ] {
            assert_eq!(Target::of(other), Target::Other, "{other}");
        }
    }
}

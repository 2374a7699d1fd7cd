//! Builds the files by which a kernel shows a block stack, in the places and forms seen on Debian 12.

use std::fmt::Write;

use evidence::facts::FactsDocument;
use serde_json::Value;

use crate::disk_encryption::DiskEncryptionProbe;
use crate::reading::captured::Captured;
use crate::reading::{Kind, Stat, Unread};
use crate::registry::Registered;

pub(super) const LUKS1: &[u8] = include_bytes!("../../../fixtures/disk-encryption/luks1.header");
pub(super) const LUKS2: &[u8] = include_bytes!("../../../fixtures/disk-encryption/luks2.header");
pub(super) const UNDER_WAY: &[u8] =
    include_bytes!("../../../fixtures/disk-encryption/luks2-encryption-under-way.header");
pub(super) const LUKS1_UUID: &str = "68ef9062-3092-4a1a-aaa0-ef89bb70d8c2";
pub(super) const LUKS2_UUID: &str = "bd107dea-33cb-467d-8b73-ad82fea9313b";
pub(super) const UNDER_WAY_UUID: &str = "442a3b07-0f0e-4b3c-88d9-a377ffaa873b";

const SWAPS: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

/// A host with block devices, mounts and swap.
#[derive(Clone)]
pub(super) struct Tree {
    host: Captured,
    mounts: String,
    swaps: Option<String>,
    numbers: u32,
}

impl Tree {
    /// A kernel with nothing mounted but its own interfaces.
    pub(super) fn new() -> Self {
        let mounts = "22 26 0:20 / /sys rw - sysfs sysfs rw\n23 26 0:21 / /proc rw - proc proc rw\n\
                      24 26 0:5 / /dev rw - devtmpfs udev rw,size=1000k\n25 26 0:23 / /run rw - tmpfs tmpfs rw\n";
        Self {
            host: Captured::default()
                .folder("/sys/class/block")
                .folder("/sys/dev/block")
                .file("/proc/version", "Linux"),
            mounts: mounts.to_owned(),
            swaps: Some(SWAPS.to_owned()),
            numbers: 0,
        }
    }

    pub(super) fn with(mut self, change: impl FnOnce(Captured) -> Captured) -> Self {
        self.host = change(self.host);
        self
    }

    fn device(mut self, name: &str, place: &str, files: &[(&str, &str)]) -> Self {
        let folder = format!("/sys/devices/{place}");
        let number = number(name);
        self.host = self
            .host
            .folder(&folder)
            .link(&format!("/sys/class/block/{name}"), &format!("../../devices/{place}"))
            .link(&format!("/sys/dev/block/{number}"), &format!("../../devices/{place}"))
            .file(&format!("{folder}/size"), "2048\n");
        for (file, text) in files {
            self.host = self.host.file(&format!("{folder}/{file}"), format!("{text}\n"));
        }
        self
    }

    pub(super) fn disk(self, name: &str) -> Self {
        let place = format!("pci0000:00/0000:00:02.0/block/{name}");
        let mut tree = self.device(
            name,
            &place,
            &[("removable", "0"), ("device/model", "Model X"), ("wwid", "t10.1")],
        );
        tree.host = tree.host.folder(&format!("/sys/devices/{place}/slaves"));
        tree
    }

    /// A partition `sda1` of `sda`.
    pub(super) fn partition(self, name: &str) -> Self {
        let disk = name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let place = format!("pci0000:00/0000:00:02.0/block/{disk}/{name}");
        self.device(name, &place, &[("partition", "1")])
    }

    fn stacked(self, name: &str, files: &[(&str, &str)], slaves: &[&str]) -> Self {
        let place = format!("virtual/block/{name}");
        let mut tree = self.device(name, &place, files);
        tree.host = tree.host.folder(&format!("/sys/devices/{place}/slaves"));
        for slave in slaves {
            let link = format!("/sys/devices/{place}/slaves/{slave}");
            tree.host = tree.host.link(&link, &format!("/sys/class/block/{slave}"));
        }
        tree
    }

    pub(super) fn mapped(self, name: &str, mapping: &str, uuid: &str, slaves: &[&str]) -> Self {
        self.stacked(name, &[("dm/name", mapping), ("dm/uuid", uuid)], slaves)
    }

    /// An opened LUKS2 device with the header of the fixture.
    pub(super) fn luks2(self, name: &str, mapping: &str, on: &str) -> Self {
        let uuid = format!("CRYPT-LUKS2-{}-{mapping}", LUKS2_UUID.replace('-', ""));
        self.mapped(name, mapping, &uuid, &[on]).header(on, LUKS2)
    }

    pub(super) fn header(self, device: &str, bytes: &[u8]) -> Self {
        self.with(|host| host.file(&format!("/dev/{device}"), bytes))
    }

    pub(super) fn volume(self, name: &str, mapping: &str, on: &[&str]) -> Self {
        self.mapped(name, mapping, "LVM-a1b2c3d4", on)
    }

    pub(super) fn raid(self, name: &str, level: &str, members: &[&str]) -> Self {
        self.stacked(name, &[("md/level", level)], members)
    }

    pub(super) fn loop_over(self, name: &str, file: &str) -> Self {
        self.stacked(name, &[("loop/backing_file", file)], &[])
            .with(|host| host.file(file, ""))
    }

    pub(super) fn other(self, name: &str, files: &[(&str, &str)]) -> Self {
        self.stacked(name, files, &[])
    }

    /// Mounts a filesystem that lies on a device.
    pub(super) fn mount(self, device: &str, filesystem: &str, at: &str) -> Self {
        let number = number(device);
        self.mount_line(&format!(
            "{number} / {at} rw,relatime shared:1 - {filesystem} /dev/{device} rw"
        ))
    }

    /// Mounts by the rest of a line, after the two mount IDs.
    pub(super) fn mount_line(mut self, rest: &str) -> Self {
        self.numbers += 1;
        let id = 30 + self.numbers;
        let (id, parent) = if rest.contains(" / / ") || rest.contains(" /@rootfs / ") {
            (26, 1)
        } else {
            (id, 26)
        };
        let _ = writeln!(self.mounts, "{id} {parent} {rest}");
        self
    }

    pub(super) fn swap(mut self, path: &str, kind: &str) -> Self {
        let line = format!("{path}                               {kind}\t131068\t\t0\t\t-2\n");
        self.swaps.get_or_insert_default().push_str(&line);
        self
    }

    pub(super) fn swaps(mut self, text: Option<&str>) -> Self {
        self.swaps = text.map(str::to_owned);
        self
    }

    pub(super) fn documents(self) -> Vec<FactsDocument> {
        let mut host = self.host.file("/proc/1/mountinfo", self.mounts);
        if let Some(swaps) = self.swaps {
            host = host.file("/proc/swaps", swaps);
        }
        Registered::of::<DiskEncryptionProbe>().collect(&host)
    }

    pub(super) fn collect(self) -> Seen {
        let document = self.documents().remove(0);
        assert_eq!(document.outcome.as_str(), "observed", "{}", document.detail);
        document.to_bytes().expect("the facts can be written canonically");
        Seen(document.facts.unwrap())
    }
}

/// Device number by name, so that no test needs to choose one.
pub(super) fn number(name: &str) -> String {
    let sum = name
        .bytes()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("{}:{}", 8 + (sum >> 20) % 200, sum & 0xf_ffff)
}

pub(super) fn refused(path: &str) -> Unread {
    Unread::Denied { place: path.to_owned() }
}

pub(super) fn block_device() -> Stat {
    Stat {
        kind: Kind::Block,
        mode: 0o660,
        uid: 0,
        gid: 6,
        size: 0,
        mtime: 0,
        ctime: 0,
        device: (0, 0),
        inode: 0,
        attributes: crate::reading::Attributes::default(),
    }
}

/// Facts, with short ways to what the tests ask.
pub(super) struct Seen(pub(super) Value);

impl Seen {
    pub(super) fn volume(&self, name: &str) -> &Value {
        let volumes = self.0["volumes"].as_array().unwrap();
        let volume = volumes.iter().find(|volume| volume["name"] == name);
        volume.unwrap_or_else(|| panic!("no volume {name} in {volumes:#?}"))
    }

    pub(super) fn encryption(&self, name: &str) -> &str {
        self.volume(name)["encryption"].as_str().unwrap()
    }

    pub(super) fn class(&self, name: &str) -> &str {
        self.volume(name)["class"].as_str().unwrap()
    }

    pub(super) fn reason(&self, name: &str) -> &str {
        self.volume(name)["reason"].as_str().unwrap()
    }

    pub(super) fn layer(&self, name: &str) -> &Value {
        let layers = self.0["encryption_layers"].as_array().unwrap();
        layers
            .iter()
            .find(|layer| layer["name"] == name)
            .unwrap_or_else(|| panic!("no layer {name} in {layers:#?}"))
    }

    /// What a rule would ask: is every data volume and every swap area encrypted?
    pub(super) fn all_encrypted(&self) -> bool {
        let volumes = self.0["volumes"].as_array().unwrap();
        let mut asked = volumes
            .iter()
            .filter(|volume| volume["class"] == "data" || volume["class"] == "swap");
        asked.all(|volume| volume["encryption"] == "encrypted")
    }

    pub(super) fn unresolved(&self) -> usize {
        self.0["unresolved"].as_array().unwrap().len()
    }
}

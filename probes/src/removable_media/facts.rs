//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::modprobe::ModuleState;
use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Whether removable media can be used on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RemovableMedia {
    /// Modules of the kernel without which a kind of medium cannot be used.
    pub modules: Known<Vec<ModuleState>>,
    /// Authorisation of USB devices by the kernel.
    pub usb: Known<Usb>,
    /// Thunderbolt and USB4.
    pub thunderbolt: Known<Thunderbolt>,
    /// USBGuard; absent if it is not installed.
    pub usbguard: Known<UsbGuard>,
    /// Services that mount media by themselves or let users do so, and are installed.
    pub mounters: Known<Vec<UnitState>>,
    /// What GNOME does with media, as the administrator set it for all users; absent if dconf's profile `user` names no
    /// database of the system.
    pub gnome: Known<Gnome>,
    /// Removable block devices that are there, sorted by name; optical and card drives without a medium included.
    pub devices: Known<Vec<Device>>,
}

/// Authorisation of USB devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Usb {
    /// Host controllers.
    pub controllers: u64,
    /// `authorized_default` of the controllers, each value once: `0` none, `1` all, `2` built-in devices alone.
    pub authorized_default: Vec<String>,
}

/// Thunderbolt and USB4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Thunderbolt {
    /// Domains: host controllers.
    pub domains: u64,
    /// Security levels, each once: `none`, `user`, `secure`, `dponly`, `usbonly`, `nopcie`.
    pub security: Vec<String>,
    /// Whether an IOMMU keeps devices from reading all memory.
    pub dma_protection: bool,
}

/// USBGuard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UsbGuard {
    /// The service; left out if its unit is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<UnitState>,
    /// `ImplicitPolicyTarget`: what becomes of devices that no rule is about, `allow`, `block` or `reject`; empty if not
    /// set (`block`).
    pub implicit_policy_target: String,
    /// `PresentDevicePolicy`: what becomes of devices that are there when it starts; empty if not set
    /// (`apply-policy`).
    pub present_device_policy: String,
    /// `InsertedDevicePolicy`; empty if not set (`apply-policy`).
    pub inserted_device_policy: String,
    /// How many rules there are.
    pub rules: u64,
    /// How many of them allow.
    pub allow_rules: u64,
}

/// `org.gnome.desktop.media-handling` in the system's dconf databases; left out where not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gnome {
    /// `automount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automount: Option<bool>,
    /// `automount-open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automount_open: Option<bool>,
    /// `autorun-never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autorun_never: Option<bool>,
    /// Which of the three users cannot change, sorted.
    pub locked: Vec<String>,
    /// Whether a database is older than the files that it is made of, so that these may not hold yet, or was never made, so
    /// that its files count for nothing (`dconf update`).
    pub stale: bool,
}

/// A removable block device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Device {
    /// The kernel's name, for instance `sdb`.
    pub name: String,
    /// How it is connected.
    pub transport: Transport,
    /// Whether the drive says that its medium can be taken out.
    pub removable: bool,
    /// Bytes of the medium; 0 if none is in.
    pub bytes: u64,
    /// Whether the kernel lets nobody write to it.
    pub read_only: bool,
    /// Where it or its partitions are mounted, sorted.
    pub mounts: Vec<Mount>,
}

/// How a device is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// USB.
    Usb,
    /// SD and MMC cards.
    Mmc,
    /// FireWire.
    Firewire,
    /// An optical drive, however connected.
    Optical,
    /// A floppy drive.
    Floppy,
    /// Another.
    Other,
}

/// A mounted medium.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of mount(8), and rules ask for each by name"
)]
pub struct Mount {
    /// Filesystem, for instance `vfat`.
    pub filesystem: String,
    /// Whether programs on it cannot be run.
    pub noexec: bool,
    /// Whether set-user-ID on it has no effect.
    pub nosuid: bool,
    /// Whether devices on it have no effect.
    pub nodev: bool,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

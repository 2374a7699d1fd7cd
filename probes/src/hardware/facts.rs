//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;
pub use crate::software::products::{Installed, Undetermined};

/// What the host is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hardware {
    /// Board and enclosure; `absent` where the firmware tells nothing (SMBIOS).
    pub board: Known<Board>,
    /// Disks, real or of a hypervisor, sorted by name; without media of drives that are empty.
    pub disks: Known<Vec<Disk>>,
    /// RAID that the kernel makes (md), sorted by name.
    pub raid: Known<Vec<Raid>>,
    /// Who would be told of a failing RAID.
    pub raid_monitor: RaidMonitor,
    /// TPMs that the kernel drives, sorted by name.
    pub tpm: Known<Vec<Tpm>>,
    /// Memory controllers that report errors (EDAC), sorted by name; empty without ECC memory or without a driver for it.
    pub memory_controllers: Known<Vec<MemoryController>>,
    /// Batteries and UPSs that the kernel sees, sorted by name; without power adapters.
    pub power_supplies: Known<Vec<PowerSupply>>,
    /// The service processor (IPMI); `None` if the kernel drives none.
    pub service_processor: Known<Option<ServiceProcessor>>,
    /// Network and display devices on PCI, sorted by class, vendor and device.
    pub devices: Known<Vec<PciDevice>>,
    /// Firmware that the machine lists and that can be updated from here (ESRT), sorted; `absent` without such a table.
    pub firmware: Known<Vec<Firmware>>,
    /// Version of the first processor's microcode, as the kernel writes it; `absent` in most virtual machines.
    pub microcode: Known<String>,
    /// UPSs that the configuration of NUT's monitor or of apcupsd names; `absent` if there is none.
    pub ups_monitored: Known<u64>,
    /// Software that watches a UPS and is installed, sorted: `apcupsd`, `nut_client`, `nut_server`.
    pub ups_software: Vec<Installed>,
    /// Software of which it could not be found out whether it is installed.
    pub undetermined: Vec<Undetermined>,
}

/// Board and enclosure. An entry is `absent` if the firmware does not fill it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Board {
    /// Maker of the board.
    pub board_vendor: Known<String>,
    /// Model of the board.
    pub board_name: Known<String>,
    /// Version of the board.
    pub board_version: Known<String>,
    /// Serial number of the board.
    pub board_serial: Known<String>,
    /// Maker of the enclosure.
    pub chassis_vendor: Known<String>,
    /// Version of the enclosure.
    pub chassis_version: Known<String>,
    /// Serial number of the enclosure.
    pub chassis_serial: Known<String>,
    /// The owner's tag of the enclosure.
    pub chassis_asset_tag: Known<String>,
    /// Family of the model.
    pub product_family: Known<String>,
    /// Number by which the model is ordered.
    pub product_sku: Known<String>,
    /// Release of the firmware.
    pub firmware_release: Known<String>,
    /// Release of the embedded controller's firmware.
    pub controller_release: Known<String>,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Disk {
    /// The kernel's name.
    pub name: String,
    /// Maker, as far as it tells.
    pub vendor: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Revision of its firmware.
    pub firmware: Option<String>,
    /// How it is attached.
    pub transport: Transport,
    /// Whether it says that it turns; disks of hypervisors mostly say so.
    pub rotational: Option<bool>,
    /// Whether its medium can be taken out.
    pub removable: Option<bool>,
    /// Bytes.
    pub size_bytes: u64,
}

/// How a disk is attached, by its place in the tree of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// ATA, SATA.
    Ata,
    /// iSCSI.
    Iscsi,
    /// Fibre Channel.
    FibreChannel,
    /// SD and MMC.
    Mmc,
    /// NVMe.
    Nvme,
    /// SAS.
    Sas,
    /// SCSI that is none of the others, RAID controllers among it.
    Scsi,
    /// USB.
    Usb,
    /// virtio of a hypervisor.
    Virtio,
    /// Xen.
    Xen,
    /// Hyper-V.
    Hyperv,
    /// Another.
    Other,
}

/// RAID that the kernel makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Raid {
    /// The kernel's name, for instance `md0`.
    pub name: String,
    /// `raid1`, `raid5` and so on.
    pub level: String,
    /// Disks that it ought to have.
    pub disks: Option<u64>,
    /// Disks that are missing; `None` for levels without redundancy.
    pub missing: Option<u64>,
    /// Whether disks are missing; `None` for levels without redundancy.
    pub degraded: Option<bool>,
    /// Whether it is being rebuilt; a check that runs by the calendar is none.
    pub rebuilding: bool,
}

/// Who would be told of a failing RAID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RaidMonitor {
    /// Whether mdadm.conf names an address (`MAILADDR`) or a program (`PROGRAM`); `absent` without the file.
    pub recipient_set: Known<bool>,
    /// mdadm's monitor, as far as there is one; empty if no file of mdadm's is there.
    pub units: Known<Vec<UnitState>>,
}

/// A TPM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tpm {
    /// The kernel's name.
    pub name: String,
    /// 1 or 2; `None` where the kernel (before 5.5) does not tell.
    pub version: Option<u64>,
}

/// A memory controller that reports errors. Counters begin anew when the host is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemoryController {
    /// Its name.
    pub name: String,
    /// Whether errors were corrected since the start; `None` if it does not tell.
    pub corrected_errors: Option<bool>,
    /// Whether there were errors that could not be corrected.
    pub uncorrected_errors: Option<bool>,
}

/// A battery or UPS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PowerSupply {
    /// The kernel's name.
    pub name: String,
    /// `Battery`, `UPS`, `Wireless`, as the kernel writes it.
    pub kind: String,
    /// Whether it feeds the whole host (`System`) or a part of it (`Device`, for instance a mouse).
    pub scope: Option<String>,
    /// Maker.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
}

/// A service processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceProcessor {
    /// Revision of its firmware.
    pub firmware: Option<String>,
    /// Version of IPMI.
    pub ipmi_version: Option<String>,
    /// Number of its maker (IANA enterprise number), as the kernel writes it.
    pub manufacturer_id: Option<String>,
}

/// A device on PCI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PciDevice {
    /// Class, six hexadecimal digits: 02 are network devices, 03 display devices.
    pub class: String,
    /// Vendor, four hexadecimal digits.
    pub vendor: String,
    /// Device, four hexadecimal digits.
    pub device: String,
}

/// An entry of the table of firmware.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Firmware {
    /// What it belongs to, a GUID.
    pub class: String,
    /// Its version.
    pub version: u64,
    /// The lowest version that the machine takes.
    pub lowest_supported: Option<u64>,
    /// How the last attempt to update it ended: 0 well (UEFI, *ESRT*).
    pub last_attempt_status: Option<u64>,
}

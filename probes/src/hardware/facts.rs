//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// The machine's parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hardware {
    /// Board, chassis and firmware, as the firmware tells; absent on machines without DMI.
    pub board: Known<Board>,
    /// Disks, sorted by name; without loop devices, RAM disks, optical drives and what is put together from other disks.
    pub disks: Known<Vec<Disk>>,
    /// Trusted platform modules, sorted by name; empty if there is none.
    pub tpms: Known<Vec<Tpm>>,
    /// Memory with error correction; absent if the kernel watches none.
    pub memory: Known<Memory>,
    /// RAID arrays of the kernel, sorted by name.
    pub raid: Known<Vec<Array>>,
    /// Kinds of power supplies that the kernel knows: `battery`, `mains`, `ups`, `usb`, `wireless`; sorted, each once.
    pub power: Known<Vec<String>>,
}

/// Board, chassis and firmware. Left out: what the firmware does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Board {
    /// Who made the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_vendor: Option<String>,
    /// Its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Who made the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board_vendor: Option<String>,
    /// The board's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// Number of the chassis' kind (SMBIOS, *System Enclosure or Chassis Types*): 3 desktop, 9 and 10 portable, 17 and 23
    /// server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chassis_type: Option<u64>,
    /// Who made the firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_vendor: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// Its date as it is written, mostly month/day/year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_date: Option<String>,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Disk {
    /// Name in `/sys/block`, for instance `nvme0n1`.
    pub name: String,
    /// Model; left out if not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Serial number; absent if the kernel does not tell.
    pub serial: Known<String>,
    /// Version of its firmware; left out if not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Whether it turns; left out if not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotational: Option<bool>,
    /// Whether its medium can be taken out.
    pub removable: bool,
}

/// A trusted platform module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tpm {
    /// For instance `tpm0`.
    pub name: String,
    /// Major version of the specification: 1 or 2; left out if the kernel does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// Memory with error correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Memory {
    /// How many controllers are watched.
    pub controllers: u64,
    /// Whether errors were corrected since the kernel started.
    pub corrected_errors: bool,
    /// Whether errors could not be corrected since then.
    pub uncorrected_errors: bool,
}

/// A RAID array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Array {
    /// For instance `md0`.
    pub name: String,
    /// For instance `raid1`.
    pub level: String,
    /// Whether members are missing; left out for levels without redundancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<bool>,
}

//! What the probe tells.

use evidence::Digest;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Which host this is, on what it runs, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HostFacts {
    /// The name that the kernel has (uname(2), `nodename`).
    pub hostname: Known<String>,
    /// The name that it is given at boot (hostname(5), `/etc/hostname`); `absent` if none is set there.
    pub static_hostname: Known<String>,
    /// SHA-256 of the machine id, its 32 hexadecimal digits without line end: machine-id(5) asks not to show the id
    /// itself. Two hosts with the same value are copies of one installation.
    pub machine_id_sha256: Known<Digest>,
    /// What the firmware says (SMBIOS); `absent` where there is none, as in most containers and on many ARM boards.
    pub hardware: Known<Hardware>,
    /// The hypervisor, by the names of systemd-detect-virt(1) (`kvm`, `amazon`, `vmware`, `microsoft`, `xen`, …);
    /// `vm-other` for an unknown one, `none` if nothing tells of one.
    pub virtual_machine: Known<String>,
    /// The container manager, by the names of systemd-detect-virt(1) (`docker`, `podman`, `lxc`, `systemd-nspawn`, …);
    /// `container-other` for an unknown one, `none` if nothing tells of one.
    pub container: Known<String>,
    /// Processor and memory.
    pub resources: Known<Resources>,
    /// Network interfaces that are devices or have an address of more than link scope, sorted by name; the loopback
    /// interface is left out.
    pub interfaces: Known<Vec<NetworkInterface>>,
    /// Time zone by its name in the IANA database, for instance `Europe/Berlin` (localtime(5)); `UTC` if
    /// `/etc/localtime` is not there.
    pub timezone: Known<String>,
    /// Process 1: `systemd` if the host was booted with it (sd_booted(3)), else the name of its program.
    pub init: Known<String>,
}

/// What the firmware says. An entry is `absent` if the firmware does not fill it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hardware {
    /// Maker of the machine, or of the hypervisor.
    pub vendor: Known<String>,
    /// Model.
    pub product: Known<String>,
    /// Version of the model.
    pub product_version: Known<String>,
    /// Serial number of the machine; only root may read it.
    pub serial: Known<String>,
    /// UUID of the machine, lower case; only root may read it.
    pub uuid: Known<String>,
    /// Kind of enclosure, as the number in SMBIOS (DSP0134, 7.4.1): 3 desktop, 9 laptop, 10 notebook, 23 rack mount.
    pub chassis_type: Known<String>,
    /// Maker of the firmware.
    pub firmware_vendor: Known<String>,
    /// Version of the firmware.
    pub firmware_version: Known<String>,
    /// Date of the firmware, as its maker writes it (mostly `MM/DD/YYYY`).
    pub firmware_date: Known<String>,
}

/// Processor and memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resources {
    /// Model of the (first) processor; empty if it does not say.
    pub cpu_model: String,
    /// Logical processors.
    pub cpus: u32,
    /// Memory that the kernel manages (`MemTotal` of `/proc/meminfo`, proc(5)), bytes, rounded up to a multiple of 64 MiB.
    pub memory_bytes: u64,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NetworkInterface {
    /// Its name.
    pub name: String,
    /// Hardware address, lower case; empty if it has none.
    pub mac: String,
    /// Whether a device stands behind it, real or of the hypervisor; false for bridges, tunnels and the like.
    pub device: bool,
    /// Addresses with prefix length, sorted, for instance `192.0.2.7/24`; without IPv6 addresses that the host changes
    /// by itself (temporary ones, RFC 8981) and without addresses of link scope.
    pub addresses: Vec<String>,
}

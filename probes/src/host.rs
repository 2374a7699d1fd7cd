//! # What
//! Which host this is (names, machine id, hardware), what it runs on (hypervisor, container, processor, memory), its
//! network addresses, time zone and init system.
//!
//! # Source
//! `/proc/sys/kernel/hostname`, hostname(5), machine-id(5), `/sys/class/dmi/id` (kernel
//! `Documentation/ABI/testing/sysfs-firmware-dmi-entries`, DMTF DSP0134), systemd-detect-virt(1) and systemd's
//! `src/basic/virt.c` for what tells a hypervisor or container, proc_net_if_inet6 (kernel `net/ipv6/addrconf.c`),
//! localtime(5), sd_booted(3).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for serial number and UUID.
//!
//! # Bears on
//! A.5.9 (inventory of assets): identity of the host; A.8.1 (endpoint devices): kind of machine.
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod network;
mod virtualization;

use evidence::Digest;
use evidence::facts::{Origin, Outcome};

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Kind, Reading, Unread};

/// The probe.
pub struct HostProbe;

impl Probe for HostProbe {
    const SPEC: Spec = Spec {
        id: "host",
        version: 2,
        title: "Which host this is: names, hardware, hypervisor or container, network addresses",
        reads: &[
            "/proc/sys/kernel/hostname",
            "/proc/sys/kernel/osrelease",
            "/etc/hostname",
            "/etc/machine-id",
            "/etc/localtime",
            "/etc/timezone",
            "/sys/class/dmi/id/",
            "/sys/class/net/",
            "/sys/hypervisor/type",
            "/proc/xen/capabilities",
            "/proc/vz",
            "/proc/bc",
            "/proc/cpuinfo",
            "/proc/device-tree/hypervisor/compatible",
            "/proc/net/if_inet6",
            "/proc/1/comm",
            "/proc/1/environ",
            "/run/systemd/",
            "/run/host/container-manager",
            "/.dockerenv",
            "/run/.containerenv",
            "processors, memory and interfaces, as the kernel lists them",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/hostname", "/etc/machine-id", "/etc/localtime"],
        budget: Budget {
            millis: 5_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether another host claims the same names; names and addresses are what this host believes.",
            "A hypervisor or container manager that hides itself: `none` means that nothing told of one.",
            "Who owns the host and what it is for.",
        ],
    };

    type Facts = HostFacts;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<HostFacts, NoNames>, ProbeError> {
        let inventory = reading.inventory();
        let (resources, interfaces) = match inventory {
            Ok(found) => (
                Known::Observed(Resources {
                    cpu_model: found.cpu_model,
                    cpus: found.cpus,
                    memory_bytes: found.memory_bytes.div_ceil(MEMORY_STEP).saturating_mul(MEMORY_STEP),
                }),
                known(network::interfaces(reading, found.interfaces)),
            ),
            Err(unread) => (Known::unread(&unread), Known::unread(&unread)),
        };
        Ok(Collected::facts(HostFacts {
            hostname: attribute(reading, "/proc/sys/kernel/hostname"),
            static_hostname: static_hostname(reading),
            machine_id_sha256: machine_id(reading),
            hardware: hardware(reading),
            virtual_machine: virtualization::virtual_machine(reading),
            container: virtualization::container(reading),
            resources,
            interfaces,
            timezone: timezone(reading),
            init: init(reading),
        }))
    }
}

/// How much of the memory a kernel keeps for itself differs by a few pages from one boot to the next, and is told nowhere that
/// a plain user may read: the whole step above is the same after every boot, and nearer to what the machine has.
const MEMORY_STEP: u64 = 64 * 1024 * 1024;

fn known<T>(read: Result<T, Unread>) -> Known<T> {
    match read {
        Ok(value) => Known::Observed(value),
        Err(unread) => Known::unread(&unread),
    }
}

fn absent<T>(detail: impl Into<String>) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.into(),
    })
}

/// A text of one line; `absent` also if there is nothing in it.
fn attribute(reading: &Reading<'_>, path: &str) -> Known<String> {
    match reading.attribute(path) {
        Ok(Some(text)) if !text.trim().is_empty() => Known::Observed(text.trim().to_owned()),
        Ok(Some(_)) => absent(format!("{path} is empty")),
        Ok(None) => absent(format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

/// hostname(5): one line; comments and empty lines are skipped.
fn static_hostname(reading: &Reading<'_>) -> Known<String> {
    let text = match reading.text("/etc/hostname") {
        Ok(Some(text)) => text,
        Ok(None) => return absent("/etc/hostname is not there"),
        Err(unread) => return Known::unread(&unread),
    };
    let name = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    name.map_or_else(
        || absent("/etc/hostname names nothing"),
        |name| Known::Observed(name.to_owned()),
    )
}

/// machine-id(5): 32 hexadecimal digits, lower case. Empty or `uninitialized` before the first boot of an image.
fn machine_id(reading: &Reading<'_>) -> Known<Digest> {
    const PATH: &str = "/etc/machine-id";
    // No digest of the file: it would be a second name for the id.
    let bytes = match reading.private(PATH, PATH) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return absent(format!("{PATH} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let id = bytes.trim_ascii();
    match id {
        b"" | b"uninitialized" => absent(format!("{PATH} holds no id yet")),
        _ if id.len() == 32 && id.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => {
            Known::Observed(Digest::of(id))
        }
        _ => {
            reading.mark(Origin::Path(PATH.to_owned()), Outcome::Malformed);
            Known::Not(NotKnown {
                outcome: Outcome::Malformed,
                detail: format!("{PATH}: not 32 hexadecimal digits in lower case"),
            })
        }
    }
}

fn hardware(reading: &Reading<'_>) -> Known<Hardware> {
    const FOLDER: &str = "/sys/class/dmi/id";
    match reading.list(FOLDER) {
        Ok(Some(_)) => {}
        Ok(None) => return absent(format!("{FOLDER} is not there")),
        Err(unread) => return Known::unread(&unread),
    }
    let entry = |name: &str| attribute(reading, &format!("{FOLDER}/{name}"));
    let uuid = match entry("product_uuid") {
        Known::Observed(uuid) => Known::Observed(uuid.to_ascii_lowercase()),
        not @ Known::Not(_) => not,
    };
    Known::Observed(Hardware {
        vendor: entry("sys_vendor"),
        product: entry("product_name"),
        product_version: entry("product_version"),
        serial: entry("product_serial"),
        uuid,
        chassis_type: entry("chassis_type"),
        firmware_vendor: entry("bios_vendor"),
        firmware_version: entry("bios_version"),
        firmware_date: entry("bios_date"),
    })
}

/// localtime(5): a link below `/usr/share/zoneinfo`; UTC if there is none.
fn timezone(reading: &Reading<'_>) -> Known<String> {
    const PATH: &str = "/etc/localtime";
    let target = match reading.stat_link(PATH) {
        Ok(None) => return Known::Observed("UTC".to_owned()),
        Ok(Some(stat)) if stat.kind == Kind::Link => reading.link(PATH),
        // A copy of a zone's file does not tell its name; Debian keeps that beside it.
        Ok(Some(_)) => return attribute(reading, "/etc/timezone"),
        Err(unread) => return Known::unread(&unread),
    };
    let target = match target {
        Ok(target) => target.unwrap_or_default(),
        Err(unread) => return Known::unread(&unread),
    };
    let Some((_, zone)) = target.split_once("/zoneinfo/") else {
        return Known::Not(NotKnown {
            outcome: Outcome::Unsupported,
            detail: format!("{PATH} leads to {target:?}, which names no time zone"),
        });
    };
    let zone = zone
        .strip_prefix("posix/")
        .or_else(|| zone.strip_prefix("right/"))
        .unwrap_or(zone);
    Known::Observed(zone.to_owned())
}

/// sd_booted(3), else the name of process 1.
fn init(reading: &Reading<'_>) -> Known<String> {
    match reading.stat("/run/systemd/system") {
        Ok(Some(_)) => Known::Observed("systemd".to_owned()),
        Ok(None) => attribute(reading, "/proc/1/comm"),
        Err(unread) => Known::unread(&unread),
    }
}

#[cfg(test)]
mod tests;

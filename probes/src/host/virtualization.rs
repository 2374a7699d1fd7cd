//! What tells of a hypervisor or of a container. Names, tables and order follow systemd's `src/basic/virt.c`, which
//! also asks the processor; here the kernel's word for that is taken (`hypervisor` in `/proc/cpuinfo`).

use evidence::facts::Outcome;

use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

/// Strings of the firmware, the model before its maker so that KVM is seen over QEMU.
const FIRMWARE: [&str; 5] = [
    "/sys/class/dmi/id/product_name",
    "/sys/class/dmi/id/sys_vendor",
    "/sys/class/dmi/id/board_vendor",
    "/sys/class/dmi/id/bios_vendor",
    "/sys/class/dmi/id/product_version",
];

/// How such strings begin.
const FIRMWARE_NAMES: [(&str, &str); 16] = [
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("KubeVirt", "kvm"),
    ("Amazon EC2", "amazon"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Apple Virtualization", "apple"),
    ("Google Compute Engine", "google"),
];

/// Enough of `/proc/cpuinfo` for the first processor, whose flags take 2 kB on the longest lists.
const FIRST_PROCESSOR: usize = 8 * 1024;

/// What the kernel says of the processor.
enum Processor {
    /// x86, with or without the flag of a hypervisor.
    Flags { hypervisor: bool },
    /// User Mode Linux.
    UserMode,
    /// Says nothing of hypervisors.
    Silent,
    /// `/proc/cpuinfo` is not there, as under another root.
    Unseen,
}

/// The hypervisor beneath the host.
pub(super) fn virtual_machine(reading: &Reading<'_>) -> Known<String> {
    match find_virtual_machine(reading) {
        Ok(Some(name)) => Known::Observed(name.to_owned()),
        Ok(None) => nothing_tells("/proc/cpuinfo"),
        Err(unread) => Known::unread(&unread),
    }
}

/// `None` if nothing is there that could tell.
fn find_virtual_machine(reading: &Reading<'_>) -> Result<Option<&'static str>, Unread> {
    let processor = processor(reading)?;
    let bare = matches!(processor, Processor::Flags { hypervisor: false });
    match by_firmware(reading)? {
        // The machines that these two rent out whole carry the same strings.
        Some("amazon" | "google") if bare => return Ok(Some("none")),
        Some(name) => return Ok(Some(name)),
        None => {}
    }
    if matches!(processor, Processor::UserMode) {
        return Ok(Some("uml"));
    }
    if reading.attribute("/sys/hypervisor/type")?.as_deref() == Some("xen") {
        // The first domain is the machine itself.
        let capabilities = reading.attribute("/proc/xen/capabilities")?;
        let first = capabilities.is_some_and(|capabilities| capabilities.contains("control_d"));
        return Ok(Some(if first { "none" } else { "xen" }));
    }
    let compatible = reading.attribute("/proc/device-tree/hypervisor/compatible")?;
    if let Some(compatible) = compatible {
        return Ok(Some(match compatible.trim_end_matches('\0') {
            "linux,kvm" => "kvm",
            "xen" => "xen",
            compatible if compatible.contains("vmware") => "vmware",
            _ => "vm-other",
        }));
    }
    Ok(match processor {
        Processor::Flags { hypervisor: true } => Some("vm-other"),
        Processor::Unseen => None,
        _ => Some("none"),
    })
}

fn nothing_tells(place: &str) -> Known<String> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: format!("nothing tells, and {place} is not there"),
    })
}

fn by_firmware(reading: &Reading<'_>) -> Result<Option<&'static str>, Unread> {
    for path in FIRMWARE {
        let Some(text) = reading.attribute(path)? else { continue };
        let found = FIRMWARE_NAMES.iter().find(|(start, _)| text.starts_with(start));
        if let Some((_, name)) = found {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn processor(reading: &Reading<'_>) -> Result<Processor, Unread> {
    let Some(bytes) = reading.bytes_at("/proc/cpuinfo", 0, FIRST_PROCESSOR)? else {
        return Ok(Processor::Unseen);
    };
    let text = String::from_utf8_lossy(&bytes);
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        match key.trim_end() {
            "flags" => {
                let hypervisor = value.split_ascii_whitespace().any(|flag| flag == "hypervisor");
                return Ok(Processor::Flags { hypervisor });
            }
            "vendor_id" if value.trim() == "User Mode Linux" => return Ok(Processor::UserMode),
            _ => {}
        }
    }
    Ok(Processor::Silent)
}

/// The manager of the container in which the host runs.
pub(super) fn container(reading: &Reading<'_>) -> Known<String> {
    match find_container(reading) {
        Ok(name) => Known::Observed(name.to_owned()),
        Err(NotFound::Unread(unread)) => Known::unread(&unread),
        Err(NotFound::NothingThere) => nothing_tells("/proc/1/environ"),
    }
}

enum NotFound {
    Unread(Unread),
    NothingThere,
}

impl From<Unread> for NotFound {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

fn find_container(reading: &Reading<'_>) -> Result<&'static str, NotFound> {
    let release = reading.attribute("/proc/sys/kernel/osrelease")?.unwrap_or_default();
    if release.contains("Microsoft") || release.contains("WSL") {
        return Ok("wsl");
    }
    if reading.stat("/proc/vz")?.is_some() && reading.stat("/proc/bc")?.is_none() {
        return Ok("openvz");
    }
    for path in ["/run/host/container-manager", "/run/systemd/container"] {
        if let Some(name) = reading.attribute(path)?.filter(|name| !name.is_empty()) {
            return by_files(reading, &name);
        }
    }
    // The environment holds secrets: nothing of it but this one name leaves the host.
    let environment = reading.private("/proc/1/environ", "/proc/1/environ");
    if let Ok(Some(bytes)) = &environment {
        let name = bytes
            .split(|byte| *byte == 0)
            .find_map(|entry| entry.strip_prefix(b"container="));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            return by_files(reading, &String::from_utf8_lossy(name));
        }
    }
    match by_files(reading, "oci")? {
        "container-other" => {}
        name => return Ok(name),
    }
    match environment {
        Ok(Some(_)) => Ok("none"),
        // systemd as process 1 writes the file looked for above whenever it finds itself in a container.
        _ if reading.stat("/run/systemd/system")?.is_some() => Ok("none"),
        Ok(None) => Err(NotFound::NothingThere),
        Err(unread) => Err(unread.into()),
    }
}

/// The name as systemd-detect-virt(1) has it. `oci` is what several runtimes say; then files tell them apart.
fn by_files(reading: &Reading<'_>, name: &str) -> Result<&'static str, NotFound> {
    const NAMES: [&str; 8] = [
        "systemd-nspawn",
        "lxc-libvirt",
        "lxc",
        "docker",
        "podman",
        "rkt",
        "proot",
        "pouch",
    ];
    if name != "oci" {
        return Ok(NAMES
            .into_iter()
            .find(|known| *known == name)
            .unwrap_or("container-other"));
    }
    if reading.stat("/run/.containerenv")?.is_some() {
        return Ok("podman");
    }
    if reading.stat("/.dockerenv")?.is_some() {
        return Ok("docker");
    }
    Ok("container-other")
}

//! Processor, memory and network interfaces, which have no single file: by sysinfo.

use probes::reading::{Interface, Inventory, Unread};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, Networks, System};

use super::failed;

/// The inventory of the machine that the agent runs on.
pub(super) fn inventory() -> Result<Inventory, Unread> {
    let wrong = |error: sysinfo::Error| failed("inventory", error.to_string());
    // Piece by piece: a system "with everything" would walk all processes and disks.
    let mut system = System::new().map_err(wrong)?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    system.refresh_cpu_list(CpuRefreshKind::nothing());
    let networks = Networks::new_with_refreshed_list().map_err(wrong)?;
    let mut interfaces: Vec<_> = networks
        .iter()
        .map(|(name, data)| interface(&name.to_string_lossy(), data))
        .collect();
    interfaces.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Inventory {
        cpu_model: system
            .cpus()
            .first()
            .map(|cpu| cpu.brand().to_owned())
            .unwrap_or_default(),
        cpus: u32::try_from(system.cpus().len()).unwrap_or(u32::MAX),
        memory_bytes: system.total_memory(),
        interfaces,
    })
}

fn interface(name: &str, data: &sysinfo::NetworkData) -> Interface {
    let mac = data.mac_address();
    let mut addresses: Vec<_> = data.ip_networks().iter().map(ToString::to_string).collect();
    addresses.sort_unstable();
    Interface {
        name: name.to_owned(),
        mac: if mac.is_unspecified() {
            String::new()
        } else {
            mac.to_string().to_lowercase()
        },
        addresses,
    }
}

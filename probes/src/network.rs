//! # What
//! How this host is on the network: interfaces and their kinds, default routes, forwarding, name resolution, proxies,
//! wireless networks by kind of security, Bluetooth, uncommon protocols, and what manages all that.
//!
//! # Source
//! `/sys/class/net` (kernel `Documentation/ABI/testing/sysfs-class-net`, `linux/if.h`); `/proc/net/route` and
//! `/proc/net/ipv6_route` (`net/ipv4/fib_trie.c`, `net/ipv6/route.c`); `/proc/sys/net` and sysctl.d(5); resolv.conf(5),
//! resolved.conf(5), nsswitch.conf(5), hosts(5); nm-settings-keyfile(5), wpa_supplicant.conf(5); apt.conf(5), dnf.conf(5),
//! environment(5); `/sys/class/bluetooth`, `/sys/class/rfkill`; modprobe.d(5).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for the files that hold wireless networks, which hold their secrets too; secrets and names of
//! networks do not leave the host.
//!
//! # Bears on
//! A.8.20 (networks security), A.8.21 (security of network services), A.8.22 (segregation of networks), A.8.9
//! (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod interfaces;
mod proxies;
mod resolver;
mod routes;
mod wireless;

pub use facts::*;

use evidence::facts::Outcome;

use crate::formats::modprobe::Modules;
use crate::formats::sysctl::{self, Sysctl};
use crate::formats::systemd::{UnitState, Units};
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

/// Protocols that few need and that had many faults.
const UNCOMMON: [&str; 9] = [
    "dccp",
    "sctp",
    "rds",
    "tipc",
    "ax25",
    "netrom",
    "x25",
    "appletalk",
    "can",
];
/// What sets up interfaces.
const MANAGERS: [&str; 9] = [
    "NetworkManager.service",
    "connman.service",
    "dhcpcd.service",
    "ifplugd.service",
    "network.service",
    "networking.service",
    "systemd-networkd.service",
    "wicked.service",
    "wpa_supplicant.service",
];

/// The probe.
pub struct NetworkProbe;

impl Probe for NetworkProbe {
    const SPEC: Spec = Spec {
        id: "network",
        version: 2,
        title: "Interfaces, routes, forwarding, name resolution, proxies and wireless networks, and what manages them",
        reads: &[
            "/sys/class/net/",
            "/proc/net/route",
            "/proc/net/ipv6_route",
            "/proc/sys/net/",
            "/etc/sysctl.d/",
            "/usr/lib/sysctl.d/",
            "/etc/resolv.conf",
            "/run/systemd/resolve/resolv.conf",
            "/etc/systemd/resolved.conf",
            "/etc/nsswitch.conf",
            "/etc/hosts",
            "/etc/environment",
            "/etc/apt/apt.conf.d/",
            "/etc/dnf/dnf.conf",
            "/etc/yum.conf",
            "/etc/NetworkManager/",
            "/run/NetworkManager/system-connections/",
            "/etc/wpa_supplicant/",
            "/var/lib/iwd/",
            "/etc/netplan/",
            "/sys/class/bluetooth/",
            "/sys/class/rfkill/",
            "/proc/modules",
            "/usr/lib/modules/",
            "/etc/modprobe.d/",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/resolv.conf",
            "/etc/hosts",
            "/etc/NetworkManager/system-connections",
            "/etc/sysctl.d",
            "/etc/systemd/resolved.conf",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "Addresses, which the probe `host` tells, and interfaces that are one end of a cable to a container (veth).",
            "Other routing tables than the main one, and other network namespaces.",
            "Which name servers systemd-resolved has for one link or domain alone, and those of others (dnsmasq) that are not in resolv.conf.",
            "Names and secrets of wireless networks, and which of them is in use.",
            "Proxies that users or single programs set for themselves.",
        ],
    };

    type Facts = Network;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Network, NoNames>, ProbeError> {
        let sysctl = Sysctl::read(reading);
        let modules = Modules::read(reading);
        let units = Units::read(reading);
        let managers = match &units {
            Ok(Some(units)) => Known::Observed(units.states(MANAGERS)),
            Ok(None) => Known::absent("this host has no systemd"),
            Err(unread) => Known::unread(unread),
        };
        let resolved = match &units {
            Ok(Some(units)) => units.state("systemd-resolved.service"),
            _ => None,
        };
        let bluetooth_service = match &units {
            Ok(Some(units)) => units.state("bluetooth.service"),
            _ => None,
        };
        Ok(Collected::facts(Network {
            interfaces: interfaces::read(reading),
            ipv4_default_routes: routes::ipv4(reading),
            ipv6_default_routes: routes::ipv6(reading),
            ipv4_forwarding: forwarding(
                reading,
                &sysctl,
                &["net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"],
            ),
            ipv6_forwarding: forwarding(reading, &sysctl, &["net/ipv6/conf/all/forwarding"]),
            ipv6_disabled: forwarding(reading, &sysctl, &["net/ipv6/conf/all/disable_ipv6"]),
            resolver: Known::read(resolver::read(reading, resolved.as_ref())),
            resolved: resolver::resolved(reading, resolved),
            hosts: resolver::hosts(reading),
            managers,
            netplan_files: Known::read(netplan(reading)),
            proxies: Known::read(proxies::read(reading)),
            wireless: Known::read(wireless::read(reading)),
            bluetooth: bluetooth(reading, bluetooth_service),
            uncommon_protocols: Known::read(modules.map(|modules| UNCOMMON.map(|name| modules.state(name)).into())),
        }))
    }
}

/// A switch of the kernel now, and as it is set at boot; of several names for it the last that is set counts.
fn forwarding(reading: &Reading<'_>, sysctl: &Result<Sysctl, Unread>, keys: &[&str]) -> Switch {
    let first = keys.first().copied().unwrap_or_default();
    let now = match sysctl::now(reading, first) {
        Ok(Some(value)) => Known::Observed(value != "0"),
        Ok(None) => Known::absent(format!("/proc/sys/{first} is not there")),
        Err(unread) => Known::unread(&unread),
    };
    let at_boot = match sysctl {
        Ok(sysctl) => {
            let mut set = keys.iter().rev().map(|key| sysctl.configured(key));
            match set.find(|set| *set != Ok(None)) {
                Some(Ok(Some(set))) => Known::Observed(set.value.as_deref() != Some("0")),
                Some(Err(why)) => Known::not(Outcome::Unsupported, why),
                _ => Known::absent("no file sets it: the kernel's default holds"),
            }
        }
        Err(unread) => Known::unread(unread),
    };
    Switch { now, at_boot }
}

fn netplan(reading: &Reading<'_>) -> Result<u64, Unread> {
    let mut count = 0;
    for folder in ["/etc/netplan", "/run/netplan", "/usr/lib/netplan"] {
        let entries = reading.list(folder)?.unwrap_or_default();
        count += entries
            .iter()
            .filter(|entry| entry.name.strip_suffix(".yaml").is_some())
            .count() as u64;
    }
    Ok(count)
}

fn bluetooth(reading: &Reading<'_>, service: Option<UnitState>) -> Bluetooth {
    let (adapters, blocked) = match adapters(reading) {
        Ok(Some((adapters, blocked))) => (Known::Observed(adapters), Known::Observed(blocked)),
        Ok(None) => {
            let why = "/sys/class is not there: this is no running system";
            (Known::absent(why), Known::absent(why))
        }
        Err(unread) => (Known::unread(&unread), Known::unread(&unread)),
    };
    Bluetooth {
        adapters,
        blocked,
        service,
    }
}

fn adapters(reading: &Reading<'_>) -> Result<Option<(u64, u64)>, Unread> {
    if reading.stat("/sys/class")?.is_none() {
        return Ok(None);
    }
    let adapters = reading.list("/sys/class/bluetooth")?.unwrap_or_default();
    // `hci0`; connections are `hci0:64`.
    let adapters = adapters.iter().filter(|entry| !entry.name.contains(':')).count() as u64;
    let mut blocked = 0;
    for entry in reading
        .list("/sys/class/rfkill")?
        .unwrap_or_default()
        .iter()
        .take(1_000)
    {
        let folder = format!("/sys/class/rfkill/{}", entry.name);
        let attribute = |name: &str| reading.attribute(&format!("{folder}/{name}"));
        if attribute("type")?.as_deref() == Some("bluetooth") {
            let is = |value: Option<String>| value.as_deref() == Some("1");
            blocked += u64::from(is(attribute("soft")?) || is(attribute("hard")?));
        }
    }
    Ok(Some((adapters, blocked)))
}

#[cfg(test)]
mod tests;

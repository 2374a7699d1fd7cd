//! # What
//! The TCP and UDP sockets on which this host can be reached: address, port, owner and the systemd unit that made them; and
//! the sockets that systemd opens at boot.
//!
//! # Source
//! sock_diag(7) (`linux/inet_diag.h`: `INET_DIAG_SKV6ONLY`, `INET_DIAG_CGROUP_ID` of Linux 5.7); the folders of cgroup v2,
//! whose inode numbers are the cgroups' ids (kernel `Documentation/admin-guide/cgroup-v2.rst`) and whose names are units
//! (systemd.slice(5), `CGROUP_DELEGATION.md`); `ip_local_port_range` (kernel `Documentation/networking/ip-sysctl.rst`);
//! systemd.socket(5).
//!
//! # Privilege
//! None: the kernel tells of listening sockets to everybody.
//!
//! # Bears on
//! A.8.20 (networks security), A.8.21 (security of network services), A.8.9 (configuration), A.8.22 (segregation of
//! networks), A.8.19 (installation of software): what runs and listens.
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod owner;
mod place;
mod units;

use std::collections::BTreeSet;

pub use facts::*;
pub use place::PlaceError;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Listener, Protocol as Transport, Reading, Unread};

/// Sockets that are listed; the rest is counted.
const MAX_LISTED: usize = 2_000;
/// Where the kernel takes ports from for those who ask for any.
const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Resolvers ask from ports that they choose anew for each question, from anywhere above 1023.
const RESOLVERS: [&str; 12] = [
    "bind9.service",
    "dnsmasq.service",
    "kresd@",
    "libvirtd.service",
    "named.service",
    "named-chroot.service",
    "NetworkManager.service",
    "pdns-recursor.service",
    "systemd-resolved.service",
    "unbound.service",
    "virtnetworkd.service",
    "lxc-net.service",
];
/// mDNS and LLMNR: where resolvers above 1023 listen for others.
const RESOLVERS_LISTEN: [u16; 2] = [5353, 5355];

/// The probe.
pub struct ListeningSocketsProbe;

impl Probe for ListeningSocketsProbe {
    const SPEC: Spec = Spec {
        id: "listening-sockets",
        version: 1,
        title: "On which addresses and ports this host can be reached, and which unit listens there",
        reads: &[
            "the kernel's table of sockets (sock_diag)",
            "/sys/fs/cgroup/",
            "/sys/class/net/",
            "/proc/sys/net/ipv4/ip_local_port_range",
            "/proc/sys/net/ipv6/bindv6only",
            "/etc/systemd/system/",
            "/run/systemd/",
            "/usr/local/lib/systemd/system/",
            "/usr/lib/systemd/system/",
        ],
        runs: &[],
        privilege: Privilege::None,
        cadence: Cadence::EveryRound,
        watch: &["/etc/systemd/system", "/run/systemd/units"],
        budget: Budget {
            millis: 5_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether a packet filter lets anybody through to a socket: that is the probe `firewall`.",
            "Sockets in other network namespaces: those of most containers, and of services with PrivateNetwork=.",
            "Ports that a packet filter or a load balancer of the kernel forwards without a socket (DNAT, IPVS), as Docker does for published ports without its proxy.",
            "UDP sockets on ports that the kernel hands out to those who ask for any, and those of resolvers above port 1023: clients have them for the time of one question. A program that waits for datagrams there is not seen.",
            "Raw, SCTP, DCCP and vsock sockets, and UNIX sockets.",
            "Services that something other than systemd's sockets starts: what will listen after the next boot is known from socket units alone.",
        ],
    };

    type Facts = ListeningSockets;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<ListeningSockets, NoNames>, ProbeError> {
        let at_boot = units::at_boot(reading);
        Ok(Collected::facts(ListeningSockets {
            now: Known::read(now(reading, at_boot.value().map_or(&[], Vec::as_slice))),
            at_boot,
        }))
    }
}

fn now(reading: &Reading<'_>, units: &[SocketUnit]) -> Result<Now, Unread> {
    let listeners = reading.listeners()?;
    let ephemeral = ephemeral(reading)?;
    let wanted: BTreeSet<u64> = listeners.iter().filter_map(|listener| listener.cgroup).collect();
    let owners = owner::Owners::find(reading, wanted)?;
    let mut interfaces = Interfaces::default();
    // Workers that share a port with SO_REUSEPORT have a socket each: one line stands for all.
    let mut sockets = BTreeSet::new();
    for listener in &listeners {
        let owner = made_for(listener, owners.of(listener.cgroup), units);
        if !is_passing(listener, &owner, ephemeral) {
            let interface = interfaces.name(reading, listener.interface)?;
            sockets.insert(socket(listener, owner, interface));
        }
    }
    let count = |test: fn(&Socket) -> bool| sockets.iter().filter(|socket| test(socket)).count() as u64;
    let (total, beyond_loopback) = (count(|_| true), count(|socket| socket.reach != Reach::Loopback));
    Ok(Now {
        total,
        beyond_loopback,
        complete: sockets.len() <= MAX_LISTED,
        sockets: sockets.into_iter().take(MAX_LISTED).collect(),
        ephemeral_ports: ephemeral.map(|(first, last)| PortRange { first, last }),
    })
}

/// Without BPF on control groups systemd makes the sockets of its units itself, in its own group (`socket.c`,
/// `socket_address_listen_in_cgroup`): the unit is then the one that listens there by its file.
fn made_for(listener: &Listener, owner: Owner, units: &[SocketUnit]) -> Owner {
    if owner.unit != "init.scope" {
        return owner;
    }
    let listens = |unit: &&SocketUnit| {
        let places = unit.listens.value().into_iter().flatten();
        let here = |place: &Listens| {
            place.protocol == listener.protocol.into()
                && place.port == listener.port
                && place.address == listener.address
        };
        places.into_iter().any(here)
    };
    match units.iter().find(listens) {
        Some(unit) => Owner {
            kind: OwnerKind::Socket,
            unit: unit.unit.clone(),
        },
        None => owner,
    }
}

fn socket(listener: &Listener, owner: Owner, interface: String) -> Socket {
    Socket {
        protocol: listener.protocol.into(),
        port: listener.port,
        address: listener.address,
        reach: place::reach(listener.address),
        ipv4: place::takes_ipv4(listener.address, listener.v6_only),
        ipv6: listener.address.is_ipv6(),
        interface,
        uid: listener.uid,
        owner,
    }
}

/// Whether it is the kind of socket that clients have for the time of a question.
fn is_passing(listener: &Listener, owner: &Owner, ephemeral: Option<(u16, u16)>) -> bool {
    let unit = owner.unit.as_str();
    let (first, last) = ephemeral.unwrap_or((32_768, 60_999));
    let resolver = RESOLVERS.iter().any(|name| match name.strip_suffix('@') {
        Some(_) => unit.starts_with(name),
        None => unit == *name,
    });
    listener.protocol == Transport::Udp
        && owner.kind != OwnerKind::Socket
        && ((first..=last).contains(&listener.port)
            || (resolver && listener.port > 1023 && !RESOLVERS_LISTEN.contains(&listener.port)))
}

/// Two numbers; `None` where the kernel does not tell.
fn ephemeral(reading: &Reading<'_>) -> Result<Option<(u16, u16)>, Unread> {
    let Some(text) = reading.attribute(PORT_RANGE)? else {
        return Ok(None);
    };
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(first)), Some(Ok(last)), None) => Ok(Some((first, last))),
        _ => Err(Unread::Malformed {
            place: PORT_RANGE.to_owned(),
            reason: format!("{text:?} are not two ports"),
        }),
    }
}

/// Interfaces by index, read only if a socket is bound to one.
#[derive(Default)]
struct Interfaces(Option<std::collections::BTreeMap<u32, String>>);

impl Interfaces {
    fn name(&mut self, reading: &Reading<'_>, index: u32) -> Result<String, Unread> {
        if index == 0 {
            return Ok(String::new());
        }
        if self.0.is_none() {
            let mut names = std::collections::BTreeMap::new();
            for entry in reading
                .list("/sys/class/net")?
                .unwrap_or_default()
                .into_iter()
                .take(10_000)
            {
                let read = reading.attribute(&format!("/sys/class/net/{}/ifindex", entry.name))?;
                if let Some(index) = read.and_then(|text| text.parse().ok()) {
                    names.insert(index, entry.name);
                }
            }
            self.0 = Some(names);
        }
        let name = self.0.as_ref().and_then(|names| names.get(&index));
        // A number would change with each boot; an interface that has gone has no name.
        Ok(name.map_or_else(|| "?".to_owned(), Clone::clone))
    }
}

#[cfg(test)]
mod tests;

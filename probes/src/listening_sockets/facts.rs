//! What the probe tells.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::AtBoot;
use crate::probe::Known;
use crate::reading::Protocol as KernelProtocol;

/// Where this host can be reached, now and, as far as systemd opens the sockets itself, after the next boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListeningSockets {
    /// The sockets that there are, in the network namespace of the host.
    pub now: Known<Now>,
    /// The sockets that systemd opens: socket units that start with the machine or are active and listen on IP
    /// addresses, sorted by unit. Absent where there is no systemd.
    pub at_boot: Known<Vec<SocketUnit>>,
}

/// Sockets that others can reach: TCP listening, UDP bound and not connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Now {
    /// One entry for each protocol, port, address, interface, user and owner, sorted; at most 2,000.
    pub sockets: Vec<Socket>,
    /// How many there are.
    pub total: u64,
    /// How many of them can be reached from outside the host, as far as their address tells.
    pub beyond_loopback: u64,
    /// Whether `sockets` holds all of them.
    pub complete: bool,
    /// The ports that the kernel hands out to those who ask for any; UDP sockets on them are left out. Left out if the
    /// kernel does not tell; then 32768 to 60999 are taken for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_ports: Option<PortRange>,
}

/// Ports from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// A socket that others can reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Socket {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Local port.
    pub port: u16,
    /// Local address; `0.0.0.0` or `::` for all of the host's.
    #[schemars(with = "String")]
    pub address: IpAddr,
    /// From how far the address can be reached.
    pub reach: Reach,
    /// Whether it takes IPv4, as `::` does unless it was told not to.
    pub ipv4: bool,
    /// Whether it takes IPv6.
    pub ipv6: bool,
    /// The interface that it is bound to; empty for any, `?` for one that has gone.
    pub interface: String,
    /// Owner of the socket.
    pub uid: u32,
    /// Who made it.
    pub owner: Owner,
}

/// Transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP, listening.
    Tcp,
    /// UDP.
    Udp,
}

impl From<KernelProtocol> for Protocol {
    fn from(protocol: KernelProtocol) -> Self {
        match protocol {
            KernelProtocol::Tcp => Self::Tcp,
            KernelProtocol::Udp => Self::Udp,
        }
    }
}

/// From how far an address can be reached, packet filters aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// From this host: `127.0.0.0/8`, `::1`.
    Loopback,
    /// From the same link: `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// At one address of this host, or a multicast group.
    Specific,
    /// At all addresses of this host.
    Any,
}

/// Who made a socket, by the control group in which its process was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Owner {
    /// What kind of owner.
    pub kind: OwnerKind,
    /// The unit, for instance `ssh.service`; empty where there is none or its name changes by itself.
    pub unit: String,
}

/// What kind of owner a socket has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// A service or scope of the system.
    System,
    /// A socket unit: systemd listens.
    Socket,
    /// A unit of a user's own systemd, or a service of a user's slice.
    User,
    /// A login session.
    Session,
    /// A container or virtual machine.
    Container,
    /// systemd itself, or a process outside all units: the kernel, or a host whose init makes no control groups.
    Root,
    /// A control group that is not there any more: its service has ended, or stands outside this control group
    /// namespace.
    Gone,
    /// The kernel does not tell (before Linux 5.7, or no cgroup v2 is mounted).
    NotTold,
}

/// A socket unit of systemd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SocketUnit {
    /// The unit's name, for instance `ssh.socket`.
    pub unit: String,
    /// Whether it starts with the machine.
    pub at_boot: AtBoot,
    /// Whether it is active now; not known where systemd does not run.
    pub active: Known<bool>,
    /// The IP addresses and ports on which it listens, in the order of its file; UNIX sockets, FIFOs and the like are
    /// left out.
    pub listens: Known<Vec<Listens>>,
}

/// Where a socket unit listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listens {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Port.
    pub port: u16,
    /// Address.
    #[schemars(with = "String")]
    pub address: IpAddr,
    /// From how far the address can be reached.
    pub reach: Reach,
    /// Whether it takes IPv4.
    pub ipv4: bool,
    /// Whether it takes IPv6.
    pub ipv6: bool,
}

//! What the probe tells.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::modprobe::ModuleState;
use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// How this host is on the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Network {
    /// Interfaces, sorted by name; without those that are one end of a cable to a container, and without loopback.
    pub interfaces: Known<Vec<Interface>>,
    /// Default routes for IPv4, sorted.
    pub ipv4_default_routes: Known<Vec<DefaultRoute>>,
    /// Default routes for IPv6, sorted.
    pub ipv6_default_routes: Known<Vec<DefaultRoute>>,
    /// Whether IPv4 packets are passed on.
    pub ipv4_forwarding: Switch,
    /// Whether IPv6 packets are passed on.
    pub ipv6_forwarding: Switch,
    /// Whether IPv6 is switched off on all interfaces.
    pub ipv6_disabled: Switch,
    /// `/etc/resolv.conf`.
    pub resolver: Known<Resolver>,
    /// Settings of systemd-resolved; absent if it is not installed.
    pub resolved: Known<Resolved>,
    /// `/etc/hosts`.
    pub hosts: Known<Hosts>,
    /// Services that set up interfaces and are installed.
    pub managers: Known<Vec<UnitState>>,
    /// How many files netplan has to make configuration from.
    pub netplan_files: Known<u64>,
    /// Proxies that are set for the whole host, sorted; hosts alone, no credentials.
    pub proxies: Known<Vec<Proxy>>,
    /// Wireless networks that this host knows, counted by kind of security.
    pub wireless: Known<Vec<Wireless>>,
    /// Bluetooth.
    pub bluetooth: Bluetooth,
    /// Protocols that few need: whether they are loaded or can be.
    pub uncommon_protocols: Known<Vec<ModuleState>>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: InterfaceKind,
    /// Whether an administrator or a program has switched it on (`IFF_UP`).
    pub up: bool,
    /// Whether it takes packets that are not for this host (`IFF_PROMISC`), as for a capture or as the port of a bridge.
    pub promiscuous: bool,
    /// The bridge or bond that it is a port of; empty for none.
    pub master: String,
}

/// What an interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InterfaceKind {
    /// A wired device.
    Ethernet,
    /// A wireless device.
    Wireless,
    /// A modem (WWAN).
    Modem,
    /// Several devices as one.
    Bond,
    /// A VLAN on another interface.
    Vlan,
    /// A bridge.
    Bridge,
    /// A WireGuard tunnel.
    Wireguard,
    /// A tunnel whose other end is a program (tun, tap), as OpenVPN and virtual machines have.
    Tun,
    /// VXLAN, Geneve, GRE, SIT and other tunnels of the kernel.
    Tunnel,
    /// Point to point (PPP).
    Ppp,
    /// InfiniBand.
    Infiniband,
    /// Another, without hardware.
    Virtual,
    /// Another device.
    Other,
}

/// A route to everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct DefaultRoute {
    /// The interface.
    pub interface: String,
    /// The gateway; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub gateway: Option<IpAddr>,
}

/// A switch of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Switch {
    /// As it is.
    pub now: Known<bool>,
    /// As a file sets it at boot; absent if none does.
    pub at_boot: Known<bool>,
}

/// resolv.conf(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resolver {
    /// Who writes the file, by where its link leads.
    pub written_by: ResolverWriter,
    /// Name servers in their order, as written; the C library asks the first three.
    pub nameservers: Vec<String>,
    /// The servers that systemd-resolved asks, those of links among them, in its order: with its stub they are not in
    /// `nameservers`. Absent where it does not run.
    pub behind_resolved: Known<Vec<String>>,
    /// Domains to search, in their order.
    pub search: Vec<String>,
    /// Options, sorted, for instance `edns0`, `trust-ad`.
    pub options: Vec<String>,
    /// Sources of host names in nsswitch.conf(5), in their order, for instance `files`, `dns`; empty if not set.
    pub hosts_sources: Vec<String>,
}

/// Who writes `/etc/resolv.conf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolverWriter {
    /// A file of its own.
    File,
    /// systemd-resolved.
    SystemdResolved,
    /// NetworkManager.
    NetworkManager,
    /// resolvconf(8) or openresolv.
    Resolvconf,
    /// Another program, or none: the link leads elsewhere.
    OtherLink,
}

/// Settings of systemd-resolved, as written; empty where the built-in default holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resolved {
    /// The service.
    pub service: UnitState,
    /// `DNS`: servers, in their order.
    pub dns: Vec<String>,
    /// `FallbackDNS`.
    pub fallback_dns: Vec<String>,
    /// `Domains`.
    pub domains: Vec<String>,
    /// `DNSSEC`: `yes`, `no` or `allow-downgrade`.
    pub dnssec: String,
    /// `DNSOverTLS`: `yes`, `no` or `opportunistic`.
    pub dns_over_tls: String,
    /// `LLMNR`: `yes`, `no` or `resolve`.
    pub llmnr: String,
    /// `MulticastDNS`.
    pub multicast_dns: String,
}

/// hosts(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hosts {
    /// Lines that give an address names; the file's digest is among the sources.
    pub entries: u64,
    /// How many of them are for addresses that are not loopback.
    pub beyond_loopback: u64,
}

/// A proxy that is set for the whole host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Proxy {
    /// The file that sets it.
    pub file: String,
    /// The setting, for instance `https_proxy`.
    pub setting: String,
    /// Host and port, as far as they are written; empty for none, `DIRECT` of apt.conf(5) included.
    pub host: String,
    /// Whether a name or password is written with it.
    pub credentials: bool,
}

/// Wireless networks of one kind of security.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wireless {
    /// Who keeps them.
    pub manager: WirelessManager,
    /// Key management as that program names it, for instance `wpa-psk`, `sae`, `wpa-eap`; `none` for open networks and
    /// WEP.
    pub security: String,
    /// How many there are.
    pub networks: u64,
}

/// Who keeps wireless networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WirelessManager {
    /// NetworkManager.
    NetworkManager,
    /// wpa_supplicant(8).
    WpaSupplicant,
    /// iwd(8).
    Iwd,
}

/// Bluetooth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bluetooth {
    /// Adapters that there are.
    pub adapters: Known<u64>,
    /// Adapters that are switched off by a key or by software (rfkill).
    pub blocked: Known<u64>,
    /// `bluetooth.service`; left out if it is not installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<UnitState>,
}

//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// By which programs this host can be worked on from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RemoteAccess {
    /// The programs that are installed, sorted by name.
    pub products: Known<Vec<Product>>,
    /// All programs that were looked for, sorted by name: those that are not among `products` were not found.
    pub looked_for: Vec<String>,
    /// Services of inetd(8) and xinetd(8) that are switched on, sorted.
    pub inetd: Known<Vec<InetdService>>,
    /// VPNs that are configured, by kind.
    pub vpns: Known<Vec<Vpn>>,
}

/// A program for access from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Product {
    /// Its name, for instance `teamviewer`.
    pub product: String,
    /// What it is for.
    pub kind: ProductKind,
    /// The files that show that it is there, sorted.
    pub files: Vec<String>,
    /// Its units that are there: whether they start with the machine and are active now.
    pub units: Known<Vec<UnitState>>,
}

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    /// A desktop over the network (VNC, RDP, X).
    RemoteDesktop,
    /// Remote support by way of a vendor's servers.
    RemoteSupport,
    /// A terminal that others can join, by way of a server.
    SharedTerminal,
    /// A shell without encryption (telnet, rsh).
    PlainShell,
    /// Files without encryption (FTP, TFTP).
    PlainFiles,
    /// Administration by a browser.
    WebConsole,
    /// A network laid over others.
    OverlayNetwork,
    /// A tunnel that makes services of this host reachable from outside.
    ReverseTunnel,
    /// Another shell that listens.
    Shell,
}

/// A service of inetd(8) or xinetd(8).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct InetdService {
    /// Its name, as services(5) or the file has it.
    pub service: String,
    /// `tcp`, `udp` and the like; empty if the file does not say.
    pub protocol: String,
    /// The user that it runs as; empty if the file does not say.
    pub user: String,
    /// The program; `internal` for one that is built in.
    pub server: String,
    /// The file that switches it on.
    pub file: String,
}

/// VPNs of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vpn {
    /// The kind.
    pub kind: VpnKind,
    /// How many configurations there are.
    pub configurations: u64,
    /// How many of their units start with the machine.
    pub at_boot: u64,
}

/// A kind of VPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VpnKind {
    /// WireGuard, by wg-quick(8).
    Wireguard,
    /// WireGuard, by systemd-networkd (systemd.netdev(5)).
    WireguardNetworkd,
    /// OpenVPN.
    Openvpn,
    /// IPsec, by ipsec.conf(5).
    IpsecConf,
    /// IPsec, by swanctl.conf(5).
    Swanctl,
    /// A connection of NetworkManager.
    NetworkManager,
    /// A network of ZeroTier that was joined.
    Zerotier,
}

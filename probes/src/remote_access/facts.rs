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
    /// Who may read and change this host by SNMP; `absent` if Net-SNMP's agent has no configuration.
    pub snmp: Known<Snmp>,
}

/// What Net-SNMP's agent is configured to let in (snmpd.conf(5)). Names of communities and users stay on the host. Lists have
/// at most 200 entries, in the order of reading unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Snmp {
    /// The files, in the order of reading.
    pub files: Vec<SnmpFile>,
    /// Where it listens (`agentaddress`), as written; without any on port 161 of every address.
    pub addresses: Vec<String>,
    /// Communities: whoever knows such a name is let in by versions 1 and 2c, which encrypt nothing.
    pub communities: Vec<SnmpCommunity>,
    /// Users of version 3 and groups of them that are let in.
    pub users: Vec<SnmpUser>,
    /// Keys of users of version 3, sorted.
    pub keys: Vec<SnmpKeys>,
    /// How many commands it runs when it is asked (`extend`, `exec`, `pass` and their like).
    pub commands: u32,
}

/// A file of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SnmpFile {
    /// Its path.
    pub path: String,
    /// Permissions, four octal digits.
    pub mode: String,
    /// Everybody on this host may read it, and the names of communities in it.
    pub world_readable: bool,
}

/// What somebody may do by SNMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnmpAccess {
    /// Nothing: no group or no view is given.
    None,
    /// Read.
    Read,
    /// Change, and read too unless a group has a view to change alone.
    Write,
}

/// A line that lets a community in. Of several that name one community and fit the source of a request the first counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SnmpCommunity {
    /// `FILE:LINE`.
    pub place: String,
    /// `rocommunity`, `rwcommunity6`, `com2sec` and the like.
    pub directive: String,
    /// What it may do.
    pub access: SnmpAccess,
    /// Its name is one of those that are tried first, such as `public`.
    pub guessable: bool,
    /// From where, as written; `default` is from everywhere; with `!` before it: not from there.
    pub source: String,
    /// From everywhere.
    pub anywhere: bool,
    /// The line names a part of the tree of objects and not all of it. Views that groups have are not looked at.
    pub limited: bool,
}

/// A line that lets users of version 3 in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SnmpUser {
    /// `FILE:LINE`.
    pub place: String,
    /// `rouser`, `rwuser`, `authuser`, or `access` for a group.
    pub directive: String,
    /// What it may do.
    pub access: SnmpAccess,
    /// The least that is asked for: `noauth` (a name alone), `auth` (a key), `priv` (and encryption).
    pub level: String,
}

/// Keys of a user of version 3.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SnmpKeys {
    /// `md5`, `sha`, `sha-256` and the like, or `none`.
    pub authentication: String,
    /// `des`, `aes` and the like, or `none`.
    pub privacy: String,
    /// A passphrase stands in the file, and not a key that was made of it.
    pub passphrase_in_file: bool,
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

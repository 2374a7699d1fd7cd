//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Which packets this host lets through, now and after the next boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Firewall {
    /// What becomes of packets over IPv4, by the rules that are loaded.
    pub ipv4: Known<Filter>,
    /// The same for IPv6.
    pub ipv6: Known<Filter>,
    /// Base chains of nftables that are loaded (`iptables-nft` makes them too).
    pub nftables: Known<Vec<BaseChain>>,
    /// Base chains of the older iptables that are loaded beside nftables.
    pub iptables_legacy: Known<Vec<BaseChain>>,
    /// What loads rules at the next boot: services that do so and are installed, sorted.
    pub loaders: Known<Vec<Loader>>,
    /// Files of rules that such services load, sorted by path: for nft(8) those that `nftables.service` names, or where there
    /// is no such unit the usual ones.
    pub saved: Vec<SavedRules>,
    /// Configuration of ufw; absent if it is not installed.
    pub ufw: Known<Ufw>,
    /// Configuration of firewalld; absent if it is not installed.
    pub firewalld: Known<Firewalld>,
}

/// What becomes of new packets of one family of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Filter {
    /// Packets to this host.
    pub input: Hook,
    /// Packets that this host passes on.
    pub forward: Hook,
    /// Packets that this host sends.
    pub output: Hook,
}

/// What becomes of new packets at one hook: those that belong to no connection and do not come from the host itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hook {
    /// Whether there is any base chain.
    pub filtered: bool,
    /// `drop` if the policy of a base chain is to drop.
    pub policy: Policy,
    /// What becomes of a packet that no rule with a condition is about: rules without conditions count as well as the
    /// policy.
    pub default: Ending,
    /// Whether `default` is `drop` or `reject`.
    pub default_drop: bool,
    /// If so: what is accepted all the same, sorted; at most 500 for each base chain. An earlier rule may drop a part of
    /// it.
    pub accepts: Vec<Accept>,
    /// Whether all rules were looked at.
    pub complete: bool,
}

/// A hook that this probe follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HookName {
    Input,
    Forward,
    Output,
}

impl HookName {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
        }
    }
}

/// Packets that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Accept {
    /// Transport protocol, for instance `tcp`, `udp`, `icmp`; `any` for all.
    pub protocol: String,
    /// Destination ports, sorted; empty for all.
    pub ports: Vec<PortRange>,
    /// What else the rules ask of them, sorted; empty: they are accepted from anybody.
    pub limits: Vec<Limit>,
}

/// Ports from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// What a rule asks beside protocol and destination port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// A source address or set of them, or a source's hardware address.
    Source,
    /// A destination address; a host with one address is no better protected by it.
    Destination,
    /// An interface.
    Interface,
    /// Everybody but some sources, destinations or interfaces: hardly a limit.
    Excepted,
    /// How many packets in some time: anybody, and not too often.
    Rate,
    /// Something else: a source port, a mark, a user, a flag.
    Other,
    /// Something that this probe does not understand.
    NotUnderstood,
}

/// What a base chain does at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Lets packets through.
    Accept,
    /// Drops them.
    Drop,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It is let through.
    Accept,
    /// It is refused and the sender told.
    Reject,
    /// It is dropped.
    Drop,
}

/// A chain that the kernel itself calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct BaseChain {
    /// Family of the table: `ip`, `ip6`, `inet`, `arp`, `bridge`, `netdev`.
    pub family: String,
    /// Name of the table.
    pub table: String,
    /// Name of the chain.
    pub chain: String,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// Where it is called, for instance `input`.
    pub hook: String,
    /// Its place among the chains of the hook; the lowest is called first.
    pub priority: i64,
    /// What it does at its end.
    pub policy: Policy,
    /// Rules in this chain itself; those in chains that it jumps to may come and go by themselves.
    pub rules: u64,
}

impl PartialOrd for Policy {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Policy {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

/// A service that loads rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Loader {
    /// What it is.
    pub manager: Manager,
    /// Whether it starts with the machine and is active now.
    pub unit: UnitState,
}

/// Programs that load rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// `nftables.service` loads a file with nft(8).
    Nftables,
    /// ufw(8).
    Ufw,
    /// firewalld(1).
    Firewalld,
    /// netfilter-persistent(8) of Debian.
    NetfilterPersistent,
    /// `iptables.service` and `ip6tables.service`.
    IptablesService,
    /// shorewall(8).
    Shorewall,
    /// ferm(1).
    Ferm,
}

/// A file of rules that a service loads at boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedRules {
    /// The file.
    pub path: String,
    /// Which service loads it.
    pub manager: Manager,
    /// The base chains in it.
    pub chains: Known<Vec<BaseChain>>,
    /// What becomes of new packets to this host by these rules alone, for a file of iptables-restore(8); left out for
    /// others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Hook>,
}

/// Configuration of ufw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ufw {
    /// `ENABLED` of ufw.conf.
    pub enabled: bool,
    /// `IPV6`: whether IPv6 is filtered too.
    pub ipv6: bool,
    /// Default for packets to this host: `accept`, `drop` or `reject`, as written in `/etc/default/ufw`.
    pub input_policy: String,
    /// Default for packets that this host passes on.
    pub forward_policy: String,
    /// Default for packets that this host sends.
    pub output_policy: String,
    /// `LOGLEVEL`.
    pub logging: String,
    /// Rules that the administrator gave, in their order; at most 500.
    pub rules: Vec<UfwRule>,
    /// How many there are, IPv6 included.
    pub rule_count: u64,
}

/// A rule of ufw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UfwRule {
    /// `allow`, `deny`, `reject` or `limit`, with `_log` where it logs.
    pub action: String,
    /// `tcp`, `udp`, `any` or another protocol.
    pub protocol: String,
    /// Destination ports as ufw writes them (`22`, `80,443`, `6000:6007`), or `any`.
    pub ports: String,
    /// Whether it holds for every source address.
    pub from_any: bool,
    /// `in` or `out`, with `_INTERFACE` where it holds for one alone.
    pub direction: String,
    /// Whether it is for IPv6; else for IPv4.
    pub ipv6: bool,
}

/// Configuration of firewalld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Firewalld {
    /// `DefaultZone`: the zone of interfaces that are in no other.
    pub default_zone: String,
    /// `FirewallBackend`: `nftables` or `iptables`.
    pub backend: String,
    /// `IPv6_rpfilter`, as written; `yes` unless set.
    pub ipv6_rpfilter: String,
    /// `LogDenied`.
    pub log_denied: String,
    /// The default zone, zones that have interfaces or sources of their own, and zones that were changed on this host;
    /// sorted by name.
    pub zones: Known<Vec<Zone>>,
    /// Rules in `direct.xml`, which are asked before those of zones, single ones and lines for iptables together.
    pub direct_rules: Known<u64>,
    /// Policies between zones (firewalld.policies(5)) in `/etc/firewalld/policies`, sorted by name.
    pub policies: Known<Vec<String>>,
}

/// A zone of firewalld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// What becomes of packets that no rule is about: `default` (refused), `ACCEPT`, `DROP` or `%%REJECT%%`.
    pub target: String,
    /// Services that are let in, sorted.
    pub services: Vec<String>,
    /// Ports that are let in, as `port/protocol`, sorted.
    pub ports: Vec<String>,
    /// Protocols that are let in whole, for instance `gre`, sorted.
    pub protocols: Vec<String>,
    /// Ports from which everything is let in, as `port/protocol`, sorted.
    pub source_ports: Vec<String>,
    /// Interfaces of the zone, sorted.
    pub interfaces: Vec<String>,
    /// How many source addresses or sets belong to the zone.
    pub sources: u64,
    /// How many rich rules it has.
    pub rich_rules: u64,
    /// Whether it hides what is behind this host.
    pub masquerade: bool,
    /// Ports that are passed on.
    pub forward_ports: u64,
}

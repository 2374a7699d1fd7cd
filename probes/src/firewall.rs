//! # What
//! Which packets this host lets in, passes on and lets out: the rules that are loaded, over IPv4 and IPv6 apart, and what
//! loads rules at the next boot (nftables, iptables, ufw, firewalld).
//!
//! # Source
//! `nft -j list ruleset` (nft(8), libnftables-json(5)); `/proc/net/ip_tables_names` and `ip6_tables_names`;
//! iptables-save(8) for rules of the older iptables, and for rules of `iptables-nft` whose conditions nft(8) cannot
//! write; ufw(8), firewalld.conf(5), firewalld.zone(5); files that nftables.service, netfilter-persistent(8) and
//! iptables.service load.
//!
//! # Privilege
//! `CAP_NET_ADMIN`, with `CAP_DAC_READ_SEARCH`: the kernel shows loaded rules to nobody else. Without it the loaded rules
//! are `denied` and what is configured is still told. The older iptables asks for `CAP_NET_RAW` too.
//!
//! # Bears on
//! A.8.20 (networks security), A.8.22 (segregation of networks), A.8.21 (security of network services), A.8.9
//! (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod firewalld;
mod iptables;
mod nft;
mod nft_file;
mod ruleset;
mod saved;
mod ufw;
mod xml;

pub use facts::*;

use evidence::facts::{Origin, Outcome};

use crate::formats::modprobe;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Command, Reading, Unread};
use ruleset::{Family, Ruleset};

const NFT: &str = "/usr/sbin/nft";
const LEGACY_SAVE: [&str; 2] = ["/usr/sbin/iptables-legacy-save", "/usr/sbin/ip6tables-legacy-save"];
const NFT_SAVE: [&str; 2] = ["/usr/sbin/iptables-nft-save", "/usr/sbin/ip6tables-nft-save"];
/// Tables that the older iptables has loaded.
const LEGACY_NAMES: [&str; 2] = ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"];

/// The probe.
pub struct FirewallProbe;

impl Probe for FirewallProbe {
    const SPEC: Spec = Spec {
        id: "firewall",
        version: 2,
        title: "Which packets this host lets through, and what loads its packet filter at boot",
        reads: &[
            "the loaded rules, by nft and iptables-save",
            "/proc/net/ip_tables_names",
            "/proc/net/ip6_tables_names",
            "/proc/modules, and modules.builtin of the kernel",
            "the files that nftables.service names, else /etc/nftables.conf and /etc/sysconfig/nftables.conf",
            "/etc/iptables/",
            "/etc/sysconfig/iptables",
            "/etc/sysconfig/ip6tables",
            "/etc/ufw/",
            "/etc/default/ufw",
            "/etc/firewalld/, with direct.xml and policies/",
            "/usr/lib/firewalld/zones/",
            "/etc/systemd/system/",
            "/usr/lib/systemd/system/",
        ],
        runs: &[
            NFT,
            "/usr/sbin/iptables-legacy-save",
            "/usr/sbin/ip6tables-legacy-save",
            "/usr/sbin/iptables-nft-save",
            "/usr/sbin/ip6tables-nft-save",
        ],
        privilege: Privilege::NetAdmin,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/nftables.conf",
            "/etc/iptables",
            "/etc/ufw",
            "/etc/firewalld",
            "/etc/systemd/system",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether a packet would in fact get through: rules are followed for a new packet from outside that is in no connection; an earlier rule that drops a part of what a later one accepts is not taken off.",
            "Rules that are loaded in other network namespaces, and programs at interfaces (XDP, tc, BPF).",
            "Rules of ARP, bridge and netdev tables beyond their base chains.",
            "Firewalls outside this host.",
            "Single addresses: that a rule asks for a source is told, not which one.",
            "What programs with rules of their own (Docker, libvirt, fail2ban) add after boot, in what is configured.",
        ],
    };

    type Facts = Firewall;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Firewall, NoNames>, ProbeError> {
        let nftables = nftables(reading);
        let legacy = match &nftables {
            // Over a folder there is no kernel to ask.
            Known::Not(why) if why.outcome == Outcome::Skipped => Known::Not(why.clone()),
            _ => legacy(reading),
        };
        let chains = |loaded: &Known<Ruleset>| match loaded {
            Known::Observed(ruleset) => Known::Observed(ruleset.base_chains()),
            Known::Not(why) => Known::Not(why.clone()),
        };
        Ok(Collected::facts(Firewall {
            ipv4: filter(&nftables, &legacy, Family::V4),
            ipv6: filter(&nftables, &legacy, Family::V6),
            nftables: chains(&nftables),
            iptables_legacy: chains(&legacy),
            loaders: saved::loaders(reading),
            saved: saved::files(reading),
            ufw: ufw::read(reading),
            firewalld: firewalld::read(reading),
        }))
    }
}

/// Both sets of rules are asked by the kernel: a packet must get through either.
fn filter(nftables: &Known<Ruleset>, legacy: &Known<Ruleset>, family: Family) -> Known<Filter> {
    let (nftables, legacy) = match (nftables, legacy) {
        (Known::Observed(nftables), Known::Observed(legacy)) => (nftables, legacy),
        (Known::Not(why), _) | (_, Known::Not(why)) => return Known::Not(why.clone()),
    };
    let hook = |name| {
        let (one, other) = (nftables.hook(family, name), legacy.hook(family, name));
        let mut accepts: Vec<_> = one.accepts.into_iter().chain(other.accepts).collect();
        accepts.order();
        accepts.dedup();
        Hook {
            filtered: one.filtered || other.filtered,
            policy: one.policy.max(other.policy),
            default: one.default.max(other.default),
            default_drop: one.default_drop || other.default_drop,
            accepts,
            complete: one.complete && other.complete,
        }
    };
    Known::Observed(Filter {
        input: hook(HookName::Input),
        forward: hook(HookName::Forward),
        output: hook(HookName::Output),
    })
}

fn nftables(reading: &Reading<'_>) -> Known<Ruleset> {
    let command = Command {
        program: NFT,
        args: &["-j", "list", "ruleset"],
    };
    let mut ruleset = match printed(reading, &command) {
        Ok(Some(bytes)) => match nft::parse(&bytes) {
            Ok(ruleset) => ruleset,
            Err(reason) => return malformed(reading, &command, &reason),
        },
        Ok(None) => return without_nft(reading),
        Err(unread) => return Known::unread(&unread),
    };
    // nft cannot write the matches of iptables' extensions; iptables-nft-save can.
    for (program, family) in NFT_SAVE.into_iter().zip(["ip", "ip6"]) {
        let opaque = ruleset
            .tables
            .iter()
            .any(|((of, _), table)| of == family && table.opaque);
        if !opaque {
            continue;
        }
        let command = Command { program, args: &[] };
        // Without that program the conditions stay `not_understood`.
        if let Ok(Some(bytes)) = printed(reading, &command) {
            let saved = String::from_utf8_lossy(&bytes);
            match iptables::parse(&saved, family) {
                Ok(saved) => ruleset = iptables::joined(ruleset, saved),
                Err(reason) => return malformed(reading, &command, &reason),
            }
        }
    }
    Known::Observed(ruleset)
}

/// Nobody can have loaded rules into a part of the kernel that is not there.
fn without_nft(reading: &Reading<'_>) -> Known<Ruleset> {
    let is_there = || -> Result<Option<bool>, Unread> {
        let Some(modules) = reading.volatile("/proc/modules")? else {
            return Ok(None);
        };
        let loaded = modules.lines().any(|line| line.starts_with("nf_tables "));
        let builtin = modprobe::is_builtin(reading, "nf_tables")?;
        Ok(builtin.map(|builtin| builtin || loaded))
    };
    match is_there() {
        Ok(Some(false)) => Known::Observed(Ruleset::default()),
        Ok(_) => Known::absent(format!("{NFT} is not there: what is loaded is not known")),
        Err(unread) => Known::unread(&unread),
    }
}

fn legacy(reading: &Reading<'_>) -> Known<Ruleset> {
    let mut ruleset = Ruleset::default();
    for ((names, program), family) in LEGACY_NAMES.into_iter().zip(LEGACY_SAVE).zip(["ip", "ip6"]) {
        let loaded = match reading.volatile(names) {
            Ok(loaded) => loaded.unwrap_or_default(),
            Err(unread) => return Known::unread(&unread),
        };
        if loaded.trim().is_empty() {
            continue;
        }
        let command = Command { program, args: &[] };
        match printed(reading, &command) {
            Ok(Some(bytes)) => match iptables::parse(&String::from_utf8_lossy(&bytes), family) {
                Ok(saved) => ruleset = iptables::joined(ruleset, saved),
                Err(reason) => return malformed(reading, &command, &reason),
            },
            Ok(None) => return Known::absent(format!("{program} is not there, and {names} names tables")),
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(ruleset)
}

/// Standard output of a program that ended well. Over a folder, and without the privilege: an error.
fn printed(reading: &Reading<'_>, command: &Command<'_>) -> Result<Option<Vec<u8>>, Unread> {
    let Some(output) = reading.run(command)? else {
        return Ok(None);
    };
    if output.status == 0 {
        return Ok(Some(output.stdout));
    }
    let place = command.to_string();
    let said = String::from_utf8_lossy(&output.stderr);
    let unread = if ["not permitted", "ermission denied"]
        .iter()
        .any(|mark| said.contains(mark))
    {
        Unread::Denied { place }
    } else {
        let said = said.lines().next().unwrap_or_default();
        Unread::Failed {
            place,
            reason: format!("status {}: {said}", output.status),
        }
    };
    reading.mark(Origin::Command(command.to_string()), unread.outcome());
    Err(unread)
}

fn malformed(reading: &Reading<'_>, command: &Command<'_>, reason: &str) -> Known<Ruleset> {
    reading.mark(Origin::Command(command.to_string()), Outcome::Malformed);
    Known::Not(NotKnown {
        outcome: Outcome::Malformed,
        detail: format!("{command}: {reason}"),
    })
}

#[cfg(test)]
mod tests;

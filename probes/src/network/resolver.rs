//! Name resolution: resolv.conf(5), resolved.conf(5), hosts(5).

use std::net::IpAddr;

use super::facts::{Hosts, Resolved, Resolver, ResolverWriter};
use crate::formats::systemd::{Settings, UnitState};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Name servers, domains and options that are kept of each.
const MAX_WORDS: usize = 100;

pub(super) fn read(reading: &Reading<'_>, resolved: Option<&UnitState>) -> Result<Resolver, Unread> {
    let text = reading.text(RESOLV_CONF)?.unwrap_or_default();
    let mut resolver = Resolver {
        written_by: writer(reading)?,
        nameservers: vec![],
        search: vec![],
        options: vec![],
        behind_resolved: behind_resolved(reading, resolved),
        hosts_sources: hosts_sources(reading)?,
    };
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(keyword) = words.next() else { continue };
        let words = words.take(MAX_WORDS).map(str::to_owned);
        match keyword {
            "nameserver" => resolver.nameservers.extend(words.take(1)),
            // The last of either counts.
            "search" => resolver.search = words.collect(),
            "domain" => resolver.search = words.take(1).collect(),
            "options" => resolver.options.extend(words),
            _ => {}
        }
    }
    resolver.nameservers.truncate(MAX_WORDS);
    resolver.options.truncate(MAX_WORDS);
    resolver.options.order();
    resolver.options.dedup();
    Ok(resolver)
}

/// systemd-resolved writes all servers that it knows of, those of links among them, whatever resolv.conf says.
fn behind_resolved(reading: &Reading<'_>, resolved: Option<&UnitState>) -> Known<Vec<String>> {
    const UPLINK: &str = "/run/systemd/resolve/resolv.conf";
    // It leaves the file behind when it stops.
    if resolved.is_none_or(|service| service.active == Known::Observed(false)) {
        return Known::absent("systemd-resolved does not run");
    }
    let text = match reading.text(UPLINK) {
        Ok(Some(text)) => text,
        Ok(None) => return Known::absent(format!("{UPLINK} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next().map(str::to_owned))?
    });
    Known::Observed(servers.take(MAX_WORDS).collect())
}

fn writer(reading: &Reading<'_>) -> Result<ResolverWriter, Unread> {
    if !matches!(reading.stat_link(RESOLV_CONF)?, Some(stat) if stat.kind == Kind::Link) {
        return Ok(ResolverWriter::File);
    }
    let target = reading.link(RESOLV_CONF)?.unwrap_or_default();
    Ok(match target {
        _ if target.contains("systemd/resolve/") || target.contains("lib/systemd/resolv.conf") => {
            ResolverWriter::SystemdResolved
        }
        _ if target.contains("NetworkManager/") => ResolverWriter::NetworkManager,
        _ if target.contains("resolvconf/") => ResolverWriter::Resolvconf,
        _ => ResolverWriter::OtherLink,
    })
}

fn hosts_sources(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let mut text = None;
    // SUSE keeps the distribution's file apart.
    for path in ["/etc/nsswitch.conf", "/usr/etc/nsswitch.conf"] {
        if text.is_none() {
            text = reading.text(path)?;
        }
    }
    let text = text.unwrap_or_default();
    let mut line = text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.trim_start().strip_prefix("hosts:")
    });
    let words = line.next_back().unwrap_or_default().split_ascii_whitespace();
    Ok(words.take(MAX_WORDS).map(str::to_owned).collect())
}

pub(super) fn resolved(reading: &Reading<'_>, service: Option<UnitState>) -> Known<Resolved> {
    let Some(service) = service else {
        return Known::absent("systemd-resolved.service is not there");
    };
    let settings = match Settings::read(reading, "resolved") {
        Ok(settings) => settings,
        Err(unread) => return Known::unread(&unread),
    };
    let get = |name: &str| settings.get("Resolve", name).unwrap_or_default().to_owned();
    let words = |name: &str| settings.words("Resolve", name).into_iter().map(str::to_owned).collect();
    Known::Observed(Resolved {
        service,
        dns: words("DNS"),
        fallback_dns: words("FallbackDNS"),
        domains: words("Domains"),
        dnssec: get("DNSSEC"),
        dns_over_tls: get("DNSOverTLS"),
        llmnr: get("LLMNR"),
        multicast_dns: get("MulticastDNS"),
    })
}

pub(super) fn hosts(reading: &Reading<'_>) -> Known<Hosts> {
    let text = match reading.file("/etc/hosts") {
        Ok(Some(text)) => text,
        Ok(None) => return Known::absent("/etc/hosts is not there"),
        Err(unread) => return Known::unread(&unread),
    };
    let text = String::from_utf8_lossy(&text);
    let mut hosts = Hosts {
        entries: 0,
        beyond_loopback: 0,
    };
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let (Some(address), Some(_)) = (words.next(), words.next()) else {
            continue;
        };
        let address = address.split('%').next().unwrap_or_default();
        let Ok(address) = address.parse::<IpAddr>() else {
            continue;
        };
        hosts.entries += 1;
        let multicast_or_own = address.is_loopback() || address.is_multicast();
        hosts.beyond_loopback += u64::from(!multicast_or_own && !address.is_unspecified());
    }
    Known::Observed(hosts)
}

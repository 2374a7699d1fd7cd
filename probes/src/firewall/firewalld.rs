//! firewalld(1): firewalld.conf(5) and firewalld.zone(5).

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Firewalld, Zone};
use super::xml;
use crate::formats::shell;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const CONF: &str = "/etc/firewalld/firewalld.conf";
/// By precedence: the administrator's, the distribution's.
const ZONES: [&str; 2] = ["/etc/firewalld/zones", "/usr/lib/firewalld/zones"];
/// Zones that are looked at.
const MAX_ZONES: usize = 200;

/// The configuration.
pub(super) fn read(reading: &Reading<'_>) -> Known<Firewalld> {
    match find(reading) {
        Ok(Some(firewalld)) => Known::Observed(firewalld),
        Ok(None) => Known::absent(format!("{CONF} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>) -> Result<Option<Firewalld>, Unread> {
    let Some(text) = reading.text(CONF)? else {
        return Ok(None);
    };
    let conf = shell::assignments(&text);
    let get = |name: &str, default: &str| shell::last(&conf, name).unwrap_or(default).to_owned();
    let default_zone = get("DefaultZone", "public");
    Ok(Some(Firewalld {
        backend: get("FirewallBackend", "nftables"),
        ipv6_rpfilter: get("IPv6_rpfilter", "yes"),
        log_denied: get("LogDenied", "off"),
        zones: Known::read(zones(reading, &default_zone)),
        direct_rules: Known::read(direct_rules(reading)),
        policies: Known::read(policies(reading)),
        default_zone,
    }))
}

/// firewalld.direct(5).
fn direct_rules(reading: &Reading<'_>) -> Result<u64, Unread> {
    const DIRECT: &str = "/etc/firewalld/direct.xml";
    let Some(text) = reading.text(DIRECT)? else {
        return Ok(0);
    };
    let elements = xml::elements(&text).map_err(|reason| Unread::Malformed {
        place: DIRECT.to_owned(),
        reason: reason.to_owned(),
    })?;
    let rules = elements
        .iter()
        .filter(|element| matches!(element.name.as_str(), "rule" | "passthrough"));
    Ok(rules.count() as u64)
}

fn policies(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let entries = reading.list("/etc/firewalld/policies")?.unwrap_or_default().into_iter();
    let names = entries.filter_map(|entry| Some(entry.name.strip_suffix(".xml")?.to_owned()));
    Ok(names.take(MAX_ZONES).collect())
}

fn zones(reading: &Reading<'_>, default: &str) -> Result<Vec<Zone>, Unread> {
    let mut files: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for (index, folder) in ZONES.into_iter().enumerate() {
        for entry in reading.list(folder)?.unwrap_or_default() {
            if let Some(name) = entry.name.strip_suffix(".xml") {
                let path = format!("{folder}/{}", entry.name);
                files.entry(name.to_owned()).or_insert((path, index == 0));
            }
        }
    }
    let mut zones = Vec::new();
    for (name, (path, changed)) in files.into_iter().take(MAX_ZONES) {
        let text = reading.text(&path)?.unwrap_or_default();
        let zone = zone(&name, &text).map_err(|reason| Unread::Malformed {
            place: path,
            reason: reason.to_owned(),
        })?;
        if changed || name == default || !zone.interfaces.is_empty() || zone.sources > 0 {
            zones.push(zone);
        }
    }
    Ok(zones)
}

fn zone(name: &str, text: &str) -> Result<Zone, &'static str> {
    let elements = xml::elements(text)?;
    let root = elements
        .first()
        .filter(|root| root.name == "zone")
        .ok_or("no element zone")?;
    let inner = || elements.iter().filter(|element| element.depth == 1);
    let count = |name: &str| inner().filter(|element| element.name == name).count() as u64;
    let names = |of: &str| -> Vec<String> {
        let named = inner().filter(|element| element.name == of);
        let names: BTreeSet<_> = named.filter_map(|element| element.attribute("name")).collect();
        names.into_iter().map(str::to_owned).collect()
    };
    let ports = |of: &str| -> Vec<String> {
        let ports = inner().filter(|element| element.name == of);
        let named = |port: &xml::Element| Some(format!("{}/{}", port.attribute("port")?, port.attribute("protocol")?));
        let mut ports: Vec<_> = ports.filter_map(named).collect();
        ports.order();
        ports
    };
    let protocols = inner().filter(|element| element.name == "protocol");
    let protocols: BTreeSet<_> = protocols.filter_map(|element| element.attribute("value")).collect();
    Ok(Zone {
        name: name.to_owned(),
        target: root.attribute("target").unwrap_or("default").to_owned(),
        services: names("service"),
        ports: ports("port"),
        protocols: protocols.into_iter().map(str::to_owned).collect(),
        source_ports: ports("source-port"),
        interfaces: names("interface"),
        sources: count("source"),
        rich_rules: count("rule"),
        masquerade: count("masquerade") > 0,
        forward_ports: count("forward-port"),
    })
}

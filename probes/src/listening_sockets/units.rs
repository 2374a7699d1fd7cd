//! What systemd will listen on (systemd.socket(5)).

use super::facts::{Listens, Protocol, SocketUnit};
use super::place;
use crate::formats::systemd::syntax::{Assignment, boolean};
use crate::formats::systemd::{AtBoot, Units};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// Units that are listed.
const MAX_UNITS: usize = 1_000;

/// The socket units that start with the machine or are active.
pub(super) fn at_boot(reading: &Reading<'_>) -> Known<Vec<SocketUnit>> {
    let read = || -> Result<Option<Vec<SocketUnit>>, Unread> {
        let Some(units) = Units::read(reading)? else {
            return Ok(None);
        };
        let names = units.names().into_iter().filter(|name| name.ends_with(".socket"));
        let mut states = units.states(names);
        states.order_by(|one, other| one.unit.cmp(&other.unit));
        states.dedup_by(|one, other| one.unit == other.unit);
        let kept = states
            .into_iter()
            .filter(|state| state.at_boot == AtBoot::Pulled || state.active.value() == Some(&true));
        let unit = |state: crate::formats::systemd::UnitState| SocketUnit {
            listens: Known::read(listens(reading, &units, &state.unit)),
            unit: state.unit,
            at_boot: state.at_boot,
            active: state.active,
        };
        // Most listen on UNIX sockets alone.
        let on_network = |unit: &SocketUnit| unit.listens.value().is_none_or(|listens| !listens.is_empty());
        Ok(Some(kept.map(unit).filter(on_network).take(MAX_UNITS).collect()))
    };
    match read() {
        Ok(Some(units)) => Known::Observed(units),
        Ok(None) => Known::absent("this host has no systemd"),
        Err(unread) => Known::unread(&unread),
    }
}

fn listens(reading: &Reading<'_>, units: &Units, unit: &str) -> Result<Vec<Listens>, Unread> {
    let assignments = units.assignments(reading, unit)?.unwrap_or_default();
    let v6_only = match value(&assignments, "BindIPv6Only") {
        Some("both") => false,
        Some("ipv6-only") => true,
        // `default`: as the kernel is set up, which a unit's start will find as it is then.
        _ => reading.attribute("/proc/sys/net/ipv6/bindv6only")?.as_deref() == Some("1"),
    };
    let mut listens = Vec::new();
    for one in assignments.iter().filter(|one| one.section == "Socket") {
        let protocol = match one.name.as_str() {
            "ListenStream" => Protocol::Tcp,
            "ListenDatagram" => Protocol::Udp,
            _ => continue,
        };
        if one.value.is_empty() {
            // An empty assignment clears the whole list, whatever kind it is of.
            listens.clear();
            continue;
        }
        let parsed = place::parse(&one.value).map_err(|error| Unread::Malformed {
            place: units.path(unit).unwrap_or(unit).to_owned(),
            reason: error.to_string(),
        })?;
        let Some((address, port)) = parsed else { continue };
        listens.push(Listens {
            protocol,
            port,
            address,
            reach: place::reach(address),
            ipv4: place::takes_ipv4(address, Some(v6_only)),
            ipv6: address.is_ipv6(),
        });
    }
    Ok(listens)
}

fn value<'a>(assignments: &'a [Assignment], name: &str) -> Option<&'a str> {
    let of_name = |one: &&Assignment| one.section == "Socket" && one.name == name;
    let last = assignments.iter().rev().find(of_name)?;
    // Before `both` and its like there was a boolean.
    match boolean(&last.value) {
        Some(true) => Some("ipv6-only"),
        Some(false) => Some("both"),
        None => Some(last.value.as_str()),
    }
}

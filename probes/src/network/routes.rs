//! Default routes of the main table.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::facts::DefaultRoute;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const IPV4: &str = "/proc/net/route";
const IPV6: &str = "/proc/net/ipv6_route";
/// Lines that are looked at: a router has a million routes.
const MAX_LINES: usize = 3_000_000;
/// `RTF_UP`, `RTF_GATEWAY`, `RTF_REJECT` (`linux/route.h`).
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

pub(super) fn ipv4(reading: &Reading<'_>) -> Known<Vec<DefaultRoute>> {
    known(reading, IPV4, parse_ipv4)
}

pub(super) fn ipv6(reading: &Reading<'_>) -> Known<Vec<DefaultRoute>> {
    known(reading, IPV6, parse_ipv6)
}

/// A route and whether it is a default; `None`: no route.
type Parse = fn(&str) -> Option<(bool, DefaultRoute)>;

fn known(reading: &Reading<'_>, path: &str, parse: Parse) -> Known<Vec<DefaultRoute>> {
    let text = match reading.volatile(path) {
        Ok(Some(text)) => text,
        Ok(None) => return Known::absent(format!("{path} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let mut routes = BTreeSet::new();
    for line in text.lines().take(MAX_LINES).filter(|line| !line.starts_with("Iface")) {
        match parse(line) {
            Some((is_default, route)) => routes.extend(is_default.then_some(route)),
            None => {
                return Known::unread(&Unread::Malformed {
                    place: path.to_owned(),
                    reason: format!("{:?} is no route", line.chars().take(200).collect::<String>()),
                });
            }
        }
    }
    Known::Observed(routes.into_iter().collect())
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`, numbers hexadecimal in the machine's byte order.
fn parse_ipv4(line: &str) -> Option<(bool, DefaultRoute)> {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
    let (destination, gateway, flags, mask) = (number(1)?, number(2)?, number(3)?, number(7)?);
    let is_default = destination == 0 && mask == 0 && flags & UP != 0 && flags & REJECT == 0;
    let gateway = (gateway != 0).then(|| IpAddr::V4(Ipv4Addr::from(gateway.to_ne_bytes())));
    let interface = (*fields.first()?).to_owned();
    Some((is_default, DefaultRoute { interface, gateway }))
}

/// `destination length source length next-hop metric references use flags interface`.
fn parse_ipv6(line: &str) -> Option<(bool, DefaultRoute)> {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let address = |at: usize| u128::from_str_radix(fields.get(at)?, 16).ok();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
    let (destination, length, gateway, flags) = (address(0)?, number(1)?, address(4)?, number(8)?);
    let interface = (*fields.get(9)?).to_owned();
    let up = flags & UP != 0 && flags & REJECT == 0 && interface != "lo";
    let gateway = (gateway != 0).then(|| IpAddr::V6(Ipv6Addr::from(gateway)));
    Some((
        up && destination == 0 && length == 0,
        DefaultRoute { interface, gateway },
    ))
}

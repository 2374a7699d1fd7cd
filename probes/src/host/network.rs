//! Network interfaces: what the inventory lists, less what comes and goes by itself.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use super::facts::NetworkInterface;
use crate::order::Order as _;
use crate::reading::{Interface, Reading, Unread};

/// `IFA_F_TEMPORARY` (rtnetlink(7)).
const TEMPORARY: u32 = 0x01;
/// More addresses than any host has: the kernel's default limit is 16 temporary ones for an interface.
const MAX_LINES: usize = 10_000;

/// The interfaces that say something about the host, sorted by name.
pub(super) fn interfaces(reading: &Reading<'_>, found: Vec<Interface>) -> Result<Vec<NetworkInterface>, Unread> {
    let table = reading.volatile("/proc/net/if_inet6")?;
    let temporary = table.as_deref().map(temporary).unwrap_or_default();
    let mut interfaces = vec![];
    for interface in found.into_iter().filter(|interface| interface.name != "lo") {
        let device = reading
            .stat(&format!("/sys/class/net/{}/device", interface.name))?
            .is_some();
        let stays = |address: &String| stays(address, &temporary);
        let addresses: Vec<_> = interface.addresses.into_iter().filter(stays).collect();
        // The ends of virtual cables to containers come and go with them, and have addresses of link scope only.
        if device || !addresses.is_empty() {
            interfaces.push(NetworkInterface {
                name: interface.name,
                mac: interface.mac,
                device,
                addresses,
            });
        }
    }
    interfaces.order_by(|one, other| one.name.cmp(&other.name));
    Ok(interfaces)
}

fn stays(address: &str, temporary: &BTreeSet<Ipv6Addr>) -> bool {
    let plain = address.split('/').next().unwrap_or(address);
    match plain.parse() {
        Ok(IpAddr::V6(address)) => !address.is_unicast_link_local() && !temporary.contains(&address),
        Ok(IpAddr::V4(address)) => !address.is_link_local(),
        Err(_) => true,
    }
}

/// Temporary addresses in `/proc/net/if_inet6`: lines of address, index, prefix length, scope, flags (all hexadecimal)
/// and name (`if6_seq_show` in `net/ipv6/addrconf.c`).
fn temporary(table: &str) -> BTreeSet<Ipv6Addr> {
    let address = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        (flags & TEMPORARY != 0).then_some(Ipv6Addr::from(address))
    };
    table.lines().take(MAX_LINES).filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_and_link_local_addresses_go() {
        let table = "20010db8000000000000000000000007 02 40 00 80     eth0\n\
                     20010db8000000009c5b00000000a1b2 02 40 00 01     eth0\n\
                     fe800000000000000000000000000001 02 40 20 80     eth0\n\
                     not a line\n";
        let temporary = temporary(table);
        let kept = [
            "2001:db8::7/64",
            "2001:db8::9c5b:0:0:a1b2/64",
            "fe80::1/64",
            "192.0.2.7/24",
            "169.254.3.4/16",
        ];
        let kept: Vec<_> = kept.into_iter().filter(|address| stays(address, &temporary)).collect();
        assert_eq!(kept, ["2001:db8::7/64", "192.0.2.7/24"]);
    }
}

//! Interfaces, by what sysfs says of each.

use super::facts::{Interface, InterfaceKind};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const FOLDER: &str = "/sys/class/net";
/// Interfaces that are looked at.
const MAX_INTERFACES: usize = 10_000;
/// `IFF_UP`, `IFF_PROMISC` (`linux/if.h`).
const UP: u32 = 0x1;
const PROMISCUOUS: u32 = 0x100;

pub(super) fn read(reading: &Reading<'_>) -> Known<Vec<Interface>> {
    match find(reading) {
        Ok(Some(interfaces)) => Known::Observed(interfaces),
        Ok(None) => Known::absent(format!("{FOLDER} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>) -> Result<Option<Vec<Interface>>, Unread> {
    let Some(entries) = reading.list(FOLDER)? else {
        return Ok(None);
    };
    let mut interfaces = Vec::new();
    for entry in entries.into_iter().take(MAX_INTERFACES) {
        if let Some(interface) = one(reading, entry.name)? {
            interfaces.push(interface);
        }
    }
    Ok(Some(interfaces))
}

/// `None`: loopback, a cable to a container, something that is no interface, or gone meanwhile.
fn one(reading: &Reading<'_>, name: String) -> Result<Option<Interface>, Unread> {
    let folder = format!("{FOLDER}/{name}");
    let attribute = |name: &str| reading.attribute(&format!("{folder}/{name}"));
    let Some(flags) = attribute("flags")? else {
        return Ok(None);
    };
    let wrong = |what: &str| Unread::Malformed {
        place: format!("{folder}/{what}"),
        reason: "not a number".to_owned(),
    };
    let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).map_err(|_| wrong("flags"))?;
    let hardware: u32 = attribute("type")?
        .unwrap_or_default()
        .parse()
        .map_err(|_| wrong("type"))?;
    let uevent = attribute("uevent")?.unwrap_or_default();
    let devtype = uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
    let exists = |name: &str| Ok::<_, Unread>(reading.stat(&format!("{folder}/{name}"))?.is_some());
    let device = exists("device")?;
    let kind = match (devtype, hardware) {
        // ARPHRD_LOOPBACK.
        (_, 772) => return Ok(None),
        (Some("wlan"), _) | (_, 801..=803) => InterfaceKind::Wireless,
        (Some("wwan"), _) => InterfaceKind::Modem,
        (Some("bond"), _) => InterfaceKind::Bond,
        (Some("vlan"), _) => InterfaceKind::Vlan,
        (Some("bridge"), _) => InterfaceKind::Bridge,
        (Some("wireguard"), _) => InterfaceKind::Wireguard,
        (Some("vxlan" | "geneve" | "gre" | "ip6gre"), _) => InterfaceKind::Tunnel,
        _ if exists("wireless")? || exists("phy80211")? => InterfaceKind::Wireless,
        _ if exists("tun_flags")? => InterfaceKind::Tun,
        // ARPHRD_PPP; ARPHRD_INFINIBAND; IPIP, IP6TNL, SIT, IPGRE, IP6GRE.
        (_, 512) => InterfaceKind::Ppp,
        (_, 32) => InterfaceKind::Infiniband,
        (_, 768 | 769 | 776 | 778 | 823) => InterfaceKind::Tunnel,
        (_, 1) if device => InterfaceKind::Ethernet,
        // The other end of the cable has the index that `iflink` gives; other virtual interfaces give their own.
        (_, 1) if attribute("iflink")? != attribute("ifindex")? && devtype.is_none() => return Ok(None),
        _ if device => InterfaceKind::Other,
        _ => InterfaceKind::Virtual,
    };
    let master = reading.stat_link(&format!("{folder}/master"))?;
    let master = match master {
        Some(_) => reading.link(&format!("{folder}/master"))?.unwrap_or_default(),
        None => String::new(),
    };
    Ok(Some(Interface {
        name,
        kind,
        up: flags & UP != 0,
        promiscuous: flags & PROMISCUOUS != 0,
        master: master.rsplit('/').next().unwrap_or_default().to_owned(),
    }))
}

//! VPN configurations, counted. Names of files are names of people and places; they stay on the host.

use std::collections::BTreeSet;

use super::facts::{Vpn, VpnKind};
use crate::reading::{Kind, Reading, Unread};

/// Files that are looked at in each folder.
const MAX_FILES: usize = 2_000;

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Vpn>, Unread> {
    let pulled = pulled(reading)?;
    let at_boot = |begins: &[&str]| {
        let mine = |unit: &&String| begins.iter().any(|begin| unit.starts_with(begin));
        pulled.iter().filter(mine).count() as u64
    };
    let ends = |folder: &str, end: &'static str| count(reading, folder, end, |_| true);
    let wireguard = |text: &str| {
        text.lines()
            .any(|line| line.replace(' ', "").eq_ignore_ascii_case("kind=wireguard"))
    };
    let connection = |text: &str| {
        let kinds = ["type=vpn", "type=wireguard"];
        text.lines().any(|line| kinds.contains(&line.replace(' ', "").as_str()))
    };
    let conns = |text: &str| {
        text.lines()
            .filter(|line| line.starts_with("conn ") && !line.ends_with("%default"))
            .count()
    };
    let ipsec = reading
        .private("/etc/ipsec.conf", "/etc/ipsec.conf")?
        .unwrap_or_default();
    let all = [
        (
            VpnKind::Wireguard,
            ends("/etc/wireguard", ".conf")?,
            at_boot(&["wg-quick@"]),
        ),
        (
            VpnKind::WireguardNetworkd,
            count(reading, "/etc/systemd/network", ".netdev", wireguard)?,
            0,
        ),
        (
            VpnKind::Openvpn,
            ends("/etc/openvpn", ".conf")?
                + ends("/etc/openvpn/client", ".conf")?
                + ends("/etc/openvpn/server", ".conf")?,
            at_boot(&["openvpn@", "openvpn-client@", "openvpn-server@"]),
        ),
        (
            VpnKind::IpsecConf,
            conns(&String::from_utf8_lossy(&ipsec)) as u64,
            at_boot(&["strongswan-starter.service", "ipsec.service"]),
        ),
        (
            VpnKind::Swanctl,
            ends("/etc/swanctl/conf.d", ".conf")?,
            at_boot(&["strongswan.service"]),
        ),
        (
            VpnKind::NetworkManager,
            count(reading, "/etc/NetworkManager/system-connections", "", connection)?,
            0,
        ),
        (
            VpnKind::Zerotier,
            ends("/var/lib/zerotier-one/networks.d", ".conf")?,
            at_boot(&["zerotier-one.service"]),
        ),
    ];
    let configured = all.into_iter().filter(|(_, configurations, _)| *configurations > 0);
    Ok(configured
        .map(|(kind, configurations, at_boot)| Vpn {
            kind,
            configurations,
            at_boot,
        })
        .collect())
}

/// Units that another one pulls in by a link of the administrator's: instances of templates have no file of their own.
fn pulled(reading: &Reading<'_>) -> Result<BTreeSet<String>, Unread> {
    const FOLDER: &str = "/etc/systemd/system";
    let mut pulled = BTreeSet::new();
    for entry in reading.list(FOLDER)?.unwrap_or_default().into_iter().take(MAX_FILES) {
        if let Some((_, "wants" | "requires" | "upholds")) = entry.name.rsplit_once('.') {
            let units = reading
                .entries(&format!("{FOLDER}/{}", entry.name))?
                .unwrap_or_default();
            pulled.extend(units.into_iter().map(|unit| unit.name));
        }
    }
    Ok(pulled)
}

/// Files of a folder whose names end in `end` and whose text `fits`; those that need no look are not read.
fn count(reading: &Reading<'_>, folder: &str, end: &str, fits: impl Fn(&str) -> bool) -> Result<u64, Unread> {
    let by_name = fits("");
    let mut count = 0;
    for entry in reading.list(folder)?.unwrap_or_default().into_iter().take(MAX_FILES) {
        if entry.kind == Kind::Folder || !entry.name.ends_with(end) {
            continue;
        }
        // What fits an empty text asks for nothing in it.
        let fits = by_name || {
            let path = format!("{folder}/{}", entry.name);
            let bytes = reading.private(&path, &format!("{folder}/*"))?.unwrap_or_default();
            fits(&String::from_utf8_lossy(&bytes))
        };
        count += u64::from(fits);
    }
    Ok(count)
}

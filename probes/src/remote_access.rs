//! # What
//! Programs by which somebody can work on this host from elsewhere, or by which this host joins another network: remote
//! desktops, remote support, remote shells beside SSH, web consoles, file servers of old, overlay networks and VPNs.
//!
//! # Source
//! Files that these programs install; systemd's unit files (what starts them); inetd.conf(5), xinetd.conf(5); wg-quick(8),
//! openvpn(8), ipsec.conf(5), swanctl.conf(5), nm-settings-keyfile(5); snmpd.conf(5), snmp_config(5).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` to count VPN configurations; what stands in them does not leave the host.
//!
//! # Bears on
//! A.6.7 (remote working), A.8.20 (networks security), A.8.21 (security of network services), A.8.19 (installation of
//! software), A.8.18 (privileged utility programs), A.5.15 (access control).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod inetd;
mod products;
mod snmp;
mod vpn;

pub use facts::*;

use crate::formats::systemd::Units;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct RemoteAccessProbe;

impl Probe for RemoteAccessProbe {
    const SPEC: Spec = Spec {
        id: "remote-access",
        version: 2,
        title: "By which programs this host can be worked on from elsewhere, which VPNs it has, and who may ask it by SNMP",
        reads: &[
            "files that such programs install, below /usr/bin, /usr/sbin, /usr/local and /opt",
            "/etc/systemd/system/",
            "/usr/lib/systemd/system/",
            "/run/systemd/units/",
            "/etc/inetd.conf",
            "/etc/xinetd.d/",
            "/etc/wireguard/",
            "/etc/openvpn/",
            "/etc/ipsec.conf",
            "/etc/swanctl/",
            "/etc/NetworkManager/system-connections/",
            "/var/lib/zerotier-one/networks.d/",
            "/etc/snmp/snmpd.conf, snmpd.local.conf and what they include",
            "snmpd.conf in /usr/share/snmp/, /var/lib/snmp/ and /var/lib/net-snmp/",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/systemd/system",
            "/run/systemd/units",
            "/etc/xinetd.d",
            "/etc/wireguard",
            "/etc/openvpn",
            "/etc/snmp/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "Programs that are not in its list (`looked_for`), that lie elsewhere, or that users have in their homes, in containers, as snap or flatpak.",
            "Whether a program that is installed was ever used, by whom, and how it is secured; OpenSSH is the probe `sshd`.",
            "Names of SNMP communities and users, which objects their views hold, and options of snmpd's command line.",
            "What is in VPN configurations, and which tunnels are up (interfaces are in the probe `network`).",
        ],
    };

    type Facts = RemoteAccess;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<RemoteAccess, NoNames>, ProbeError> {
        let units = Units::read(reading);
        Ok(Collected::facts(RemoteAccess {
            products: Known::read(products::find(reading, &units)),
            looked_for: products::names(),
            inetd: Known::read(inetd::read(reading)),
            vpns: Known::read(vpn::read(reading)),
            snmp: Known::of(snmp::read(reading), "/etc/snmp/snmpd.conf"),
        }))
    }
}

#[cfg(test)]
mod tests;

//! # What
//! Ways into the host beside SSH: desktop sharing, support software, VPNs, administration in the browser, and old services
//! without encryption; which are installed, started and running, and how the usual ones are configured.
//!
//! # Source
//! Unit files; inetd.conf(5), xinetd.conf(5); wg-quick(8), openvpn(8), swanctl.conf(5), ipsec.conf(5); cockpit.conf(5);
//! `miniserv.conf` of Webmin; xrdp.ini(5); vsftpd.conf(5); x11vnc(1) for flags.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: configurations of VPNs are closed to others.
//!
//! # Bears on
//! A.8.20 (network security), A.8.21 (network services), A.6.7 (remote working), A.5.15 (access control), A.8.5 (secure
//! authentication), A.8.24 (use of cryptography), A.8.9 (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod inetd;
mod servers;
mod vpn;

use evidence::facts::Outcome;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct RemoteAccessProbe;

impl Probe for RemoteAccessProbe {
    const SPEC: Spec = Spec {
        id: "remote-access",
        version: 1,
        title: "Ways into the host beside SSH: desktops, support software, VPNs, browsers, services without encryption",
        reads: &[
            "programs and folders of known software",
            "unit files and the files of variables that they name",
            "/etc/inetd.conf, /etc/xinetd.d/",
            "/etc/wireguard/, /etc/openvpn/, /etc/ipsec.conf, /etc/swanctl/",
            "/etc/cockpit/cockpit.conf, /etc/webmin/miniserv.conf",
            "/etc/xrdp/xrdp.ini",
            "/etc/vsftpd.conf or /etc/vsftpd/vsftpd.conf",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/inetd.conf",
            "/etc/xinetd.d/",
            "/etc/wireguard/",
            "/etc/openvpn/",
            "/etc/swanctl/",
            "/etc/xrdp/",
            "/etc/cockpit/",
        ],
        budget: Budget {
            millis: 1_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Software that a user put into the own home, or that was installed elsewhere than where its packages put it.",
            "Software without a unit that somebody started by hand; what listens on the network is another probe's matter.",
            "Who may connect through a vendor's service, and whether somebody does.",
            "SSH, which has a probe of its own.",
            "Passwords and keys, their strength included.",
        ],
    };

    type Facts = RemoteAccess;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<RemoteAccess, NoNames>, ProbeError> {
        let units = LazyUnits::new(reading);
        let table: Vec<Product> = SOFTWARE.iter().map(|(_, product)| *product).collect();
        let survey = Survey::of(&table, &units);
        let has = |product: &str| survey.has(&[product]);
        let facts = RemoteAccess {
            inetd: known(inetd::read(reading)),
            wireguard: known(vpn::wireguard(reading)),
            openvpn: known(vpn::openvpn(reading)),
            ipsec: known(vpn::ipsec(reading)),
            cockpit: part(has("cockpit"), || servers::cockpit(reading)),
            webmin: part(has("webmin"), || servers::webmin(reading)),
            xrdp: part(has("xrdp"), || servers::xrdp(reading)),
            vsftpd: part(has("vsftpd"), || servers::vsftpd(reading)),
            x11vnc: part(has("x11vnc"), || servers::x11vnc(&units)),
            software: survey
                .installed
                .into_iter()
                .filter_map(|installed| {
                    let (way, _) = SOFTWARE.iter().find(|(_, product)| product.id == installed.product)?;
                    Some(RemoteSoftware {
                        product: installed.product,
                        way: *way,
                        shown_by: installed.shown_by,
                        units: installed.units,
                    })
                })
                .collect(),
            undetermined: survey.undetermined,
        };
        Ok(Collected::facts(facts))
    }
}

const fn software(
    id: &'static str,
    way: Way,
    files: &'static [&'static str],
    units: &'static [&'static str],
) -> (Way, Product) {
    (way, Product { id, files, units })
}

/// Sorted; another one is a line more.
#[rustfmt::skip]
const SOFTWARE: [(Way, Product); 43] = [
    software("anydesk", Way::Support, &["/usr/bin/anydesk", "/etc/anydesk"], &["anydesk.service"]),
    software("chrome_remote_desktop", Way::Support, &["/opt/google/chrome-remote-desktop"], &["chrome-remote-desktop.service", "chrome-remote-desktop@.service"]),
    software("cloudflared", Way::Tunnel, &["/usr/bin/cloudflared", "/usr/local/bin/cloudflared"], &["cloudflared.service"]),
    software("cockpit", Way::Browser, &["/usr/lib/cockpit/cockpit-ws", "/usr/libexec/cockpit-ws", "/usr/lib/systemd/system/cockpit.socket"], &["cockpit.socket", "cockpit.service"]),
    software("dwservice", Way::Support, &["/usr/share/dwagent"], &["dwagent.service"]),
    software("fastd", Way::Vpn, &["/usr/bin/fastd"], &["fastd@.service"]),
    software("frp", Way::Tunnel, &["/usr/bin/frpc", "/usr/local/bin/frpc"], &["frpc.service", "frpc@.service"]),
    software("gnome_remote_desktop", Way::Desktop, &["/usr/libexec/gnome-remote-desktop-daemon", "/usr/lib/gnome-remote-desktop/gnome-remote-desktop-daemon"], &["gnome-remote-desktop.service"]),
    software("guacamole", Way::Browser, &["/usr/sbin/guacd", "/usr/local/sbin/guacd"], &["guacd.service"]),
    software("inetutils_telnetd", Way::Plain, &["/usr/sbin/telnetd", "/usr/sbin/in.telnetd"], &["telnet.socket", "inetutils-inetd.service"]),
    software("libreswan", Way::Vpn, &["/usr/libexec/ipsec/pluto", "/usr/lib/ipsec/pluto"], &["ipsec.service"]),
    software("meshcentral_agent", Way::Support, &["/usr/local/mesh_services/meshagent/meshagent", "/usr/local/mesh/meshagent"], &["meshagent.service"]),
    software("n2n", Way::Vpn, &["/usr/sbin/edge"], &["edge.service", "edge@.service"]),
    software("nebula", Way::Vpn, &["/usr/bin/nebula", "/usr/local/bin/nebula"], &["nebula.service", "nebula@.service"]),
    software("netbird", Way::Vpn, &["/usr/bin/netbird"], &["netbird.service"]),
    software("ngrok", Way::Tunnel, &["/usr/bin/ngrok", "/usr/local/bin/ngrok"], &["ngrok.service"]),
    software("nomachine", Way::Desktop, &["/usr/NX/bin/nxserver"], &["nxserver.service"]),
    software("ocserv", Way::Vpn, &["/usr/sbin/ocserv"], &["ocserv.service", "ocserv.socket"]),
    software("openvpn", Way::Vpn, &["/usr/sbin/openvpn"], &["openvpn.service", "openvpn@.service", "openvpn-client@.service", "openvpn-server@.service"]),
    software("proftpd", Way::Plain, &["/usr/sbin/proftpd"], &["proftpd.service", "proftpd.socket"]),
    software("pure_ftpd", Way::Plain, &["/usr/sbin/pure-ftpd"], &["pure-ftpd.service"]),
    software("rshd", Way::Plain, &["/usr/sbin/in.rshd", "/usr/sbin/rshd", "/usr/sbin/in.rlogind", "/usr/sbin/in.rexecd"], &["rsh.socket", "rlogin.socket", "rexec.socket"]),
    software("rustdesk", Way::Support, &["/usr/bin/rustdesk", "/usr/lib/rustdesk", "/usr/share/rustdesk"], &["rustdesk.service"]),
    software("screenconnect", Way::Support, &["/opt/connectwisecontrol-*", "/opt/screenconnect-*"], &[]),
    software("softether", Way::Vpn, &["/usr/local/vpnserver/vpnserver", "/usr/libexec/softether/vpnserver/vpnserver"], &["vpnserver.service", "softether-vpnserver.service"]),
    software("splashtop", Way::Support, &["/opt/splashtop-streamer"], &["SRStreamer.service"]),
    software("strongswan", Way::Vpn, &["/usr/sbin/charon-systemd", "/usr/lib/ipsec/charon", "/usr/libexec/strongswan/charon", "/usr/sbin/swanctl"], &["strongswan.service", "strongswan-starter.service"]),
    software("tailscale", Way::Vpn, &["/usr/sbin/tailscaled", "/usr/bin/tailscale"], &["tailscaled.service"]),
    software("talkd", Way::Plain, &["/usr/sbin/in.talkd", "/usr/sbin/in.ntalkd"], &["ntalk.socket"]),
    software("teamviewer", Way::Support, &["/opt/teamviewer"], &["teamviewerd.service"]),
    software("teleport", Way::Tunnel, &["/usr/local/bin/teleport", "/usr/bin/teleport"], &["teleport.service"]),
    software("tftpd", Way::Plain, &["/usr/sbin/in.tftpd", "/usr/sbin/tftpd", "/usr/sbin/atftpd"], &["tftpd-hpa.service", "tftp.socket", "tftp.service", "atftpd.service"]),
    software("tigervnc", Way::Desktop, &["/usr/bin/Xtigervnc", "/usr/bin/Xvnc", "/usr/bin/x0vncserver", "/usr/bin/X0tigervnc"], &["vncserver@.service", "tigervncserver@.service", "xvnc.socket", "xvnc@.service"]),
    software("tinc", Way::Vpn, &["/usr/sbin/tincd"], &["tinc.service", "tinc@.service"]),
    software("tmate", Way::Tunnel, &["/usr/bin/tmate"], &[]),
    software("vsftpd", Way::Plain, &["/usr/sbin/vsftpd"], &["vsftpd.service", "vsftpd.socket", "vsftpd@.service"]),
    software("webmin", Way::Browser, &["/usr/share/webmin", "/usr/libexec/webmin", "/etc/webmin/miniserv.conf"], &["webmin.service"]),
    software("wireguard", Way::Vpn, &["/usr/bin/wg", "/usr/bin/wg-quick"], &["wg-quick@.service"]),
    software("x11vnc", Way::Desktop, &["/usr/bin/x11vnc"], &["x11vnc.service", "x11vnc@.service"]),
    software("xl2tpd", Way::Vpn, &["/usr/sbin/xl2tpd", "/usr/sbin/pptpd"], &["xl2tpd.service", "pptpd.service"]),
    software("xpra", Way::Desktop, &["/usr/bin/xpra"], &["xpra.service", "xpra.socket"]),
    software("xrdp", Way::Desktop, &["/usr/sbin/xrdp"], &["xrdp.service", "xrdp-sesman.service"]),
    software("zerotier", Way::Vpn, &["/usr/sbin/zerotier-one"], &["zerotier-one.service"]),
];

fn known<T>(read: Result<T, Unread>) -> Known<T> {
    match read {
        Ok(value) => Known::Observed(value),
        Err(unread) => Known::unread(&unread),
    }
}

/// What a product's own files say; `absent` if it is not installed or has none.
fn part<T>(installed: bool, read: impl FnOnce() -> Result<Option<T>, Unread>) -> Known<T> {
    if installed {
        Known::of(read(), "its configuration")
    } else {
        Known::not(Outcome::Absent, "it is not installed")
    }
}

#[cfg(test)]
mod tests;

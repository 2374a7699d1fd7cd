//! The programs that are looked for.

use super::facts::{Product, ProductKind};
use crate::formats::systemd::Units;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

struct Sought {
    name: &'static str,
    kind: ProductKind,
    /// Any of these shows it; `~` stands for a program below `/usr/bin`, `/usr/sbin` and their like under `/usr/local`.
    files: &'static [&'static str],
    units: &'static [&'static str],
}

const fn sought(
    name: &'static str,
    kind: ProductKind,
    files: &'static [&'static str],
    units: &'static [&'static str],
) -> Sought {
    Sought {
        name,
        kind,
        files,
        units,
    }
}

use ProductKind::{
    OverlayNetwork, PlainFiles, PlainShell, RemoteDesktop, RemoteSupport, ReverseTunnel, SharedTerminal, Shell,
    WebConsole,
};

/// Sorted by name.
const PRODUCTS: [Sought; 54] = [
    sought("ammyy", RemoteSupport, &["/opt/ammyy"], &[]),
    sought(
        "anydesk",
        RemoteSupport,
        &["~anydesk", "/usr/libexec/anydesk"],
        &["anydesk.service"],
    ),
    sought(
        "chrome-remote-desktop",
        RemoteSupport,
        &["/opt/google/chrome-remote-desktop"],
        &["chrome-remote-desktop.service"],
    ),
    sought(
        "cloudflared",
        ReverseTunnel,
        &["~cloudflared"],
        &["cloudflared.service"],
    ),
    sought(
        "cockpit",
        WebConsole,
        &[
            "/usr/lib/cockpit/cockpit-ws",
            "/usr/libexec/cockpit-ws",
            "/usr/lib/cockpit/cockpit-tls",
        ],
        &["cockpit.socket", "cockpit.service"],
    ),
    sought(
        "connectwise-screenconnect",
        RemoteSupport,
        &["/opt/screenconnect", "/opt/connectwisecontrol"],
        &["connectwisecontrol.service", "screenconnect.service"],
    ),
    sought("distccd", Shell, &["~distccd"], &["distcc.service", "distccd.service"]),
    sought("dropbear", Shell, &["~dropbear"], &["dropbear.service"]),
    sought("dwagent", RemoteSupport, &["/usr/share/dwagent"], &["dwagent.service"]),
    sought(
        "frp",
        ReverseTunnel,
        &["~frpc", "~frps"],
        &["frpc.service", "frps.service"],
    ),
    sought(
        "gnome-remote-desktop",
        RemoteDesktop,
        &["/usr/libexec/gnome-remote-desktop-daemon"],
        &["gnome-remote-desktop.service"],
    ),
    sought("gotty", SharedTerminal, &["~gotty"], &[]),
    sought("guacamole", RemoteDesktop, &["~guacd"], &["guacd.service"]),
    sought(
        "hamachi",
        OverlayNetwork,
        &["~hamachi", "/opt/logmein-hamachi"],
        &["logmein-hamachi.service"],
    ),
    sought("krfb", RemoteDesktop, &["~krfb"], &[]),
    sought(
        "meshcentral-agent",
        RemoteSupport,
        &["/usr/local/mesh_services/meshagent", "/opt/meshagent"],
        &["meshagent.service"],
    ),
    sought("nebula", OverlayNetwork, &["~nebula"], &["nebula.service"]),
    sought("netbird", OverlayNetwork, &["~netbird"], &["netbird.service"]),
    sought("ngrok", ReverseTunnel, &["~ngrok"], &["ngrok.service"]),
    sought(
        "nomachine",
        RemoteDesktop,
        &["/usr/NX/bin/nxserver"],
        &["nxserver.service"],
    ),
    sought("openvpn", OverlayNetwork, &["~openvpn"], &["openvpn.service"]),
    sought("proftpd", PlainFiles, &["~proftpd"], &["proftpd.service"]),
    sought("pure-ftpd", PlainFiles, &["~pure-ftpd"], &["pure-ftpd.service"]),
    sought(
        "realvnc",
        RemoteDesktop,
        &["~vncserver-x11", "~vncserver-x11-serviced"],
        &["vncserver-x11-serviced.service", "vncserver-virtuald.service"],
    ),
    sought(
        "remotely",
        RemoteSupport,
        &["/usr/local/bin/Remotely"],
        &["remotely-agent.service"],
    ),
    sought("rexecd", PlainShell, &["~in.rexecd", "~rexecd"], &["rexec.socket"]),
    sought("rlogind", PlainShell, &["~in.rlogind", "~rlogind"], &["rlogin.socket"]),
    sought("rshd", PlainShell, &["~in.rshd", "~rshd"], &["rsh.socket"]),
    sought(
        "rustdesk",
        RemoteSupport,
        &["~rustdesk", "/usr/lib/rustdesk", "/usr/share/rustdesk"],
        &["rustdesk.service"],
    ),
    sought(
        "samba",
        PlainFiles,
        &["~smbd"],
        &[
            "smbd.service",
            "smb.service",
            "nmbd.service",
            "nmb.service",
            "samba-ad-dc.service",
        ],
    ),
    sought("shellinabox", WebConsole, &["~shellinaboxd"], &["shellinabox.service"]),
    sought(
        "splashtop",
        RemoteSupport,
        &["/opt/splashtop-streamer"],
        &["SRStreamer.service"],
    ),
    sought(
        "strongswan",
        OverlayNetwork,
        &["~ipsec", "~swanctl", "~charon-systemd"],
        &["strongswan.service", "strongswan-starter.service", "ipsec.service"],
    ),
    sought("supremo", RemoteSupport, &["/opt/supremo"], &[]),
    sought("tailscale", OverlayNetwork, &["~tailscaled"], &["tailscaled.service"]),
    sought(
        "teamviewer",
        RemoteSupport,
        &["/opt/teamviewer"],
        &["teamviewerd.service"],
    ),
    sought("teleport", Shell, &["~teleport"], &["teleport.service"]),
    sought(
        "telnetd",
        PlainShell,
        &["~in.telnetd", "~telnetd"],
        &["telnet.socket", "inetutils-telnetd.service"],
    ),
    sought(
        "tftpd",
        PlainFiles,
        &["~in.tftpd", "~atftpd"],
        &[
            "tftpd-hpa.service",
            "tftp.socket",
            "tftp.service",
            "atftpd.socket",
            "atftpd.service",
        ],
    ),
    sought(
        "tigervnc",
        RemoteDesktop,
        &["~Xvnc", "~Xtigervnc", "~x0tigervncserver", "~x0vncserver"],
        &["tigervncserver@.service", "vncserver@.service", "xvnc.socket"],
    ),
    sought("tinc", OverlayNetwork, &["~tincd"], &["tinc.service"]),
    sought("tmate", SharedTerminal, &["~tmate"], &[]),
    sought("ttyd", SharedTerminal, &["~ttyd"], &["ttyd.service"]),
    sought(
        "vino",
        RemoteDesktop,
        &["/usr/lib/vino/vino-server", "/usr/libexec/vino-server"],
        &["vino-server.service"],
    ),
    sought("vsftpd", PlainFiles, &["~vsftpd"], &["vsftpd.service"]),
    sought("wayvnc", RemoteDesktop, &["~wayvnc"], &["wayvnc.service"]),
    sought(
        "webmin",
        WebConsole,
        &["/usr/share/webmin", "/usr/libexec/webmin", "/opt/webmin"],
        &["webmin.service"],
    ),
    sought("wetty", SharedTerminal, &["~wetty"], &["wetty.service"]),
    sought("wireguard-tools", OverlayNetwork, &["~wg"], &[]),
    sought("x11vnc", RemoteDesktop, &["~x11vnc"], &["x11vnc.service"]),
    sought(
        "x2go",
        RemoteDesktop,
        &["~x2goruncommand", "~x2gostartagent"],
        &["x2goserver.service"],
    ),
    sought(
        "xpra",
        RemoteDesktop,
        &["~xpra"],
        &["xpra.socket", "xpra-server.socket", "xpra.service"],
    ),
    sought(
        "xrdp",
        RemoteDesktop,
        &["~xrdp"],
        &["xrdp.service", "xrdp-sesman.service"],
    ),
    sought(
        "zerotier",
        OverlayNetwork,
        &["~zerotier-one"],
        &["zerotier-one.service"],
    ),
];

const PROGRAMS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// All names, sorted.
pub(super) fn names() -> Vec<String> {
    PRODUCTS.iter().map(|product| product.name.to_owned()).collect()
}

/// Those that are there: by a file, or by a unit of theirs that lies somewhere else.
pub(super) fn find(reading: &Reading<'_>, units: &Result<Option<Units>, Unread>) -> Result<Vec<Product>, Unread> {
    // Four folders are listed once; two hundred paths would be asked for else.
    let mut programs = Vec::new();
    for folder in PROGRAMS {
        // On merged systems two of them are one.
        let entries = reading.list(folder)?.unwrap_or_default();
        let names = entries.into_iter().map(|entry| entry.name);
        programs.push((folder, names.collect::<std::collections::BTreeSet<_>>()));
    }
    let mut found = Vec::new();
    for product in &PRODUCTS {
        let mut files = Vec::new();
        for file in product.files {
            if let Some(name) = file.strip_prefix('~') {
                let there = programs.iter().filter(|(_, names)| names.contains(name));
                files.extend(there.map(|(folder, _)| format!("{folder}/{name}")));
            } else if reading.stat(file)?.is_some() {
                files.push((*file).to_owned());
            }
        }
        let states = match units {
            Ok(Some(units)) => {
                let mut states = units.states(product.units.iter().copied());
                // Distributions give one unit two names.
                states.order_by(|one, other| one.unit.cmp(&other.unit));
                states.dedup_by(|one, other| one.unit == other.unit);
                Known::Observed(states)
            }
            Ok(None) => Known::absent("this host has no systemd"),
            Err(unread) => Known::unread(unread),
        };
        if files.is_empty() && states.value().is_none_or(Vec::is_empty) {
            continue;
        }
        files.order();
        found.push(Product {
            product: product.name.to_owned(),
            kind: product.kind,
            files,
            units: states,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_each_is_there_once() {
        assert!(PRODUCTS.is_sorted_by(|one, other| one.name < other.name));
    }
}

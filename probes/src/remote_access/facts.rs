//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;
pub use crate::software::products::Undetermined;

/// Ways into the host beside SSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RemoteAccess {
    /// Software that is installed, sorted by product; empty: none that the probe knows, if `undetermined` is empty too.
    pub software: Vec<RemoteSoftware>,
    /// Software of which it could not be found out whether it is installed.
    pub undetermined: Vec<Undetermined>,
    /// Services that inetd or xinetd would start for whoever connects, sorted.
    pub inetd: Known<Vec<InetdService>>,
    /// WireGuard interfaces that files configure, sorted by file.
    pub wireguard: Known<Vec<Wireguard>>,
    /// OpenVPN configurations, sorted.
    pub openvpn: Known<Vec<Openvpn>>,
    /// Connections by IPsec that files configure, as counts.
    pub ipsec: Known<Ipsec>,
    /// Cockpit; `absent` if it is not installed.
    pub cockpit: Known<Cockpit>,
    /// Webmin; `absent` if it or its configuration is not there.
    pub webmin: Known<Webmin>,
    /// xrdp; `absent` if it or its configuration is not there.
    pub xrdp: Known<Xrdp>,
    /// vsftpd; `absent` if it or its configuration is not there.
    pub vsftpd: Known<Vsftpd>,
    /// x11vnc as its unit starts it; `absent` if it is not installed or has no unit.
    pub x11vnc: Known<X11vnc>,
}

/// Software by which somebody may reach the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RemoteSoftware {
    /// Which one, for instance `anydesk`, `xrdp`, `tailscale`.
    pub product: String,
    /// What kind of way in it is.
    pub way: Way,
    /// The files and folders that show it, sorted.
    pub shown_by: Vec<String>,
    /// Its units, as far as there are any, sorted; `absent` on a host without systemd.
    pub units: Known<Vec<UnitState>>,
}

/// A kind of way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Administration or a desktop in a browser.
    Browser,
    /// A desktop by VNC, RDP or NX.
    Desktop,
    /// A service that sends passwords or data without encryption unless it is told otherwise: telnet, FTP, TFTP, rsh.
    Plain,
    /// A desktop or shell by way of a vendor's service.
    Support,
    /// A tunnel from inside to a service that others reach it through.
    Tunnel,
    /// A VPN; some bring the host to a server, some bring others to the host.
    Vpn,
}

/// A service that inetd or xinetd starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct InetdService {
    /// Its name, or its port.
    pub service: String,
    /// `tcp`, `udp` and the like, as written; empty if nothing is.
    pub protocol: String,
    /// The program; `internal` for what the daemon does itself.
    pub program: String,
    /// The file that it stands in.
    pub file: String,
}

/// A WireGuard interface in a file of wg-quick(8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wireguard {
    /// The file.
    pub file: String,
    /// Permission bits of the file, four octal digits: it holds a private key.
    pub mode: String,
    /// The UDP port that it listens on; `None` if it is chosen when the interface comes up.
    pub listen_port: Option<i64>,
    /// Peers.
    pub peers: u64,
    /// Peers that have a preshared key beside their own.
    pub preshared_keys: u64,
    /// Whether all traffic goes to a peer (`0.0.0.0/0` or `::/0`).
    pub all_traffic: bool,
}

/// An OpenVPN configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Openvpn {
    /// The folder that it lies in.
    pub folder: String,
    /// Whether clients connect to this host.
    pub server: bool,
    /// Ciphers for data, as written, in order; empty for the defaults.
    pub ciphers: Vec<String>,
    /// `auth`, as written; empty for the default.
    pub auth: String,
    /// `tls-version-min`, as written; empty for the default.
    pub tls_version_min: String,
    /// Whether control packets are authenticated or encrypted by a further key (`tls-auth`, `tls-crypt`).
    pub control_key: bool,
    /// Whether a static key stands in for certificates (`secret`).
    pub static_key: bool,
    /// Whether a client checks that the other side's certificate is one for servers, or its name.
    pub server_checked: bool,
    /// Whether a server takes clients without certificate.
    pub without_client_certificate: bool,
    /// Whether compression is on.
    pub compression: bool,
}

/// Connections by IPsec.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Ipsec {
    /// Files that configure connections, sorted.
    pub files: Vec<String>,
    /// Connections in all files.
    pub connections: u64,
    /// Connections that are authenticated by a shared secret.
    pub by_secret: u64,
}

/// Cockpit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cockpit {
    /// Whether it can be used without TLS from other hosts.
    pub allow_unencrypted: bool,
    /// Whether users can log in to other hosts from its first page.
    pub login_to: bool,
    /// Minutes without activity after which a session ends; 0 for never, which is the default.
    pub idle_timeout: i64,
}

/// Webmin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Webmin {
    /// The port.
    pub port: i64,
    /// Whether TLS is on.
    pub tls: bool,
    /// The address that it is bound to; empty for all.
    pub bind: String,
    /// Whether only some addresses may connect.
    pub restricted: bool,
}

/// xrdp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Xrdp {
    /// Where it listens, as written, for instance `3389` or `tcp://.:3389`.
    pub port: String,
    /// `negotiate`, `tls` or `rdp`.
    pub security_layer: String,
    /// `low`, `medium`, `high` or `fips`: of the old RDP encryption.
    pub crypt_level: String,
    /// Protocols of TLS, as written, in order; empty for the default.
    pub tls_protocols: Vec<String>,
}

/// vsftpd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Vsftpd {
    /// The file.
    pub file: String,
    /// Whether anybody may log in as anonymous.
    pub anonymous: bool,
    /// Whether the host's own users may log in.
    pub local_users: bool,
    /// Whether files can be written.
    pub write: bool,
    /// Whether TLS can be used.
    pub tls: bool,
    /// Whether the host's own users must use TLS to log in; of no effect without `tls`.
    pub tls_for_logins: bool,
    /// Whether the host's own users are kept in their folders.
    pub chroot: bool,
}

/// x11vnc.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct X11vnc {
    /// Whether a password, a file of passwords or the host's own users are asked for.
    pub password: bool,
    /// Whether it takes connections from this host alone.
    pub localhost: bool,
    /// Whether TLS is on.
    pub tls: bool,
    /// Whether others may look and not touch.
    pub view_only: bool,
}

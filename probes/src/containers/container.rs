//! A container, whatever made it: its facts, and what runtimes have in common.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;
use crate::setuid_files::capability;

/// Containers of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContainerList {
    /// At most 500, sorted by id.
    pub containers: Vec<Container>,
    /// How many there are beyond those.
    pub more: u64,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Container {
    /// The first twelve characters of its id.
    pub id: String,
    /// With which rights it was started, or will be; `absent` where its file is not there (podman writes it when the container
    /// is started first).
    pub settings: Known<ContainerSettings>,
}

/// With which rights a container was started, or will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ContainerSettings {
    /// Its name, if it has one.
    pub name: String,
    /// The image as it was asked for, at most 300 characters.
    pub image: String,
    /// The image's own id, if the runtime wrote it down.
    pub image_id: String,
    /// Whether it runs: for Docker as the daemon last wrote it, else by its process.
    pub running: Known<bool>,
    /// As whom its first process starts.
    pub user: ContainerUser,
    /// Whether it is privileged: all capabilities, all devices, neither seccomp nor AppArmor.
    pub privileged: bool,
    /// The capabilities that its processes can have, sorted; `all` for all of them.
    pub capabilities: Vec<String>,
    /// Those of them that Docker gives to no container by default, sorted; `all` for all of them.
    pub added_capabilities: Vec<String>,
    /// Whether its processes cannot gain privileges.
    pub no_new_privileges: bool,
    /// Its seccomp filter.
    pub seccomp: Confinement,
    /// Its AppArmor profile.
    pub apparmor: Confinement,
    /// Whether its SELinux label is switched off (`label=disable`).
    pub label_disabled: bool,
    /// Whether the parts of `/proc` and `/sys` that tell of the host are hidden from it.
    pub masked_paths: bool,
    /// Namespaces that it shares with the host, sorted: `cgroup`, `ipc`, `network`, `pid`, `user`, `uts`.
    pub host_namespaces: Vec<String>,
    /// Namespaces that it shares with another container, each as `kind:id`, sorted; for podman as `kind` alone.
    pub joined_namespaces: Vec<String>,
    /// Whether its root folder cannot be written to.
    pub read_only: bool,
    /// Whether its memory is limited.
    pub memory_limited: bool,
    /// Whether the number of its processes is limited.
    pub pids_limited: bool,
    /// When it is started again; `unsupported` for podman and CRI-O, which keep it elsewhere.
    pub restart: Known<Restart>,
    /// Ports that the host forwards to it, sorted; `unsupported` for podman and CRI-O, which keep them elsewhere.
    pub ports: Known<Vec<PublishedPort>>,
    /// Folders and sockets of the host in it that matter to the host's own safety: `/`, the host's programs, configuration,
    /// devices and kernel, what root owns, sockets and storage of runtimes, what lies below and what contains them; sorted.
    pub mounts: Known<Vec<HostMount>>,
    /// Devices of the host that were given to it, sorted: paths on the host, for podman and CRI-O in the container.
    pub devices: Vec<String>,
    /// Rules that give devices to it, sorted, for instance `c 1:3 r`; for Docker those that were asked for beside `devices`.
    pub device_rules: Vec<String>,
}

/// As whom the first process of a container starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContainerUser {
    /// Root, who is the host's root if the container shares the host's `user` namespace.
    Root,
    /// Somebody else.
    Other,
}

/// What confines a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// What the runtime gives to every container.
    Default,
    /// Another one.
    Own,
    /// It was switched off.
    Unconfined,
    /// The file names none: it was switched off, or the host does not have it.
    Unset,
}

/// When a container is started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Restart {
    /// `no`, `always`, `unless-stopped` or `on-failure`.
    pub policy: String,
    /// With `on-failure`: how often at most; 0 for ever.
    pub at_most: u64,
}

/// A port that the host forwards to a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PublishedPort {
    /// The port in the container; `None`: all that its image names.
    pub container_port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The port of the host; `None`: one that is chosen when the container starts.
    pub host_port: Option<u16>,
    /// The address of the host, as written; empty for all.
    pub address: String,
    /// From where it can be reached.
    pub reach: Reach,
}

/// From where a port can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// By all addresses of the host.
    All,
    /// By one of them.
    OneAddress,
    /// From the host alone.
    Loopback,
}

impl Reach {
    pub(super) fn of(address: &str) -> Self {
        match address {
            "" | "0.0.0.0" | "::" => Self::All,
            "::1" => Self::Loopback,
            _ if address.starts_with("127.") => Self::Loopback,
            _ => Self::OneAddress,
        }
    }
}

/// A folder, file or socket of the host in a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct HostMount {
    /// Its path on the host; a runtime's socket in another place than usual as `*/NAME`.
    pub path: String,
    /// Whether the container may write to it.
    pub writable: bool,
    /// Whether what the container mounts below it appears on the host.
    pub shared: bool,
}

impl HostMount {
    /// `None` for what does not matter to the host's own safety: data of an application, and names of people in its path.
    pub(super) fn of(path: &str, writable: bool, propagation: &str) -> Option<Self> {
        let path = clean(path)?;
        let path = match path.strip_prefix("/var/run") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
            _ => path,
        };
        let last = path.rsplit_once('/')?.1;
        let known = SENSITIVE
            .iter()
            .any(|place| path == "/" || path == *place || is_below(&path, place) || is_below(place, &path));
        let path = if known {
            path
        } else if SOCKETS.contains(&last) {
            format!("*/{last}")
        } else {
            return None;
        };
        Some(Self {
            path: path.chars().take(300).collect(),
            writable,
            shared: matches!(propagation, "shared" | "rshared"),
        })
    }
}

/// A path without `.`, `..` and doubled slashes, which say nothing or hide where it leads; `None` for what is no path.
fn clean(path: &str) -> Option<String> {
    let mut parts = vec![];
    for part in path.strip_prefix('/')?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Who may write there, or talk to what listens there, has the host.
const SENSITIVE: [&str; 20] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run/containerd",
    "/run/crio",
    "/run/docker.sock",
    "/run/podman",
    "/run/systemd",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/spool/cron",
];
const SOCKETS: [&str; 4] = ["containerd.sock", "crio.sock", "docker.sock", "podman.sock"];

/// What Docker gives to every container (`oci/caps/defaults.go` there).
const DEFAULT_CAPABILITIES: [&str; 14] = [
    "cap_audit_write",
    "cap_chown",
    "cap_dac_override",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_mknod",
    "cap_net_bind_service",
    "cap_net_raw",
    "cap_setfcap",
    "cap_setgid",
    "cap_setpcap",
    "cap_setuid",
    "cap_sys_chroot",
];
/// The first ones, which Linux has since 3.16. Runtimes that know no later ones call these all.
const LONG_KNOWN: usize = 38;

/// Capabilities as they are told.
pub(super) struct CapabilitySet(pub(super) BTreeSet<String>);

impl CapabilitySet {
    pub(super) fn every() -> Self {
        Self(capability::NAMES.iter().map(|name| (*name).to_owned()).collect())
    }

    pub(super) fn docker_default() -> Self {
        Self(DEFAULT_CAPABILITIES.iter().map(|name| (*name).to_owned()).collect())
    }

    /// `SYS_ADMIN`, `sys_admin` and `CAP_SYS_ADMIN` are the same; `all` is `None`.
    pub(super) fn name(written: &str) -> Option<String> {
        let lower: String = written.to_lowercase().chars().take(40).collect();
        match lower.strip_prefix("cap_") {
            Some(_) => Some(lower),
            None if lower == "all" => None,
            None => Some(format!("cap_{lower}")),
        }
    }

    fn is_every(&self) -> bool {
        let mut long_known = capability::NAMES.iter().take(LONG_KNOWN);
        long_known.all(|name| self.0.contains(*name))
    }

    pub(super) fn told(&self) -> Vec<String> {
        if self.is_every() {
            return vec!["all".to_owned()];
        }
        self.0.iter().cloned().collect()
    }

    pub(super) fn told_added(&self) -> Vec<String> {
        if self.is_every() {
            return vec!["all".to_owned()];
        }
        let added = self
            .0
            .iter()
            .filter(|name| !DEFAULT_CAPABILITIES.contains(&name.as_str()));
        added.cloned().collect()
    }
}

/// What a runtime wrote, bounded.
pub(super) fn text(written: &str) -> String {
    written.chars().take(300).collect()
}

/// An id as people use it.
pub(super) fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// Whether a folder or an entry is named as runtimes name containers.
pub(super) fn is_id(name: &str) -> bool {
    name.len() == 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_to_the_host() {
        let told = |path: &str| HostMount::of(path, true, "").map(|mount| mount.path);
        for (path, expected) in [
            ("/", Some("/")),
            ("/etc/ssl/", Some("/etc/ssl")),
            ("/srv/../etc", Some("/etc")),
            ("//proc/./1", Some("/proc/1")),
            ("/var/run/docker.sock", Some("/run/docker.sock")),
            ("/var", Some("/var")),
            ("/run", Some("/run")),
            ("/home/jane/docker.sock", Some("*/docker.sock")),
            ("/home/jane", None),
            ("/etcetera", None),
            ("/var/lib/app", None),
            ("proc", None),
            ("", None),
        ] {
            assert_eq!(told(path).as_deref(), expected, "{path}");
        }
    }
}

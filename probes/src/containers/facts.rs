//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Container engines and how they are set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Containers {
    /// Engines that are installed, sorted by name.
    pub engines: Vec<Engine>,
    /// Docker's settings; absent if dockerd is not installed.
    pub docker: Known<Docker>,
    /// Settings of the kubelet, by name as in its configuration file, for instance `authentication.anonymous.enabled`,
    /// `authorization.mode`, `readOnlyPort`; absent if there is no configuration of it.
    pub kubelet: Known<BTreeMap<String, String>>,
    /// Sockets through which engines are controlled, those that are there: who can write one is root on the host.
    pub sockets: Known<Vec<Socket>>,
}

/// A container engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Engine {
    /// `containerd`, `crio`, `docker`, `k3s`, `kubelet`, `lxd`, `podman`, `systemd-nspawn`.
    pub name: String,
    /// Its program.
    pub program: String,
    /// Those of its units that there are; absent without systemd.
    pub units: Known<Vec<UnitState>>,
}

/// Settings of dockerd: of `daemon.json`, and of options in its unit, which dockerd refuses to have twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Docker {
    /// Settings of `/etc/docker/daemon.json` that matter, by name as written there, values in JSON: `userns-remap`, `icc`,
    /// `live-restore`, `userland-proxy`, `no-new-privileges`, `log-driver`, `hosts`, `tls`, `tlsverify`, `iptables`,
    /// `insecure-registries`, `experimental`, `selinux-enabled`, `seccomp-profile`, `storage-driver`, `default-ulimits`,
    /// `authorization-plugins`. Absent if there is no such file.
    pub daemon_json: Known<BTreeMap<String, String>>,
    /// Mode and owner of that file; absent if it is not there.
    pub daemon_json_file: Known<Owned>,
    /// Options in `ExecStart=` of `docker.service`, sorted, without `--label` and what is said of registries' credentials;
    /// absent without the unit.
    pub options: Known<Vec<String>>,
    /// Addresses other than sockets of the host on which it takes commands, from both.
    pub network_hosts: Vec<String>,
}

/// Mode and owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Owned {
    /// Mode, octal.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Socket {
    /// Its path.
    pub path: String,
    /// Mode and owner.
    #[serde(flatten)]
    pub owned: Owned,
}

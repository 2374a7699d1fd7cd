//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

pub use super::container::*;
use crate::probe::Known;
pub use crate::software::products::{Installed, Undetermined};

/// Container runtimes and their configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Containers {
    /// Runtimes that are installed, sorted: `apptainer`, `buildah`, `containerd`, `crio`, `docker`, `incus`, `k3s`, `kubelet`,
    /// `lxc`, `lxd`, `microk8s`, `podman`, `rke2`, `skopeo`, `systemd_nspawn`. Empty: none of them, if `undetermined` is empty
    /// too.
    pub runtimes: Vec<Installed>,
    /// Runtimes of which it could not be found out whether they are installed.
    pub undetermined: Vec<Undetermined>,
    /// With which settings the Docker daemon starts; `absent` if it is not installed.
    pub docker: Known<Docker>,
    /// Docker's containers; `absent` if it is not installed.
    pub docker_containers: Known<ContainerList>,
    /// Containers that root's podman and CRI-O made; `absent` if neither is installed.
    pub podman_containers: Known<ContainerList>,
    /// containerd's settings; `absent` if it is not installed.
    pub containerd: Known<Containerd>,
    /// The settings of CRI-O; `absent` if it is not installed.
    pub crio: Known<Crio>,
    /// With which settings the kubelet starts; `absent` if it is not installed.
    pub kubelet: Known<Kubelet>,
    /// From where podman, buildah, skopeo and CRI-O take images; `absent` if none of them is installed.
    pub registries: Known<Registries>,
    /// Which images they take by signature; `absent` if none of them is installed.
    pub image_policy: Known<ImagePolicy>,
    /// Sockets of runtimes that are there now, sorted by path.
    pub sockets: Known<Vec<RuntimeSocket>>,
    /// Users whose own Docker or podman listens now (a socket in `/run/user/UID`), by uid, sorted; at most 1,000.
    pub rootless_users: Known<Vec<u32>>,
}

/// With which settings the Docker daemon starts: those of its flags, then of `daemon.json`, then its defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Docker {
    /// The file of settings, if it is there.
    pub config_file: Option<String>,
    /// Names that are set both by flag and in the file, sorted: the daemon does not start then.
    pub set_twice: Vec<String>,
    /// Where it listens, sorted.
    pub hosts: Vec<Endpoint>,
    /// Whether it listens on TCP to others than this host.
    pub listens_on_network: bool,
    /// Whether connections over TCP are by TLS.
    pub tls: bool,
    /// Whether clients must show a certificate.
    pub tls_verify: bool,
    /// Whether users in containers are other users on the host by default.
    pub userns_remap: Remap,
    /// Whether containers on the default bridge may talk to each other (`icc`).
    pub inter_container: bool,
    /// Whether containers go on while the daemon is down.
    pub live_restore: bool,
    /// Whether processes in containers cannot gain privileges by default.
    pub no_new_privileges: bool,
    /// Whether it makes iptables rules itself.
    pub iptables: bool,
    /// Whether it forwards ports by a process of its own.
    pub userland_proxy: bool,
    /// Whether SELinux labels are used.
    pub selinux: bool,
    /// The seccomp filter that containers get by default.
    pub seccomp: Seccomp,
    /// Where containers' output goes, for instance `json-file`, `journald`, `syslog`, `none`.
    pub log_driver: String,
    /// The log driver's `max-size`, as written.
    pub log_max_size: Option<String>,
    /// The log driver's `max-file`, as written.
    pub log_max_file: Option<String>,
    /// Plugins that decide about requests, sorted.
    pub authorization_plugins: Vec<String>,
    /// Registries that are used without TLS or without its being checked, sorted, without user names; those on this host
    /// always are and are not listed.
    pub insecure_registries: Vec<String>,
    /// Mirrors, sorted, without user names.
    pub registry_mirrors: Vec<String>,
    /// Where images and containers lie.
    pub data_root: String,
    /// The storage driver, if one is set.
    pub storage_driver: Option<String>,
    /// Whether features that are experimental are on.
    pub experimental: bool,
    /// Whether limits of open files and the like are set for all containers.
    pub default_ulimits: bool,
    /// Whether the host is (or was) part of a swarm.
    pub swarm: Known<bool>,
}

/// Where a daemon listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Endpoint {
    /// `unix`, `tcp`, `fd` (sockets of systemd), `ssh` or `npipe`.
    pub kind: String,
    /// The path, or address and port; empty for what is given without one.
    pub address: String,
}

/// Whose users the users in containers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remap {
    /// Root in a container is root on the host.
    None,
    /// Subordinate ids of `dockremap`.
    Default,
    /// Subordinate ids of another user.
    Other,
}

/// A seccomp filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seccomp {
    /// The runtime's own.
    Builtin,
    /// None.
    Unconfined,
    /// From a file.
    File,
}

/// containerd's settings, those of imported files included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Containerd {
    /// The files, in the order in which they count; empty if the defaults hold.
    pub files: Vec<String>,
    /// Version of the form of the first file; `None` without one.
    pub version: Option<i64>,
    /// Address on which it listens over TCP, if it does.
    pub tcp_address: Option<String>,
    /// Whether TCP is by TLS: a certificate is set.
    pub tcp_tls: bool,
    /// Group of the socket; 0 is root's.
    pub socket_gid: i64,
    /// Plugins that are switched off, sorted: `cri` among them means that Kubernetes cannot use it.
    pub disabled_plugins: Vec<String>,
    /// Whether SELinux labels are used for pods.
    pub selinux: bool,
    /// Whether AppArmor is not used for pods.
    pub apparmor_disabled: bool,
    /// The seccomp profile of pods that ask for none: empty means unconfined.
    pub unset_seccomp_profile: String,
    /// Registries whose certificates are not checked (`insecure_skip_verify`), sorted; those in `hosts.toml` files are not
    /// looked at.
    pub insecure_registries: Vec<String>,
    /// Folder of `hosts.toml` files, if one is set.
    pub registry_config_path: Option<String>,
}

/// The settings of CRI-O.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Crio {
    /// The files, in the order in which they count; empty if the defaults hold.
    pub files: Vec<String>,
    /// The socket that it listens on.
    pub listen: String,
    /// Address of the server for exec, attach and port forwarding.
    pub stream_address: String,
    /// Whether that server uses TLS.
    pub stream_tls: bool,
    /// Whether SELinux labels are used.
    pub selinux: bool,
    /// Path of the default seccomp profile; empty for the built-in one.
    pub seccomp_profile: String,
    /// The default AppArmor profile.
    pub apparmor_profile: String,
    /// Capabilities that containers get by default, sorted; `None`: those built in.
    pub default_capabilities: Option<Vec<String>>,
    /// Registries that are used without TLS or without its being checked, sorted.
    pub insecure_registries: Vec<String>,
}

/// With which settings the kubelet starts. Its defaults with a configuration file are strict, those of bare flags are not:
/// both are put in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Kubelet {
    /// The configuration file that it is started with; `None`: flags alone.
    pub config_file: Option<String>,
    /// Settings that come from flags, sorted by name: they override the file.
    pub by_flag: Vec<String>,
    /// Whether requests without authentication are taken as those of `system:anonymous`.
    pub anonymous: bool,
    /// Whether tokens are checked with the API server.
    pub webhook_authentication: bool,
    /// The file of the authority for client certificates; empty if they are not accepted.
    pub client_ca_file: String,
    /// `AlwaysAllow` or `Webhook`.
    pub authorization: String,
    /// Port that answers anybody; 0 is none.
    pub read_only_port: i64,
    /// Port of the API.
    pub port: i64,
    /// Address that it listens on.
    pub address: String,
    /// Whether the client certificate is renewed.
    pub rotate_certificates: bool,
    /// Whether the server certificate is asked of the cluster and renewed.
    pub server_tls_bootstrap: bool,
    /// Whether it refuses to start if kernel settings are not as it wants them.
    pub protect_kernel_defaults: bool,
    /// Whether it makes iptables rules that it needs.
    pub make_iptables_util_chains: bool,
    /// Seconds after which idle streams end, as written; `0` is never.
    pub streaming_idle_timeout: String,
    /// Lowest TLS version, as written, for instance `VersionTLS12`; empty for the default.
    pub tls_min_version: String,
    /// Cipher suites, sorted; empty for the default.
    pub tls_cipher_suites: Vec<String>,
    /// Whether pods get the runtime's seccomp profile by default.
    pub seccomp_default: bool,
    /// Folder of static pods; empty for none.
    pub static_pod_path: String,
}

/// From where images are taken (containers-registries.conf(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Registries {
    /// The files, in the order in which they count.
    pub files: Vec<String>,
    /// Registries that are searched for an image named without one, in order.
    pub unqualified_search: Vec<String>,
    /// What is done with a name without registry: `enforcing`, `permissive` or `disabled`; `None` for the default.
    pub short_name_mode: Option<String>,
    /// Prefixes of registries and mirrors that are used without TLS or without its being checked, sorted.
    pub insecure: Vec<String>,
    /// Prefixes that are blocked, sorted.
    pub blocked: Vec<String>,
}

/// Which images are taken by signature (containers-policy.json(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImagePolicy {
    /// The file.
    pub file: String,
    /// What is asked of images without a rule of their own, sorted: `insecureAcceptAnything`, `reject`, `signedBy`,
    /// `sigstoreSigned`.
    pub default: Vec<String>,
    /// Kinds of requirements in all rules of transports, sorted, each once.
    pub others: Vec<String>,
}

/// A runtime's socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct RuntimeSocket {
    /// Its path.
    pub path: String,
    /// Permission bits, four octal digits: who may write is able to connect.
    pub mode: String,
    /// Whether everybody may connect, as far as its own mode tells; the folders on the way may be closed.
    pub world_writable: bool,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Whether everybody may enter the folder that it lies in.
    pub folder_open: bool,
}

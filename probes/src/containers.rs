//! # What
//! Container engines, whether they run, and the settings that decide how far containers and users are kept from the host.
//!
//! # Source
//! `/etc/docker/daemon.json` and the unit of dockerd (dockerd(8)), the kubelet's configuration file (kubelet.config.k8s.io/v1beta1),
//! unit files, stat(2) of sockets.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for configuration that is closed to others.
//!
//! # Bears on
//! A.8.9 (configuration management), A.8.22 (segregation of networks), A.8.2 (privileged access rights), A.8.31 (separation
//! of environments).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

use std::collections::BTreeMap;

use evidence::facts::Outcome;
use serde_json::Value;

pub use facts::*;

use crate::formats::systemd::Units;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Kind, Reading, Stat, Unread};

const DAEMON_JSON: &str = "/etc/docker/daemon.json";
/// Of kubeadm and of others.
const KUBELET: [&str; 3] = [
    "/var/lib/kubelet/config.yaml",
    "/etc/kubernetes/kubelet/kubelet-config.json",
    "/etc/kubernetes/kubelet-config.yaml",
];
const SOCKETS: [&str; 7] = [
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/docker.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/var/lib/incus/unix.socket",
    "/var/lib/lxd/unix.socket",
];
const ENGINES: [(&str, &[&str], &[&str]); 9] = [
    (
        "containerd",
        &["/usr/bin/containerd", "/usr/local/bin/containerd"],
        &["containerd.service"],
    ),
    ("crio", &["/usr/bin/crio", "/usr/local/bin/crio"], &["crio.service"]),
    (
        "docker",
        &["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"],
        &["docker.service", "docker.socket"],
    ),
    (
        "incus",
        &["/usr/libexec/incus/incusd", "/usr/bin/incusd"],
        &["incus.service"],
    ),
    ("k3s", &["/usr/local/bin/k3s"], &["k3s.service", "k3s-agent.service"]),
    (
        "kubelet",
        &["/usr/bin/kubelet", "/usr/local/bin/kubelet"],
        &["kubelet.service"],
    ),
    (
        "lxd",
        &["/usr/sbin/lxd", "/snap/bin/lxd"],
        &["lxd.service", "snap.lxd.daemon.service"],
    ),
    ("podman", &["/usr/bin/podman"], &["podman.service", "podman.socket"]),
    ("systemd-nspawn", &["/usr/bin/systemd-nspawn"], &["machines.target"]),
];
const DOCKER_SETTINGS: [&str; 21] = [
    "authorization-plugins",
    "bridge",
    "cgroup-parent",
    "default-ulimits",
    "experimental",
    "hosts",
    "icc",
    "insecure-registries",
    "ip",
    "iptables",
    "live-restore",
    "log-driver",
    "no-new-privileges",
    "rootless",
    "seccomp-profile",
    "selinux-enabled",
    "storage-driver",
    "tls",
    "tlsverify",
    "userland-proxy",
    "userns-remap",
];
const KUBELET_SETTINGS: [&str; 14] = [
    "authentication.anonymous.enabled",
    "authentication.webhook.enabled",
    "authentication.x509.clientCAFile",
    "authorization.mode",
    "eventRecordQPS",
    "makeIPTablesUtilChains",
    "podPidsLimit",
    "protectKernelDefaults",
    "readOnlyPort",
    "rotateCertificates",
    "seccompDefault",
    "serverTLSBootstrap",
    "streamingConnectionIdleTimeout",
    "tlsMinVersion",
];

/// The probe.
pub struct ContainersProbe;

impl Probe for ContainersProbe {
    const SPEC: Spec = Spec {
        id: "containers",
        version: 1,
        title: "Which container engines there are, and how far their settings keep containers from the host",
        reads: &[
            "programs of container engines",
            "unit files",
            "/etc/docker/daemon.json",
            "/var/lib/kubelet/config.yaml or where else the kubelet's configuration lies",
            "modes and owners of the engines' sockets",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/docker/", "/var/lib/kubelet/config.yaml"],
        budget: Budget {
            millis: 2_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "Containers and images: what they hold and with which rights they run.",
            "Options that the kubelet and containerd get elsewhere than in their configuration files.",
            "Engines that users run without privileges.",
        ],
    };

    type Facts = Containers;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Containers, NoNames>, ProbeError> {
        let units = Units::read(reading);
        let mut engines = vec![];
        for (name, programs, names) in ENGINES {
            let mut found = None;
            for program in programs {
                if found.is_none() && reading.stat(program)?.is_some() {
                    found = Some((*program).to_owned());
                }
            }
            let Some(program) = found else { continue };
            engines.push(Engine {
                name: name.to_owned(),
                program,
                units: match &units {
                    Ok(Some(units)) => Known::Observed(units.states(names.iter().copied())),
                    Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
                    Err(unread) => Known::unread(unread),
                },
            });
        }
        let docker = if engines.iter().any(|engine| engine.name == "docker") {
            Known::Observed(docker(reading, &units))
        } else {
            Known::not(Outcome::Absent, "dockerd is not installed")
        };
        Ok(Collected::facts(Containers {
            engines,
            docker,
            kubelet: Known::of(kubelet(reading), "/var/lib/kubelet/config.yaml"),
            sockets: Known::of(sockets(reading).map(Some), "/run"),
        }))
    }
}

fn owned(stat: &Stat) -> Owned {
    Owned {
        mode: format!("{:04o}", stat.mode),
        uid: stat.uid,
        gid: stat.gid,
    }
}

fn sockets(reading: &Reading<'_>) -> Result<Vec<Socket>, Unread> {
    let mut sockets = vec![];
    for path in SOCKETS {
        if let Some(stat) = reading.stat(path)?.filter(|stat| stat.kind == Kind::Socket) {
            sockets.push(Socket {
                path: path.to_owned(),
                owned: owned(&stat),
            });
        }
    }
    Ok(sockets)
}

fn docker(reading: &Reading<'_>, units: &Result<Option<Units>, Unread>) -> Docker {
    let daemon_json = Known::of(daemon_json(reading), DAEMON_JSON);
    let options = match units {
        Ok(Some(units)) => Known::of(options(reading, units), "docker.service"),
        Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
        Err(unread) => Known::unread(unread),
    };
    let mut hosts: Vec<String> = vec![];
    if let Some(Value::Array(values)) = daemon_json
        .value()
        .and_then(|settings| serde_json::from_str(settings.get("hosts")?).ok())
    {
        hosts.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    let in_options = options.value().into_iter().flatten();
    hosts.extend(in_options.filter_map(|option| Some(option.strip_prefix("--host=")?.to_owned())));
    hosts.retain(|host| !host.starts_with("unix://") && !host.starts_with("fd://"));
    hosts.sort();
    hosts.dedup();
    Docker {
        daemon_json,
        daemon_json_file: Known::of(
            reading.stat(DAEMON_JSON).map(|stat| stat.as_ref().map(owned)),
            DAEMON_JSON,
        ),
        options,
        network_hosts: hosts,
    }
}

fn daemon_json(reading: &Reading<'_>) -> Result<Option<BTreeMap<String, String>>, Unread> {
    let Some(bytes) = reading.file(DAEMON_JSON)? else {
        return Ok(None);
    };
    let parsed: Value = serde_json::from_slice(&bytes).map_err(|error| Unread::Malformed {
        place: DAEMON_JSON.to_owned(),
        reason: error.to_string(),
    })?;
    let settings = DOCKER_SETTINGS.iter().filter_map(|name| {
        let value = parsed.get(*name)?;
        Some(((*name).to_owned(), value.to_string()))
    });
    Ok(Some(settings.collect()))
}

/// Words of `ExecStart=` after the program, in the form `--name=value`.
fn options(reading: &Reading<'_>, units: &Units) -> Result<Option<Vec<String>>, Unread> {
    let Some(assignments) = units.assignments(reading, "docker.service")? else {
        return Ok(None);
    };
    let mut commands = assignments.iter().rev();
    let command = commands.find(|one| one.section == "Service" && one.name == "ExecStart");
    let command = command.map_or("", |one| one.value.as_str());
    let mut options: Vec<String> = vec![];
    let mut words = command.split_ascii_whitespace().skip(1).peekable();
    while let Some(word) = words.next() {
        let long = match word {
            "-H" => "--host",
            word => word,
        };
        let takes = !long.contains('=') && words.peek().is_some_and(|next| !next.starts_with('-'));
        let option = match words.next_if(|_| takes) {
            Some(value) => format!("{long}={value}"),
            None => long.to_owned(),
        };
        if !option.starts_with("--label") && !option.contains('@') {
            options.push(option);
        }
    }
    options.sort();
    Ok(Some(options))
}

fn kubelet(reading: &Reading<'_>) -> Result<Option<BTreeMap<String, String>>, Unread> {
    for path in KUBELET {
        let Some(text) = reading.text(path)? else { continue };
        let settings = if text.trim_start().starts_with('{') {
            let parsed: Value = serde_json::from_str(&text).map_err(|error| Unread::Malformed {
                place: path.to_owned(),
                reason: error.to_string(),
            })?;
            let pointer = |name: &str| format!("/{}", name.replace('.', "/"));
            let values = KUBELET_SETTINGS.iter().filter_map(|name| {
                let value = parsed.pointer(&pointer(name))?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Some(((*name).to_owned(), text))
            });
            values.collect()
        } else {
            block_yaml(&text)
        };
        return Ok(Some(settings));
    }
    Ok(None)
}

/// Scalars in nested blocks, which is how kubeadm and others write the file; lists and what is in them are left out.
fn block_yaml(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut above: Vec<(usize, &str)> = vec![];
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with(['#', '-']) {
            continue;
        }
        let Some((name, value)) = trimmed.split_once(':') else {
            continue;
        };
        let depth = line.len() - trimmed.len();
        above.retain(|(indent, _)| *indent < depth);
        let value = value
            .split(" #")
            .next()
            .unwrap_or_default()
            .trim()
            .trim_matches(['"', '\'']);
        if value.is_empty() {
            above.push((depth, name));
            continue;
        }
        let mut full: Vec<&str> = above.iter().map(|(_, name)| *name).collect();
        full.push(name);
        let full = full.join(".");
        if KUBELET_SETTINGS.contains(&full.as_str()) {
            settings.insert(full, value.to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests;

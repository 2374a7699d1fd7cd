//! # What
//! Container runtimes on the host: which are installed and run, how they are configured, and who can reach their sockets.
//!
//! # Source
//! dockerd(8) and its `daemon.json`, containerd-config.toml(5), crio.conf(5), containers-registries.conf(5),
//! containers-policy.json(5), containers-storage.conf(5), the files that dockerd and libpod keep of each container (the
//! latter by the OCI runtime specification), KubeletConfiguration v1beta1 and the kubelet's flags; unit files; inode(7) for sockets.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: the folders of some sockets and the kubelet's configuration are closed to others.
//!
//! # Bears on
//! A.8.9 (configuration), A.8.2 (privileged access: whoever reaches a runtime's socket is root), A.8.20 (network
//! security), A.8.22 (segregation), A.8.15 (logging), A.8.19 (installation of software).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod container;
mod containerd;
mod crio;
mod docker;
mod docker_containers;
mod facts;
mod json;
mod kubelet;
mod oci_containers;
mod registries;
mod sockets;

use evidence::facts::Outcome;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct ContainersProbe;

impl Probe for ContainersProbe {
    const SPEC: Spec = Spec {
        id: "containers",
        version: 2,
        title: "Which container runtimes there are, how they are configured, and who can reach their sockets",
        reads: &[
            "programs and folders of known runtimes",
            "/etc/docker/daemon.json",
            "/etc/containerd/config.toml and what it imports",
            "/etc/crio/crio.conf and /etc/crio/crio.conf.d/",
            "/etc/containers/registries.conf, /etc/containers/registries.conf.d/, /etc/containers/policy.json",
            "/var/lib/kubelet/config.yaml or the file that the kubelet is started with",
            "unit files and the files of variables that they name",
            "/var/lib/docker or the folder that is set, /var/snap/docker/common/var-lib-docker: each container's config.v2.json and hostconfig.json, options of volumes",
            "/etc/containers/storage.conf; in /var/lib/containers/storage or the folder that is set: containers.json and each \
             container's config.json; /run/containers/storage and the cgroups of their processes",
            "the sockets of runtimes in /run",
            "/run/user/",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/docker/",
            "/etc/containerd/",
            "/etc/crio/",
            "/etc/containers/",
            "/var/lib/kubelet/config.yaml",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Containers of users other than root, of containerd alone, k3s, RKE2, MicroK8s, LXC, LXD, Incus and nspawn.",
            "What is in images and containers, their variables, and with which rights a shell was started in one later.",
            "Where a symbolic link leads that is mounted into a container, unless it is /var/run.",
            "Ports and restarts of podman's containers, which podman keeps in a database of its own.",
            "Whether a daemon was started again since its configuration changed: what is told is what it starts with.",
            "What registries.conf of a single user says.",
            "What a Kubernetes API server, or a cluster's policies, allow.",
            "Runtimes that were installed elsewhere than where their packages put them.",
        ],
    };

    type Facts = Containers;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Containers, NoNames>, ProbeError> {
        let units = LazyUnits::new(reading);
        let survey = Survey::of(&RUNTIMES, &units);
        let mut docker_shown_by = survey.installed.iter().filter(|one| one.product == "docker");
        let snap = docker_shown_by.any(|one| one.shown_by.iter().any(|path| path.starts_with("/snap/")));
        let docker = part(&survey, &["docker"], || docker::read(&units));
        let facts = Containers {
            docker_containers: match &docker {
                Known::Observed(docker) => Known::read(docker_containers::read(reading, docker, snap)),
                Known::Not(why) => Known::Not(why.clone()),
            },
            podman_containers: part(&survey, &["podman", "crio"], || oci_containers::read(reading)),
            docker,
            containerd: part(&survey, &["containerd"], || containerd::read(&units)),
            crio: part(&survey, &["crio"], || crio::read(reading)),
            kubelet: part(&survey, &["kubelet"], || kubelet::read(&units)),
            registries: part(&survey, &["podman", "crio", "buildah", "skopeo"], || {
                registries::read(reading)
            }),
            image_policy: part(&survey, &["podman", "crio", "buildah", "skopeo"], || {
                registries::policy(reading)
            }),
            sockets: sockets::read(reading),
            rootless_users: sockets::rootless(reading),
            runtimes: survey.installed,
            undetermined: survey.undetermined,
        };
        Ok(Collected::facts(facts))
    }
}

/// Runtimes and what starts them. Sorted; another one is a line more.
const RUNTIMES: [Product; 15] = [
    Product {
        id: "apptainer",
        files: &["/usr/bin/apptainer", "/usr/bin/singularity"],
        units: &[],
    },
    Product {
        id: "buildah",
        files: &["/usr/bin/buildah"],
        units: &[],
    },
    Product {
        id: "containerd",
        files: &["/usr/bin/containerd", "/usr/local/bin/containerd"],
        units: &["containerd.service"],
    },
    Product {
        id: "crio",
        files: &["/usr/bin/crio", "/usr/local/bin/crio"],
        units: &["crio.service", "cri-o.service"],
    },
    Product {
        id: "docker",
        files: &[
            "/usr/bin/dockerd",
            "/usr/local/bin/dockerd",
            "/usr/sbin/dockerd",
            "/snap/docker/current",
        ],
        units: &["docker.service", "docker.socket", "snap.docker.dockerd.service"],
    },
    Product {
        id: "incus",
        files: &["/usr/bin/incus", "/usr/libexec/incus/incusd", "/opt/incus/bin/incusd"],
        units: &["incus.service", "incus.socket"],
    },
    Product {
        id: "k3s",
        files: &["/usr/local/bin/k3s", "/usr/bin/k3s"],
        units: &["k3s.service", "k3s-agent.service"],
    },
    Product {
        id: "kubelet",
        files: &["/usr/bin/kubelet", "/usr/local/bin/kubelet"],
        units: &["kubelet.service"],
    },
    Product {
        id: "lxc",
        files: &["/usr/bin/lxc-start"],
        units: &["lxc.service", "lxc@.service"],
    },
    Product {
        id: "lxd",
        files: &["/usr/sbin/lxd", "/snap/lxd/current"],
        units: &[
            "lxd.service",
            "lxd.socket",
            "snap.lxd.daemon.service",
            "snap.lxd.daemon.unix.socket",
        ],
    },
    Product {
        id: "microk8s",
        files: &["/snap/microk8s/current"],
        units: &[
            "snap.microk8s.daemon-kubelite.service",
            "snap.microk8s.daemon-containerd.service",
        ],
    },
    Product {
        id: "podman",
        files: &["/usr/bin/podman", "/usr/local/bin/podman"],
        units: &[
            "podman.service",
            "podman.socket",
            "podman-auto-update.timer",
            "podman-restart.service",
        ],
    },
    Product {
        id: "rke2",
        files: &["/usr/local/bin/rke2", "/usr/bin/rke2"],
        units: &["rke2-server.service", "rke2-agent.service"],
    },
    Product {
        id: "skopeo",
        files: &["/usr/bin/skopeo"],
        units: &[],
    },
    Product {
        id: "systemd_nspawn",
        files: &["/usr/bin/systemd-nspawn"],
        units: &["systemd-nspawn@.service", "machines.target"],
    },
];

/// What a runtime's configuration says, if one of `products` is there.
fn part<T>(survey: &Survey, products: &[&str], read: impl FnOnce() -> Result<T, Unread>) -> Known<T> {
    if survey.has(products) {
        return match read() {
            Ok(value) => Known::Observed(value),
            Err(unread) => Known::unread(&unread),
        };
    }
    match products.iter().find_map(|product| survey.doubt(product)) {
        Some(doubt) => Known::not(Outcome::Failed, doubt),
        None => Known::not(Outcome::Absent, format!("{} is not installed", products.join(", "))),
    }
}

/// An address or registry without what stands before an `@`, which may be a password.
fn without_user(address: &str) -> String {
    let (scheme, rest) = address
        .split_once("://")
        .map_or(("", address), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = rest.chars().take(300);
    if scheme.is_empty() {
        host.collect()
    } else {
        format!("{scheme}://{}", host.collect::<String>())
    }
}

#[cfg(test)]
mod tests;

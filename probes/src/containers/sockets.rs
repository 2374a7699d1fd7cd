//! Sockets of runtimes: whoever may write to one has what the runtime has, which is root for most.

use super::facts::RuntimeSocket;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// Where runtimes listen, sorted.
const SOCKETS: [&str; 14] = [
    "/run/buildkit/buildkitd.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/docker.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/incus/unix.socket",
    "/run/k3s/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/var/lib/incus/unix.socket",
    "/var/lib/kubelet/pod-resources/kubelet.sock",
    "/var/lib/lxd/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/snap/microk8s/common/run/containerd.sock",
];
/// Below `/run/user/UID`.
const ROOTLESS: [&str; 2] = ["docker.sock", "podman/podman.sock"];
const MAX_USERS: usize = 1_000;

pub(super) fn read(reading: &Reading<'_>) -> Known<Vec<RuntimeSocket>> {
    let found: Result<Vec<_>, Unread> = SOCKETS
        .iter()
        .filter_map(|path| socket(reading, path).transpose())
        .collect();
    match found {
        Ok(mut sockets) => {
            sockets.order();
            Known::Observed(sockets)
        }
        Err(unread) => Known::unread(&unread),
    }
}

fn socket(reading: &Reading<'_>, path: &str) -> Result<Option<RuntimeSocket>, Unread> {
    let Some(stat) = reading.stat(path)?.filter(|stat| stat.kind == Kind::Socket) else {
        return Ok(None);
    };
    let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let folder = reading.stat(folder)?;
    Ok(Some(RuntimeSocket {
        path: path.to_owned(),
        mode: format!("{:04o}", stat.mode),
        world_writable: stat.mode & 0o002 != 0,
        uid: stat.uid,
        gid: stat.gid,
        folder_open: folder.is_some_and(|folder| folder.mode & 0o001 != 0),
    }))
}

pub(super) fn rootless(reading: &Reading<'_>) -> Known<Vec<u32>> {
    let users = match reading.list("/run/user") {
        Ok(users) => users.unwrap_or_default(),
        Err(unread) => return Known::unread(&unread),
    };
    let mut found = vec![];
    for uid in users
        .iter()
        .filter_map(|user| user.name.parse::<u32>().ok())
        .take(MAX_USERS)
    {
        for socket in ROOTLESS {
            match reading.stat_link(&format!("/run/user/{uid}/{socket}")) {
                Ok(Some(stat)) if stat.kind == Kind::Socket => found.push(uid),
                Ok(_) => {}
                Err(unread) => return Known::unread(&unread),
            }
        }
    }
    found.order();
    found.dedup();
    Known::Observed(found)
}

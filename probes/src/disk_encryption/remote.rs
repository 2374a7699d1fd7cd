//! Filesystems on other machines: whether what crosses the network is encrypted, as the mount's options tell (nfs(5),
//! mount.cifs(8), mount.ceph(8)).

use std::collections::BTreeSet;

use super::facts::{Encryption, RemoteMount};
use super::filesystem::Nature;
use super::mountinfo::{Mount, MountTable};
use super::text::masked;

use crate::order::Order as _;

/// More than anybody mounts.
const MAX_MOUNTS: usize = 5_000;

pub(super) fn mounts(table: &MountTable) -> Vec<RemoteMount> {
    let mut seen = BTreeSet::new();
    let remote = table.mounts.iter().filter(|mount| {
        mount.device.0 == 0 && Nature::of(&mount.filesystem) == Nature::Remote && seen.insert(mount.device)
    });
    let mut mounts: Vec<_> = remote.take(MAX_MOUNTS).map(fact).collect();
    mounts.order();
    mounts
}

fn fact(mount: &Mount) -> RemoteMount {
    let (transport, security) = transport(mount);
    RemoteMount {
        mount_point: masked(&mount.mount_point),
        filesystem: mount.filesystem.clone(),
        security,
        transport,
    }
}

fn transport(mount: &Mount) -> (Encryption, String) {
    let given = |name: &str| mount.option(name).map(|value| format!("{name}={value}"));
    let has = |name: &str| mount.options.split(',').any(|option| option == name);
    let encrypted = |yes| {
        if yes {
            Encryption::Encrypted
        } else {
            Encryption::NotEncrypted
        }
    };
    match mount.filesystem.as_str() {
        "nfs" | "nfs4" => {
            let (sec, tls) = (given("sec"), given("xprtsec"));
            let protected =
                sec.as_deref() == Some("sec=krb5p") || matches!(tls.as_deref(), Some("xprtsec=tls" | "xprtsec=mtls"));
            let options: Vec<String> = sec.into_iter().chain(tls).collect();
            // The kernel shows the flavour in use; were it not shown, it would not be known.
            let state = if options.is_empty() {
                Encryption::Unknown
            } else {
                encrypted(protected)
            };
            (state, options.join(","))
        }
        // Without the option the server may still demand it of a share, which is not shown.
        "cifs" | "smb3" | "smbfs" if has("seal") => (Encryption::Encrypted, "seal".to_owned()),
        "ceph" => match given("ms_mode") {
            Some(mode) => (encrypted(mode == "ms_mode=secure"), mode),
            None => (Encryption::Unknown, String::new()),
        },
        "fuse.sshfs" => (Encryption::Encrypted, "ssh".to_owned()),
        "davfs" | "fuse.davfs" => (encrypted(mount.source.starts_with("https:")), String::new()),
        _ => (Encryption::Unknown, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_decide() {
        let table = "\
            20 1 0:20 / /a rw - nfs4 s:/a rw,vers=4.2,sec=krb5p,addr=10.0.0.1\n\
            21 1 0:21 / /b rw - nfs4 s:/b rw,vers=4.2,sec=sys,xprtsec=mtls\n\
            22 1 0:22 / /c rw - nfs s:/c rw,vers=3,sec=sys\n\
            23 1 0:23 / /d rw - cifs //s/d rw,vers=3.1.1,seal\n\
            24 1 0:24 / /e rw - cifs //s/e rw,vers=3.1.1\n\
            25 1 0:25 / /f rw - ceph s:/ rw,ms_mode=crc\n\
            26 1 0:26 / /home/alice/x rw - fuse.sshfs s: rw\n\
            27 1 0:27 / /h rw - virtiofs tag rw\n\
            27 1 0:27 / /again rw - virtiofs tag rw\n\
            28 1 8:1 / /local rw - ext4 /dev/sda1 rw\n";
        let table = MountTable::parse(table.as_bytes()).unwrap();
        let seen: Vec<_> = mounts(&table)
            .into_iter()
            .map(|mount| format!("{} {:?} {}", mount.mount_point, mount.transport, mount.security))
            .collect();
        assert_eq!(
            seen,
            [
                "/a Encrypted sec=krb5p",
                "/b Encrypted sec=sys,xprtsec=mtls",
                "/c NotEncrypted sec=sys",
                "/d Encrypted seal",
                "/e Unknown ",
                "/f NotEncrypted ms_mode=crc",
                "/h Unknown ",
                "/home/* Encrypted ssh",
            ]
        );
    }
}

//! Encryption above the block layer: ZFS native encryption, eCryptfs, and fscrypt.

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

use super::facts::{FileEncryption, FileEncryptionKind};
use super::mountinfo::{Mount, MountTable};
use super::stack::Below;
use super::text::masked;
use crate::order::{IntoMap as _, Order as _};
use crate::probe::{Known, NotKnown};
use crate::reading::{Command, Kind, Reading};

/// The program; what it tells stands in no file.
pub(super) const ZFS: &str = "/usr/sbin/zfs";
const GET: Command<'_> = Command {
    program: ZFS,
    args: &["get", "-H", "-t", "filesystem", "-o", "name,value", "encryption"],
};
/// Datasets and filesystems, more than a host has that somebody keeps.
const MAX_ENTRIES: usize = 20_000;
/// Folders looked at in one filesystem for fscrypt.
const MAX_FOLDERS: usize = 500;

/// The cipher of each dataset, `off` for none; or why that is not known.
pub(super) fn datasets(reading: &Reading<'_>) -> Result<BTreeMap<String, String>, String> {
    let output = match reading.run(&GET) {
        Ok(Some(output)) if output.status == 0 => output,
        Ok(Some(output)) => return Err(format!("{GET}: exit status {}", output.status)),
        Ok(None) => return Err(format!("{ZFS} is not there to tell of native encryption")),
        Err(unread) => return Err(unread.to_string()),
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(pairs
        .take(MAX_ENTRIES)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_map())
}

/// What a dataset lies on. Without native encryption its pool's disks would count, which are not traced.
pub(super) fn zfs(datasets: &Result<BTreeMap<String, String>, String>, dataset: &str) -> Below {
    match datasets.as_ref().map(|datasets| datasets.get(dataset)) {
        Ok(Some(cipher)) if is_cipher(cipher) => Below::Above(format!("ZFS native encryption, {cipher}")),
        Ok(Some(value)) if value == "off" => {
            Below::Unknown("ZFS without native encryption, and the disks of its pool are not traced".to_owned())
        }
        Ok(_) => Below::Unknown(format!("{ZFS} does not tell whether {} is encrypted", masked(dataset))),
        Err(why) => Below::Unknown(why.clone()),
    }
}

/// `aes-128-ccm` to `aes-256-gcm` (zfsprops(7)), and what may come.
fn is_cipher(value: &str) -> bool {
    let sound = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    sound && value.len() <= 40 && value.contains('-') && value != "-"
}

/// Files of a folder with this mounted above it are encrypted, apart from those that lay there before, if the mount
/// lets them through.
pub(super) fn ecryptfs(mount: &Mount) -> Below {
    match (mount.option("ecryptfs_cipher"), has(mount, "ecryptfs_passthrough")) {
        (Some(cipher), false) => Below::Above(format!("eCryptfs, {cipher}")),
        (Some(_), true) => Below::Unknown("eCryptfs that lets unencrypted files through".to_owned()),
        (None, _) => Below::Unknown("eCryptfs whose mount options name no cipher".to_owned()),
    }
}

fn has(mount: &Mount, name: &str) -> bool {
    mount.options.split(',').any(|option| option == name)
}

/// All filesystems that encrypt themselves.
pub(super) fn file_encryption(
    reading: &Reading<'_>,
    table: &MountTable,
    datasets: Option<&Result<BTreeMap<String, String>, String>>,
) -> Vec<FileEncryption> {
    let (mut found, mut seen) = (vec![], BTreeSet::new());
    for mount in &table.mounts {
        let kind = match mount.filesystem.as_str() {
            "zfs" => FileEncryptionKind::Zfs,
            "ecryptfs" => FileEncryptionKind::Ecryptfs,
            "ext4" | "f2fs" | "ubifs" | "ceph" => FileEncryptionKind::Fscrypt,
            _ => continue,
        };
        if found.len() >= MAX_ENTRIES || !seen.insert(mount.device) {
            continue;
        }
        let mut one = FileEncryption {
            mount_point: masked(&mount.mount_point),
            kind,
            cipher: String::new(),
            key_bits: 0,
            encrypted_folders: vec![],
            encrypted_count: 0,
            looked_at: 0,
            not_looked_at: 0,
            policies: not(Outcome::Absent, "not fscrypt"),
        };
        match kind {
            FileEncryptionKind::Zfs => {
                let cipher = datasets.and_then(|datasets| datasets.as_ref().ok()?.get(&mount.source));
                match cipher.filter(|cipher| is_cipher(cipher)) {
                    Some(cipher) => cipher.clone_into(&mut one.cipher),
                    None => continue,
                }
            }
            FileEncryptionKind::Ecryptfs => {
                let bytes = mount
                    .option("ecryptfs_key_bytes")
                    .and_then(|bytes| bytes.parse::<u32>().ok());
                one.key_bits = bytes.and_then(|bytes| bytes.checked_mul(8)).unwrap_or(0);
                one.cipher = mount.option("ecryptfs_cipher").unwrap_or_default();
            }
            FileEncryptionKind::Fscrypt => {
                fscrypt(reading, &mount.mount_point, &mut one);
                let set_up = !matches!(&one.policies, Known::Not(why) if why.outcome == Outcome::Absent);
                if one.encrypted_count == 0 && one.not_looked_at == 0 && !set_up {
                    continue;
                }
            }
        }
        found.push(one);
    }
    found.order_by(|a, b| a.mount_point.cmp(&b.mount_point));
    found
}

/// Looks at the top folder, what lies in it, and homes.
fn fscrypt(reading: &Reading<'_>, mount_point: &str, found: &mut FileEncryption) {
    let top = mount_point.trim_end_matches('/');
    let start = if top.is_empty() { "/" } else { top };
    let mut folders = vec![start.to_owned()];
    folders.extend(inside(reading, start, found));
    if folders.iter().any(|folder| folder == "/home") {
        folders.extend(inside(reading, "/home", found));
    }
    let mut shown = BTreeSet::new();
    let beyond = folders.len().saturating_sub(MAX_FOLDERS);
    found.not_looked_at = found
        .not_looked_at
        .saturating_add(u32::try_from(beyond).unwrap_or(u32::MAX));
    for folder in folders.iter().take(MAX_FOLDERS) {
        match reading.private_stat_link(folder, &masked(folder)) {
            Ok(Some(stat)) => {
                found.looked_at += 1;
                if stat.attributes.encrypted == Some(true) {
                    found.encrypted_count += 1;
                    shown.insert(masked(folder));
                }
            }
            Ok(None) => {}
            Err(_) => found.not_looked_at = found.not_looked_at.saturating_add(1),
        }
    }
    found.encrypted_folders = shown.into_iter().collect();
    let policies = format!("{top}/.fscrypt/policies");
    found.policies = match reading.private_list(&policies, &masked(&policies)) {
        Ok(Some(entries)) => Known::Observed(u32::try_from(entries.len()).unwrap_or(u32::MAX)),
        Ok(None) => not(Outcome::Absent, "fscrypt was not set up there"),
        Err(unread) => Known::unread(&unread),
    };
}

/// The folders in a folder; one that cannot be listed is counted.
fn inside(reading: &Reading<'_>, folder: &str, found: &mut FileEncryption) -> Vec<String> {
    let Ok(entries) = reading.private_list(folder, &masked(folder)) else {
        found.not_looked_at = found.not_looked_at.saturating_add(1);
        return vec![];
    };
    let base = folder.trim_end_matches('/');
    let folders = entries.into_iter().flatten().filter(|entry| entry.kind == Kind::Folder);
    folders.map(|entry| format!("{base}/{}", entry.name)).collect()
}

fn not<T>(outcome: Outcome, detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome,
        detail: detail.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(filesystem: &str, source: &str, options: &str) -> Mount {
        Mount {
            id: 1,
            parent: 0,
            device: (0, 50),
            root: "/".to_owned(),
            mount_point: "/home/alice".to_owned(),
            mount_options: "rw".to_owned(),
            filesystem: filesystem.to_owned(),
            source: source.to_owned(),
            options: options.to_owned(),
        }
    }

    #[test]
    fn datasets_with_and_without_encryption() {
        let told = Ok(BTreeMap::from([
            ("tank/a".to_owned(), "aes-256-gcm".to_owned()),
            ("tank/b".to_owned(), "off".to_owned()),
            ("tank/c".to_owned(), "-".to_owned()),
        ]));
        assert!(matches!(zfs(&told, "tank/a"), Below::Above(_)));
        for unknown in ["tank/b", "tank/c", "tank/d"] {
            assert!(matches!(zfs(&told, unknown), Below::Unknown(_)), "{unknown}");
        }
        assert!(matches!(zfs(&Err("denied".to_owned()), "tank/a"), Below::Unknown(_)));
    }

    #[test]
    fn ecryptfs_by_its_options() {
        let options =
            "rw,ecryptfs_fnek_sig=0,ecryptfs_sig=1,ecryptfs_cipher=aes,ecryptfs_key_bytes=16,ecryptfs_unlink_sigs";
        assert!(matches!(ecryptfs(&mount("ecryptfs", "/x", options)), Below::Above(_)));
        let through = format!("{options},ecryptfs_passthrough");
        assert!(matches!(
            ecryptfs(&mount("ecryptfs", "/x", &through)),
            Below::Unknown(_)
        ));
        assert!(matches!(ecryptfs(&mount("ecryptfs", "/x", "rw")), Below::Unknown(_)));
    }
}

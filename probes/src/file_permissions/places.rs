//! Which files and folders are looked at.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::acl::{self, AclEntry, AclKind, letters};
use super::contents::contents;
use super::facts::{Area, File, Folder, Permissions};
use crate::probe::{Known, NotKnown};
use crate::reading::{Kind, Reading, Unread};

/// Files, whatever the distribution.
const FILES: [(&str, Area); 85] = [
    ("/boot/grub/grub.cfg", Area::Boot),
    ("/boot/grub/user.cfg", Area::Boot),
    ("/boot/grub2/grub.cfg", Area::Boot),
    ("/boot/grub2/grubenv", Area::Boot),
    ("/boot/grub2/user.cfg", Area::Boot),
    ("/boot/loader/loader.conf", Area::Boot),
    ("/etc/anacrontab", Area::Cron),
    ("/etc/at.allow", Area::Cron),
    ("/etc/at.deny", Area::Cron),
    ("/etc/audit/audit.rules", Area::Logs),
    ("/etc/audit/auditd.conf", Area::Logs),
    ("/etc/bash.bashrc", Area::System),
    ("/etc/bashrc", Area::System),
    ("/etc/chrony.keys", Area::Keys),
    ("/etc/chrony/chrony.keys", Area::Keys),
    ("/etc/cron.allow", Area::Cron),
    ("/etc/cron.deny", Area::Cron),
    ("/etc/crontab", Area::Cron),
    ("/etc/crypttab", Area::System),
    ("/etc/doas.conf", Area::Sudo),
    ("/etc/environment", Area::System),
    ("/etc/exports", Area::System),
    ("/etc/fstab", Area::System),
    ("/etc/group", Area::Accounts),
    ("/etc/group-", Area::Accounts),
    ("/etc/gshadow", Area::Accounts),
    ("/etc/gshadow-", Area::Accounts),
    ("/etc/hosts", Area::System),
    ("/etc/hosts.allow", Area::System),
    ("/etc/hosts.deny", Area::System),
    ("/etc/hosts.equiv", Area::Accounts),
    ("/etc/ipsec.secrets", Area::Keys),
    ("/etc/issue", Area::Banner),
    ("/etc/issue.net", Area::Banner),
    ("/etc/krb5.keytab", Area::Keys),
    ("/etc/ld.so.preload", Area::System),
    ("/etc/login.defs", Area::Accounts),
    ("/etc/motd", Area::Banner),
    ("/etc/nftables.conf", Area::System),
    ("/etc/nsswitch.conf", Area::Accounts),
    ("/etc/passwd", Area::Accounts),
    ("/etc/passwd-", Area::Accounts),
    ("/etc/profile", Area::System),
    ("/etc/rc.local", Area::Services),
    ("/etc/rsyslog.conf", Area::Logs),
    ("/etc/securetty", Area::Pam),
    ("/etc/security/opasswd", Area::Accounts),
    ("/etc/shadow", Area::Accounts),
    ("/etc/shadow-", Area::Accounts),
    ("/etc/shells", Area::Accounts),
    ("/etc/shosts.equiv", Area::Ssh),
    ("/etc/ssh/shosts.equiv", Area::Ssh),
    ("/etc/ssh/ssh_config", Area::Ssh),
    ("/etc/ssh/sshd_config", Area::Ssh),
    ("/etc/sssd/sssd.conf", Area::Accounts),
    ("/etc/subgid", Area::Accounts),
    ("/etc/subuid", Area::Accounts),
    ("/etc/sudo.conf", Area::Sudo),
    ("/etc/sudoers", Area::Sudo),
    ("/etc/sysctl.conf", Area::System),
    ("/usr/bin/as", Area::Development),
    ("/usr/bin/cc", Area::Development),
    ("/usr/bin/clang", Area::Development),
    ("/usr/bin/g++", Area::Development),
    ("/usr/bin/gcc", Area::Development),
    ("/usr/sbin/auditctl", Area::Logs),
    ("/usr/sbin/auditd", Area::Logs),
    ("/usr/sbin/augenrules", Area::Logs),
    ("/usr/sbin/aureport", Area::Logs),
    ("/usr/sbin/ausearch", Area::Logs),
    ("/usr/sbin/autrace", Area::Logs),
    ("/var/lib/lastlog/lastlog2.db", Area::Logs),
    ("/var/lib/wtmpdb/wtmp.db", Area::Logs),
    ("/var/log/audit/audit.log", Area::Logs),
    ("/var/log/auth.log", Area::Logs),
    ("/var/log/btmp", Area::Logs),
    ("/var/log/cron", Area::Logs),
    ("/var/log/faillog", Area::Logs),
    ("/var/log/kern.log", Area::Logs),
    ("/var/log/lastlog", Area::Logs),
    ("/var/log/messages", Area::Logs),
    ("/var/log/secure", Area::Logs),
    ("/var/log/syslog", Area::Logs),
    ("/var/log/wtmp", Area::Logs),
    ("/var/log/wtmp.db", Area::Logs),
];

/// Whether the contents of a folder are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// No.
    Not,
    /// With names.
    Names,
    /// Numbers alone: names there can be people's.
    Numbers,
}

const FOLDERS: [(&str, Area, Look); 43] = [
    ("/", Area::System, Look::Not),
    ("/boot", Area::Boot, Look::Not),
    ("/boot/grub", Area::Boot, Look::Not),
    ("/boot/grub2", Area::Boot, Look::Not),
    ("/dev/shm", Area::Temporary, Look::Not),
    ("/etc", Area::System, Look::Not),
    ("/etc/apt/sources.list.d", Area::System, Look::Names),
    ("/etc/audit", Area::Logs, Look::Names),
    ("/etc/audit/rules.d", Area::Logs, Look::Names),
    ("/etc/cron.d", Area::Cron, Look::Names),
    ("/etc/cron.daily", Area::Cron, Look::Names),
    ("/etc/cron.hourly", Area::Cron, Look::Names),
    ("/etc/cron.monthly", Area::Cron, Look::Names),
    ("/etc/cron.weekly", Area::Cron, Look::Names),
    ("/etc/cron.yearly", Area::Cron, Look::Names),
    ("/etc/grub.d", Area::Boot, Look::Names),
    ("/etc/init.d", Area::Services, Look::Names),
    ("/etc/modprobe.d", Area::System, Look::Names),
    ("/etc/pam.d", Area::Pam, Look::Names),
    ("/etc/pki/tls/private", Area::Keys, Look::Names),
    ("/etc/profile.d", Area::System, Look::Names),
    ("/etc/rsyslog.d", Area::Logs, Look::Names),
    ("/etc/security", Area::Pam, Look::Names),
    ("/etc/skel", Area::Accounts, Look::Names),
    ("/etc/ssh", Area::Ssh, Look::Names),
    ("/etc/ssh/sshd_config.d", Area::Ssh, Look::Names),
    ("/etc/ssl/private", Area::Keys, Look::Names),
    ("/etc/sudoers.d", Area::Sudo, Look::Numbers),
    ("/etc/sysctl.d", Area::System, Look::Names),
    ("/etc/systemd/system", Area::Services, Look::Names),
    ("/etc/yum.repos.d", Area::System, Look::Names),
    ("/home", Area::Home, Look::Not),
    ("/root", Area::Home, Look::Not),
    ("/root/.ssh", Area::Home, Look::Not),
    ("/tmp", Area::Temporary, Look::Not),
    ("/usr/local/bin", Area::System, Look::Names),
    ("/usr/local/sbin", Area::System, Look::Names),
    ("/var/log", Area::Logs, Look::Not),
    ("/var/log/audit", Area::Logs, Look::Not),
    ("/var/log/journal", Area::Logs, Look::Not),
    ("/var/spool/cron", Area::Cron, Look::Not),
    ("/var/spool/cron/crontabs", Area::Cron, Look::Numbers),
    ("/var/tmp", Area::Temporary, Look::Not),
];
/// The SSH server's keys, private and public, are files of this folder.
const SSH: &str = "/etc/ssh";
/// More keys than any server has.
const MAX_KEYS: usize = 100;

/// The files.
pub(super) fn files(reading: &Reading<'_>) -> Vec<File> {
    let mut places: BTreeMap<String, Area> = FILES.iter().map(|(path, area)| ((*path).to_owned(), *area)).collect();
    // A folder that cannot be listed is said where its contents are told.
    let entries = reading.list(SSH).ok().flatten().unwrap_or_default();
    let keys = entries.into_iter().filter(|entry| {
        let name = entry.name.strip_prefix("ssh_host_");
        name.is_some_and(|name| name.ends_with("_key") || name.ends_with("_key.pub"))
    });
    places.extend(keys.take(MAX_KEYS).map(|key| {
        let area = if key.name.ends_with("_key.pub") {
            Area::Ssh
        } else {
            Area::SshKey
        };
        (format!("{SSH}/{}", key.name), area)
    }));
    places
        .into_iter()
        .map(|(path, area)| File {
            permissions: known(&path, permissions(reading, &path, Kind::File)),
            path,
            area,
        })
        .collect()
}

/// The folders.
pub(super) fn folders(reading: &Reading<'_>) -> Vec<Folder> {
    FOLDERS
        .iter()
        .map(|(path, area, look)| Folder {
            path: (*path).to_owned(),
            area: *area,
            permissions: known(path, permissions(reading, path, Kind::Folder)),
            contents: (*look != Look::Not).then(|| known(path, contents(reading, path, *look))),
        })
        .collect()
}

fn known<T>(path: &str, found: Result<Option<T>, Unread>) -> Known<T> {
    match found {
        Ok(Some(value)) => Known::Observed(value),
        Ok(None) => Known::Not(NotKnown {
            outcome: Outcome::Absent,
            detail: format!("{path} is not there"),
        }),
        Err(unread) => Known::unread(&unread),
    }
}

fn permissions(reading: &Reading<'_>, path: &str, kind: Kind) -> Result<Option<Permissions>, Unread> {
    let Some(own) = reading.stat_link(path)? else {
        return Ok(None);
    };
    let (stat, link) = if own.kind == Kind::Link {
        let Some(stat) = reading.stat(path)? else {
            return Ok(None);
        };
        (stat, reading.link(path)?)
    } else {
        (own, None)
    };
    if stat.kind != kind && !(kind == Kind::File && stat.kind == Kind::Character) {
        return Err(Unread::Malformed {
            place: path.to_owned(),
            reason: "of another kind than expected there".to_owned(),
        });
    }
    let acl = |name| match reading.extended(path, name) {
        Ok(None) => Known::Observed(vec![]),
        Ok(Some(value)) => acl::parse(&value).map_or_else(
            || {
                Known::Not(NotKnown {
                    outcome: Outcome::Malformed,
                    detail: format!("{path}: {name} is of an unknown form"),
                })
            },
            |entries| Known::Observed(entries.into_iter().filter(is_more).collect()),
        ),
        Err(unread) => Known::unread(&unread),
    };
    Ok(Some(Permissions {
        mode: format!("{:04o}", stat.mode),
        owner: letters(stat.mode >> 6),
        group: letters(stat.mode >> 3),
        others: letters(stat.mode),
        sticky: stat.mode & 0o1000 != 0,
        uid: stat.uid,
        gid: stat.gid,
        link,
        acl: acl("system.posix_acl_access"),
        default_acl: if kind == Kind::Folder {
            acl("system.posix_acl_default")
        } else {
            Known::Observed(vec![])
        },
        immutable: stat.attributes.immutable,
        append_only: stat.attributes.append_only,
    }))
}

/// Owner, mask and everybody are in the mode too.
fn is_more(entry: &AclEntry) -> bool {
    matches!(entry.kind, AclKind::User | AclKind::Group | AclKind::OwningGroup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_each_once() {
        assert!(FILES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(FOLDERS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}

//! vsftpd.conf(5), read as vsftpd 3 does: it refuses what it does not know.

use std::collections::BTreeMap;

use super::facts::{Vsftpd, VsftpdSettings};
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// Debian's place and Red Hat's: there each file of the folder that ends in `.conf` is a server of its own.
const FILE: &str = "/etc/vsftpd.conf";
const FOLDER: &str = "/etc/vsftpd";
const MAX_FILES: usize = 100;
/// The settings of yes and no that the facts are made of.
const SETTINGS: [&str; 12] = [
    "anon_mkdir_write_enable",
    "anon_other_write_enable",
    "anon_upload_enable",
    "anonymous_enable",
    "chroot_local_user",
    "force_local_data_ssl",
    "force_local_logins_ssl",
    "local_enable",
    "ssl_enable",
    "write_enable",
    "force_anon_logins_ssl",
    "allow_anon_ssl",
];

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Vec<Vsftpd>>, Unread> {
    let mut found = vec![];
    let mut files = vec![FILE.to_owned()];
    let listed = reading.list(FOLDER)?.unwrap_or_default().into_iter();
    let listed = listed
        .filter(|entry| matches!(entry.kind, Kind::File | Kind::Link) && entry.name.strip_suffix(".conf").is_some());
    files.extend(listed.take(MAX_FILES).map(|entry| format!("{FOLDER}/{}", entry.name)));
    for file in files {
        let settings = match reading.file(&file) {
            Ok(None) => continue,
            Ok(Some(bytes)) => match settings(&bytes) {
                Ok(settings) => Known::Observed(settings),
                Err(why) => Known::unread(&reading.malformed(file.clone(), why)),
            },
            Err(unread) => Known::unread(&unread),
        };
        found.push(Vsftpd { file, settings });
    }
    Ok((!found.is_empty()).then_some(found))
}

/// What a file says, or where vsftpd refuses it.
pub(super) fn settings(bytes: &[u8]) -> Result<VsftpdSettings, String> {
    let mut set = BTreeMap::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let text = String::from_utf8_lossy(line);
        if text.starts_with('#') || text.trim().is_empty() {
            continue;
        }
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        let Some(setting) = SETTINGS.into_iter().find(|setting| *setting == name.trim()) else {
            continue;
        };
        if name.ends_with(char::is_whitespace) {
            return Err(format!("line {}: a blank after {setting}", index + 1));
        }
        let value = match value.to_ascii_uppercase().as_str() {
            "YES" | "TRUE" | "1" => true,
            "NO" | "FALSE" | "0" => false,
            "" => return Err(format!("line {}: {setting} without a value", index + 1)),
            _ => return Err(format!("line {}: {setting} is neither YES nor NO", index + 1)),
        };
        set.insert(setting, value);
    }
    let on = |name: &str, otherwise: bool| set.get(name).copied().unwrap_or(otherwise);
    let write = on("write_enable", false);
    let tls = on("ssl_enable", false);
    Ok(VsftpdSettings {
        // Debian's manual says no, and its program lets them in.
        anonymous: on("anonymous_enable", true),
        local_users: on("local_enable", false),
        write,
        anonymous_upload: write && on("anon_upload_enable", false),
        anonymous_change: write && (on("anon_mkdir_write_enable", false) || on("anon_other_write_enable", false)),
        tls,
        tls_for_logins: tls && on("force_local_logins_ssl", true),
        tls_for_data: tls && on("force_local_data_ssl", true),
        chroot: on("chroot_local_user", false),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_counts() {
        let read =
            settings(b"# c\nanonymous_enable=yes\n  write_enable=1\nanon_upload_enable=YES\nssl_enable=NO\nx=y\n")
                .unwrap();
        assert!(read.anonymous);
        assert!(read.anonymous_upload && !read.anonymous_change && !read.tls_for_logins);
        assert!(settings(b"").unwrap().anonymous);
        assert!(settings(b"anonymous_enable =NO").is_err());
        assert!(settings(b"\nssl_enable=YES \n").unwrap_err().contains("line 2"));
        assert!(settings(b"ssl_enable\n").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>, near in "(anonymous_enable|ssl_enable|=|YES|NO|\n| |#){0,20}") {
            let _ = settings(&bytes);
            let _ = settings(near.as_bytes());
        }
    }
}

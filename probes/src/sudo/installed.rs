//! Which sudo there is, and which file it goes by.

use super::conf::SudoConf;
use super::facts::Implementation;
use super::sudoers::files::MAIN;
use crate::reading::{Kind, Reading, Unread};

/// Where sudo is, from a package and built by hand.
const SUDO: [&str; 2] = ["/usr/bin/sudo", "/usr/local/bin/sudo"];
/// sudo-rs under its own name, and where Debian and Ubuntu keep it for the place of sudo.
const SUDO_RS: [&str; 2] = ["/usr/bin/sudo-rs", "/usr/lib/cargo/bin/sudo"];
/// What sudo-rs goes by if it is there.
const RS_MAIN: &str = "/etc/sudoers-rs";
/// Vendors who keep theirs apart.
const VENDOR_MAIN: &str = "/usr/etc/sudoers";
/// Links on the way from a name to its program, as alternatives have them.
const MAX_LINKS: usize = 5;

/// What is installed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Installed {
    sudo: bool,
    sudo_rs: bool,
}

/// The file that counts.
pub(super) struct Main {
    pub(super) path: String,
    /// Another file gives rights too.
    pub(super) others: bool,
}

impl Installed {
    pub(super) fn read(reading: &Reading<'_>) -> Result<Self, Unread> {
        let mut installed = Self::default();
        for path in SUDO {
            if reading.stat(path)?.is_some() {
                let is_rs = leads_to_rs(reading, path)?;
                installed.sudo |= !is_rs;
                installed.sudo_rs |= is_rs;
            }
        }
        for path in SUDO_RS {
            installed.sudo_rs |= reading.stat(path)?.is_some();
        }
        Ok(installed)
    }

    pub(super) fn implementations(self) -> Vec<Implementation> {
        let found = [
            (self.sudo, Implementation::Sudo),
            (self.sudo_rs, Implementation::SudoRs),
        ];
        found
            .into_iter()
            .filter(|(there, _)| *there)
            .map(|(_, one)| one)
            .collect()
    }

    pub(super) fn policy(self, reading: &Reading<'_>, conf: &SudoConf) -> Result<Main, Unread> {
        let there = |path: &str| reading.stat(path).map(|stat| stat.is_some());
        let own = self.sudo_rs && there(RS_MAIN)?;
        if own && !self.sudo {
            return Ok(Main {
                path: RS_MAIN.to_owned(),
                others: false,
            });
        }
        let path = match &conf.main {
            Some(main) => main.as_str(),
            None if !there(MAIN)? && there(VENDOR_MAIN)? => VENDOR_MAIN,
            None => MAIN,
        };
        Ok(Main {
            path: path.to_owned(),
            others: own,
        })
    }
}

fn leads_to_rs(reading: &Reading<'_>, path: &str) -> Result<bool, Unread> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if !matches!(reading.stat_link(&path)?, Some(stat) if stat.kind == Kind::Link) {
            break;
        }
        let target = reading.link(&path)?.unwrap_or_default();
        path = match path.rsplit_once('/') {
            Some((folder, _)) if !target.starts_with('/') => format!("{folder}/{target}"),
            _ => target,
        };
    }
    Ok(path.ends_with("sudo-rs") || path.contains("/cargo/bin/"))
}

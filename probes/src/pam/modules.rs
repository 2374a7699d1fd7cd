//! Which modules there are, and what they are for.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::stack::RawRule;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

/// Folders for modules: of the RPM family, of Debian by architecture, of Arch and Alpine.
const FOLDERS: [&str; 16] = [
    "/lib/security",
    "/lib64/security",
    "/usr/lib/security",
    "/usr/lib64/security",
    "/lib/x86_64-linux-gnu/security",
    "/lib/aarch64-linux-gnu/security",
    "/lib/i386-linux-gnu/security",
    "/lib/arm-linux-gnueabihf/security",
    "/lib/powerpc64le-linux-gnu/security",
    "/lib/s390x-linux-gnu/security",
    "/lib/riscv64-linux-gnu/security",
    "/usr/lib/x86_64-linux-gnu/security",
    "/usr/lib/aarch64-linux-gnu/security",
    "/usr/lib/arm-linux-gnueabihf/security",
    "/usr/lib/riscv64-linux-gnu/security",
    "/usr/lib/s390x-linux-gnu/security",
];

/// Modules that ask for something else than the account's password.
pub(super) const FACTORS: [&str; 23] = [
    "pam_barada",
    "pam_duo",
    "pam_fprintd",
    "pam_google_authenticator",
    "pam_howdy",
    "pam_linotp",
    "pam_oath",
    "pam_okta",
    "pam_otpw",
    "pam_p11",
    "pam_pkcs11",
    "pam_poldi",
    "pam_privacyidea",
    "pam_radius",
    "pam_radius_auth",
    "pam_securid",
    "pam_ssh_agent_auth",
    "pam_tacplus",
    "pam_totp",
    "pam_u2f",
    "pam_ussh",
    "pam_yubico",
    "pam_yubikey",
];

/// Modules that ask a directory.
pub(super) const DIRECTORIES: [&str; 9] = [
    "pam_aad",
    "pam_himmelblau",
    "pam_krb5",
    "pam_ldap",
    "pam_lsass",
    "pam_nis",
    "pam_sss",
    "pam_systemd_home",
    "pam_winbind",
];

/// The modules in the folders.
pub(super) struct Present(Known<BTreeSet<String>>);

impl Present {
    pub(super) fn read(reading: &Reading<'_>) -> Self {
        match names(reading) {
            Ok(Some(names)) => Self(Known::Observed(names)),
            Ok(None) => Self(Known::Not(NotKnown {
                outcome: Outcome::Absent,
                detail: "no folder with PAM modules was found".to_owned(),
            })),
            Err(unread) => Self(Known::unread(&unread)),
        }
    }

    /// Names of modules of the rules that are not there, sorted.
    pub(super) fn missing(&self, reading: &Reading<'_>, rules: &[RawRule]) -> Result<Known<Vec<String>>, Unread> {
        let present = match &self.0 {
            Known::Observed(present) => present,
            Known::Not(why) => return Ok(Known::Not(why.clone())),
        };
        let mut missing = BTreeSet::new();
        for rule in rules {
            let path = &rule.module_path;
            // `$ISA` stands for a folder of the architecture, or for nothing.
            let by_path = path.starts_with('/') && !path.contains('$');
            let there = if by_path {
                reading.stat(path)?.is_some()
            } else {
                present.contains(path.rsplit('/').next().unwrap_or(path))
            };
            if !there {
                missing.insert(rule.rule.module.clone());
            }
        }
        Ok(Known::Observed(missing.into_iter().collect()))
    }
}

fn names(reading: &Reading<'_>) -> Result<Option<BTreeSet<String>>, Unread> {
    let mut names: Option<BTreeSet<String>> = None;
    for folder in FOLDERS {
        if let Some(entries) = reading.list(folder)? {
            let names = names.get_or_insert_default();
            names.extend(entries.into_iter().map(|entry| entry.name));
        }
    }
    Ok(names)
}

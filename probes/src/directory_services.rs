//! # What
//! Where a host looks for accounts besides its own files, and how it talks to those places: SSSD, Kerberos, LDAP, Winbind,
//! FreeIPA, NIS. No secrets.
//!
//! # Source
//! nsswitch.conf(5); sssd.conf(5), sssd-ldap(5); krb5.conf(5); ldap.conf(5) of OpenLDAP; nslcd.conf(5); smb.conf(5);
//! FreeIPA's default.conf(5); yp.conf(5); the state of their services from systemd's files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for `/etc/sssd` and `/etc/nslcd.conf`.
//!
//! # Bears on
//! A.5.15 (access control), A.5.16 (identity management), A.5.17 (authentication information), A.8.5 (secure
//! authentication), A.8.24 (use of cryptography).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
pub mod krb5;
mod ldap;
mod others;
mod sssd;

pub use facts::*;

use evidence::facts::Outcome;

use crate::formats::systemd::Units;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

/// Services that answer for a directory.
const SERVICES: [&str; 8] = [
    "nscd.service",
    "nslcd.service",
    "oddjobd.service",
    "realmd.service",
    "sssd.service",
    "sssd-kcm.socket",
    "winbind.service",
    "ypbind.service",
];
/// Longer values are nobody's configuration.
const MAX_TEXT: usize = 4096;

/// The probe.
pub struct DirectoryServicesProbe;

impl Probe for DirectoryServicesProbe {
    const SPEC: Spec = Spec {
        id: "directory-services",
        version: 1,
        title: "Where accounts come from besides the files, and how that is protected",
        reads: &[
            "/etc/nsswitch.conf",
            "/etc/sssd/sssd.conf and /etc/sssd/conf.d/*.conf",
            "/etc/krb5.conf and what it includes",
            "/etc/ldap/ldap.conf or /etc/openldap/ldap.conf",
            "/etc/nslcd.conf",
            "/etc/samba/smb.conf",
            "/etc/ipa/default.conf",
            "/etc/yp.conf",
            "whether /etc/krb5.keytab is there",
            "units of systemd",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/nsswitch.conf",
            "/etc/sssd/",
            "/etc/sssd/conf.d/",
            "/etc/krb5.conf",
            "/etc/krb5.conf.d/",
            "/etc/ldap/",
            "/etc/openldap/",
            "/etc/nslcd.conf",
            "/etc/samba/",
            "/etc/ipa/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Accounts, groups and rules that a directory holds.",
            "Whether a directory answers, and what it enforces by itself.",
            "Whether SSSD takes its files: it refuses those that others than root may change.",
            "What options given on a command line or by the environment change.",
            "Includes of Samba's configuration: `includes` tells that there are such.",
        ],
    };

    type Facts = DirectoryServices;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<DirectoryServices, NoNames>, ProbeError> {
        let services = match Units::read(reading) {
            Ok(Some(units)) => Known::Observed(units.states(SERVICES)),
            Ok(None) => absent("systemd has no units here"),
            Err(unread) => Known::unread(&unread),
        };
        Ok(Collected::facts(DirectoryServices {
            name_services: known("/etc/nsswitch.conf", others::name_services(reading)),
            sssd: known("/etc/sssd/sssd.conf", sssd::read(reading)),
            kerberos: known("/etc/krb5.conf", krb5::read(reading)),
            machine_keytab: known(
                "/etc/krb5.keytab",
                reading.stat("/etc/krb5.keytab").map(|stat| stat.map(|_| true)),
            ),
            ldap_client: known("ldap.conf", ldap::client(reading)),
            nslcd: known("/etc/nslcd.conf", ldap::nslcd(reading)),
            samba: known("/etc/samba/smb.conf", others::samba(reading)),
            ipa: known("/etc/ipa/default.conf", others::ipa(reading)),
            nis: known("/etc/yp.conf", others::nis(reading)),
            services,
        }))
    }
}

fn absent<T>(detail: impl Into<String>) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.into(),
    })
}

fn known<T>(path: &str, found: Result<Option<T>, Unread>) -> Known<T> {
    match found {
        Ok(Some(value)) => Known::Observed(value),
        Ok(None) => absent(format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn malformed(place: &str, reason: impl Into<String>) -> Unread {
    Unread::Malformed {
        place: place.to_owned(),
        reason: reason.into(),
    }
}

/// The text of a file that can hold passwords: its digest stays here.
fn private_text(reading: &Reading<'_>, path: &str) -> Result<Option<String>, Unread> {
    let Some(bytes) = reading.private(path, path)? else {
        return Ok(None);
    };
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|error| malformed(path, format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to())))
}

/// The scheme of each URI in a list, sorted, each once; what has none is `other`.
fn schemes(uris: &str) -> Vec<String> {
    let mut schemes: Vec<_> = uris
        .split([',', ' ', '\t'])
        .filter(|uri| !uri.is_empty() && !uri.starts_with('_'))
        .map(|uri| {
            uri.split_once("://")
                .map_or("other", |(scheme, _)| scheme)
                .to_ascii_lowercase()
        })
        .map(|scheme| {
            if matches!(scheme.as_str(), "ldap" | "ldaps" | "ldapi") {
                scheme
            } else {
                "other".to_owned()
            }
        })
        .collect();
    schemes.order();
    schemes.dedup();
    schemes
}

/// Items of a list with commas or blanks between them.
fn items(list: &str) -> Vec<String> {
    list.split([',', ' ', '\t'])
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A short text, as the facts show it.
fn shown(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests;

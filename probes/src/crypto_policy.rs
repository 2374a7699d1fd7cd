//! # What
//! What cryptography the host's libraries allow by default: the system-wide policy of the RPM family (and of others that
//! have it) with its local changes, what OpenSSL, GnuTLS, Kerberos and Java are told, and FIPS mode, now and after the
//! next boot.
//!
//! # Source
//! crypto-policies(7), update-crypto-policies(8); OpenSSL's config(5) and SSL_CONF_cmd(3); the GnuTLS manual, *System-wide
//! configuration of the library*; krb5.conf(5); `java.security` of OpenJDK; the kernel's `crypto.fips_enabled`
//! (`Documentation/admin-guide/sysctl/crypto.rst`) and command line; the Boot Loader Specification, grub.cfg.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for grub.cfg and boot loader entries, which some distributions close to others than root; the
//! rest is open to everybody.
//!
//! # Bears on
//! A.8.24 (use of cryptography), A.8.9 (configuration management), A.5.31 (legal and contractual requirements, where FIPS
//! mode is one).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod fips;
mod gnutls;
mod java;
mod krb5;
mod openssl;
mod policy;
#[cfg(test)]
mod tests;

pub use facts::*;

use evidence::facts::Outcome;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

/// The probe.
pub struct CryptoPolicyProbe;

impl Probe for CryptoPolicyProbe {
    const SPEC: Spec = Spec {
        id: "crypto-policy",
        version: 1,
        title: "What cryptography the libraries allow by default, and FIPS mode",
        reads: &[
            "/etc/crypto-policies/",
            "/etc/ssl/openssl.cnf, /etc/pki/tls/openssl.cnf and what they include",
            "/etc/gnutls/config",
            "/etc/krb5.conf and what it includes",
            "java.security of each Java runtime",
            "/proc/sys/crypto/fips_enabled",
            "/proc/cmdline",
            "/boot/grub/grub.cfg, /boot/grub2/grub.cfg, /boot/loader/entries/, /etc/kernel/cmdline, /etc/default/grub",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/crypto-policies/",
            "/etc/crypto-policies/state/",
            "/etc/ssl/openssl.cnf",
            "/etc/pki/tls/",
            "/etc/gnutls/",
            "/etc/krb5.conf",
            "/etc/krb5.conf.d/",
            "/etc/default/grub",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "What a program asks for itself: it may be stricter than its library's defaults, and often looser.",
            "Defaults built into the libraries where no file says anything: values are then not there.",
            "Programs that were started before a change, and containers, which have files of their own.",
            "Environment variables and settings of single programs that point to other files (OPENSSL_CONF, GNUTLS_SYSTEM_PRIORITY_FILE, KRB5_CONFIG, java -D).",
            "Libraries with no configuration of this kind: NSS's own databases, Go, rustls, libsodium.",
        ],
    };

    type Facts = CryptoPolicy;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<CryptoPolicy, NoNames>, ProbeError> {
        Ok(Collected::facts(CryptoPolicy {
            policy: known(policy::read(reading), "/etc/crypto-policies/config is not there"),
            openssl: known(openssl::read(reading), "no openssl.cnf is there"),
            gnutls: known(gnutls::read(reading), "no configuration of GnuTLS is there"),
            krb5: known(krb5::read(reading), "/etc/krb5.conf is not there"),
            java: match java::read(reading) {
                Ok(java) => Known::Observed(java),
                Err(unread) => Known::unread(&unread),
            },
            fips: fips::read(reading),
        }))
    }
}

fn known<T>(read: Result<Option<T>, Unread>, absent: &str) -> Known<T> {
    match read {
        Ok(Some(value)) => Known::Observed(value),
        Ok(None) => Known::Not(NotKnown {
            outcome: Outcome::Absent,
            detail: absent.to_owned(),
        }),
        Err(unread) => Known::unread(&unread),
    }
}

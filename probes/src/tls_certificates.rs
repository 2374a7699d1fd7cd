//! # What
//! The certificates for TLS on this host, from the folders where they are kept, from what the configuration of services
//! names, and from what listening ports present; the private keys beside them by form, mode and owner; and authorities
//! that the administrator added to those that the system trusts.
//!
//! # Source
//! X.509 certificates (RFC 5280) in PEM (RFC 7468) or DER; the configuration of Apache, Dovecot, Exim, HAProxy, lighttpd,
//! Mosquitto, MySQL and MariaDB, nginx, OpenLDAP, OpenVPN, Postfix, PostgreSQL, ProFTPD, Redis, rsyslog, stunnel, Unbound
//! and vsftpd; sock_diag(7) for listening ports; TLS handshakes with ports of this host itself (RFC 8446, RFC 5246).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: folders of private keys, and some configuration, are closed to others than root.
//!
//! # Bears on
//! A.8.24 (use of cryptography), A.8.20 (networks security), A.8.21 (security of network services), A.5.14 (information
//! transfer), A.8.9 (configuration management).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod algorithms;
mod certificate;
mod endpoints;
mod facts;
mod gather;
mod name;
mod services;
mod statements;
mod stores;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use facts::*;
use gather::Gathered;

use crate::accounts::records::masked;
use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct TlsCertificatesProbe;

impl Probe for TlsCertificatesProbe {
    const SPEC: Spec = Spec {
        id: "tls-certificates",
        version: 2,
        title: "Certificates for TLS in files, in the configuration of services and on listening ports, and their keys",
        reads: &[
            "/etc/ssl/ and /etc/pki/, without the distribution's authorities",
            "/etc/letsencrypt/live/",
            "/usr/local/share/ca-certificates/ and its like on other distributions",
            "configuration of web, mail, database, directory and proxy servers, and the certificates that it names",
            "labels of private keys",
            "netlink:sock_diag",
            "TLS handshakes with ports of this host on which TLS is expected, and an offer of TLS 1.1 and older to each, which a server may log",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        // Each handshake is a connection that a server may log, and certificates change seldom: their folders are
        // watched.
        cadence: Cadence::Daily,
        watch: &[
            "/etc/ssl/",
            "/etc/ssl/certs/",
            "/etc/ssl/private/",
            "/etc/pki/tls/certs/",
            "/etc/pki/tls/private/",
            "/etc/letsencrypt/live/",
            "/usr/local/share/ca-certificates/",
            "/etc/pki/ca-trust/source/anchors/",
            "/etc/nginx/",
            "/etc/apache2/sites-enabled/",
            "/etc/httpd/conf.d/",
            "/etc/postfix/",
            "/etc/haproxy/",
        ],
        budget: Budget {
            millis: 10_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "Certificates that a server presents only to a client that asks for a name (SNI) or offers TLS 1.1 or older alone: they are seen only as files.",
            "Ports outside the agent's network namespace, and ports on which TLS is not expected: a greeting in TLS would leave errors in the logs of other services. TLS that begins in the middle of a plain connection (STARTTLS, PostgreSQL, MySQL) is seen by its configuration only.",
            "Which cipher suites a server would also accept, and whether it accepts SSL 3.0 or TLS 1.0 beside the TLS 1.1 that it agreed upon.",
            "Whether a chain would be trusted by anybody, whether signatures are right, and whether a certificate was revoked.",
            "Whether a private key belongs to the certificate beside it: of keys only labels and headers are looked at.",
            "PKCS #12 files, Java keystores, NSS databases and keys in hardware.",
            "Configuration of services that are not in the list, or that is generated when they start.",
            "Whether a service has been restarted since its certificate was changed, unless its port presents it.",
        ],
    };

    type Facts = TlsCertificates;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<TlsCertificates, NoNames>, ProbeError> {
        let mut gathered = Gathered::default();
        let named = services::read(reading);
        gathered.cut |= named.cut;
        for unread in &named.unread {
            gathered.unread(unread);
        }
        let mut references = BTreeSet::new();
        for file in named.files {
            let state = if file.resolved {
                gathered.named(reading, &file.path, file.role, file.service)
            } else {
                ReferenceState::Unresolved
            };
            references.insert(Reference {
                service: file.service.to_owned(),
                config: file.config,
                line: file.line,
                role: file.role,
                path: masked(&file.path),
                state,
            });
        }
        stores::read(reading, &mut gathered);
        let endpoints = endpoints::read(reading, &named.ports, &mut gathered);
        Ok(Collected::facts(TlsCertificates {
            certificates: gathered.certificates.into_values().collect(),
            private_keys: gathered.keys.into_values().collect(),
            references: references.into_iter().collect(),
            endpoints,
            unread: gathered.unread.into_iter().collect(),
            complete: !gathered.cut,
        }))
    }
}

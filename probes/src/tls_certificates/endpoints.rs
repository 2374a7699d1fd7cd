//! What listening ports present.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use evidence::facts::Outcome;

use super::facts::{Endpoint, Expected, Handshake, OldVersions};
use super::gather::Gathered;
use crate::probe::{Known, NotKnown};
use crate::reading::{Listener, OldTls, Protocol, Reading, Unread};

/// Handshakes at most; a host that has more such ports serves the same certificates on most of them.
const MAX_HANDSHAKES: usize = 32;

/// Ports on which TLS is spoken from the first byte on: those of IANA's registry (443 https, 465 submissions, 563 nntps,
/// 636 ldaps, 853 domain-s, 990 ftps, 992 telnets, 993 imaps, 994 ircs, 995 pop3s, 2376 docker-s, 3269 msft-gc-ssl,
/// 5061 sips, 5671 amqps, 5986 wsmans, 6514 syslog-tls, 6697 ircs-u, 8443 pcsync-https, 8883 secure-mqtt) and the
/// customary ones of Kubernetes (6443, 10250).
const WELL_KNOWN: [u16; 21] = [
    443, 465, 563, 636, 853, 990, 992, 993, 994, 995, 2376, 3269, 5061, 5671, 5986, 6443, 6514, 6697, 8443, 8883, 10250,
];

/// Shakes hands with every listening TCP port on which TLS is expected.
pub(super) fn read(reading: &Reading<'_>, configured: &BTreeSet<u16>, gathered: &mut Gathered) -> Known<Vec<Endpoint>> {
    let listeners = match reading.listeners() {
        Ok(listeners) => listeners,
        Err(unread) => return Known::unread(&unread),
    };
    let mut found: BTreeMap<(u16, IpAddr), Dialled> = BTreeMap::new();
    for listener in listeners.iter().filter(|one| one.protocol == Protocol::Tcp) {
        let expected = match () {
            () if configured.contains(&listener.port) => Expected::Configured,
            () if WELL_KNOWN.contains(&listener.port) => Expected::WellKnown,
            () => continue,
        };
        let bound = listener.interface != 0;
        // Several sockets of one address share its connections.
        found.entry((listener.port, listener.address)).or_insert(Dialled {
            expected,
            reached: reached(listener),
            bound,
        });
    }
    let endpoint = |(number, ((port, address), dialled)): (usize, ((u16, IpAddr), Dialled))| {
        let skipped = match () {
            () if number >= MAX_HANDSHAKES => Some("more than 32 ports on which TLS is expected"),
            () if dialled.bound => Some("the socket is bound to one interface"),
            () => None,
        };
        let (handshake, before_tls_1_2) = match skipped {
            Some(detail) => (not(Outcome::Skipped, detail), not(Outcome::Skipped, detail)),
            None => answers(reading, dialled.reached, port, gathered),
        };
        Endpoint {
            address: address.to_string(),
            port,
            expected: dialled.expected,
            handshake,
            before_tls_1_2,
        }
    };
    Known::Observed(found.into_iter().enumerate().map(endpoint).collect())
}

/// What a server answers to a client of today, and to an old one.
fn answers(
    reading: &Reading<'_>,
    reached: SocketAddr,
    port: u16,
    gathered: &mut Gathered,
) -> (Known<Handshake>, Known<OldVersions>) {
    let handshake = match reading.tls_handshake(reached) {
        Ok(Some(peer)) => {
            let place = format!("tls://{reached}");
            let chain = peer.chain.iter().enumerate();
            let chain = chain.filter_map(|(index, der)| gathered.presented(&place, der, (index == 0).then_some(port)));
            Known::Observed(Handshake {
                version: peer.version,
                cipher_suite: peer.cipher_suite,
                chain: chain.collect(),
            })
        }
        Ok(None) => not(Outcome::Absent, "nothing answers"),
        // Who says nothing to one offer is not made to wait for another.
        Err(unread @ Unread::Timeout { .. }) => return (Known::unread(&unread), Known::unread(&unread)),
        Err(unread) => Known::unread(&unread),
    };
    let old = match reading.tls_before_1_2(reached) {
        Ok(Some(OldTls::Agreed(version))) => Known::Observed(OldVersions {
            agreed: Some(version),
            refused: None,
        }),
        Ok(Some(OldTls::Refused(alert))) => Known::Observed(OldVersions {
            agreed: None,
            refused: Some(alert),
        }),
        Ok(None) => not(Outcome::Absent, "nothing answers"),
        Err(unread) => Known::unread(&unread),
    };
    (handshake, old)
}

fn not<T>(outcome: Outcome, detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome,
        detail: detail.to_owned(),
    })
}

/// A listening port that is dialled.
struct Dialled {
    expected: Expected,
    reached: SocketAddr,
    /// Bound to one interface.
    bound: bool,
}

/// The address by which a socket is reached from this host itself.
fn reached(listener: &Listener) -> SocketAddr {
    let address = match listener.address {
        IpAddr::V6(address) if address.is_unspecified() && listener.v6_only == Some(true) => Ipv6Addr::LOCALHOST.into(),
        // Where IPv4 is taken too, it is there even if IPv6 is switched off.
        address if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, listener.port)
}

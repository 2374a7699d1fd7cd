//! Addresses: from how far they can be reached, and how systemd.socket(5) writes them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use thiserror::Error;

use super::facts::Reach;

/// An address in a socket unit that systemd would not understand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no address that systemd.socket(5) knows")]
pub struct PlaceError(String);

/// From how far an address can be reached.
pub(super) fn reach(address: IpAddr) -> Reach {
    let address = match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    match address {
        _ if address.is_unspecified() => Reach::Any,
        _ if address.is_loopback() => Reach::Loopback,
        IpAddr::V4(v4) if v4.is_link_local() => Reach::LinkLocal,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Reach::LinkLocal,
        _ => Reach::Specific,
    }
}

/// `::` takes IPv4 too, unless it was told not to; an address that is IPv4 within IPv6 takes nothing else.
pub(super) fn takes_ipv4(address: IpAddr, v6_only: Option<bool>) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().is_some() || (v6.is_unspecified() && v6_only == Some(false)),
    }
}

/// An address of `ListenStream=` and its like: a port, `address:port`, `[address]:port` with or without `%interface`.
/// `Ok(None)`: no IP address, but a path, an abstract name, a vsock.
pub(super) fn parse(text: &str) -> Result<Option<(IpAddr, u16)>, PlaceError> {
    let wrong = || PlaceError(text.to_owned());
    if text.starts_with(['/', '@', '%']) || text.starts_with("vsock") {
        return Ok(None);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let port = text.parse().map_err(|_| wrong())?;
        return Ok(Some((Ipv6Addr::UNSPECIFIED.into(), port)));
    }
    // The interface, after the port or within the brackets.
    let plain = match text.split_once('%') {
        None => text.to_owned(),
        Some((before, after)) => {
            let rest = after.find(']').and_then(|bracket| after.get(bracket..));
            format!("{before}{}", rest.unwrap_or_default())
        }
    };
    match plain.parse::<SocketAddr>() {
        Ok(address) => Ok(Some((address.ip(), address.port()))),
        Err(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn how_far() {
        for (address, expected) in [
            ("0.0.0.0", Reach::Any),
            ("::", Reach::Any),
            ("::ffff:0.0.0.0", Reach::Any),
            ("127.8.9.1", Reach::Loopback),
            ("::1", Reach::Loopback),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("169.254.1.1", Reach::LinkLocal),
            ("fe80::1", Reach::LinkLocal),
            ("192.0.2.1", Reach::Specific),
            ("2001:db8::1", Reach::Specific),
            ("224.0.0.251", Reach::Specific),
        ] {
            assert_eq!(reach(ip(address)), expected, "{address}");
        }
        assert!(takes_ipv4(ip("::"), Some(false)));
        assert!(!takes_ipv4(ip("::"), Some(true)));
        assert!(!takes_ipv4(ip("::1"), Some(false)));
        assert!(takes_ipv4(ip("0.0.0.0"), None));
    }

    #[test]
    fn systemds_addresses() {
        assert_eq!(parse("22"), Ok(Some((ip("::"), 22))));
        assert_eq!(parse("0.0.0.0:80"), Ok(Some((ip("0.0.0.0"), 80))));
        assert_eq!(parse("[::1]:631"), Ok(Some((ip("::1"), 631))));
        assert_eq!(parse("[fe80::1]:53%eth0"), Ok(Some((ip("fe80::1"), 53))));
        assert_eq!(parse("[fe80::1%eth0]:53"), Ok(Some((ip("fe80::1"), 53))));
        assert_eq!(parse("127.0.0.53:53%lo"), Ok(Some((ip("127.0.0.53"), 53))));
        assert_eq!(parse("/run/x.sock"), Ok(None));
        assert_eq!(parse("@name"), Ok(None));
        assert_eq!(parse("vsock:2:1234"), Ok(None));
        for wrong in ["", "70000", "localhost:80", "1.2.3:4", "[::1]"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[0-9a-f:.%/@\\[\\]]{0,30}") {
            let _ = parse(&text);
        }
    }
}

//! A connection to a port of this host, with a moment by which all must be over.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use probes::reading::Unread;
use sysinfo::{NetworkData, Networks};

use super::deadline::Deadline;
use super::failed;

/// How long one server may take in all.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Connection<'a> {
    stream: TcpStream,
    place: &'a str,
    until: Instant,
}

impl<'a> Connection<'a> {
    /// Dials `address`, which must be one of this host's. `Ok(None)`: nothing listens there.
    pub(super) fn dial(address: SocketAddr, place: &'a str, deadline: &Deadline) -> Result<Option<Self>, Unread> {
        if !is_own(address.ip()) {
            return Err(failed(place, "not an address of this host, so not dialled"));
        }
        let until = Instant::now() + PATIENCE.min(deadline.left());
        match TcpStream::connect_timeout(&address, left(until, place)?) {
            Ok(stream) => Ok(Some(Self { stream, place, until })),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(unread(place, &error)),
        }
    }

    /// Sends all of `bytes`.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Unread> {
        let left = left(self.until, self.place)?;
        let sent = self.stream.set_write_timeout(Some(left));
        let sent = sent.and_then(|()| self.stream.write_all(bytes));
        sent.map_err(|error| unread(self.place, &error))
    }

    /// Waits for bytes; at least one.
    pub(super) fn receive<'b>(&mut self, into: &'b mut [u8]) -> Result<&'b mut [u8], Unread> {
        loop {
            let left = left(self.until, self.place)?;
            let read = self.stream.set_read_timeout(Some(left));
            match read.and_then(|()| self.stream.read(into)) {
                Ok(0) => return Err(failed(self.place, "closed by the server during the handshake")),
                Ok(count) => return Ok(into.get_mut(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unread(self.place, &error)),
            }
        }
    }
}

/// Of this machine: the agent dials nobody else, whatever a probe asks.
fn is_own(address: IpAddr) -> bool {
    let among = |networks: Networks| {
        let mut addresses = networks.values().flat_map(NetworkData::ip_networks);
        addresses.any(|network| network.addr == address)
    };
    address.is_loopback() || Networks::new_with_refreshed_list().is_ok_and(among)
}

/// What is left of the time, never zero.
fn left(until: Instant, place: &str) -> Result<Duration, Unread> {
    let left = until.saturating_duration_since(Instant::now());
    if left < Duration::from_millis(1) {
        return Err(over(place));
    }
    Ok(left)
}

fn over(place: &str) -> Unread {
    Unread::Timeout {
        place: place.to_owned(),
        millis: 1_000,
    }
}

fn unread(place: &str, error: &std::io::Error) -> Unread {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => over(place),
        ErrorKind::PermissionDenied => Unread::Denied {
            place: place.to_owned(),
        },
        _ => {
            let text = error.to_string();
            failed(place, text.split(" (os error").next().unwrap_or(&text).to_lowercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_is_its_own() {
        assert!(is_own("127.0.0.1".parse().unwrap()) && is_own("::1".parse().unwrap()));
        assert!(!is_own("192.0.2.1".parse().unwrap()));
    }
}

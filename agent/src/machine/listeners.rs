//! Sockets that others can reach, as the kernel tells them to everybody (sock_diag(7)).

use probes::reading::{Listener, Unread};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::deadline::Deadline;
use super::sock_diag::{AnswerError, Progress, Question};
use super::{failed, reason};

/// As the source is noted.
const PLACE: &str = "netlink:sock_diag";
/// The kernel fills at most 32 KiB at once (`NLMSG_GOODSIZE` and `netlink_dump`).
const BUFFER: usize = 64 * 1024;
/// More are not listed: somebody makes sockets in order to be in the way.
const MAX_LISTENERS: usize = 200_000;
/// How often the same question is asked if the table changes meanwhile.
const ATTEMPTS: u32 = 5;

/// All listening TCP and unconnected UDP sockets of this network namespace, sorted.
pub(super) fn listeners(deadline: &Deadline) -> Result<Vec<Listener>, Unread> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )
    .map_err(refused)?;
    let mut buffer = vec![0; BUFFER];
    let mut found = Vec::new();
    let mut sequence = 0;
    for question in Question::ALL {
        let before = found.len();
        let mut answered = false;
        for _ in 0..ATTEMPTS {
            sequence += 1;
            found.truncate(before);
            answered = ask(&socket, question, sequence, &mut buffer, &mut found, deadline)?;
            if answered {
                break;
            }
        }
        if !answered {
            return Err(failed(PLACE, "the table of sockets kept changing while it was read"));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether the answer came whole.
fn ask(
    socket: &OwnedFd,
    question: Question,
    sequence: u32,
    buffer: &mut [u8],
    found: &mut Vec<Listener>,
    deadline: &Deadline,
) -> Result<bool, Unread> {
    let kernel = SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(socket, &question.encode(sequence), SendFlags::empty(), &kernel).map_err(refused)?;
    loop {
        wait(socket, deadline)?;
        let (length, sender) = match rustix::net::recvfrom(socket, &mut *buffer, RecvFlags::TRUNC | RecvFlags::DONTWAIT)
        {
            Ok((_, length, sender)) => (length, sender),
            Err(Errno::INTR | Errno::AGAIN) => continue,
            // The kernel had no room for a part of its answer.
            Err(Errno::NOBUFS) => return Ok(false),
            Err(errno) => return Err(refused(errno)),
        };
        let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
        if sender.is_none_or(|sender| sender.pid() != 0) {
            continue;
        }
        let datagram = buffer
            .get(..length)
            .ok_or_else(|| failed(PLACE, "an answer larger than 64 KiB"))?;
        match question.decode(sequence, datagram, found) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => return Ok(true),
            Ok(Progress::Again) => return Ok(false),
            Err(AnswerError::Refused(errno)) => return Err(refused(errno)),
            Err(error @ AnswerError::Malformed(_)) => {
                return Err(Unread::Malformed {
                    place: PLACE.to_owned(),
                    reason: error.to_string(),
                });
            }
        }
        if found.len() > MAX_LISTENERS {
            return Err(failed(PLACE, format!("more than {MAX_LISTENERS} sockets")));
        }
    }
}

fn wait(socket: &OwnedFd, deadline: &Deadline) -> Result<(), Unread> {
    loop {
        deadline.check(PLACE)?;
        let left = Timespec::try_from(deadline.left()).ok();
        match rustix::event::poll(&mut [PollFd::new(socket, PollFlags::IN)], left.as_ref()) {
            Ok(0) => return Err(deadline.over(PLACE)),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
}

fn refused(errno: Errno) -> Unread {
    match errno {
        Errno::ACCESS | Errno::PERM => Unread::Denied {
            place: PLACE.to_owned(),
        },
        Errno::NOENT | Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT => failed(
            PLACE,
            "this kernel has no sock_diag for TCP or UDP (modules tcp_diag, udp_diag)",
        ),
        other => failed(PLACE, reason(other)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use probes::reading::Protocol;

    use super::*;

    #[test]
    fn own_sockets_are_found_and_connections_are_not() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("[::1]:0").unwrap();
        let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
        connected.connect("127.0.0.1:9").unwrap();
        let stream = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let all = listeners(&Deadline::within(5_000)).unwrap();
        let find = |protocol, address: std::net::SocketAddr| {
            let mine = all
                .iter()
                .filter(|one| one.protocol == protocol && one.port == address.port());
            mine.filter(|one| one.address == address.ip()).count()
        };
        assert_eq!(find(Protocol::Tcp, tcp.local_addr().unwrap()), 1);
        assert_eq!(find(Protocol::Udp, udp.local_addr().unwrap()), 1);
        assert_eq!(find(Protocol::Udp, connected.local_addr().unwrap()), 0);
        assert_eq!(find(Protocol::Tcp, stream.local_addr().unwrap()), 0);
        assert!(all.is_sorted());
    }

    #[test]
    fn no_time_is_a_timeout() {
        assert!(matches!(listeners(&Deadline::within(0)), Err(Unread::Timeout { .. })));
    }
}

//! Questions about sockets and their answers, as bytes (netlink(7), sock_diag(7), `linux/inet_diag.h`).
//!
//! No I/O. Numbers are in the machine's byte order but ports and addresses, which are in the network's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use probes::reading::{Listener, Protocol};
use rustix::io::Errno;
use thiserror::Error;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// `struct inet_diag_msg`.
const MESSAGE: usize = 72;
/// `struct inet_diag_req_v2`.
const REQUEST: usize = 56;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const INET_DIAG_SKV6ONLY: u16 = 11;
const INET_DIAG_CGROUP_ID: u16 = 21;
/// States of a socket (`net/tcp_states.h`); UDP uses `CLOSE` for bound and not connected.
const TCP_CLOSE: u8 = 7;
const TCP_LISTEN: u8 = 10;

/// One question: a family and a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    /// IPv6; else IPv4.
    pub(super) v6: bool,
    pub(super) protocol: Protocol,
}

/// How an answer went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// More is to come.
    More,
    /// It is complete.
    Done,
    /// The kernel lost a part, or the table changed under it: ask again.
    Again,
}

/// An answer that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum AnswerError {
    /// The kernel refused.
    #[error("the kernel refused the question")]
    Refused(Errno),
    /// It is not of the form that `linux/inet_diag.h` gives.
    #[error("malformed answer of the kernel: {0}")]
    Malformed(&'static str),
}

impl Question {
    /// All there are.
    pub(super) const ALL: [Self; 4] = [
        Self::new(false, Protocol::Tcp),
        Self::new(true, Protocol::Tcp),
        Self::new(false, Protocol::Udp),
        Self::new(true, Protocol::Udp),
    ];

    const fn new(v6: bool, protocol: Protocol) -> Self {
        Self { v6, protocol }
    }

    const fn family(self) -> u8 {
        if self.v6 { AF_INET6 } else { AF_INET }
    }

    const fn state(self) -> u8 {
        match self.protocol {
            Protocol::Tcp => TCP_LISTEN,
            Protocol::Udp => TCP_CLOSE,
        }
    }

    /// The message that asks it.
    pub(super) fn encode(self, sequence: u32) -> Vec<u8> {
        // IPPROTO_TCP and IPPROTO_UDP.
        let protocol = match self.protocol {
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
        };
        let mut bytes = Vec::with_capacity(HEADER + REQUEST);
        bytes.extend(72_u32.to_ne_bytes());
        bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        // No extension is asked for: those that are used come unasked.
        bytes.extend([self.family(), protocol, 0, 0]);
        bytes.extend((1_u32 << self.state()).to_ne_bytes());
        // struct inet_diag_sockid: any.
        bytes.resize(HEADER + REQUEST, 0);
        bytes
    }

    /// Takes one datagram of the answer apart.
    pub(super) fn decode(
        self,
        sequence: u32,
        datagram: &[u8],
        found: &mut Vec<Listener>,
    ) -> Result<Progress, AnswerError> {
        let mut rest = datagram;
        while !rest.is_empty() {
            let (Some(length), Some(kind), Some(flags), Some(number)) =
                (u32_at(rest, 0), u16_at(rest, 4), u16_at(rest, 6), u32_at(rest, 8))
            else {
                return Err(AnswerError::Malformed("a header that is cut off"));
            };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let message = rest.get(HEADER..length).ok_or(AnswerError::Malformed(
                "a message that is shorter than its header or longer than what came",
            ))?;
            rest = rest.get(aligned(length)..).unwrap_or_default();
            if number != sequence {
                // What is left of an earlier question.
                continue;
            }
            if flags & NLM_F_DUMP_INTR != 0 {
                return Ok(Progress::Again);
            }
            match kind {
                NLMSG_DONE => return ended(message).map(|()| Progress::Done),
                NLMSG_ERROR => {
                    ended(message)?;
                    return Err(AnswerError::Malformed("an acknowledgement where an answer is due"));
                }
                NLMSG_OVERRUN => return Ok(Progress::Again),
                SOCK_DIAG_BY_FAMILY => found.extend(self.socket(message)?),
                _ => {}
            }
        }
        Ok(Progress::More)
    }

    /// One socket; `None` if it is of another family or state than was asked for (older kernels do not filter UDP).
    fn socket(self, message: &[u8]) -> Result<Option<Listener>, AnswerError> {
        let (fixed, mut attributes) = message
            .split_at_checked(MESSAGE)
            .ok_or(AnswerError::Malformed("a socket that is cut off"))?;
        let cut = || AnswerError::Malformed("a socket that is cut off");
        if fixed.first() != Some(&self.family()) || fixed.get(1) != Some(&self.state()) {
            return Ok(None);
        }
        let port: [u8; 2] = array_at(fixed, 4).ok_or_else(cut)?;
        let address = if self.v6 {
            IpAddr::V6(Ipv6Addr::from(array_at::<16>(fixed, 8).ok_or_else(cut)?))
        } else {
            IpAddr::V4(Ipv4Addr::from(array_at::<4>(fixed, 8).ok_or_else(cut)?))
        };
        let mut listener = Listener {
            protocol: self.protocol,
            address,
            port: u16::from_be_bytes(port),
            interface: u32_at(fixed, 40).ok_or_else(cut)?,
            v6_only: None,
            uid: u32_at(fixed, 64).ok_or_else(cut)?,
            inode: u32_at(fixed, 68).ok_or_else(cut)?.into(),
            cgroup: None,
        };
        // struct rtattr: length with itself, type.
        while let (Some(length), Some(kind)) = (u16_at(attributes, 0), u16_at(attributes, 2)) {
            let value = attributes
                .get(4..length.into())
                .ok_or(AnswerError::Malformed("an attribute that is cut off"))?;
            match kind {
                INET_DIAG_SKV6ONLY if self.v6 => listener.v6_only = value.first().map(|only| *only != 0),
                INET_DIAG_CGROUP_ID => listener.cgroup = array_at(value, 0).map(u64::from_ne_bytes),
                _ => {}
            }
            attributes = attributes.get(aligned(length.into())..).unwrap_or_default();
        }
        Ok(Some(listener))
    }
}

/// The number that `NLMSG_DONE` and `NLMSG_ERROR` carry: zero, or an error made negative.
fn ended(message: &[u8]) -> Result<(), AnswerError> {
    match array_at(message, 0).map(i32::from_ne_bytes) {
        None | Some(0..) => Ok(()),
        Some(error) => Err(AnswerError::Refused(Errno::from_raw_os_error(error.saturating_neg()))),
    }
}

const fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TCP6: Question = Question::ALL[1];

    fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(HEADER + body.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes
    }

    fn socket(state: u8) -> Vec<u8> {
        let mut body = vec![AF_INET6, state, 0, 0, 0x1f, 0x90, 0, 0];
        body.extend(Ipv6Addr::LOCALHOST.octets());
        body.extend([0; 16]);
        body.extend(3_u32.to_ne_bytes());
        body.extend([0; 20]);
        body.extend(1000_u32.to_ne_bytes());
        body.extend(4711_u32.to_ne_bytes());
        body.extend([5, 0, 11, 0, 1, 0, 0, 0]);
        body.extend([12, 0, 21, 0]);
        body.extend(99_u64.to_ne_bytes());
        body
    }

    #[test]
    fn an_answer_of_several_messages() {
        let mut answer = message(SOCK_DIAG_BY_FAMILY, 2, 7, &socket(TCP_LISTEN));
        answer.extend(message(SOCK_DIAG_BY_FAMILY, 2, 7, &socket(TCP_CLOSE)));
        answer.extend(message(SOCK_DIAG_BY_FAMILY, 2, 6, &socket(TCP_LISTEN)));
        let mut found = vec![];
        assert_eq!(TCP6.decode(7, &answer, &mut found), Ok(Progress::More));
        let expected = Listener {
            protocol: Protocol::Tcp,
            address: Ipv6Addr::LOCALHOST.into(),
            port: 8080,
            interface: 3,
            v6_only: Some(true),
            uid: 1000,
            inode: 4711,
            cgroup: Some(99),
        };
        assert_eq!(found, [expected]);
        let done = message(NLMSG_DONE, 2, 7, &0_i32.to_ne_bytes());
        assert_eq!(TCP6.decode(7, &done, &mut found), Ok(Progress::Done));
    }

    #[test]
    fn refused_interrupted_and_overrun() {
        let decode = |bytes: &[u8]| TCP6.decode(7, bytes, &mut vec![]);
        let refused = message(NLMSG_ERROR, 0, 7, &(-13_i32).to_ne_bytes());
        assert_eq!(decode(&refused), Err(AnswerError::Refused(Errno::ACCESS)));
        // A dump that failed midway says so in its end.
        let failed = message(NLMSG_DONE, 2, 7, &(-12_i32).to_ne_bytes());
        assert_eq!(decode(&failed), Err(AnswerError::Refused(Errno::NOMEM)));
        let interrupted = message(SOCK_DIAG_BY_FAMILY, 2 | NLM_F_DUMP_INTR, 7, &socket(TCP_LISTEN));
        assert_eq!(decode(&interrupted), Ok(Progress::Again));
        assert_eq!(decode(&message(NLMSG_OVERRUN, 0, 7, &[])), Ok(Progress::Again));
    }

    #[test]
    fn what_is_cut_off_is_an_error_and_no_socket() {
        let whole = message(SOCK_DIAG_BY_FAMILY, 2, 7, &socket(TCP_LISTEN));
        for length in 1..whole.len() {
            let mut found = vec![];
            assert!(TCP6.decode(7, &whole[..length], &mut found).is_err(), "{length}");
            assert_eq!(found, []);
        }
        let short = message(SOCK_DIAG_BY_FAMILY, 2, 7, &[0; MESSAGE - 1]);
        assert!(TCP6.decode(7, &short, &mut vec![]).is_err());
        // A length of zero must not hold the loop.
        assert!(TCP6.decode(7, &[0; 64], &mut vec![]).is_err());
    }

    proptest! {
        #[test]
        fn any_datagram_ends(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = TCP6.decode(7, &bytes, &mut vec![]);
        }

        #[test]
        fn any_damage_ends(at in 0_usize..100, byte: u8, length in 0_usize..120) {
            let mut bytes = message(SOCK_DIAG_BY_FAMILY, 2, 7, &socket(TCP_LISTEN));
            bytes[at] = byte;
            bytes.truncate(length);
            let _ = TCP6.decode(7, &bytes, &mut vec![]);
        }
    }
}

//! The kernel's answers about sockets against ss(8), with hundreds of sockets in a network namespace of the test's own.
//!
//! Needs root and the packages iproute2 and util-linux.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use affiant_agent::machine::{Deadline, Machine};
use probes::reading::{Host as _, Listener, Protocol};
use probes::{Budget, Cadence, Privilege, Spec};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType};

/// Set in the namespace.
const INSIDE: &str = "AFFIANT_TEST_NAMESPACE";

static SPEC: Spec = Spec {
    id: "test",
    version: 1,
    title: "",
    reads: &[],
    runs: &[],
    privilege: Privilege::None,
    cadence: Cadence::EveryRound,
    watch: &[],
    budget: Budget {
        millis: 10_000,
        bytes: 0,
    },
    does_not_show: &[],
};

fn run(package: &str, program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install it: apt-get install {package}"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn sockets_are_as_ss_shows_them() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let own = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["--net", "--"])
        .arg(own)
        .args(["--exact", "sockets_are_as_ss_shows_them", "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("apt-get install util-linux");
    assert!(status.success());
}

/// A reproducible mixture.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn inside() {
    for args in ["link set lo up", "link add d0 type bridge", "link set d0 up"] {
        run("iproute2", "ip", &args.split(' ').collect::<Vec<_>>());
    }
    for args in [
        "addr add 192.0.2.7/24 dev d0",
        "-6 addr add 2001:db8::7/64 dev d0 nodad",
        "-6 addr add fe80::7/64 dev d0 nodad",
    ] {
        run("iproute2", "ip", &args.split(' ').collect::<Vec<_>>());
    }
    let index: u32 = std::fs::read_to_string("/sys/class/net/d0/ifindex")
        .map_or_else(|_| index_by_ip(), |text| text.trim().parse().unwrap());
    let mut dice = Dice(7);
    let sockets: Vec<OwnedFd> = (0..900).filter_map(|_| socket(&mut dice, index)).collect();
    assert!(sockets.len() > 600, "{}", sockets.len());
    let found = Machine::own()
        .host(&SPEC, Deadline::within(10_000))
        .listeners()
        .unwrap();
    let expected = by_ss(&names());
    assert_eq!(found.len(), expected.len());
    let found: BTreeSet<_> = found.iter().map(shown).collect();
    assert_eq!(
        found.symmetric_difference(&expected).collect::<Vec<_>>(),
        Vec::<&Shown>::new()
    );
    assert!(found.iter().any(|one| one.interface == index));
    println!("{} sockets compared with ss", expected.len());
}

fn index_by_ip() -> u32 {
    let text = run("iproute2", "ip", &["-o", "link", "show", "d0"]);
    text.split(':').next().unwrap().parse().unwrap()
}

fn names() -> BTreeMap<String, u32> {
    let text = run("iproute2", "ip", &["-o", "link"]);
    let pairs = text.lines().map(|line| {
        let mut parts = line.split(": ");
        let index = parts.next().unwrap().parse().unwrap();
        (parts.next().unwrap().to_owned(), index)
    });
    pairs.collect()
}

/// A socket somewhere: most of the places that there are, TCP and UDP, with and without IPV6_V6ONLY, some connected.
fn socket(dice: &mut Dice, index: u32) -> Option<OwnedFd> {
    let addresses: [IpAddr; 8] = [
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::new(127, 3, 2, 1).into(),
        Ipv4Addr::new(192, 0, 2, 7).into(),
        Ipv6Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
        "2001:db8::7".parse::<Ipv6Addr>().unwrap().into(),
        "fe80::7".parse::<Ipv6Addr>().unwrap().into(),
    ];
    let address = addresses[usize::try_from(dice.below(8)).unwrap()];
    let port = u16::try_from(dice.below(65_535)).unwrap() + 1;
    let (tcp, only, connect) = (dice.below(2) == 0, dice.below(2) == 0, dice.below(5) == 0);
    let family = if address.is_ipv6() {
        AddressFamily::INET6
    } else {
        AddressFamily::INET
    };
    let kind = if tcp { SocketType::STREAM } else { SocketType::DGRAM };
    let socket = rustix::net::socket(family, kind, None).unwrap();
    let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let place = match address {
        IpAddr::V6(v6) => {
            rustix::net::sockopt::set_ipv6_v6only(&socket, only).unwrap();
            SocketAddrV6::new(v6, port, 0, if link_local { index } else { 0 }).into()
        }
        IpAddr::V4(_) => SocketAddr::new(address, port),
    };
    // A port that is taken.
    rustix::net::bind(&socket, &place).ok()?;
    if tcp {
        rustix::net::listen(&socket, 5).unwrap();
    } else if connect && !link_local {
        let peer: SocketAddr = if address.is_ipv6() { "[::1]:9" } else { "127.0.0.1:9" }
            .parse()
            .unwrap();
        let _ = rustix::net::connect(&socket, &peer);
    }
    Some(socket)
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    protocol: Protocol,
    address: IpAddr,
    port: u16,
    interface: u32,
    v6_only: Option<bool>,
    uid: u32,
    inode: u64,
    cgroup: Option<u64>,
}

fn shown(one: &Listener) -> Shown {
    Shown {
        protocol: one.protocol,
        address: one.address,
        port: one.port,
        interface: one.interface,
        v6_only: one.v6_only,
        uid: one.uid,
        inode: one.inode,
        cgroup: one.cgroup,
    }
}

/// Lines as `tcp LISTEN 0 5 [fe80::7]%d0:80 *:* uid:1 ino:2 sk:3 cgroup:/x v6only:1 <->`.
fn by_ss(interfaces: &BTreeMap<String, u32>) -> BTreeSet<Shown> {
    let text = run("iproute2", "ss", &["-Hltune"]);
    let unified = "/sys/fs/cgroup/cgroup.controllers";
    let cgroups = if std::fs::exists(unified).unwrap() {
        "/sys/fs/cgroup"
    } else {
        "/sys/fs/cgroup/unified"
    };
    let line = |line: &str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let field = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix(':'));
        let (place, port) = words[4].rsplit_once(':').unwrap();
        let (address, interface) = place.split_once('%').unwrap_or((place, ""));
        // `*` is `::` that takes IPv4 too.
        let address = if address == "*" {
            "::"
        } else {
            address.trim_matches(['[', ']'])
        };
        let address: IpAddr = address.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        let cgroup = field("cgroup").map(|path| std::fs::metadata(format!("{cgroups}{path}")).unwrap().ino());
        Shown {
            protocol: if words[0] == "tcp" {
                Protocol::Tcp
            } else {
                Protocol::Udp
            },
            address,
            port: port.parse().unwrap(),
            interface: if interface.is_empty() {
                0
            } else {
                interfaces[interface.trim_end_matches(']')]
            },
            v6_only: address.is_ipv6().then(|| field("v6only") == Some("1")),
            uid: field("uid").map_or(0, |uid| uid.parse().unwrap()),
            inode: field("ino").unwrap().parse().unwrap(),
            cgroup,
        }
    };
    text.lines().map(line).collect()
}

//! Connections made up so that `sshd -T -C` tells what a `Match` block does.
//!
//! The first block that is met and sets a keyword wins. So whatever connection there is, each of its settings has the
//! value that it has without blocks, or that one of the blocks gives to it. It is enough, then, to see every block
//! once through a connection that meets it and meets no block before it which others that meet it would not meet too.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::config::{Block, Criterion};
use super::patterns::{address_samples, matches_address, matches_list, samples};
use crate::accounts::{group, passwd};

/// Samples tried for one criterion.
const MAX_SAMPLES: usize = 12;
/// Connections tried for one block.
const MAX_TRIES: usize = 2_000;

/// A user name that no account has; whether one exists matters to `Match Group` only.
const NOBODY: &str = "affiant-no-such-user";
/// A name that resolves nowhere (RFC 6761).
const NOWHERE: &str = "affiant.invalid";
/// Addresses for documentation (RFC 5737, RFC 3849) and, should rules match those, one of benchmark tests (RFC 2544).
const ADDRESSES: [&str; 5] = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "198.18.0.1"];

/// A connection, as `sshd -C` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connection {
    user: String,
    host: String,
    address: IpAddr,
    local_address: IpAddr,
    local_port: u16,
    routing_domain: Option<String>,
}

impl Connection {
    /// One that should meet nothing but `all` and patterns that everything meets.
    pub(super) fn neutral() -> Self {
        Self {
            user: NOBODY.to_owned(),
            host: NOWHERE.to_owned(),
            address: IpAddr::from([192, 0, 2, 1]),
            local_address: IpAddr::from([192, 0, 2, 2]),
            local_port: 22,
            routing_domain: None,
        }
    }

    /// The argument of `sshd -C`.
    pub(super) fn argument(&self) -> String {
        let Self {
            user,
            host,
            address,
            local_address,
            local_port,
            ..
        } = self;
        let mut argument = format!("user={user},host={host},addr={address},laddr={local_address},lport={local_port}");
        if let Some(domain) = &self.routing_domain {
            argument.push_str(",rdomain=");
            argument.push_str(domain);
        }
        argument
    }
}

/// Who is a member of which group, by the files under `/etc`.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Groups by user, both by name.
    groups: BTreeMap<String, BTreeSet<String>>,
}

impl Members {
    pub(super) fn new(users: &[passwd::Entry], groups: &[group::Entry]) -> Self {
        let mut names: BTreeMap<u32, &str> = BTreeMap::new();
        let mut groups_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for group in groups {
            names.entry(group.gid).or_insert(&group.name);
            for member in &group.members {
                groups_of.entry(member.clone()).or_default().insert(group.name.clone());
            }
        }
        for user in users {
            let own = names.get(&user.gid).map(|name| (*name).to_owned());
            groups_of.entry(user.name.clone()).or_default().extend(own);
        }
        Self { groups: groups_of }
    }

    /// As `ga_match_pattern_list` of OpenSSH: a group that is negated refuses at once.
    fn meets(&self, user: &str, list: &str) -> bool {
        let Some(own) = self.groups.get(user) else { return false };
        let refused = |group: &String| {
            let mut negated = list.split(',').filter_map(|entry| entry.strip_prefix('!'));
            negated.any(|entry| matches_list(group, entry))
        };
        own.iter().any(|group| matches_list(group, list)) && !own.iter().any(refused)
    }

    fn users(&self) -> impl Iterator<Item = &String> {
        self.groups.keys()
    }
}

/// A connection that meets `blocks[wanted]`, or why none was found.
pub(super) fn meeting(blocks: &[Block], wanted: usize, members: &Members) -> Result<Connection, String> {
    let Some(block) = blocks.get(wanted) else {
        return Err("there is no such block".to_owned());
    };
    let kinds = [
        "user",
        "group",
        "host",
        "address",
        "localaddress",
        "localport",
        "rdomain",
        "all",
    ];
    if let Some(other) = block
        .criteria
        .iter()
        .find(|criterion| !kinds.contains(&criterion.kind.as_str()))
    {
        return Err(format!("a criterion {:?} cannot be put into a connection", other.kind));
    }
    let before = blocks.get(..wanted).unwrap_or_default();
    // Met by every connection that meets the wanted block, if all of its criteria are the wanted block's too.
    let implied = |earlier: &Block| {
        let mut needed = earlier.criteria.iter().filter(|criterion| criterion.kind != "all");
        needed.all(|criterion| block.criteria.contains(criterion))
    };
    let rivals: Vec<&Block> = before.iter().filter(|earlier| !implied(earlier)).collect();
    let mut rival = None;
    let mut met = false;
    for connection in candidates(block, members).take(MAX_TRIES) {
        if !meets(&connection, &block.criteria, members) {
            continue;
        }
        met = true;
        match rivals
            .iter()
            .find(|earlier| may_meet(&connection, &earlier.criteria, members))
        {
            None => return Ok(connection),
            Some(earlier) => rival = rival.or(Some(*earlier)),
        }
    }
    match rival {
        Some(earlier) if met => Err(format!(
            "every connection found for it meets the block at {}:{} too, which comes first",
            earlier.path, earlier.line
        )),
        _ => Err("no connection was found that meets it".to_owned()),
    }
}

fn candidates<'a>(block: &'a Block, members: &'a Members) -> impl Iterator<Item = Connection> + 'a {
    let of = |kind: &str| {
        block
            .criteria
            .iter()
            .filter(move |criterion| criterion.kind == kind)
            .collect::<Vec<_>>()
    };
    let mut users: Vec<String> = vec![];
    for criterion in of("user") {
        users.extend(samples(&criterion.patterns, MAX_SAMPLES));
        users.extend(
            members
                .users()
                .filter(|user| matches_list(user, &criterion.patterns))
                .take(MAX_SAMPLES)
                .cloned(),
        );
    }
    for criterion in of("group") {
        users.extend(
            members
                .users()
                .filter(|user| members.meets(user, &criterion.patterns))
                .take(MAX_SAMPLES)
                .cloned(),
        );
    }
    let mut hosts: Vec<String> = vec![];
    for criterion in of("host") {
        hosts.extend(samples(&criterion.patterns.to_ascii_lowercase(), MAX_SAMPLES));
    }
    let addresses = |kind: &str| -> Vec<IpAddr> {
        let own = of(kind)
            .into_iter()
            .flat_map(|criterion| address_samples(&criterion.patterns, MAX_SAMPLES));
        let others = ADDRESSES.iter().filter_map(|address| address.parse().ok());
        own.chain(others).collect()
    };
    let (remote, local) = (addresses("address"), addresses("localaddress"));
    let ports: Vec<u16> = of("localport")
        .iter()
        .filter_map(|criterion| criterion.patterns.parse().ok())
        .collect();
    let domains: Vec<String> = of("rdomain")
        .iter()
        .flat_map(|criterion| samples(&criterion.patterns, MAX_SAMPLES))
        .collect();
    let neutral = Connection::neutral();
    users.push(neutral.user);
    hosts.push(neutral.host);
    // What goes into -C must not hold its separator.
    users.retain(|user| !user.contains(','));
    let port = ports.first().copied().unwrap_or(neutral.local_port);
    let domain = domains.into_iter().find(|domain| !domain.contains(','));
    let count = users.len() * hosts.len() * remote.len() * local.len();
    (0..count).filter_map(move |number| {
        // The users change fastest: they are what most blocks tell apart.
        let (number, user) = (number / users.len(), users.get(number % users.len())?);
        let (number, address) = (number / remote.len(), remote.get(number % remote.len())?);
        let (number, host) = (number / hosts.len(), hosts.get(number % hosts.len())?);
        Some(Connection {
            user: user.clone(),
            host: host.clone(),
            address: *address,
            local_address: *local.get(number)?,
            local_port: port,
            routing_domain: domain.clone(),
        })
    })
}

fn meets(connection: &Connection, criteria: &[Criterion], members: &Members) -> bool {
    criteria
        .iter()
        .all(|criterion| meets_one(connection, criterion, members) == Some(true))
}

/// Whether the criteria are met, or cannot be decided here.
fn may_meet(connection: &Connection, criteria: &[Criterion], members: &Members) -> bool {
    criteria
        .iter()
        .all(|criterion| meets_one(connection, criterion, members) != Some(false))
}

fn meets_one(connection: &Connection, criterion: &Criterion, members: &Members) -> Option<bool> {
    let list = criterion.patterns.as_str();
    Some(match criterion.kind.as_str() {
        "all" => true,
        "user" => matches_list(&connection.user, list),
        "group" => members.meets(&connection.user, list),
        "host" => matches_list(&connection.host, &list.to_ascii_lowercase()),
        "address" => matches_address(connection.address, list),
        "localaddress" => matches_address(connection.local_address, list),
        "localport" => list.parse() == Ok(connection.local_port),
        "rdomain" => connection
            .routing_domain
            .as_ref()
            .is_some_and(|domain| matches_list(domain, list)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(lines: &[&str]) -> Vec<Block> {
        let block = |line: &&str| Block {
            path: "f".into(),
            line: 1,
            text: (*line).to_owned(),
            criteria: line
                .split(';')
                .map(|criterion| {
                    let (kind, patterns) = criterion.split_once(' ').unwrap_or((criterion, ""));
                    Criterion {
                        kind: kind.into(),
                        patterns: patterns.into(),
                    }
                })
                .collect(),
            sets: BTreeSet::new(),
        };
        lines.iter().map(block).collect()
    }

    fn members() -> Members {
        let users =
            passwd::parse(b"alice:x:1000:100::/:/bin/sh\nbob:x:1001:100::/:/bin/sh\ncarol:x:1002:100::/:/bin/sh\n")
                .unwrap()
                .entries;
        let groups = group::parse(b"users:x:100:\nwheel:x:10:alice\nsftp:x:11:alice,bob,carol\n")
            .unwrap()
            .entries;
        Members::new(&users, &groups)
    }

    #[test]
    fn a_connection_meets_its_block_and_none_before() {
        let blocks = blocks(&[
            "address 192.0.2.0/24",
            "user bob",
            "group wheel",
            "group sftp;address 10.0.0.0/8,!10.0.0.1",
            "host *.example.com;user a*",
            "localport 2222;localaddress 192.0.2.9",
            "all",
            "user !alice,*",
        ]);
        let members = members();
        for wanted in 0..blocks.len() {
            let connection = meeting(&blocks, wanted, &members).unwrap();
            assert!(meets(&connection, &blocks[wanted].criteria, &members), "{connection:?}");
            for earlier in blocks[..wanted].iter().filter(|block| block.criteria[0].kind != "all") {
                assert!(
                    !meets(&connection, &earlier.criteria, &members),
                    "{connection:?} {}",
                    earlier.text
                );
            }
        }
        let connection = meeting(&blocks, 2, &members).unwrap();
        assert_eq!(connection.user, "alice");
    }

    #[test]
    fn what_cannot_be_made_up_is_said() {
        let why = |lines: &[&str], wanted| meeting(&blocks(lines), wanted, &members()).unwrap_err();
        assert!(why(&["invalid-user"], 0).contains("invalid-user"));
        assert!(why(&["group nobody-is-in-it"], 0).contains("no connection was found"));
        assert!(why(&["user !alice"], 0).contains("no connection was found"));
        assert!(why(&["user b*", "user bob"], 1).contains("comes first"));
        assert!(why(&["tag x", "user bob"], 1).contains("comes first"));
        assert!(meeting(&blocks(&["user bob", "user bob;address 10.0.0.0/8"]), 1, &members()).is_ok());
    }
}

//! Patterns of `Match` criteria, matched as sshd does (`match.c` and `addrmatch.c` of OpenSSH; ssh_config(5), PATTERNS).

use std::net::IpAddr;

/// Whether `text` matches a pattern with `*` and `?`. Takes time in proportion to both lengths.
pub(crate) fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut in_pattern) = (0, 0);
    // Where to go on after a `*` that took too few characters.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                star = Some((in_pattern + 1, at));
                in_pattern += 1;
            }
            Some(one) if *one == b'?' || text.get(at) == Some(one) => {
                at += 1;
                in_pattern += 1;
            }
            _ => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (in_pattern, at) = (after, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(in_pattern..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

/// Whether `text` matches a list of patterns with commas between them: one at least, and none that is negated.
pub(super) fn matches_list(text: &str, list: &str) -> bool {
    any_and_no_negated(list, |pattern| matches(text, pattern))
}

/// Whether an address matches a list of addresses, networks in CIDR form and patterns.
pub(super) fn matches_address(address: IpAddr, list: &str) -> bool {
    let text = address.to_string();
    any_and_no_negated(list, |entry| match network(entry) {
        Some((network, length)) => within(address, network, length),
        None => matches(&text, entry),
    })
}

fn any_and_no_negated(list: &str, matches: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    for entry in list.split(',') {
        match entry.strip_prefix('!') {
            Some(entry) if matches(entry) => return false,
            Some(_) => {}
            None => found |= matches(entry),
        }
    }
    found
}

/// An address with or without a prefix length.
pub(super) fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match entry.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (entry, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(whole), |length| length.parse().ok())?;
    (length <= whole).then_some((address, length))
}

fn within(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differ = address.to_bits() ^ network.to_bits();
            differ.checked_shr(32 - length).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differ = address.to_bits() ^ network.to_bits();
            differ.checked_shr(128 - length).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Texts that may match a list of patterns, at most `limit` of them: the entries that are not negated, with their
/// wildcards filled in.
pub(super) fn samples(list: &str, limit: usize) -> Vec<String> {
    let positive = list
        .split(',')
        .filter(|entry| !entry.is_empty() && !entry.starts_with('!'));
    let filled = positive.flat_map(|entry| {
        let marks = entry.replace('?', "x");
        [
            marks.replace('*', "x"),
            marks.replace('*', ""),
            marks.replace('*', "affiant-sample"),
        ]
    });
    let mut samples: Vec<String> = vec![];
    for sample in filled {
        if samples.len() < limit && !sample.is_empty() && !samples.contains(&sample) {
            samples.push(sample);
        }
    }
    samples
}

/// Addresses that may match a list of addresses, networks and patterns.
pub(super) fn address_samples(list: &str, limit: usize) -> Vec<IpAddr> {
    let positive = list
        .split(',')
        .filter(|entry| !entry.is_empty() && !entry.starts_with('!'));
    let mut samples = vec![];
    for entry in positive {
        let found: Vec<IpAddr> = match network(entry) {
            Some((network, length)) => [after(network, length), Some(network)].into_iter().flatten().collect(),
            None => ["7", "0.7", "0.0.7", "1.0.0.7", "::7", "0:0:7", "2001:db8::7"]
                .iter()
                .filter_map(|fill| entry.replace('?', "7").replace('*', fill).parse().ok())
                .collect(),
        };
        samples.extend(found);
        if samples.len() >= limit {
            break;
        }
    }
    samples.truncate(limit);
    samples
}

/// The first address after that of a network, which as that of a host is more usual; none in networks of one address.
fn after(network: IpAddr, length: u32) -> Option<IpAddr> {
    match network {
        IpAddr::V4(address) if length < 31 => Some(IpAddr::V4((address.to_bits() | 1).into())),
        IpAddr::V6(address) if length < 127 => Some(IpAddr::V6((address.to_bits() | 1).into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern) in [
            ("alice", "a*e"),
            ("alice", "?????"),
            ("", "*"),
            ("a*b", "a*b"),
            ("aab", "*a*b"),
        ] {
            assert!(matches(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("alice", "a?e"), ("", "?"), ("Alice", "alice"), ("ab", "a")] {
            assert!(!matches(text, pattern), "{text} {pattern}");
        }
    }

    #[test]
    fn lists() {
        assert!(matches_list("bob", "alice,bob"));
        assert!(matches_list("bob", "*,!alice"));
        assert!(!matches_list("bob", "*,!b*"));
        assert!(!matches_list("bob", "!alice"));
        let address = "192.0.2.77".parse().unwrap();
        assert!(matches_address(address, "10.0.0.0/8,192.0.2.64/26"));
        assert!(matches_address(address, "192.0.*"));
        assert!(matches_address(address, "0.0.0.0/0,!10.0.0.0/8"));
        assert!(!matches_address(address, "0.0.0.0/0,!192.0.2.77"));
        assert!(!matches_address(address, "::/0"));
    }

    #[test]
    fn samples_match_what_they_are_made_from() {
        for list in ["alice", "a*,!ab", "*", "?ob", "!x,srv-*"] {
            assert!(
                samples(list, 8).iter().any(|sample| matches_list(sample, list)),
                "{list}"
            );
        }
        for list in [
            "10.0.0.0/8",
            "192.0.2.1",
            "10.1.*",
            "2001:db8::/32",
            "192.168.?.*",
            "*",
            "fe80::*",
        ] {
            let samples = address_samples(list, 8);
            assert!(
                samples.iter().any(|sample| matches_address(*sample, list)),
                "{list} {samples:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn as_the_obvious_way_to_match(text in "[ab]{0,8}", pattern in "[ab*?]{0,8}") {
            fn obvious(text: &[u8], pattern: &[u8]) -> bool {
                match pattern {
                    [] => text.is_empty(),
                    [b'*', rest @ ..] => (0..=text.len()).any(|taken| obvious(&text[taken..], rest)),
                    [one, rest @ ..] => !text.is_empty() && (*one == b'?' || *one == text[0]) && obvious(&text[1..], rest),
                }
            }
            prop_assert_eq!(matches(&text, &pattern), obvious(text.as_bytes(), pattern.as_bytes()));
        }

        #[test]
        fn any_list_is_read_without_panic(list in "\\PC{0,60}") {
            let address = IpAddr::from([192, 0, 2, 1]);
            let _ = (matches_list("a", &list), matches_address(address, &list), samples(&list, 8), address_samples(&list, 8));
        }
    }
}

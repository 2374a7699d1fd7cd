//! One line of `pg_hba.conf`: what the server makes of its fields, or why it refuses it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fields::Token;
use crate::database_access::facts::{PgNames, PgReach, PgRule};

/// Options, and the methods that take them; none: each.
const OPTIONS: [(&str, &[&str]); 25] = [
    ("clientcert", &[]),
    ("clientname", &[]),
    ("compat_realm", &["sspi"]),
    ("include_realm", &["gss", "sspi"]),
    ("krb_realm", &["gss", "sspi"]),
    ("ldapbasedn", &["ldap"]),
    ("ldapbinddn", &["ldap"]),
    ("ldapbindpasswd", &["ldap"]),
    ("ldapport", &["ldap"]),
    ("ldapprefix", &["ldap"]),
    ("ldapscheme", &["ldap"]),
    ("ldapsearchattribute", &["ldap"]),
    ("ldapsearchfilter", &["ldap"]),
    ("ldapserver", &["ldap"]),
    ("ldapsuffix", &["ldap"]),
    ("ldaptls", &["ldap"]),
    ("ldapurl", &["ldap"]),
    ("map", &["ident", "peer", "gss", "sspi", "cert", "oauth"]),
    ("pam_use_hostname", &["pam"]),
    ("pamservice", &["pam"]),
    ("radiusidentifiers", &["radius"]),
    ("radiusports", &["radius"]),
    ("radiussecrets", &["radius"]),
    ("radiusservers", &["radius"]),
    ("upn_username", &["sspi"]),
];
const DATABASES: [&str; 5] = ["all", "replication", "samegroup", "samerole", "sameuser"];
const USERS: [&str; 1] = ["all"];
const TYPES: [&str; 6] = ["host", "hostgssenc", "hostnogssenc", "hostnossl", "hostssl", "local"];
const METHODS: [&str; 13] = [
    "cert",
    "gss",
    "ident",
    "ldap",
    "md5",
    "oauth",
    "pam",
    "password",
    "peer",
    "radius",
    "reject",
    "scram-sha-256",
    "trust",
];

/// The rule, without its place. `major` is the server's version.
pub(super) fn parse(fields: &[Vec<Token>], major: u32) -> Result<PgRule, &'static str> {
    let mut fields = fields.iter();
    let connection = single(fields.next(), "no type of connection")?;
    let connection = TYPES
        .into_iter()
        .find(|known| *known == connection.text)
        .ok_or("an unknown type of connection")?;
    let databases = fields.next().ok_or("no databases")?;
    let users = fields.next().ok_or("no users")?;
    let (reach, network) = if connection == "local" {
        (PgReach::Socket, None)
    } else {
        let address = single(fields.next(), "no address")?;
        match address_of(address)? {
            Address::Whole(reach, network) => (reach, network),
            Address::Alone(address) => {
                let mask = numeric(&single(fields.next(), "no mask after an address")?.text).ok_or("a bad mask")?;
                if mask.is_ipv4() != address.is_ipv4() {
                    return Err("a mask of another kind than its address");
                }
                reach_of(address, prefix(mask))
            }
        }
    };
    let written = single(fields.next(), "no method")?.text.as_str();
    let local = connection == "local";
    let method = match METHODS.into_iter().find(|known| *known == written) {
        Some("ident") if local => "peer",
        Some("gss") if local => return Err("gss on a local socket"),
        Some("peer") if !local => return Err("peer elsewhere than on a local socket"),
        Some("cert") if connection != "hostssl" => return Err("cert elsewhere than in a line of hostssl"),
        Some("oauth") if major < 18 => return Err("an unknown method"),
        Some(method) => method,
        None => return Err("an unknown method"),
    };
    let mut rule = PgRule {
        file: String::new(),
        line: 0,
        connection: connection.to_owned(),
        databases: names(databases, &DATABASES, major),
        users: names(users, &USERS, major),
        reach,
        network,
        method: method.to_owned(),
        client_certificate: (method == "cert").then(|| "verify-full".to_owned()),
        ldap_tls: (method == "ldap").then_some(false),
    };
    for option in fields.flatten() {
        let (name, value) = option.text.split_once('=').ok_or("an option without a value")?;
        self::option(&mut rule, name, value, major)?;
    }
    Ok(rule)
}

fn single<'a>(field: Option<&'a Vec<Token>>, missing: &'static str) -> Result<&'a Token, &'static str> {
    match field.map(Vec::as_slice) {
        None | Some([]) => Err(missing),
        Some([one]) => Ok(one),
        Some(_) => Err("a list where one word is expected"),
    }
}

fn option(rule: &mut PgRule, name: &str, value: &str, major: u32) -> Result<(), &'static str> {
    let method = rule.method.as_str();
    match OPTIONS.iter().find(|(known, _)| *known == name) {
        // Options of OAuth have names of their own, which come with each version.
        None if method == "oauth" => return Ok(()),
        None => return Err("an unknown option"),
        Some((_, methods)) if !methods.is_empty() && !methods.contains(&method) => {
            return Err("an option that its method does not have");
        }
        Some(_) => {}
    }
    match name {
        "clientcert" | "clientname" if rule.connection != "hostssl" => Err("an option of hostssl alone"),
        "clientname" if !matches!(value, "CN" | "DN") => Err("a bad value of clientname"),
        "clientcert" => {
            let told = match value {
                "verify-full" => "verify-full",
                "verify-ca" if method == "cert" => return Err("cert without the whole check of certificates"),
                "verify-ca" => "verify-ca",
                "1" if major < 14 => "verify-ca",
                "0" | "no-verify" if major < 14 => return Ok(()),
                _ => return Err("a bad value of clientcert"),
            };
            rule.client_certificate = Some(told.to_owned());
            Ok(())
        }
        "ldaptls" => {
            rule.ldap_tls = Some(rule.ldap_tls == Some(true) || value == "1");
            Ok(())
        }
        "ldapscheme" | "ldapurl" => {
            rule.ldap_tls = Some(rule.ldap_tls == Some(true) || value.starts_with("ldaps"));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Keywords by name, and how many of the others there are.
fn names(tokens: &[Token], keywords: &[&str], major: u32) -> PgNames {
    let mut told = PgNames {
        keywords: vec![],
        named: 0,
        groups: 0,
        patterns: 0,
    };
    let mut found = BTreeSet::new();
    for token in tokens {
        if let Some(keyword) = keywords.iter().find(|keyword| token.is(keyword)) {
            found.insert(*keyword);
        } else if keywords == USERS && !token.quoted && token.text.starts_with('+') {
            told.groups += 1;
        } else if major >= 16 && token.text.starts_with('/') {
            told.patterns += 1;
        } else {
            told.named += 1;
        }
    }
    told.keywords = found.into_iter().map(str::to_owned).collect();
    told
}

enum Address {
    Whole(PgReach, Option<String>),
    /// The next field is its mask.
    Alone(IpAddr),
}

fn address_of(token: &Token) -> Result<Address, &'static str> {
    for (keyword, reach) in [
        ("all", PgReach::All),
        ("samehost", PgReach::SameHost),
        ("samenet", PgReach::SameNet),
    ] {
        if token.is(keyword) {
            return Ok(Address::Whole(reach, None));
        }
    }
    let (text, length) = match token.text.split_once('/') {
        Some((text, length)) => (text, Some(length)),
        None => (token.text.as_str(), None),
    };
    let Some(address) = numeric(text) else {
        return if length.is_some() {
            Err("a host name with a mask")
        } else {
            Ok(Address::Whole(PgReach::Name, None))
        };
    };
    let Some(length) = length else {
        return Ok(Address::Alone(address));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    // As strtol(3) reads a number.
    let length = length.trim_start().parse::<u8>().ok().filter(|length| *length <= most);
    let (reach, network) = reach_of(address, Some(length.ok_or("a bad length of a mask")?));
    Ok(Address::Whole(reach, network))
}

/// An address as getaddrinfo(3) takes it where no name may be: also `10.1`, `0x7f.1`.
fn numeric(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let text = text.split_once('%').map_or(text, |(address, _)| address);
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let (last, first) = parts.split_last()?;
    let number = |text: &str| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(digits, 16).ok(),
        None if !text.bytes().all(|byte| byte.is_ascii_digit()) => None,
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
        None => text.parse().ok(),
        Some(_) => None,
    };
    let mut bits = 0_u32;
    for (at, part) in first.iter().enumerate() {
        let shift = 24_u32.checked_sub(8 * u32::try_from(at).ok()?)?;
        bits |= number(part).filter(|part| *part < 256)? << shift;
    }
    let left = 32_u32
        .checked_sub(8 * u32::try_from(first.len()).ok()?)
        .filter(|left| *left > 0)?;
    let last = number(last).filter(|last| left == 32 || *last < 1 << left)?;
    Some(IpAddr::V4(Ipv4Addr::from(bits | last)))
}

/// The length of a mask; `None` if it is no prefix.
fn prefix(mask: IpAddr) -> Option<u8> {
    let (bits, width) = match mask {
        IpAddr::V4(mask) => (u128::from(u32::from(mask)) << 96, 32),
        IpAddr::V6(mask) => (u128::from(mask), 128),
    };
    let ones = bits.leading_ones();
    u8::try_from(ones)
        .ok()
        .filter(|_| ones == bits.count_ones() && ones <= width)
}

fn reach_of(address: IpAddr, length: Option<u8>) -> (PgReach, Option<String>) {
    let Some(length) = length else {
        return (PgReach::Network, None);
    };
    let single = length == if address.is_ipv4() { 32 } else { 128 };
    let reach = match length {
        0 => PgReach::All,
        _ if address.is_loopback() && (single || (address.is_ipv4() && length >= 8)) => PgReach::Loopback,
        _ if single => PgReach::Host,
        _ => PgReach::Network,
    };
    let told = (reach != PgReach::Host).then(|| format!("{address}/{length}"));
    (reach, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("127.1", Some("127.0.0.1")),
            ("010.0.0.1", Some("8.0.0.1")),
            ("0x7f.1", Some("127.0.0.1")),
            ("1", Some("0.0.0.1")),
            ("1.2.3.4", Some("1.2.3.4")),
            ("1.2.3.256", None),
            ("1.2.3.4.5", None),
            ("::1", Some("::1")),
            ("fe80::1%lo", Some("fe80::1")),
            ("a.example", None),
            ("", None),
            ("1.", None),
            ("0x", None),
        ] {
            let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(numeric(text), expected, "{text}");
        }
        assert_eq!(prefix("255.255.0.0".parse().unwrap()), Some(16));
        assert_eq!(prefix("255.0.255.0".parse().unwrap()), None);
        assert_eq!(prefix("ffff::".parse().unwrap()), Some(16));
    }
}

//! Rules in the form of iptables-save(8).

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Limit, Policy, PortRange};
use super::ruleset::{Base, Condition, Rule, Ruleset, Table, Verdict, ranges};

/// A larger file is malformed.
const MAX_RULES: usize = 100_000;

/// Reads `text` into tables of `family` (`ip` or `ip6`).
pub(super) fn parse(text: &str, family: &str) -> Result<Ruleset, String> {
    let mut ruleset = Ruleset::default();
    let mut table: Option<(String, Table)> = None;
    let mut count = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong = |what: &str| format!("line {}: {what}", index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('*') {
            table = Some((name.to_owned(), Table::default()));
            continue;
        }
        let Some((name, content)) = &mut table else {
            return Err(wrong("outside any table"));
        };
        if line == "COMMIT" {
            ruleset
                .tables
                .insert((family.to_owned(), name.clone()), std::mem::take(content));
            table = None;
            continue;
        }
        if let Some(rest) = line.strip_prefix(':') {
            let mut words = rest.split_ascii_whitespace();
            let (Some(chain), Some(policy)) = (words.next(), words.next()) else {
                return Err(wrong("a chain without a policy"));
            };
            let base = base(name, chain, policy);
            content.chains.entry(chain.to_owned()).or_default().base = base;
            continue;
        }
        // Counters: `[1:60] -A …`.
        let line = match line.strip_prefix('[') {
            Some(rest) => rest.split_once("] ").map(|(_, rule)| rule).unwrap_or_default(),
            None => line,
        };
        let words = words(line).ok_or_else(|| wrong("a quote that does not end"))?;
        let mut words = words.iter().map(String::as_str);
        match words.next() {
            Some("-A" | "--append" | "-I") => {}
            // `-N`, `-P` and the like, which iptables-restore takes too.
            Some(word) if word.starts_with('-') => continue,
            _ => return Err(wrong("neither a chain nor a rule")),
        }
        let chain = words.next().ok_or_else(|| wrong("a rule of no chain"))?;
        count += 1;
        if count > MAX_RULES {
            return Err(wrong("more than 100,000 rules"));
        }
        let (rule, opaque) = rule(words);
        content.opaque |= opaque;
        let chain = content.chains.entry(chain.to_owned()).or_default();
        chain.count += 1;
        chain.rules.push(rule);
    }
    match table {
        Some((name, _)) => Err(format!("the table {name} has no COMMIT")),
        None => Ok(resolved(ruleset)),
    }
}

/// A target that is no chain of the table (LOG, MARK, …) lets the packet go on.
fn resolved(mut ruleset: Ruleset) -> Ruleset {
    for table in ruleset.tables.values_mut() {
        let names: BTreeSet<String> = table.chains.keys().cloned().collect();
        for rule in table.chains.values_mut().flat_map(|chain| &mut chain.rules) {
            if let Some(Verdict::Jump(to) | Verdict::Goto(to)) = &rule.verdict
                && !names.contains(to)
            {
                rule.verdict = None;
            }
        }
    }
    ruleset
}

fn base(table: &str, chain: &str, policy: &str) -> Option<Base> {
    let hook = match chain {
        "INPUT" | "FORWARD" | "OUTPUT" | "PREROUTING" | "POSTROUTING" => chain.to_ascii_lowercase(),
        _ => return None,
    };
    let priority = match (table, chain) {
        ("raw", _) => -300,
        ("mangle", _) => -150,
        ("nat", "POSTROUTING" | "INPUT") => 100,
        ("nat", _) => -100,
        ("security", _) => 50,
        _ => 0,
    };
    let kind = match (table, chain) {
        ("nat", _) => "nat",
        ("mangle", "OUTPUT") => "route",
        _ => "filter",
    };
    Some(Base {
        kind: kind.to_owned(),
        hook,
        priority,
        policy: if policy == "DROP" { Policy::Drop } else { Policy::Accept },
    })
}

/// Words of a line; quotes as iptables-save writes them, with backslashes inside.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut any, mut quoted) = (false, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            '\\' if quoted => word.extend(characters.next()),
            ' ' | '\t' if !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            _ => {
                word.push(character);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    (!quoted).then_some(words)
}

/// A rule, and whether it asks for something that was not understood.
fn rule<'a>(mut words: impl Iterator<Item = &'a str>) -> (Rule, bool) {
    let mut rule = Rule::default();
    let mut inverted = false;
    while let Some(word) = words.next() {
        if word == "!" {
            inverted = true;
            continue;
        }
        let mut next = || words.next().unwrap_or_default();
        let condition = match word {
            "-j" | "--jump" | "-g" | "--goto" => {
                rule.verdict = Some(verdict(word, next()));
                // What follows belongs to the target.
                break;
            }
            "-m" | "--match" => {
                next();
                continue;
            }
            "--comment" | "--limit-burst" | "--rsource" => {
                if word != "--rsource" {
                    next();
                }
                continue;
            }
            "-p" | "--protocol" | "--proto" => protocol(next(), inverted),
            "-s" | "--source" | "--src" | "--src-range" | "--mac-source" => source(next(), inverted),
            "-d" | "--destination" | "--dst" | "--dst-range" => {
                next();
                Some(Condition::Limit(if inverted {
                    Limit::Excepted
                } else {
                    Limit::Destination
                }))
            }
            "-i" | "--in-interface" => {
                let lo = next() == "lo";
                match (lo, inverted) {
                    (true, false) => Some(Condition::Never),
                    // Packets from outside come in by another than loopback.
                    (true, true) => None,
                    (_, true) => Some(Condition::Limit(Limit::Excepted)),
                    _ => Some(Condition::Limit(Limit::Interface)),
                }
            }
            "-o" | "--out-interface" => {
                next();
                Some(Condition::Limit(if inverted {
                    Limit::Excepted
                } else {
                    Limit::Interface
                }))
            }
            "--dport" | "--dports" | "--destination-port" | "--destination-ports" => Some(ports(next(), inverted)),
            "--state" | "--ctstate" => state(next(), inverted),
            "--icmp-type" | "--icmpv6-type" => {
                next();
                None
            }
            "--syn" if !inverted => None,
            "--tcp-flags" => {
                let flags = (next(), next());
                (inverted || flags != ("FIN,SYN,RST,ACK", "SYN")).then_some(Condition::Limit(Limit::Other))
            }
            "--limit" | "--hashlimit-upto" => {
                next();
                Some(Condition::Limit(Limit::Rate))
            }
            "--match-set" => {
                let (_, direction) = (next(), next());
                let source = direction.starts_with("src");
                Some(Condition::Limit(if source {
                    Limit::Source
                } else {
                    Limit::Destination
                }))
            }
            "--dst-type" => match (next(), inverted) {
                ("LOCAL", false) => None,
                _ => Some(Condition::Limit(Limit::Destination)),
            },
            "--sport" | "--sports" | "--source-port" | "--source-ports" | "--hl-eq" | "--ttl-eq" | "--mark"
            | "--uid-owner" | "--gid-owner" | "--src-type" | "--pkt-type" | "--icmp" | "--length" => {
                next();
                Some(Condition::Limit(Limit::Other))
            }
            // Another option's value has been taken above; what is left of unknown options are their values.
            option if option.starts_with('-') => Some(Condition::Limit(Limit::NotUnderstood)),
            _ => None,
        };
        inverted = false;
        rule.conditions.extend(condition);
    }
    let opaque = rule.conditions.contains(&Condition::Limit(Limit::NotUnderstood));
    (rule, opaque)
}

fn verdict(option: &str, target: &str) -> Verdict {
    match target {
        "ACCEPT" => Verdict::Accept,
        "DROP" => Verdict::Drop,
        "REJECT" => Verdict::Reject,
        "RETURN" => Verdict::Return,
        _ if option.starts_with("-g") || option == "--goto" => Verdict::Goto(target.to_owned()),
        _ => Verdict::Jump(target.to_owned()),
    }
}

fn protocol(name: &str, inverted: bool) -> Option<Condition> {
    let name = match name {
        "all" | "0" => return None,
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" | "icmpv6" | "icmp6" => "ipv6-icmp",
        other => other,
    };
    let names = BTreeSet::from([name.to_owned()]);
    Some(if inverted {
        Condition::NotProtocol(names)
    } else {
        Condition::Protocol(names)
    })
}

fn source(address: &str, inverted: bool) -> Option<Condition> {
    match address {
        "0.0.0.0/0" | "::/0" if !inverted => None,
        // Only the host itself has such an address.
        "127.0.0.0/8" | "127.0.0.1/32" | "::1/128" if !inverted => Some(Condition::Never),
        "127.0.0.0/8" | "127.0.0.1/32" | "::1/128" => None,
        _ if inverted => Some(Condition::Limit(Limit::Excepted)),
        _ => Some(Condition::Limit(Limit::Source)),
    }
}

fn ports(list: &str, inverted: bool) -> Condition {
    let number = |text: &str, open: u16| if text.is_empty() { Some(open) } else { text.parse().ok() };
    let range = |text: &str| {
        let (first, last) = text.split_once(':').map_or((text, text), |pair| pair);
        Some(PortRange {
            first: number(first, 0)?,
            last: number(last, u16::MAX)?,
        })
    };
    match list.split(',').map(range).collect::<Option<Vec<_>>>() {
        Some(list) => Condition::Ports(ranges(list, inverted)),
        None => Condition::Limit(Limit::NotUnderstood),
    }
}

fn state(list: &str, inverted: bool) -> Option<Condition> {
    let new = list.split(',').any(|state| matches!(state, "NEW" | "UNTRACKED"));
    (new == inverted).then_some(Condition::Never)
}

/// Tables of one family with those of the other.
pub(super) fn joined(mut one: Ruleset, other: Ruleset) -> Ruleset {
    one.tables.extend::<BTreeMap<_, _>>(other.tables);
    one
}

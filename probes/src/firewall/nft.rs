//! Loaded rules as `nft -j list ruleset` gives them (libnftables-json(5)).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::facts::{Limit, Policy, PortRange};
use super::ruleset::{Base, Condition, Family, Rule, Ruleset, Verdict, ranges};

/// Elements of a set of ports that are looked at.
const MAX_ELEMENTS: usize = 10_000;

/// Named sets and maps by family, table and name.
type Sets<'a> = BTreeMap<(&'a str, &'a str, &'a str), &'a Value>;

/// Reads the document.
pub(super) fn parse(bytes: &[u8]) -> Result<Ruleset, String> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Some(objects) = document.get("nftables").and_then(Value::as_array) else {
        return Err("no list nftables".to_owned());
    };
    let mut sets = Sets::new();
    for object in objects {
        if let Some(set) = object.get("set").or_else(|| object.get("map"))
            && let (Some(key), Some(elements)) = (key(set, "name"), set.get("elem"))
        {
            sets.insert(key, elements);
        }
    }
    let mut ruleset = Ruleset::default();
    for object in objects {
        if let Some(table) = object.get("table") {
            let (family, name) = (text(table, "family"), text(table, "name"));
            let (Some(family), Some(name)) = (family, name) else {
                return Err("a table without family or name".to_owned());
            };
            ruleset.tables.entry((family.to_owned(), name.to_owned())).or_default();
        } else if let Some(chain) = object.get("chain") {
            let (family, table, name) = key(chain, "name").ok_or("a chain without family, table or name")?;
            let table = ruleset.tables.entry((family.to_owned(), table.to_owned())).or_default();
            table.chains.entry(name.to_owned()).or_default().base = base(chain);
        } else if let Some(rule) = object.get("rule") {
            let (family, table, name) = key(rule, "chain").ok_or("a rule without family, table or chain")?;
            let statements = rule
                .get("expr")
                .and_then(Value::as_array)
                .ok_or("a rule without expr")?;
            let reader = Reader {
                sets: &sets,
                place: (family, table),
            };
            let read = reader.rules(statements);
            let table = ruleset.tables.entry((family.to_owned(), table.to_owned())).or_default();
            table.opaque |= read.iter().any(|rule| rule.conditions.contains(&NOT_UNDERSTOOD));
            let chain = table.chains.entry(name.to_owned()).or_default();
            chain.count += 1;
            chain.rules.extend(read);
        }
    }
    Ok(ruleset)
}

const NOT_UNDERSTOOD: Condition = Condition::Limit(Limit::NotUnderstood);

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn key<'a>(object: &'a Value, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    Some((text(object, "family")?, text(object, "table")?, text(object, name)?))
}

fn base(chain: &Value) -> Option<Base> {
    Some(Base {
        kind: text(chain, "type")?.to_owned(),
        hook: text(chain, "hook")?.to_owned(),
        priority: chain.get("prio").and_then(Value::as_i64).unwrap_or_default(),
        policy: match text(chain, "policy") {
            Some("drop") => Policy::Drop,
            _ => Policy::Accept,
        },
    })
}

struct Reader<'a> {
    sets: &'a Sets<'a>,
    place: (&'a str, &'a str),
}

impl Reader<'_> {
    /// A rule; several if it decides by a map of verdicts.
    fn rules(&self, statements: &[Value]) -> Vec<Rule> {
        let mut rule = Rule::default();
        for statement in statements {
            let Some((name, content)) = statement.as_object().and_then(only) else {
                rule.conditions.push(NOT_UNDERSTOOD);
                continue;
            };
            match name {
                "match" => rule.conditions.extend(self.matching(content)),
                "vmap" => return self.mapped(&rule.conditions, content),
                "limit" | "quota" | "ct count" => rule.conditions.push(Condition::Limit(Limit::Rate)),
                "xt" => match (text(content, "type"), text(content, "name")) {
                    (Some("target"), Some("REJECT")) => rule.verdict = Some(Verdict::Reject),
                    // Other targets of iptables that are not nft's own let the packet go on.
                    (Some("target"), _) | (_, Some("comment")) => {}
                    _ => rule.conditions.push(NOT_UNDERSTOOD),
                },
                _ => rule.verdict = verdict(name, content).or(rule.verdict),
            }
        }
        vec![rule]
    }

    fn mapped(&self, before: &[Condition], content: &Value) -> Vec<Rule> {
        let (Some(left), Some(data)) = (content.get("key"), content.get("data")) else {
            return vec![];
        };
        let rule = |element: &Value| {
            let (value, decided) = (element.get(0)?, element.get(1)?);
            let mut rule = Rule {
                conditions: before.to_vec(),
                verdict: None,
            };
            rule.conditions.extend(self.compared(left, "==", value));
            rule.verdict = match decided {
                Value::String(word) => verdict(word, &Value::Null),
                object => only(object.as_object()?).and_then(|(name, content)| verdict(name, content)),
            };
            Some(rule)
        };
        self.elements(data).into_iter().filter_map(rule).collect()
    }

    fn matching(&self, content: &Value) -> Vec<Condition> {
        let (Some(left), Some(right)) = (content.get("left"), content.get("right")) else {
            return vec![NOT_UNDERSTOOD];
        };
        self.compared(left, text(content, "op").unwrap_or("=="), right)
    }

    fn compared(&self, left: &Value, op: &str, right: &Value) -> Vec<Condition> {
        let Some((kind, what)) = left.as_object().and_then(only) else {
            return vec![NOT_UNDERSTOOD];
        };
        let inverted = op == "!=";
        let limit = |limit| vec![Condition::Limit(limit)];
        match kind {
            "concat" => {
                // Each part narrows; together they are no simple list of ports.
                let parts = what.as_array().into_iter().flatten();
                parts.flat_map(narrowed).collect()
            }
            "ct" => match text(what, "key") {
                Some("state") => self.state(right, inverted),
                // DNAT: what was published is a rule elsewhere.
                Some("status") if !inverted => vec![Condition::Never],
                Some("count") => limit(Limit::Rate),
                _ => limit(Limit::Other),
            },
            "meta" => self.meta(text(what, "key").unwrap_or_default(), right, inverted),
            "payload" => self.payload(what, op, right),
            "fib" => {
                let local = self.words(right).iter().any(|word| word == "local");
                if local && !inverted {
                    vec![]
                } else {
                    limit(Limit::Destination)
                }
            }
            "socket" | "osf" | "rt" | "ipsec" | "exthdr" | "tcp option" => limit(Limit::Other),
            "&" | "|" | "^" | "<<" | ">>" => {
                let flags = what.get(0).and_then(|part| part.get("payload"));
                limit(if flags.is_some() {
                    Limit::Other
                } else {
                    Limit::NotUnderstood
                })
            }
            _ => vec![NOT_UNDERSTOOD],
        }
    }

    fn state(&self, right: &Value, inverted: bool) -> Vec<Condition> {
        let new = self
            .words(right)
            .iter()
            .any(|word| word == "new" || word == "untracked");
        if new == inverted {
            vec![Condition::Never]
        } else {
            vec![]
        }
    }

    fn meta(&self, key: &str, right: &Value, inverted: bool) -> Vec<Condition> {
        let words = self.words(right);
        let interface = if inverted { Limit::Excepted } else { Limit::Interface };
        match key {
            "nfproto" => {
                let is = |name: &str| words.iter().any(|word| word == name);
                let family = match (is("ipv4") != inverted, is("ipv6") != inverted) {
                    (true, false) => Family::V4,
                    (false, true) => Family::V6,
                    _ => return vec![],
                };
                vec![Condition::Family(family)]
            }
            "protocol" => match words.first().map(String::as_str) {
                Some("ip") if !inverted => vec![Condition::Family(Family::V4)],
                Some("ip6") if !inverted => vec![Condition::Family(Family::V6)],
                _ => vec![Condition::Limit(Limit::Other)],
            },
            "l4proto" => protocols(words, inverted),
            "iif" | "iifname" => {
                let lo = words.iter().all(|word| word == "lo") && !words.is_empty();
                match (lo, inverted) {
                    (true, false) => vec![Condition::Never],
                    (true, true) => vec![],
                    _ => vec![Condition::Limit(interface)],
                }
            }
            "oif" | "oifname" | "iifgroup" | "oifgroup" | "iiftype" | "oiftype" | "ibrname" | "sdif" | "sdifname" => {
                vec![Condition::Limit(interface)]
            }
            _ => vec![Condition::Limit(Limit::Other)],
        }
    }

    fn payload(&self, what: &Value, op: &str, right: &Value) -> Vec<Condition> {
        let (protocol, field) = (
            text(what, "protocol").unwrap_or_default(),
            text(what, "field").unwrap_or_default(),
        );
        let inverted = op == "!=";
        let family = match protocol {
            "ip" | "icmp" => Some(Condition::Family(Family::V4)),
            "ip6" | "icmpv6" => Some(Condition::Family(Family::V6)),
            _ => None,
        };
        let mut conditions: Vec<_> = family.into_iter().collect();
        let limit = |limit| if inverted { Limit::Excepted } else { limit };
        match (protocol, field) {
            ("ip", "protocol") | ("ip6", "nexthdr") => conditions.extend(protocols(self.words(right), inverted)),
            ("ip" | "ip6", "saddr") => {
                if loopback(right) {
                    conditions.extend((!inverted).then_some(Condition::Never));
                } else if !everybody(right) {
                    conditions.push(Condition::Limit(limit(Limit::Source)));
                }
            }
            ("ip" | "ip6", "daddr") => conditions.push(Condition::Limit(limit(Limit::Destination))),
            ("ether", "saddr") => conditions.push(Condition::Limit(limit(Limit::Source))),
            (_, "dport") => {
                if protocol != "th" {
                    conditions.push(Condition::Protocol(BTreeSet::from([protocol.to_owned()])));
                }
                conditions.push(self.ports(op, right));
            }
            ("icmp", _) => conditions.push(Condition::Protocol(BTreeSet::from(["icmp".to_owned()]))),
            ("icmpv6", _) => conditions.push(Condition::Protocol(BTreeSet::from(["ipv6-icmp".to_owned()]))),
            ("tcp" | "udp" | "sctp" | "dccp" | "udplite" | "esp" | "ah", _) => {
                conditions.push(Condition::Protocol(BTreeSet::from([protocol.to_owned()])));
                conditions.push(Condition::Limit(Limit::Other));
            }
            _ => conditions.push(Condition::Limit(Limit::Other)),
        }
        conditions
    }

    fn ports(&self, op: &str, right: &Value) -> Condition {
        let values = match right {
            Value::Object(object) if object.contains_key("set") => self.elements(right),
            Value::String(name) if name.starts_with('@') => self.elements(right),
            one => vec![one],
        };
        let number = |value: &Value| match value {
            Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
            Value::String(name) => well_known(name),
            _ => None,
        };
        let range = |value: &Value| {
            let value = value.get("elem").and_then(|elem| elem.get("val")).unwrap_or(value);
            let (first, last) = match value.get("range") {
                Some(range) => (number(range.get(0)?)?, number(range.get(1)?)?),
                None => (number(value)?, number(value)?),
            };
            Some(match op {
                "<" => PortRange {
                    first: 0,
                    last: first.checked_sub(1)?,
                },
                "<=" => PortRange { first: 0, last: first },
                ">" => PortRange {
                    first: first.checked_add(1)?,
                    last: u16::MAX,
                },
                ">=" => PortRange { first, last: u16::MAX },
                _ => PortRange { first, last },
            })
        };
        match values.into_iter().map(range).collect::<Option<Vec<_>>>() {
            Some(list) => Condition::Ports(ranges(list, op == "!=")),
            None => NOT_UNDERSTOOD,
        }
    }

    /// The elements of an anonymous set, or of a named one.
    fn elements<'v>(&'v self, value: &'v Value) -> Vec<&'v Value> {
        let list = match value {
            Value::String(name) => {
                let name = name.strip_prefix('@').unwrap_or(name);
                self.sets
                    .get(&(self.place.0, self.place.1, name))
                    .and_then(|set| set.as_array())
            }
            other => other.get("set").unwrap_or(other).as_array(),
        };
        list.into_iter().flatten().take(MAX_ELEMENTS).collect()
    }

    /// Words to compare with: one, or those of a set.
    fn words(&self, value: &Value) -> Vec<String> {
        let word = |value: &Value| match value {
            Value::String(word) => Some(word.clone()),
            Value::Number(number) => Some(number.to_string()),
            other => other.get("elem").and_then(|elem| text(elem, "val")).map(str::to_owned),
        };
        match value {
            Value::String(name) if !name.starts_with('@') => vec![name.clone()],
            Value::Number(number) => vec![number.to_string()],
            Value::Array(list) => list.iter().filter_map(word).collect(),
            Value::Object(object) if object.contains_key("|") => {
                // Flags in newer versions: `{"|": ["established", "related"]}`.
                object
                    .get("|")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(word)
                    .collect()
            }
            other => self.elements(other).into_iter().filter_map(word).collect(),
        }
    }
}

/// The one member of an object.
fn only(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    object.iter().next().map(|(name, value)| (name.as_str(), value))
}

fn verdict(name: &str, content: &Value) -> Option<Verdict> {
    let target = || text(content, "target").map(str::to_owned);
    match name {
        "accept" => Some(Verdict::Accept),
        "drop" => Some(Verdict::Drop),
        "reject" => Some(Verdict::Reject),
        "return" => Some(Verdict::Return),
        "jump" => target().map(Verdict::Jump),
        "goto" => target().map(Verdict::Goto),
        _ => None,
    }
}

fn protocols(words: Vec<String>, inverted: bool) -> Vec<Condition> {
    if words.is_empty() {
        return vec![NOT_UNDERSTOOD];
    }
    let name = |word: String| match word.as_str() {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" | "icmpv6" => "ipv6-icmp".to_owned(),
        _ => word,
    };
    let names = words.into_iter().map(name).collect();
    vec![if inverted {
        Condition::NotProtocol(names)
    } else {
        Condition::Protocol(names)
    }]
}

/// `127.0.0.0/8`, `::1`: addresses that only the host itself has.
fn loopback(value: &Value) -> bool {
    let address = value
        .get("prefix")
        .map_or(value, |prefix| prefix.get("addr").unwrap_or(prefix));
    matches!(address.as_str(), Some("127.0.0.0" | "127.0.0.1" | "::1"))
}

/// A prefix of length zero.
fn everybody(value: &Value) -> bool {
    value
        .get("prefix")
        .and_then(|prefix| prefix.get("len"))
        .and_then(Value::as_u64)
        == Some(0)
}

/// Names that nft writes with `-S` or that old versions write; it gives numbers in JSON unless told otherwise.
fn well_known(name: &str) -> Option<u16> {
    name.parse().ok().or(match name {
        "ssh" => Some(22),
        "domain" => Some(53),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
}

/// A part of a concatenation: what it restricts, without which values.
fn narrowed(part: &Value) -> Vec<Condition> {
    let field = part.get("payload").and_then(|payload| text(payload, "field"));
    let protocol = part.get("payload").and_then(|payload| text(payload, "protocol"));
    vec![Condition::Limit(
        match (field, part.get("meta").and_then(|meta| text(meta, "key"))) {
            (Some("saddr"), _) => Limit::Source,
            (Some("daddr"), _) => Limit::Destination,
            (_, Some("iif" | "iifname" | "iifgroup" | "oif" | "oifname")) => Limit::Interface,
            (Some("dport"), _) => {
                let names = match protocol {
                    Some("th") | None => return vec![Condition::Limit(Limit::Other)],
                    Some(protocol) => BTreeSet::from([protocol.to_owned()]),
                };
                return vec![Condition::Protocol(names), Condition::Limit(Limit::Other)];
            }
            _ => Limit::Other,
        },
    )]
}

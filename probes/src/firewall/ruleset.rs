//! Packet filter rules, whoever wrote them down: what a new packet from outside has to be in order to be accepted.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Accept, BaseChain, Ending, Hook, HookName, Limit, Policy, PortRange};

use crate::order::Order as _;

/// The kernel's own limit for jumps is 16.
const MAX_DEPTH: usize = 16;
/// Rules that are looked at for one hook: chains that jump to each other could be made to take for ever.
const MAX_STEPS: usize = 200_000;
/// Kinds of accepted packets that are kept.
const MAX_ACCEPTS: usize = 500;

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    V4,
    V6,
}

/// Tables by family (`ip`, `ip6`, `inet`) and name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ruleset {
    pub(super) tables: BTreeMap<(String, String), Table>,
}

/// Chains by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    pub(super) chains: BTreeMap<String, Chain>,
    /// Whether a rule has a condition that was not understood.
    pub(super) opaque: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Chain {
    pub(super) base: Option<Base>,
    /// A rule that decides by a map is several here.
    pub(super) rules: Vec<Rule>,
    /// Rules as an administrator counts them.
    pub(super) count: u64,
}

/// Where a chain is called from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) kind: String,
    pub(super) hook: String,
    pub(super) priority: i64,
    pub(super) policy: Policy,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rule {
    pub(super) conditions: Vec<Condition>,
    pub(super) verdict: Option<Verdict>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Accept,
    Drop,
    Reject,
    Return,
    Jump(String),
    Goto(String),
}

/// What a rule asks of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// No new packet from outside is like that: it belongs to a connection, or came in by loopback.
    Never,
    Family(Family),
    /// One of these transport protocols.
    Protocol(BTreeSet<String>),
    /// Not these.
    NotProtocol(BTreeSet<String>),
    /// One of these destination ports.
    Ports(Vec<PortRange>),
    Limit(Limit),
}

/// What a packet must be to get to a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Needs {
    protocol: Option<BTreeSet<String>>,
    ports: Option<Vec<PortRange>>,
    limits: BTreeSet<Limit>,
}

enum Flow {
    Ended(Ending),
    Returned,
    Continued,
}

struct Walk<'a> {
    table: &'a Table,
    family: Family,
    steps: usize,
    accepts: BTreeSet<Accept>,
    complete: bool,
}

impl Ruleset {
    /// All base chains, sorted.
    pub(super) fn base_chains(&self) -> Vec<BaseChain> {
        let mut chains: Vec<BaseChain> = Vec::new();
        for ((family, table), content) in &self.tables {
            for (name, chain) in &content.chains {
                let Some(base) = &chain.base else { continue };
                chains.push(BaseChain {
                    family: family.clone(),
                    table: table.clone(),
                    chain: name.clone(),
                    kind: base.kind.clone(),
                    hook: base.hook.clone(),
                    priority: base.priority,
                    policy: base.policy,
                    rules: chain.count,
                });
            }
        }
        chains
    }

    /// What becomes of new packets of one family at one hook.
    pub(super) fn hook(&self, family: Family, name: HookName) -> Hook {
        let mut hook = Hook {
            filtered: false,
            policy: Policy::Accept,
            default: Ending::Accept,
            default_drop: false,
            accepts: vec![],
            complete: true,
        };
        let mut accepts = BTreeSet::new();
        let mine = |of: &str| match family {
            Family::V4 => matches!(of, "ip" | "inet"),
            Family::V6 => matches!(of, "ip6" | "inet"),
        };
        for table in self
            .tables
            .iter()
            .filter(|((of, _), _)| mine(of))
            .map(|(_, table)| table)
        {
            for chain in table.chains.values() {
                let Some(base) = &chain.base else { continue };
                if base.kind != "filter" || base.hook != name.as_str() {
                    continue;
                }
                hook.filtered = true;
                if base.policy == Policy::Drop {
                    hook.policy = Policy::Drop;
                }
                let mut walk = Walk {
                    table,
                    family,
                    steps: 0,
                    accepts: BTreeSet::new(),
                    complete: true,
                };
                let ending = match walk.chain(chain, &Needs::default(), MAX_DEPTH) {
                    Flow::Ended(ending) => ending,
                    Flow::Returned | Flow::Continued => match base.policy {
                        Policy::Accept => Ending::Accept,
                        Policy::Drop => Ending::Drop,
                    },
                };
                hook.complete &= walk.complete;
                // A packet must get through every base chain: only one that stops it by default has exceptions.
                if ending != Ending::Accept {
                    hook.default = hook.default.max(ending);
                    accepts.extend(walk.accepts);
                }
            }
        }
        hook.default_drop = hook.default != Ending::Accept;
        hook.accepts = accepts.into_iter().collect();
        hook
    }
}

impl Walk<'_> {
    fn chain(&mut self, chain: &Chain, needs: &Needs, depth: usize) -> Flow {
        for rule in &chain.rules {
            self.steps += 1;
            if depth == 0 || self.steps > MAX_STEPS {
                self.complete = false;
                return Flow::Continued;
            }
            let Some(merged) = needs.and(&rule.conditions, self.family) else {
                continue;
            };
            let always = merged == *needs;
            let flow = match &rule.verdict {
                None => Flow::Continued,
                Some(Verdict::Accept) => {
                    self.accept(&merged);
                    Flow::Ended(Ending::Accept)
                }
                Some(Verdict::Drop) => Flow::Ended(Ending::Drop),
                Some(Verdict::Reject) => Flow::Ended(Ending::Reject),
                Some(Verdict::Return) => Flow::Returned,
                Some(Verdict::Jump(to)) => match self.table.chains.get(to) {
                    Some(target) => match self.chain(target, &merged, depth - 1) {
                        Flow::Returned => Flow::Continued,
                        flow => flow,
                    },
                    None => Flow::Continued,
                },
                Some(Verdict::Goto(to)) => match self.table.chains.get(to) {
                    Some(target) => match self.chain(target, &merged, depth - 1) {
                        Flow::Continued => Flow::Returned,
                        flow => flow,
                    },
                    None => Flow::Continued,
                },
            };
            if always && !matches!(flow, Flow::Continued) {
                return flow;
            }
        }
        Flow::Continued
    }

    fn accept(&mut self, needs: &Needs) {
        let protocols = needs
            .protocol
            .clone()
            .unwrap_or_else(|| BTreeSet::from(["any".to_owned()]));
        for protocol in protocols {
            if self.accepts.len() >= MAX_ACCEPTS {
                self.complete = false;
                return;
            }
            self.accepts.insert(Accept {
                protocol,
                ports: needs.ports.clone().unwrap_or_default(),
                limits: needs.limits.iter().copied().collect(),
            });
        }
    }
}

impl Needs {
    /// With more conditions; `None` if no new packet fulfils them.
    fn and(&self, conditions: &[Condition], family: Family) -> Option<Self> {
        let mut needs = self.clone();
        for condition in conditions {
            match condition {
                Condition::Never => return None,
                Condition::Family(of) if *of != family => return None,
                Condition::Family(_) => {}
                Condition::Protocol(of) => {
                    let both: BTreeSet<_> = match &needs.protocol {
                        Some(have) => have.intersection(of).cloned().collect(),
                        None => of.clone(),
                    };
                    if both.is_empty() {
                        return None;
                    }
                    needs.protocol = Some(both);
                }
                Condition::NotProtocol(of) => match &mut needs.protocol {
                    Some(have) => {
                        have.retain(|one| !of.contains(one));
                        if have.is_empty() {
                            return None;
                        }
                    }
                    None => {
                        needs.limits.insert(Limit::Other);
                    }
                },
                Condition::Ports(of) => {
                    let both = match &needs.ports {
                        Some(have) => intersection(have, of),
                        None => of.clone(),
                    };
                    if both.is_empty() {
                        return None;
                    }
                    needs.ports = Some(both);
                }
                Condition::Limit(limit) => {
                    needs.limits.insert(*limit);
                }
            }
        }
        Some(needs)
    }
}

fn intersection(one: &[PortRange], other: &[PortRange]) -> Vec<PortRange> {
    let mut both = BTreeSet::new();
    for a in one {
        for b in other {
            let (first, last) = (a.first.max(b.first), a.last.min(b.last));
            if first <= last {
                both.insert(PortRange { first, last });
            }
        }
    }
    both.into_iter().collect()
}

/// Ranges sorted and joined; inverted if they are those that are meant not to be.
pub(super) fn ranges(mut ranges: Vec<PortRange>, inverted: bool) -> Vec<PortRange> {
    ranges.retain(|range| range.first <= range.last);
    ranges.order();
    let mut joined: Vec<PortRange> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.first <= last.last.saturating_add(1) => last.last = last.last.max(range.last),
            _ => joined.push(range),
        }
    }
    if !inverted {
        return joined;
    }
    let mut others = Vec::new();
    let mut next = Some(0);
    for range in joined {
        if let (Some(first), Some(last)) = (next, range.first.checked_sub(1))
            && first <= last
        {
            others.push(PortRange { first, last });
        }
        next = range.last.checked_add(1);
    }
    others.extend(next.map(|first| PortRange { first, last: u16::MAX }));
    others
}

//! Lists of users and hosts, resolved. In a list the last entry that matches decides.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::syntax::{Member, MemberKind};
use crate::accounts::directory::Directory;
use crate::sshd::patterns::matches;
use crate::sudo::facts::Applies;

/// Aliases within aliases; deeper ones are told as unresolved. sudo has no limit, and nobody nests three.
const MAX_DEPTH: u8 = 100;

/// Whom a list selects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Everybody whom `named` does not tell of: selected, refused or neither.
    pub(crate) everyone: Option<bool>,
    /// Users by position in the directory.
    pub(crate) named: BTreeMap<usize, bool>,
    /// Groups that are selected.
    pub(crate) gids: BTreeSet<u32>,
    /// Entries that the files cannot resolve while other sources may.
    pub(crate) unresolved: u32,
}

impl Selection {
    /// Whether a user is selected.
    pub(crate) fn selects(&self, user: usize) -> bool {
        self.named.get(&user).copied().or(self.everyone) == Some(true)
    }

    fn set(&mut self, users: &[usize], selected: bool) {
        self.named.extend(users.iter().map(|user| (*user, selected)));
    }

    /// Takes over what an alias selects, or refuses it if the alias is negated.
    fn add(&mut self, alias: &Self, negated: bool) {
        if let Some(selected) = alias.everyone {
            self.everyone = Some(selected != negated);
            self.named.clear();
        }
        self.named
            .extend(alias.named.iter().map(|(user, selected)| (*user, *selected != negated)));
        if !negated {
            self.gids.extend(&alias.gids);
        }
        self.unresolved = self.unresolved.saturating_add(alias.unresolved);
    }
}

/// Resolves lists of users; aliases once each.
pub(crate) struct Resolver<'a> {
    directory: &'a Directory<'a>,
    aliases: &'a BTreeMap<String, Vec<Member>>,
    resolved: BTreeMap<&'a str, Rc<Selection>>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(directory: &'a Directory<'a>, aliases: &'a BTreeMap<String, Vec<Member>>) -> Self {
        Self {
            directory,
            aliases,
            resolved: BTreeMap::new(),
        }
    }

    pub(crate) fn list(&mut self, members: &[Member]) -> Selection {
        self.list_within(members, MAX_DEPTH)
    }

    fn list_within(&mut self, members: &[Member], depth: u8) -> Selection {
        let mut selection = Selection::default();
        for Member { negated, kind } in members {
            match kind {
                MemberKind::All => {
                    selection.everyone = Some(!negated);
                    selection.named.clear();
                }
                MemberKind::Alias(name) => match self.alias(name, depth) {
                    Some(alias) => selection.add(&alias, *negated),
                    // As sudo has it: a name like any other.
                    None => self.word(&mut selection, name, !negated),
                },
                MemberKind::Word(word) => self.word(&mut selection, word, !negated),
                MemberKind::Group(name) => self.group(&mut selection, name, !negated),
                MemberKind::Netgroup(_) | MemberKind::Network(_) => selection.unresolved += 1,
                MemberKind::Myself => {}
            }
        }
        selection
    }

    fn alias(&mut self, name: &str, depth: u8) -> Option<Rc<Selection>> {
        let (name, members) = self.aliases.get_key_value(name)?;
        if let Some(resolved) = self.resolved.get(name.as_str()) {
            return Some(resolved.clone());
        }
        // While it is being resolved it selects nobody, so that one that names itself comes to an end.
        self.resolved.insert(name, Rc::default());
        let selection = match depth.checked_sub(1) {
            Some(depth) => self.list_within(members, depth),
            None => Selection {
                unresolved: 1,
                ..Selection::default()
            },
        };
        let selection = Rc::new(selection);
        self.resolved.insert(name, selection.clone());
        Some(selection)
    }

    fn word(&self, selection: &mut Selection, word: &str, selected: bool) {
        let users = match word.strip_prefix('#').map(str::parse) {
            Some(Ok(uid)) => self.directory.with_uid(uid),
            _ => self.directory.named(word),
        };
        if users.is_empty() && self.directory.other_users {
            selection.unresolved += 1;
        }
        selection.set(users, selected);
    }

    fn group(&self, selection: &mut Selection, name: &str, selected: bool) {
        let gid = match name.strip_prefix('#').map(str::parse) {
            Some(Ok(gid)) => Some(gid),
            _ => self.directory.gid(name),
        };
        match gid {
            Some(gid) => {
                selection.set(self.directory.members(gid), selected);
                if selected {
                    selection.gids.insert(gid);
                }
            }
            // `%:name` asks a plugin for groups.
            None if name.starts_with(':') || self.directory.other_groups => selection.unresolved += 1,
            None => {}
        }
    }
}

/// Whether a list of hosts has this one. `host` is its name in the kernel, if it is known.
pub(crate) fn applies_here(hosts: &[Member], aliases: &BTreeMap<String, Vec<Member>>, host: Option<&str>) -> Applies {
    // Every alias is followed once for each list: what it says does not change.
    let mut seen = BTreeMap::new();
    list_of_hosts(hosts, aliases, host, MAX_DEPTH, &mut seen).unwrap_or(Applies::No)
}

fn list_of_hosts<'a>(
    hosts: &'a [Member],
    aliases: &'a BTreeMap<String, Vec<Member>>,
    host: Option<&str>,
    depth: u8,
    seen: &mut BTreeMap<&'a str, Option<Applies>>,
) -> Option<Applies> {
    let mut applies = None;
    for Member { negated, kind } in hosts {
        let matched = match kind {
            MemberKind::All => Some(Applies::Yes),
            MemberKind::Alias(name) if aliases.contains_key(name) => {
                match (seen.get(name.as_str()), depth.checked_sub(1)) {
                    (Some(known), _) => *known,
                    (None, None) => Some(Applies::Unknown),
                    (None, Some(depth)) => {
                        seen.insert(name, None);
                        let members = aliases.get(name).map(Vec::as_slice).unwrap_or_default();
                        let found = list_of_hosts(members, aliases, host, depth, seen);
                        seen.insert(name, found);
                        found
                    }
                }
            }
            MemberKind::Alias(name) | MemberKind::Word(name) => is_host(name, host),
            MemberKind::Netgroup(_) | MemberKind::Network(_) => Some(Applies::Unknown),
            MemberKind::Group(_) | MemberKind::Myself => None,
        };
        applies = match (matched, negated) {
            (None, _) => applies,
            (Some(Applies::Yes), true) => Some(Applies::No),
            (Some(Applies::No), true) => Some(Applies::Yes),
            // It may be refused here: what was found before may still hold, if there was anything.
            (Some(Applies::Unknown), true) => applies
                .filter(|before| *before == Applies::No)
                .or(applies.map(|_| Applies::Unknown)),
            (Some(Applies::Unknown), false) if applies == Some(Applies::Yes) => applies,
            (found, false) => found,
        };
    }
    applies
}

/// Whether a name in a list, with wildcards or without, is this host's. Nothing if it is another's.
fn is_host(pattern: &str, host: Option<&str>) -> Option<Applies> {
    let Some(host) = host else {
        return Some(Applies::Unknown);
    };
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    let short = host.split('.').next().unwrap_or(&host);
    if pattern.contains('[') {
        return Some(Applies::Unknown);
    }
    if matches(&host, &pattern) || matches(short, &pattern) {
        return Some(Applies::Yes);
    }
    // The kernel may have the short name only, and the list mean the long one.
    let wild = pattern.contains(['*', '?']) && pattern.contains('.');
    let longer = pattern
        .strip_prefix(short)
        .is_some_and(|domain| domain.starts_with('.'));
    ((wild || longer) && !host.contains('.')).then_some(Applies::Unknown)
}

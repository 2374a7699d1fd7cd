//! What the specifications come to: grants one by one, and for each account the sum of them, the last match deciding.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::files::Read;
use super::resolve::{Resolver, Selection, applies_here};
use super::syntax::{
    Binding, CommandMember, CommandName, CommandSpec, Defaults, Member, MemberKind, Place, Policy, Runas, Value,
};
use super::text;
use crate::accounts::directory::Directory;
use crate::order::Order as _;
use crate::sudo::facts::{Applies, CommandKind, DefaultsEntry, Grant, GrantText, Scope, Subjects, SudoUser};

/// More grants than hosts have; a facts document could not hold many more.
const MAX_GRANTS: usize = 5_000;
/// Numbers of accounts in all grants, and of grants of all accounts; for the same reason.
const MAX_NUMBERS: usize = 200_000;
/// Command aliases within aliases.
const MAX_DEPTH: u8 = 100;

/// Settings whose value may name people or what belongs to them: not shown.
const WITHHELD: [&str; 10] = [
    "badpass_message",
    "exempt_group",
    "lecture_file",
    "mailfrom",
    "mailsub",
    "mailto",
    "passprompt",
    "runas_default",
    "sudoers_locale",
    "group_plugin",
];

/// The sum.
#[derive(Debug)]
pub(crate) struct Rights {
    pub(crate) grants: Vec<Grant>,
    pub(crate) texts: Vec<GrantText>,
    pub(crate) users: Vec<SudoUser>,
    pub(crate) defaults: Vec<DefaultsEntry>,
}

/// There are more than [`MAX_GRANTS`] grants, or more than [`MAX_NUMBERS`] numbers in them.
#[derive(Debug, thiserror::Error)]
#[error("more than {MAX_GRANTS} commands are granted, or to too many accounts")]
pub(crate) struct TooManyGrants;

/// A grant with what its sum needs.
struct Working<'p> {
    grant: Grant,
    selection: Rc<Selection>,
    runas: Option<&'p Runas>,
    /// Holds for every account with uid 0.
    every_root: bool,
    /// Tag of its own about passwords.
    tag: Option<bool>,
    /// Holds at all times and whatever the command's digest is.
    always: bool,
}

/// Works out the rights.
pub(crate) fn rights(read: &Read, directory: &Directory<'_>, host: Option<&str>) -> Result<Rights, TooManyGrants> {
    let policy = &read.policy;
    let shown = |place: &Place| {
        let file = read.files.iter().find(|file| file.path == place.path);
        file.map_or_else(|| place.path.to_string(), |file| file.shown.clone())
    };
    let mut users = Resolver::new(directory, &policy.user_aliases);
    let mut runas = Resolver::new(directory, &policy.runas_aliases);
    let passwords = Passwords::new(policy, directory, host, &mut users);
    let (mut working, mut texts, mut numbers) = (vec![], vec![], 0);
    for specification in &policy.specifications {
        let selection = Rc::new(users.list(&specification.users));
        for privilege in &specification.privileges {
            let this_host = applies_here(&privilege.hosts, &policy.host_aliases, host);
            for spec in &privilege.commands {
                let mut commands = vec![];
                flatten(&spec.command, false, policy, MAX_DEPTH, &mut commands)?;
                let as_whom = run_as(spec, policy, directory, &mut runas);
                for command in commands {
                    numbers += selection.named.len();
                    if working.len() == MAX_GRANTS || numbers > MAX_NUMBERS {
                        return Err(TooManyGrants);
                    }
                    let tag = spec.tags.set.get("nopasswd").copied();
                    let flag = |name: &str| spec.tags.set.get(name).copied().unwrap_or(false);
                    let grant = Grant {
                        path: shown(&specification.place),
                        line: specification.place.line,
                        subjects: subjects(&selection, directory),
                        this_host,
                        as_root: as_whom.root,
                        as_anyone: as_whom.anyone,
                        command: command.kind,
                        negated: command.negated,
                        nopasswd: tag.unwrap_or(passwords.nobody_is_asked),
                        noexec: flag("noexec"),
                        setenv: flag("setenv"),
                        digest: command.digest,
                    };
                    let timed = ["notbefore", "notafter"]
                        .iter()
                        .any(|option| spec.options.contains_key(option));
                    working.push(Working {
                        always: !timed && !command.digest,
                        grant,
                        selection: selection.clone(),
                        runas: spec.runas.as_deref(),
                        every_root: as_whom.every_root,
                        tag,
                    });
                    texts.push(GrantText {
                        path: specification.place.path.to_string(),
                        line: specification.place.line,
                        text: text::grant(
                            &specification.users,
                            &privilege.hosts,
                            spec,
                            command.member,
                            command.negated,
                        ),
                    });
                }
            }
        }
    }
    let users = sums(&working, directory, &passwords)?;
    let entry = |defaults: &Defaults| defaults_entry(defaults, shown(&defaults.place));
    Ok(Rights {
        defaults: policy.defaults.iter().map(entry).collect(),
        grants: working.into_iter().map(|working| working.grant).collect(),
        texts,
        users,
    })
}

fn subjects(selection: &Selection, directory: &Directory<'_>) -> Subjects {
    let everyone = selection.everyone == Some(true);
    let mut uids: Vec<u32> = if everyone {
        vec![]
    } else {
        let named = selection.named.iter().filter(|(_, selected)| **selected);
        named
            .filter_map(|(user, _)| Some(directory.users.get(*user)?.uid))
            .collect()
    };
    uids.order();
    uids.dedup();
    Subjects {
        everyone,
        uids,
        gids: selection.gids.iter().copied().collect(),
        unresolved: selection.unresolved,
    }
}

/// A command out of the aliases that lead to it.
struct Flat<'p> {
    member: &'p CommandMember,
    kind: CommandKind,
    negated: bool,
    digest: bool,
}

fn flatten<'p>(
    member: &'p CommandMember,
    negated: bool,
    policy: &'p Policy,
    depth: u8,
    flat: &mut Vec<Flat<'p>>,
) -> Result<(), TooManyGrants> {
    let negated = negated != member.negated;
    let kind = match &member.kind {
        CommandName::All => CommandKind::All,
        CommandName::Alias(name) => match (policy.command_aliases.get(name), depth.checked_sub(1)) {
            (Some(members), Some(depth)) => {
                return members
                    .iter()
                    .try_for_each(|member| flatten(member, negated, policy, depth, flat));
            }
            (Some(_), None) => return Err(TooManyGrants),
            (None, _) => CommandKind::UndefinedAlias,
        },
        CommandName::Command { path, .. } if path == "sudoedit" => CommandKind::Sudoedit,
        CommandName::Command { path, .. } if path == "list" => CommandKind::List,
        CommandName::Command { path, .. } if path.ends_with('/') => CommandKind::Folder,
        CommandName::Command { .. } => CommandKind::Command,
    };
    if flat.len() == MAX_GRANTS {
        return Err(TooManyGrants);
    }
    flat.push(Flat {
        member,
        kind,
        negated,
        digest: !member.digests.is_empty(),
    });
    Ok(())
}

/// As whom a command may be run.
#[derive(Clone, Copy)]
struct RunAs {
    /// Some account with uid 0.
    root: bool,
    /// All of them: there may be others than `root`.
    every_root: bool,
    /// Anybody.
    anyone: bool,
}

fn run_as(spec: &CommandSpec, policy: &Policy, directory: &Directory<'_>, runas: &mut Resolver<'_>) -> RunAs {
    let default;
    let users = match spec.runas.as_deref() {
        Some(Runas { users: Some(users), .. }) => users,
        // With groups alone the command runs as the user himself.
        Some(Runas { users: None, .. }) => {
            return RunAs {
                root: false,
                every_root: false,
                anyone: false,
            };
        }
        None => {
            let setting = policy
                .defaults
                .iter()
                .rev()
                .find(|defaults| defaults.name == "runas_default");
            let name = match setting.map(|defaults| &defaults.value) {
                Some(Value::Text(name)) => name,
                _ => "root",
            };
            default = vec![Member {
                negated: false,
                kind: MemberKind::Word(name.to_owned()),
            }];
            &default
        }
    };
    let selection = runas.list(users);
    let anyone = selection.everyone == Some(true) && selection.named.values().all(|selected| *selected);
    let roots = directory.with_uid(0);
    let named_root = || users.iter().any(|user| !user.negated && is_root(&user.kind));
    RunAs {
        root: roots.iter().any(|root| selection.selects(*root)) || (roots.is_empty() && (anyone || named_root())),
        every_root: !roots.is_empty() && roots.iter().all(|root| selection.selects(*root)),
        anyone,
    }
}

/// Root by the names that it has even where `/etc/passwd` does not tell of it.
fn is_root(kind: &MemberKind) -> bool {
    matches!(kind, MemberKind::Word(name) if name == "root" || name == "#0")
}

/// Who is asked for a password where no tag says.
struct Passwords {
    /// `Defaults !authenticate` holds for everybody here.
    nobody_is_asked: bool,
    /// Members of `exempt_group`: no tag makes sudo ask them.
    exempt: BTreeSet<usize>,
    /// Users who are not asked, and those who are in spite of `nobody_is_asked`.
    by_user: BTreeMap<usize, bool>,
    /// Some target users or commands are exempt: which does not matter, for it may be those of any grant.
    sometimes_not: bool,
}

impl Passwords {
    fn new(policy: &Policy, directory: &Directory<'_>, host: Option<&str>, users: &mut Resolver<'_>) -> Self {
        let mut passwords = Self {
            nobody_is_asked: false,
            exempt: BTreeSet::new(),
            by_user: BTreeMap::new(),
            sometimes_not: false,
        };
        for defaults in &policy.defaults {
            match (defaults.name.as_str(), &defaults.value) {
                ("authenticate", Value::Flag(asked)) => {
                    passwords.authenticate(&defaults.binding, *asked, policy, host, users);
                }
                ("exempt_group", Value::Text(group)) => {
                    // The last one counts.
                    let members = directory.gid(group).map(|gid| directory.members(gid));
                    passwords.exempt = members.unwrap_or_default().iter().copied().collect();
                }
                _ => {}
            }
        }
        passwords
    }

    fn authenticate(
        &mut self,
        binding: &Binding,
        asked: bool,
        policy: &Policy,
        host: Option<&str>,
        users: &mut Resolver<'_>,
    ) {
        let here = match binding {
            Binding::Everything => Applies::Yes,
            Binding::Hosts(hosts) => applies_here(hosts, &policy.host_aliases, host),
            Binding::Users(list) => {
                let selection = users.list(list);
                if selection.everyone == Some(true) {
                    self.nobody_is_asked = !asked;
                    self.by_user.clear();
                }
                let named = selection.named.iter().filter(|(_, selected)| **selected);
                self.by_user.extend(named.map(|(user, _)| (*user, !asked)));
                return;
            }
            Binding::Runas | Binding::Commands => {
                self.sometimes_not |= !asked;
                return;
            }
        };
        // Where it is not known whether it holds, not being asked is what counts.
        if here == Applies::Yes || (here == Applies::Unknown && !asked) {
            self.nobody_is_asked = !asked;
            self.by_user.clear();
        }
    }

    fn not_asked(&self, user: usize, tag: Option<bool>) -> bool {
        let by_defaults = || self.sometimes_not || self.by_user.get(&user).copied().unwrap_or(self.nobody_is_asked);
        self.exempt.contains(&user) || tag.unwrap_or_else(by_defaults)
    }
}

fn sums(
    working: &[Working<'_>],
    directory: &Directory<'_>,
    passwords: &Passwords,
) -> Result<Vec<SudoUser>, TooManyGrants> {
    let mut users: BTreeMap<u32, SudoUser> = BTreeMap::new();
    let mut numbers = 0;
    for (position, entry) in directory.users.iter().enumerate() {
        let sum = sum(working, position, entry.uid, passwords);
        if sum.grants.is_empty() {
            continue;
        }
        numbers += sum.grants.len();
        if numbers > MAX_NUMBERS {
            return Err(TooManyGrants);
        }
        users
            .entry(entry.uid)
            .and_modify(|other| {
                other.all_commands |= sum.all_commands;
                other.nopasswd |= sum.nopasswd;
                other.all_commands_nopasswd |= sum.all_commands_nopasswd;
                other.uncertain |= sum.uncertain;
                other.grants.extend(&sum.grants);
                other.grants.order();
                other.grants.dedup();
            })
            .or_insert(sum);
    }
    Ok(users.into_values().collect())
}

fn sum(working: &[Working<'_>], user: usize, uid: u32, passwords: &Passwords) -> SudoUser {
    let mut sum = SudoUser {
        uid,
        all_commands: false,
        nopasswd: false,
        all_commands_nopasswd: false,
        uncertain: false,
        grants: vec![],
    };
    // Grants of ALL, or refusals of it, which hide what comes before them.
    let mut later: Vec<&Working<'_>> = vec![];
    for (position, candidate) in working.iter().enumerate().rev() {
        let grant = &candidate.grant;
        let matches = grant.this_host != Applies::No
            && grant.command != CommandKind::UndefinedAlias
            && candidate.selection.selects(user);
        if !matches || later.iter().any(|all| covers(all, candidate)) {
            continue;
        }
        let certain = grant.this_host == Applies::Yes;
        let decided_for_root = later
            .iter()
            .any(|all| all.every_root && (any_group(all) || no_group(candidate)));
        if grant.command == CommandKind::All && certain && candidate.always && later.len() < 100 {
            later.push(candidate);
        }
        if grant.negated {
            continue;
        }
        let all = grant.command == CommandKind::All && grant.as_root && !decided_for_root;
        let not_asked = passwords.not_asked(user, candidate.tag);
        sum.all_commands |= all;
        sum.nopasswd |= not_asked;
        sum.all_commands_nopasswd |= all && not_asked;
        sum.uncertain |= !certain;
        sum.grants.push(u32::try_from(position).unwrap_or(u32::MAX));
    }
    sum.grants.reverse();
    sum
}

/// Whether every command that `earlier` is about is decided by `all`, as whomever it is run.
fn covers(all: &Working<'_>, earlier: &Working<'_>) -> bool {
    let groups_alone = earlier.runas.is_some_and(|runas| runas.users.is_none());
    let anyone = all.grant.as_anyone && !groups_alone && (any_group(all) || no_group(earlier));
    anyone || all.runas == earlier.runas
}

/// Whether it holds whatever group the command is run with. Without `(…)` it does, seen in sudo 1.9.13: the manual says
/// that no group may be asked for then.
fn any_group(working: &Working<'_>) -> bool {
    let Some(runas) = working.runas else { return true };
    let groups = runas.groups.as_ref();
    groups.is_some_and(|groups| {
        groups
            .iter()
            .all(|group| group.kind == MemberKind::All && !group.negated)
    })
}

/// Whether no group can be asked for.
fn no_group(working: &Working<'_>) -> bool {
    working.runas.is_some_and(|runas| runas.groups.is_none())
}

fn defaults_entry(defaults: &Defaults, path: String) -> DefaultsEntry {
    let (operator, value) = match &defaults.value {
        Value::Flag(value) => ("=", value.to_string()),
        Value::Text(text) => ("=", text.clone()),
        Value::Add(text) => ("+=", text.clone()),
        Value::Remove(text) => ("-=", text.clone()),
    };
    let withheld = WITHHELD.contains(&defaults.name.as_str()) && !matches!(defaults.value, Value::Flag(_));
    DefaultsEntry {
        path,
        line: defaults.place.line,
        setting: defaults.name.clone(),
        value: if withheld { String::new() } else { value },
        operator: operator.to_owned(),
        scope: match defaults.binding {
            Binding::Everything => Scope::Everything,
            Binding::Users(_) => Scope::Users,
            Binding::Hosts(_) => Scope::Hosts,
            Binding::Runas => Scope::Runas,
            Binding::Commands => Scope::Commands,
        },
    }
}

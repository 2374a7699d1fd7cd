//! Puts the files together.

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::{Origin, Outcome};

use super::directory::Directory;
use super::facts::{
    AccountNames, Accounts, Group, Password, PasswordDefaults, PasswordState, UidRanges, Unparsed, User, UserClass,
};
use super::home::Homes;
use super::home_files;
use super::login_defs::{self, LoginDefs, number};
use super::name_services::NameServices;
use super::records::{Entries, TooManyLines, masked};
use super::{group, passwd, password, shadow, shells};
use crate::order::Order as _;
use crate::probe::{Collected, Known, NotKnown, ProbeError};
use crate::reading::{Reading, Unread};

const PASSWD: &str = "/etc/passwd";
const SHADOW: &str = "/etc/shadow";
const GROUP: &str = "/etc/group";
const GSHADOW: &str = "/etc/gshadow";
/// Enough to find what is wrong.
const MAX_UNPARSED: usize = 100;

/// Entries of a file by name, as the system finds them.
struct ByName<T> {
    path: &'static str,
    /// The first of each name.
    entries: Known<BTreeMap<String, T>>,
    /// There are lines that could not be understood: they may be anybody's.
    gaps: bool,
}

impl<T> ByName<T> {
    fn new(path: &'static str, entries: Known<Vec<T>>, unparsed: &[Unparsed], name: impl Fn(&T) -> &String) -> Self {
        let entries = match entries {
            Known::Observed(entries) => {
                let mut named = BTreeMap::new();
                for entry in entries {
                    named.entry(name(&entry).clone()).or_insert(entry);
                }
                Known::Observed(named)
            }
            Known::Not(why) => Known::Not(why),
        };
        let gaps = unparsed.iter().any(|line| line.path == path);
        Self { path, entries, gaps }
    }

    /// The entry of a name; nothing if there surely is none.
    fn of(&self, name: &str) -> Result<Option<&T>, NotKnown> {
        match &self.entries {
            Known::Observed(entries) => match entries.get(name) {
                None if self.gaps => Err(NotKnown {
                    outcome: Outcome::Malformed,
                    detail: format!("{}: a line that could not be understood may be the one", self.path),
                }),
                entry => Ok(entry),
            },
            Known::Not(why) => Err(why.clone()),
        }
    }
}

pub(super) fn collect(reading: &Reading<'_>) -> Result<Collected<Accounts, AccountNames>, ProbeError> {
    let mut unparsed = vec![];
    let users = entries(reading, PASSWD, passwd::parse, &mut unparsed)?.ok_or_else(|| ProbeError::absent(PASSWD))?;
    let groups = known(reading, GROUP, group::parse, &mut unparsed);
    let shadow = known(reading, SHADOW, shadow::parse, &mut unparsed);
    let gshadow = known(reading, GSHADOW, group::parse_shadow, &mut unparsed);
    let shadow = ByName::new(SHADOW, shadow, &unparsed, |entry| &entry.name);
    let gshadow = ByName::new(GSHADOW, gshadow, &unparsed, |entry| &entry.name);
    unparsed.order();
    unparsed.truncate(MAX_UNPARSED);

    let services = NameServices::read(reading);
    let directory = Directory::new(&users, groups.value().map(Vec::as_slice).unwrap_or_default());
    let defaults = LoginDefs::read(reading);
    let uid_ranges = uid_ranges(&defaults);
    let valid_shells = match reading.text("/etc/shells") {
        Ok(Some(text)) => Known::Observed(shells::parse(&text)),
        Ok(None) => absent("/etc/shells is not there"),
        Err(unread) => Known::unread(&unread),
    };
    let names = AccountNames {
        users: grouped(users.iter().map(|user| (user.uid, user.name.clone()))),
        groups: grouped(
            groups
                .value()
                .into_iter()
                .flatten()
                .map(|group| (group.gid, group.name.clone())),
        ),
        homes: grouped(users.iter().map(|user| (user.uid, user.home.clone()))),
    };
    let group_facts = match &groups {
        Known::Observed(groups) => Known::Observed(group_facts(groups, &gshadow, &directory)),
        Known::Not(why) => Known::Not(why.clone()),
    };
    let facts = Accounts {
        duplicate_uids: duplicates(users.iter().map(|user| user.uid)),
        duplicate_gids: duplicates(groups.value().into_iter().flatten().map(|group| group.gid)),
        duplicate_user_names: repeated(users.iter().map(|user| (user.name.as_str(), user.uid))),
        duplicate_group_names: repeated(
            groups
                .value()
                .into_iter()
                .flatten()
                .map(|group| (group.name.as_str(), group.gid)),
        ),
        shadow_without_user: match &shadow.entries {
            Known::Observed(shadow) => Known::Observed(without_user(shadow, &users)),
            Known::Not(why) => Known::Not(why.clone()),
        },
        users: user_facts(reading, &users, &shadow, &groups, &uid_ranges, &valid_shells)?,
        groups: group_facts,
        unparsed,
        other_sources: match services {
            Ok(Some(services)) => Known::Observed(services.all_others()),
            Ok(None) => absent("/etc/nsswitch.conf is not there"),
            Err(unread) => Known::unread(&unread),
        },
        uid_ranges,
        password_defaults: password_defaults(&defaults),
        valid_shells,
    };
    Ok(Collected {
        facts,
        names,
        detail: String::new(),
    })
}

fn absent<T>(detail: impl Into<String>) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.into(),
    })
}

/// Reads one of the four files. Its digest stays here: it would confirm a guess of the names and hashes in it.
fn entries<T>(
    reading: &Reading<'_>,
    path: &str,
    parse: impl Fn(&[u8]) -> Result<Entries<T>, TooManyLines>,
    unparsed: &mut Vec<Unparsed>,
) -> Result<Option<Vec<T>>, Unread> {
    let Some(bytes) = reading.private(path, path)? else {
        return Ok(None);
    };
    let read = parse(&bytes).map_err(|error| {
        reading.mark(Origin::Path(path.to_owned()), Outcome::Failed);
        Unread::Failed {
            place: path.to_owned(),
            reason: error.to_string(),
        }
    })?;
    unparsed.extend(read.bad.iter().map(|bad| Unparsed {
        path: path.to_owned(),
        line: bad.line,
        reason: bad.reason.to_owned(),
    }));
    Ok(Some(read.entries))
}

fn known<T>(
    reading: &Reading<'_>,
    path: &str,
    parse: impl Fn(&[u8]) -> Result<Entries<T>, TooManyLines>,
    unparsed: &mut Vec<Unparsed>,
) -> Known<Vec<T>> {
    match entries(reading, path, parse, unparsed) {
        Ok(Some(entries)) => Known::Observed(entries),
        Ok(None) => absent(format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn user_facts(
    reading: &Reading<'_>,
    users: &[passwd::Entry],
    shadow: &ByName<shadow::Entry>,
    groups: &Known<Vec<group::Entry>>,
    ranges: &Known<UidRanges>,
    shells: &Known<Vec<String>>,
) -> Result<Vec<User>, Unread> {
    let homes = Homes::new(reading)?;
    let mut listed: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for group in groups.value().into_iter().flatten() {
        for member in &group.members {
            listed.entry(member).or_default().insert(group.gid);
        }
    }
    let user = |user: &passwd::Entry| {
        let line = shadow.of(&user.name);
        let shadowed = user.password == b"x" || user.password.starts_with(b"##");
        let password = match &line {
            _ if !shadowed => Known::Observed(password::state(&user.password)),
            Ok(Some(line)) => Known::Observed(password::state(&line.password)),
            // pam_unix(8) refuses somebody whose password ought to be in a line that is not there.
            Ok(None) => Known::Observed(no_password()),
            Err(why) => Known::Not(why.clone()),
        };
        let in_passwd = |password: &Password| !shadowed && password.state != PasswordState::None;
        let shell = if user.shell.is_empty() {
            passwd::DEFAULT_SHELL
        } else {
            &user.shell
        };
        let mut groups = listed.get(user.name.as_str()).cloned().unwrap_or_default();
        groups.remove(&user.gid);
        let home = homes.look(reading, user.uid, &user.home);
        let login_shell = user.has_login_shell();
        User {
            uid: user.uid,
            gid: user.gid,
            line: user.line,
            class: class(user.uid, ranges),
            groups: groups.into_iter().collect(),
            login_shell,
            shell_is_valid: shells.value().map(|shells| shells.iter().any(|valid| valid == shell)),
            shell: masked(shell),
            password_in_passwd: password.value().is_some_and(in_passwd),
            password,
            ageing: match &line {
                Ok(Some(line)) => Known::Observed(line.ageing.clone()),
                Ok(None) => absent(format!("no line in {SHADOW}")),
                Err(why) => Known::Not(why.clone()),
            },
            home_files: (login_shell && home.value().is_some()).then(|| home_files::of(reading, user.uid, &user.home)),
            home,
        }
    };
    let mut users: Vec<User> = users.iter().map(user).collect();
    users.order_by_key(|user| (user.uid, user.line));
    Ok(users)
}

fn no_password() -> Password {
    password::state(b"*")
}

fn class(uid: u32, ranges: &Known<UidRanges>) -> UserClass {
    match ranges {
        _ if uid == 0 => UserClass::Superuser,
        Known::Observed(ranges) if (ranges.uid_min..=ranges.uid_max).contains(&uid) => UserClass::Regular,
        Known::Observed(_) => UserClass::System,
        Known::Not(_) => UserClass::Unknown,
    }
}

fn group_facts(groups: &[group::Entry], gshadow: &ByName<group::ShadowEntry>, directory: &Directory<'_>) -> Vec<Group> {
    let group = |group: &group::Entry| {
        let line = gshadow.of(&group.name);
        let password = match &line {
            _ if group.password != b"x" => Known::Observed(group_password(&group.password)),
            Ok(line) => Known::Observed(line.map_or_else(no_password, |line| group_password(&line.password))),
            Err(why) => Known::Not(why.clone()),
        };
        let administrators = match &line {
            Ok(line) => Known::Observed(line.map_or(0, |line| count(line.administrators.len()))),
            Err(why) => Known::Not(why.clone()),
        };
        let members = directory
            .members(group.gid)
            .iter()
            .filter_map(|user| directory.users.get(*user));
        let mut members: Vec<u32> = members.map(|user| user.uid).collect();
        members.order();
        members.dedup();
        Group {
            gid: group.gid,
            line: group.line,
            members,
            unknown_members: count(
                group
                    .members
                    .iter()
                    .filter(|name| directory.named(name).is_empty())
                    .count(),
            ),
            password,
            administrators,
        }
    };
    let mut groups: Vec<Group> = groups.iter().map(group).collect();
    groups.order_by_key(|group| (group.gid, group.line));
    groups
}

/// Nobody joins a group without a password but its members (newgrp(1)).
fn group_password(field: &[u8]) -> Password {
    if field.is_empty() {
        no_password()
    } else {
        password::state(field)
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn without_user(shadow: &BTreeMap<String, shadow::Entry>, users: &[passwd::Entry]) -> u32 {
    let names: BTreeSet<&str> = users.iter().map(|user| user.name.as_str()).collect();
    count(shadow.keys().filter(|name| !names.contains(name.as_str())).count())
}

fn grouped(pairs: impl Iterator<Item = (u32, String)>) -> BTreeMap<u32, Vec<String>> {
    let mut grouped: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (number, name) in pairs {
        grouped.entry(number).or_default().push(name);
    }
    grouped
}

fn duplicates(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for number in numbers {
        if !seen.insert(number) {
            twice.insert(number);
        }
    }
    twice.into_iter().collect()
}

/// Numbers of entries whose name an earlier entry has.
fn repeated<'a>(named: impl Iterator<Item = (&'a str, u32)>) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    let mut numbers: Vec<u32> = named
        .filter(|(name, _)| !seen.insert(*name))
        .map(|(_, number)| number)
        .collect();
    numbers.order();
    numbers
}

fn by_login_defs<T>(
    defaults: &Result<Option<LoginDefs>, Unread>,
    read: impl Fn(&BTreeMap<String, String>) -> Result<T, String>,
) -> Known<T> {
    match defaults {
        Ok(Some(defs)) => match read(&defs.values) {
            Ok(value) => Known::Observed(value),
            Err(reason) => Known::Not(NotKnown {
                outcome: Outcome::Malformed,
                detail: format!("{}: {reason}", login_defs::FILE),
            }),
        },
        Ok(None) => absent(format!("{} is not there", login_defs::FILE)),
        Err(unread) => Known::unread(unread),
    }
}

fn uid_ranges(defaults: &Result<Option<LoginDefs>, Unread>) -> Known<UidRanges> {
    by_login_defs(defaults, |values| {
        let uid = |name: &str, otherwise| match number(values, name)? {
            Some(number) => u32::try_from(number).map_err(|_| format!("{name} is {number}, not a uid")),
            None => Ok(otherwise),
        };
        Ok(UidRanges {
            uid_min: uid("UID_MIN", 1000)?,
            uid_max: uid("UID_MAX", 60_000)?,
        })
    })
}

fn password_defaults(defaults: &Result<Option<LoginDefs>, Unread>) -> Known<PasswordDefaults> {
    by_login_defs(defaults, |values| {
        let text = |name: &str| values.get(name).cloned();
        Ok(PasswordDefaults {
            min_days: days(values, "PASS_MIN_DAYS")?,
            max_days: days(values, "PASS_MAX_DAYS")?,
            warn_days: days(values, "PASS_WARN_AGE")?,
            encrypt_method: text("ENCRYPT_METHOD").map(|method| method.to_ascii_uppercase()),
            umask: text("UMASK"),
            home_mode: text("HOME_MODE"),
        })
    })
}

/// A number that a facts document can hold (below 2^53); more days than that are none that anybody means.
fn days(values: &BTreeMap<String, String>, name: &str) -> Result<Option<i64>, String> {
    let number = number(values, name)?;
    match number {
        Some(number) if number.unsigned_abs() >= 1 << 53 => Err(format!("{name} is {number}, which is too large")),
        number => Ok(number),
    }
}

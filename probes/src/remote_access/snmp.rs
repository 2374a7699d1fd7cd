//! Who is let in by Net-SNMP's agent: snmpd.conf(5), snmp_config(5). Names of communities are passwords and stay on the host.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Snmp, SnmpAccess, SnmpCommunity, SnmpFile, SnmpKeys, SnmpUser};
use crate::formats::included;
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

/// Where the agent looks, as Debian and the RPM family build it; the last two are written by itself.
const FILES: [&str; 6] = [
    "/etc/snmp/snmpd.conf",
    "/etc/snmp/snmpd.local.conf",
    "/usr/share/snmp/snmpd.conf",
    "/usr/share/snmp/snmpd.local.conf",
    "/var/lib/snmp/snmpd.conf",
    "/var/lib/net-snmp/snmpd.conf",
];
/// Names that whoever scans a network tries first.
const GUESSABLE: [&str; 18] = [
    "",
    "admin",
    "cisco",
    "community",
    "default",
    "guest",
    "manager",
    "mngt",
    "monitor",
    "password",
    "private",
    "public",
    "read",
    "root",
    "secret",
    "snmp",
    "test",
    "write",
];
/// More files than an agent has, included ones among them.
const MAX_FILES: usize = 100;
const MAX_LISTED: usize = 200;

/// `Ok(None)`: there is no configuration.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Snmp>, Unread> {
    let mut lines = vec![];
    let mut files = vec![];
    let mut waiting: Vec<String> = FILES.iter().rev().map(|path| (*path).to_owned()).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        if seen.len() > MAX_FILES {
            return Err(Unread::Failed {
                place: path,
                reason: format!("one of more than {MAX_FILES} files that include each other"),
            });
        }
        // No digest of what holds passwords.
        let Some(bytes) = reading.private(&path, &path)? else {
            continue;
        };
        let stat = reading.stat(&path)?;
        files.extend(stat.map(|stat| SnmpFile {
            path: path.clone(),
            mode: format!("{:04o}", stat.mode),
            world_readable: stat.mode & 0o004 != 0,
        }));
        let mut included = vec![];
        for line in lines_of(&String::from_utf8_lossy(&bytes), &path) {
            match line.words() {
                ("includefile", [file, ..]) => {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    included.push(included::below(folder, file));
                }
                ("includedir", [folder, ..]) => {
                    included.extend(included::files(
                        reading,
                        &format!("{}/*.conf", folder.trim_end_matches('/')),
                    )?);
                }
                _ => lines.push(line),
            }
        }
        waiting.extend(included.into_iter().rev());
    }
    Ok((!files.is_empty()).then(|| sum(&lines, files)))
}

/// A line: the directive in lower case, and its words.
struct Line {
    directive: String,
    words: Vec<String>,
    place: String,
}

impl Line {
    fn words(&self) -> (&str, &[String]) {
        (&self.directive, &self.words)
    }
}

/// The lines that are for snmpd: `[snmp]` begins those that are not, or stands before a single one.
fn lines_of(text: &str, path: &str) -> Vec<Line> {
    let mut for_snmpd = true;
    let mut lines = vec![];
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = words(line).into_iter().peekable();
        if words.peek().is_none_or(|word| word.starts_with('#')) {
            continue;
        }
        let program = words.next_if(|word| word.starts_with('[') && word.ends_with(']'));
        let own = match program.as_deref() {
            None => for_snmpd,
            Some("[snmpd]") => true,
            Some("[snmp]") => false,
            // Not known to snmpd: it passes over the line.
            Some(_) => continue,
        };
        match words.next() {
            Some(directive) if own => lines.push(Line {
                directive: directive.to_ascii_lowercase(),
                words: words.collect(),
                place: format!("{path}:{number}"),
            }),
            Some(_) => {}
            None => for_snmpd = own,
        }
    }
    lines
}

/// Words between blanks; quotes keep blanks, and a backslash the letter after it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (vec![], None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (_, '\\') => word.get_or_insert_default().extend(letters.next()),
            (Some(open), letter) if letter == open => {
                quote = None;
                words.extend(word.take());
            }
            (None, '"' | '\'') if word.is_none() => {
                quote = Some(letter);
                word = Some(String::new());
            }
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

fn sum(lines: &[Line], files: Vec<SnmpFile>) -> Snmp {
    let mut snmp = Snmp {
        files,
        addresses: vec![],
        communities: vec![],
        users: vec![],
        keys: vec![],
        commands: 0,
    };
    let groups = Groups::of(lines);
    for line in lines {
        let (directive, words) = line.words();
        match directive {
            "agentaddress" => {
                let addresses = words.iter().flat_map(|word| word.split(','));
                snmp.addresses.extend(
                    addresses
                        .map(str::trim)
                        .filter(|one| !one.is_empty())
                        .map(str::to_owned),
                );
            }
            "rocommunity" | "rocommunity6" | "rwcommunity" | "rwcommunity6" | "authcommunity" | "com2sec"
            | "com2sec6" | "com2secunix" => snmp.communities.extend(community(&groups, line)),
            "rouser" | "rwuser" | "authuser" => snmp.users.extend(user(line)),
            "access" => snmp.users.extend(group(&groups, words, &line.place)),
            "createuser" => snmp.keys.extend(created(words)),
            "usmuser" => snmp.keys.extend(stored(words)),
            "exec" | "extend" | "extendfix" | "extend-sh" | "pass" | "pass_persist" | "sh" => snmp.commands += 1,
            _ => {}
        }
    }
    snmp.keys.order();
    snmp.communities.truncate(MAX_LISTED);
    snmp.users.truncate(MAX_LISTED);
    snmp.keys.truncate(MAX_LISTED);
    snmp.addresses.truncate(MAX_LISTED);
    snmp
}

fn community(groups: &Groups<'_>, line: &Line) -> Option<SnmpCommunity> {
    let (directive, words) = line.words();
    let (access, name, source, limit) = match (directive, words) {
        ("authcommunity", [kinds, name, rest @ ..]) => (of_kinds(kinds), name, rest.first(), rest.get(1)),
        ("com2sec" | "com2sec6" | "com2secunix", words) => {
            let words = match words {
                [option, _, rest @ ..] if option == "-Cn" => rest,
                [option, rest @ ..] if option.starts_with("-Cn") => rest,
                words => words,
            };
            let [security_name, source, name, ..] = words else {
                return None;
            };
            (groups.access_of(security_name), name, Some(source), None)
        }
        (_, [name, rest @ ..]) if directive.starts_with("rw") => (SnmpAccess::Write, name, rest.first(), rest.get(1)),
        (_, [name, rest @ ..]) => (SnmpAccess::Read, name, rest.first(), rest.get(1)),
        _ => return None,
    };
    let source = source.map_or("default", String::as_str);
    Some(SnmpCommunity {
        place: line.place.clone(),
        directive: directive.to_owned(),
        access,
        guessable: GUESSABLE.contains(&name.to_ascii_lowercase().as_str()),
        source: source.to_owned(),
        anywhere: matches!(source, "default" | "0.0.0.0/0" | "0.0.0.0/0.0.0.0" | "::/0"),
        limited: limit.is_some(),
    })
}

/// `read`, `write` among kinds of requests.
fn of_kinds(kinds: &str) -> SnmpAccess {
    match kinds {
        kinds if kinds.split(',').any(|kind| kind == "write") => SnmpAccess::Write,
        kinds if kinds.split(',').any(|kind| kind == "read") => SnmpAccess::Read,
        _ => SnmpAccess::None,
    }
}

/// Who is in which group, and what groups may do.
struct Groups<'l> {
    /// Groups of a security name, each with the model, for versions 1 and 2c.
    of_name: BTreeMap<&'l str, BTreeSet<(&'l str, &'l str)>>,
    /// Groups that have users of version 3.
    of_users: BTreeSet<&'l str>,
    /// By group and the model that is asked for.
    access: BTreeMap<(&'l str, &'l str), SnmpAccess>,
}

impl<'l> Groups<'l> {
    fn of(lines: &'l [Line]) -> Self {
        let (mut of_name, mut of_users, mut access) =
            (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new(), BTreeMap::new());
        for line in lines {
            match line.words() {
                ("group", [group, model, name, ..]) if is_community(model) => {
                    of_name
                        .entry(name.as_str())
                        .or_default()
                        .insert((group.as_str(), model.as_str()));
                }
                ("group", [group, ..]) => drop(of_users.insert(group.as_str())),
                ("access", [group, _, model, _, _, read, write, ..]) => {
                    let may = access
                        .entry((group.as_str(), model.as_str()))
                        .or_insert(SnmpAccess::None);
                    *may = of_views(read, write).max(*may);
                }
                _ => {}
            }
        }
        Self {
            of_name,
            of_users,
            access,
        }
    }

    /// What a security name may do by versions 1 and 2c.
    fn access_of(&self, name: &str) -> SnmpAccess {
        let groups = self.of_name.get(name).into_iter().flatten();
        let access =
            groups.flat_map(|(group, model)| [self.access.get(&(*group, *model)), self.access.get(&(*group, "any"))]);
        access.flatten().copied().max().unwrap_or(SnmpAccess::None)
    }
}

fn is_community(model: &str) -> bool {
    matches!(model, "v1" | "v2c" | "any")
}

fn of_views(read: &str, write: &str) -> SnmpAccess {
    match (read, write) {
        (_, write) if write != "none" => SnmpAccess::Write,
        (read, _) if read != "none" => SnmpAccess::Read,
        _ => SnmpAccess::None,
    }
}

fn user(line: &Line) -> Option<SnmpUser> {
    let (directive, words) = line.words();
    let (access, words) = match (directive, words) {
        ("authuser", [kinds, rest @ ..]) => (of_kinds(kinds), rest),
        ("rwuser", words) => (SnmpAccess::Write, words),
        (_, words) => (SnmpAccess::Read, words),
    };
    let words = match words {
        [option, _, rest @ ..] if option == "-s" => rest,
        words => words,
    };
    let [_, rest @ ..] = words else { return None };
    Some(SnmpUser {
        place: line.place.clone(),
        directive: directive.to_owned(),
        access,
        level: level(rest.first().map_or("auth", String::as_str)),
    })
}

/// A group of users of version 3, by its `access`.
fn group(groups: &Groups<'_>, words: &[String], place: &str) -> Option<SnmpUser> {
    let [group, _, model, asked, _, read, write, ..] = words else {
        return None;
    };
    (!matches!(model.as_str(), "v1" | "v2c") && groups.of_users.contains(group.as_str())).then(|| SnmpUser {
        place: place.to_owned(),
        directive: "access".to_owned(),
        access: of_views(read, write),
        level: level(asked),
    })
}

fn level(word: &str) -> String {
    match word {
        "noauth" | "noAuthNoPriv" => "noauth",
        "priv" | "authpriv" | "authPriv" => "priv",
        _ => "auth",
    }
    .to_owned()
}

/// `createUser [-e ENGINE] NAME [KIND PASSPHRASE [KIND [PASSPHRASE]]]`; a key may stand for a passphrase, after `-m` or `-l`.
fn created(words: &[String]) -> Option<SnmpKeys> {
    let words = match words {
        [option, _, rest @ ..] if option == "-e" => rest,
        words => words,
    };
    let [_, rest @ ..] = words else { return None };
    let is_key = |word: &&String| matches!(word.as_str(), "-m" | "-l");
    let mut rest: Vec<&String> = rest.iter().collect();
    let keys = rest.iter().filter(|word| is_key(word)).count();
    rest.retain(|word| !is_key(word));
    let named = |index: usize| {
        rest.get(index)
            .map_or("none".to_owned(), |kind| kind.to_ascii_lowercase())
    };
    Some(SnmpKeys {
        authentication: named(0),
        privacy: named(2),
        passphrase_in_file: rest.len() > 1 && keys == 0,
    })
}

/// `usmUser STATUS STORAGE ENGINE NAME NAME CLONE PROTOCOL KEY PROTOCOL KEY …`, as the agent writes it (RFC 3414, RFC 7860).
fn stored(words: &[String]) -> Option<SnmpKeys> {
    let [_, _, _, _, _, _, authentication, _, privacy, ..] = words else {
        return None;
    };
    let authentication = match authentication
        .strip_prefix(".1.3.6.1.6.3.10.1.1.")
        .unwrap_or(authentication)
    {
        "1" => "none",
        "2" => "md5",
        "3" => "sha",
        "4" => "sha-224",
        "5" => "sha-256",
        "6" => "sha-384",
        "7" => "sha-512",
        _ => "other",
    };
    let privacy = match privacy.strip_prefix(".1.3.6.1.6.3.10.1.2.").unwrap_or(privacy) {
        "1" => "none",
        "2" => "des",
        "4" => "aes",
        _ => "other",
    };
    Some(SnmpKeys {
        authentication: authentication.to_owned(),
        privacy: privacy.to_owned(),
        passphrase_in_file: false,
    })
}

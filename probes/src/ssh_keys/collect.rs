//! Goes through the accounts.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Timestamp;
use evidence::facts::Outcome;

use super::authorized;
use super::facts::{AuthorizedFile, AuthorizedKey, PrivateKey, SshKeyNames, SshKeys, UnreadKeys, UserCaKey};
use super::private;
use crate::accounts::home::Homes;
use crate::accounts::passwd;
use crate::order::Order as _;
use crate::probe::{Collected, Known, NotKnown, ProbeError};
use crate::reading::{Kind, Reading, Stat, Unread};
use crate::sshd;

const PASSWD: &str = "/etc/passwd";
/// sshd's default (sshd_config(5)).
const DEFAULT: &str = ".ssh/authorized_keys .ssh/authorized_keys2";
/// Larger than a file with [`authorized::MAX_KEYS`] keys.
const MAX_FILE: usize = 1024 * 1024;
/// Keys listed at most; a facts document could hold more, and nobody could read them.
const MAX_KEYS: usize = 10_000;
/// Files looked at in one `.ssh` folder.
const MAX_ENTRIES: usize = 200;
/// Lines listed that are no key.
const MAX_UNPARSED: usize = 100;
/// Settings that matter.
const SETTINGS: [&str; 3] = ["authorizedkeysfile", "authorizedkeyscommand", "trustedusercakeys"];

pub(super) fn collect(reading: &Reading<'_>) -> Result<Collected<SshKeys, SshKeyNames>, ProbeError> {
    let bytes = reading
        .private(PASSWD, PASSWD)?
        .ok_or_else(|| ProbeError::absent(PASSWD))?;
    let users = passwd::parse(&bytes).map_err(|error| ProbeError::malformed(PASSWD, error))?;
    let homes = Homes::new(reading)?;
    let configured = sshd::configured(reading);
    let setting = |name: &str| match &configured {
        Ok(configured) => {
            let values = configured.as_ref().and_then(|configured| configured.settings.get(name));
            Ok(values.and_then(|values| values.first()).cloned())
        }
        Err(why) => Err(why.clone()),
    };
    let set = |name: &str| match setting(name) {
        Ok(value) => Known::Observed(value.is_some_and(|value| !value.eq_ignore_ascii_case("none"))),
        Err(why) => Known::Not(why),
    };
    let files = setting(SETTINGS[0]).map(|value| {
        let value = value.unwrap_or_else(|| DEFAULT.to_owned());
        let files = value
            .split_ascii_whitespace()
            .filter(|file| !file.eq_ignore_ascii_case("none"));
        files.map(str::to_owned).collect::<Vec<_>>()
    });
    let mut survey = Survey {
        reading,
        homes: &homes,
        facts: SshKeys {
            files_setting: known(files.clone()),
            command_set: set(SETTINGS[1]),
            user_ca_set: set(SETTINGS[2]),
            set_in_match: known(configured.as_ref().map_err(Clone::clone).map(|configured| {
                let in_blocks = configured.as_ref().map(|configured| &configured.in_blocks);
                let set = |name: &&str| in_blocks.is_some_and(|blocks| blocks.contains(*name));
                SETTINGS
                    .iter()
                    .filter(|name| set(name))
                    .map(|name| (*name).to_owned())
                    .collect()
            })),
            user_ca_keys: match setting(SETTINGS[2]) {
                Ok(value) => user_ca_keys(reading, value.filter(|value| !value.eq_ignore_ascii_case("none"))),
                Err(why) => Known::Not(why),
            },
            revoked_keys_set: set("revokedkeys"),
            authorized_files: vec![],
            authorized_keys: vec![],
            private_keys: vec![],
            unread: vec![],
            complete: true,
        },
        comments: vec![],
        paths: vec![],
        seen: BTreeSet::new(),
    };
    for bad in &users.bad {
        // Whose homes these are is not known.
        survey.unread(
            None,
            PASSWD,
            Outcome::Malformed,
            &format!("line {}: {}", bad.line, bad.reason),
        );
    }
    // If the setting could not be read, its default is looked at all the same, and `files_setting` says why.
    let files = files.unwrap_or_else(|_| DEFAULT.split(' ').map(str::to_owned).collect());
    let mut entries = users.entries;
    entries.order_by_key(|user| (user.uid, user.line));
    for user in &entries {
        survey.account(user, &files);
    }
    Ok(survey.finish(&entries))
}

/// The keys in the file that `TrustedUserCAKeys` names, which is in the form of authorized_keys without options.
fn user_ca_keys(reading: &Reading<'_>, path: Option<String>) -> Known<Vec<UserCaKey>> {
    let Some(path) = path else {
        return Known::absent("TrustedUserCAKeys is not set");
    };
    let bytes = match reading.file(&path) {
        Ok(Some(bytes)) => bytes,
        // Something is set, and what it is to trust is not known.
        Ok(None) => {
            return Known::not(
                Outcome::Failed,
                format!("{path}, which TrustedUserCAKeys names, is not there"),
            );
        }
        Err(unread) => return Known::unread(&unread),
    };
    let read = authorized::parse(&bytes);
    if let Some(line) = read.unparsed.first() {
        return Known::not(Outcome::Malformed, format!("{path}:{line}: no key"));
    }
    if read.cut {
        return Known::not(
            Outcome::Skipped,
            format!("{path}: more than {} keys", authorized::MAX_KEYS),
        );
    }
    let keys = read.keys.into_iter().map(|line| UserCaKey {
        line: line.number,
        kind: line.key.kind,
        bits: line.key.bits,
        fingerprint: line.key.fingerprint,
    });
    Known::Observed(keys.collect())
}

fn known<T>(result: Result<T, NotKnown>) -> Known<T> {
    match result {
        Ok(value) => Known::Observed(value),
        Err(why) => Known::Not(why),
    }
}

struct Survey<'a, 'h> {
    reading: &'a Reading<'h>,
    homes: &'a Homes,
    facts: SshKeys,
    comments: Vec<String>,
    paths: Vec<String>,
    /// Accounts and files that were looked at: lines of passwd may share them.
    seen: BTreeSet<(u32, String)>,
}

impl Survey<'_, '_> {
    fn account(&mut self, user: &passwd::Entry, files: &[String]) {
        let home = user.home.trim_end_matches('/');
        let mut reachable = match self.homes.look(self.reading, user.uid, &user.home) {
            Known::Observed(_) => true,
            Known::Not(why) => {
                if why.outcome != Outcome::Absent {
                    self.unread(Some(user.uid), "home", why.outcome, &why.detail);
                }
                false
            }
        };
        // `/` as a home is shared by accounts that have none.
        reachable &= !home.is_empty();
        for file in files {
            let path = expanded(file, user, home);
            let inside = path.strip_prefix(home).is_some_and(|rest| rest.starts_with('/'));
            if (inside && !reachable) || !self.seen.insert((user.uid, path.clone())) {
                continue;
            }
            let begin = if inside { home.len() } else { 0 };
            if let Err((outcome, detail)) = self.authorized(user.uid, file, &path, begin) {
                self.unread(Some(user.uid), file, outcome, &detail);
            }
        }
        let folder = format!("{home}/.ssh");
        if reachable
            && self.seen.insert((user.uid, folder.clone()))
            && let Err((outcome, detail)) = self.private_keys(user.uid, &folder, home.len())
        {
            self.unread(Some(user.uid), "private keys", outcome, &detail);
        }
    }

    /// The file at `path`, whose components behind `begin` belong to a user: no link among them is followed.
    fn authorized(&mut self, uid: u32, file: &str, path: &str, begin: usize) -> Result<(), Problem> {
        let shown = format!("{file} of uid {uid}");
        let Some(stat) = self.stat(path, begin, &shown)? else {
            return Ok(());
        };
        if stat.kind != Kind::File {
            return Err((Outcome::Failed, "it is no regular file".to_owned()));
        }
        let head = self.reading.private_head(path, &shown, MAX_FILE + 1);
        let Some(bytes) = head.map_err(|unread| problem(&unread))? else {
            return Ok(());
        };
        if bytes.len() > MAX_FILE {
            return Err((Outcome::Failed, format!("larger than {MAX_FILE} bytes")));
        }
        let mut read = authorized::parse(&bytes);
        self.facts.complete &= !read.cut && read.unparsed.len() <= MAX_UNPARSED;
        read.unparsed.truncate(MAX_UNPARSED);
        self.facts.authorized_files.push(AuthorizedFile {
            uid,
            file: file.to_owned(),
            mode: format!("{:04o}", stat.mode),
            owner: stat.uid,
            writable_by_others: stat.mode & 0o022 != 0,
            changed: Timestamp::from_unix(stat.mtime).ok(),
            keys: u32::try_from(read.keys.len()).unwrap_or(u32::MAX),
            unparsed_lines: read.unparsed,
        });
        for line in read.keys {
            if self.facts.authorized_keys.len() >= MAX_KEYS {
                self.facts.complete = false;
                break;
            }
            let has = |name: &str| line.options.iter().any(|option| option == name);
            self.facts.authorized_keys.push(AuthorizedKey {
                uid,
                file: file.to_owned(),
                line: line.number,
                kind: line.key.kind,
                bits: line.key.bits,
                fingerprint: line.key.fingerprint,
                cert_authority: has("cert-authority"),
                forced_command: has("command"),
                from_limited: has("from"),
                restricted: has("restrict"),
                options: line.options,
                expires: line.expires,
            });
            self.comments.push(line.comment);
        }
        Ok(())
    }

    fn private_keys(&mut self, uid: u32, folder: &str, begin: usize) -> Result<(), Problem> {
        let shown = format!(".ssh of uid {uid}");
        match self.stat(folder, begin, &shown)? {
            Some(stat) if stat.kind == Kind::Folder => {}
            Some(_) => return Err((Outcome::Failed, "it is no folder".to_owned())),
            None => return Ok(()),
        }
        let entries = self
            .reading
            .private_list(folder, &shown)
            .map_err(|unread| problem(&unread))?
            .unwrap_or_default();
        let mut number = 0;
        for (looked, entry) in entries.iter().filter(|entry| entry.kind == Kind::File).enumerate() {
            if looked >= MAX_ENTRIES || self.facts.private_keys.len() >= MAX_KEYS {
                self.facts.complete = false;
                break;
            }
            let path = format!("{folder}/{}", entry.name);
            let first = self
                .reading
                .private_head(&path, &shown, private::FIRST)
                .map_err(|unread| problem(&unread))?;
            if !first.as_deref().is_some_and(private::is_one) {
                continue;
            }
            let stat = self
                .reading
                .private_stat_link(&path, &shown)
                .map_err(|unread| problem(&unread))?;
            let head = self
                .reading
                .private_head(&path, &shown, private::HEAD)
                .map_err(|unread| problem(&unread))?;
            let (Some(stat), Some(head)) = (stat, head) else {
                continue;
            };
            let head = private::read(&head);
            number += 1;
            let (bits, fingerprint) = head
                .public
                .map(|public| (public.bits, public.fingerprint))
                .unwrap_or_default();
            self.facts.private_keys.push(PrivateKey {
                uid,
                number,
                form: head.form,
                kind: head.kind,
                bits,
                fingerprint,
                passphrase: head.passphrase,
                mode: format!("{:04o}", stat.mode),
                owner: stat.uid,
                readable_by_others: stat.mode & 0o044 != 0,
            });
            self.paths.push(path);
        }
        Ok(())
    }

    /// lstat(2) of `path`; a symbolic link behind `begin` is a problem.
    fn stat(&self, path: &str, begin: usize, shown: &str) -> Result<Option<Stat>, Problem> {
        let ends = path
            .char_indices()
            .filter(|(at, c)| *c == '/' && *at > begin)
            .map(|(at, _)| at);
        let mut stat = None;
        for end in ends.chain([path.len()]) {
            let part = path.get(..end).unwrap_or_default();
            stat = self
                .reading
                .private_stat_link(part, shown)
                .map_err(|unread| problem(&unread))?;
            match stat {
                None => return Ok(None),
                // Outside homes links are the administrator's.
                Some(link) if link.kind == Kind::Link && begin == 0 => {
                    stat = self
                        .reading
                        .private_stat(part, shown)
                        .map_err(|unread| problem(&unread))?;
                }
                Some(link) if link.kind == Kind::Link => {
                    return Err((Outcome::Skipped, "a symbolic link in a home is not followed".to_owned()));
                }
                Some(_) => {}
            }
        }
        Ok(stat)
    }

    fn unread(&mut self, uid: Option<u32>, what: &str, outcome: Outcome, detail: &str) {
        if self.facts.unread.len() >= MAX_KEYS {
            self.facts.complete = false;
            return;
        }
        self.facts.unread.push(UnreadKeys {
            uid,
            what: what.to_owned(),
            outcome: outcome.as_str().to_owned(),
            detail: detail.to_owned(),
        });
    }

    fn finish(mut self, users: &[passwd::Entry]) -> Collected<SshKeys, SshKeyNames> {
        self.facts.unread.order();
        self.facts.authorized_files.order();
        let mut keys: Vec<_> = self.facts.authorized_keys.into_iter().zip(self.comments).collect();
        keys.order();
        let mut private: Vec<_> = self.facts.private_keys.into_iter().zip(self.paths).collect();
        private.order();
        let with_keys: BTreeSet<u32> = keys
            .iter()
            .map(|(key, _)| key.uid)
            .chain(private.iter().map(|(key, _)| key.uid))
            .collect();
        let mut names: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for user in users.iter().filter(|user| with_keys.contains(&user.uid)) {
            names.entry(user.uid).or_default().push(user.name.clone());
        }
        let (authorized_keys, comments) = keys.into_iter().unzip();
        let (private_keys, private_key_paths) = private.into_iter().unzip();
        Collected {
            facts: SshKeys {
                authorized_keys,
                private_keys,
                ..self.facts
            },
            names: SshKeyNames {
                users: names,
                comments,
                private_key_paths,
            },
            detail: String::new(),
        }
    }
}

type Problem = (Outcome, String);

fn problem(unread: &Unread) -> Problem {
    (unread.outcome(), unread.to_string())
}

/// The tokens of `AuthorizedKeysFile`: `%h`, `%u`, `%U` and `%%`.
fn expanded(file: &str, user: &passwd::Entry, home: &str) -> String {
    let mut path = String::new();
    let mut characters = file.chars();
    while let Some(c) = characters.next() {
        match c {
            '%' => match characters.next() {
                Some('h') => path.push_str(home),
                Some('u') => path.push_str(&user.name),
                Some('U') => path.push_str(&user.uid.to_string()),
                Some('%') => path.push('%'),
                other => {
                    path.push('%');
                    path.extend(other);
                }
            },
            _ => path.push(c),
        }
    }
    if path.starts_with('/') {
        path
    } else {
        format!("{home}/{path}")
    }
}

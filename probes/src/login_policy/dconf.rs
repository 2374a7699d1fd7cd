//! dconf(7): profiles, databases as files of keys, and locks.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Digest;

use super::facts::{DconfDatabase, DconfFlag, DconfNumber, DconfText, Gnome};
use crate::reading::{Kind, Reading, Unread};

const PROFILES: &str = "/etc/dconf/profile";
const VENDOR_PROFILES: &str = "/usr/share/dconf/profile";
const DATABASES: &str = "/etc/dconf/db";
/// GDM's own database on Debian, made of these files each time that GDM starts (`generate-config` of its package).
const GREETER: (&str, &str) = ("/var/lib/gdm3/greeter-dconf-defaults", "/usr/share/gdm/dconf");
/// More databases in a profile than hosts have.
const MAX_DATABASES: usize = 20;

/// A database of the system: what its files say.
pub(crate) struct Database {
    pub(crate) facts: DconfDatabase,
    values: BTreeMap<String, String>,
    locks: BTreeSet<String>,
}

/// `Ok(None)`: no profile names a database of the system.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Gnome>, Unread> {
    let user = profile(reading, "user")?;
    let login = profile(reading, "gdm")?;
    if user.is_empty() && login.is_empty() {
        return Ok(None);
    }
    let login = if login.is_empty() { &user } else { &login };
    Ok(Some(Gnome {
        lock_enabled: flag(&user, "/org/gnome/desktop/screensaver/lock-enabled"),
        lock_delay: number(&user, "/org/gnome/desktop/screensaver/lock-delay"),
        idle_activation_enabled: flag(&user, "/org/gnome/desktop/screensaver/idle-activation-enabled"),
        idle_delay: number(&user, "/org/gnome/desktop/session/idle-delay"),
        disable_lock_screen: flag(&user, "/org/gnome/desktop/lockdown/disable-lock-screen"),
        banner_message_enable: flag(login, "/org/gnome/login-screen/banner-message-enable"),
        banner_message_text: text(login, "/org/gnome/login-screen/banner-message-text"),
        disable_user_list: flag(login, "/org/gnome/login-screen/disable-user-list"),
        databases: user.into_iter().map(|database| database.facts).collect(),
    }))
}

/// The databases of the system in a profile, in order.
pub(crate) fn profile(reading: &Reading<'_>, name: &str) -> Result<Vec<Database>, Unread> {
    let text = match reading.text(&format!("{PROFILES}/{name}"))? {
        Some(text) => Some(text),
        None => reading.text(&format!("{VENDOR_PROFILES}/{name}"))?,
    };
    let mut databases = vec![];
    for line in text.unwrap_or_default().lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix("system-db:")
            && databases.len() < MAX_DATABASES
            && !name.contains('/')
        {
            databases.push(database(
                reading,
                name,
                &format!("{DATABASES}/{name}"),
                &format!("{DATABASES}/{name}.d"),
            )?);
        } else if line.strip_prefix("file-db:") == Some(GREETER.0) {
            databases.push(database(reading, "greeter-dconf-defaults", GREETER.0, GREETER.1)?);
        }
    }
    Ok(databases)
}

/// The database `name`, which dconf makes at `path` of the files in `folder`.
fn database(reading: &Reading<'_>, name: &str, path: &str, folder: &str) -> Result<Database, Unread> {
    let made = reading.stat(path)?;
    let mut database = Database {
        facts: DconfDatabase {
            name: name.to_owned(),
            compiled: made.is_some(),
            stale: false,
        },
        values: BTreeMap::new(),
        locks: BTreeSet::new(),
    };
    let mut changed = None;
    for entry in reading.list(folder)?.unwrap_or_default() {
        if entry.kind == Kind::Folder || entry.name.starts_with('.') {
            continue;
        }
        let path = format!("{folder}/{}", entry.name);
        changed = changed.max(reading.stat(&path)?.map(|stat| stat.mtime));
        if let Some(text) = reading.text(&path)? {
            // A file whose name comes later hides what others say.
            database.values.extend(keys(&text));
        }
    }
    let folder = format!("{folder}/locks");
    for entry in reading.list(&folder)?.unwrap_or_default() {
        let path = format!("{folder}/{}", entry.name);
        changed = changed.max(reading.stat(&path)?.map(|stat| stat.mtime));
        let text = reading.text(&path)?.unwrap_or_default();
        let locks = text.lines().filter(|line| line.starts_with('/'));
        database.locks.extend(locks.map(|line| line.trim_end().to_owned()));
    }
    database.facts.stale = made.zip(changed).is_some_and(|(made, changed)| changed > made.mtime);
    Ok(database)
}

fn keys(text: &str) -> Vec<(String, String)> {
    let mut group = String::new();
    let mut keys = vec![];
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = if name == "/" {
                String::new()
            } else {
                name.trim_matches('/').to_owned()
            };
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            keys.push((format!("/{group}/{}", key.trim()), value.trim().to_owned()));
        }
    }
    keys
}

/// What the databases say of a key, and whether users cannot change it. A lock hides what databases before its own say.
pub(crate) fn find(databases: &[Database], key: &str) -> Option<(Option<String>, bool)> {
    let locks = |database: &Database| {
        let within = |lock: &String| lock == key || (lock.ends_with('/') && key.starts_with(lock.as_str()));
        database.locks.iter().any(within)
    };
    let locked = databases.iter().rposition(locks);
    let value = databases
        .iter()
        .skip(locked.unwrap_or(0))
        .find_map(|database| database.values.get(key));
    (value.is_some() || locked.is_some()).then(|| (value.cloned(), locked.is_some()))
}

fn flag(databases: &[Database], key: &str) -> Option<DconfFlag> {
    let (value, locked) = find(databases, key)?;
    let value = match value.as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    Some(DconfFlag { value, locked })
}

/// `uint32 300`, `300` or in other words of GVariant's text format for whole numbers.
fn number(databases: &[Database], key: &str) -> Option<DconfNumber> {
    let (value, locked) = find(databases, key)?;
    let last = value.as_deref().and_then(|value| value.split_whitespace().next_back());
    let value = last.and_then(|number| match number.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok().map(i64::from),
        None => number
            .parse::<i64>()
            .ok()
            .filter(|number| number.unsigned_abs() < 1 << 32),
    });
    Some(DconfNumber { value, locked })
}

/// A string of GVariant's text format, in its quotes as written.
fn text(databases: &[Database], key: &str) -> Option<DconfText> {
    let (value, locked) = find(databases, key)?;
    let empty = value
        .as_deref()
        .is_none_or(|value| value.trim_matches(['\'', '"']).trim().is_empty());
    Some(DconfText {
        sha256: value.map(|value| Digest::of(value.as_bytes())),
        empty,
        locked,
    })
}

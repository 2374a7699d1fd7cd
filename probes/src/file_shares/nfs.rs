//! The kernel's NFS server: what is configured, what is exported, and in what the two differ.

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

use super::exports::{self, Entry};
use super::facts::{ClientKind, Configured, Difference, Export, Nfs};
use super::{nfs_conf, shown};
use crate::accounts::records::printable;
use crate::order::{IntoMap as _, Order as _};
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

const EXPORTS: &str = "/etc/exports";
const FOLDER: &str = "/etc/exports.d";
const ETAB: &str = "/var/lib/nfs/etab";
const VERSIONS: &str = "/proc/fs/nfsd/versions";
/// What is refused beyond these is not told.
const MAX_REFUSED: usize = 100;
/// Links on the way to a folder, as the kernel counts them.
const MAX_LINKS: usize = 40;

pub(super) fn read(reading: &Reading<'_>) -> Nfs {
    let configured = configured(reading);
    let exported = etab(reading);
    let difference = match (&configured, &exported) {
        (Ok(configured), Ok(Some(exported))) => {
            let configured = configured.as_ref().map_or(&[][..], |(_, entries)| entries);
            Known::Observed(difference(configured, exported))
        }
        (Err(unread), _) | (_, Err(unread)) => Known::unread(unread),
        (Ok(_), Ok(None)) => Known::absent(format!("{ETAB} is not there")),
    };
    Nfs {
        configured: Known::of(
            configured.map(|found| {
                found.map(|(read, entries)| Configured {
                    exports: grouped(&entries),
                    ..read
                })
            }),
            EXPORTS,
        ),
        exported: Known::of(exported.map(|found| found.map(|entries| grouped(&entries))), ETAB),
        difference,
        set: Known::read(nfs_conf::read(reading)),
        versions: versions(reading),
    }
}

/// A client and the folder, links followed.
type Exported = (String, Entry);
type Found = Result<Option<(Configured, Vec<Exported>)>, Unread>;

fn configured(reading: &Reading<'_>) -> Found {
    let mut read = Configured {
        files: vec![],
        exports: vec![],
        refused: vec![],
    };
    let mut entries = vec![];
    let mut seen = BTreeSet::new();
    let mut files = vec![EXPORTS.to_owned()];
    let listed = reading.list(FOLDER)?.unwrap_or_default().into_iter();
    let listed = listed.filter(|entry| matches!(entry.kind, Kind::File | Kind::Link));
    // A name that begins with a dot, and one that is the ending alone, is left out.
    files.extend(
        listed
            .filter(|entry| entry.name.ends_with(".exports") && !entry.name.starts_with('.'))
            .map(|entry| format!("{FOLDER}/{}", entry.name)),
    );
    for file in files {
        let Some(bytes) = reading.file(&file)? else { continue };
        let parsed = exports::parse(&bytes);
        for entry in parsed.entries {
            let folder = real(reading, &printable(&entry.folder));
            // Of two for the same client the first holds.
            if entries.len() < exports::MAX_ENTRIES && seen.insert((folder.clone(), entry.client.clone())) {
                entries.push((folder, entry));
            }
        }
        let refused = parsed.left_out.into_iter().chain(parsed.stop);
        let refused = refused.map(|refused| format!("{file}:{}: {}", refused.line, refused.reason));
        read.refused.extend(refused.take(MAX_REFUSED));
        read.files.push(file);
    }
    Ok((!read.files.is_empty()).then_some((read, entries)))
}

/// What exportfs wrote last: in the same form, with all options.
fn etab(reading: &Reading<'_>) -> Result<Option<Vec<Exported>>, Unread> {
    let Some(bytes) = reading.file(ETAB)? else {
        return Ok(None);
    };
    let parsed = exports::parse(&bytes);
    match parsed.left_out.into_iter().chain(parsed.stop).next() {
        None => {
            let entries = parsed.entries.into_iter();
            Ok(Some(entries.map(|entry| (printable(&entry.folder), entry)).collect()))
        }
        Some(refused) => {
            let reason = format!("line {}: {}", refused.line, refused.reason);
            Err(reading.malformed(ETAB.to_owned(), reason))
        }
    }
}

fn grouped(entries: &[Exported]) -> Vec<Export> {
    let mut folders: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (folder, entry) in entries {
        folders.entry(shown(folder)).or_default().push(exports::client(entry));
    }
    let exports = folders.into_iter();
    exports.map(|(folder, clients)| Export { folder, clients }).collect()
}

/// A client of a folder as it can be compared: a host's name is whatever the name service gives.
type Key = (String, ClientKind, String, usize);

fn keys(entries: &[Exported]) -> BTreeMap<Key, &Entry> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let pairs = entries.iter().map(|(folder, entry)| {
        let kind = exports::client(entry).kind;
        let is_name = kind == ClientKind::Host && entry.client.parse::<std::net::IpAddr>().is_err();
        let (client, count) = if is_name {
            let count = names.entry(folder.clone()).or_default();
            *count += 1;
            (String::new(), *count)
        } else if kind == ClientKind::Everybody {
            (entry.client.trim_matches('*').to_owned(), 0)
        } else {
            (entry.client.clone(), 0)
        };
        ((folder.clone(), kind, client, count), entry)
    });
    pairs.into_map()
}

fn difference(configured: &[Exported], exported: &[Exported]) -> Difference {
    let (configured, exported) = (keys(configured), keys(exported));
    let only = |these: &BTreeMap<Key, &Entry>, those: &BTreeMap<Key, &Entry>| {
        let only = these.keys().filter(|key| !those.contains_key(*key));
        Vec::from_iter(only.map(|(folder, ..)| shown(folder)).collect::<BTreeSet<_>>())
    };
    let other = configured.iter().filter(|(key, entry)| {
        // Which of several names is which is not known.
        let there = exported.get(*key).filter(|_| key.3 == 0);
        there.is_some_and(|there| exports::client(there) != exports::client(entry))
    });
    Difference {
        exported_not_configured: only(&exported, &configured),
        configured_not_exported: only(&configured, &exported),
        other_options: Vec::from_iter(other.map(|((folder, ..), _)| shown(folder)).collect::<BTreeSet<_>>()),
    }
}

/// The folder with its links followed, as exportfs writes it.
fn real(reading: &Reading<'_>, path: &str) -> String {
    let mut links = 0;
    let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut at = String::new();
    while let Some(part) = left.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                at.truncate(at.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let here = format!("{at}/{part}");
        let is_link = reading
            .stat_link(&here)
            .is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Link));
        if let Some(target) = is_link.then(|| reading.link(&here).ok().flatten()).flatten() {
            links += 1;
            if links > MAX_LINKS {
                return path.to_owned();
            }
            if target.starts_with('/') {
                at.clear();
            }
            left.extend(target.split('/').rev().map(str::to_owned));
            continue;
        }
        at = here;
    }
    if at.is_empty() { "/".to_owned() } else { at }
}

/// `-2 +3 +4 +4.1`: those that the server speaks.
fn versions(reading: &Reading<'_>) -> Known<Vec<String>> {
    let text = match reading.attribute(VERSIONS) {
        Ok(Some(text)) => text,
        Ok(None) => return Known::absent(format!("{VERSIONS} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let mut versions = vec![];
    for word in text.split_whitespace() {
        let is_version = |text: &str| text.len() < 8 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(version), _) if is_version(version) => versions.push(version.to_owned()),
            (_, Some(version)) if is_version(version) => {}
            _ => return Known::not(Outcome::Malformed, format!("{VERSIONS}: not a list of versions")),
        }
    }
    versions.order();
    Known::Observed(versions)
}

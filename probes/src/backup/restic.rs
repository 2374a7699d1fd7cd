//! restic (and borg) as variables configure it, and the repositories in root's cache.

use super::facts::{Configuration, Encryption, Place, Repository, Settings, UsedRepository};
use super::{configuration, files_in, place};
use crate::reading::{Reading, Unread};
use crate::software::day;

const CACHE: &str = "/root/.cache/restic";
const FOLDER: &str = "/etc/restic";
const FILES: [&str; 3] = ["/etc/default/restic", "/etc/sysconfig/restic", "/etc/restic.env"];
const MAX: usize = 1_000;

/// Files of variables: nothing but where a repository is is taken from them.
pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    let mut found = vec![];
    let mut files = files_in(reading, FOLDER, &[""])?;
    files.extend(FILES.map(str::to_owned));
    for file in files {
        let bytes = match reading.private(&file, &file) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(unread) => {
                found.push(configuration("restic", &file, Err(unread)));
                continue;
            }
        };
        for line in String::from_utf8_lossy(&bytes).lines() {
            let line = line.trim();
            let Some((name, value)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else {
                continue;
            };
            let (product, encryption) = match name.trim() {
                "RESTIC_REPOSITORY" => ("restic", Encryption::Encrypted),
                "BORG_REPO" => ("borg", Encryption::NotTold),
                _ => continue,
            };
            let settings = Settings {
                repositories: vec![place::of(value.trim().trim_matches(['"', '\'']))],
                encryption,
                ..Settings::default()
            };
            found.push(configuration(product, &file, Ok(settings)));
        }
    }
    Ok(found)
}

/// Since 0.17 a repository may have an empty password, so that the cache does not tell whether the key is worth anything.
pub(super) fn seen(reading: &Reading<'_>) -> Result<Vec<UsedRepository>, Unread> {
    let mut seen = vec![];
    for entry in reading.list(CACHE)?.unwrap_or_default().into_iter().take(MAX) {
        if entry.name.len() != 64 || !entry.name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        let folder = format!("{CACHE}/{}/snapshots", entry.name);
        let mut newest = None;
        for group in reading.list(&folder)?.unwrap_or_default().into_iter().take(256) {
            let stat = reading.stat(&format!("{folder}/{}", group.name))?;
            newest = newest.max(stat.map(|stat| stat.mtime));
        }
        seen.push(UsedRepository {
            product: "restic".to_owned(),
            id: entry.name.chars().take(16).collect(),
            repository: Repository {
                place: Place::NotTold,
                scheme: "not_told".to_owned(),
            },
            encryption: Encryption::NotTold,
            last_change: newest.and_then(day),
        });
    }
    Ok(seen)
}

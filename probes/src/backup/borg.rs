//! What borg remembers of each repository that root has used (Borg, `src/borg/cache.py`, *SecurityManager*).

use evidence::Timestamp;

use super::facts::{Encryption, UsedRepository};
use super::place;
use crate::formats::archive_date;
use crate::reading::{Reading, Unread};

const FOLDER: &str = "/root/.config/borg/security";
const MAX: usize = 1_000;

pub(super) fn seen(reading: &Reading<'_>) -> Result<Vec<UsedRepository>, Unread> {
    let mut seen = vec![];
    for entry in reading.list(FOLDER)?.unwrap_or_default().into_iter().take(MAX) {
        // The location may hold a password: it is noted as the folder.
        let text = |name: &str| {
            let bytes = reading.private(&format!("{FOLDER}/{}/{name}", entry.name), FOLDER)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
        };
        let Some(location) = text("location")? else { continue };
        seen.push(UsedRepository {
            product: "borg".to_owned(),
            id: entry.name.chars().take(16).collect(),
            repository: place::of(&location),
            encryption: text("key-type")?.as_deref().map_or(Encryption::NotTold, encryption),
            last_change: text("manifest-timestamp")?.as_deref().and_then(day),
        });
    }
    Ok(seen)
}

/// `src/borg/constants.py`, *KeyType*: 2 is plain, 6 and 7 are authenticated and not encrypted.
fn encryption(kind: &str) -> Encryption {
    match kind {
        "0" | "1" | "3" | "4" | "5" => Encryption::Encrypted,
        "2" | "6" | "7" => Encryption::NotEncrypted,
        _ => Encryption::NotTold,
    }
}

/// `2026-11-26T14:19:32.178884`, UTC.
fn day(text: &str) -> Option<Timestamp> {
    archive_date::parse_day(text.get(..10)?)
}

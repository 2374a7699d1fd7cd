//! Files that are shown before and after a login.

use std::collections::BTreeSet;

use evidence::Digest;

use super::facts::Banner;
use crate::formats::os_release::OsRelease;
use crate::reading::{Reading, Unread};

/// Longer than any banner: what is larger is no text to be shown.
const MAX_BYTES: usize = 64 * 1024;

pub(super) fn read(reading: &Reading<'_>, path: &str, release: Option<&OsRelease>) -> Result<Option<Banner>, Unread> {
    let Some(bytes) = reading.file(path)? else {
        return Ok(None);
    };
    if bytes.len() > MAX_BYTES {
        return Err(Unread::TooLarge {
            place: path.to_owned(),
            limit: MAX_BYTES as u64,
        });
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(Banner {
        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        sha256: Digest::of(&bytes),
        empty: text.trim().is_empty(),
        escapes: escapes(&text).into_iter().collect(),
        names_distribution: release.is_some_and(|release| names(&text, release)),
    }))
}

fn escapes(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\\'
            && let Some(escape) = letters.next().filter(char::is_ascii_alphanumeric)
        {
            found.insert(escape.to_string());
        }
    }
    found
}

/// Whether the id or name of the distribution is in the text, as a word and in any case.
fn names(text: &str, release: &OsRelease) -> bool {
    let text = text.to_lowercase();
    let words: BTreeSet<&str> = text.split(|letter: char| !letter.is_alphanumeric()).collect();
    let name = release.get("NAME").to_lowercase();
    words.contains(release.id()) || (!name.is_empty() && text.contains(&name))
}

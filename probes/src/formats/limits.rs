//! limits.conf(5): limits that pam_limits gives to sessions.

use crate::reading::{Kind, Reading, Unread};

const FILE: &str = "/etc/security/limits.conf";
const FOLDER: &str = "/etc/security/limits.d";
/// More drop-ins than hosts have.
const MAX_FILES: usize = 200;

/// A line that sets a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// A user, `@GROUP`, `*` or `%`, or a range of numbers.
    pub domain: String,
    /// `soft`, `hard` or `-` for both.
    pub kind: String,
    /// What is limited.
    pub item: String,
    /// Its value, as written.
    pub value: String,
}

/// The lines about `items`, in the order of reading.
pub fn of(reading: &Reading<'_>, items: &[&str]) -> Result<Vec<Limit>, Unread> {
    let mut paths = vec![FILE.to_owned()];
    for entry in reading.list(FOLDER)?.unwrap_or_default().into_iter().take(MAX_FILES) {
        if entry.kind != Kind::Folder && entry.name.strip_suffix(".conf").is_some() {
            paths.push(format!("{FOLDER}/{}", entry.name));
        }
    }
    let mut limits = vec![];
    for path in paths {
        let text = reading.file(&path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            if let [domain, kind, named, value, ..] = words[..]
                && items.contains(&named)
            {
                limits.push(Limit {
                    domain: domain.to_owned(),
                    kind: kind.to_owned(),
                    item: named.to_owned(),
                    value: value.to_owned(),
                });
            }
        }
    }
    Ok(limits)
}

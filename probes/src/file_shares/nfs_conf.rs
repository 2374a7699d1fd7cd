//! `/etc/nfs.conf` and its drop-ins, read as nfs-utils does: nfs.conf(5).

use std::collections::BTreeMap;

use crate::formats::systemd::syntax;
use crate::reading::{Kind, Reading, Unread};

const FILE: &str = "/etc/nfs.conf";
const FOLDER: &str = "/etc/nfs.conf.d";
/// More settings than there are.
const MAX: usize = 100;

/// Versions and transports that `[nfsd]` sets; of two the later holds.
pub(super) fn read(reading: &Reading<'_>) -> Result<BTreeMap<String, bool>, Unread> {
    let mut set = BTreeMap::new();
    let mut files = vec![FILE.to_owned()];
    let listed = reading.list(FOLDER)?.unwrap_or_default().into_iter();
    files.extend(
        listed
            .filter(|entry| matches!(entry.kind, Kind::File | Kind::Link))
            .filter(|entry| entry.name.strip_suffix(".conf").is_some() && !entry.name.starts_with('.'))
            .map(|entry| format!("{FOLDER}/{}", entry.name)),
    );
    for file in files {
        let text = reading.text(&file)?.unwrap_or_default();
        for (name, value) in nfsd(&text) {
            let transport = matches!(name.as_str(), "udp" | "tcp" | "rdma");
            if value.is_empty() || !transport && !name.starts_with("vers") || name.len() > 10 || set.len() > MAX {
                continue;
            }
            // The same words as systemd's. What is neither leaves the default.
            match syntax::boolean(&value) {
                Some(value) => set.insert(name, value),
                None => set.remove(&name),
            };
        }
    }
    Ok(set)
}

/// Names in lower case and values in sections `[nfsd]`; what is no assignment is left out.
pub(super) fn nfsd(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\\\n", " ");
    let mut found = vec![];
    let mut within = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            let name = section.split_once(']').map_or("", |(name, _)| name.trim());
            within = name.eq_ignore_ascii_case("nfsd");
            continue;
        }
        let Some((name, value)) = line.split_once('=').filter(|_| within) else {
            continue;
        };
        let value = value.trim();
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => value.split(['#', ';']).next().unwrap_or_default().trim_end(),
        };
        found.push((name.trim().to_ascii_lowercase(), value.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_quotes_and_comments() {
        let text =
            "[general]\nvers3=y\n[nfsd]\n vers3=n # c\nvers4.0 = \"y\"\nfoo\n[nfsd \"x\"]\nudp=y\n[NFSD]\nTCP=\\\nno\n";
        let expected = [("vers3", "n"), ("vers4.0", "y"), ("tcp", "no")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(nfsd(text), expected);
    }

    proptest! {
        #[test]
        fn any_text(text in "(\\PC|\n){0,60}", near in "(\\[|nfsd|\\]|=|\\\\|\n| |#|\"|vers3){0,30}") {
            nfsd(&text);
            nfsd(&near);
        }
    }
}

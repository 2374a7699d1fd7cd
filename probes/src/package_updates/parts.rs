//! Files and `.d` folders of apt's configuration.

use super::doubts::Doubts;
use crate::reading::{Kind, Reading};

/// Configuration files that are read from one folder.
const MAX_FILES: usize = 1_000;

/// The text of a configuration file, if it is there. What cannot be read is a doubt.
pub(super) fn file(reading: &Reading<'_>, path: &str, doubts: &mut Doubts) -> Option<(String, String)> {
    match reading.text(path) {
        Ok(text) => text.map(|text| (path.to_owned(), text)),
        Err(unread) => {
            doubts.unread(&unread);
            None
        }
    }
}

/// The files of a folder that apt reads, in its order: plain names with one of the extensions (`""`: without one).
pub(super) fn files(
    reading: &Reading<'_>,
    folder: &str,
    extensions: &[&str],
    doubts: &mut Doubts,
) -> Vec<(String, String)> {
    let entries = match reading.list(folder) {
        Ok(entries) => entries.unwrap_or_default(),
        Err(unread) => {
            doubts.unread(&unread);
            return vec![];
        }
    };
    let names = entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::File | Kind::Link) && is_read(&entry.name, extensions));
    let mut texts = vec![];
    for (count, entry) in names.enumerate() {
        if count >= MAX_FILES {
            doubts.add(format!("{folder}: more than {MAX_FILES} files, the rest was not read"));
            break;
        }
        texts.extend(file(reading, &format!("{folder}/{}", entry.name), doubts));
    }
    texts
}

fn is_read(name: &str, extensions: &[&str]) -> bool {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    plain && !name.starts_with('.') && !name.ends_with('.') && extensions.contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::is_read;

    #[test]
    fn names_that_apt_reads() {
        for name in ["a.list", "A-1_b.sources", "x.y.list"] {
            assert!(is_read(name, &["list", "sources"]), "{name}");
        }
        for name in [
            "a",
            ".a.list",
            "a.list.",
            "a.list~",
            "a.list.save",
            "a.list.dpkg-old",
            "ä.list",
        ] {
            assert!(!is_read(name, &["list", "sources"]), "{name}");
        }
        assert!(is_read("nodejs", &["pref", ""]));
        assert!(!is_read("nodejs.bak", &["pref", ""]));
    }
}

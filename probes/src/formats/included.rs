//! Configuration files that another names by a pattern, as `include` directives do.

use crate::reading::{Kind, Reading, Unread};
use crate::sshd::patterns;

/// More files than a directory of configuration has.
const MAX_FILES: usize = 1_000;

/// The files that match `pattern`, an absolute path with `*` and `?` in its last component alone, sorted. Without a
/// wildcard: `pattern` itself, whether or not it is there. As the shell does, `*` matches no name that begins with a dot.
pub fn files(reading: &Reading<'_>, pattern: &str) -> Result<Vec<String>, Unread> {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let wild = |text: &str| text.contains(['*', '?', '[', '{']);
    if wild(folder) || name.contains(['[', '{']) {
        return Err(Unread::Malformed {
            place: pattern.to_owned(),
            reason: "a pattern that this reader does not know".to_owned(),
        });
    }
    if !wild(name) {
        return Ok(vec![pattern.to_owned()]);
    }
    let entries = reading.list(folder)?.unwrap_or_default().into_iter();
    let matching = entries.filter(|entry| {
        matches!(entry.kind, Kind::File | Kind::Link)
            && !entry.name.starts_with('.')
            && patterns::matches(&entry.name, name)
    });
    let files: Vec<String> = matching.map(|entry| format!("{folder}/{}", entry.name)).collect();
    if files.len() > MAX_FILES {
        return Err(Unread::Failed {
            place: pattern.to_owned(),
            reason: format!("more than {MAX_FILES} files"),
        });
    }
    Ok(files)
}

/// `path`, or `path` below `folder` if it is relative.
pub fn below(folder: &str, path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    #[test]
    fn what_a_pattern_names() {
        let host = Captured::default()
            .file("/etc/x.d/b.conf", "")
            .file("/etc/x.d/a.conf", "")
            .file("/etc/x.d/.hidden.conf", "")
            .file("/etc/x.d/README", "")
            .denied("/etc/y.d");
        let reading = testing(&host);
        let of = |pattern: &str| files(&reading, pattern);
        assert_eq!(of("/etc/x.d/*.conf").unwrap(), ["/etc/x.d/a.conf", "/etc/x.d/b.conf"]);
        assert_eq!(of("/etc/z.conf").unwrap(), ["/etc/z.conf"]);
        assert_eq!(of("/etc/z.d/*").unwrap(), [""; 0]);
        assert!(matches!(of("/etc/y.d/*"), Err(Unread::Denied { .. })));
        assert!(matches!(of("/etc/*/a"), Err(Unread::Malformed { .. })));
    }
}

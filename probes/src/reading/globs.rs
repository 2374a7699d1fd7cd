//! Paths by pattern (glob(7)), as include directives have them.

use super::host::{Kind, Unread};
use super::recorder::Reading;
use crate::order::Order as _;
use crate::sshd::patterns;

/// Files that `pattern` (absolute, with `*` and `?` in any component) names, sorted, at most `limit`; what is no folder
/// counts as a file. Without a wildcard: the path itself if it is there.
pub(crate) fn files(reading: &Reading<'_>, pattern: &str, limit: usize) -> Result<Vec<String>, Unread> {
    let mut paths = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = vec![];
        for path in &paths {
            if !part.contains(['*', '?']) {
                next.push(format!("{path}/{part}"));
                continue;
            }
            let folder = if path.is_empty() { "/" } else { path };
            // A name without a wildcard before may be that of a file.
            if reading.stat(folder)?.is_none_or(|stat| stat.kind != Kind::Folder) {
                continue;
            }
            let entries = reading.list(folder)?.unwrap_or_default();
            let hidden = part.starts_with('.');
            let names = entries.iter().map(|entry| &entry.name);
            let names = names.filter(|name| (hidden || !name.starts_with('.')) && patterns::matches(name, part));
            next.extend(names.map(|name| format!("{path}/{name}")));
        }
        next.truncate(limit);
        paths = next;
    }
    let mut files = vec![];
    for path in paths {
        if reading.stat(&path)?.is_some_and(|stat| stat.kind != Kind::Folder) {
            files.push(path);
        }
    }
    files.order();
    Ok(files)
}

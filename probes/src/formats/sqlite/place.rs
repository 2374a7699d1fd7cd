//! Where a database really lies: SQLite looks for log and journal beside the file to which links lead.

use crate::reading::{Kind, Reading, Unread};

/// Links that are followed one after the other.
const MAX_LINKS: usize = 16;

/// The path to which a link at `path` leads, by its last name alone; `path` itself if it is no link.
pub fn resolved(reading: &Reading<'_>, path: &str) -> Result<String, Unread> {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        if reading.stat_link(&at)?.is_none_or(|stat| stat.kind != Kind::Link) {
            return Ok(at);
        }
        let Some(target) = reading.link(&at)? else {
            return Ok(at);
        };
        at = if target.starts_with('/') {
            plain(&target)
        } else {
            let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder);
            let joined = format!("{folder}/{target}");
            let plain = plain(&joined);
            // `..` leads elsewhere where the folder is a link.
            let same = |other: &str| -> Result<_, Unread> {
                let stat = reading.stat(other)?;
                Ok(stat.map(|stat| (stat.inode, stat.size)))
            };
            if same(&plain)? == same(&joined)? { plain } else { joined }
        };
    }
    Err(Unread::Failed {
        place: path.to_owned(),
        reason: format!("more than {MAX_LINKS} links one after the other"),
    })
}

/// Without `.`, `..` and double slashes.
fn plain(path: &str) -> String {
    let mut parts = vec![];
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    #[test]
    fn links() {
        let host = Captured::default()
            .file("/var/log/a.db", "x")
            .link("/var/lib/a/a.db", "../../log/./a.db")
            .link("/var/lib/a/b.db", "a.db")
            .link("/c.db", "/var/lib//a/b.db")
            .link("/moved", "/var/deep/er/a")
            .file("/var/deep/log/a.db", "other")
            .link("/var/deep/er/a/a.db", "../../log/a.db")
            .link("/gone", "/nowhere/x")
            .link("/round", "/round");
        let reading = testing(&host);
        let of = |path| resolved(&reading, path);
        for path in ["/var/log/a.db", "/var/lib/a/a.db", "/var/lib/a/b.db", "/c.db"] {
            assert_eq!(of(path).unwrap(), "/var/log/a.db", "{path}");
        }
        assert_eq!(of("/moved/a.db").unwrap(), "/moved/../../log/a.db");
        assert_eq!(of("/gone").unwrap(), "/nowhere/x");
        assert_eq!(of("/nothing").unwrap(), "/nothing");
        assert!(matches!(of("/round"), Err(Unread::Failed { .. })));
        let host = Captured::default().denied("/closed");
        assert!(matches!(
            resolved(&testing(&host), "/closed"),
            Err(Unread::Denied { .. })
        ));
    }
}

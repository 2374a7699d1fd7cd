//! Where a repository is, from what stands in a configuration: never the address itself, which may hold a password.

use super::facts::{Place, Repository};

use crate::order::Order as _;

/// How restic, duplicity and others name what they reach; `name:` and `name://`.
const SCHEMES: [&str; 24] = [
    "azure", "b2", "boto3+s3", "ftp", "ftps", "gdrive", "gs", "http", "https", "imap", "imaps", "mega", "onedrive",
    "par2", "rclone", "rest", "rsync", "s3", "s3+http", "scp", "sftp", "ssh", "swift", "webdavs",
];

/// Place and scheme of a repository.
pub(super) fn of(location: &str) -> Repository {
    let (place, scheme) = classify(location.trim());
    Repository {
        place,
        scheme: scheme.to_owned(),
    }
}

fn classify(location: &str) -> (Place, &'static str) {
    if location.starts_with('/') || location.starts_with('~') {
        return (Place::Local, "file");
    }
    if let Some((scheme, _)) = location.split_once(':') {
        if scheme == "file" || scheme == "local" {
            return (Place::Local, "file");
        }
        if let Some(known) = SCHEMES.iter().find(|known| **known == scheme) {
            return (Place::Remote, known);
        }
        if location.contains("://") {
            return (Place::Remote, "other");
        }
        // scp's form, host:path, unless a slash comes first.
        if !scheme.is_empty() && !scheme.contains('/') && !scheme.contains('$') {
            return (Place::Remote, "ssh");
        }
    }
    (Place::NotTold, "not_told")
}

/// A path as it may be shown: without the name of a person.
pub(super) fn shown(path: &str) -> String {
    let path: String = path.chars().take(1_000).collect();
    match path.strip_prefix("/home/").map(|rest| rest.split_once('/')) {
        Some(Some((_, rest))) => format!("/home/*/{rest}"),
        Some(None) if path.len() > "/home/".len() => "/home/*".to_owned(),
        _ => path,
    }
}

/// Paths sorted, each once, and no more than a list may have.
pub(super) fn paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    const MAX: usize = 1_000;
    let mut paths: Vec<String> = paths.into_iter().map(shown).collect();
    paths.order();
    paths.dedup();
    paths.truncate(MAX);
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (location, place, scheme) in [
            ("/srv/backup", Place::Local, "file"),
            ("file:///srv", Place::Local, "file"),
            ("ssh://u:p@host/./x", Place::Remote, "ssh"),
            ("backup@host:repo", Place::Remote, "ssh"),
            ("s3:https://s3.example/b", Place::Remote, "s3"),
            ("rest:https://u:p@h/", Place::Remote, "rest"),
            ("sftp:u@h:/x", Place::Remote, "sftp"),
            ("weird://x", Place::Remote, "other"),
            ("$REPO", Place::NotTold, "not_told"),
            ("", Place::NotTold, "not_told"),
        ] {
            assert_eq!(classify(location), (place, scheme), "{location}");
        }
        assert_eq!(shown("/home/alice/x"), "/home/*/x");
        assert_eq!(shown("/home/alice"), "/home/*");
        assert_eq!(shown("/home/"), "/home/");
        assert_eq!(shown("/etc"), "/etc");
    }
}

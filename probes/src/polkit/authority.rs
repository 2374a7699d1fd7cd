//! `.pkla` files (pklocalauthority(8)).

use super::facts::AuthorityEntry;

/// The entries of a file: groups of keys.
pub(super) fn read(path: &str, text: &str) -> Vec<AuthorityEntry> {
    let mut entries: Vec<AuthorityEntry> = vec![];
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            entries.push(AuthorityEntry {
                path: path.to_owned(),
                actions: vec![],
                users: 0,
                groups: 0,
                everybody: false,
                result_any: None,
                result_inactive: None,
                result_active: None,
            });
            continue;
        }
        let (Some(entry), Some((key, value))) = (entries.last_mut(), line.split_once('=')) else {
            continue;
        };
        let list = || value.split(';').map(str::trim).filter(|word| !word.is_empty());
        match key.trim() {
            "Identity" => {
                for identity in list() {
                    entry.users += u32::from(identity.starts_with("unix-user:"));
                    entry.groups += u32::from(identity.starts_with("unix-group:"));
                    entry.everybody |= identity == "*" || identity.ends_with(":*");
                }
            }
            "Action" => entry.actions = list().map(str::to_owned).collect(),
            "ResultAny" => entry.result_any = Some(value.trim().to_owned()),
            "ResultInactive" => entry.result_inactive = Some(value.trim().to_owned()),
            "ResultActive" => entry.result_active = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    entries
}

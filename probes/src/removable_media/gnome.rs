//! What dconf(7) tells for all users: the databases of the system in the profile `user`.

use super::facts::Gnome;
use crate::login_policy::dconf;
use crate::reading::{Reading, Unread};

const FOLDER: &str = "/org/gnome/desktop/media-handling/";
const KEYS: [&str; 3] = ["automount", "automount-open", "autorun-never"];

/// `Ok(None)`: the profile names no database of the system.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Gnome>, Unread> {
    let databases = dconf::profile(reading, "user")?;
    if databases.is_empty() {
        return Ok(None);
    }
    let stale = databases
        .iter()
        .any(|database| database.facts.stale || !database.facts.compiled);
    let compiled = databases.into_iter().filter(|database| database.facts.compiled);
    let databases: Vec<_> = compiled.collect();
    let mut locked = vec![];
    let [automount, automount_open, autorun_never] = KEYS.map(|key| {
        let (value, is_locked) = dconf::find(&databases, &format!("{FOLDER}{key}"))?;
        if is_locked {
            locked.push(key.to_owned());
        }
        value?.parse().ok()
    });
    Ok(Some(Gnome {
        automount,
        automount_open,
        autorun_never,
        locked,
        stale,
    }))
}

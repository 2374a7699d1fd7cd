//! `kscreenlockerrc` of KDE: groups in brackets, `key=value`, and `[$i]` after a group, a key or alone at the beginning of
//! the file for what users cannot change.

use super::facts::Kde;

pub(super) fn parse(text: &str) -> Kde {
    let mut kde = Kde::default();
    let (mut within, mut file_locked, mut group_locked, mut any_group) = (false, false, false, false);
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[$i]" && !any_group {
            file_locked = true;
        } else if line.starts_with('[') {
            any_group = true;
            let (name, locked) = match line.strip_suffix("[$i]") {
                Some(name) => (name, true),
                None => (line, false),
            };
            within = name == "[Daemon]";
            group_locked = locked;
        } else if within && let Some((key, value)) = line.split_once('=') {
            let (key, locked) = match key.trim().strip_suffix("[$i]") {
                Some(key) => (key, true),
                None => (key.trim(), false),
            };
            let locked = locked || group_locked || file_locked;
            let value = value.trim();
            match key {
                "Autolock" => (kde.autolock, kde.autolock_locked) = (Some(flag(value)), locked),
                "Timeout" => (kde.timeout_minutes, kde.timeout_locked) = (number(value), locked),
                "LockGrace" => kde.grace_seconds = number(value),
                "LockOnResume" => kde.lock_on_resume = Some(flag(value)),
                _ => {}
            }
        }
    }
    kde
}

/// As `KConfig` reads it: anything but these is true.
fn flag(value: &str) -> bool {
    let no = ["false", "no", "off", "0"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    !no
}

fn number(value: &str) -> Option<i64> {
    value.parse::<i32>().ok().map(i64::from)
}

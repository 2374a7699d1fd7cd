//! GnuTLS's system-wide configuration (its manual, *System-wide configuration of the library*).

use std::collections::BTreeMap;

use super::facts::Gnutls;
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

/// Where the RPM family's build looks, then that of the others.
const PATHS: [&str; 2] = ["/etc/crypto-policies/back-ends/gnutls.config", "/etc/gnutls/config"];
/// More settings than there are algorithms.
const MAX_SETTINGS: usize = 2_000;

/// Reads it; `None` if there is none.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Gnutls>, Unread> {
    for path in PATHS {
        if let Some(text) = reading.text(path)? {
            return parse(path, &text).map(Some);
        }
    }
    Ok(None)
}

fn parse(path: &str, text: &str) -> Result<Gnutls, Unread> {
    let malformed = |number: usize, reason: &str| Unread::Malformed {
        place: path.to_owned(),
        reason: format!("line {number}: {reason}"),
    };
    let mut gnutls = Gnutls {
        path: path.to_owned(),
        override_mode: None,
        default_priority: None,
        system_priority: None,
        disabled_versions: vec![],
        enabled_versions: vec![],
        min_verification_profile: None,
        overrides: BTreeMap::new(),
    };
    // The form before 3.6 had no sections: `SYSTEM=NORMAL`.
    let mut section = "priorities".to_owned();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if number > MAX_SETTINGS {
            return Err(malformed(number, "too many settings"));
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name
                .strip_suffix(']')
                .ok_or_else(|| malformed(number, "a section's name is not closed"))?;
            section = name.trim().to_ascii_lowercase();
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| malformed(number, "no equal sign"))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        match (section.as_str(), name.as_str()) {
            ("global", "override-mode") => gnutls.override_mode = Some(value),
            ("priorities", "system") => gnutls.system_priority = Some(value),
            ("overrides", _) => gnutls.overrides.entry(name).or_default().push(value),
            _ => {}
        }
    }
    let values = |name: &str| {
        let mut values = gnutls.overrides.get(name).cloned().unwrap_or_default();
        values.order();
        values.dedup();
        values
    };
    let last = |name: &str| gnutls.overrides.get(name).and_then(|values| values.last()).cloned();
    let (disabled, enabled) = (values("disabled-version"), values("enabled-version"));
    let (priority, profile) = (last("default-priority-string"), last("min-verification-profile"));
    gnutls.disabled_versions = disabled;
    gnutls.enabled_versions = enabled;
    gnutls.default_priority = priority;
    gnutls.min_verification_profile = profile;
    Ok(gnutls)
}

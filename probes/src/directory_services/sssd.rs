//! `/etc/sssd/sssd.conf` and the snippets in `/etc/sssd/conf.d` (sssd.conf(5)).

use std::collections::BTreeSet;

use super::facts::{Sssd, SssdDomain};
use super::{items, malformed, private_text, schemes, shown};
use crate::formats::ini::{self, Assignment, Dialect};
use crate::reading::{Reading, Unread};

const MAIN: &str = "/etc/sssd/sssd.conf";
const SNIPPETS: &str = "/etc/sssd/conf.d";
/// More snippets than anybody keeps.
const MAX_SNIPPETS: usize = 200;
/// More domains than SSSD serves.
const MAX_DOMAINS: usize = 200;

/// The configuration; `None` if there is no file of it.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Sssd>, Unread> {
    let mut paths = vec![MAIN.to_owned()];
    let entries = reading.list(SNIPPETS)?.unwrap_or_default();
    // In the order of their names; hidden ones are left out.
    let names = entries.into_iter().map(|entry| entry.name);
    let snippets = names.filter(|name| name.strip_suffix(".conf").is_some() && !name.starts_with('.'));
    paths.extend(snippets.take(MAX_SNIPPETS + 1).map(|name| format!("{SNIPPETS}/{name}")));
    if paths.len() > MAX_SNIPPETS + 1 {
        return Err(malformed(SNIPPETS, format!("more than {MAX_SNIPPETS} files")));
    }
    let (mut assignments, mut files) = (vec![], vec![]);
    for path in paths {
        if let Some(text) = private_text(reading, &path)? {
            let parsed = ini::parse(&text, Dialect::Libini).map_err(|error| malformed(&path, error.to_string()))?;
            assignments.extend(parsed);
            files.push(path);
        }
    }
    if files.is_empty() {
        return Ok(None);
    }
    let listed = items(ini::last(&assignments, "sssd", "domains").unwrap_or_default());
    let names: BTreeSet<&str> = assignments
        .iter()
        .filter_map(|one| one.section.strip_prefix("domain/"))
        // `domain/NAME/TRUSTED` changes details of a domain behind it.
        .filter(|name| !name.contains('/'))
        .collect();
    if names.len() > MAX_DOMAINS {
        return Err(malformed(MAIN, format!("more than {MAX_DOMAINS} domains")));
    }
    let days = ini::last(&assignments, "pam", "offline_credentials_expiration");
    Ok(Some(Sssd {
        services: items(ini::last(&assignments, "sssd", "services").unwrap_or_default()),
        domains: names
            .into_iter()
            .map(|name| domain(&assignments, &listed, name))
            .collect(),
        offline_credentials_days: days.map_or(Some(0), |days| days.parse().ok()),
        files,
    }))
}

fn domain(assignments: &[Assignment], listed: &[String], name: &str) -> SssdDomain {
    let section = format!("domain/{name}");
    let value = |option: &str| ini::last(assignments, &section, option);
    let on = |option: &str| value(option).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let text = |option: &str| value(option).filter(|value| !value.is_empty()).map(shown);
    let id_provider = text("id_provider").unwrap_or_default();
    SssdDomain {
        name: name.to_owned(),
        enabled: value("enabled").map_or_else(
            || listed.iter().any(|listed| listed.eq_ignore_ascii_case(name)),
            |value| value.eq_ignore_ascii_case("true"),
        ),
        auth_provider: text("auth_provider").unwrap_or_else(|| id_provider.clone()),
        access_provider: text("access_provider").unwrap_or_else(|| "permit".to_owned()),
        id_provider,
        cache_credentials: on("cache_credentials"),
        enumerate: on("enumerate"),
        ldap_uri_schemes: schemes(value("ldap_uri").unwrap_or_default()),
        ldap_start_tls: on("ldap_id_use_start_tls"),
        ldap_tls_reqcert: text("ldap_tls_reqcert")
            .map_or_else(|| "hard".to_owned(), |value| value.to_ascii_lowercase()),
        ldap_auth_without_tls: on("ldap_auth_disable_tls_never_use_in_production"),
        has_bind_password: value("ldap_default_authtok").is_some_and(|value| !value.is_empty()),
    }
}

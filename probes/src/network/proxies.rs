//! Proxies for the whole host: which host, never which credentials.

use super::facts::Proxy;
use crate::formats::shell;
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

/// Proxies that are kept.
const MAX_PROXIES: usize = 200;

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Proxy>, Unread> {
    let mut proxies = Vec::new();
    for path in ["/etc/environment", "/etc/default/docker", "/etc/sysconfig/proxy"] {
        // A password may stand in them: no digest.
        let Some(text) = text(reading, path)? else { continue };
        for (name, value) in shell::assignments(&text) {
            let lower = name.to_ascii_lowercase();
            if lower.strip_suffix("_proxy").is_some() && lower != "no_proxy" {
                proxies.extend(proxy(path, &name, &value));
            }
        }
    }
    for path in ["/etc/dnf/dnf.conf", "/etc/yum.conf"] {
        let Some(text) = text(reading, path)? else { continue };
        let settings = text.lines().filter_map(|line| line.split_once('='));
        for (name, value) in settings.filter(|(name, _)| name.trim() == "proxy") {
            proxies.extend(proxy(path, name.trim(), value.trim()));
        }
    }
    let parts = reading.list("/etc/apt/apt.conf.d")?.unwrap_or_default().into_iter();
    let parts = parts
        .take(1_000)
        .map(|entry| format!("/etc/apt/apt.conf.d/{}", entry.name));
    for path in std::iter::once("/etc/apt/apt.conf".to_owned()).chain(parts) {
        let Some(text) = text(reading, &path)? else { continue };
        proxies.extend(apt(&path, &text));
    }
    proxies.order();
    proxies.dedup();
    proxies.truncate(MAX_PROXIES);
    Ok(proxies)
}

fn text(reading: &Reading<'_>, path: &str) -> Result<Option<String>, Unread> {
    let bytes = reading.private(path, path)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// `Acquire::http::Proxy "http://host:port/";`, whole or with the name spread over braces.
fn apt(path: &str, text: &str) -> Vec<Proxy> {
    let mut proxies = Vec::new();
    let mut scopes: Vec<String> = Vec::new();
    for line in text.lines().take(100_000) {
        let line = line.trim();
        if line.starts_with("//") || line.starts_with('#') {
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.find(['{', '}', ';']) {
            let (before, after) = rest.split_at(at);
            let mut characters = after.chars();
            let mark = characters.next();
            // A semicolon or brace within quotes belongs to the value.
            if before.matches('"').count() % 2 == 1 {
                break;
            }
            match mark {
                Some('{') => scopes.push(before.trim().to_ascii_lowercase()),
                Some('}') => {
                    scopes.pop();
                }
                _ => {
                    if let Some((name, value)) = before.trim().split_once(char::is_whitespace) {
                        let name = scopes
                            .iter()
                            .map(String::as_str)
                            .chain([name])
                            .collect::<Vec<_>>()
                            .join("::");
                        let lower = name.to_ascii_lowercase();
                        let is_proxy = lower.starts_with("acquire::") && lower.strip_suffix("::proxy").is_some();
                        if is_proxy {
                            proxies.extend(proxy(path, &lower, value.trim().trim_matches('"')));
                        }
                    }
                }
            }
            rest = characters.as_str();
            if scopes.len() > 50 {
                return proxies;
            }
        }
    }
    proxies
}

/// `scheme://user:password@host:port/path`, any part but the host left out.
fn proxy(file: &str, setting: &str, value: &str) -> Option<Proxy> {
    if value.is_empty() {
        return None;
    }
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may hold an `@` and, written wrongly, a slash: what is after the last one is the host.
    let (credentials, host) = match rest.rsplit_once('@') {
        Some((_, host)) => (true, host.split(['/', '?', '#']).next().unwrap_or_default()),
        None => (false, authority),
    };
    let host = if value.eq_ignore_ascii_case("direct") { "" } else { host };
    Some(Proxy {
        file: file.to_owned(),
        setting: setting.to_owned(),
        host: host.to_owned(),
        credentials,
    })
}

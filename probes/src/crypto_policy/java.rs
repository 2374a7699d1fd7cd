//! Java runtimes: `java.security`, a properties file.

use std::collections::BTreeSet;

use super::facts::Java;
use crate::order::Order as _;
use crate::reading::{Reading, Unread, globs};

/// Where Debian, the RPM family and builds of vendors keep it. What several of these find is one file.
const PATTERNS: [&str; 5] = [
    "/etc/java-*/security/java.security",
    "/etc/java/*/*/conf/security/java.security",
    "/etc/java/*/*/lib/security/java.security",
    "/usr/lib/jvm/*/conf/security/java.security",
    "/usr/lib/jvm/*/jre/lib/security/java.security",
];
/// More runtimes than anybody installs.
const MAX_RUNTIMES: usize = 50;

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Java>, Unread> {
    let (mut runtimes, mut seen) = (vec![], BTreeSet::new());
    for pattern in PATTERNS {
        for path in globs::files(reading, pattern, MAX_RUNTIMES)? {
            let Some(stat) = reading.stat(&path)? else { continue };
            // Links from one to the other are usual; the same inode of the same size is the same file.
            let known = stat.inode != 0 && !seen.insert((stat.inode, stat.size));
            if known || runtimes.len() >= MAX_RUNTIMES {
                continue;
            }
            if let Some(bytes) = reading.file(&path)? {
                runtimes.push(runtime(path, &String::from_utf8_lossy(&bytes)));
            }
        }
    }
    runtimes.order();
    Ok(runtimes)
}

fn runtime(path: String, text: &str) -> Java {
    let (mut tls, mut certpath, mut system) = (None, None, None);
    for (name, value) in properties(text) {
        let list = || {
            let parts = value
                .split(',')
                .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
            Some(parts.filter(|part| !part.is_empty()).collect::<Vec<_>>())
        };
        match name.as_str() {
            "jdk.tls.disabledAlgorithms" => tls = list(),
            "jdk.certpath.disabledAlgorithms" => certpath = list(),
            "security.useSystemPropertiesFile" => system = Some(value.eq_ignore_ascii_case("true")),
            _ => {}
        }
    }
    Java {
        path,
        tls_disabled: tls,
        certpath_disabled: certpath,
        follows_system_policy: system,
    }
}

/// `name=value`, continued behind a backslash (`java.util.Properties`).
fn properties(text: &str) -> Vec<(String, String)> {
    let mut properties = vec![];
    let mut open: Option<String> = None;
    for line in text.lines() {
        let line = line.trim_start();
        if open.is_none() && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let (part, continued) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        let logical = open.take().unwrap_or_default() + part;
        if continued {
            open = Some(logical);
        } else if let Some((name, value)) = logical.split_once(['=', ':']) {
            properties.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    properties
}

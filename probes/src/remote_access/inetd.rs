//! inetd.conf(5) and xinetd.conf(5): services that they start when somebody connects.

use std::collections::BTreeSet;

use super::facts::InetdService;
use crate::reading::{Kind, Reading, Unread};

/// Services that are kept, and files that are looked at.
const MAX: usize = 500;

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<InetdService>, Unread> {
    let mut services = BTreeSet::new();
    for path in files(reading, &["/etc/inetd.conf"], "/etc/inetd.d")? {
        let text = reading.file(&path)?.unwrap_or_default();
        services.extend(inetd(&path, &String::from_utf8_lossy(&text)));
    }
    for path in files(reading, &["/etc/xinetd.conf"], "/etc/xinetd.d")? {
        let text = reading.file(&path)?.unwrap_or_default();
        services.extend(xinetd(&path, &String::from_utf8_lossy(&text)));
    }
    Ok(services.into_iter().take(MAX).collect())
}

fn files(reading: &Reading<'_>, first: &[&str], folder: &str) -> Result<Vec<String>, Unread> {
    let mut files: Vec<_> = first.iter().map(|path| (*path).to_owned()).collect();
    for entry in reading.list(folder)?.unwrap_or_default().into_iter().take(MAX) {
        // xinetd skips names with a dot in them or a tilde at their end.
        if entry.kind == Kind::File && !entry.name.contains('.') && !entry.name.ends_with('~') {
            files.push(format!("{folder}/{}", entry.name));
        }
    }
    Ok(files)
}

/// `service socket-type protocol wait user program arguments`; `#<off># ` of Debian's update-inetd(8) is a comment too.
fn inetd(path: &str, text: &str) -> Vec<InetdService> {
    let service = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (name, _, protocol, _, user, server) = (
            words.next()?,
            words.next()?,
            words.next()?,
            words.next()?,
            words.next()?,
            words.next()?,
        );
        Some(InetdService {
            service: name.to_owned(),
            protocol: protocol.to_owned(),
            user: user.split(['.', ':', '/']).next().unwrap_or_default().to_owned(),
            server: server.to_owned(),
            file: path.to_owned(),
        })
    };
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(service).take(MAX).collect()
}

/// `service NAME` and a block of `attribute = values` in braces; on unless `disable = yes`.
fn xinetd(path: &str, text: &str) -> Vec<InetdService> {
    let mut services = Vec::new();
    let mut open: Option<(InetdService, bool)> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("service ") {
            let service = InetdService {
                service: name.trim_end_matches('{').trim().to_owned(),
                protocol: String::new(),
                user: String::new(),
                server: "internal".to_owned(),
                file: path.to_owned(),
            };
            open = Some((service, true));
        } else if line.starts_with('}') {
            services.extend(open.take().filter(|(_, on)| *on).map(|(service, _)| service));
        } else if let (Some((service, on)), Some((name, value))) = (open.as_mut(), line.split_once('=')) {
            let value = value.trim().to_owned();
            match name.trim_end_matches(['+', '-']).trim() {
                "disable" => *on = !value.eq_ignore_ascii_case("yes"),
                "protocol" => service.protocol = value,
                "user" => service.user = value,
                "server" => service.server = value,
                _ => {}
            }
        }
        if services.len() >= MAX {
            break;
        }
    }
    services
}

//! How systemd starts sshd: links in `/etc/systemd/system`, as systemctl(1) makes them when it enables or masks a unit.

use super::facts::Service;
use crate::probe::{Known, NotKnown};
use crate::reading::{Kind, Reading, Unread};
use evidence::facts::Outcome;

const FOLDER: &str = "/etc/systemd/system";
/// Debian's name and that of everybody else.
const SERVICES: [&str; 2] = ["ssh.service", "sshd.service"];
const SOCKETS: [&str; 2] = ["ssh.socket", "sshd.socket"];

/// Looks at the links.
pub(super) fn read(reading: &Reading<'_>) -> Known<Service> {
    match find(reading) {
        Ok(Some(service)) => Known::Observed(service),
        Ok(None) => Known::Not(NotKnown {
            outcome: Outcome::Absent,
            detail: format!("{FOLDER} is not there"),
        }),
        Err(unread) => Known::unread(&unread),
    }
}

fn find(reading: &Reading<'_>) -> Result<Option<Service>, Unread> {
    let Some(units) = reading.list(FOLDER)? else {
        return Ok(None);
    };
    let mut service = Service {
        enabled: false,
        socket_enabled: false,
        masked: false,
    };
    for unit in &units {
        let name = unit.name.as_str();
        if unit.kind == Kind::Link && SERVICES.contains(&name) {
            let target = reading.link(&format!("{FOLDER}/{name}"))?;
            service.masked |= target.as_deref() == Some("/dev/null");
        }
        let dependencies = name.rsplit_once('.').map(|(_, kind)| kind);
        if matches!(dependencies, Some("wants" | "requires")) {
            let wanted = reading.list(&format!("{FOLDER}/{name}"))?.unwrap_or_default();
            service.enabled |= wanted.iter().any(|unit| SERVICES.contains(&unit.name.as_str()));
            service.socket_enabled |= wanted.iter().any(|unit| SOCKETS.contains(&unit.name.as_str()));
        }
    }
    Ok(Some(service))
}

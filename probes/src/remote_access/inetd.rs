//! inetd.conf(5) and xinetd.conf(5).

use super::facts::InetdService;
use crate::formats::included;
use crate::reading::{Reading, Unread};

const INETD: [&str; 1] = ["/etc/inetd.conf"];
const INETD_D: &str = "/etc/inetd.d/*";
const XINETD: &str = "/etc/xinetd.conf";
const XINETD_D: &str = "/etc/xinetd.d/*";
const MAX_SERVICES: usize = 1_000;

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<InetdService>, Unread> {
    let mut found = vec![];
    let mut files: Vec<String> = INETD.map(str::to_owned).to_vec();
    files.extend(included::files(reading, INETD_D)?);
    for file in files {
        let text = reading.text(&file)?.unwrap_or_default();
        found.extend(text.lines().filter_map(|line| inetd_line(line, &file)));
    }
    let mut files = vec![XINETD.to_owned()];
    files.extend(included::files(reading, XINETD_D)?);
    for file in files {
        let text = reading.text(&file)?.unwrap_or_default();
        found.extend(xinetd(&text, &file));
    }
    found.sort();
    found.truncate(MAX_SERVICES);
    Ok(found)
}

/// `service type protocol wait user program arguments`; Debian switches one off with `#<off>#`.
fn inetd_line(line: &str, file: &str) -> Option<InetdService> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_ascii_whitespace();
    let (service, _, protocol) = (fields.next()?, fields.next()?, fields.next()?);
    let (_, _, mut program) = (fields.next()?, fields.next()?, fields.next()?);
    // tcpd(8) starts the program after it.
    if program.ends_with("/tcpd") {
        program = fields.next().unwrap_or(program);
    }
    Some(InetdService {
        service: service.to_owned(),
        protocol: protocol.to_owned(),
        program: program.to_owned(),
        file: file.to_owned(),
    })
}

/// Blocks `service NAME { attribute = value }`; one with `disable = yes` is off.
fn xinetd(text: &str, file: &str) -> Vec<InetdService> {
    let mut found = vec![];
    let mut open: Option<(InetdService, bool)> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("service ") {
            let service = InetdService {
                service: name.trim_end_matches('{').trim().to_owned(),
                protocol: String::new(),
                program: "internal".to_owned(),
                file: file.to_owned(),
            };
            open = Some((service, true));
        } else if line.starts_with('}') {
            found.extend(open.take().and_then(|(service, on)| on.then_some(service)));
        } else if let (Some((service, on)), Some((name, value))) = (open.as_mut(), line.split_once('=')) {
            let value = value.trim();
            match name.trim() {
                "disable" => *on = value != "yes",
                "protocol" => value.clone_into(&mut service.protocol),
                "server" => value.clone_into(&mut service.program),
                _ => {}
            }
        }
    }
    found
}

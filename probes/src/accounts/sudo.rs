//! Rights by sudo: what is installed, which files decide, and what they come to.

use evidence::facts::Outcome;

use super::directory::Directory;
use super::facts::{GrantText, Sudo, SudoersFile};
use super::settings::{self, NameServices, SudoConf};
use super::sudoers::files::{self, Read};
use super::sudoers::rights::{Rights, rights};
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

/// Where sudo is, from a package and built by hand.
const PROGRAMS: [&str; 2] = ["/usr/bin/sudo", "/usr/local/bin/sudo"];

/// What the probe tells of sudo, and its names.
pub(super) struct Found {
    pub(super) sudo: Known<Sudo>,
    pub(super) texts: Vec<GrantText>,
    pub(super) paths: Vec<String>,
}

impl Found {
    fn not(why: NotKnown) -> Self {
        Self {
            sudo: Known::Not(why),
            texts: vec![],
            paths: vec![],
        }
    }

    fn nothing(installed: bool, files_decide: Known<bool>) -> Self {
        Self {
            sudo: Known::Observed(Sudo {
                installed,
                users: vec![],
                grants: vec![],
                defaults: vec![],
                files: vec![],
                unresolved_subjects: 0,
                files_decide,
            }),
            texts: vec![],
            paths: vec![],
        }
    }
}

/// Looks for sudo and reads its files.
pub(super) fn read(
    reading: &Reading<'_>,
    directory: &Directory<'_>,
    services: &Result<Option<NameServices>, Unread>,
) -> Found {
    match find(reading, directory, services) {
        Ok(found) => found,
        Err(unread) => Found::not(not_known(&unread)),
    }
}

fn find(
    reading: &Reading<'_>,
    directory: &Directory<'_>,
    services: &Result<Option<NameServices>, Unread>,
) -> Result<Found, Unread> {
    let mut installed = false;
    for program in PROGRAMS {
        installed |= reading.stat(program)?.is_some();
    }
    let conf = reading
        .text("/etc/sudo.conf")?
        .map(|text| settings::sudo_conf(&text))
        .unwrap_or_default();
    let files_decide = files_decide(&conf, services);
    if !installed {
        return Ok(Found::nothing(false, files_decide));
    }
    // Whether a grant is meant for this host hangs on its name; without one it is not known.
    let host = reading.attribute("/proc/sys/kernel/hostname")?;
    let host = match host {
        Some(name) => Some(name),
        None => reading
            .text("/etc/hostname")?
            .and_then(|text| text.lines().next().map(str::to_owned)),
    };
    let host = host.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let short = host.and_then(|name| name.split('.').next()).unwrap_or_default();
    let main = conf.main.as_deref().unwrap_or(files::MAIN);
    let Some(read) = files::read(reading, main, short)? else {
        return Ok(Found::nothing(true, files_decide));
    };
    if let Some(why) = incomplete(&read) {
        return Ok(Found::not(why));
    }
    let rights = match rights(&read, directory, host) {
        Ok(rights) => rights,
        Err(error) => {
            return Ok(Found::not(NotKnown {
                outcome: Outcome::Unsupported,
                detail: format!("{main}: {error}"),
            }));
        }
    };
    let Rights {
        grants,
        texts,
        users,
        defaults,
    } = rights;
    let unresolved_subjects = grants
        .iter()
        .map(|grant| grant.subjects.unresolved)
        .fold(0, u32::saturating_add);
    let mut files = vec![];
    for file in &read.files {
        if let Some(stat) = reading.private_stat(&file.path, &file.shown)? {
            files.push(SudoersFile {
                path: file.shown.clone(),
                mode: format!("{:04o}", stat.mode),
                uid: stat.uid,
                gid: stat.gid,
            });
        }
    }
    Ok(Found {
        sudo: Known::Observed(Sudo {
            installed: true,
            users,
            grants,
            defaults,
            files,
            unresolved_subjects,
            files_decide,
        }),
        texts,
        paths: read.files.iter().map(|file| file.path.to_string()).collect(),
    })
}

/// Why the rights are not known although the files are there: what was not read or not understood may be any right.
/// sudo leaves out an entry that it does not understand, but another version of it may.
fn incomplete(read: &Read) -> Option<NotKnown> {
    if let Some(unread) = read.unread.first() {
        return Some(not_known(unread));
    }
    let first = read.refusals.first()?;
    let file = read.files.iter().find(|file| file.path == first.place.path);
    let shown = file.map_or(files::MAIN, |file| file.shown.as_str());
    let more = match read.refusals.len() {
        1 => String::new(),
        count => format!(" ({count} such entries)"),
    };
    Some(NotKnown {
        outcome: Outcome::Malformed,
        detail: format!("{shown}:{}: {}{more}", first.place.line, first.reason),
    })
}

fn files_decide(conf: &SudoConf, services: &Result<Option<NameServices>, Unread>) -> Known<bool> {
    match services {
        _ if conf.other_policy => Known::Observed(false),
        // Without the file, or without a line in it, sudo asks its files alone.
        Ok(services) => Known::Observed(
            services
                .as_ref()
                .is_none_or(|services| services.others("sudoers").is_empty()),
        ),
        Err(unread) => Known::unread(unread),
    }
}

fn not_known(unread: &Unread) -> NotKnown {
    NotKnown {
        outcome: unread.outcome(),
        detail: unread.to_string(),
    }
}

//! Rights by sudo: what is installed, which files decide, and what they come to.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::directory::Directory;
use super::facts::{GrantText, Sudo, SudoersFile, Unparsed};
use super::settings::{self, NameServices, SudoConf};
use super::sudoers::Refusal;
use super::sudoers::files::{self, Read};
use super::sudoers::rights::{Rights, rights};
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

/// Where sudo is, from a package and built by hand.
const PROGRAMS: [&str; 2] = ["/usr/bin/sudo", "/usr/local/bin/sudo"];

/// Enough to find what is wrong.
const MAX_UNPARSED: usize = 100;

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
                unparsed: vec![],
                unread: vec![],
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
    let unread: BTreeSet<String> = read.unread.iter().map(ToString::to_string).collect();
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
            unparsed: unparsed(&read),
            unread: unread.into_iter().collect(),
            unresolved_subjects,
            files_decide,
        }),
        texts,
        paths: read.files.iter().map(|file| file.path.to_string()).collect(),
    })
}

/// Entries that were left out, as the facts show them.
fn unparsed(read: &Read) -> Vec<Unparsed> {
    let shown = |refusal: &Refusal| {
        let file = read.files.iter().find(|file| file.path == refusal.place.path);
        Unparsed {
            path: file.map_or_else(String::new, |file| file.shown.clone()),
            line: refusal.place.line,
            reason: refusal.reason.to_owned(),
        }
    };
    read.refusals.iter().take(MAX_UNPARSED).map(shown).collect()
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

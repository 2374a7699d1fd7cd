//! What is installed, which files decide, and what they come to.

use evidence::facts::Outcome;

use super::conf::{SudoConf, sudo_conf};
use super::doas;
use super::facts::{Settings, Sudo, SudoNames, SudoersFile};
use super::installed::Installed;
use super::settings::settings;
use super::sudoers::files::{self, Read};
use super::sudoers::rights::rights;
use crate::accounts::local::LocalAccounts;
use crate::probe::{Collected, Known, ProbeError};
use crate::reading::Reading;

pub(super) fn collect(reading: &Reading<'_>) -> Result<Collected<Sudo, SudoNames>, ProbeError> {
    let accounts = LocalAccounts::read(reading)?.ok_or_else(|| ProbeError::absent("/etc/passwd"))?;
    let directory = accounts.directory();
    let mut sudo = Sudo {
        installed: false,
        implementations: vec![],
        users: vec![],
        grants: vec![],
        defaults: vec![],
        settings: Settings::default(),
        files: vec![],
        unresolved_subjects: 0,
        files_decide: Known::Observed(true),
        doas: doas::read(reading, &directory),
    };
    let mut names = SudoNames {
        sudo_grants: vec![],
        sudoers_files: vec![],
    };
    let installed = Installed::read(reading)?;
    sudo.implementations = installed.implementations();
    sudo.installed = !sudo.implementations.is_empty();
    let conf = match reading.text("/etc/sudo.conf")? {
        Some(text) => Some(text),
        None => reading.text("/usr/etc/sudo.conf")?,
    };
    let conf = conf.map(|text| sudo_conf(&text)).unwrap_or_default();
    let main = installed.policy(reading, &conf)?;
    sudo.files_decide = match files_decide(&conf, &accounts) {
        Known::Observed(_) if main.others => Known::Observed(false),
        decide => decide,
    };
    if !sudo.installed {
        return Ok(done(sudo, names));
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
    let main = main.path.as_str();
    let Some(read) = files::read(reading, main, short)? else {
        return Ok(done(sudo, names));
    };
    complete(&read)?;
    let rights = rights(&read, &directory, host).map_err(|error| ProbeError {
        outcome: Outcome::Unsupported,
        detail: format!("{main}: {error}"),
    })?;
    sudo.unresolved_subjects = rights
        .grants
        .iter()
        .map(|grant| grant.subjects.unresolved)
        .fold(0, u32::saturating_add);
    sudo.settings = settings(&read.policy, host);
    for file in &read.files {
        if let Some(stat) = reading.private_stat(&file.path, &file.shown)? {
            sudo.files.push(SudoersFile {
                path: file.shown.clone(),
                mode: format!("{:04o}", stat.mode),
                uid: stat.uid,
                gid: stat.gid,
            });
        }
    }
    sudo.users = rights.users;
    sudo.grants = rights.grants;
    sudo.defaults = rights.defaults;
    names.sudo_grants = rights.texts;
    names.sudoers_files = read.files.iter().map(|file| file.path.to_string()).collect();
    Ok(done(sudo, names))
}

fn done(facts: Sudo, names: SudoNames) -> Collected<Sudo, SudoNames> {
    Collected {
        facts,
        names,
        detail: String::new(),
    }
}

/// An error if the rights are not known although the files are there: what was not read or not understood may be any
/// right. sudo leaves out an entry that it does not understand, but another version of it may.
fn complete(read: &Read) -> Result<(), ProbeError> {
    if let Some(unread) = read.unread.first() {
        return Err(unread.clone().into());
    }
    let Some(first) = read.refusals.first() else {
        return Ok(());
    };
    let file = read.files.iter().find(|file| file.path == first.place.path);
    let shown = file.map_or(files::MAIN, |file| file.shown.as_str());
    let more = match read.refusals.len() {
        1 => String::new(),
        count => format!(" ({count} such entries)"),
    };
    Err(ProbeError::malformed(
        &format!("{shown}:{}", first.place.line),
        format!("{}{more}", first.reason),
    ))
}

fn files_decide(conf: &SudoConf, accounts: &LocalAccounts) -> Known<bool> {
    match &accounts.services {
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

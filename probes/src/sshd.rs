//! # What
//! The settings of the OpenSSH server for every kind of connection that its configuration tells apart, its host keys,
//! and how it is started.
//!
//! # Source
//! `sshd -T` and `sshd -T -C` (sshd(8)), which is the authority; sshd_config(5) for `Match` and `Include`; RFC 4253 6.6,
//! RFC 5656 and RFC 8709 for public keys; systemd.unit(5) and systemd.service(5) for how it is started; proc_pid_comm(5),
//! proc_pid_cmdline(5) and `PidFile` for the process that runs.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`, in the ambient set so that sshd has it too: sshd tells its settings only if it can load its
//! host keys.
//!
//! # Bears on
//! A.8.5 (secure authentication), A.8.24 (use of cryptography), A.8.20 (networks security), A.8.2 (privileged access),
//! A.8.9 (configuration management).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod config;
mod connection;
mod effective;
mod facts;
pub(crate) mod hostkey;
mod options;
mod output;
pub(crate) mod patterns;
mod running;
mod service;
mod settings;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

use config::{Block, Config};
use connection::Members;
pub use facts::*;
use options::Options;
use output::Printed;
use service::Service;

use crate::accounts::{group, passwd};
use crate::formats::systemd::SYSTEMCTL;
use crate::order::{IntoMap as _, Order as _};
use crate::probe::{Budget, Cadence, Collected, Known, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

/// The server; where every distribution puts it.
const SSHD: &str = "/usr/sbin/sshd";

/// Runs of sshd for `Match` blocks, 11 ms of CPU each. Blocks beyond are `skipped`.
const MAX_RUNS: usize = 32;

/// The probe.
pub struct SshdProbe;

impl Probe for SshdProbe {
    const SPEC: Spec = Spec {
        id: "sshd",
        version: 2,
        title: "Effective settings of the OpenSSH server, for each of its Match blocks too, its host keys, and whether what runs has read them",
        reads: &[
            "/etc/ssh/sshd_config and what it includes",
            "/etc/ssh/ssh_host_*_key.pub",
            "/usr/etc/ssh/sshd_config",
            "unit files of systemd, and the files of variables that they name",
            "/etc/default/ssh, /etc/sysconfig/sshd, /etc/sysconfig/ssh or /etc/conf.d/sshd",
            "/run/sshd.pid (PidFile), name and command line of its process",
            "/etc/passwd and /etc/group, for members of groups in Match blocks",
            "sshd -T",
            "systemctl list-units",
        ],
        runs: &[SSHD, SYSTEMCTL],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/ssh/",
            "/etc/ssh/sshd_config.d/",
            "/etc/default/",
            "/etc/sysconfig/",
            "/etc/systemd/system/",
            "/run/sshd.pid",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "What a running sshd read that has other settings than are configured now: that it has is said.",
            "Options given to sshd by other than its unit or its service's options file.",
            "Other SSH servers, sshd under another path, and a second sshd with a configuration of its own.",
            "What PAM, authorized_keys files and key commands allow beyond the settings.",
        ],
    };

    type Facts = Sshd;
    type Names = SshdNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Sshd, SshdNames>, ProbeError> {
        if reading.stat(SSHD)?.is_none() {
            return Ok(not_installed());
        }
        let service = Service::read(reading);
        let options = service.options;
        let config = config::read(reading, &options.clone().ok().flatten().unwrap_or_default());
        let everybody = match &options {
            Ok(options) => effective::everybody(reading, &options.clone().unwrap_or_default()),
            Err(why) => Err(why.clone()),
        };
        let (match_blocks, match_lines) = match &config {
            Ok(config) => {
                let options = options.clone().ok().flatten().unwrap_or_default();
                let (blocks, lines) = match_blocks(reading, &options, config, &everybody);
                (Known::Observed(blocks), lines)
            }
            Err(error) => (error.known(), vec![]),
        };
        let files = config.as_ref().map(|config| config.files.clone()).unwrap_or_default();
        let pid_file = everybody
            .as_ref()
            .ok()
            .and_then(|printed| printed.lines.get("pidfile")?.first());
        let running = match &config {
            _ if service.each_connection => running::each_connection(),
            Ok(config) => running::read(
                reading,
                pid_file.map_or(running::PID_FILE, String::as_str),
                config,
                service.command.as_deref(),
            ),
            Err(error) => error.known(),
        };
        let facts = Sshd {
            installed: true,
            match_blocks,
            configured: match &config {
                Ok(config) => Known::Observed(shown(&config.settings)),
                Err(error) => error.known(),
            },
            service_options: match options {
                Ok(Some(options)) => Known::Observed(options.shown),
                Ok(None) => absent("neither a unit nor a file with options for the service is there"),
                Err(why) => Known::Not(why),
            },
            config_files: config_files(reading, &files)?,
            host_keys: host_keys(reading, everybody.as_ref().ok()),
            units: service.units,
            running,
            effective: known(everybody.as_ref().map(|printed| printed.settings.clone())),
        };
        let names = SshdNames {
            access_lists: known(everybody.as_ref().map(|printed| printed.access_lists.clone())),
            match_lines,
        };
        Ok(Collected {
            facts,
            names,
            detail: String::new(),
        })
    }
}

/// What the main configuration file and its includes set before the first `Match`, by lower-case keyword, and which
/// keywords `Match` blocks set: for probes that follow a setting without asking sshd.
pub(crate) struct Configured {
    pub(crate) settings: BTreeMap<String, Vec<String>>,
    pub(crate) in_blocks: BTreeSet<String>,
}

/// Reads it; nothing if there is no configuration.
pub(crate) fn configured(reading: &Reading<'_>) -> Result<Option<Configured>, NotKnown> {
    let options = Service::read(reading).options?.unwrap_or_default();
    match config::read(reading, &options) {
        Ok(config) => Ok(Some(Configured {
            settings: config.settings,
            in_blocks: config.blocks.into_iter().flat_map(|block| block.sets).collect(),
        })),
        Err(error) => match error.known::<()>() {
            Known::Not(why) if why.outcome == Outcome::Absent => Ok(None),
            Known::Not(why) => Err(why),
            Known::Observed(()) => Ok(None),
        },
    }
}

fn absent<T>(detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.to_owned(),
    })
}

fn known<T>(result: Result<T, &NotKnown>) -> Known<T> {
    match result {
        Ok(value) => Known::Observed(value),
        Err(why) => Known::Not(why.clone()),
    }
}

fn not_installed() -> Collected<Sshd, SshdNames> {
    const WHY: &str = "/usr/sbin/sshd is not there";
    Collected {
        facts: Sshd {
            installed: false,
            effective: absent(WHY),
            match_blocks: absent(WHY),
            configured: absent(WHY),
            service_options: absent(WHY),
            config_files: vec![],
            host_keys: absent(WHY),
            units: absent(WHY),
            running: absent(WHY),
        },
        names: SshdNames {
            access_lists: absent(WHY),
            match_lines: vec![],
        },
        detail: String::new(),
    }
}

/// Asks sshd about every block.
fn match_blocks(
    reading: &Reading<'_>,
    options: &Options,
    config: &Config,
    everybody: &Result<Printed, NotKnown>,
) -> (Vec<MatchBlock>, Vec<MatchLine>) {
    let members = members(reading, &config.blocks);
    let asked = |(number, block): (usize, &Block)| {
        let connection = connection_for(&config.blocks, number, &members);
        let printed = match (everybody, &connection) {
            (Err(why), _) | (Ok(_), Err(why)) => Err(why.clone()),
            (Ok(_), Ok(_)) if number >= MAX_RUNS => Err(NotKnown {
                outcome: Outcome::Skipped,
                detail: format!("more than {MAX_RUNS} Match blocks"),
            }),
            (Ok(_), Ok(connection)) => effective::meeting(reading, options, connection, block),
        };
        let line = MatchLine {
            path: block.path.clone(),
            line: block.line,
            text: block.text.clone(),
            connection: connection.map(|connection| connection.argument()).unwrap_or_default(),
            access_lists: printed
                .as_ref()
                .map(|printed| printed.access_lists.clone())
                .unwrap_or_default(),
        };
        let mut criteria: Vec<String> = block.criteria.iter().map(|criterion| criterion.kind.clone()).collect();
        criteria.order();
        criteria.dedup();
        let block = MatchBlock {
            path: block.path.clone(),
            line: block.line,
            criteria,
            sets: block.sets.iter().cloned().collect(),
            differs_in: match (everybody, &printed) {
                (Ok(everybody), Ok(printed)) => differences(everybody, printed),
                _ => vec![],
            },
            effective: known(printed.as_ref().map(|printed| printed.settings.clone())),
        };
        (block, line)
    };
    config.blocks.iter().enumerate().map(asked).unzip()
}

fn connection_for(
    blocks: &[Block],
    number: usize,
    members: &Result<Members, Unread>,
) -> Result<connection::Connection, NotKnown> {
    let members = members.as_ref().map_err(|unread| NotKnown {
        outcome: unread.outcome(),
        detail: format!("members of groups are not known: {unread}"),
    })?;
    connection::meeting(blocks, number, members).map_err(|reason| NotKnown {
        outcome: Outcome::Unsupported,
        detail: reason,
    })
}

/// Members of groups, if any block asks for them.
fn members(reading: &Reading<'_>, blocks: &[Block]) -> Result<Members, Unread> {
    let mut criteria = blocks.iter().flat_map(|block| &block.criteria);
    if !criteria.any(|criterion| criterion.kind == "group") {
        return Ok(Members::default());
    }
    let read = |path: &str| Ok(reading.private(path, path)?.unwrap_or_default());
    let (users, groups) = (read("/etc/passwd")?, read("/etc/group")?);
    let too_many = |path: &str| Unread::Failed {
        place: path.to_owned(),
        reason: "too many lines".to_owned(),
    };
    let users = passwd::parse(&users).map_err(|_| too_many("/etc/passwd"))?;
    let groups = group::parse(&groups).map_err(|_| too_many("/etc/group"))?;
    Ok(Members::new(&users.entries, &groups.entries))
}

/// Keywords that differ, sorted.
fn differences(everybody: &Printed, printed: &Printed) -> Vec<String> {
    let mut keywords: Vec<&String> = everybody.lines.keys().chain(printed.lines.keys()).collect();
    keywords.order();
    keywords.dedup();
    let differ = |keyword: &&&String| everybody.lines.get(**keyword) != printed.lines.get(**keyword);
    keywords
        .iter()
        .filter(differ)
        .map(|keyword| (*keyword).clone())
        .collect()
}

/// Settings without what names people.
fn shown(settings: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let shown = |(keyword, values): (&String, &Vec<String>)| {
        let hidden = output::withheld(keyword);
        let values = values
            .iter()
            .map(|value| if hidden { "set".to_owned() } else { value.clone() });
        (keyword.clone(), values.collect())
    };
    settings.iter().map(shown).into_map()
}

fn config_files(reading: &Reading<'_>, paths: &[String]) -> Result<Vec<ConfigFile>, Unread> {
    let mut files = vec![];
    for path in paths {
        if let Some(stat) = reading.stat(path)? {
            files.push(ConfigFile {
                path: path.clone(),
                mode: format!("{:04o}", stat.mode),
                uid: stat.uid,
                gid: stat.gid,
            });
        }
    }
    Ok(files)
}

/// The keys that sshd names, else those of the default names.
fn host_keys(reading: &Reading<'_>, printed: Option<&Printed>) -> Known<Vec<HostKey>> {
    const FOLDER: &str = "/etc/ssh";
    let mut paths = match printed {
        Some(printed) => printed.settings.host_keys.clone(),
        None => match reading.list(FOLDER) {
            Ok(entries) => entries
                .unwrap_or_default()
                .iter()
                .filter_map(|entry| entry.name.strip_suffix(".pub"))
                .filter(|name| name.starts_with("ssh_host_") && name.ends_with("_key"))
                .map(|name| format!("{FOLDER}/{name}"))
                .collect(),
            Err(unread) => return Known::unread(&unread),
        },
    };
    paths.order();
    paths.dedup();
    Known::Observed(paths.into_iter().map(|path| host_key(reading, path)).collect())
}

fn host_key(reading: &Reading<'_>, path: String) -> HostKey {
    let public_path = format!("{path}.pub");
    let public = match reading.text(&public_path) {
        Ok(Some(text)) => match hostkey::parse(&text) {
            Ok(key) => Known::Observed(key),
            Err(reason) => Known::Not(NotKnown {
                outcome: Outcome::Malformed,
                detail: format!("{public_path}: {reason}"),
            }),
        },
        Ok(None) => absent(&format!("{public_path} is not there")),
        Err(unread) => Known::unread(&unread),
    };
    let private_file = match reading.stat(&path) {
        Ok(Some(stat)) => Known::Observed(KeyFile {
            mode: format!("{:04o}", stat.mode),
            uid: stat.uid,
            gid: stat.gid,
            readable_by_others: stat.mode & 0o044 != 0,
        }),
        Ok(None) => absent(&format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    };
    HostKey {
        path,
        public,
        private_file,
    }
}

#[cfg(test)]
mod tests;

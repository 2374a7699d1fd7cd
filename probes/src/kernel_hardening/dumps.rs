//! Core dumps: core(5), coredump.conf(5), limits.conf(5).

use super::facts::{CoreDumps, CoreLimit, CorePattern, CorePatternKind};
use crate::formats::sysctl;
use crate::formats::systemd::Settings;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// Limits that are kept.
const MAX_LIMITS: usize = 100;
const MAX_FILES: usize = 200;

pub(super) fn core_pattern(reading: &Reading<'_>) -> Known<CorePattern> {
    let text = match sysctl::now(reading, "kernel/core_pattern") {
        Ok(Some(text)) => text,
        Ok(None) => return Known::absent("/proc/sys/kernel/core_pattern is not there"),
        Err(unread) => return Known::unread(&unread),
    };
    let (kind, program) = match text.strip_prefix('|') {
        Some(command) => (
            CorePatternKind::Pipe,
            command.split_ascii_whitespace().next().unwrap_or_default(),
        ),
        None if text.is_empty() => (CorePatternKind::None, ""),
        None if text.starts_with('/') => (CorePatternKind::AbsoluteFile, ""),
        None => (CorePatternKind::RelativeFile, ""),
    };
    Known::Observed(CorePattern {
        kind,
        program: program.to_owned(),
    })
}

pub(super) fn read(reading: &Reading<'_>) -> Result<CoreDumps, Unread> {
    let coredump = Settings::read(reading, "coredump")?;
    let system = Settings::read(reading, "system")?;
    let get = |name: &str| coredump.get("Coredump", name).unwrap_or_default().to_owned();
    let mut dumps = CoreDumps {
        storage: get("Storage"),
        process_size_max: get("ProcessSizeMax"),
        default_limit: system.get("Manager", "DefaultLimitCORE").unwrap_or_default().to_owned(),
        limits: vec![],
        other_limits: 0,
    };
    let mut paths = vec!["/etc/security/limits.conf".to_owned()];
    for entry in reading
        .list("/etc/security/limits.d")?
        .unwrap_or_default()
        .into_iter()
        .take(MAX_FILES)
    {
        if entry.kind != Kind::Folder && entry.name.strip_suffix(".conf").is_some() {
            paths.push(format!("/etc/security/limits.d/{}", entry.name));
        }
    }
    for path in paths {
        let text = reading.file(&path)?.unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            let (Some(domain), Some(kind), Some("core"), Some(value)) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                continue;
            };
            if matches!(domain, "*" | "root") && dumps.limits.len() < MAX_LIMITS {
                dumps.limits.push(CoreLimit {
                    domain: domain.to_owned(),
                    kind: kind.to_owned(),
                    value: value.to_owned(),
                });
            } else {
                dumps.other_limits += 1;
            }
        }
    }
    Ok(dumps)
}

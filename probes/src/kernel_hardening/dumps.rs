//! Core dumps: core(5), coredump.conf(5), limits.conf(5).

use super::facts::{CoreDumps, CoreLimit, CorePattern, CorePatternKind};
use crate::formats::limits;
use crate::formats::sysctl;
use crate::formats::systemd::Settings;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// Limits that are kept.
const MAX_LIMITS: usize = 100;

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
    for limit in limits::of(reading, &["core"])? {
        if matches!(limit.domain.as_str(), "*" | "root") && dumps.limits.len() < MAX_LIMITS {
            dumps.limits.push(CoreLimit {
                domain: limit.domain,
                kind: limit.kind,
                value: limit.value,
            });
        } else {
            dumps.other_limits += 1;
        }
    }
    Ok(dumps)
}

//! PostgreSQL: its clusters, each with settings and the rules of who may connect.

mod conf;
mod fields;
mod lexer;
mod rule;

use super::facts::{PgCluster, PgHba};
use super::file::{Files, shown};
use crate::probe::Known;
use crate::reading::{Reading, Unread, globs};
use fields::Fields;

/// Where packages put clusters: Debian, Red Hat and SUSE, the project's own packages, Arch, Alpine.
const CLUSTERS: [&str; 5] = [
    "/etc/postgresql/*/*/postgresql.conf",
    "/var/lib/pgsql/data/postgresql.conf",
    "/var/lib/pgsql/*/data/postgresql.conf",
    "/var/lib/postgres/data/postgresql.conf",
    "/var/lib/postgresql/*/data/postgresql.conf",
];
/// More clusters than a host has.
const MAX_CLUSTERS: usize = 100;
/// More rules than a facts document should hold.
const MAX_RULES: usize = 1_000;
/// What is not known is read as the newest.
const NEWEST: u32 = u32::MAX;

/// `Ok(None)`: there is none in these places.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Vec<PgCluster>>, Unread> {
    let mut clusters = vec![];
    for pattern in CLUSTERS {
        for config in globs::files(reading, pattern, MAX_CLUSTERS)? {
            if clusters.len() < MAX_CLUSTERS {
                clusters.push(cluster(reading, config));
            }
        }
    }
    Ok((!clusters.is_empty()).then_some(clusters))
}

fn cluster(reading: &Reading<'_>, config: String) -> PgCluster {
    let mut files = Files::new(reading);
    let folder = config.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut values = conf::Values::new();
    let loaded = conf::read(&mut files, &config, 0, &mut values);
    let data = values.get("data_directory").cloned().unwrap_or(folder);
    let read = loaded.and_then(|_| {
        if !data.starts_with('/') {
            return Err(files.malformed(
                &config,
                "data_directory is relative to where the server was started".to_owned(),
            ));
        }
        // What ALTER SYSTEM has written counts before all others.
        conf::read(&mut files, &format!("{data}/postgresql.auto.conf"), 0, &mut values)
    });
    let version = version(reading, &data, &config);
    let major = version
        .as_deref()
        .and_then(|version| version.split('.').next()?.parse().ok());
    let major = major.unwrap_or(NEWEST);
    let read = read.and_then(|_| {
        conf::told(&values, major).map_err(|name| files.malformed(&config, format!("{name} is neither on nor off")))
    });
    let hba = match &read {
        Ok(_) => {
            let path = values.get("hba_file").cloned().unwrap_or(format!("{data}/pg_hba.conf"));
            Known::of(hba(reading, &path, major), &shown(&path))
        }
        Err(unread) => Known::unread(unread),
    };
    PgCluster {
        config,
        version,
        files: files.read,
        settings: Known::read(read),
        hba,
    }
}

/// By what the server has written into its data, or by the name of a folder above its configuration.
fn version(reading: &Reading<'_>, data: &str, config: &str) -> Option<String> {
    let path = format!("{data}/PG_VERSION");
    let written = data
        .starts_with('/')
        .then(|| reading.private_head(&path, &shown(&path), 100));
    let written = written.and_then(Result::ok).flatten();
    let written = String::from_utf8_lossy(&written.unwrap_or_default()).trim().to_owned();
    let is_version = |text: &&str| text.starts_with(|first: char| first.is_ascii_digit()) && text.len() <= 10;
    let mut candidates = std::iter::once(written.as_str()).chain(config.split('/'));
    candidates.find(is_version).map(str::to_owned)
}

fn hba(reading: &Reading<'_>, path: &str, major: u32) -> Result<Option<PgHba>, Unread> {
    let mut files = Files::new(reading);
    if !path.starts_with('/') {
        return Err(files.malformed(
            path,
            "a path that is relative to where the server was started".to_owned(),
        ));
    }
    let Some(bytes) = files.bytes(path)? else {
        return Ok(None);
    };
    let mut fields = Fields {
        files: &mut files,
        major,
        lines: vec![],
    };
    fields.add(path, &bytes, 0)?;
    let (mut rules, mut refused) = (vec![], vec![]);
    for line in fields.lines {
        let parsed = line
            .fields
            .and_then(|fields| rule::parse(&fields, major).map_err(str::to_owned));
        match parsed {
            Ok(mut rule) => {
                (rule.file, rule.line) = (line.file, line.number as u64);
                rules.push(rule);
            }
            Err(reason) => refused.push(format!("{} line {}: {reason}", line.file, line.number)),
        }
    }
    if rules.len() > MAX_RULES {
        return Err(Unread::Failed {
            place: shown(path),
            reason: format!("more than {MAX_RULES} rules"),
        });
    }
    refused.truncate(100);
    Ok(Some(PgHba {
        files: files.read,
        rules,
        refused,
    }))
}

//! logrotate.conf(5): what is kept how long.

use super::facts::{Rotated, Rotation};
use crate::reading::{Kind, Reading, Unread};

const MAIN: &str = "/etc/logrotate.conf";
const MAX_LOGS: usize = 1_000;
const MAX_FILES: usize = 1_000;
/// Extensions that logrotate does not read (`tabooext`).
const TABOO: [&str; 14] = [
    ",v",
    ".cfsaved",
    ".disabled",
    ".dpkg-bak",
    ".dpkg-del",
    ".dpkg-dist",
    ".dpkg-new",
    ".dpkg-old",
    ".rhn-cfg-tmp-*",
    ".rpmnew",
    ".rpmorig",
    ".rpmsave",
    ".swp",
    "~",
];
/// Everything up to `endscript` is a script.
const SCRIPTS: [&str; 5] = ["postrotate", "prerotate", "firstaction", "lastaction", "preremove"];

#[derive(Debug, Clone, Default)]
struct Settings {
    frequency: String,
    keep: i64,
    max_age_days: Option<u64>,
    compress: bool,
    creates: bool,
    create_mode: Option<String>,
}

/// `None` if there is no configuration.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Rotation>, Unread> {
    let Some(text) = reading.text(MAIN)? else {
        return Ok(None);
    };
    let mut rotation = Rotation {
        files: vec![MAIN.to_owned()],
        logs: vec![],
        unparsed: vec![],
    };
    let mut global = Settings::default();
    let includes = file(&mut rotation, &mut global, MAIN, &text);
    for (included, global) in includes {
        let mut paths = vec![];
        if matches!(reading.stat(&included)?, Some(stat) if stat.kind == Kind::Folder) {
            let entries = reading.list(&included)?.unwrap_or_default().into_iter();
            let read = entries.filter(|entry| {
                matches!(entry.kind, Kind::File | Kind::Link)
                    && !entry.name.starts_with('.')
                    && !TABOO.iter().any(|taboo| entry.name.ends_with(taboo))
            });
            paths.extend(read.map(|entry| format!("{included}/{}", entry.name)));
        } else {
            paths.push(included);
        }
        for path in paths {
            if rotation.files.len() >= MAX_FILES {
                return Err(Unread::Failed {
                    place: path,
                    reason: "too many files".to_owned(),
                });
            }
            if let Some(text) = reading.text(&path)? {
                rotation.files.push(path.clone());
                // What a file sets outside of blocks does not hold in the others.
                file(&mut rotation, &mut global.clone(), &path, &text);
            }
        }
    }
    Ok(Some(rotation))
}

/// Gives what is included, with the settings that hold there.
fn file(rotation: &mut Rotation, global: &mut Settings, path: &str, text: &str) -> Vec<(String, Settings)> {
    let mut includes = vec![];
    let mut names: Vec<String> = vec![];
    let mut block: Option<Settings> = None;
    let mut in_script = false;
    for (index, line) in text.lines().enumerate() {
        // What stands behind the opening bracket is of the block already.
        let mut rest = Some(line.trim());
        while let Some(line) = rest.take() {
            if in_script {
                in_script = line != "endscript";
            } else if line.is_empty() || line.starts_with('#') {
            } else if let Some(settings) = &mut block {
                if line.starts_with('}') {
                    rotation.logs.push(rotated(std::mem::take(&mut names), settings, path));
                    block = None;
                } else {
                    in_script = set(settings, line);
                }
            } else if line.starts_with(['/', '"', '\'', '{', '~', '*']) || (!names.is_empty() && line.contains('{')) {
                let (paths, opened) = definition(line);
                names.extend(paths);
                if let Some(opened) = opened {
                    block = Some(global.clone());
                    rest = Some(opened.trim());
                }
            } else if let Some(included) = line.strip_prefix("include ") {
                includes.push((included.trim().to_owned(), global.clone()));
            } else if line.starts_with('}') || !line.starts_with(|c: char| c.is_ascii_alphabetic()) {
                rotation.unparsed.push(format!("{path}:{}", index + 1));
            } else {
                in_script = set(global, line);
            }
        }
    }
    if block.is_some() {
        rotation.unparsed.push(format!("{path}: a block without its end"));
    }
    rotation.unparsed.truncate(100);
    rotation.logs.truncate(MAX_LOGS);
    includes
}

fn rotated(logs: Vec<String>, settings: &Settings, path: &str) -> Rotated {
    Rotated {
        logs,
        frequency: settings.frequency.clone(),
        keep: settings.keep,
        max_age_days: settings.max_age_days,
        compress: settings.compress,
        creates: settings.creates,
        create_mode: settings.create_mode.clone().filter(|_| settings.creates),
        file: path.to_owned(),
    }
}

/// Paths with blanks between them, in quotes if they hold blanks themselves, and what stands behind the bracket that opens
/// their block.
fn definition(line: &str) -> (Vec<String>, Option<&str>) {
    let mut paths = vec![];
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(opened) = rest.strip_prefix('{') {
            return (paths, Some(opened));
        }
        let quoted = matches!(first, '"' | '\'')
            .then(|| rest.get(1..)?.split_once(first))
            .flatten();
        let (path, after) = quoted.unwrap_or_else(|| {
            let end = rest.find(|c: char| c.is_whitespace() || c == '{').unwrap_or(rest.len());
            rest.split_at(end)
        });
        paths.push(path.to_owned());
        rest = after.trim_start();
    }
    (paths, None)
}

/// Whether a script begins.
fn set(settings: &mut Settings, line: &str) -> bool {
    let mut words = line
        .split(|c: char| c.is_whitespace() || c == '=')
        .filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default();
    let value = words.next();
    match name {
        "hourly" | "daily" | "weekly" | "monthly" | "yearly" => name.clone_into(&mut settings.frequency),
        "size" => "size".clone_into(&mut settings.frequency),
        "rotate" => settings.keep = value.and_then(|value| value.parse().ok()).unwrap_or_default(),
        "maxage" => settings.max_age_days = value.and_then(|value| value.parse().ok()),
        "compress" => settings.compress = true,
        "nocompress" => settings.compress = false,
        "create" => {
            settings.creates = true;
            let is_mode = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
            // Without one, that which was set before stays.
            settings.create_mode = value.filter(is_mode).map(str::to_owned).or(settings.create_mode.take());
        }
        "nocreate" => settings.creates = false,
        _ => return SCRIPTS.contains(&name),
    }
    false
}

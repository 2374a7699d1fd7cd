//! `MySQL` and `MariaDB`: the option files of the server, read as it does.

mod options;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::facts::{Mysql, MysqlServer};
use super::file::{Files, shown};
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};
use crate::software::products::Survey;
use options::Line;

const FILES: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// What `SET PERSIST` writes.
const PERSISTED: &str = "/var/lib/mysql/mysqld-auto.cnf";
/// As the server has it.
const MAX_DEPTH: usize = 10;
const MAX_LEFT_OUT: usize = 100;
const MARIADB: [&str; 6] = ["client-server", "galera", "mariadb", "mariadbd", "mysqld", "server"];
const MYSQL: [&str; 2] = ["mysqld", "server"];

/// `Ok(None)`: there are no such files.
pub(super) fn read(reading: &Reading<'_>, survey: &Survey) -> Result<Option<Mysql>, Unread> {
    let server = if survey.has(&["mysql"]) && !survey.has(&["mariadb"]) {
        MysqlServer::Mysql
    } else {
        MysqlServer::Mariadb
    };
    let mut loader = Loader {
        files: Files::new(reading),
        groups: if server == MysqlServer::Mysql { &MYSQL } else { &MARIADB },
        left_out: vec![],
        version_groups: BTreeSet::new(),
        settings: BTreeMap::new(),
    };
    let mut there = false;
    for path in FILES {
        there |= loader.file(path, 0)?;
    }
    if !there {
        return Ok(None);
    }
    let persisted = if server == MysqlServer::Mysql {
        Known::of(persisted(&loader.files, &mut loader.settings), PERSISTED)
    } else {
        Known::absent("MariaDB has no such file")
    };
    loader.left_out.truncate(MAX_LEFT_OUT);
    Ok(Some(Mysql {
        server,
        files: loader.files.read,
        left_out: loader.left_out,
        version_groups: loader.version_groups.into_iter().take(MAX_LEFT_OUT).collect(),
        settings: loader.settings,
        persisted,
    }))
}

struct Loader<'r, 'h> {
    files: Files<'r, 'h>,
    groups: &'static [&'static str],
    left_out: Vec<String>,
    version_groups: BTreeSet<String>,
    settings: BTreeMap<String, String>,
}

impl Loader<'_, '_> {
    /// `Ok(false)`: it is not there.
    fn file(&mut self, path: &str, depth: usize) -> Result<bool, Unread> {
        let Some(stat) = self.files.reading.private_stat(path, &shown(path))? else {
            return Ok(false);
        };
        if stat.mode & 0o002 != 0 && stat.kind == Kind::File {
            self.left_out.push(shown(path));
            return Ok(true);
        }
        let Some(bytes) = self.files.bytes(path)? else {
            return Ok(false);
        };
        let (mut begun, mut counts) = (false, false);
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let text = String::from_utf8_lossy(line);
            match options::line(&text) {
                Line::Bad => return self.refused(path, depth, index + 1, "a group without its bracket"),
                Line::Group(name) => {
                    begun = true;
                    let is = |group: &str| self.groups.iter().any(|one| one.eq_ignore_ascii_case(group));
                    counts = is(name);
                    let of_version = name.split_once('-').filter(|(group, version)| {
                        is(group) && version.starts_with(|first: char| first.is_ascii_digit())
                    });
                    if of_version.is_some() && name.len() <= 100 {
                        self.version_groups.insert(name.to_owned());
                    }
                }
                Line::Include(to) => self.include(to, depth + 1)?,
                Line::Folder(folder) => {
                    if !self.folder(folder, depth + 1)? {
                        return self.refused(path, depth, index + 1, "a folder that is not there");
                    }
                }
                Line::Option(..) if !begun => {
                    return self.refused(path, depth, index + 1, "an option before any group");
                }
                Line::Option(name, value) if counts => options::apply(&mut self.settings, &name, value),
                Line::Nothing | Line::Option(..) => {}
            }
        }
        Ok(true)
    }

    /// With such a line in its first files the server does not start; of one that is included it leaves out the rest.
    fn refused(&mut self, path: &str, depth: usize, line: usize, reason: &str) -> Result<bool, Unread> {
        if depth == 0 {
            return Err(self.files.malformed(path, format!("line {line}: {reason}")));
        }
        self.left_out
            .push(format!("{} from line {line}: {reason}", shown(path)));
        Ok(true)
    }

    fn include(&mut self, path: &str, depth: usize) -> Result<(), Unread> {
        if !path.starts_with('/') || depth > MAX_DEPTH || !self.file(path, depth)? {
            self.left_out.push(shown(path));
        }
        Ok(())
    }

    /// `Ok(false)`: it is not there.
    fn folder(&mut self, folder: &str, depth: usize) -> Result<bool, Unread> {
        let folder = folder.trim_end_matches('/');
        if !folder.starts_with('/') || depth > MAX_DEPTH {
            self.left_out.push(shown(folder));
            return Ok(true);
        }
        let Some(entries) = self.files.reading.list(folder)? else {
            return Ok(false);
        };
        for entry in entries {
            if entry.name.strip_suffix(".cnf").is_some() && entry.kind != Kind::Folder {
                self.include(&format!("{folder}/{}", entry.name), depth)?;
            }
        }
        Ok(true)
    }
}

/// Adds what was made to last in the running server; the names of what is told.
fn persisted(files: &Files<'_, '_>, settings: &mut BTreeMap<String, String>) -> Result<Option<Vec<String>>, Unread> {
    let Some(bytes) = files.reading.private(PERSISTED, PERSISTED)? else {
        return Ok(None);
    };
    let whole: Value = serde_json::from_slice(&bytes).map_err(|_| files.malformed(PERSISTED, "no JSON".to_owned()))?;
    let mut found = BTreeMap::new();
    variables(&whole, &mut found);
    let mut names = vec![];
    for (name, value) in found {
        if options::is_told(name) {
            options::apply(settings, name, Some(value.to_owned()));
            names.push(name.to_owned());
        }
    }
    Ok(Some(names))
}

/// Each variable has its value beside what is known of it, in groups that differ by version.
fn variables<'v>(whole: &'v Value, found: &mut BTreeMap<&'v str, &'v str>) {
    for (name, inner) in whole.as_object().into_iter().flatten() {
        match inner.get("Value").and_then(Value::as_str) {
            Some(value) => {
                found.insert(name, value);
            }
            None => variables(inner, found),
        }
    }
}

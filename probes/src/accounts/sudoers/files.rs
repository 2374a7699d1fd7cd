//! Reads `/etc/sudoers` and what it includes, in sudo's order (sudoers(5), "Including other files from within sudoers").

use std::sync::Arc;

use super::parse::{self, Include, Refusal};
use super::syntax::{Place, Policy};
use crate::accounts::records::masked;
use crate::reading::{Kind, Reading, Unread};

/// Where sudo looks unless `/etc/sudo.conf` says otherwise.
pub(crate) const MAIN: &str = "/etc/sudoers";
/// `MAX_SUDOERS_DEPTH` of sudo.
const MAX_DEPTH: u8 = 128;
/// More files than a host has; bounds files that include each other many times over.
const MAX_FILES: usize = 2_000;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) policy: Policy,
    /// Entries that were left out, in order.
    pub(crate) refusals: Vec<Refusal>,
    /// Files in the order of reading, each with the text that stands for it in the facts.
    pub(crate) files: Vec<SourceFile>,
    /// Included files and folders that could not be read.
    pub(crate) unread: Vec<Unread>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    pub(crate) path: Arc<str>,
    /// As the facts show it: files in a folder are often named after people.
    pub(crate) shown: String,
}

/// Reads everything from `main` on; `None` if it is not there. `host` stands for `%h` in paths.
pub(crate) fn read(reading: &Reading<'_>, main: &str, host: &str) -> Result<Option<Read>, Unread> {
    let mut reader = Reader {
        reading,
        host,
        files: vec![],
        unread: vec![],
        reads: 0,
    };
    let mut read = Read::default();
    let found = reader.file(main, main, MAX_DEPTH, &mut read.policy, &mut read.refusals)?;
    read.files = reader.files;
    read.unread = reader.unread;
    Ok(found.then_some(read))
}

struct Reader<'r, 'h> {
    reading: &'r Reading<'h>,
    host: &'r str,
    files: Vec<SourceFile>,
    unread: Vec<Unread>,
    reads: usize,
}

impl Reader<'_, '_> {
    /// Reads one file; false if it is not there.
    fn file(
        &mut self,
        path: &str,
        shown: &str,
        depth: u8,
        policy: &mut Policy,
        refusals: &mut Vec<Refusal>,
    ) -> Result<bool, Unread> {
        self.reads += 1;
        if self.reads > MAX_FILES {
            return Err(Unread::Failed {
                place: MAIN.to_owned(),
                reason: format!("more than {MAX_FILES} files are included"),
            });
        }
        let Some(bytes) = self.reading.private(path, shown)? else {
            return Ok(false);
        };
        let path: Arc<str> = path.into();
        let file = SourceFile {
            path: path.clone(),
            shown: shown.to_owned(),
        };
        if !self.files.contains(&file) {
            self.files.push(file);
        }
        parse::parse(&lines(&bytes), &path, policy, refusals, |include, policy, refusals| {
            self.include(include, &path, depth, policy, refusals);
        });
        Ok(true)
    }

    /// Reads what is included; what cannot be read is noted, and the rest goes on.
    fn include(
        &mut self,
        include: &Include,
        from: &Arc<str>,
        depth: u8,
        policy: &mut Policy,
        refusals: &mut Vec<Refusal>,
    ) {
        let refusal = |reason| Refusal {
            place: Place {
                path: from.clone(),
                line: include.line,
            },
            reason,
        };
        let Some(depth) = depth.checked_sub(1) else {
            return refusals.push(refusal("includes are nested too deeply"));
        };
        let path = self.expand(&include.path, from);
        if !include.folder {
            match self.file(&path, &masked(&path), depth, policy, refusals) {
                Ok(true) => {}
                Ok(false) => refusals.push(refusal("the included file is not there")),
                Err(unread) => self.unread.push(unread),
            }
            return;
        }
        let folder = path.trim_end_matches('/');
        let shown = format!("{}/*", masked(folder));
        // A folder that is not there is no mistake.
        let entries = match self.reading.list(folder) {
            Ok(entries) => entries.unwrap_or_default(),
            Err(unread) => return self.unread.push(unread.shown_as(&shown)),
        };
        for entry in entries
            .iter()
            .filter(|entry| !entry.name.contains('.') && !entry.name.ends_with('~'))
        {
            let path = format!("{folder}/{}", entry.name);
            let read = match self.reading.private_stat(&path, &shown) {
                Ok(stat) if stat.is_some_and(|stat| stat.kind == Kind::File) => {
                    self.file(&path, &shown, depth, policy, refusals)
                }
                Ok(_) => Ok(false),
                Err(unread) => Err(unread),
            };
            self.unread.extend(read.err());
        }
    }

    /// Relative paths start at the folder of the file that names them; `%h` is the short name of the host.
    fn expand(&self, path: &str, from: &str) -> String {
        let path = path.replace("%h", self.host);
        if path.starts_with('/') {
            return path;
        }
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{path}")
    }
}

/// As sudo reads lines: what follows a NUL in a line is not seen, and the last line has an end.
fn lines(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() + 1);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return text;
    }
    for line in bytes.split(|byte| *byte == b'\n') {
        let seen = line.split(|byte| *byte == 0).next().unwrap_or_default();
        text.extend_from_slice(seen);
        text.push(b'\n');
    }
    text
}

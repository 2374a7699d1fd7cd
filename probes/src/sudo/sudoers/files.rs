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

/// More than a sudoers file has that somebody wrote, bytes.
const MAX_BYTES: u64 = 1024 * 1024;

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
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Unread::TooLarge {
                place: shown.to_owned(),
                limit: MAX_BYTES,
            });
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::probe::Probe;
    use crate::reading::captured::Captured;
    use crate::sudo::SudoProbe;

    const HARD: &str = include_str!("../../../fixtures/sudo/sudoers-hard.txt");

    fn read_bytes(bytes: &[u8]) -> Read {
        let host = Captured::default().file(MAIN, bytes);
        read(&Reading::new(&host, &SudoProbe::SPEC), MAIN, "web1")
            .unwrap()
            .unwrap()
    }

    #[test]
    fn paths_of_includes() {
        let host = Captured::default()
            .file(
                MAIN,
                "@include sudoers.%h\n@include \"/etc/a b\"\n#include /etc/c\\ d\n@includedir /etc/sudoers.d/\n",
            )
            .file("/etc/sudoers.web1", "")
            .file("/etc/a b", "")
            .file("/etc/c d", "")
            .file("/etc/sudoers.d/10", "")
            .file("/etc/sudoers.d/9", "");
        let read = read(&Reading::new(&host, &SudoProbe::SPEC), MAIN, "web1")
            .unwrap()
            .unwrap();
        let paths: Vec<&str> = read.files.iter().map(|file| &*file.path).collect();
        assert_eq!(
            paths,
            [
                MAIN,
                "/etc/sudoers.web1",
                "/etc/a b",
                "/etc/c d",
                "/etc/sudoers.d/10",
                "/etc/sudoers.d/9"
            ]
        );
        assert!(read.refusals.is_empty());
    }

    #[test]
    fn files_that_are_too_large_or_too_many() {
        let host = Captured::default()
            .file(MAIN, "@include /etc/large\nroot ALL=ALL\n")
            .file("/etc/large", vec![b'#'; 2 * 1024 * 1024]);
        let read = read(&Reading::new(&host, &SudoProbe::SPEC), MAIN, "web1")
            .unwrap()
            .unwrap();
        assert_eq!(read.unread.len(), 1);
        assert_eq!(read.policy.specifications.len(), 1);
        // Each file includes the next one twice: without a limit that would be 2 to the power of 100.
        let host = (0..100).fold(Captured::default(), |host, number| {
            let next = format!("@include /etc/s{}\n", number + 1).repeat(2);
            host.file(&format!("/etc/s{number}"), next)
        });
        let read = super::read(&Reading::new(&host, &SudoProbe::SPEC), "/etc/s0", "web1")
            .unwrap()
            .unwrap();
        assert!(!read.unread.is_empty());
    }

    #[test]
    fn aliases_that_grow_without_limit_come_to_an_end() {
        use crate::accounts::directory::Directory;
        use crate::accounts::{group, passwd};
        let level = |number: u32| {
            let of = |kind: &str, letter: char| match number.checked_sub(1) {
                Some(before) => format!("{kind}_Alias {letter}{number} = {letter}{before}, {letter}{before}\n"),
                None => format!(
                    "{kind}_Alias {letter}0 = {}\n",
                    if letter == 'C' { "/bin/a" } else { "root" }
                ),
            };
            [of("User", 'U'), of("Host", 'H'), of("Cmnd", 'C')].concat()
        };
        let text: String = (0..200).map(level).collect();
        let users = passwd::parse(b"root:x:0:0::/:/bin/sh\n").unwrap().entries;
        let groups: Vec<group::Entry> = vec![];
        let directory = Directory::new(&users, &groups);
        let rights = |entry: &str| {
            let read = read_bytes(format!("{text}{entry}").as_bytes());
            assert!(read.refusals.is_empty(), "{:?}", read.refusals);
            super::super::rights::rights(&read, &directory, Some("web1"))
        };
        assert!(rights("U50 H50=/bin/a\n").is_ok());
        assert!(rights("U199 H199=/bin/a\n").is_ok());
        assert!(rights("root ALL=C199\n").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read_bytes(&bytes);
        }

        #[test]
        fn damaged_files_are_read_without_panic(
            start in 0..HARD.len(),
            length in 0..400_usize,
            changes in proptest::collection::vec((0..400_usize, "[ -~\\n\\\\\"#^$]"), 0..6),
        ) {
            let mut bytes: Vec<u8> = HARD.bytes().skip(start).take(length).collect();
            for (at, change) in changes {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = change.as_bytes()[0];
                }
            }
            read_bytes(&bytes);
        }
    }
}

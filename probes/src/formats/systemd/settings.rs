//! Settings of one of systemd's programs: `NAME.conf` and its drop-ins (for instance journald.conf(5), section
//! *Configuration directories and precedence*).

use std::collections::BTreeMap;

use super::syntax::{self, Assignment, boolean};
use crate::order::IntoMap as _;
use crate::reading::{Kind, Reading, Unread};

/// By precedence.
const FOLDERS: [&str; 4] = [
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
];
/// More drop-ins are not read.
const MAX_DROP_INS: usize = 1_000;

/// The assignments in force: the main file's, then those of the drop-ins in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    assignments: Vec<Assignment>,
    /// The files that they are from, in the order in which they were read.
    pub files: Vec<String>,
}

impl Settings {
    /// Reads `NAME.conf` with its drop-ins. No file at all means that the built-in defaults hold: `Ok` without
    /// assignments. A file that cannot be read is an error, since what stands in it is not known.
    pub fn read(reading: &Reading<'_>, name: &str) -> Result<Self, Unread> {
        let mut settings = Self::default();
        for folder in FOLDERS {
            // The first main file hides those of lower precedence.
            if settings.take(reading, format!("{folder}/{name}.conf"))? {
                break;
            }
        }
        for path in drop_ins(reading, name)?.into_values() {
            settings.take(reading, path)?;
        }
        Ok(settings)
    }

    fn take(&mut self, reading: &Reading<'_>, path: String) -> Result<bool, Unread> {
        let Some(bytes) = reading.file(&path)? else {
            return Ok(false);
        };
        let (assignments, stop) = syntax::parse(&bytes);
        if let Some(stop) = stop {
            return Err(reading.malformed(path, stop.to_string()));
        }
        self.assignments.extend(assignments);
        self.files.push(path);
        Ok(true)
    }

    /// The last value of a setting that takes one; an empty assignment sets the default back.
    pub fn get(&self, section: &str, name: &str) -> Option<&str> {
        let of_name = |one: &&Assignment| one.section == section && one.name == name;
        let last = self.assignments.iter().rev().find(of_name)?;
        (!last.value.is_empty()).then_some(&last.value)
    }

    /// The last value of a setting that takes one word of some: systemd passes over others, empty ones among them.
    pub fn last(&self, section: &str, name: &str, is_taken: impl Fn(&str) -> bool) -> Option<&str> {
        let of_name = self.assignments.iter().rev();
        let mut values = of_name
            .filter(|one| one.section == section && one.name == name)
            .map(|one| one.value.as_str());
        values.find(|value| is_taken(value))
    }

    /// Whether a setting is assigned at all, be it to nothing.
    pub fn assigned(&self, section: &str, name: &str) -> bool {
        let mut assignments = self.assignments.iter();
        assignments.any(|one| one.section == section && one.name == name)
    }

    /// The words of a setting that takes a list: assignments add up, an empty one begins anew.
    pub fn words(&self, section: &str, name: &str) -> Vec<&str> {
        let mut words = Vec::new();
        for one in &self.assignments {
            if one.section == section && one.name == name {
                if one.value.is_empty() {
                    words.clear();
                }
                words.extend(one.value.split_ascii_whitespace());
            }
        }
        words
    }

    /// A setting that is a boolean; one that systemd does not understand counts as not set, as systemd has it.
    pub fn boolean(&self, section: &str, name: &str) -> Option<bool> {
        self.get(section, name).and_then(boolean)
    }
}

/// The drop-ins by file name: one of higher precedence hides those of the same name, and a link to `/dev/null` all of them.
fn drop_ins(reading: &Reading<'_>, name: &str) -> Result<BTreeMap<String, String>, Unread> {
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for folder in FOLDERS {
        let folder = format!("{folder}/{name}.conf.d");
        for entry in reading.list(&folder)?.unwrap_or_default() {
            let path = format!("{folder}/{}", entry.name);
            if entry.name.strip_suffix(".conf").is_none() || found.contains_key(&entry.name) {
                continue;
            }
            if found.len() >= MAX_DROP_INS {
                let reason = format!("more than {MAX_DROP_INS} drop-ins");
                return Err(Unread::Failed { place: folder, reason });
            }
            let hides = entry.kind == Kind::Link && reading.link(&path)?.as_deref() == Some("/dev/null");
            found.insert(entry.name, (!hides).then_some(path));
        }
    }
    Ok(found
        .into_iter()
        .filter_map(|(name, path)| Some((name, path?)))
        .into_map())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::captured::Captured;
    use crate::reading::testing;

    fn read(host: &Captured) -> Result<Settings, Unread> {
        Settings::read(&testing(host), "journald")
    }

    #[test]
    fn drop_ins_override_by_name_and_precedence() {
        let host = Captured::default()
            .file("/etc/systemd/journald.conf", "[Journal]\nStorage=auto\nCompress=yes\n")
            .file("/usr/lib/systemd/journald.conf", "[Journal]\nStorage=none\n")
            .file(
                "/etc/systemd/journald.conf.d/10-a.conf",
                "[Journal]\nStorage=persistent\n",
            )
            .file("/usr/lib/systemd/journald.conf.d/20-b.conf", "[Journal]\nCompress=no\n")
            .link("/etc/systemd/journald.conf.d/20-b.conf", "/dev/null")
            .file("/usr/lib/systemd/journald.conf.d/30-c.conf", "[Journal]\nSeal=\n");
        let settings = read(&host).unwrap();
        assert_eq!(settings.get("Journal", "Storage"), Some("persistent"));
        assert_eq!(settings.boolean("Journal", "Compress"), Some(true));
        assert_eq!(settings.get("Journal", "Seal"), None);
        assert_eq!(settings.files.len(), 3);
    }

    #[test]
    fn lists_add_up_until_an_empty_one() {
        let host = Captured::default()
            .file("/etc/systemd/journald.conf", "[Journal]\nA=1 2\n")
            .file("/etc/systemd/journald.conf.d/a.conf", "[Journal]\nA=3\n")
            .file("/etc/systemd/journald.conf.d/b.conf", "[Journal]\nA=\nA=4\n");
        assert_eq!(read(&host).unwrap().words("Journal", "A"), ["4"]);
    }

    #[test]
    fn nothing_is_the_default_and_denied_or_malformed_is_not() {
        assert_eq!(read(&Captured::default()), Ok(Settings::default()));
        let denied = Captured::default().denied("/etc/systemd/journald.conf");
        assert!(matches!(read(&denied), Err(Unread::Denied { .. })));
        let malformed = Captured::default().file("/etc/systemd/journald.conf", "[Journal");
        assert!(matches!(read(&malformed), Err(Unread::Malformed { .. })));
    }
}

//! The database of dpkg: `/var/lib/dpkg/status`, or `/var/lib/dpkg/status.d` in distroless images.
//!
//! Source: dpkg(1), deb-control(5); `lib/dpkg/parse.c` and `lib/dpkg/dbmodify.c` of dpkg.

use std::sync::Arc;

use evidence::facts::{Origin, Outcome};

use super::debian_version::is_version;
use super::os_release::OsRelease;
use super::stanza::{Stanza, line_of, stanzas};
use crate::probe::ProbeError;
use crate::reading::{Kind, Reading};

/// The database.
pub const STATUS: &str = "/var/lib/dpkg/status";
/// The same in distroless images, one file for each package.
pub const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";
/// Changes that dpkg has not yet merged into the database.
const UPDATES: &str = "/var/lib/dpkg/updates";

/// Databases of the other package managers.
const OTHER_DATABASES: [&str; 5] = [
    "/usr/lib/sysimage/rpm",
    "/var/lib/rpm",
    "/lib/apk/db/installed",
    "/var/lib/pacman/local",
    "/var/db/pkg",
];

/// Packages that are looked at; what comes after is an entry of `unparsed`. Debian 12 has 64,000 in all.
const MAX_PACKAGES: usize = 100_000;
/// Entries that could not be understood which are told one by one.
pub const MAX_UNPARSED: usize = 100;
/// Longest name of a package or architecture. Debian's longest has under 80 characters.
const MAX_NAME: usize = 200;

/// What the database holds, without the texts around it.
pub struct Database {
    /// Whether it is `status.d`.
    pub folder: bool,
    packages: Vec<Package<Box<str>>>,
    unparsed: Vec<String>,
}

/// A package in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package<Text> {
    /// Name of the binary package.
    pub name: Text,
    /// Its architecture.
    pub architecture: Text,
    /// Its version.
    pub version: Text,
    /// Name of the source package, if it differs from `name`.
    pub source: Option<Text>,
    /// Version of the source package, if it differs from `version`.
    pub source_version: Option<Text>,
    /// State.
    pub state: State,
    /// Whether the selection is `hold`.
    pub held: bool,
    /// Whether dpkg says that it must be installed again.
    pub reinstall_required: bool,
}

/// A package whose texts lie elsewhere.
pub type Entry<'a> = Package<&'a str>;

/// State of a package that is on the host or left its configuration (dpkg(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Removed; configuration files are left.
    ConfigFiles,
    /// Installation was started and not completed.
    HalfInstalled,
    /// Unpacked, not configured.
    Unpacked,
    /// Configuration was started and not completed.
    HalfConfigured,
    /// Waits for a trigger of another package.
    TriggersAwaited,
    /// Has been triggered.
    TriggersPending,
    /// Unpacked and configured.
    Installed,
}

/// The packages of a database.
#[derive(Debug, Default)]
pub struct Entries<'a> {
    /// Packages, in order of the database; those that are `not-installed` left out.
    pub packages: Vec<Entry<'a>>,
    /// What could not be understood, `path:line: what is wrong`; at most [`MAX_UNPARSED`].
    pub unparsed: Vec<String>,
}

/// The distribution's `ID` and its database, for a probe that can say nothing without them. The database is read once in a
/// round for all probes that ask for it.
pub fn of_host(reading: &Reading<'_>) -> Result<(String, Arc<Database>), ProbeError> {
    let release = OsRelease::read(reading)?.unwrap_or_default();
    let id = release.id();
    if !release.is_debian_like() {
        // A distribution that does not name its parents may still be one of dpkg's: it then has no other database.
        for other in OTHER_DATABASES {
            if reading.stat(other)?.is_some() {
                return Err(ProbeError::unsupported(format!(
                    "{id} keeps its packages in {other}, which this probe cannot read; it reads dpkg's database"
                )));
            }
        }
    }
    let database = reading.shared("dpkg database", |reading| {
        Database::read(reading).map(|read| read.map(Arc::new))
    });
    match Result::clone(&database)? {
        Some(database) => Ok((id.to_owned(), database)),
        None if release.is_debian_like() => Err(ProbeError::absent(STATUS)),
        None => Err(ProbeError::unsupported(format!(
            "{id} has no database of dpkg ({STATUS}), the only one that this probe can read"
        ))),
    }
}

impl Database {
    /// Reads the database. `Ok(None)`: this host has none.
    fn read(reading: &Reading<'_>) -> Result<Option<Self>, ProbeError> {
        if let Some(bytes) = reading.file(STATUS)? {
            let mut database = Self::empty(false);
            let updates = reading.list(UPDATES)?.unwrap_or_default();
            let is_change = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            if updates.iter().any(|entry| is_change(&entry.name)) {
                database.unparsed.push(format!(
                    "{UPDATES}: dpkg is at work or was interrupted, and has changes that are not yet in {STATUS}"
                ));
            }
            database.add(STATUS, &bytes);
            return Ok(Some(database));
        }
        let Some(names) = reading.list(STATUS_FOLDER)? else {
            return Ok(None);
        };
        let mut database = Self::empty(true);
        for name in names
            .iter()
            .filter(|entry| entry.kind != Kind::Folder)
            .map(|entry| &entry.name)
        {
            // Beside each package's file lies a list of its files' checksums.
            if name.ends_with(".md5sums") || name.starts_with('.') {
                continue;
            }
            let path = format!("{STATUS_FOLDER}/{name}");
            match reading.file(&path)? {
                Some(bytes) => database.add(&path, &bytes),
                None => reading.mark(Origin::Path(path), Outcome::Absent),
            }
        }
        Ok(Some(database))
    }

    const fn empty(folder: bool) -> Self {
        Self {
            folder,
            packages: Vec::new(),
            unparsed: Vec::new(),
        }
    }

    /// Adds the packages of a file.
    fn add(&mut self, path: &str, bytes: &[u8]) {
        let mut any = false;
        for stanza in stanzas(bytes) {
            any = true;
            let entry = if self.packages.len() < MAX_PACKAGES {
                entry_of(&stanza, self.folder)
            } else {
                Err("more packages than can be looked at")
            };
            match entry {
                Ok(Some(entry)) => self.packages.push(entry.with(|text| Box::from(*text))),
                Ok(None) => {}
                Err(_) if self.unparsed.len() >= MAX_UNPARSED => return,
                Err(why) => {
                    let line = line_of(bytes, stanza.offset);
                    self.unparsed.push(format!("{path}:{line}: {why}"));
                }
            }
        }
        if !any && self.unparsed.len() < MAX_UNPARSED {
            self.unparsed.push(format!("{path}: there is no package in it"));
        }
    }

    /// The packages.
    pub fn entries(&self) -> Entries<'_> {
        Entries {
            packages: self.packages.iter().map(|package| package.with(Box::as_ref)).collect(),
            unparsed: self.unparsed.clone(),
        }
    }
}

impl<Text> Package<Text> {
    /// The same with its texts in another form.
    fn with<'p, Other>(&'p self, text: impl Fn(&'p Text) -> Other) -> Package<Other> {
        Package {
            name: text(&self.name),
            architecture: text(&self.architecture),
            version: text(&self.version),
            source: self.source.as_ref().map(&text),
            source_version: self.source_version.as_ref().map(&text),
            state: self.state,
            held: self.held,
            reinstall_required: self.reinstall_required,
        }
    }
}

impl Entries<'_> {
    /// The host's own architecture: that of dpkg itself, or else of base-files, of which there is one on every host.
    pub fn native_architecture(&self) -> Option<&str> {
        let of = |name: &str| {
            self.packages
                .iter()
                .find(|entry| entry.name == name && entry.state.is_present() && entry.architecture != "all")
                .map(|entry| entry.architecture)
        };
        of("dpkg").or_else(|| of("base-files"))
    }
}

impl State {
    /// Whether (part of) the package is on the host, as apt sees it.
    pub fn is_present(self) -> bool {
        self != Self::ConfigFiles
    }
}

/// `Ok(None)`: known to the database and not on the host.
fn entry_of<'a>(stanza: &Stanza<'a>, folder: bool) -> Result<Option<Entry<'a>>, &'static str> {
    let (mut name, mut status, mut architecture, mut version, mut source) = (None, None, None, None, None);
    for field in stanza.fields() {
        let field = field.map_err(|_| "a line is no field")?;
        let place = match field.name.len() {
            6 if field.name.eq_ignore_ascii_case(b"Status") => &mut status,
            6 if field.name.eq_ignore_ascii_case(b"Source") => &mut source,
            7 if field.name.eq_ignore_ascii_case(b"Package") => &mut name,
            7 if field.name.eq_ignore_ascii_case(b"Version") => &mut version,
            12 if field.name.eq_ignore_ascii_case(b"Architecture") => &mut architecture,
            _ => continue,
        };
        if place.replace(field.value).is_some() {
            return Err("a field is there twice");
        }
    }
    let name = name
        .and_then(text)
        .filter(|name| is_name(name))
        .ok_or("no valid Package field")?;
    let (held, reinstall_required, state) = match status.map(text) {
        None if folder => (false, false, Some(State::Installed)),
        None => return Err("no Status field"),
        Some(status) => status.and_then(status_of).ok_or("Status is none that dpkg writes")?,
    };
    let Some(state) = state else { return Ok(None) };
    let version = version.and_then(text).filter(|version| is_version(version));
    let version = version.ok_or("no valid Version field")?;
    let architecture = architecture.and_then(text).filter(|name| is_name(name));
    let architecture = architecture.ok_or("no valid Architecture field")?;
    let (source, source_version) = match source {
        None => (None, None),
        Some(source) => source_of(source).ok_or("Source is no name with or without a version")?,
    };
    Ok(Some(Entry {
        name,
        architecture,
        version,
        source: source.filter(|source| *source != name),
        source_version: source_version.filter(|source| *source != version),
        state,
        held,
        reinstall_required,
    }))
}

/// Hold or not, reinstallation required or not, state; `not-installed` is no state.
fn status_of(status: &str) -> Option<(bool, bool, Option<State>)> {
    let mut words = status.split_ascii_whitespace();
    let (want, flag, state) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !matches!(want, "unknown" | "install" | "hold" | "deinstall" | "purge") {
        return None;
    }
    let reinstall_required = match flag {
        "ok" => false,
        "reinstreq" => true,
        _ => return None,
    };
    let state = match state {
        "not-installed" => None,
        "config-files" => Some(State::ConfigFiles),
        "half-installed" => Some(State::HalfInstalled),
        "unpacked" => Some(State::Unpacked),
        "half-configured" => Some(State::HalfConfigured),
        "triggers-awaited" => Some(State::TriggersAwaited),
        "triggers-pending" => Some(State::TriggersPending),
        "installed" => Some(State::Installed),
        _ => return None,
    };
    Some((want == "hold", reinstall_required, state))
}

/// `name` or `name (version)`.
pub fn source_of(source: &[u8]) -> Option<(Option<&str>, Option<&str>)> {
    let source = text(source)?;
    let (name, version) = match source.split_once('(') {
        None => (source, None),
        Some((name, rest)) => (name.trim_end(), Some(rest.strip_suffix(')')?.trim())),
    };
    (is_name(name) && version.is_none_or(is_version)).then_some((Some(name), version))
}

/// Whether `text` can be the name of a package or an architecture: what dpkg accepts, and not too long.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn database(text: impl AsRef<[u8]>) -> Database {
        let mut database = Database::empty(false);
        database.add(STATUS, text.as_ref());
        database
    }

    #[test]
    fn an_entry() {
        let text = "Package: zlib1g\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1:1.2.13.dfsg-1\n\
                    Source: zlib (1:1.2)\nDescription: x\n long\n .\n text\n";
        let database = database(text);
        let entries = database.entries();
        assert_eq!(entries.unparsed, [""; 0]);
        assert_eq!(
            entries.packages,
            [Entry {
                name: "zlib1g",
                architecture: "amd64",
                version: "1:1.2.13.dfsg-1",
                source: Some("zlib"),
                source_version: Some("1:1.2"),
                state: State::Installed,
                held: true,
                reinstall_required: false,
            }]
        );
        assert_eq!(entries.native_architecture(), None);
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        let good = "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n";
        for (bad, why) in [
            ("Status: install ok installed\n", "no valid Package field"),
            ("Package: b/c\nStatus: install ok installed\n", "no valid Package field"),
            ("Package: b\nVersion: 1\n", "no Status field"),
            ("Package: b\nStatus: install ok\n", "Status is none that dpkg writes"),
            (
                "Package: b\nStatus: install ok done\n",
                "Status is none that dpkg writes",
            ),
            (
                "Package: b\nStatus: install ok installed\nVersion: a b\n",
                "no valid Version field",
            ),
            (
                "Package: b\nStatus: install ok installed\nVersion: 1\n",
                "no valid Architecture field",
            ),
            (
                "Package: b\nStatus: install ok installed\nPackage: c\n",
                "a field is there twice",
            ),
            ("Package: b\njunk\n", "a line is no field"),
            (
                "Package: b\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nSource: b (1\n",
                "Source is no name with or without a version",
            ),
        ] {
            let database = database(format!("{good}{bad}\n{good}"));
            let entries = database.entries();
            assert_eq!(entries.packages.len(), 2, "{bad}");
            assert_eq!(entries.unparsed, [format!("{STATUS}:6: {why}")]);
        }
        assert_eq!(
            database("").entries().unparsed,
            [format!("{STATUS}: there is no package in it")]
        );
    }

    #[test]
    fn not_installed_needs_no_version() {
        let database = database(
            "Package: a\nStatus: unknown ok not-installed\n\n\
             Package: b\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n",
        );
        let entries = database.entries();
        assert!(entries.unparsed.is_empty());
        assert_eq!(entries.packages.len(), 1);
        assert!(!entries.packages[0].state.is_present());
    }

    proptest! {
        #[test]
        fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..300)) {
            database(&text).entries();
        }

        #[test]
        fn near_entries(lines in prop::collection::vec("(Package|Status|Version|Architecture|Source|): ?[a-z0-9 .()-]{0,20}", 0..12)) {
            let database = database(lines.join("\n"));
            let entries = database.entries();
            prop_assert!(entries.packages.len() + entries.unparsed.len() <= lines.len() + 1);
        }
    }
}

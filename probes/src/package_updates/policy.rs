//! Which version apt would install: the priorities of lists and versions, and the choice among them.
//!
//! Source: apt_preferences(5); `apt-pkg/policy.cc` and `versionmatch.cc` of apt 2.6, of which this is the behaviour of
//! `GetCandidateVer`, `GetPriority`, `InitDefaults` and `FileMatch`.

use std::cmp::Ordering;

use super::facts::Release;
use super::pattern::Pattern;
use super::preferences::{NEVER, Named, Preferences, ReleaseOf, Target, VersionOf};
use crate::formats::debian_version::compare;

/// Priority of what dpkg has and no list.
const INSTALLED: i32 = 100;
/// From this priority on a version is installed though it is older.
const DOWNGRADE: i32 = 1000;

/// A list of packages, or the database of dpkg, as pins see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shelf {
    /// What the archive says about itself. apt has no release file for dpkg's database.
    pub(super) release: Option<Release>,
    /// Host of the archive; empty if local.
    pub(super) host: String,
    /// Component; `now` for dpkg's database.
    pub(super) component: String,
    /// Architecture of the list.
    pub(super) architecture: String,
    /// Whether it is dpkg's database.
    pub(super) is_installed: bool,
}

/// One version of a package, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a> {
    /// Version number.
    pub(super) number: &'a str,
    /// Its source package.
    pub(super) source: &'a str,
    /// Shelves on which it lies, by position.
    pub(super) shelves: Vec<usize>,
    /// Whether it is the installed one.
    pub(super) installed: bool,
    /// `Phased-Update-Percentage`.
    pub(super) phased: u64,
}

/// A package whose versions are to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package<'a> {
    /// Name.
    pub(super) name: &'a str,
    /// Architecture, the host's own for packages for all.
    pub(super) architecture: &'a str,
    /// Its versions, newest first.
    pub(super) versions: Vec<Version<'a>>,
}

/// Priorities of shelves, with or without an administrator's preferences.
pub(super) struct Policy<'a> {
    shelves: &'a [Shelf],
    priorities: Vec<i32>,
    preferences: Option<&'a Preferences>,
    native: &'a str,
}

impl<'a> Policy<'a> {
    /// What apt does without any preferences, if `preferences` is `None`.
    pub(super) fn new(shelves: &'a [Shelf], preferences: Option<&'a Preferences>, native: &'a str) -> Self {
        let general = preferences.map_or(&[][..], |preferences| &preferences.general);
        let priorities = shelves.iter().map(|shelf| priority_of(shelf, general)).collect();
        Self {
            shelves,
            priorities,
            preferences,
            native,
        }
    }

    /// Priority of a shelf, pins for certain packages apart.
    pub(super) fn shelf(&self, at: usize) -> i32 {
        self.priorities.get(at).copied().unwrap_or_default()
    }

    /// The version that apt would have installed; the installed one if there is none to be preferred. `None`: apt has
    /// no candidate at all.
    pub(super) fn candidate<'p>(&self, package: &'p Package<'a>) -> Option<&'p Version<'a>> {
        let installed = package.versions.iter().find(|version| version.installed);
        let mut best: Option<(i32, &Version<'a>)> = None;
        for version in &package.versions {
            let priority = self.priority(package, version);
            if priority == 0 || priority <= best.map_or(-1, |(best, _)| best) {
                continue;
            }
            let older = installed.is_some_and(|installed| compare(version.number, installed.number) == Ordering::Less);
            if priority < DOWNGRADE && older {
                continue;
            }
            best = Some((priority, version));
        }
        best.map(|(_, version)| version)
    }

    /// Priority of a version.
    pub(super) fn priority(&self, package: &Package<'a>, version: &Version<'a>) -> i32 {
        if let Some(pinned) = self.pinned(package, version) {
            // A list from which nothing may ever come is stronger than a pin for a package.
            if version.shelves.iter().any(|shelf| self.shelf(*shelf) != NEVER) {
                return pinned;
            }
        }
        let shelves = version.shelves.iter().map(|at| {
            let is_installed = self.shelves.get(*at).is_some_and(|shelf| shelf.is_installed);
            if is_installed && !version.installed {
                -1
            } else {
                self.shelf(*at)
            }
        });
        shelves.max().unwrap_or(0)
    }

    fn pinned(&self, package: &Package<'a>, version: &Version<'a>) -> Option<i32> {
        let specific = &self.preferences?.specific;
        let pin = specific.iter().find(|(named, target, _)| {
            let meant = |named: &Named| named.matches(package.name, version.source, package.architecture, self.native);
            named.iter().any(meant) && self.is_target(target, version)
        });
        pin.map(|(_, _, priority)| *priority)
    }

    fn is_target(&self, target: &Target, version: &Version<'a>) -> bool {
        match target {
            Target::Version(wanted) => wanted.matches(version.number),
            other => {
                let mut shelves = version.shelves.iter().filter_map(|at| self.shelves.get(*at));
                shelves.any(|shelf| shelf_matches(shelf, other))
            }
        }
    }
}

fn priority_of(shelf: &Shelf, general: &[(Target, i32)]) -> i32 {
    let usual = match &shelf.release {
        _ if shelf.is_installed => INSTALLED,
        Some(release) if release.but_automatic_upgrades => 100,
        Some(release) if release.not_automatic => 1,
        _ => 500,
    };
    let mut fixed = None;
    for (target, priority) in general {
        let counts = fixed.is_none() || *priority == NEVER;
        if counts && fixed != Some(NEVER) && shelf_matches(shelf, target) {
            fixed = Some(*priority);
        }
    }
    fixed.unwrap_or(usual)
}

/// Whether a pin points to a shelf.
pub(super) fn shelf_matches(shelf: &Shelf, target: &Target) -> bool {
    match target {
        Target::Version(_) | Target::Nothing => false,
        Target::Origin(host) => !shelf.is_installed && host.matches(&shelf.host),
        Target::Release(wanted) if shelf.is_installed => installed_matches(shelf, wanted),
        Target::Release(wanted) => wanted.all || release_matches(shelf, wanted),
    }
}

/// dpkg's database is the release `now` and says nothing else about itself.
fn installed_matches(shelf: &Shelf, wanted: &ReleaseOf) -> bool {
    let now = |pattern: Option<&Pattern>| pattern.is_none_or(|pattern| pattern.matches("now"));
    let says_more = wanted.origin.is_some()
        || wanted.label.is_some()
        || wanted.codename.is_some()
        || wanted.version.as_ref().is_some_and(VersionOf::is_set);
    let here = now(wanted.archive.as_ref()) && now(wanted.release.as_ref()) && !says_more;
    here && (wanted.all
        || now(wanted.component.as_ref()) && list_matches(&shelf.architecture, wanted.architecture.as_ref()))
}

fn list_matches(text: &str, pattern: Option<&Pattern>) -> bool {
    pattern.is_none_or(|pattern| pattern.matches(text))
}

fn release_matches(shelf: &Shelf, wanted: &ReleaseOf) -> bool {
    let given = |text: fn(&Release) -> &String| shelf.release.as_ref().map(text).filter(|text| !text.is_empty());
    let meets = |pattern: Option<&Pattern>, text: fn(&Release) -> &String| match pattern {
        None => true,
        Some(pattern) => given(text).is_some_and(|text| pattern.matches(text)),
    };
    let named = |pattern: &Pattern| {
        let names: [fn(&Release) -> &String; 2] = [|release| &release.suite, |release| &release.codename];
        names
            .into_iter()
            .any(|name| given(name).is_some_and(|text| pattern.matches(text)))
    };
    let version = wanted.version.as_ref().filter(|version| version.is_set());
    let asks = version.is_some()
        || [&wanted.origin, &wanted.archive, &wanted.codename, &wanted.label]
            .iter()
            .any(|part| part.is_some())
        || [&wanted.component, &wanted.architecture, &wanted.release]
            .iter()
            .any(|part| part.is_some());
    asks && version.is_none_or(|version| given(|release| &release.version).is_some_and(|text| version.matches(text)))
        && meets(wanted.origin.as_ref(), |release| &release.origin)
        && meets(wanted.archive.as_ref(), |release| &release.suite)
        && meets(wanted.codename.as_ref(), |release| &release.codename)
        && meets(wanted.label.as_ref(), |release| &release.label)
        && wanted.release.as_ref().is_none_or(named)
        && list_matches(&shelf.component, wanted.component.as_ref())
        && list_matches(&shelf.architecture, wanted.architecture.as_ref())
}

#[cfg(test)]
mod tests {
    use evidence::Timestamp;

    use super::*;
    use crate::formats::stanza::stanzas;

    fn shelf(suite: &str, codename: &str, label: &str) -> Shelf {
        Shelf {
            release: Some(Release {
                origin: "Debian".into(),
                label: label.into(),
                suite: suite.into(),
                codename: codename.into(),
                version: "12.5".into(),
                date: None,
                valid_until: None,
                file_time: Timestamp::from_unix(0).unwrap(),
                not_automatic: label == "Backports",
                but_automatic_upgrades: label == "Backports",
            }),
            host: "deb.debian.org".into(),
            component: "main".into(),
            architecture: "amd64".into(),
            is_installed: false,
        }
    }

    fn shelves() -> Vec<Shelf> {
        vec![
            Shelf {
                component: "now".into(),
                is_installed: true,
                ..Shelf::default()
            },
            shelf("stable", "bookworm", "Debian"),
            shelf("stable-security", "bookworm-security", "Debian-Security"),
            shelf("stable-backports", "bookworm-backports", "Backports"),
        ]
    }

    /// A package with version 2 installed and in stable, 3 in security, 4 in backports, and 1 in stable as well.
    fn package() -> Package<'static> {
        let version = |number, shelves: &[usize]| Version {
            number,
            source: "source",
            shelves: shelves.to_vec(),
            installed: shelves.contains(&0),
            phased: 100,
        };
        Package {
            name: "name",
            architecture: "amd64",
            versions: vec![
                version("4", &[3]),
                version("3", &[2]),
                version("2", &[0, 1]),
                version("1", &[1]),
            ],
        }
    }

    fn candidate(preferences: &str, default_release: &str) -> Option<String> {
        let mut read = Preferences::default();
        if !default_release.is_empty() {
            let release = ReleaseOf::parse(default_release).unwrap();
            read.general.push((Target::Release(Box::new(release)), 990));
        }
        for stanza in stanzas(preferences.as_bytes()) {
            read.add_stanza(&stanza).unwrap();
        }
        let shelves = shelves();
        let package = package();
        let policy = Policy::new(&shelves, Some(&read), "amd64");
        policy.candidate(&package).map(|version| version.number.to_owned())
    }

    #[test]
    fn the_newest_of_the_highest_priority() {
        assert_eq!(candidate("", "").unwrap(), "3");
        // Backports come only if asked for.
        assert_eq!(candidate("", "bookworm-backports").unwrap(), "4");
        // A trap: the security archive is another release.
        assert_eq!(candidate("", "stable").unwrap(), "2");
        assert_eq!(candidate("", "a=stable*").unwrap(), "4");
    }

    #[test]
    fn pins() {
        for (preferences, expected) in [
            ("Package: name\nPin: version 4*\nPin-Priority: 600", Some("4")),
            ("Package: name\nPin: version 1\nPin-Priority: 600", Some("3")),
            ("Package: name\nPin: version 1\nPin-Priority: 1000", Some("1")),
            ("Package: other\nPin: version 1\nPin-Priority: 1000", Some("3")),
            ("Package: src:source\nPin: version 4\nPin-Priority: 600", Some("4")),
            (
                "Package: n*\nPin: release l=Debian-Security\nPin-Priority: -1",
                Some("2"),
            ),
            (
                "Package: *\nPin: release l=Debian-Security\nPin-Priority: -1",
                Some("2"),
            ),
            (
                "Package: *\nPin: release n=bookworm-backports\nPin-Priority: 501",
                Some("4"),
            ),
            ("Package: *\nPin: release v=12*\nPin-Priority: 501", Some("4")),
            ("Package: *\nPin: release v=11*\nPin-Priority: 1001", Some("3")),
            ("Package: *\nPin: origin deb.debian.org\nPin-Priority: -1", Some("2")),
            (
                "Package: *\nPin: origin \"*.debian.org\"\nPin-Priority: never",
                Some("2"),
            ),
            ("Package: *\nPin: origin \"\"\nPin-Priority: 1001", Some("3")),
            ("Package: *\nPin: release a=now\nPin-Priority: 900", Some("2")),
            ("Package: name\nPin: release *\nPin-Priority: -1", None),
            (
                "Package: *\nPin: release o=Debian\nPin-Priority: 400\n\nPackage: *\nPin: release a=stable-security\nPin-Priority: -5",
                Some("4"),
            ),
            (
                "Package: *\nPin: release l=Debian-Security\nPin-Priority: never\n\nPackage: name\nPin: version 3\nPin-Priority: 900",
                Some("2"),
            ),
            ("Package: name:i386\nPin: version 4\nPin-Priority: 600", Some("3")),
        ] {
            assert_eq!(candidate(preferences, "").as_deref(), expected, "{preferences}");
        }
    }
}

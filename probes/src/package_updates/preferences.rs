//! apt_preferences(5): which priority a version gets.

use super::apt_conf::AptConf;
use super::doubts::Doubts;
use super::facts::Pin;
use super::parts;
use super::pattern::Pattern;
use crate::formats::debian_version::MAX_LENGTH;
use crate::formats::stanza::{Stanza, Uncommented, stanzas};
use crate::reading::Reading;

/// Priority that no version ever gets away from (`Pin-Priority: never`).
pub(super) const NEVER: i32 = i16::MIN as i32;
/// Pins that are looked at.
const MAX_PINS: usize = 2_000;
/// Longest text of a pin. apt cuts a release pin at 300 characters.
const MAX_TEXT: usize = 299;

/// What apt was told to prefer.
#[derive(Debug, Default)]
pub(super) struct Preferences {
    /// Pins for all packages, first one first; the default release is among them.
    pub(super) general: Vec<(Target, i32)>,
    /// Pins for certain packages, first one first.
    pub(super) specific: Vec<(Vec<Named>, Target, i32)>,
    /// All of them as they are written.
    pub(super) facts: Vec<Pin>,
    /// `APT::Default-Release`, empty if not set.
    pub(super) default_release: String,
}

/// Packages that a pin names.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// Their names.
    pub(super) name: NameOf,
    /// Whether the name is that of a source package.
    pub(super) is_source: bool,
    /// Of which architecture.
    pub(super) architecture: ArchitectureOf,
}

/// A name or a pattern for names.
#[derive(Debug, Clone)]
pub(super) enum NameOf {
    /// Exactly.
    Exact(String),
    /// By pattern.
    Pattern(Pattern),
}

/// Architecture of a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArchitectureOf {
    /// The host's own; so without any, too.
    Native,
    /// Every one.
    Any,
    /// This one.
    Exact(String),
}

/// What a pin points to.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// Versions.
    Version(VersionOf),
    /// Lists by what the archive says about itself.
    Release(Box<ReleaseOf>),
    /// Lists by their host; nothing: local ones.
    Origin(Pattern),
    /// None at all.
    Nothing,
}

/// A version number, or its beginning, or a pattern.
#[derive(Debug, Clone)]
pub(super) struct VersionOf {
    beginning: String,
    prefix: bool,
    pattern: Pattern,
}

/// Conditions on a release file and on a list; all of them must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct ReleaseOf {
    /// `*`: every list.
    pub(super) all: bool,
    /// `v=`.
    pub(super) version: Option<VersionOf>,
    /// `o=`.
    pub(super) origin: Option<Pattern>,
    /// `a=`.
    pub(super) archive: Option<Pattern>,
    /// `n=`.
    pub(super) codename: Option<Pattern>,
    /// `l=`.
    pub(super) label: Option<Pattern>,
    /// `c=`.
    pub(super) component: Option<Pattern>,
    /// `b=`.
    pub(super) architecture: Option<Pattern>,
    /// Without a letter: archive or codename.
    pub(super) release: Option<Pattern>,
}

impl VersionOf {
    fn parse(text: &str) -> Option<Self> {
        let (beginning, prefix) = text.strip_suffix('*').map_or((text, false), |text| (text, true));
        if text.len() > MAX_LENGTH {
            return None;
        }
        // apt tries the pattern without the star.
        let (beginning, pattern) = (beginning.to_owned(), Pattern::parse(beginning)?);
        Some(Self {
            beginning,
            prefix,
            pattern,
        })
    }

    /// Whether it asks for anything.
    pub(super) fn is_set(&self) -> bool {
        !self.beginning.is_empty()
    }

    /// Whether `version` is meant.
    pub(super) fn matches(&self, version: &str) -> bool {
        let begins = version
            .get(..self.beginning.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(&self.beginning));
        (begins && (self.prefix || version.len() == self.beginning.len())) || self.pattern.matches(version)
    }
}

impl Target {
    /// `None`: not understood.
    fn parse(kind: &str, data: &str, has_package: bool) -> Option<Self> {
        if data.len() > MAX_TEXT {
            return None;
        }
        match kind.to_ascii_lowercase().as_str() {
            // apt says that it does not understand, and goes on.
            "version" if !has_package => Some(Self::Nothing),
            "version" => VersionOf::parse(data).map(Self::Version),
            "release" => ReleaseOf::parse(data).map(|release| Self::Release(Box::new(release))),
            "origin" => {
                let quoted = data.strip_prefix('"').and_then(|data| data.strip_suffix('"'));
                Pattern::parse(quoted.unwrap_or(data)).map(Self::Origin)
            }
            _ => None,
        }
    }
}

impl ReleaseOf {
    /// `None`: not understood.
    pub(super) fn parse(data: &str) -> Option<Self> {
        let mut release = Self::default();
        if data == "*" {
            release.all = true;
            return Some(release);
        }
        if !data.contains('=') {
            if data.starts_with(|first: char| first.is_ascii_digit()) {
                release.version = Some(VersionOf::parse(data)?);
            } else if !data.is_empty() {
                release.release = Some(Pattern::parse(data)?);
            }
            return Some(release);
        }
        for part in data.split(',').map(str::trim) {
            if part.len() < 3 {
                continue;
            }
            let (letter, value) = part.split_once('=')?;
            let place = match letter.to_ascii_lowercase().as_str() {
                "v" => {
                    release.version = Some(VersionOf::parse(value)?);
                    continue;
                }
                "o" => &mut release.origin,
                "a" => &mut release.archive,
                "n" => &mut release.codename,
                "l" => &mut release.label,
                "c" => &mut release.component,
                "b" => &mut release.architecture,
                _ => return None,
            };
            *place = Some(Pattern::parse(value)?);
        }
        Some(release)
    }
}

impl Preferences {
    /// Reads the default release of the configuration, `preferences` and `preferences.d`.
    pub(super) fn read(reading: &Reading<'_>, conf: &AptConf, doubts: &mut Doubts) -> Self {
        let mut preferences = Self {
            default_release: conf.get("apt::default-release").to_owned(),
            ..Self::default()
        };
        if !preferences.default_release.is_empty() {
            match ReleaseOf::parse(&preferences.default_release) {
                Some(release) => preferences.general.push((Target::Release(Box::new(release)), 990)),
                None => doubts.add("APT::Default-Release is not understood".to_owned()),
            }
        }
        let mut files: Vec<_> = parts::file(reading, "/etc/apt/preferences", doubts)
            .into_iter()
            .collect();
        files.extend(parts::files(reading, "/etc/apt/preferences.d", &["pref", ""], doubts));
        for (path, text) in files {
            let text = Uncommented::of(text.as_bytes());
            for stanza in stanzas(&text.text) {
                let line = text.line_of(stanza.offset);
                if let Err(reason) = preferences.add(&path, line, &stanza) {
                    doubts.add(format!("{path}:{line}: {reason}"));
                }
            }
        }
        preferences
    }

    fn add(&mut self, file: &str, line: u64, stanza: &Stanza<'_>) -> Result<(), &'static str> {
        if self.facts.len() >= MAX_PINS {
            return Err("too many pins, the rest was not read");
        }
        if stanza.fields().any(|field| field.is_err()) {
            return Err("a line is no field");
        }
        let text = |name: &str| {
            let value = stanza.get(name).map(std::str::from_utf8).transpose();
            value.map_err(|_| "a field is not UTF-8")
        };
        let packages = text("Package")?
            .filter(|packages| !packages.is_empty())
            .ok_or("no Package field")?;
        let Some(pin) = text("Pin")? else { return Ok(()) };
        let is_general = packages == "*";
        let (kind, data) = pin.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((pin, ""));
        let target = Target::parse(kind, data.trim(), !is_general).ok_or("the pin is not understood")?;
        let priority = match text("Pin-Priority")? {
            Some("never") if is_general => NEVER,
            Some("never") => return Err("the priority `never` is for all packages only"),
            Some(number) => match number.parse::<i16>() {
                Ok(0) => return Err("no priority, or zero"),
                // As low as `never`, but not it.
                Ok(number) => i32::from(number).max(NEVER + 1),
                Err(_) => return Err("the priority is no number from -32768 to 32767"),
            },
            None => return Err("no priority, or zero"),
        };
        self.facts.push(Pin {
            file: file.to_owned(),
            line,
            packages: packages.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
            pin: pin.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
            priority: i64::from(priority),
        });
        if is_general {
            self.general.push((target, priority));
            return Ok(());
        }
        let named: Option<Vec<_>> = packages.split_ascii_whitespace().map(Named::parse).collect();
        let named = named.ok_or("a package's name is not understood")?;
        self.specific.push((named, target, priority));
        Ok(())
    }
}

#[cfg(test)]
impl Preferences {
    pub(super) fn add_stanza(&mut self, stanza: &Stanza<'_>) -> Result<(), &'static str> {
        self.add("f", 1, stanza)
    }
}

impl Named {
    /// `None`: not understood.
    fn parse(text: &str) -> Option<Self> {
        let (is_source, text) = text.strip_prefix("src:").map_or((false, text), |text| (true, text));
        let (name, architecture) = match text.rsplit_once(':') {
            None => (text, ArchitectureOf::Native),
            Some((name, "any")) => (name, ArchitectureOf::Any),
            Some((name, "native")) => (name, ArchitectureOf::Native),
            // dpkg's wildcards (`any-amd64`, `linux-any`) and expressions with colons in them.
            Some((_, other)) if other.contains('-') || other.is_empty() || other.ends_with('/') => return None,
            Some((name, exact)) => (name, ArchitectureOf::Exact(exact.to_owned())),
        };
        let name = if Pattern::is_pattern(name) {
            NameOf::Pattern(Pattern::parse(name)?)
        } else {
            NameOf::Exact(name.to_owned())
        };
        Some(Self {
            name,
            is_source,
            architecture,
        })
    }

    /// Whether a version is meant, by the names of its package and source package and its architecture.
    pub(super) fn matches(&self, package: &str, source: &str, architecture: &str, native: &str) -> bool {
        let name = if self.is_source { source } else { package };
        let name_matches = match &self.name {
            NameOf::Exact(exact) => exact == name,
            NameOf::Pattern(pattern) => pattern.matches(name),
        };
        name_matches
            && match &self.architecture {
                ArchitectureOf::Any => true,
                ArchitectureOf::Native => architecture == native,
                ArchitectureOf::Exact(exact) => architecture == exact,
            }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (Preferences, Vec<(u64, &'static str)>) {
        let mut preferences = Preferences::default();
        let text = Uncommented::of(text.as_bytes());
        let errors = stanzas(&text.text)
            .filter_map(|stanza| {
                let line = text.line_of(stanza.offset);
                preferences.add("f", line, &stanza).err().map(|reason| (line, reason))
            })
            .collect();
        (preferences, errors)
    }

    #[test]
    fn pins() {
        let (preferences, errors) = read(
            "Explanation: why\nPackage: *\nPin: release o=Debian,a=unstable\nPin-Priority: 50\n\n# comment\n\n\
             Package: nodejs:any src:linux\n /^lib.*dev$/\nPin: version 20.*\nPin-Priority: -1\n\n\
             Package: a\nExplanation: no pin, so nothing\n\nPackage: *\nPin: origin \"\"\nPin-Priority: never\n",
        );
        assert_eq!(errors, []);
        assert_eq!(preferences.general.len(), 2);
        assert_eq!(preferences.general[1].1, NEVER);
        let (named, target, priority) = &preferences.specific[0];
        assert_eq!((named.len(), *priority), (3, -1));
        assert!(named[0].matches("nodejs", "nodejs", "i386", "amd64"));
        assert!(named[1].matches("linux-image-amd64", "linux", "amd64", "amd64"));
        assert!(named[2].matches("libc6-dev", "glibc", "amd64", "amd64"));
        assert!(!named[2].matches("libc6-dev", "glibc", "i386", "amd64"));
        let Target::Version(version) = target else { panic!() };
        assert!(version.matches("20.1-1") && !version.matches("2.1"));
        assert_eq!(preferences.facts[1].packages, "nodejs:any src:linux /^lib.*dev$/");
        assert_eq!(preferences.facts[1].line, 8);
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        for (stanza, reason) in [
            ("Pin: release a=x\nPin-Priority: 1", "no Package field"),
            ("Package: a\nPin: release a=x", "no priority, or zero"),
            ("Package: a\nPin: release a=x\nPin-Priority: 0", "no priority, or zero"),
            (
                "Package: a\nPin: release a=x\nPin-Priority: 99999",
                "the priority is no number from -32768 to 32767",
            ),
            (
                "Package: a\nPin: release a=x\nPin-Priority: high",
                "the priority is no number from -32768 to 32767",
            ),
            (
                "Package: a\nPin: release a=x\nPin-Priority: never",
                "the priority `never` is for all packages only",
            ),
            ("Package: a\nPin: suite x\nPin-Priority: 1", "the pin is not understood"),
            (
                "Package: a\nPin: release z=x\nPin-Priority: 1",
                "the pin is not understood",
            ),
            (
                "Package: a\nPin: version /(/\nPin-Priority: 1",
                "the pin is not understood",
            ),
            (
                "Package: a:linux-any\nPin: release a=x\nPin-Priority: 1",
                "a package's name is not understood",
            ),
            ("Package: a\njunk", "a line is no field"),
        ] {
            assert_eq!(read(&format!("\n{stanza}\n")).1, [(2, reason)], "{stanza}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "[\\PC\n]{0,100}", pin in "(release|origin|version) [a-z=,*/\\[]{0,20}", package in "[a-z:*/ ]{0,10}") {
            read(&text);
            read(&format!("Package: x{package}\nPin: {pin}\nPin-Priority: 5\n"));
        }
    }
}

//! sources.list(5): where packages come from, in its two styles.

mod deb822;
mod one_line;

use std::collections::BTreeMap;

use super::apt_conf::{AptConf, truth};
use super::doubts::Doubts;
use super::facts::{Authentication, Trusted};
use super::parts;
use super::uri::ArchiveUri;
use crate::order::Order as _;
use crate::reading::Reading;

/// Entries (each URI and suite is one) that are looked at.
const MAX_ENTRIES: usize = 1_000;

/// An enabled source of binary packages: one URI and suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configured {
    /// The file that configures it.
    pub(super) file: String,
    /// Line, from 1.
    pub(super) line: u64,
    /// Where.
    pub(super) uri: ArchiveUri,
    /// Suite, or a path that ends in `/`.
    pub(super) suite: String,
    /// Components; empty for a path.
    pub(super) components: Vec<String>,
    /// Architectures of which lists are fetched.
    pub(super) architectures: Vec<String>,
    /// What is configured about authenticity.
    pub(super) authentication: Authentication,
}

/// All configured sources.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The enabled ones, in order.
    pub(super) enabled: Vec<Configured>,
    /// How many stanzas are disabled.
    pub(super) disabled: u64,
}

/// One entry of either style, before defaults are applied.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Entry {
    line: u64,
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    /// Options by their names in the one-line style.
    options: BTreeMap<String, String>,
}

/// What was found in one file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Enabled entries for binary packages.
    entries: Vec<Entry>,
    /// Disabled stanzas.
    disabled: u64,
    /// What could not be understood: line and reason. apt refuses to work with such a file.
    errors: Vec<(u64, String)>,
}

impl Sources {
    /// Reads `sources.list` and `sources.list.d`.
    pub(super) fn read(reading: &Reading<'_>, conf: &AptConf, machine: &Architectures, doubts: &mut Doubts) -> Self {
        let mut sources = Self::default();
        let mut files: Vec<_> = parts::file(reading, "/etc/apt/sources.list", doubts)
            .into_iter()
            .collect();
        files.extend(parts::files(
            reading,
            "/etc/apt/sources.list.d",
            &["list", "sources"],
            doubts,
        ));
        for (path, text) in files {
            let found = if path.ends_with(".sources") {
                deb822::parse(text.as_bytes())
            } else {
                one_line::parse(&text)
            };
            sources.disabled += found.disabled;
            for (line, reason) in found.errors {
                doubts.add(format!("{path}:{line}: {reason}"));
            }
            for entry in found.entries {
                sources.add(&path, &entry, conf, machine, doubts);
            }
        }
        sources
    }

    fn add(&mut self, file: &str, entry: &Entry, conf: &AptConf, machine: &Architectures, doubts: &mut Doubts) {
        let place = format!("{file}:{}", entry.line);
        let native = machine.native.as_str();
        let targets = |name: &String| name.starts_with("target") || name.eq_ignore_ascii_case("packages");
        if let Some(option) = entry.options.keys().find(|name| targets(name)) {
            doubts.add(format!("{place}: the option {option} is not followed"));
        }
        let architectures = architectures(entry, machine);
        for uri in &entry.uris {
            let Some(uri) = ArchiveUri::parse(&uri.replace("$(ARCH)", native)) else {
                doubts.add(format!("{place}: not a URI whose lists can be found"));
                continue;
            };
            for suite in &entry.suites {
                if suite.ends_with('/') != entry.components.is_empty() {
                    doubts.add(format!(
                        "{place}: a suite needs components, and a path that ends in / has none"
                    ));
                    continue;
                }
                if self.enabled.len() >= MAX_ENTRIES {
                    doubts.add(format!(
                        "{place}: more than {MAX_ENTRIES} sources, the rest was not looked at"
                    ));
                    return;
                }
                self.enabled.push(Configured {
                    file: file.to_owned(),
                    line: entry.line,
                    uri: uri.clone(),
                    suite: suite.replace("$(ARCH)", native),
                    components: entry.components.clone(),
                    architectures: architectures.clone(),
                    authentication: authentication(entry, conf, &uri.host),
                });
            }
        }
    }
}

/// The architectures of the host, as apt has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Architectures {
    /// Its own.
    pub(super) native: String,
    /// Its own and those that were added (`dpkg --add-architecture`).
    pub(super) all: Vec<String>,
}

fn architectures(entry: &Entry, machine: &Architectures) -> Vec<String> {
    let split = |name: &str| {
        let value = entry.options.get(name).map_or("", String::as_str);
        let words = value.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut list = split("arch");
    if list.is_empty() {
        list.clone_from(&machine.all);
    }
    list.extend(split("arch+"));
    let removed = split("arch-");
    list.retain(|name| !removed.contains(name));
    list.order();
    list.dedup();
    list
}

fn authentication(entry: &Entry, conf: &AptConf, host: &str) -> Authentication {
    let option = |name: &str| entry.options.get(name).map(String::as_str);
    let flag = |name: &str, setting: &str, default: bool| {
        option(name)
            .and_then(truth)
            .unwrap_or_else(|| conf.flag(setting, default))
    };
    let trusted = match option("trusted").map(|value| truth(value).unwrap_or(false)) {
        None => Trusted::Default,
        Some(true) => Trusted::Yes,
        Some(false) => Trusted::No,
    };
    let allow_insecure = flag("allow-insecure", "acquire::allowinsecurerepositories", false);
    let allow_weak = flag("allow-weak", "acquire::allowweakrepositories", false);
    let downgrade = "acquire::allowdowngradetoinsecurerepositories";
    let allow_downgrade_to_insecure = flag("allow-downgrade-to-insecure", downgrade, false);
    Authentication {
        trusted,
        allow_insecure,
        allow_weak,
        allow_downgrade_to_insecure,
        check_valid_until: flag("check-valid-until", "acquire::check-valid-until", true),
        signed_by: signed_by(option("signed-by").unwrap_or_default()),
        server_verified: ["verify-peer", "verify-host"]
            .iter()
            .all(|check| is_checked(conf, host, check)),
        unauthenticated: trusted == Trusted::Yes || allow_insecure || allow_weak || allow_downgrade_to_insecure,
    }
}

/// A setting of the method `https`, on unless switched off: that for the host goes before that for all, and the method takes
/// those of `http` as well (`setPostfixForMethodNames` in `methods/basehttp.cc` of apt).
fn is_checked(conf: &AptConf, host: &str, setting: &str) -> bool {
    let host = host.to_ascii_lowercase();
    [
        format!("https::{host}"),
        "https".to_owned(),
        format!("http::{host}"),
        "http".to_owned(),
    ]
    .iter()
    .find_map(|method| truth(conf.get(&format!("acquire::{method}::{setting}"))))
    .unwrap_or(true)
}

fn signed_by(value: &str) -> Vec<String> {
    if value.contains("-----BEGIN PGP") {
        return vec!["embedded key".to_owned()];
    }
    let mut list: Vec<_> = value
        .split([',', ' ', '\t', '\n'])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    list.order();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(options: &[(&str, &str)]) -> Entry {
        Entry {
            options: options
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Entry::default()
        }
    }

    #[test]
    fn architectures_of_a_source() {
        let machine = Architectures {
            native: "amd64".into(),
            all: vec!["amd64".into(), "i386".into()],
        };
        for (options, list) in [
            (&[][..], &["amd64", "i386"][..]),
            (&[("arch", "armhf,amd64")], &["amd64", "armhf"]),
            (&[("arch+", "armhf")], &["amd64", "armhf", "i386"]),
            (&[("arch-", "i386")], &["amd64"]),
        ] {
            assert_eq!(architectures(&entry(options), &machine), list);
        }
    }

    #[test]
    fn authenticity() {
        let none = authentication(&entry(&[]), &AptConf::default(), "h");
        assert!(!none.unauthenticated && none.check_valid_until && none.trusted == Trusted::Default);
        for option in ["trusted", "allow-insecure", "allow-weak", "allow-downgrade-to-insecure"] {
            assert!(
                authentication(&entry(&[(option, "yes")]), &AptConf::default(), "h").unauthenticated,
                "{option}"
            );
            assert!(
                !authentication(&entry(&[(option, "no")]), &AptConf::default(), "h").unauthenticated,
                "{option}"
            );
        }
        assert!(none.server_verified);
        for (setting, verified) in [
            ("Acquire::https::Verify-Peer \"false\";", false),
            ("Acquire::https::Verify-Host \"false\";", false),
            ("Acquire::https::other::Verify-Peer \"false\";", true),
            (
                "Acquire::https::Verify-Peer \"false\"; Acquire::https::h::Verify-Peer \"true\";",
                true,
            ),
        ] {
            let mut conf = AptConf::default();
            conf.add(setting).unwrap();
            assert_eq!(
                authentication(&entry(&[]), &conf, "H").server_verified,
                verified,
                "{setting}"
            );
        }
        let late = authentication(&entry(&[("check-valid-until", "no")]), &AptConf::default(), "h");
        assert!(!late.check_valid_until);
        assert_eq!(signed_by("/b.gpg,/a.gpg"), ["/a.gpg", "/b.gpg"]);
        assert_eq!(
            signed_by("\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n"),
            ["embedded key"]
        );
    }
}

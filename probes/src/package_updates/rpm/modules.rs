//! Modules of RHEL 8 and 9: several streams of the same packages in one repository, of which a host has one on or none. Packages of
//! the others are no updates, and where a stream is on, its packages alone are.
//!
//! Source: dnf(8), *modularity*; `setModuleExcludes` of libdnf's `dnf-sack.cpp` and `resolveActiveModulePackages` of its
//! `module/ModulePackageContainer.cpp`, of which this is the behaviour. Not so: a package that provides a name of a stream that is
//! on counts here, and obsoletes of modules (off by default) do not.

mod document;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use self::document::{Build, Document};
use super::super::doubts::Doubts;
use super::super::facts::{ModuleState, ModuleStream};
use super::super::parts;
use super::metadata::{self, Offered};
use crate::formats::os_release::OsRelease;
use crate::formats::repo_file::Ini;
use crate::formats::rpm_database::Package;
use crate::reading::Reading;

/// What dnf was told to have on and off.
const STATES: &str = "/etc/dnf/modules.d";
/// Defaults of this host, before those of repositories.
const DEFAULTS: &str = "/etc/dnf/modules.defaults.d";
/// The same of dnf5.
const DNF5_STATES: &str = "/usr/lib/sysimage/libdnf5/modules.toml";
/// The module that stands for the distribution's release.
const PLATFORM: &str = "platform";
/// Builds and defaults that are looked at. RHEL 8 has some thousand.
const MAX_DOCUMENTS: usize = 20_000;

/// The modules of a host.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// On and off by name, as the host was told.
    states: BTreeMap<String, ModuleStream>,
    builds: Vec<Build>,
    /// Streams that are on by default; `None` where repositories do not agree.
    defaults: BTreeMap<String, Option<String>>,
    /// Packages of builds that count, and names of those.
    included: HashSet<Offered>,
    names: HashSet<String>,
    /// Name, stream and context of builds that count.
    active: HashSet<[String; 3]>,
    /// Packages of the other builds.
    excluded: HashSet<Offered>,
}

impl Modules {
    /// Reads the lists of modules at `paths` and what the host has on. What cannot be understood is a doubt.
    pub(super) fn read(
        reading: &Reading<'_>,
        paths: &[String],
        wanted: &HashMap<&str, Vec<usize>>,
        doubts: &mut Doubts,
    ) -> Self {
        let mut modules = Self::default();
        modules.read_states(reading, doubts);
        for path in paths {
            let read = metadata::documents(reading, path, &mut |text| {
                let document = document::document(text, &|name| wanted.contains_key(name))?;
                if modules.builds.len() + modules.defaults.len() >= MAX_DOCUMENTS {
                    return Err("more modules than can be looked at".to_owned());
                }
                match document {
                    Some(Document::Build(build)) => modules.builds.push(build),
                    Some(Document::Default { module, stream }) => {
                        let known = modules.defaults.entry(module).or_insert_with(|| Some(stream.clone()));
                        if known.as_ref() != Some(&stream) {
                            *known = None;
                        }
                    }
                    None => {}
                }
                Ok(())
            });
            if let Err(error) = read {
                doubts.add(error.detail);
            }
        }
        for (path, text) in parts::files(reading, DEFAULTS, &["yaml"], doubts) {
            for text in text.split("\n---") {
                match document::document(text.trim_start_matches("---"), &|_| false) {
                    Ok(Some(Document::Default { module, stream })) => {
                        modules.defaults.insert(module, Some(stream));
                    }
                    Ok(_) => {}
                    Err(why) => doubts.add(format!("{path}: {why}")),
                }
            }
        }
        if !modules.builds.is_empty() {
            let release = OsRelease::read(reading).ok().flatten().unwrap_or_default();
            let platform = release.get("PLATFORM_ID").strip_prefix("platform:").unwrap_or_default();
            if platform.is_empty() && modules.builds.iter().any(|build| !build.artifacts.is_empty()) {
                doubts.add("os-release tells no platform, so which modules count cannot be told here".to_owned());
            }
            modules.resolve(platform, doubts);
        }
        modules
    }

    fn read_states(&mut self, reading: &Reading<'_>, doubts: &mut Doubts) {
        for (path, text) in parts::files(reading, STATES, &["module"], doubts) {
            let ini = Ini::parse(&text);
            for section in &ini.sections {
                let state = match section.get("state").unwrap_or_default() {
                    "1" | "true" | "enabled" => ModuleState::Enabled,
                    "0" | "false" | "disabled" => ModuleState::Disabled,
                    _ => continue,
                };
                let told = ModuleStream {
                    name: section.name.clone(),
                    stream: section.get("stream").unwrap_or_default().to_owned(),
                    state,
                };
                self.states.insert(section.name.clone(), told);
            }
            if let Some(line) = ini.unparsed.first() {
                doubts.add(format!("{path}:{line}: neither a section nor a setting"));
            }
        }
        if parts::file(reading, DNF5_STATES, doubts).is_some_and(|(_, text)| text.contains("[modules.")) {
            doubts.add(format!(
                "{DNF5_STATES}: there are modules of dnf5, which are not read here"
            ));
        }
    }

    /// What the host was told, sorted.
    pub(super) fn told(&self) -> Vec<ModuleStream> {
        self.states.values().cloned().collect()
    }

    /// Whether builds of this stream and context count. Advisories of others do not apply.
    pub(super) fn is_active(&self, stream: [&str; 3]) -> bool {
        self.active.contains(&stream.map(str::to_owned))
    }

    /// Whether a package can be installed: it belongs to a build that counts, or to none and has no name of theirs.
    pub(super) fn allows(&self, package: &Offered) -> bool {
        self.included.contains(package) || !self.names.contains(&package.name) && !self.excluded.contains(package)
    }

    /// Names of installed packages whose module no list tells of: which versions are updates for them is not known.
    pub(super) fn unknown(&self, installed: &[Package]) -> BTreeSet<String> {
        let known: BTreeSet<&str> = self.builds.iter().map(|build| build.name.as_str()).collect();
        let modular = installed.iter().filter(|package| {
            let module = package.module.split(':').next().unwrap_or_default();
            !module.is_empty() && !known.contains(module)
        });
        modular.map(|package| package.name.clone()).collect()
    }

    /// Which builds count: of streams that are on, or are so by default, or are needed by one that is; of several contexts that
    /// whose needs are met.
    fn resolve(&mut self, platform: &str, doubts: &mut Doubts) {
        let mut active: BTreeMap<&str, &str> = BTreeMap::new();
        for (module, stream) in &self.defaults {
            active.extend(stream.as_ref().map(|stream| (module.as_str(), stream.as_str())));
        }
        for state in self.states.values() {
            match state.state {
                ModuleState::Enabled => active.insert(&state.name, &state.stream),
                ModuleState::Disabled => active.remove(state.name.as_str()),
            };
        }
        let is_disabled = |name: &str| {
            let state = self.states.get(name);
            state.is_some_and(|state| state.state == ModuleState::Disabled)
        };
        // The streams of each module, and whether they have a package that is installed.
        let mut streams_of: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
        for build in &self.builds {
            let streams = streams_of.entry(&build.name).or_default();
            *streams.entry(&build.stream).or_default() |= !build.artifacts.is_empty();
        }
        // What is needed and neither on nor off is switched on with it; that may need more.
        loop {
            // The streams that will do, and whether any of it matters to what is installed.
            let mut needed: BTreeMap<&str, (BTreeSet<&str>, bool)> = BTreeMap::new();
            for build in self.builds.iter().filter(|build| is_on(&active, build)) {
                for (name, streams) in &build.requires {
                    if name != PLATFORM && !active.contains_key(name.as_str()) && !is_disabled(name) {
                        let (will_do, matters) = needed.entry(name).or_default();
                        *matters |= !build.artifacts.is_empty();
                        for (stream, has_installed) in streams_of.get(name.as_str()).into_iter().flatten() {
                            if fits(streams, stream) {
                                will_do.insert(stream);
                                *matters |= has_installed;
                            }
                        }
                    }
                }
            }
            needed.retain(|_, (will_do, _)| !will_do.is_empty());
            if needed.is_empty() {
                break;
            }
            for (name, (streams, matters)) in needed {
                if matters && streams.len() > 1 {
                    doubts.add(format!(
                        "{name}: modules that are on need it, and which of its streams cannot be told here"
                    ));
                }
                active.extend(streams.first().map(|stream| (name, *stream)));
            }
        }
        let mut versions: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        let mut counts = vec![];
        for build in &self.builds {
            let met = |(name, streams): &(String, Vec<String>)| {
                let stream = if name == PLATFORM {
                    Some(platform)
                } else {
                    active.get(name.as_str()).copied()
                };
                stream.is_some_and(|stream| fits(streams, stream))
            };
            let is_counted = is_on(&active, build) && build.requires.iter().all(met);
            if is_counted && !build.artifacts.is_empty() {
                let key = (build.name.as_str(), build.stream.as_str(), build.version.as_str());
                *versions.entry(key).or_default() += 1;
            }
            counts.push(is_counted);
        }
        for ((name, stream, version), _) in versions.iter().filter(|(_, contexts)| **contexts > 1) {
            doubts.add(format!(
                "{name}:{stream}:{version}: which of its contexts counts cannot be told here"
            ));
        }
        for (build, is_counted) in self.builds.iter().zip(counts) {
            if is_counted {
                self.active
                    .insert([build.name.clone(), build.stream.clone(), build.context.clone()]);
            }
            for package in &build.artifacts {
                if is_counted {
                    self.names.insert(package.name.clone());
                    self.included.insert(package.clone());
                } else {
                    self.excluded.insert(package.clone());
                }
            }
        }
    }
}

fn is_on(active: &BTreeMap<&str, &str>, build: &Build) -> bool {
    active.get(build.name.as_str()) == Some(&build.stream.as_str())
}

/// Whether a stream is one of those that will do.
fn fits(streams: &[String], stream: &str) -> bool {
    let mut named = streams.iter().filter(|named| !named.starts_with('-')).peekable();
    let is_barred = streams.iter().any(|named| named.strip_prefix('-') == Some(stream));
    !is_barred && (named.peek().is_none() || named.any(|named| named == stream))
}

#[cfg(test)]
mod tests;

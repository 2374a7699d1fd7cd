//! Sources and lists, as configured and as they are here.

use std::collections::{BTreeMap, BTreeSet};

use evidence::Timestamp;
use evidence::facts::{Origin, Outcome};

use super::doubts::Doubts;
use super::facts::{ListState, PackageList, PackageSource, Release};
use super::lists::{self, ListError, Offered, PACKED, Wanted};
use super::policy::Shelf;
use super::release::{Announced, ReleaseFile, is_security};
use super::sources::Configured;
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

/// Where apt keeps what it fetched.
const FOLDER: &str = "/var/lib/apt/lists";

/// Everything that the sources offer for the installed packages.
pub(super) struct Survey {
    /// The sources, priorities of their lists still missing.
    pub(super) sources: Vec<PackageSource>,
    /// dpkg's database first, then the lists.
    pub(super) shelves: Vec<Shelf>,
    /// Shelves that belong to security archives, by position.
    pub(super) security: BTreeSet<usize>,
    /// What is offered, and on which shelf.
    pub(super) offered: Vec<(usize, Offered)>,
    /// Shelf of each list of each source, in the order of `sources` and their `lists`.
    pub(super) shelf_of_list: Vec<Vec<usize>>,
}

/// A release file, read once however many entries it serves.
#[derive(Clone)]
struct ReadRelease {
    signed: bool,
    bytes: Result<Option<(Vec<u8>, String, Timestamp)>, Unread>,
}

struct Surveyor<'r, 'h, 'w> {
    reading: &'r Reading<'h>,
    wanted: &'w Wanted<'w>,
    names: BTreeSet<String>,
    releases: BTreeMap<String, ReadRelease>,
    /// Lists that were dealt with: state and shelf by path without compression.
    lists: BTreeMap<String, (ListState, usize)>,
    survey: Survey,
}

/// Looks at every configured source.
pub(super) fn survey(
    reading: &Reading<'_>,
    configured: &[Configured],
    wanted: &Wanted<'_>,
    doubts: &mut Doubts,
) -> Survey {
    let names = match reading.list(FOLDER) {
        Ok(Some(entries)) => entries.into_iter().map(|entry| entry.name).collect(),
        Ok(None) => {
            doubts.add(format!("{FOLDER} is not there"));
            BTreeSet::new()
        }
        Err(unread) => {
            doubts.unread(&unread);
            BTreeSet::new()
        }
    };
    let installed = Shelf {
        component: "now".to_owned(),
        is_installed: true,
        ..Shelf::default()
    };
    let mut surveyor = Surveyor {
        reading,
        wanted,
        names,
        releases: BTreeMap::new(),
        lists: BTreeMap::new(),
        survey: Survey {
            sources: vec![],
            shelves: vec![installed],
            security: BTreeSet::new(),
            offered: vec![],
            shelf_of_list: vec![],
        },
    };
    for source in configured {
        surveyor.source(source, doubts);
    }
    surveyor.survey
}

impl Surveyor<'_, '_, '_> {
    fn source(&mut self, source: &Configured, doubts: &mut Doubts) {
        let place = format!("{} {}", source.uri.shown, source.suite);
        let read = self.release(source);
        let parsed = match &read.bytes {
            Ok(Some((bytes, path, time))) => match ReleaseFile::parse(bytes) {
                Ok(file) => Some((file, *time)),
                Err(why) => {
                    self.reading.mark(Origin::Path(path.clone()), Outcome::Malformed);
                    doubts.add(format!("{path}: {why}"));
                    None
                }
            },
            _ => None,
        };
        let release = match (&read.bytes, &parsed) {
            (_, Some((file, time))) => {
                if file.has_unclear_end() {
                    doubts.add(format!("{place}: Valid-Until of its release file is no date"));
                }
                Known::Observed(file.facts(*time))
            }
            (Ok(Some((_, path, _))), None) => Known::Not(NotKnown {
                outcome: Outcome::Malformed,
                detail: format!("{path} is no release file"),
            }),
            (Ok(None), None) => Known::Not(NotKnown {
                outcome: Outcome::Absent,
                detail: format!("{place}: no release file in {FOLDER}; its lists were not fetched"),
            }),
            (Err(unread), None) => {
                doubts.unread(unread);
                Known::unread(unread)
            }
        };
        let security = is_security(release.value(), &source.suite);
        let file = parsed.as_ref().map(|(file, _)| file);
        let mut lists = vec![];
        for (component, architecture, path, optional) in wanted_lists(source, file) {
            let announced = file.map(|file| file.announced(&path));
            let new_shelf = shelf_of(source, release.value(), &component, &architecture);
            let (state, at) = self.list(source, &path, announced, new_shelf, doubts);
            if optional && matches!(state, ListState::Absent | ListState::Empty) {
                continue;
            }
            if state == ListState::Absent {
                let of = if component.is_empty() {
                    String::new()
                } else {
                    format!(" {component} {architecture}")
                };
                doubts.add(format!("{place}{of}: no list of packages in {FOLDER}"));
            }
            if security {
                self.survey.security.insert(at);
            }
            lists.push((
                PackageList {
                    component,
                    architecture,
                    state,
                    priority: 0,
                },
                at,
            ));
        }
        lists.order_by(|(a, _), (b, _)| a.cmp(b));
        let (lists, shelves): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
        self.survey.shelf_of_list.push(shelves);
        self.survey.sources.push(PackageSource {
            file: source.file.clone(),
            line: source.line,
            uri: source.uri.shown.clone(),
            suite: source.suite.clone(),
            components: source.components.clone(),
            authentication: source.authentication.clone(),
            signed: read.signed,
            security,
            release,
            lists,
            rpm: None,
        });
    }

    /// The release file of a source: `InRelease`, else `Release`.
    fn release(&mut self, source: &Configured) -> ReadRelease {
        let named = |file: &str| source.uri.file_name(&source.suite, file);
        let key = named("Release");
        if let Some(read) = self.releases.get(&key) {
            return read.clone();
        }
        let inline = named("InRelease");
        let read = if self.names.contains(&inline) {
            ReadRelease {
                signed: true,
                bytes: self.timed(&inline),
            }
        } else if self.names.contains(&key) {
            ReadRelease {
                signed: self.names.contains(&named("Release.gpg")),
                bytes: self.timed(&key),
            }
        } else {
            ReadRelease {
                signed: false,
                bytes: Ok(None),
            }
        };
        // apt renames what it could not verify, or never keeps it; a plain text under this name was put there.
        let signed = match &read.bytes {
            Ok(Some((bytes, path, _))) if path.ends_with("_InRelease") => bytes.starts_with(b"-----BEGIN PGP SIGNED"),
            _ => read.signed,
        };
        let read = ReadRelease { signed, ..read };
        self.releases.insert(key, read.clone());
        read
    }

    fn timed(&self, name: &str) -> Result<Option<(Vec<u8>, String, Timestamp)>, Unread> {
        let path = format!("{FOLDER}/{name}");
        let (Some(bytes), Some(stat)) = (self.reading.file(&path)?, self.reading.stat(&path)?) else {
            return Ok(None);
        };
        let time = Timestamp::from_unix(stat.mtime).map_err(|error| Unread::Malformed {
            place: path.clone(),
            reason: format!("its modification time: {error}"),
        })?;
        Ok(Some((bytes, path, time)))
    }

    /// Reads a list, once however often it is configured.
    fn list(
        &mut self,
        source: &Configured,
        path: &str,
        announced: Option<Announced>,
        new_shelf: Shelf,
        doubts: &mut Doubts,
    ) -> (ListState, usize) {
        let name = source.uri.file_name(&source.suite, path);
        if let Some(known) = self.lists.get(&name) {
            return *known;
        }
        let at = self.survey.shelves.len();
        self.survey.shelves.push(new_shelf);
        let state = self.read(&name, announced, at).unwrap_or_else(|error| {
            self.reading
                .mark(Origin::Path(format!("{FOLDER}/{name}")), outcome_of(error.state));
            doubts.add(error.detail);
            error.state
        });
        self.lists.insert(name, (state, at));
        (state, at)
    }

    fn read(&mut self, name: &str, announced: Option<Announced>, at: usize) -> Result<ListState, ListError> {
        let found = PACKED
            .iter()
            .map(|(ending, packed)| (format!("{name}{ending}"), *packed))
            .find(|(name, _)| self.names.contains(name));
        let Some((name, packed)) = found else {
            return Ok(match announced {
                Some(Announced::No | Announced::Bytes(Some(0))) => ListState::Empty,
                Some(Announced::Bytes(_)) | None => ListState::Absent,
            });
        };
        let path = format!("{FOLDER}/{name}");
        let (offered, bytes) = lists::read(self.reading, &path, packed, self.wanted)?;
        if let Some(Announced::Bytes(Some(expected))) = announced
            && expected != bytes
        {
            return Err(ListError {
                state: ListState::Malformed,
                detail: format!("{path}: it has {bytes} bytes, its release file says {expected}"),
            });
        }
        self.survey
            .offered
            .extend(offered.into_iter().map(|offered| (at, offered)));
        Ok(ListState::Observed)
    }
}

fn shelf_of(source: &Configured, release: Option<&Release>, component: &str, architecture: &str) -> Shelf {
    Shelf {
        release: release.cloned(),
        host: source.uri.host.clone(),
        component: component.to_owned(),
        architecture: architecture.to_owned(),
        is_installed: false,
    }
}

/// Component, architecture, path in the archive, and whether it matters if it is missing.
fn wanted_lists(source: &Configured, release: Option<&ReleaseFile<'_>>) -> Vec<(String, String, String, bool)> {
    if source.suite.ends_with('/') {
        return vec![(String::new(), String::new(), "Packages".to_owned(), false)];
    }
    let all_matters = release.is_some_and(ReleaseFile::separates_all);
    let mut lists = vec![];
    for component in &source.components {
        let mut add = |architecture: &str, optional| {
            let path = format!("{component}/binary-{architecture}/Packages");
            lists.push((component.clone(), architecture.to_owned(), path, optional));
        };
        for architecture in &source.architectures {
            add(architecture, false);
        }
        if !source.architectures.iter().any(|architecture| architecture == "all") {
            add("all", !all_matters);
        }
    }
    lists
}

fn outcome_of(state: ListState) -> Outcome {
    match state {
        ListState::Observed | ListState::Empty => Outcome::Observed,
        ListState::Absent => Outcome::Absent,
        ListState::Denied => Outcome::Denied,
        ListState::Failed => Outcome::Failed,
        ListState::Malformed => Outcome::Malformed,
        ListState::Unsupported => Outcome::Unsupported,
        ListState::Skipped => Outcome::Skipped,
    }
}

//! Pending updates on hosts with rpm, by the metadata that dnf and zypper have in their caches.
//!
//! Source: dnf.conf(5), dnf(8), zypper(8), dnf-plugin-versionlock(8), createrepo_c(8); `libdnf/repo/Repo.cpp` for the names of
//! folders in the cache and for the time that the list of packages has there.

mod choice;
mod comparison;
mod metadata;
mod modules;
mod repositories;
mod zchunk;

use std::collections::{BTreeSet, HashMap};

use evidence::Timestamp;
use evidence::facts::{Origin, Outcome};

use self::choice::{Excludes, Locks, Offer, choose};
use self::comparison::{Comparison, listed, pending};
use self::metadata::{Advisory, Contents, Offered};
use self::modules::Modules;
use self::repositories::{Client, Configured, Repository};
use super::doubts::Doubts;
use super::facts::{
    Authentication, ListState, PackageList, PackageSource, PackageUpdates, Release, RepositoryUrl, RpmRepository,
    RpmUpdates, Trusted,
};
use super::lists::ListError;
use super::{not_known, parts};
use crate::formats::repo_file::Ini;
use crate::formats::rpm_database::{Database, Location, Package};
use crate::probe::{Known, ProbeError};
use crate::reading::{Reading, Unread};

const DNF_CACHES: [&str; 2] = ["/var/cache/dnf", "/var/cache/libdnf5"];
const ZYPP_CACHE: &str = "/var/cache/zypp/raw";
const VERSIONLOCK_CONF: &str = "/etc/dnf/plugins/versionlock.conf";
const VERSIONLOCK: &str = "/etc/dnf/plugins/versionlock.list";

/// What the metadata of one repository gave.
struct Surveyed {
    source: PackageSource,
    offered: Vec<Offered>,
    advisories: Vec<Advisory>,
    has_advisories: bool,
}

pub(super) fn collect(
    reading: &Reading<'_>,
    distribution: &str,
    location: &Location,
) -> Result<PackageUpdates, ProbeError> {
    let mut doubts = Doubts::default();
    let database = Database::of_host(reading, location)?;
    for unparsed in &database.unparsed {
        doubts.add(unparsed.clone());
    }
    let installed = &database.packages;
    let mut wanted: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, package) in installed.iter().enumerate() {
        wanted.entry(&package.name).or_default().push(at);
    }
    let mut configured = repositories::read(reading, &mut doubts);
    let disabled = configured
        .repositories
        .iter()
        .filter(|repository| !repository.enabled)
        .count() as u64;
    configured.repositories.retain(|repository| repository.enabled);
    if configured.repositories.is_empty() {
        doubts.add("no source of packages is configured".to_owned());
    }
    let locks = locks(reading, configured.client, &mut doubts);
    let version_locks: Vec<String> = locks
        .only
        .iter()
        .cloned()
        .chain(locks.never.iter().map(|lock| format!("!{lock}")))
        .collect();
    let folders = Folders::list(reading, configured.client, &mut doubts);
    let repositories = &configured.repositories;
    let found: Vec<_> = repositories
        .iter()
        .map(|repository| contents(reading, &repository.id, &folders))
        .collect();
    let modules = match configured.client {
        Client::Dnf => {
            let lists = module_lists(reading, repositories, &found, &mut doubts);
            Modules::read(reading, &lists, &wanted, &mut doubts)
        }
        Client::Zypper => Modules::default(),
    };
    let surveyed: Vec<_> = repositories
        .iter()
        .zip(found)
        .map(|(repository, found)| survey(reading, repository, found, &wanted, &modules, &mut doubts))
        .collect();
    let mut offers = vec![];
    for (repository, surveyed) in surveyed.iter().enumerate() {
        offers.extend(surveyed.offered.iter().map(|package| Offer { package, repository }));
    }
    let (unlisted, installed_from) = listed(installed, &offers, &configured.repositories);
    without_other_streams(&mut offers, &modules, repositories, installed, &mut doubts);
    let advisories: Vec<&Advisory> = surveyed.iter().flat_map(|surveyed| &surveyed.advisories).collect();
    let own: Vec<Offered> = installed.iter().map(as_offered).collect();
    let known: Vec<&Offered> = offers.iter().map(|offer| offer.package).chain(&own).collect();
    let excludes = Excludes::new(&configured, &locks, &known);
    let chosen = choose(installed, &offers, &configured.repositories, Some(&excludes));
    let usual = choose(installed, &offers, &configured.repositories, None);
    let comparison = Comparison {
        advisories: &advisories,
        repositories: &configured.repositories,
    };
    let upgrades: Vec<_> = chosen.values().map(|choice| comparison.upgrade(choice)).collect();
    let withheld: Vec<_> = usual
        .iter()
        .filter_map(|(key, choice)| comparison.withheld(choice, chosen.get(key)))
        .collect();
    let pending = pending(&advisories, installed, &mut doubts);
    let (last_update, last_update_by) = last_update(&surveyed);
    let security_source = surveyed.iter().any(|surveyed| surveyed.has_advisories);
    let rpm = RpmUpdates {
        excludes: told_excludes(&configured),
        version_locks,
        modules: modules.told(),
        advisories: pending,
    };
    let incomplete = doubts.into_reasons();
    Ok(PackageUpdates {
        distribution: distribution.to_owned(),
        security_upgrades: upgrades.iter().filter(|upgrade| upgrade.security).count() as u64,
        upgrades,
        downgrades: vec![],
        security_withheld: withheld.iter().filter(|withheld| withheld.security).count() as u64,
        withheld,
        unlisted,
        installed_from,
        complete: incomplete.is_empty(),
        incomplete,
        last_update,
        last_update_by,
        sources: surveyed.into_iter().map(|surveyed| surveyed.source).collect(),
        security_source,
        disabled_sources: disabled,
        allow_unauthenticated: false,
        default_release: String::new(),
        pins: vec![],
        rpm: Some(rpm),
    })
}

fn as_offered(package: &Package) -> Offered {
    Offered {
        name: package.name.clone(),
        architecture: package.architecture.clone(),
        version: package.version.clone(),
    }
}

fn told_excludes(configured: &Configured) -> Vec<String> {
    let mut told: BTreeSet<String> = configured.excludes.iter().cloned().collect();
    for repository in &configured.repositories {
        told.extend(
            repository
                .excludes
                .iter()
                .map(|exclude| format!("{}: {exclude}", repository.id)),
        );
        told.extend(
            repository
                .includes
                .iter()
                .map(|include| format!("{}: only {include}", repository.id)),
        );
    }
    told.extend(configured.includes.iter().map(|include| format!("only {include}")));
    told.into_iter().collect()
}

/// Versions to which packages are locked by dnf's plugin.
fn locks(reading: &Reading<'_>, client: Client, doubts: &mut Doubts) -> Locks {
    let mut locks = Locks::default();
    if client == Client::Zypper {
        if parts::file(reading, "/etc/zypp/locks", doubts).is_some_and(|(_, text)| !text.trim().is_empty()) {
            doubts.add("/etc/zypp/locks: there are locks, which are not read here".to_owned());
        }
        return locks;
    }
    if parts::file(reading, "/etc/dnf/versionlock.toml", doubts).is_some_and(|(_, text)| text.contains("[[packages]]"))
    {
        doubts.add("/etc/dnf/versionlock.toml: there are locks, which are not read here".to_owned());
    }
    let Some((_, conf)) = parts::file(reading, VERSIONLOCK_CONF, doubts) else {
        return locks;
    };
    let conf = Ini::parse(&conf);
    let main = conf.sections.iter().find(|section| section.name == "main");
    let get = |key: &str| main.and_then(|main| main.get(key));
    if get("enabled").and_then(crate::formats::repo_file::boolean) == Some(false) {
        return locks;
    }
    let path = get("locklist").unwrap_or(VERSIONLOCK);
    if let Some((_, text)) = parts::file(reading, path, doubts) {
        let lines = text.lines().map(str::trim);
        for lock in lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .take(10_000)
        {
            match lock.strip_prefix('!') {
                Some(lock) => locks.never.push(lock.to_owned()),
                None => locks.only.push(lock.to_owned()),
            }
        }
    }
    locks
}

/// Where the lists of modules lie, of those repositories that have one.
fn module_lists(
    reading: &Reading<'_>,
    repositories: &[Repository],
    found: &[Result<(String, Contents), ProbeError>],
    doubts: &mut Doubts,
) -> Vec<String> {
    let mut paths = vec![];
    for (repository, found) in repositories.iter().zip(found) {
        // What is not here at all is told where its packages are looked for.
        let Ok((folder, contents)) = found else { continue };
        match fetched(reading, folder, contents, "modules") {
            Ok(None) => {}
            Ok(Some(None)) => doubts.add(format!("{}: no list of modules in {folder}", repository.id)),
            Ok(Some(Some((path, _)))) => paths.push(path),
            Err(error) => doubts.add(error.detail),
        }
    }
    paths
}

/// Leaves out packages of streams that are not on, and other versions of packages of those that are.
fn without_other_streams(
    offers: &mut Vec<Offer<'_>>,
    modules: &Modules,
    repositories: &[Repository],
    installed: &[Package],
    doubts: &mut Doubts,
) {
    let unknown = modules.unknown(installed);
    let mut left_out = BTreeSet::new();
    offers.retain(|offer| {
        let name = &offer.package.name;
        if unknown.contains(name) {
            left_out.insert(name.clone());
            return false;
        }
        let is_hotfix = repositories
            .get(offer.repository)
            .is_some_and(|repository| repository.module_hotfixes);
        is_hotfix || modules.allows(offer.package)
    });
    for name in left_out {
        doubts.add(format!(
            "{name}: it is of a module of which no list tells, so its updates are not known"
        ));
    }
}

/// Folders in the cache, by repository.
struct Folders {
    client: Client,
    /// Folder and name in it.
    names: Vec<(&'static str, String)>,
}

impl Folders {
    fn list(reading: &Reading<'_>, client: Client, doubts: &mut Doubts) -> Self {
        let caches = match client {
            Client::Dnf => &DNF_CACHES[..],
            Client::Zypper => &[ZYPP_CACHE],
        };
        let mut names = vec![];
        for cache in caches {
            match reading.list(cache) {
                Ok(entries) => {
                    let entries = entries.unwrap_or_default().into_iter();
                    names.extend(entries.map(|entry| (*cache, entry.name)));
                }
                Err(unread) => doubts.unread(&unread),
            }
        }
        Self { client, names }
    }

    /// The folder of a repository: dnf appends a digest of the URL to the id. If the URL was changed, there can be several; the
    /// one that was fetched last counts.
    fn find(&self, reading: &Reading<'_>, id: &str) -> Result<Option<String>, Unread> {
        let mut newest: Option<(i64, String)> = None;
        for (cache, name) in &self.names {
            let is_digest = |rest: &str| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_own = match self.client {
                Client::Dnf => name
                    .strip_prefix(id)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(is_digest),
                Client::Zypper => name == id,
            };
            if !is_own {
                continue;
            }
            let folder = format!("{cache}/{name}");
            let Some(stat) = reading.stat(&format!("{folder}/repodata/repomd.xml"))? else {
                continue;
            };
            if newest.as_ref().is_none_or(|(time, _)| *time < stat.mtime) {
                newest = Some((stat.mtime, folder));
            }
        }
        Ok(newest.map(|(_, folder)| folder))
    }
}

/// Looks at the metadata of a repository.
fn survey(
    reading: &Reading<'_>,
    repository: &Repository,
    found: Result<(String, Contents), ProbeError>,
    wanted: &HashMap<&str, Vec<usize>>,
    modules: &Modules,
    doubts: &mut Doubts,
) -> Surveyed {
    let mut surveyed = Surveyed {
        source: source(repository),
        offered: vec![],
        advisories: vec![],
        has_advisories: false,
    };
    let (folder, contents) = match found {
        Ok(found) => found,
        Err(error) => {
            doubts.add(error.detail.clone());
            surveyed.source.release = not_known(error.outcome, error.detail);
            surveyed
                .source
                .lists
                .push(list("primary", ListState::Absent, repository));
            return surveyed;
        }
    };
    let path_of = |kind: &str| fetched(reading, &folder, &contents, kind);
    let mut fail = |kind: &str, error: ListError, source: &mut PackageSource| {
        reading.mark(Origin::Path(format!("{folder}/repodata/{kind}")), Outcome::Failed);
        doubts.add(error.detail);
        source.lists.push(list(kind, error.state, repository));
    };
    let absent = |what: &str| ListError {
        state: ListState::Absent,
        detail: format!("{}: no {what} in {folder}", repository.id),
    };
    let read = path_of("primary").and_then(|found| {
        let (path, time) = found.flatten().ok_or_else(|| absent("list of packages"))?;
        Ok((metadata::packages(reading, &path, wanted)?, time))
    });
    match read {
        Ok((offered, time)) => {
            surveyed.offered = offered;
            surveyed
                .source
                .lists
                .push(list("primary", ListState::Observed, repository));
            surveyed.source.release = release(repository, &contents, time);
        }
        Err(error) => fail("primary", error, &mut surveyed.source),
    }
    let is_active = |stream: [&str; 3]| modules.is_active(stream);
    match path_of("updateinfo") {
        Ok(None) => {}
        // dnf fetches it with the rest; a cache made otherwise may be without.
        Ok(Some(None)) => fail("updateinfo", absent("list of advisories"), &mut surveyed.source),
        Err(error) => fail("updateinfo", error, &mut surveyed.source),
        Ok(Some(Some((path, _)))) => match metadata::advisories(reading, &path, wanted, &is_active) {
            Ok(advisories) => {
                surveyed.advisories = advisories;
                surveyed.has_advisories = true;
                surveyed.source.security = true;
                surveyed
                    .source
                    .lists
                    .push(list("updateinfo", ListState::Observed, repository));
            }
            Err(error) => fail("updateinfo", error, &mut surveyed.source),
        },
    }
    surveyed
}

/// Path and time of the list of a kind that was fetched; `None`: the repository has none, `Some(None)`: none is in the cache. Most
/// repositories of Fedora offer each list as a zchunk file too, under a name of its own, which dnf then fetches instead.
type Fetched = Option<Option<(String, i64)>>;

fn fetched(reading: &Reading<'_>, folder: &str, contents: &Contents, kind: &str) -> Result<Fetched, ListError> {
    let mut offered = false;
    for kind in [&format!("{kind}_zck"), kind] {
        // The first one counts if a kind is there twice.
        let data = contents.data.iter().find(|(found, _)| found == kind);
        let Some(name) = data.and_then(|(_, path)| path.rsplit('/').next()) else {
            continue;
        };
        offered = true;
        let path = format!("{folder}/repodata/{name}");
        let stat = reading.stat(&path).map_err(|unread| ListError::unread(&unread))?;
        if let Some(stat) = stat {
            return Ok(Some(Some((path, stat.mtime))));
        }
    }
    Ok(offered.then_some(None))
}

fn contents(reading: &Reading<'_>, id: &str, folders: &Folders) -> Result<(String, Contents), ProbeError> {
    let folder = folders.find(reading, id)?.ok_or_else(|| ProbeError {
        outcome: Outcome::Absent,
        detail: format!("{id}: no metadata of it is in the cache"),
    })?;
    let path = format!("{folder}/repodata/repomd.xml");
    let text = reading.text(&path)?.ok_or_else(|| ProbeError::absent(&path))?;
    let contents = metadata::contents(&text).map_err(|why| {
        reading.mark(Origin::Path(path.clone()), Outcome::Malformed);
        ProbeError::malformed(&path, why)
    })?;
    Ok((folder, contents))
}

fn source(repository: &Repository) -> PackageSource {
    let authenticated = repository.gpgcheck || repository.repo_gpgcheck;
    PackageSource {
        file: repository.file.clone(),
        line: repository.line,
        uri: repository.urls.first().map(|(_, url)| url.clone()).unwrap_or_default(),
        suite: repository.id.clone(),
        components: vec![],
        authentication: Authentication {
            trusted: Trusted::Default,
            allow_insecure: !authenticated,
            allow_weak: false,
            allow_downgrade_to_insecure: false,
            check_valid_until: false,
            signed_by: repository.gpgkeys.clone(),
            server_verified: repository.sslverify,
            unauthenticated: !authenticated,
        },
        signed: authenticated,
        security: false,
        release: not_known(
            Outcome::Absent,
            format!("{}: no metadata of it is in the cache", repository.id),
        ),
        lists: vec![],
        rpm: Some(RpmRepository {
            urls: repository
                .urls
                .iter()
                .map(|(kind, url)| RepositoryUrl {
                    kind: kind.clone(),
                    url: url.clone(),
                })
                .collect(),
            gpgcheck: repository.gpgcheck,
            repo_gpgcheck: repository.repo_gpgcheck,
            sslverify: repository.sslverify,
        }),
    }
}

fn list(component: &str, state: ListState, repository: &Repository) -> PackageList {
    PackageList {
        component: component.to_owned(),
        architecture: String::new(),
        state,
        priority: repository.priority,
    }
}

fn release(repository: &Repository, contents: &Contents, time: i64) -> Known<Release> {
    let date = contents
        .revision
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_unix(seconds).ok());
    match Timestamp::from_unix(time) {
        Err(error) => not_known(
            Outcome::Malformed,
            format!("{}: the list's time: {error}", repository.id),
        ),
        Ok(file_time) => Known::Observed(Release {
            origin: String::new(),
            label: repository.name.clone(),
            suite: repository.id.clone(),
            codename: String::new(),
            version: String::new(),
            // Some write a version instead of a time.
            date: date.filter(|date| date.unix() > 1_000_000_000),
            valid_until: None,
            file_time,
            not_automatic: false,
            but_automatic_upgrades: false,
        }),
    }
}

/// The oldest list: with it the knowledge is as old.
fn last_update(surveyed: &[Surveyed]) -> (Known<Timestamp>, String) {
    let mut oldest: Option<(Timestamp, &str)> = None;
    for surveyed in surveyed {
        let Known::Observed(release) = &surveyed.source.release else {
            let detail = format!("{}: its list was not read", surveyed.source.suite);
            return (not_known(Outcome::Absent, detail), String::new());
        };
        if oldest.is_none_or(|(time, _)| release.file_time < time) {
            oldest = Some((release.file_time, &surveyed.source.suite));
        }
    }
    match oldest {
        Some((time, id)) => (Known::Observed(time), format!("list of packages of {id}")),
        None => (
            not_known(Outcome::Absent, "no list of packages is here".to_owned()),
            String::new(),
        ),
    }
}

#[cfg(test)]
mod tests;

//! Installed against offered versions.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::facts::{InstalledFrom, Unlisted, Upgrade, Withheld};
use super::lists::effective;
use super::policy::{Package, Policy, Version};
use super::preferences::Preferences;
use super::survey::Survey;
use crate::formats::debian_version::compare;
use crate::formats::dpkg::Entry;
use crate::order::Order as _;

/// Position of dpkg's database among the shelves.
const INSTALLED: usize = 0;

/// What would be installed and what is kept away.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Newer versions that would be installed.
    pub(super) upgrades: Vec<Upgrade>,
    /// Older versions that would be installed.
    pub(super) downgrades: Vec<Upgrade>,
    /// Newer versions that preferences keep away.
    pub(super) withheld: Vec<Withheld>,
    /// Installed versions that no list has.
    pub(super) unlisted: Vec<Unlisted>,
    /// How many installed versions come from where.
    pub(super) installed_from: Vec<InstalledFrom>,
}

/// Compares each installed package with what is offered for it.
pub(super) fn compare_all(
    installed: &[Entry<'_>],
    survey: &Survey,
    preferences: &Preferences,
    native: &str,
) -> Comparison {
    let policy = Policy::new(&survey.shelves, Some(preferences), native);
    let usual = Policy::new(&survey.shelves, None, native);
    let mut offers: Vec<Vec<usize>> = vec![vec![]; installed.len()];
    for (at, (_, offered)) in survey.offered.iter().enumerate() {
        if let Some(list) = offers.get_mut(offered.package) {
            list.push(at);
        }
    }
    let mut comparison = Comparison::default();
    let mut from: BTreeMap<String, u64> = BTreeMap::new();
    for (entry, offers) in installed.iter().zip(&offers) {
        let package = package_of(entry, offers, survey, native);
        let own = package.versions.iter().find(|version| version.installed);
        let own_origins = own.map(|own| origins(own, survey)).unwrap_or_default();
        if own.is_none_or(|own| own.shelves.len() < 2) {
            comparison.unlisted.push(Unlisted {
                name: entry.name.to_owned(),
                architecture: entry.architecture.to_owned(),
                installed: entry.version.to_owned(),
                offered: package.versions.len() > 1,
            });
        }
        for origin in own_origins {
            *from.entry(origin).or_default() += 1;
        }
        comparison.add(entry, &package, &policy, &usual, survey);
    }
    let by_name = |upgrade: &Upgrade| (upgrade.name.clone(), upgrade.architecture.clone());
    comparison.upgrades.sort_by_cached_key(by_name);
    comparison.downgrades.sort_by_cached_key(by_name);
    comparison.installed_from = from
        .into_iter()
        .map(|(origin, packages)| InstalledFrom { origin, packages })
        .collect();
    comparison
        .unlisted
        .sort_by_cached_key(|unlisted| (unlisted.name.clone(), unlisted.architecture.clone()));
    comparison
        .withheld
        .sort_by_cached_key(|withheld| (withheld.name.clone(), withheld.architecture.clone()));
    comparison
}

impl Comparison {
    fn add(
        &mut self,
        entry: &Entry<'_>,
        package: &Package<'_>,
        policy: &Policy<'_>,
        usual: &Policy<'_>,
        survey: &Survey,
    ) {
        // Nothing newer and nothing older: nothing to choose.
        if package.versions.len() == 1 {
            return;
        }
        let candidate = policy.candidate(package);
        if let Some(candidate) = candidate {
            let upgrade = || Upgrade {
                name: entry.name.to_owned(),
                architecture: entry.architecture.to_owned(),
                installed: entry.version.to_owned(),
                candidate: candidate.number.to_owned(),
                security: is_security(package, entry.version, candidate.number, survey),
                origins: origins(candidate, survey),
                held: entry.held,
                phased: candidate.phased,
                advisories: vec![],
            };
            match compare(candidate.number, entry.version) {
                Ordering::Greater => self.upgrades.push(upgrade()),
                Ordering::Less => self.downgrades.push(upgrade()),
                Ordering::Equal => {}
            }
        }
        let Some(offered) = usual.candidate(package) else {
            return;
        };
        let kept = candidate.map_or(entry.version, |candidate| candidate.number);
        if compare(offered.number, kept) == Ordering::Greater {
            self.withheld.push(Withheld {
                name: entry.name.to_owned(),
                architecture: entry.architecture.to_owned(),
                installed: entry.version.to_owned(),
                newest: offered.number.to_owned(),
                priority: i64::from(policy.priority(package, offered)),
                security: is_security(package, kept, offered.number, survey),
                origins: origins(offered, survey),
            });
        }
    }
}

fn package_of<'a>(entry: &Entry<'a>, offers: &[usize], survey: &'a Survey, native: &'a str) -> Package<'a> {
    let mut versions: BTreeMap<&str, Version<'a>> = BTreeMap::new();
    versions.insert(
        entry.version,
        Version {
            number: entry.version,
            source: entry.source.unwrap_or(entry.name),
            shelves: vec![INSTALLED],
            installed: true,
            phased: 100,
        },
    );
    for (shelf, offered) in offers.iter().filter_map(|at| survey.offered.get(*at)) {
        let version = versions.entry(offered.version.as_str()).or_insert_with(|| Version {
            number: &offered.version,
            source: &offered.source,
            shelves: vec![],
            installed: false,
            phased: offered.phased,
        });
        version.shelves.push(*shelf);
    }
    let mut versions: Vec<_> = versions.into_values().collect();
    versions.order_by(|a, b| compare(b.number, a.number));
    Package {
        name: entry.name,
        architecture: effective(entry.architecture, native),
        versions,
    }
}

/// Whether a version newer than `old` and not newer than `new` comes from a security archive.
fn is_security(package: &Package<'_>, old: &str, new: &str, survey: &Survey) -> bool {
    let between = package.versions.iter().filter(|version| {
        compare(version.number, old) == Ordering::Greater && compare(version.number, new) != Ordering::Greater
    });
    between
        .flat_map(|version| &version.shelves)
        .any(|shelf| survey.security.contains(shelf))
}

/// `<label> <codename or suite> <component>` of each list that has the version.
fn origins(version: &Version<'_>, survey: &Survey) -> Vec<String> {
    let shelves = version.shelves.iter().filter_map(|at| survey.shelves.get(*at));
    let mut origins: Vec<_> = shelves
        .filter(|shelf| !shelf.is_installed)
        .map(|shelf| {
            let (label, release) = match &shelf.release {
                None => (shelf.host.as_str(), ""),
                Some(release) if release.codename.is_empty() => (release.label.as_str(), release.suite.as_str()),
                Some(release) => (release.label.as_str(), release.codename.as_str()),
            };
            let words = [label, release, shelf.component.as_str()];
            words
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    origins.order();
    origins.dedup();
    origins
}

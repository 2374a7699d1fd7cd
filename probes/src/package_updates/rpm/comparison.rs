//! What would be installed and why, told as facts: with the advisories that lie between.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::doubts::Doubts;
use super::super::facts::{InstalledFrom, PendingAdvisory, Unlisted, Upgrade, Withheld};
use super::choice::{Choice, Offer};
use super::metadata::{Advisory, Offered};
use super::repositories::Repository;
use crate::formats::rpm_database::Package;
use crate::formats::rpm_version::compare;
use crate::order::Order as _;

/// Advisories that are told.
const MAX_ADVISORIES: usize = 5_000;

/// What choices are told with.
pub(super) struct Comparison<'a> {
    pub(super) advisories: &'a [&'a Advisory],
    pub(super) repositories: &'a [Repository],
}

impl Comparison<'_> {
    /// Advisories between two versions of a package, the newer one included: ids, and whether one is about security.
    fn between(&self, package: &Offered, old: &str) -> (Vec<String>, bool) {
        let mut ids = BTreeSet::new();
        let mut security = false;
        for advisory in self.advisories {
            let speaks = advisory.packages.iter().any(|fixed| {
                fixed.name == package.name
                    && fixed.architecture == package.architecture
                    && compare(&fixed.version, old) == Ordering::Greater
                    && compare(&fixed.version, &package.version) != Ordering::Greater
            });
            if speaks {
                ids.insert(advisory.id.clone());
                security |= advisory.kind == "security";
            }
        }
        (ids.into_iter().collect(), security)
    }

    fn origins(&self, choice: &Choice<'_>) -> Vec<String> {
        let repositories = choice.repositories.iter().filter_map(|at| self.repositories.get(*at));
        let mut origins: Vec<_> = repositories.map(|repository| repository.id.clone()).collect();
        origins.order();
        origins
    }

    /// A version that would be installed.
    pub(super) fn upgrade(&self, choice: &Choice<'_>) -> Upgrade {
        let (advisories, security) = self.between(choice.offered, choice.installed);
        Upgrade {
            name: choice.offered.name.clone(),
            architecture: choice.offered.architecture.clone(),
            installed: choice.installed.to_owned(),
            candidate: choice.offered.version.clone(),
            security,
            origins: self.origins(choice),
            held: false,
            phased: 100,
            advisories,
        }
    }

    /// A version that would be installed without excludes, locks and priorities, if it is newer than `chosen`.
    pub(super) fn withheld(&self, choice: &Choice<'_>, chosen: Option<&Choice<'_>>) -> Option<Withheld> {
        let kept = chosen.map_or(choice.installed, |chosen| chosen.offered.version.as_str());
        if compare(&choice.offered.version, kept) != Ordering::Greater {
            return None;
        }
        let (_, security) = self.between(choice.offered, kept);
        let priority = choice.repositories.iter().filter_map(|at| self.repositories.get(*at));
        Some(Withheld {
            name: choice.offered.name.clone(),
            architecture: choice.offered.architecture.clone(),
            installed: choice.installed.to_owned(),
            newest: choice.offered.version.clone(),
            priority: priority.map(|repository| repository.priority).min().unwrap_or(99),
            security,
            origins: self.origins(choice),
        })
    }
}

/// Installed versions that no list has, and from how many repositories the others come.
pub(super) fn listed(
    installed: &[Package],
    offers: &[Offer<'_>],
    repositories: &[Repository],
) -> (Vec<Unlisted>, Vec<InstalledFrom>) {
    let mut by_name: HashMap<(&str, &str), Vec<&Offer<'_>>> = HashMap::new();
    for offer in offers {
        let key = (offer.package.name.as_str(), offer.package.architecture.as_str());
        by_name.entry(key).or_default().push(offer);
    }
    let mut unlisted = vec![];
    let mut from: BTreeMap<&str, u64> = BTreeMap::new();
    for package in installed {
        let offers = by_name.get(&(package.name.as_str(), package.architecture.as_str()));
        let own = offers.into_iter().flatten();
        let own = own.filter(|offer| compare(&offer.package.version, &package.version) == Ordering::Equal);
        let own: BTreeSet<usize> = own.map(|offer| offer.repository).collect();
        if own.is_empty() {
            unlisted.push(Unlisted {
                name: package.name.clone(),
                architecture: package.architecture.clone(),
                installed: package.version.clone(),
                offered: offers.is_some(),
            });
        }
        for repository in own.iter().filter_map(|at| repositories.get(*at)) {
            *from.entry(&repository.id).or_default() += 1;
        }
    }
    unlisted.order_by(|a, b| (&a.name, &a.architecture, &a.installed).cmp(&(&b.name, &b.architecture, &b.installed)));
    let told = |(origin, packages): (&str, u64)| InstalledFrom {
        origin: origin.to_owned(),
        packages,
    };
    (unlisted, from.into_iter().map(told).collect())
}

/// Advisories that speak of a version newer than what is installed, with the packages meant.
pub(super) fn pending(advisories: &[&Advisory], installed: &[Package], doubts: &mut Doubts) -> Vec<PendingAdvisory> {
    let mut newest: HashMap<(&str, &str), &str> = HashMap::new();
    for package in installed {
        let known = newest
            .entry((&package.name, &package.architecture))
            .or_insert(&package.version);
        if compare(&package.version, known) == Ordering::Greater {
            *known = &package.version;
        }
    }
    let mut pending: BTreeMap<&str, PendingAdvisory> = BTreeMap::new();
    for advisory in advisories {
        let older = advisory.packages.iter().filter(|fixed| {
            let own = newest.get(&(fixed.name.as_str(), fixed.architecture.as_str()));
            own.is_some_and(|own| compare(own, &fixed.version) == Ordering::Less)
        });
        let packages: BTreeSet<String> = older
            .map(|fixed| format!("{}:{}", fixed.name, fixed.architecture))
            .collect();
        if packages.is_empty() {
            continue;
        }
        if pending.len() >= MAX_ADVISORIES {
            doubts.add("more advisories are pending than can be told".to_owned());
            break;
        }
        let told = pending.entry(&advisory.id).or_insert_with(|| PendingAdvisory {
            id: advisory.id.clone(),
            kind: advisory.kind.clone(),
            severity: advisory.severity.clone(),
            issued: advisory.issued.clone(),
            cves: advisory.cves.clone(),
            packages: vec![],
        });
        told.packages.extend(packages);
        told.packages.order();
        told.packages.dedup();
    }
    pending.into_values().collect()
}

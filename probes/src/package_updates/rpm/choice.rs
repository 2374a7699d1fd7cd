//! Which of the offered versions would be installed: excludes, locks, priorities of repositories.
//!
//! Source: dnf.conf(5), dnf-plugin-versionlock(8); `what_upgrades` of libdnf's `sack/query.cpp`, of which this is the
//! behaviour: the same name; the same architecture, or one of both is `noarch`; newer than everything installed of that name.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use super::super::pattern::Pattern;
use super::metadata::Offered;
use super::repositories::{Configured, Repository};
use crate::formats::rpm_database::Package;
use crate::formats::rpm_version::{Evr, compare};

/// A package offered by a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer<'a> {
    pub(super) package: &'a Offered,
    /// Position of the repository.
    pub(super) repository: usize,
}

/// A version that would be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    pub(super) offered: &'a Offered,
    /// The installed version that it replaces.
    pub(super) installed: &'a str,
    /// Positions of the repositories that offer it, sorted.
    pub(super) repositories: Vec<usize>,
}

/// Names and architectures with what would be installed for them.
pub(super) type Choices<'a> = BTreeMap<(&'a str, &'a str), Choice<'a>>;

/// What an administrator excludes.
pub(super) struct Excludes {
    everywhere: Vec<Spec>,
    /// Those of each repository.
    by_repository: Vec<Vec<Spec>>,
    /// What alone may come from repositories that have such a list.
    includes: Vec<Spec>,
    /// Whether a repository has such a list.
    uses_includes: Vec<bool>,
    /// Versions to which packages are locked.
    locked: Vec<Spec>,
}

/// Versions to which packages are locked.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// Only these versions of the packages that they name.
    pub(super) only: Vec<String>,
    /// Never these.
    pub(super) never: Vec<String>,
}

impl Excludes {
    /// What the configuration means for these packages.
    pub(super) fn new(configured: &Configured, locks: &Locks, known: &[&Offered]) -> Self {
        let specs =
            |texts: &[String]| -> Vec<Spec> { texts.iter().filter_map(|text| Spec::resolve(text, known)).collect() };
        let repositories = &configured.repositories;
        let own = |repository: &Repository| repository.includes.clone();
        let mut includes: Vec<String> = repositories.iter().flat_map(own).collect();
        includes.extend(configured.includes.iter().cloned());
        let everywhere = configured.excludes.iter().chain(&locks.never).cloned();
        Self {
            everywhere: specs(&everywhere.collect::<Vec<_>>()),
            by_repository: repositories
                .iter()
                .map(|repository| specs(&repository.excludes))
                .collect(),
            includes: specs(&includes),
            uses_includes: repositories
                .iter()
                .map(|repository| !configured.includes.is_empty() || !repository.includes.is_empty())
                .collect(),
            locked: specs(&locks.only),
        }
    }

    fn allows(&self, offer: Offer<'_>) -> bool {
        let package = offer.package;
        let any = |specs: &[Spec]| specs.iter().any(|spec| spec.matches(package));
        let own = self.by_repository.get(offer.repository);
        let mut locked = self
            .locked
            .iter()
            .filter(|spec| spec.name.matches(&package.name))
            .peekable();
        let kept = locked.peek().is_none() || locked.any(|spec| spec.matches(package));
        let included = self.uses_includes.get(offer.repository) != Some(&true) || any(&self.includes);
        kept && included && !any(&self.everywhere) && !own.is_some_and(|specs| any(specs))
    }
}

/// A pattern of packages, taken apart.
struct Spec {
    name: Pattern,
    epoch: Option<String>,
    version: Option<Pattern>,
    release: Option<Pattern>,
    architecture: Option<Pattern>,
}

impl Spec {
    /// A pattern can be read as `name-[epoch:]version-release.architecture`, `name.architecture`, `name`, and the first without
    /// architecture or without release as well: the first reading counts that means any package (`get_best_query` of
    /// dnf). `None`: it means none.
    fn resolve(text: &str, known: &[&Offered]) -> Option<Self> {
        let with_architecture = text.rsplit_once('.');
        let readings = [
            with_architecture.and_then(|(rest, architecture)| Self::parse(rest, 2, Some(architecture))),
            with_architecture.and_then(|(rest, architecture)| Self::parse(rest, 0, Some(architecture))),
            Self::parse(text, 0, None),
            Self::parse(text, 2, None),
            Self::parse(text, 1, None),
        ];
        let mut readings = readings.into_iter().flatten();
        readings.find(|spec| known.iter().any(|package| spec.matches(package)))
    }

    /// A name with so many parts after it.
    fn parse(text: &str, parts: u8, architecture: Option<&str>) -> Option<Self> {
        let (rest, release) = match parts {
            2 => text.rsplit_once('-').map(|(rest, release)| (rest, Some(release)))?,
            _ => (text, None),
        };
        let (name, version) = match parts {
            0 => (rest, None),
            _ => rest.rsplit_once('-').map(|(name, version)| (name, Some(version)))?,
        };
        let (epoch, version) = match version.and_then(|version| version.split_once(':')) {
            Some((epoch, version)) => (Some(epoch.to_owned()), Some(version)),
            None => (None, version),
        };
        let pattern = |text: Option<&str>| match text {
            None => Some(None),
            Some(text) => Pattern::parse(text).map(Some),
        };
        Some(Self {
            name: Pattern::parse(name).filter(|_| !name.is_empty())?,
            epoch,
            version: pattern(version)?,
            release: pattern(release)?,
            architecture: pattern(architecture)?,
        })
    }

    fn matches(&self, package: &Offered) -> bool {
        let evr = Evr::parse(&package.version);
        let meets = |pattern: Option<&Pattern>, text: &str| pattern.is_none_or(|pattern| pattern.matches(text));
        self.name.matches(&package.name)
            && self
                .epoch
                .as_ref()
                .is_none_or(|epoch| *epoch == evr.epoch.to_string() || epoch == "*")
            && meets(self.version.as_ref(), evr.version)
            && meets(self.release.as_ref(), evr.release)
            && meets(self.architecture.as_ref(), &package.architecture)
    }
}

/// Chooses for every installed name. Without `excludes` nothing is excluded and all repositories are alike.
pub(super) fn choose<'a>(
    installed: &'a [Package],
    offers: &[Offer<'a>],
    repositories: &[Repository],
    excludes: Option<&Excludes>,
) -> Choices<'a> {
    let mut by_name: HashMap<&str, Vec<Offer<'a>>> = HashMap::new();
    for offer in offers
        .iter()
        .filter(|offer| excludes.is_none_or(|excludes| excludes.allows(**offer)))
    {
        by_name.entry(&offer.package.name).or_default().push(*offer);
    }
    let mut own: HashMap<&str, Vec<&'a Package>> = HashMap::new();
    for package in installed {
        own.entry(&package.name).or_default().push(package);
    }
    let priority = |offer: &Offer<'_>| {
        repositories
            .get(offer.repository)
            .map_or(99, |repository| repository.priority)
    };
    let mut choices = Choices::new();
    for (name, mut offered) in by_name {
        let Some(installed) = own.get(name) else { continue };
        if excludes.is_some() {
            let best = offered.iter().map(priority).min();
            offered.retain(|offer| Some(priority(offer)) == best);
        }
        for offer in offered {
            choose_one(&mut choices, installed, offer);
        }
    }
    choices
}

fn choose_one<'a>(choices: &mut Choices<'a>, installed: &[&'a Package], offer: Offer<'a>) {
    let package = offer.package;
    let newer = |installed: &&&Package| compare(&package.version, &installed.version) == Ordering::Greater;
    if !installed.iter().all(|installed| newer(&installed)) {
        return;
    }
    let fits = |installed: &&&Package| {
        let architectures = [installed.architecture.as_str(), package.architecture.as_str()];
        architectures[0] == architectures[1] || architectures.contains(&"noarch")
    };
    let replaced = installed.iter().filter(fits);
    let Some(replaced) = replaced.max_by(|a, b| compare(&a.version, &b.version)) else {
        return;
    };
    let key = (package.name.as_str(), package.architecture.as_str());
    let choice = choices.entry(key).or_insert_with(|| Choice {
        offered: package,
        installed: &replaced.version,
        repositories: vec![],
    });
    match compare(&package.version, &choice.offered.version) {
        Ordering::Less => return,
        Ordering::Equal => {}
        Ordering::Greater => {
            choice.offered = package;
            choice.repositories.clear();
        }
    }
    if let Err(at) = choice.repositories.binary_search(&offer.repository) {
        choice.repositories.insert(at, offer.repository);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(name: &str, version: &str, architecture: &str) -> Offered {
        Offered {
            name: name.into(),
            architecture: architecture.into(),
            version: version.into(),
        }
    }

    #[test]
    fn patterns_of_packages() {
        let packages = [
            offered("a-b", "1:2.0-3.el9", "x86_64"),
            offered("a", "2.0-1", "noarch"),
            offered("ab1", "7-1", "noarch"),
        ];
        let known: Vec<_> = packages.iter().collect();
        let meant = |text: &str| -> Vec<&str> {
            let spec = Spec::resolve(text, &known);
            let meant = packages
                .iter()
                .filter(|package| spec.as_ref().is_some_and(|spec| spec.matches(package)));
            meant.map(|package| package.name.as_str()).collect()
        };
        for (text, expected) in [
            ("a-b", &["a-b"][..]),
            ("a*", &["a-b", "a", "ab1"]),
            // A name that ends so, and not a version that does.
            ("a*1", &["ab1"]),
            ("a-b.x86_64", &["a-b"]),
            ("a-2.0", &["a"]),
            ("a-b-1:2.0-3.el9.x86_64", &["a-b"]),
            ("a-b-0:2.0-3.el9.x86_64", &[]),
            ("a-b-2.0-3.*", &["a-b"]),
            ("*.noarch", &["a", "ab1"]),
            ("*.i686", &[]),
            ("", &[]),
        ] {
            assert_eq!(meant(text), expected, "{text}");
        }
    }

    #[test]
    fn locks() {
        let (old, new) = (offered("a", "1-1", "noarch"), offered("a", "1-2", "noarch"));
        let configured = Configured {
            client: super::super::repositories::Client::Dnf,
            repositories: vec![],
            excludes: vec![],
            includes: vec![],
        };
        let allowed = |only: &str, never: &str| {
            let locks = Locks {
                only: vec![only.into()],
                never: vec![never.into()],
            };
            let excludes = Excludes::new(&configured, &locks, &[&old, &new]);
            [&old, &new].map(|package| excludes.allows(Offer { package, repository: 0 }))
        };
        assert_eq!(allowed("a-0:1-1.*", "x"), [true, false]);
        assert_eq!(allowed("a-b-0:1-1.*", "a-0:1-2.*"), [true, false]);
        assert_eq!(allowed("x", "x"), [true, true]);
    }
}

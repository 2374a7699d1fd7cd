//! # What
//! Which newer versions the host knows of and would install, which of them are security updates, which are kept away by
//! preferences, from which sources, how these are authenticated, and how old the knowledge is.
//!
//! # Source
//! `/var/lib/dpkg/status`; `/var/lib/apt/lists` (lists in plain text, gzip and LZ4 frames; `InRelease`, `Release`,
//! `Release.gpg`: the repository format of the Debian wiki); sources.list(5) in both styles; apt_preferences(5);
//! apt.conf(5); deb-version(7); Ubuntu's phased updates. On hosts with rpm: its database, `.repo` files and dnf.conf(5), modules,
//! dnf-plugin-versionlock(8), and the metadata in the caches of dnf and zypper (`repomd.xml`, `primary`, `updateinfo`).
//!
//! # Privilege
//! None on a stock system; apt's configuration can be made unreadable, which is then said.
//!
//! # Bears on
//! A.8.8 (technical vulnerabilities), A.8.19 (installation of software), A.8.9 (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

pub(crate) mod apt_conf;
mod comparison;
mod doubts;
mod facts;
mod lists;
mod parts;
mod pattern;
mod policy;
mod preferences;
mod release;
mod rpm;
mod sources;
mod survey;
mod uri;

use evidence::Timestamp;
use evidence::facts::Outcome;

pub use facts::*;

use self::apt_conf::AptConf;
use self::comparison::compare_all;
use self::doubts::Doubts;
use self::lists::Wanted;
use self::policy::{Policy, Shelf};
use self::preferences::Preferences;
use self::sources::{Architectures, Sources};
use self::survey::survey;
use crate::formats::dpkg;
use crate::formats::os_release::OsRelease;
use crate::formats::package_family::Family;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct PackageUpdatesProbe;

impl Probe for PackageUpdatesProbe {
    const SPEC: Spec = Spec {
        id: "package-updates",
        version: 4,
        title: "Which package updates are pending, from which sources, and how old that knowledge is",
        reads: &[
            "/etc/os-release",
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/arch",
            "/etc/apt/",
            "/var/lib/apt/lists/",
            "/var/lib/apt/periodic/",
            "/usr/lib/sysimage/rpm/",
            "/var/lib/rpm/",
            "/usr/share/rpm/",
            "/usr/lib/sysimage/libdnf5/modules.toml",
            "/etc/dnf/",
            "/etc/yum.conf",
            "/etc/yum.repos.d/",
            "/etc/distro.repos.d/",
            "/etc/zypp/",
            "/var/cache/dnf/",
            "/var/cache/libdnf5/",
            "/var/cache/zypp/raw/",
        ],
        runs: &[],
        privilege: Privilege::None,
        cadence: Cadence::OnChange,
        watch: &[
            "/var/lib/dpkg/status",
            "/var/lib/apt/lists",
            "/etc/apt",
            "/etc/apt/apt.conf.d",
            "/etc/apt/preferences.d",
            "/etc/apt/sources.list.d",
            "/usr/lib/sysimage/rpm",
            "/var/lib/rpm",
            "/etc/dnf",
            "/etc/dnf/modules.d",
            "/etc/yum.repos.d",
            "/etc/zypp/repos.d",
            "/var/cache/dnf",
            "/var/cache/libdnf5",
            "/var/cache/zypp/raw",
        ],
        // Debian's main list has 50 MB, Ubuntu's universe 70 MB; several releases side by side are common.
        budget: Budget {
            millis: 5_000,
            bytes: 1024 * 1024 * 1024,
        },
        does_not_show: &[
            "Vulnerabilities for which the distribution has no update, or none yet.",
            "Updates that the archive has published since the lists were fetched.",
            "Whether apt could resolve the dependencies: an upgrade may be kept back.",
            "A rebuilt package with an unchanged version number.",
            "Whether a phased update is meant for this host already.",
            "Software that no package brought.",
            "For how long an update has been available: only the date of its archive or advisory is known.",
            "On hosts with rpm: packages that others replace under another name, and lists in bzip2, locks of zypper and dnf5, and \
             modules of dnf5, for which `complete` is false.",
            "On Alpine and Arch: any of it.",
        ],
    };

    type Facts = PackageUpdates;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<PackageUpdates, NoNames>, ProbeError> {
        let release = OsRelease::read(reading)?.unwrap_or_default();
        match Family::of_host(reading, &release)? {
            Family::Dpkg => {}
            Family::Rpm(location) => return rpm::collect(reading, release.id(), &location).map(Collected::facts),
            Family::Apk(_) | Family::Pacman => {
                let why = format!("updates of {} are not looked at by this probe", release.id());
                return Err(ProbeError::unsupported(why));
            }
        }
        let (distribution, database) = dpkg::of_host(reading)?;
        let mut entries = database.entries();
        let mut doubts = Doubts::default();
        for unparsed in std::mem::take(&mut entries.unparsed) {
            doubts.add(unparsed);
        }
        let native = entries
            .native_architecture()
            .ok_or_else(|| {
                let why = "neither dpkg nor base-files is there to tell the host's architecture";
                ProbeError::malformed(dpkg::STATUS, why)
            })?
            .to_owned();
        entries.packages.retain(|entry| entry.state.is_present());
        let installed = &entries.packages;
        let conf = AptConf::read(reading, &mut doubts);
        let architectures = architectures(reading, &conf, &native, &mut doubts);
        let preferences = Preferences::read(reading, &conf, &mut doubts);
        let sources = Sources::read(reading, &conf, &architectures, &mut doubts);
        if sources.enabled.is_empty() {
            doubts.add("no source of packages is configured".to_owned());
        }
        let wanted = Wanted::new(installed, &native);
        let mut survey = survey(reading, &sources.enabled, &wanted, &mut doubts);
        let policy = Policy::new(&survey.shelves, Some(&preferences), &native);
        check_default_release(&preferences.default_release, &survey.shelves, &mut doubts);
        for (source, shelves) in survey.sources.iter_mut().zip(&survey.shelf_of_list) {
            for (list, shelf) in source.lists.iter_mut().zip(shelves) {
                list.priority = i64::from(policy.shelf(*shelf));
            }
        }
        let comparison = compare_all(installed, &survey, &preferences, &native);
        let (last_update, last_update_by) = last_update(reading);
        let incomplete = doubts.into_reasons();
        Ok(Collected::facts(PackageUpdates {
            distribution,
            security_upgrades: comparison.upgrades.iter().filter(|upgrade| upgrade.security).count() as u64,
            upgrades: comparison.upgrades,
            downgrades: comparison.downgrades,
            security_withheld: comparison.withheld.iter().filter(|withheld| withheld.security).count() as u64,
            withheld: comparison.withheld,
            unlisted: comparison.unlisted,
            installed_from: comparison.installed_from,
            complete: incomplete.is_empty(),
            incomplete,
            last_update,
            last_update_by,
            security_source: survey.sources.iter().any(|source| source.security),
            sources: survey.sources,
            disabled_sources: sources.disabled,
            allow_unauthenticated: conf.flag("apt::get::allowunauthenticated", false),
            default_release: preferences.default_release,
            pins: preferences.facts,
            rpm: None,
        }))
    }
}

/// The host's architectures: apt's setting, else dpkg's.
fn architectures(reading: &Reading<'_>, conf: &AptConf, native: &str, doubts: &mut Doubts) -> Architectures {
    let mut all = conf.list("apt::architectures");
    if all.is_empty() {
        match reading.text("/var/lib/dpkg/arch") {
            Ok(text) => all.extend(text.unwrap_or_default().split_ascii_whitespace().map(str::to_owned)),
            Err(unread) => doubts.unread(&unread),
        }
    }
    all.push(native.to_owned());
    all.order();
    all.dedup();
    Architectures {
        native: native.to_owned(),
        all,
    }
}

/// apt refuses to work with a default release that no source has.
fn check_default_release(wanted: &str, shelves: &[Shelf], doubts: &mut Doubts) {
    let Some(pattern) = pattern::Pattern::parse(wanted).filter(|_| !wanted.is_empty()) else {
        return;
    };
    let by_letter = wanted.as_bytes().get(1) == Some(&b'=');
    let mut releases = shelves.iter().filter_map(|shelf| shelf.release.as_ref());
    let found = releases.any(|release| {
        [&release.suite, &release.codename, &release.version]
            .into_iter()
            .any(|name| pattern.matches(name))
    });
    if !by_letter && !found && wanted != "now" {
        doubts.add(format!(
            "APT::Default-Release {wanted:?} is the release of no source, so apt refuses to work"
        ));
    }
}

/// When the lists were last fetched, and by which file it is told.
fn last_update(reading: &Reading<'_>) -> (Known<Timestamp>, String) {
    // The stamp is set by a hook of Ubuntu's update-notifier after a success; the folder changes with every attempt.
    let traces = [
        "/var/lib/apt/periodic/update-success-stamp",
        "/var/lib/apt/lists/partial",
    ];
    for trace in traces {
        match reading.stat(trace) {
            Ok(None) => {}
            Ok(Some(stat)) => match Timestamp::from_unix(stat.mtime) {
                Ok(time) => return (Known::Observed(time), trace.to_owned()),
                Err(error) => {
                    return (
                        not_known(Outcome::Malformed, format!("{trace}: {error}")),
                        String::new(),
                    );
                }
            },
            Err(unread) => return (Known::unread(&unread), String::new()),
        }
    }
    let detail = "no trace of a fetch of the lists is here".to_owned();
    (not_known(Outcome::Absent, detail), String::new())
}

fn not_known<T>(outcome: Outcome, detail: String) -> Known<T> {
    Known::Not(NotKnown { outcome, detail })
}

#[cfg(test)]
mod tests;

//! # What
//! The distribution's release and the end of its support; the running kernel against the installed ones and the one that is
//! started next; whether a reboot is asked for.
//!
//! # Source
//! os-release(5); `/etc/debian_version`; `/usr/share/distro-info/*.csv` (debian-distro-info(1)); proc_sys_kernel(5),
//! proc_version(5); `/proc/version_signature` of Ubuntu; the databases of dpkg, rpm, apk and pacman; the Boot Loader
//! Specification, systemd-boot(7), GRUB's menu and environment block; `/sys/kernel/livepatch`; `/run/reboot-required` (Debian Policy 9.3.4 and unattended-upgrades);
//! `/run/reboot-needed` of SUSE; needs-restarting(1), whose list of packages is used, and `btime` of proc_stat(5); `/run/systemd/container`, `/.dockerenv`, `/run/.containerenv`, `/run/secrets/kubernetes.io`;
//! what the clients of Ubuntu Pro (`pro status`), Red Hat (subscription-manager(8)) and SUSE (SUSEConnect(8)) left.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for `grub.cfg` and boot loader entries, which some distributions close to others than root.
//!
//! # Bears on
//! A.8.8 (technical vulnerabilities), A.5.9 (inventory of assets), A.8.9 (configuration).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod built_in;
mod facts;
mod grub_menu;
mod installed;
mod kernels;
mod live_patches;
mod next_boot;
mod subscriptions;
mod support;

use std::collections::BTreeSet;

use evidence::facts::Outcome;
pub use facts::*;

use self::installed::Installed;
use crate::formats::dpkg;
use crate::formats::os_release::OsRelease;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

/// Where the running kernel tells its release.
const RELEASE: &str = "/proc/sys/kernel/osrelease";
/// Packages that are looked at in `reboot-required.pkgs`.
const MAX_ASKING: usize = 10_000;

/// The probe.
pub struct KernelAndReleaseProbe;

impl Probe for KernelAndReleaseProbe {
    const SPEC: Spec = Spec {
        id: "kernel-and-release",
        version: 4,
        title: "Which release of which distribution, until when it is supported, and whether a newer kernel waits for a reboot",
        reads: &[
            "/etc/os-release",
            "/usr/lib/os-release",
            "/etc/debian_version",
            "/usr/share/distro-info/",
            "/proc/sys/kernel/osrelease",
            "/proc/sys/kernel/version",
            "/proc/version_signature",
            "/sys/kernel/livepatch/",
            "/proc/stat",
            "/var/lib/dpkg/status",
            "/usr/lib/sysimage/rpm/",
            "/var/lib/rpm/",
            "/usr/share/rpm/",
            "/lib/apk/db/installed",
            "/usr/lib/apk/db/installed",
            "/var/lib/pacman/local/",
            "/usr/lib/modules/*/pkgbase",
            "/boot/loader/entries/",
            "/boot/loader/loader.conf",
            "/boot/grub2/grubenv, /boot/grub/grubenv",
            "/boot/grub/grub.cfg or /boot/grub2/grub.cfg, where there are no such entries",
            "/run/reboot-required",
            "/run/reboot-required.pkgs",
            "/run/reboot-needed",
            "/run/systemd/container",
            "/.dockerenv",
            "/run/.containerenv",
            "/run/secrets/kubernetes.io",
            "/var/lib/ubuntu-advantage/status.json; whether private/machine-token.json is there",
            "/etc/rhsm/rhsm.conf (whether it is there), /etc/pki/consumer/cert.pem, /etc/pki/entitlement/",
            "/etc/zypp/credentials.d/SCCcredentials, /etc/SUSEConnect (whether they are there)",
        ],
        runs: &[],
        // Fedora and RHEL let only root look at the entries of the boot loader.
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/os-release",
            "/usr/share/distro-info",
            "/var/lib/dpkg/status",
            "/usr/lib/sysimage/rpm",
            "/var/lib/rpm",
            "/lib/apk/db",
            "/usr/lib/apk/db",
            "/var/lib/pacman/local",
            "/boot/loader/entries",
            "/boot/grub2/grubenv",
            "/boot/grub/grubenv",
            "/boot/grub/grub.cfg",
            "/run/reboot-required",
            "/var/lib/ubuntu-advantage",
            "/etc/pki/entitlement",
        ],
        // As for `packages`.
        budget: Budget {
            millis: 5_000,
            bytes: 512 * 1024 * 1024,
        },
        does_not_show: &[
            "Which weaknesses a patch to the running kernel closes, and whether it will be loaded again after a boot.",
            "Whether services still run libraries that were replaced since they started.",
            "Whether a vendor still honours a subscription: what is told is what its client left on the host. Subscriptions of other \
             vendors, of images of clouds, and of long term support by third parties.",
            "Dates of support announced after distro-info-data or the agent's own table were made.",
            "In a container: anything about the kernel's packages, which are those of the machine around it.",
        ],
    };

    type Facts = KernelAndRelease;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<KernelAndRelease, NoNames>, ProbeError> {
        let release = OsRelease::read(reading)?.ok_or_else(|| ProbeError::absent("/etc/os-release"))?;
        let installed = installed::read(reading, &release);
        let container = container(reading);
        let kernel = running(reading);
        let kernels = match &installed {
            Ok(installed) => Ok(installed.kernels.clone()),
            Err(error) => Err(error.clone()),
        };
        let (standing, standing_reason) = match (&kernel, &installed, &container) {
            (Known::Observed(running), Ok(installed), Known::Observed(container)) => {
                kernels::standing(running, &installed.kernels, installed.order, container)
            }
            (Known::Not(why), _, _) | (_, _, Known::Not(why)) => (KernelStanding::Unknown, why.detail.clone()),
            (_, Err(error), _) => (KernelStanding::Unknown, error.detail.clone()),
        };
        Ok(Collected::facts(KernelAndRelease {
            distribution: distribution(reading, &release)?,
            support: support(reading, &release, &installed),
            subscriptions: subscriptions::read(reading),
            container,
            reboot: reboot(reading, &kernel, &installed),
            kernel,
            live_patches: live_patches::read(reading),
            installed_kernels: known(kernels),
            next_boot: next_boot::read(reading),
            standing,
            standing_reason,
        }))
    }
}

fn distribution(reading: &Reading<'_>, release: &OsRelease) -> Result<Distribution, ProbeError> {
    let point_release = match release.id() {
        "debian" => reading
            .text("/etc/debian_version")?
            .unwrap_or_default()
            .trim()
            .to_owned(),
        "ubuntu" => {
            let version = release.get("VERSION").split_ascii_whitespace().next();
            version.unwrap_or_default().to_owned()
        }
        _ => String::new(),
    };
    Ok(Distribution {
        id: release.id().to_owned(),
        id_like: release.id_like().map(str::to_owned).collect(),
        version_id: release.get("VERSION_ID").to_owned(),
        codename: release.get("VERSION_CODENAME").to_owned(),
        name: release.get("PRETTY_NAME").to_owned(),
        point_release,
    })
}

fn support(reading: &Reading<'_>, release: &OsRelease, installed: &Result<Installed, ProbeError>) -> Known<Support> {
    let id = release.id();
    if !matches!(id, "debian" | "ubuntu") {
        return match built_in::by_os_release(release) {
            Some(Ok(support)) => Known::Observed(support),
            Some(Err(why)) => not_known(Outcome::Malformed, why.to_owned()),
            None => built_in::by_table(release).map_or_else(
                || {
                    let version = release.get("VERSION_ID");
                    let detail =
                        format!("there is no date for release {version:?} of {id:?}, here or in the agent's table");
                    not_known(Outcome::Unsupported, detail)
                },
                Known::Observed,
            ),
        };
    }
    let series = release.get("VERSION_CODENAME");
    if series.is_empty() {
        return not_known(Outcome::Absent, "os-release has no VERSION_CODENAME".to_owned());
    }
    let path = format!("/usr/share/distro-info/{id}.csv");
    let table = match reading.text(&path) {
        Ok(Some(table)) => table,
        Ok(None) => {
            let detail = format!("{path} is not there; package distro-info-data brings it");
            return not_known(Outcome::Absent, detail);
        }
        Err(unread) => return Known::unread(&unread),
    };
    let table_version = installed.as_ref().map_or("", |installed| &installed.table_version);
    match support::find(&table, series, table_version) {
        Ok(Some(support)) => Known::Observed(support),
        Ok(None) => not_known(Outcome::Absent, format!("{path} knows no release {series:?}")),
        Err((line, why)) => not_known(Outcome::Malformed, format!("{path}:{line}: {why}")),
    }
}

/// Kind of container, by the marks that managers leave.
fn container(reading: &Reading<'_>) -> Known<String> {
    match reading.text("/run/systemd/container") {
        Ok(Some(kind)) if !kind.trim().is_empty() => return Known::Observed(kind.trim().to_owned()),
        Ok(_) => {}
        Err(unread) => return Known::unread(&unread),
    }
    for (mark, kind) in [
        ("/run/.containerenv", "podman"),
        ("/.dockerenv", "docker"),
        ("/run/secrets/kubernetes.io", "kubernetes"),
    ] {
        match reading.stat(mark) {
            Ok(Some(_)) => return Known::Observed(kind.to_owned()),
            Ok(None) => {}
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(String::new())
}

fn running(reading: &Reading<'_>) -> Known<RunningKernel> {
    let read = |path: &str| {
        reading
            .volatile(path)
            .map(|text| text.map(|text| text.trim().to_owned()))
    };
    let texts = || -> Result<_, Unread> {
        let release = read(RELEASE)?;
        let build = read("/proc/sys/kernel/version")?.unwrap_or_default();
        let signature = read("/proc/version_signature")?.unwrap_or_default();
        Ok((release, build, signature))
    };
    match texts() {
        Err(unread) => Known::unread(&unread),
        Ok((None, _, _)) => not_known(
            Outcome::Absent,
            format!("{RELEASE} is not there: this is no running system"),
        ),
        Ok((Some(release), build, signature)) => Known::Observed(RunningKernel {
            package_version: kernels::package_version(&build, &signature, &release),
            release,
            build,
        }),
    }
}

fn reboot(
    reading: &Reading<'_>,
    kernel: &Known<RunningKernel>,
    installed: &Result<Installed, ProbeError>,
) -> Known<Reboot> {
    if let Known::Not(why) = kernel {
        return Known::Not(why.clone());
    }
    let installed = match installed {
        Ok(installed) => installed,
        Err(error) => return not_known(error.outcome, error.detail.clone()),
    };
    let read = || -> Result<_, Unread> {
        let mut flag = false;
        for path in ["/run/reboot-required", "/run/reboot-needed"] {
            flag |= reading.stat(path)?.is_some();
        }
        let packages = reading.text("/run/reboot-required.pkgs")?;
        let started = match &installed.need_reboot {
            Some(_) => Some(started(reading)?),
            None => None,
        };
        Ok((flag, packages, started))
    };
    let (flag, packages, started) = match read() {
        Err(unread) => return Known::unread(&unread),
        Ok(read) => read,
    };
    let mut by_packages: BTreeSet<_> = asked_by(&packages.unwrap_or_default()).into_iter().collect();
    let newer = installed.need_reboot.iter().flatten();
    let newer: Vec<_> = newer
        .filter(|(_, time)| started.is_some_and(|started| u64::from(*time) > started))
        .map(|(name, _)| name.clone())
        .collect();
    let required = flag || !newer.is_empty();
    by_packages.extend(newer);
    Known::Observed(Reboot {
        required,
        by_packages: by_packages.into_iter().collect(),
        flag_written_by: installed.writes_reboot_flag.clone(),
        told_by: if started.is_some() {
            RebootSource::InstallTimes
        } else {
            RebootSource::Flag
        },
    })
}

/// When the system was started, seconds since 1970.
fn started(reading: &Reading<'_>) -> Result<u64, Unread> {
    const STAT: &str = "/proc/stat";
    let text = reading.volatile(STAT)?;
    let mut lines = text.as_deref().unwrap_or_default().lines();
    let time = lines.find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
    time.ok_or_else(|| Unread::Malformed {
        place: STAT.to_owned(),
        reason: "it tells no btime".to_owned(),
    })
}

/// The packages in `reboot-required.pkgs`, each once. Other lines are no packages' names.
fn asked_by(text: &str) -> Vec<String> {
    let names = text.lines().map(str::trim).filter(|line| dpkg::is_name(line));
    let names: BTreeSet<_> = names.take(MAX_ASKING).map(str::to_owned).collect();
    names.into_iter().collect()
}

fn known<T>(result: Result<T, ProbeError>) -> Known<T> {
    result.map_or_else(|error| not_known(error.outcome, error.detail), Known::Observed)
}

fn not_known<T>(outcome: Outcome, detail: String) -> Known<T> {
    Known::Not(NotKnown { outcome, detail })
}

#[cfg(test)]
mod tests;

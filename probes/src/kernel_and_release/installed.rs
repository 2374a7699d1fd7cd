//! What the package databases tell that matters here.

use evidence::facts::Outcome;

use super::facts::KernelPackage;
use super::kernels;
use crate::formats::dpkg;
use crate::formats::os_release::OsRelease;
use crate::formats::package_family::Family;
use crate::formats::rpm_database::{self, Location};
use crate::formats::{apk, pacman};
use crate::order::Order as _;
use crate::probe::ProbeError;
use crate::reading::{Kind, Reading};

/// Packages that write `/run/reboot-required`.
const WRITE_REBOOT_FLAG: [&str; 2] = ["unattended-upgrades", "update-notifier-common"];
/// Packages that take effect by a reboot only: those of needs-restarting(1).
const NEED_REBOOT: [&str; 14] = [
    "dbus",
    "dbus-broker",
    "dbus-daemon",
    "glibc",
    "gnutls",
    "kernel",
    "kernel-core",
    "kernel-default",
    "kernel-rt",
    "kernel-rt-core",
    "linux-firmware",
    "microcode_ctl",
    "openssl-libs",
    "systemd",
];

/// Flavours of Alpine's kernel. Other packages begin with `linux-` too: headers, firmware, PAM.
const ALPINE_FLAVOURS: [&str; 11] = [
    "asahi", "edge", "elm", "gru", "hardened", "lts", "rpi", "rpi2", "rpi4", "stable", "virt",
];

/// What was installed.
pub(super) struct Installed {
    /// Kernels, newest last.
    pub(super) kernels: Vec<KernelPackage>,
    /// Version of distro-info-data, empty if not installed.
    pub(super) table_version: String,
    /// Packages that tell whether a reboot is asked for.
    pub(super) writes_reboot_flag: Vec<String>,
    /// Packages that take effect by a reboot, with the time of their installation; `None` if the database has no times.
    pub(super) need_reboot: Option<Vec<(String, u32)>>,
    /// By whose order versions are compared.
    pub(super) order: kernels::Order,
}

/// Reads the database of the host's package manager.
pub(super) fn read(reading: &Reading<'_>, release: &OsRelease) -> Result<Installed, ProbeError> {
    match Family::of_host(reading, release)? {
        Family::Dpkg => of_dpkg(reading),
        Family::Rpm(location) => of_rpm(reading, &location),
        Family::Apk(path) => of_apk(reading, path),
        Family::Pacman => of_pacman(reading),
    }
}

/// A kernel may be among what was not understood.
fn whole(unparsed: &[String]) -> Result<(), ProbeError> {
    unparsed.first().map_or(Ok(()), |first| {
        Err(ProbeError {
            outcome: Outcome::Malformed,
            detail: first.clone(),
        })
    })
}

fn of_dpkg(reading: &Reading<'_>) -> Result<Installed, ProbeError> {
    let (_, database) = dpkg::of_host(reading)?;
    let entries = database.entries();
    whole(&entries.unparsed)?;
    let present = || entries.packages.iter().filter(|entry| entry.state.is_present());
    let mut kernels: Vec<_> = present().filter_map(kernels::kernel_of).collect();
    kernels::sort(&mut kernels, kernels::Order::Debian);
    let table = present().find(|entry| entry.name == "distro-info-data");
    let mut writes_reboot_flag: Vec<_> = present()
        .filter(|entry| WRITE_REBOOT_FLAG.contains(&entry.name))
        .map(|entry| entry.name.to_owned())
        .collect();
    writes_reboot_flag.order();
    Ok(Installed {
        kernels,
        table_version: table.map(|entry| entry.version.to_owned()).unwrap_or_default(),
        writes_reboot_flag,
        need_reboot: None,
        order: kernels::Order::Debian,
    })
}

fn of_rpm(reading: &Reading<'_>, location: &Location) -> Result<Installed, ProbeError> {
    let database = rpm_database::Database::of_host(reading, location)?;
    whole(&database.unparsed)?;
    let mut kernels = vec![];
    let mut need_reboot = vec![];
    for package in &database.packages {
        if (package.reboot_hint || NEED_REBOOT.contains(&package.name.as_str()))
            && let Some(time) = package.installed_at
        {
            need_reboot.push((package.name.clone(), time));
        }
        if let Some(release) = &package.kernel_release {
            let flavour = package.name.strip_prefix("kernel").unwrap_or(&package.name);
            let flavour = flavour.strip_suffix("-core").unwrap_or(flavour);
            kernels.push(KernelPackage {
                flavour: flavour.trim_start_matches('-').to_owned(),
                package: package.name.clone(),
                version: package.version.clone(),
                release: release.clone(),
            });
        }
    }
    kernels::sort(&mut kernels, kernels::Order::Rpm);
    Ok(Installed {
        kernels,
        table_version: String::new(),
        writes_reboot_flag: vec!["rpm".to_owned()],
        need_reboot: Some(need_reboot),
        order: kernels::Order::Rpm,
    })
}

/// Alpine has one version of a kernel at a time: `linux-lts` 6.6.31-r0 is `6.6.31-0-lts`.
fn of_apk(reading: &Reading<'_>, path: &str) -> Result<Installed, ProbeError> {
    let database = apk::Database::read(reading, path)?;
    whole(&database.unparsed)?;
    let kernels = database.packages.into_iter().filter_map(|package| {
        let flavour = package.name.strip_prefix("linux-")?;
        let (version, revision) = package.version.rsplit_once("-r")?;
        ALPINE_FLAVOURS.contains(&flavour).then(|| KernelPackage {
            flavour: flavour.to_owned(),
            release: format!("{version}-{revision}-{flavour}"),
            version: package.version.clone(),
            package: package.name.clone(),
        })
    });
    Ok(single(kernels.collect()))
}

/// Arch has one version of a kernel at a time; the folder of its modules names its package.
fn of_pacman(reading: &Reading<'_>) -> Result<Installed, ProbeError> {
    const MODULES: &str = "/usr/lib/modules";
    let database = pacman::Database::read(reading)?;
    whole(&database.unparsed)?;
    let mut kernels = vec![];
    let folders = reading.list(MODULES)?.unwrap_or_default();
    for folder in folders.iter().filter(|entry| entry.kind == Kind::Folder).take(1_000) {
        let Some(name) = reading.text(&format!("{MODULES}/{}/pkgbase", folder.name))? else {
            continue;
        };
        if let Some(package) = database.packages.iter().find(|package| package.name == name.trim()) {
            kernels.push(KernelPackage {
                package: package.name.clone(),
                version: package.version.clone(),
                release: folder.name.clone(),
                flavour: package
                    .name
                    .strip_prefix("linux")
                    .unwrap_or(&package.name)
                    .trim_start_matches('-')
                    .to_owned(),
            });
        }
    }
    Ok(single(kernels))
}

fn single(mut kernels: Vec<KernelPackage>) -> Installed {
    kernels::sort(&mut kernels, kernels::Order::Single);
    Installed {
        kernels,
        table_version: String::new(),
        writes_reboot_flag: vec![],
        need_reboot: None,
        order: kernels::Order::Single,
    }
}

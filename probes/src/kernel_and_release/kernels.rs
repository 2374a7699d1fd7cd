//! Kernels: the running one, those that are installed as packages, and how they stand to each other.

use std::cmp::Ordering;

use super::facts::{KernelPackage, KernelStanding, RunningKernel};
use crate::formats::debian_version::{self, is_version};
use crate::formats::dpkg::Entry;
use crate::formats::rpm_version;
use crate::order::Order as _;

/// By whose order versions of kernels are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// dpkg's.
    Debian,
    /// rpm's.
    Rpm,
    /// apk's and pacman's, which have one version of a kernel at a time: rpm's order will do.
    Single,
}

impl Order {
    fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Debian => debian_version::compare(a, b),
            Self::Rpm | Self::Single => rpm_version::compare(a, b),
        }
    }
}

/// What names of kernel packages begin with: Debian's and Ubuntu's, Ubuntu's unsigned, Proxmox's.
const PREFIXES: [&str; 4] = [
    "linux-image-unsigned-",
    "linux-image-",
    "proxmox-kernel-",
    "pve-kernel-",
];
/// What they may end with.
const SUFFIXES: [&str; 2] = ["-unsigned", "-signed"];

/// The package's kernel, if it holds one: `linux-image-6.1.0-28-amd64` does, `linux-image-amd64` only depends on one.
pub(super) fn kernel_of(entry: &Entry<'_>) -> Option<KernelPackage> {
    let release = PREFIXES.iter().find_map(|prefix| entry.name.strip_prefix(prefix))?;
    let release = SUFFIXES
        .iter()
        .find_map(|suffix| release.strip_suffix(suffix))
        .unwrap_or(release);
    let is_release = release.starts_with(|first: char| first.is_ascii_digit())
        && release.contains('.')
        && !release.ends_with("-dbg")
        && !release.ends_with("-dbgsym");
    (is_release && entry.state.is_present()).then(|| KernelPackage {
        package: entry.name.to_owned(),
        version: entry.version.to_owned(),
        release: release.to_owned(),
        flavour: flavour(release).to_owned(),
    })
}

/// `cloud-amd64` of `6.1.0-28-cloud-amd64`: from the first part that begins with a letter.
pub(super) fn flavour(release: &str) -> &str {
    let mut rest = release;
    while let Some((_, after)) = rest.split_once('-') {
        if after.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return after;
        }
        rest = after;
    }
    ""
}

/// Sorted, newest last.
pub(super) fn sort(kernels: &mut Vec<KernelPackage>, order: Order) {
    kernels.order_by(|a, b| order.compare(&a.version, &b.version).then_with(|| a.cmp(b)));
}

/// The version of its package that a kernel tells: Debian in its build (`… Debian 6.1.119-1 (2024-11-22)`), Ubuntu in
/// `/proc/version_signature` (`Ubuntu 5.15.0-91.101-generic 5.15.131`). Empty if it tells none.
pub(super) fn package_version(build: &str, signature: &str, release: &str) -> String {
    let after = |text: &str, word: &str| {
        let mut words = text.split_ascii_whitespace().skip_while(|found| *found != word);
        words.nth(1).map(str::to_owned)
    };
    let flavour = flavour(release);
    let signed = after(signature, "Ubuntu").and_then(|version| {
        let version = version.strip_suffix(flavour)?.strip_suffix('-')?;
        Some(version.to_owned())
    });
    let version = signed.or_else(|| after(build, "Debian"));
    version.filter(|version| is_version(version)).unwrap_or_default()
}

/// How the running kernel stands to `installed`, which are sorted, and why.
pub(super) fn standing(
    running: &RunningKernel,
    installed: &[KernelPackage],
    order: Order,
    container: &str,
) -> (KernelStanding, String) {
    if !container.is_empty() {
        let why = format!("in a container ({container}) the kernel is that of the machine around it");
        return (KernelStanding::NotPackaged, why);
    }
    if order != Order::Debian {
        return standing_by_release(running, installed, order);
    }
    let flavour = flavour(&running.release);
    let newest = installed.iter().rfind(|kernel| kernel.flavour == flavour);
    let own = installed.iter().rfind(|kernel| kernel.release == running.release);
    let (Some(newest), Some(version)) = (
        newest,
        // A kernel that was built from a package and whose package is gone was replaced while it ran.
        Some(running.package_version.as_str())
            .filter(|version| !version.is_empty())
            .or_else(|| own.map(|own| own.version.as_str())),
    ) else {
        let why = format!("no installed package has the kernel {}", running.release);
        return (KernelStanding::NotPackaged, why);
    };
    match debian_version::compare(version, &newest.version) {
        Ordering::Less => {
            let why = format!("{version} runs, {} is installed as {}", newest.version, newest.package);
            (KernelStanding::Older, why)
        }
        Ordering::Equal | Ordering::Greater => {
            let said = if running.package_version.is_empty() {
                "by its package; the kernel itself does not tell its version"
            } else {
                "by what the kernel tells"
            };
            let why = format!("{version} runs, {said}; nothing newer of its flavour is installed");
            (KernelStanding::Newest, why)
        }
    }
}

/// The same where the kernel tells no version of its package, and its release is that of one package only.
fn standing_by_release(running: &RunningKernel, installed: &[KernelPackage], order: Order) -> (KernelStanding, String) {
    let own = installed.iter().rfind(|kernel| kernel.release == running.release);
    if let Some(own) = own {
        let newest = installed.iter().rfind(|kernel| kernel.flavour == own.flavour);
        let newest = newest.filter(|newest| order.compare(&newest.version, &own.version) == Ordering::Greater);
        let Some(newest) = newest else {
            let why = format!("{} runs; nothing newer of its flavour is installed", own.version);
            return (KernelStanding::Newest, why);
        };
        let why = format!(
            "{} runs, {} is installed as {}",
            own.version, newest.version, newest.package
        );
        return (KernelStanding::Older, why);
    }
    // Its package is gone: replaced by the only kernel that is installed now, if there is but one flavour.
    let mut flavours: Vec<_> = installed.iter().map(|kernel| kernel.flavour.as_str()).collect();
    flavours.order();
    flavours.dedup();
    let newest = installed.last().filter(|_| flavours.len() == 1);
    let same_kind = newest.filter(|newest| family(&newest.release) == family(&running.release));
    match same_kind {
        Some(newest) if rpm_version::compare(&running.release, &newest.release) == Ordering::Less => {
            let why = format!(
                "{} runs and its package is gone, {} is installed",
                running.release, newest.release
            );
            (KernelStanding::Older, why)
        }
        _ => {
            let why = format!("no installed package has the kernel {}", running.release);
            (KernelStanding::NotPackaged, why)
        }
    }
}

/// What the releases of a distribution's kernels of one flavour have in common: the words without their numbers.
fn family(release: &str) -> Vec<&str> {
    let words = release.split(|character: char| !character.is_ascii_alphabetic());
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::dpkg::State;

    fn kernel(name: &str, version: &str) -> KernelPackage {
        let entry = Entry {
            name,
            architecture: "amd64",
            version,
            source: None,
            source_version: None,
            state: State::Installed,
            held: false,
            reinstall_required: false,
        };
        kernel_of(&entry).unwrap()
    }

    fn running(release: &str, package_version: &str) -> RunningKernel {
        RunningKernel {
            release: release.into(),
            build: String::new(),
            package_version: package_version.into(),
        }
    }

    #[test]
    fn names_and_flavours() {
        for (name, release, flavour) in [
            ("linux-image-6.1.0-28-amd64", "6.1.0-28-amd64", "amd64"),
            (
                "linux-image-6.1.0-28-cloud-amd64-unsigned",
                "6.1.0-28-cloud-amd64",
                "cloud-amd64",
            ),
            (
                "linux-image-6.12.38+deb13-rt-amd64",
                "6.12.38+deb13-rt-amd64",
                "rt-amd64",
            ),
            ("linux-image-6.1.0-0.deb11.13-amd64", "6.1.0-0.deb11.13-amd64", "amd64"),
            ("linux-image-unsigned-5.15.0-91-generic", "5.15.0-91-generic", "generic"),
            (
                "linux-image-6.8.0-31-generic-64k",
                "6.8.0-31-generic-64k",
                "generic-64k",
            ),
            ("linux-image-5.15.0-1045-aws", "5.15.0-1045-aws", "aws"),
            ("proxmox-kernel-6.8.12-4-pve-signed", "6.8.12-4-pve", "pve"),
            ("linux-image-6.6.31+rpt-rpi-v8", "6.6.31+rpt-rpi-v8", "rpi-v8"),
        ] {
            let kernel = kernel(name, "1");
            assert_eq!((kernel.release.as_str(), kernel.flavour.as_str()), (release, flavour));
        }
        for name in [
            "linux-image-amd64",
            "linux-image-6.1.0-28-amd64-dbg",
            "linux-headers-6.1.0-28-amd64",
            "proxmox-kernel-6.8x",
        ] {
            let entry = Entry {
                name,
                architecture: "amd64",
                version: "1",
                source: None,
                source_version: None,
                state: State::Installed,
                held: false,
                reinstall_required: false,
            };
            let is_kernel = name == "proxmox-kernel-6.8x";
            assert_eq!(kernel_of(&entry).is_some(), is_kernel, "{name}");
        }
    }

    #[test]
    fn versions_that_kernels_tell() {
        for (build, signature, release, version) in [
            (
                "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
                "",
                "6.1.0-28-amd64",
                "6.1.119-1",
            ),
            (
                "#101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023",
                "Ubuntu 5.15.0-91.101-generic 5.15.131",
                "5.15.0-91-generic",
                "5.15.0-91.101",
            ),
            (
                "#14~22.04.1-Ubuntu SMP",
                "Ubuntu 6.5.0-14.14~22.04.1-generic 6.5.3",
                "6.5.0-14-generic",
                "6.5.0-14.14~22.04.1",
            ),
            ("#1 SMP PREEMPT_DYNAMIC @0", "", "6.18.44-fc-v595", ""),
            ("Debian", "Ubuntu", "", ""),
        ] {
            assert_eq!(package_version(build, signature, release), version);
        }
    }

    #[test]
    fn standings() {
        let mut installed = vec![
            kernel("linux-image-6.1.0-28-amd64", "6.1.119-1"),
            kernel("linux-image-6.1.0-9-amd64", "6.1.27-1"),
            kernel("linux-image-6.1.0-30-cloud-amd64", "6.1.124-1"),
        ];
        sort(&mut installed, Order::Debian);
        let standing = |running: RunningKernel, container| standing(&running, &installed, Order::Debian, container).0;
        assert_eq!(
            standing(running("6.1.0-28-amd64", "6.1.119-1"), ""),
            KernelStanding::Newest
        );
        assert_eq!(standing(running("6.1.0-28-amd64", ""), ""), KernelStanding::Newest);
        assert_eq!(standing(running("6.1.0-9-amd64", ""), ""), KernelStanding::Older);
        // The package was updated in place, or replaced, since the system started.
        assert_eq!(
            standing(running("6.1.0-28-amd64", "6.1.118-1"), ""),
            KernelStanding::Older
        );
        assert_eq!(
            standing(running("6.1.0-27-amd64", "6.1.115-1"), ""),
            KernelStanding::Older
        );
        assert_eq!(standing(running("6.1.0-27-amd64", ""), ""), KernelStanding::NotPackaged);
        assert_eq!(
            standing(running("6.18.44-fc-v595", ""), ""),
            KernelStanding::NotPackaged
        );
        assert_eq!(
            standing(running("6.1.0-28-amd64", "6.1.119-1"), "docker"),
            KernelStanding::NotPackaged
        );
    }

    #[test]
    fn standings_by_release() {
        let of = |package: &str, version: &str, release: &str| KernelPackage {
            package: package.into(),
            version: version.into(),
            release: release.into(),
            flavour: package.trim_start_matches("kernel").trim_end_matches("-core").into(),
        };
        let mut installed = vec![
            of("kernel-core", "6.14.0-63.fc42", "6.14.0-63.fc42.x86_64"),
            of("kernel-core", "6.9.0-1.fc42", "6.9.0-1.fc42.x86_64"),
        ];
        sort(&mut installed, Order::Rpm);
        let standing_of =
            |release: &str, installed: &[KernelPackage]| standing(&running(release, ""), installed, Order::Rpm, "").0;
        assert_eq!(standing_of("6.14.0-63.fc42.x86_64", &installed), KernelStanding::Newest);
        assert_eq!(standing_of("6.9.0-1.fc42.x86_64", &installed), KernelStanding::Older);
        assert_eq!(standing_of("6.8.0-1.fc42.x86_64", &installed), KernelStanding::Older);
        assert_eq!(standing_of("6.18.44-fc-v595", &installed), KernelStanding::NotPackaged);
        assert_eq!(
            standing_of("6.20.0-1.fc42.x86_64", &installed),
            KernelStanding::NotPackaged
        );
        assert_eq!(standing_of("6.9.0-1.fc42.x86_64", &[]), KernelStanding::NotPackaged);
        installed.push(of("kernel-rt-core", "7-1.fc42", "7-1.fc42.x86_64+rt"));
        assert_eq!(standing_of("6.14.0-63.fc42.x86_64", &installed), KernelStanding::Newest);
        assert_eq!(
            standing_of("6.8.0-1.fc42.x86_64", &installed),
            KernelStanding::NotPackaged
        );
    }

    proptest! {
        #[test]
        fn any_text(release in "[0-9a-z.+-]{0,20}", build in "\\PC{0,40}", signature in "Ubuntu [0-9a-z.~-]{0,20}") {
            flavour(&release);
            package_version(&build, &signature, &release);
        }
    }
}

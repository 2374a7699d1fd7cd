//! # What
//! How far the kernel defends itself and its users: settings now and as they are set at boot, lockdown, signatures of
//! modules, secure boot, mitigations of processor faults, the kernel's command line, filesystems that few need, core
//! dumps.
//!
//! # Source
//! `/proc/sys` (kernel `Documentation/admin-guide/sysctl`), sysctl.d(5); kernel_lockdown(7);
//! `/sys/module/module/parameters/sig_enforce`; efivarfs (UEFI specification, *Globally Defined Variables*; shim's
//! `MokSBStateRT`); `/sys/devices/system/cpu/vulnerabilities` (kernel `Documentation/ABI/testing/sysfs-devices-system-cpu`);
//! `/proc/cmdline`, `grub.cfg`, `/etc/default/grub`, `/etc/kernel/cmdline`, Boot Loader Specification entries;
//! `Documentation/admin-guide/tainted-kernels.rst`; modprobe.d(5); coredump.conf(5), limits.conf(5), core(5).
//!
//! # Privilege
//! Root for `fs.protected_*` and a few more, which the kernel shows to no other user whatever its capabilities: without it
//! they are `denied`. `CAP_DAC_READ_SEARCH` for files of the boot loader.
//!
//! # Bears on
//! A.8.9 (configuration), A.8.8 (technical vulnerabilities), A.8.18 (privileged utility programs), A.8.20 (networks
//! security), A.8.7 (malware).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod boot;
mod build;
mod dumps;
mod facts;
mod firmware;
mod processor;
mod settings;

pub use facts::*;

use crate::formats::modprobe::Modules;
use crate::formats::sysctl::{self, Sysctl};
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;
use evidence::facts::Outcome;

/// Filesystems that few need and that an attacker with a crafted image needs.
const FILESYSTEMS: [&str; 14] = [
    "afs", "ceph", "cifs", "cramfs", "exfat", "freevxfs", "fscache", "gfs2", "hfs", "hfsplus", "jffs2", "nfs",
    "squashfs", "udf",
];
const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";
/// What a bit of `kernel.tainted` says, by its number.
const TAINTS: [&str; 20] = [
    "proprietary_module",
    "forced_load",
    "out_of_specification",
    "forced_unload",
    "machine_check",
    "bad_page",
    "user_request",
    "oops",
    "acpi_override",
    "warning",
    "staging_driver",
    "firmware_workaround",
    "out_of_tree_module",
    "unsigned_module",
    "soft_lockup",
    "live_patch",
    "distribution_mark",
    "randomised_structures",
    "test_module",
    "fwctl",
];

/// The same by the letters that a module has in `/proc/modules`.
const MODULE_TAINTS: [(char, &str); 8] = [
    ('C', "staging_driver"),
    ('E', "unsigned_module"),
    ('F', "forced_load"),
    ('J', "fwctl"),
    ('K', "live_patch"),
    ('N', "test_module"),
    ('O', "out_of_tree_module"),
    ('P', "proprietary_module"),
];

/// The probe.
pub struct KernelHardeningProbe;

impl Probe for KernelHardeningProbe {
    const SPEC: Spec = Spec {
        id: "kernel-hardening",
        version: 3,
        title: "How far the kernel defends itself: settings now and at boot, lockdown, secure boot, mitigations, core dumps",
        reads: &[
            "/proc/sys/",
            "/etc/sysctl.d/",
            "/run/sysctl.d/",
            "/usr/lib/sysctl.d/",
            "/etc/sysctl.conf",
            "/etc/ufw/ufw.conf, /etc/default/ufw and the file of settings that it names",
            "/sys/kernel/security/lockdown",
            "/sys/module/module/parameters/sig_enforce",
            "/sys/firmware/efi/efivars/",
            "/sys/kernel/iommu_groups/",
            "/sys/devices/system/cpu/vulnerabilities/",
            "/proc/cmdline",
            "/boot/grub/grub.cfg, /boot/grub2/grub.cfg, /boot/efi/EFI/*/grub.cfg",
            "/boot/grub2/grubenv",
            "/etc/default/grub",
            "/etc/default/grub.d/",
            "/etc/kernel/cmdline",
            "/boot/loader/entries/",
            "/proc/modules",
            "/boot/config-RELEASE or /usr/lib/modules/RELEASE/config of the running kernel",
            "/proc/cpuinfo",
            "/usr/lib/modules/",
            "/etc/modprobe.d/",
            "/etc/systemd/coredump.conf",
            "/etc/systemd/system.conf",
            "/etc/security/limits.conf",
            "/etc/security/limits.d/",
        ],
        runs: &[],
        privilege: Privilege::Root,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/sysctl.d",
            "/etc/sysctl.conf",
            "/etc/modprobe.d",
            "/etc/default/grub",
            "/etc/security",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "Settings of single interfaces (`net.*.conf.NAME`); those of `all` and `default` are told.",
            "What programs and services set after boot, but for what holds now.",
            "The kernel's own default for a setting that no file sets: after the next boot that holds.",
            "Settings that units give their own processes (LimitCORE=, namespaces).",
            "Whether the firmware's keys are the vendor's own, and what was measured at boot.",
            "Options that the boot loader was given by hand, and which entry it chooses.",
        ],
    };

    type Facts = KernelHardening;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<KernelHardening, NoNames>, ProbeError> {
        let sysctl = Sysctl::read(reading);
        let modules = Modules::read(reading);
        Ok(Collected::facts(KernelHardening {
            settings: settings::read(reading, &sysctl),
            unparsed_settings: Known::read(sysctl.map(|sysctl| sysctl.unparsed)),
            core_pattern: dumps::core_pattern(reading),
            core_dumps: Known::read(dumps::read(reading)),
            lockdown: lockdown(reading),
            module_signatures_enforced: flag(reading, "/sys/module/module/parameters/sig_enforce"),
            secure_boot: firmware::secure_boot(reading),
            iommu_groups: iommu_groups(reading),
            vulnerabilities: vulnerabilities(reading),
            command_line: boot::now(reading),
            command_lines_at_boot: Known::read(boot::configured(reading)),
            tainted: tainted(reading),
            tainting_modules: tainting_modules(reading),
            build: build::read(reading).unwrap_or_else(|unread| Known::unread(&unread)),
            processor: processor::defences(reading),
            filesystems: Known::read(modules.map(|modules| FILESYSTEMS.map(|name| modules.state(name)).into())),
        }))
    }
}

fn malformed<T>(path: &str, what: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Malformed,
        detail: format!(
            "{path}: {:?} is not what was expected",
            what.chars().take(200).collect::<String>()
        ),
    })
}

/// `Y` or `N`.
fn flag(reading: &Reading<'_>, path: &str) -> Known<bool> {
    match reading.attribute(path) {
        Ok(Some(text)) => match text.trim() {
            "Y" | "1" => Known::Observed(true),
            "N" | "0" => Known::Observed(false),
            other => malformed(path, other),
        },
        Ok(None) => Known::absent(format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

/// `none [integrity] confidentiality`: the one in brackets holds.
fn lockdown(reading: &Reading<'_>) -> Known<Lockdown> {
    const PATH: &str = "/sys/kernel/security/lockdown";
    match reading.attribute(PATH) {
        Ok(Some(text)) => {
            let chosen = text.split_ascii_whitespace().find(|word| word.starts_with('['));
            match chosen {
                Some("[none]") => Known::Observed(Lockdown::None),
                Some("[integrity]") => Known::Observed(Lockdown::Integrity),
                Some("[confidentiality]") => Known::Observed(Lockdown::Confidentiality),
                _ => malformed(PATH, &text),
            }
        }
        Ok(None) => Known::absent(format!("{PATH} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn iommu_groups(reading: &Reading<'_>) -> Known<u64> {
    const FOLDER: &str = "/sys/kernel/iommu_groups";
    // Kernels without support for any IOMMU do not have the folder.
    match (reading.list(FOLDER), reading.stat("/sys/kernel")) {
        (Ok(Some(groups)), _) => Known::Observed(groups.len() as u64),
        (Ok(None), Ok(Some(_))) => Known::Observed(0),
        (Ok(None), Ok(None)) => Known::absent("/sys/kernel is not there: this is no running system"),
        (Err(unread), _) | (_, Err(unread)) => Known::unread(&unread),
    }
}

fn vulnerabilities(reading: &Reading<'_>) -> Known<Vec<Vulnerability>> {
    let entries = match reading.list(VULNERABILITIES) {
        Ok(Some(entries)) => entries,
        Ok(None) => return Known::absent(format!("{VULNERABILITIES} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let mut list = Vec::new();
    for entry in entries.into_iter().take(200) {
        match reading.attribute(&format!("{VULNERABILITIES}/{}", entry.name)) {
            Ok(text) => {
                let text = text.unwrap_or_default();
                let status = match text.trim() {
                    "Not affected" => VulnerabilityStatus::NotAffected,
                    // KVM's: `KVM: Mitigation: …`.
                    other if other.contains("Mitigation") => VulnerabilityStatus::Mitigated,
                    other if other.contains("Vulnerable") => VulnerabilityStatus::Vulnerable,
                    _ => VulnerabilityStatus::Unknown,
                };
                list.push(Vulnerability {
                    name: entry.name,
                    status,
                    text: text.trim().chars().take(300).collect(),
                });
            }
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(list)
}

fn tainted(reading: &Reading<'_>) -> Known<Vec<String>> {
    const KEY: &str = "kernel/tainted";
    match sysctl::now(reading, KEY) {
        Ok(Some(text)) => match text.parse::<u64>() {
            Ok(bits) => {
                let set = TAINTS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
                let mut names: Vec<_> = set.map(|(_, name)| (*name).to_owned()).collect();
                if bits >> TAINTS.len() != 0 {
                    names.push("another".to_owned());
                }
                names.order();
                Known::Observed(names)
            }
            Err(_) => malformed("/proc/sys/kernel/tainted", &text),
        },
        Ok(None) => Known::absent("/proc/sys/kernel/tainted is not there"),
        Err(unread) => Known::unread(&unread),
    }
}

/// Lines of `NAME SIZE USES BY STATE ADDRESS`, with letters in brackets for what a module taints the kernel by.
fn tainting_modules(reading: &Reading<'_>) -> Known<Vec<TaintingModule>> {
    const PATH: &str = "/proc/modules";
    let text = match Known::of(reading.volatile(PATH), PATH) {
        Known::Observed(text) => text,
        Known::Not(why) => return Known::Not(why),
    };
    let module = |line: &str| {
        let letters = line.trim_end().strip_suffix(')')?.rsplit_once(" (")?.1;
        let named = |letter: char| MODULE_TAINTS.iter().find(|(known, _)| *known == letter);
        // Signs there tell that it is being loaded or unloaded.
        let letters = letters.chars().filter(char::is_ascii_uppercase);
        let mut taints: Vec<_> = letters
            .map(|letter| named(letter).map_or("another", |(_, name)| *name).to_owned())
            .collect();
        taints.order();
        taints.dedup();
        let name = line.split(' ').next()?.to_owned();
        (!taints.is_empty()).then_some(TaintingModule { name, taints })
    };
    let mut found: Vec<_> = text.lines().filter_map(module).collect();
    found.order();
    Known::Observed(found)
}

#[cfg(test)]
mod tests;

//! Options of the kernel's command line that bear on security.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::CommandLine;
use crate::formats::shell;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// Names of options (kernel `Documentation/admin-guide/kernel-parameters.txt`); those ending in `.` or `_` begin many.
const OPTIONS: [&str; 70] = [
    "amd_iommu",
    "apparmor",
    "audit",
    "audit_backlog_limit",
    "bdev_allow_write_mounted",
    "debugfs",
    "efi",
    "enforcing",
    "fips",
    "gather_data_sampling",
    "hash_pointers",
    "ima_",
    "indirect_target_selection",
    "init_on_alloc",
    "init_on_free",
    "intel_iommu",
    "iommu",
    "iommu.",
    "ipv6.disable",
    "kvm-intel.vmentry_l1d_flush",
    "kvm.nx_huge_pages",
    "l1tf",
    "lockdown",
    "loglevel",
    "lsm",
    "mce",
    "mds",
    "mitigations",
    "mmio_stale_data",
    "module.sig_enforce",
    "module_blacklist",
    "modprobe.blacklist",
    "nokaslr",
    "no_hash_pointers",
    "nopti",
    "nosmap",
    "nosmep",
    "nosmt",
    "nospec_store_bypass_disable",
    "nospectre_v1",
    "nospectre_v2",
    "oops",
    "page_alloc.shuffle",
    "page_poison",
    "pti",
    "random.trust_bootloader",
    "random.trust_cpu",
    "randomize_kstack_offset",
    "reg_file_data_sampling",
    "retbleed",
    "security",
    "selinux",
    "single",
    "slab_nomerge",
    "slub_debug",
    "spec_rstack_overflow",
    "spec_store_bypass_disable",
    "spectre_bhi",
    "spectre_v2",
    "spectre_v2_user",
    "srbds",
    "systemd.debug_shell",
    "systemd.debug-shell",
    "systemd.unit",
    "rd.break",
    "init",
    "tsa",
    "tsx",
    "tsx_async_abort",
    "vsyscall",
];
/// Options that are kept of one line.
const MAX_OPTIONS: usize = 200;
/// Files that are looked at.
const MAX_FILES: usize = 200;

pub(super) fn now(reading: &Reading<'_>) -> Known<Vec<String>> {
    match reading.volatile_bytes("/proc/cmdline") {
        Ok(Some(line)) => Known::Observed(options(&String::from_utf8_lossy(&line))),
        Ok(None) => Known::absent("/proc/cmdline is not there"),
        Err(unread) => Known::unread(&unread),
    }
}

fn options(line: &str) -> Vec<String> {
    let bears = |word: &&str| {
        let name = word.split('=').next().unwrap_or_default().replace('-', "_");
        OPTIONS.iter().any(|option| {
            let option = option.replace('-', "_");
            name == option || (option.ends_with(['.', '_']) && name.starts_with(&option))
        })
    };
    let words: BTreeSet<_> = line.split_ascii_whitespace().filter(bears).take(MAX_OPTIONS).collect();
    words
        .into_iter()
        .map(|word| word.trim_matches('"').to_owned())
        .collect()
}

/// Files from which boot loaders or their tools take the line.
pub(super) fn configured(reading: &Reading<'_>) -> Result<Vec<CommandLine>, Unread> {
    let mut lines = Vec::new();
    if let Some(text) = text(reading, "/etc/default/grub")? {
        let mut variables: BTreeMap<String, String> = shell::assignments(&text).into_iter().collect();
        // A part that adds to the line (`GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX …"`) is told with what it adds.
        for path in named(reading, "/etc/default/grub.d", ".cfg")? {
            let part = self::text(reading, &path)?.unwrap_or_default();
            for (name, value) in shell::assignments(&part) {
                let old = variables.get(&name).cloned().unwrap_or_default();
                let value = value
                    .replace(&format!("${{{name}}}"), &old)
                    .replace(&format!("${name}"), &old);
                variables.insert(name, value.chars().take(100_000).collect());
            }
        }
        let get = |name: &str| variables.get(name).map(String::as_str).unwrap_or_default();
        let line = format!("{} {}", get("GRUB_CMDLINE_LINUX"), get("GRUB_CMDLINE_LINUX_DEFAULT"));
        lines.push(entry("/etc/default/grub".to_owned(), &line));
    }
    for path in [
        "/etc/kernel/cmdline",
        "/usr/lib/kernel/cmdline",
        "/boot/cmdline.txt",
        "/boot/firmware/cmdline.txt",
    ] {
        if let Some(line) = text(reading, path)? {
            lines.push(entry(path.to_owned(), &line));
        }
    }
    for folder in [
        "/boot/loader/entries",
        "/efi/loader/entries",
        "/boot/efi/loader/entries",
    ] {
        for path in named(reading, folder, ".conf")? {
            let text = text(reading, &path)?.unwrap_or_default();
            let options = text.lines().filter_map(|line| line.trim().strip_prefix("options"));
            lines.push(entry(path, &options.collect::<Vec<_>>().join(" ")));
        }
    }
    lines.sort_unstable();
    Ok(lines)
}

fn entry(file: String, line: &str) -> CommandLine {
    CommandLine {
        file,
        options: options(line),
    }
}

fn text(reading: &Reading<'_>, path: &str) -> Result<Option<String>, Unread> {
    let bytes = reading.file(path)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn named(reading: &Reading<'_>, folder: &str, end: &str) -> Result<Vec<String>, Unread> {
    let entries = reading.list(folder)?.unwrap_or_default().into_iter();
    let files = entries.filter(|entry| entry.kind != Kind::Folder && entry.name.ends_with(end));
    Ok(files
        .take(MAX_FILES)
        .map(|entry| format!("{folder}/{}", entry.name))
        .collect())
}

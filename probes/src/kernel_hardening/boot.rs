//! Options of the kernel's command line that bear on security.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::CommandLine;
use crate::formats::shell;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread, globs};

/// Names of options (kernel `Documentation/admin-guide/kernel-parameters.txt`); those ending in `.` or `_` begin many.
const OPTIONS: [&str; 74] = [
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
    "nousb",
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
    "sysctl.",
    "systemd.debug_shell",
    "systemd.debug-shell",
    "systemd.mask",
    "systemd.unit",
    "rd.break",
    "init",
    "tsa",
    "tsx",
    "tsx_async_abort",
    "usbcore.",
    "vsyscall",
];
/// Options that are kept of one line.
const MAX_OPTIONS: usize = 200;
/// Files that are looked at.
const MAX_FILES: usize = 200;
/// Lines that are told; and the longest, bytes.
const MAX_LINES: usize = 200;
const MAX_LENGTH: usize = 100_000;

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

/// Files that boot loaders read, and files from which tools make those.
pub(super) fn configured(reading: &Reading<'_>) -> Result<Vec<CommandLine>, Unread> {
    let mut lines = Vec::new();
    let variables = environment(reading)?;
    for pattern in [
        "/boot/grub/grub.cfg",
        "/boot/grub2/grub.cfg",
        "/boot/efi/EFI/*/grub.cfg",
    ] {
        for path in globs::files(reading, pattern, MAX_FILES)? {
            let text = text(reading, &path)?.unwrap_or_default();
            let kernels = text.lines().filter_map(|line| {
                let line = line.trim();
                let (command, rest) = line.split_once(char::is_whitespace)?;
                matches!(command, "linux" | "linux16" | "linuxefi").then_some(rest)
            });
            lines.extend(kernels.map(|line| entry(&path, true, &expanded(line, &variables))));
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
            let line = options.collect::<Vec<_>>().join(" ");
            lines.push(entry(&path, true, &expanded(&line, &variables)));
        }
    }
    for (path, read_at_boot) in [
        ("/boot/cmdline.txt", true),
        ("/boot/firmware/cmdline.txt", true),
        ("/etc/kernel/cmdline", false),
        ("/usr/lib/kernel/cmdline", false),
    ] {
        if let Some(line) = text(reading, path)? {
            lines.push(entry(path, read_at_boot, &line));
        }
    }
    lines.extend(defaults(reading)?);
    lines.order();
    lines.dedup();
    lines.truncate(MAX_LINES);
    Ok(lines)
}

/// What grub-mkconfig(8) is told.
fn defaults(reading: &Reading<'_>) -> Result<Option<CommandLine>, Unread> {
    const DEFAULTS: &str = "/etc/default/grub";
    let Some(text) = text(reading, DEFAULTS)? else {
        return Ok(None);
    };
    let mut variables: BTreeMap<String, String> = shell::assignments(&text).into_iter().collect();
    // A part that adds to the line (`GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX …"`) is told with what it adds.
    for path in named(reading, "/etc/default/grub.d", ".cfg")? {
        let part = self::text(reading, &path)?.unwrap_or_default();
        for (name, value) in shell::assignments(&part) {
            let value = expanded(&value, &variables);
            variables.insert(name, value);
        }
    }
    let get = |name: &str| variables.get(name).map(String::as_str).unwrap_or_default();
    let line = format!("{} {}", get("GRUB_CMDLINE_LINUX"), get("GRUB_CMDLINE_LINUX_DEFAULT"));
    Ok(Some(entry(DEFAULTS, false, &line)))
}

/// Variables that grub keeps (grub-editenv(1)); entries of RHEL name some, as `$kernelopts`.
fn environment(reading: &Reading<'_>) -> Result<BTreeMap<String, String>, Unread> {
    let mut variables = BTreeMap::new();
    for path in ["/boot/grub/grubenv", "/boot/grub2/grubenv"] {
        let text = text(reading, path)?.unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once('='));
        variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    Ok(variables)
}

/// With the values of `$name` and `${name}` that are known.
fn expanded(line: &str, variables: &BTreeMap<String, String>) -> String {
    let mut whole = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('$') {
        whole += before;
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, after) = braced.unwrap_or_else(|| {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            after.split_at(end.unwrap_or(after.len()))
        });
        whole += variables.get(name).map(String::as_str).unwrap_or_default();
        rest = after;
        if whole.len() > MAX_LENGTH {
            break;
        }
    }
    whole += rest;
    whole.chars().take(MAX_LENGTH).collect()
}

fn entry(file: &str, read_at_boot: bool, line: &str) -> CommandLine {
    CommandLine {
        file: file.to_owned(),
        read_at_boot,
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

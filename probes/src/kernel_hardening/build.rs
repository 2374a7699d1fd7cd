//! How the running kernel was built: the configuration that distributions lay beside it (the kernel's documentation,
//! *Kconfig*).

use super::facts::KernelBuild;
use crate::formats::sysctl;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// Sorted; without `CONFIG_`.
const OPTIONS: [&str; 76] = [
    "ACPI_CUSTOM_METHOD",
    "ARM64_SW_TTBR0_PAN",
    "BINFMT_MISC",
    "BUG",
    "BUG_ON_DATA_CORRUPTION",
    "CFI_CLANG",
    "COMPAT_BRK",
    "COMPAT_VDSO",
    "DEBUG_CREDENTIALS",
    "DEBUG_FS",
    "DEBUG_LIST",
    "DEBUG_NOTIFIERS",
    "DEBUG_SG",
    "DEBUG_VIRTUAL",
    "DEBUG_WX",
    "DEFAULT_MMAP_MIN_ADDR",
    "DEVKMEM",
    "DEVMEM",
    "FORTIFY_SOURCE",
    "GCC_PLUGIN_LATENT_ENTROPY",
    "GCC_PLUGIN_RANDSTRUCT",
    "GCC_PLUGIN_STACKLEAK",
    "GCC_PLUGIN_STRUCTLEAK",
    "GCC_PLUGIN_STRUCTLEAK_BYREF_ALL",
    "HARDENED_USERCOPY",
    "HARDENED_USERCOPY_FALLBACK",
    "HIBERNATION",
    "IA32_EMULATION",
    "INIT_ON_ALLOC_DEFAULT_ON",
    "INIT_ON_FREE_DEFAULT_ON",
    "IPV6",
    "KEXEC",
    "LEGACY_PTYS",
    "LEGACY_VSYSCALL_EMULATE",
    "LEGACY_VSYSCALL_NONE",
    "LEGACY_VSYSCALL_XONLY",
    "MITIGATION_PAGE_TABLE_ISOLATION",
    "MITIGATION_RETPOLINE",
    "MODIFY_LDT_SYSCALL",
    "MODULE_SIG",
    "MODULE_SIG_ALL",
    "MODULE_SIG_FORCE",
    "MODULE_SIG_HASH",
    "MODULE_SIG_SHA512",
    "PAGE_POISONING",
    "PAGE_POISONING_NO_SANITY",
    "PAGE_POISONING_ZERO",
    "PAGE_TABLE_ISOLATION",
    "PANIC_ON_OOPS",
    "PANIC_TIMEOUT",
    "PROC_KCORE",
    "RANDOMIZE_BASE",
    "RANDOMIZE_MEMORY",
    "REFCOUNT_FULL",
    "RETPOLINE",
    "SCHED_STACK_END_CHECK",
    "SECCOMP",
    "SECCOMP_FILTER",
    "SECURITY",
    "SECURITY_DMESG_RESTRICT",
    "SECURITY_LOCKDOWN_LSM",
    "SECURITY_WRITABLE_HOOKS",
    "SECURITY_YAMA",
    "SLAB_FREELIST_HARDENED",
    "SLAB_FREELIST_RANDOM",
    "SLAB_MERGE_DEFAULT",
    "SLUB_DEBUG",
    "STACKPROTECTOR",
    "STACKPROTECTOR_STRONG",
    "STRICT_KERNEL_RWX",
    "STRICT_MODULE_RWX",
    "SYN_COOKIES",
    "UNMAP_KERNEL_AT_EL0",
    "VMAP_STACK",
    "X86_VSYSCALL_EMULATION",
    "ZERO_CALL_USED_REGS",
];

pub(super) fn read(reading: &Reading<'_>) -> Result<Known<KernelBuild>, Unread> {
    let Some(release) = sysctl::now(reading, "kernel/osrelease")? else {
        return Ok(Known::absent(
            "/proc/sys/kernel/osrelease is not there: no running system",
        ));
    };
    let release = release.trim();
    let is_name = !release.is_empty() && !release.contains('/') && !release.starts_with('.');
    if !is_name {
        return Ok(super::malformed("/proc/sys/kernel/osrelease", release));
    }
    for path in [
        format!("/boot/config-{release}"),
        format!("/usr/lib/modules/{release}/config"),
    ] {
        if let Some(bytes) = reading.file(&path)? {
            let options = options(&String::from_utf8_lossy(&bytes)).collect();
            return Ok(Known::Observed(KernelBuild { file: path, options }));
        }
    }
    Ok(Known::absent(format!(
        "no configuration of the kernel {release} is there"
    )))
}

/// `CONFIG_X=value`, and `# CONFIG_X is not set` for `n`.
fn options(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let (name, value) = match line.strip_prefix("# CONFIG_") {
            Some(rest) => (rest.strip_suffix(" is not set")?, "n"),
            None => line.strip_prefix("CONFIG_")?.split_once('=')?,
        };
        OPTIONS.binary_search(&name).ok()?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_sorted_and_each_is_there_once() {
        assert!(OPTIONS.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn lines() {
        let text = "# CONFIG_KEXEC is not set\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_HASH=\"sha256\"\nCONFIG_HZ=250\n\
            CONFIG_PANIC_TIMEOUT=-1\n#CONFIG_SECURITY=y\n";
        let found: Vec<_> = options(text).map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(
            found,
            ["KEXEC n", "MODULE_SIG y", "MODULE_SIG_HASH sha256", "PANIC_TIMEOUT -1"]
        );
    }
}

//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::modprobe::ModuleState;
use crate::probe::Known;

/// How far the kernel defends itself and its users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KernelHardening {
    /// Settings that bear on security, sorted by key; those that this kernel does not have and no file sets are left
    /// out.
    pub settings: Vec<Setting>,
    /// Lines of the files for sysctl.d(5) that are no settings and are skipped at boot, as `path:line`.
    pub unparsed_settings: Known<Vec<String>>,
    /// Where core dumps go (`kernel.core_pattern`).
    pub core_pattern: Known<CorePattern>,
    /// What is configured for core dumps.
    pub core_dumps: Known<CoreDumps>,
    /// Kernel lockdown.
    pub lockdown: Known<Lockdown>,
    /// Whether the kernel takes signed modules alone.
    pub module_signatures_enforced: Known<bool>,
    /// Secure boot, as the firmware tells it; absent where the machine did not start by UEFI.
    pub secure_boot: Known<SecureBoot>,
    /// Groups of devices that an IOMMU keeps apart; 0 where none is at work.
    pub iommu_groups: Known<u64>,
    /// Faults of processors and what the kernel does about them, sorted by name.
    pub vulnerabilities: Known<Vec<Vulnerability>>,
    /// Options of the kernel's command line that bear on security, as it was started, sorted.
    pub command_line: Known<Vec<String>>,
    /// The same, where they are configured for the next boot: one entry for each different line of a file, sorted.
    pub command_lines_at_boot: Known<Vec<CommandLine>>,
    /// What has tainted the kernel since it started, sorted.
    pub tainted: Known<Vec<String>>,
    /// Loaded modules that taint it, sorted by name.
    pub tainting_modules: Known<Vec<TaintingModule>>,
    /// How the running kernel was built; absent if its configuration is not beside it.
    pub build: Known<KernelBuild>,
    /// What the processor does for the kernel's defence, as the kernel names it, sorted: `nx` (memory that is not executed),
    /// `smep`, `smap`, `umip`, `ibt`, `user_shstk`, of ARM `pan` and `bti`.
    pub processor: Known<Vec<String>>,
    /// Filesystems that few need: whether they are loaded or can be.
    pub filesystems: Known<Vec<ModuleState>>,
}

/// A module that taints the kernel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct TaintingModule {
    /// Its name.
    pub name: String,
    /// How, in the words of `tainted`, sorted.
    pub taints: Vec<String>,
}

/// How a kernel was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KernelBuild {
    /// The file that tells.
    pub file: String,
    /// Options that bear on security, without `CONFIG_`, with their values: `y`, `m`, `n` (not set), numbers and words.
    /// Those that this kernel does not have are left out.
    pub options: BTreeMap<String, String>,
}

/// A setting of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Setting {
    /// Its key, for instance `kernel.kptr_restrict`.
    pub key: String,
    /// Its value now; absent if this kernel does not have it.
    pub now: Known<i64>,
    /// The value that a file sets at boot; absent if none does, unsupported if ufw and another file set it differently,
    /// since nothing says which comes last.
    pub at_boot: Known<i64>,
    /// The file that sets it; empty if none does.
    pub set_by: String,
}

/// Where core dumps go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CorePattern {
    /// Kind of destination.
    pub kind: CorePatternKind,
    /// For a pipe, the program that gets them; else empty.
    pub program: String,
}

/// Kind of destination of core dumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorePatternKind {
    /// A program.
    Pipe,
    /// A file in the folder of the process.
    RelativeFile,
    /// A file in a folder of its own.
    AbsoluteFile,
    /// Nowhere: the pattern is empty.
    None,
}

/// What is configured for core dumps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CoreDumps {
    /// `Storage` of coredump.conf(5): `external`, `journal`, `none`; empty where the default (`external`) holds.
    pub storage: String,
    /// `ProcessSizeMax`, as written; empty where the default holds.
    pub process_size_max: String,
    /// `DefaultLimitCORE` of systemd-system.conf(5), as written; empty where the default holds.
    pub default_limit: String,
    /// Limits for everybody (`*`) and root in limits.conf(5), in their order.
    pub limits: Vec<CoreLimit>,
    /// How many limits there are for single users and groups.
    pub other_limits: u64,
}

/// A limit for core dumps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CoreLimit {
    /// `*` or `root`.
    pub domain: String,
    /// `soft`, `hard` or `-` for both.
    pub kind: String,
    /// KiB, or `unlimited`.
    pub value: String,
}

/// Kernel lockdown (kernel_lockdown(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lockdown {
    /// Off.
    None,
    /// Root cannot change the running kernel.
    Integrity,
    /// Nor read its secrets.
    Confidentiality,
}

/// Secure boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecureBoot {
    /// Whether the firmware checks what it starts.
    pub enabled: Known<bool>,
    /// Whether the firmware takes new keys from anybody (setup mode).
    pub setup_mode: Known<bool>,
    /// Whether shim was told to check nothing (`MokSBStateRT`); absent where shim did not start the machine or says
    /// nothing.
    pub shim_validation_disabled: Known<bool>,
}

/// A fault of processors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vulnerability {
    /// The kernel's name for it, for instance `spectre_v2`.
    pub name: String,
    /// Where this machine stands.
    pub status: VulnerabilityStatus,
    /// The kernel's sentence.
    pub text: String,
}

/// Where a machine stands with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VulnerabilityStatus {
    /// The processor does not have it.
    NotAffected,
    /// The kernel does something about it; `text` may name what is left open.
    Mitigated,
    /// Nothing is done about it.
    Vulnerable,
    /// The kernel cannot tell, as in many virtual machines.
    Unknown,
}

/// Options for the kernel in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct CommandLine {
    /// The file.
    pub file: String,
    /// Whether the boot loader reads it. Else a tool makes such files of it, and what stands in it may not hold yet.
    pub read_at_boot: bool,
    /// Those of its options that bear on security, sorted.
    pub options: Vec<String>,
}

//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Mandatory access control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MandatoryAccess {
    /// The security modules that run, in the kernel's order, for instance `lockdown`, `yama`, `apparmor`.
    pub modules: Known<Vec<String>>,
    /// `AppArmor`; absent if the kernel does not run it.
    pub apparmor: Known<AppArmor>,
    /// `AppArmor`'s profiles as they are loaded at boot; absent if there are none.
    pub apparmor_on_disk: Known<ProfilesOnDisk>,
    /// The unit that loads `AppArmor`'s profiles at boot; absent if there is none.
    pub apparmor_at_boot: Known<UnitState>,
    /// Files of profiles that `/etc/apparmor.d/disable` keeps from being loaded, sorted by name.
    pub apparmor_disabled: Known<Vec<String>>,
    /// `SELinux` now; absent if the kernel does not run it.
    pub selinux: Known<SeLinux>,
    /// What `SELinux` is to be after the next boot; absent if it is not configured.
    pub selinux_at_boot: Known<SeLinuxConfig>,
    /// Kernel lockdown: `none`, `integrity` or `confidentiality`; absent if the kernel does not have it.
    pub lockdown: Known<String>,
    /// `kernel.yama.ptrace_scope`; absent if the kernel does not have it.
    pub yama_ptrace_scope: Known<u64>,
    /// Options of the running kernel's command line that concern security modules, as written: `security=`, `lsm=`,
    /// `apparmor=`, `selinux=`, `enforcing=`, `lockdown=`.
    pub command_line: Known<Vec<String>>,
}

/// Profiles that are loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AppArmor {
    /// Whether it is switched on.
    pub enabled: bool,
    /// Loaded profiles by mode, for instance `enforce`, `complain`, `kill`, `unconfined`; sorted.
    pub profiles: Known<BTreeMap<String, Vec<String>>>,
    /// How many profiles there are in each mode.
    pub counts: BTreeMap<String, u64>,
    /// Loaded profiles beside the processes of this host that run without any. `absent` where the kernel does not tell of each
    /// profile.
    pub not_applied: Known<NotApplied>,
}

/// Profiles that do not hold for what they are for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotApplied {
    /// Those for whose program a process runs without any, sorted: it was started before they were loaded.
    pub profiles: Vec<String>,
    /// Those of which it is not known which programs they are for, sorted: kernels before 6.2 do not tell of a profile with a
    /// name of its own, and no file here has it, or with variables. For these nothing was looked for.
    pub not_looked_for: Vec<String>,
}

/// Profiles in files of `/etc/apparmor.d`, without those that are disabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProfilesOnDisk {
    /// Names by mode, as in the kernel's list, sorted; variables in names as they are written. A link in `force-complain` is
    /// counted in.
    pub profiles: BTreeMap<String, Vec<String>>,
    /// Files that could not be understood, sorted.
    pub unparsed: Vec<String>,
    /// Those of the profiles that are not loaded now, without names that hold variables, sorted.
    pub not_loaded: Known<Vec<String>>,
    /// Those that are loaded in another mode, sorted: after the next boot that of the file holds.
    pub loaded_in_other_mode: Known<Vec<String>>,
    /// Loaded profiles that are in no file here, sorted: other programs load them, or the next boot does not.
    pub loaded_alone: Known<Vec<String>>,
}

/// `SELinux` as it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeLinux {
    /// Whether violations are refused rather than only logged.
    pub enforcing: bool,
    /// Version of the policy that is loaded.
    pub policy_version: Known<u64>,
    /// Whether what the policy does not know is refused.
    pub deny_unknown: Known<bool>,
    /// Switches of the policy that are on, sorted.
    pub booleans_on: Known<Vec<String>>,
    /// Programs that run in a domain which confines nothing because the policy has none for them (`unconfined_service_t`,
    /// `initrc_t`), sorted.
    pub services_without_domain: Known<Vec<String>>,
}

/// `/etc/selinux/config`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeLinuxConfig {
    /// `enforcing`, `permissive` or `disabled`; `permissive` where no line tells.
    pub mode: String,
    /// Name of the policy, for instance `targeted`.
    pub policy: String,
    /// Domains that are permissive by modules of their own (`semanage permissive`), sorted.
    pub permissive_domains: Known<Vec<String>>,
    /// Switches that were set to last (`setsebool -P`), by name; those that nobody set are as the policy has them. `absent`
    /// if none was ever set.
    pub booleans: Known<BTreeMap<String, bool>>,
    /// Those of `booleans` that are otherwise now, sorted.
    pub booleans_otherwise_now: Known<Vec<String>>,
}

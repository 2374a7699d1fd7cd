//! What the probe tells.

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// The distribution's release and until when it is supported; the running kernel and whether a newer one waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KernelAndRelease {
    /// The distribution.
    pub distribution: Distribution,
    /// Until when the distribution supports this release. `absent` if the host has no data about it.
    pub support: Known<Support>,
    /// Support that a vendor sells beyond that.
    pub subscriptions: Subscriptions,
    /// Kind of container that the system runs in, as its manager says (`docker`, `podman`, `lxc`, `systemd-nspawn` …);
    /// empty if there is no sign of one. In a container the kernel is the host's, and `kernel` is not this system's to
    /// update.
    pub container: Known<String>,
    /// The running kernel.
    pub kernel: Known<RunningKernel>,
    /// Patches that it took while it ran (livepatch, kpatch, kGraft), sorted by name; empty if it took none, `absent` if it
    /// can take none. They change code in memory and last until the next boot; `kernel` stays the release that was booted.
    pub live_patches: Known<Vec<LivePatch>>,
    /// Kernels that are installed as packages, newest last.
    pub installed_kernels: Known<Vec<KernelPackage>>,
    /// The kernel that the boot loader starts next: by the entries of the Boot Loader Specification (`/boot/loader/entries`)
    /// with GRUB's `saved_entry` or the default of systemd-boot, else by the menu in GRUB's `grub.cfg`. `absent` where there
    /// is neither, `unsupported` if the choice hangs on what is not known here.
    pub next_boot: Known<NextBoot>,
    /// How the running kernel stands to the installed ones.
    pub standing: KernelStanding,
    /// Why `standing` is what it is, in a few words.
    pub standing_reason: String,
    /// Whether the system asks for a reboot; `absent` if this is no running system.
    pub reboot: Known<Reboot>,
}

/// A distribution, as os-release(5) has it. Fields that it does not give are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Distribution {
    /// `ID`, for instance `debian`.
    pub id: String,
    /// `ID_LIKE`: distributions that it derives from, nearest first.
    pub id_like: Vec<String>,
    /// `VERSION_ID`, for instance `12`.
    pub version_id: String,
    /// `VERSION_CODENAME`, for instance `bookworm`.
    pub codename: String,
    /// `PRETTY_NAME`.
    pub name: String,
    /// The point release, for instance `12.8`: `/etc/debian_version`, or the number in Ubuntu's `VERSION`. Empty if
    /// the host does not say.
    pub point_release: String,
}

/// Support that a vendor sells beyond the distribution's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Subscriptions {
    /// Ubuntu Pro; `absent` if its client was never there.
    pub ubuntu_pro: Known<UbuntuPro>,
    /// Red Hat's subscription manager; `absent` if it is not there.
    pub red_hat: Known<RedHatSubscription>,
    /// SUSE's registration; `absent` if there is no zypper.
    pub suse: Known<SuseRegistration>,
}

/// Ubuntu Pro.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UbuntuPro {
    /// Whether the machine has the token of a contract.
    pub attached: Known<bool>,
    /// The day on which the contract ends, as the client last wrote it; `absent` if it names none.
    pub expires: Known<Timestamp>,
    /// Its services as the client last wrote them, sorted; `absent` if it never did.
    pub services: Known<Vec<ProService>>,
}

/// A service of Ubuntu Pro.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ProService {
    /// For instance `esm-infra`, `esm-apps`, `livepatch`, `fips-updates`.
    pub name: String,
    /// As the client says: `enabled`, `disabled`, `n/a`, `warning`; `not_attached` if it says nothing.
    pub status: String,
}

/// Red Hat's subscription manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RedHatSubscription {
    /// Whether the machine has a certificate by which Red Hat (or a Satellite) knows it.
    pub registered: Known<bool>,
    /// From when until when that certificate is valid.
    pub consumer: Known<CertificateDates>,
    /// From when until when each of its entitlements is valid, sorted; empty if it has none.
    pub entitlements: Known<Vec<CertificateDates>>,
}

/// From when until when a certificate is valid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct CertificateDates {
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// SUSE's registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SuseRegistration {
    /// Whether the machine has credentials for SUSE's Customer Center, or for a server that stands for it.
    pub registered: Known<bool>,
    /// Whether `/etc/SUSEConnect`, which may name such a server, is there.
    pub configured: Known<bool>,
}

/// A patch to the running kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LivePatch {
    /// Name of its module, for instance `kpatch_5_14_0_427_1_1` or `livepatch_18`.
    pub name: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// Whether some tasks still run the old code.
    pub in_transition: bool,
}

/// Until when a release is supported. Each instant is the first one without support: the midnight (UTC) that ends the day
/// named by the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Support {
    /// The release in the table, for instance `bookworm` or `9`.
    pub series: String,
    /// Who tells.
    pub told_by: SupportSource,
    /// Whether the distribution has no releases and is supported for as long as it is updated, as Arch and openSUSE
    /// Tumbleweed: there are then no dates.
    pub rolling: bool,
    /// When it was published; left out if it has not been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<Timestamp>,
    /// End of the distribution's own support for everybody, or of the support that every subscription has (`eol`, for
    /// Ubuntu `eol-server` where given; `SUPPORT_END`); left out if not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_until: Option<Timestamp>,
    /// End of support by a volunteer team for everybody (Debian LTS, `eol-lts`); left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long_term_until: Option<Timestamp>,
    /// End of support for those who pay for more (Debian ELTS, Ubuntu ESM, ELS of Red Hat, LTSS of SUSE, Extended Support
    /// of Oracle); left out where there is none or it is not known. Whether this host has subscribed is not known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Timestamp>,
    /// End of the further support for subscribers that Ubuntu calls Legacy; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legacy_until: Option<Timestamp>,
    /// Version of the installed package that holds the table; the day of the built-in table; empty if not known.
    pub table_version: String,
}

/// Who tells until when a release is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupportSource {
    /// The table of package distro-info-data.
    DistroInfo,
    /// `SUPPORT_END` of os-release(5).
    OsRelease,
    /// The table that the agent was built with.
    BuiltIn,
}

/// What the boot loader starts next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NextBoot {
    /// Id of the entry: name of its file without `.conf`, or the id in GRUB's menu.
    pub entry: String,
    /// The kernel's release: its `version`, or the end of the name of the kernel's file. Empty if neither tells.
    pub release: String,
    /// Whether an administrator or tool chose it (a default that is set or saved, or one for the next boot alone), else the
    /// first entry is started, which is the newest.
    pub chosen: bool,
}

/// The running kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunningKernel {
    /// Its release, as `uname -r` shows, for instance `6.1.0-28-amd64`.
    pub release: String,
    /// Its build, as `uname -v` shows, for instance `#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)`.
    pub build: String,
    /// Version of the package that it was built from, as the kernel itself says; empty if it does not.
    pub package_version: String,
}

/// A kernel that is installed as a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct KernelPackage {
    /// Name of the package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The kernel's release, for instance `6.1.0-28-amd64`.
    pub release: String,
    /// Its flavour, for instance `cloud-amd64`; for rpm the package's name without `kernel-` and `-core`, empty for
    /// the usual one.
    pub flavour: String,
}

/// How the running kernel stands to the installed ones of its flavour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KernelStanding {
    /// It is the newest that is installed.
    Newest,
    /// A newer one is installed and waits for a reboot.
    Older,
    /// It comes from no package on this host: a container's host, a virtual machine started with a kernel from
    /// outside, or a kernel that was built here.
    NotPackaged,
    /// Could not be told.
    Unknown,
}

/// Whether the system asks for a reboot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reboot {
    /// Whether `/run/reboot-required` (SUSE: `/run/reboot-needed`) is there, or, on hosts with rpm, a package that takes
    /// effect by a reboot only was installed since the system started.
    pub required: bool,
    /// Packages that asked for it (`/run/reboot-required.pkgs`), or that were installed since, sorted.
    pub by_packages: Vec<String>,
    /// Installed packages that write the flag, sorted; `rpm` where its times of installation tell. Empty: nothing here
    /// would, and `required` false says nothing.
    pub flag_written_by: Vec<String>,
    /// How it is told.
    pub told_by: RebootSource,
}

/// How it is told whether a reboot is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RebootSource {
    /// By a flag that packages leave.
    Flag,
    /// By the times at which packages were installed, against the time of the last start, and by the flag.
    InstallTimes,
}

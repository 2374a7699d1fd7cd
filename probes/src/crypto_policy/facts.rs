//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// What cryptography the host's libraries allow by default. A value that is not there is set by no file, and the
/// library's built-in default holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CryptoPolicy {
    /// The system-wide policy; `absent` on distributions without one.
    pub policy: Known<SystemPolicy>,
    /// OpenSSL's defaults for TLS.
    pub openssl: Known<Openssl>,
    /// GnuTLS's system-wide configuration; `absent` if there is none.
    pub gnutls: Known<Gnutls>,
    /// Kerberos; `absent` if it is not configured.
    pub krb5: Known<Krb5>,
    /// Java runtimes, sorted by path; empty if there is none.
    pub java: Known<Vec<Java>>,
    /// FIPS mode.
    pub fips: Fips,
}

/// The policy of crypto-policies(7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SystemPolicy {
    /// The configured policy, upper case, for instance `DEFAULT`, `FUTURE`, `LEGACY`, `FIPS`.
    pub name: String,
    /// Its subpolicies in their order, upper case, for instance `NO-SHA1`, `AD-SUPPORT`.
    pub modules: Vec<String>,
    /// What was applied last, in the form `NAME:MODULE:…`, as `update-crypto-policies --show` tells it.
    pub applied: Known<String>,
    /// Whether what is configured is what was applied last; not there if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_applied: Option<bool>,
    /// Policies (`NAME.pol`) that the administrator added or changed, sorted.
    pub local_policies: Vec<String>,
    /// Subpolicies (`NAME.pmod`) that the administrator added or changed, sorted.
    pub local_modules: Vec<String>,
    /// Snippets in `local.d`, which are added to what the policy generates, sorted.
    pub local_snippets: Vec<String>,
    /// Settings of the policy as applied (`state/CURRENT.pol`), by name: `min_rsa_size`, `hash`, `protocol@TLS` and so on.
    pub settings: Known<BTreeMap<String, String>>,
    /// Back ends whose configuration is a link to another place than the policy's own files, sorted: their programs do
    /// not follow the policy.
    pub diverted_back_ends: Vec<String>,
}

/// OpenSSL's configuration, as far as it sets defaults for TLS and providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Openssl {
    /// The files read, the main file first.
    pub files: Vec<String>,
    /// Whether they lead to a section with defaults for TLS (`ssl_conf` and `system_default`).
    pub system_default: bool,
    /// Oldest version for TLS: `SSLv3`, `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`; `None` stands for no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_protocol: Option<String>,
    /// Newest version for TLS, in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_protocol: Option<String>,
    /// Ciphers of TLS 1.2 and older (`CipherString`), as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_string: Option<String>,
    /// The security level in it (`@SECLEVEL=`): 0 to 5. Level 1 asks for 80 bits, 2 for 112 (RSA from 2,048), 3 for 128.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_level: Option<u32>,
    /// Ciphers of TLS 1.3 (`Ciphersuites`), in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_suites: Option<Vec<String>>,
    /// Groups for key exchange, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Signature algorithms, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_algorithms: Option<Vec<String>>,
    /// `Options`, in their order, for instance `UnsafeLegacyRenegotiation`.
    pub options: Vec<String>,
    /// Providers that the configuration activates, sorted, for instance `default`, `legacy`, `fips`.
    pub providers: Vec<String>,
    /// Whether only algorithms of the FIPS module are to be used (`default_properties` or `fips_mode` in `alg_section`).
    pub fips_property: bool,
    /// Whether signatures with SHA-1 are allowed against the level, where a distribution has that setting
    /// (`rh-allow-sha1-signatures`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1_signatures: Option<bool>,
}

/// GnuTLS's system-wide configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gnutls {
    /// The file.
    pub path: String,
    /// `allowlist` or `blocklist`, as written; the default is `blocklist`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_mode: Option<String>,
    /// What stands for `NORMAL` in programs (`default-priority-string`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_priority: Option<String>,
    /// What stands for `@SYSTEM` in programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_priority: Option<String>,
    /// `disabled-version`, sorted, for instance `tls1.0`.
    pub disabled_versions: Vec<String>,
    /// `enabled-version`, sorted (with `allowlist`).
    pub enabled_versions: Vec<String>,
    /// `min-verification-profile`, for instance `medium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_verification_profile: Option<String>,
    /// All settings in the section `overrides`, by name, each with its values in the order of the file.
    pub overrides: BTreeMap<String, Vec<String>>,
}

/// Kerberos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Krb5 {
    /// The files read, in the order of reading.
    pub files: Vec<String>,
    /// `permitted_enctypes`, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permitted_enctypes: Option<Vec<String>>,
    /// `allow_weak_crypto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_weak_crypto: Option<bool>,
    /// `allow_rc4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_rc4: Option<bool>,
    /// `allow_des3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_des3: Option<bool>,
}

/// A Java runtime.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Java {
    /// Its `java.security`.
    pub path: String,
    /// `jdk.tls.disabledAlgorithms`, in their order; not there if it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_disabled: Option<Vec<String>>,
    /// `jdk.certpath.disabledAlgorithms`, in their order; not there if it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certpath_disabled: Option<Vec<String>>,
    /// Whether the system-wide policy is taken over (`security.useSystemPropertiesFile`, in builds of the RPM family).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows_system_policy: Option<bool>,
}

/// FIPS mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fips {
    /// Whether the running kernel is in FIPS mode; `absent` if this kernel has none.
    pub kernel: Known<bool>,
    /// Whether the running kernel was told so when it was booted (`fips=1`).
    pub booted_with: Known<bool>,
    /// Files that give the kernel its command line at the next boot, with the number of their entries, sorted by path.
    /// Empty if none was found (the boot loader is another one, or this is a container).
    pub boot_files: Vec<BootFile>,
    /// Whether the initial RAM disk is told to bring FIPS mode (a `fips` module in `/etc/dracut.conf.d`, or
    /// `/etc/system-fips`).
    pub initramfs: Known<bool>,
}

/// A file with kernel command lines for the next boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BootFile {
    /// The file.
    pub path: String,
    /// Its command lines, or why they are not known.
    pub lines: Known<BootLines>,
}

/// How many command lines ask for FIPS mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BootLines {
    /// Command lines in the file.
    pub total: u32,
    /// Those with `fips=1`.
    pub with_fips: u32,
}

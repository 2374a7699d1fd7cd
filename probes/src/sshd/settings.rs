//! sshd's settings with types, from what `sshd -T` prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// sshd's settings (sshd_config(5)), defaults included. A setting that is not there is one that this version of sshd
/// does not have. Lists of algorithms are in order of preference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Settings {
    /// `PermitRootLogin`. `without-password` is written by its newer name, `prohibit-password`.
    pub permit_root_login: PermitRootLogin,
    /// `PasswordAuthentication`.
    pub password_authentication: bool,
    /// `KbdInteractiveAuthentication` (formerly `ChallengeResponseAuthentication`): passwords too, where `use_pam`.
    pub kbd_interactive_authentication: bool,
    /// `PermitEmptyPasswords`.
    pub permit_empty_passwords: bool,
    /// `PubkeyAuthentication`.
    pub pubkey_authentication: bool,
    /// `HostbasedAuthentication`.
    pub hostbased_authentication: bool,
    /// `GSSAPIAuthentication`; not there if sshd is built without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gssapi_authentication: Option<bool>,
    /// `KerberosAuthentication`; not there if sshd is built without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kerberos_authentication: Option<bool>,
    /// `AuthenticationMethods`: alternatives, each a list with commas; `any` alone if one method is enough.
    pub authentication_methods: Vec<String>,
    /// `UsePAM`; not there if sshd is built without PAM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_pam: Option<bool>,
    /// `StrictModes`.
    pub strict_modes: bool,
    /// `IgnoreRhosts`: `yes`, `no` or `shosts-only`.
    pub ignore_rhosts: String,
    /// `MaxAuthTries`.
    pub max_auth_tries: u32,
    /// `MaxSessions`.
    pub max_sessions: u32,
    /// `MaxStartups`, as `start:rate:full`.
    pub max_startups: String,
    /// `LoginGraceTime`, seconds; 0 for no limit.
    pub login_grace_seconds: u64,
    /// `ClientAliveInterval`, seconds; 0 for never.
    pub client_alive_interval_seconds: u64,
    /// `ClientAliveCountMax`; 0 ends no connection.
    pub client_alive_count_max: u32,
    /// `X11Forwarding`.
    pub x11_forwarding: bool,
    /// `AllowTcpForwarding`: `yes`, `no`, `local` or `remote`.
    pub allow_tcp_forwarding: String,
    /// `AllowStreamLocalForwarding`: `yes`, `no`, `local` or `remote`.
    pub allow_stream_local_forwarding: String,
    /// `AllowAgentForwarding`.
    pub allow_agent_forwarding: bool,
    /// `DisableForwarding`: if true, the other settings of forwarding do not count.
    pub disable_forwarding: bool,
    /// `GatewayPorts`: `yes`, `no` or `clientspecified`.
    pub gateway_ports: String,
    /// `PermitTunnel`: `yes`, `no`, `point-to-point` or `ethernet`.
    pub permit_tunnel: String,
    /// `PermitUserEnvironment`: `yes`, `no` or a list of patterns.
    pub permit_user_environment: String,
    /// `PermitUserRC`.
    pub permit_user_rc: bool,
    /// `Port`s on which sshd listens unless systemd does, sorted.
    pub ports: Vec<u16>,
    /// `ListenAddress`es with port, sorted, for instance `0.0.0.0:22` and `[::]:22`.
    pub listen_addresses: Vec<String>,
    /// `Ciphers`.
    pub ciphers: Vec<String>,
    /// `MACs`.
    pub macs: Vec<String>,
    /// `KexAlgorithms`.
    pub kex_algorithms: Vec<String>,
    /// `HostKey`s: paths of the private keys.
    pub host_keys: Vec<String>,
    /// `HostKeyAlgorithms`.
    pub host_key_algorithms: Vec<String>,
    /// `PubkeyAcceptedAlgorithms` (formerly `PubkeyAcceptedKeyTypes`).
    pub pubkey_accepted_algorithms: Vec<String>,
    /// `CASignatureAlgorithms`; not there before OpenSSH 7.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_signature_algorithms: Option<Vec<String>>,
    /// `RequiredRSASize`, bits; not there before OpenSSH 9.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_rsa_size: Option<u32>,
    /// `RekeyLimit`: bytes and seconds, 0 for the cipher's default and for no limit in time.
    pub rekey_limit: String,
    /// `LogLevel`, for instance `INFO` or `VERBOSE`.
    pub log_level: String,
    /// `SyslogFacility`, for instance `AUTH`.
    pub syslog_facility: String,
    /// `Banner`: a path, or `none`.
    pub banner: String,
    /// `PrintLastLog`.
    pub print_last_log: bool,
    /// `Compression`: `yes` (after authentication) or `no`.
    pub compression: String,
    /// `UseDNS`.
    pub use_dns: bool,
    /// Whether `ForceCommand` is set. The command is not shown.
    pub force_command: bool,
    /// Whether `ChrootDirectory` is set.
    pub chroot_directory: bool,
    /// Whether keys come from a program (`AuthorizedKeysCommand`).
    pub authorized_keys_command: bool,
    /// `AuthorizedKeysFile`s; `none` alone if there are none.
    pub authorized_keys_files: Vec<String>,
    /// Whether a certificate authority for users is trusted (`TrustedUserCAKeys`).
    pub trusted_user_ca_keys: bool,
    /// Number of patterns in `AllowUsers`; 0: not limited in this way.
    pub allow_users: u32,
    /// Number of patterns in `DenyUsers`.
    pub deny_users: u32,
    /// Number of patterns in `AllowGroups`; 0: not limited in this way.
    pub allow_groups: u32,
    /// Number of patterns in `DenyGroups`.
    pub deny_groups: u32,
    /// `AcceptEnv`, sorted.
    pub accept_env: Vec<String>,
    /// `Subsystem`s by name.
    pub subsystems: BTreeMap<String, String>,
    /// All other settings by sshd's own lower-case keyword, each with the values of its lines as sshd prints them.
    /// `set` stands for values that may name people or hold secrets.
    pub others: BTreeMap<String, Vec<String>>,
}

/// Whether and how root may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PermitRootLogin {
    /// With any method.
    Yes,
    /// Not at all.
    No,
    /// With any method but passwords.
    ProhibitPassword,
    /// With a key that is bound to a command.
    ForcedCommandsOnly,
}

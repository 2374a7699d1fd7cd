//! What can be known about a host: one file per probe. Pure: a probe gets a [`Host`] and opens nothing itself, asks no
//! clock and keeps no state, so that it runs the same over a machine, a folder and captured files.

pub mod accounts;
pub mod audit;
pub mod automatic_updates;
pub mod backup;
pub mod config_management;
pub mod containers;
pub mod crypto_policy;
pub mod directory_services;
pub mod disk_encryption;
pub mod file_integrity;
pub mod file_permissions;
pub mod firewall;
pub mod formats;
pub mod hardware;
pub mod host;
pub mod kernel_and_release;
pub mod kernel_hardening;
pub mod last_logins;
pub mod listening_sockets;
pub mod logging;
pub mod login_policy;
pub mod malware_protection;
pub mod mandatory_access;
pub mod network;
pub mod package_updates;
pub mod packages;
pub mod pam;
pub mod polkit;
pub mod privileged_groups;
mod probe;
pub mod reading;
pub mod registry;
pub mod remote_access;
pub mod removable_media;
pub mod scheduled_jobs;
pub mod services;
pub mod setuid_files;
pub mod ssh_keys;
pub mod sshd;
pub mod stale_processes;
pub mod sudo;
pub mod time_sync;
pub mod tls_certificates;

pub use probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
pub use reading::{Command, Host, Reading};

//! What can be known about a host: one file per probe. Pure: a probe gets a [`Host`] and opens nothing itself, asks no
//! clock and keeps no state, so that it runs the same over a machine, a folder and captured files.

pub mod accounts;
pub mod crypto_policy;
pub mod directory_services;
pub mod disk_encryption;
pub mod file_permissions;
pub mod firewall;
pub mod formats;
pub mod host;
pub mod kernel_and_release;
pub mod kernel_hardening;
pub mod last_logins;
pub mod listening_sockets;
pub mod network;
pub mod package_updates;
pub mod packages;
pub mod pam;
mod probe;
pub mod reading;
pub mod registry;
pub mod remote_access;
pub mod removable_media;
pub mod setuid_files;
pub mod ssh_keys;
pub mod sshd;
pub mod sudo;
pub mod time_sync;
pub mod tls_certificates;

pub use probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
pub use reading::{Command, Host, Reading};

//! What can be known about a host: one file per probe. Pure: a probe gets a [`Host`] and opens nothing itself, asks no
//! clock and keeps no state, so that it runs the same over a machine, a folder and captured files.

pub mod accounts;
pub mod backup;
pub mod config_management;
pub mod containers;
pub mod disk_encryption;
pub mod file_integrity;
pub mod formats;
pub mod hardware;
pub mod host;
pub mod kernel_and_release;
pub mod package_updates;
pub mod package_verification;
pub mod packages;
mod probe;
pub mod reading;
pub mod registry;
pub mod remote_access;
pub mod setuid_files;
pub mod software;
pub mod sshd;
pub mod sudo;
pub mod time_sync;

pub use probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
pub use reading::{Command, Host, Reading};

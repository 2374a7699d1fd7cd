//! What can be known about a host: one file per probe. Pure: a probe gets a [`Host`] and opens nothing itself, asks no
//! clock and keeps no state, so that it runs the same over a machine, a folder and captured files.

pub mod accounts;
pub mod disk_encryption;
pub mod formats;
pub mod host;
pub mod kernel_and_release;
pub mod login_policy;
pub mod package_updates;
pub mod packages;
pub mod pam;
pub mod polkit;
pub mod privileged_groups;
mod probe;
pub mod reading;
pub mod registry;
pub mod sshd;
pub mod sudo;

pub use probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
pub use reading::{Command, Host, Reading};

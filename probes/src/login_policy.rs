//! # What
//! What holds for logins beside PAM: defaults for accounts and passwords, limits of idle shells and sessions, modes of new
//! files, banners, screen locks of GNOME and KDE, and what somebody at the console can do.
//!
//! # Source
//! login.defs(5), useradd(8), bash(1), securetty(5), nologin(5), issue(5), agetty(8), sulogin(8), logind.conf(5), systemd.unit(5),
//! dconf(7), the `[Daemon]` group of `kscreenlockerrc` (KDE, `kscreenlocker`), and the configuration of GDM, LightDM and
//! SDDM.
//!
//! # Privilege
//! None on most hosts; `CAP_DAC_READ_SEARCH` where the files are kept from others.
//!
//! # Bears on
//! A.5.15 (access control), A.5.17 (authentication information), A.7.7 (clear desk and clear screen), A.8.1 (user end point
//! devices), A.8.5 (secure authentication).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod automatic;
mod banner;
mod collect;
pub(crate) mod dconf;
mod defaults;
mod display_managers;
mod facts;
mod kde;
mod root;
mod shell;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct LoginPolicyProbe;

impl Probe for LoginPolicyProbe {
    const SPEC: Spec = Spec {
        id: "login-policy",
        version: 3,
        title: "Defaults for accounts, idle limits, umask, root's search path, banners, screen locks and the console",
        reads: &[
            "/etc/login.defs",
            "/usr/etc/login.defs",
            "/etc/login.defs.d/",
            "/etc/default/useradd",
            "/etc/profile",
            "/etc/profile.d/",
            "/etc/bash.bashrc",
            "/etc/bashrc",
            "/etc/environment",
            "/etc/passwd, for root's home",
            ".profile, .bashrc and the like in root's home, and files that they read as parts of themselves",
            "mode and owner of the folders in root's PATH",
            "/etc/security/limits.conf",
            "/etc/security/limits.d/",
            "/etc/securetty",
            "/etc/nologin",
            "/run/nologin",
            "/etc/issue",
            "/etc/issue.net",
            "/etc/motd",
            "/etc/os-release",
            "logind.conf and its drop-ins",
            "unit files of systemd",
            "configuration of GDM, LightDM and SDDM, and /etc/sysconfig/displaymanager",
            "/etc/dconf/profile/",
            "/etc/dconf/db/",
            "/usr/share/dconf/profile/",
            "/usr/share/gdm/dconf/",
            "/etc/xdg/kscreenlockerrc",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/",
            "/etc/profile.d/",
            "/etc/systemd/",
            "/etc/dconf/db/",
            "/etc/xdg/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "What users set for themselves: in files of their homes, or in dconf and KDE where nothing is locked.",
            "What scripts for shells work out: they are read, not run, and other shells than bash and sh have more files.",
            "Search paths of root in services (systemd has its own), in sudo (the probe `sudo`), in cron, and by /etc/security/pam_env.conf.",
            "Programs that lock the screen by settings of their own, such as xscreensaver and swaylock.",
            "Whether a display manager that lets somebody in without a password is started, and logins by PAM without one.",
            "What PAM sets, such as a umask by pam_umask: that is the probe `pam`.",
        ],
    };

    type Facts = LoginPolicy;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<LoginPolicy, NoNames>, ProbeError> {
        collect::collect(reading).map(Collected::facts)
    }
}

#[cfg(test)]
mod tests;

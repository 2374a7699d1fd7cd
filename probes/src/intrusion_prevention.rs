//! # What
//! What bars addresses and logins after failures: fail2ban with its jails, `CrowdSec`, sshguard, `DenyHosts`.
//!
//! # Source
//! jail.conf(5) of fail2ban; `CrowdSec`'s documentation of its configuration; sshguard(8); the comments in `denyhosts.conf`;
//! systemd's unit files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: some of these files are closed to others.
//!
//! # Bears on
//! A.8.5 (secure authentication), A.8.16 (monitoring activities), A.8.20 (networks security), A.8.21 (security of network
//! services).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod crowdsec;
mod facts;
mod fail2ban;
mod ini;
mod plain;
mod seconds;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;
use crate::software::LazyUnits;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct IntrusionPreventionProbe;

impl Probe for IntrusionPreventionProbe {
    const SPEC: Spec = Spec {
        id: "intrusion-prevention",
        version: 1,
        title: "What bars addresses and logins after failures, after how many, and for how long",
        reads: &[
            "/etc/fail2ban/jail.conf, jail.local, jail.d/ and what they include",
            "whether the log files of jails are there",
            "/etc/crowdsec/config.yaml, acquis.yaml, acquis.d/, simulation.yaml, bouncers/",
            "/etc/sshguard/sshguard.conf and the file of those that it lets off",
            "/etc/denyhosts.conf",
            "programs of that kind, and their unit files",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/fail2ban/",
            "/etc/fail2ban/jail.d/",
            "/etc/crowdsec/",
            "/etc/crowdsec/acquis.d/",
            "/etc/crowdsec/bouncers/",
            "/etc/sshguard/",
            "/etc/denyhosts.conf",
            "/run/systemd/units/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Who is barred now, and whether a failure is really found: filters and actions are not read.",
            "Which addresses are let off, only how many entries there are.",
            "Jails, times and addresses that were changed in the running server by fail2ban-client.",
            "CrowdSec's scenarios, profiles and shared lists, and bouncers on other hosts.",
            "Limits that a firewall, a load balancer or a service has itself; pam_faillock is in the probe `pam`.",
            "Values that a jail takes from its filter (`known/`), which count as not set.",
        ],
    };

    type Facts = IntrusionPrevention;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<IntrusionPrevention, NoNames>, ProbeError> {
        let survey = Survey::of(&PRODUCTS, &LazyUnits::new(reading));
        Ok(Collected::facts(IntrusionPrevention {
            products: survey.installed,
            undetermined: survey.undetermined,
            fail2ban: Known::of(fail2ban::read(reading), "/etc/fail2ban/jail.conf"),
            crowdsec: Known::of(crowdsec::read(reading), "/etc/crowdsec/config.yaml"),
            sshguard: Known::of(plain::sshguard(reading), "/etc/sshguard/sshguard.conf"),
            denyhosts: Known::of(plain::denyhosts(reading), "/etc/denyhosts.conf"),
        }))
    }
}

/// Sorted; another one is a line more.
#[rustfmt::skip]
const PRODUCTS: [Product; 7] = [
    Product { id: "crowdsec", files: &["/usr/bin/crowdsec", "/usr/local/bin/crowdsec"], units: &["crowdsec.service"] },
    Product { id: "crowdsec_firewall_bouncer", files: &["/usr/bin/crowdsec-firewall-bouncer", "/usr/sbin/crowdsec-firewall-bouncer", "/usr/local/bin/crowdsec-firewall-bouncer"], units: &["crowdsec-firewall-bouncer.service"] },
    Product { id: "csf", files: &["/usr/sbin/csf", "/usr/sbin/lfd"], units: &["csf.service", "lfd.service"] },
    Product { id: "denyhosts", files: &["/usr/sbin/denyhosts", "/usr/bin/denyhosts.py", "/usr/sbin/denyhosts.py"], units: &["denyhosts.service"] },
    Product { id: "fail2ban", files: &["/usr/bin/fail2ban-server"], units: &["fail2ban.service"] },
    Product { id: "reaction", files: &["/usr/bin/reaction", "/usr/local/bin/reaction"], units: &["reaction.service", "reaction@.service"] },
    Product { id: "sshguard", files: &["/usr/sbin/sshguard"], units: &["sshguard.service"] },
];

#[cfg(test)]
mod tests;

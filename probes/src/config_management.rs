//! # What
//! Software that keeps the host as it is ordered to be: which is installed and runs, from which server, and how its last run
//! ended.
//!
//! # Source
//! puppet.conf(5) and `last_run_summary.yaml`; `client.rb` of Chef; Salt's minion configuration; `policy_server.dat` of
//! CFEngine and Rudder; `client.conf` of Landscape; rhsm.conf(5); `result.json` of cloud-init; crontab(5),
//! systemd.timer(5), unit files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: state files and crontabs are closed to others.
//!
//! # Bears on
//! A.8.9 (configuration management), A.8.32 (change management), A.8.19 (installation of software).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod cloud_init;
mod facts;
mod lines;
mod puppet;
mod salt;

use evidence::facts::Outcome;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};
use crate::software::jobs::Jobs;
use crate::software::products::{Product, Survey};
use crate::software::{LazyUnits, day_of};

/// The probe.
pub struct ConfigManagementProbe;

impl Probe for ConfigManagementProbe {
    const SPEC: Spec = Spec {
        id: "config-management",
        version: 1,
        title: "Which configuration management there is, from which server, and how its last run ended",
        reads: &[
            "programs and folders of known software",
            "puppet.conf and last_run_summary.yaml",
            "/etc/chef/client.rb, /etc/cinc/client.rb",
            "/etc/salt/minion and /etc/salt/minion.d/",
            "/var/cfengine/policy_server.dat, /opt/rudder/etc/",
            "/etc/landscape/client.conf, /etc/rhsm/rhsm.conf",
            "/run/cloud-init/result.json",
            "times of state files",
            "unit files, timers and their stamps",
            "crontabs, cron's folders and the scripts that they start",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/puppetlabs/puppet/",
            "/etc/puppet/",
            "/etc/chef/",
            "/etc/salt/",
            "/etc/cron.d/",
            "/etc/crontab",
        ],
        budget: Budget {
            millis: 2_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "What is ordered, and whether it covers what matters.",
            "Hosts that are configured from outside over SSH (Ansible, Salt SSH): nothing stays installed on them.",
            "Whether the last run ended well, of software that keeps no file about it: only puppet and cloud-init do.",
            "The minute of the last run: days alone are told, since software that works runs all the time.",
        ],
    };

    type Facts = ConfigManagement;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<ConfigManagement, NoNames>, ProbeError> {
        let units = LazyUnits::new(reading);
        let table: Vec<Product> = SOFTWARE.iter().map(|software| software.product).collect();
        let survey = Survey::of(&table, &units);
        // What is not installed is started by nothing.
        let jobs = (!survey.installed.is_empty()).then(|| Jobs::read(&units));
        let mut agents = vec![];
        for installed in survey.installed {
            let Some(software) = SOFTWARE
                .iter()
                .find(|software| software.product.id == installed.product)
            else {
                continue;
            };
            let told = match (software.told)(reading) {
                Ok(told) => told,
                Err(unread) => Told {
                    servers: Known::unread(&unread),
                    ..Told::default()
                },
            };
            agents.push(ConfigAgent {
                jobs: jobs.as_ref().map(|jobs| jobs.of(software.programs)).unwrap_or_default(),
                product: installed.product,
                shown_by: installed.shown_by,
                units: installed.units,
                servers: told.servers,
                switched_off: told.switched_off,
                last_run: told.last_run,
            });
        }
        Ok(Collected::facts(ConfigManagement {
            agents,
            undetermined: survey.undetermined,
            jobs_unread: jobs.as_ref().map(|jobs| jobs.unread.clone()).unwrap_or_default(),
            cron: jobs.map(|jobs| jobs.cron),
        }))
    }
}

/// What a product's own files say.
struct Told {
    servers: Known<Vec<String>>,
    switched_off: Known<bool>,
    last_run: Known<LastRun>,
}

impl Default for Told {
    fn default() -> Self {
        let untold = "this software keeps no file that tells";
        Self {
            servers: Known::not(Outcome::Unsupported, untold),
            switched_off: Known::not(Outcome::Unsupported, untold),
            last_run: Known::not(Outcome::Unsupported, untold),
        }
    }
}

struct Software {
    product: Product,
    programs: &'static [&'static str],
    told: fn(&Reading<'_>) -> Result<Told, Unread>,
}

const fn software(
    id: &'static str,
    programs: &'static [&'static str],
    files: &'static [&'static str],
    units: &'static [&'static str],
    told: fn(&Reading<'_>) -> Result<Told, Unread>,
) -> Software {
    Software {
        product: Product { id, files, units },
        programs,
        told,
    }
}

/// Sorted; another one is a line more.
#[rustfmt::skip]
const SOFTWARE: [Software; 12] = [
    software("ansible", &["ansible-pull"], &["/usr/bin/ansible-pull", "/usr/local/bin/ansible-pull"], &["ansible-pull.service", "ansible-pull.timer"], nothing),
    software("bigfix", &[], &["/opt/ibm/bigfix", "/opt/BESClient/bin/BESClient"], &["besclient.service"], nothing),
    software("cfengine", &["cf-agent", "cf-execd"], &["/var/cfengine/bin/cf-agent", "/usr/sbin/cf-agent"], &["cfengine3.service", "cf-execd.service"], lines::cfengine),
    software("chef", &["chef-client", "cinc-client"], &["/usr/bin/chef-client", "/opt/chef/bin/chef-client", "/opt/cinc/bin/cinc-client"], &["chef-client.service", "chef-client.timer", "cinc-client.service", "cinc-client.timer"], lines::chef),
    software("cloud_init", &["cloud-init"], &["/usr/bin/cloud-init"], &["cloud-init.service", "cloud-init-network.service", "cloud-final.service"], cloud_init::read),
    software("insights", &["insights-client"], &["/usr/bin/insights-client"], &["insights-client.timer", "insights-client.service"], lines::insights),
    software("landscape", &[], &["/usr/bin/landscape-client"], &["landscape-client.service"], lines::landscape),
    software("puppet", &["puppet"], &["/opt/puppetlabs/bin/puppet", "/usr/bin/puppet"], &["puppet.service", "puppet-run.timer"], puppet::read),
    software("rudder", &["rudder"], &["/opt/rudder/bin/rudder"], &["rudder-agent.service", "rudder-cf-execd.service", "rudder-cf-serverd.service"], lines::rudder),
    software("salt", &["salt-call", "salt-minion"], &["/usr/bin/salt-minion", "/opt/saltstack/salt/salt-minion"], &["salt-minion.service"], salt::read),
    software("subscription_manager", &["rhsmcertd"], &["/usr/sbin/subscription-manager", "/usr/bin/rhsmcertd"], &["rhsmcertd.service"], lines::subscription_manager),
    software("uyuni", &["venv-salt-call"], &["/usr/lib/venv-salt-minion/bin/salt-minion"], &["venv-salt-minion.service"], salt::read_uyuni),
];

#[expect(clippy::unnecessary_wraps, reason = "of the form of the others")]
fn nothing(_reading: &Reading<'_>) -> Result<Told, Unread> {
    Ok(Told::default())
}

/// The day of a run, where a file's time tells, but not how the run ended.
fn run_by_file(reading: &Reading<'_>, paths: &[&str]) -> Known<LastRun> {
    let mut absent = Known::not(Outcome::Absent, "no run left a file");
    for path in paths {
        match day_of(reading, path) {
            Known::Observed(day) => return Known::Observed(LastRun { day, success: None }),
            Known::Not(why) if why.outcome == Outcome::Absent => {}
            Known::Not(why) => absent = Known::Not(why),
        }
    }
    absent
}

/// The host in an address, with its port if there is one: never a user, password or path.
fn host_of(address: &str) -> String {
    let rest = address.trim().trim_matches(['"', '\'']);
    let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    rest.chars().take(253 + 6).collect()
}

#[cfg(test)]
mod tests;

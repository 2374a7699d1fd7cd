//! # What
//! Agents of configuration management: which there are, whether they run, when they last did, and whether that failed.
//!
//! # Source
//! The files and units by which agents are known; Puppet's `last_run_summary.yaml` and `puppet.conf`; `/etc/salt/minion`,
//! `/etc/chef/client.rb`; the time of files that agents, and Ansible (`remote_tmp`), write with each run.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: the state of agents is closed to others.
//!
//! # Bears on
//! A.8.9 (configuration management), A.8.32 (change management).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod ansible;
mod facts;
mod puppet;
mod salt;

use evidence::facts::Outcome;

pub use facts::*;

use crate::formats::installed::{self, Marks};
use crate::formats::systemd::Units;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// With the files that are written at the end of each run; the first that is there counts.
const AGENTS: [(Marks, &[&str]); 6] = [
    (
        Marks {
            name: "ansible-pull",
            paths: &["/etc/cron.d/ansible-pull"],
            units: &["ansible-pull.timer", "ansible-pull.service"],
        },
        &["/var/log/ansible-pull.log"],
    ),
    (
        Marks {
            name: "cfengine",
            paths: &["/var/cfengine/bin/cf-agent", "/usr/sbin/cf-agent"],
            units: &["cfengine3.service", "cf-execd.service"],
        },
        &["/var/cfengine/promise_summary.log", "/var/cfengine/state/cf_lock.lmdb"],
    ),
    (
        Marks {
            name: "chef",
            paths: &[
                "/opt/chef/bin/chef-client",
                "/usr/bin/chef-client",
                "/opt/cinc/bin/cinc-client",
            ],
            units: &["chef-client.service", "chef-client.timer", "cinc-client.service"],
        },
        &["/var/chef/outputs/chef-client.success", "/var/log/chef/client.log"],
    ),
    (
        Marks {
            name: "puppet",
            paths: &["/opt/puppetlabs/bin/puppet", "/usr/bin/puppet"],
            units: &["puppet.service", "pe-puppet.service"],
        },
        &puppet::SUMMARIES,
    ),
    (
        Marks {
            name: "rudder",
            paths: &["/opt/rudder/bin/rudder"],
            units: &["rudder-agent.service", "rudder-cf-execd.service"],
        },
        &["/var/rudder/cfengine-community/last_successful_inputs_update"],
    ),
    (
        Marks {
            name: "salt",
            paths: &["/usr/bin/salt-minion", "/opt/saltstack/salt/salt-minion"],
            units: &["salt-minion.service"],
        },
        &[
            "/var/cache/salt/minion/highstate.cache.p",
            "/var/cache/salt/minion/sls.p",
        ],
    ),
];
/// The probe.
pub struct ConfigManagementProbe;

impl Probe for ConfigManagementProbe {
    const SPEC: Spec = Spec {
        id: "config-management",
        version: 4,
        title: "Which agents of configuration management there are, when they last ran, and whether that failed",
        reads: &[
            "files and folders by which agents are known",
            "unit files",
            "last_run_summary.yaml in /opt/puppetlabs/puppet/, /var/cache/puppet/ and /var/lib/puppet/",
            "agent_disabled.lock in the folders of Puppet's state",
            "/etc/puppetlabs/puppet/puppet.conf, /etc/puppet/puppet.conf",
            "/etc/salt/minion and /etc/salt/minion.d/",
            "/etc/chef/client.rb",
            "/etc/ansible/ and facts.d in it, /root/.ansible/tmp/, /home/*/.ansible/tmp/, /var/log/ansible.log (their times)",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/opt/puppetlabs/puppet/public/", "/var/cache/puppet/public/"],
        budget: Budget {
            millis: 5_000,
            bytes: 4 * 1024 * 1024,
        },
        does_not_show: &[
            "What is pushed from outside (Ansible over SSH), but for traces that it was.",
            "What the agents change, and whether anybody approved it.",
            "Whether the last run of others than Puppet failed.",
            "What Puppet puts in the place of variables in its settings.",
        ],
    };

    type Facts = ConfigManagement;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<ConfigManagement, NoNames>, ProbeError> {
        let units = Units::read(reading);
        let mut agents = vec![];
        for (marks, stamps) in &AGENTS {
            let Some(found) = installed::find(reading, &units, marks)? else {
                continue;
            };
            let (server, only_reports) = match marks.name {
                "puppet" => puppet::conf(reading),
                "salt" => (salt::master(reading), none("only_reports")),
                "chef" => (
                    setting(reading, "/etc/chef/client.rb", "chef_server_url"),
                    none("only_reports"),
                ),
                _ => (none("server"), none("only_reports")),
            };
            agents.push(ConfigAgent {
                name: marks.name.to_owned(),
                found_at: found.found_at,
                units: found.units,
                server,
                last_run_day: last_run(reading, stamps),
                failed: if marks.name == "puppet" {
                    puppet::failed(reading)
                } else {
                    none("failures")
                },
                switched_off: if marks.name == "puppet" {
                    puppet::switched_off(reading)
                } else {
                    none("a switch")
                },
                only_reports,
            });
        }
        Ok(Collected::facts(ConfigManagement {
            agents,
            ansible: ansible::read(reading),
        }))
    }
}

fn none<T>(what: &str) -> Known<T> {
    Known::not(Outcome::Absent, format!("no file is known that tells of {what}"))
}

fn last_run(reading: &Reading<'_>, stamps: &[&str]) -> Known<i64> {
    let mut last = none("the last run");
    for stamp in stamps {
        last = installed::day(reading, stamp);
        if !matches!(&last, Known::Not(why) if why.outcome == Outcome::Absent) {
            break;
        }
    }
    last
}

/// The value of a line that begins with `name`, without quotes and without credentials.
fn setting(reading: &Reading<'_>, path: &str, name: &str) -> Known<String> {
    let text = match Known::of(reading.text(path), path) {
        Known::Observed(text) => text,
        Known::Not(why) => return Known::Not(why),
    };
    let mut values = text.lines().filter_map(|line| line.trim().strip_prefix(name));
    match values.next() {
        Some(value) => {
            let value = value.trim().trim_matches(['"', '\'']);
            let value = value.rsplit_once('@').map_or(value, |(_, host)| host);
            Known::Observed(value.to_owned())
        }
        None => Known::not(
            Outcome::Absent,
            format!("{path} sets no {}", name.trim_end_matches(':')),
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::reading::captured::Captured;
    use crate::registry::Registered;

    const SUMMARY: &str = "---\nversion:\n  config: 1795600000\n  puppet: 7.24.0\nresources:\n  changed: 3\n  failed: 2\n  total: 120\ntime:\n  last_run: 1795600000\nevents:\n  failure: 2\n";

    fn facts(host: &Captured) -> Value {
        let document = Registered::of::<ConfigManagementProbe>().collect(host).remove(0);
        document.facts.unwrap_or_else(|| panic!("{}", document.detail))
    }

    fn puppet() -> Captured {
        Captured::default()
            .file("/opt/puppetlabs/bin/puppet", "")
            .file("/opt/puppetlabs/puppet/public/last_run_summary.yaml", SUMMARY)
            .file(
                "/etc/puppetlabs/puppet/puppet.conf",
                "[main]\nserver = a.example\nnoop = true\n[agent]\nserver = b.example\n",
            )
    }

    #[test]
    fn puppet_ran() {
        let facts = facts(&puppet());
        let agent = &facts["agents"][0];
        assert_eq!(agent["failed"]["value"], 2);
        assert_eq!(agent["server"]["value"], "b.example");
        assert_eq!(agent["only_reports"]["value"], true);
        assert_eq!(agent["switched_off"]["value"], false);
        let lock = "/opt/puppetlabs/puppet/cache/state/agent_disabled.lock";
        let off = |host: &Captured| self::facts(host)["agents"][0]["switched_off"].clone();
        assert_eq!(off(&puppet().file(lock, "{}"))["value"], true);
        assert_eq!(off(&puppet().denied(lock))["outcome"], "denied");
        assert_eq!(agent["last_run_day"]["outcome"], "observed");
    }

    #[test]
    fn others_denied_and_none() {
        let salt = Captured::default()
            .file("/usr/bin/salt-minion", "")
            .file("/etc/salt/minion", "#master: salt\nmaster: 'salt.example'\n")
            .file("/usr/lib/systemd/system/ansible-pull.timer", "[Timer]\n");
        let facts = facts(&salt);
        assert_eq!(facts["agents"][0]["name"], "ansible-pull");
        assert_eq!(facts["agents"][1]["server"]["value"], "salt.example");
        assert_eq!(facts["agents"][1]["last_run_day"]["outcome"], "absent");
        let more = |text: &str| {
            let host = Captured::default()
                .file("/usr/bin/salt-minion", "")
                .file("/etc/salt/minion", "master:\n  - a.example\n  - b.example\n")
                .file("/etc/salt/minion.d/master.conf", text);
            self::facts(&host)["agents"][0]["server"].clone()
        };
        assert_eq!(more("id: x\n")["value"], "a.example,b.example");
        assert_eq!(more("master: c.example\n")["value"], "c.example");
        assert_eq!(more("master: [\n")["outcome"], "malformed");
        let path = "/opt/puppetlabs/puppet/public/last_run_summary.yaml";
        let denied = self::facts(&puppet().denied(path));
        assert_eq!(denied["agents"][0]["failed"]["outcome"], "denied");
        let odd = self::facts(&puppet().file(path, "---\nversion:\n"));
        assert_eq!(odd["agents"][0]["failed"]["outcome"], "malformed");
        assert_eq!(self::facts(&Captured::default()), json!({"agents": [], "ansible": []}));
    }

    #[test]
    fn puppet_settings_as_puppet_takes_them() {
        let told = |text: &str| {
            let agent = facts(&puppet().file("/etc/puppetlabs/puppet/puppet.conf", text))["agents"][0].clone();
            (agent["server"].clone(), agent["only_reports"].clone())
        };
        let (server, noop) = told("server = top\n[agent]\nnoop = TRUE\n[main]\nserver = late\nnoop = false\n");
        assert_eq!((&server["value"], &noop["value"]), (&json!("top"), &json!(true)));
        let (server, noop) = told("[agent]\nserver = 'a'\nserver = b\nnoop = yes\n");
        assert_eq!((&server["value"], &noop["outcome"]), (&json!("a"), &json!("malformed")));
        assert_eq!(told("[agent]\nserver_list = a,b\nserver = c\n").0["value"], "a,b");
        for refused in [
            "[production]\nserver = a\n",
            "; c\nserver = a\n",
            "server: a\n",
            "[agent\n",
        ] {
            let (server, noop) = told(refused);
            assert_eq!(
                (&server["outcome"], &noop["outcome"]),
                (&json!("malformed"), &json!("malformed")),
                "{refused}"
            );
        }
    }

    #[test]
    fn traces_of_ansible() {
        let tmp = "/home/jane/.ansible/tmp";
        let host = Captured::default()
            .folder("/root/.ansible/tmp")
            .mtime("/root/.ansible/tmp", 1_795_600_000)
            .file("/etc/ansible/facts.d/a.fact", "{}")
            .mtime("/etc/ansible/facts.d/a.fact", 90_000)
            .file("/etc/ansible/facts.d/b.fact", "{}")
            .file("/etc/ansible/facts.d/README", "")
            .mtime("/etc/ansible/facts.d/README", 999_000)
            .folder(tmp)
            .mtime(tmp, 180_000)
            .folder("/home/joe/.ansible/tmp");
        let told = facts(&host)["ansible"].clone();
        let days: Vec<_> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["place"].clone(), one["last_day"]["value"].clone()))
            .collect();
        let expected = [
            ("/etc/ansible", 0),
            ("/etc/ansible/facts.d", 86_400),
            ("/home/*/.ansible/tmp", 172_800),
            ("/root/.ansible", 0),
            ("/root/.ansible/tmp", 1_795_564_800),
        ];
        assert_eq!(days, expected.map(|(place, day)| (json!(place), json!(day))));
        let denied = Captured::default().denied(tmp).denied("/root/.ansible");
        let document = Registered::of::<ConfigManagementProbe>().collect(&denied).remove(0);
        let told = document.facts.as_ref().unwrap()["ansible"].clone();
        assert_eq!(told[0]["place"], "/home/*/.ansible/tmp");
        assert_eq!(told[0]["last_day"]["outcome"], "denied");
        assert_eq!(told[1]["last_day"]["outcome"], "denied");
        assert!(!format!("{document:?}").contains("jane"), "{document:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let host = puppet().file("/opt/puppetlabs/puppet/public/last_run_summary.yaml", &bytes);
            let _ = facts(&host.file("/etc/puppetlabs/puppet/puppet.conf", &bytes));
        }
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<ConfigManagementProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

#[test]
fn the_table_is_sorted() {
    assert!(SOFTWARE.is_sorted_by_key(|software| software.product.id));
}

#[test]
fn nothing_is_there() {
    let expected = json!({"agents": [], "undetermined": [], "cron": null, "jobs_unread": []});
    assert_eq!(facts(&Captured::default()), expected);
}

/// As Puppet 7 writes it.
const SUMMARY: &str = "---\nversion:\n  config: 1795500000\n  puppet: 7.23.0\nresources:\n  changed: 0\n  failed: 0\n  \
                       failed_to_restart: 0\n  total: 9\ntime:\n  config_retrieval: 0.123\n  total: 1.5\n  last_run: \
                       1795500000\nchanges:\n  total: 0\nevents:\n  failure: 0\n  success: 0\n  total: 0\n";

fn puppet(summary: &str) -> Captured {
    Captured::default()
        .file("/usr/bin/puppet", "")
        .file(
            "/etc/puppet/puppet.conf",
            "[main]\nserver = a.example\n[agent]\nserver = https://u:secret@b.example:8140/x\n",
        )
        .file("/var/cache/puppet/state/last_run_summary.yaml", summary)
}

#[test]
fn puppets_last_run() {
    let told = |host: &Captured| facts(host)["agents"][0].clone();
    let agent = told(&puppet(SUMMARY));
    assert_eq!(agent["servers"]["value"], json!(["b.example:8140"]));
    assert_eq!(agent["switched_off"]["value"], false);
    assert_eq!(
        agent["last_run"]["value"],
        json!({"day": "2026-11-24T00:00:00Z", "success": true})
    );
    let failed = told(&puppet(&SUMMARY.replace("failed: 0", "failed: 1")));
    assert_eq!(failed["last_run"]["value"]["success"], false);
    let no_catalogue = told(&puppet("---\ntime:\n  last_run: 1795500000\n"));
    assert_eq!(no_catalogue["last_run"]["value"]["success"], false);
    let malformed = told(&puppet("---\ntime: x\n"));
    assert_eq!(malformed["last_run"]["outcome"], "malformed");
    let denied = told(&puppet("").denied("/var/cache/puppet/state"));
    assert_eq!(denied["last_run"]["outcome"], "denied");
    assert_eq!(denied["switched_off"]["outcome"], "denied");
    let unread = told(&puppet(SUMMARY).denied("/etc/puppet/puppet.conf"));
    assert_eq!(unread["servers"]["outcome"], "denied");
}

#[test]
fn the_others() {
    let host = Captured::default()
        .file("/usr/bin/salt-minion", "")
        .file("/etc/salt/minion", "# c\nmaster: one.example\n")
        .file("/etc/salt/minion.d/m.conf", "master:\n  - b.example\n  - a.example\n")
        .file("/usr/bin/chef-client", "")
        .file(
            "/etc/chef/client.rb",
            "chef_server_url  \"https://chef.example/organizations/o\"\nrequire 'x'\n",
        )
        .file("/var/cfengine/bin/cf-agent", "")
        .file("/var/cfengine/policy_server.dat", "192.0.2.1\n")
        .file("/usr/bin/landscape-client", "")
        .file(
            "/etc/landscape/client.conf",
            "[client]\nurl = https://l.example/message-system\nregistration_key = secret\n",
        )
        .file("/usr/bin/cloud-init", "")
        .file(
            "/run/cloud-init/result.json",
            r#"{"v1": {"datasource": "x", "errors": ["e"]}}"#,
        )
        .file("/var/lib/cloud/instance/boot-finished", "")
        .file("/usr/bin/ansible-pull", "")
        .file(
            "/etc/cron.d/pull",
            "*/30 * * * * root ansible-pull -U https://u:secret@git.example/x\n",
        );
    let facts = facts(&host);
    assert!(!facts.to_string().contains("secret"), "{facts}");
    let servers: Vec<_> = facts["agents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|agent| (agent["product"].as_str().unwrap(), agent["servers"]["value"].clone()))
        .collect();
    let expected = [
        ("ansible", Value::Null),
        ("cfengine", json!(["192.0.2.1"])),
        ("chef", json!(["chef.example"])),
        ("cloud_init", json!([])),
        ("landscape", json!(["l.example"])),
        ("salt", json!(["a.example", "b.example"])),
    ];
    assert_eq!(servers, expected);
    assert_eq!(facts["agents"][0]["jobs"][0]["place"], "/etc/cron.d/pull");
    assert_eq!(facts["agents"][3]["last_run"]["value"]["success"], false);
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "[\\[\\]{}=:\"a1/ \n-]{0,80}") {
        for content in [bytes, text.into_bytes()] {
            let host = puppet("")
                .file("/var/cache/puppet/state/last_run_summary.yaml", &content)
                .file("/etc/puppet/puppet.conf", &content)
                .file("/usr/bin/salt-minion", "")
                .file("/etc/salt/minion", &content)
                .file("/usr/bin/chef-client", "")
                .file("/etc/chef/client.rb", &content)
                .file("/usr/bin/landscape-client", "")
                .file("/etc/landscape/client.conf", &content)
                .file("/usr/bin/cloud-init", "")
                .file("/var/lib/cloud/instance/boot-finished", "")
                .file("/run/cloud-init/result.json", &content);
            facts(&host);
        }
    }
}

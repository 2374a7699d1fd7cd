use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<IntrusionPreventionProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

#[test]
fn the_table_is_sorted() {
    assert!(PRODUCTS.is_sorted_by_key(|product| product.id));
}

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    assert_eq!(facts["products"], json!([]));
    for product in ["fail2ban", "crowdsec", "sshguard", "denyhosts"] {
        assert_eq!(facts[product]["outcome"], "absent", "{product}");
    }
}

const JAILS: &str = "[INCLUDES]\nbefore = paths.conf\n[DEFAULT]\nbantime = 10m ; c\nfindtime = 10m\nmaxretry = 5\nbackend = auto\n\
                     filter = %(__name__)s[mode=normal]\nbanaction = nftables\nport = 0:65535\nenabled = false\n\
                     action_ = %(banaction)s[port=\"%(port)s\", x='a b']\naction = %(action_)s\n\
                     [sshd]\nport = ssh\nlogpath = %(sshd_log)s\n[nginx]\nport = http,https\nlogpath = /var/log/nginx/*.log\n";
const LOCAL: &str = "[DEFAULT]\nignoreip = 127.0.0.1/8 ::1,\n  192.0.2.7\n[sshd]\nenabled = true\nbackend = systemd\nbantime = -1\n\
                     maxretry = %(known/maxretry)s\n[nginx]\nenabled = yes\naction = %(action_)s\n  secret-report[key=\"secret x\"]\n";

fn full() -> Captured {
    Captured::default()
        .file("/etc/fail2ban/filter.d/sshd.conf", "")
        .file("/etc/fail2ban/action.d/nftables.conf", "")
        .file("/usr/bin/fail2ban-server", "")
        .file(
            "/usr/lib/systemd/system/fail2ban.service",
            "[Service]\nExecStart=/usr/bin/fail2ban-server\n",
        )
        .file("/etc/fail2ban/jail.conf", JAILS)
        .file("/etc/fail2ban/paths.conf", "[DEFAULT]\nsshd_log = /var/log/auth.log\n")
        .file("/etc/fail2ban/jail.local", LOCAL)
        .file("/etc/fail2ban/jail.d/z.conf", "[sshd]\nmaxretry = 3\n")
        .file(
            "/etc/crowdsec/config.yaml",
            "api:\n  server:\n    listen_uri: 127.0.0.1:8080\ndb_config:\n  password: secret\n",
        )
        .file(
            "/etc/crowdsec/acquis.yaml",
            "# c\n---\nfilenames:\n - /a\n---\nsource: journalctl\n",
        )
        .file("/etc/crowdsec/simulation.yaml", "simulation: off\n")
        .file(
            "/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml",
            "api_key: secret\n",
        )
        .file(
            "/etc/sshguard/sshguard.conf",
            "BACKEND=\"/usr/libexec/sshg-fw-nft-sets\"\nTHRESHOLD=20\nWHITELIST_FILE=/etc/w\n",
        )
        .file("/etc/w", "# c\n192.0.2.0/24\n\n")
        .file("/etc/denyhosts.conf", "DENY_THRESHOLD_ROOT = 1\nSMTP_PASSWORD=secret\n")
}

#[test]
fn what_bars_whom() {
    let facts = facts(&full());
    assert!(
        !facts.to_string().contains("secret x") && !facts.to_string().contains("192.0.2"),
        "{facts}"
    );
    let fail2ban = &facts["fail2ban"]["value"];
    let files = ["paths.conf", "jail.conf", "jail.d/z.conf", "jail.local"];
    assert_eq!(
        fail2ban["files"],
        json!(files.map(|file| format!("/etc/fail2ban/{file}")))
    );
    let told = |jail: &Value| {
        [
            "name",
            "filter",
            "complete",
            "source",
            "maxretry",
            "findtime",
            "bantime",
            "port",
            "actions",
            "ignoreip",
            "ignoreself",
        ]
        .map(|field| jail[field].get("value").unwrap_or(&jail[field]).clone())
    };
    let jails: Vec<_> = fail2ban["jails"].as_array().unwrap().iter().map(told).collect();
    let expected = json!([
        [
            "nginx",
            "nginx",
            false,
            "no_file",
            5,
            600,
            600,
            "http,https",
            ["nftables", "secret-report"],
            3,
            true
        ],
        [
            "sshd",
            "sshd",
            true,
            "journal",
            3,
            600,
            -1,
            "ssh",
            ["nftables"],
            3,
            true
        ],
    ]);
    assert_eq!(json!(jails), expected);
    let crowdsec = &facts["crowdsec"]["value"];
    let expected = json!({"acquisitions": {"outcome": "observed", "value": 2}, "simulation": {"outcome": "observed", "value": false},
                          "api_server": true, "api_loopback": true,
                          "bouncers": {"outcome": "observed", "value": ["crowdsec-firewall-bouncer"]}});
    assert_eq!(*crowdsec, expected);
    let sshguard = &facts["sshguard"]["value"];
    assert_eq!(sshguard["backend"], "sshg-fw-nft-sets");
    for (name, value) in [
        ("threshold", 20),
        ("block_time", 120),
        ("detection_time", 1_800),
        ("whitelist", 1),
    ] {
        assert_eq!(sshguard[name]["value"], value, "{name}");
    }
    assert_eq!(facts["denyhosts"]["value"], json!({"DENY_THRESHOLD_ROOT": "1"}));
}

#[test]
fn a_log_that_is_there() {
    let facts = facts(&full().file("/var/log/nginx/error.log", ""));
    assert_eq!(facts["fail2ban"]["value"]["jails"][0]["source"]["value"], "files");
}

#[test]
fn denied_and_malformed_are_said() {
    let host = full()
        .denied("/etc/fail2ban/jail.d")
        .file("/etc/fail2ban/filter.d/sshd.conf", "")
        .file("/etc/fail2ban/action.d/nftables.conf", "")
        .file("/etc/crowdsec/config.yaml", "a: &b\n")
        .denied("/etc/sshguard")
        .denied("/etc/denyhosts.conf");
    let told = facts(&host);
    for (product, outcome) in [
        ("fail2ban", "denied"),
        ("crowdsec", "malformed"),
        ("sshguard", "denied"),
        ("denyhosts", "denied"),
    ] {
        assert_eq!(told[product]["outcome"], outcome, "{product}");
    }
    for text in [
        "[sshd]\n[sshd]\n",
        "[x]\nbackend=%(x)s\n",
        "[sshd]\nenabled=true\nport=%(x)s\n",
    ] {
        let told = facts(&full().file("/etc/fail2ban/jail.local", text));
        assert_eq!(told["fail2ban"]["outcome"], "malformed", "{text}");
    }
    let local = "[sshd]\nenabled=true\nbantime=soon\nfindtime=%(port)s\n";
    let told = facts(&full().file("/etc/fail2ban/jail.local", local).denied("/var/log"));
    let jail = &told["fail2ban"]["value"]["jails"][0];
    assert_eq!(jail["bantime"]["outcome"], "malformed");
    assert_eq!(jail["findtime"]["outcome"], "malformed");
    assert_eq!(jail["source"]["outcome"], "denied");
    let told = facts(
        &full()
            .denied("/etc/crowdsec/bouncers")
            .file("/etc/sshguard/sshguard.conf", "THRESHOLD=x\n"),
    );
    assert_eq!(told["crowdsec"]["value"]["bouncers"]["outcome"], "denied");
    assert_eq!(told["sshguard"]["value"]["threshold"]["outcome"], "malformed");
    assert_eq!(told["sshguard"]["value"]["whitelist"]["outcome"], "absent");
    let circle = "[INCLUDES]\nbefore = jail.conf\n after.conf\n";
    let told = facts(&Captured::default().file("/etc/fail2ban/jail.conf", circle));
    assert_eq!(told["fail2ban"]["outcome"], "observed");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "(\\[sshd\\]|\\[INCLUDES\\]|before|enabled|=|yes|jail.local|%\\(|\\)s|action|\n| |:){0,40}") {
        for content in [bytes, text.into_bytes()] {
            let mut host = full();
            for path in ["/etc/fail2ban/jail.conf", "/etc/fail2ban/jail.local", "/etc/fail2ban/paths.conf", "/etc/crowdsec/config.yaml",
                         "/etc/crowdsec/acquis.yaml", "/etc/sshguard/sshguard.conf", "/etc/w", "/etc/denyhosts.conf"] {
                host = host.file(path, &content);
            }
            facts(&host);
        }
    }
}

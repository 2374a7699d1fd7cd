use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

const RSYSLOG: &str = include_str!("../../fixtures/logging/debian12-rsyslog.conf");
const LOGROTATE: &str = include_str!("../../fixtures/logging/debian12-logrotate.conf");
const LOGROTATE_RSYSLOG: &str = include_str!("../../fixtures/logging/debian12-logrotate-rsyslog");

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<LoggingProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn debian() -> Captured {
    Captured::default()
        .file("/etc/rsyslog.conf", RSYSLOG)
        .file("/etc/logrotate.conf", LOGROTATE)
        .file("/etc/logrotate.d/rsyslog", LOGROTATE_RSYSLOG)
        .file(
            "/usr/lib/systemd/system/rsyslog.service",
            "[Service]\nExecStart=/usr/sbin/rsyslogd -n -iNONE\n",
        )
        .file("/var/log/auth.log", "")
}

#[test]
fn debians_own() {
    let facts = facts(&debian().folder("/var/log/journal"));
    let rsyslog = &facts["rsyslog"]["value"];
    assert_eq!(rsyslog["targets"], json!([]));
    assert_eq!(rsyslog["file_create_mode"], "0640");
    assert_eq!(
        rsyslog["local"][1],
        json!({"selector": "auth,authpriv.*", "path": "/var/log/auth.log", "create_mode": "0640",
               "now": {"outcome": "observed", "value": {"mode": "0644", "uid": 0, "gid": 0}}})
    );
    assert_eq!(rsyslog["local"].as_array().unwrap().len(), 6);
    let logs = facts["rotation"]["value"]["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!(
        logs[0],
        json!({
            "logs": ["/var/log/syslog", "/var/log/mail.log", "/var/log/kern.log", "/var/log/auth.log", "/var/log/user.log", "/var/log/cron.log"],
            "frequency": "weekly",
            "keep": 4,
            "compress": true,
            "creates": true,
            "file": "/etc/logrotate.d/rsyslog",
        })
    );
    assert_eq!(facts["rotation"]["value"]["unparsed"], json!([]));
    assert_eq!(facts["journald"]["value"]["storage"], "auto");
    assert_eq!(facts["journald"]["value"]["kept_over_reboot"], true);
    assert_eq!(facts["journald"]["value"]["sealing_key"]["value"], false);
    assert_eq!(facts["services"]["value"][0]["name"], "rsyslog");
    assert_eq!(facts["syslog_ng"]["outcome"], "absent");
    assert!(facts["files"].to_string().contains("/var/log/auth.log"));
}

#[test]
fn remote_targets_of_both_forms() {
    let more = "*.* @@log1.example.org:6514\n& @192.0.2.1\n$ActionSendStreamDriverMode 1\n$ActionSendStreamDriverAuthMode x509/name\n\
        $DefaultNetstreamDriver gtls\nauthpriv.* @@(o)[2001:db8::1]:6514;RSYSLOG_Template\n:msg, contains, \"x.y\" @@log2.example.org\n\
        *.* :omrelp:log3.example.org:2514\n";
    let rainer = "global(\n  defaultNetstreamDriver=\"gtls\" # c )\n)\nmodule(load=\"omfile\" fileCreateMode=\"0600\")\ninput(type=\"imtcp\" port=\"514\")\n\
        if $programname == 'a(' then {\n  action(type=\"omfwd\" target=\"log4.example.org\" port=\"6514\" protocol=\"tcp\"\n\
        StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/certvalid\")\n}\nauth.* action(type=\"omrelp\" target=\"log5\" tls=\"on\")\n\
        /* action(type=\"omfwd\" target=\"no\") */\n#action(type=\"omfwd\" target=\"no\")\n*.* action(type=\"omelasticsearch\" server=\"https://u:secret@es.example.org\" uid=\"x\" pwd=\"secret\")\n\
        action(type=\"omfwd\" target=\"log6\")\n";
    let host = debian()
        .file("/etc/rsyslog.d/a.conf", more)
        .file("/etc/rsyslog.d/b.conf", rainer);
    let facts = facts(&host);
    let rsyslog = &facts["rsyslog"]["value"];
    let targets: Vec<_> = rsyslog["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
            (text("host"), text("transport"), one["tls"].as_bool(), text("selector"))
        })
        .collect();
    let expected = [
        ("log1.example.org", "tcp", Some(false), "*.*"),
        ("192.0.2.1", "udp", Some(false), "*.*"),
        ("2001:db8::1", "tcp", Some(true), "authpriv.*"),
        ("log2.example.org", "tcp", Some(true), "-"),
        ("log3.example.org", "relp", Some(false), "*.*"),
        ("log4.example.org", "tcp", Some(true), "-"),
        ("log5", "relp", Some(true), "auth.*"),
        ("https://es.example.org", "elasticsearch", None, "*.*"),
        ("log6", "udp", Some(false), "-"),
    ];
    assert_eq!(
        targets,
        expected.map(|(a, b, c, d)| (a.to_owned(), b.to_owned(), c, d.to_owned()))
    );
    assert_eq!(rsyslog["targets"][2]["peer_check"], "x509/name");
    assert_eq!(rsyslog["targets"][5]["peer_check"], "x509/certvalid");
    assert_eq!(rsyslog["file_create_mode"], "0600");
    assert_eq!(rsyslog["network_inputs"], json!(["imtcp"]));
    assert!(!facts.to_string().contains("secret"));
}

#[test]
fn denied_is_not_absent() {
    let host = debian()
        .denied("/etc/rsyslog.d")
        .denied("/etc/logrotate.d")
        .denied("/var/log/journal");
    let facts = facts(&host);
    for part in ["rsyslog", "rotation", "journald", "files"] {
        assert_eq!(facts[part]["outcome"], "denied", "{part}");
    }
    let none = self::facts(&Captured::default());
    for part in [
        "rsyslog",
        "rotation",
        "journald",
        "services",
        "syslog_ng",
        "journal_upload",
    ] {
        assert_eq!(none[part]["outcome"], "absent", "{part}");
    }
}

#[test]
fn journal_settings() {
    let host = debian()
        .file(
            "/etc/systemd/journald.conf",
            "[Journal]\nStorage=volatile\nSystemMaxUse=1G\n",
        )
        .file(
            "/etc/systemd/journal-upload.conf",
            "[Upload]\nURL=https://a:b@log.example.org:19532\n",
        )
        .file("/var/log/journal/0123/fss", "");
    let facts = facts(&host);
    assert_eq!(facts["journald"]["value"]["kept_over_reboot"], false);
    assert_eq!(facts["journald"]["value"]["sealing_key"]["value"], true);
    assert_eq!(facts["journald"]["value"]["settings"], json!({"SystemMaxUse": "1G"}));
    assert_eq!(facts["journal_upload"]["value"], "https://log.example.org:19532");
}

#[test]
fn where_the_journal_is_kept() {
    let journald = |storage: &str, host: Captured| {
        let conf = format!("[Journal]\n{storage}\n");
        facts(&host.file("/etc/systemd/journald.conf", conf))["journald"]["value"].clone()
    };
    // No word that journald takes.
    let capital = journald("Storage=Persistent", debian());
    assert_eq!(
        (&capital["storage"], &capital["kept_over_reboot"]),
        (&json!("auto"), &json!(false))
    );
    assert_eq!(capital["written_last"]["outcome"], "absent");
    assert_eq!(journald("Storage=none\nStorage=maybe", debian())["storage"], "none");
    let (kept, lost) = ("/var/log/journal/1/system.journal", "/run/log/journal/1/system.journal");
    let both = |kept_at, lost_at| {
        debian()
            .file(kept, "")
            .mtime(kept, kept_at)
            .file(lost, "")
            .mtime(lost, lost_at)
    };
    let told = |host| journald("Storage=persistent", host)["written_last"]["value"].clone();
    assert_eq!(told(both(20, 10)), "persistent");
    assert_eq!(told(both(10, 20)), "volatile");
    assert_eq!(told(debian().file(lost, "")), "volatile");
    assert_eq!(told(debian().file(kept, "")), "persistent");
}

#[test]
fn what_is_included_holds_where_it_is_included() {
    let host = debian()
        .file("/etc/rsyslog.d/a.conf", "*.* @@log1.example.org:6514\n")
        .file(
            "/etc/rsyslog.conf",
            "$DefaultNetstreamDriver gtls\n$IncludeConfig /etc/rsyslog.d/*.conf\n$ActionSendStreamDriverMode 1\n*.* @@log2.example.org\n",
        )
        .file("/etc/logrotate.d/a", "/var/log/a { \n rotate 2\n}\n")
        .file("/etc/logrotate.conf", "weekly\ninclude /etc/logrotate.d\ndaily\ncompress\n");
    let facts = facts(&host);
    let targets = facts["rsyslog"]["value"]["targets"].as_array().unwrap();
    assert_eq!((&targets[0]["tls"], &targets[1]["tls"]), (&json!(false), &json!(true)));
    let logs = &facts["rotation"]["value"]["logs"][0];
    assert_eq!(
        (&logs["frequency"], &logs["compress"]),
        (&json!("weekly"), &json!(false))
    );
}

proptest! {
    #[test]
    fn any_text_ends(text in "[\\PC\n(){}\"'#=@]{0,300}") {
        let host = Captured::default()
            .file("/etc/rsyslog.conf", &text)
            .file("/etc/logrotate.conf", &text)
            .file("/etc/syslog-ng/syslog-ng.conf", &text);
        let _ = facts(&host);
    }
}

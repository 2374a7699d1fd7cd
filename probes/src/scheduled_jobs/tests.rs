use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::Attributes;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<ScheduledJobsProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

fn host() -> Captured {
    Captured::default()
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n")
        .file(
            "/etc/crontab",
            "SHELL=/bin/sh\n# m h\n17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly\n@reboot alice /usr/bin/x\n",
        )
        .file("/etc/cron.d/e2scrub_all", "30 3 * * 0 root test -e /run/systemd/system || /sbin/e2scrub_all_cron\n")
        .file("/etc/cron.d/old.dpkg-old", "* * * * * root no\n")
        .file("/etc/cron.daily/logrotate", "")
        .file("/etc/cron.daily/.placeholder", "")
        .file("/var/spool/cron/crontabs/alice", "# c\nMAILTO=a@b\n*/5 * * * * curl https://u:secret@x\n")
        .file("/var/spool/cron/crontabs/gone", "@daily y\n")
        .file("/etc/anacrontab", "START_HOURS_RANGE=3-22\n1\t5\tcron.daily\tnice run-parts /etc/cron.daily\n")
        .file("/var/spool/cron/atjobs/a0000101c0ffee", "#!/bin/sh\n")
        .file("/var/spool/cron/atjobs/.SEQ", "1")
        .file("/etc/cron.deny", "# c\nbob\n\ncarol\n")
        .file("/usr/lib/systemd/system/apt-daily.timer", "[Timer]\n")
        .file("/usr/lib/systemd/system/cron.service", "[Service]\nExecStart=/usr/sbin/cron -f\n")
        .output(
            "/usr/bin/systemctl list-units --state=active,failed --plain --no-legend --full --no-pager",
            0,
            "apt-daily.timer loaded active waiting Daily\n",
            "",
        )
}

#[test]
fn jobs_of_the_system_and_of_users() {
    let facts = facts(&host());
    let jobs = facts["system_jobs"]["value"].as_array().unwrap();
    assert_eq!(jobs.len(), 3);
    assert_eq!(
        (&jobs[0]["schedule"], &jobs[0]["uid"]["value"], &jobs[0]["command"]),
        (
            &json!("17 * * * *"),
            &json!(0),
            &json!("cd / && run-parts --report /etc/cron.hourly")
        )
    );
    assert_eq!(
        (&jobs[1]["schedule"], &jobs[1]["uid"]["value"]),
        (&json!("@reboot"), &json!(1000))
    );
    let users = facts["user_crontabs"]["value"].as_array().unwrap();
    assert_eq!(users.len(), 2);
    assert_eq!(users[0]["uid"]["outcome"], "absent");
    assert_eq!(users[1]["uid"]["value"], 1000);
    assert_eq!(users[1]["jobs"][0]["schedule"], "*/5 * * * *");
    assert_eq!(users[1]["complete"], true);
    assert_eq!(facts["scripts"]["value"][0]["path"], "/etc/cron.daily/logrotate");
    assert_eq!(facts["scripts"]["value"][0]["executable"], false);
    assert_eq!(facts["anacron_jobs"]["value"][0]["name"], "cron.daily");
    assert_eq!(facts["at_jobs"]["value"], 1);
    assert_eq!(facts["timers"]["value"][0]["unit"], "apt-daily.timer");
    assert_eq!(facts["daemons"]["value"][0]["unit"], "cron.service");
    assert_eq!(facts["access"][3]["users"]["value"], 2);
    assert_eq!(facts["access"][2]["users"]["outcome"], "absent");
    let text = facts.to_string();
    assert!(
        !text.contains("alice") && !text.contains("secret") && !text.contains("bob"),
        "{text}"
    );
}

#[test]
fn commands_that_others_may_write_are_not_shown() {
    let stat = Stat {
        kind: Kind::File,
        mode: 0o664,
        uid: 0,
        gid: 0,
        size: 1,
        mtime: 0,
        ctime: 0,
        device: (0, 0),
        inode: 1,
        attributes: Attributes::default(),
    };
    let facts = facts(&host().stat_of("/etc/crontab", stat));
    assert_eq!(facts["system_jobs"]["value"][0]["command"], Value::Null);
    assert_eq!(
        facts["system_jobs"]["value"][0]["command_sha256"]
            .as_str()
            .unwrap()
            .len(),
        64
    );
}

#[test]
fn what_debian_leaves_out_is_said() {
    let stat = |mode, uid| Stat {
        kind: Kind::File,
        mode,
        uid,
        gid: 0,
        size: 1,
        mtime: 0,
        ctime: 0,
        device: (0, 0),
        inode: 1,
        attributes: Attributes::default(),
    };
    let alice = "/var/spool/cron/crontabs/alice";
    let host = host()
        .file("/etc/cron.d/a.sh", "@daily root x\n")
        .file("/etc/cron.d/b", "@daily root x\n")
        .stat_of("/etc/cron.d/b", stat(0o664, 0))
        .file("/etc/cron.d/c", "@daily root x\n60 * * * * root y\n")
        .file("/etc/cron.d/d", "@daily root x")
        .file("/etc/cron.daily/x.sh", "")
        .stat_of("/etc/cron.daily/x.sh", stat(0o611, 0));
    let why = facts(&host.clone().stat_of(alice, stat(0o600, 1000)));
    let jobs: Vec<_> = why["system_jobs"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["left_out_by_debian"])
        .collect();
    let expected = [
        Value::Null,
        Value::Null,
        json!("name"),
        json!("mode"),
        json!("syntax"),
        json!("syntax"),
        json!("syntax"),
        Value::Null,
    ];
    assert_eq!(jobs, expected.iter().collect::<Vec<_>>());
    assert_eq!(why["user_crontabs"]["value"][1]["left_out_by_debian"], Value::Null);
    let script = &why["scripts"]["value"][1];
    assert_eq!(
        (&script["executable"], &script["plain_name"]),
        (&json!(true), &json!(false))
    );
    let why = facts(&host.stat_of(alice, stat(0o600, 7)));
    assert_eq!(why["user_crontabs"]["value"][1]["left_out_by_debian"], "mode");
}

#[test]
fn denied_and_absent() {
    let denied = facts(
        &host()
            .denied("/var/spool/cron/crontabs")
            .denied("/etc/passwd")
            .denied("/etc/cron.d"),
    );
    assert_eq!(denied["user_crontabs"]["outcome"], "denied");
    assert_eq!(denied["system_jobs"]["outcome"], "denied");
    let one = Registered::of::<ScheduledJobsProbe>()
        .collect(&host().denied("/var/spool/cron/crontabs/alice"))
        .remove(0);
    assert!(!serde_json::to_string(&one).unwrap().contains("alice"));
    let none = facts(&Captured::default());
    for part in [
        "daemons",
        "system_jobs",
        "user_crontabs",
        "anacron_jobs",
        "at_jobs",
        "timers",
    ] {
        assert_eq!(none[part]["outcome"], "absent", "{part}");
    }
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let host = host().file("/var/spool/cron/crontabs/alice", &bytes).file("/etc/crontab", &bytes).file("/etc/anacrontab", &bytes);
        let _ = facts(&host);
    }
}

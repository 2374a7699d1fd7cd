use super::*;
use crate::reading::captured::Captured;
use crate::reading::{Attributes, Stat, testing};

fn executable() -> Stat {
    Stat {
        kind: Kind::File,
        mode: 0o755,
        uid: 0,
        gid: 0,
        size: 10,
        mtime: 0,
        ctime: 0,
        device: (0, 0),
        inode: 0,
        attributes: Attributes::default(),
    }
}

#[test]
fn tables_folders_and_timers() {
    let host = Captured::default()
        .file("/etc/debian_version", "12.12\n")
        .file("/etc/crontab", "1 2 * * * root /usr/bin/restic backup /\n")
        .file("/etc/cron.d/own", "@weekly root /usr/local/sbin/save --all\n")
        .file("/etc/cron.d/old.dpkg-dist", "@weekly root restic\n")
        .file(
            "/usr/local/sbin/save",
            "#!/bin/sh\n# borg\nRESTIC_PASSWORD=x\nexec \"/usr/bin/restic\" backup\n",
        )
        .file("/etc/cron.daily/aide", "#!/bin/sh\nrestic check\n")
        .stat_of("/etc/cron.daily/aide", executable())
        .file("/etc/cron.daily/not-executable", "#!/bin/sh\nrestic check\n")
        .file("/var/spool/cron/crontabs/alice", "@daily restic\n")
        .file(
            "/usr/lib/systemd/system/r.timer",
            "[Timer]\nOnCalendar=daily\nOnBootSec=1h\nPersistent=true\nUnit=other.service\n",
        )
        .file(
            "/usr/lib/systemd/system/other.service",
            "[Service]\nExecStart=-/opt/restic backup\n",
        )
        .file("/usr/lib/systemd/system/u.timer", "[Timer]\nOnCalendar=daily\n")
        .file(
            "/usr/lib/systemd/system/u.service",
            "[Service]\nExecStart=/usr/bin/other\n",
        )
        .link(
            "/etc/systemd/system/default.target.wants/r.timer",
            "/usr/lib/systemd/system/r.timer",
        )
        .stat_of(
            "/var/lib/systemd/timers/stamp-r.timer",
            Stat {
                mtime: 1_795_500_000,
                ctime: 1_795_500_000,
                ..executable()
            },
        );
    let reading = testing(&host);
    let units = LazyUnits::new(&reading);
    let jobs = Jobs::read(&units);
    assert_eq!(jobs.unread, [""; 0]);
    let found = jobs.of(&["restic"]);
    let told: Vec<_> = found
        .iter()
        .map(|job| (job.place.as_str(), job.schedule.as_str()))
        .collect();
    let expected = [
        ("/etc/cron.d/own", "@weekly"),
        ("/etc/cron.daily/aide", "@daily"),
        ("/etc/crontab", "1 2 * * *"),
        ("/var/spool/cron/crontabs", "@daily"),
        ("r.timer", "daily, 1h"),
    ];
    assert_eq!(told, expected);
    assert_eq!(found[4].at_boot, Some(AtBoot::Pulled));
    assert_eq!(found[4].last_elapsed.unwrap().to_string(), "2026-11-24T00:00:00Z");
    assert_eq!(jobs.of(&["borg"]), []);
    let sources = serde_json::to_string(&reading.into_sources()).unwrap();
    assert!(!sources.contains("alice"), "{sources}");
}

#[test]
fn names_with_dots_and_the_folders_of_others() {
    let host = Captured::default()
        .file("/etc/cron.d/own.cron", "@weekly root restic\n")
        .file("/etc/cron.d/own.cron.rpmsave", "@monthly root restic\n")
        .file("/var/spool/cron/john.doe", "@hourly restic\n")
        .file("/var/spool/cron/tabs/root", "@daily restic\n")
        .file("/var/spool/cron/tabs/tmp.Xy12", "@yearly restic\n");
    let schedules = |host: &Captured| {
        let reading = testing(host);
        let jobs = Jobs::read(&LazyUnits::new(&reading)).of(&["restic"]).into_iter();
        jobs.map(|job| job.schedule).collect::<Vec<_>>()
    };
    assert_eq!(schedules(&host), ["@weekly", "@hourly", "@daily"]);
    // Debian's cron passes the first over.
    assert_eq!(
        schedules(&host.file("/etc/debian_version", "12.12\n")),
        ["@hourly", "@daily"]
    );
}

#[test]
fn what_could_not_be_read_is_said() {
    let host = Captured::default().denied("/etc/cron.d").denied("/etc/crontab");
    let reading = testing(&host);
    let jobs = Jobs::read(&LazyUnits::new(&reading));
    let expected = ["/etc/cron.d: permission denied", "/etc/crontab: permission denied"];
    assert_eq!(jobs.unread, expected);
}

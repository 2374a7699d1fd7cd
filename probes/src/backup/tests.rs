use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn facts(host: &Captured) -> Value {
    let document = Registered::of::<BackupProbe>().collect(host).remove(0);
    document.facts.unwrap_or_else(|| panic!("{}", document.detail))
}

#[test]
fn the_table_is_sorted() {
    assert!(SOFTWARE.is_sorted_by_key(|software| software.product.id));
    assert!(COPYING.is_sorted());
}

#[test]
fn nothing_is_there() {
    let facts = facts(&Captured::default());
    for list in [
        "software",
        "undetermined",
        "configurations",
        "copying_jobs",
        "jobs_unread",
    ] {
        assert_eq!(facts[list], json!([]), "{list}");
    }
    assert_eq!(facts["repositories"]["value"], json!([]));
}

const BORGMATIC: &str = "location:\n    source_directories:\n        - /home/alice/docs\n        - /etc\n    repositories:\n        \
                         - ssh://u:secret@h/./r\n        - path: /srv/r\n          label: l\nstorage:\n    encryption_passphrase: \
                         \"secret\"\nretention:\n    keep_daily: 7\n    keep_within: 2d\n";

fn full() -> Captured {
    Captured::default()
        .file("/usr/bin/borgmatic", "")
        .file("/etc/borgmatic/config.yaml", BORGMATIC)
        .file("/etc/cron.d/borgmatic", "0 3 * * * root PATH=$PATH:/usr/bin /usr/bin/borgmatic --verbosity -1\n")
        .file("/etc/cron.d/copy", "@daily root rsync -a /srv backup@h:\n")
        .file("/etc/restic/env", "export RESTIC_REPOSITORY=\"s3:https://h/b\"\nAWS_SECRET_ACCESS_KEY=secret\n")
        .file(
            "/etc/rsnapshot.conf",
            "snapshot_root\t/srv/snap/\nretain\talpha\t6\nretain\tbeta\t7\nbackup\t/etc/\tlocalhost/\nbackup\tu@h:/x\th/\n",
        )
        .folder("/srv/snap/alpha.0")
        .file("/etc/snapper/configs/root", "SUBVOLUME=\"/\"\nTIMELINE_LIMIT_DAILY=\"10\"\nALLOW_USERS=\"bob\"\n")
        .file("/.snapshots/9/info.xml", "")
        .file("/.snapshots/10/info.xml", "")
        .file("/etc/timeshift/timeshift.json", r#"{"schedule_daily": "true", "count_daily": "5", "btrfs_mode": "false"}"#)
        .file("/etc/bacula/bacula-fd.conf", "Director { Password = \"secret\" }\nFileDaemon {\n PKI Encryption = Yes\n}\n")
        .file("/root/.config/rclone/rclone.conf", "[carol]\ntype = crypt\npassword = secret\n[x]\ntype = s3\n")
        .file("/etc/duply/p/conf", "GPG_KEY='disabled'\nTARGET='sftp://u:secret@h/x'\nSOURCE='/home/dave'\nMAX_AGE=1M\n")
        .file("/root/.config/borg/security/0123456789abcdef0123/location", "ssh://u:secret@h/r\n")
        .file("/root/.config/borg/security/0123456789abcdef0123/key-type", "3")
        .file("/root/.config/borg/security/0123456789abcdef0123/manifest-timestamp", "2026-11-26T14:19:32.178884")
}

#[test]
fn what_is_configured_and_started() {
    let facts = facts(&full());
    let text = facts.to_string();
    for hidden in ["secret", "alice", "bob", "carol", "dave"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    assert_eq!(facts["software"][0]["jobs"][0]["place"], "/etc/cron.d/borgmatic");
    assert_eq!(facts["software"][0]["jobs"][0]["schedule"], "0 3 * * *");
    assert_eq!(facts["copying_jobs"][0]["program"], "rsync");
    let told: Vec<_> = facts["configurations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let settings = &one["settings"]["value"];
            let repositories = settings["repositories"].as_array().unwrap().iter();
            let repositories: Vec<_> = repositories.map(|one| one["scheme"].as_str().unwrap()).collect();
            (
                one["product"].as_str().unwrap(),
                repositories.join(","),
                settings["encryption"].as_str().unwrap(),
                settings["last_success"].is_null(),
            )
        })
        .collect();
    let expected = [
        ("bacula", "director", "encrypted", true),
        ("borgmatic", "file,ssh", "encrypted", true),
        ("duply", "sftp", "not_encrypted", true),
        ("rclone", "s3,crypt", "not_told", true),
        ("restic", "s3", "encrypted", true),
        ("rsnapshot", "file", "not_encrypted", false),
        ("snapper", "snapshot", "not_told", false),
        ("timeshift", "file", "not_told", true),
    ];
    let expected = expected.map(|(product, schemes, encryption, none)| (product, schemes.to_owned(), encryption, none));
    assert_eq!(told, expected);
    assert_eq!(
        facts["configurations"][1]["settings"]["value"]["paths"],
        json!(["/etc", "/home/*/docs"])
    );
    let kept = json!({"keep_daily": "7", "keep_within": "2d"});
    assert_eq!(facts["configurations"][1]["settings"]["value"]["retention"], kept);
    let used = json!([{"product": "borg", "id": "0123456789abcdef", "repository": {"place": "remote", "scheme": "ssh"},
                       "encryption": "encrypted", "last_change": "2026-11-26T00:00:00Z"}]);
    assert_eq!(facts["repositories"]["value"], used);
}

#[test]
fn denied_and_malformed_are_said() {
    let facts = facts(
        &full()
            .denied("/etc/borgmatic/config.yaml")
            .file("/etc/timeshift/timeshift.json", "{")
            .denied("/etc/snapper/configs")
            .denied("/etc/cron.d")
            .denied("/root/.config/borg/security"),
    );
    let outcome = |product: &str| {
        let all = facts["configurations"].as_array().unwrap();
        all.iter().find(|one| one["product"] == product).unwrap()["settings"]["outcome"].clone()
    };
    assert_eq!(outcome("borgmatic"), "denied");
    assert_eq!(outcome("timeshift"), "malformed");
    assert_eq!(
        facts["unread_configurations"],
        json!(["/etc/snapper/configs: permission denied"])
    );
    assert_eq!(facts["jobs_unread"], json!(["/etc/cron.d: permission denied"]));
    assert_eq!(facts["repositories"]["outcome"], "denied");
}

proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, text in "[\\[\\]{}=:\"a1/ \t\n-]{0,80}") {
        for content in [bytes, text.into_bytes()] {
            let host = full()
                .file("/etc/borgmatic/config.yaml", &content)
                .file("/etc/crontab", &content)
                .file("/etc/restic/env", &content)
                .file("/etc/rsnapshot.conf", &content)
                .file("/etc/snapper/configs/root", &content)
                .file("/etc/timeshift/timeshift.json", &content)
                .file("/etc/bacula/bacula-fd.conf", &content)
                .file("/etc/duply/p/conf", &content)
                .file("/root/.config/borg/security/0123456789abcdef0123/manifest-timestamp", &content);
            facts(&host);
        }
    }
}

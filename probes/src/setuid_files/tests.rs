//! On captured walks and files.

use serde_json::{Value, json};

use super::SetuidFilesProbe;
use crate::probe::documents;
use crate::reading::captured::Captured;
use crate::reading::{Attributes, Found, Kind, Stat, Unread, Walked};

const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/srv/bob:/bin/sh\n";
const GROUP: &str = "root:x:0:\nalice:x:1000:\nbob:x:1001:\nutmp:x:43:\n";
const MOUNTS: &str = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /proc rw - proc proc rw\n";

fn found(path: &str, kind: Kind, mode: u32, uid: u32, gid: u32) -> Found {
    Found {
        path: path.to_owned(),
        stat: Stat {
            kind,
            mode,
            uid,
            gid,
            size: 1,
            mtime: 0,
            ctime: 0,
            device: (0, 0),
            inode: 1,
            attributes: Attributes::default(),
        },
        capability: None,
    }
}

fn host() -> Captured {
    Captured::default()
        .file("/etc/passwd", PASSWD)
        .file("/etc/group", GROUP)
        .file("/etc/nsswitch.conf", "passwd: files systemd\ngroup: files\n")
        .file("/etc/subuid", "alice:100000:65536\n")
        .file("/proc/self/mountinfo", MOUNTS)
        .file("/proc/1/mountinfo", MOUNTS)
        .file("/var/lib/dpkg/info/login.list", "/.\n/bin\n/bin/su\n")
        .file("/var/lib/dpkg/info/x:amd64.list", "/usr/bin/x\n/usr/bin/wall\n")
        .file("/var/lib/dpkg/statoverride", "root adm 750 /bin/su\nmalformed\n")
}

fn entries() -> Vec<Found> {
    let ping = Found {
        capability: Some(vec![1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ..found("/usr/bin/x", Kind::File, 0o755, 0, 0)
    };
    let odd = Found {
        capability: Some(vec![9]),
        ..found("/opt/odd", Kind::File, 0o755, 0, 0)
    };
    vec![
        found("/usr/bin/su", Kind::File, 0o4755, 0, 0),
        found("/usr/bin/wall", Kind::File, 0o2755, 0, 43),
        found("/home/alice/sh", Kind::File, 0o6777, 1000, 1000),
        found("/srv/bob/x", Kind::Folder, 0o777, 1001, 1001),
        found("/srv/lost", Kind::Link, 0o777, 4000, 0),
        found("/srv/pod", Kind::File, 0o644, 100_001, 0),
        found("/srv/group", Kind::File, 0o644, 0, 4000),
        ping,
        odd,
    ]
}

fn facts(host: &Captured) -> (Value, Value) {
    let documents = documents::<SetuidFilesProbe>(host);
    let facts = |index: usize| {
        let document = serde_json::to_value(&documents[index]).unwrap();
        document.get("facts").cloned().unwrap_or(document)
    };
    (facts(0), facts(1))
}

fn walked() -> Walked {
    Walked {
        entries: 100,
        ..Walked::default()
    }
}

#[test]
fn lists() {
    let (facts, names) = facts(&host().walk_of(Ok((entries(), walked()))));
    assert_eq!(
        facts["everywhere"],
        json!({"outcome": "observed", "value": {"filesystems": 1}})
    );
    let path = |list: &str, index: usize| facts[list]["entries"][index]["path"].clone();
    assert_eq!(facts["setuid_files"]["total"], 3);
    assert_eq!(path("setuid_files", 0), "/usr/bin/su");
    let su = &facts["setuid_files"]["entries"][0];
    assert_eq!(
        (&su["package"], &su["override_mode"]),
        (&json!("login"), &json!("0750"))
    );
    assert_eq!(
        (&su["setuid"], &su["setgid"], &su["mode"]),
        (&json!(true), &json!(false), &json!("4755"))
    );
    assert_eq!(facts["setuid_files"]["entries"][1]["package"], "x");
    assert_eq!(path("setuid_files", 2), "home of uid 1000/*");
    assert_eq!(facts["setuid_files"]["entries"][2].get("package"), None);
    let of = |list: &str| facts[list]["value"]["entries"].clone();
    assert_eq!(
        of("without_user"),
        json!([
            {"path": "/srv/lost", "uid": 4000, "gid": 0, "delegated": false},
            {"path": "/srv/pod", "uid": 100_001, "gid": 0, "delegated": true}
        ])
    );
    assert_eq!(of("without_group")[0]["path"], "/srv/group");
    assert_eq!(path("open_folders", 0), "home of uid 1001/*");
    assert_eq!(path("world_writable_files", 0), "home of uid 1000/*");
    assert_eq!(
        facts["capability_files"]["entries"][0]["capabilities"]["outcome"],
        "malformed"
    );
    let capability = &facts["capability_files"]["entries"][1];
    assert_eq!(capability["package"], "x");
    assert_eq!(
        capability["capabilities"]["value"],
        json!({"permitted": ["cap_net_raw"], "inheritable": [], "effective": true})
    );
    assert_eq!(
        names["paths"],
        json!({
            "setuid_files/2": "/home/alice/sh", "world_writable_files/0": "/home/alice/sh", "open_folders/0": "/srv/bob/x"
        })
    );
}

#[test]
fn the_order_in_which_a_walk_finds_does_not_matter() {
    let mut turned = entries();
    turned.reverse();
    let facts = |entries| documents::<SetuidFilesProbe>(&host().walk_of(Ok((entries, walked()))));
    assert_eq!(facts(turned), facts(entries()));
}

#[test]
fn what_was_not_seen_is_said() {
    let refused = Walked {
        unread: vec![Unread::Denied {
            place: "/home/alice/x".into(),
        }],
        unread_count: 7,
        ..walked()
    };
    let (denied, _) = facts(&host().walk_of(Ok((entries(), refused))));
    assert_eq!(
        denied["everywhere"],
        json!({"outcome": "denied", "detail": "7 folders were not entered"})
    );
    assert_eq!(
        denied["not_entered"],
        json!([{"path": "home of uid 1000/*", "outcome": "denied"}])
    );
    assert_eq!(denied["setuid_files"]["total"], 3, "what was found stays");

    let over = Unread::Timeout {
        place: "/".into(),
        millis: 5,
    };
    let (over, _) = facts(&host().walk_of(Err(over)));
    assert_eq!(over["everywhere"]["outcome"], "timeout");

    let (malformed, _) = facts(
        &host()
            .file("/proc/self/mountinfo", format!("{MOUNTS}nonsense\n"))
            .walk_of(Ok((vec![], walked()))),
    );
    assert_eq!(malformed["everywhere"]["outcome"], "skipped");
}

#[test]
fn accounts_from_elsewhere_make_owners_unknown() {
    let sssd = host()
        .file("/etc/nsswitch.conf", "passwd: files sss\ngroup: files\n")
        .walk_of(Ok((entries(), walked())));
    let (facts, _) = facts(&sssd);
    assert_eq!(
        facts["without_user"],
        json!({"outcome": "unsupported", "detail": "passwd come from sss too"})
    );
    assert_eq!(facts["without_group"]["outcome"], "observed");
}

#[test]
fn a_part_that_cannot_be_read_is_no_empty_list() {
    let walk = || Ok((entries(), walked()));
    let (denied, _) = facts(&host().denied("/etc/passwd").walk_of(walk()));
    assert_eq!(denied["without_user"]["outcome"], "denied");
    let (malformed, _) = facts(&host().file("/etc/group", "root:x:zero:\n").walk_of(walk()));
    assert_eq!(malformed["without_group"]["outcome"], "malformed");
    let (denied, _) = facts(&host().denied("/var/lib/dpkg/info/x:amd64.list").walk_of(walk()));
    assert_eq!(denied["package_database"]["outcome"], "denied");
    assert_eq!(denied["setuid_files"]["entries"][0].get("package"), None);
    let (none, _) = facts(&Captured::default().file("/proc/self/mountinfo", MOUNTS).walk_of(walk()));
    assert_eq!(none["package_database"]["outcome"], "unsupported");
    let (failed, _) = facts(&host().denied("/proc/self/mountinfo").walk_of(walk()));
    assert_eq!(failed["outcome"], "denied");
}

#[test]
fn a_folder_without_mount_table_is_one_filesystem() {
    let (facts, _) = facts(
        &Captured::default()
            .file("/etc/passwd", PASSWD)
            .walk_of(Ok((entries(), walked()))),
    );
    assert_eq!(facts["filesystems"][0]["mount_point"], "/");
    assert_eq!(facts["without_group"]["outcome"], "absent");
}

#[test]
fn a_file_that_is_mounted_is_looked_at_and_not_walked() {
    let mounts = format!("{MOUNTS}3 1 8:2 /x/tool /etc/tool rw - ext4 /dev/sdb1 rw\n");
    let tool = found("/etc/tool", Kind::File, 0o4755, 0, 0).stat;
    let host = host()
        .file("/proc/self/mountinfo", &mounts)
        .file("/proc/1/mountinfo", &mounts)
        .file("/etc/tool", "")
        .stat_of("/etc/tool", tool)
        .walk_of(Ok((vec![], walked())));
    let (facts, _) = facts(&host);
    assert_eq!(facts["filesystems"].as_array().unwrap().len(), 1);
    assert_eq!(facts["setuid_files"]["entries"][0]["path"], "/etc/tool");
    assert_eq!(facts["everywhere"]["outcome"], "observed");
}

#[test]
fn packages_of_other_families() {
    let of = |host: Captured| {
        let host = host
            .file("/proc/self/mountinfo", MOUNTS)
            .walk_of(Ok((entries(), walked())));
        let (facts, _) = facts(&host);
        let entries = facts["setuid_files"]["entries"].as_array().unwrap().iter();
        let packages: Vec<_> = entries.map(|entry| entry["package"].clone()).collect();
        (facts["package_database"].clone(), packages)
    };
    let alpine = || {
        Captured::default()
            .file("/etc/os-release", "ID=alpine\n")
            .link("/bin", "usr/bin")
    };
    let database = "P:a\nV:1\nA:x\nF:bin\nR:su\nF:usr/bin\nR:other\n\nP:b\nF:usr/bin\nR:wall\nF:bin/su\nR:su\n\n";
    let expected = [json!("a"), json!("b"), json!(null)];
    let (known, packages) = of(alpine().file("/lib/apk/db/installed", database));
    assert_eq!((&known["value"], &packages[..]), (&json!("apk"), &expected[..]));
    let (known, packages) = of(alpine().file("/lib/apk/db/installed", "F:bin\nR:su\n\n"));
    assert_eq!(
        known,
        json!({"outcome": "malformed", "detail": "/lib/apk/db/installed:1: no valid name (P)"})
    );
    assert_eq!(packages, [json!(null), json!(null), json!(null)]);
    let arch = Captured::default()
        .file("/etc/os-release", "ID=arch\n")
        .file(
            "/var/lib/pacman/local/a-x-1:2-3/files",
            "%FILES%\nusr/\nusr/bin/\nusr/bin/su\n\n%BACKUP%\nusr/bin/wall\tx\n",
        )
        .file("/var/lib/pacman/local/b-1-1/files", "%FILES%\nusr/bin/wall\n")
        .file("/var/lib/pacman/local/c-1-1/desc", "");
    let (known, packages) = of(arch);
    let expected = [json!("a-x"), json!("b"), json!(null)];
    assert_eq!((&known["value"], &packages[..]), (&json!("pacman"), &expected[..]));
    let (known, _) = of(Captured::default().denied("/etc/os-release"));
    assert_eq!(known["outcome"], "denied");
}

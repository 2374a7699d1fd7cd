//! On captured files.

use serde_json::{Value, json};

use super::FilePermissionsProbe;
use crate::probe::documents;
use crate::reading::captured::Captured;
use crate::reading::{Attributes, Kind, Stat, Unread, captured};

const MOUNTS: &str = "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n2 1 0:5 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw\n";

fn stat(kind: Kind, mode: u32, uid: u32, gid: u32) -> Stat {
    Stat {
        attributes: Attributes {
            immutable: Some(false),
            append_only: None,
            encrypted: None,
        },
        ..captured::stat(kind, mode, uid, gid)
    }
}

fn host() -> Captured {
    // user::rw- user:1000:r-- group::r-- mask::r-- other::---
    let acl = vec![
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 0x10, 0,
        4, 0, 255, 255, 255, 255, 0x20, 0, 0, 0, 255, 255, 255, 255,
    ];
    Captured::default()
        .file("/etc/shadow", "")
        .stat_of("/etc/shadow", stat(Kind::File, 0o640, 0, 42))
        .extended_of("/etc/shadow", "system.posix_acl_access", Ok(Some(acl)))
        .file("/etc/ssh/ssh_host_ed25519_key", "")
        .stat_of("/etc/ssh/ssh_host_ed25519_key", stat(Kind::File, 0o600, 0, 0))
        .file("/etc/cron.d/job", "")
        .stat_of("/etc/cron.d/job", stat(Kind::File, 0o666, 1000, 4))
        .file("/etc/cron.d/plain", "")
        .link("/etc/cron.d/link", "/nowhere")
        .file("/etc/sudoers.d/alice", "")
        .stat_of("/etc/sudoers.d/alice", stat(Kind::File, 0o440, 1000, 0))
        .link("/etc/motd", "/run/motd")
        .file("/run/motd", "")
        .stat_of("/tmp", stat(Kind::Folder, 0o1777, 0, 0))
        .file("/proc/1/mountinfo", MOUNTS)
        .file("/proc/self/mountinfo", "nonsense")
        .file(
            "/etc/fstab",
            "UUID=1 / ext4 defaults 0 1\n/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n//s/x /mnt cifs password=p 0 0\n",
        )
        .boots()
        .file("/usr/lib/systemd/system/tmp.mount", "[Mount]\nType=tmpfs\nOptions=mode=1777,strictatime,nosuid,nodev\n")
        .link(
            "/etc/systemd/system/local-fs.target.wants/tmp.mount",
            "/usr/lib/systemd/system/tmp.mount",
        )
}

fn facts(host: &Captured) -> Value {
    serde_json::to_value(&documents::<FilePermissionsProbe>(host)[0]).unwrap()["facts"].clone()
}

fn of<'a>(facts: &'a Value, list: &str, path: &str) -> &'a Value {
    let list = facts[list].as_array().unwrap();
    list.iter().find(|entry| entry["path"] == path).unwrap()
}

#[test]
fn files_and_folders() {
    let facts = facts(&host().folder("/tmp"));
    assert_eq!(
        of(&facts, "files", "/etc/shadow")["permissions"]["value"],
        json!({
            "mode": "0640", "owner": "rw-", "group": "r--", "others": "---", "sticky": false, "uid": 0, "gid": 42,
            "acl": {"outcome": "observed", "value": [
                {"kind": "user", "id": 1000, "permissions": "r--"}, {"kind": "owning_group", "permissions": "r--"}]},
            "default_acl": {"outcome": "observed", "value": []}, "immutable": false
        })
    );
    assert_eq!(of(&facts, "files", "/etc/passwd")["permissions"]["outcome"], "absent");
    assert_eq!(of(&facts, "files", "/etc/ssh/ssh_host_ed25519_key")["area"], "ssh_key");
    assert_eq!(
        of(&facts, "files", "/etc/motd")["permissions"]["value"]["link"],
        "/run/motd"
    );
    assert_eq!(of(&facts, "folders", "/tmp")["permissions"]["value"]["sticky"], true);
    assert_eq!(
        of(&facts, "folders", "/etc/cron.d")["contents"]["value"],
        json!({"entries": 3, "not_root": 1, "group_writable": 1, "others_writable": 1, "others_readable": 2,
               "remarkable": ["job"]})
    );
    let sudoers = &of(&facts, "folders", "/etc/sudoers.d")["contents"]["value"];
    assert_eq!((&sudoers["not_root"], &sudoers["remarkable"]), (&json!(1), &json!([])));
    assert_eq!(of(&facts, "folders", "/etc/pam.d")["contents"]["outcome"], "absent");
    assert!(!facts.to_string().contains("alice"));
}

#[test]
fn mounts_now_and_at_the_next_boot() {
    let facts = facts(&host());
    let tmp = of(&facts, "mounts", "/tmp");
    let expected = json!({"separate": true, "filesystem": "tmpfs", "nodev": true, "nosuid": true, "noexec": false, "read_only": false});
    assert_eq!(tmp["now"]["value"], expected);
    assert_eq!(
        (&tmp["configured"]["value"]["by"], &tmp["configured"]["value"]["nosuid"]),
        (&json!("unit"), &json!(true))
    );
    let var = of(&facts, "mounts", "/var");
    assert_eq!(
        (&var["now"]["value"]["separate"], &var["configured"]["outcome"]),
        (&json!(false), &json!("absent"))
    );
    assert_eq!(of(&facts, "mounts", "/")["configured"]["value"]["by"], "fstab");
    let removable = &facts["removable"]["value"][0];
    assert_eq!(
        (&removable["path"], &removable["noexec"], &removable["at_boot"]),
        (&json!("/media/cdrom0"), &json!(true), &json!(false))
    );
}

#[test]
fn what_is_not_known_is_said() {
    let denied = |path: &str| facts(&host().denied(path));
    assert_eq!(
        of(&denied("/etc/shadow"), "files", "/etc/shadow")["permissions"]["outcome"],
        "denied"
    );
    assert_eq!(denied("/etc/fstab")["removable"]["outcome"], "denied");
    assert_eq!(
        of(&denied("/etc/fstab"), "mounts", "/var")["configured"]["outcome"],
        "denied"
    );
    assert_eq!(
        of(&denied("/etc/cron.d"), "folders", "/etc/cron.d")["contents"]["outcome"],
        "denied"
    );
    assert_eq!(denied("/boot/grub/grub.cfg")["grub"]["outcome"], "denied");
    let facts_of =
        |name: &str, value: Result<Option<Vec<u8>>, Unread>| facts(&host().extended_of("/etc/shadow", name, value));
    let malformed = facts_of("system.posix_acl_access", Ok(Some(vec![1])));
    assert_eq!(
        of(&malformed, "files", "/etc/shadow")["permissions"]["value"]["acl"]["outcome"],
        "malformed"
    );
    let odd = facts(&host().file("/etc/fstab", "one two\n"));
    assert_eq!(odd["removable"]["outcome"], "malformed");
    let odd = facts(&host().file("/proc/1/mountinfo", "nonsense"));
    assert_eq!(of(&odd, "mounts", "/tmp")["now"]["outcome"], "malformed");
    let folder = facts(&host().folder("/etc/passwd"));
    assert_eq!(
        of(&folder, "files", "/etc/passwd")["permissions"]["outcome"],
        "malformed"
    );
    let none = facts(&Captured::default());
    assert_eq!(
        (&none["grub"]["outcome"], &none["systemd_boot"]["outcome"]),
        (&json!("absent"), &json!("absent"))
    );
}

#[test]
fn filesystems_of_other_machines_and_of_processes() {
    let table = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 0:20 / /proc rw,nosuid,nodev,noexec - proc proc rw,hidepid=invisible\n\
        30 20 0:40 / /srv/data rw,nosuid,nodev - nfs4 10.0.0.9:/x rw,vers=4.2,sec=krb5p\n\
        31 20 0:41 / /home/alice/m rw,nosuid,nodev - fuse.sshfs bob@h:/ rw,user_id=1000\n\
        32 20 0:42 / /mnt/s rw - cifs //s/x rw,sec=ntlmssp,seal\n";
    let fstab = "proc /proc proc defaults,hidepid=2 0 0\n10.0.0.9:/x /srv/data nfs4 nosuid,sec=krb5p 0 0\n";
    let host = host().file("/proc/1/mountinfo", table).file("/etc/fstab", fstab);
    let told = facts(&host);
    assert_eq!(
        told["network"]["value"],
        json!([
            {"path": "/home/*", "filesystem": "fuse.sshfs", "nodev": true, "nosuid": true, "noexec": false, "read_only": false},
            {"path": "/mnt/s", "filesystem": "cifs", "nodev": false, "nosuid": false, "noexec": false, "read_only": false,
             "security": "ntlmssp", "sealed": true},
            {"path": "/srv/data", "filesystem": "nfs4", "nodev": true, "nosuid": true, "noexec": false, "read_only": false,
             "security": "krb5p"},
        ])
    );
    let proc = of(&told, "mounts", "/proc");
    assert_eq!(proc["now"]["value"]["hidepid"], "invisible");
    assert_eq!(proc["configured"]["value"]["hidepid"], "2");
    let configured = &told["network_configured"]["value"];
    assert_eq!(
        (&configured[0]["path"], &configured[0]["nosuid"]),
        (&json!("/srv/data"), &json!(true))
    );
    assert_eq!(configured.as_array().unwrap().len(), 1);
    assert_eq!(
        facts(&host.clone().denied("/etc/fstab"))["network_configured"]["outcome"],
        "denied"
    );
    assert_eq!(
        facts(&host.denied("/proc/1/mountinfo"))["network"]["outcome"],
        "malformed"
    );
}

#[test]
fn the_boot_loader_reads_what_is_beside_it() {
    let password = "set superusers=\"a\"\npassword_pbkdf2 a grub.pbkdf2.sha512.1.A.B\n";
    let read = "if [ -f ${config_directory}/custom.cfg ]; then\n  source ${config_directory}/custom.cfg\nfi\n";
    let host = host().file("/boot/grub/grub.cfg", read);
    let told = |host: &Captured| facts(host)["grub"].clone();
    assert_eq!(told(&host)["value"]["password"], "none");
    let host = host.file("/boot/grub/custom.cfg", password);
    assert_eq!(told(&host)["value"]["password"], "hashed");
    assert_eq!(told(&host.clone().denied("/boot/grub/custom.cfg"))["outcome"], "denied");
    assert_eq!(
        told(&host.file("/boot/grub/grub.cfg", "set x=y\n"))["value"]["password"],
        "none"
    );
}

#[test]
fn the_boot_loader() {
    let host = host()
        .file(
            "/boot/grub/grub.cfg",
            "set superusers=\"a\"\npassword_pbkdf2 a grub.pbkdf2.sha512.1.A.B\n",
        )
        .file("/boot/loader/loader.conf", "timeout 3\neditor no\n");
    let document = &documents::<FilePermissionsProbe>(&host)[0];
    let facts = document.facts.clone().unwrap();
    assert_eq!(facts["grub"]["value"]["password"], "hashed");
    assert_eq!(facts["systemd_boot"]["value"]["editor"], false);
    let hashed = document.sources.iter().filter(|source| source.sha256.is_some());
    let hashed = serde_json::to_string(&hashed.collect::<Vec<_>>()).unwrap();
    assert!(
        !hashed.contains("grub.cfg"),
        "its digest would confirm a guess of the password"
    );
}

//! What lies beside the block stack: crypttab, hibernation, filesystems that encrypt themselves, other machines.

use serde_json::{Value, json};

use super::tree::{Tree, number};
use crate::reading::captured::Captured;
use crate::reading::{Attributes, Kind, Stat};

fn stat(kind: Kind, mode: u32, encrypted: Option<bool>) -> Stat {
    Stat {
        kind,
        mode,
        uid: 0,
        gid: 0,
        size: 0,
        mtime: 0,
        ctime: 0,
        device: (0, 0),
        inode: 0,
        attributes: Attributes {
            encrypted,
            ..Attributes::default()
        },
    }
}

#[test]
fn crypttab_against_what_is_active() {
    let crypttab = "# comment\nroot UUID=0-1 none luks,discard\ndata /dev/sdb /etc/keys/data.key luks\n\
        more /dev/sdc /srv/more.key luks,nofail\nswap /dev/sdd /dev/urandom swap,cipher=aes-xts-plain64\n\
        tpm /dev/sde - tpm2-device=auto\nscript /dev/sdf x luks,keyscript=/bin/y\nbroken\nby_itself /dev/sdg none luks\n";
    let seen = Tree::new()
        .disk("sda")
        .partition("sda1")
        .partition("sda2")
        .luks2("dm-0", "data", "sda2")
        .luks2("dm-1", "unlisted", "sda2")
        .luks2("dm-2", "home-alice", "sda2")
        .mount("sda1", "ext4", "/")
        .mount("dm-0", "ext4", "/srv")
        .with(|host| {
            host.file("/etc/crypttab", crypttab)
                .file("/etc/keys/data.key", "k")
                .stat_of("/etc/keys/data.key", stat(Kind::File, 0o644, None))
                .file("/srv/more.key", "k")
                .stat_of("/srv/more.key", stat(Kind::File, 0o400, None))
                .file("/etc/cryptsetup-keys.d/by_itself.key", "k")
        })
        .collect();
    let crypttab = &seen.0["crypttab"]["value"];
    let entry = |number: usize| &crypttab["entries"][number];
    let short = |entry: &Value| format!("{} {} {}", entry["name"], entry["active"], entry["key"]).replace('"', "");
    let entries: Vec<_> = (0..7).map(|number| short(entry(number))).collect();
    assert_eq!(
        entries,
        [
            "root false passphrase",
            "data true file",
            "more false file",
            "swap false random",
            "tpm false token",
            "script false program",
            "by_itself false file",
        ]
    );
    assert_eq!(
        entry(1)["key_file"]["value"],
        json!({"path": "/etc/keys/data.key", "mode": "0644", "uid": 0, "readable_by_others": true, "encryption": "not_encrypted"})
    );
    assert_eq!(entry(2)["key_file"]["value"]["encryption"], "encrypted");
    assert_eq!(
        entry(6)["key_file"]["value"]["path"],
        "/etc/cryptsetup-keys.d/by_itself.key"
    );
    assert_eq!(entry(3)["options"], json!(["cipher", "swap"]));
    assert_eq!(crypttab["unparsed_lines"], json!([8]));
    assert_eq!(crypttab["active_elsewhere"], json!(["home-*", "unlisted"]));
}

#[test]
fn crypttab_that_is_not_there_or_not_readable() {
    let tree = || Tree::new().disk("sda").mount("sda", "ext4", "/");
    assert_eq!(tree().collect().0["crypttab"]["outcome"], "absent");
    let denied = tree().with(|host| host.denied("/etc/crypttab")).collect();
    assert_eq!(denied.0["crypttab"]["outcome"], "denied");
    let many = "a b\n".repeat(1_001);
    let many = tree().with(|host| host.file("/etc/crypttab", many)).collect();
    assert_eq!(many.0["crypttab"]["outcome"], "malformed");
}

#[test]
fn what_the_next_boot_uses() {
    let block = |name: &str| {
        let (major, minor) = number(name)
            .split_once(':')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        Stat {
            device: (major.parse().unwrap(), minor.parse().unwrap()),
            ..stat(Kind::Block, 0o660, None)
        }
    };
    let fstab = "# c\nUUID=a-1 / ext4 defaults 0 1\n/dev/mapper/data /srv ext4 defaults\n\
        PARTUUID=\"b-2\" none swap sw\n/dev/sda3 /home/ada\\040b xfs noauto\n/swap\\040file none swap sw\n\
        /dev/mapper/later /later ext4 nofail\nUUID=gone /gone ext4 nofail\nserver:/x /nfs nfs4 _netdev\n\
        tmpfs /tmp tmpfs nosuid\n/srv/a /srv/b none bind\n/dev/sda2 /boot ext4 defaults\n/dev/sdb1 /pool btrfs defaults\n";
    let tree = || {
        Tree::new()
            .disk("sda")
            .partition("sda1")
            .partition("sda2")
            .partition("sda3")
            .partition("sda4")
            .luks2("dm-0", "data", "sda4")
            .mount("sda1", "ext4", "/")
            .mount("dm-0", "ext4", "/srv")
            .mount("sda2", "ext4", "/boot")
            .with(|host| {
                host.file("/etc/crypttab", "later /dev/sdb none luks\n")
                    .stat_of("/dev/disk/by-uuid/a-1", block("sda1"))
                    .stat_of("/dev/disk/by-partuuid/b-2", block("sda3"))
                    .file("/swap file", "")
            })
    };
    let seen = tree().with(|host| host.file("/etc/fstab", fstab)).collect();
    let lines = seen.0["configured"]["value"].as_array().unwrap();
    let short = |line: &Value| {
        let fields = ["device", "mount_point", "class", "at_boot", "encryption"];
        let fields = fields.map(|field| line[field].to_string().replace('"', ""));
        format!("{} {}", fields.join(" "), line["in_use"]["value"])
    };
    let lines: Vec<_> = lines.iter().map(short).collect();
    assert_eq!(
        lines,
        [
            "UUID=a-1 / data true not_encrypted true",
            "/dev/mapper/data /srv data true encrypted true",
            "PARTUUID=\\b-2\\  swap true not_encrypted false",
            "/dev/sda3 /home/* data false not_encrypted false",
            "/swap file  swap true not_encrypted false",
            "/dev/mapper/later /later data true unknown false",
            "UUID=gone /gone data true unknown false",
            "/dev/sda2 /boot boot true not_encrypted true",
            "/dev/sdb1 /pool data true unknown false",
        ]
    );
    assert_eq!(
        seen.0["configured"]["value"][5]["reason"],
        "it is not open; /etc/crypttab opens it"
    );
    // Another device is mounted there than the next boot takes.
    let other = tree()
        .with(|host| host.file("/etc/fstab", "/dev/sda3 /srv ext4 defaults\n"))
        .collect();
    let line = &other.0["configured"]["value"][0];
    assert_eq!(
        (&line["in_use"]["value"], &line["encryption"]),
        (&json!(false), &json!("not_encrypted"))
    );
    let outcome = |text: &str| {
        let seen = tree().with(|host| host.file("/etc/fstab", text)).collect();
        seen.0["configured"]["outcome"].clone()
    };
    assert_eq!(outcome("nonsense\n"), "malformed");
    assert_eq!(tree().collect().0["configured"]["outcome"], "absent");
    let denied = tree().with(|host| host.denied("/etc/fstab")).collect();
    assert_eq!(denied.0["configured"]["outcome"], "denied");
}

#[test]
fn hibernation_to_an_encrypted_and_to_a_clear_device() {
    let tree = |device: &str| {
        let resume = number(device);
        Tree::new()
            .disk("sda")
            .partition("sda1")
            .partition("sda2")
            .luks2("dm-0", "swap", "sda2")
            .mount("sda1", "ext4", "/")
            .with(|host| {
                host.file("/sys/power/state", "freeze mem disk\n")
                    .file("/sys/power/disk", "[platform] shutdown reboot\n")
                    .file("/sys/power/resume", format!("{resume}\n"))
                    .file("/proc/cmdline", "quiet resume=/dev/x resume=UUID=1 \n")
                    .file("/etc/initramfs-tools/conf.d/resume", "# c\nRESUME=none\n")
                    .file("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"resume=/dev/mapper/swap\"\n")
            })
            .collect()
    };
    let seen = tree("dm-0");
    let hibernation = &seen.0["hibernation"];
    assert_eq!(hibernation["possible"]["value"], true);
    assert_eq!(hibernation["resume_device"]["value"], "mapper/swap");
    assert_eq!(hibernation["encryption"], "encrypted");
    assert_eq!(
        hibernation["configured"]["value"],
        json!([{"place": "/etc/default/grub", "device": "/dev/mapper/swap"}, {"place": "/proc/cmdline", "device": "UUID=1"}])
    );
    assert_eq!(tree("sda2").0["hibernation"]["encryption"], "not_encrypted");
    let none = Tree::new().disk("sda").mount("sda", "ext4", "/");
    let none = none
        .with(|host| {
            host.file("/sys/power/state", "mem\n")
                .file("/sys/power/resume", "0:0\n")
        })
        .collect();
    assert_eq!(
        none.0["hibernation"],
        json!({"possible": {"outcome": "observed", "value": false}, "resume_device": {"outcome": "observed", "value": ""},
            "encryption": "unknown", "configured": {"outcome": "observed", "value": []}})
    );
}

#[test]
fn every_place_that_names_a_device_for_hibernation() {
    let tree =
        |change: fn(Captured) -> Captured| Tree::new().disk("sda").mount("sda", "ext4", "/").with(change).collect();
    let seen = tree(|host| {
        host.file(
            "/etc/default/grub.d/50-cloudimg-settings.cfg",
            "# c\nGRUB_CMDLINE_LINUX=\"console=tty1 resume=/dev/sda2\"\n",
        )
        .file("/etc/default/grub.d/notes", "resume=/dev/no\n")
        .file(
            "/boot/loader/entries/a.conf",
            "title A\noptions root=UUID=1 resume=UUID=2 quiet\n",
        )
        .file(
            "/boot/grub/grub.cfg",
            "menuentry 'x' {\n\tlinux\t/vmlinuz root=/dev/sda1 resume=/dev/sda3\n}\n",
        )
    });
    assert_eq!(
        seen.0["hibernation"]["configured"]["value"],
        json!([
            {"place": "/boot/grub/grub.cfg", "device": "/dev/sda3"},
            {"place": "/boot/loader/entries/a.conf", "device": "UUID=2"},
            {"place": "/etc/default/grub.d/50-cloudimg-settings.cfg", "device": "/dev/sda2"},
        ])
    );
    let denied = tree(|host| host.denied("/boot/grub/grub.cfg"));
    assert_eq!(denied.0["hibernation"]["configured"]["outcome"], "denied");
}

#[test]
fn filesystems_that_encrypt_themselves() {
    let zfs = "/usr/sbin/zfs get -H -t filesystem -o name,value encryption";
    let tree = || {
        Tree::new()
            .disk("sda")
            .mount("sda", "ext4", "/")
            .mount_line("0:60 / /tank rw - zfs tank rw,xattr")
            .mount_line("0:61 / /tank/clear rw - zfs tank/clear rw,xattr")
            .mount_line("0:62 / /home/alice rw - ecryptfs /home/.ecryptfs/alice rw,ecryptfs_sig=0,ecryptfs_cipher=aes,ecryptfs_key_bytes=16")
            .with(|host| {
                host.folder("/home/alice")
                    .folder("/secret")
                    .stat_of("/secret", stat(Kind::Folder, 0o700, Some(true)))
                    .folder("/.fscrypt/policies/1")
            })
    };
    let seen = tree()
        .with(|host| host.output(zfs, 0, "tank\taes-256-gcm\ntank/clear\toff\n", ""))
        .collect();
    assert_eq!(seen.encryption("zfs at /tank"), "encrypted");
    assert_eq!(
        seen.reason("zfs at /tank"),
        "encrypted by ZFS native encryption, aes-256-gcm"
    );
    assert_eq!(seen.encryption("zfs at /tank/clear"), "unknown");
    assert_eq!(seen.encryption("ecryptfs at /home/*"), "encrypted");
    let found = seen.0["file_encryption"].as_array().unwrap();
    let kinds: Vec<_> = found
        .iter()
        .map(|one| format!("{} {}", one["mount_point"], one["kind"]).replace('"', ""))
        .collect();
    assert_eq!(kinds, ["/ fscrypt", "/home/* ecryptfs", "/tank zfs"]);
    assert_eq!(
        (&found[0]["encrypted_folders"], &found[0]["policies"]["value"]),
        (&json!(["/secret"]), &json!(1))
    );
    assert_eq!(
        (&found[1]["cipher"], &found[1]["key_bits"]),
        (&json!("aes"), &json!(128))
    );
    assert_eq!(found[2]["cipher"], "aes-256-gcm");
    assert_eq!(
        seen.encryption("sda"),
        "not_encrypted",
        "folders encrypted by fscrypt do not make their volume so"
    );

    let denied = Tree::new()
        .disk("sda")
        .mount("sda", "ext4", "/srv")
        .with(|host| host.denied("/srv").denied("/etc/default/grub"))
        .collect();
    let srv = &denied.0["file_encryption"][0];
    assert_eq!(
        (&srv["not_looked_at"], &srv["looked_at"]),
        (&json!(2), &json!(0)),
        "/srv itself and what is in it"
    );
    assert_eq!(srv["policies"]["outcome"], "denied");
    assert_eq!(denied.0["hibernation"]["configured"]["outcome"], "denied");

    let untold = tree().collect();
    assert_eq!(untold.encryption("zfs at /tank"), "unknown", "no zfs program here");
    assert!(untold.unresolved() >= 2);
}

//! Hosts that hide something, are damaged or are made up: what is not known is said, and is never `encrypted`.

use proptest::prelude::*;
use serde_json::json;

use super::tree::{LUKS2, LUKS2_UUID, Tree, UNDER_WAY, UNDER_WAY_UUID, block_device, number, refused};
use crate::reading::captured::Captured;
use crate::registry::Registered;

fn luks2_uuid(mapping: &str) -> String {
    format!("CRYPT-LUKS2-{}-{mapping}", LUKS2_UUID.replace('-', ""))
}

fn one_layer() -> Tree {
    Tree::new()
        .disk("sda")
        .luks2("dm-0", "x", "sda")
        .mount("dm-0", "ext4", "/")
}

#[test]
fn without_access_to_the_device_the_mapping_still_tells() {
    let seen = one_layer()
        .with(|host| host.refused("/dev/sda", refused("/dev/sda")))
        .collect();
    assert_eq!(seen.encryption("mapper/x"), "encrypted");
    let header = &seen.layer("mapper/x")["header"];
    assert_eq!(
        (&header["outcome"], &header["detail"]),
        (&json!("denied"), &json!("/dev/sda: permission denied"))
    );
}

#[test]
fn headers_that_do_not_fit() {
    let header = |bytes: &[u8], encryption: &str| {
        let seen = one_layer().header("sda", bytes).collect();
        assert_eq!(seen.encryption("mapper/x"), encryption);
        seen.layer("mapper/x")["header"].clone()
    };
    // A name alone is not believed where the header should be and is not: detached, or made up.
    assert_eq!(header(&vec![7; 40_000], "unknown")["outcome"], "absent");
    let other = "/dev/sda: the LUKS header has another UUID than the mapping";
    assert_eq!(header(UNDER_WAY, "unknown")["detail"], other);
    let mut damaged = LUKS2.to_vec();
    damaged[5000] ^= 1;
    assert_eq!(header(&damaged, "encrypted")["value"]["copies"], "secondary_only");
    damaged[0x4000 + 5000] ^= 1;
    assert_eq!(header(&damaged, "encrypted")["outcome"], "malformed");
    assert_eq!(header(&LUKS2[..600], "encrypted")["outcome"], "malformed");
}

#[test]
fn a_device_being_encrypted_in_place_is_not_encrypted_yet() {
    let uuid = format!("CRYPT-LUKS2-{}-x", UNDER_WAY_UUID.replace('-', ""));
    let tree = Tree::new()
        .disk("sda")
        .mapped("dm-0", "x", &uuid, &["sda"])
        .mount("dm-0", "ext4", "/");
    assert_eq!(
        tree.clone().header("sda", UNDER_WAY).collect().encryption("mapper/x"),
        "not_encrypted"
    );
    // Running, and the header out of sight: the helper devices give it away.
    let running = Tree::new()
        .disk("sda")
        .mapped("dm-1", "x-hotzone-forward", "CRYPT-SUBDEV-x-hotzone-forward", &["sda"])
        .mapped("dm-0", "x", &uuid, &["dm-1"])
        .mount("dm-0", "ext4", "/");
    let seen = running.collect();
    assert_eq!((seen.encryption("mapper/x"), seen.unresolved()), ("unknown", 1));
}

#[test]
fn the_kernels_table_is_believed_over_a_name() {
    let with_table = |table: &str| {
        one_layer()
            .with(|host| host.output("/usr/sbin/dmsetup table", 0, table, ""))
            .collect()
    };
    let crypt = with_table("x: 0 100 crypt aes-xts-plain64 :64:logon:cryptsetup:1-d0 0 8:0 32768\n");
    assert_eq!(crypt.encryption("mapper/x"), "encrypted");
    assert_eq!(
        crypt.layer("mapper/x")["mapping"]["value"],
        json!([{"cipher": "aes-xts-plain64", "key_bits": 512, "integrity": ""}])
    );
    let part = format!("crypt aes-xts-plain64 00 0 8:0 0\nx: 100 9 linear {} 9", number("sda"));
    for clear in ["linear 8:0 0", "crypt cipher_null-ecb - 0 8:0 0", &part] {
        let seen = with_table(&format!("x: 0 100 {clear}\n"));
        assert_eq!(seen.encryption("mapper/x"), "not_encrypted", "{clear}");
        assert_eq!(seen.layer("mapper/x")["encryption"], "not_encrypted", "{clear}");
    }
    let elsewhere = with_table("x: 0 100 crypt aes-xts-plain64 00 0 8:0 0\nx: 100 9 linear 77:77 9\n");
    assert_eq!(elsewhere.encryption("mapper/x"), "unknown");
    let denied = one_layer().with(|host| {
        host.output(
            "/usr/sbin/dmsetup table",
            1,
            "",
            "/dev/mapper/control: open failed: Permission denied\n",
        )
    });
    let denied = denied.collect();
    assert_eq!(
        (
            denied.encryption("mapper/x"),
            &denied.layer("mapper/x")["mapping"]["outcome"]
        ),
        ("encrypted", &json!("denied"))
    );
}

#[test]
fn a_mapping_without_a_telling_name_is_unknown_until_its_table_is_read() {
    let tree = Tree::new()
        .disk("sda")
        .mapped("dm-0", "veracrypt1", "", &["sda"])
        .mount("dm-0", "ext4", "/");
    assert_eq!(tree.clone().collect().encryption("mapper/veracrypt1"), "unknown");
    let table = |table: &str| {
        let host =
            |host: Captured| host.output("/usr/sbin/dmsetup table", 0, &format!("veracrypt1: 0 9 {table}\n"), "");
        tree.clone().with(host).collect()
    };
    assert_eq!(table("linear 8:0 0").encryption("mapper/veracrypt1"), "not_encrypted");
    let seen = table("crypt aes-xts-plain64 00 256 8:0 256");
    assert_eq!(
        (
            seen.encryption("mapper/veracrypt1"),
            &seen.layer("mapper/veracrypt1")["kind"]
        ),
        ("encrypted", &json!("unnamed"))
    );
}

#[test]
fn opal_alone_is_not_called_encrypted() {
    let uuid = format!("CRYPT-LUKS2-OPAL-{}-x", LUKS2_UUID.replace('-', ""));
    let tree = Tree::new()
        .disk("sda")
        .mapped("dm-0", "x", &uuid, &["sda"])
        .mount("dm-0", "ext4", "/");
    assert_eq!(tree.clone().collect().encryption("mapper/x"), "unknown");
    assert_eq!(
        tree.header("sda", LUKS2).collect().encryption("mapper/x"),
        "encrypted",
        "dm-crypt above the drive's own"
    );
}

#[test]
fn a_container_does_not_see_its_disk() {
    let seen = Tree::new()
        .mount_line("0:50 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B,upperdir=/var/lib/docker/overlay2/1/diff,workdir=/w")
        .collect();
    assert_eq!(
        (seen.class("overlay at /"), seen.encryption("overlay at /")),
        ("data", "unknown")
    );
    assert!(!seen.all_encrypted() && seen.unresolved() == 1);
    // The folder exists in the container too, and is the container's own.
    let same = Tree::new()
        .with(|host| host.folder("/l").folder("/u"))
        .mount_line("0:50 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w")
        .collect();
    assert_eq!(same.encryption("overlay at /"), "unknown");
}

#[test]
fn filesystems_that_are_not_traced() {
    let seen = Tree::new()
        .disk("sda")
        .luks2("dm-0", "x", "sda")
        .mount("dm-0", "ext4", "/")
        .mount_line("0:70 / /tank rw - zfs tank rw")
        .mount_line("0:71 / /odd rw - newfs whatever rw")
        .collect();
    assert_eq!(
        (seen.encryption("zfs at /tank"), seen.encryption("newfs at /odd")),
        ("unknown", "unknown")
    );
    assert!(!seen.all_encrypted());
}

#[test]
fn sysfs_out_of_reach() {
    for path in [
        "/sys/dev/block",
        "/sys/class/block",
        "/sys/class/block/dm-0",
        "/sys/devices/virtual/block/dm-0/dm/uuid",
        "/sys/devices/virtual/block/dm-0/slaves",
    ] {
        let tree = Tree::new()
            .disk("sda")
            .volume("dm-0", "vg-x", &["sda"])
            .mount("dm-0", "ext4", "/");
        let seen = tree.with(|host| host.refused(path, refused(path))).collect();
        let volumes = seen.0["volumes"].as_array().unwrap();
        assert_eq!(
            (volumes.len(), &volumes[0]["encryption"]),
            (1, &json!("unknown")),
            "{path}"
        );
        assert!(
            volumes[0]["reason"].as_str().unwrap().contains("permission denied"),
            "{path}: {}",
            volumes[0]
        );
    }
    let bare = Tree::new().mount_line("8:1 / / rw - ext4 /dev/sda1 rw").collect();
    assert_eq!(bare.encryption("ext4 at /"), "unknown", "no such device in sysfs");
}

#[test]
fn mounts_out_of_reach() {
    let documents = |host: Captured| Registered::of::<crate::disk_encryption::DiskEncryptionProbe>().collect(&host);
    let outcome = |host: Captured| {
        let document = documents(host).remove(0);
        (document.outcome.as_str(), document.facts.is_some())
    };
    assert_eq!(outcome(Captured::default()), ("absent", false));
    let denied = Captured::default()
        .denied("/proc/1/mountinfo")
        .denied("/proc/self/mountinfo");
    assert_eq!(outcome(denied), ("denied", false));
    // A sandbox that hides process 1.
    let own = Captured::default()
        .denied("/proc/1/mountinfo")
        .file("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
    assert_eq!(documents(own)[0].facts.as_ref().unwrap()["mounts_seen_by"], "agent");
}

#[test]
fn swap_that_was_not_read_may_be_there() {
    for (swaps, masked) in [(Some(""), false), (Some("nonsense\n"), false), (None, true)] {
        let mut tree = one_layer().swaps(swaps);
        if masked {
            tree = tree.with(|host| host.refused("/proc/swaps", refused("/proc/swaps")));
        }
        let seen = tree.collect();
        assert_eq!((seen.class("swap"), seen.encryption("swap")), ("swap", "unknown"));
        assert!(!seen.all_encrypted());
    }
    let hidden = one_layer()
        .swaps(None)
        .with(|host| host.refused("/proc/version", refused("/proc/version")));
    assert_eq!(
        hidden.collect().reason("swap"),
        "/proc/swaps is hidden: /proc shows processes only"
    );
    let none = one_layer().swaps(None).collect();
    assert!(none.all_encrypted(), "a kernel without swap has no such file");
}

#[test]
fn a_mount_that_was_not_understood_may_hold_anything() {
    let seen = one_layer().mount_line("not a mount").collect();
    assert_eq!(seen.encryption("mounts in /proc/1/mountinfo"), "unknown");
    assert!(seen.reason("mounts in /proc/1/mountinfo").ends_with("line 6"));
    assert!(!seen.all_encrypted());
}

#[test]
fn devices_in_a_circle() {
    let seen = Tree::new()
        .mapped("dm-0", "a", &luks2_uuid("a"), &["dm-1"])
        .mapped("dm-1", "b", "LVM-b", &["dm-0"])
        .mount("dm-0", "ext4", "/")
        .collect();
    assert_eq!((seen.encryption("mapper/a"), seen.unresolved()), ("unknown", 1));
}

#[test]
fn network_and_bare_devices_are_unknown() {
    let seen = Tree::new()
        .other("nbd0", &[])
        .other("odd0", &[])
        .mount("nbd0", "ext4", "/")
        .mount("odd0", "ext4", "/srv")
        .collect();
    assert_eq!(
        (seen.encryption("nbd0"), seen.encryption("odd0")),
        ("unknown", "unknown")
    );
}

#[test]
fn hostile_names_stay_names() {
    let seen = Tree::new()
        .disk("sda")
        .mapped("dm-0", "../../etc\"}", "LVM-x", &["sda"])
        .mount("dm-0", "ext4", "/mnt/\\012\\042\\134x")
        .with(|host| host.link("/sys/dev/block/9:9", "../..").link("/sys/dev/block/9:8", ""))
        .mount_line("9:9 / /bad rw - ext4 /dev/x rw")
        .mount_line("9:8 / /worse rw - ext4 /dev/y rw")
        .collect();
    assert_eq!(
        seen.volume("mapper/../../etc\"}")["mount_points"],
        json!(["/mnt/\n\"\\x"])
    );
    assert_eq!(
        (seen.encryption("ext4 at /bad"), seen.encryption("ext4 at /worse")),
        ("unknown", "unknown")
    );
}

#[test]
fn people_are_not_named() {
    let mut documents = Tree::new()
        .disk("sda")
        .luks2("dm-0", "home-alice", "sda")
        .mount("dm-0", "ext4", "/home/alice")
        .mount_line("0:80 / /home/bob/net rw - nfs4 server:/bob rw")
        .documents();
    let (facts, names) = (documents.remove(0), documents.remove(0));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (facts, names) = (text(facts.to_bytes().unwrap()), text(names.to_bytes().unwrap()));
    assert!(!facts.contains("alice") && !facts.contains("bob"), "{facts}");
    assert!(names.contains("/home/alice") && names.contains("mapper/home-alice") && names.contains("/home/bob/net"));
}

#[test]
fn ten_thousand_mounts() {
    let mut tree = Tree::new()
        .disk("sda")
        .luks2("dm-0", "x", "sda")
        .mount("dm-0", "ext4", "/");
    for index in 0..10_000 {
        tree = tree.mount("dm-0", "ext4", &format!("/srv/{index}"));
        if index % 10 == 0 {
            tree = tree.mount_line(&format!("0:{} / /net/{index} rw - nfs4 s:/{index} rw", 1000 + index));
        }
    }
    let seen = tree.collect();
    assert_eq!(seen.0["volumes"].as_array().unwrap().len(), 1001);
    assert_eq!(
        seen.volume("mapper/x")["mount_points"].as_array().unwrap().len(),
        10_001
    );
}

#[test]
fn other_names_of_a_device() {
    let seen = Tree::new()
        .disk("sda")
        .with(|host| {
            host.file("/dev/vg/swap", "")
                .stat_of("/dev/vg/swap", block_device())
                .link("/sys/dev/block/0:0", "../../devices/pci0000:00/0000:00:02.0/block/sda")
        })
        .swap("/dev/vg/swap", "partition")
        .swap("/dev/gone", "partition")
        .collect();
    assert_eq!(seen.encryption("sda"), "not_encrypted");
    assert_eq!(seen.encryption("/dev/gone"), "unknown");
}

proptest! {
    /// Whatever the kernel's files hold: no panic, facts within the format, and nothing encrypted without a layer.
    #[test]
    fn any_content_of_sysfs_is_read(
        texts in proptest::collection::vec("(CRYPT-LUKS2-|LVM-|/dev/|/|none|1|)[ -~\\n]{0,12}|.{0,8}", 6),
        slaves in proptest::collection::vec(0usize..5, 0..4),
    ) {
        const DEVICES: [&str; 5] = ["sda", "sda1", "dm-0", "loop0", "zram0"];
        let slaves: Vec<_> = slaves.iter().map(|index| DEVICES[*index]).collect();
        let [uuid, name, file, backing, size, swap] = texts.as_slice() else { unreachable!() };
        let seen = Tree::new()
            .disk("sda")
            .partition("sda1")
            .mapped("dm-0", name, uuid, &slaves)
            .other("loop0", &[("loop/backing_file", file), ("size", size)])
            .other("zram0", &[("backing_dev", backing)])
            .mount("dm-0", "ext4", "/")
            .mount("loop0", "btrfs", "/srv")
            .swap("/dev/zram0", "partition")
            .swap(&swap.replace(char::is_whitespace, "_"), "partition")
            .documents();
        for document in &seen {
            document.to_bytes().unwrap();
        }
        if let Some(facts) = &seen[0].facts {
            for volume in facts["volumes"].as_array().unwrap() {
                prop_assert!(volume["encryption"] != "encrypted" || volume["encrypted_by"] != json!([]));
            }
        }
    }
}

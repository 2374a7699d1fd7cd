//! Stacks that people build.

use serde_json::json;

use super::tree::{LUKS1, LUKS1_UUID, Tree};

/// The Debian installer's "encrypted LVM": boot in the clear, the rest in LVM on LUKS.
fn debian() -> Tree {
    Tree::new()
        .disk("sda")
        .partition("sda1")
        .partition("sda2")
        .partition("sda5")
        .luks2("dm-0", "sda5_crypt", "sda5")
        .volume("dm-1", "vg-root", &["dm-0"])
        .volume("dm-2", "vg-swap_1", &["dm-0"])
        .mount("dm-1", "ext4", "/")
        .mount("sda2", "ext4", "/boot")
        .mount("sda1", "vfat", "/boot/efi")
        .swap("/dev/dm-2", "partition")
}

#[test]
fn lvm_on_luks() {
    let seen = debian().collect();
    assert_eq!(seen.encryption("mapper/vg-root"), "encrypted");
    assert_eq!(
        seen.reason("mapper/vg-root"),
        "every way to a disk crosses mapper/sda5_crypt"
    );
    assert_eq!(
        (seen.class("mapper/vg-swap_1"), seen.encryption("mapper/vg-swap_1")),
        ("swap", "encrypted")
    );
    assert_eq!((seen.class("sda2"), seen.encryption("sda2")), ("boot", "not_encrypted"));
    assert_eq!((seen.class("sda1"), seen.encryption("sda1")), ("efi", "not_encrypted"));
    assert!(seen.all_encrypted() && seen.unresolved() == 0);
    let layer = seen.layer("mapper/sda5_crypt");
    assert_eq!(
        (&layer["kind"], &layer["header_device"]),
        (&json!("luks2"), &json!("sda5"))
    );
    assert_eq!(
        layer["header"]["value"]["ciphers"][0],
        json!({"cipher": "aes-xts-plain64", "key_bits": 512, "integrity": ""})
    );
    assert_eq!(layer["mapping"]["outcome"], "absent", "no dmsetup here");
    assert_eq!(seen.0["disks"][0]["model"], "Model X");
    assert_eq!(seen.0["other_filesystems"].as_array().unwrap().len(), 4);
}

#[test]
fn same_host_same_bytes() {
    let bytes = || debian().documents().remove(0).to_bytes().unwrap();
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_plain_partition_is_not_encrypted() {
    let seen = Tree::new()
        .disk("sda")
        .partition("sda1")
        .mount("sda1", "ext4", "/")
        .collect();
    assert_eq!(seen.encryption("sda1"), "not_encrypted");
    assert_eq!(seen.volume("sda1")["clear_path"], json!(["sda1", "sda"]));
}

#[test]
fn luks_on_lvm_and_on_a_whole_disk() {
    let seen = Tree::new()
        .disk("sda")
        .disk("sdb")
        .volume("dm-0", "vg-crypt", &["sda"])
        .luks2("dm-1", "home", "dm-0")
        .luks2("dm-2", "srv", "sdb")
        .mount("dm-1", "xfs", "/")
        .mount("dm-2", "xfs", "/srv")
        .collect();
    assert_eq!(
        (seen.encryption("mapper/home"), seen.encryption("mapper/srv")),
        ("encrypted", "encrypted")
    );
    assert_eq!(seen.layer("mapper/home")["header_device"], "mapper/vg-crypt");
}

#[test]
fn luks1_and_its_header() {
    let uuid = format!("CRYPT-LUKS1-{}-old", LUKS1_UUID.replace('-', ""));
    let seen = Tree::new()
        .disk("sda")
        .mapped("dm-0", "old", &uuid, &["sda"])
        .header("sda", LUKS1)
        .mount("dm-0", "ext4", "/")
        .collect();
    assert_eq!(seen.encryption("mapper/old"), "encrypted");
    let header = &seen.layer("mapper/old")["header"]["value"];
    assert_eq!((&header["version"], &header["uuid"]), (&json!(1), &json!(LUKS1_UUID)));
    assert_eq!(header["keyslots"][0]["hash"], "sha256");
}

#[test]
fn raid_with_one_clear_leg_is_not_encrypted() {
    let legs = |second: &str| {
        Tree::new()
            .disk("sda")
            .disk("sdb")
            .luks2("dm-0", "a", "sda")
            .luks2("dm-1", "b", "sdb")
            .raid("md0", "raid1", &["dm-0", second])
            .mount("md0", "ext4", "/")
            .collect()
    };
    assert_eq!(legs("dm-1").encryption("md0"), "encrypted");
    let seen = legs("sdb");
    assert_eq!(seen.encryption("md0"), "not_encrypted");
    assert_eq!(seen.volume("md0")["clear_path"], json!(["md0", "sdb"]));
    assert_eq!(seen.volume("md0")["disks"], json!(["sda", "sdb"]));
    assert_eq!(
        seen.0["devices"]
            .as_array()
            .unwrap()
            .iter()
            .find(|device| device["name"] == "md0")
            .unwrap()["variant"],
        "raid1"
    );
}

/// What others are fooled by: an encrypted loop device, or a line in crypttab, beside a clear root.
#[test]
fn encryption_elsewhere_does_not_help() {
    let seen = Tree::new()
        .disk("sda")
        .partition("sda1")
        .mount("sda1", "ext4", "/")
        .loop_over("loop0", "/var/decoy.img")
        .luks2("dm-0", "decoy", "loop0")
        .mount("dm-0", "ext4", "/mnt/decoy")
        .with(|host| host.file("/etc/crypttab", "sda1_crypt UUID=1234 none luks\n"))
        .collect();
    assert_eq!(seen.encryption("sda1"), "not_encrypted");
    assert_eq!(seen.encryption("mapper/decoy"), "encrypted");
    assert!(!seen.all_encrypted());
}

#[test]
fn a_loop_device_is_as_encrypted_as_the_file_behind_it() {
    let tree = |root: &str| {
        Tree::new()
            .disk("sda")
            .luks2("dm-0", "crypt", "sda")
            .disk("sdb")
            .mount(root, "ext4", "/")
            .loop_over("loop0", "/var/image")
            .mount("loop0", "ext4", "/mnt/image")
            .collect()
    };
    assert_eq!(tree("dm-0").encryption("loop0"), "encrypted");
    let seen = tree("sdb");
    assert_eq!(seen.volume("loop0")["clear_path"], json!(["loop0", "sdb"]));
    let deleted = Tree::new()
        .disk("sdb")
        .mount("sdb", "ext4", "/")
        .other("loop0", &[("loop/backing_file", "/x (deleted)")]);
    assert_eq!(
        deleted.mount("loop0", "ext4", "/mnt").collect().encryption("loop0"),
        "unknown"
    );
}

#[test]
fn btrfs_over_two_devices_with_one_clear() {
    let uuid = "a003b85e-42f7-4ef8-9b71-711bd82a95ed";
    let tree = |second: &str, source: &str| {
        let devices = format!("/sys/fs/btrfs/{uuid}/devices");
        Tree::new()
            .disk("sda")
            .disk("sdb")
            .luks2("dm-0", "a", "sda")
            .luks2("dm-1", "b", "sdb")
            .with(|host| {
                host.link(&format!("{devices}/dm-0"), "../../../../devices/virtual/block/dm-0")
                    .link(&format!("{devices}/{second}"), "../../../../devices/x")
                    .folder("/sys/fs/btrfs/features")
            })
            .mount_line(&format!("0:27 /@rootfs / rw - btrfs {source} rw,subvol=/@rootfs"))
            .mount_line(&format!("0:27 /@home /home rw - btrfs {source} rw,subvol=/@home"))
            .collect()
    };
    for source in ["/dev/mapper/a", "/dev/dm-0", "/dev/root"] {
        let seen = tree("dm-1", source);
        assert_eq!(seen.encryption("mapper/a"), "encrypted", "{source}");
        assert_eq!(seen.volume("mapper/a")["devices"], json!(["mapper/a", "mapper/b"]));
        assert_eq!(seen.volume("mapper/a")["mount_points"], json!(["/", "/home"]));
        assert_eq!(
            tree("sdb", source).volume("mapper/a")["clear_path"],
            json!(["sdb"]),
            "{source}"
        );
    }
}

#[test]
fn swap_files_lie_on_filesystems() {
    let tree = |root: &str| {
        Tree::new()
            .disk("sda")
            .disk("sdb")
            .luks2("dm-0", "crypt", "sda")
            .mount(root, "ext4", "/")
            .swap("/swap\\040file", "file")
            .collect()
    };
    assert_eq!(tree("dm-0").encryption("/swap file"), "encrypted");
    let seen = tree("sdb");
    assert_eq!(
        (seen.class("/swap file"), seen.encryption("/swap file")),
        ("swap", "not_encrypted")
    );
}

#[test]
fn swap_with_a_random_key_has_no_header() {
    let seen = Tree::new()
        .disk("sda")
        .mapped("dm-0", "cswap", "CRYPT-PLAIN-cswap", &["sda"])
        .swap("/dev/dm-0", "partition")
        .collect();
    assert_eq!(seen.encryption("mapper/cswap"), "encrypted");
    let layer = seen.layer("mapper/cswap");
    assert_eq!(
        (&layer["kind"], &layer["header"]["outcome"]),
        (&json!("plain"), &json!("unsupported"))
    );
}

#[test]
fn swap_in_memory_is_told_apart_unless_it_spills() {
    let zram = |backing: &str| {
        Tree::new()
            .disk("sda")
            .other("zram0", &[("backing_dev", backing)])
            .swap("/dev/zram0", "partition")
            .collect()
    };
    assert_eq!(zram("none").class("zram0"), "memory");
    assert_eq!(zram("none").unresolved(), 0);
    let seen = zram("/dev/sda");
    assert_eq!(
        (seen.class("zram0"), seen.encryption("zram0")),
        ("swap", "not_encrypted")
    );
}

#[test]
fn classes_that_a_rule_can_leave_out() {
    let seen = Tree::new()
        .disk("sda")
        .luks2("dm-0", "root", "sda")
        .mount("dm-0", "ext4", "/")
        .loop_over("loop3", "/var/lib/snapd/snaps/core.snap")
        .mount("loop3", "squashfs", "/snap/core/1")
        .mount_line("0:60 / /srv rw - nfs4 server:/srv rw,vers=4.2")
        .mount_line("0:61 / /mnt/share rw - virtiofs share rw")
        .collect();
    assert_eq!(seen.class("loop3"), "read_only_media");
    assert_eq!(
        (seen.class("nfs4 at /srv"), seen.encryption("nfs4 at /srv")),
        ("remote", "unknown")
    );
    assert_eq!(seen.class("virtiofs at /mnt/share"), "remote");
    assert_eq!(seen.unresolved(), 0, "what lies elsewhere is told by its class");
}

#[test]
fn integrity_and_verity_are_no_encryption() {
    let seen = Tree::new()
        .disk("sda")
        .mapped("dm-0", "v", "CRYPT-VERITY-0123-v", &["sda"])
        .mapped("dm-1", "i", "CRYPT-INTEGRITY-i", &["sda"])
        .mapped("dm-2", "m", "mpath-3600", &["sda"])
        .mount("dm-0", "ext4", "/")
        .mount("dm-1", "ext4", "/srv")
        .mount("dm-2", "ext4", "/opt")
        .collect();
    for name in ["mapper/v", "mapper/i", "mapper/m"] {
        assert_eq!(seen.encryption(name), "not_encrypted", "{name}");
    }
}

#[test]
fn luks2_with_integrity_has_its_header_one_device_lower() {
    let seen = Tree::new()
        .disk("sda")
        .mapped("dm-0", "x_dif", "CRYPT-SUBDEV-x_dif", &["sda"])
        .luks2("dm-1", "x", "dm-0")
        .header("dm-0", &[0; 512])
        .header("sda", super::tree::LUKS2)
        .mount("dm-1", "ext4", "/")
        .collect();
    assert_eq!(
        (seen.encryption("mapper/x"), &seen.layer("mapper/x")["header_device"]),
        ("encrypted", &json!("sda"))
    );
}

#[test]
fn an_overlay_shows_the_volumes_below_it() {
    let layers = "lowerdir=/var/l/L1:/var/l/L2,upperdir=/var/u,workdir=/var/w";
    let seen = Tree::new()
        .disk("sda")
        .mount("sda", "ext4", "/")
        .with(|host| {
            host.folder("/var/o/1")
                .folder("/var/o/2")
                .folder("/var/u")
                .link("/var/l/L1", "../o/1")
                .link("/var/l/L2", "../o/2")
        })
        .mount_line(&format!("0:44 / /var/merged rw - overlay overlay rw,{layers}"))
        .collect();
    assert_eq!(seen.0["volumes"].as_array().unwrap().len(), 1);
    assert!(
        seen.0["other_filesystems"]
            .as_array()
            .unwrap()
            .contains(&json!({"filesystem": "overlay", "class": "virtual"}))
    );
}

//! Folders that a real filesystem encrypts: ext4 on a loop device, with the kernel's own calls
//! (fscrypt(8) would leave its configuration behind). Needs root, and from Debian: e2fsprogs mount python3.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::Command;

use affiant_agent::machine::{Deadline, Machine};
use serde_json::Value;

/// `FS_IOC_ADD_ENCRYPTION_KEY` and `FS_IOC_SET_ENCRYPTION_POLICY` (the kernel's `Documentation/filesystems/fscrypt.rst`).
const ENCRYPT: &str = "
import fcntl, os, struct, sys
mount, folder = sys.argv[1:]
key = bytearray(struct.pack('=II32sII32s', 2, 0, b'', 64, 0, b'') + bytes([7]) * 64)
fcntl.ioctl(os.open(mount, os.O_RDONLY), 0xc0506617, key, True)
policy = struct.pack('=BBBBB3s16s', 2, 1, 4, 2, 0, b'', bytes(key[8:24]))
fcntl.ioctl(os.open(folder, os.O_RDONLY), 0x800c6613, policy)
";

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install it: apt-get install e2fsprogs mount python3"));
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A mounted filesystem, gone with this value.
struct Mounted(PathBuf);

impl Mounted {
    fn new(folder: &Path) -> Self {
        let (image, point) = (folder.join("image"), folder.join("point"));
        std::fs::create_dir(&point).unwrap();
        std::fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
        run(
            "/sbin/mkfs.ext4",
            &["-q", "-F", "-O", "encrypt", image.to_str().unwrap()],
        );
        run(
            "/bin/mount",
            &["-o", "loop", image.to_str().unwrap(), point.to_str().unwrap()],
        );
        Self(point)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("/bin/umount").arg(&self.0).status();
    }
}

fn seen(point: &str) -> Option<Value> {
    let all = probes::registry::all();
    let probe = all.iter().find(|probe| probe.spec.id == "disk-encryption").unwrap();
    let host = Machine::own().host(probe.spec, Deadline::within(60_000));
    let document = probe.collect(&host).remove(0);
    let facts = document.facts.unwrap_or_else(|| panic!("{}", document.detail));
    let found = facts["file_encryption"].as_array().unwrap();
    found.iter().find(|one| one["mount_point"] == point).cloned()
}

#[test]
fn encrypted_folders_are_seen_and_others_not() {
    let temp = tempfile::tempdir().unwrap();
    let mounted = Mounted::new(temp.path());
    let point = mounted.0.to_str().unwrap().to_owned();
    for name in ["clear", "secret", "clear/below"] {
        std::fs::create_dir(mounted.path(name)).unwrap();
    }
    assert_eq!(seen(&point), None);

    run("/usr/bin/python3", &["-c", ENCRYPT, &point, &mounted.path("secret")]);

    let found = seen(&point).expect("the filesystem encrypts a folder");
    assert_eq!(found["kind"], "fscrypt");
    assert_eq!(found["encrypted_folders"], serde_json::json!([mounted.path("secret")]));
    assert_eq!(found["encrypted_count"], 1);
    // Those are files of fscrypt(8), which was not used.
    assert_eq!(found["policies"]["outcome"], "absent");
}

//! disk-encryption against the real thing: headers that cryptsetup wrote, compared with what cryptsetup says of them,
//! and this machine's own mounts, compared with findmnt and lsblk.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use probes::disk_encryption::luks::{self, HeaderError, Medium};
use probes::disk_encryption::{HeaderCopies, LuksHeader};
use probes::reading::Unread;
use probes::registry;
use serde_json::{Value, json};

mod machine;

use machine::{Machine, authority};

struct File(Vec<u8>);

impl Medium for File {
    fn bytes_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Unread> {
        let from = usize::try_from(offset).unwrap().min(self.0.len());
        Ok(self.0[from..(from + length).min(self.0.len())].to_vec())
    }
}

fn read(path: &Path) -> Result<Option<LuksHeader>, HeaderError> {
    luks::read(&File(fs::read(path).unwrap()))
}

fn cryptsetup(args: &[&str], input: &str) -> String {
    let output = authority("cryptsetup-bin", "cryptsetup", args, input.as_bytes());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cryptsetup {args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// An image with a header; quick, since nobody is to be kept out.
fn format(folder: &Path, name: &str, args: &[&str]) -> PathBuf {
    let path = folder.join(name);
    fs::File::create(&path).unwrap().set_len(40 << 20).unwrap();
    let quick = ["--batch-mode", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
    let ends = [path.to_str().unwrap(), "-"];
    cryptsetup(&[&["luksFormat"], quick.as_slice(), args, &ends].concat(), "secret");
    path
}

fn assert_same_as_dump(path: &Path) -> LuksHeader {
    let text = path.to_str().unwrap();
    let header = read(path).unwrap().unwrap();
    let dump: Value = serde_json::from_str(&cryptsetup(&["luksDump", "--dump-json-metadata", text], "")).unwrap();
    assert_eq!(format!("{}\n", header.uuid), cryptsetup(&["luksUUID", text], ""));
    assert_eq!((header.version, header.copies), (2, HeaderCopies::Both));
    assert_eq!(json!(header.ciphers[0].cipher), dump["segments"]["0"]["encryption"]);
    assert_eq!(json!(header.ciphers[0].key_bits / 8), dump["keyslots"]["0"]["key_size"]);
    assert_eq!((header.ciphers.len(), header.clear_segments), (1, 0));
    assert_eq!(header.keyslots.len(), dump["keyslots"].as_object().unwrap().len());
    for slot in &header.keyslots {
        let theirs = &dump["keyslots"][slot.number.to_string()];
        let kdf = &theirs["kdf"];
        assert_eq!((&json!(slot.kind), &json!(slot.kdf)), (&theirs["type"], &kdf["type"]));
        if slot.kdf == "pbkdf2" {
            assert_eq!(
                (&json!(slot.iterations), &json!(slot.hash)),
                (&kdf["iterations"], &kdf["hash"])
            );
        } else {
            assert_eq!(
                (&json!(slot.iterations), &json!(slot.memory_kib)),
                (&kdf["time"], &kdf["memory"])
            );
        }
    }
    assert_eq!(header.tokens.len(), dump["tokens"].as_object().unwrap().len());
    for token in &header.tokens {
        assert_eq!(json!(token.kind), dump["tokens"][token.number.to_string()]["type"]);
    }
    header
}

#[test]
fn luks2_headers_read_as_cryptsetup_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let variants = [
        ("plain", ""),
        ("cbc", "--cipher aes-cbc-essiv:sha256 --key-size 128"),
        ("label", "--label label --subsystem ours --sector-size 512"),
    ];
    for (name, args) in variants {
        let args: Vec<_> = "--type luks2".split(' ').chain(args.split_whitespace()).collect();
        assert_same_as_dump(&format(folder.path(), name, &args));
    }
}

#[test]
fn key_slots_and_tokens_read_as_cryptsetup_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let args = "--type luks2 --luks2-metadata-size 1m --luks2-keyslots-size 8m";
    let path = format(folder.path(), "large", &args.split(' ').collect::<Vec<_>>());
    let (image, key) = (path.to_str().unwrap(), folder.path().join("key"));
    fs::write(&key, "another").unwrap();
    let quick = "--batch-mode --pbkdf argon2id --pbkdf-force-iterations 4 --pbkdf-memory 64 --key-file -";
    let add: Vec<_> = ["luksAddKey"]
        .into_iter()
        .chain(quick.split(' '))
        .chain([image, key.to_str().unwrap()])
        .collect();
    for _ in 0..3 {
        cryptsetup(&add, "secret");
    }
    cryptsetup(&["token", "add", "--key-description", "ours", image], "");
    let tpm2 = json!({
        "type": "systemd-tpm2", "keyslots": ["1"], "tpm2-blob": "AAAA", "tpm2-pcrs": [11, 7],
        "tpm2-pcr-bank": "sha256", "tpm2-policy-hash": "0011", "tpm2-pin": true,
    });
    cryptsetup(&["token", "import", "--json-file", "-", image], &tpm2.to_string());
    let signed = json!({
        "type": "systemd-tpm2", "keyslots": ["2"], "tpm2-blob": "AAAA", "tpm2-pcrs": [], "tpm2-pcr-bank": "sha256",
        "tpm2-policy-hash": "0011", "tpm2_pubkey_pcrs": [11], "tpm2_pubkey": "AAAA",
    });
    cryptsetup(&["token", "import", "--json-file", "-", image], &signed.to_string());
    let fido2 = json!({
        "type": "systemd-fido2", "keyslots": ["2"], "fido2-credential": "AAAA", "fido2-salt": "AAAA",
        "fido2-rp": "io.systemd.cryptsetup", "fido2-clientPin-required": true, "fido2-up-required": true,
    });
    cryptsetup(&["token", "import", "--json-file", "-", image], &fido2.to_string());
    // {"alg":"ECDH-ES","clevis":{"pin":"tang","tang":{"url":"http://t"}},"enc":"A256GCM"}
    let head = "eyJhbGciOiJFQ0RILUVTIiwiY2xldmlzIjp7InBpbiI6InRhbmciLCJ0YW5nIjp7InVybCI6Imh0dHA6Ly90In19LCJlbmMiOiJBMjU2R0NNIn0";
    let clevis = json!({"type": "clevis", "keyslots": ["3"], "jwe": {"ciphertext": "", "protected": head, "tag": ""}});
    cryptsetup(&["token", "import", "--json-file", "-", image], &clevis.to_string());
    let header = assert_same_as_dump(&path);
    assert_eq!(header.keyslots.len(), 4);
    let [keyring, tpm2, signed, fido2, clevis] = header.tokens.as_slice() else {
        panic!("{:?}", header.tokens)
    };
    assert_eq!((keyring.kind.as_str(), keyring.tpm2_pin), ("luks2-keyring", false));
    assert_eq!(
        (tpm2.keyslots.as_slice(), tpm2.tpm2_pcrs.as_slice()),
        ([1].as_slice(), [7, 11].as_slice())
    );
    assert!(tpm2.tpm2_pin && !fido2.tpm2_pin);
    assert_eq!(
        (signed.tpm2_signed_pcrs.as_slice(), signed.tpm2_pcrs.as_slice()),
        ([11].as_slice(), [].as_slice())
    );
    assert!(fido2.fido2_pin && !clevis.fido2_pin);
    assert_eq!((clevis.clevis_pin.as_str(), tpm2.clevis_pin.as_str()), ("tang", ""));
}

#[test]
fn luks1_headers_read_as_cryptsetup_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let variants: [(&str, &[&str]); 3] = [
        ("plain", &["--type", "luks1", "--hash", "sha512"]),
        (
            "cbc",
            &[
                "--type",
                "luks1",
                "--cipher",
                "aes-cbc-essiv:sha256",
                "--key-size",
                "128",
            ],
        ),
        ("slot", &["--type", "luks1", "--key-slot", "5"]),
    ];
    for (name, args) in variants {
        let path = format(folder.path(), name, args);
        let header = read(&path).unwrap().unwrap();
        let dump = cryptsetup(&["luksDump", path.to_str().unwrap()], "");
        let field = |field: &str| {
            let line = dump.lines().find(|line| line.starts_with(field)).unwrap();
            line.split_once(':').unwrap().1.trim().to_owned()
        };
        assert_eq!((header.version, header.copies), (1, HeaderCopies::Single));
        assert_eq!(header.uuid, field("UUID"));
        assert_eq!(
            header.ciphers[0].cipher,
            format!("{}-{}", field("Cipher name"), field("Cipher mode"))
        );
        assert_eq!(header.ciphers[0].key_bits.to_string(), field("MK bits"));
        let enabled: Vec<_> = (0..8)
            .filter(|slot| field(&format!("Key Slot {slot}")) == "ENABLED")
            .collect();
        assert_eq!(
            header.keyslots.iter().map(|slot| slot.number).collect::<Vec<_>>(),
            enabled,
            "{name}"
        );
        assert!(
            header
                .keyslots
                .iter()
                .all(|slot| slot.hash == field("Hash spec") && slot.iterations == 1000)
        );
    }
}

/// A device that is being encrypted in place has a LUKS2 header and a mapping named LUKS2, and holds clear data.
#[test]
fn encryption_under_way_is_not_encryption() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    fs::File::create(&path).unwrap().set_len(40 << 20).unwrap();
    let quick = [
        "--batch-mode",
        "--type",
        "luks2",
        "--pbkdf",
        "pbkdf2",
        "--pbkdf-force-iterations",
        "1000",
    ];
    let start = [
        "reencrypt",
        "--encrypt",
        "--init-only",
        "--reduce-device-size",
        "16M",
        "--key-file",
        "-",
    ];
    cryptsetup(
        &[start.as_slice(), &quick, &[path.to_str().unwrap()]].concat(),
        "secret",
    );
    let header = read(&path).unwrap().unwrap();
    assert!(header.reencryption && header.clear_segments > 0, "{header:?}");
    assert_eq!(header.requirements, ["online-reencrypt-v2"]);
}

/// cryptsetup writes the null cipher while it changes a LUKS1 device and for tests.
#[test]
fn the_null_cipher_is_not_encryption() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "image", &["--type", "luks2"]);
    let mut bytes = fs::read(&path).unwrap();
    for copy in [0, 0x4000] {
        let header = &mut bytes[copy..copy + 0x4000];
        let json = String::from_utf8(header[4096..].to_vec()).unwrap();
        let (before, segments) = json.split_once("\"segments\"").unwrap();
        let segments = segments.replacen("aes-xts-plain64", "cipher_null-ecb", 1);
        header[4096..].copy_from_slice(format!("{before}\"segments\"{segments}").as_bytes());
        header[448..512].fill(0);
        let checksum = evidence::Digest::of(header);
        header[448..480].copy_from_slice(checksum.as_bytes());
    }
    let header = luks::read(&File(bytes)).unwrap().unwrap();
    assert_eq!(header.ciphers[0].cipher, "cipher_null-ecb");
    assert_eq!((header.clear_segments, header.copies), (1, HeaderCopies::Both));
}

#[test]
fn damage_is_seen_and_the_other_copy_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "image", &["--type", "luks2"]);
    let sound = fs::read(&path).unwrap();
    let damaged = |places: &[usize]| {
        let mut bytes = sound.clone();
        for place in places {
            bytes[*place] ^= 1;
        }
        luks::read(&File(bytes)).map(|header| header.unwrap().copies)
    };
    let (json, second) = (5000, 0x4000);
    assert_eq!(damaged(&[]), Ok(HeaderCopies::Both));
    assert_eq!(damaged(&[json]), Ok(HeaderCopies::SecondaryOnly));
    assert_eq!(damaged(&[0]), Ok(HeaderCopies::SecondaryOnly), "magic bytes gone");
    assert_eq!(damaged(&[second + json]), Ok(HeaderCopies::PrimaryOnly));
    assert!(matches!(
        damaged(&[json, second + json]),
        Err(HeaderError::Malformed(_))
    ));
    // Whatever single bit of the header falls over, what is told stays the truth.
    for place in (0..second).step_by(97) {
        assert!(damaged(&[place]).is_ok(), "bit at {place}");
    }
}

fn collect() -> Value {
    let probe = registry::all()
        .into_iter()
        .find(|probe| probe.spec.id == "disk-encryption")
        .unwrap();
    let documents = probe.collect(&Machine::this());
    assert_eq!(documents[0].outcome.as_str(), "observed", "{}", documents[0].detail);
    if std::env::var_os("SHOW").is_some() {
        println!("{}", serde_json::to_string_pretty(&documents).unwrap());
    }
    documents[0].facts.clone().unwrap()
}

/// Every filesystem on a block device that findmnt lists is a volume, on the device that lsblk says, above the disks
/// that lsblk says.
#[test]
fn this_machine_as_findmnt_and_lsblk_see_it() {
    let facts = collect();
    let findmnt = ["--json", "--list", "--real", "--output", "TARGET,FSTYPE,MAJ:MIN"];
    let output = authority("mount", "findmnt", &findmnt, b"");
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let volumes = facts["volumes"].as_array().unwrap();
    for mount in theirs["filesystems"].as_array().unwrap() {
        let device = mount["maj:min"].as_str().unwrap();
        if device.starts_with("0:") {
            continue;
        }
        let target = &mount["target"];
        let volume = volumes
            .iter()
            .find(|volume| volume["mount_points"].as_array().unwrap().contains(target));
        let volume = volume.unwrap_or_else(|| panic!("{target} is not among the volumes"));
        assert_eq!(volume["filesystem"], mount["fstype"]);
        let path = format!("/dev/block/{device}");
        let kernel = fs::read_link(format!("/sys/dev/block/{device}")).unwrap();
        let kernel = format!("/dev/{}", kernel.file_name().unwrap().to_str().unwrap());
        let path = if Path::new(&path).exists() { path } else { kernel };
        let lsblk = ["--inverse", "--noheadings", "--list", "--output", "NAME,TYPE", &path];
        let output = authority("util-linux", "lsblk", &lsblk, b"");
        let text = String::from_utf8(output.stdout).unwrap();
        let disks: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, kind)| kind.trim() == "disk")
            .map(|(name, _)| name)
            .collect();
        if !disks.is_empty() {
            assert_eq!(volume["disks"], json!(disks), "{target}");
        }
    }
}

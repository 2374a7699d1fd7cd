//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Filesystems and swap areas of the host, and what lies between them and the disks.
///
/// Whatever could not be followed is a volume too, with `encryption` `unknown`: a rule that asks for `encrypted` over
/// `volumes` is not met by what was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiskEncryption {
    /// Whose mounts these are: `init` for those that process 1 sees, `agent` if only the agent's own could be read.
    pub mounts_seen_by: MountView,
    /// Filesystems and swap areas, each once however often it is mounted, sorted by name. Filesystems that hold
    /// nothing on a disk (proc, tmpfs and the like) are in `other_filesystems`.
    pub volumes: Vec<Volume>,
    /// What could not be read or followed. Empty if every local volume was traced down to its disks. Remote
    /// filesystems are not listed here.
    pub unresolved: Vec<Unresolved>,
    /// Mapped devices that encrypt, beneath the volumes, sorted by name.
    pub encryption_layers: Vec<EncryptionLayer>,
    /// Every block device beneath the volumes, the device for resuming and key files, sorted by name.
    pub devices: Vec<Device>,
    /// The disks beneath the volumes, sorted by name.
    pub disks: Vec<Disk>,
    /// Encryption by filesystems themselves, sorted by mount point.
    pub file_encryption: Vec<FileEncryption>,
    /// Filesystems on other machines, sorted by mount point.
    pub remote_mounts: Vec<RemoteMount>,
    /// `/etc/crypttab`; `absent` if there is none.
    pub crypttab: Known<Crypttab>,
    /// What `/etc/fstab` wants mounted and used as swap, in its order, without what lies in memory or on other machines; at
    /// most 1,000. What is not in use now may be at the next boot: a rule about that asks for both this and `volumes`.
    /// `absent` if there is no such file, `malformed` if a line in it is none.
    pub configured: Known<Vec<ConfiguredVolume>>,
    /// Hibernation.
    pub hibernation: Hibernation,
    /// Types of the mounted filesystems that are no volumes, sorted: kernel interfaces, memory, and overlays whose
    /// layers lie on the volumes.
    pub other_filesystems: Vec<OtherFilesystem>,
}

/// Whose mount table was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MountView {
    /// That of process 1.
    Init,
    /// The agent's own, since that of process 1 could not be read.
    Agent,
}

/// A filesystem or a swap area.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Volume {
    /// Its (first) block device as it is called under `/dev`, for instance `sda2` or `mapper/vg0-home`; a swap file's
    /// path; for a filesystem without a block device its type and mount point, for instance `nfs4 at /srv`.
    pub name: String,
    /// What kind of volume it is.
    pub class: Class,
    /// Why it is of this class, in a few words.
    pub class_reason: String,
    /// Type of the filesystem as the kernel names it, or `swap`.
    pub filesystem: String,
    /// Where it is mounted, sorted; empty for swap. Below `/home`, `/media` and `/run/media` the part that names a
    /// person is written `*`.
    pub mount_points: Vec<String>,
    /// Whether the filesystem as a whole is mounted read-only.
    pub read_only: bool,
    /// Whether it is encrypted by this host before it reaches a disk.
    pub encryption: Encryption,
    /// Why `encryption` is what it is, in a few words.
    pub reason: String,
    /// Names of the entries of `encryption_layers` that its data crosses; none if the filesystem itself encrypts.
    pub encrypted_by: Vec<String>,
    /// One way from the volume to a disk that crosses no encryption, by names in `devices`; empty unless
    /// `not_encrypted`.
    pub clear_path: Vec<String>,
    /// Names of the devices on which the volume lies directly; several for filesystems that span devices.
    pub devices: Vec<String>,
    /// Names of the disks in which its data ends, as far as they were reached.
    pub disks: Vec<String>,
}

/// Kind of a volume, so that a rule can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Can hold anything: every local filesystem that is none of the others.
    Data,
    /// Swap partition or file on a disk.
    Swap,
    /// Mounted at `/boot` or below it and nowhere else.
    Boot,
    /// FAT, mounted at `/boot/efi`, `/efi` or `/boot` and nowhere else.
    Efi,
    /// A filesystem that cannot be written: squashfs, iso9660, erofs, cramfs, romfs, or UDF mounted read-only.
    ReadOnlyMedia,
    /// Lies in memory only: tmpfs, RAM disk, zram without a backing device.
    Memory,
    /// Stored by another machine or by the hypervisor: NFS, CIFS, 9p and the like.
    Remote,
    /// An interface of the kernel, or a view of other volumes; holds nothing itself.
    Virtual,
}

/// Whether a volume's data is encrypted by this host before it reaches a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Every way from the volume to a disk crosses encryption.
    Encrypted,
    /// At least one way to a disk crosses none.
    NotEncrypted,
    /// Some way could not be followed to its end, and no clear one was found. Also for what lies in memory or on
    /// another machine.
    Unknown,
}

/// Something that could not be read or followed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Unresolved {
    /// The volume, by name.
    pub volume: String,
    /// What happened, where.
    pub detail: String,
}

/// A mapped device that encrypts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EncryptionLayer {
    /// The device, by name in `devices`.
    pub name: String,
    /// How it encrypts, as the UUID of the mapping says.
    pub kind: LayerKind,
    /// Whether it encrypts everything that passes through it. `not_encrypted` if not, as while a device is being
    /// encrypted in place; also while its key is being changed online, when it hands the data to a helper device that
    /// encrypts: the volumes tell what it comes to.
    pub encryption: Encryption,
    /// What that is known from.
    pub basis: Basis,
    /// The device on which its header lies, by name in `devices`; empty if none was found.
    pub header_device: String,
    /// The LUKS header. `unsupported` for other kinds, which have none or another one; `absent` if the device is out of
    /// the agent's sight or holds no LUKS header (detached header).
    pub header: Known<LuksHeader>,
    /// What the kernel does: ciphers of the active mapping. Needs root and dmsetup(8); `denied` otherwise.
    pub mapping: Known<Vec<Cipher>>,
}

/// What a layer is known from; the strongest that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The kernel's table of the mapping: what the kernel does.
    Table,
    /// The LUKS header with the UUID that the mapping names.
    Header,
    /// The UUID of the mapping alone, which whoever made the mapping chose.
    Name,
}

/// Kinds of encrypting layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// LUKS version 1.
    Luks1,
    /// LUKS version 2.
    Luks2,
    /// LUKS version 2 with encryption by the drive itself (OPAL), alone or besides dm-crypt.
    Luks2Opal,
    /// dm-crypt without a header; usual for swap with a random key.
    Plain,
    /// BitLocker, opened by cryptsetup.
    Bitlocker,
    /// TrueCrypt or VeraCrypt, opened by cryptsetup.
    Tcrypt,
    /// FileVault2, opened by cryptsetup.
    Filevault2,
    /// loop-AES, opened by cryptsetup.
    Loopaes,
    /// dm-crypt by the kernel's table of the mapping, while its UUID names no kind.
    Unnamed,
}

/// A LUKS header. Key material is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LuksHeader {
    /// 1 or 2.
    pub version: u32,
    /// UUID of the header.
    pub uuid: String,
    /// Ciphers of the data, one per segment of the device, without repetition.
    pub ciphers: Vec<Cipher>,
    /// Key slots in use, sorted by number.
    pub keyslots: Vec<Keyslot>,
    /// Tokens (LUKS2): what can open key slots without a passphrase, sorted by number.
    pub tokens: Vec<Token>,
    /// Parts of the device that this header leaves in the clear: segments of type `linear`, as while a device is
    /// being encrypted or decrypted in place, and segments with the null cipher.
    pub clear_segments: u32,
    /// Parts of the device that only the drive encrypts (segments of type `hw-opal`).
    pub drive_segments: u32,
    /// Whether a change of encryption is under way (LUKS2 `online-reencrypt` or `offline-reencrypt` requirement).
    pub reencryption: bool,
    /// Mandatory requirements (LUKS2), as written in the header, sorted.
    pub requirements: Vec<String>,
    /// Which of the two header copies are sound (LUKS2); `single` for LUKS1, which has one.
    pub copies: HeaderCopies,
}

/// Which header copies are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeaderCopies {
    /// LUKS1 has one.
    Single,
    /// Both, and they say the same.
    Both,
    /// Both, with different sequence numbers: the newer one is reported.
    Differ,
    /// The first one only.
    PrimaryOnly,
    /// The second one only.
    SecondaryOnly,
}

/// A cipher and its key length.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Cipher {
    /// As dm-crypt writes it, for instance `aes-xts-plain64`.
    pub cipher: String,
    /// Length of the volume key, bits; XTS uses two halves, so AES-256 in XTS has 512. 0 if the header does not say.
    pub key_bits: u32,
    /// Integrity protection, for instance `hmac(sha256)`; empty if there is none.
    pub integrity: String,
}

/// A key slot in use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Keyslot {
    /// Its number.
    pub number: u32,
    /// `luks1`, `luks2`, or `reencrypt` (a helper slot that opens nothing).
    pub kind: String,
    /// Key derivation function: `pbkdf2`, `argon2i`, `argon2id`; empty if the slot has none.
    pub kdf: String,
    /// Hash of PBKDF2, for instance `sha256`; empty for others.
    pub hash: String,
    /// Iterations of PBKDF2, or time cost of Argon2.
    pub iterations: u64,
    /// Memory cost of Argon2, KiB; 0 for PBKDF2.
    pub memory_kib: u64,
}

/// A token of a LUKS2 header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Token {
    /// Its number.
    pub number: u32,
    /// As written in the header: `systemd-tpm2`, `systemd-fido2`, `systemd-recovery`, `clevis`, `luks2-keyring`, …
    pub kind: String,
    /// Numbers of the key slots that it opens, sorted.
    pub keyslots: Vec<u32>,
    /// TPM 2.0 registers that the key is bound to (`systemd-tpm2`), sorted; empty for others, and if bound to none.
    pub tpm2_pcrs: Vec<u32>,
    /// Whether `systemd-tpm2` also asks for a PIN; false for other kinds.
    pub tpm2_pin: bool,
    /// TPM 2.0 registers whose values a signature allows (`systemd-tpm2` with a signed policy), sorted; empty for others.
    pub tpm2_signed_pcrs: Vec<u32>,
    /// Whether `systemd-fido2` also asks for a PIN; false for other kinds.
    pub fido2_pin: bool,
    /// What `clevis` asks for the key: `tang` (a server), `tpm2`, `sss` (several of these); empty for other kinds.
    pub clevis_pin: String,
}

/// A block device beneath a volume.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Device {
    /// As it is called under `/dev`; `mapper/NAME` for mapped devices.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
    /// RAID level, volume group manager or the like, as the kernel names it; empty if there is nothing to add.
    pub variant: String,
    /// Size, bytes; 0 if the kernel did not say.
    pub size_bytes: u64,
    /// Names of the devices right below it; empty for disks.
    pub below: Vec<String>,
}

/// Kinds of block devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A disk, real or virtual.
    Disk,
    /// A partition.
    Partition,
    /// Encrypts: see `encryption_layers`.
    Encryption,
    /// An LVM logical volume, or a part of one.
    Lvm,
    /// dm-multipath.
    Multipath,
    /// dm-integrity: checksums, no encryption.
    Integrity,
    /// dm-verity: checksums, no encryption.
    Verity,
    /// Another mapped device.
    Mapped,
    /// Linux software RAID.
    Md,
    /// A file used as a block device.
    Loop,
    /// bcache.
    Bcache,
    /// RAM disk or zram.
    Memory,
    /// A disk served by another machine through a driver that does not look like a disk (nbd, rbd, drbd).
    Network,
    /// Not recognised.
    Unknown,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Disk {
    /// As it is called under `/dev`.
    pub name: String,
    /// Vendor as the disk or the hypervisor tells; empty if not told.
    pub vendor: String,
    /// Model as the disk or the hypervisor tells; empty if not told.
    pub model: String,
    /// Serial number, or where there is none the worldwide identifier; empty if neither is told.
    pub serial: String,
    /// Size, bytes; 0 if the kernel did not say.
    pub size_bytes: u64,
    /// Whether the kernel takes its medium for removable. USB disks often say no.
    pub removable: bool,
    /// How it is attached.
    pub bus: DiskBus,
    /// Whether it is attached in a way meant for carrying it elsewhere: by USB or FireWire. Thunderbolt looks like PCI.
    pub external: bool,
    /// Whether driver, vendor or model show a hypervisor's disk: encryption by the hypervisor or the storage behind it
    /// is not visible from inside. `false` says only that nothing shows it.
    pub virtual_disk: bool,
}

/// How a disk is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskBus {
    /// (S)ATA.
    Ata,
    /// SAS.
    Sas,
    /// SCSI of another or an unknown transport, such as a RAID controller's or a hypervisor's.
    Scsi,
    /// NVMe inside the machine.
    Nvme,
    /// NVMe over a network.
    NvmeFabrics,
    /// iSCSI: over a network.
    Iscsi,
    /// Fibre Channel: over a storage network.
    FibreChannel,
    /// USB.
    Usb,
    /// FireWire.
    Firewire,
    /// A card or soldered memory behind an MMC host.
    Mmc,
    /// virtio: a hypervisor's.
    Virtio,
    /// Xen: a hypervisor's.
    Xen,
    /// Hyper-V: a hypervisor's.
    Vmbus,
    /// Not recognised.
    Other,
}

/// Encryption by a filesystem itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileEncryption {
    /// The filesystem: its mount point; below `/home` and the like the rest is written `*`.
    pub mount_point: String,
    /// What encrypts.
    pub kind: FileEncryptionKind,
    /// Cipher as the filesystem names it, for instance `aes-256-gcm` (ZFS) or `aes` (eCryptfs); empty if it is not told.
    pub cipher: String,
    /// Length of the key, bits (eCryptfs); 0 if it is not told.
    pub key_bits: u32,
    /// Folders found encrypted (fscrypt), sorted, each kind of masked path once; empty for others.
    pub encrypted_folders: Vec<String>,
    /// How many folders were found encrypted, of those that were looked at: the top of the filesystem, what lies right
    /// in it, and homes (fscrypt).
    pub encrypted_count: u32,
    /// How many folders were looked at.
    pub looked_at: u32,
    /// How many folders could not be looked at or into (fscrypt), those beyond 500 included: there may be encrypted ones.
    pub not_looked_at: u32,
    /// Policies that fscrypt(8) keeps for the filesystem; `absent` if it was not set up there.
    pub policies: Known<u32>,
}

/// Filesystems that encrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileEncryptionKind {
    /// The kernel's encryption of single folders (ext4, f2fs, UBIFS, CephFS).
    Fscrypt,
    /// eCryptfs.
    Ecryptfs,
    /// ZFS native encryption.
    Zfs,
}

/// A filesystem on another machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct RemoteMount {
    /// Where it is mounted; below `/home` and the like the rest is written `*`.
    pub mount_point: String,
    /// Its type.
    pub filesystem: String,
    /// The options that decide, as written, for instance `sec=krb5p`, `xprtsec=tls`, `seal`; empty if there is none.
    pub security: String,
    /// Whether what crosses the network is encrypted. What the server keeps is not seen.
    pub transport: Encryption,
}

/// Hibernation: what was in memory is written to a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hibernation {
    /// Whether the kernel can hibernate at present (`/sys/power/state` and `/sys/power/disk`).
    pub possible: Known<bool>,
    /// The device from which it would resume (`/sys/power/resume`), by name in `devices`; empty if none is set.
    pub resume_device: Known<String>,
    /// Whether that device is encrypted; `unknown` if none is set.
    pub encryption: Encryption,
    /// Devices named for this boot and the next, sorted by place.
    pub configured: Known<Vec<ResumeSetting>>,
}

/// A device named for resuming.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ResumeSetting {
    /// The file: `/proc/cmdline` for this boot; for the next the boot loader's own (`grub.cfg`, `/boot/loader/entries`), and
    /// those from which it is made (`/etc/default/grub` and `grub.d`, `/etc/kernel/cmdline`, `/etc/initramfs-tools`).
    pub place: String,
    /// As it is written, for instance `UUID=…`.
    pub device: String,
}

/// A line of `/etc/fstab`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfiguredVolume {
    /// The device as it is written, for instance `UUID=…`, or a file.
    pub device: String,
    /// Where it is to be mounted; empty for swap. Below `/home` and the like the rest is written `*`.
    pub mount_point: String,
    /// Type of the filesystem as it is written, or `swap`.
    pub filesystem: String,
    /// What kind of volume it is, as in `volumes`.
    pub class: Class,
    /// Whether it is used at boot; false for `noauto`.
    pub at_boot: bool,
    /// Whether that device is mounted there, or in use as swap, now.
    pub in_use: Known<bool>,
    /// Whether that device is encrypted; `unknown` if it is not there now.
    pub encryption: Encryption,
    /// Why it is `unknown`, in a few words; else empty.
    pub reason: String,
}

/// `/etc/crypttab` and what is active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Crypttab {
    /// Its entries, in their order, at most 1,000.
    pub entries: Vec<CrypttabEntry>,
    /// Lines that are none, at most 100 of them.
    pub unparsed_lines: Vec<u32>,
    /// Encrypting mappings that are active and not in it, by name, sorted.
    pub active_elsewhere: Vec<String>,
}

/// An entry of `/etc/crypttab`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CrypttabEntry {
    /// Name of the mapping.
    pub name: String,
    /// The device as it is written, for instance `UUID=…`.
    pub device: String,
    /// Whether a mapping of this name is active.
    pub active: bool,
    /// Where the key comes from.
    pub key: KeySource,
    /// The key's file; `absent` if there is none.
    pub key_file: Known<VolumeKeyFile>,
    /// Names of its options, sorted.
    pub options: Vec<String>,
}

/// Where a volume's key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// Somebody types it, or a token opens the volume.
    Passphrase,
    /// A file on this host: the one that is named, or where none is, `NAME.key` in `/etc/cryptsetup-keys.d`, with which
    /// systemd opens the volume by itself.
    File,
    /// Made at each start: what was on the volume is lost.
    Random,
    /// A program (`keyscript`).
    Program,
    /// A TPM, a security key or a PKCS #11 token (`tpm2-device`, `fido2-device`, `pkcs11-uri`).
    Token,
}

/// A file with a volume's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VolumeKeyFile {
    /// Its path; below `/home` and the like the rest is written `*`.
    pub path: String,
    /// Permission bits in octal.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Whether others than the owner may read it.
    pub readable_by_others: bool,
    /// Whether the filesystem on which it lies is encrypted: if not, whoever has the disk has the key.
    pub encryption: Encryption,
}

/// A type of mounted filesystem that is no volume.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct OtherFilesystem {
    /// As the kernel names it.
    pub filesystem: String,
    /// `memory` or `virtual`.
    pub class: Class,
}

/// What was masked in the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiskEncryptionNames {
    /// Masked names and paths with the full ones, sorted.
    pub names: Vec<FullName>,
}

/// A masked name or path with the full one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FullName {
    /// The volume or device, by its name in the facts.
    pub name: String,
    /// The full path or name.
    pub full: String,
}

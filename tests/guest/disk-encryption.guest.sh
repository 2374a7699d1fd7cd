#!/bin/bash
# Runs in the guest: builds block stacks on /dev/vdc to /dev/vdm, prints what the agent collects.
set -euo pipefail
exec 3>&1 1>&2

format() { # DEVICE [ARGUMENTS]
    echo -n secret | cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "${@:2}" "$1" -
}
open() { echo -n secret | cryptsetup open "$1" "$2" --key-file -; }
filesystem() { # DEVICE NAME
    mkfs.ext4 -q -F "$1"
    mkdir -p "/srv/$2"
    mount "$1" "/srv/$2"
}
modprobe -a bcache dm-crypt dm-integrity dm-mod loop md-mod raid1 btrfs xfs

# vdc: partitions. Clear, LUKS2, LUKS1, and one called encrypted that is not.
sfdisk -q /dev/vdc <<'PARTITIONS'
label: gpt
size=40M
size=48M
size=48M
size=40M
PARTITIONS
blockdev --rereadpt /dev/vdc || true
filesystem /dev/vdc1 clear
format /dev/vdc2 --type luks2
open /dev/vdc2 two
filesystem /dev/mapper/two two
format /dev/vdc3 --type luks1
open /dev/vdc3 one
filesystem /dev/mapper/one one
sectors=$(blockdev --getsz /dev/vdc4)
dmsetup create false --uuid CRYPT-LUKS2-00000000000000000000000000000000-false --table "0 $sectors linear /dev/vdc4 0"
filesystem /dev/mapper/false false

# vdd: LVM on LUKS with a filesystem and swap.
format /dev/vdd --type luks2
open /dev/vdd pv
pvcreate -q /dev/mapper/pv
vgcreate -q vg0 /dev/mapper/pv
lvcreate -q -an -Zn -L 80M -n home vg0
lvcreate -q -an -Zn -L 40M -n swap vg0
vgchange -q -ay --noudevsync vg0
vgmknodes -q vg0
filesystem /dev/mapper/vg0-home home
mkswap -q /dev/mapper/vg0-swap
swapon /dev/mapper/vg0-swap

# vde and vdf: a mirror with one encrypted and one clear leg.
format /dev/vde --type luks2
open /dev/vde leg
mdadm --create /dev/md0 --quiet --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean --size=100M /dev/mapper/leg /dev/vdf
filesystem /dev/md0 mirror

# vdg: swap with a random key.
cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 512 --key-file /dev/urandom /dev/vdg cswap
mkswap -q /dev/mapper/cswap
swapon /dev/mapper/cswap

# vdh and vdi: btrfs over an encrypted and a clear device.
format /dev/vdh --type luks2
open /dev/vdh pool
mkfs.btrfs -q -f -d single -m raid1 /dev/mapper/pool /dev/vdi
mkdir -p /srv/pool
btrfs device scan --quiet 2>/dev/null || btrfs device scan
mount /dev/mapper/pool /srv/pool

# vdj: being encrypted in place, and interrupted.
echo -n secret | cryptsetup reencrypt --encrypt --init-only --reduce-device-size 32M --type luks2 --batch-mode \
    --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file - /dev/vdj
open /dev/vdj half
filesystem /dev/mapper/half half

# vdk: LUKS2 with integrity (small, since it is wiped), and with a token of clevis.
sfdisk -q /dev/vdk <<'PARTITIONS'
label: gpt
size=32M
PARTITIONS
blockdev --rereadpt /dev/vdk || true
format /dev/vdk1 --type luks2 --cipher aes-xts-plain64 --integrity hmac-sha256
open /dev/vdk1 sound
filesystem /dev/mapper/sound sound
head=$(echo -n '{"alg":"dir","clevis":{"pin":"tpm2"}}' | base64 -w0 | tr '+/' '-_' | tr -d =)
echo "{\"type\":\"clevis\",\"keyslots\":[\"0\"],\"jwe\":{\"protected\":\"$head\"}}" |
    cryptsetup token import --json-file - /dev/vdk1

# vdl and vdm: an encrypted disk with a clear cache before it, and one whose cache is encrypted too.
for disk in vdl vdm; do
    printf 'label: gpt\nsize=90M\nsize=90M\n' | sfdisk -q /dev/$disk
    blockdev --rereadpt /dev/$disk || true
    format /dev/${disk}1 --type luks2
    open /dev/${disk}1 slow-$disk
done
format /dev/vdm2 --type luks2
open /dev/vdm2 fast
cached() { # BACKING CACHE
    # The kernel takes no cache of fewer than 513 buckets.
    make-bcache --writeback --bucket 64k -B "$1" -C "$2"
    for part in "$@"; do
        echo "$part" >/sys/fs/bcache/register
    done
}
cached /dev/mapper/slow-vdl /dev/vdl2
cached /dev/mapper/slow-vdm /dev/mapper/fast
until [ -b /dev/bcache1 ]; do sleep 0.1; done
filesystem /dev/bcache0 cache-clear
filesystem /dev/bcache1 cache-encrypted

# Files: a decoy on the clear root, an image on an encrypted volume, one with a detached header, a swap file.
truncate -s 40M /var/decoy /srv/home/image
losetup /dev/loop0 /var/decoy
format /dev/loop0 --type luks2
open /dev/loop0 decoy
filesystem /dev/mapper/decoy decoy
losetup /dev/loop1 /srv/home/image
filesystem /dev/loop1 image
truncate -s 40M /var/detached
losetup /dev/loop2 /var/detached
truncate -s 16M /var/header
format /dev/loop2 --type luks2 --header /var/header
echo -n secret | cryptsetup open /dev/loop2 detached --header /var/header --key-file -
filesystem /dev/mapper/detached detached
dd if=/dev/zero of=/var/swapfile bs=1M count=16 status=none
chmod 600 /var/swapfile
mkswap -q /var/swapfile
swapon /var/swapfile
mkdir -p /var/low /var/up /var/work /srv/merged
mount -t overlay overlay -o lowerdir=/var/low,upperdir=/var/up,workdir=/var/work /srv/merged

# crypttab: keys on the clear root and on an encrypted volume, a random one, and volumes that are not listed.
mkdir -p /etc/keys
for key in /etc/keys/two.key /srv/home/gone.key; do
    echo -n secret >"$key"
    chmod 600 "$key"
done
cat >/etc/crypttab <<'CRYPTTAB'
two /dev/vdc2 /etc/keys/two.key luks
pv /dev/vdd none luks,discard
cswap /dev/vdg /dev/urandom swap,plain,cipher=aes-xts-plain64,size=512
gone /dev/vdz /srv/home/gone.key luks,nofail
CRYPTTAB

# fstab: what is in use and what only the next boot takes.
cat >/etc/fstab <<'FSTAB'
/dev/vda / ext4 defaults 0 1
/dev/mapper/vg0-home /srv/home ext4 defaults 0 2
/dev/mapper/vg0-swap none swap sw 0 0
/dev/vdg none swap sw 0 0
/var/swapfile none swap sw 0 0
/dev/mapper/two /srv/elsewhere ext4 noauto
/dev/mapper/gone /srv/gone ext4 nofail
FSTAB
echo -n secret >/etc/keys/pv && mkdir -p /etc/cryptsetup-keys.d && mv /etc/keys/pv /etc/cryptsetup-keys.d/pv.key

# Resuming from the encrypted swap, if this kernel can hibernate. There is nothing to resume.
if [ -w /sys/power/resume ]; then
    dmsetup info -c --noheadings --separator : -o major,minor vg0-swap >/sys/power/resume || true
fi

collect() { # AS COMMAND...
    echo "begin $1" >&3
    "${@:2}" ./affiant-agent collect --probe disk-encryption --json >&3 || true
    echo "end $1" >&3
}
chmod 755 /run/test affiant-agent
collect root
collect service setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search
collect nobody setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps -all --bounding-set -all
echo "begin again" >&3
cmp <(./affiant-agent collect --probe disk-encryption --json) <(./affiant-agent collect --probe disk-encryption --json) && echo same >&3
echo "end again" >&3

# What the machine is made of, and what is loaded of AppArmor, beside programs that say so.
beside() { # NAME COMMAND...
    echo "begin $1" >&3
    "${@:2}" >&3 || true
    echo "end $1" >&3
}
modprobe -a nvme virtio_scsi sd_mod || true
mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
rm -rf /etc/apparmor.d/*
mkdir -p /etc/apparmor.d/disable
for mode in enforce complain kill unconfined; do
    echo "profile is_$mode /nowhere/$mode flags=($mode) { /x r, }" | sed 's/flags=(enforce)//' >/etc/apparmor.d/$mode
done
echo 'profile "with blank" /nowhere/blank { /x r, ^hat { /y r, } }' >/etc/apparmor.d/blank
echo 'profile never /nowhere/never { /x r, }' >/etc/apparmor.d/never
ln -s ../never /etc/apparmor.d/disable/never
ln -s ../gone /etc/apparmor.d/disable/complain
# Programs that run before there are profiles for them, and again when there are.
mkdir -p /opt/started
running=(plain braces stars1 class7 deep/er none)
start() { # All of them.
    for name in "${running[@]}"; do
        mkdir -p "$(dirname "/opt/started/$name")"
        cp /bin/sleep "/opt/started/$name" 2>/dev/null || true
        "/opt/started/$name" 600 &
        started+=("$!")
    done
}
started=()
start
echo '/opt/started/plain flags=(complain) { /x r, }
profile braces /opt/started/{a,{b,c}races} flags=(complain) { /x r, }
/opt/started/stars* flags=(complain) { /x r, }
profile class /opt/**/class[0-9] flags=(complain) { /x r, }
profile deep /opt/**/er flags=(complain) { /x r, }
profile shallow /opt/*/er flags=(complain) { /x r, }' >/etc/apparmor.d/started
apparmor_parser --abort-on-error -r /etc/apparmor.d || true
started=()
start
sleep 1
echo "begin confined" >&3
for process in "${started[@]}"; do cat "/proc/$process/attr/current" >&3; done
echo "end confined" >&3
for profile in /sys/kernel/security/apparmor/policy/profiles/*; do
    echo "$(cat "$profile/name") $(cat "$profile/attach")" >&2
done
beside made ./affiant-agent collect --probe hardware --probe mandatory-access --json
beside lsblk lsblk --json --bytes --nodeps --output NAME,VENDOR,MODEL,SERIAL,REV,TRAN,ROTA,RM,SIZE
for word in baseboard-manufacturer baseboard-product-name baseboard-version baseboard-serial-number chassis-manufacturer \
    chassis-version chassis-serial-number chassis-asset-tag system-family system-sku-number bios-revision; do
    beside "$word" dmidecode --string "$word"
done
beside lspci lspci -n
beside aa-status aa-status --json
beside lsm awk 1 /sys/kernel/security/lsm
beside yama cat /proc/sys/kernel/yama/ptrace_scope

# The key of a mounted device is changed while the agent looks.
echo -n secret | cryptsetup reencrypt --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file - \
    --hotzone-size 512K --active-name two &
until dmsetup table | grep -q hotzone; do sleep 0.1; done
collect changing
dmsetup table >&2
ls /sys/class/block/dm-*/slaves >&2

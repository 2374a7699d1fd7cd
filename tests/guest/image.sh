#!/bin/bash
# Builds what a guest needs to boot: Debian's kernel, its initial RAM disk and a root filesystem with the tools of block
# storage. Usage: image.sh FOLDER. Does nothing if FOLDER holds the image already. Needs root, mmdebstrap, e2fsprogs.
#
# The guest's first process is /root/init, which unpacks the tar archive that it finds on /dev/vdb into /run/test and
# runs /run/test/run.sh there. What that prints on /dev/ttyS1 is the result.
set -euo pipefail

folder=${1:?usage: image.sh FOLDER}
suite=bookworm
packages=linux-image-cloud-amd64,initramfs-tools,zstd,kmod,udev,util-linux,fdisk,e2fsprogs,xfsprogs,btrfs-progs,dosfstools
packages+=,cryptsetup-bin,dmsetup,lvm2,mdadm,ca-certificates,dmidecode,pciutils,apparmor

stamp=$folder/complete
wanted="$suite $packages 1"
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0
mkdir -p "$folder"
rm -f "$stamp"

# The mirror is the one that this machine uses itself.
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" "Label: Debian" "Created-By: Packages" | sort -u | head -1)
if [ -z "$mirror" ]; then
    echo "image.sh: apt knows no repository of Debian $suite on this machine: add one to its sources and run apt-get update" >&2
    exit 2
fi

root=$(mktemp -d "$folder/root.XXXXXX")
trap 'rm -rf "$root"' EXIT
mmdebstrap --quiet --variant=minbase --include="$packages" \
    --customize-hook='rm -rf "$1"/var/cache/apt/archives "$1"/var/lib/apt/lists "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale' \
    "$suite" - "$mirror" | tar -x -C "$root" --exclude='./dev/*'
cat >"$root/root/init" <<'INIT'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DM_DISABLE_UDEV=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm && mount -t tmpfs tmpfs /run
mkdir -p /run/test /run/lock && tar -xf /dev/vdb -C /run/test
cd /run/test && ./run.sh >/dev/ttyS1 2>/dev/console
echo "exit status $?" >/dev/console
echo s >/proc/sysrq-trigger
echo o >/proc/sysrq-trigger
sleep 60
INIT
chmod 755 "$root/root/init"
cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
cp "$root"/boot/initrd.img-* "$folder/initrd"
rm -rf "$root"/boot/*
rm -f "$folder/disk.img"
mke2fs -q -t ext4 -d "$root" "$folder/disk.img" 1600M
echo "$wanted" >"$stamp"

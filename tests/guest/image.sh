#!/bin/bash
# Builds what a guest needs to boot: Debian's kernel, its initial RAM disk and a root filesystem.
# Usage: image.sh KIND FOLDER. Does nothing if FOLDER holds the image already. Needs root, mmdebstrap, e2fsprogs.
#
# KIND storage: tools of block storage; the guest's first process is /root/init. KIND server: systemd and the services that a
# server usually has; guest.service is started last. Both unpack the tar archive that they find on /dev/vdb into /run/test and run
# /run/test/run.sh there. What that prints on /dev/ttyS1 is the result. Then the guest turns itself off.
set -euo pipefail

kind=${1:?usage: image.sh KIND FOLDER} folder=${2:?usage: image.sh KIND FOLDER}
suite=bookworm
packages=linux-image-cloud-amd64,initramfs-tools,zstd,kmod,udev,util-linux,e2fsprogs,ca-certificates
case $kind in
storage)
    packages+=,fdisk,xfsprogs,btrfs-progs,dosfstools,bcache-tools,cryptsetup-bin,dmsetup,lvm2,mdadm,dmidecode,pciutils,apparmor
    size=1600M
    remove='rm -rf "$1"/var/lib/apt/lists'
    ;;
server)
    packages+=,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,cron,rsyslog,logrotate,auditd,nftables,chrony,apparmor
    packages+=,unattended-upgrades,iproute2,ifupdown,needrestart,polkitd,bash-completion,less,procps,passwd
    size=2400M
    remove=true
    ;;
*)
    echo "image.sh: no kind $kind: storage, server" >&2
    exit 64
    ;;
esac

stamp=$folder/complete
wanted="$suite $packages 2"
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
mmdebstrap --quiet --variant=minbase --include="$packages" --customize-hook="$remove" \
    --customize-hook='rm -rf "$1"/var/cache/apt/archives "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale' \
    "$suite" - "$mirror" | tar -x -C "$root" --exclude='./dev/*'
cat >"$root/root/test" <<'TEST'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
mkdir -p /run/test && tar -xf /dev/vdb -C /run/test
cd /run/test && bash run.sh >/dev/ttyS1 2>/dev/console
echo "exit status $?" >/dev/console
TEST
case $kind in
storage)
    cat >"$root/root/init" <<'INIT'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DM_DISABLE_UDEV=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm && mount -t tmpfs tmpfs /run
mkdir -p /run/lock && /root/test
echo s >/proc/sysrq-trigger
echo o >/proc/sysrq-trigger
sleep 60
INIT
    chmod 755 "$root/root/init"
    ;;
server)
    echo server >"$root/etc/hostname"
    echo "/dev/vda / ext4 errors=remount-ro 0 1" >"$root/etc/fstab"
    cat >"$root/etc/systemd/system/guest.service" <<'UNIT'
[Unit]
Description=What the machine outside wants to know
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/root/test
ExecStopPost=/bin/systemctl --no-block poweroff

[Install]
WantedBy=graphical.target
UNIT
    systemctl --root "$root" --quiet enable guest.service
    systemctl --root "$root" --quiet set-default graphical.target
    ;;
esac
chmod 755 "$root/root/test"
cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
cp "$root"/boot/initrd.img-* "$folder/initrd"
rm -f "$folder/disk.img"
mke2fs -q -t ext4 -d "$root" "$folder/disk.img" "$size"
echo "$wanted" >"$stamp"

#!/bin/bash
# disk-encryption on real block stacks: boots Debian's kernel in QEMU, builds the stacks that an auditor meets, collects
# with the agent there, and compares with what was built. In the same guest hardware and mandatory-access, beside dmidecode, lsblk,
# lspci and aa-status.
#
# Usage: disk-encryption.sh AGENT, the path of an affiant-agent built for this machine. Needs root (to build the image),
# and from Debian: qemu-system-x86 seabios mmdebstrap e2fsprogs jq. AFFIANT_GUEST_CACHE names a folder in which
# the image is kept between runs. About 2 minutes without KVM, 1 more for the image.
source "$(dirname "$0")/start.sh" storage "${1:-}"

cp "$here/disk-encryption.guest.sh" "$payload/run.sh"
tar -C "$payload" -cf "$work/payload.tar" .
drives=()
for letter in c d e f g h i j k l m; do
    truncate -s 192M "$work/vd$letter"
    drives+=(-drive "file=$work/vd$letter,if=none,id=$letter,format=raw" -device "virtio-blk-pci,drive=$letter,serial=DISK-$letter")
done
truncate -s 64M "$work/nvme" "$work/scsi"
others=(-drive "file=$work/nvme,if=none,id=nvme,format=raw" -device "nvme,drive=nvme,serial=NVME-1"
    -device virtio-scsi-pci -drive "file=$work/scsi,if=none,id=scsi,format=raw"
    -device "scsi-hd,drive=scsi,serial=SCSI-1,vendor=Maker,product=Disk of one,ver=R7"
    -device "virtio-net-pci" -device VGA
    -smbios "type=0,vendor=Firm,version=1,release=4.2"
    -smbios "type=1,manufacturer=Maker,product=Host,sku=SKU 7,family=Family of hosts"
    -smbios "type=2,manufacturer=Board maker,product=Board,version=1.0 ,serial=B-1"
    -smbios "type=3,manufacturer=Case maker,version=,serial=C-1,asset=Inventory 5")
# Emulated: /dev/kvm inside another guest is there and does not work on the machines this has to run on.
timeout 600 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -m 1024 -smp 2 -display none -no-reboot \
    -nic none -serial "file:$work/console" -serial "file:$work/result" \
    -kernel "$cache/vmlinuz" -initrd "$cache/initrd" \
    -append "root=/dev/vda rw console=ttyS0 mitigations=off quiet init=/root/init" \
    -drive "file=$cache/disk.img,if=none,id=a,format=raw,snapshot=on" -device virtio-blk-pci,drive=a,serial=DISK-a \
    -drive "file=$work/payload.tar,if=none,id=b,format=raw,readonly=on" -device virtio-blk-pci,drive=b \
    "${drives[@]}" "${others[@]}" || true

# The lines that the guest printed between "begin NAME" and "end NAME".
section() { tr -d '\r' <"$work/result" | sed -n "/^begin $1\$/,/^end $1\$/p" | sed '1d;$d'; }
# facts NAME FILTER: what jq makes of the facts in a section.
facts() { section "$1" | jq -r '.[] | select(.probe == "disk-encryption") | .facts | '"$2"; }
volumes='.volumes[] | [.name, .class, .encryption, (.encrypted_by | join(",")), (.clear_path | join(">"))] | join(" ")'
layers='.encryption_layers[] | [.name, .kind, .encryption, .header_device, .header.outcome,
    (.header.value.ciphers[0].cipher // "-"), (.mapping.value[0] | .cipher // "-", .key_bits // "-")] | join(" ")'
luks='.encryption_layers[] | select(.kind | startswith("luks"))'

if ! section root | jq -e length >/dev/null || ! section again | grep -q .; then
    echo "the guest gave no result; the end of its console:" >&2
    tail -40 "$work/console" >&2
    exit 1
fi

compare "volumes, as root" "$(cat <<'END'
/var/swapfile swap not_encrypted  vda
bcache0 data not_encrypted mapper/slow-vdl bcache0>vdl2>vdl
bcache1 data encrypted mapper/fast,mapper/slow-vdm 
loop1 data encrypted mapper/pv 
mapper/cswap swap encrypted mapper/cswap 
mapper/decoy data encrypted mapper/decoy 
mapper/detached data encrypted mapper/detached 
mapper/false data not_encrypted  mapper/false>vdc4>vdc
mapper/half data not_encrypted  mapper/half>vdj
mapper/one data encrypted mapper/one 
mapper/pool data not_encrypted mapper/pool vdi
mapper/sound data encrypted mapper/sound 
mapper/two data encrypted mapper/two 
mapper/vg0-home data encrypted mapper/pv 
mapper/vg0-swap swap encrypted mapper/pv 
md0 data not_encrypted mapper/leg md0>vdf
vda data not_encrypted  vda
vdc1 data not_encrypted  vdc1>vdc
END
)" "$(facts root "$volumes")"

compare "layers, as root" "$(cat <<'END'
mapper/cswap plain encrypted  unsupported - aes-xts-plain64 512
mapper/decoy luks2 encrypted loop0 observed aes-xts-plain64 aes-xts-plain64 512
mapper/detached luks2 encrypted  absent - aes-xts-plain64 512
mapper/false luks2 not_encrypted  absent - - -
mapper/fast luks2 encrypted vdm2 observed aes-xts-plain64 aes-xts-plain64 512
mapper/half luks2 not_encrypted vdj observed - - -
mapper/leg luks2 encrypted vde observed aes-xts-plain64 aes-xts-plain64 512
mapper/one luks1 encrypted vdc3 observed aes-xts-plain64 aes-xts-plain64 512
mapper/pool luks2 encrypted vdh observed aes-xts-plain64 aes-xts-plain64 512
mapper/pv luks2 encrypted vdd observed aes-xts-plain64 aes-xts-plain64 512
mapper/slow-vdl luks2 encrypted vdl1 observed aes-xts-plain64 aes-xts-plain64 512
mapper/slow-vdm luks2 encrypted vdm1 observed aes-xts-plain64 aes-xts-plain64 512
mapper/sound luks2 encrypted vdk1 observed aes-xts-plain64 capi:authenc(hmac(sha256),xts(aes))-plain64 768
mapper/two luks2 encrypted vdc2 observed aes-xts-plain64 aes-xts-plain64 512
END
)" "$(facts root "$layers")"
compare "nothing unresolved, as root" 0 "$(facts root '.unresolved | length')"

compare "integrity and token" "hmac(sha256) tpm2" "$(facts root '.encryption_layers[] | select(.name == "mapper/sound") |
    .header.value | [.ciphers[0].integrity, .tokens[0].clevis_pin] | join(" ")')"
compare "crypttab" "$(cat <<'END'
two true file not_encrypted 0600
pv true file not_encrypted 0644
cswap true random - -
gone false file encrypted 0600
decoy,detached,false,fast,half,leg,one,pool,slow-vdl,slow-vdm,sound
END
)" "$(facts root '.crypttab.value | (.entries[] | [.name, .active, .key, .key_file.value.encryption // "-", .key_file.value.mode // "-"] | join(" ")),
    (.active_elsewhere | join(","))')"
compare "fstab" "$(cat <<'END'
/dev/vda / true true not_encrypted
/dev/mapper/vg0-home /srv/home true true encrypted
/dev/mapper/vg0-swap  true true encrypted
/dev/vdg  true false not_encrypted
/var/swapfile  true true not_encrypted
/dev/mapper/two /srv/elsewhere false false encrypted
/dev/mapper/gone /srv/gone true false unknown
END
)" "$(facts root '.configured.value[] | [.device, .mount_point, .at_boot, .in_use.value, .encryption] | map(tostring) | join(" ")')"
compare "hibernation" "mapper/vg0-swap encrypted" "$(facts root '.hibernation | [.resume_device.value, .encryption] | join(" ")')"
compare "disks" "virtio false" "$(facts root '[.disks[] | "\(.bus) \(.external)"] | unique | join(",")')"

# While cryptsetup changes the key of a mounted device, the kernel's tables are a patchwork of crypt and linear.
compare "re-encryption under way" "mapper/two encrypted true" \
    "$(facts changing '[(.volumes[] | select(.name == "mapper/two") | .name, .encryption), ('"$luks"' | select(.name == "mapper/two") | .header.value.reencryption)] | join(" ")')"

# What the service has: any user, CAP_DAC_READ_SEARCH. Headers and no tables, so that a name without a header is
# unknown, be it false or detached.
compare "headers, as the service" "absent observed" "$(facts service "[$luks | .header.outcome] | unique | join(\" \")")"
compare "tables, as the service" "denied" "$(facts service '[.encryption_layers[].mapping.outcome] | unique | join(" ")')"
compare "volumes that differ, as the service" "mapper/detached unknown
mapper/false unknown" "$(comm -13 <(facts root "$volumes") <(facts service "$volumes") | cut -d ' ' -f 1,3)"

# Any user: names alone.
compare "headers, as anybody" "denied" "$(facts nobody "[$luks | .header.outcome] | unique | join(\" \")")"
compare "basis, as anybody" "name" "$(facts nobody '[.encryption_layers[].basis] | unique | join(" ")')"
compare "mounts, as anybody" "init" "$(facts nobody .mounts_seen_by)"
# What the machine is made of, and AppArmor, beside the programs that say so.
made() { section made | jq -r '.[] | select(.probe == "'"$1"'") | .facts | '"$2"; }
words="baseboard-manufacturer baseboard-product-name baseboard-version baseboard-serial-number chassis-manufacturer chassis-version
    chassis-serial-number chassis-asset-tag system-family system-sku-number bios-revision"
compare "board, beside dmidecode" "$(for word in $words; do section "$word" | sed 's/ *$//; s/^Not Specified$//'; done)" \
    "$(made hardware '.board.value | .board_vendor, .board_name, .board_version, .board_serial, .chassis_vendor, .chassis_version,
    .chassis_serial, .chassis_asset_tag, .product_family, .product_sku, .firmware_release | .value // ""')"
compare "board, as it was made" "Board maker B-1 C-1 Inventory 5" \
    "$(made hardware '.board.value | [.board_vendor, .board_serial, .chassis_serial, .chassis_asset_tag | .value] | join(" ")')"
# lsblk pads, and takes the PCI vendor of virtio for the disk's.
compare "disks, beside lsblk" "$(section lsblk | jq -r 'def t: . // "" | gsub(" +$"; "") | if startswith("0x") then "" else . end;
    .blockdevices[] | select(.name | startswith("loop") | not) |
    [.name, (.vendor | t), (.model | t), .rota, .rm, .size] | join(",")' | sort)" \
    "$(made hardware '.disks.value[] | [.name, .vendor // "", .model // "", .rotational, .removable, .size_bytes] | join(",")' | sort)"
# Without udev lsblk has the serial number of NVMe alone: those that QEMU was given.
compare "serial numbers of disks" "$(printf '%s\n' nvme0n1:NVME-1 sda:SCSI-1 vda:DISK-a vdb: vd{c..m}: | sed 's/^vd\([c-m]\):/&DISK-\1/')" \
    "$(made hardware '.disks.value[] | "\(.name):\(.serial // "")"')"
compare "firmware of the SCSI disk, and how disks are attached" "R7 nvme virtio" "$(made hardware '[(.disks.value[] | select(.name == "sda") | .firmware),
    ([.disks.value[].transport] | unique[])] | join(" ")')"
compare "devices, beside lspci" "$(section lspci | awk '$2 ~ /^0[23]/ { print $2, $3 }' | sort)" \
    "$(made hardware '.devices.value[] | "\(.class[0:4]): \(.vendor):\(.device)"' | sort)"
compare "profiles, beside aa-status" "$(section aa-status | sed 's/, "processes".*/}/' | jq -r '.profiles | to_entries[] | "\(.value) \(.key)"' | sort)" \
    "$(made mandatory-access '.apparmor.value.profiles.value | to_entries[] | .key as $mode | .value[] | "\($mode) \(.)"' | sort)"
compare "profiles, how many" "complain 7 enforce 3 kill 1 unconfined 1" \
    "$(made mandatory-access '.apparmor.value.counts | to_entries | map("\(.key) \(.value)") | join(" ")')"
compare "profiles that are disabled" "never" "$(made mandatory-access '.apparmor_disabled.value | join(" ")')"
# Of the programs that were started before: the kernel confines those that are started now.
compare "profiles without which their programs run" "$(section confined | sed -n 's/ (complain)$//p' | sort)" \
    "$(made mandatory-access '.apparmor.value.not_applied.value.profiles[]')"
compare "of all is known what they are for" "" "$(made mandatory-access '.apparmor.value.not_applied.value.not_looked_for[]')"
# aa-status 3.0 goes by names alone, and writes no comma before what it adds.
compare "one of them, beside aa-status" "/opt/started/plain" "$(section aa-status |
    grep -o '"profile": "[^"]*", "pid": "[0-9]*", "status": "unconfined"' | cut -d '"' -f 4 | sort -u)"
compare "security modules" "$(section lsm)" "$(made mandatory-access '.modules.value | join(",")')"
compare "yama" "$(section yama)" "$(made mandatory-access '.yama_ptrace_scope.value')"
compare "the same bytes twice" "same" "$(section again)"
exit "$failed"

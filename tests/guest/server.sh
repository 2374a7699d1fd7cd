#!/bin/bash
# A Debian server with the usual services, started by systemd in QEMU: what every probe says there, run as the agent's service
# runs them, and that the documents are the same, byte for byte, after an hour and after a reboot.
#
# Usage: server.sh AGENT, the path of an affiant-agent built for this machine. Needs root (to build the image), and from
# Debian: qemu-system-x86 seabios mmdebstrap e2fsprogs jq. AFFIANT_GUEST_CACHE names a folder in which images are kept
# between runs.
source "$(dirname "$0")/start.sh" server "${1:-}"
# From 6 to 7 o'clock they would install upgrades between two collections, and so change the host.
masked="systemd.mask=apt-daily.timer systemd.mask=apt-daily-upgrade.timer"

cp "$here/../../deploy/systemd/affiant-agent.service" "$payload/"
cp "$here/server.guest.sh" "$payload/run.sh"
# All but package-verification, which reads every installed file: minutes in an emulator.
"$agent" probes --json | jq -r '.[] | select(.id != "package-verification") | "\(.cadence) \(.id)"' >"$payload/probes"
tar -C "$payload" -cf "$work/payload.tar" .
cp --sparse=always "$cache/disk.img" "$work/disk.img"

# The same disk each time: the second start is a reboot.
boot() { # NAME
    timeout 600 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -m 1024 -smp 2 -display none -no-reboot \
        -nic user,restrict=on,model=virtio-net-pci -serial "file:$work/$1.console" -serial "file:$work/$1.result" \
        -kernel "$cache/vmlinuz" -initrd "$cache/initrd" -append "root=/dev/vda rw console=ttyS0 mitigations=off quiet $masked" \
        -drive "file=$work/disk.img,if=none,id=a,format=raw" -device virtio-blk-pci,drive=a,serial=DISK-a \
        -drive "file=$work/payload.tar,if=none,id=b,format=raw,readonly=on" -device virtio-blk-pci,drive=b || true
    tr -d '\r' <"$work/$1.result" >"$work/$1"
    if ! grep -qx "end all" "$work/$1"; then
        echo "the guest gave no result; the end of its console:" >&2
        tail -60 "$work/$1.console" >&2
        exit 1
    fi
}
boot first
boot second

# The lines between "begin NAME" and "end NAME" of a start.
section() { sed -n "/^begin $2\$/,/^end $2\$/p" "$work/$1" | sed '1d;$d'; }
differing() { # START SECTION START SECTION
    join -j 1 -o 0,1.2,2.2 <(section "$1" "$2" | jq -c '.[]' | jq -r '"\(.probe) \(tojson | @base64)"' | sort) \
        <(section "$3" "$4" | jq -c '.[]' | jq -r '"\(.probe) \(tojson | @base64)"' | sort) |
        while read -r probe one other; do
            [ "$one" = "$other" ] && continue
            echo "$probe"
            diff <(base64 -d <<<"$one" | jq .) <(base64 -d <<<"$other" | jq .) | head -20 >&2 || true
        done
}

# What could not be observed, and why; the number of documents guards against a list that is empty for another reason.
compare "documents, as the service" "$(wc -l <"$payload/probes") probes" \
    "$({ section first round && section first daily; } | jq -rs 'add | map(.probe | split(".")[0]) | unique | "\(length) probes"')"
compare "documents that are not observed, as the service, and why" "" \
    "$({ section first round && section first daily; } | jq -r '.[] | select(.outcome != "observed") | "\(.probe) \(.outcome): \(.detail)"')"
compare "documents that differ an hour later" "" "$(differing first round first later)"
compare "documents that differ after a reboot" "" "$(differing first round second round)"
exit "$failed"

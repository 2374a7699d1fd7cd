# What tests in a guest begin with. Sourced as `start.sh KIND AGENT`: builds the image of that kind, and sets
#   work     a folder that is removed at the end, unless AFFIANT_GUEST_KEEP is set
#   cache    the folder of the image: one of those in AFFIANT_GUEST_CACHE, where they are kept between runs
#   payload  what the guest gets, with the agent in it
#   failed   1 as soon as something is not as expected
set -euo pipefail
export LC_ALL=C

agent=$(realpath "${2:?usage: $(basename "$0") AGENT}")
here=$(dirname "$(realpath "$0")")
for program in qemu-system-x86_64 mmdebstrap mke2fs jq; do
    command -v "$program" >/dev/null || {
        echo "$program is missing: apt-get install qemu-system-x86 seabios mmdebstrap e2fsprogs jq" >&2
        exit 2
    }
done
work=$(mktemp -d)
trap '[ -n "${AFFIANT_GUEST_KEEP:-}" ] && echo "kept: $work" >&2 || rm -rf "$work"' EXIT
cache=${AFFIANT_GUEST_CACHE:-$work/image}/$1
"$here/image.sh" "$1" "$cache"
payload=$work/payload
mkdir "$payload"
cp "$agent" "$payload/affiant-agent"

failed=0
compare() { # WHAT EXPECTED SEEN
    if diff -u --label "expected: $1" --label "seen: $1" <(printf '%s\n' "$2") <(printf '%s\n' "$3"); then
        echo "ok: $1"
    else
        failed=1
    fi
}

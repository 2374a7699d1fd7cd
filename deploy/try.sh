#!/usr/bin/env bash
# Builds Affiant, starts a collector and an agent for this machine, prints what the evidence says about the controls and
# where the dashboard is, writes a pack and verifies it. Needs no root: what it may not read is then unknown, and says so.
#
#   deploy/try.sh [--once] [--data DIR]
#
#   --once      stop after the pack; exit 0 if it verified
#   --data DIR  keep everything in DIR and go on from there next time (otherwise a new folder each time)
set -euo pipefail

once=no data=
while [ $# -gt 0 ]; do
  case $1 in
    --once) once=yes ;;
    --data) data=${2:?"--data needs a folder"}; shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "deploy/try.sh: unknown argument $1 (--once, --data DIR)" >&2; exit 64 ;;
  esac
  shift
done
[ -z "$data" ] || data=$(mkdir -p "$data" && cd "$data" && pwd)
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { echo "deploy/try.sh: $*" >&2; exit 1; }

# What it started ends with it, in whatever way it ends.
collector= agent=
stop() {
  for pid in $agent $collector; do kill "$pid" 2>/dev/null || true; done
  for pid in $agent $collector; do wait "$pid" 2>/dev/null || true; done
}
trap stop EXIT
trap 'exit 130' INT TERM

command -v cargo >/dev/null || fail "cargo is not installed: Rust 1.95 or later is needed (Debian's own is older; see rustup.rs)"
command -v cc >/dev/null || fail "no C compiler: apt-get install gcc libc6-dev"

step "Building (some minutes the first time)"
cargo build --release --locked --bins -p affiant-agent -p affiant-collector -p affiant-verify
bin=${CARGO_TARGET_DIR:-target}/release
bin=$(cd "$bin" && pwd)

if [ -z "$data" ]; then data=$(mktemp -d "${TMPDIR:-/tmp}/affiant-try.XXXXXX"); fi
export AFFIANT_DATA_DIR=$data/collector AFFIANT_STATE_DIR=$data/agent
mkdir -p "$AFFIANT_DATA_DIR" "$AFFIANT_STATE_DIR"

# The usual port if nobody listens there, else a free one.
port() { if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then echo 0; else echo "$1"; fi; }
if [ ! -f "$data/collector.toml" ]; then
  printf '[agents]\nlisten = "127.0.0.1:%s"\n\n[people]\nlisten = "127.0.0.1:%s"\n' "$(port 8442)" "$(port 8443)" >"$data/collector.toml"
fi

step "Starting a collector in $data"
rm -f "$AFFIANT_DATA_DIR"/run/*.addr
"$bin/affiant-collector" serve --config "$data/collector.toml" >>"$data/collector.log" 2>&1 &
collector=$!
for _ in $(seq 300); do
  [ -s "$AFFIANT_DATA_DIR/run/people.addr" ] && break
  kill -0 "$collector" 2>/dev/null || { tail -n 5 "$data/collector.log" >&2; fail "the collector did not start; its log is $data/collector.log"; }
  sleep 0.1
done
agents=$(cat "$AFFIANT_DATA_DIR/run/agents.addr") people=$(cat "$AFFIANT_DATA_DIR/run/people.addr")
# The ports taken are those of next time: the agent knows the collector by its address.
sed -i "0,/^listen = .*/s//listen = \"$agents\"/; \$s/^listen = .*/listen = \"$people\"/" "$data/collector.toml"
"$bin/affiant-collector" trust >"$data/trust.txt"

if ! "$bin/affiant-agent" status >/dev/null 2>&1; then
  step "Enrolling this machine"
  token=$("$bin/affiant-collector" token create --json | sed -n 's/.*"token": "\([^"]*\)".*/\1/p')
  "$bin/affiant-agent" enrol --collector "https://$agents" --token "$token" | head -n 2
fi

step "Looking at this machine$([ "$(id -u)" = 0 ] || echo ' (as an ordinary user: what only root may read stays unknown)')"
"$bin/affiant-agent" run --once 2>>"$data/agent.log" || { tail -n 5 "$data/agent.log" >&2; fail "the agent could not deliver; its log is $data/agent.log"; }

# The pack begins here: before, nobody had stated anything.
begin=$(date -u +%Y-%m-%dT%H:%M:%SZ)

step "What the evidence says about the controls of ISO/IEC 27001:2022"
"$bin/affiant-collector" controls

step "Writing a pack and verifying it"
while [ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" = "$begin" ]; do sleep 0.1; done
"$bin/affiant-collector" pack create --from "$begin" --output "$data/pack.zip"
echo
"$bin/affiant-verify" --trust "$data/trust.txt" "$data/pack.zip"

if [ "$once" = yes ]; then
  echo
  echo "Everything is in $data"
  exit 0
fi

"$bin/affiant-agent" run >>"$data/agent.log" 2>&1 &
agent=$!
step "Dashboard  https://$people"
sed -n "s/^ *login */Log in as   /p" "$data/collector.log" | tail -n 1
cat <<END
The browser will warn: the certificate is signed by this collector's own CA, $AFFIANT_DATA_DIR/ca.pem.
The agent goes on watching this machine. Everything is in $data
Press Ctrl-C to stop.
END
wait "$collector"

#!/usr/bin/env bash
# Starts a collector with this machine's agent for tests/browser/run.sh, and ends it afterwards.
#   tests/browser/with-collector.sh FOLDER-OF-PROGRAMS
set -euo pipefail
programs=$(cd "$1" && pwd)
folder=$(mktemp -d)
collector=
end() { [ -z "$collector" ] || kill "$collector" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"; }
trap end EXIT
export AFFIANT_DATA_DIR=$folder/data AFFIANT_STATE_DIR=$folder/state

# Plain HTTP, as behind a proxy on the same machine: the browser need not be told to overlook a certificate.
printf '[agents]\nlisten = "127.0.0.1:0"\n[people]\nlisten = "127.0.0.1:0"\ntls = false\n' >"$folder/config.toml"
"$programs/affiant-collector" serve --config "$folder/config.toml" >"$folder/log" 2>&1 &
collector=$!
for _ in $(seq 300); do [ -s "$AFFIANT_DATA_DIR/run/people.addr" ] && break; sleep 0.1; done
token=$("$programs/affiant-collector" token create --json | jq -r .token)
"$programs/affiant-agent" enrol --collector "https://$(cat "$AFFIANT_DATA_DIR/run/agents.addr")" --token "$token"
"$programs/affiant-agent" run --once

AFFIANT_URL=http://$(cat "$AFFIANT_DATA_DIR/run/people.addr")
AFFIANT_PASSWORD=$(sed -n 's/.*login *admin, password \([^ ]*\).*/\1/p' "$folder/log")
export AFFIANT_URL AFFIANT_PASSWORD
"$(dirname "$0")/run.sh"

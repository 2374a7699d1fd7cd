#!/usr/bin/env bash
# Fuzzes every probe, or those named, for so many seconds each, from seeds recorded on this machine. Runs on stable Rust: no
# sanitizer is asked for, since there is no unsafe code to watch.
#   fuzz/run.sh SECONDS [PROBE...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?"how many seconds for each probe?"}
shift
cargo fuzz build --fuzz-dir fuzz --sanitizer none probe
cargo run --quiet --release --manifest-path fuzz/Cargo.toml --bin record -- fuzz/corpus
# Not `cargo fuzz run`, which looks for changes to build before each.
program=$(echo fuzz/target/*/release/probe)
[ $# -gt 0 ] || set -- $(ls fuzz/corpus)
failed=0
for probe in "$@"; do
  mkdir -p "fuzz/artifacts/$probe"
  AFFIANT_PROBE=$probe "$program" "fuzz/corpus/$probe" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -max_len=262144 -artifact_prefix="fuzz/artifacts/$probe/" >"fuzz/artifacts/$probe/log" 2>&1 ||
    { failed=1; echo "$probe: FOUND, see fuzz/artifacts/$probe"; continue; }
  echo "$probe: $(grep -o 'Done [0-9]* runs' "fuzz/artifacts/$probe/log")"
done
exit $failed

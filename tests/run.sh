#!/usr/bin/env bash
# Every check and test there is. Installs what they need from Debian, PyPI, npm and crates.io; Rust must be there.
set -euo pipefail
cd "$(dirname "$0")/.."

began=$SECONDS
step() { printf '\n\033[1m== %s\033[0m  (%d s)\n' "$*" $((SECONDS - began)); }
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

target=${CARGO_TARGET_DIR:-$PWD/target}
export AFFIANT_TEST_TOOLS=$target/test-tools
mkdir -p "$AFFIANT_TEST_TOOLS"

step "Programs that tests hold ours against"
# Authorities for probes, a guest's parts, foreign verifiers, a browser.
packages=(
  gcc libc6-dev openssl ca-certificates unzip jq procps iproute2 findutils gzip lz4 zstd gpg sqlite3 db5.3-util xz-utils zchunk
  cryptsetup cryptsetup-bin mount util-linux e2fsprogs acl libcap2-bin kmod
  distro-info distro-info-data apt dpkg rpm createrepo-c dnf zypper pacman-package-manager
  openssh-server openssh-client sudo opendoas passwd login pamtester libpwquality-tools dconf-cli krb5-user
  nftables iptables ufw firewalld systemd systemd-container chrony auditd rsyslog logrotate
  cron anacron at debianutils apparmor libselinux1 openscap-scanner
  containerd docker.io podman borgbackup restic
  nfs-kernel-server samba-common-bin vsftpd fail2ban snmp snmpd
  postgresql mariadb-server-core redis-tools
  aide aide-common debsums clamav clamav-daemon puppet-agent ansible-core flatpak ruby
  mmdebstrap qemu-system-x86 seabios
  python3 python3-venv python3-yaml chromium fonts-dejavu-core
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  root apt-get update -q
  # The machine's own services stay as they are: only programs are wanted.
  printf '#!/bin/sh\nexit 101\n' | root tee /usr/sbin/policy-rc.d >/dev/null && root chmod +x /usr/sbin/policy-rc.d
  root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
  root rm -f /usr/sbin/policy-rc.d
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs npm
fi
root mkdir -p /run/sshd

[ -x "$AFFIANT_TEST_TOOLS/venv/bin/pip" ] || python3 -m venv "$AFFIANT_TEST_TOOLS/venv"
"$AFFIANT_TEST_TOOLS/venv/bin/pip" install -q -r tests/foreign/requirements.txt
cp tests/foreign/package.json "$AFFIANT_TEST_TOOLS/package.json"
npm install --silent --no-package-lock --prefix "$AFFIANT_TEST_TOOLS"
if ! [ -x "$AFFIANT_TEST_TOOLS/bin/cargo-deny" ]; then
  # Built in a minute instead of three, and it runs for seconds.
  cargo install --quiet --locked --debug --root "$AFFIANT_TEST_TOOLS" --target-dir "$AFFIANT_TEST_TOOLS/build" cargo-deny@0.20.2
  rm -rf "$AFFIANT_TEST_TOOLS/build"
fi

step "Form"
cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

step "Dependencies: licences, sources"
# Those of other platforms are looked at too, and nothing else fetches them.
cargo fetch --locked --quiet
"$AFFIANT_TEST_TOOLS/bin/cargo-deny" --offline check licenses bans sources

step "Documentation"
# Help texts of commands are doc comments too: their URLs and placeholders are no links and no HTML.
RUSTDOCFLAGS="-D warnings -A rustdoc::bare_urls -A rustdoc::invalid_html_tags -A rustdoc::private_intra_doc_links" \
  cargo doc --workspace --all-features --no-deps --document-private-items --locked --quiet

# Generated cases are the same in every run; another number looks at others.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-27001}

step "Tests"
cargo build --workspace --bins --locked
cargo test --workspace --all-features --locked --no-fail-fast

step "Hosts of other releases, as folders"
root tests/roots/run.py "$target/debug/affiant-agent"

step "OpenSCAP's answers beside ours"
root tests/openscap/run.py "$target/debug/affiant-agent"

step "Guests: volumes of every kind with a kernel of its own; a server, an hour later, and after a reboot"
# Side by side: an emulator keeps one core busy.
tests/guest/server.sh "$target/debug/affiant-agent" >"$target/server-guest.log" 2>&1 &
server=$!
storage=passed
tests/guest/disk-encryption.sh "$target/debug/affiant-agent" || storage=failed
wait "$server" && server=passed || server=failed
cat "$target/server-guest.log"
echo "volumes: $storage, server: $server"
[ "$storage $server" = "passed passed" ]

step "The pages, in a browser"
tests/browser/with-collector.sh "$target/debug"

step "The main job, from the outside"
CARGO_TARGET_DIR=$target deploy/try.sh --once --data "$target/try"

step "All passed"

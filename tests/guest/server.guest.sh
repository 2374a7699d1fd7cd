#!/bin/bash
# Runs in the guest, after everything else has started: collects as the agent's service does, and an hour later again.
set -euo pipefail
exec 3>&1 1>&2

# Everything but this and the target that waits for it has started.
for _ in $(seq 60); do
    [ "$(systemctl list-jobs --no-legend | wc -l)" -gt 2 ] || break
    sleep 1
done
systemctl list-units --failed --no-legend

install -m 755 affiant-agent /usr/bin/affiant-agent
id affiant-agent >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir /var/lib/affiant-agent --no-create-home --shell /usr/sbin/nologin affiant-agent
# The unit as it is installed, with another command: no collector is needed to look at what a collection says.
install -m 644 affiant-agent.service /etc/systemd/system/
mkdir -p /etc/systemd/system/affiant-agent.service.d
cat >/etc/systemd/system/affiant-agent.service.d/once.conf <<'UNIT'
[Unit]
ConditionPathExists=
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=/usr/bin/affiant-agent collect --output /var/lib/affiant-agent/facts $PROBES
EnvironmentFile=/run/test/chosen
UNIT
systemctl daemon-reload

collect() { # NAME CADENCE...
    {
        printf 'PROBES='
        for cadence in "${@:2}"; do sed -n "s/^$cadence /--probe /p" probes; done | tr '\n' ' '
    } >chosen
    rm -rf /var/lib/affiant-agent/facts
    systemctl start affiant-agent.service || journalctl -u affiant-agent --no-pager
    {
        echo "begin $1"
        echo "["
        sep=""
        for file in /var/lib/affiant-agent/facts/*.json; do
            printf '%s' "$sep" && cat "$file" && echo
            sep=,
        done
        echo "]"
        echo "end $1"
    } >&3
}
collect round every-round on-change
[ -e /var/lib/once ] || collect daily daily
touch /var/lib/once
date -s "+1 hour" >/dev/null
collect later every-round on-change
echo "end all" >&3

#!/usr/bin/env python3
"""What the agent costs while nothing changes: memory, and CPU over a day, from some collections beside a real collector.

    tests/bench/idle.py PROGRAMS [--agent AGENT] [--minutes N]

PROGRAMS is the folder with affiant-agent and affiant-collector. The collector tells the agent to collect once a minute instead of
every 15, so that a few minutes show what a round costs; the first round, with the daily probes, is told apart. Needs the rights
that the probes need (root). Nothing is asserted: numbers go to docs/performance.md by hand.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time

from cost import measure
from pair import Pair, contents

TICKS = os.sysconf("SC_CLK_TCK")
DAY = 24 * 60 * 60
# Seconds between collections: here, and as agents are told if nobody says otherwise.
HERE, DEFAULT = 60, 900


def cpu(pid):
    """CPU seconds of a process and of the programs that it ran and waited for."""
    fields = contents(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def memory(pid):
    """Resident memory of the service now and at its highest, MiB."""
    status = contents(f"/proc/{pid}/status")
    return [int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in ("VmRSS", "VmHWM")]


def watch(pid, minutes):
    """CPU seconds and resident memory at the end of each minute."""
    seen = []
    for _ in range(minutes):
        time.sleep(HERE)
        seen.append((cpu(pid), memory(pid)))
        print(f"  {seen[-1][0]:.2f} s CPU, {seen[-1][1][0]:.1f} MiB, at most {seen[-1][1][1]:.1f} MiB", file=sys.stderr)
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("--agent", help="another affiant-agent than the one in PROGRAMS")
    parser.add_argument("--minutes", type=int, default=6)
    arguments = parser.parse_args()
    collector = os.path.join(arguments.programs, "affiant-collector")
    agent = arguments.agent or os.path.join(arguments.programs, "affiant-agent")
    with tempfile.TemporaryDirectory() as folder:
        with Pair(folder, collector, agent, f"[pace]\ncollect_seconds = {HERE}\n") as pair:
            seen = watch(pair.serve(), arguments.minutes)
        # Each collection has a process of its own, gone when it is over; this one reads everything, as the first of a day does.
        probes = json.loads(pair.run(agent, "probes", "--json"))
        round_peak = measure([agent, "round", *(probe["id"] for probe in probes)])[1]
    first = seen[0][0]
    rounds = [after - before for (before, _), (after, _) in zip(seen, seen[1:])]
    a_round = statistics.median(rounds)
    day = first + a_round * DAY / DEFAULT
    print(f"{platform.machine()}, Linux {platform.release()}, {os.cpu_count()} cores; {len(rounds)} minutes with a collection each")
    print(f"first minute, with the daily probes {first * 1000:8.0f} ms CPU")
    print(f"a minute with a collection          {a_round * 1000:8.0f} ms CPU")
    print(f"a day, one collection in {DEFAULT} s     {day:8.1f} s CPU   {100 * day / DAY:.4f} % of one core")
    now, peak = seen[-1][1]
    print(f"memory                              {now:8.1f} MiB now, {peak:.1f} MiB at most")
    print(f"with the process of a collection    {peak + round_peak:8.1f} MiB at most, {round_peak:.1f} of them its own")


if __name__ == "__main__":
    main()

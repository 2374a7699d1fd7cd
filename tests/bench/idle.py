#!/usr/bin/env python3
"""What the agent costs while nothing changes: memory, and CPU over a day, from some collections beside a real collector.

    tests/bench/idle.py PROGRAMS [--agent AGENT] [--minutes N]

PROGRAMS is the folder with affiant-agent and affiant-collector. The collector tells the agent to collect once a minute instead of
every 15, so that a few minutes show what a round costs; the first round, with the daily probes, is told apart. Needs the rights
that the probes need (root). Nothing is asserted: numbers go to docs/performance.md by hand.
"""

import argparse
import contextlib
import itertools
import os
import platform
import re
import statistics
import sys
import tempfile
import time

from pair import Pair, contents

TICKS = os.sysconf("SC_CLK_TCK")
DAY = 24 * 60 * 60
# Seconds between collections: here, and as agents are told if nobody says otherwise.
HERE, DEFAULT = 60, 900
# Seconds between two looks at the memory of a collection, which lasts some hundred milliseconds.
SAMPLE = 0.02


def cpu(pid):
    """CPU seconds of a process and of the programs that it ran and waited for."""
    fields = contents(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def memory(pid):
    """Resident memory of the service now and at its highest, MiB."""
    status = contents(f"/proc/{pid}/status")
    return [int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in ("VmRSS", "VmHWM")]


def together(pid):
    """Memory of the service and of the process of its collection, MiB, pages that both map counted once (proc(5), Pss)."""
    share = 0
    with contextlib.suppress(OSError):
        children = [contents(f"/proc/{pid}/task/{thread}/children").split() for thread in os.listdir(f"/proc/{pid}/task")]
        for one in [pid, *itertools.chain(*children)]:
            with contextlib.suppress(OSError):
                share += int(re.search(r"^Pss:\s+(\d+) kB", contents(f"/proc/{one}/smaps_rollup"), re.M)[1])
    return share / 1024


def watch(pid, minutes):
    """CPU seconds and resident memory at the end of each minute, and the most that service and collection took together."""
    seen, most = [], 0
    for _ in range(minutes):
        end = time.monotonic() + HERE
        while time.monotonic() < end:
            most = max(most, together(pid))
            time.sleep(SAMPLE)
        seen.append((cpu(pid), memory(pid)))
        print(f"  {seen[-1][0]:.2f} s CPU, {seen[-1][1][0]:.1f} MiB, at most {most:.1f} MiB with a collection", file=sys.stderr)
    return seen, most


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
            # The first collection runs the daily probes too.
            seen, most = watch(pair.serve(), arguments.minutes)
    first = seen[0][0]
    rounds = [after - before for (before, _), (after, _) in zip(seen, seen[1:])]
    a_round = statistics.median(rounds)
    day = first + a_round * DAY / DEFAULT
    print(f"{platform.machine()}, Linux {platform.release()}, {os.cpu_count()} cores; {len(rounds)} minutes with a collection each")
    print(f"first minute, with the daily probes {first * 1000:8.0f} ms CPU")
    print(f"a minute with a collection          {a_round * 1000:8.0f} ms CPU")
    print(f"a day, one collection in {DEFAULT} s     {day:8.1f} s CPU   {100 * day / DAY:.4f} % of one core")
    now, peak = seen[-1][1]
    print(f"resident memory of the service      {now:8.1f} MiB now, {peak:.1f} MiB at most")
    print(f"with the process of a collection    {most:8.1f} MiB at most, pages that both map counted once")


if __name__ == "__main__":
    main()

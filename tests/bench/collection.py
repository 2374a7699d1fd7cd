#!/usr/bin/env python3
"""CPU and memory of one full collection, beside the tools that people run for the same purpose, on this host, in one run.

    tests/bench/collection.py AGENT [--rounds N]

Lynis and OpenSCAP are measured if they are installed; for OpenSCAP the data stream is given by OSCAP_CONTENT (for instance
ssg-debian12-ds.xml). Nothing is asserted: numbers go to docs/performance.md by hand, with the machine that they are from.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

from cost import measure

PROFILE = "xccdf_org.ssgproject.content_profile_anssi_bp28_enhanced"
# Its rules that walk whole filesystems, which a collection does not: on a large disk they are nearly all that it does.
WALKS = [
    "dir_ownership_binary_dirs",
    "dir_permissions_binary_dirs",
    "dir_perms_world_writable_root_owned",
    "dir_perms_world_writable_sticky_bits",
    "file_ownership_binary_dirs",
    "file_permissions_binary_dirs",
    "file_permissions_unauthorized_sgid",
    "file_permissions_unauthorized_suid",
    "file_permissions_unauthorized_world_writable",
    "file_permissions_ungroupowned",
    "no_files_unowned_by_user",
]


def every_round(agent):
    """The probes of a collection; those that run once a day, among them the walk, have `walk.py`."""
    probes = json.loads(subprocess.run([agent, "probes", "--json"], capture_output=True, check=True).stdout)
    return [probe["id"] for probe in probes if probe["cadence"] != "daily"]


def medians(commands, rounds):
    """Median of the CPU, and most of the memory, of each command once the caches are warm; in turns, so that all meet the same
    clock and neighbours. A command is told the number of the turn."""
    measured = [[measure(command(turn)) for command in commands] for turn in range(rounds + 1)][1:]
    for of_one in zip(*measured, strict=True):
        yield sorted(cpu for cpu, _ in of_one)[rounds // 2], max(memory for _, memory in of_one)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("agent", help="a release build of affiant-agent")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments = arguments.parse_args()

    agent, probes = arguments.agent, every_round(arguments.agent)
    with tempfile.TemporaryDirectory() as folder:
        chosen = [word for probe in probes for word in ("--probe", probe)]
        # The process that the service starts each time; files of the same times are not read again.
        with open(agent, "rb") as program:
            digest = hashlib.sha256(program.read()).hexdigest()
        kept = os.path.join(folder, "kept")
        os.mkdir(kept)
        again = [agent, "round", "--unchanged", kept, "--agent", digest, *probes]
        commands = {
            # Everything is read, as on a host that the agent sees for the first time.
            "affiant-agent collect": lambda turn: [agent, "collect", "--output", os.path.join(folder, str(turn)), *chosen],
            "the service's next collection": lambda _: again,
        }

        content = os.environ.get("OSCAP_CONTENT")
        if shutil.which("oscap") and content:
            skip = [word for rule in WALKS for word in ("--skip-rule", f"xccdf_org.ssgproject.content_rule_{rule}")]
            evaluation = ["oscap", "xccdf", "eval", "--profile", PROFILE, *skip, content]
            commands["oscap anssi_bp28_enhanced without walks"] = lambda _: evaluation
        rows = [(name, *costs) for name, costs in zip(commands, medians(commands.values(), arguments.rounds), strict=True)]
    if shutil.which("lynis"):
        # A minute, so once.
        rows.append(("lynis audit system --quick", *measure(["lynis", "audit", "system", "--quick", "--no-colors"])))
    first, next_ = rows[0][1], rows[1][1]

    print(f"{platform.machine()}, Linux {platform.release()}, {os.cpu_count()} cores; medians of {arguments.rounds} turns")
    print(f"{'':42} {'CPU':>10} {'memory':>12}   beside the first, the second")
    for name, seconds, mebibytes in rows:
        ratios = f"1 : {seconds / first:.1f}   1 : {seconds / next_:.1f}"
        print(f"{name:42} {seconds * 1000:7.0f} ms {mebibytes:8.1f} MiB   {ratios}")
    if len(rows) == 2:
        print("neither lynis nor oscap is installed: no peer was measured", file=sys.stderr)


if __name__ == "__main__":
    main()

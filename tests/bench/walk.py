#!/usr/bin/env python3
"""CPU of the agent's walk over the filesystems beside find(1) on the same filesystems, on this host, in one run.

    tests/bench/walk.py AGENT [--rounds N]

AGENT is a release build. The agent looks for more than find is asked for here (capabilities, unknown owners). Nothing is
asserted: numbers go to docs/performance.md by hand, with the machine that they are from.
"""

import argparse
import json
import os
import platform
import subprocess
import sys

from cost import measure


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("agent", help="a release build of affiant-agent")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments = arguments.parse_args()

    collect = [arguments.agent, "collect", "--probe", "setuid-files", "--json"]
    printed = subprocess.run(collect, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
    document = next(document for document in json.loads(printed) if document["probe"] == "setuid-files")
    if document["outcome"] != "observed":
        sys.exit(f"setuid-files: {document['outcome']}: {document['detail']}")
    filesystems = [filesystem["mount_point"] for filesystem in document["facts"]["filesystems"]]
    find = ["find", *filesystems, "-xdev", "-perm", "/7002"]
    counted = ["find", *filesystems, "-xdev", "-printf", "."]
    entries = len(subprocess.run(counted, stdout=subprocess.PIPE, check=False).stdout)

    # Alternating, so that what else the machine does meets both.
    rounds = [(measure(collect), measure(find)) for _ in range(arguments.rounds)]
    middle = len(rounds) // 2
    agent = sorted(agent[0] for agent, _ in rounds)[middle]
    other = sorted(other[0] for _, other in rounds)[middle]
    print(f"{platform.machine()}, Linux {platform.release()}, {os.cpu_count()} cores; median of {arguments.rounds} rounds")
    print(f"{entries} entries on {' '.join(filesystems)}")
    print(f"{'affiant-agent collect --probe setuid-files':44} {agent * 1000:8.0f} ms CPU {max(agent[1] for agent, _ in rounds):8.1f} MiB")
    print(f"{' '.join(find):44} {other * 1000:8.0f} ms CPU {max(other[1] for _, other in rounds):8.1f} MiB")
    print(f"1 : {agent / other:.2f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How long until a change on the host stands in the web page, with the installed defaults of agent and collector.

    tests/bench/change_to_page.py PROGRAMS [--rounds N]

PROGRAMS is the folder of affiant-agent and affiant-collector. Needs root and sshd(8): the configuration of sshd is changed, back
and forth, in a mount namespace of its own, over a copy-on-write /etc; the machine's own stays as it is. The floor, in the same run:
one collection of all probes, without noticing, waiting for more changes, signing, sending, judging and showing.
"""

import argparse
import http.cookiejar
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from pair import Pair, contents, wait_for

RULE = "sshd-root-password-login-off"
CONFIG = "/etc/ssh/sshd_config"
INSIDE = "AFFIANT_BENCH_INSIDE"


class Pages:
    """The collector's pages, logged in."""

    def __init__(self, url, password):
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.opener.addheaders = [("Origin", url)]
        form = urllib.parse.urlencode({"name": "admin", "password": password, "next": "/"})
        self.opener.open(f"{url}/login", form.encode()).read()

    def text(self, path):
        return self.opener.open(self.url + path).read().decode()


def inside(arguments):
    """In the mount namespace: everything that this starts ends with it."""
    folder = arguments.folder
    os.makedirs(f"{folder}/upper")
    os.makedirs(f"{folder}/work")
    layers = f"lowerdir=/etc,upperdir={folder}/upper,workdir={folder}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, "/etc"], check=True)
    agent, collector = (os.path.join(arguments.programs, name) for name in ("affiant-agent", "affiant-collector"))
    original = contents(CONFIG)
    with Pair(folder, collector, agent) as pair:

        def collection():
            begin = time.monotonic()
            pair.run(agent, "collect", "--output", f"{folder}/facts")
            return time.monotonic() - begin

        set_root_login(original, False)
        pair.serve()
        password = re.search(r"login *admin, password (\S+)", contents(f"{folder}/collector.log"))[1]
        pages = Pages(f"http://{pair.people}", password)
        host = wait_for("the host", lambda: re.search(r'href="(/hosts/[a-z0-9-]+)"', pages.text("/hosts")))[1]
        page = f"{host}/findings/{RULE}"
        wait_for("the finding", lambda: shows(pages.text(page), False))
        floor = statistics.median(collection() for _ in range(arguments.rounds))
        latencies = []
        for number in range(arguments.rounds):
            wrong = number % 2 == 0
            time.sleep(3)  # between two changes as a person makes them
            begin = time.monotonic()
            set_root_login(original, wrong)
            wait_for("the change", lambda wrong=wrong: shows(pages.text(page), wrong))
            latencies.append(time.monotonic() - begin)
    median = statistics.median(latencies)
    print(f"{os.cpu_count()} cores, {arguments.rounds} changes: from the changed file to the page")
    print(f"median {median:.2f} s, longest {max(latencies):.2f} s; one collection of all probes {floor:.2f} s   1 : {median / floor:.1f}")


def set_root_login(original, wrong):
    """As an editor does: a new file in the place of the old one."""
    with open(f"{CONFIG}.new", "w") as file:
        file.write(f"PermitRootLogin {'yes' if wrong else 'no'}\n{original}\n")
    os.rename(f"{CONFIG}.new", CONFIG)


def shows(page, wrong):
    """The verdict of now stands first in the page."""
    mark = re.search(r'<p class="marks"><span class="mark ([a-z]+)"', page)
    return mark and mark[1] == ("bad" if wrong else "good")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs", help="folder of affiant-agent and affiant-collector, release builds")
    arguments.add_argument("--rounds", type=int, default=10)
    arguments = arguments.parse_args()
    arguments.programs = os.path.abspath(arguments.programs)
    if os.geteuid() != 0:
        sys.exit("needs root: it mounts over /etc in a namespace of its own")
    if INSIDE in os.environ:
        arguments.folder = os.environ[INSIDE]
        inside(arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, INSIDE: folder}
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()

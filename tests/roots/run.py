#!/usr/bin/env python3
"""Whole foreign hosts: `affiant-agent collect --root` over roots of other Debian releases says what those systems' own programs say.

    tests/roots/run.py AGENT [SUITE...]

Each root is made with mmdebstrap from the mirror that this machine's apt is configured with, without its security archive; then
that is added and `apt-get update` runs inside, so that updates really are pending. Needs root. Exit 0: everything agrees.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

SUITES = ["bullseye", "bookworm", "trixie"]
# Of these programs one has to say something for the comparison to mean something.
PACKAGES = "apt,openssh-server,sudo,cron,ca-certificates,libpam-pwquality"
problems = []


def run(*command, **options):
    ran = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {ran.returncode}\n{ran.stderr[-2000:]}")
    return ran.stdout


def inside(root, *command):
    return run("chroot", root, "env", "-i", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command)


def mirror(kind):
    """URI of an archive that apt knows here: `debian` or `debian-security`."""
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    for uri in targets.split():
        if uri.rstrip("/").endswith(f"/{kind}"):
            return uri
    sys.exit(f"apt knows no archive {kind} on this machine")


def make(root, suite):
    run("mmdebstrap", "-q", "--variant=minbase", f"--include={PACKAGES}", suite, root, f"deb {mirror('debian')} {suite} main")
    with open(f"{root}/etc/apt/sources.list", "a") as sources:
        sources.write(f"deb {mirror('debian')} {suite}-updates main\n")
        sources.write(f"deb {mirror('debian-security')} {suite}-security main\n")
    # Signatures of releases that are out of support may have expired; what is compared is what apt then says.
    inside(root, "apt-get", "update", "-qq", "-o", "Acquire::Check-Valid-Until=false")


def compare(what, ours, theirs):
    if ours == theirs:
        print(f"  ok  {what} ({len(theirs)})")
        return
    problems.append(what)
    print(f"  NOT {what}: only we say {sorted(ours - theirs)[:5]}, only they say {sorted(theirs - ours)[:5]}")


class Facts:
    """The documents of one collection."""

    def __init__(self, folder):
        self.folder = folder

    def document(self, probe):
        with open(f"{self.folder}/{probe}.json") as file:
            return json.load(file)

    def facts(self, probe):
        document = self.document(probe)
        if document["outcome"] != "observed":
            sys.exit(f"{probe}: {document['outcome']}: {document['detail']}")
        return document["facts"]

    def all(self):
        return sorted(name[:-5] for name in os.listdir(self.folder) if name.endswith(".json"))


def check(agent, root, suite, folder):
    run(agent, "collect", "--root", root, "--output", folder)
    run("sha256sum", "-c", "--quiet", "manifest", cwd=folder)
    facts = Facts(folder)
    for probe in facts.all():
        document = facts.document(probe)
        if document["outcome"] in ("failed", "malformed", "denied", "timeout"):
            problems.append(f"{suite}: {probe}")
            print(f"  NOT {probe}: {document['outcome']}: {document['detail']}")

    ours = {(p["name"], p["architecture"], p["version"]) for p in facts.facts("packages")["packages"]}
    lines = inside(root, "dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Architecture} ${Version}\n").splitlines()
    theirs = {tuple(line.split(" ")[1:]) for line in lines if line.startswith("installed ")}
    compare(f"{suite}: packages, dpkg-query", ours, theirs)

    updates = facts.facts("package-updates")
    ours = {(u["name"], u["candidate"]) for u in updates["upgrades"]}
    lines = re.findall(r"^(\S+?)/\S+ (\S+) ", inside(root, "apt", "list", "--upgradable"), re.M)
    compare(f"{suite}: pending updates, apt list --upgradable", ours, set(lines))
    ours = {u["name"] for u in updates["upgrades"] if u["security"]}
    simulated = re.findall(r"^Inst (\S+) .*?\((\S+) ([^)]*)\)", inside(root, "apt-get", "-s", "dist-upgrade"), re.M)
    theirs = {name for name, _, origins in simulated if "Debian-Security" in origins}
    compare(f"{suite}: security updates, apt-get -s dist-upgrade", ours & {name for name, _, _ in simulated}, theirs)

    release = facts.facts("kernel-and-release")["distribution"]
    theirs = dict(re.findall(r'^(\w+)="?(.*?)"?$', inside(root, "cat", "/etc/os-release"), re.M))
    compare(f"{suite}: release, os-release", {release.get("id"), release.get("version_id")}, {theirs["ID"], theirs["VERSION_ID"]})

    ours = {(user["uid"], user["gid"]) for user in facts.facts("accounts")["users"]}
    theirs = {tuple(map(int, line.split(":")[2:4])) for line in inside(root, "getent", "passwd").splitlines()}
    compare(f"{suite}: accounts, getent", ours, theirs)


def main():
    if len(sys.argv) < 2 or os.geteuid() != 0:
        sys.exit(__doc__)
    agent = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # apt fetches as a user of its own
        for suite in sys.argv[2:] or SUITES:
            print(suite)
            root = f"{folder}/{suite}"
            make(root, suite)
            check(agent, root, suite, f"{folder}/{suite}.facts")
    if problems:
        sys.exit(f"{len(problems)} do not agree")


if __name__ == "__main__":
    main()

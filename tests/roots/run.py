#!/usr/bin/env python3
"""Whole foreign hosts: `affiant-agent collect --root` over roots of other Debian releases says what those systems' own programs say.

    tests/roots/run.py AGENT [SUITE...]

Each root is made with mmdebstrap from the mirror that this machine's apt is configured with, without its security archive; then
that is added and `apt-get update` runs inside, so that updates really are pending. Needs root. Exit 0: everything agrees.
"""

import datetime
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

SUITES = ["bullseye", "bookworm", "trixie"]
# Of these programs one has to say something for the comparison to mean something.
PACKAGES = "apt,openssh-server,sudo,cron,ca-certificates,libpam-pwquality"
# Of these releases logins are in databases.
LOGIN_PACKAGES = {"trixie": ",lastlog2,wtmpdb"}
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
    run("mmdebstrap", "-q", "--variant=minbase", f"--include={PACKAGES}{LOGIN_PACKAGES.get(suite, '')}", suite, root, f"deb {mirror('debian')} {suite} main")
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


def record_logins(root):
    """Accounts whose logins the release's own programs write to their databases: from the older files, and one now."""
    numbers = random.Random(27001)
    users = [(f"user{number}", 2000 + number) for number in range(300)]
    with open(f"{root}/etc/passwd", "a") as passwd:
        passwd.writelines(f"{name}:x:{uid}:100::/:/bin/sh\n" for name, uid in users)
    edges = [1, 86399, 86400, 2**31 - 1, 2**31, 2**32 - 1]
    with open(f"{root}/lastlog", "wb") as lastlog:
        for name, uid in users[:200]:
            time = numbers.choice(edges) if uid % 5 == 0 else numbers.randrange(900_000_000, 1_790_000_000)
            lastlog.seek(uid * 292)
            lastlog.write(struct.pack("<I32s256s", time, b"pts/0", b"198.51.100.7"))
    form = "<hxxi32s4s32s256shhiii16s20s"  # struct utmp of utmp(5)
    time = 1_600_000_000
    with open(f"{root}/wtmp", "wb") as wtmp:
        wtmp.write(struct.pack(form, 2, 0, b"~", b"~~", b"reboot", b"6.1", 0, 0, 0, time, 5, b"", b""))
        for number in range(1500):
            time += numbers.randrange(100, 200_000)
            name = users[numbers.randrange(100, 250)][0]
            line, key = f"pts/{number % 7}".encode(), f"ts/{number % 7}".encode()
            wtmp.write(struct.pack(form, 7, number + 2, line, key, name.encode(), b"198.51.100.9", 0, 0, 0, time, 5, b"", b""))
            if number % 4:
                wtmp.write(struct.pack(form, 8, number + 2, line, key, b"", b"", 0, 0, 0, time + 50, 5, b"", b""))
    os.makedirs(f"{root}/var/lib/lastlog", exist_ok=True)
    inside(root, "lastlog2", "--import", "/lastlog")
    inside(root, "lastlog2", "--set", "--user", "user7")
    inside(root, "wtmpdb", "import", "/wtmp")
    inside(root, "wtmpdb", "boot")


def check_logins(facts, root, suite):
    told = facts.facts("last-logins")
    if told["accounts"]["outcome"] != "observed":
        sys.exit(f"{suite}: last-logins: {told}")
    uids = {line.split(":")[0]: int(line.split(":")[2]) for line in inside(root, "getent", "passwd").splitlines()}
    newest = {}
    for line in inside(root, "lastlog2", "--active").splitlines()[1:]:
        # `user1  pts/0  198.51.100.7  Thu Jul 16 02:53:02 +0000 2009`
        time = datetime.datetime.strptime(" ".join(line.split()[-6:]), "%a %b %d %H:%M:%S %z %Y")
        newest[line.split()[0]] = (time.date().isoformat(), "lastlog2")
    for entry in json.loads(inside(root, "wtmpdb", "last", "--json", "--time-format", "iso"))["entries"]:
        day = entry["login"][:10]
        if entry["tty"] != "system boot" and day > newest.get(entry["user"], ("", ""))[0]:
            newest[entry["user"]] = (day, "wtmpdb")
    ours = {(a["uid"], a["last_day"][:10], a["recorded_in"]) for a in told["accounts"]["value"] if "last_day" in a}
    compare(f"{suite}: last logins, lastlog2 and wtmpdb last", ours, {(uids[name], *day) for name, day in newest.items()})


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
    if suite in LOGIN_PACKAGES:
        record_logins(root)
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

    if suite in LOGIN_PACKAGES:
        check_logins(facts, root, suite)


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

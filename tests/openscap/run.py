#!/usr/bin/env python3
"""What OpenSCAP says of a host, rule by rule, beside what our facts say, where both have an opinion.

    tests/openscap/run.py AGENT

Over this machine, and over stricter and weaker copies of it. Needs root, `oscap`, and fetches Debian's rules for Debian 12 with apt.
Every disagreement has to stand in docs/agreement/openscap.md, with its reason. Exit 0: so it is, and no reason is left over.
"""

import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.append(os.path.join(os.path.dirname(__file__), "../bench"))
from collection import WALKS
from hosts import VARIANTS, inside
from opinions import PROBES, Facts, opinion

XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"
RULE = "xccdf_org.ssgproject.content_rule_"
PROFILE = "xccdf_org.ssgproject.content_profile_anssi_bp28_high"
PAGE = os.path.join(os.path.dirname(__file__), "../../docs/agreement/openscap.md")
# The walk has its own comparison; the last one walks to find what it wants to be audited.
SKIPPED = [*WALKS, "audit_rules_privileged_commands"]


def content(folder):
    """Debian's data stream for Debian 12, which only later releases package."""
    sources = os.path.join(folder, "sources.list")
    mirror = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], capture_output=True, text=True, check=True
    ).stdout.split()
    mirror = next(uri for uri in mirror if uri.rstrip("/").endswith("/debian"))
    with open(sources, "w", encoding="utf-8") as file:
        file.write(f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} trixie main\n")
    os.makedirs(os.path.join(folder, "lists/partial"))
    os.makedirs(os.path.join(folder, "cache/archives/partial"))
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": os.path.join(folder, "lists"),
        "Dir::Cache": os.path.join(folder, "cache"),
        "APT::Sandbox::User": "root",
    }
    options = [word for name, setting in options.items() for word in ("-o", f"{name}={setting}")]
    for command in (["update", "-qq"], ["download", "-qq", "ssg-debian"]):
        subprocess.run(["apt-get", *options, *command], cwd=folder, check=True, capture_output=True)
    package = glob.glob(os.path.join(folder, "ssg-debian_*.deb"))[0]
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    stream = "ssg-debian12-ds.xml"
    shutil.copy(os.path.join(folder, "usr/share/xml/scap/ssg/content", stream), os.path.join(folder, stream))


def settings(benchmark):
    """sysctl rule -> key and the value that the profile wants."""
    chosen = {item.get("idref"): item.text for item in benchmark.iter(XCCDF + "set-value")}
    found = {}
    for rule in benchmark.iter(XCCDF + "Rule"):
        name = rule.get("id").removeprefix(RULE)
        match = re.search(r"sysctl -q -n -w ([a-z0-9_.]+)=\"?([^\"\s]+)\"?", "".join(rule.itertext()))
        if not name.startswith("sysctl_") or not match:
            continue
        wanted = match[2]
        if wanted.startswith("$"):
            wanted = chosen.get("xccdf_org.ssgproject.content_value_" + wanted[1:])
        if wanted is not None:
            found[name] = (match[1], wanted)
    return found


def ask(folder, changes, expected):
    """OpenSCAP's results and our facts."""
    skipped = " ".join(f"--skip-rule {RULE}{rule}" for rule in SKIPPED)
    probes = " ".join(f"--probe {probe}" for probe in PROBES)
    steps = f"""
cd /mnt
./agent collect --json {probes} >facts.json
timeout 300 oscap xccdf eval {skipped} --profile {PROFILE} --results results.xml ssg-debian12-ds.xml >/dev/null 2>oscap.log
test $? = 0 -o $? = 2
"""
    pairs = " ".join(f"{key}={wanted}" for key, wanted in expected.values())
    inside(folder, changes, steps, {"SETTINGS": pairs})
    with open(os.path.join(folder, "facts.json"), encoding="utf-8") as file:
        facts = Facts(json.load(file))
    results = ElementTree.parse(os.path.join(folder, "results.xml"))
    told = {}
    for result in results.iter(XCCDF + "rule-result"):
        told[result.get("idref").removeprefix(RULE)] = result.find(XCCDF + "result").text
    return results, told, facts


def explained():
    """Disagreements with a reason: (host, rule), from the page's table."""
    found = set()
    with open(PAGE, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"\| `([^`]+)` \| ([^|]+) \|", line)
            if match:
                found |= {(host.strip(), match[1]) for host in match[2].split(",")}
    return found


def main():
    agent, = sys.argv[1:]
    reasons, wrong, occurred = explained(), [], set()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(agent, os.path.join(folder, "agent"))
        content(folder)
        expected = settings(ElementTree.parse(os.path.join(folder, "ssg-debian12-ds.xml")))
        for host, changes in VARIANTS.items():
            results, told, facts = ask(folder, changes, expected)
            expected = settings(results)
            counts = collections.Counter()
            for rule, result in sorted(told.items()):
                ours = opinion(facts, rule, expected)
                counts["asked"] += result in ("pass", "fail")
                if result not in ("pass", "fail") or ours is None:
                    continue
                counts["compared"] += 1
                counts[f"both {result}" if ours == (result == "pass") else "other"] += 1
                if ours != (result == "pass"):
                    occurred.add((host, rule))
                    if (host, rule) not in reasons:
                        wrong.append(f"{host}: {rule}: OpenSCAP says {result}, our facts {'pass' if ours else 'fail'}")
            print(f"{host}: {dict(counts)}")
            if counts["compared"] < 100:
                wrong.append(f"{host}: only {counts['compared']} rules were compared")
    wrong += [f"{host}: {rule}: its reason is left over, both agree" for host, rule in sorted(reasons - occurred)]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

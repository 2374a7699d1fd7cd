"""A collector and an agent that is enrolled with it, both in one folder and on ports that the system chose."""

import os
import re
import subprocess
import sys
import time

LONGEST = 120


def contents(path):
    """The text of a file without blanks around it; empty if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def wait_for(what, condition):
    """What `condition` returns once that is something."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    sys.exit(f"{what}: not within {LONGEST} s")


class Pair:
    """Both programs, as long as the `with` block lasts."""

    def __init__(self, folder, collector, agent, settings=""):
        self.folder, self.collector, self.agent = folder, collector, agent
        self.environment = {**os.environ, "AFFIANT_DATA_DIR": f"{folder}/data", "AFFIANT_STATE_DIR": f"{folder}/state"}
        self.started = []
        with open(f"{folder}/collector.toml", "w", encoding="utf-8") as file:
            file.write('[agents]\nlisten = "127.0.0.1:0"\n[people]\nlisten = "127.0.0.1:0"\ntls = false\n' + settings)

    def __enter__(self):
        """The collector serves and knows the host; the agent's service does not run yet."""
        try:
            self.start("collector", self.collector, "serve", "--config", f"{self.folder}/collector.toml")
            self.people = wait_for("the collector", lambda: contents(f"{self.folder}/data/run/people.addr"))
            agents = contents(f"{self.folder}/data/run/agents.addr")
            token = re.search(r'"token": "([^"]+)"', self.run(self.collector, "token", "create", "--json"))[1]
            self.run(self.agent, "enrol", "--collector", f"https://{agents}", "--token", token)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            process.terminate()
            process.wait()

    def start(self, name, *command):
        """Starts a program; its process id."""
        with open(f"{self.folder}/{name}.log", "w", encoding="utf-8") as log:
            self.started.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))
        return self.started[-1].pid

    def run(self, *command):
        """Runs a program to its end; what it printed."""
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def serve(self):
        """Starts the agent's service; its process id."""
        return self.start("agent", self.agent, "run")

"""What a command costs."""

import os
import resource
import subprocess


def measure(command):
    """CPU seconds (user and system, children included) and peak resident memory (MiB) of a command."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as sink:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(write, f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}".encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    cpu, memory = os.read(read, 200).split()
    os.close(read)
    return float(cpu), float(memory)

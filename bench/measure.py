# SPDX-License-Identifier: Apache-2.0
"""One run of a shell command, measured by bench-measure (measure.c says why)."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(os.environ.get("BUILD", os.path.join(HERE, "..", "build")),
                       "bench", "bench-measure")


def measure(command):
    """(wall s, CPU s of all processes, peak RSS MiB of the largest); a failure ends the bench."""
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"{PROGRAM} is not built: make bench builds it; BUILD names the build folder")
    done = subprocess.run([PROGRAM, command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=True)
    wall, cpu, rss, status = done.stdout.split()
    if int(status):
        sys.exit(f"'{command}' ended with wait status {int(status)}")
    return float(wall), float(cpu), int(rss) / 1024

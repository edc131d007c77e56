#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fault server for other tests: serve.py PORTFILE LOGFILE

Writes its port, then a line a request: method, path, first byte asked for.
Ends with its standard input.  127.0.0.1:PORT/<fault>:latest is an image of two
layers.
"""

import os
import sys

from fault_server import MIB, FaultServer
from harness import Image


def main():
    image = Image([3 * MIB, 2 * MIB], seed=3, tars=True)
    with open(sys.argv[2], "w", encoding="utf-8") as log:
        server = FaultServer(image, log=log)
        with open(sys.argv[1] + ".tmp", "w", encoding="utf-8") as f:
            f.write(f"{server.port}\n{image.digest}\n")
        os.rename(sys.argv[1] + ".tmp", sys.argv[1])
        sys.stdin.read()


main()

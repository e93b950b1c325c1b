#!/usr/bin/python3
# Copyright (c) 2026 The MultiLog for Open vSwitch authors.
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at:
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""sandbox-scan.py ADDRESS FIRST LAST: a plain TCP port scan.

Connects to each port in turn, from the operating system's own sockets, and
prints which ones accept and how long it took."""

import socket
import sys
import time


def is_open(address, port):
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex((address, port)) == 0


def main(address, first, last):
    start = time.monotonic()
    ports = range(int(first), int(last) + 1)
    found = [str(port) for port in ports if is_open(address, port)]
    print("%d ports of %s scanned in %.2f s, open: %s"
          % (len(ports), address, time.monotonic() - start,
             " ".join(found) or "none"))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])

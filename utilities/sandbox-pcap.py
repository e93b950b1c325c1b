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
"""Capture files for multilog-sandbox.

  sandbox-pcap.py prepare FILE OUT [LOOP]
      Makes OUT, a classic pcap file (a link to FILE if it already is one that
      DPDK's net_pcap plays as it stands) with LOOP copies of FILE's packets,
      and prints "PACKETS LONGEST SHORT", SHORT being the number of
      packets without a whole Ethernet header.

  sandbox-pcap.py send PORT PEER FILE RATE
      Sends the packets of FILE, a classic pcap file, through network device
      PORT to its veth peer PEER, at no more than RATE packets per second
      (0: as fast as the reader of PEER takes them).  It never lets the packet
      sockets of PEER overflow, so every packet that is sent is received.
      Prints "SENT REFUSED", REFUSED being the packets that the kernel does
      not send (shorter than an Ethernet header) or the switch can't receive
      (longer than 65535 bytes).

Captures may be pcap (any byte order, microseconds or nanoseconds) or pcapng,
also compressed with gzip; anything else is converted by editcap if there is
one.  Errors are one line on standard error, with exit status 2."""

import gzip
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

ETHERNET = 1
ETHERNET_HEADER = 14
MAX_PACKET = 262144          # As in libpcap and Wireshark.
MAX_SWITCH_PACKET = 65535    # More doesn't fit in a packet of Open vSwitch.
MAX_OUTPUT = 8 << 30

PCAP_MAGICS = {              # Magic: (byte order, length of a record header).
    b"\xa1\xb2\xc3\xd4": (">", 16), b"\xd4\xc3\xb2\xa1": ("<", 16),
    b"\xa1\xb2\x3c\x4d": (">", 16), b"\x4d\x3c\xb2\xa1": ("<", 16),
    b"\xa1\xb2\xcd\x34": (">", 24), b"\x34\xcd\xb2\xa1": ("<", 24),
}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
OUT_HEADER = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, MAX_PACKET,
                         ETHERNET)


class CaptureError(Exception):
    pass


def warn(message):
    print("multilog-sandbox: " + message, file=sys.stderr)


class Capture:
    """A capture in memory.  Iterating gives (offset, length) of each packet;
    'plain' then says whether libpcap reads the file just so."""

    def __init__(self, path):
        self.path = path
        self.data = self._load(path)
        magic = bytes(self.data[:4])
        if magic in PCAP_MAGICS:
            self.packets = self._pcap(*PCAP_MAGICS[magic])
        elif magic == PCAPNG_MAGIC:
            self.packets = self._pcapng()
        else:
            raise CaptureError("%s is not a capture in pcap or pcapng format "
                               "(editcap -F pcap may convert it)" % path)

    def _load(self, path):
        self.plain = True
        with open(path, "rb") as f:
            if os.fstat(f.fileno()).st_size == 0:
                raise CaptureError("%s is empty, not even a capture's header "
                                   "is there" % path)
            data = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        if data[:2] == b"\x1f\x8b":
            self.plain = False
            try:
                return gzip.decompress(data)
            except (OSError, EOFError) as e:
                raise CaptureError("%s: %s" % (path, e))
        if bytes(data[:4]) in PCAP_MAGICS or data[:4] == PCAPNG_MAGIC:
            return data
        self.plain = False
        return self._editcap(path)

    def _editcap(self, path):
        if not shutil.which("editcap"):
            return b"    "
        done = subprocess.run(["editcap", "-F", "pcap", path, "-"],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return done.stdout or b"    "

    def _ethernet(self, link_type):
        if link_type & 0xffff != ETHERNET:
            raise CaptureError("%s has packets of link type %d, and the "
                               "switch forwards Ethernet (link type 1) only"
                               % (self.path, link_type & 0xffff))

    def _cut_short(self, number):
        self.plain = False
        warn("%s is cut short or corrupt after packet %d: using the packets "
             "before" % (self.path, number))

    def _pcap(self, order, header_len):
        data, size = self.data, len(self.data)
        if size < 24:
            raise CaptureError("%s is cut short in its header" % self.path)
        snap_len, link_type = struct.unpack_from(order + "II", data, 16)
        self._ethernet(link_type)
        unpack = struct.Struct(order + "I").unpack_from
        snap_len = snap_len or MAX_PACKET
        self.plain = (self.plain and header_len == 16 and snap_len < 1 << 31
                      and link_type == ETHERNET)
        ofs, n = 24, 0
        while ofs < size:
            if ofs + header_len > size:
                return self._cut_short(n)
            length = unpack(data, ofs + 8)[0]
            ofs += header_len
            if length > MAX_PACKET or ofs + length > size:
                return self._cut_short(n)
            if length > snap_len:
                self.plain = False
            yield ofs, length
            ofs += length
            n += 1

    def _pcapng(self):
        data, size = self.data, len(self.data)
        self.plain = False
        ofs, n, order, links = 0, 0, "<", []
        while ofs < size:
            if ofs + 12 > size:
                return self._cut_short(n)
            if data[ofs:ofs + 4] == PCAPNG_MAGIC:
                order = "<" if data[ofs + 8:ofs + 12] == b"\x4d\x3c\x2b\x1a" \
                    else ">"
                links = []
            kind, length = struct.unpack_from(order + "II", data, ofs)
            if length < 12 or length % 4 or ofs + length > size:
                return self._cut_short(n)
            if kind == 1 and length >= 20:
                link, _, snap_len = struct.unpack_from(order + "HHI", data,
                                                       ofs + 8)
                links.append((link, snap_len or MAX_PACKET))
            elif kind in (2, 3, 6):
                packet = self._pcapng_packet(kind, order, ofs, length, links)
                if not packet:
                    return self._cut_short(n)
                yield packet
                n += 1
            ofs += length

    def _pcapng_packet(self, kind, order, ofs, length, links):
        interface = 0
        if kind == 3:                            # Simple packet.
            start = ofs + 12
            if length < 16 or not links:
                return None
            original, = struct.unpack_from(order + "I", self.data, ofs + 8)
            captured = min(original, links[0][1])
        else:                                    # Enhanced, obsolete packet.
            start = ofs + 28
            if length < 32:
                return None
            interface, = struct.unpack_from(order + ("I" if kind == 6
                                                     else "H"),
                                            self.data, ofs + 8)
            captured, = struct.unpack_from(order + "I", self.data, ofs + 20)
        if interface >= len(links) or captured > MAX_PACKET \
                or start + captured > ofs + length - 4:
            return None
        self._ethernet(links[interface][0])
        return start, captured


def prepare(path, out, loop="1"):
    loop = int(loop)
    capture = Capture(path)
    packets = list(capture.packets)
    longest = max((length for _, length in packets), default=0)
    short = sum(length < ETHERNET_HEADER for _, length in packets)
    if capture.plain and loop == 1:
        os.symlink(os.path.abspath(path), out)
    else:
        once = sum(length + 16 for _, length in packets)
        room = min(shutil.disk_usage(os.path.dirname(out)).free * 9 // 10,
                   MAX_OUTPUT)
        if once * loop > room:
            raise CaptureError(
                "%d times %s takes %d MB in %s, more than the %d MB to be had "
                "there: use a smaller --loop or set TMPDIR"
                % (loop, path, once * loop >> 20, os.path.dirname(out),
                   room >> 20))
        with open(out, "wb") as f:
            f.write(OUT_HEADER)
            body = b"".join(
                struct.pack("<IIII", 0, 0, length, length)
                + capture.data[ofs:ofs + length] for ofs, length in packets)
            for _ in range(loop):
                f.write(body)
    print(len(packets) * loop, longest, short * loop)


class Backlog:
    """How much waits in the packet sockets of a device: the reader's lag."""

    def __init__(self, device):
        self.index = str(socket.if_nametoindex(device))
        self.file = open("/proc/self/net/packet", "rb", buffering=0)

    def bytes(self):
        self.file.seek(0)
        lines = self.file.read(1 << 16).decode().splitlines()[1:]
        return max((int(fields[6]) for fields in map(str.split, lines)
                    if fields[4] == self.index), default=0)


def send(port, peer, path, rate):
    window = 64 << 10        # Well below the smallest usual receive buffer.
    rate = float(rate)
    capture = Capture(path)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((port, 0))
    backlog = Backlog(peer)
    sent = refused = unchecked = 0
    start = time.monotonic()
    for ofs, length in capture.packets:
        if length > MAX_SWITCH_PACKET:
            refused += 1
            continue
        cost = 2 * length + 1024                 # Buffers are rounded up.
        if unchecked + cost > window:
            while backlog.bytes() > window // 4:
                time.sleep(0.0002)
            unchecked = 0
        if rate:
            ahead = start + sent / rate - time.monotonic()
            if ahead > 0.0005:
                time.sleep(ahead)
        try:
            sock.send(capture.data[ofs:ofs + length])
            sent += 1
            unchecked += cost
        except OSError:
            refused += 1
    print(sent, refused)


def main(args):
    commands = {("prepare", 2): prepare, ("prepare", 3): prepare,
                ("send", 4): send}
    command = commands.get((args[0] if args else "", len(args) - 1))
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        command(*args[1:])
    except (CaptureError, OSError) as e:
        warn(str(e))
        return 2
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))

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
"""Captures as records for run-queries and in Python.  For compare-queries."""

import importlib.machinery
import importlib.util
import os
import struct
import zlib

import query_reference as ref

HERE = os.path.dirname(os.path.realpath(__file__))


def load_compare_tshark():
    path = os.path.join(HERE, "compare-tshark")
    loader = importlib.machinery.SourceFileLoader("compare_tshark", path)
    spec = importlib.util.spec_from_loader("compare_tshark", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


TSHARK = load_compare_tshark()
PCAP_HEADER = struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1)
MAX_PAUSE = 3600 * 10**9        # Longer ones are cut, ns.
COPY_DELAY = 700                # Of a copy of a packet, ns.


# Captures.
# =========

def timed_packets(path):
    """Pairs of a packet and its time, ns, of a classic pcap file."""
    with open(path, "rb") as f:
        head = f.read(24)
        data = f.read()
    order = "<" if head[:1] in (b"\xd4", b"\x4d") else ">"
    unit = 1 if b"\x3c" in head[:4] else 1000
    ofs = 0
    for packet in TSHARK.packets_of(path):
        seconds, fraction, captured = struct.unpack(order + "III",
                                                    data[ofs:ofs + 12])
        yield packet, seconds * 10**9 + fraction * unit
        ofs += 16 + captured


def capture_files(paths):
    """The paths, and for directories the captures in them."""
    for path in paths:
        if os.path.isdir(path):
            for directory, directories, names in os.walk(path):
                directories.sort()
                for name in sorted(names):
                    if name.endswith(".pcap"):
                        yield os.path.join(directory, name)
        else:
            yield path


def batches(paths, size):
    """Lists of pairs of a packet and a time, which ascends."""
    batch = []
    for path in capture_files(paths):
        try:
            packets = list(timed_packets(path))
        except (ValueError, struct.error) as e:
            print("SKIPPED: %s" % e, flush=True)
            continue
        last = None
        for packet, time in packets:
            if not batch:
                now = min(max(time, 10**18), 16 * 10**17)
            elif last is None:
                now += 10**9
            else:
                now += min(max(time - last, 0), MAX_PAUSE)
            last = time
            batch.append((packet, now))
            if len(batch) >= size:
                yield batch
                batch = []
    if batch:
        yield batch


def write_pcap(path, batch):
    with open(path, "wb") as f:
        f.write(PCAP_HEADER)
        for packet, time in batch:
            f.write(struct.pack("<IIII", *divmod(time, 10**9), len(packet),
                                len(packet)) + packet)


def route(packet, r):
    """Where a packet goes: in_port, and pairs of out_port and drop reason.
    Packets that can't be told from each other go the same way."""
    in_port = 1 + zlib.crc32(packet[6:12]) % 7
    seen = [r.get(n) for n in ("l3_src", "l3_dst", "nw_proto", "tp_src",
                               "tp_dst", "tcp_seq", "tcp_ack", "tcp_flags",
                               "tcp_window", "ip_id", "nw_tos", "nw_ecn",
                               "pkt_len")]
    out_port = 1 + zlib.crc32(repr(seen[:5]).encode()) % 7
    if out_port == in_port:
        out_port = 8
    fate = zlib.crc32(repr(seen).encode()) % 40
    if fate < 3:
        return in_port, [(0, (1, 2, 8)[fate])]
    if fate < 6:
        return in_port, [(p, 0) for p in range(1, 9) if p != in_port]
    if fate == 6:
        return in_port, [(out_port, 0), (0, 1)]
    return in_port, [(out_port, 0)]


def make_records(directory, batch):
    """Writes a capture and a list of records for run-queries, and returns the
    same records as dictionaries."""
    capture = os.path.join(directory, "in.pcap")
    write_pcap(capture, batch)
    views = list(TSHARK.tshark(capture))
    assert len(views) == len(batch)
    chosen = [(item, e) for item, e in zip(batch, views)
              if not TSHARK.is_doubtful(e, item[0])]
    write_pcap(capture, [item for item, _ in chosen])
    records = []
    for i, ((packet, time), e) in enumerate(chosen):
        base = ref.record_from_tshark(e, packet)
        in_port, places = route(packet, base)
        base.update(in_port=in_port, in_port_name=in_port, _packet=i)
        for k, (out_port, reason) in enumerate(places):
            r = dict(base, time=time + k * COPY_DELAY, _delay=k * COPY_DELAY,
                     _out=out_port, _reason=reason)
            if reason:
                r["drop_reason"] = reason
            else:
                r["out_port"] = r["out_port_name"] = out_port
            records.append(r)
    records.sort(key=lambda r: r["time"])
    with open(os.path.join(directory, "records"), "w") as f:
        for i, r in enumerate(records):
            r["_order"] = i
            f.write("%d %d %d %d %d\n" % (r["_packet"], r["in_port"],
                                          r["_out"], r["_reason"],
                                          r["_delay"]))
    return records, len(batch) - len(chosen)

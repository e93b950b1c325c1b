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
"""For bench-datapath: an ovs-vswitchd with one busy datapath thread,
the packets for it, and what has to be cleaned up afterwards."""

import ctypes
import fcntl
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

SIZE_MIN, SIZE_MAX = 60, 1514   # Without the frame check sequence.
RING_FLOWS_MAX = 992            # A DPDK ring holds 1,023 packets.
RING_PACKETS = 512
PCAP_FLOWS_MAX = 10000          # What OVS allows from the start.
PCAP_PACKETS = 1024

HUGE_PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
FREE_HUGE_PAGES = os.path.join(os.path.dirname(HUGE_PAGES), "free_hugepages")
DPDK_MB = 256                   # Of each switch.
PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """What the user should read, instead of figures."""


# Cleaning up.
# ============

class Premises:
    """The temporary directory, one for what switches record, and the huge
    pages.  A child process, which waits until nobody holds the other end of
    its pipe any more, gives them back; so that happens however this program
    ends."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="bench-datapath.")
        self.memory = os.path.join(self.directory, "memory")
        if os.access("/dev/shm", os.W_OK):
            self.memory = tempfile.mkdtemp(prefix="bench-datapath.",
                                           dir="/dev/shm")
        self.huge_pages = 0
        read_end, self.write_end = os.pipe()
        os.set_inheritable(self.write_end, False)
        self.guard = os.fork()
        if not self.guard:
            try:
                os.close(self.write_end)
                self._wait_and_clean(read_end)
            finally:
                os._exit(0)
        os.close(read_end)

    def _wait_and_clean(self, read_end):
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signo, signal.SIG_IGN)
        pages = b""
        while chunk := os.read(read_end, 64):
            pages += chunk
        for directory in (self.directory, self.memory):
            # What was killed a moment ago may still make a file.
            for _ in range(40):
                shutil.rmtree(directory, ignore_errors=True)
                if not os.path.exists(directory):
                    break
                time.sleep(0.05)
        if pages:
            # The kernel needs a moment to take a killed process apart.
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline and int(
                    read_line(FREE_HUGE_PAGES) or 0) < int(pages):
                time.sleep(0.05)
            change_huge_pages(-int(pages))

    def reserve_huge_pages(self, n):
        """Adds 'n' to the huge pages of the system.  Returns false if there
        can't be so many."""
        got = change_huge_pages(n)
        if got < n:
            change_huge_pages(-got)
            return False
        os.write(self.write_end, str(got).encode())
        self.huge_pages = got
        return True

    def leave(self):
        os.close(self.write_end)
        os.waitpid(self.guard, 0)


def count_huge_pages():
    """The number of huge pages that the system is to have.  "Surplus" ones go
    when whoever uses them ends."""
    return (int(read_line(HUGE_PAGES))
            - int(read_line(os.path.join(os.path.dirname(HUGE_PAGES),
                                         "surplus_hugepages"))))


def change_huge_pages(n):
    """Adds 'n', or as much as is possible, to the number of huge pages;
    returns by how much it grew."""
    try:
        with open(HUGE_PAGES, "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = count_huge_pages()
            file.write(str(max(before + n, 0)))
            file.flush()
            return count_huge_pages() - before
    except (OSError, ValueError):
        return 0


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# Packets.
# ========

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tcp_packet(size, tp_dst, rng):
    """A TCP acknowledgement of 'size' bytes between random hosts."""
    eth = bytes.fromhex("020000000002" "020000000001" "0800")
    src = struct.pack("!I", 0x0a000000 | rng.getrandbits(24))
    dst = struct.pack("!I", 0xac100000 | rng.getrandbits(20))
    ip_len = size - len(eth)

    def ip(csum):
        return struct.pack("!BBHHHBBH", 0x45, 0, ip_len, ident, 0x4000, 64,
                           6, csum) + src + dst

    def tcp(csum):
        return struct.pack("!HHIIHHHH", tp_src, tp_dst, seq, ack, 0x5010,
                           502, csum, 0) + bytes(ip_len - 40)

    ident = rng.getrandbits(16)
    tp_src = rng.randrange(1024, 65536)
    seq, ack = rng.getrandbits(32), rng.getrandbits(32)
    pseudo = src + dst + struct.pack("!HH", 6, ip_len - 20)
    padding = bytes(ip_len % 2)
    return (eth + ip(checksum(ip(0)))
            + tcp(checksum(pseudo + tcp(0) + padding)))


def tp_dst_of(flow):
    return 1024 + flow


def make_packets(size, n_flows, n_packets):
    """At least 'n_packets' packets, each flow having as many as any other,
    their order random but always the same."""
    rng = random.Random(size * 1000003 + n_flows)
    flows = [tcp_packet(size, tp_dst_of(i), rng) for i in range(n_flows)]
    packets = flows * math.ceil(n_packets / n_flows)
    rng.shuffle(packets)
    return packets


def write_pcap(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for packet in packets:
            file.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)))
            file.write(packet)


# A switch.
# =========

class Control:
    """The control socket of ovs-vswitchd, kept open: JSON-RPC as ovs-appctl
    speaks it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.next_id = 0
        self.buffer = ""

    def call(self, method, *params):
        self.next_id += 1
        self.socket.sendall(json.dumps({"id": self.next_id, "method": method,
                                        "params": params}).encode())
        while True:
            try:
                reply, end = json.JSONDecoder().raw_decode(self.buffer)
                break
            except json.JSONDecodeError:
                data = self.socket.recv(65536)
                if not data:
                    raise BenchError(f"ovs-vswitchd closed its control "
                                     f"socket during {method}") from None
                self.buffer += data.decode()
        self.buffer = self.buffer[end:]
        if reply["error"] is not None:
            raise BenchError(f"{method} {' '.join(params)}: "
                             f"{reply['error'].strip()}")
        return reply["result"]


class Case:
    """What is measured: packet size, number of flows, classifier path."""

    def __init__(self, size, flows, path, harness, n_packets=None):
        self.size = size
        self.flows = flows
        self.path = path
        if not harness:
            harness = "net_ring" if flows <= RING_FLOWS_MAX else "net_pcap"
        limit = (RING_FLOWS_MAX if harness == "net_ring" else PCAP_FLOWS_MAX)
        if flows > limit:
            raise BenchError(f"{harness} holds at most {limit} flows, not "
                             f"{flows}")
        self.harness = harness
        self.packets = make_packets(size, flows, n_packets or (
            RING_PACKETS if harness == "net_ring" else PCAP_PACKETS))

    def rules(self):
        """OpenFlow rules: one that leads to a simple match, or one for each
        flow's destination port."""
        output = "in_port" if self.harness == "net_ring" else "output:2"
        if self.path == "simple":
            return [f"in_port=1,actions={output}"]
        return [f"in_port=1,tcp,tp_dst={tp_dst_of(i)},actions={output}"
                for i in range(self.flows)]

    def __str__(self):
        return f"{self.size} B, {self.flows} flows, {self.path}"


class Switch:
    """An ovs-vswitchd, with a database, a directory and a network namespace
    of its own, and one datapath thread that always has packets."""

    # Of dpif-netdev/pmd-stats-show.
    COUNTERS = {
        "packets": "packets received",
        "simple": "simple match hits",
        "emc": "emc hits",
        "megaflow": "megaflow hits",
        "upcalls": "miss with success upcall",
        "failed_upcalls": "miss with failed upcall",     # Or no flow made.
        "idle": "idle cycles",
        "busy": "processing cycles",
    }

    def __init__(self, name, tree, vswitchd, premises, options):
        self.name = name
        self.tree = tree
        self.vswitchd = vswitchd
        self.options = options
        self.huge_pages = premises.huge_pages
        self.directory = tempfile.mkdtemp(prefix=name + ".",
                                          dir=premises.directory)
        os.makedirs(premises.memory, exist_ok=True)
        self.memory = os.path.join(premises.memory,
                                   os.path.basename(self.directory))
        self.processes = []
        self.control = None
        self.pid = self.pmd = None
        self.settings = {}
        self.stopped = False
        self.commands = ()

    def file(self, name):
        return os.path.join(self.directory, name)

    def spawn(self, name, *command):
        """Starts a daemon on the processor for everything else."""
        def prepare():
            die_with_parent()
            os.setpgid(0, 0)        # Leave the terminal's signals to us.
            os.sched_setaffinity(0, {self.options.main_core})

        with open(self.file(name + ".out"), "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output,
                                       env=self.environment(),
                                       preexec_fn=prepare)
        self.processes.append(process)
        return process

    def environment(self):
        env = dict(os.environ, OVS_RUNDIR=self.directory,
                   OVS_LOGDIR=self.directory, OVS_DBDIR=self.directory,
                   OVS_SYSCONFDIR=self.directory, MULTILOG_DIR=self.memory,
                   OVS_PKGDATADIR=os.path.join(self.tree, "vswitchd"))
        env.pop("OVS_VSWITCHD_PID", None)
        return env

    def run(self, command, *args, text=None):
        """Runs one of the tree's programs."""
        result = subprocess.run([os.path.join(self.tree, command), *args],
                                env=self.environment(), input=text,
                                capture_output=True, text=True, timeout=60,
                                check=False)
        if result.returncode:
            raise BenchError(f"{command} {' '.join(args)[:60]}: "
                             f"{result.stderr.strip()}{self.blame()}")
        return result.stdout

    def vsctl(self, *args):
        return self.run("utilities/ovs-vsctl", "--timeout=30",
                        f"--db=unix:{self.file('db.sock')}", *args)

    def blame(self):
        """The last complaints of ovs-vswitchd."""
        lines = []
        for name in ("ovs-vswitchd.log", "ovs-vswitchd.out"):
            try:
                with open(self.file(name), encoding="utf-8",
                          errors="replace") as file:
                    lines += [line for line in file
                              if name.endswith(".out")
                              or re.search(r"\|(WARN|ERR|EMER)\|", line)]
            except OSError:
                pass
        return "".join("\n    " + line.rstrip() for line in lines[-12:])

    def wait_for(self, what, condition, timeout=20):
        deadline = time.monotonic() + timeout
        while not condition():
            for process in self.processes:
                if process.poll() is not None:
                    raise BenchError(f"{process.args[0]} ended while waiting "
                                     f"for {what}{self.blame()}")
            if time.monotonic() > deadline:
                raise BenchError(f"no {what} after {timeout} s{self.blame()}")
            time.sleep(0.01)

    def start(self, case):
        self.start_database()
        self.start_vswitchd()
        # A datapath thread starts with a port of its: so rules come first.
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0",
                   "datapath_type=netdev", "fail-mode=secure")
        self.run("utilities/ovs-ofctl", "add-flows", self.bridge(), "-",
                 text="\n".join(case.rules()))
        self.add_ports(case)
        self.find_datapath_thread()
        if case.harness == "net_ring":
            self.preload(case)
        self.warm_up(case)

    def start_database(self):
        tree, database = self.tree, self.file("conf.db")
        self.run("ovsdb/ovsdb-tool", "create", database,
                 os.path.join(tree, "vswitchd/vswitch.ovsschema"))
        self.spawn("ovsdb-server", os.path.join(tree, "ovsdb/ovsdb-server"),
                   database, f"--remote=punix:{self.file('db.sock')}",
                   f"--unixctl={self.file('ovsdb.ctl')}", "-vconsole:off")
        self.wait_for("database", self.database_listens)
        eal = "--no-pci --no-telemetry --in-memory"
        if not self.huge_pages:
            eal += f" --no-huge -m {DPDK_MB}"
        self.vsctl("--no-wait", "--", "init", "--", "set", "Open_vSwitch",
                   ".", "other_config:dpdk-init=true",
                   f"other_config:dpdk-extra=\"{eal}\"",
                   f"other_config:pmd-cpu-mask="
                   f"{1 << self.options.pmd_core:x}",
                   "other_config:per-port-memory=true",
                   "other_config:max-idle=3600000")

    def database_listens(self):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.file("db.sock"))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def start_vswitchd(self):
        # "unshare" replaces itself.
        process = self.spawn(
            "ovs-vswitchd", "unshare", "--net", self.vswitchd,
            f"unix:{self.file('db.sock')}", "--pidfile", "--log-file",
            f"--unixctl={self.file('vswitchd.ctl')}", "-vconsole:off")
        self.pid = process.pid
        self.wait_for("control socket of ovs-vswitchd", self.connect)
        listing = self.control.call("list-commands")
        self.commands = {line.split()[0] for line in listing.splitlines()
                         if line.startswith("  ")}

    def connect(self):
        try:
            self.control = Control(self.file("vswitchd.ctl"))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def bridge(self):
        return "unix:" + self.file("br0.mgmt")

    def add_ports(self, case):
        args = ["add-port", "br0", "p0", "--", "set", "interface", "p0",
                "type=dpdk", "ofport_request=1"]
        if case.harness == "net_ring":
            # The datapath thread sends to the second queue of the device,
            # which is also what it receives from.
            args += ["options:dpdk-devargs=net_ring0", "options:n_rxq=2"]
        else:
            write_pcap(self.file("in.pcap"), case.packets)
            args += [f"options:dpdk-devargs=\"net_pcap0,"
                     f"rx_pcap={self.file('in.pcap')},infinite_rx=1\"",
                     "--", "add-port", "br0", "p1", "--", "set", "interface",
                     "p1", "type=dpdk", "ofport_request=2",
                     "options:dpdk-devargs=\"net_null0,no-rx=1\""]
        self.vsctl(*args)
        for port in ("p0", "p1")[:2 if case.harness == "net_pcap" else 1]:
            error = self.vsctl("get", "interface", port, "error").strip()
            if error != "[]":
                raise BenchError(f"port {port}: {error}{self.blame()}")

    def find_datapath_thread(self):
        name = f"pmd-c{self.options.pmd_core:02d}"

        def found():
            for tid in os.listdir(f"/proc/{self.pid}/task"):
                if read_line(f"/proc/{self.pid}/task/{tid}/comm"
                             ).startswith(name):
                    self.pmd = int(tid)
                    return True
            return False

        self.wait_for("datapath thread", found)
        # Other work on the machine would spoil most slices.  Not SCHED_FIFO:
        # the processor is needed in order to be killed, too.
        try:
            os.sched_setscheduler(self.pmd, os.SCHED_RR, os.sched_param(1))
        except OSError:
            pass

    def preload(self, case):
        """Puts packets into the ring; they will go round and round."""
        text = "\n".join(f"packet-out in_port=controller, "
                         f"packet={packet.hex()}, actions=output:1"
                         for packet in case.packets)
        self.run("utilities/ovs-ofctl", "-O", "OpenFlow14", "bundle",
                 self.bridge(), "-", text=text)

    def counters(self):
        """The datapath thread's counters, and the time at which they were
        about right."""
        begin = time.monotonic()
        text = self.control.call("dpif-netdev/pmd-stats-show", "-pmd",
                                 str(self.options.pmd_core))
        end = time.monotonic()
        values = {}
        for key, label in self.COUNTERS.items():
            match = re.search(rf"^  {label}: (\d+)", text, re.M)
            values[key] = int(match[1]) if match else 0
        match = re.search(r"per output batch: ([\d.]+)", text)
        values["batch"] = float(match[1]) if match else 0
        values["time"] = (begin + end) / 2
        return values

    def warm_up(self, case):
        """Waits until packets flow and no flow is new any more."""
        def warm():
            first = self.counters()
            time.sleep(0.3)
            now = self.counters()
            return (now["packets"] - first["packets"] > 10000
                    and now["upcalls"] == first["upcalls"]
                    and now["failed_upcalls"] == first["failed_upcalls"])

        self.wait_for("steady stream of packets", warm)
        if case.harness == "net_ring" and self.counters()["failed_upcalls"]:
            raise BenchError("packets got lost in failed upcalls")

    def resume(self):
        if self.stopped:
            os.kill(self.pid, signal.SIGCONT)
            self.stopped = False

    def pause(self):
        if not self.stopped:
            os.kill(self.pid, signal.SIGSTOP)
            self.stopped = True

    def apply(self, settings):
        """Makes the {KEY: VALUE} of multilog/set that aren't so already."""
        for key, value in settings.items():
            if self.settings.get(key) != value \
                    and "multilog/set" in self.commands:
                self.control.call("multilog/set", key, value)
                self.settings[key] = value

    def install(self, filters, triggers):
        """Adds filters, each of which some packets match, and triggers on a
        few aggregates, which hardly ever fire."""
        call = self.control.call
        for i in range(filters):
            expr = (f"tp_dst == {1024 + i % 10000}", f"nw_src == 10.{i % 256}."
                    f"0.0/16 && tcp", f"nw_dst == 172.16.{i % 256}.0/24",
                    f"tp_src == {i * 61 % 65536}-{i * 61 % 65536 + 60}"
                    )[i % 4 if i * 61 % 65536 < 65000 else 0]
            call("multilog/filter-add", f"f{i}", expr)
        n_aggregates = min(triggers, 64)
        if n_aggregates and not filters:
            call("multilog/filter-add", "f0", "tcp")
        for i in range(n_aggregates):
            call("multilog/aggregate-add", f"a{i}", f"f{i % max(filters, 1)}",
                 "count", "window=1s")
        for i in range(triggers):
            call("multilog/trigger-add", f"t{i}",
                 f"a{i % n_aggregates} > {10 ** 12 + i}")

    def records(self):
        """Records captured, lost ones included, and lost for lack of room in
        a capture ring, so far."""
        status = self.show()
        return (status["records"]["captured"],
                status["losses"]["ring_full"])

    def show(self):
        return json.loads(self.control.call("multilog/show",
                                            "--format=json"))

    def stop(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.memory, ignore_errors=True)


def read_line(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""

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
"""Records, fields, expressions and aggregates, as plainly as possible.

A record is a dictionary of the fields that it has; values are integers, those
of the MultiLog.  An expression is a pair of its text and a function that says
whether a record matches; an aggregate is a function of records.  For
compare-queries."""

import collections
import datetime
import fractions
import ipaddress
import math
import statistics

MAPPED = 0xffff << 32           # Of an IPv4 address among IPv6 addresses.
FLAGS = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns",
         "[200]", "[400]", "[800]"]
FRAGS = {"no": 0, "first": 1, "later": 3}
REASONS = {1: "meter", 2: "upcall_error", 8: "invalid_port"}
EPOCH = datetime.datetime(1970, 1, 1)


# Values as text, for expressions, and from JSON.
# ===============================================

def parse_flags(text):
    return sum(1 << FLAGS.index(f) for f in text.split("|") if f != "none")


def format_flags(value):
    return "|".join(f for i, f in enumerate(FLAGS) if value >> i & 1) \
        or "none"


def parse_mac(text):
    return int(text.replace(":", ""), 16)


def format_mac(value):
    return ":".join("%02x" % (value >> i & 255) for i in range(40, -8, -8))


def parse_l3(text):
    address = ipaddress.ip_address(text)
    return int(address) | (MAPPED if address.version == 4 else 0)


def format_l3(value):
    if value >> 32 == 0xffff:
        return str(ipaddress.IPv4Address(value & 0xffffffff))
    return str(ipaddress.IPv6Address(value))


def parse_time(text):
    whole, ns = text.rstrip("Z").split(".")
    delta = datetime.datetime.fromisoformat(whole) - EPOCH
    return (delta.days * 86400 + delta.seconds) * 10**9 + int(ns)


def format_time(value):
    whole = EPOCH + datetime.timedelta(seconds=value // 10**9)
    return "%s.%09dZ" % (whole.isoformat(), value % 10**9)


def parse_number(value):
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("%r is no number" % (value,))
    return value


class Kind:
    def __init__(self, parse, text, bits, ordered=True):
        self.parse = parse
        self.text = text
        self.bits = bits
        self.ordered = ordered


KINDS = {
    "number": Kind(parse_number, str, 32),
    "hex": Kind(parse_number, hex, 16),
    "port": Kind(parse_number, str, 16),
    "name": Kind(lambda t: int(t[1:]), lambda v: "p%d" % v, 16, False),
    "flags": Kind(parse_flags, format_flags, 12, False),
    "frag": Kind(lambda t: FRAGS[t],
                 lambda v: next(k for k in FRAGS if FRAGS[k] == v), 2, False),
    "mac": Kind(parse_mac, format_mac, 48),
    "ipv4": Kind(lambda t: int(ipaddress.IPv4Address(t)),
                 lambda v: str(ipaddress.IPv4Address(v)), 32),
    "ipv6": Kind(lambda t: int(ipaddress.IPv6Address(t)),
                 lambda v: str(ipaddress.IPv6Address(v)), 128),
    "l3": Kind(parse_l3, format_l3, 128),
    "time": Kind(parse_time, format_time, 64),
    "reason": Kind(lambda t: next(k for k in REASONS if REASONS[k] == t),
                   lambda v: REASONS[v], 8, False),
}


class Field:
    def __init__(self, name, kind, quantity=False, bits=0):
        self.name = name
        self.kind = KINDS[kind]
        self.kind_name = kind
        self.quantity = quantity
        self.bits = bits or self.kind.bits

    def text(self, value):
        return self.kind.text(value)


def numbers(text, **options):
    return [Field(name, "number", **options) for name in text.split()]


FIELDS = {f.name: f for f in [
    Field("time", "time"),
    Field("in_port", "port"), Field("out_port", "port"),
    Field("in_port_name", "name"), Field("out_port_name", "name"),
    Field("drop_reason", "reason"),
    Field("dl_src", "mac"), Field("dl_dst", "mac"),
    Field("vlan_tci", "hex"),
    Field("nw_src", "ipv4"), Field("nw_dst", "ipv4"),
    Field("arp_spa", "ipv4"), Field("arp_tpa", "ipv4"),
    Field("ipv6_src", "ipv6"), Field("ipv6_dst", "ipv6"),
    Field("l3_src", "l3"), Field("l3_dst", "l3"),
    Field("nw_frag", "frag"), Field("tcp_flags", "flags"),
] + numbers("dl_type", bits=16) + numbers("nw_proto nw_tos arp_op", bits=8)
  + numbers("vlan_pcp inner_vlan_pcp", quantity=True, bits=3)
  + numbers("nw_ecn", quantity=True, bits=2)
  + numbers("ip_dscp", quantity=True, bits=6)
  + numbers("nw_ttl icmp_type icmp_code icmpv6_type icmpv6_code",
            quantity=True, bits=8)
  + numbers("ip_id tcp_window", quantity=True, bits=16)
  + numbers("pkt_len", quantity=True, bits=24)
  + numbers("tcp_seq tcp_ack", quantity=True)
  + numbers("vlan_vid inner_vlan_vid", quantity=True, bits=12)
  + numbers("tp_src tp_dst tcp_src tcp_dst udp_src udp_dst sctp_src "
            "sctp_dst", quantity=True, bits=16)}
MASKABLE = set("""dl_src dl_dst vlan_tci vlan_vid inner_vlan_vid nw_src nw_dst
ipv6_src ipv6_dst l3_src l3_dst arp_spa arp_tpa tp_src tp_dst tcp_src tcp_dst
udp_src udp_dst sctp_src sctp_dst""".split())
COMPARABLE = [
    ("nw_src", "nw_dst"), ("ipv6_src", "ipv6_dst"), ("l3_src", "l3_dst"),
    ("dl_src", "dl_dst"), ("tp_src", "tp_dst"), ("tcp_seq", "tcp_ack"),
    ("nw_src", "l3_dst"), ("arp_spa", "arp_tpa"), ("vlan_vid", "tp_dst"),
    ("inner_vlan_vid", "vlan_vid"), ("nw_ttl", "pkt_len"),
]


# Records.
# ========

def ethernet_type(packet):
    """The type after VLAN tags, 0x5ff for 802.3."""
    at = 12
    value = int.from_bytes(packet[at:at + 2], "big")
    while value in (0x8100, 0x88a8, 0x9100) and at + 6 <= len(packet):
        at += 4
        value = int.from_bytes(packet[at:at + 2], "big")
    if value >= 0x600:
        return value
    llc = packet[at + 2:at + 10]
    snap = int.from_bytes(llc[6:8], "big")
    if len(llc) == 8 and llc[:6] == b"\xaa\xaa\x03\0\0\0" and snap >= 0x600:
        return snap
    return 0x5ff


def record_from_tshark(e, packet):
    """The record of a packet, from what compare-tshark's expected() says."""
    r = {}
    for name, value in e.items():
        field = FIELDS.get(name)
        if field:
            number = field.kind_name in ("number", "hex", "port")
            r[name] = field.kind.parse(int(value) if number else value)
    if len(packet) >= 14:
        r["dl_type"] = ethernet_type(packet)
        r["vlan_tci"] = (r["vlan_pcp"] << 13 | 0x1000 | r["vlan_vid"]
                         if "vlan_vid" in r else 0)
    for side in ("src", "dst"):
        if "nw_" + side in r:
            r["l3_" + side] = r["nw_" + side] | MAPPED
        elif "ipv6_" + side in r:
            r["l3_" + side] = r["ipv6_" + side]
    return r


# Expressions.
# ============

def is_ip(r):
    return "l3_src" in r


def protocol(number, dl_type=None):
    return lambda r: (is_ip(r) and r.get("nw_proto") == number
                      and dl_type in (None, r.get("dl_type")))


def type_is(dl_type):
    return lambda r: r.get("dl_type") == dl_type


PREDICATES = {
    "eth": lambda r: "dl_src" in r,
    "vlan": lambda r: "vlan_vid" in r,
    "ip": type_is(0x800), "ipv6": type_is(0x86dd), "arp": type_is(0x806),
    "rarp": type_is(0x8035), "mpls": type_is(0x8847),
    "icmp": protocol(1, 0x800), "icmp6": protocol(58, 0x86dd),
    "tcp": protocol(6), "tcp4": protocol(6, 0x800),
    "tcp6": protocol(6, 0x86dd),
    "udp": protocol(17), "udp4": protocol(17, 0x800),
    "udp6": protocol(17, 0x86dd), "sctp": protocol(132),
    "drop": lambda r: "drop_reason" in r,
    "forwarded": lambda r: "drop_reason" not in r,
}
# In OVS match syntax: text, function, and fields that go with it.
MATCH_PREDICATES = {
    "tcp": (protocol(6, 0x800), "nw_src nw_dst tp_src tp_dst tcp_src tcp_dst "
            "tcp_flags nw_ttl nw_tos"),
    "udp": (protocol(17, 0x800), "nw_src nw_dst tp_src tp_dst udp_dst"),
    "icmp": (protocol(1, 0x800), "nw_src nw_dst icmp_type icmp_code tp_src"),
    "tcp6": (protocol(6, 0x86dd), "ipv6_src ipv6_dst tp_src tp_dst"),
    "udp6": (protocol(17, 0x86dd), "ipv6_src ipv6_dst tp_src tp_dst"),
    "icmp6": (protocol(58, 0x86dd), "ipv6_src icmpv6_type"),
    "ip": (type_is(0x800), "nw_src nw_dst nw_proto nw_tos nw_ttl"),
    "ipv6": (type_is(0x86dd), "ipv6_src ipv6_dst nw_proto"),
    "arp": (type_is(0x806), "arp_spa arp_tpa arp_op nw_src nw_dst"),
}
MATCH_ALIASES = {
    ("arp", "nw_src"): "arp_spa", ("arp", "nw_dst"): "arp_tpa",
    ("icmp", "tp_src"): "icmp_type",
}
OPERATORS = {
    "==": lambda a, b: a == b, "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def everything(_):
    return True


class Generator:
    """Makes random expressions of values that occur in 'records'."""

    def __init__(self, records, rng):
        self.rng = rng
        self.values = {}
        for r in records:
            for name, value in r.items():
                if name in FIELDS:
                    self.values.setdefault(name, []).append(value)
        self.names = sorted(self.values)

    def value(self, field):
        value = self.rng.choice(self.values[field.name])
        if field.kind_name == "number" and field.name != "nw_tos" \
                and self.rng.random() < .2:
            value = max(0, min((1 << field.bits) - 1,
                               value + self.rng.choice((-1, 1))))
        return value

    def text(self, field, value):
        if field.kind_name == "number" and self.rng.random() < .2:
            return hex(value)
        if field.kind_name == "time" and self.rng.random() < .3:
            return "%d.%09d" % divmod(value, 10**9)
        if field.kind_name == "reason" and self.rng.random() < .3:
            return str(value)
        return field.text(value)

    def any_field(self, condition=lambda f: True):
        return FIELDS[self.rng.choice(
            [n for n in self.names if condition(FIELDS[n])])]

    def constant(self, field):
        """Something to be equal to: text, and function of a value."""
        rng = self.rng
        value = self.value(field)
        choice = rng.random()
        if field.kind_name == "flags" and choice < .6:
            return self.flags(value)
        if field.kind_name == "frag" and choice < .3:
            return rng.choice([("yes", lambda v: v & 1 == 1),
                               ("not_later", lambda v: not v & 2)])
        if field.name in MASKABLE and choice < .3:
            return self.mask(field, value)
        if choice < .5 and field.kind_name in ("number", "ipv4", "ipv6",
                                               "port"):
            a, b = sorted((value, self.value(field)))
            return ("%s-%s" % (field.text(a), field.text(b)),
                    lambda v: a <= v <= b)
        return self.text(field, value), lambda v: v == value

    def flags(self, value):
        text, ones, zeros = "", 0, 0
        for i in self.rng.sample(range(6), self.rng.randint(1, 3)):
            if value >> i & 1 and self.rng.random() < .8:
                text += "+" + FLAGS[i]
                ones |= 1 << i
            else:
                text += "-" + FLAGS[i]
                zeros |= 1 << i
        if self.rng.random() < .3:
            text = "%#x/%#x" % (ones, ones | zeros)
        return text, lambda v: v & ones == ones and not v & zeros

    def mask(self, field, value):
        bits = field.bits
        if field.kind_name == "l3" and value >> 32 == 0xffff:
            bits = 32
        length = self.rng.randint(0, bits)
        mask = (1 << bits) - (1 << (bits - length))
        if field.kind_name in ("ipv4", "ipv6", "l3"):
            text = "%s/%d" % (field.text(value), length)
            if bits == 32 and self.rng.random() < .3:
                text = "%s/%s" % (field.text(value),
                                  ipaddress.IPv4Address(mask))
            if bits == 32 and field.kind_name == "l3":
                mask |= (1 << 128) - (1 << 32)
        elif field.kind_name == "mac":
            mask = self.rng.getrandbits(48)
            text = "%s/%s" % (field.text(value), format_mac(mask))
        else:
            mask = self.rng.getrandbits(bits) or 1
            text = "%#x/%#x" % (value, mask)
        return text, lambda v: v & mask == value & mask

    def comparison(self):
        """A term with a constant."""
        rng = self.rng
        field = self.any_field()
        name = field.name
        choice = rng.random()
        if choice < .3 and field.kind.ordered and field.kind_name != "mac":
            op = rng.choice(["<", "<=", ">", ">="])
            value = self.value(field)
            compare = OPERATORS[op]
            return ("%s %s %s" % (name, op, self.text(field, value)),
                    lambda r: name in r and compare(r[name], value))
        equal = rng.random() < .8
        op = rng.choice(["==", "=", " == "]) if equal else "!="
        if choice < .5:
            members = [self.constant(field)
                       for _ in range(rng.randint(1, 5))]
            return ("%s %s {%s}" % (name, op, ", ".join(t for t, _ in
                                                         members)),
                    lambda r: name in r
                    and any(m(r[name]) for _, m in members) == equal)
        text, match = self.constant(field)
        return ("%s%s%s" % (name, op, text),
                lambda r: name in r and match(r[name]) == equal)

    def term(self):
        choice = self.rng.random()
        if choice < .2:
            name = self.rng.choice(sorted(PREDICATES))
            return name, PREDICATES[name]
        if choice < .3:
            name = self.any_field().name
            return name, lambda r: name in r
        if choice < .4:
            return self.pair()
        return self.comparison()

    def pair(self):
        a, b = self.rng.choice(COMPARABLE)
        if self.rng.random() < .5:
            a, b = b, a
        op = self.rng.choice(["==", "!=", "<", ">="])
        compare = OPERATORS[op]

        def value(r, name):
            mapped = FIELDS[name].kind_name == "ipv4"
            return r[name] | (MAPPED if mapped else 0)
        return ("%s %s %s" % (a, op, b),
                lambda r: a in r and b in r
                and compare(value(r, a), value(r, b)))

    def expression(self, depth=2):
        rng = self.rng
        choice = rng.random()
        if depth == 0 or choice < .3:
            return self.term()
        if choice < .45:
            text, f = self.expression(depth - 1)
            return ("%s(%s)" % (rng.choice(["!", "not "]), text),
                    lambda r: not f(r))
        parts = [self.expression(depth - 1)
                 for _ in range(rng.randint(2, 3))]
        functions = [f for _, f in parts]
        if rng.random() < .5:
            return (rng.choice([" && ", " and "]).join(
                "(%s)" % t for t, _ in parts),
                    lambda r: all(f(r) for f in functions))
        return (rng.choice([" || ", " or "]).join("(%s)" % t
                                                  for t, _ in parts),
                lambda r: any(f(r) for f in functions))

    def match(self):
        """In OVS match syntax."""
        rng = self.rng
        word = rng.choice(sorted(MATCH_PREDICATES))
        predicate, names = MATCH_PREDICATES[word]
        terms = [(word, predicate)]
        for name in rng.sample(names.split(), rng.randint(1, 2)):
            real = MATCH_ALIASES.get((word, name), name)
            if real not in self.values \
                    or any(real in t for t, _ in terms) \
                    or (name[:3] in ("tp_", "tcp", "udp")
                        and any(t[:3] in ("tp_", "tcp", "udp") and "=" in t
                                and t.split("=")[0][-3:] == name[-3:]
                                for t, _ in terms)):
                continue
            terms.append(self.match_term(name, real))
        for name in ("in_port", "dl_src", "dl_vlan"):
            if rng.random() < .2:
                real = name.replace("dl_vlan", "vlan_vid")
                if real in self.values:
                    terms.append(self.match_term(name, real))
        if len(terms) < 2:
            terms.append(("dl_src=*", lambda r: "dl_src" in r))
        functions = [f for _, f in terms]
        return (rng.choice([",", ", "]).join(t for t, _ in terms),
                lambda r: all(f(r) for f in functions))

    def match_term(self, name, real):
        field = FIELDS[real]
        value = self.value(field)
        text, match = field.text(value), lambda v: v == value
        if real == "tcp_flags":
            text, match = self.flags(value)
        elif name in MASKABLE and name == real and self.rng.random() < .5:
            text, match = self.mask(field, value)
        return ("%s=%s" % (name, text),
                lambda r: real in r and match(r[real]))

    def any(self):
        """An expression in either syntax, or none."""
        choice = self.rng.random()
        if choice < .1:
            return "", everything
        return self.match() if choice < .25 else self.expression()


# Aggregates.
# ===========

class Aggregate:
    """A function of records; 'seconds' is what rates divide by."""

    def __init__(self, func, field=None, param=None, seconds=None):
        self.func = func
        self.field = field
        self.param = param
        self.seconds = seconds
        self.text = func                # As the reply has it...
        if func == "percentile":
            self.text = "p%s(%s)" % (param, field)
        elif param is not None:
            self.text = "%s(%s,%s)" % (func, field, param)
        elif field is not None:
            self.text = "%s(%s)" % (func, field)
        self.word = self.text           # ...and a command may.
        if func == "percentile" and float(param) < 50:
            self.word = "percentile(%s,%s)" % (field, param)

    def __call__(self, records):
        """Its value, None if there is none."""
        values = [r[self.field] for r in records if self.field in r] \
            if self.field else records
        return self.of_values(values) if values else self.of_none()

    def of_none(self):
        return {"count": 0, "sum": 0, "distinct": 0, "rate": 0,
                "topk": []}.get(self.func)

    def of_values(self, values):
        if self.func == "rate":
            return (sum(values) if self.field else len(values)) / self.seconds
        if self.func == "topk":
            counts = collections.Counter(values)
            top = sorted(counts, key=lambda v: (-counts[v], v))
            return [(v, counts[v]) for v in top[:self.param]]
        if self.func == "percentile":
            return percentile(sorted(values),
                              fractions.Fraction(self.param))
        return {
            "count": len, "sum": sum, "min": min, "max": max,
            "distinct": lambda v: len(set(v)),
            "avg": lambda v: sum(v) / len(v),
            "stddev": statistics.pstdev,
        }[self.func](values)

    def parse(self, value):
        """The number of a value in a reply."""
        if self.func == "topk" and value is not None:
            return [(FIELDS[self.field].kind.parse(v["value"]), v["count"])
                    for v in value]
        if value is None or self.func not in ("min", "max", "percentile"):
            return value
        return FIELDS[self.field].kind.parse(value)


def percentile(values, percent):
    """The least value that 'percent' percent of the sorted ones don't
    exceed."""
    return values[max(0, math.ceil(percent * len(values) / 100) - 1)]


def can_be(func, field):
    """Whether a function goes with a field."""
    if func in ("count", "distinct"):
        return True
    if func == "topk":
        return field.kind_name != "port"
    if func in ("min", "max"):
        return field.kind.ordered and field.kind_name != "port"
    return field.quantity


def random_aggregates(rng, names, n, seconds=None):
    result = {}
    funcs = ["count", "sum", "min", "max", "avg", "stddev", "distinct",
             "percentile", "topk"] + ["rate"] * (seconds is not None)
    for _ in range(n):
        func = rng.choice(funcs)
        field = rng.choice([f for f in names if can_be(func, FIELDS[f])])
        param = {"percentile": rng.choice(["0", "1", "25", "50", "90", "99",
                                           "99.9", "100"]),
                 "topk": rng.choice([1, 3, 10])}.get(func)
        if func == "rate" and rng.random() < .5:
            field = None
        aggregate = Aggregate(func, field, param, seconds)
        result[aggregate.text] = aggregate
    return list(result.values())

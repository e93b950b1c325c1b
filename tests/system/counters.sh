#!/bin/bash
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

# All sorts of traffic: each port's records are what it says it sent.

# shellcheck source=tests/system/lib.sh
. "$SYSTEM_TESTS/lib.sh"

udp='
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(2000):
    s.sendto(bytes(1 + i % 1400), (sys.argv[1], 1000 + i % 500))'

host h1 ping -c 20 -i 0.01 -q 10.0.0.3 >/dev/null || fail "no connection"
host h3 ping -c 20 -i 0.01 -q 10.0.0.2 >/dev/null || fail "no connection"
host h1 "$PYTHON" -c "$udp" 10.0.0.2
host h2 "$PYTHON" -c "$udp" 10.0.0.3
host h3 ping -c 3 -s 5000 -i 0.01 -q 10.0.0.1 >/dev/null ||
    fail "no fragments"
quiet
for port in 1 2 3 LOCAL; do
    is "packets to $port" "$(count "out_port == $port")" \
        "$(port_counter $port tx pkts)"
    is "bytes to $port" "$(bytes "out_port == $port")" \
        "$(port_counter $port tx bytes)"
done
is "first fragments" \
    "$(count 'nw_frag == first && icmp && icmp_type == 8')" 3
is "later fragments" \
    "$(count 'nw_frag == later && icmp && nw_dst == 10.0.0.1')" 9

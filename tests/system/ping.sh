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

# Echo requests and replies, and the ARP before them.

# shellcheck source=tests/system/lib.sh
. "$SYSTEM_TESTS/lib.sh"

host h1 ping -c 50 -i 0.01 -q 10.0.0.2 || fail "no connection"
quiet
is "requests to h2" "$(count 'icmp && icmp_type == 8 && nw_src == 10.0.0.1 &&
    nw_dst == 10.0.0.2 && in_port == 1 && out_port == 2')" 50
is "replies to h1" "$(count 'icmp && icmp_type == 0 && nw_dst == 10.0.0.1 &&
    in_port_name == "p2" && out_port_name == "p1"')" 50
is "nothing to h3" "$(count 'icmp && out_port == 3')" 0
# The ARP request is flooded; the reply is not.
[ "$(count 'arp && arp_op == 1 && arp_tpa == 10.0.0.2 && out_port == 3')" \
    -ge 1 ] || fail "no ARP request to h3"
is "length" "$(ovs-appctl multilog/query 'icmp' --group-by pkt_len \
    --format=json | value '[g["pkt_len"] for g in d["groups"]]')" "[98]"

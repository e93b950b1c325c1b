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

# VLAN-tagged traffic matches as untagged traffic would.

# shellcheck source=tests/system/lib.sh
. "$SYSTEM_TESTS/lib.sh"

for i in 1 2; do
    host h$i ip link add link eth0 name eth0.7 type vlan id 7 ||
        skip "this kernel has no VLAN devices"
    host h$i ip address add 10.7.0.$i/24 dev eth0.7
    host h$i ip link set eth0.7 up
done
host h1 ping -c 10 -i 0.01 -q 10.7.0.2 || fail "no connection"
quiet
is "tagged requests" "$(count 'vlan_vid == 7 && icmp && icmp_type == 8')" 10
is "as untagged" "$(count 'icmp && nw_dst == 10.7.0.2')" 10
is "match syntax" "$(count 'icmp,nw_dst=10.7.0.2,dl_vlan=7')" 10

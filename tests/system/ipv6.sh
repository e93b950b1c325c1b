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

# IPv6.

# shellcheck source=tests/system/lib.sh
. "$SYSTEM_TESTS/lib.sh"

for i in 1 2; do
    # shellcheck disable=SC2016
    host h$i sh -c '
        echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6 &&
        ip -6 address add fd00::'$i'/64 dev eth0 nodad' ||
        skip "this kernel has no IPv6"
done
host h1 ping -6 -c 10 -i 0.01 -q fd00::2 || fail "no connection"
quiet
is "requests" "$(count 'icmp6 && icmpv6_type == 128 &&
    ipv6_src == fd00::1 && ipv6_dst == fd00::/64')" 10
is "replies" "$(count 'icmpv6_type == 129 && l3_dst == fd00::1')" 10
[ "$(count 'icmpv6_type == 135 && ipv6_src == fd00::/16')" -ge 1 ] ||
    fail "no neighbor solicitation"
is "IPv4 predicate" "$(count 'ip && ipv6_src == fd00::1')" 0

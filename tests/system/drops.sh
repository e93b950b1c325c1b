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

# What a flow drops is recorded with its reason.

# shellcheck source=tests/system/lib.sh
. "$SYSTEM_TESTS/lib.sh"

udp='
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(200):
    s.sendto(b"x", ("10.0.0.2", 9))
    time.sleep(0.001)'

host h1 ping -c 1 -q 10.0.0.2 >/dev/null || fail "no connection"
ovs-ofctl add-flow br0 udp,tp_dst=9,actions=drop
host h1 "$PYTHON" -c "$udp"
quiet
is "dropped" "$(count 'drop && udp && tp_dst == 9 && in_port == 1')" 200
is "reason" "$(count 'drop_reason == drop_action_of_pipeline && udp')" 200
is "forwarded" "$(count 'forwarded && udp && tp_dst == 9')" 0
is "out_port" "$(count 'out_port && udp && tp_dst == 9')" 0

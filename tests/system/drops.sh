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

# Bursts, which reach the datapath in batches of several packets, for datapath
# actions that fail.
# burst PORT: 100 packets.
burst () {
    host h1 "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(100):
    s.sendto(b'x', ('10.0.0.2', $1))"
}

# counter REASON: Open vSwitch's own.
counter () {
    ovs-appctl coverage/read-counter "datapath_drop_$1"
}

push='tnl_push(tnl_port(99),header(size=50,type=4,eth(dst=aa:55:aa:55:00:01,
    src=aa:55:aa:55:00:00,dl_type=0x0800),ipv4(src=192.0.2.1,dst=192.0.2.2,
    proto=17,tos=0,ttl=64,frag=0x4000),udp(src=0,dst=4789,csum=0x0),
    vxlan(flags=0x8000000,vni=0x7b)),out_port(2)),2'
ovs-appctl revalidator/pause
batches=$(ovs-appctl coverage/read-counter netdev_received)
# The datapath's number of port p1.
in_port=$(ovs-appctl dpif/show | sed -n 's,^ *p1 1/\([0-9]*\):.*,\1,p')
port=20
while read -r reason actions; do
    ovs-appctl dpctl/add-flow "in_port($in_port),eth(),eth_type(0x0800),\
ipv4(proto=17,frag=no),udp(dst=$port)" "$actions" || fail "dpctl/add-flow"
    burst $port
    quiet
    is "$reason" "$(count "drop_reason == $reason && tp_dst == $port")" 100
    is "others" "$(count "drop_reason != $reason && tp_dst == $port")" 0
    [ "$reason" = no_output ] || is "counter" "$(counter "$reason")" 100
    port=$((port + 1))
done <<END
invalid_port 99
invalid_bond lb_output(99)
invalid_tnl_port tnl_pop(99)
tunnel_push_error ${push//[[:space:]]/}
sample_error sample(sample=0.0%,actions(2))
upcall_error recirc(99)
no_output ct(commit)
END
batches=$(($(ovs-appctl coverage/read-counter netdev_received) - batches))
echo "batches: $batches"
[ $batches -lt 600 ] || fail "700 packets did not come in batches"
ovs-appctl dpctl/del-flows
ovs-appctl revalidator/resume

# What a meter lets through and what it doesn't.
ovs-ofctl -O OpenFlow13 add-meter br0 meter=1,pktps,burst,band=type=drop,rate=50,burst_size=1
ovs-ofctl -O OpenFlow13 add-flow br0 priority=40000,udp,tp_dst=19,actions=meter:1,2
burst 19
quiet
is "meter" "$(count 'udp && tp_dst == 19 && in_port == 1')" 100
is "counter" "$(counter meter)" "$(count 'drop_reason == meter')"
[ "$(counter meter)" -gt 0 ] || fail "the meter dropped nothing"

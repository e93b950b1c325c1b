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

# A transfer over TCP: the records are what the hosts' own counters say.

# shellcheck source=tests/system/lib.sh
. "$SYSTEM_TESTS/lib.sh"

serve='
import socket
s = socket.create_server(("10.0.0.2", 7777))
print("ready", flush=True)
c, _ = s.accept()
n = 0
while True:
    data = c.recv(65536)
    if not data:
        break
    n += len(data)
c.sendall(b"%d" % n)
c.close()'
send='
import socket
s = socket.create_connection(("10.0.0.2", 7777))
s.sendall(bytes(3000000))
s.shutdown(socket.SHUT_WR)
print(s.recv(100).decode())'

quiet
packets=$(statistic h2 packets) octets=$(statistic h2 bytes)
before=$(count 'out_port == 2') before_bytes=$(bytes 'out_port == 2')
coproc SERVER { exec host h2 "$PYTHON" -c "$serve"; }
read -r _ <&"${SERVER[0]}"
is "bytes received" "$(host h1 "$PYTHON" -c "$send")" 3000000
wait
quiet
packets=$(($(statistic h2 packets) - packets))
octets=$(($(statistic h2 bytes) - octets))
is "records to h2" $(($(count 'out_port == 2') - before)) $packets
is "bytes to h2" $(($(bytes 'out_port == 2') - before_bytes)) $octets
# A host that is slow to answer gets them again.
some () {
    is "$1" "$([ "$2" -ge 1 ] && echo some || echo none)" some
}
some "SYN" "$(count 'tcp_dst == 7777 && tcp_flags == +syn-ack')"
some "SYN-ACK" "$(count 'tcp_src == 7777 && tcp_flags == +syn+ack')"
some "FIN" "$(count 'tcp && tp_dst == 7777 && tcp_flags == +fin')"

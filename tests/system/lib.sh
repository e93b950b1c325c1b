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

# For the scripts beside this one.  To be sourced.

# shellcheck shell=bash

set -u

fail () {
    echo "$*"
    ovs-appctl multilog/show
    exit 1
}

skip () {
    echo "$*"
    exit 77
}

# value EXPRESSION: of the JSON document "d" on standard input.
value () {
    "${PYTHON:-python3}" -c '
import json, sys
d = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$1"
}

# count EXPRESSION [OPTION]...: the number of records; "N gaps" if any are
# missing.
count () {
    ovs-appctl multilog/query "$@" --count --format=json |
        value 'd["count"] if d["gaps"] == 0 else "%d gaps" % d["gaps"]'
}

# bytes EXPRESSION: the sum of their lengths.
bytes () {
    ovs-appctl multilog/query "$@" --count --format=json | value 'd["bytes"]'
}

# is WHAT IS WANTED: a comparison.
is () {
    [ "$2" = "$3" ] || fail "$1: $2, but should be $3"
    echo "$1: $2"
}

# statistic HOST packets|bytes: received by the host's network device.
statistic () {
    host "$1" cat /proc/net/dev |
        sed -n "s/^ *eth0: *\([0-9]*\) *\([0-9]*\) .*/\\$(
            [ "$2" = bytes ] && echo 1 || echo 2)/p"
}

# port_counter PORT rx|tx pkts|bytes: the switch's own.
port_counter () {
    ovs-ofctl dump-ports br0 "$1" | tr -d '\n' |
        sed -n "s/.*$2 pkts=\([0-9]*\), bytes=\([0-9]*\),.*/\\$(
            [ "$3" = pkts ] && echo 1 || echo 2)/p"
}

# quiet: until no port's counters change.
quiet () {
    local before=none now=''
    until [ "$before" = "$now" ]; do
        before=$now
        sleep 0.2
        now=$(ovs-ofctl dump-ports br0)
    done
}

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

# multilog-sandbox without --pcap: three hosts on a bridge, ordinary traffic,
# an incident, and what the MultiLog says.  To be sourced.
#
#        h1 10.0.0.1      h2 10.0.0.2      h3 10.0.0.3
#         client        web, iperf3 server   client, then the scanner
#            |                |                |
#            p1 ------------- p2 ------------- p3     bridge br0

# shellcheck shell=bash

SCANNED_PORTS=1000
# How many SYNs a host may send in the window.  That is long enough for a lost
# packet of the scan to be sent again without the incident being two.
MAX_SYNS=50

# For people.
# ===========

heading () {
    printf '\n\033[1m%s\033[0m\n' "$*" | {
        if [ -t 1 ]; then cat; else sed 's/\x1b\[[01]m//g'; fi
    }
}

# typed COMMAND: runs a shell command as a user would type it, and shows it.
FAILED=
typed () {
    printf '\n$ %s\n' "$1"
    interruptible bash -c "$1" 2>&1 || FAILED=yes
}

# Set-up.
# =======

make_host () {
    make_netns "h$1"
    in_netns switch sh -c "
        set -e
        ip link add p$1 mtu 1500 type veth peer name eth0 \
            netns ${PID[h$1]} address 02:00:00:00:00:0$1
        ethtool -K p$1 tx off gro off >/dev/null
        ip link set p$1 up"  || die "no veth devices"
    in_netns "h$1" sh -c "
        set -e
        ethtool -K eth0 tx off >/dev/null
        ip address add 10.0.0.$1/24 dev eth0
        ip link set eth0 up" || die "host h$1 can't be set up"
}

is_listening () {
    in_netns "$1" grep -q ":$(printf %04X "$2") 00000000:0000 0A" \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null ||
        in_netns "$1" grep -q ":$(printf %04X "$2") 0\{32\}:0000 0A" \
            /proc/net/tcp6
}

start_servers () {
    mkdir "$DIR/www"
    head -c 200000 /dev/urandom > "$DIR/www/index.html"
    spawn web nsenter --net="/proc/${PID[h2]}/ns/net" \
        "$PYTHON" -m http.server --directory "$DIR/www" 80
    spawn iperf3 nsenter --net="/proc/${PID[h2]}/ns/net" iperf3 --server
    wait_until 10 web is_listening h2 80 ||
        die "no web server: $(< "$DIR/web.out")"
    wait_until 10 iperf3 is_listening h2 5201 ||
        die "no iperf3 server: $(< "$DIR/iperf3.out")"
}

setup_demo () {
    local host
    start_ovsdb
    make_netns switch
    for host in 1 2 3; do
        make_host $host
    done
    ovs-vsctl --no-wait -- \
        add-br br0 -- set bridge br0 datapath_type=netdev -- \
        add-port br0 p1 -- set interface p1 ofport_request=1 -- \
        add-port br0 p2 -- set interface p2 ofport_request=2 -- \
        add-port br0 p3 -- set interface p3 ofport_request=3
    start_switch p1 1 p2 2 p3 3
    # What is flooded goes to this port as well.
    in_netns switch ip link set br0 arp off up
    start_servers
}

# Ordinary traffic that goes on until it is stopped: a web page every 0.2 s and
# a ping every 0.1 s.
start_clients () {
    spawn ping nsenter --net="/proc/${PID[h1]}/ns/net" \
        ping -q -i 0.1 10.0.0.2
    spawn browser nsenter --net="/proc/${PID[h1]}/ns/net" sh -c '
        while sleep 0.2; do
            curl -s -o /dev/null http://10.0.0.2/
        done'
}

stop_clients () {
    reap ping
    reap browser
}

# The MultiLog.
# =============

install_filters () {
    heading "Filters, aggregates and triggers"
    typed "ovs-appctl multilog/filter-add web 'tcp && tp_dst == 80'"
    typed "ovs-appctl multilog/filter-add syn 'tcp_flags == +syn-ack'"
    typed "ovs-appctl multilog/aggregate-add syn_by_host syn count \
window=1500ms group-by=nw_src"
    typed "ovs-appctl multilog/aggregate-add web_bytes web 'sum(pkt_len)' \
window=1s"
    typed "ovs-appctl multilog/trigger-add scan 'syn_by_host > $MAX_SYNS' \
period=1ms clear=10"
    typed "ovs-appctl multilog/trigger-add flood 'web_bytes > 50000000' for=1s"
}

ordinary_traffic () {
    heading "Ordinary traffic: ICMP, TCP and UDP"
    typed "host h1 ping -c 5 -i 0.05 -q 10.0.0.2"
    typed "host h3 curl -s -o /dev/null -w '%{size_download} bytes\n' \
http://10.0.0.2/"
    typed "host h1 iperf3 -c 10.0.0.2 -u -b 10M -t 2 | grep receiver"
    [ "$STOCK" ] || {
        typed "ovs-appctl multilog/flows --top 5"
        typed "ovs-appctl multilog/filter-list"
        typed "ovs-appctl multilog/alerts"
    }
}

# count_alerts STATE: sets COUNT to how many alerts were raised or cleared.
count_alerts () {
    COUNT=$(ovs-appctl --timeout=30 multilog/alerts --format=json |
                grep -o "\"state\": *\"$1\"" | wc -l)
}

has_alert () {
    count_alerts "$1"
    [ "$COUNT" -ge 1 ]
}

incident () {
    heading "An incident: h3 scans the ports of h2"
    SCAN_BEGAN=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
    typed "host h3 $HERE/sandbox-scan.py 10.0.0.2 1 $SCANNED_PORTS"
    [ ! "$STOCK" ] || return 0
    wait_until 10 ovs-vswitchd has_alert raised || true
    typed "ovs-appctl multilog/alerts"
    heading "Who was it?"
    typed "ovs-appctl multilog/query 'tcp_flags == +syn-ack' --last 5s \
--group-by nw_src,nw_dst --top 3"
    typed "ovs-appctl multilog/query 'tcp_flags == +syn-ack && \
nw_src == 10.0.0.3' --fields time,in_port,nw_src,nw_dst,tp_dst --limit 5"
    wait_until 10 ovs-vswitchd has_alert cleared || true
    typed "ovs-appctl multilog/alerts"
}

# The verdict.
# ============

# Sets SENT to what all ports of the switch sent, and UNSENT to what they
# couldn't, when nothing moves any more.
wait_for_silence () {
    local port before=none
    SENT=0
    until [ "$before" = "$SENT" ]; do
        before=$SENT
        sleep 0.1
        read_counters
        SENT=0 UNSENT=0
        for port in "${!TX[@]}"; do
            SENT=$((SENT + TX[$port]))
            UNSENT=$((UNSENT + TX_BAD[$port]))
        done
    done
}

# Prints the time, in milliseconds, from when the switch forwarded the packet
# that passed the trigger's threshold until the alert could be read.
alert_latency () {
    "$PYTHON" - "$MAX_SYNS" "$1" <<'END'
import calendar
import json
import subprocess
import sys
import time


def ask(*command):
    return json.loads(subprocess.check_output(
        ("ovs-appctl", "--timeout=30") + command + ("--format=json",)))


def ns(text):
    seconds, fraction = text.rstrip("Z").split(".")
    return (calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S"))
            * 10**9 + int(fraction.ljust(9, "0")))


most, since = int(sys.argv[1]), sys.argv[2]
rows = ask("multilog/query", "tcp_flags == +syn-ack && nw_src == 10.0.0.3",
           "--since", since, "--oldest", "--limit", str(most + 1),
           "--fields", "time")["rows"]
alert = next(alert for alert in ask("multilog/alerts")["alerts"]
             if alert["state"] == "raised")
print("%.2f" % ((ns(alert["logged"]) - ns(rows[most]["time"])) / 1e6))
END
}

# line NAME VALUE...
line () {
    printf '  %-42s %s\n' "$1" "${*:2}"
}

demo_verdict () {
    local raised cleared status=0
    wait_for_silence
    heading "Verdict"
    line "packets sent by the switch's ports" "$SENT"
    [ "$UNSENT" = 0 ] || line "packets that ports couldn't send" "$UNSENT"
    [ ! "$STOCK" ] || return 0

    count_records out_port || return 1
    line "records of sent packets" "$COUNT"
    line "records lost (gaps)" "$GAPS"
    [ "$COUNT $GAPS" = "$((SENT + UNSENT)) 0" ] || status=1
    count_alerts raised
    raised=$COUNT
    count_alerts cleared
    cleared=$COUNT
    line "alerts raised, cleared" "$raised, $cleared"
    [ "$raised $cleared" = "1 1" ] || status=1
    if [ "$raised" != 0 ]; then
        line "from the SYN too many to the alert" \
            "$(alert_latency "$SCAN_BEGAN") ms"
    fi
    [ ! "$FAILED" ] || { line "commands that failed" "see above"; status=1; }
    if [ $status = 0 ]; then
        echo "PASSED: every packet was logged, and the scan was alerted once"
    else
        echo "FAILED: there should be one record per packet sent, no gap, and" \
            "one alert"
    fi
    return $status
}

demo_sandbox () {
    heading "Three hosts on the bridge br0"
    setup_demo
    typed "ovs-vsctl show"
    [ "$STOCK" ] || typed "ovs-appctl multilog/show"
    [ "$TRAFFIC" ] || return 0
    [ "$STOCK" ] || install_filters
    ordinary_traffic
    start_clients
    [ "$STOCK" ] || {
        sleep 0.5
        typed "ovs-appctl multilog/aggregate-show web_bytes"
    }
    incident
    stop_clients
    demo_verdict
}

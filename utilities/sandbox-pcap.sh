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

# multilog-sandbox --pcap: the packets of a file through the switch, each
# exactly once.  To be sourced.
#
# DPDK ports: p0 is a net_pcap device, which plays its file as soon as it is
# polled, p1 a net_null device, which takes everything.  p0 must not be polled
# before its OpenFlow port and flow are there, so the only datapath thread is
# first pinned to p1 and thereby isolated: no thread is left to poll p0 until
# p0 is pinned to it too.
#
# AF_PACKET ports: p0 and p1 are ends of veth pairs.  The sender watches the
# backlog of p0's socket (see sandbox-pcap.py).

# shellcheck shell=bash

# The longest packet that fits in the largest MTU of OVS's DPDK ports (9702),
# and in a packet of OVS at all.
DPDK_MAX_PACKET=9720
AFPACKET_MAX_PACKET=65535

# no_dpdk REASON...: DPDK ports can't be used; others will do unless DPDK's were
# asked for.
no_dpdk () {
    if [ "$PORT" = dpdk ]; then
        say "$*: use --port afpacket"
        exit 2
    elif [ ! "$PORT" ]; then
        say "$*: using --port afpacket"
    fi
    PORT=afpacket
}

# Sets OFFERED, LONGEST and SHORT of the capture, PORT, and REPEAT: how often the
# prepared file has to be sent.
prepare_capture () {
    local summary loop=$LOOP
    # Only a file that DPDK may play needs the copies in it.
    REPEAT=1
    [ "$PORT" != afpacket ] || REPEAT=$LOOP loop=1
    summary=$(exec "$PYTHON" "$HERE/sandbox-pcap.py" prepare "$PCAP" \
                  "$DIR/in.pcap" "$loop") || exit 2
    read -r OFFERED LONGEST SHORT <<< "$summary"
    if [ "$LONGEST" -gt $DPDK_MAX_PACKET ]; then
        no_dpdk "a packet of $LONGEST bytes is too long for DPDK ports" \
            "($DPDK_MAX_PACKET)"
    elif ! ovs-vswitchd --version | grep -q '^DPDK'; then
        no_dpdk "ovs-vswitchd was built without DPDK"
    fi
    PORT=${PORT:-dpdk}
}

# DPDK ports.
# ===========

# Sets CORE, the processor for the datapath thread, and CORE_MASK: the last one
# that we may use.
choose_core () {
    local list
    list=$(sed -n 's/^Cpus_allowed_list:\t*//p' /proc/self/status)
    CORE=${list##*[,-]}
    CORE_MASK=$(printf '%x' $((1 << (CORE % 4))))$(
        printf "%.*s" $((CORE / 4)) \
            0000000000000000000000000000000000000000000000000000000000000000)
}

# Sets MTU for the longest packet, and PAGES: how many huge pages that takes.
choose_memory () {
    local buffer
    MTU=$((LONGEST > 1518 ? LONGEST - 18 : 1500))
    # As OVS and DPDK round it; 17,000 buffers for each of two ports; what
    # capture rings may take.
    buffer=$(((MTU + 26 + 1023) / 1024 * 1024 + 1024))
    PAGES=$((2 * 17000 * buffer / 2097152 + 8 + 32))
}

# start_dpdk EAL-ARGUMENT...: starts ovs-vswitchd, without polling p0.  Fails if
# it or the ports don't work.
start_dpdk () {
    # DPDK's name for its files is our directory's.
    local prefix=${DIR//\//_}
    echo "/var/run/dpdk/$prefix" > "$DIR/dpdk-dir"
    ovs-vsctl --no-wait -- \
        set Open_vSwitch . other_config:dpdk-init=true \
            other_config:dpdk-extra="--no-pci --no-telemetry \
                --file-prefix=$prefix $*" \
            other_config:pmd-cpu-mask="$CORE_MASK" \
            other_config:per-port-memory=true -- \
        --may-exist add-br br0 -- \
        set bridge br0 datapath_type=netdev fail-mode=secure -- \
        --if-exists del-port p0 -- --may-exist add-port br0 p1 -- \
        set interface p1 type=dpdk ofport_request=2 mtu_request="$MTU" \
            options:dpdk-devargs=net_null1,no-rx=1 \
            options:n_rxq_desc=256 options:n_txq_desc=256 \
            other_config:pmd-rxq-affinity="0:$CORE"
    start_vswitchd
    configure set bridge br0 external-ids:sandbox=starting &&
        configure add-port br0 p0 -- \
            set interface p0 type=dpdk ofport_request=1 mtu_request="$MTU" \
                options:dpdk-devargs="net_pcap0,rx_pcap=$DIR/in.pcap" \
                options:n_rxq_desc=256 options:n_txq_desc=256 &&
        port_works p1 2 && port_works p0 1
}

setup_dpdk () {
    choose_core
    choose_memory
    if reserve_huge_pages "$PAGES"; then
        start_dpdk && return
        # Pages can't be reserved for us alone.
        say "it doesn't work with huge pages, others may have taken them"
        reap ovs-vswitchd
        give_huge_pages_back "$DIR/hugepages"
    else
        say "no $PAGES huge pages to be had"
    fi
    say "using --no-huge"
    start_dpdk --no-huge --legacy-mem --no-shconf -m $((PAGES * 2)) ||
        switch_failed "ovs-vswitchd can't open DPDK ports"
}

send_dpdk () {
    read_counters
    [ "${RX[1]}" = 0 ] || die "packets were sent before the switch was ready"
    configure set interface p0 other_config:pmd-rxq-affinity="0:$CORE" ||
        switch_failed "ovs-vswitchd can't poll p0"
    wait_for_packets "$OFFERED" $((OFFERED - SHORT))
}

# AF_PACKET ports.
# ================

# make_wire PORT FAR: a veth pair that carries frames just as they are sent.
make_wire () {
    local mtu=$((LONGEST > 1514 ? LONGEST - 14 : 1500))
    [ $mtu -le $((AFPACKET_MAX_PACKET - 14)) ] ||
        mtu=$((AFPACKET_MAX_PACKET - 14))
    in_netns switch sh -c "
        set -e
        ip link add $1 mtu $mtu type veth peer name $2 mtu $mtu
        for device in $1 $2; do
            ethtool -K \$device tx off rx off sg off gro off \
                rxvlan off txvlan off >/dev/null
            ip link set \$device arp off
            ip link set \$device up
        done" || die "no veth devices"
}

setup_afpacket () {
    make_wire p0 wire0
    make_wire p1 wire1
    ovs-vsctl --no-wait -- \
        add-br br0 -- \
        set bridge br0 datapath_type=netdev fail-mode=secure -- \
        add-port br0 p1 -- set interface p1 ofport_request=2 -- \
        add-port br0 p0 -- set interface p0 ofport_request=1
    start_switch p0 1 p1 2
}

send_afpacket () {
    local i sent refused all_sent=0 all_refused=0
    for ((i = 0; i < REPEAT; i++)); do
        interruptible nsenter --net="/proc/${PID[switch]}/ns/net" \
            "$PYTHON" "$HERE/sandbox-pcap.py" send wire0 p0 "$DIR/in.pcap" \
            "$RATE" > "$DIR/sent" || die "the sender failed"
        read -r sent refused < "$DIR/sent"
        all_sent=$((all_sent + sent))
        all_refused=$((all_refused + refused))
    done
    if [ $all_refused != 0 ]; then
        say "$all_refused packets are shorter than 14 bytes or longer than" \
            "$AFPACKET_MAX_PACKET and can't be sent this way: left out"
    fi
    OFFERED=$all_sent SHORT=0
    wait_for_packets "$OFFERED" "$OFFERED"
}

# Both.
# =====

# wait_for_packets RECEIVED SENT: until p0 received and p1 sent that much.  It
# may take as long as there is progress.
wait_for_packets () {
    local seen='' deadline=0
    while read_counters
          # The kernel also counts as dropped what nobody but us wants.
          [ "$PORT" = dpdk ] || RX_BAD[1]=0
          [ $((RX[1] + RX_BAD[1])) -lt "$1" ] ||
          [ $((TX[2] + TX_BAD[2])) -lt "$2" ]
    do
        if [ "$seen" != "${RX[1]} ${TX[2]}" ]; then
            seen="${RX[1]} ${TX[2]}"
            deadline=$((SECONDS + 5))
        elif [ $SECONDS -gt $deadline ]; then
            blame ovs-vswitchd
            break
        fi
        sleep 0.01
    done
}

# Says what became of the packets.  Fails if any is unaccounted for.
pcap_verdict () {
    local dropped=$((RX[1] - TX[2] - TX_BAD[2]))
    say "$OFFERED packets offered, ${RX[1]} received by p0," \
        "${TX[2]} sent by p1, $dropped dropped by the switch" \
        "($SHORT too short for Ethernet)"
    if [ "${RX[1]}" != "$OFFERED" ] || [ "${TX_BAD[2]}" != 0 ] ||
           [ $dropped != "$SHORT" ]; then
        say "packets were lost: $((OFFERED - RX[1])) before p0 or in it," \
            "$((dropped - SHORT)) between the ports, ${TX_BAD[2]} in p1"
        return 1
    fi
    [ "$STOCK" ] || pcap_records "${TX[2]}" $dropped
}

# pcap_records SENT DROPPED: compares the MultiLog with what the ports say.
pcap_records () {
    local sent dropped
    count_records out_port || return 1
    sent=$COUNT
    count_records drop_reason || return 1
    dropped=$COUNT
    say "$sent records of sent packets, $dropped of dropped ones, $GAPS lost"
    if [ "$sent $dropped $GAPS" != "$1 $2 0" ]; then
        say "the MultiLog should have $1, $2 and 0"
        return 1
    fi
}

pcap_sandbox () {
    local begin=${EPOCHREALTIME/[.,]/}
    prepare_capture
    start_ovsdb
    make_netns switch
    "setup_$PORT"
    ovs-ofctl add-flow br0 in_port=1,actions=output:2 ||
        die "the flow can't be installed"
    say "ready after $(((${EPOCHREALTIME/[.,]/} - begin) / 1000)) ms" \
        "(ports: $PORT)"
    [ "$TRAFFIC" ] || return 0
    "send_$PORT"
    pcap_verdict
}

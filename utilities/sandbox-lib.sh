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

# Shared parts of multilog-sandbox: what a sandbox consists of, and how it goes
# away.  To be sourced; nothing here depends on what the sandbox is used for.
#
# Everything that outlives a command is recorded in the sandbox's directory
# $DIR when it is made, so that clean_up can take it away knowing nothing but
# the directory:
#
#   $DIR/pids        "PID START-TIME NAME" of each process
#   $DIR/hugepages   number of huge pages that were added to the system's
#   $DIR/dpdk-dir    directory that DPDK makes for its run-time files
#   $DIR/memory-dir  directory in which records are kept
#   $DIR/keep        exists if the sandbox is to stay when the script ends

# shellcheck shell=bash

HUGE_PAGES=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages

say () {
    echo "multilog-sandbox: $*" >&2
}

# die MESSAGE...: the sandbox itself failed.
die () {
    say "$*"
    exit "$STATUS_FAILED"
}

# usage_error MESSAGE...: nothing has been done.
usage_error () {
    say "$* (see --help)"
    exit 2
}

# Processes.
# ==========

start_time () {
    local stat
    read -r stat 2>/dev/null < "/proc/$1/stat" || return 1
    # The name, in parentheses, may hold anything.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    echo "${20}"
}

# die_with_us SIGNAL: a command before a command that gets SIGNAL when this
# script dies, or isn't started if it has died already.
# shellcheck disable=SC2016
die_with_us () {
    DIE_WITH_US=(setpriv --pdeathsig "$1"
                 sh -c '[ $PPID = "$1" ] && shift && exec "$@"' sh $$)
}

# spawn NAME COMMAND...: starts a process of the sandbox, which dies with this
# script unless the sandbox is kept.  Its output goes to $DIR/NAME.out, its
# process id to PID[NAME].
declare -A PID=()
spawn () {
    local name=$1
    shift
    if [ ! "$KEEP" ]; then
        die_with_us KILL
        set -- "${DIE_WITH_US[@]}" "$@"
    fi
    "$@" </dev/null >"$DIR/$name.out" 2>&1 {GUARD}>&- &
    PID[$name]=$!
    echo "$! $(start_time $!) $name" >> "$DIR/pids"
}

# reap NAME: ends a process of the sandbox now.
reap () {
    kill "${PID[$1]}" 2>/dev/null
    wait "${PID[$1]}" 2>/dev/null
    unset "PID[$1]"
}

# interruptible COMMAND...: runs a command that may take long.  Signals to this
# script end it; they would wait for a plain command.  On a terminal it stays
# in the foreground, to be used interactively.
JOB=
interruptible () {
    local status
    die_with_us TERM
    set -- "${DIE_WITH_US[@]}" "$@"
    if [ -t 0 ]; then
        "$@" {GUARD}>&-
        return
    fi
    set -m
    "$@" <&0 {GUARD}>&- &
    JOB=$!
    set +m
    wait $JOB
    status=$?
    JOB=
    return $status
}

# wait_until SECONDS NAME CONDITION...: polls until the command CONDITION
# succeeds.  Fails if it doesn't in time or the process NAME ends before.
wait_until () {
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) name=$2
    shift 2
    until "$@"; do
        kill -0 "${PID[$name]}" 2>/dev/null || return 1
        [ "${EPOCHREALTIME/[.,]/}" -lt $deadline ] || return 1
        sleep 0.01
    done
}

# The way out.
# ============

# await_end PID...: waits until processes that were told to end have done so.
# After three seconds they are killed.  (In a trap, "wait" may wait for ever for
# a child that bash has heard of already.)
await_end () {
    local pid deadline=$((${EPOCHREALTIME/[.,]/} + 3000000))
    for pid; do
        while [ -e "/proc/$pid/exe" ]; do
            if [ "${EPOCHREALTIME/[.,]/}" -gt $deadline ]; then
                kill -KILL "$pid" 2>/dev/null
            fi
            sleep 0.01
        done
    done
}

# clean_up DIR: takes a sandbox away.  May be called again, and by others.
clean_up () {
    local dir=$1 pid start name
    local -a pids=()
    [ -d "$dir" ] || return 0
    if [ -e "$dir/pids" ]; then
        while read -r pid start name; do
            if [ "$(start_time "$pid")" = "$start" ]; then
                kill "$pid" 2>/dev/null && pids+=("$pid")
            fi
        done < "$dir/pids"
    fi
    await_end "${pids[@]}"
    [ ! -e "$dir/hugepages" ] || give_huge_pages_back "$dir/hugepages"
    if [ -e "$dir/dpdk-dir" ]; then
        rm -rf -- "$(< "$dir/dpdk-dir")"
        rmdir /var/run/dpdk 2>/dev/null
    fi
    [ ! -e "$dir/memory-dir" ] || rm -rf -- "$(< "$dir/memory-dir")"
    # What was killed a moment ago may still make a file.
    for _ in {1..40}; do
        rm -rf -- "$dir" && break
        sleep 0.05
    done
}

# What the script's end, wherever it is, comes to.
at_exit () {
    local status=$?
    trap '' INT TERM HUP
    if [ "$JOB" ]; then
        kill -TERM -- "-$JOB" 2>/dev/null
        await_end "$JOB"
        kill -KILL -- "-$JOB" 2>/dev/null
    fi
    if [ "$DIR" ] && [ ! -e "$DIR/keep" ]; then
        clean_up "$DIR" 2>/dev/null
    fi
    exit $status
}

# make_dir: makes $DIR and sees to its end, even if this script is killed: the
# guard, who makes it, waits until nobody holds the other end of its pipe, GUARD.
DIR=
make_dir () {
    trap at_exit EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    coproc guard {
        trap '' INT TERM HUP
        dir=$(mktemp -d "${TMPDIR:-/tmp}/multilog-sandbox.XXXXXX")
        echo "$dir"
        exec >/dev/null 2>&1
        cat
        [ -e "$dir/keep" ] || clean_up "$dir"
    }
    # shellcheck disable=SC2154
    exec {GUARD}>&"${guard[1]}" {guard[1]}>&-
    read -r DIR <&"${guard[0]}"
    [ "$DIR" ] || die "no temporary directory: set TMPDIR to one"
}

# Huge pages.
# ===========

# Prints the number of huge pages that the system is to have.  "Surplus" ones go
# when whoever uses them ends.
count_huge_pages () {
    local all surplus
    read -r all < "$HUGE_PAGES" &&
        read -r surplus < "${HUGE_PAGES%/*}/surplus_hugepages" &&
        echo $((all - surplus))
}

# change_huge_pages N FILE: adds N to the number of huge pages, or as much as is
# possible, and writes by how much it grew to FILE.  Whoever changes the number
# locks it, and nothing interrupts this between the change and the note of it.
change_huge_pages () {
    (
        trap '' INT TERM HUP
        exec 9<>"$HUGE_PAGES" && flock 9 && before=$(count_huge_pages) ||
            exit 1
        after=$((before + $1))
        echo $((after > 0 ? after : 0)) > "$HUGE_PAGES"
        after=$(count_huge_pages) && echo $((after - before)) > "$2"
    ) 2>/dev/null
}

# reserve_huge_pages N: fails if there can't be so many.
reserve_huge_pages () {
    [ -w "$HUGE_PAGES" ] && change_huge_pages "$1" "$DIR/hugepages" ||
        return 1
    if [ "$(< "$DIR/hugepages")" -lt "$1" ]; then
        give_huge_pages_back "$DIR/hugepages"
        return 1
    fi
}

# give_huge_pages_back FILE: takes away what change_huge_pages noted in FILE.
give_huge_pages_back () {
    local n
    n=$(< "$1")
    rm -f -- "$1"
    [ "${n:-0}" -le 0 ] || change_huge_pages -"$n" /dev/null
}

# Network namespaces.
# ===================

# Each is held by a process, so that none needs a name in the file system.

has_own_net () {
    ! [ "/proc/${PID[$1]}/ns/net" -ef /proc/self/ns/net ] 2>/dev/null
}

# make_netns NAME: a network namespace with a loopback device and no IPv6.
make_netns () {
    spawn "$1" unshare --net sleep infinity
    wait_until 5 "$1" has_own_net "$1" ||
        die "no network namespace: $(< "$DIR/$1.out")"
    echo "${PID[$1]}" > "$DIR/netns/$1"
    # /proc/sys shows the namespace of who looks.
    # shellcheck disable=SC2016
    in_netns "$1" sh -c '
        for conf in all default; do
            f=/proc/sys/net/ipv6/conf/$conf/disable_ipv6
            [ ! -w $f ] || echo 1 > $f
        done
        ip link set lo up'
}

in_netns () {
    nsenter --net="/proc/${PID[$1]}/ns/net" "${@:2}"
}

# Open vSwitch.
# =============

# The sandbox's own commands, for PATH.
make_bin () {
    local program
    mkdir -p "$DIR/bin" "$DIR/netns"
    for program in vswitchd/ovs-vswitchd ovsdb/ovsdb-{server,tool,client} \
                   utilities/ovs-{appctl,vsctl,ofctl,dpctl}; do
        ln -s "$OVS/$program" "$DIR/bin/"
    done
    cat > "$DIR/bin/host" <<END
#!/bin/sh
# host NAME COMMAND...: runs a command on a host of the sandbox.
pid=\$(cat "$DIR/netns/\$1" 2>/dev/null) ||
    { echo "host: \"\$1\" is none of:" \$(ls "$DIR/netns") >&2; exit 1; }
shift
exec nsenter --net=/proc/\$pid/ns/net "\$@"
END
    chmod +x "$DIR/bin/host"
    export PATH=$DIR/bin:$PATH
    export OVS_RUNDIR=$DIR OVS_LOGDIR=$DIR OVS_DBDIR=$DIR OVS_SYSCONFDIR=$DIR
    export OVS_PKGDATADIR=$OVS/vswitchd
    export MULTILOG_DIR=$DIR/multilog
    [ ! -w /dev/shm ] || MULTILOG_DIR=/dev/shm/${DIR##*/}
    echo "$MULTILOG_DIR" > "$DIR/memory-dir"
    unset OVS_DB OVS_VSWITCHD_PID
}

# What went wrong in a daemon, from its output and log.
blame () {
    {
        head -n 3 "$DIR/$1.out"
        grep -E '\|(WARN|ERR|EMER)\|' "$DIR/$1.log" | tail -n 12
    } 2>/dev/null | sed 's/^/    /' >&2
}

start_ovsdb () {
    ovsdb-tool create "$DIR/conf.db" "$OVS/vswitchd/vswitch.ovsschema" ||
        die "no database"
    spawn ovsdb-server ovsdb-server "$DIR/conf.db" \
        --remote="punix:$DIR/db.sock" --pidfile --log-file -vconsole:off
    wait_until 10 ovsdb-server test -S "$DIR/db.sock" ||
        { blame ovsdb-server; die "ovsdb-server doesn't start"; }
    ovs-vsctl --no-wait init
}

# Started when the first configuration is in the database already.
start_vswitchd () {
    rm -rf -- "$MULTILOG_DIR"
    spawn ovs-vswitchd nsenter --net="/proc/${PID[switch]}/ns/net" \
        ovs-vswitchd "unix:$DIR/db.sock" --pidfile --log-file -vconsole:off
}

# configure COMMAND...: ovs-vsctl, waiting until ovs-vswitchd has done it.  Fails
# if ovs-vswitchd ends before.
configure () {
    local ended
    spawn ovs-vsctl ovs-vsctl --timeout=60 "$@"
    wait -n -p ended "${PID[ovs-vsctl]}" "${PID[ovs-vswitchd]}" &&
        [ "$ended" = "${PID[ovs-vsctl]}" ]
}

# port_works NAME NUMBER: fails unless ovs-vswitchd has opened the port.
port_works () {
    [ "$(ovs-vsctl get interface "$1" ofport error | tr '\n' ' ')" = "$2 [] " ]
}

# switch_failed MESSAGE...: dies, having shown what ovs-vswitchd says.
switch_failed () {
    cat "$DIR/ovs-vsctl.out" >&2
    blame ovs-vswitchd
    die "$*"
}

# start_switch PORT NUMBER...: starts ovs-vswitchd, which must open the ports.
start_switch () {
    start_vswitchd
    configure set bridge br0 external-ids:sandbox=starting ||
        switch_failed "ovs-vswitchd doesn't start"
    while [ $# -gt 0 ]; do
        port_works "$1" "$2" ||
            switch_failed "ovs-vswitchd can't open port $1"
        shift 2
    done
}

# read_counters: sets RX, TX (packets), RX_BAD and TX_BAD (drops and errors) of
# each OpenFlow port.
# shellcheck disable=SC2034
declare -A RX=() TX=() RX_BAD=() TX_BAD=()
# shellcheck disable=SC2034
read_counters () {
    local line port=
    local number='pkts=([0-9?]+), bytes=[0-9?]+, drop=([0-9?]+), errs=([0-9?]+)'
    while read -r line; do
        line=${line//\?/0}
        [[ $line =~ ^port\ +([A-Za-z0-9]+): ]] && port=${BASH_REMATCH[1]}
        if [[ $line =~ rx\ $number ]]; then
            RX[$port]=${BASH_REMATCH[1]}
            RX_BAD[$port]=$((BASH_REMATCH[2] + BASH_REMATCH[3]))
        elif [[ $line =~ tx\ $number ]]; then
            TX[$port]=${BASH_REMATCH[1]}
            TX_BAD[$port]=$((BASH_REMATCH[2] + BASH_REMATCH[3]))
        fi
    done < <(ovs-ofctl --timeout=10 dump-ports br0)
    [ "$port" ] || { blame ovs-vswitchd; die "ovs-vswitchd doesn't answer"; }
}

# check_vswitchd: fails, and says why, if ovs-vswitchd has ended or a sanitizer
# reported something.
check_vswitchd () {
    if ! kill -0 "${PID[ovs-vswitchd]}" 2>/dev/null; then
        say "ovs-vswitchd has ended"
    elif grep -qE 'Sanitizer|runtime error:' "$DIR/ovs-vswitchd.out"; then
        say "ovs-vswitchd has an error"
    else
        return 0
    fi
    head -n 60 "$DIR/ovs-vswitchd.out" | sed 's/^/    /' >&2
    blame ovs-vswitchd
    return 1
}

# count_records EXPRESSION: sets COUNT to the number of records that match and
# GAPS to that of records lost.
# shellcheck disable=SC2034
count_records () {
    local reply
    reply=$(ovs-appctl --timeout=60 multilog/query "$1" --count \
                --format=json) || return 1
    COUNT=none GAPS=none
    [[ $reply =~ \"count\":\ *([0-9]+) ]] && COUNT=${BASH_REMATCH[1]}
    [[ $reply =~ \"gaps\":\ *([0-9]+) ]] && GAPS=${BASH_REMATCH[1]}
}

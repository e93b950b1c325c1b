/* Copyright (c) 2026 The MultiLog for Open vSwitch authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at:
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */

#ifndef QUERY_FIXTURE_H
#define QUERY_FIXTURE_H 1

/* A log of random records for tests of queries, and what is to be found in
 * it. */

#include <criterion/criterion.h>
#include <errno.h>

#include "mlog-expr.h"
#include "mlog-flow-id.h"
#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "mlog-ports.h"
#include "mlog-query.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

/* Answers are compared with those of loops over the records as they were
 * generated, which share no code with the queries. */

#define T0 UINT64_C(1700000000000000000)

struct rec {
    struct mlog_flow_key key;
    struct mlog_row row;
    uint64_t time;
};

static struct mlog_flow_table *flows;
static struct mlog_header_log *log_;
static struct mlog_snapshot snapshot;
static struct rec *recs;
static size_t n_recs;
static const struct mlog_budget no_limit = { .deadline = LLONG_MAX };

static inline uint32_t
rnd(uint32_t n)
{
    static uint64_t state = 88172645463325252ULL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % n;
}

static inline void
create(size_t budget)
{
    struct mlog_store *store = mlog_store_open(NULL);

    flows = mlog_flow_table_create(store);
    log_ = mlog_header_log_create(flows, store, budget);
}

/* Seals all segments but the open one. */
static inline void
seal(void)
{
    struct mlog_commit *commit = xzalloc(sizeof *commit);

    mlog_header_log_fill_commit(log_, commit);
    mlog_header_log_committed(log_, commit);
    while (mlog_header_log_seal(log_)) {
        continue;
    }
    free(commit);
}

static inline void
append(const struct rec *rec)
{
    uint32_t hash = mlog_flow_key_hash(&rec->key);
    uint32_t index, local;
    uint64_t ns;

    if (!mlog_flow_table_find(flows, &rec->key, hash, &index)) {
        mlog_flow_table_insert(flows, &rec->key, hash, rec->time, &index);
    }
    struct mlog_row *row = mlog_header_log_append(log_, rec->time, index,
                                                  &ns, &local);
    cr_assert_not_null(row);
    *row = rec->row;
    row->flow = local;
    row->time_port = mlog_row_pack_time_port(ns, rec->row.time_port);
}

/* Some of IPv4 and IPv6, TCP, UDP and ICMP, tagged and not, and ARP. */
static inline struct mlog_flow_key
random_key(uint32_t n_hosts)
{
    struct mlog_flow_key key = {
        .dl_type = 0x800,
        .in_port = rnd(4),
        .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO,
    };

    key.dl_src.ea[5] = rnd(3);
    if (!rnd(4)) {
        key.vlan_tci[0] = MLOG_VLAN_PRESENT | rnd(3) << 13 | (10 + rnd(3));
    }
    if (!rnd(10)) {
        key.dl_type = 0x806;
        key.nw_proto = 1 + rnd(2);
        key.has = MLOG_HAS_ETH | MLOG_HAS_ARP;
    }
    if (!rnd(3) && key.dl_type == 0x800) {
        key.dl_type = 0x86dd;
        key.src[0] = key.dst[0] = htonl(0x20010db8);
    }
    key.src[3] = htonl(0x0a000000 + rnd(n_hosts));
    key.dst[3] = htonl(0x0a000100 + rnd(n_hosts));
    if (key.dl_type != 0x806) {
        key.nw_proto = rnd(5) ? (rnd(2) ? 6 : 17) : 1;
        if (key.nw_proto == 1) {
            key.nw_proto = key.dl_type == 0x800 ? 1 : 58;
            key.has |= MLOG_HAS_ICMP;
            key.tp_src = rnd(2) * 8;
        } else {
            key.has |= MLOG_HAS_PORTS;
            key.tp_src = 1024 + rnd(n_hosts);
            key.tp_dst = rnd(2) ? 80 : 53;
            key.has |= key.nw_proto == 6 ? MLOG_HAS_TCP : 0;
        }
    }
    return key;
}

static inline void
add_rec(const struct mlog_flow_key *key, uint64_t time)
{
    struct rec *rec = &recs[n_recs++];
    bool tcp = key->has & MLOG_HAS_TCP;

    *rec = (struct rec) {
        .key = *key,
        .time = time,
        .row = {
            .time_port = rnd(3),
            .len_ttl = (60 + rnd(1400)) << 8 | (rnd(2) ? 64 : 63),
            .tcp_flags = tcp ? (rnd(4) ? 0x10 : 0x02) : 0,
            .tcp_window = tcp ? 2000 - n_recs / 700 : 0,
            .tcp_seq = tcp ? rnd(UINT32_MAX) : 0,
            .reason = rnd(20) ? 0 : 1 + rnd(2),
        },
    };
    append(rec);
}

static inline void
add_ports(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        char *name = xasprintf("p%"PRIu32, i);

        mlog_ports_add(mlog_ports_datapath("dp"), i, name);
        mlog_ports_set_ofp(mlog_ports_datapath("dp"), name, "br0", i + 1);
        free(name);
    }
}

/* 'n' records of 'n_flows' flows, in some sealed segments and an open one.  The
 * flows of each half of the time are different ones, so that some segments
 * lack what is asked for. */
static inline void
generate(size_t n, size_t n_flows, uint32_t n_hosts)
{
    struct mlog_flow_key *keys = xcalloc(2 * n_flows, sizeof *keys);
    uint64_t time = T0;

    create(SIZE_MAX);
    add_ports();
    recs = xcalloc(n, sizeof *recs);
    for (size_t i = 0; i < 2 * n_flows; i++) {
        keys[i] = random_key(n_hosts);
    }
    for (size_t i = 0; i < n; i++) {
        time += rnd(2000);
        add_rec(&keys[rnd(n_flows) + (i > n / 2 ? n_flows : 0)], time);
        if (!rnd(n / 4)) {
            mlog_header_log_close_segment(log_);
        }
    }
    free(keys);
    mlog_header_log_publish(log_, time);
    seal();
    mlog_snapshot_take(log_, &snapshot);
}

static inline struct mlog_expr *
parse(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr = mlog_expr_parse(text, &error);

    cr_assert_not_null(expr, "%s: %s", text, error.message);
    return expr;
}

static inline const struct mlog_field *
field(const char *name)
{
    const struct mlog_field *f = mlog_field_from_name(name);

    cr_assert_not_null(f, "%s", name);
    return f;
}

/* Expressions, and what they mean. */

static inline bool
is_ip(const struct rec *r)
{
    return r->key.dl_type == 0x800;
}

static inline bool
is_tcp(const struct rec *r)
{
    return r->key.dl_type != 0x806 && r->key.nw_proto == 6;
}

static inline bool match_all(const struct rec *r OVS_UNUSED) { return true; }
static inline bool match_none(const struct rec *r OVS_UNUSED) { return false; }
static inline bool match_tcp(const struct rec *r) { return is_tcp(r); }

static inline bool
match_host(const struct rec *r)
{
    return is_ip(r) && r->key.src[3] == htonl(0x0a000003);
}

static inline bool
match_big_udp(const struct rec *r)
{
    return (r->key.dl_type != 0x806 && r->key.nw_proto == 17
            && mlog_row_pkt_len(&r->row) > 1000);
}

static inline bool
match_syn(const struct rec *r)
{
    return is_tcp(r) && (r->row.tcp_flags & 0x12) == 0x02;
}

static inline bool
match_drop_or_53(const struct rec *r)
{
    return (r->row.reason
            || ((r->key.has & MLOG_HAS_PORTS) && r->key.tp_dst == 53));
}

static inline bool
match_out(const struct rec *r)
{
    return !r->row.reason && r->row.time_port == 2;
}

static inline bool
match_vlan(const struct rec *r)
{
    return r->key.vlan_tci[0] && (r->key.vlan_tci[0] & 0xfff) == 11;
}

static inline bool
match_window(const struct rec *r)
{
    return is_tcp(r) && r->row.tcp_window == 1994;
}

static const struct {
    const char *text;
    bool (*match)(const struct rec *);
} exprs[] = {
    { "", match_all },
    { "tcp && udp", match_none },
    { "tcp", match_tcp },
    { "nw_src == 10.0.0.3", match_host },
    { "udp && pkt_len > 1000", match_big_udp },
    { "tcp_flags == +syn-ack", match_syn },
    { "drop || tp_dst == 53", match_drop_or_53 },
    { "out_port_name == \"p2\"", match_out },
    { "vlan_vid == 11", match_vlan },
    { "tcp_window == 1994", match_window },
};

/* Ranges of time, in records from the start; all, some, one segment's part,
 * few, none. */
static inline void
choose_range(struct mlog_range *range)
{
    size_t a = rnd(n_recs), b;

    switch (rnd(4)) {
    case 0:
        range->since = 0;
        range->until = UINT64_MAX;
        return;
    case 1:
        b = rnd(n_recs);
        break;
    case 2:
        b = a + rnd(1000);
        break;
    default:
        b = a + rnd(20);
        break;
    }
    b = MIN(b, n_recs - 1);
    range->since = recs[MIN(a, b)].time;
    range->until = recs[MAX(a, b)].time;
}

static inline bool
rec_matches(const struct rec *rec, const struct mlog_range *range, size_t i)
{
    return (rec->time >= range->since && rec->time <= range->until
            && exprs[i].match(rec));
}

/* A small log of chosen records. */
static inline void
begin_small(void)
{
    create(SIZE_MAX);
    add_ports();
    recs = xcalloc(1000, sizeof *recs);
}

static inline struct mlog_flow_key
tcp_key(uint32_t src, uint16_t tp_src)
{
    struct mlog_flow_key key = {
        .dl_type = 0x800,
        .nw_proto = 6,
        .tp_src = tp_src,
        .tp_dst = 80,
        .has = (MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_PORTS
                | MLOG_HAS_TCP),
    };

    key.src[3] = htonl(0x0a000000 + src);
    key.dst[3] = htonl(0x0a000001);
    return key;
}

static inline void
end_small(void)
{
    mlog_header_log_publish(log_, T0 + 1000000);
    mlog_snapshot_take(log_, &snapshot);
}

static const struct mlog_range everything OVS_UNUSED = { NULL, 0, UINT64_MAX };

static inline struct mlog_groups *
query_groups(const struct mlog_group_spec *spec)
{
    struct mlog_groups *groups;

    cr_assert_eq(mlog_query_groups(&snapshot, &everything, &no_limit, spec,
                                   &groups), 0);
    return groups;
}

#endif /* query-fixture.h */

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


#include <config.h>

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

static uint32_t
rnd(uint32_t n)
{
    static uint64_t state = 88172645463325252ULL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % n;
}

static void
create(size_t budget)
{
    struct mlog_store *store = mlog_store_open(NULL);

    flows = mlog_flow_table_create(store);
    log_ = mlog_header_log_create(flows, store, budget);
}

/* Seals all segments but the open one. */
static void
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

static void
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
    *row = rec->row;
    row->flow = local;
    row->time_port = mlog_row_pack_time_port(ns, rec->row.time_port);
}

/* Some of IPv4 and IPv6, TCP, UDP and ICMP, tagged and not, and ARP. */
static struct mlog_flow_key
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

static void
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

static void
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
static void
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

static struct mlog_expr *
parse(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr = mlog_expr_parse(text, &error);

    cr_assert_not_null(expr, "%s: %s", text, error.message);
    return expr;
}

static const struct mlog_field *
field(const char *name)
{
    const struct mlog_field *f = mlog_field_from_name(name);

    cr_assert_not_null(f, "%s", name);
    return f;
}

/* Expressions, and what they mean. */

static bool
is_ip(const struct rec *r)
{
    return r->key.dl_type == 0x800;
}

static bool
is_tcp(const struct rec *r)
{
    return r->key.dl_type != 0x806 && r->key.nw_proto == 6;
}

static bool match_all(const struct rec *r OVS_UNUSED) { return true; }
static bool match_none(const struct rec *r OVS_UNUSED) { return false; }
static bool match_tcp(const struct rec *r) { return is_tcp(r); }

static bool
match_host(const struct rec *r)
{
    return is_ip(r) && r->key.src[3] == htonl(0x0a000003);
}

static bool
match_big_udp(const struct rec *r)
{
    return (r->key.dl_type != 0x806 && r->key.nw_proto == 17
            && mlog_row_pkt_len(&r->row) > 1000);
}

static bool
match_syn(const struct rec *r)
{
    return is_tcp(r) && (r->row.tcp_flags & 0x12) == 0x02;
}

static bool
match_drop_or_53(const struct rec *r)
{
    return (r->row.reason
            || ((r->key.has & MLOG_HAS_PORTS) && r->key.tp_dst == 53));
}

static bool
match_out(const struct rec *r)
{
    return !r->row.reason && r->row.time_port == 2;
}

static bool
match_vlan(const struct rec *r)
{
    return r->key.vlan_tci[0] && (r->key.vlan_tci[0] & 0xfff) == 11;
}

static bool
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
static void
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

static bool
rec_matches(const struct rec *rec, const struct mlog_range *range, size_t i)
{
    return (rec->time >= range->since && rec->time <= range->until
            && exprs[i].match(rec));
}

static void
check_counts(int rounds)
{
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(exprs); i++) {
            struct mlog_range range = { .expr = parse(exprs[i].text) };
            struct mlog_query_totals totals;
            uint64_t count = 0, bytes = 0;

            choose_range(&range);
            cr_assert_eq(mlog_query_count(&snapshot, &range, &no_limit,
                                          &totals), 0);
            for (size_t j = 0; j < n_recs; j++) {
                if (rec_matches(&recs[j], &range, i)) {
                    count++;
                    bytes += mlog_row_pkt_len(&recs[j].row);
                }
            }
            cr_assert_eq(totals.count, count, "'%s': %"PRIu64" != %"PRIu64,
                         exprs[i].text, totals.count, count);
            cr_assert_eq(totals.bytes, bytes);
            cr_assert_eq(totals.gaps, 0);
            cr_assert_not(totals.expired);
            mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
        }
    }
}

Test(query, counts_of_few_flows)
{
    generate(MLOG_SEGMENT_ROWS * 2 + 12345, 200, 16);
    check_counts(6);
}

/* Mostly, ranges have fewer rows than their segments have flows. */
Test(query, counts_of_many_flows)
{
    generate(150000, 60000, 4000);
    check_counts(12);
}

static void
check_rows(size_t e, size_t limit, bool oldest)
{
    struct mlog_range range = { .expr = parse(exprs[e].text) };
    size_t *expect = xmalloc(n_recs * sizeof *expect);
    struct mlog_query_rows rows;
    size_t n = 0;

    choose_range(&range);
    for (size_t i = 0; i < n_recs; i++) {
        if (rec_matches(&recs[i], &range, e)) {
            expect[n++] = i;
        }
    }
    cr_assert_eq(mlog_query_rows(&snapshot, &range, &no_limit, limit, oldest,
                                 &rows), 0);
    cr_assert_eq(rows.totals.count, n);
    cr_assert_eq(rows.n, MIN(n, limit));
    for (size_t i = 0; i < rows.n; i++) {
        size_t index = expect[oldest ? i : n - rows.n + i];
        struct mlog_record record = mlog_query_record(&rows.rows[i]);

        cr_assert_eq(record.time, recs[index].time);
        cr_assert_arr_eq(record.key, &recs[index].key, sizeof *record.key);
        cr_assert_eq(record.row->tcp_seq, recs[index].row.tcp_seq);
    }
    mlog_query_rows_destroy(&rows);
    free(expect);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
}

Test(query, rows_newest_and_oldest)
{
    static const size_t limits[] = { 1, 2, 100, 1000000 };

    generate(MLOG_SEGMENT_ROWS + 5000, 100, 16);
    for (size_t e = 0; e < ARRAY_SIZE(exprs); e++) {
        for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
            check_rows(e, limits[i], false);
            check_rows(e, limits[i], true);
        }
    }
}

/* Groups. */

/* What a record is grouped by, as text; computed by hand. */
typedef void group_func(const struct rec *, struct ds *);

static void
group_proto(const struct rec *r, struct ds *s)
{
    if (r->key.dl_type == 0x806) {
        ds_put_cstr(s, "-");
    } else {
        ds_put_format(s, "%d", r->key.nw_proto);
    }
}

static void
group_src_dst(const struct rec *r, struct ds *s)
{
    if (is_ip(r)) {
        ds_put_format(s, IP_FMT"|"IP_FMT, IP_ARGS(r->key.src[3]),
                      IP_ARGS(r->key.dst[3]));
    } else {
        ds_put_cstr(s, "-|-");
    }
}

static void
group_proto_ttl(const struct rec *r, struct ds *s)
{
    group_proto(r, s);
    if (r->key.dl_type == 0x806) {
        ds_put_cstr(s, "|-");
    } else {
        ds_put_format(s, "|%d", mlog_row_ttl(&r->row));
    }
}

static void
group_out_port(const struct rec *r, struct ds *s)
{
    if (r->row.reason) {
        ds_put_cstr(s, "-");        /* A dropped packet goes nowhere. */
    } else {
        ds_put_format(s, "p%d", (int) r->row.time_port);
    }
    ds_put_format(s, "|p%d", r->key.in_port);
}

static void
group_none(const struct rec *r OVS_UNUSED, struct ds *s)
{
    ds_put_cstr(s, "");
}

static const struct {
    const char *fields[3];
    group_func *func;
} groupings[] = {
    { { NULL }, group_none },
    { { "nw_proto" }, group_proto },
    { { "nw_src", "nw_dst" }, group_src_dst },
    { { "nw_proto", "nw_ttl" }, group_proto_ttl },
    { { "out_port", "in_port_name" }, group_out_port },
};

struct expected {
    char *key;
    size_t index;               /* Of the first record, while sorting. */
    struct mlog_query_group group;
    uint64_t n_window, sum_window, min_window, max_len;
};

static int
compare_keys(const void *a_, const void *b_)
{
    const struct expected *a = a_, *b = b_;
    return strcmp(a->key, b->key);
}

static int
compare_expected(const void *a_, const void *b_)
{
    const struct expected *a = a_, *b = b_;
    int cmp = strcmp(a->key, b->key);
    return cmp ? cmp : a->index < b->index ? -1 : a->index > b->index;
}

static void
add_expected(struct expected *e, const struct rec *r)
{
    uint32_t len = mlog_row_pkt_len(&r->row);

    if (!e->group.count++) {
        e->group.first = r->time;
    }
    e->group.bytes += len;
    e->group.last = r->time;
    e->max_len = MAX(e->max_len, len);
    if (r->key.has & MLOG_HAS_TCP) {
        if (!e->n_window++ || r->row.tcp_window < e->min_window) {
            e->min_window = r->row.tcp_window;
        }
        e->sum_window += r->row.tcp_window;
    }
}

/* The groups in order of their keys. */
static size_t
expect_groups(group_func *func, const struct mlog_range *range, size_t e,
              struct expected **expected)
{
    struct expected *all = xcalloc(n_recs + 1, sizeof *all);
    size_t n = 0, n_groups = 0;

    for (size_t i = 0; i < n_recs; i++) {
        if (rec_matches(&recs[i], range, e)) {
            struct ds key = DS_EMPTY_INITIALIZER;

            func(&recs[i], &key);
            all[n].key = xstrdup(ds_cstr(&key));
            all[n++].index = i;
            ds_destroy(&key);
        }
    }
    qsort(all, n, sizeof *all, compare_expected);
    for (size_t i = 0; i < n; i++) {
        struct expected x = all[i];

        if (n_groups && !strcmp(all[n_groups - 1].key, x.key)) {
            free(x.key);
        } else {
            all[n_groups++] = (struct expected) { .key = x.key };
        }
        add_expected(&all[n_groups - 1], &recs[x.index]);
    }
    *expected = all;
    return n_groups;
}

static char *
group_key(const struct mlog_groups *groups, const struct mlog_group_spec *spec,
          uint32_t id)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < spec->n_fields; i++) {
        struct mlog_value value;

        ds_put_cstr(&s, i ? "|" : "");
        if (mlog_groups_field(groups, id, i, &value)) {
            mlog_field_format(spec->fields[i], &value, &s);
        } else {
            ds_put_char(&s, '-');
        }
    }
    ds_put_cstr(&s, "");
    return ds_steal_cstr(&s);
}

static uint64_t
aggregate(const struct mlog_groups *groups, uint32_t id, size_t i,
          uint64_t *n)
{
    struct mlog_value value;

    return mlog_groups_aggregate(groups, id, i, &value, n) ? value.lo : 0;
}

static void
check_group(const struct mlog_groups *groups, uint32_t id,
            const struct expected *e)
{
    const struct mlog_query_group *g = mlog_groups_get(groups, id);
    uint64_t n;

    cr_assert_eq(g->count, e->group.count, "%s", e->key);
    cr_assert_eq(g->bytes, e->group.bytes);
    cr_assert_eq(g->first, e->group.first);
    cr_assert_eq(g->last, e->group.last);
    cr_assert_eq(aggregate(groups, id, 0, &n), e->group.count);
    cr_assert_eq(aggregate(groups, id, 1, &n), e->sum_window);
    cr_assert_eq(n, e->n_window);
    cr_assert_eq(aggregate(groups, id, 2, &n), e->min_window);
    cr_assert_eq(aggregate(groups, id, 3, &n), e->max_len);
    cr_assert_eq(aggregate(groups, id, 4, &n), e->n_window);
    cr_assert_eq(aggregate(groups, id, 5, &n), e->group.last);
    cr_assert_eq(aggregate(groups, id, 6, &n), e->sum_window);
}

static void
use_aggregates(struct mlog_group_spec *spec)
{
    const struct mlog_query_aggregate aggregates[] = {
        { MLOG_QF_COUNT, NULL },
        { MLOG_QF_SUM, field("tcp_window") },
        { MLOG_QF_MIN, field("tcp_window") },
        { MLOG_QF_MAX, field("pkt_len") },
        { MLOG_QF_COUNT, field("tcp_window") },
        { MLOG_QF_MAX, field("time") },
        { MLOG_QF_AVG, field("tcp_window") },
    };

    memcpy(spec->aggregates, aggregates, sizeof aggregates);
    spec->n_aggregates = ARRAY_SIZE(aggregates);
}

static const struct expected *
find_expected(const struct expected *expected, size_t n, char *key)
{
    const struct expected target = { .key = key };

    return bsearch(&target, expected, n, sizeof *expected, compare_keys);
}

static void
check_groups(size_t g, size_t e)
{
    struct mlog_range range = { .expr = parse(exprs[e].text) };
    struct mlog_group_spec spec = { .n_fields = 0 };
    struct expected *expected;
    struct mlog_groups *groups;
    uint64_t previous = UINT64_MAX;
    size_t n;

    for (; spec.n_fields < 3 && groupings[g].fields[spec.n_fields];
         spec.n_fields++) {
        spec.fields[spec.n_fields]
            = field(groupings[g].fields[spec.n_fields]);
    }
    use_aggregates(&spec);
    choose_range(&range);
    n = expect_groups(groupings[g].func, &range, e, &expected);
    cr_assert_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), 0);
    if (!n && !spec.n_fields) {
        cr_assert_eq(mlog_groups_count(groups), 1);
        cr_assert_eq(mlog_groups_totals(groups)->count, 0);
    } else {
        cr_assert_eq(mlog_groups_count(groups), n);
    }

    uint32_t *ids = mlog_groups_top(groups, MLOG_GROUPS_BY_COUNT, n);
    for (size_t i = 0; i < n; i++) {
        char *key = group_key(groups, &spec, ids[i]);
        const struct expected *x = find_expected(expected, n, key);

        cr_assert_not_null(x, "group '%s' was invented", key);
        check_group(groups, ids[i], x);
        cr_assert_leq(x->group.count, previous, "groups are out of order");
        previous = x->group.count;
        free(key);
    }
    free(ids);
    for (size_t i = 0; i < n; i++) {
        free(expected[i].key);
    }
    free(expected);
    mlog_groups_destroy(groups);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
}

Test(query, groups_and_aggregates)
{
    generate(60000, 300, 12);
    for (size_t g = 0; g < ARRAY_SIZE(groupings); g++) {
        for (size_t e = 0; e < ARRAY_SIZE(exprs); e++) {
            check_groups(g, e);
        }
    }
}

/* A small log of chosen records. */
static void
begin_small(void)
{
    create(SIZE_MAX);
    add_ports();
    recs = xcalloc(1000, sizeof *recs);
}

static struct mlog_flow_key
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

static void
end_small(void)
{
    mlog_header_log_publish(log_, T0 + 1000000);
    mlog_snapshot_take(log_, &snapshot);
}

static const struct mlog_range everything = { NULL, 0, UINT64_MAX };

static struct mlog_groups *
query_groups(const struct mlog_group_spec *spec)
{
    struct mlog_groups *groups;

    cr_assert_eq(mlog_query_groups(&snapshot, &everything, &no_limit, spec,
                                   &groups), 0);
    return groups;
}

/* MAC addresses, priorities, fragment bits and a cut-off TCP header don't
 * split a flow; ports, VLANs and the ingress port do. */
Test(query, what_makes_a_flow)
{
    struct mlog_group_spec spec = { .by_flow = true };
    struct mlog_flow_key key;

    begin_small();
    key = tcp_key(1, 1000);
    add_rec(&key, T0);
    key.dl_src.ea[0] = 2;
    add_rec(&key, T0 + 1);
    key.nw_frag = MLOG_FRAG_ANY;
    add_rec(&key, T0 + 2);
    key.has &= ~MLOG_HAS_TCP;
    add_rec(&key, T0 + 3);
    key.vlan_tci[0] = MLOG_VLAN_PRESENT | 5;
    add_rec(&key, T0 + 4);
    key.vlan_tci[0] |= 7 << 13;
    add_rec(&key, T0 + 5);
    key.in_port = 1;
    add_rec(&key, T0 + 6);
    key.tp_src++;
    add_rec(&key, T0 + 7);
    end_small();

    struct mlog_groups *groups = query_groups(&spec);
    cr_assert_eq(mlog_groups_count(groups), 4);
    uint32_t *ids = mlog_groups_top(groups, MLOG_GROUPS_BY_COUNT, 4);
    const struct mlog_query_group *first = mlog_groups_get(groups, ids[0]);
    cr_expect_eq(first->count, 4);
    cr_expect_eq(first->first, T0);
    cr_expect_eq(first->last, T0 + 3);
    cr_expect_eq(mlog_groups_get(groups, ids[1])->count, 2);

    struct mlog_record record;
    struct mlog_flow_key found;
    mlog_groups_flow(groups, ids[0], &found, &record);
    cr_expect_eq(record.flow_id, mlog_flow_id(&recs[0].key));
    cr_expect_eq(found.tp_src, 1000);
    cr_expect_eq(found.in_port, 0);
    free(ids);
    mlog_groups_destroy(groups);
}

/* A port that went and came back under its name is one port to the user. */
Test(query, a_port_that_came_back)
{
    struct mlog_group_spec by_flow = { .by_flow = true };
    struct mlog_group_spec by_port = {
        .fields = { field("in_port_name") }, .n_fields = 1,
    };
    struct mlog_flow_key key = tcp_key(1, 1);
    unsigned int dp;

    begin_small();
    add_rec(&key, T0);
    dp = mlog_ports_datapath("dp");
    mlog_ports_del(dp, 0);
    mlog_ports_add(dp, 9, "p0");
    key.in_port = mlog_ports_lookup(dp, 9);
    cr_assert_neq(key.in_port, 0);
    add_rec(&key, T0 + 1);
    end_small();

    struct mlog_groups *groups = query_groups(&by_flow);
    cr_expect_eq(mlog_groups_count(groups), 1);
    mlog_groups_destroy(groups);
    groups = query_groups(&by_port);
    cr_expect_eq(mlog_groups_count(groups), 1);
    mlog_groups_destroy(groups);
}

/* Equal counts are ordered by the fields; groups without a value are last. */
Test(query, order_of_groups)
{
    struct mlog_group_spec spec = {
        .fields = { field("nw_src") }, .n_fields = 1,
        .aggregates = { { MLOG_QF_AVG, field("tcp_window") } },
        .n_aggregates = 1,
    };
    struct mlog_flow_key arp = { .dl_type = 0x806, .nw_proto = 1,
                                 .has = MLOG_HAS_ETH | MLOG_HAS_ARP };
    static const uint16_t windows[] = { 10, 20, 300, 25 };
    static const uint32_t sources[] = { 9, 9, 3, 5 };
    static const uint32_t by_avg[] = { 3, 5, 9 };
    static const uint32_t by_count[] = { 9, 3, 5 };
    uint32_t *ids;

    begin_small();
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        struct rec rec = {
            .key = tcp_key(sources[i], i),
            .time = T0 + i,
            .row = { .len_ttl = 100 << 8, .tcp_window = windows[i] },
        };
        append(&rec);
    }
    append(&(struct rec) { .key = arp, .time = T0 + 9 });
    end_small();

    struct mlog_groups *groups = query_groups(&spec);
    cr_assert_eq(mlog_groups_count(groups), 4);
    ids = mlog_groups_top(groups, 0, 4);
    for (size_t i = 0; i < 4; i++) {
        struct mlog_value value;
        bool has = mlog_groups_field(groups, ids[i], 0, &value);

        cr_expect_eq(has, i < 3);
        cr_expect_eq(value.lo, has ? 0x0a000000 + by_avg[i] : 0);
    }
    free(ids);
    ids = mlog_groups_top(groups, MLOG_GROUPS_BY_COUNT, 3);
    for (size_t i = 0; i < 3; i++) {
        struct mlog_value value;

        cr_assert(mlog_groups_field(groups, ids[i], 0, &value));
        cr_expect_eq(value.lo, 0x0a000000 + by_count[i]);
    }
    free(ids);
    mlog_groups_destroy(groups);
}

Test(query, too_many_groups)
{
    struct mlog_group_spec spec = {
        .fields = { field("time") }, .n_fields = 1,
    };
    struct mlog_groups *groups;
    struct mlog_flow_key key = tcp_key(1, 1);
    struct rec rec = { .key = key };

    create(SIZE_MAX);
    for (size_t i = 0; i <= MLOG_QUERY_MAX_GROUPS; i++) {
        rec.time = T0 + i;
        append(&rec);
        if (i == MLOG_QUERY_MAX_GROUPS - 1) {
            mlog_header_log_publish(log_, rec.time);
            mlog_snapshot_take(log_, &snapshot);
            groups = query_groups(&spec);
            cr_expect_eq(mlog_groups_count(groups), MLOG_QUERY_MAX_GROUPS);
            mlog_groups_destroy(groups);
            mlog_snapshot_release(&snapshot);
        }
    }
    mlog_header_log_publish(log_, rec.time);
    mlog_snapshot_take(log_, &snapshot);
    cr_expect_eq(mlog_query_groups(&snapshot, &everything, &no_limit, &spec,
                                   &groups), E2BIG);
    cr_expect_null(groups);

    /* Memory is bounded too. */
    spec.fields[spec.n_fields++] = field("tcp_seq");
    use_aggregates(&spec);
    while (spec.n_aggregates < MLOG_QUERY_MAX_AGGREGATES) {
        spec.aggregates[spec.n_aggregates++] = spec.aggregates[0];
    }
    struct mlog_range range = {
        NULL, 0, T0 + MLOG_QUERY_MAX_GROUPS * 2 / 3,
    };
    cr_expect_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), E2BIG);
    range.until = T0 + MLOG_QUERY_MAX_GROUPS / 2;
    cr_expect_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), 0);
    mlog_groups_destroy(groups);
}

Test(query, budget)
{
    struct mlog_group_spec spec = { .by_flow = true };
    struct mlog_query_totals totals;
    struct mlog_query_rows rows;
    struct mlog_groups *groups;
    atomic_bool cancel = ATOMIC_VAR_INIT(true);
    struct mlog_budget late = { .deadline = time_msec() - 1 };
    struct mlog_budget cancelled = { LLONG_MAX, &cancel };

    generate(5000, 10, 4);
    cr_expect_eq(mlog_query_count(&snapshot, &everything, &late, &totals),
                 ETIMEDOUT);
    cr_expect_eq(mlog_query_rows(&snapshot, &everything, &late, 10, false,
                                 &rows), ETIMEDOUT);
    cr_expect_null(rows.rows);
    cr_expect_eq(mlog_query_groups(&snapshot, &everything, &late, &spec,
                                   &groups), ETIMEDOUT);
    cr_expect_eq(mlog_query_count(&snapshot, &everything, &cancelled,
                                  &totals), ECANCELED);
    atomic_store_relaxed(&cancel, false);
    cr_expect_eq(mlog_query_count(&snapshot, &everything, &cancelled,
                                  &totals), 0);
    cr_expect_eq(totals.count, 5000);
}

static struct mlog_query_totals
count_range(uint64_t since, uint64_t until, const char *text)
{
    struct mlog_range range = { parse(text), since, until };
    struct mlog_query_totals totals;

    cr_assert_eq(mlog_query_count(&snapshot, &range, &no_limit, &totals), 0);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
    return totals;
}

/* An answer tells of records that are missing within its range, and only of
 * those; the expression may narrow the range as well. */
Test(query, gaps_in_the_range)
{
    struct mlog_flow_key key = tcp_key(1, 1);

    begin_small();
    for (size_t i = 0; i < 100; i++) {
        add_rec(&key, T0 + i * 100000000);
    }
    mlog_header_log_add_gap(log_, &(struct mlog_gap) {
        .from = T0 + 1000000000, .to = T0 + 1100000000, .count = 7 });
    mlog_header_log_add_gap(log_, &(struct mlog_gap) {
        .from = T0 + 5000000000, .to = T0 + 5100000000, .count = 11 });
    mlog_header_log_publish(log_, T0 + 10000000000);
    mlog_snapshot_take(log_, &snapshot);

    cr_expect_eq(count_range(0, UINT64_MAX, "").gaps, 18);
    cr_expect_eq(count_range(T0 + 2000000000, UINT64_MAX, "").gaps, 11);
    cr_expect_eq(count_range(0, T0 + 2000000000, "").gaps, 7);
    cr_expect_eq(count_range(0, T0 + 999999999, "").gaps, 0);
    cr_expect_eq(count_range(0, UINT64_MAX, "time >= 1700000002").gaps, 11);
    cr_expect_eq(count_range(0, UINT64_MAX, "time >= 1700000002").count, 80);
    cr_expect_eq(count_range(0, UINT64_MAX,
                             "time > 1700000002 && time < 1700000001").count,
                 0);
}

Test(query, expired_rows)
{
    struct mlog_flow_key key = tcp_key(1, 1);
    struct rec rec = { .key = key };
    size_t n = 10 * MLOG_SEGMENT_ROWS;

    create(4 * MLOG_SEGMENT_ROWS * sizeof(struct mlog_row));
    for (size_t i = 0; i < n; i++) {
        rec.time = T0 + i;
        append(&rec);
    }
    mlog_header_log_publish(log_, rec.time);
    mlog_snapshot_take(log_, &snapshot);
    cr_assert_gt(snapshot.n_expired, 0);

    struct mlog_query_totals totals = count_range(0, UINT64_MAX, "");
    cr_expect(totals.expired);
    cr_expect_eq(totals.count + snapshot.n_expired, n);
    totals = count_range(snapshot.expired_until, UINT64_MAX, "");
    cr_expect(totals.expired);
    totals = count_range(snapshot.expired_until + 1, UINT64_MAX, "");
    cr_expect_not(totals.expired);
    cr_expect_eq(totals.count + snapshot.n_expired, n);
}

Test(query, nothing_there)
{
    struct mlog_group_spec spec = { .by_flow = true };
    struct mlog_query_rows rows;
    struct mlog_groups *groups;

    create(SIZE_MAX);
    mlog_snapshot_take(log_, &snapshot);
    cr_expect_eq(count_range(0, UINT64_MAX, "tcp").count, 0);
    cr_expect_eq(mlog_query_rows(&snapshot, &everything, &no_limit, 10, false,
                                 &rows), 0);
    cr_expect_eq(rows.n, 0);
    mlog_query_rows_destroy(&rows);
    groups = query_groups(&spec);
    cr_expect_eq(mlog_groups_count(groups), 0);
    free(mlog_groups_top(groups, MLOG_GROUPS_BY_BYTES, 0));
    mlog_groups_destroy(groups);
}

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

#include "query-fixture.h"

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
        { MLOG_QF_COUNT, NULL, 0 },
        { MLOG_QF_SUM, field("tcp_window"), 0 },
        { MLOG_QF_MIN, field("tcp_window"), 0 },
        { MLOG_QF_MAX, field("pkt_len"), 0 },
        { MLOG_QF_COUNT, field("tcp_window"), 0 },
        { MLOG_QF_MAX, field("time"), 0 },
        { MLOG_QF_AVG, field("tcp_window"), 0 },
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
        .aggregates = { { MLOG_QF_AVG, field("tcp_window"), 0 } },
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
    range.until = T0 + MLOG_QUERY_MAX_GROUPS * 2 / 5;
    cr_expect_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), 0);
    mlog_groups_destroy(groups);
}

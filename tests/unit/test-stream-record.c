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

#include "stream-fixture.h"

/* Every way that a record can take to filters and groups gives the same: with
 * and without class, with and without accumulator, waiting or not. */

TestSuite(stream_record, .init = setup_stream, .fini = teardown_stream);

#define N_BITS 16               /* Filters that test one bit of 'tp_src'. */
#define N_ALWAYS 9              /* Filters that always match. */
#define N_LENGTHS 2             /* Filters that depend on the row. */
#define N_FILTERS (N_BITS + N_ALWAYS + N_LENGTHS)
#define N_GROUPS 16

/* What each filter has seen, in all and by group. */
struct expected {
    uint64_t packets, bytes;
    uint64_t by_port[N_GROUPS];         /* Packets. */
    uint64_t len_by_port[N_GROUPS];     /* Sum of lengths. */
    uint64_t ttl_by_port[N_GROUPS];     /* Maximum of 'nw_ttl'. */
    uint64_t by_ttl[N_GROUPS];          /* Packets. */
};
static struct expected expected[N_FILTERS];

static bool
filter_matches(size_t filter, uint16_t tp_src, uint32_t len)
{
    return (filter < N_BITS ? tp_src >> filter & 1
            : filter < N_BITS + N_ALWAYS || len > 500 * (filter % 2));
}

static void
add_filters(void)
{
    for (size_t i = 0; i < N_FILTERS; i++) {
        char *s;

        if (i < N_BITS) {
            s = xasprintf("f%"PRIuSIZE";tp_src == %#x/%#x", i, 1 << i,
                          1 << i);
        } else if (i < N_BITS + N_ALWAYS) {
            s = xasprintf("f%"PRIuSIZE";udp", i);
        } else {
            s = xasprintf("f%"PRIuSIZE";udp && pkt_len > %"PRIuSIZE, i,
                          500 * (i % 2));
        }
        add_filter(s);
        free(s);
    }
}

static void
add_aggregates(size_t filter)
{
    static const char *const kinds[] = {
        "n%"PRIuSIZE";f%"PRIuSIZE";count;window=1h;group-by=tp_dst",
        "len%"PRIuSIZE";f%"PRIuSIZE";sum(pkt_len);window=1h;group-by=tp_dst",
        "ttl%"PRIuSIZE";f%"PRIuSIZE";max(nw_ttl);window=1h;group-by=tp_dst",
        "row%"PRIuSIZE";f%"PRIuSIZE";count;window=1h;group-by=nw_ttl",
        "all%"PRIuSIZE";f%"PRIuSIZE";sum(pkt_len);window=1h",
        "max%"PRIuSIZE";f%"PRIuSIZE";max(nw_ttl);window=1h",
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char *s = xasprintf(kinds[i], filter, filter);

        add_aggregate(s);
        free(s);
    }
}

/* Feeds a packet of flow 'i'. */
static void
feed_flow(uint32_t i, uint64_t time)
{
    uint16_t tp_src = i * 40503;
    uint32_t port = i % N_GROUPS, ttl = random_range(N_GROUPS);
    uint32_t len = 60 + random_range(1000);
    struct mlog_flow_key key = {
        .src = { 0, 0, 0, htonl(i) }, .dst = V4_DST, .dl_type = ETH_TYPE_IP,
        .nw_proto = 17, .tp_src = tp_src, .tp_dst = port, .in_port = P0,
        .has = HAS_L4 | MLOG_HAS_PORTS,
    };
    struct mlog_row row = { ROW(len, ttl, P1) };

    feed(&(struct mlog_record) { .key = &key, .row = &row, .time = time });
    for (size_t f = 0; f < N_FILTERS; f++) {
        if (filter_matches(f, tp_src, len)) {
            expected[f].packets++;
            expected[f].bytes += len;
            expected[f].by_port[port]++;
            expected[f].len_by_port[port] += len;
            expected[f].ttl_by_port[port] = MAX(expected[f].ttl_by_port[port],
                                                ttl);
            expected[f].by_ttl[ttl]++;
        }
    }
}

static void
check_groups(const char *name, size_t filter,
             const uint64_t values[N_GROUPS])
{
    char *s = xasprintf("%s%"PRIuSIZE, name, filter);
    struct mlog_aggregate_view view = show(s);
    size_t n = 0;

    for (size_t i = 0; i < N_GROUPS; i++) {
        n += expected[filter].by_port[i] > 0;
    }
    cr_assert(view.n_groups == n || !strcmp(name, "row"), "%s", s);
    for (size_t i = 0; i < view.n_groups; i++) {
        const struct mlog_group_info *group = &view.groups[i];

        cr_assert_eq(group->value.integer, values[group->key.values[0].lo],
                     "%s: %"PRIu64, s, group->key.values[0].lo);
    }
    mlog_aggregate_view_destroy(&view);
    free(s);
}

static void
check_filters(void)
{
    struct mlog_filter_info *info;

    run_deferred();
    cr_assert_eq(mlog_stream_get_filters(stream, &info), N_FILTERS);
    for (size_t f = 0; f < N_FILTERS; f++) {
        cr_assert_eq(info[f].n_packets, expected[f].packets, "%"PRIuSIZE, f);
        cr_assert_eq(info[f].n_bytes, expected[f].bytes);
    }
    free(info);
}

static void
check_aggregates(size_t filter)
{
    char *s = xasprintf("all%"PRIuSIZE, filter);

    cr_assert_eq(value_of(s), expected[filter].bytes);
    free(s);
    check_groups("n", filter, expected[filter].by_port);
    check_groups("len", filter, expected[filter].len_by_port);
    check_groups("ttl", filter, expected[filter].ttl_by_port);
    check_groups("row", filter, expected[filter].by_ttl);
}

static size_t max_classes;      /* Seen by run(). */
static bool lanes_change;       /* In run(). */

/* 'n_records' of 'n_flows' flows, 'step' ns apart. */
static void
run(size_t n_flows, size_t n_records, uint64_t step)
{
    static const size_t with_aggregates[] = { 0, 7, 15, N_BITS, N_BITS + 3,
                                              N_FILTERS - 2, N_FILTERS - 1 };

    add_filters();
    for (size_t i = 0; i < ARRAY_SIZE(with_aggregates); i++) {
        add_aggregates(with_aggregates[i]);
    }
    for (size_t i = 0, time = now; i < n_records; i++) {
        time += step;
        feed_flow(random_range(n_flows), time);
        if (random_range(1000) == 0) {
            struct mlog_stream_stats stats;

            mlog_stream_get_stats(stream, &stats);
            max_classes = MAX(max_classes, stats.n_classes);
            tick_at(time);
            if (lanes_change) {
                set_lanes(1 + random_range(MLOG_MAX_LANES));
            }
        }
        if (random_range(n_records / 5) == 0) {
            check_filters();
        }
    }
    tick_at(now + S);
    check_filters();
    for (size_t i = 0; i < ARRAY_SIZE(with_aggregates); i++) {
        check_aggregates(with_aggregates[i]);
    }
}

/* Flows stay, and each has an accumulator. */
Test(stream_record, few_flows)
{
    run(200, 100000, 100);
}

/* One flow's records come one after the other. */
Test(stream_record, one_flow)
{
    run(1, 50000, 100);
}

/* Flows displace each other: in the flow table, and accumulators, whose number
 * grows. */
Test(stream_record, flows_displace_each_other)
{
    run(20000, 200000, 100);
}

/* More classes than there may be, and they are renewed from time to time.
 * Flows have up to 27 filters, which is more than an accumulator without class
 * has room for. */
Test(stream_record, too_many_classes)
{
    uint32_t generation = mlog_stream_generation(stream);

    n_feed_flows = MAX_FEED_FLOWS;
    run(60000, 300000, 20000);
    cr_expect_gt(max_classes, 10000);
    cr_expect_lt(max_classes, 16384);
    cr_expect_gt(mlog_stream_generation(stream),
                 generation + N_FILTERS + 3);
}

/* The same on several lanes, each of which gets records as the others do, or
 * sooner or later than they. */
Test(stream_record, lanes)
{
    set_lanes(3);
    run(5000, 100000, 100);
}

Test(stream_record, lanes_on_their_own)
{
    set_lanes(4);
    defer_max = 200;
    run(5000, 100000, 100);
}

Test(stream_record, lanes_come_and_go)
{
    lanes_change = true;
    defer_max = 50;
    run(5000, 100000, 100);
}

Test(stream_record, lanes_without_classes)
{
    n_feed_flows = MAX_FEED_FLOWS;
    set_lanes(3);
    defer_max = 100;
    run(60000, 200000, 20000);
    cr_expect_gt(max_classes, 10000);
}

/* Flows of one class that take turns in one place. */
static void
take_turns(void)
{
    n_feed_flows = 1;
    add_filter("f;udp");
    add_filter("g;udp && pkt_len > 50");
    add_aggregate("a;f;count;window=10s;group-by=nw_src");
    add_aggregate("b;g;count;window=10s;group-by=tp_src");
    for (int i = 0; i < 100; i++) {
        for (int n = 0; n < 20; n++) {
            feed_udp(n / 2 % 5, n / 2 % 5, 100, now + 1);
        }
        run_ms(1);
    }

    struct mlog_aggregate_view a = show("a"), b = show("b");
    cr_assert_eq(a.n_groups, 5);
    cr_assert_eq(b.n_groups, 5);
    for (int n = 0; n < 5; n++) {
        cr_assert_eq(a.groups[n].value.integer, 400);
        cr_assert_eq(b.groups[n].value.integer, 400);
    }
    mlog_aggregate_view_destroy(&a);
    mlog_aggregate_view_destroy(&b);
}

Test(stream_record, flows_take_turns)
{
    take_turns();
}

Test(stream_record, flows_take_turns_in_lanes)
{
    set_lanes(2);
    defer_max = 60;
    take_turns();
}

/* Memory for accumulators is bounded, whatever there is of flows. */
Test(stream_record, memory_is_bounded)
{
    struct mlog_stream_stats stats;

    add_filter("f;udp");
    add_aggregate("a;f;count;window=1h;group-by=tp_dst");
    n_feed_flows = MAX_FEED_FLOWS;
    for (int round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < MAX_FEED_FLOWS; i++) {
            feed_udp(random_range(1 << 24), 1, 100, now + 1);
        }
        run_ms(1);
    }
    mlog_stream_get_stats(stream, &stats);
    cr_expect_lt(stats.memory, 96 << 20);
}

/* Aggregates come and go while flows have accumulators. */
Test(stream_record, aggregates_come_and_go)
{
    add_filter("f;udp");
    add_filter("g;udp && pkt_len > 50");
    for (int i = 0; i < 300; i++) {
        for (int n = 0; n < 50; n++) {
            feed_udp(n % 10, 1, 100, now + 1);
        }
        add_aggregate("a;f;count;window=10s;group-by=nw_src");
        add_aggregate("b;g;count;window=10s;group-by=nw_src,tp_src");
        for (int n = 0; n < 50; n++) {
            feed_udp(n % 10, 1, 100, now + 1);
        }
        run_ms(1);

        struct mlog_aggregate_view a = show("a"), b = show("b");
        cr_assert_eq(a.n_groups, 10);
        cr_assert_eq(b.n_groups, 10);
        for (int n = 0; n < 10; n++) {
            cr_assert_eq(a.groups[n].value.integer, 5);
            cr_assert_eq(b.groups[n].value.integer, 5);
        }
        mlog_aggregate_view_destroy(&a);
        mlog_aggregate_view_destroy(&b);
        must_del(mlog_stream_del_aggregate, "a");
        if (i % 2) {
            for (int n = 0; n < 50; n++) {
                feed_udp(n % 10, 1, 100, now + 1);
            }
        }
        must_del(mlog_stream_del_aggregate, "b");
    }
}

/* Groups that are gone and come again, in the same memory, while flows still
 * refer to them. */
Test(stream_record, groups_come_and_go)
{
    add_filter("f;udp");
    add_aggregate("a;f;count;window=2ms;group-by=nw_src");
    add_aggregate("b;f;count;window=2ms;group-by=tp_src");
    for (int i = 0; i < 5000; i++) {
        int host = random_range(40);

        for (int n = 0; n < 5; n++) {
            feed_udp(host, host % 7, 100, now + 1 + n);
        }
        run_ms(1);

        struct mlog_aggregate_view view = show("a");
        bool found = false;
        for (size_t g = 0; g < view.n_groups; g++) {
            found |= (view.groups[g].key.values[0].lo == 0x0a000000 + host
                      && view.groups[g].value.integer >= 5);
        }
        cr_assert(found);
        mlog_aggregate_view_destroy(&view);
        if (i % 10 == 0) {
            run_ms(random_range(6));
        }
    }
}

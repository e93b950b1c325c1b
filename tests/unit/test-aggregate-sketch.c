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

#include <math.h>
#include <stdlib.h>

#include "stream-fixture.h"

#include "mlog-aggregate.h"
#include "mlog-sketch-quantile.h"
#include "mlog-window.h"

/* distinct, percentiles and topk of windows that move, compared with those of
 * a loop over all records. */

/* With hashes that are always the same. */
static void
setup(void)
{
    static const struct mlog_sketch_seed seed = { { 1, 2 } };

    mlog_sketch_set_local_seed(&seed);
    setup_stream();
}

TestSuite(sketches, .init = setup, .fini = teardown_stream);

/* The model. */

struct model_record {
    uint64_t time;
    uint32_t host;
    uint32_t port;
    uint32_t len;
};

#define MAX_RECORDS (1 << 20)
static struct model_record records[MAX_RECORDS];
static size_t n_records;

static void
model_feed(uint32_t host, uint32_t port, uint32_t len, uint64_t time)
{
    cr_assert(n_records < MAX_RECORDS);
    records[n_records++] = (struct model_record) { time, host, port, len };
    feed_udp(host, port, len, time);
}

static uint64_t
model_since(uint64_t window)
{
    uint64_t n_panes = MIN(window / MS, 32);
    uint64_t width = window / n_panes;
    uint64_t pane = now / width;

    return pane < n_panes ? 0 : (pane - n_panes) * width;
}

enum field { HOST, PORT, LEN, NOTHING };

static uint32_t
get(const struct model_record *r, enum field field)
{
    return (field == HOST ? 0x0a000000 + r->host : field == PORT ? r->port
            : field == LEN ? r->len : 0);
}

/* The values of 'field', ascending, of records whose 'by' is 'key'. */
static size_t
model_values(enum field field, enum field by, uint32_t key, uint64_t window,
             uint32_t values[])
{
    size_t n = 0;

    for (size_t i = n_records;
         i-- > 0 && records[i].time >= model_since(window); ) {
        if (get(&records[i], by) == key) {
            values[n++] = get(&records[i], field);
        }
    }
    return n;
}

static int
compare_u32(const void *a_, const void *b_)
{
    uint32_t a = *(const uint32_t *) a_, b = *(const uint32_t *) b_;

    return a < b ? -1 : a > b;
}

static size_t
count_distinct(uint32_t values[], size_t n)
{
    size_t distinct = 0;

    qsort(values, n, sizeof *values, compare_u32);
    for (size_t i = 0; i < n; i++) {
        distinct += !i || values[i] != values[i - 1];
    }
    return distinct;
}

static size_t
count_value(const uint32_t values[], size_t n, uint32_t value)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        count += values[i] == value;
    }
    return count;
}

static void
check_topk_group(const struct mlog_group_info *group, uint32_t values[],
                 size_t n, uint32_t k)
{
    size_t distinct = count_distinct(values, n);
    uint64_t last = UINT64_MAX;

    cr_assert_eq(group->value.integer, n);
    cr_assert_eq(group->n_items, MIN(distinct, k));
    for (size_t i = 0; i < group->n_items; i++) {
        const struct mlog_topk_item *item = &group->items[i];

        cr_assert_eq(item->error, 0);
        cr_assert_eq(item->count, count_value(values, n, item->value.lo));
        cr_assert_leq(item->count, last);
        last = item->count;
    }

    /* No other one is more frequent. */
    for (size_t i = 0; i < n; i++) {
        bool listed = false;

        for (size_t j = 0; j < group->n_items; j++) {
            listed |= group->items[j].value.lo == values[i];
        }
        cr_assert(listed || count_value(values, n, values[i]) <= last);
    }
}

static void
check_group(const struct mlog_aggregate_def *def,
            const struct mlog_group_info *group, uint32_t values[], size_t n)
{
    size_t distinct = count_distinct(values, n);

    if (def->func == MLOG_FUNC_DISTINCT) {
        cr_assert_eq(group->value.integer, distinct, "%s: %"PRIu64", not "
                     "%"PRIuSIZE, def->name, group->value.integer, distinct);
        cr_assert_eq(group->value.error, 0);
    } else if (def->func == MLOG_FUNC_TOPK) {
        check_topk_group(group, values, n, def->k);
    } else {
        cr_assert_eq(group->value.present, n > 0);
        if (n) {
            uint32_t right = values[mlog_quantile_rank(n, def->millionths)
                                    - 1];

            cr_assert(fabs(group->value.real - right)
                      <= group->value.error * right, "%s: %g, not %"PRIu32,
                      def->name, group->value.real, right);
        }
    }
}

static const struct {
    const char *func;
    enum field field;
} funcs[] = {
    { "distinct(nw_src)", HOST },       /* Once per flow, */
    { "distinct(tp_src)", PORT },
    { "distinct(pkt_len)", LEN },       /* for each record. */
    { "p50(pkt_len)", LEN },
    { "p99(pkt_len)", LEN },
    { "p0(pkt_len)", LEN },
    { "p100(pkt_len)", LEN },
    { "topk(tp_src,3)", PORT },
    { "topk(nw_src)", HOST },
    { "topk(pkt_len,2)", LEN },
};
static const char *const windows[] = { "1ms", "7ms", "100ms", "1s", "60s" };
static const struct {
    const char *option;
    enum field by;
} groupings[] = {
    { "", NOTHING },
    { ";group-by=nw_src", HOST },
    { ";group-by=tp_src", PORT },
    { ";group-by=pkt_len", LEN },
};

static void
check_aggregate(const char *name, enum field field, enum field by)
{
    static uint32_t values[MAX_RECORDS];
    struct mlog_aggregate_view view = show(name);
    uint64_t window = view.def->window;
    size_t sum = 0;

    for (size_t i = 0; i < view.n_groups; i++) {
        const struct mlog_group_info *group = &view.groups[i];
        size_t n = model_values(field, by, group->key.values[0].lo, window,
                                values);

        check_group(view.def, group, values, n);
        sum += n;
    }
    cr_assert_eq(sum, model_values(field, NOTHING, 0, window, values));
    mlog_aggregate_view_destroy(&view);
}

static void
add_all_kinds(const char *filter)
{
    for (size_t f = 0; f < ARRAY_SIZE(funcs); f++) {
        for (size_t w = 0; w < ARRAY_SIZE(windows); w++) {
            for (size_t g = 0; g < ARRAY_SIZE(groupings); g++) {
                char *s;

                s = xasprintf("%s%"PRIuSIZE"-%"PRIuSIZE"-%"PRIuSIZE";%s;%s"
                              ";window=%s%s", filter, f, w, g, filter,
                              funcs[f].func, windows[w], groupings[g].option);
                add_aggregate(s);
                free(s);
            }
        }
    }
}

/* Runs of records with pauses of all lengths.  Half of the aggregates have a
 * filter that depends on the row. */
static void
compare_with_model(void)
{
    char name[32];

    add_filter("flow;udp");
    add_filter("row;udp && pkt_len > 0");
    add_all_kinds("flow");
    add_all_kinds("row");
    for (int step = 0; step < 300; step++) {
        uint32_t pause_kind = random_range(20);
        uint64_t time = now + (pause_kind == 0 ? random_range(120000) * MS
                               : pause_kind < 3 ? random_range(2000) * MS
                               : pause_kind < 8 ? random_range(50) * MS
                               : random_range(2 * MS));

        for (int n = random_range(60); n > 0; n--) {
            time += random_range(MS / 10);
            model_feed(random_range(6), random_range(20),
                       60 + random_range(60) * 23, time);
        }
        tick_at(time + random_range(2) * random_range(MS));

        size_t f = random_range(ARRAY_SIZE(funcs));
        for (size_t w = 0; w < ARRAY_SIZE(windows); w++) {
            for (size_t g = 0; g < ARRAY_SIZE(groupings); g++) {
                snprintf(name, sizeof name,
                         "%s%"PRIuSIZE"-%"PRIuSIZE"-%"PRIuSIZE,
                         step % 2 ? "flow" : "row", f, w, g);
                check_aggregate(name, funcs[f].field, groupings[g].by);
            }
        }
    }
}

Test(sketches, equal_model)
{
    compare_with_model();
}

/* With several lanes, some of which are late. */
Test(sketches, equal_model_in_lanes)
{
    set_lanes(4);
    defer_max = 40;
    compare_with_model();
}

/* Accuracy of many. */

static double
relative_error(const char *name, uint64_t window, double *stated)
{
    static uint32_t values[MAX_RECORDS];
    struct mlog_aggregate_view view = show(name);
    size_t n = model_values(HOST, NOTHING, 0, window, values);
    double right = count_distinct(values, n);
    double error = view.groups[0].value.real / right - 1;

    *stated = view.groups[0].value.error;
    if (right <= MLOG_WINDOW_DISTINCT_MAX / 2) {
        cr_expect_leq(*stated, 0.16, "%g of %g", *stated, right);
    }
    mlog_aggregate_view_destroy(&view);
    return error;
}

/* 'n' records within 'ms' milliseconds of hosts from 'base' to 'base' +
 * 'range' - 1. */
static void
feed_hosts(uint32_t n, uint32_t ms, uint32_t base, uint32_t range)
{
    uint64_t start = now;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t time = start + (uint64_t) ms * MS * i / n;

        if (time >= now + MS) {
            tick_at(now + MS);
        }
        model_feed(base + random_range(range), 1, 100, time);
    }
    tick_at(start + ms * MS);
}

/* The errors are as large as stated, no more. */
Test(sketches, distinct_of_many)
{
    double squares = 0, stated;
    int n = 0;

    n_feed_flows = MAX_FEED_FLOWS;
    add_filter("f;udp");
    add_aggregate("d;f;distinct(nw_src);window=100ms");
    for (int i = 0; i < 20; i++) {
        feed_hosts(20000, 40, i * 30000, 100000);

        double error = relative_error("d", 100 * MS, &stated);
        cr_assert_gt(stated, 0);
        cr_assert_leq(stated, 0.021);
        cr_assert_leq(fabs(error), 5 * stated);
        squares += pow(error / stated, 2);
        n++;
    }
    cr_assert_leq(sqrt(squares / n), 1.6, "%g", sqrt(squares / n));
}

/* After a burst of very many, few are counted exactly again as soon as the
 * burst has left the window. */
Test(sketches, distinct_recovers_from_a_burst)
{
    double error, stated;

    n_feed_flows = MAX_FEED_FLOWS;
    add_filter("f;udp");
    add_aggregate("d;f;distinct(nw_src);window=100ms");
    feed_hosts(200000, 10, 0, 1u << 22);
    error = relative_error("d", 100 * MS, &stated);
    cr_assert_leq(fabs(error), 0.08);
    for (int i = 0; i < 10; i++) {
        feed_hosts(2000, 12, 0, 3000);
        error = relative_error("d", 100 * MS, &stated);
        cr_assert_leq(fabs(error), 0.08);
    }
    cr_assert_eq(stated, 0);
    cr_assert_eq(error, 0);
}

/* Memory. */

static size_t
memory(void)
{
    struct mlog_stream_stats stats;

    mlog_stream_get_stats(stream, &stats);
    return stats.memory;
}

static void
flood(int n_hosts, int n_ports)
{
    for (int port = 0; port < n_ports; port++) {
        for (int host = 0; host < n_hosts; host++) {
            feed_udp(host, port, 60 + (host * 7 + port) % 1400,
                     now + port * (10 * MS / n_ports));
        }
        tick_at(now + 10 * MS / n_ports);
    }
}

/* What has gone costs nothing any more. */
Test(sketches, memory_is_given_back)
{
    size_t before, empty, full;

    add_filter("f;udp");
    flood(3000, 20);            /* Caches of flows. */
    before = memory();
    add_aggregate("d;f;distinct(tp_src);window=50ms;group-by=nw_src");
    add_aggregate("p;f;p99(pkt_len);window=50ms;group-by=nw_src");
    add_aggregate("t;f;topk(tp_src);window=50ms;group-by=nw_src");
    flood(10, 1);
    empty = memory();
    flood(3000, 20);
    full = memory();
    cr_assert_gt(full, empty + 3000 * 500);
    run_ms(200);
    cr_assert_leq(memory(), empty + (2 << 20));
    must_del(mlog_stream_del_aggregate, "d");
    must_del(mlog_stream_del_aggregate, "p");
    must_del(mlog_stream_del_aggregate, "t");
    cr_assert_leq(memory(), before + (2 << 20));
}

/* When memory for groups runs out, records go to "other" or are counted, and
 * memory stays within its bound. */
Test(sketches, memory_runs_out)
{
    n_feed_flows = MAX_FEED_FLOWS;
    add_filter("f;udp");
    add_aggregate("t;f;topk(pkt_len,100);window=1h;group-by=nw_src");
    add_aggregate("p;f;p99(pkt_len);window=1h;group-by=nw_src");
    add_aggregate("d;f;distinct(pkt_len);window=1h;group-by=nw_src");
    flood(9000, 270);
    cr_expect_gt(memory(), MLOG_MAX_GROUP_MEMORY / 2);
    cr_expect_leq(memory(), MLOG_MAX_GROUP_MEMORY + (64u << 20));

    struct mlog_aggregate_view view = show("t");
    cr_expect_gt(view.n_overflow, 0);
    uint64_t sum = 0;
    for (size_t i = 0; i < view.n_groups; i++) {
        sum += view.groups[i].value.integer;
        if (view.groups[i].key.other) {
            sum -= view.groups[i].value.integer;
        }
    }
    cr_expect_eq(sum + view.n_overflow, 9000 * 270);
    mlog_aggregate_view_destroy(&view);

    view = show("d");
    for (size_t i = 0; i < view.n_groups; i++) {
        const struct mlog_result *value = &view.groups[i].value;

        cr_expect(value->error > 0 || value->integer <= 270
                  || view.groups[i].key.other);
    }
    mlog_aggregate_view_destroy(&view);
}

/* Triggers. */

static size_t
n_alerts(enum mlog_alert_kind kind, const char *trigger)
{
    struct mlog_alert *alerts;
    uint64_t n_discarded;
    size_t n, count = 0;

    n = mlog_alert_log_read(mlog_stream_alerts(stream), 0, SIZE_MAX, &alerts,
                            &n_discarded);
    for (size_t i = 0; i < n; i++) {
        count += (alerts[i].kind == kind && alerts[i].trigger
                  && !strcmp(alerts[i].trigger->name, trigger));
    }
    mlog_alerts_destroy(alerts, n);
    return count;
}

Test(sketches, triggers_on_distinct)
{
    add_filter("f;udp");
    add_aggregate("d;f;distinct(tp_src);window=100ms;group-by=nw_src");
    add_trigger("spread;d > 1000;clear=500");
    add_trigger("few;d < 10");
    for (int i = 0; i < 100; i++) {
        for (int j = 0; j < 12; j++) {
            feed_udp(1, i * 12 + j, 100, now);
            feed_udp(2, j, 100, now);
        }
        tick_at(now + MS / 2);
        cr_assert_eq(n_alerts(MLOG_ALERT_RAISED, "spread"), i >= 83);
    }
    run_ms(60);
    cr_assert_eq(n_alerts(MLOG_ALERT_CLEARED, "spread"), 0);
    run_ms(40);
    cr_assert_eq(n_alerts(MLOG_ALERT_RAISED, "spread"), 1);
    cr_assert_eq(n_alerts(MLOG_ALERT_CLEARED, "spread"), 1);
}

Test(sketches, triggers_on_percentiles)
{
    add_filter("f;udp");
    add_aggregate("p;f;p90(pkt_len);window=20ms");
    add_trigger("large;p > 1000");
    for (int ms = 0; ms < 100; ms++) {
        for (int i = 0; i < 20; i++) {
            bool large = ms >= 50 && ms < 60 && i < 15;

            feed_udp(1, i, large ? 1400 : 100, now);
        }
        tick_at(now + MS);
        cr_assert_eq(n_alerts(MLOG_ALERT_RAISED, "large"), ms >= 52);
    }
    cr_assert_eq(n_alerts(MLOG_ALERT_CLEARED, "large"), 1);
}

/* What users write. */

Test(sketches, errors)
{
    add_filter("f;udp");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;distinct"),
                 "1: distinct needs a field");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;p101(pkt_len)"),
                 "1: 'p101' is not a percentile: p0 to p100");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;p1.2.3(pkt_len)"),
                 "1: 'p1.2.3' is not a percentile");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;p99.99999(pkt_len)"),
                 "at most four decimals");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;p50(nw_src)"),
                 "a percentile needs a field that is a quantity");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;topk(nw_src,0)"),
                 "13: expected a number from 1 to 100");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;topk(nw_src,101)"),
                 "13: expected a number from 1 to 100");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;topk(nw_src,)"),
                 "13: expected a number from 1 to 100");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;topk(nw_src,1"),
                 "14: expected ')'");
    expect_error(try_add(mlog_stream_add_aggregate, "a;f;distnct(nw_src)"),
                 "did you mean distinct?");
    add_aggregate("t;f;topk( nw_src , 7 )");
    expect_error(try_add(mlog_stream_add_trigger, "a;t > 1"),
                 "1: aggregate 't' is a topk()");
}

Test(sketches, functions_are_shown_as_written)
{
    static const char *const texts[] = {
        "distinct(nw_src)", "p50(pkt_len)", "p99.9(pkt_len)",
        "p99.9999(pkt_len)", "p0(pkt_len)", "topk(nw_src,10)",
        "topk(tp_dst,100)",
    };

    add_filter("f;udp");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char *s = xasprintf("a%"PRIuSIZE";f;%s", i, texts[i]);
        struct mlog_aggregate_info *info;
        struct ds text = DS_EMPTY_INITIALIZER;

        add_aggregate(s);
        mlog_stream_get_aggregates(stream, &info);
        mlog_aggregate_def_format_func(info[i].def, &text);
        cr_assert_str_eq(ds_cstr(&text), texts[i]);
        ds_destroy(&text);
        free(info);
        free(s);
    }
}

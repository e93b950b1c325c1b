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

#include "stream-fixture.h"

#include "openvswitch/dynamic-string.h"

/* Values are compared with those that a loop over all records gives. */

TestSuite(aggregate, .init = setup_stream, .fini = teardown_stream);

/* The model. */

struct model_record {
    uint64_t time;
    uint32_t host;
    uint32_t port;
    uint32_t len;
};

#define MAX_RECORDS 20000
static struct model_record records[MAX_RECORDS];
static size_t n_records;

static void
model_feed(uint32_t host, uint32_t port, uint32_t len, uint64_t time)
{
    cr_assert(n_records < MAX_RECORDS);
    records[n_records++] = (struct model_record) { time, host, port, len };
    feed_udp(host, port, len, time);
}

/* Start of what a window of 'window' covers at 'now'. */
static uint64_t
model_since(uint64_t window)
{
    uint64_t n_panes = MIN(window / MS, 32);
    uint64_t width = window / n_panes;
    uint64_t pane = now / width;

    return pane < n_panes ? 0 : (pane - n_panes) * width;
}

enum { BY_NOTHING, BY_HOST, BY_PORT, BY_BOTH, BY_LEN };

/* What an aggregate over the UDP packets longer than 'longer' should say of
 * the group with the given key. */
static double
model_value(const char *func, uint64_t window, uint32_t longer, int by,
            uint32_t host, uint32_t port, uint32_t len)
{
    double count = 0, sum = 0, min = -1, max = -1;

    for (size_t i = n_records; i-- > 0; ) {
        const struct model_record *r = &records[i];

        if (r->time < model_since(window)) {
            break;
        }
        if (r->len > longer
            && !((by == BY_HOST || by == BY_BOTH) && r->host != host)
            && !((by == BY_PORT || by == BY_BOTH) && r->port != port)
            && !(by == BY_LEN && r->len != len)) {
            count++;
            sum += r->len;
            min = min < 0 ? r->len : MIN(min, r->len);
            max = MAX(max, r->len);
        }
    }
    return (!strcmp(func, "count") ? count
            : !strcmp(func, "sum(pkt_len)") ? sum
            : !strcmp(func, "min(pkt_len)") ? min
            : !strcmp(func, "max(pkt_len)") ? max
            : !strcmp(func, "avg(pkt_len)") ? (count ? sum / count : -1)
            : !strcmp(func, "rate") ? count * 1e9 / window
            : !strcmp(func, "rate(pkt_len)") ? sum * 1e9 / window
            : NAN);
}

/* The number of groups that the model has. */
static size_t
model_n_groups(uint64_t window, uint32_t longer, int by)
{
    static uint8_t seen[1 << 18];
    size_t n = 0;

    memset(seen, 0, sizeof seen);
    for (size_t i = n_records; i-- > 0; ) {
        const struct model_record *r = &records[i];
        uint32_t key = (by == BY_HOST ? r->host : by == BY_PORT ? r->port
                        : by == BY_LEN ? r->len : r->host << 8 | r->port);

        if (r->time < model_since(window)) {
            break;
        }
        if (r->len > longer && !seen[key]) {
            seen[key] = 1;
            n++;
        }
    }
    return n;
}

static const char *const funcs[] = {
    "count", "sum(pkt_len)", "min(pkt_len)", "max(pkt_len)", "avg(pkt_len)",
    "rate", "rate(pkt_len)",
};
static const char *const windows[] = { "1ms", "7ms", "100ms", "1s", "60s" };
static const char *const groupings[] = {
    "", ";group-by=nw_src", ";group-by=tp_src", ";group-by=nw_src,tp_src",
    ";group-by=pkt_len",
};
static const uint32_t longer_than[] = { 0, 750 };

static void
check_view(const struct mlog_aggregate_view *view, const char *func,
           uint64_t window, uint32_t longer, int by)
{
    if (by) {
        cr_assert_eq(view->n_groups, model_n_groups(window, longer, by));
    } else {
        cr_assert_eq(view->n_groups, 1);
    }
    cr_assert_eq(view->since, model_since(window));
    cr_assert_eq(view->until, now);
    for (size_t i = 0; i < MIN(view->n_groups, 5); i++) {
        const struct mlog_group_info *group = &view->groups[i];
        const struct mlog_value *values = group->key.values;
        uint32_t host = values[0].lo - 0x0a000000;
        uint32_t port = values[by == BY_BOTH].lo;
        uint32_t len = values[0].lo;
        double expected = model_value(func, window, longer, by, host, port,
                                      len);

        cr_assert_eq(group->value.present, expected >= 0);
        if (group->value.present) {
            cr_assert(fabs(group->value.real - expected)
                      <= 1e-9 * expected, "%s of %s: %f, not %f", func,
                      view->def->name, group->value.real, expected);
        }
        cr_assert(!group->value.is_integer
                  || group->value.integer == group->value.real);
    }
}

/* Runs of records with pauses of all lengths, through every kind of
 * aggregate at once. */
Test(aggregate, equals_model)
{
    char name[32];

    add_filter("all;udp");
    add_filter("long;udp && pkt_len > 750");
    for (size_t f = 0; f < ARRAY_SIZE(funcs); f++) {
        for (size_t w = 0; w < ARRAY_SIZE(windows); w++) {
            for (size_t g = 0; g < ARRAY_SIZE(groupings); g++) {
                char *s;

                s = xasprintf("a%"PRIuSIZE"-%"PRIuSIZE"-%"PRIuSIZE";%s;%s"
                              ";window=%s%s", f, w, g,
                              (f + w + g) % 2 ? "long" : "all",
                              funcs[f], windows[w], groupings[g]);
                add_aggregate(s);
                free(s);
            }
        }
    }

    for (int step = 0; step < 400; step++) {
        uint32_t pause_kind = random_range(20);
        uint64_t time = now + (pause_kind == 0 ? random_range(120000) * MS
                               : pause_kind < 3 ? random_range(2000) * MS
                               : pause_kind < 8 ? random_range(50) * MS
                               : random_range(2 * MS));

        for (int n = random_range(60); n > 0; n--) {
            time += random_range(MS / 10);
            model_feed(random_range(6), random_range(4),
                       60 + random_range(16) * 90, time);
        }
        tick_at(time + random_range(2) * random_range(MS));

        size_t f = random_range(ARRAY_SIZE(funcs));
        for (size_t w = 0; w < ARRAY_SIZE(windows); w++) {
            for (size_t g = 0; g < ARRAY_SIZE(groupings); g++) {
                struct mlog_aggregate_view view;

                snprintf(name, sizeof name,
                         "a%"PRIuSIZE"-%"PRIuSIZE"-%"PRIuSIZE, f, w, g);
                view = show(name);
                check_view(&view, funcs[f], view.def->window,
                           longer_than[(f + w + g) % 2], g);
                mlog_aggregate_view_destroy(&view);
            }
        }
    }
}

/* Panes make up the window exactly and are aligned to the epoch. */
Test(aggregate, panes)
{
    static const struct {
        const char *window;
        unsigned int n;
        uint64_t width;
    } cases[] = {
        { "1ms", 1, MS }, { "2ms", 2, MS }, { "32ms", 32, MS },
        { "33ms", 32, 1031250 }, { "1s", 32, 31250000 },
        { "1h", 32, 112500 * MS },
    };

    add_filter("f;");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *s = xasprintf("a%"PRIuSIZE";f;count;window=%s", i,
                            cases[i].window);
        struct mlog_aggregate_info *info;

        add_aggregate(s);
        mlog_stream_get_aggregates(stream, &info);
        cr_expect_eq(info[i].def->n_panes, cases[i].n);
        cr_expect_eq(info[i].def->width, cases[i].width);
        cr_expect_eq(info[i].def->window, info[i].def->width * cases[i].n);
        free(info);
        free(s);
    }
}

/* A record counts for at least the window, and for less than a pane longer. */
Test(aggregate, coverage)
{
    add_filter("f;udp");
    add_aggregate("a;f;count;window=10ms");
    for (int offset = 0; offset < 1000000; offset += 99999) {
        uint64_t time = now + 50 * MS + offset;

        feed_udp(1, 1, 100, time);
        tick_at(time);
        cr_expect_eq(value_of("a"), 1);
        tick_at(time + 10 * MS);
        cr_expect_eq(value_of("a"), 1);
        tick_at(time + 11 * MS);
        cr_expect_eq(value_of("a"), 0);
    }
}

/* Fields that records lack. */
Test(aggregate, absent_fields)
{
    add_filter("f;");
    add_aggregate("n;f;count");
    add_aggregate("n-tcp;f;count(tcp_window)");
    add_aggregate("max;f;max(tcp_window)");
    add_aggregate("avg;f;avg(tcp_window)");
    add_aggregate("by;f;count;group-by=tp_dst,out_port_name");
    setup_ports();

    cr_expect_eq(value_of("max"), -1);
    cr_expect_eq(value_of("avg"), -1);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct mlog_record record = sample_record(&samples[i]);

        record.time = now + 1;
        feed(&record);
    }
    run_ms(1);
    cr_expect_eq(value_of("n"), ARRAY_SIZE(samples));
    cr_expect_eq(value_of("n-tcp"), 3);
    cr_expect_eq(value_of("max"), 65535);
    cr_expect_eq(value_of("avg"), 65535 / 3.0);

    struct mlog_aggregate_view view = show("by");
    struct ds s = DS_EMPTY_INITIALIZER;

    cr_assert_eq(view.n_groups, 8);
    mlog_group_key_format(view.def, &view.groups[0].key, &s);
    cr_expect_str_eq(ds_cstr(&s), "tp_dst=-,out_port_name=p1");
    cr_expect_eq(view.groups[0].value.integer, 5);
    ds_destroy(&s);
    mlog_aggregate_view_destroy(&view);
}

/* The evidence of a group selects its records and no others, whatever fields
 * it is grouped by. */
Test(aggregate, evidence_selects_group)
{
    const struct mlog_field *field;

    setup_ports();
    add_filter("f;pkt_len > 50 || arp");
    MLOG_FIELD_FOR_EACH (field) {
        struct mlog_error error = MLOG_ERROR_INITIALIZER;
        struct mlog_aggregate_view view;
        uint64_t total = 0;
        char *s;

        s = xasprintf("by_%s;f;count;group-by=%s,%s", field->name, field->name,
                      field->id == MLOG_F_NW_PROTO ? "dl_type" : "nw_proto");
        add_aggregate(s);
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
            struct mlog_record record = sample_record(&samples[i]);

            record.time = now + 1;
            feed(&record);
        }
        run_ms(1);
        *strchr(s, ';') = '\0';
        view = show(s);
        for (size_t g = 0; g < view.n_groups; g++) {
            struct ds evidence = DS_EMPTY_INITIALIZER;
            uint64_t n = 0;

            mlog_group_key_evidence(view.def, &view.groups[g].key, &evidence);
            struct mlog_expr *expr = mlog_expr_parse(ds_cstr(&evidence),
                                                     &error);
            cr_assert(expr, "%s: %s", ds_cstr(&evidence), error.message);
            for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                struct mlog_record record = sample_record(&samples[i]);

                record.time = now - MS + 1;
                n += mlog_expr_eval(expr, &record);
            }
            cr_expect_eq(n, view.groups[g].value.integer, "%s: %"PRIu64", "
                         "not %"PRIu64, ds_cstr(&evidence), n,
                         view.groups[g].value.integer);
            total += n;
            mlog_expr_unref(expr);
            ds_destroy(&evidence);
        }
        cr_expect_eq(total, 11);        /* All but "dropped". */
        mlog_aggregate_view_destroy(&view);
        must_del(mlog_stream_del_aggregate, s);
        free(s);
    }
}

/* Groups whose window is empty go away, and their memory with them. */
Test(aggregate, groups_expire)
{
    struct mlog_aggregate_info *info;
    size_t memory;

    add_filter("f;udp");
    add_aggregate("a;f;sum(pkt_len);window=100ms;group-by=nw_src");
    mlog_stream_get_aggregates(stream, &info);
    memory = info[0].memory;
    free(info);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5000; i++) {
            feed_udp(round * 5000 + i, 1, 100, now + i);
        }
        run_ms(1);
        mlog_stream_get_aggregates(stream, &info);
        cr_expect_eq(info[0].n_groups, 5000);
        cr_expect_lt(info[0].memory / 5000, 512);
        free(info);

        /* One of them stays in use. */
        for (int ms = 0; ms < 200; ms++) {
            feed_udp(round * 5000, 1, 100, now + 1);
            run_ms(1);
        }
        mlog_stream_get_aggregates(stream, &info);
        cr_expect_eq(info[0].n_groups, 1);
        free(info);
        run_ms(200);
        mlog_stream_get_aggregates(stream, &info);
        cr_expect_eq(info[0].n_groups, 0);
        cr_expect_eq(info[0].memory, memory);
        free(info);
    }
}

/* More groups than there may be. */
Test(aggregate, overflow)
{
    struct mlog_aggregate_info *info;
    struct mlog_aggregate_view view;

    add_filter("f;udp");
    add_aggregate("a;f;count;window=1s;group-by=nw_src");
    for (int i = 0; i < MLOG_MAX_GROUPS + 500; i++) {
        feed_udp(i, 1, 100, now);
        feed_udp(i, 1, 100, now);
    }
    run_ms(1);
    mlog_stream_get_aggregates(stream, &info);
    cr_expect_eq(info[0].n_groups, MLOG_MAX_GROUPS + 1);
    cr_expect_eq(info[0].n_overflow, 1000);
    cr_expect(info[0].overflow);
    free(info);

    view = show("a");
    cr_expect_eq(view.n_groups, MLOG_MAX_GROUPS + 1);
    cr_expect(view.groups[0].key.other);
    cr_expect_eq(view.groups[0].value.integer, 1000);
    cr_expect_eq(view.groups[1].value.integer, 2);
    mlog_aggregate_view_destroy(&view);

    /* It ends, and can come again. */
    run_ms(1100);
    mlog_stream_get_aggregates(stream, &info);
    cr_expect_eq(info[0].n_groups, 0);
    cr_expect(!info[0].overflow);
    free(info);
    feed_udp(1, 1, 100, now);
    run_ms(1);
    mlog_stream_get_aggregates(stream, &info);
    cr_expect_eq(info[0].n_groups, 1);
    free(info);
}

/* When the memory for groups has run out, nothing is lost either. */
Test(aggregate, memory_runs_out)
{
    struct mlog_stream_stats stats;
    struct mlog_aggregate_view view;
    uint64_t total = 0;

    add_filter("f;udp");
    for (int i = 0; i < 100; i++) {
        char *s = xasprintf("a%d;f;avg(pkt_len);window=1h"
                            ";group-by=nw_src,tp_src,tp_dst", i);

        add_aggregate(s);
        free(s);
    }
    for (int i = 0; i < MLOG_MAX_GROUPS; i++) {
        feed_udp(i, 1, 100, now);
    }
    run_ms(1);
    mlog_stream_get_stats(stream, &stats);
    cr_expect_leq(stats.memory, MLOG_MAX_GROUP_MEMORY + (64u << 20));
    cr_expect_lt(stats.n_groups, 100 * MLOG_MAX_GROUPS);
    for (int i = 0; i < 100; i++) {
        char *name = xasprintf("a%d", i);

        view = show(name);
        total += view.n_overflow + view.n_groups;
        for (size_t g = 0; g < view.n_groups; g++) {
            total -= view.groups[g].key.other;
        }
        mlog_aggregate_view_destroy(&view);
        free(name);
    }
    cr_expect_eq(total, 100 * MLOG_MAX_GROUPS);
}

/* The places of flows are reused for others: no group may be mistaken. */
Test(aggregate, flow_index_reused)
{
    struct mlog_flow_key key = {
        .dl_type = ETH_TYPE_IP, .nw_proto = 17, .has = HAS_L4,
        .src = V4_SRC, .dst = V4_DST,
    };
    struct mlog_row row = { ROW(100, 64, P1), .flow = 5 };
    struct mlog_record record = { .key = &key, .row = &row };
    struct mlog_aggregate_view view;

    n_feed_flows = 1;
    add_filter("f;udp");
    add_aggregate("a;f;count;group-by=dl_src");
    for (int i = 0; i < 100; i++) {
        key.dl_src.ea[5] = i % 10;
        record.time = now + 1;
        feed(&record);
    }
    run_ms(1);
    view = show("a");
    cr_expect_eq(view.n_groups, 10);
    for (size_t g = 0; g < view.n_groups; g++) {
        cr_expect_eq(view.groups[g].value.integer, 10);
    }
    mlog_aggregate_view_destroy(&view);
}

/* Sums beyond 64 bits stop there; dates near the end of time work. */
Test(aggregate, large_numbers)
{
    struct mlog_flow_key key = { .dl_type = ETH_TYPE_IP, .nw_proto = 6,
                                 .has = HAS_L4 | MLOG_HAS_TCP };
    struct mlog_row row = { ROW(MLOG_ROW_LEN_MAX, 64, P1),
                            .tcp_seq = UINT32_MAX };
    struct mlog_record record = { .key = &key, .row = &row };
    uint64_t times[] = { UINT64_C(1) << 63, UINT64_MAX - 5 * S,
                         UINT64_MAX - 1 };

    add_filter("f;tcp");
    add_aggregate("len;f;sum(pkt_len);window=1h");
    add_aggregate("seq;f;sum(tcp_seq);window=1h");
    add_aggregate("avg;f;avg(tcp_seq);window=1ms");
    add_aggregate("by;f;max(tcp_seq);window=1s;group-by=nw_proto");
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        record.time = times[i];
        for (int n = 0; n < 1000; n++) {
            feed(&record);
        }
        tick_at(times[i]);
        cr_expect_geq(value_of("len"), 1000.0 * MLOG_ROW_LEN_MAX);
        cr_expect_geq(value_of("seq"), 1000.0 * UINT32_MAX);
        cr_expect_eq(value_of("avg"), UINT32_MAX);
        cr_expect_eq(value_of("by"), UINT32_MAX);
    }
    tick_at(UINT64_MAX);
    cr_expect_eq(value_of("len"), 2000.0 * MLOG_ROW_LEN_MAX);
}

Test(aggregate, saturation)
{
    struct mlog_group_budget budget = { .max = SIZE_MAX };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;
    struct mlog_aggregate *agg = mlog_aggregate_create(
        mlog_aggregate_def_parse("a", "f", "", "sum(pkt_len)", NULL, 0,
                                 &error, &where), &budget, T0);
    struct mlog_sums batch = {
        .n = 1, .bytes = UINT64_MAX - 10, .first = T0, .last = T0,
    };

    for (int i = 0; i < 5; i++) {
        mlog_aggregate_add_sums(agg, agg->single, &batch);
    }
    cr_expect_eq(mlog_aggregate_value(agg, agg->single).integer, UINT64_MAX);
    batch.first = batch.last = T0 + S / 2;
    mlog_aggregate_add_sums(agg, agg->single, &batch);
    cr_expect_eq(mlog_aggregate_value(agg, agg->single).integer, UINT64_MAX);

    /* The first pane goes, the second one's sum is exact. */
    mlog_aggregate_expire(agg, T0 + S + S / 4);
    cr_expect_eq(mlog_aggregate_value(agg, agg->single).integer,
                 UINT64_MAX - 10);
    mlog_aggregate_expire(agg, T0 + 3 * S);
    cr_expect_eq(mlog_aggregate_value(agg, agg->single).integer, 0);
    mlog_aggregate_destroy(agg);
    cr_expect_eq(budget.used, 0);
}

/* A tick after a long silence costs what any other does. */
Test(aggregate, long_silence_is_cheap)
{
    add_filter("f;udp");
    add_aggregate("a;f;count;window=1ms");
    add_aggregate("b;f;count;window=1ms;group-by=nw_src");
    for (int i = 0; i < 1000; i++) {
        feed_udp(i % 10, 1, 100, now);
        tick_at(now + 1000000 * S);
        tick_at(now + MS);
        cr_assert_eq(value_of("a"), 0);
    }
}

/* The table of groups, with hashes that often collide. */
Test(aggregate, group_table)
{
    enum { N = 3000 };
    static struct mlog_group *groups[N];
    struct mlog_group_budget budget = { .max = SIZE_MAX };
    struct mlog_group_table table;
    struct mlog_group *group;
    size_t n = 0;

    mlog_group_table_init(&table, 1, 4, &budget);
    for (int i = 0; i < 100000; i++) {
        uint32_t key = random_range(i / 20000 % 2 ? N / 50 : N);
        struct mlog_value value = { 0, key };
        uint32_t hash = key / 7 * 64 + key % 2;

        cr_assert_eq(mlog_group_table_find(&table, hash, 1, &value),
                     groups[key]);
        cr_assert(!mlog_group_table_find(&table, hash, 0, &value));
        if (groups[key]) {
            uint32_t serial = groups[key]->serial;

            mlog_group_table_remove(&table, groups[key]);
            cr_assert_neq(groups[key]->serial, serial);
            groups[key] = NULL;
            n--;
        } else {
            groups[key] = mlog_group_table_insert(&table, hash);
            groups[key]->present = 1;
            *mlog_group_values(groups[key]) = value;
            n++;
        }
        cr_assert_eq(table.n, n);
    }
    MLOG_GROUP_TABLE_FOR_EACH (group, &table) {
        uint32_t key = mlog_group_values(group)->lo;

        cr_assert_eq(groups[key], group);
        groups[key] = NULL;
        n--;
    }
    cr_assert_eq(n, 0);
    for (size_t i = 0; i < N; i++) {
        cr_assert(!groups[i]);
    }
    cr_expect_gt(budget.used, 0);
    mlog_group_table_destroy(&table);
    cr_expect_eq(budget.used, 0);
}

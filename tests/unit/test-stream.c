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

#include "openvswitch/dynamic-string.h"

TestSuite(stream, .init = setup_stream, .fini = teardown_stream);

/* Filters count what their expressions match. */

static const char *const expressions[] = {
    "", "tcp", "udp", "ip", "arp", "!ip", "tp_dst == 80", "tp_dst < 1024",
    "pkt_len > 100000", "tcp && pkt_len > 100000", "tcp_flags == +syn-ack",
    "nw_src == 192.0.2.0/24", "drop", "nw_ttl < 64 || udp",
    "nw_src == {192.0.2.1, 192.0.2.2} && !drop", "tcp_seq == tcp_ack",
    "in_port == p0", "vlan_vid == 5", "ip,tp_dst=80",
};

struct expected {
    uint64_t packets;
    uint64_t bytes;
    struct mlog_expr *expr;
};

static void
check_filters(const struct expected *expected)
{
    struct mlog_filter_info *info;
    size_t n = mlog_stream_get_filters(stream, &info);

    cr_assert_eq(n, ARRAY_SIZE(expressions));
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(info[i].n_packets, expected[i].packets, "%s: %"PRIu64
                     ", not %"PRIu64, info[i].text, info[i].n_packets,
                     expected[i].packets);
        cr_expect_eq(info[i].n_bytes, expected[i].bytes);
    }
    free(info);
}

Test(stream, filters_count)
{
    struct expected expected[ARRAY_SIZE(expressions)];
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    setup_ports();
    memset(expected, 0, sizeof expected);
    for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
        char *s = xasprintf("f%"PRIuSIZE";%s", i, expressions[i]);

        add_filter(s);
        free(s);
        expected[i].expr = mlog_expr_parse(expressions[i], &error);
        cr_assert(expected[i].expr);
    }
    for (int n = 0; n < 20000; n++) {
        struct sample sample;

        random_sample(&sample);
        sample.row.flow = random_range(100000);
        struct mlog_record record = sample_record(&sample);
        record.time = now + n % 100;
        feed(&record);
        for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
            if (mlog_expr_eval(expected[i].expr, &record)) {
                expected[i].packets++;
                expected[i].bytes += mlog_row_pkt_len(&sample.row);
            }
        }
        if (n % 100 == 99) {
            run_ms(1);
        }
        if (n % 5000 == 33) {
            check_filters(expected);
        }
    }
    check_filters(expected);
    for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
        cr_expect_gt(expected[i].packets, 0, "%s never matched",
                     expressions[i]);
        mlog_expr_unref(expected[i].expr);
    }
}

/* The same set of filters has the same class, and only "no filter" has class
 * 0. */
Test(stream, classes)
{
    struct mlog_stream_stats stats;
    uint32_t classes[ARRAY_SIZE(samples)], generation;

    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct mlog_record record = sample_record(&samples[i]);

        cr_expect_eq(mlog_stream_classify(stream, &record), 0);
    }
    add_filter("tcp;tcp");
    add_filter("tcp2;tcp");
    add_filter("syn;tcp_flags == +syn");
    generation = mlog_stream_generation(stream);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct mlog_record record = sample_record(&samples[i]);
        bool tcp = record.key->nw_proto == 6;

        record.row = NULL;
        classes[i] = mlog_stream_classify(stream, &record);
        cr_expect_eq(classes[i] != 0, tcp, "%s", samples[i].name);
        if (tcp) {
            cr_expect_eq(classes[i], classes[0]);
        }
        cr_expect_eq(mlog_stream_classify(stream, &record), classes[i]);
    }
    mlog_stream_get_stats(stream, &stats);
    cr_expect_eq(stats.n_classes, 1);
    cr_expect_eq(mlog_stream_generation(stream), generation);

    /* Aggregates and triggers don't change classes, filters do. */
    add_aggregate("a;tcp;count");
    add_trigger("t;a > 5");
    cr_expect_eq(mlog_stream_generation(stream), generation);
    add_filter("udp;udp");
    cr_expect_neq(mlog_stream_generation(stream), generation);
    mlog_stream_get_stats(stream, &stats);
    cr_expect_eq(stats.n_classes, 0);
    generation = mlog_stream_generation(stream);
    must_del(mlog_stream_del_filter, "udp");
    cr_expect_neq(mlog_stream_generation(stream), generation);
}

/* Flows that make ever new sets of filters do not make ever more classes, and
 * still every record is counted. */
Test(stream, classes_are_bounded)
{
    struct mlog_filter_info *info;
    uint64_t expected[16] = { 0 };
    size_t max_classes = 0;

    for (int i = 0; i < 16; i++) {
        char *s = xasprintf("f%d;tp_src == %#x/%#x", i, 1 << i, 1 << i);

        add_filter(s);
        free(s);
    }
    for (int n = 0; n < 200000; n++) {
        struct mlog_stream_stats stats;
        uint16_t port = random_uint32();

        feed_udp(1, port, 100, now + 1);
        for (int i = 0; i < 16; i++) {
            expected[i] += port >> i & 1;
        }
        mlog_stream_get_stats(stream, &stats);
        max_classes = MAX(max_classes, stats.n_classes);
    }
    cr_expect_lt(max_classes, 16384);
    cr_expect_gt(max_classes, 10000);
    cr_assert_eq(mlog_stream_get_filters(stream, &info), 16);
    for (int i = 0; i < 16; i++) {
        cr_expect_eq(info[i].n_packets, expected[i]);
        cr_expect_eq(info[i].n_bytes, expected[i] * 100);
    }
    free(info);
}

/* Filters come and go while their flows go on; each counts from when it was
 * added. */
Test(stream, add_and_delete_under_traffic)
{
    struct mlog_filter_info *info;

    add_filter("stays;udp");
    for (int i = 0; i < 2000; i++) {
        char *s = xasprintf("f%d;udp && tp_src == %d", i, i % 2);
        uint64_t n_packets;

        add_filter(s);
        for (int n = 0; n < 10; n++) {
            feed_udp(n, n % 2, 100, now + 1);
        }
        if (i % 3 == 0) {
            run_ms(1);
        }
        cr_assert_eq(mlog_stream_get_filters(stream, &info), 2);
        n_packets = info[1].n_packets;
        cr_assert_eq(n_packets, 5);
        cr_assert_eq(info[1].added, now - (i % 3 == 0 ? MS : 0));
        cr_assert_eq(info[0].n_packets, 10 * (i + 1));
        free(info);
        *strchr(s, ';') = '\0';
        must_del(mlog_stream_del_filter, s);
        free(s);
    }
}

/* An aggregate that is added later counts from then on, and so does one that
 * replaces another. */
Test(stream, aggregates_under_traffic)
{
    add_filter("f;udp");
    for (int i = 0; i < 500; i++) {
        feed_udp(1, 1, 100, now + 1);
        add_aggregate("a;f;count;window=10s");
        add_aggregate("b;f;count;window=10s;group-by=nw_src");
        feed_udp(1, 1, 100, now + 1);
        feed_udp(1, 1, 100, now + 1);
        run_ms(1);
        cr_assert_eq(value_of("a"), 2);
        cr_assert_eq(value_of("b"), 2);
        must_del(mlog_stream_del_aggregate, "a");
        must_del(mlog_stream_del_aggregate, "b");
    }
}

/* A flow may change its class although no filter has changed, when what a
 * filter says of a port has. */
Test(stream, flow_changes_class)
{
    struct mlog_record udp = sample_record(find_sample("udp"));
    struct mlog_record tcp = sample_record(find_sample("tcp"));

    add_filter("udp;udp");
    add_filter("tcp;tcp");
    add_aggregate("u;udp;count;group-by=nw_src");
    for (int i = 0; i < 20; i++) {
        char *s = xasprintf("t%d;tcp;count;group-by=nw_dst,tp_src", i);

        add_aggregate(s);
        free(s);
    }

    uint32_t udp_class = mlog_stream_classify(stream, &udp);
    uint32_t tcp_class = mlog_stream_classify(stream, &tcp);
    for (int i = 0; i < 10; i++) {
        udp.time = now + 1;
        mlog_stream_record(stream, udp_class, &udp);
        mlog_stream_record(stream, tcp_class, &udp);
    }
    run_ms(1);
    cr_expect_eq(value_of("u"), 10);
    cr_expect_eq(value_of("t0"), 10);
    cr_expect_eq(value_of("t19"), 10);
}

Test(stream, errors)
{
    static const struct {
        const char *args;
        const char *error;
    } filters[] = {
        { "f", "0: expected NAME EXPRESSION" },
        { ";tcp", "1: filter: a name consists of" },
        { "9f;tcp", "1: filter: a name consists of" },
        { "-f;tcp", "1: filter: a name consists of" },
        { "f f;tcp", "2: filter: a name consists of" },
        { "f\n;tcp", "2: filter: a name consists of" },
        { "f\xc3\xa4;tcp", "2: filter: a name consists of" },
        { "f;tcp &&", "7: expected" },
        { "f;nosuch == 5", "1: unknown field 'nosuch'" },
        { "have;tcp", "1: there is a filter 'have' already" },
        { "a234567890123456789012345678901234567890123456789012345678901234"
          "5;tcp", "65: a name has at most 64" },
    };
    static const struct {
        const char *args;
        const char *error;
    } aggregates[] = {
        { "a;have", "0: expected NAME FILTER FUNC" },
        { "a!;have;count", "2: aggregate: a name" },
        { "a;hav;count", "1: there is no filter 'hav'; did you mean 'have'?" },
        { "a;zzzzzz;count",
          "there is no filter 'zzzzzz'; multilog/filter-list" },
        { "a;have;", "1: unknown function ''; functions are" },
        { "a;have;cont", "1: unknown function 'cont'; did you mean count?" },
        { "a;have;median(pkt_len)", "unknown function 'median'; functions" },
        { "a;have;sum", "1: sum needs a field, such as sum(pkt_len)" },
        { "a;have;avg()", "avg needs a field" },
        { "a;have;sum(pktlen)", "5: unknown field 'pktlen'; did you mean" },
        { "a;have;sum(nw_src)", "5: sum needs a field that is a quantity, "
          "which 'nw_src' is not: one of pkt_len" },
        { "a;have;min(time)", "5: min needs a field that is a quantity" },
        { "a;have;rate(tcp_flags)", "rate needs a field that is a quantity" },
        { "a;have;sum(pkt_len", "12: expected ')'" },
        { "a;have;sum(pkt_len))", "13: nothing can follow" },
        { "a;have;sum pkt_len", "5: nothing can follow" },
        { "a;have;sum(pkt_len,nw_ttl)", "13: only topk() takes more than a" },
        { "a;have;count;window=1", "8: window: '1' is not a duration" },
        { "a;have;count;window=0", "window: must be from 1ms to 1h" },
        { "a;have;count;window=500us", "must be from 1ms to 1h" },
        { "a;have;count;window=61m", "must be from 1ms to 1h" },
        { "a;have;count;window=1500us", "whole number of milliseconds" },
        { "a;have;count;window=1s;window=1s", "window is given twice" },
        { "a;have;count;windw=1s", "did you mean window=" },
        { "a;have;count;group-by", "group-by needs a value" },
        { "a;have;count;group-by=", "group-by needs a value" },
        { "a;have;count;group-by=nw_src,", "17: unknown field ''" },
        { "a;have;count;group-by=nw_scr", "10: unknown field 'nw_scr'" },
        { "a;have;count;group-by=nw_src,nw_src", "17: 'nw_src' is given" },
        { "a;have;count;group-by=nw_src nw_dst", "17: expected ','" },
        { "a;have;count;group-by=nw_src,nw_dst,tp_src,tp_dst,dl_src,dl_dst,"
          "in_port,nw_proto,nw_tos", "at most 8 group-by fields" },
        { "have;have;count", "there is an aggregate 'have' already" },
    };
    char *s, *message;

    add_filter("have;tcp");
    add_aggregate("have;have;count");
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        expect_error(try_add(mlog_stream_add_filter, filters[i].args),
                     filters[i].error);
    }
    for (size_t i = 0; i < ARRAY_SIZE(aggregates); i++) {
        expect_error(try_add(mlog_stream_add_aggregate, aggregates[i].args),
                     aggregates[i].error);
    }

    /* Evidence of groups must be a valid expression. */
    s = xasprintf("big;pkt_len == {%0*d}", 3900, 7);
    message = try_add(mlog_stream_add_filter, s);
    free(message);
    free(s);
    struct ds big = DS_EMPTY_INITIALIZER;
    ds_put_cstr(&big, "big2;pkt_len == {");
    for (int i = 0; i < 700; i++) {
        ds_put_format(&big, "%s%d", i ? "," : "", 1000 + 2 * i);
    }
    ds_put_cstr(&big, "}");
    add_filter(ds_cstr(&big));
    ds_destroy(&big);
    add_aggregate("fits;big2;count");
    expect_error(try_add(mlog_stream_add_aggregate,
                         "big2;big2;count;group-by=nw_src"),
                 "0: the expression of filter 'big2' is too long");

    struct mlog_aggregate_info *info;
    cr_expect_eq(mlog_stream_get_aggregates(stream, &info), 2);
    free(info);
}

Test(stream, deletion_errors)
{
    add_filter("f;tcp");
    add_filter("g;tcp");
    expect_error(try_del(mlog_stream_del_aggregate, "a"),
                 "there is no aggregate 'a'; add one with "
                 "multilog/aggregate-add");
    add_aggregate("a;f;count");
    expect_error(try_del(mlog_stream_del_filter, "f"),
                 "aggregate 'a' uses it; delete that first");
    add_aggregate("b;f;count");
    expect_error(try_del(mlog_stream_del_filter, "f"),
                 "aggregates 'a', 'b' use it; delete those first");
    for (int i = 0; i < 20; i++) {
        char *s = xasprintf("n%d;f;count", i);

        add_aggregate(s);
        free(s);
    }
    expect_error(try_del(mlog_stream_del_filter, "f"),
                 "'n5' and 14 more use it; delete those first");
    must_del(mlog_stream_del_filter, "g");
    expect_error(try_del(mlog_stream_del_filter, "g"), "there is no filter");
}

Test(stream, limits)
{
    char *s;

    for (int i = 0; i < MLOG_MAX_FILTERS; i++) {
        s = xasprintf("f%d;pkt_len == %d", i, i);
        add_filter(s);
        free(s);
    }
    expect_error(try_add(mlog_stream_add_filter, "f;tcp"),
                 "there are 1024 filters, which is the limit");
    for (int i = 0; i < MLOG_MAX_AGGREGATES; i++) {
        s = xasprintf("a%d;f%d;count", i, i);
        add_aggregate(s);
        free(s);
    }
    expect_error(try_add(mlog_stream_add_aggregate, "a;f1;count"),
                 "there are 1024 aggregates, which is the limit");
    for (int i = 0; i < MLOG_MAX_TRIGGERS; i++) {
        s = xasprintf("t%d;a%d > 0", i, i % MLOG_MAX_AGGREGATES);
        add_trigger(s);
        free(s);
    }
    expect_error(try_add(mlog_stream_add_trigger, "t;a1 > 5"),
                 "there are 8192 triggers, which is the limit");

    for (int len = 0; len < 1500; len++) {
        feed_udp(1, 1, len, now + 1);
    }
    run_ms(1);

    struct mlog_trigger_info *info;
    size_t n = mlog_stream_get_triggers(stream, &info);
    cr_assert_eq(n, MLOG_MAX_TRIGGERS);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(info[i].n_raises, 1);
    }
    free(info);
}

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

#include "mlog-trigger.h"
#include "openvswitch/dynamic-string.h"

TestSuite(trigger, .init = setup_stream, .fini = teardown_stream);

/* Alerts. */

/* The newest alert seen by next_alert(). */
static uint64_t last_seq;

/* Describes the next alert, "raised t nw_src=10.0.0.1 5", for the caller to
 * free; NULL if there is none. */
static char *
next_alert(void)
{
    struct mlog_alert *alerts;
    uint64_t n_discarded;
    size_t n = mlog_alert_log_read(mlog_stream_alerts(stream), last_seq, 1,
                                   &alerts, &n_discarded);
    struct ds s = DS_EMPTY_INITIALIZER;

    cr_assert_eq(n_discarded, 0);
    if (!n) {
        mlog_alerts_destroy(alerts, n);
        return NULL;
    }
    cr_assert_eq(alerts->seq, last_seq + 1);
    last_seq = alerts->seq;
    ds_put_format(&s, "%s %s ", mlog_alert_kind_to_string(alerts->kind),
                  alerts->trigger ? alerts->trigger->name : "-");
    mlog_group_key_format(alerts->aggregate, &alerts->key, &s);
    ds_put_format(&s, "%s", alerts->aggregate->n_keys ? " " : "");
    if (alerts->value.present) {
        mlog_number_format(alerts->value.real, &s);
    } else {
        ds_put_char(&s, '-');
    }
    if (alerts->kind == MLOG_ALERT_CLEARED) {
        cr_expect_lt(alerts->raised_seq, alerts->seq);
    } else {
        cr_expect_eq(alerts->raised_seq, alerts->seq);
    }
    if (alerts->reason != MLOG_REASON_CONDITION) {
        ds_put_format(&s, " (%s)",
                      mlog_alert_reason_to_string(alerts->reason));
    }
    mlog_alerts_destroy(alerts, n);
    return ds_steal_cstr(&s);
}

#define expect_alert(TEXT)                                              \
    do {                                                                \
        char *alert__ = next_alert();                                   \
        cr_assert(alert__, "no alert, expected \"%s\"", TEXT);          \
        cr_assert_str_eq(alert__, TEXT);                                \
        free(alert__);                                                  \
    } while (0)

#define expect_no_alert()                                               \
    do {                                                                \
        char *alert__ = next_alert();                                   \
        cr_assert(!alert__, "unexpected: %s", alert__);                 \
    } while (0)

static void
feed_n(int n, uint32_t host)
{
    while (n-- > 0) {
        feed_udp(host, 1, 100, now + 1);
    }
}

/* 'ms' milliseconds with 'n' packets from 'host' in each. */
static void
traffic(int ms, int n, uint32_t host)
{
    while (ms-- > 0) {
        feed_n(n, host);
        run_ms(1);
    }
}

static void
setup_count(const char *window)
{
    char *s = xasprintf("a;f;count;window=%s", window);

    add_filter("f;udp");
    add_aggregate(s);
    free(s);
}

/* Life cycle. */

Test(trigger, once_per_incident)
{
    setup_count("30ms");
    add_trigger("t;a > 4");
    for (int round = 0; round < 5; round++) {
        traffic(1, 4, 1);
        expect_no_alert();
        traffic(1, 1, 1);
        expect_alert("raised t 5");
        traffic(500, 3, 1);
        expect_no_alert();
        run_ms(28);
        expect_no_alert();
        run_ms(20);
        expect_alert("cleared t 3");
        run_ms(1000);
        expect_no_alert();
    }
}

Test(trigger, operators)
{
    setup_count("10ms");
    add_trigger("gt;a > 5");
    add_trigger("ge;a >= 5");
    add_trigger("eq;a == 5");
    add_trigger("ne;a != 5");
    add_trigger("lt;a < 5");
    add_trigger("le;a<=5");
    run_ms(9);
    expect_no_alert();

    /* Now the aggregate is a window old and 0 means something. */
    run_ms(1);
    expect_alert("raised le 0");
    expect_alert("raised lt 0");
    expect_alert("raised ne 0");
    traffic(1, 5, 1);
    expect_alert("cleared lt 5");
    expect_alert("cleared ne 5");
    expect_alert("raised ge 5");
    expect_alert("raised eq 5");
    traffic(1, 1, 1);
    expect_alert("cleared le 6");
    expect_alert("cleared eq 6");
    expect_alert("raised gt 6");
    expect_alert("raised ne 6");
    run_ms(100);
    expect_alert("cleared ge 1");
    expect_alert("cleared gt 1");
    expect_alert("raised le 1");
    expect_alert("raised lt 1");
    expect_no_alert();
}

Test(trigger, hysteresis)
{
    setup_count("10ms");
    add_trigger("t;a > 10;clear=4");
    traffic(1, 11, 1);
    expect_alert("raised t 11");
    run_ms(9);
    traffic(1, 5, 1);
    expect_no_alert();

    /* 5 in the window: not high, but not yet clear. */
    run_ms(5);
    cr_assert_eq(value_of("a"), 5);
    expect_no_alert();
    traffic(1, 6, 1);
    expect_no_alert();
    run_ms(5);
    cr_assert_eq(value_of("a"), 6);
    expect_no_alert();
    traffic(1, 4, 1);
    run_ms(7);
    cr_assert_eq(value_of("a"), 4);
    expect_alert("cleared t 4");
    run_ms(100);
    expect_no_alert();
}

Test(trigger, hysteresis_below)
{
    setup_count("10ms");
    add_trigger("t;a < 3;clear=8");
    run_ms(10);
    expect_alert("raised t 0");
    traffic(1, 7, 1);
    expect_no_alert();
    traffic(1, 1, 1);
    expect_alert("cleared t 8");
    traffic(50, 1, 1);
    expect_no_alert();
    run_ms(50);
    expect_alert("raised t 2");
    expect_no_alert();
}

Test(trigger, hold)
{
    setup_count("10ms");
    add_trigger("t;a > 4;for=50ms");

    /* Too short. */
    traffic(40, 1, 1);
    run_ms(50);
    expect_no_alert();

    /* The condition holds from the fifth packet on. */
    traffic(4, 1, 1);
    traffic(50, 1, 1);
    expect_no_alert();
    traffic(1, 1, 1);
    expect_alert("raised t 10");

    struct mlog_alert *alerts;
    uint64_t n_discarded;
    mlog_alert_log_read(mlog_stream_alerts(stream), 0, 1, &alerts,
                        &n_discarded);
    cr_expect_eq(alerts->time, now);
    cr_expect_eq(alerts->seen, 0);
    cr_expect_eq(alerts->since, now - 60 * MS);
    mlog_alerts_destroy(alerts, 1);

    run_ms(50);
    expect_alert("cleared t 4");
    expect_no_alert();
}

Test(trigger, groups)
{
    add_filter("f;udp");
    add_aggregate("a;f;count;window=10ms;group-by=nw_src");
    add_trigger("t;a >= 5");
    traffic(1, 5, 1);
    expect_alert("raised t nw_src=10.0.0.1 5");
    traffic(1, 4, 2);
    traffic(1, 1, 2);
    expect_alert("raised t nw_src=10.0.0.2 5");
    traffic(50, 1, 2);
    expect_alert("cleared t nw_src=10.0.0.1 0 (idle)");
    expect_no_alert();
    run_ms(50);
    expect_alert("cleared t nw_src=10.0.0.2 4");
    expect_no_alert();
}

/* Below a threshold only groups that exist, and have had a window's time. */
Test(trigger, groups_below)
{
    add_filter("f;udp");
    add_aggregate("a;f;count;window=10ms;group-by=nw_src");
    add_trigger("t;a < 5");
    run_ms(100);
    traffic(10, 1, 1);
    expect_no_alert();
    traffic(100, 1, 1);
    expect_no_alert();
    run_ms(7);
    expect_alert("raised t nw_src=10.0.0.1 4");
    run_ms(10);
    expect_alert("cleared t nw_src=10.0.0.1 0 (idle)");
    run_ms(100);
    expect_no_alert();
}

/* A trigger of another kind than those that were there before. */
Test(trigger, groups_below_later)
{
    add_filter("f;udp");
    add_aggregate("a;f;count;window=30ms;group-by=nw_src");
    add_trigger("high;a > 1000");
    for (int i = 0; i < 31; i++) {
        traffic(100 + i, 1, 1);
        add_trigger("low;a < 20");
        traffic(10, 1, 1);
        expect_no_alert();
        run_ms(10);
        expect_no_alert();
        run_ms(1);
        expect_alert("raised low nw_src=10.0.0.1 19");
        must_del(mlog_stream_del_trigger, "low");
        expect_alert("cleared low nw_src=10.0.0.1 19 (deleted)");
    }
    run_ms(100);
    expect_no_alert();
}

Test(trigger, absent_values)
{
    add_filter("f;udp");
    add_aggregate("a;f;avg(pkt_len);window=10ms");
    add_trigger("high;a >= 100;clear=50");
    add_trigger("low;a < 200");
    run_ms(100);
    expect_no_alert();
    traffic(1, 1, 1);
    expect_alert("raised high 100");
    expect_alert("raised low 100");
    run_ms(100);
    expect_alert("cleared high -");
    expect_alert("cleared low -");
    expect_no_alert();
}

Test(trigger, functions_and_numbers)
{
    add_filter("f;udp");
    add_aggregate("sum;f;sum(pkt_len);window=10ms");
    add_aggregate("rate;f;rate(pkt_len);window=10ms");
    add_aggregate("min;f;min(pkt_len);window=10ms");
    add_trigger("k;sum >= 1k");
    add_trigger("m;sum >= 0.001M");
    add_trigger("k2;sum > 0.9999k");
    add_trigger("r;rate >= 100k");
    add_trigger("n;min < 90");
    run_ms(100);
    traffic(1, 9, 1);
    expect_no_alert();
    traffic(1, 1, 1);
    expect_alert("raised k2 1000");
    expect_alert("raised k 1000");
    expect_alert("raised m 1000");
    expect_alert("raised r 100000");
    expect_no_alert();
    feed_udp(1, 1, 89, now + 1);
    run_ms(1);
    expect_alert("raised n 89");
}

/* When. */

Test(trigger, periods)
{
    setup_count("1ms");
    add_trigger("fast;a > 0");
    add_trigger("slow;a > 0;period=10ms");
    run_ms(12);

    /* Gone before the slow one looks. */
    traffic(1, 1, 1);
    expect_alert("raised fast 1");
    run_ms(4);
    expect_alert("cleared fast 0");
    expect_no_alert();
    run_ms(10);
    traffic(11, 1, 1);
    expect_alert("raised fast 1");
    expect_alert("raised slow 1");
    run_ms(2);
    expect_alert("cleared fast 0");
    run_ms(20);
    expect_alert("cleared slow 0");
    expect_no_alert();
}

/* Ticks that jitter around a period's end still give one evaluation each. */
Test(trigger, jitter)
{
    uint64_t start = now;

    add_filter("f;udp");
    add_aggregate("a;f;count;window=1ms");
    add_trigger("t;a > 0");
    for (int i = 1; i < 1000; i++) {
        uint64_t time = start + i * 4 * MS;

        feed_udp(1, 1, 100, time - MS / 2);
        tick_at(time + random_range(MS / 4));
        expect_alert("raised t 1");
        tick_at(time + 2 * MS - MS / 10);
        expect_alert("cleared t 0");
        tick_at(time + 3 * MS);
        expect_no_alert();
    }
}

Test(trigger, late_ticks)
{
    setup_count("10ms");
    add_trigger("t;a > 4");
    add_trigger("slow;a > 4;period=3ms;for=1h");

    /* Early ones count, too. */
    run_ms(1);
    feed_n(5, 1);
    tick_at(now + MS - MS / 10);
    expect_alert("raised t 5");
    run_ms(20);
    expect_alert("cleared t 0");
    for (int i = 0; i < 1000; i++) {
        traffic(1, 5, 1);
        expect_alert("raised t 5");
        tick_at(now + 5 * 3600 * S);
        expect_alert("cleared t 0");
        expect_no_alert();
    }
}

/* Every burst of more than the threshold within the window is seen, wherever
 * it lies with respect to panes and ticks, and nothing else. */
Test(trigger, no_burst_missed)
{
    setup_count("5ms");
    add_trigger("t;a >= 20");
    for (int i = 0; i < 2000; i++) {
        uint64_t time = now + 20 * MS + random_range(MS);
        int n = 15 + random_range(10);
        uint64_t spacing = random_range(5 * MS / n);
        uint64_t next_tick = time + random_range(MS);

        for (int j = 0; j < n; j++, time += spacing) {
            while (time > next_tick) {
                tick_at(next_tick);
                next_tick += MS;
            }
            feed_udp(1, 1, 100, time);
        }
        tick_at(next_tick);
        run_ms(10);
        if (n >= 20) {
            free(next_alert());
            free(next_alert());
        }
        expect_no_alert();
        cr_assert_eq(last_seq % 2, 0);
    }
    struct mlog_trigger_info *info;
    cr_assert_eq(mlog_stream_get_triggers(stream, &info), 1);
    cr_expect_eq(info->n_raises, info->n_clears);
    cr_expect_eq(info->n_raises * 2, last_seq);
    free(info);
}

/* What a loop over the values at each evaluation gives. */
struct model {
    struct {
        bool raised;
        uint64_t n_raises;
    } hosts[4];
};

static void
model_step(struct model *model, const double values[4], double threshold,
           double clear)
{
    for (int i = 0; i < 4; i++) {
        if (!model->hosts[i].raised && values[i] > threshold) {
            model->hosts[i].raised = true;
            model->hosts[i].n_raises++;
        } else if (model->hosts[i].raised && values[i] <= clear) {
            model->hosts[i].raised = false;
        }
    }
}

static void
get_values(const char *name, double values[4])
{
    struct mlog_aggregate_view view = show(name);

    for (int i = 0; i < 4; i++) {
        values[i] = -1;
    }
    for (size_t i = 0; i < view.n_groups; i++) {
        values[view.groups[i].key.values[0].lo - 0x0a000000]
            = view.groups[i].value.real;
    }
    mlog_aggregate_view_destroy(&view);
}

static void
feed_random(int step)
{
    for (int host = 0; host < 4; host++) {
        if ((step / (50 + host * 20)) % 2) {
            for (int n = random_range(4); n > 0; n--) {
                feed_udp(host, 1, 60 + random_range(4) * 10, now + 1);
            }
        }
    }
}

Test(trigger, equals_model)
{
    static const struct {
        const char *func;
        double scale;
    } aggregates[] = {
        { "count", 1 }, { "count", 1 }, { "sum(pkt_len)", 75 },
        { "rate", 50 }, { "max(pkt_len)", 4 }, { "min(pkt_len)", 4 },
        { "avg(pkt_len)", 4 },
    };
    static const double thresholds[] = { 3, 10, 18, 20 };
    static const int periods[] = { 1, 3, 10 };
    enum {
        N = ARRAY_SIZE(aggregates), T = ARRAY_SIZE(thresholds),
        P = ARRAY_SIZE(periods)
    };
    static struct model models[N][T][P];

    add_filter("f;udp");
    for (int a = 0; a < N; a++) {
        char *s = xasprintf("a%d;f;%s;window=20ms;group-by=nw_src", a,
                            aggregates[a].func);

        add_aggregate(s);
        free(s);
        for (int t = 0; t < T; t++) {
            for (int p = 0; p < P; p++) {
                double threshold = thresholds[t] * aggregates[a].scale;

                s = xasprintf("t%d-%d-%d;a%d > %g;clear=%g;period=%dms",
                              a, t, p, a, threshold, threshold / 2,
                              periods[p]);
                add_trigger(s);
                free(s);
            }
        }
    }

    /* Makes all changes of the second one count. */
    add_trigger("never;a1 < 0");

    for (int step = 0; step < 3000; step++) {
        feed_random(step);
        run_ms(1);
        for (int a = 0; a < N; a++) {
            char name[16];
            double values[4];

            snprintf(name, sizeof name, "a%d", a);
            get_values(name, values);
            for (int t = 0; t < T; t++) {
                double threshold = thresholds[t] * aggregates[a].scale;

                for (int p = 0; p < P; p++) {
                    if (step % periods[p] == 0) {
                        model_step(&models[a][t][p], values, threshold,
                                   threshold / 2);
                    }
                }
            }
        }
    }

    struct mlog_trigger_info *info;
    uint64_t total = 0;
    cr_assert_eq(mlog_stream_get_triggers(stream, &info), N * T * P + 1);
    for (int i = 0; i < N * T * P; i++) {
        const struct model *model = &models[i / (T * P)][i / P % T][i % P];
        uint64_t n_raises = 0;
        size_t n_raised = 0;

        for (int host = 0; host < 4; host++) {
            n_raises += model->hosts[host].n_raises;
            n_raised += model->hosts[host].raised;
        }
        cr_expect_eq(info[i].n_raises, n_raises, "%s: %"PRIu64", not %"PRIu64,
                     info[i].def->name, info[i].n_raises, n_raises);
        cr_expect_eq(info[i].n_raised, n_raised);
        cr_expect_eq(info[i].n_clears, n_raises - n_raised);
        total += n_raises;
    }
    cr_expect_gt(total, 1000);
    free(info);
}

/* Changes of the configuration. */

Test(trigger, deletion_clears)
{
    setup_count("10ms");
    add_trigger("t;a > 4");
    add_trigger("pending;a > 4;for=1s");
    traffic(1, 5, 1);
    expect_alert("raised t 5");
    must_del(mlog_stream_del_trigger, "pending");
    expect_no_alert();
    must_del(mlog_stream_del_trigger, "t");
    expect_alert("cleared t 5 (deleted)");
    run_ms(100);
    expect_no_alert();
    must_del(mlog_stream_del_aggregate, "a");
    must_del(mlog_stream_del_filter, "f");
}

Test(trigger, delete_and_add)
{
    for (int i = 0; i < 300; i++) {
        setup_count("10ms");
        add_trigger("t;a > 4");
        add_trigger("second;a > 5");
        traffic(1, 5, 1);
        expect_alert("raised t 5");
        traffic(1, 1, 1);
        expect_alert("raised second 6");
        must_del(mlog_stream_del_trigger, "t");
        expect_alert("cleared t 6 (deleted)");

        /* A new trigger sees what is there already. */
        add_trigger("t;a > 3");
        run_ms(1);
        expect_alert("raised t 6");
        run_ms(50);
        expect_alert("cleared second 1");
        expect_alert("cleared t 1");
        expect_no_alert();
        must_del(mlog_stream_del_trigger, "second");
        must_del(mlog_stream_del_trigger, "t");
        must_del(mlog_stream_del_aggregate, "a");
        must_del(mlog_stream_del_filter, "f");
    }
}

/* Evidence. */

static void
count_alert(const struct mlog_alert *alert, void *n)
{
    cr_expect_neq(alert->seq, 0);
    ++*(int *) n;
}

/* As many records match the evidence as the value says. */
Test(trigger, evidence)
{
    struct mlog_alert_log *log = mlog_stream_alerts(stream);
    struct mlog_alert *alerts;
    uint64_t n_discarded;
    int n_hooked = 0;

    log->hook = count_alert;
    log->hook_aux = &n_hooked;
    add_filter("f;udp && (pkt_len > 60 || tp_src == 9)");
    add_aggregate("a;f;count;window=20ms;group-by=nw_src,tp_src");
    add_trigger("t;a > 8;clear=4");

    uint64_t times[4096];
    uint32_t hosts[4096];
    int n_records = 0;
    for (int ms = 0; ms < 1000; ms++) {
        if (ms / 100 % 2) {
            times[n_records] = now + 1 + random_range(MS);
            hosts[n_records] = random_range(3);
            feed_udp(hosts[n_records], 1, 100, times[n_records]);
            n_records++;
        }
        run_ms(1);
    }

    size_t n = mlog_alert_log_read(log, 0, SIZE_MAX, &alerts, &n_discarded);
    cr_expect_gt(n, 10);
    cr_expect_eq(n, n_hooked);
    for (size_t i = 0; i < n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        uint64_t count = 0;
        char *expected;

        mlog_alert_evidence(&alerts[i], &s);
        expected = xasprintf("(udp && (pkt_len > 60 || tp_src == 9)) && nw_src"
                             " == 10.0.0.%d && tp_src == 1",
                             (int) (alerts[i].key.values[0].lo & 0xff));
        cr_expect_str_eq(ds_cstr(&s), expected);
        free(expected);
        ds_destroy(&s);
        for (int j = 0; j < n_records; j++) {
            count += (times[j] >= alerts[i].since
                      && times[j] <= alerts[i].until
                      && hosts[j] == (alerts[i].key.values[0].lo & 0xff));
        }
        if (alerts[i].kind == MLOG_ALERT_RAISED) {
            cr_expect_eq(count, alerts[i].value.integer);
            cr_expect_gt(alerts[i].seen, alerts[i].time - MS);
            cr_expect_leq(alerts[i].seen, alerts[i].time);
            cr_expect_eq(alerts[i].logged, alerts[i].time);
            cr_expect_leq(alerts[i].newest, alerts[i].time);
        } else {
            cr_expect_geq(count, 9);
        }
    }
    cr_expect_eq(log->n_latency, (n + 1) / 2);
    cr_expect_leq(log->max_latency, MS);
    mlog_alerts_destroy(alerts, n);
}

/* The log. */

Test(trigger, ring)
{
    struct mlog_alert_log *log = mlog_stream_alerts(stream);
    struct mlog_alert *alerts;
    uint64_t n_discarded;
    size_t n;

    setup_count("1ms");
    add_trigger("t;a > 0");
    cr_expect_eq(mlog_alert_log_read(log, 0, 10, &alerts, &n_discarded), 0);
    free(alerts);
    for (int i = 0; i < MLOG_MAX_ALERTS / 2; i++) {
        traffic(1, 1, 1);
        run_ms(2);
    }
    n = mlog_alert_log_read(log, 0, SIZE_MAX, &alerts, &n_discarded);
    cr_expect_eq(n, MLOG_MAX_ALERTS);
    cr_expect_eq(n_discarded, 0);
    cr_expect_eq(alerts[0].seq, 1);
    mlog_alerts_destroy(alerts, n);

    traffic(1, 1, 1);
    run_ms(2);
    n = mlog_alert_log_read(log, 0, 10, &alerts, &n_discarded);
    cr_expect_eq(n, 10);
    cr_expect_eq(n_discarded, 2);
    cr_expect_eq(alerts[0].seq, 3);
    cr_expect_eq(alerts[9].seq, 12);

    /* What was read stays, whatever becomes of the log. */
    must_del(mlog_stream_del_trigger, "t");
    must_del(mlog_stream_del_aggregate, "a");
    must_del(mlog_stream_del_filter, "f");
    setup_count("1ms");
    add_trigger("t2;a > 0");
    for (int i = 0; i < MLOG_MAX_ALERTS; i++) {
        traffic(1, 1, 1);
        run_ms(2);
    }
    cr_expect_str_eq(alerts[0].trigger->name, "t");
    mlog_alerts_destroy(alerts, n);

    n = mlog_alert_log_read(log, 3 * MLOG_MAX_ALERTS, 10, &alerts,
                            &n_discarded);
    cr_expect_eq(n, 2);
    cr_expect_eq(n_discarded, 0);
    mlog_alerts_destroy(alerts, n);
    n = mlog_alert_log_read(log, UINT64_MAX, 10, &alerts, &n_discarded);
    cr_expect_eq(n, 0);
    cr_expect_eq(n_discarded, 0);
    mlog_alerts_destroy(alerts, n);
}

/* Too much. */

Test(trigger, group_overflow_alerts_once)
{
    add_filter("f;udp");
    add_aggregate("a;f;count;window=100ms;group-by=nw_src");
    add_trigger("t;a > 1000");
    for (int round = 0; round < 2; round++) {
        for (int ms = 0; ms < 50; ms++) {
            for (int i = 0; i < MLOG_MAX_GROUPS + 20; i++) {
                feed_udp(i, 1, 100, now + 1);
            }
            run_ms(1);
        }
        expect_alert("overflow - other 20 (groups)");
        expect_no_alert();
        traffic(1, 1500, MLOG_MAX_GROUPS + 1);
        expect_alert("raised t other 2500");
        run_ms(200);
        expect_alert("cleared t other 0 (idle)");
        expect_no_alert();
    }
}

static size_t
count_alerts(enum mlog_alert_kind kind)
{
    struct mlog_alert *alerts;
    uint64_t n_discarded;
    size_t n = mlog_alert_log_read(mlog_stream_alerts(stream), last_seq,
                                   SIZE_MAX, &alerts, &n_discarded);
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        count += alerts[i].kind == kind;
    }
    mlog_alerts_destroy(alerts, n);
    return count;
}

Test(trigger, incident_overflow)
{
    struct mlog_trigger_info *info;
    struct mlog_stream_stats stats;

    add_filter("f;udp");
    add_aggregate("a;f;count;window=100ms;group-by=nw_src");
    for (int i = 0; i < 7; i++) {
        char *s = xasprintf("t%d;a > 0", i);

        add_trigger(s);
        free(s);
    }
    for (int i = 0; i < MLOG_MAX_GROUPS; i++) {
        feed_udp(i, 1, 100, now + 1);
    }
    run_ms(1);
    mlog_stream_get_stats(stream, &stats);
    cr_expect_eq(stats.n_incidents, MLOG_MAX_INCIDENTS);
    mlog_stream_get_triggers(stream, &info);
    uint64_t n_raised = 0, n_suppressed = 0;
    for (int i = 0; i < 7; i++) {
        n_raised += info[i].n_raised;
        n_suppressed += info[i].n_suppressed;
    }
    free(info);
    cr_expect_eq(n_raised, MLOG_MAX_INCIDENTS);
    cr_expect_eq(n_raised + n_suppressed, 7 * MLOG_MAX_GROUPS);
    cr_expect_gt(count_alerts(MLOG_ALERT_OVERFLOW), 0);
    cr_expect_leq(count_alerts(MLOG_ALERT_OVERFLOW), 7);

    /* When there is room again, what was suppressed is raised. */
    must_del(mlog_stream_del_trigger, "t0");
    run_ms(2);
    mlog_stream_get_triggers(stream, &info);
    for (int i = 0; i < 6; i++) {
        cr_expect_eq(info[i].n_raised, MLOG_MAX_GROUPS);
    }
    free(info);

    run_ms(150);
    mlog_stream_get_stats(stream, &stats);
    cr_expect_eq(stats.n_incidents, 0);
    cr_expect_eq(stats.n_groups, 0);
    mlog_stream_get_triggers(stream, &info);
    for (int i = 0; i < 6; i++) {
        cr_expect_eq(info[i].n_raises, info[i].n_clears);
        cr_expect_eq(info[i].n_raised, 0);
    }
    free(info);
}

/* A storm: many triggers at once on one aggregate. */
Test(trigger, storm)
{
    setup_count("10ms");
    for (int i = 0; i < 4096; i++) {
        char *s = xasprintf("t%d;a > %d", i, i % 10);

        add_trigger(s);
        free(s);
    }
    traffic(1, 10, 1);
    cr_expect_eq(count_alerts(MLOG_ALERT_RAISED), 4096);
    run_ms(20);
    cr_expect_eq(count_alerts(MLOG_ALERT_CLEARED), 4096);
}

/* Errors. */

Test(trigger, errors)
{
    static const struct {
        const char *args;
        const char *error;
    } cases[] = {
        { "t", "0: expected NAME 'AGGREGATE OP VALUE'" },
        { "t;", "1: expected AGGREGATE OP VALUE" },
        { "t;a", "2: expected one of > >= < <= == !=" },
        { "t;a = 5", "3: expected one of" },
        { "t;a => 5", "3: expected one of" },
        { "t;a >", "4: expected a number" },
        { "t;a > > 5", "5: '>' is not a number" },
        { "t;a > b", "5: 'b' is not a number" },
        { "t;a > -5", "5: '-5' is not a number" },
        { "t;a > 5K", "5: '5K' is not a number" },
        { "t;a > 5kk", "5: '5kk' is not a number" },
        { "t;a > 1e3", "5: '1e3' is not a number" },
        { "t;a > 0x10", "5: '0x10' is not a number" },
        { "t;a > 1.2.3", "5: '1.2.3' is not a number" },
        { "t;a > nan", "5: 'nan' is not a number" },
        { "t;a > 5s", "5: '5s' is not a number" },
        { "t;a > 99999999999999999999", "5: is too large" },
        { "t;a > 9999999999G", "5: is too large" },
        { "t;a > 5 6", "7: nothing can follow" },
        { "t;b > 5", "1: there is no aggregate 'b'" },
        { "t;  b > 5", "3: there is no aggregate 'b'" },
        { "t;a > 5;x=5", "1: 'x=5' is not an option" },
        { "t;a > 5;perriod=5", "did you mean period=" },
        { "t;a > 5;period", "period needs a value" },
        { "t;a > 5;period=", "period needs a value" },
        { "t;a > 5;period=5", "8: period: '5' is not a duration" },
        { "t;a > 5;period=999us", "8: period: must be from 1ms to 1h" },
        { "t;a > 5;period=2h", "must be from 1ms to 1h" },
        { "t;a > 5;for=25h", "5: for: must be from 0 to 1d" },
        { "t;a > 5;for=1s;for=2s", "for is given twice" },
        { "t;a > 5;clear=x", "7: clear: 'x' is not a number" },
        { "t;a > 5;clear=6", "must be at most the threshold 5" },
        { "t;a >= 5;clear=5", "must be less than the threshold 5" },
        { "t;a < 5;clear=4", "must be at least the threshold 5" },
        { "t;a <= 5;clear=5", "must be more than the threshold 5" },
        { "t;a == 5;clear=5", "can't be used with ==" },
        { "t;a != 5;clear=5", "can't be used with !=" },
        { "1t;a > 5", "1: trigger: a name consists of" },
        { "t x;a > 5", "2: trigger: a name consists of" },
        { "have;a > 5", "there is a trigger 'have' already" },
    };

    setup_count("1s");
    add_trigger("have;a > 5");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        expect_error(try_add(mlog_stream_add_trigger, cases[i].args),
                     cases[i].error);
    }
    expect_error(try_del(mlog_stream_del_trigger, "hav"),
                 "there is no trigger 'hav'; did you mean 'have'?");
    expect_error(try_del(mlog_stream_del_aggregate, "a"),
                 "trigger 'have' uses it; delete that first");
    run_ms(10);
    expect_no_alert();

    struct mlog_trigger_info *info;
    cr_expect_eq(mlog_stream_get_triggers(stream, &info), 1);
    free(info);
}
